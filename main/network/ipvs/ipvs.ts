// IP Virtual Server: services, real servers and connections, as ipvsadm(8) shows them, and what it does to packets.
import { ErrnoError } from '../errno.ts';
import { formatIpv4, maskOf, parseIpv4, prefixLengthOf } from '../ip/ipv4.ts';
import { isIcmpError } from '../ip/icmp.ts';
import {
  PROTO_ICMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  TCP_RST,
  TCP_SYN,
  Packet,
  PROTO_IPIP,
} from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { snapshotOf } from '../trace/snapshot.ts';
import type { HookName } from '../trace/trace.ts';
import { ConnectionTable, IpvsConn, nextState, type IpvsState } from './connection-table.ts';
import { makeScheduler, type IpvsSchedulerName } from './scheduler.ts';
import { RealServer, type IpvsForwarding, type VirtualServer } from './server.ts';
import { ESTIMATION_MS, TrafficCounter, type IpvsRates, type IpvsStats } from './traffic.ts';

export type { IpvsSchedulerName } from './scheduler.ts';
export type { IpvsForwarding } from './server.ts';
export type { IpvsRates, IpvsStats } from './traffic.ts';
export type IpvsProtocol = 'tcp' | 'udp' | 'sctp';

/** A virtual service is known by protocol, address and port, or by a firewall mark. */
export type IpvsServiceKey =
  | { readonly protocol: IpvsProtocol; readonly address: string; readonly port: number }
  | { readonly firewallMark: number };

export interface IpvsServiceOptions {
  readonly scheduler: IpvsSchedulerName;
  /** Persistence in seconds; undefined is none. */
  readonly persistentSeconds?: number;
  /** Dotted; clients within it go together. */
  readonly persistenceMask?: string;
  /** One-packet scheduling (UDP). */
  readonly onePacket?: boolean;
  /** sh-port, sh-fallback, mh-port, mh-fallback, flag-1 … flag-3. */
  readonly schedulerFlags?: readonly string[];
}

export interface IpvsDestination {
  readonly address: string;
  readonly port: number;
  readonly forwarding: IpvsForwarding;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly stats: IpvsStats;
  readonly rates: IpvsRates;
}

export interface IpvsService {
  readonly key: IpvsServiceKey;
  readonly options: IpvsServiceOptions;
  /** In the kernel's order, the newest first; ipvsadm sorts them unless told not to. */
  readonly destinations: readonly IpvsDestination[];
  readonly stats: IpvsStats;
  readonly rates: IpvsRates;
}

export interface IpvsConnection {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'IP';
  readonly expiresSeconds: number;
  /** ESTABLISHED, SYN_RECV, FIN_WAIT, TIME_WAIT, CLOSE, UDP, NONE; ASSURED for templates in use. */
  readonly state: IpvsState;
  readonly client: { readonly address: string; readonly port: number };
  readonly virtual: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
  readonly isTemplate: boolean;
}

export interface IpvsDestinationOptions {
  readonly address: string;
  readonly port: number;
  readonly forwarding?: IpvsForwarding;
  readonly weight?: number;
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
}

/** What became of a packet from a client: not for IPVS, for a server on this machine, sent on, or dropped. */
export type IpvsVerdict = 'pass' | 'local' | 'stolen' | 'drop';

const PROTOCOLS: Readonly<Record<IpvsProtocol, number>> = {
  tcp: PROTO_TCP,
  udp: PROTO_UDP,
  sctp: PROTO_SCTP,
};
const PROTOCOL_NAMES: Readonly<Record<number, IpvsProtocol>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** tcp_timeouts of ip_vs_proto_tcp.c, in ms; ESTABLISHED and FIN_WAIT can be set. */
const TCP_TIMEOUTS: Readonly<Partial<Record<IpvsState, number>>> = {
  NONE: 2000,
  SYN_SENT: 120_000,
  SYN_RECV: 60_000,
  TIME_WAIT: 120_000,
  CLOSE: 10_000,
  CLOSE_WAIT: 60_000,
  LAST_ACK: 30_000,
  LISTEN: 120_000,
  SYNACK: 120_000,
};
const FIRST_TIMEOUT_MS = 3000;
/** ipvsadm's default for `-p` without a value. */
const SERVICES_MAX = 200_000;

