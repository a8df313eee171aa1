// The program coredns: listens on UDP and TCP, and passes each query through the plugins of its Corefile.
import { createHash } from 'node:crypto';
import {
  dnsQuery,
  dnsResponse,
  encodeDns,
  exchangeDns,
  serveDns,
  type DnsHandler,
  type DnsMessage,
  type DnsRecordType,
} from '../../network/dns/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { serveHttp, type HttpHandler } from '../../network/http/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { every } from '../../simulation/index.ts';
import type { ApiClient } from '../../kubernetes/client/index.ts';
import {
  CorefileError,
  fullName,
  isWithin,
  parseCorefile,
  type PluginBlock,
  type ServerBlock,
} from './corefile.ts';
import { KubernetesZone } from './kubernetes-zone.ts';
import { queryOf, replyOf, wireReply, type Query, type Reply, type ResourceRecord } from './records.ts';

export interface CoreDnsOptions {
  /** How the program reaches the API server, with its pod's service account. */
  readonly client: (proc: Process) => ApiClient;
  /** Such as `1.13.1`. */
  readonly version: string;
}

const UDP_BYTES = 512;
const UPSTREAM_TIMEOUT_MS = 2000;
const UPSTREAM_ATTEMPTS_MAX = 3;
const RELOAD_MS = 30_000;
const CACHE_TTL_MAX = 3600;
const CACHE_NEGATIVE_TTL_MAX = 1800;
const CACHE_ENTRIES_MAX = 10_000;
const CNAMES_MAX = 8;

/** Makes the program of the coredns image. */
export function makeCoreDns(options: CoreDnsOptions): Program {
  return async (proc) => {
    const index = proc.argv.indexOf('-conf');
    const path = index < 0 ? '/Corefile' : (proc.argv[index + 1] ?? '/Corefile');
    const server = new CoreDns(proc, options, path);
    try {
      return await server.run();
    } finally {
      server.dispose();
    }
  };
}

interface CacheEntry {
  readonly reply: Reply;
  readonly storedMs: number;
  readonly expiresMs: number;
}

class CoreDns {
  private readonly proc: Process;
  private readonly options: CoreDnsOptions;
  private readonly path: string;
  private stack = new DisposableStack();
  private text = '';

  constructor(proc: Process, options: CoreDnsOptions, path: string) {
    this.proc = proc;
    this.options = options;
    this.path = path;
  }

  async run(): Promise<number> {
    const { proc } = this;
    const stop = Promise.withResolvers<number>();
    proc.onSignal('SIGTERM', () => stop.resolve(0));
    proc.onSignal('SIGINT', () => stop.resolve(0));
    try {
      await this.load();
    } catch (error) {
      if (error instanceof CorefileError || error instanceof ErrnoError) {
        await proc.stdout.write(
          `${error instanceof ErrnoError ? `Listen: listen tcp ${error.path ?? ':53'}: bind: ${error.message.toLowerCase()}` : error.message}\n`,
        );
        return 1;
      }
      throw error;
    }
    for (;;) {
      try {
        return await proc.interruptible(stop.promise);
      } catch (error) {
        if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
        await proc.stdout.write('[INFO] SIGTERM: Shutting down servers then terminating\n');
      }
    }
  }

  dispose(): void {
    this.stack.dispose();
  }

  private async load(): Promise<void> {
    const { proc } = this;
    const text = proc.fs.exists(this.path) ? proc.fs.readText(this.path) : '.:53 {\n  whoami\n}\n';
    const blocks = parseCorefile(text);
    this.text = text;
    const stack = new DisposableStack();
    this.stack = stack;
    const zones: string[] = [];
    const byPort = new Map<number, Zone[]>();
    for (const block of blocks) {
      const chain = new Chain(block, proc, this.options, stack);
      for (const { zone, port } of block.zones) {
        zones.push(`${zone}:${port}`);
        byPort.set(port, [...(byPort.get(port) ?? []), { zone, chain }]);
      }
      if (block.plugins.some(({ name }) => name === 'reload'))
        stack.use(every(proc.clock, RELOAD_MS, () => void this.reloadIfChanged()));
    }
    for (const [port, served] of byPort) listen(proc, port, served, stack);
    const sum = createHash('sha512').update(text).digest('hex');
    await proc.stdout.write(
      `${zones.join('\n')}\n[INFO] plugin/reload: Running configuration SHA512 = ${sum}\nCoreDNS-${this.options.version}\nlinux/amd64, go1.25.2, ${sum.slice(0, 7)}\n`,
    );
  }

