// ICMP (RFC 792): answers echo requests, sends errors, and hands errors and replies to the sockets they are about.
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { isMulticast } from './ipv4.ts';
import { Packet, PROTO_ICMP, PROTO_TCP, PROTO_UDP, TCP_RST } from './packet.ts';

const ICMP_ECHO_REPLY = 0;
const ICMP_UNREACHABLE = 3;
const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
const ICMP_TIME_EXCEEDED = 11;

/** Whether a type is about another packet. */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_UNREACHABLE ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === 4 ||
    type === 12
  );
}

export class IcmpLayer {
  private readonly namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  receive(packet: Packet, link: Link): void {
    const { sockets } = this.namespace;
    if (packet.icmpType === ICMP_ECHO_REQUEST) return this.echo(packet);
    if (packet.icmpType === ICMP_ECHO_REPLY) return sockets.echoes.receiveReply(packet);
    if (isIcmpError(packet.icmpType) && packet.original !== undefined) this.receiveError(packet, link);
  }

  private echo(request: Packet): void {
    const { sysctls, routes } = this.namespace;
    if (sysctls.number('net.ipv4.icmp_echo_ignore_all') === 1) return;
    const isForAll = routes.addressType(request.destination) !== 'local';
    if (isForAll && sysctls.number('net.ipv4.icmp_echo_ignore_broadcasts') === 1) return;
    const reply = new Packet();
    reply.protocol = PROTO_ICMP;
    reply.source = isForAll ? 0 : request.destination;
    reply.destination = request.source;
    reply.icmpType = ICMP_ECHO_REPLY;
    reply.icmpId = request.icmpId;
    reply.icmpSequence = request.icmpSequence;
    reply.payload = request.payload;
    reply.tos = request.tos;
    reply.mark = 0;
    this.namespace.stack.sendLocal(reply);
  }

  private receiveError(packet: Packet, _link: Link): void {
    const original = packet.original!;
    const { sockets, stack } = this.namespace;
    if (packet.icmpType === ICMP_UNREACHABLE && packet.icmpCode === 4 && packet.icmpMtu > 0) {
      stack.learnPathMtu(original.destination, packet.icmpMtu);
    }
    if (original.protocol === PROTO_TCP) sockets.tcp.receiveError(packet, original);
    else if (original.protocol === PROTO_UDP) sockets.udp.receiveError(packet, original);
    else if (original.protocol === PROTO_ICMP) sockets.echoes.receiveError(packet, original);
  }

  /** icmp_send: tells a packet's sender what went wrong with it; never about errors, broadcasts, or RSTs' absence. */
  error(about: Packet, type: number, code: number, inLink: Link | undefined, mtu = 0): void {
    if (about.protocol === PROTO_ICMP && isIcmpError(about.icmpType)) return;
    if (about.source === 0 || about.source === 0xffffffff || isMulticast(about.destination)) return;
    if (
      about.destination === 0xffffffff ||
      this.namespace.routes.addressType(about.destination) === 'broadcast'
    )
      return;
    const error = new Packet();
    error.protocol = PROTO_ICMP;
    error.destination = about.source;
    error.icmpType = type;
    error.icmpCode = code;
    error.icmpMtu = mtu;
    error.tos = 0xc0;
    error.original = about.clone();
    const { routes, stack } = this.namespace;
    if (inLink !== undefined && routes.addressType(about.destination) === 'local')
      error.source = about.destination;
    // Conntrack on the way out finds the connection by the quoted packet.
    stack.sendLocal(error);
  }

  /** `REJECT --reject-with tcp-reset` (nf_send_reset). */
  reset(about: Packet): void {
    if (about.protocol !== PROTO_TCP || (about.flags & TCP_RST) !== 0) return;
    this.namespace.stack.sendLocal(this.namespace.sockets.tcp.makeReset(about));
  }
}
