// Connection tracking (nf_conntrack): which packets belong together, in which state, for how long.
import { disposable } from '../../simulation/index.ts';
import { isIcmpError } from '../ip/icmp.ts';
import { formatIpv4 } from '../ip/ipv4.ts';
import {
  PROTO_ICMP,
  PROTO_TCP,
  PROTO_UDP,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  type Packet,
} from '../ip/packet.ts';
import { protocolName } from '../ip/protocols.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { Connection, invertIcmp, type TcpConntrackState, type Tuple } from './connection.ts';

export type { TcpConntrackState } from './connection.ts';

export interface ConntrackTuple {
  readonly source: string;
  readonly destination: string;
  /** Ports, or 0 for ICMP. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** Counted when net.netfilter.nf_conntrack_acct is 1. */
  readonly packets: number;
  readonly bytes: number;
}

export interface ConntrackEntry {
  readonly id: number;
  /** tcp, udp, icmp, or `unknown`. */
  readonly protocol: string;
  readonly protocolNumber: number;
  readonly timeoutSeconds: number;
  /** TCP only. */
  readonly state: TcpConntrackState | undefined;
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  readonly isAssured: boolean;
  /** A packet has come back. */
  readonly isSeenReply: boolean;
  readonly isSourceNat: boolean;
  readonly isDestinationNat: boolean;
  readonly mark: number;
}

export interface ConntrackStats {
  found: number;
  invalid: number;
  insert: number;
  insertFailed: number;
  drop: number;
  earlyDrop: number;
  error: number;
  searchRestart: number;
}

export interface ConntrackEvent {
  readonly kind: 'NEW' | 'UPDATE' | 'DESTROY';
  readonly entry: ConntrackEntry;
}

/** Entries looked at for expiry with each new connection, so that the table cleans itself without a timer. */
const SWEEP_PER_INSERT = 4;
/** UDP is a stream after this long (nf_conntrack_proto_udp: 2 s). */
const STREAM_MS = 2000;

export class Conntrack {
  private readonly namespace: NetworkNamespace;
  private readonly buckets = new Map<number, Tuple>();
  private readonly all = new Map<number, Connection>();
  private sweeper: Iterator<Connection> | undefined;
  private nextId = 1;
  private readonly listeners = new Set<(event: ConntrackEvent) => void>();
  readonly stats: ConntrackStats = {
    found: 0,
    invalid: 0,
    insert: 0,
    insertFailed: 0,
    drop: 0,
    earlyDrop: 0,
    error: 0,
    searchRestart: 0,
  };

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  // ── For commands ──

  /** Newest last. */
  list(): ConntrackEntry[] {
    this.sweepAll();
    return [...this.all.values()].map((connection) => this.show(connection));
  }

  get count(): number {
    this.sweepAll();
    return this.all.size;
  }

  /** Deletes those for which `matches` holds; returns them. */
  delete(matches: (entry: ConntrackEntry) => boolean): ConntrackEntry[] {
    const gone: ConntrackEntry[] = [];
    for (const connection of this.all.values()) {
      const entry = this.show(connection);
      if (!matches(entry)) continue;
      this.kill(connection);
      gone.push(entry);
    }
    return gone;
  }

  flush(): void {
    for (const connection of this.all.values()) this.kill(connection);
  }