  private async reloadIfChanged(): Promise<void> {
    const { proc } = this;
    if (!proc.fs.exists(this.path) || proc.fs.readText(this.path) === this.text) return;
    await proc.stdout.write('[INFO] Reloading\n');
    try {
      parseCorefile(proc.fs.readText(this.path));
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error;
      this.text = proc.fs.readText(this.path);
      await proc.stdout.write(
        `[ERROR] Restart failed: ${error.message}\n[ERROR] plugin/reload: Corefile changed but reload failed: ${error.message}\n`,
      );
      return;
    }
    this.stack.dispose();
    await this.load();
    await proc.stdout.write('[INFO] Reloading complete\n');
  }
}

interface Zone {
  readonly zone: string;
  readonly chain: Chain;
}

function listen(proc: Process, port: number, served: readonly Zone[], stack: DisposableStack): void {
  const handle: DnsHandler = async (message, client) => {
    const query = queryOf(message);
    // The most specific zone answers.
    const [zone] = served
      .filter(({ zone: candidate }) => isWithin(query.name, candidate))
      .toSorted((a, b) => b.zone.length - a.zone.length);
    const reply = zone === undefined ? refused() : await zone.chain.answer(query, message, client);
    return wireReply(query, reply);
  };
  const owner = proc.socketOwner;
  stack.use(serveDns(proc.net.sockets, handle, { local: { address: '0.0.0.0', port }, owner }));
}

/** The plugins of one server block, in CoreDNS's fixed order. */
class Chain {
  private readonly proc: Process;
  private readonly plugins: ReadonlyMap<string, PluginBlock>;
  private readonly kubernetes: KubernetesZone | undefined;
  private readonly hosts: ReadonlyMap<string, readonly string[]>;
  private readonly rewrites: readonly (readonly string[])[];
  private readonly cache = new Map<string, CacheEntry>();
  private saying: Promise<void> = Promise.resolve();
  private readonly random;

  constructor(block: ServerBlock, proc: Process, options: CoreDnsOptions, stack: DisposableStack) {
    this.proc = proc;
    this.random = proc.random.fork('coredns');
    this.plugins = new Map(block.plugins.map((plugin) => [plugin.name, plugin]));
    this.rewrites = block.plugins
      .filter(({ name }) => name === 'rewrite')
      .flatMap(({ args, lines }) => (args.length > 0 ? [args] : lines));
    this.hosts = readHosts(proc, this.plugins.get('hosts'));
    const kubernetes = this.plugins.get('kubernetes');
    if (kubernetes !== undefined) {
      this.kubernetes = new KubernetesZone(kubernetes, options.client(proc), proc.clock, (error) =>
        this.say('ERROR', `plugin/kubernetes: Failed to watch: ${messageOf(error)}`),
      );
      stack.use(this.kubernetes.start());
    }
    this.serveStatus(stack);
  }

  async answer(query: Query, message: DnsMessage, client: Parameters<DnsHandler>[1]): Promise<Reply> {
    const startMs = this.proc.clock.now();
    const reply = this.balance(await this.resolve(this.rewrite(query.name), query.type, 0));
    const renamed = this.unrewrite(query.name, reply);
    if (this.plugins.has('log')) {
      const flags = `qr,${renamed.isAuthoritative ? 'aa,' : ''}${message.isRecursionDesired ? 'rd' : ''}${renamed.isAuthoritative ? '' : ',ra'}`;
      const asked = encodeDns(message).length;
      const size = encodeDns(dnsResponse(message, wireReply(query, renamed))).length;
      const seconds = ((this.proc.clock.now() - startMs) / 1000).toFixed(9);
      const question = `${query.type} IN ${query.askedName} ${client.transport} ${asked} false ${message.udpPayloadBytes ?? UDP_BYTES}`;
      this.say(
        'INFO',
        `${client.address}:${client.port} - ${message.id} "${question}" ${renamed.rcode} ${flags} ${size} ${seconds}s`,
      );
    }
    return renamed;
  }

  /** A name through cache, hosts, kubernetes and forward; CNAMEs out of the cluster are followed. */
  private async resolve(name: string, type: string, depth: number): Promise<Reply> {
    const cached = this.fromCache(name, type);
    if (cached !== undefined) return cached;
    const reply =
      this.fromHosts(name, type) ?? this.kubernetes?.answer(name, type) ?? (await this.forward(name, type));
    const whole =
      reply.target === undefined || depth >= CNAMES_MAX
        ? reply
        : join(reply, await this.resolve(reply.target, type, depth + 1));
    this.toCache(name, type, whole);
    return whole;
  }

