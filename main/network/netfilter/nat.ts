// Network address translation over conntrack (nf_nat): bindings are made once per connection, packets follow them.
import { PROTO_ICMP, type Packet } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { snapshotOf } from '../trace/snapshot.ts';
import type { HookName } from '../trace/trace.ts';
import type { Connection } from './connection.ts';

/** Where a binding may lead: an address, and ports to choose from (0, 0: keep if possible). */
export interface NatRange {
  readonly addressMin: number;
  readonly addressMax: number;
  readonly portMin: number;
  readonly portMax: number;
  /** --random or --random-fully: always choose. */
  readonly isRandom: boolean;
}

/** Ports tried before giving up (nf_nat_core: max_attempts 128). */
const ATTEMPTS_MAX = 128;

export class Nat {
  private readonly namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  /** Binds the destination: DNAT, REDIRECT. */
  bindDestination(connection: Connection, range: NatRange): void {
    const { reply, original } = connection;
    connection.isDestinationDone = true;
    const address = pickAddress(range, original.source);
    let port = reply.sourcePort;
    if (range.portMin !== 0 && connection.protocol !== PROTO_ICMP) {
      const span = range.portMax - range.portMin + 1;
      port = span === 1 ? range.portMin : range.portMin + this.namespace.random.integer(span);
    }
    if (address === reply.source && port === reply.sourcePort) return;
    reply.source = address;
    reply.sourcePort = port;
    connection.isDestinationNat = true;
  }

  /** Binds the source: SNAT, MASQUERADE, or only as needed to be unique. False when no port is free. */
  bindSource(connection: Connection, range: NatRange | undefined): boolean {
    const { reply, original } = connection;
    connection.isSourceDone = true;
    const address = range === undefined ? original.source : pickAddress(range, original.source);
    const isIcmp = connection.protocol === PROTO_ICMP;
    const wanted = isIcmp ? reply.sourcePort : original.sourcePort;
    const isForced = range !== undefined && !isIcmp && (range.isRandom || !isInRange(range, wanted));
    const port =
      isForced || !this.isFree(connection, address, wanted)
        ? this.choosePort(connection, address, range)
        : wanted;
    if (port === undefined) return false;
    const isChanged = address !== reply.destination || port !== wanted;
    reply.destination = address;
    if (isIcmp) reply.sourcePort = port;
    else reply.destinationPort = port;
    if (isChanged) connection.isSourceNat = true;
    return true;
  }

  /** Whether no other connection expects these replies. */
  private isFree(connection: Connection, address: number, port: number): boolean {
    const { reply, protocol } = connection;
    const { conntrack } = this.namespace;
    if (protocol === PROTO_ICMP) {
      return conntrack.find(protocol, reply.source, port, address, reply.destinationPort) === undefined;
    }
    return conntrack.find(protocol, reply.source, reply.sourcePort, address, port) === undefined;
  }

  /** nf_nat_l4proto_unique_tuple. */
  private choosePort(
    connection: Connection,
    address: number,
    range: NatRange | undefined,
  ): number | undefined {
    const [min, max] = portsFor(connection, range);
    const span = max - min + 1;
    const offset = this.namespace.random.integer(span);
    for (let i = 0; i < Math.min(span, ATTEMPTS_MAX); i++) {
      const port = min + ((offset + i) % span);
      if (this.isFree(connection, address, port)) return port;
    }
    return undefined;
  }

  /** Rewrites a packet at a hook as its connection is bound: destinations going in, sources going out. */
  translate(packet: Packet, hook: HookName): void {
    const connection = packet.connection!;
    const isDestination = hook === 'PREROUTING' || hook === 'OUTPUT';
    const { isReply } = packet;
    // In the reply direction each binding is undone at the other kind of hook.
    const isBound = isDestination !== isReply ? connection.isDestinationNat : connection.isSourceNat;
    if (!isBound) return;
    const before = this.namespace.trace.isOn ? snapshotOf(packet) : undefined;
    const other = isReply ? connection.original : connection.reply;
    if (packet.isRelated) rewriteError(packet, other, isDestination);
    else if (isDestination) {
      packet.destination = other.source;
      if (packet.protocol === PROTO_ICMP) packet.icmpId = other.sourcePort;
      else packet.destinationPort = other.sourcePort;
    } else {
      packet.source = other.destination;
      if (packet.protocol === PROTO_ICMP) packet.icmpId = other.sourcePort;
      else packet.sourcePort = other.destinationPort;
    }
    if (before !== undefined) {
      const after = snapshotOf(packet);
      const target = isDestination
        ? `${after.destination}:${after.destinationPort}`
        : `${after.source}:${after.sourcePort}`;
      const reason = isReply ? 'nat-reverse' : isDestination ? 'dnat' : 'snat';
      this.namespace.stack.trace(packet, 'nat', { hook, before, after, decision: target, reason });
    }
  }
}

/** The quoted packet goes the other way, so its other end is rewritten. */
function rewriteError(packet: Packet, other: Connection['reply'], isDestination: boolean): void {
  const original = packet.original!;
  const isIcmp = original.protocol === PROTO_ICMP;
  if (isDestination) {
    packet.destination = other.source;
    original.source = other.source;
    if (isIcmp) original.icmpId = other.sourcePort;
    else original.sourcePort = other.sourcePort;
  } else {
    packet.source = other.destination;
    original.destination = other.destination;
    if (isIcmp) original.icmpId = other.sourcePort;
    else original.destinationPort = other.destinationPort;
  }
}

function isInRange(range: NatRange, port: number): boolean {
  return range.portMin === 0 || (port >= range.portMin && port <= range.portMax);
}

/** Privileged ports stay privileged. */
function portsFor(connection: Connection, range: NatRange | undefined): readonly [number, number] {
  if (range !== undefined && range.portMin !== 0) return [range.portMin, range.portMax];
  if (connection.protocol === PROTO_ICMP) return [0, 65_535];
  const { sourcePort } = connection.original;
  if (sourcePort < 512) return [1, 511];
  return sourcePort < 1024 ? [600, 1023] : [1024, 65_535];
}

/** find_best_ips_proto: spreads sources over an address range, always the same way. */
function pickAddress(range: NatRange, source: number): number {
  const span = range.addressMax - range.addressMin + 1;
  return span <= 1 ? range.addressMin : range.addressMin + ((Math.imul(source, 0x9e3779b1) >>> 0) % span);
}
