// Looks names up as programs do: /etc/hosts, resolv.conf's search list, servers in turn (glibc's and musl's ways).
import type { Clock, Random } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import { parseIpv4 } from '../ip/ipv4.ts';
import type { Sockets } from '../socket/socket.ts';
import { exchangeDns } from './exchange.ts';
import { dnsQuery, type DnsMessage, type DnsRecordType } from './message.ts';

/** resolv.conf(5). */
export interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  readonly rotate: boolean;
  readonly useTcp: boolean;
}

/** MAXNS; further nameservers are ignored. */
const NAMESERVERS_MAX = 3;
const NDOTS_MAX = 15;

/** Reads /etc/resolv.conf; without a nameserver it's the machine itself. */
export function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  let search: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined && nameservers.length < NAMESERVERS_MAX)
      nameservers.push(words[0]);
    else if (keyword === 'search') search = words;
    else if (keyword === 'domain') search = words.slice(0, 1);
    else if (keyword === 'options') {
      for (const word of words) {
        const [name = '', value = ''] = word.split(':');
        options.set(name, value);
      }
    }
  }
  const number = (name: string, fallback: number): number => {
    const value = Number.parseInt(options.get(name) ?? '', 10);
    return Number.isNaN(value) ? fallback : value;
  };
  return {
    nameservers: nameservers.length > 0 ? nameservers : ['127.0.0.1'],
    search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    ndots: Math.min(NDOTS_MAX, number('ndots', 1)),
    timeoutSeconds: Math.max(1, number('timeout', 5)),
    attempts: Math.max(1, number('attempts', 2)),
    rotate: options.has('rotate'),
    useTcp: options.has('use-vc'),
  };
}

/** getaddrinfo(3)'s ways to fail. */
export type ResolveErrorCode = 'EAI_NONAME' | 'EAI_AGAIN' | 'EAI_FAIL' | 'EAI_NODATA';

const ERROR_TEXTS: Readonly<Record<ResolveErrorCode, string>> = {
  EAI_NONAME: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_FAIL: 'Non-recoverable failure in name resolution',
  EAI_NODATA: 'No address associated with hostname',
};

/** The message is gai_strerror(3)'s. */
export class ResolveError extends Error {
  readonly code: ResolveErrorCode;
  constructor(code: ResolveErrorCode, options?: ErrorOptions) {
    super(ERROR_TEXTS[code], options);
    this.code = code;
  }
}

export interface Resolved {
  readonly canonicalName: string;
  /** IPv4, in the order of the answer. */
  readonly addresses: readonly string[];
}

export interface ResolverOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  /** The text of /etc/resolv.conf, read for each look-up; undefined if there is none. */
  readonly resolvConf: () => string | undefined;
  /** The text of /etc/hosts. */
  readonly hosts: () => string | undefined;
  /** musl asks all servers at once and searches only below ndots; glibc asks them in turn. */
  readonly flavour?: 'glibc' | 'musl';
}

type Outcome =
  | { readonly kind: 'answer'; readonly message: DnsMessage }
  | { readonly kind: 'nxdomain' | 'nodata' | 'servfail' | 'timeout' };

export class Resolver {
  private readonly options: ResolverOptions;
  private rotation = 0;

  constructor(options: ResolverOptions) {
    this.options = options;
  }

  /** getaddrinfo(3) for IPv4: an address as text, /etc/hosts, DNS. Rejects with ResolveError, or the signal's reason. */
  async resolve(name: string, signal?: AbortSignal): Promise<Resolved> {
    if (parseIpv4(name) !== undefined) return { canonicalName: name, addresses: [name] };
    const known = lookupHosts(this.options.hosts() ?? '', name);
    if (known !== undefined) return known;
    const message = await this.search(name, 'A', signal);
    const addresses = message.answers.flatMap((record) => (record.type === 'A' ? [record.data] : []));
    return { canonicalName: canonicalName(message, name), addresses };
  }

  /** The name of an address: /etc/hosts, then PTR. Undefined if it has none. */
  async reverse(address: string, signal?: AbortSignal): Promise<string | undefined> {
    const known = reverseHosts(this.options.hosts() ?? '', address);
    if (known !== undefined) return known;
    const outcome = await this.ask(
      `${address.split('.').toReversed().join('.')}.in-addr.arpa`,
      'PTR',
      this.config(),
      signal,
    );
    if (outcome.kind !== 'answer') return undefined;
    const record = outcome.message.answers.find((each) => each.type === 'PTR');
    return record?.type === 'PTR' ? record.data : undefined;
  }