  private rewrite(name: string): string {
    for (const rule of this.rewrites) {
      const words = rule.filter((word) => word !== 'stop' && word !== 'continue');
      if (words[0] !== 'name') continue;
      const [, second = '', third = '', fourth = ''] = words;
      if (second === 'suffix' && isWithin(name, fullName(third)))
        return name.slice(0, name.length - fullName(third).length) + fullName(fourth);
      if (second === 'prefix' && name.startsWith(third)) return fourth + name.slice(third.length);
      if (second === 'exact' && name === fullName(third)) return fullName(fourth);
      if (second === 'regex') {
        const match = new RegExp(third).exec(name);
        if (match !== null)
          return fullName(fourth.replace(/\{(\d)\}/g, (_, digit: string) => match[Number(digit)] ?? ''));
      }
      if (!['suffix', 'prefix', 'exact', 'regex', 'substring'].includes(second) && name === fullName(second))
        return fullName(third);
    }
    return name;
  }

  /** Answers carry the name that was asked, whatever it was rewritten to. */
  private unrewrite(asked: string, reply: Reply): Reply {
    const looked = this.rewrite(asked);
    if (looked === asked) return reply;
    return {
      ...reply,
      answers: reply.answers.map((record) => (record.name === looked ? { ...record, name: asked } : record)),
    };
  }

  private fromHosts(name: string, type: string): Reply | undefined {
    const addresses = this.hosts.get(name);
    if (addresses === undefined) return undefined;
    const answers = addresses
      .filter((address) => address.includes(':') === (type === 'AAAA'))
      .map((data): ResourceRecord => ({ name, type, ttl: 3600, data }));
    return {
      rcode: 'NOERROR',
      isAuthoritative: true,
      answers: type === 'A' || type === 'AAAA' ? answers : [],
      authorities: [],
      additionals: [],
    };
  }

  private fromCache(name: string, type: string): Reply | undefined {
    if (!this.plugins.has('cache')) return undefined;
    const entry = this.cache.get(`${type} ${name}`);
    const nowMs = this.proc.clock.now();
    if (entry === undefined || entry.expiresMs <= nowMs) return undefined;
    const passed = Math.floor((nowMs - entry.storedMs) / 1000);
    const age = (records: readonly ResourceRecord[]): ResourceRecord[] =>
      records.map((record) => ({ ...record, ttl: Math.max(0, record.ttl - passed) }));
    const { reply } = entry;
    return {
      ...reply,
      answers: age(reply.answers),
      authorities: age(reply.authorities),
      additionals: age(reply.additionals),
    };
  }