export class Ipvs {
  private readonly namespace: NetworkNamespace;
  private readonly services = new Map<string, VirtualServer>();
  private readonly byAddress = new Map<number, VirtualServer[]>();
  private readonly byMark = new Map<number, VirtualServer>();
  private readonly connections: ConnectionTable;
  private readonly total = new TrafficCounter();
  private estimator: Disposable | undefined = undefined;
  private times = { tcp: 900, tcpFin: 120, udp: 300 };
  /** Whether ip_vs is loaded; set by whoever keeps the module list. While it isn't, calls fail with ENOENT. */
  isLoaded = true;
  /** Whether there is anything to look a packet up in. */
  isActive = false;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.connections = new ConnectionTable(namespace.clock);
  }

  // ── Services ──

  listServices(): IpvsService[] {
    this.connections.expire();
    return [...this.services.values()].map(showService);
  }

  getService(key: IpvsServiceKey): IpvsService | undefined {
    this.connections.expire();
    const service = this.services.get(keyText(key));
    return service === undefined ? undefined : showService(service);
  }

  /** Throws ErrnoError EEXIST, EINVAL; ENOENT for an unknown scheduler. */
  addService(key: IpvsServiceKey, options: IpvsServiceOptions): void {
    this.checkLoaded();
    const text = keyText(key);
    if (this.services.has(text)) throw new ErrnoError('EEXIST');
    if (this.services.size >= SERVICES_MAX) throw new ErrnoError('ENOMEM');
    const isMark = 'firewallMark' in key;
    const address = isMark ? 0 : parseIpv4(key.address);
    if (address === undefined) throw new ErrnoError('EINVAL');
    const service: VirtualServer = {
      protocol: isMark ? 0 : PROTOCOLS[key.protocol],
      address,
      port: isMark ? 0 : key.port,
      mark: isMark ? key.firewallMark : 0,
      servers: [],
      traffic: new TrafficCounter(),
      ...parseOptions(options),
    };
    this.services.set(text, service);
    if (isMark) this.byMark.set(service.mark, service);
    else this.byAddress.set(address, [...(this.byAddress.get(address) ?? []), service]);
    this.changed();
  }

  /** Throws ESRCH. */
  editService(key: IpvsServiceKey, options: IpvsServiceOptions): void {
    const service = this.require(key);
    const { scheduler, ...rest } = parseOptions(options);
    Object.assign(service, rest);
    const isSame =
      scheduler.name === service.scheduler.name && scheduler.flags.join() === service.scheduler.flags.join();
    if (!isSame) {
      service.scheduler = scheduler;
      scheduler.changed(service.servers);
    }
  }

  /** Throws ESRCH. Its connections stay until they time out. */
  deleteService(key: IpvsServiceKey): void {
    const service = this.require(key);
    for (const server of service.servers) server.isAvailable = false;
    this.services.delete(keyText(key));
    if (service.mark !== 0) this.byMark.delete(service.mark);
    const left = (this.byAddress.get(service.address) ?? []).filter((each) => each !== service);
    if (left.length === 0) this.byAddress.delete(service.address);
    else this.byAddress.set(service.address, left);
    this.changed();
  }

  /** Throws ESRCH (no service), EEXIST. */
  addDestination(key: IpvsServiceKey, options: IpvsDestinationOptions): void {
    const service = this.require(key);
    const address = parseIpv4(options.address);
    if (address === undefined) throw new ErrnoError('EINVAL');
    const settings = settingsOf(options);
    const port =
      settings.forwarding === 'masq' ? options.port : service.mark === 0 ? service.port : options.port;
    if (service.servers.some((each) => each.address === address && each.port === port))
      throw new ErrnoError('EEXIST');
    service.servers.unshift(new RealServer(address, port, settings)); // list_add: the newest is first.
    service.scheduler.changed(service.servers);
  }

  /** Throws ESRCH (no service), ENOENT (no destination). */
  editDestination(key: IpvsServiceKey, options: IpvsDestinationOptions): void {
    const service = this.require(key);
    Object.assign(
      this.requireServer(service, options.address, options.port),
      settingsOf(options),
    ).updateOverload();
    service.scheduler.changed(service.servers);
  }

  /** Throws ESRCH (no service), ENOENT (no destination). */
  deleteDestination(key: IpvsServiceKey, address: string, port: number): void {
    const service = this.require(key);
    const server = this.requireServer(service, address, port);
    const index = service.servers.indexOf(server);
    service.servers.splice(index, 1);
    server.isAvailable = false;
    service.scheduler.changed(service.servers, { server, index });
  }

  /** `ipvsadm -C`. */
  flush(): void {
    for (const service of this.services.values())
      for (const server of service.servers) server.isAvailable = false;
    this.services.clear();
    this.byAddress.clear();
    this.byMark.clear();
    this.changed();
  }

  /** `ipvsadm -Z`. Throws ESRCH. */
  zero(key?: IpvsServiceKey): void {
    const services = key === undefined ? [...this.services.values()] : [this.require(key)];
    for (const service of services) {
      service.traffic.zero();
      for (const server of service.servers) server.traffic.zero();
    }
    if (key === undefined) this.total.zero();
  }

  listConnections(): IpvsConnection[] {
    const now = this.namespace.clock.now();
    return this.connections.list().map((conn) => ({
      protocol:
        conn.protocol === PROTO_TCP
          ? 'TCP'
          : conn.protocol === PROTO_UDP
            ? 'UDP'
            : conn.protocol === 0
              ? 'IP'
              : 'SCTP',
      expiresSeconds: Math.max(0, Math.floor((conn.expiresMs - now) / 1000)),
      state: conn.state,
      client: { address: formatIpv4(conn.clientAddress), port: conn.clientPort },
      virtual: { address: formatIpv4(conn.virtualAddress), port: conn.virtualPort },
      destination: { address: formatIpv4(conn.server.address), port: conn.server.port },
      isTemplate: conn.isTemplate,
    }));
  }

  get totals(): { readonly stats: IpvsStats; readonly rates: IpvsRates } {
    return { stats: this.total.stats, rates: this.total.rates };
  }

  /** `--set`, in seconds. Zero leaves one as it is. */
  setTimeouts(timeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number }): void {
    this.checkLoaded();
    this.times = {
      tcp: timeouts.tcp || this.times.tcp,
      tcpFin: timeouts.tcpFin || this.times.tcpFin,
      udp: timeouts.udp || this.times.udp,
    };
  }

  get timeouts(): { readonly tcp: number; readonly tcpFin: number; readonly udp: number } {
    return this.times;
  }

  dispose(): void {
    this.estimator?.[Symbol.dispose]();
    this.estimator = undefined;
    this.connections.clear();
  }

  private checkLoaded(): void {
    if (!this.isLoaded) throw new ErrnoError('ENOENT');
  }

  private require(key: IpvsServiceKey): VirtualServer {
    this.checkLoaded();
    const service = this.services.get(keyText(key));
    if (service === undefined) throw new ErrnoError('ESRCH');
    return service;
  }

  private requireServer(service: VirtualServer, address: string, port: number): RealServer {
    const number = parseIpv4(address);
    const server = service.servers.find((each) => each.address === number && each.port === port);
    if (server === undefined) throw new ErrnoError('ENOENT');
    return server;
  }

  private changed(): void {
    this.isActive = this.services.size > 0 || this.connections.size > 0;
    this.namespace.hooks.refresh();
  }

  // ── Packets from clients (ip_vs_in) ──

  fromClient(packet: Packet, hook: HookName): IpvsVerdict {
    const { protocol } = packet;
    if (protocol !== PROTO_TCP && protocol !== PROTO_UDP && protocol !== PROTO_SCTP) return 'pass';
    this.connections.expire();
    let conn = this.connections.findIn(
      protocol,
      packet.source,
      packet.sourcePort,
      packet.destination,
      packet.destinationPort,
    );
    if (conn !== undefined) {
      const checked = this.check(conn, packet);
      if (checked === 'drop') return 'drop';
      conn = checked;
    }
    if (conn === undefined) {
      const scheduled = this.schedule(packet);
      if (scheduled === 'pass' || scheduled === 'drop') return scheduled;
      conn = scheduled;
    }
    this.countIn(conn, packet);
    this.advance(conn, packet, 'in');
    const verdict = this.send(conn, packet, hook);
    this.connections.touch(conn);
    return verdict;
  }

  /** Whether a known connection is still good for a packet; undefined if a new one must be made. */
  private check(conn: IpvsConn, packet: Packet): IpvsConn | 'drop' | undefined {
    const { sysctls } = this.namespace;
    const isSyn = packet.protocol === PROTO_TCP && (packet.flags & (TCP_SYN | TCP_RST)) === TCP_SYN;
    const expiresNoDest = sysctls.number('net.ipv4.vs.expire_nodest_conn') === 1;
    if (isSyn && sysctls.number('net.ipv4.vs.conn_reuse_mode') !== 0) {
      const isDrained = expiresNoDest && conn.server.weight === 0;
      if (isDrained || conn.state === 'TIME_WAIT') {
        this.connections.remove(conn);
        return undefined;
      }
    }
    if (conn.server.isAvailable) return conn;
    if (!expiresNoDest) return 'drop'; // Silently, and its time goes on running out.
    this.connections.remove(conn);
    return undefined;
  }

  private schedule(packet: Packet): IpvsConn | 'pass' | 'drop' {
    const { protocol, flags } = packet;
    const isStart = protocol !== PROTO_TCP || ((flags & TCP_SYN) !== 0 && (flags & TCP_RST) === 0);
    if (!isStart && this.namespace.sysctls.number('net.ipv4.vs.sloppy_tcp') !== 1) return 'pass';
    const service = this.find(packet);
    if (service === undefined) return 'pass';
    const conn =
      service.persistentMs > 0 ? this.schedulePersistent(service, packet) : this.scheduleNew(service, packet);
    if (conn !== undefined) {
      service.traffic.connection();
      conn.server.traffic.connection();
      this.total.connection();
      this.startEstimator();
      return conn;
    }
    // ip_vs_leave: nobody to send it to.
    if (this.namespace.trace.isOn) {
      this.namespace.stack.trace(packet, 'ipvs', {
        subject: keyOfService(service),
        decision: 'REJECT',
        reason: 'ipvs-no-destination',
      });
    }
    this.namespace.stack.icmp.error(packet, 3, 3, undefined);
    return 'drop';
  }

  private find(packet: Packet): VirtualServer | undefined {
    if (packet.mark !== 0 && this.byMark.size > 0) {
      const marked = this.byMark.get(packet.mark);
      if (marked !== undefined) return marked;
    }
    const candidates = this.byAddress.get(packet.destination);
    if (candidates === undefined) return undefined;
    let any: VirtualServer | undefined;
    for (const service of candidates) {
      if (service.protocol !== packet.protocol) continue;
      if (service.port === packet.destinationPort) return service;
      if (service.port === 0 && service.persistentMs > 0) any = service;
    }
    return any;
  }

  private scheduleNew(service: VirtualServer, packet: Packet): IpvsConn | undefined {
    const server = service.scheduler.schedule(service.servers, packet);
    if (server === undefined) return undefined;
    return this.connect(service, packet, server);
  }

  /** ip_vs_sched_persist. */
  private schedulePersistent(service: VirtualServer, packet: Packet): IpvsConn | undefined {
    const network = (packet.source & service.persistenceMask) >>> 0;
    const isMark = service.mark !== 0;
    const protocol = isMark ? 0 : packet.protocol;
    const virtual = isMark ? service.mark : packet.destination;
    const port = isMark ? 0 : service.port;
    let template = this.connections.findTemplate(protocol, network, virtual, port);
    if (template !== undefined && !this.isTemplateGood(template)) template = undefined;
    if (template === undefined) {
      const server = service.scheduler.schedule(service.servers, packet);
      if (server === undefined) return undefined;
      const ends = {
        protocol,
        clientAddress: network,
        clientPort: 0,
        virtualAddress: virtual,
        virtualPort: port,
      };
      template = new IpvsConn(ends, server, service.persistentMs, 'template');
      this.connections.add(template);
    } else template.timeoutMs = service.persistentMs;
    const conn = this.connect(service, packet, template.server);
    conn.control = template;
    template.controlled++;
    this.connections.touch(template);
    return conn;
  }

  /** ip_vs_check_template: its server must still be there, and with expire_quiescent_template have a weight. */
  private isTemplateGood(template: IpvsConn): boolean {
    const { server } = template;
    const isQuiescent =
      server.weight === 0 && this.namespace.sysctls.number('net.ipv4.vs.expire_quiescent_template') === 1;
    if (server.isAvailable && !isQuiescent) return true;
    this.connections.remove(template);
    return false;
  }

  private connect(service: VirtualServer, packet: Packet, server: RealServer): IpvsConn {
    const ends = {
      protocol: packet.protocol,
      clientAddress: packet.source,
      clientPort: packet.sourcePort,
      virtualAddress: packet.destination,
      virtualPort: packet.destinationPort,
    };
    const isOnePacket = service.isOnePacket && packet.protocol === PROTO_UDP;
    const conn = new IpvsConn(ends, server, FIRST_TIMEOUT_MS, isOnePacket ? 'one-packet' : 'normal');
    this.connections.add(conn);
    if (this.namespace.trace.isOn) {
      this.namespace.stack.trace(packet, 'ipvs', {
        subject: keyOfService(service),
        decision: `${formatIpv4(server.address)}:${server.port}`,
        reason: service.persistentMs > 0 ? 'ipvs-persistent' : `ipvs-${service.scheduler.name}`,
      });
    }
    return conn;
  }

  private advance(conn: IpvsConn, packet: Packet, direction: 'in' | 'out'): void {
    if (conn.isOnePacket) conn.timeoutMs = 0;
    else if (packet.protocol === PROTO_TCP) {
      const state = nextState(conn.state, packet.flags, direction);
      this.connections.setState(conn, state, this.timeoutOf(state));
    } else {
      this.connections.setState(conn, 'UDP', this.times.udp * 1000);
      if (direction === 'out' && conn.control !== undefined) conn.control.state = 'ASSURED';
    }
  }

  private timeoutOf(state: IpvsState): number {
    if (state === 'ESTABLISHED') return this.times.tcp * 1000;
    return state === 'FIN_WAIT' ? this.times.tcpFin * 1000 : (TCP_TIMEOUTS[state] ?? 2000);
  }

  /** The packet_xmit of the server's forwarding method. */
  private send(conn: IpvsConn, packet: Packet, hook: HookName): IpvsVerdict {
    const { stack } = this.namespace;
    const { server } = conn;
    packet.isIpvs = true;
    if (server.forwarding === 'route' || server.forwarding === 'tunnel')
      return this.sendUnchanged(conn, packet);
    if (server.forwarding === 'local') return 'local';
    const before = this.namespace.trace.isOn ? snapshotOf(packet) : undefined;
    this.updateConntrack(conn, packet);
    packet.destination = server.address;
    packet.destinationPort = server.port;
    if (before !== undefined) {
      const decision = `${formatIpv4(server.address)}:${server.port}`;
      stack.trace(packet, 'ipvs', { hook, before, after: snapshotOf(packet), decision, reason: 'ipvs-dnat' });
    }
    if (stack.isLocal(server.address)) return 'local';
    if (hook === 'INPUT') {
      if (packet.ttl <= 1) {
        stack.icmp.error(packet, 11, 0, undefined);
        return 'drop';
      }
      packet.ttl--;
    }
    return stack.sendRewritten(packet) ? 'stolen' : 'drop';
  }

  /** Direct routing leaves the packet as it is; a tunnel wraps it. */
  private sendUnchanged(conn: IpvsConn, packet: Packet): IpvsVerdict {
    const { stack } = this.namespace;
    const { address, forwarding } = conn.server;
    if (stack.isLocal(address)) return 'local';
    packet.isUntracked = true;
    packet.connection = undefined;
    if (forwarding === 'route') return stack.sendToward(packet, address) ? 'stolen' : 'drop';
    const outer = new Packet();
    outer.id = packet.id;
    outer.protocol = PROTO_IPIP;
    outer.destination = address;
    outer.inner = packet;
    packet.scrub();
    stack.sendLocal(outer);
    return 'stolen';
  }

  /** ip_vs_update_conntrack: replies are expected from the server; without net.ipv4.vs.conntrack it's left alone. */
  private updateConntrack(conn: IpvsConn, packet: Packet): void {
    const { connection } = packet;
    if (this.namespace.sysctls.number('net.ipv4.vs.conntrack') !== 1) {
      packet.connection = undefined; // ip_vs_notrack
      packet.isUntracked = true;
      return;
    }
    if (connection === undefined || connection.isConfirmed || packet.isReply) return;
    connection.reply.source = conn.server.address;
    connection.reply.sourcePort = conn.server.port;
  }

  // ── Packets from servers (ip_vs_out) ──

  /** Gives replies the virtual address as source; false if the packet belongs to no connection. */
  fromServer(packet: Packet, hook: HookName): boolean {
    if (this.connections.size === 0) return false;
    if (packet.protocol === PROTO_ICMP) return isIcmpError(packet.icmpType) && this.errorFromServer(packet);
    const conn = this.connections.findOut(
      packet.protocol,
      packet.source,
      packet.sourcePort,
      packet.destination,
      packet.destinationPort,
    );
    if (conn === undefined || conn.server.forwarding !== 'masq') return false;
    const before = this.namespace.trace.isOn ? snapshotOf(packet) : undefined;
    packet.source = conn.virtualAddress;
    packet.sourcePort = conn.virtualPort;
    if (before !== undefined) {
      const decision = `${formatIpv4(conn.virtualAddress)}:${conn.virtualPort}`;
      this.namespace.stack.trace(packet, 'ipvs', {
        hook,
        before,
        after: snapshotOf(packet),
        decision,
        reason: 'ipvs-reverse',
      });
    }
    this.countOut(conn, packet);
    this.advance(conn, packet, 'out');
    this.connections.touch(conn);
    return true;
  }

  /** ip_vs_out_icmp: an error about a packet to a server is told as if it came from the virtual address. */
  private errorFromServer(packet: Packet): boolean {
    const { original } = packet;
    if (original === undefined) return false;
    const conn = this.connections.findOut(
      original.protocol,
      original.destination,
      original.destinationPort,
      original.source,
      original.sourcePort,
    );
    if (conn === undefined) return false;
    packet.source = conn.virtualAddress;
    original.destination = conn.virtualAddress;
    original.destinationPort = conn.virtualPort;
    return true;
  }

  // ── Counting ──

  private countIn(conn: IpvsConn, packet: Packet): void {
    const { length } = packet;
    conn.server.traffic.packetIn(length);
    this.serviceOf(conn)?.traffic.packetIn(length);
    this.total.packetIn(length);
    this.startEstimator();
  }

  private countOut(conn: IpvsConn, packet: Packet): void {
    const { length } = packet;
    conn.server.traffic.packetOut(length);
    this.serviceOf(conn)?.traffic.packetOut(length);
    this.total.packetOut(length);
    this.startEstimator();
  }

  private serviceOf(conn: IpvsConn): VirtualServer | undefined {
    const candidates = this.byAddress.get(conn.virtualAddress);
    return (
      candidates?.find((each) => each.protocol === conn.protocol && each.port === conn.virtualPort) ??
      candidates?.find((each) => each.protocol === conn.protocol && each.port === 0)
    );
  }

  /** One timer for all rates, running only while there is something to estimate. */
  private startEstimator(): void {
    this.estimator ??= this.namespace.clock.after(ESTIMATION_MS, () => {
      this.estimator = undefined;
      let isMoving = this.total.estimate();
      for (const service of this.services.values()) {
        isMoving = service.traffic.estimate() || isMoving;
        for (const server of service.servers) isMoving = server.traffic.estimate() || isMoving;
      }
      if (isMoving) this.startEstimator();
    });
  }
}

