// TCP of one namespace: finds the connection or listener that a segment is for.
import type { Clock } from '../../simulation/index.ts';
import { ErrnoError, type ErrnoCode } from '../errno.ts';
import { parseIpv4 } from '../ip/ipv4.ts';
import { Packet, PROTO_TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../ip/packet.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { requireBindable } from './low-ports.ts';
import { EphemeralPorts } from './ports.ts';
import type { SocketAddress, SocketOptions, TcpListener, TcpSocket } from './socket.ts';
import { TcpConnection, type TcpState } from './tcp-connection.ts';
import { TcpListenerSocket } from './tcp-listener.ts';

/** tcp_max_tw_buckets. */
const TIME_WAIT_MAX = 262_144;
const TIME_WAIT_MS = 60_000;
/** Headers without options, as the MSS counts them. */
const HEADER_BYTES = 40;

export class TcpLayer {
  private readonly namespace: NetworkNamespace;
  readonly clock: Clock;
  readonly timeWaitMs = TIME_WAIT_MS;
  private readonly ports: EphemeralPorts;
  private readonly listeners = new Map<number, TcpListenerSocket[]>();
  /** By local port, then by remote address and port in one number. */
  private readonly connections = new Map<number, Map<number, TcpConnection>>();
  private timeWaits = 0;
  private readonly nextInode: () => number;

  constructor(namespace: NetworkNamespace, nextInode: () => number) {
    this.namespace = namespace;
    this.clock = namespace.clock;
    this.nextInode = nextInode;
    this.ports = new EphemeralPorts(namespace);
  }

  get loopback(): Link {
    return this.namespace.links.loopback;
  }

  get finTimeoutMs(): number {
    return this.namespace.sysctls.number('net.ipv4.tcp_fin_timeout') * 1000;
  }

  initialSequence(): number {
    return this.namespace.random.integer(2 ** 32);
  }

  /** The MSS for a destination, from the path's MTU. */
  segmentSize(remote: number, local: number): number {
    return Math.max(88, this.namespace.stack.pathMtu(remote, local) - HEADER_BYTES);
  }

  /** How often a segment is sent again before ETIMEDOUT (tcp(7)). */
  retriesFor(state: TcpState, isOrphan: boolean): number {
    const { sysctls } = this.namespace;
    if (state === 'SYN-SENT') return sysctls.number('net.ipv4.tcp_syn_retries');
    if (state === 'SYN-RECV') return sysctls.number('net.ipv4.tcp_synack_retries');
    return isOrphan ? 8 : sysctls.number('net.ipv4.tcp_retries2');
  }

  // ── Calls ──

  connect(remote: SocketAddress, options: SocketOptions = {}): Promise<TcpSocket> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) return reject(options.signal.reason);
      const opened = this.open(remote, options);
      if (typeof opened === 'string') return reject(new ErrnoError(opened));
      const onAbort = (): void => {
        opened.close();
        reject(options.signal!.reason);
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      opened.onOpen = (error) => {
        options.signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve(opened);
        else reject(new ErrnoError(error));
      };
      const failure = opened.connect();
      if (failure !== undefined) opened.finish(failure);
    });
  }

  private open(remote: SocketAddress, options: SocketOptions): TcpConnection | ErrnoCode {
    let remoteAddress = parseIpv4(remote.address);
    if (remoteAddress === undefined) return 'EAFNOSUPPORT';
    if (remoteAddress === 0) remoteAddress = 0x7f000001; // connect(2) to 0.0.0.0 is to ourselves.
    const device = options.device === undefined ? undefined : this.namespace.links.get(options.device);
    if (options.device !== undefined && device === undefined) return 'ENODEV';
    const localAddress = this.sourceFor(remoteAddress, options, device);
    if (typeof localAddress === 'string') return localAddress;
    const remoteKey = remoteAddress * 65_536 + remote.port;
    const localPort = this.portFor(options, localAddress, remoteKey);
    if (localPort === undefined) return options.local?.port ? 'EADDRINUSE' : 'EADDRNOTAVAIL';
    const connection = new TcpConnection(
      this,
      { localAddress, localPort, remoteAddress, remotePort: remote.port },
      this.nextInode(),
    );
    connection.owner = options.owner;
    connection.device = device;
    connection.mark = options.mark ?? 0;
    this.add(connection);
    return connection;
  }

  private sourceFor(remote: number, options: SocketOptions, device: Link | undefined): number | ErrnoCode {
    const { routes, sysctls } = this.namespace;
    const wanted = options.local?.address;
    const bound = wanted === undefined ? 0 : parseIpv4(wanted);
    if (bound === undefined) return 'EAFNOSUPPORT';
    if (bound !== 0) {
      const isOurs =
        routes.addressType(bound) === 'local' || sysctls.number('net.ipv4.ip_nonlocal_bind') === 1;
      return isOurs ? bound : 'EADDRNOTAVAIL';
    }
    const result = routes.lookup(remote, 0, options.mark ?? 0, undefined, device);
    if (result === undefined)
      return device === undefined
        ? 'ENETUNREACH'
        : (this.namespace.addresses.select(device, remote, 'global') ?? 0);
    if (result.type === 'unreachable') return 'EHOSTUNREACH';
    if (result.type === 'prohibit') return 'EACCES';
    if (result.type === 'blackhole') return 'EINVAL';
    if (result.type === 'broadcast') return 'ENETUNREACH'; // TCP to a broadcast address.
    return routes.sourceFor(result, remote);
  }

  private portFor(options: SocketOptions, localAddress: number, remoteKey: number): number | undefined {
    const isFree = (port: number): boolean => this.find(port, remoteKey, localAddress) === undefined;
    const wanted = options.local?.port ?? 0;
    if (wanted !== 0) return isFree(wanted) ? wanted : undefined;
    return this.ports.take('connect', (port) => !this.listeners.has(port) && isFree(port));
  }

  /** Throws ErrnoError EADDRINUSE, EADDRNOTAVAIL. */
  listen(local: SocketAddress, options: SocketOptions & { readonly backlog?: number } = {}): TcpListener {
    const ipv6 = local.address !== '::' ? undefined : options.ipv6Only === true ? 'only' : 'dual';
    const address = ipv6 === undefined ? parseIpv4(local.address) : 0;
    if (address === undefined) throw new ErrnoError('EAFNOSUPPORT');
    const { routes, sysctls } = this.namespace;
    const isOurs = address === 0 || routes.addressType(address) === 'local';
    if (!isOurs && sysctls.number('net.ipv4.ip_nonlocal_bind') !== 1) throw new ErrnoError('EADDRNOTAVAIL');
    requireBindable(sysctls, local.port, options.owner);
    const port =
      local.port === 0 ? this.ports.take('bind', (each) => this.canListen(address, each, ipv6)) : local.port;
    if (port === undefined || !this.canListen(address, port, ipv6)) throw new ErrnoError('EADDRINUSE');
    const device = options.device === undefined ? undefined : this.namespace.links.require(options.device);
    const backlogMax = sysctls.number('net.core.somaxconn');
    const listener = new TcpListenerSocket({
      address,
      port,
      ipv6,
      backlog: Math.min(options.backlog ?? backlogMax, backlogMax),
      inode: this.nextInode(),
      owner: options.owner,
      device,
      onClose: (each) => this.removeListener(each),
    });
    this.listeners.set(port, [...(this.listeners.get(port) ?? []), listener]);
    return listener;
  }

  private canListen(address: number, port: number, ipv6: TcpListenerSocket['ipv6']): boolean {
    const all = this.listeners.get(port) ?? [];
    if (ipv6 === 'only') return all.every((other) => other.ipv6 === undefined);
    const others = all.filter((other) => ipv6 !== undefined || other.ipv6 !== 'only');
    return !others.some((other) => address === 0 || other.address === 0 || other.address === address);
  }

  private removeListener(listener: TcpListenerSocket): void {
    const left = (this.listeners.get(listener.port) ?? []).filter((each) => each !== listener);
    if (left.length === 0) this.listeners.delete(listener.port);
    else this.listeners.set(listener.port, left);
    if (listener.halfOpen > 0) {
      for (const connection of this.list()) if (connection.listener === listener) connection.abort();
    }
  }

  // ── Segments ──

  receive(packet: Packet, link: Link): void {
    const remoteKey = packet.source * 65_536 + packet.sourcePort;
    const connection = this.find(packet.destinationPort, remoteKey, packet.destination);
    if (connection !== undefined) return connection.receive(packet);
    const { flags } = packet;
    const isSyn = (flags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
    const listener = this.listenerFor(packet, link);
    if (listener !== undefined && isSyn) return this.acceptSyn(packet, listener);
    if ((flags & TCP_RST) !== 0) return;
    if (listener === undefined) this.namespace.stack.traceDrop(packet, link, 'deliver', 'no-listener');
    this.send(this.makeReset(packet), undefined);
  }

  private acceptSyn(syn: Packet, listener: TcpListenerSocket): void {
    const backlogMax = this.namespace.sysctls.number('net.ipv4.tcp_max_syn_backlog');
    if (!listener.hasRoom || listener.halfOpen >= Math.max(backlogMax, listener.backlog)) {
      this.namespace.stack.traceDrop(syn, undefined, 'deliver', 'backlog-full');
      return;
    }
    const connection = new TcpConnection(
      this,
      {
        localAddress: syn.destination,
        localPort: syn.destinationPort,
        remoteAddress: syn.source,
        remotePort: syn.sourcePort,
      },
      this.nextInode(),
    );
    listener.halfOpen++;
    this.add(connection);
    connection.acceptSyn(syn, listener);
  }

  private listenerFor(packet: Packet, link: Link): TcpListenerSocket | undefined {
    const candidates = this.listeners.get(packet.destinationPort);
    if (candidates === undefined) return undefined;
    let any: TcpListenerSocket | undefined;
    for (const candidate of candidates) {
      if (candidate.ipv6 === 'only') continue;
      if (candidate.device !== undefined && candidate.device !== link) continue;
      if (candidate.address === packet.destination) return candidate;
      if (candidate.address === 0) any = candidate;
    }
    return any;
  }

  /** An ICMP error about a segment of ours. */
  receiveError(error: Packet, original: Packet): void {
    const remoteKey = original.destination * 65_536 + original.destinationPort;
    this.find(original.sourcePort, remoteKey, original.source)?.receiveError(error.icmpType, error.icmpCode);
  }

  send(packet: Packet, device: Link | undefined): ErrnoCode | undefined {
    return this.namespace.stack.sendLocal(packet, device === undefined ? NO_OPTIONS : { link: device });
  }

  /** The RST that answers a segment nobody expects (RFC 9293, 3.5.2). */
  makeReset(about: Packet): Packet {
    const reset = new Packet();
    reset.protocol = PROTO_TCP;
    reset.source = about.destination;
    reset.destination = about.source;
    reset.sourcePort = about.destinationPort;
    reset.destinationPort = about.sourcePort;
    reset.dontFragment = true;
    if ((about.flags & TCP_ACK) !== 0) {
      reset.flags = TCP_RST;
      reset.sequence = about.acknowledgement;
    } else {
      const length =
        about.payload.length +
        ((about.flags & TCP_SYN) !== 0 ? 1 : 0) +
        ((about.flags & TCP_FIN) !== 0 ? 1 : 0);
      reset.flags = TCP_RST | TCP_ACK;
      reset.acknowledgement = (about.sequence + length) >>> 0;
    }
    return reset;
  }

  // ── Tables ──

  listListeners(): TcpListenerSocket[] {
    return [...this.listeners.values()].flat();
  }

  list(): TcpConnection[] {
    const all: TcpConnection[] = [];
    for (const map of this.connections.values()) {
      for (let each of map.values()) {
        all.push(each);
        while (each.nextSame !== undefined) all.push((each = each.nextSame));
      }
    }
    return all;
  }

  /** False when there are too many: the connection goes at once then. */
  enterTimeWait(): boolean {
    if (this.timeWaits >= TIME_WAIT_MAX) return false;
    this.timeWaits++;
    return true;
  }

  forget(connection: TcpConnection, wasTimeWait: boolean): void {
    if (wasTimeWait) this.timeWaits--;
    const map = this.connections.get(connection.localPort);
    const key = connection.remoteAddress * 65_536 + connection.remotePort;
    let each = map?.get(key);
    if (map === undefined || each === undefined) return;
    if (each === connection) {
      if (connection.nextSame !== undefined) map.set(key, connection.nextSame);
      else if (map.delete(key) && map.size === 0) this.connections.delete(connection.localPort);
      return;
    }
    while (each.nextSame !== undefined && each.nextSame !== connection) each = each.nextSame;
    each.nextSame = connection.nextSame;
  }

  private add(connection: TcpConnection): void {
    let map = this.connections.get(connection.localPort);
    if (map === undefined) this.connections.set(connection.localPort, (map = new Map()));
    const key = connection.remoteAddress * 65_536 + connection.remotePort;
    connection.nextSame = map.get(key);
    map.set(key, connection);
  }

  private find(localPort: number, remoteKey: number, localAddress: number): TcpConnection | undefined {
    let found = this.connections.get(localPort)?.get(remoteKey);
    while (found !== undefined && found.localAddress !== localAddress) found = found.nextSame;
    return found;
  }

  dispose(): void {
    for (const listener of this.listListeners()) listener[Symbol.dispose]();
    for (const connection of this.list()) connection.finish('ECONNABORTED');
  }
}

const NO_OPTIONS = {};