  private toCache(name: string, type: string, reply: Reply): void {
    const plugin = this.plugins.get('cache');
    if (plugin === undefined || (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')) return;
    if (
      plugin.lines.some(
        ([word, kind, zone]) =>
          word === 'disable' && kind !== undefined && zone !== undefined && isWithin(name, fullName(zone)),
      )
    )
      return;
    const isNegative = reply.answers.length === 0;
    const limit = Math.min(
      Number(plugin.args[0] ?? CACHE_TTL_MAX),
      isNegative ? CACHE_NEGATIVE_TTL_MAX : CACHE_TTL_MAX,
    );
    const ttl = Math.min(limit, ...[...reply.answers, ...reply.authorities].map((record) => record.ttl));
    if (!Number.isFinite(ttl) || ttl <= 0) return;
    if (this.cache.size >= CACHE_ENTRIES_MAX) this.cache.delete(this.cache.keys().next().value!);
    const storedMs = this.proc.clock.now();
    this.cache.set(`${type} ${name}`, { reply, storedMs, expiresMs: storedMs + ttl * 1000 });
  }

  private async forward(name: string, type: string): Promise<Reply> {
    const plugin = this.plugins.get('forward');
    if (plugin === undefined || !isWithin(name, fullName(plugin.args[0] ?? '.'))) return refused();
    const upstreams = plugin.args.slice(1).flatMap((target) => this.upstreamsOf(target));
    if (upstreams.length === 0) return failed();
    let last = '';
    for (let attempt = 0; attempt < UPSTREAM_ATTEMPTS_MAX; attempt++) {
      const upstream = upstreams[(this.random.integer(upstreams.length) + attempt) % upstreams.length]!;
      try {
        return await this.ask(upstream, name, type);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        last = `read udp ->${upstream}: ${error.message.toLowerCase()}`;
      }
    }
    if (this.plugins.has('errors')) this.say('ERROR', `plugin/errors: 2 ${name} ${type}: ${last}`);
    return failed();
  }

  private upstreamsOf(target: string): string[] {
    if (!target.startsWith('/')) return [target.includes(':') ? target : `${target}:53`];
    if (!this.proc.fs.exists(target)) return [];
    return [...this.proc.fs.readText(target).matchAll(/^nameserver\s+(\S+)/gm)].map(
      ([, address]) => `${address}:53`,
    );
  }

  private async ask(upstream: string, name: string, type: string): Promise<Reply> {
    const { proc } = this;
    const colon = upstream.lastIndexOf(':');
    const server = { address: upstream.slice(0, colon), port: Number(upstream.slice(colon + 1)) };
    const query = dnsQuery(this.random.integer(65_536), name, type as DnsRecordType);
    const { message } = await exchangeDns(proc.net.sockets, server, query, {
      clock: proc.clock,
      timeoutMs: UPSTREAM_TIMEOUT_MS,
      signal: proc.signal,
    });
    return replyOf(message);
  }

  /** loadbalance: address records in a random order, CNAMEs first. */
  private balance(reply: Reply): Reply {
    if (!this.plugins.has('loadbalance')) return reply;
    const isAddress = ({ type }: ResourceRecord): boolean => type === 'A' || type === 'AAAA';
    const addresses = reply.answers.filter(isAddress);
    for (let i = addresses.length - 1; i > 0; i--) {
      const j = this.random.integer(i + 1);
      [addresses[i], addresses[j]] = [addresses[j]!, addresses[i]!];
    }
    return { ...reply, answers: [...reply.answers.filter((record) => !isAddress(record)), ...addresses] };
  }

  private serveStatus(stack: DisposableStack): void {
    const port = (name: string, otherwise: number): number =>
      Number(/:(\d+)$/.exec(this.plugins.get(name)?.args[0] ?? '')?.[1] ?? otherwise);
    const plain = (status: number, body: string): Awaited<ReturnType<HttpHandler>> => ({
      status,
      headers: [['Content-Type', 'text/plain; charset=utf-8']],
      body,
    });
    const serve = (name: string, number: number, handler: HttpHandler): void => {
      if (!this.plugins.has(name)) return;
      const { proc } = this;
      const listener = stack.use(
        proc.net.sockets.listenTcp({ address: '0.0.0.0', port: number }, { owner: proc.socketOwner }),
      );
      stack.use(serveHttp(listener, handler, { onError: (error) => this.say('ERROR', messageOf(error)) }));
    };
    serve('health', port('health', 8080), async ({ target }) =>
      target === '/health' ? plain(200, 'OK') : plain(404, '404 page not found\n'),
    );
    serve('ready', port('ready', 8181), async ({ target }) => {
      if (target !== '/ready') return plain(404, '404 page not found\n');
      return this.kubernetes?.isSynced === false ? plain(503, 'kubernetes') : plain(200, 'OK');
    });
    serve('prometheus', port('prometheus', 9153), async ({ target }) =>
      target === '/metrics'
        ? plain(
            200,
            `# HELP coredns_cache_entries The number of elements in the cache.\n# TYPE coredns_cache_entries gauge\ncoredns_cache_entries ${this.cache.size}\n`,
          )
        : plain(404, '404 page not found\n'),
    );
  }

  private say(level: 'INFO' | 'ERROR' | 'WARNING', message: string): void {
    // In order, though nobody waits; after the process's end there is nobody to tell.
    this.saying = this.saying.then(() =>
      this.proc.stdout.write(`[${level}] ${message}
`),
    );
    this.saying.catch(() => undefined);
  }
}

function readHosts(proc: Process, plugin: PluginBlock | undefined): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  if (plugin === undefined) return hosts;
  const add = ([address = '', ...names]: readonly string[]): void => {
    if (/^[\d.]+$|:/.test(address))
      for (const name of names) hosts.set(fullName(name), [...(hosts.get(fullName(name)) ?? []), address]);
  };
  const file =
    plugin.args.find((word) => word.startsWith('/')) ??
    (plugin.lines.length === 0 ? '/etc/hosts' : undefined);
  if (file !== undefined && proc.fs.exists(file))
    for (const line of proc.fs.readText(file).split('\n')) add(line.replace(/#.*/, '').trim().split(/\s+/));
  for (const line of plugin.lines) add(line);
  return hosts;
}

function join(first: Reply, second: Reply): Reply {
  const { target: _, ...rest } = first;
  return {
    ...rest,
    rcode: second.rcode === 'NXDOMAIN' ? 'NOERROR' : second.rcode,
    answers: [...first.answers, ...second.answers],
  };
}

function refused(): Reply {
  return { rcode: 'REFUSED', isAuthoritative: false, answers: [], authorities: [], additionals: [] };
}

function failed(): Reply {
  return { ...refused(), rcode: 'SERVFAIL' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