function keyText(key: IpvsServiceKey): string {
  return 'firewallMark' in key ? `fwm/${key.firewallMark}` : `${key.protocol}/${key.address}/${key.port}`;
}

function keyOfService(service: VirtualServer): string {
  if (service.mark !== 0) return `FWM ${service.mark}`;
  return `${(PROTOCOL_NAMES[service.protocol] ?? 'ip').toUpperCase()} ${formatIpv4(service.address)}:${service.port}`;
}

function parseOptions(options: IpvsServiceOptions) {
  const scheduler = makeScheduler(options.scheduler, options.schedulerFlags);
  if (scheduler === undefined) throw new ErrnoError('ENOENT');
  const mask = options.persistenceMask === undefined ? maskOf(32) : parseIpv4(options.persistenceMask);
  if (mask === undefined || prefixLengthOf(mask) === undefined) throw new ErrnoError('EINVAL');
  return {
    scheduler,
    persistentMs: (options.persistentSeconds ?? 0) * 1000,
    persistenceMask: mask,
    isOnePacket: options.onePacket ?? false,
  };
}

function settingsOf(options: IpvsDestinationOptions) {
  const { weight = 1, upperThreshold = 0, lowerThreshold = 0 } = options;
  if (weight < 0 || lowerThreshold > upperThreshold) throw new ErrnoError('ERANGE');
  return { forwarding: options.forwarding ?? 'route', weight, upperThreshold, lowerThreshold } as const;
}

