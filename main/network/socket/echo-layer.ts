// ICMP echo sockets: what ping(8) opens.
import { disposable } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import { ICMP_ECHO_REQUEST } from '../ip/icmp.ts';
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import { Packet, PROTO_ICMP } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { SocketOwner } from './socket.ts';

export type EchoError =
  | 'net-unreachable'
  | 'host-unreachable'
  | 'protocol-unreachable'
  | 'port-unreachable'
  | 'fragmentation-needed'
  | 'prohibited'
  | 'time-exceeded';

/** A reply to an echo request, or an ICMP error about it. */
export type EchoReply =
  | {
      readonly kind: 'reply';
      readonly from: string;
      readonly sequence: number;
      readonly ttl: number;
      readonly roundTripMs: number;
      /** ICMP bytes: payload and 8 of header. */
      readonly sizeBytes: number;
      readonly isDuplicate: boolean;
    }
  | {
      readonly kind: 'error';
      readonly from: string;
      readonly sequence: number;
      readonly error: EchoError;
      readonly type: number;
      readonly code: number;
      /** Next-hop MTU for fragmentation-needed. */
      readonly mtu: number | undefined;
    };

export interface EchoRequest {
  readonly sequence: number;
  /** Payload, default 56. */
  readonly sizeBytes?: number;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
}

/** An ICMP echo socket: what ping(8) opens. */
export interface EchoSocket extends Disposable {
  readonly id: number;
  /** Sends an echo request. Throws ErrnoError ENETUNREACH, EMSGSIZE (DF and over the MTU), EPERM. */
  send(to: string, request: EchoRequest): void;
  /** The source address requests to a destination would have. Throws ENETUNREACH. */
  sourceFor(to: string): string;
  onReply: ((reply: EchoReply) => void) | undefined;
}

export interface EchoOptions {
  readonly source?: string;
  readonly device?: string;
  readonly owner?: SocketOwner;
}

const UNREACHABLE: readonly EchoError[] = [
  'net-unreachable',
  'host-unreachable',
  'protocol-unreachable',
  'port-unreachable',
  'fragmentation-needed',
];

export class EchoLayer {
  private readonly namespace: NetworkNamespace;
  private readonly sockets = new Map<number, OpenEcho>();

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  open(options: EchoOptions = {}): EchoSocket {
    let id = this.namespace.random.integer(65_535) + 1;
    while (this.sockets.has(id)) id = (id % 65_535) + 1;
    const echo = new OpenEcho(this.namespace, id, options, () => this.sockets.delete(id));
    this.sockets.set(id, echo);
    return echo;
  }

  list(): EchoSocket[] {
    return [...this.sockets.values()];
  }

  receiveReply(packet: Packet): void {
    this.sockets.get(packet.icmpId)?.receiveReply(packet);
  }

  receiveError(error: Packet, original: Packet): void {
    this.sockets.get(original.icmpId)?.receiveError(error, original);
  }
}

class OpenEcho implements EchoSocket {
  private readonly namespace: NetworkNamespace;
  readonly id: number;
  private readonly options: EchoOptions;
  private readonly closed: Disposable;
  private readonly sentMs = new Map<number, { atMs: number; replies: number }>();
  onReply: ((reply: EchoReply) => void) | undefined = undefined;

  constructor(namespace: NetworkNamespace, id: number, options: EchoOptions, onClose: () => void) {
    this.namespace = namespace;
    this.id = id;
    this.options = options;
    this.closed = disposable(onClose);
  }

  send(to: string, request: EchoRequest): void {
    const packet = new Packet();
    packet.protocol = PROTO_ICMP;
    packet.destination = requireIpv4(to);
    packet.source = this.options.source === undefined ? 0 : requireIpv4(this.options.source);
    packet.icmpType = ICMP_ECHO_REQUEST;
    packet.icmpId = this.id;
    packet.icmpSequence = request.sequence & 0xffff;
    packet.ttl = request.ttl ?? this.namespace.sysctls.number('net.ipv4.ip_default_ttl');
    packet.dontFragment = request.dontFragment ?? true;
    packet.payload = new Uint8Array(request.sizeBytes ?? 56);
    const mtu = this.namespace.stack.pathMtu(packet.destination, packet.source);
    if (request.dontFragment === undefined && packet.length > mtu) packet.dontFragment = false;
    this.sentMs.set(packet.icmpSequence, { atMs: this.namespace.clock.now(), replies: 0 });
    if (this.sentMs.size > 1024) this.sentMs.delete(this.sentMs.keys().next().value!);
    const failure = this.namespace.stack.sendLocal(packet, { link: this.link });
    if (failure !== undefined) throw new ErrnoError(failure);
  }

  sourceFor(to: string): string {
    if (this.options.source !== undefined) return this.options.source;
    const link = this.link;
    return this.namespace.routes.get({ destination: to, ...(link === undefined ? {} : { outLink: link }) })
      .source;
  }

  private get link() {
    return this.options.device === undefined ? undefined : this.namespace.links.require(this.options.device);
  }

  receiveReply(packet: Packet): void {
    const sent = this.sentMs.get(packet.icmpSequence);
    this.onReply?.({
      kind: 'reply',
      from: formatIpv4(packet.source),
      sequence: packet.icmpSequence,
      ttl: packet.ttl,
      roundTripMs: sent === undefined ? 0 : this.namespace.clock.now() - sent.atMs,
      sizeBytes: packet.payload.length + 8,
      isDuplicate: sent !== undefined && sent.replies++ > 0,
    });
  }

  receiveError(error: Packet, original: Packet): void {
    const { icmpType: type, icmpCode: code } = error;
    const named = type === 11 ? 'time-exceeded' : (UNREACHABLE[code] ?? 'prohibited');
    this.onReply?.({
      kind: 'error',
      from: formatIpv4(error.source),
      sequence: original.icmpSequence,
      error: named,
      type,
      code,
      mtu: type === 3 && code === 4 ? error.icmpMtu : undefined,
    });
  }

  [Symbol.dispose](): void {
    this.onReply = undefined;
    this.closed[Symbol.dispose]();
  }
}

function requireIpv4(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new ErrnoError('EINVAL');
  return address;
}
