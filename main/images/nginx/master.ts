// nginx's master: holds the listening sockets, has generations of workers answer, reloads and leaves when signalled.
import { ErrnoError, type TcpListener, type TcpSocket, type UdpSocket } from '../../network/index.ts';
import {
  acceptTls,
  certificateProblem,
  parseCertificates,
  TlsError,
  type Identity,
  type TlsVersion,
} from '../../network/tls/index.ts';
import type { Child, Process } from '../../linux/kernel/index.ts';
import { Balancer } from './balance.ts';
import { ConfigError } from './config.ts';
import { Connection, pickServer, serversFor } from './connection.ts';
import type { ConnectionFacts, Counters, NginxWorld } from './exchange.ts';
import { Limits } from './limits.ts';
import { load, makeResolver, type Loaded } from './load.ts';
import { Logs, requestContext } from './logs.ts';
import type { Flags } from './program.ts';
import type { ErrorLog, Listen, LogLevel, NginxSettings, Server, StreamServer } from './settings.ts';
import { serveDatagrams, serveStream, type StreamWorld } from './stream-proxy.ts';
import { fill, plainText } from './template.ts';
import { temporaryPathProblem } from './temporary-paths.ts';

/** How often and how long nginx tries again for an address that is taken. */
const BIND_TRIES = 5;
const BIND_PAUSE_MS = 500;

type Held =
  | { readonly kind: 'tcp'; readonly listen: Listen; readonly listener: TcpListener }
  | { readonly kind: 'udp'; readonly listen: Listen; readonly socket: UdpSocket };

/** The workers of one configuration, with what they are answering. */
interface Generation {
  readonly world: NginxWorld;
  readonly workers: readonly Child[];
  readonly open: Set<Connection | { leave: () => void }>;
  isLeaving: boolean;
}

export class Master {
  private readonly proc: Process;
  private readonly version: string;
  private readonly flags: Flags;
  private loaded: Loaded;
  private readonly held = new Map<string, Held>();
  private readonly logs: Logs;
  private readonly limits = new Limits();
  private readonly counters: Counters = {
    accepted: 0,
    handled: 0,
    requests: 0,
    active: 0,
    reading: 0,
    writing: 0,
  };
  private generation: Generation | undefined;
  private connections = 0;
  private readonly leaving = new Set<Generation>();
  private allGone: (() => void) | undefined;

  constructor(proc: Process, version: string, flags: Flags, loaded: Loaded) {
    this.proc = proc;
    this.version = version;
    this.flags = flags;
    this.loaded = loaded;
    this.logs = new Logs(proc);
  }

  private get settings(): NginxSettings {
    return this.loaded.settings;
  }

  private get errorLogs(): readonly ErrorLog[] {
    const { errorLogs } = this.settings;
    return errorLogs.length > 0
      ? errorLogs
      : [{ path: this.flags.errorLog ?? '/var/log/nginx/error.log', level: 'error' }];
  }

  private note(level: LogLevel, message: string, pid = this.proc.pid): void {
    this.logs.error(this.errorLogs, level, pid, message);
  }

  /** Opens the sockets, trying again for a while; says why it can't, on stderr and in the log. */
  async listen(): Promise<string | undefined> {
    const unready = temporaryPathProblem(this.proc, this.workerCredentials()?.uid);
    if (unready !== undefined) {
      await this.proc.stderr.write(`nginx: [emerg] ${unready}\n`);
      this.note('emerg', unready);
      return unready;
    }
    for (let count = 1; ; count++) {
      const problems = this.open();
      if (problems.length === 0) return undefined;
      for (const problem of problems) {
        await this.proc.stderr.write(`nginx: [emerg] ${problem}\n`);
        this.note('emerg', problem);
      }
      const isTaken = problems.every((problem) => problem.includes('(98:'));
      if (isTaken && count < BIND_TRIES) {
        await this.proc.sleep(BIND_PAUSE_MS);
        continue;
      }
      if (isTaken) await this.proc.stderr.write('nginx: [emerg] still could not bind()\n');
      this.release();
      return problems[0];
    }
  }

