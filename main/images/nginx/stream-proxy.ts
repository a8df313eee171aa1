// stream: carries TCP connections and UDP datagrams to other servers.
import { ErrnoError, type ByteStream, type SocketAddress, type UdpSocket } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { addressMatches } from './access.ts';
import type { Balancer, Choice } from './balance.ts';
import { errnoText } from './files.ts';
import { tunnel } from './proxy.ts';
import type { LogLevel, NginxSettings, StreamServer, Upstream } from './settings.ts';
import { fill, type Scope } from './template.ts';
import { deriveVariable, localTime } from './variables.ts';

export interface StreamWorld {
  readonly proc: Process;
  readonly settings: NginxSettings;
  readonly balancer: Balancer;
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly log: (level: LogLevel, message: string) => void;
  readonly logAccess: (server: StreamServer, scope: Scope) => void;
}

/** One TCP connection or UDP exchange, with its variables. */
class StreamSession implements Scope {
  private readonly world: StreamWorld;
  private readonly client: SocketAddress;
  private readonly local: SocketAddress;
  private readonly protocol: 'TCP' | 'UDP';
  private readonly startMs: number;
  status = 200;
  sent = 0;
  received = 0;
  upstream: string | undefined = undefined;
  private captures: readonly (string | undefined)[] = [];

  constructor(world: StreamWorld, client: SocketAddress, local: SocketAddress, protocol: 'TCP' | 'UDP') {
    this.world = world;
    this.client = client;
    this.local = local;
    this.protocol = protocol;
    this.startMs = world.proc.clock.now();
  }

  get(name: string): string | undefined {
    const derived = this.world.settings.streamVariables.get(name);
    if (derived !== undefined) return deriveVariable(derived, this);
    const now = this.world.proc.clock.now();
    const values: Readonly<Record<string, string | undefined>> = {
      remote_addr: this.client.address,
      binary_remote_addr: this.client.address,
      remote_port: String(this.client.port),
      server_addr: this.local.address,
      server_port: String(this.local.port),
      protocol: this.protocol,
      status: String(this.status),
      bytes_sent: String(this.sent),
      bytes_received: String(this.received),
      session_time: ((now - this.startMs) / 1000).toFixed(3),
      upstream_addr: this.upstream,
      upstream_bytes_sent: String(this.received),
      upstream_bytes_received: String(this.sent),
      time_local: localTime(now),
      time_iso8601: `${new Date(Math.floor(now)).toISOString().slice(0, 19)}+00:00`,
      msec: (now / 1000).toFixed(3),
      hostname: this.world.proc.kernel.hostnameOf(this.world.proc.pid),
      pid: String(this.world.proc.pid),
      nginx_version: '',
    };
    return values[name];
  }

  capture(index: number): string | undefined {
    return this.captures[index];
  }

  setCaptures(match: RegExpExecArray): void {
    this.captures = [...match];
  }

  get where(): string {
    return `client: ${this.client.address}, server: ${this.local.address}:${this.local.port}`;
  }
}

/** Where a server passes on to. */
function choose(
  world: StreamWorld,
  server: StreamServer,
  session: StreamSession,
  client: string,
): Choice | undefined {
  const target = fill(server.proxyPass ?? [], session);
  const upstream = world.settings.streamUpstreams.get(target);
  const host = target.replace(/:\d+$/, '');
  const port = Number(/:(\d+)$/.exec(target)?.[1] ?? 0);
  if (upstream === undefined && port === 0) {
    world.log('error', `no port in upstream "${target}", ${session.where}`);
    return undefined;
  }
  const single: Upstream = {
    name: target,
    servers: [
      {
        text: target,
        host,
        port,
        weight: 1,
        maxFails: 1,
        failTimeoutMs: 10_000,
        maxConnections: 0,
        isDown: false,
        isBackup: false,
      },
    ],
    method: 'round-robin',
    hashKey: undefined,
    isConsistent: false,
    randomTwo: false,
    keepalive: 0,
    keepaliveTimeoutMs: 0,
    keepaliveRequests: 0,
  };
  return world.balancer.choose({
    name: `stream ${target}`,
    upstream: upstream ?? single,
    addressesOf: (name) => world.addresses.get(name) ?? [name],
    port,
    client,
    key: upstream?.hashKey === undefined ? '' : fill(upstream.hashKey, session),
  });
}

/** Serves one TCP connection to its end. */
export async function serveStream(
  world: StreamWorld,
  server: StreamServer,
  stream: ByteStream,
  client: SocketAddress,
  local: SocketAddress,
): Promise<void> {
  const session = new StreamSession(world, client, local, 'TCP');
  const rule = server.access.find(({ what }) => addressMatches(what, client.address));
  try {
    if (rule?.allow === false) {
      world.log('error', `access forbidden by rule, ${session.where}`);
      session.status = 403;
      stream.close();
      return;
    }
    if (server.returns !== undefined) {
      const bytes = Buffer.from(fill(server.returns, session));
      session.sent = bytes.length;
      await stream.write(bytes);
      stream.end();
      return;
    }
    const upstream = await connect(world, server, session, client, local);
    if (upstream === undefined) {
      session.status = 502;
      stream.close();
      return;
    }
    const idle = idleTimer(world, server, [stream, upstream]);
    const { sent, received } = await tunnel(idle.watched(stream), idle.watched(upstream));
    idle.stop();
    session.received = sent;
    session.sent = received;
  } finally {
    world.logAccess(server, session);
  }
}