  /** `conntrack -E`. Expiries are told when they're noticed, which is when the table is used or listed. */
  onEvent(listener: (event: ConntrackEvent) => void): Disposable {
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  // ── On the packets' way ──

  /** nf_conntrack_in: finds or makes the packet's connection. False if the packet must be dropped. */
  track(packet: Packet): boolean {
    if (packet.connection !== undefined || packet.isUntracked) return true; // Came over loopback, or NOTRACK.
    if (packet.protocol === PROTO_ICMP && isIcmpError(packet.icmpType)) {
      this.trackError(packet);
      return true;
    }
    const tuple = this.findFor(packet);
    if (tuple === undefined) return this.trackNew(packet);
    const { connection, isReply } = tuple;
    if (this.isReopened(packet, connection, isReply)) {
      this.kill(connection);
      return this.trackNew(packet);
    }
    this.attach(packet, connection, isReply);
    return true;
  }

  private attach(packet: Packet, connection: Connection, isReply: boolean): void {
    packet.connection = connection;
    packet.isReply = isReply;
    if (!this.advance(packet, connection, isReply)) {
      this.stats.invalid++;
      packet.connection = undefined;
      packet.isInvalid = true;
      return;
    }
    if (isReply && !connection.isSeenReply) {
      connection.isSeenReply = true;
      if (this.listeners.size > 0 && connection.isConfirmed) this.tell('UPDATE', connection);
    }
  }

  private trackNew(packet: Packet): boolean {
    if (!this.mayStart(packet)) {
      this.stats.invalid++;
      packet.isInvalid = true;
      return true;
    }
    const { sysctls } = this.namespace;
    if (this.all.size >= sysctls.number('net.netfilter.nf_conntrack_max')) {
      this.sweepAll();
      if (this.all.size >= sysctls.number('net.netfilter.nf_conntrack_max')) {
        this.stats.drop++; // "nf_conntrack: table full, dropping packet"
        return false;
      }
    }
    const connection = new Connection(
      this.nextId++,
      packet.protocol,
      packet.source,
      sourceKey(packet),
      packet.destination,
      destinationKey(packet),
    );
    this.attach(packet, connection, false);
    return true;
  }

  /** Whether a packet can begin a connection. */
  private mayStart(packet: Packet): boolean {
    if (packet.protocol === PROTO_ICMP) return packet.icmpType === 8 || packet.icmpType === 13;
    if (packet.protocol !== PROTO_TCP) return true;
    const { flags } = packet;
    if ((flags & TCP_RST) !== 0) return false;
    if ((flags & TCP_SYN) !== 0) return (flags & TCP_ACK) === 0;
    return (
      (flags & TCP_ACK) !== 0 && this.namespace.sysctls.number('net.netfilter.nf_conntrack_tcp_loose') === 1
    );
  }

  /** A SYN on a connection that is over begins a new one. */
  private isReopened(packet: Packet, connection: Connection, isReply: boolean): boolean {
    if (packet.protocol !== PROTO_TCP || (packet.flags & (TCP_SYN | TCP_ACK)) !== TCP_SYN || isReply)
      return false;
    const { tcpState } = connection;
    return tcpState === 'TIME_WAIT' || tcpState === 'CLOSE' || tcpState === 'LAST_ACK';
  }

  /** An ICMP error belongs to the connection of the packet it quotes (RELATED). */
  private trackError(packet: Packet): void {
    const { original } = packet;
    if (original === undefined) return;
    const isIcmp = original.protocol === PROTO_ICMP;
    // The quoted packet as it would look coming back.
    const tuple = this.find(
      original.protocol,
      original.destination,
      isIcmp ? original.icmpId : original.destinationPort,
      original.source,
      isIcmp ? invertIcmp(original.icmpType * 256 + original.icmpCode) : original.sourcePort,
    );
    if (tuple === undefined) {
      packet.isInvalid = true;
      return;
    }
    packet.connection = tuple.connection;
    packet.isReply = tuple.isReply;
    packet.isRelated = true;
  }

  /** nf_conntrack_confirm: the packet got through, so its connection enters the table. False on a clash. */
  confirm(packet: Packet): boolean {
    const { connection } = packet;
    if (connection === undefined || connection.isConfirmed || packet.isRelated || connection.isDead)
      return true;
    const { original, reply } = connection;
    const clash =
      this.find(
        connection.protocol,
        original.source,
        original.sourcePort,
        original.destination,
        original.destinationPort,
      ) ??
      this.find(
        connection.protocol,
        reply.source,
        reply.sourcePort,
        reply.destination,
        reply.destinationPort,
      );
    if (clash !== undefined) {
      this.stats.insertFailed++;
      this.stats.drop++;
      return false;
    }
    this.insertTuple(original);
    this.insertTuple(reply);
    connection.isConfirmed = true;
    this.all.set(connection.id, connection);
    this.stats.insert++;
    this.sweepSome();
    if (this.listeners.size > 0) this.tell('NEW', connection);
    return true;
  }

  /** The tuple in the table with these ends, unless it has expired. */
  find(
    protocol: number,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
  ): Tuple | undefined {
    let tuple = this.buckets.get(hash(protocol, source, sourcePort, destination, destinationPort));
    while (tuple !== undefined) {
      if (
        tuple.source === source &&
        tuple.destination === destination &&
        tuple.sourcePort === sourcePort &&
        tuple.destinationPort === destinationPort &&
        tuple.connection.protocol === protocol
      ) {
        if (tuple.connection.expiresMs > this.namespace.clock.now()) return tuple;
        this.kill(tuple.connection);
        return undefined;
      }
      tuple = tuple.next;
    }
    return undefined;
  }

  private findFor(packet: Packet): Tuple | undefined {
    return this.find(
      packet.protocol,
      packet.source,
      sourceKey(packet),
      packet.destination,
      destinationKey(packet),
    );
  }

  /** Takes a connection out of the table. */
  kill(connection: Connection): void {
    connection.isDead = true;
    if (!connection.isConfirmed) return;
    connection.isConfirmed = false;
    this.removeTuple(connection.original);
    this.removeTuple(connection.reply);
    this.all.delete(connection.id);
    if (this.listeners.size > 0) this.tell('DESTROY', connection);
  }

  // ── States and timeouts ──

  /** Moves the state on; false if the packet doesn't fit (INVALID). */
  private advance(packet: Packet, connection: Connection, isReply: boolean): boolean {
    if (this.namespace.sysctls.number('net.netfilter.nf_conntrack_acct') === 1) {
      const tuple = isReply ? connection.reply : connection.original;
      tuple.packets++;
      tuple.bytes += packet.length;
    }
    if (packet.protocol === PROTO_TCP) return this.advanceTcp(packet, connection, isReply);
    if (packet.protocol === PROTO_UDP) this.advanceUdp(connection, isReply);
    else this.refresh(connection, packet.protocol === PROTO_ICMP ? 'icmp_timeout' : 'generic_timeout');
    return true;
  }

  private advanceUdp(connection: Connection, isReply: boolean): void {
    const now = this.namespace.clock.now();
    if (!connection.isSeenReply && !isReply) {
      connection.streamMs = connection.streamMs === 0 ? now + STREAM_MS : connection.streamMs;
      return this.refresh(connection, 'udp_timeout');
    }
    const isStream = now > connection.streamMs;
    this.refresh(connection, isStream ? 'udp_timeout_stream' : 'udp_timeout');
    if (isStream) connection.isAssured = true;
  }

  private advanceTcp(packet: Packet, connection: Connection, isReply: boolean): boolean {
    const old = connection.tcpState;
    const next = nextTcpState(old, packet.flags, isReply, connection.isConfirmed);
    if (next === undefined) return false;
    if (isReply && next === 'CLOSE' && !connection.isSeenReply && (packet.flags & TCP_RST) !== 0) {
      this.kill(connection); // Refused: nothing to remember.
      return true;
    }
    connection.tcpState = next;
    const wasOpening = old === 'SYN_RECV' || old === 'ESTABLISHED';
    if (next === 'ESTABLISHED' && wasOpening && connection.isSeenReply) connection.isAssured = true;
    this.refresh(connection, TCP_TIMEOUTS[next]);
    if (next !== old && this.listeners.size > 0 && connection.isConfirmed) this.tell('UPDATE', connection);
    return true;
  }

  private refresh(connection: Connection, timeout: string): void {
    const seconds = this.namespace.sysctls.number(`net.netfilter.nf_conntrack_${timeout}`);
    connection.expiresMs = this.namespace.clock.now() + seconds * 1000;
  }

  // ── The table ──

  private insertTuple(tuple: Tuple): void {
    const key = hash(
      tuple.connection.protocol,
      tuple.source,
      tuple.sourcePort,
      tuple.destination,
      tuple.destinationPort,
    );
    tuple.next = this.buckets.get(key);
    this.buckets.set(key, tuple);
  }

  private removeTuple(tuple: Tuple): void {
    const key = hash(
      tuple.connection.protocol,
      tuple.source,
      tuple.sourcePort,
      tuple.destination,
      tuple.destinationPort,
    );
    let each = this.buckets.get(key);
    if (each === tuple) {
      if (tuple.next === undefined) this.buckets.delete(key);
      else this.buckets.set(key, tuple.next);
      return;
    }
    while (each !== undefined && each.next !== tuple) each = each.next;
    if (each !== undefined) each.next = tuple.next;
  }

  private sweepSome(): void {
    const now = this.namespace.clock.now();
    for (let i = 0; i < SWEEP_PER_INSERT; i++) {
      const { done, value } = (this.sweeper ??= this.all.values()).next();
      if (done === true) {
        this.sweeper = undefined;
        return;
      }
      if (value.expiresMs <= now) this.kill(value);
    }
  }

  private sweepAll(): void {
    const now = this.namespace.clock.now();
    for (const connection of this.all.values()) if (connection.expiresMs <= now) this.kill(connection);
  }

  private tell(kind: ConntrackEvent['kind'], connection: Connection): void {
    const event = { kind, entry: this.show(connection) };
    for (const listener of this.listeners) listener(event);
  }

  private show(connection: Connection): ConntrackEntry {
    const { protocol } = connection;
    const known =
      protocol === PROTO_TCP || protocol === PROTO_UDP || protocol === PROTO_ICMP || protocol === 132;
    return {
      id: connection.id,
      protocol: known ? protocolName(protocol) : 'unknown',
      protocolNumber: protocol,
      timeoutSeconds: Math.max(0, Math.floor((connection.expiresMs - this.namespace.clock.now()) / 1000)),
      state: protocol === PROTO_TCP ? connection.tcpState : undefined,
      original: showTuple(connection.original),
      reply: showTuple(connection.reply),
      isAssured: connection.isAssured,
      isSeenReply: connection.isSeenReply,
      isSourceNat: connection.isSourceNat,
      isDestinationNat: connection.isDestinationNat,
      mark: connection.mark,
    };
  }
}

const TCP_TIMEOUTS: Readonly<Record<TcpConntrackState, string>> = {
  NONE: 'tcp_timeout_syn_sent',
  SYN_SENT: 'tcp_timeout_syn_sent',
  SYN_SENT2: 'tcp_timeout_syn_sent',
  SYN_RECV: 'tcp_timeout_syn_recv',
  ESTABLISHED: 'tcp_timeout_established',
  FIN_WAIT: 'tcp_timeout_fin_wait',
  CLOSE_WAIT: 'tcp_timeout_close_wait',
  LAST_ACK: 'tcp_timeout_last_ack',
  TIME_WAIT: 'tcp_timeout_time_wait',
  CLOSE: 'tcp_timeout_close',
};

/** tcp_conntracks of nf_conntrack_proto_tcp.c in prose; undefined is INVALID. */
function nextTcpState(
  state: TcpConntrackState,
  flags: number,
  isReply: boolean,
  isConfirmed: boolean,
): TcpConntrackState | undefined {
  if ((flags & TCP_RST) !== 0) return 'CLOSE';
  if ((flags & TCP_SYN) !== 0) return afterSyn(state, (flags & TCP_ACK) !== 0, isReply);
  if ((flags & TCP_FIN) !== 0) {
    if (state === 'SYN_SENT' || state === 'SYN_SENT2') return undefined;
    if (state === 'NONE' || state === 'SYN_RECV' || state === 'ESTABLISHED') return 'FIN_WAIT';
    return state === 'FIN_WAIT' || state === 'CLOSE_WAIT' ? 'LAST_ACK' : state;
  }
  if ((flags & TCP_ACK) === 0) return undefined;
  switch (state) {
    case 'NONE':
      return isConfirmed ? undefined : 'ESTABLISHED';
    case 'SYN_SENT':
    case 'SYN_SENT2':
      return undefined;
    case 'SYN_RECV':
      return isReply ? 'SYN_RECV' : 'ESTABLISHED';
    case 'FIN_WAIT':
      return 'CLOSE_WAIT';
    case 'LAST_ACK':
      return 'TIME_WAIT';
    default:
      return state;
  }
}

function afterSyn(
  state: TcpConntrackState,
  hasAck: boolean,
  isReply: boolean,
): TcpConntrackState | undefined {
  if (hasAck) {
    if (!isReply) return state === 'SYN_SENT2' ? 'SYN_RECV' : state === 'NONE' ? undefined : state;
    return state === 'SYN_SENT' || state === 'SYN_SENT2' ? 'SYN_RECV' : state;
  }
  if (isReply) return state === 'SYN_SENT' ? 'SYN_SENT2' : state;
  return state === 'NONE' ? 'SYN_SENT' : state;
}

function sourceKey(packet: Packet): number {
  return packet.protocol === PROTO_ICMP ? packet.icmpId : packet.sourcePort;
}

function destinationKey(packet: Packet): number {
  return packet.protocol === PROTO_ICMP ? packet.icmpType * 256 + packet.icmpCode : packet.destinationPort;
}

function hash(
  protocol: number,
  source: number,
  sourcePort: number,
  destination: number,
  destinationPort: number,
): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b);
  h ^= Math.imul((sourcePort << 16) ^ destinationPort, 0xc2b2ae35) ^ protocol;
  h ^= h >>> 15;
  return h & 0x3fffffff;
}

function showTuple(tuple: Tuple): ConntrackTuple {
  const isIcmp = tuple.connection.protocol === PROTO_ICMP;
  const { sourcePort, destinationPort } = tuple;
  return {
    source: formatIpv4(tuple.source),
    destination: formatIpv4(tuple.destination),
    sourcePort: isIcmp ? 0 : sourcePort,
    destinationPort: isIcmp ? 0 : destinationPort,
    icmp: isIcmp ? { type: destinationPort >> 8, code: destinationPort & 255, id: sourcePort } : undefined,
    packets: tuple.packets,
    bytes: tuple.bytes,
  };
}