function showService(service: VirtualServer): IpvsService {
  const protocol = PROTOCOL_NAMES[service.protocol] ?? 'tcp';
  const key: IpvsServiceKey =
    service.mark !== 0
      ? { firewallMark: service.mark }
      : { protocol, address: formatIpv4(service.address), port: service.port };
  return {
    key,
    options: {
      scheduler: service.scheduler.name,
      ...(service.persistentMs === 0 ? {} : { persistentSeconds: service.persistentMs / 1000 }),
      ...(service.persistenceMask === 0xffffffff
        ? {}
        : { persistenceMask: formatIpv4(service.persistenceMask) }),
      ...(service.isOnePacket ? { onePacket: true } : {}),
      schedulerFlags: service.scheduler.flags,
    },
    destinations: service.servers.map(showServer),
    stats: service.traffic.stats,
    rates: service.traffic.rates,
  };
}

function showServer(server: RealServer): IpvsDestination {
  return {
    address: formatIpv4(server.address),
    port: server.port,
    forwarding: server.forwarding,
    weight: server.weight,
    upperThreshold: server.upperThreshold,
    lowerThreshold: server.lowerThreshold,
    activeConnections: server.activeConnections,
    inactiveConnections: server.inactiveConnections,
    persistentConnections: server.persistentConnections,
    stats: server.traffic.stats,
    rates: server.traffic.rates,
  };
}