  /** Closes the sockets, for another process to open. */
  release(): void {
    for (const held of this.held.values()) dispose(held);
    this.held.clear();
  }

  /** Opens what the settings want and isn't open; tells what can't be. */
  private open(): string[] {
    const problems: string[] = [];
    const owner = this.proc.socketOwner;
    for (const [key, listen] of this.wanted()) {
      if (this.held.has(key)) continue;
      try {
        if (listen.address.startsWith('unix:')) continue;
        const local = { address: listen.address, port: listen.port };
        this.held.set(
          key,
          listen.udp
            ? { kind: 'udp', listen, socket: this.proc.net.sockets.openUdp({ local, owner }) }
            : {
                kind: 'tcp',
                listen,
                listener: this.proc.net.sockets.listenTcp(local, {
                  owner,
                  backlog: listen.backlog,
                  ...(listen.address === '::' ? { ipv6Only: listen.ipv6Only } : {}),
                }),
              },
        );
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        const number = { EADDRINUSE: 98, EACCES: 13, EADDRNOTAVAIL: 99 }[error.code as 'EACCES'] ?? 22;
        problems.push(`bind() to ${shownAddress(listen)} failed (${number}: ${error.message})`);
      }
    }
    return problems;
  }

  private wanted(): Map<string, Listen> {
    const wanted = new Map<string, Listen>();
    const all = [...this.settings.servers, ...this.settings.streamServers].flatMap(({ listens }) => listens);
    for (const listen of all) {
      const key = `${listen.udp ? 'udp ' : ''}${listen.address}:${listen.port}`;
      const known = wanted.get(key);
      // Any one of the directives for an address can say what holds for all of them.
      if (known === undefined || listen.ssl || listen.http2 || listen.proxyProtocol)
        wanted.set(key, {
          ...listen,
          ssl: listen.ssl || known?.ssl === true,
          http2: listen.http2 || known?.http2 === true,
          proxyProtocol: listen.proxyProtocol || known?.proxyProtocol === true,
        });
    }
    // A wildcard takes every address of its port.
    for (const [key, listen] of wanted)
      if (
        listen.address !== '0.0.0.0' &&
        listen.address !== '::' &&
        wanted.has(`${listen.udp ? 'udp ' : ''}0.0.0.0:${listen.port}`)
      )
        wanted.delete(key);
    return wanted;
  }

  async run(): Promise<number> {
    const { proc } = this;
    const stop = Promise.withResolvers<'now' | 'gracefully'>();
    proc.onSignal('SIGTERM', () => stop.resolve('now'));
    proc.onSignal('SIGINT', () => stop.resolve('now'));
    proc.setTitle(`nginx: master process ${proc.argv.join(' ')}`);
    proc.onSignal('SIGQUIT', () => stop.resolve('gracefully'));
    proc.onSignal('SIGHUP', () => void this.reload());
    proc.onSignal('SIGUSR1', () => this.reopen());
    proc.onSignal('SIGCHLD', () => undefined);
    proc.onSignal('SIGWINCH', 'ignore');
    for (const log of this.settings.servers.flatMap(({ settings }) => settings.accessLogs))
      if (log.path.length === 1 && typeof log.path[0] === 'string') this.tryOpen(log.path[0]);
    proc.fs.writeFile(this.settings.pidFile, `${proc.pid}\n`);
    this.note('notice', 'using the "epoll" event method');
    this.note('notice', `nginx/${this.version}`);
    this.note('notice', 'built by gcc 12.2.0 (Debian 12.2.0-14+deb12u1) ');
    this.note('notice', `OS: Linux ${proc.kernel.release}`);
    this.note('notice', 'getrlimit(RLIMIT_NOFILE): 1048576:1048576');
    this.note('notice', 'start worker processes');
    this.startGeneration();
    const how = await this.until(stop.promise);
    if (how === 'gracefully') {
      this.note('notice', 'signal 3 (SIGQUIT) received, shutting down');
      for (const held of this.held.values()) dispose(held);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.allGone = resolve;
      this.retire(this.generation!);
      const hurry = Promise.withResolvers<void>();
      proc.onSignal('SIGTERM', () => hurry.resolve());
      proc.onSignal('SIGINT', () => hurry.resolve());
      await this.until(Promise.race([promise, hurry.promise]));
    } else this.note('notice', 'signal 15 (SIGTERM) received, exiting');
    this.end();
    this.note('notice', 'exit');
    return 0;
  }