/** Closes both ends after proxy_timeout without a byte. */
function idleTimer(
  world: StreamWorld,
  { timeoutMs }: StreamServer,
  streams: readonly ByteStream[],
): { watched: (stream: ByteStream) => ByteStream; stop: () => void } {
  const expire = (): void => {
    for (const stream of streams) stream.close();
  };
  let timer = world.proc.clock.after(timeoutMs, expire);
  const touch = (): void => {
    timer[Symbol.dispose]();
    timer = world.proc.clock.after(timeoutMs, expire);
  };
  return {
    watched: (stream) => ({
      read: async (sizeMax) => {
        const bytes = await stream.read(sizeMax);
        if (bytes !== undefined) touch();
        return bytes;
      },
      write: (bytes) => stream.write(bytes),
      end: () => stream.end(),
      close: () => stream.close(),
    }),
    stop: () => timer[Symbol.dispose](),
  };
}

async function connect(
  world: StreamWorld,
  server: StreamServer,
  session: StreamSession,
  client: SocketAddress,
  local: SocketAddress,
): Promise<ByteStream | undefined> {
  const choice = choose(world, server, session, client.address);
  for (let peer = choice?.next(); choice !== undefined; peer = choice.next()) {
    if (peer === undefined) {
      choice.forget();
      world.log(
        'error',
        `no live upstreams while connecting to upstream, ${session.where}, upstream: "${fill(server.proxyPass ?? [], session)}", bytes from/to client:0/0, bytes from/to upstream:0/0`,
      );
      return undefined;
    }
    session.upstream = session.upstream === undefined ? peer.name : `${session.upstream}, ${peer.name}`;
    const stop = new AbortController();
    const timer = world.proc.clock.after(server.connectTimeoutMs, () =>
      stop.abort(new ErrnoError('ETIMEDOUT')),
    );
    try {
      const stream = await world.proc.net.sockets.connectTcp(
        { address: peer.address, port: peer.port },
        { owner: world.proc.socketOwner, signal: stop.signal },
      );
      if (server.sendsProxyProtocol)
        await stream.write(
          Buffer.from(`PROXY TCP4 ${client.address} ${local.address} ${client.port} ${local.port}\r\n`),
        );
      choice.succeeded(peer);
      return stream;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const what = stop.signal.aborted
        ? 'upstream timed out (110: Connection timed out)'
        : `connect() failed (${errnoText(error)})`;
      world.log(
        'error',
        `${what} while connecting to upstream, ${session.where}, upstream: "${peer.name}", bytes from/to client:0/0, bytes from/to upstream:0/0`,
      );
      choice.failed(peer);
      if (choice.peers.length === 1) return undefined;
    } finally {
      timer[Symbol.dispose]();
    }
  }
  return undefined;
}

/** Serves a UDP port until its socket is disposed: each client has a socket towards its server. */
export async function serveDatagrams(
  world: StreamWorld,
  server: StreamServer,
  socket: UdpSocket,
): Promise<void> {
  const sessions = new Map<string, { readonly upstream: UdpSocket; readonly target: SocketAddress }>();
  for (;;) {
    const datagram = await socket.receive();
    const { from, to } = datagram;
    const key = `${from.address}:${from.port}`;
    let known = sessions.get(key);
    if (known === undefined) {
      const session = new StreamSession(world, from, to, 'UDP');
      const peer = choose(world, server, session, from.address)?.next();
      if (peer === undefined) continue;
      session.upstream = peer.name;
      const target = { address: peer.address, port: peer.port };
      const upstream = world.proc.net.sockets.openUdp({ remote: target, owner: world.proc.socketOwner });
      known = { upstream, target };
      sessions.set(key, known);
      const end = (): void => {
        if (!sessions.delete(key)) return;
        upstream[Symbol.dispose]();
        world.logAccess(server, session);
      };
      world.proc.clock.after(server.timeoutMs, end);
      let answers = 0;
      const back = async (): Promise<void> => {
        for (;;) {
          const answer = await upstream.receive();
          session.sent += answer.bytes.length;
          socket.send(answer.bytes, from, to.address);
          answers++;
          if (server.responses !== undefined && answers >= server.responses) return end();
        }
      };
      back().catch((error: unknown) => {
        if (error instanceof ErrnoError)
          world.log(
            'error',
            `recv() failed (${errnoText(error)}) while proxying connection, udp ${session.where}, upstream: "${peer.name}"`,
          );
        end();
      });
    }
    known.upstream.send(datagram.bytes, known.target);
  }
}