  /** res_search(3): the names to try, in order, until one has an answer of the type. Rejects with ResolveError. */
  async search(name: string, type: DnsRecordType, signal?: AbortSignal): Promise<DnsMessage> {
    const config = this.config();
    const seen = new Set<Outcome['kind']>();
    for (const candidate of this.candidates(name, config)) {
      const outcome = await this.ask(candidate, type, config, signal);
      if (outcome.kind === 'answer') return outcome.message;
      seen.add(outcome.kind);
      if (outcome.kind === 'timeout') break;
      if (outcome.kind !== 'nxdomain' && this.options.flavour === 'musl') break;
    }
    if (seen.has('nodata')) throw new ResolveError('EAI_NODATA');
    if (seen.has('servfail') || seen.has('timeout')) throw new ResolveError('EAI_AGAIN');
    throw new ResolveError('EAI_NONAME');
  }

  private config(): ResolverConfig {
    return parseResolvConf(this.options.resolvConf() ?? '');
  }

  private candidates(name: string, config: ResolverConfig): string[] {
    if (name.endsWith('.')) return [name.slice(0, -1)];
    const dots = name.split('.').length - 1;
    const searched = config.search.map((domain) => `${name}.${domain}`);
    if (dots < config.ndots) return [...searched, name];
    return this.options.flavour === 'musl' ? [name] : [name, ...searched];
  }

  /** res_send(3): servers in turn, again and again with longer time-outs. */
  private async ask(
    name: string,
    type: DnsRecordType,
    config: ResolverConfig,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const servers = this.order(config);
    let last: Outcome = { kind: 'timeout' };
    for (let attempt = 0; attempt < config.attempts; attempt++) {
      for (const server of servers) {
        const timeoutSeconds =
          attempt === 0
            ? config.timeoutSeconds
            : Math.max(1, Math.floor((config.timeoutSeconds << attempt) / servers.length));
        const outcome = await this.askServer(server, name, type, timeoutSeconds, config.useTcp, signal);
        if (outcome.kind !== 'timeout' && outcome.kind !== 'servfail') return outcome;
        last = outcome;
      }
      if (last.kind === 'servfail') return last;
    }
    return last;
  }

  private order(config: ResolverConfig): readonly string[] {
    if (!config.rotate) return config.nameservers;
    const start = this.rotation++ % config.nameservers.length;
    return [...config.nameservers.slice(start), ...config.nameservers.slice(0, start)];
  }

  private async askServer(
    server: string,
    name: string,
    type: DnsRecordType,
    timeoutSeconds: number,
    useTcp: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const { sockets, clock, random } = this.options;
    const query = dnsQuery(random.integer(65_536), name, type);
    try {
      const { message } = await exchangeDns(sockets, { address: server, port: 53 }, query, {
        clock,
        timeoutMs: timeoutSeconds * 1000,
        ...(useTcp ? { tcp: 'always' } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      if (message.code === 'NXDOMAIN') return { kind: 'nxdomain' };
      if (message.code !== 'NOERROR') return { kind: 'servfail' };
      return message.answers.some((record) => record.type === type)
        ? { kind: 'answer', message }
        : { kind: 'nodata' };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ErrnoError) return { kind: 'timeout' }; // Refused, unreachable or silent: the next server.
      throw error;
    }
  }
}

function canonicalName(message: DnsMessage, name: string): string {
  const record = message.answers.find((each) => each.type === 'A');
  return record?.name ?? message.questions[0]?.name ?? name;
}

function* hostsLines(text: string): Generator<readonly string[]> {
  for (const line of text.split('\n')) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words.length > 1) yield words;
  }
}

/** hosts(5): the IPv4 addresses of a name, whose first name is its canonical one. */
function lookupHosts(text: string, name: string): Resolved | undefined {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  const addresses: string[] = [];
  let canonical: string | undefined;
  for (const [address = '', first = '', ...aliases] of hostsLines(text)) {
    const isHit = [first, ...aliases].some((each) => each.toLowerCase() === wanted);
    if (!isHit || parseIpv4(address) === undefined) continue;
    addresses.push(address);
    canonical ??= first;
  }
  return canonical === undefined ? undefined : { canonicalName: canonical, addresses };
}

function reverseHosts(text: string, address: string): string | undefined {
  for (const [each, first] of hostsLines(text)) if (each === address) return first;
  return undefined;
}