  private tryOpen(path: string): void {
    try {
      this.logs.open(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // Written to later, if it can be by then.
    }
  }

  /** Waits on through signals that have handlers. Ends everything when the process is killed. */
  private async until<T>(wait: Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.proc.interruptible(wait);
      } catch (error) {
        if (error instanceof ErrnoError && error.code === 'EINTR') continue;
        this.end();
        throw error;
      }
    }
  }

  private end(): void {
    this.release();
    for (const generation of [...this.leaving, ...(this.generation === undefined ? [] : [this.generation])]) {
      for (const each of generation.open) each.leave();
      for (const worker of generation.workers) worker.kill('SIGKILL');
    }
    const { fs } = this.proc;
    if (fs.exists(this.settings.pidFile)) fs.unlink(this.settings.pidFile);
  }

  private reopen(): void {
    this.note('notice', 'signal 10 (SIGUSR1) received, reopening logs');
    this.note('notice', 'reopening logs');
    this.logs.reopen();
  }

  // ── Workers ──

  /** Differs: the master's own code answers; workers are there to be seen, counted and signalled. */
  private startGeneration(): void {
    const { proc, settings } = this;
    const count = settings.workerProcesses === 'auto' ? proc.kernel.cpuCount : settings.workerProcesses;
    const credentials = this.workerCredentials();
    const workers = Array.from({ length: count }, () => {
      const worker = proc.spawn({
        argv: ['nginx: worker process'],
        program: async (child) => {
          child.onSignal('SIGHUP', 'ignore');
          for (;;) {
            try {
              await child.sleep(1e12);
            } catch (error) {
              if (!(error instanceof ErrnoError)) throw error;
            }
          }
        },
        ...(credentials === undefined ? {} : { credentials }),
      });
      this.note('notice', `start worker process ${worker.pid}`);
      return worker;
    });
    this.generation = { world: this.makeWorld(workers), workers, open: new Set(), isLeaving: false };
    for (const held of this.held.values()) this.serve(held, this.generation);
  }

  private workerCredentials(): { uid: number; gid: number; groups: number[] } | undefined {
    const { proc } = this;
    if (proc.credentials.uid !== 0 || !proc.fs.exists('/etc/passwd')) return undefined;
    const name = this.settings.user?.split(' ')[0] ?? 'nobody';
    const fields = proc.fs
      .readText('/etc/passwd')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([user]) => user === name);
    if (fields === undefined) return undefined;
    return { uid: Number(fields[2]), gid: Number(fields[3]), groups: [] };
  }

  private makeWorld(workers: readonly Child[]): NginxWorld {
    const { proc, loaded, version, limits, counters } = this;
    const balancer = new Balancer(proc.clock, proc.random);
    return {
      proc,
      settings: loaded.settings,
      version,
      balancer,
      limits,
      counters,
      addresses: loaded.addresses,
      workerPid: () => workers[0]?.pid ?? proc.pid,
      log: (level, message, exchange, connection) => {
        const own = exchange?.settings.errorLogs ?? [];
        const place = exchange === undefined ? '' : requestContext(exchange);
        // What is said of an upstream comes last but for the host.
        const [, main = message, upstream = ''] = /^(.*?)(, upstream: ".*")$/.exec(message) ?? [];
        const [, before = place, after = ''] = upstream === '' ? [undefined, place, ''] : splitHost(place);
        this.logs.error(
          own.length > 0 ? own : this.errorLogs,
          level,
          workers[0]?.pid ?? proc.pid,
          `*${connection} ${main}${before}${upstream}${after}`,
        );
      },
      logAccess: (exchange) => {
        for (const log of exchange.settings.accessLogs) this.logs.access(log, exchange);
      },
      resolve: async (name, servers) => {
        const { addresses } = await makeResolver(proc, servers)
          .resolve(name)
          .catch((error: unknown) => {
            throw new Error(`${name} could not be resolved (3: Host not found)`, { cause: error });
          });
        return addresses;
      },
    };
  }

  /** Has a generation answer on a socket until it retires. */
  private serve(held: Held, generation: Generation): void {
    const world = this.streamWorld(generation);
    if (held.kind === 'udp') {
      const server = this.settings.streamServers.find(({ listens }) =>
        listens.some((each) => each.udp && each.port === held.listen.port),
      );
      if (server !== undefined) this.guard(serveDatagrams(world, server, held.socket));
      return;
    }
    const acceptAll = async (): Promise<void> => {
      for (;;) {
        const socket = await held.listener.accept();
        this.guard(this.accept(held.listen, socket));
      }
    };
    if (!accepting.has(held.listener)) {
      accepting.add(held.listener);
      this.guard(acceptAll());
    }
  }

  private guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (error instanceof ErrnoError) return; // The socket is gone.
      this.note('alert', error instanceof Error ? `drydock: ${error.message}` : String(error));
    });
  }

  /** One connection, answered by the generation of now. */
  private async accept(listen: Listen, socket: TcpSocket): Promise<void> {
    const generation = this.generation!;
    this.connections++;
    this.counters.accepted++;
    this.counters.handled++;
    const number = this.connections;
    const local = { address: socket.local.address, port: socket.local.port };
    const stream = this.streamServerOf(listen);
    if (stream !== undefined) {
      const leave = { leave: () => undefined };
      generation.open.add(leave);
      try {
        await serveStream(
          this.streamWorld(generation),
          stream,
          await this.secureStream(stream, listen, socket),
          socket.remote,
          local,
        );
      } finally {
        this.closed(generation, leave);
      }
      return;
    }
    const servers = serversFor(generation.world.settings.servers, local, listen);
    const facts = { number, peer: socket.remote, local, proxyProtocol: undefined, tls: undefined };
    let connection: Connection;
    try {
      connection = await this.open1(listen, socket, servers, facts, generation);
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      generation.world.log(
        'info',
        `SSL_do_handshake() failed (SSL: error:0A000412:SSL routines::${error.message}) while SSL handshaking, client: ${socket.remote.address}, server: ${listen.address}:${listen.port}`,
        undefined,
        number,
      );
      socket.close();
      return;
    }
    generation.open.add(connection);
    try {
      await connection.run();
    } finally {
      this.closed(generation, connection);
    }
  }

  private async open1(
    listen: Listen,
    socket: TcpSocket,
    servers: readonly Server[],
    given: Omit<ConnectionFacts, 'requests'>,
    generation: Generation,
  ): Promise<Connection> {
    const { world } = generation;
    let facts = given;
    let stream: TcpSocket = socket;
    if (listen.proxyProtocol) {
      const told = await readProxyLine(socket);
      if (told === undefined) throw new TlsError('closed', 'broken header while reading PROXY protocol');
      facts = { ...facts, proxyProtocol: told.client };
      stream = { ...told.stream, local: socket.local, remote: socket.remote };
    }
    if (!listen.ssl) return new Connection({ world, listen, servers, stream, facts });
    const fallback = pickServer(servers, listen, '');
    try {
      const session = await acceptTls(stream, {
        identity: this.identityOf(fallback, '')!,
        identityFor: (name) => this.identityOf(pickServer(servers, listen, name.toLowerCase()), name),
        protocols: listen.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
        versions: versionsOf(fallback.tls.protocols),
        ...(fallback.tls.verifyClient === 'off' || fallback.tls.clientCertificate === undefined
          ? {}
          : { clientAuthorities: this.proc.fs.readText(fallback.tls.clientCertificate) }),
        nowMs: this.proc.clock.now(),
        random: this.proc.random,
      });
      const tls = {
        version: session.version,
        cipher: session.cipher,
        protocol: session.protocol,
        serverName: session.serverName,
        ...this.clientFacts(fallback, session.peerChain),
      };
      return new Connection({ world, listen, servers, stream: session, facts: { ...facts, tls } });
    } catch (error) {
      if (!(error instanceof TlsError && error.code === 'not-tls')) throw error;
      return new Connection({ world, listen, servers, stream, facts, isPlainOnTls: true });
    }
  }

  private clientFacts(
    server: Server,
    chain: string,
  ): { clientSubject: string | undefined; clientVerify: string; clientCertificate: string | undefined } {
    const [certificate, ...between] = parseCertificates(chain);
    const { clientCertificate } = server.tls;
    if (certificate === undefined || clientCertificate === undefined)
      return { clientSubject: undefined, clientVerify: 'NONE', clientCertificate: undefined };
    const authorities = parseCertificates(this.proc.fs.readText(clientCertificate));
    const problem = certificateProblem(certificate, authorities, this.proc.clock.now(), undefined, between);
    return {
      clientSubject: certificate.subjectName.split('; ').toReversed().join(','),
      clientVerify:
        problem === undefined
          ? 'SUCCESS'
          : `FAILED:${problem === 'expired' ? 'certificate has expired' : 'unable to verify the first certificate'}`,
      clientCertificate: chain,
    };
  }

  private identityOf(server: Server, name: string): Identity | undefined {
    const [first] = server.tls.certificates;
    if (first === undefined) return undefined;
    const scope = {
      get: (variable: string) => (variable === 'ssl_server_name' ? name : undefined),
      capture: () => undefined,
      setCaptures: () => undefined,
    };
    const path = fill(first.certificate, scope);
    const known = this.loaded.identities.get(path);
    if (known !== undefined) return known;
    const { fs } = this.proc;
    const keyPath = fill(first.key, scope);
    return fs.exists(path) && fs.exists(keyPath)
      ? { certificate: fs.readText(path), privateKey: fs.readText(keyPath) }
      : undefined;
  }

  private closed(generation: Generation, each: Connection | { leave: () => void }): void {
    generation.open.delete(each);
    if (generation.isLeaving && generation.open.size === 0) this.gone(generation);
  }

  // ── stream ──

  private streamServerOf(listen: Listen): StreamServer | undefined {
    return this.settings.streamServers.find(({ listens }) =>
      listens.some((each) => !each.udp && each.port === listen.port && each.address === listen.address),
    );
  }

  private streamWorld({ world, workers }: Generation): StreamWorld {
    return {
      proc: this.proc,
      settings: world.settings,
      balancer: world.balancer,
      addresses: world.addresses,
      log: (level, message) => this.note(level, `*${this.connections} ${message}`, workers[0]?.pid),
      logAccess: (server, scope) => {
        for (const log of server.accessLogs) this.logs.access(log, scope);
      },
    };
  }

  private async secureStream(server: StreamServer, listen: Listen, socket: TcpSocket): Promise<TcpSocket> {
    const [first] = server.tls.certificates;
    if (!listen.ssl || first === undefined) return socket;
    const identity = this.loaded.identities.get(plainText(first.certificate) ?? '');
    if (identity === undefined) return socket;
    const session = await acceptTls(socket, {
      identity,
      versions: versionsOf(server.tls.protocols),
      nowMs: this.proc.clock.now(),
      random: this.proc.random,
    });
    return { ...session, local: socket.local, remote: socket.remote };
  }

  // ── Reloading and leaving ──

  private async reload(): Promise<void> {
    const { proc } = this;
    this.note('notice', 'signal 1 (SIGHUP) received from 0, reconfiguring'.replace(' from 0', ''));
    this.note('notice', 'reconfiguring');
    const before = this.loaded;
    try {
      this.loaded = await load(proc, this.flags);
      const problems = this.open();
      if (problems.length > 0) {
        this.loaded = before;
        for (const problem of problems) this.note('emerg', problem);
        return;
      }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.note('emerg', error.message);
      return;
    }
    const wanted = this.wanted();
    for (const [key, held] of this.held) {
      if (wanted.has(key)) this.held.set(key, { ...held, listen: wanted.get(key)! } as Held);
      else {
        dispose(held);
        this.held.delete(key);
      }
    }
    this.note('notice', 'using the "epoll" event method');
    this.note('notice', 'start worker processes');
    const old = this.generation!;
    this.startGeneration();
    this.retire(old);
  }

  /** Its workers end when what they are answering is answered. */
  private retire(generation: Generation): void {
    generation.isLeaving = true;
    this.leaving.add(generation);
    for (const { pid } of generation.workers) this.note('notice', 'gracefully shutting down', pid);
    for (const each of generation.open) each.leave();
    if (generation.open.size === 0) this.gone(generation);
  }

  private gone(generation: Generation): void {
    if (!this.leaving.delete(generation)) return;
    for (const worker of generation.workers) {
      this.note('notice', 'exiting', worker.pid);
      this.note('notice', 'exit', worker.pid);
      worker.kill('SIGKILL');
      this.note('notice', `signal 17 (SIGCHLD) received from ${worker.pid}`);
      this.note('notice', `worker process ${worker.pid} exited with code 0`);
      void worker.wait().catch(() => undefined);
    }
    this.allGone?.();
  }
}

/** Listeners that somebody accepts on already: they outlive a reload. */
const accepting = new WeakSet<TcpListener>();

function dispose(held: Held): void {
  if (held.kind === 'tcp') held.listener[Symbol.dispose]();
  else held.socket[Symbol.dispose]();
}

function shownAddress({ address, port }: Listen): string {
  return address.includes(':') && !address.startsWith('unix:')
    ? `[${address}]:${port}`
    : `${address}:${port}`;
}

/** The versions that ssl_protocols allows, as far as this world has them. */
function versionsOf(words: readonly string[]): TlsVersion[] {
  return (['TLSv1.3', 'TLSv1.2'] as const).filter((each) => words.includes(each));
}

/** `, host: …` and what follows stand after the upstream. */
function splitHost(place: string): [string, string, string] {
  const at = place.search(/, host: "/);
  return at < 0 ? [place, place, ''] : [place, place.slice(0, at), place.slice(at)];
}

/** The PROXY protocol's line, version 1. */
async function readProxyLine(socket: TcpSocket): Promise<
  | {
      client: { address: string; port: number };
      stream: { read: TcpSocket['read']; write: TcpSocket['write']; end: () => void; close: () => void };
    }
  | undefined
> {
  let gathered = Buffer.alloc(0);
  while (!gathered.includes('\r\n')) {
    const bytes = await socket.read();
    if (bytes === undefined || gathered.length > 107) return undefined;
    gathered = Buffer.concat([gathered, bytes]);
  }
  const end = gathered.indexOf('\r\n');
  const match = /^PROXY (?:TCP[46] (\S+) \S+ (\d+) \d+|UNKNOWN.*)$/.exec(
    gathered.subarray(0, end).toString('latin1'),
  );
  if (match === null) return undefined;
  let rest: Uint8Array = gathered.subarray(end + 2);
  const client = match[1] === undefined ? socket.remote : { address: match[1], port: Number(match[2]) };
  return {
    client,
    stream: {
      read: async (sizeMax) => {
        if (rest.length === 0) return socket.read(sizeMax);
        const bytes = rest.subarray(0, sizeMax ?? rest.length);
        rest = rest.subarray(bytes.length);
        return bytes;
      },
      write: (bytes) => socket.write(bytes),
      end: () => socket.end(),
      close: () => socket.close(),
    },
  };
}
