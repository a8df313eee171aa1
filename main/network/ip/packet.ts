// An IPv4 packet on its way: header fields of IP and the transport in one object, plus what Linux keeps in the skb.
import type { Connection } from '../netfilter/connection.ts';
import type { Frame } from '../link/frame.ts';

export const PROTO_ICMP = 1;
export const PROTO_IPIP = 4;
export const PROTO_TCP = 6;
export const PROTO_UDP = 17;
export const PROTO_SCTP = 132;

export const TCP_FIN = 1;
export const TCP_SYN = 2;
export const TCP_RST = 4;
export const TCP_PSH = 8;
export const TCP_ACK = 16;
export const TCP_URG = 32;

const NO_BYTES = new Uint8Array(0);
const IP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const ICMP_HEADER_BYTES = 8;

/**
 * One packet. Exactly one owner at a time: hops change it in place (TTL, NAT, mark), and whoever wants to keep or
 * multiply it clones it. Checksums aren't kept: packet-bytes.ts computes them when somebody looks.
 */
export class Packet {
  /** The same through all hops and tunnels; given when it's first sent. Only for traces. */
  id = 0;
  source = 0;
  destination = 0;
  protocol = 0;
  ttl = 64;
  tos = 0;
  /** IP identification. */
  identification = 0;
  dontFragment = false;
  sourcePort = 0;
  destinationPort = 0;
  // TCP.
  sequence = 0;
  acknowledgement = 0;
  flags = 0;
  window = 0;
  /** SYN only: the MSS option. */
  mss = 0;
  /** SYN only: the window scale option, -1 for none. */
  windowScale = -1;
  // ICMP.
  icmpType = 0;
  icmpCode = 0;
  icmpId = 0;
  icmpSequence = 0;
  /** fragmentation-needed: the next hop's MTU. */
  icmpMtu = 0;
  /** ICMP errors: the packet they are about. */
  original: Packet | undefined = undefined;
  /** IPIP: the packet inside. */
  inner: Packet | undefined = undefined;
  /** VXLAN: the frame inside, and its network identifier. */
  vxlanFrame: Frame | undefined = undefined;
  vxlanId = 0;
  payload: Uint8Array = NO_BYTES;

  // What Linux keeps beside the packet; never crosses a link.
  mark = 0;
  connection: Connection | undefined = undefined;
  /** Which way along `connection`. */
  isReply = false;
  /** Conntrack said INVALID. */
  isInvalid = false;
  /** `-j NOTRACK`, or `-j CT --notrack`. */
  isUntracked = false;
  /** It is an ICMP error related to `connection`. */
  isRelated = false;
  /** br_netfilter has taken it through PREROUTING already. */
  isPreRouted = false;
  /** IPVS has handled it (skb->ipvs_property). */
  isIpvs = false;

  /** Length on the wire from the IP header on, in bytes. */
  get length(): number {
    return IP_HEADER_BYTES + this.transportLength;
  }

  /** TCP's header: 40 bytes with a SYN's options, 32 with timestamps, 20 in a RST without a connection. */
  get headerLength(): number {
    if ((this.flags & TCP_SYN) !== 0) return 40;
    return (this.flags & TCP_RST) !== 0 ? 20 : 32;
  }

  get transportLength(): number {
    switch (this.protocol) {
      case PROTO_TCP:
        return this.headerLength + this.payload.length;
      case PROTO_UDP:
        return (
          UDP_HEADER_BYTES +
          (this.vxlanFrame === undefined ? this.payload.length : 8 + frameLength(this.vxlanFrame))
        );
      case PROTO_ICMP:
        // An ICMP error quotes up to 576 bytes in all (RFC 1812, 4.3.2.3).
        if (this.original !== undefined) return ICMP_HEADER_BYTES + Math.min(548, this.original.length);
        return ICMP_HEADER_BYTES + this.payload.length;
      case PROTO_IPIP:
        return this.inner?.length ?? 0;
      default:
        return this.payload.length;
    }
  }

  /** A copy with the same id and without what doesn't cross links. */
  clone(): Packet {
    const copy = new Packet();
    copy.id = this.id;
    copy.source = this.source;
    copy.destination = this.destination;
    copy.protocol = this.protocol;
    copy.ttl = this.ttl;
    copy.tos = this.tos;
    copy.identification = this.identification;
    copy.dontFragment = this.dontFragment;
    copy.sourcePort = this.sourcePort;
    copy.destinationPort = this.destinationPort;
    copy.sequence = this.sequence;
    copy.acknowledgement = this.acknowledgement;
    copy.flags = this.flags;
    copy.window = this.window;
    copy.mss = this.mss;
    copy.windowScale = this.windowScale;
    copy.icmpType = this.icmpType;
    copy.icmpCode = this.icmpCode;
    copy.icmpId = this.icmpId;
    copy.icmpSequence = this.icmpSequence;
    copy.icmpMtu = this.icmpMtu;
    copy.original = this.original?.clone();
    copy.inner = this.inner?.clone();
    copy.vxlanFrame = this.vxlanFrame === undefined ? undefined : cloneFrame(this.vxlanFrame);
    copy.vxlanId = this.vxlanId;
    copy.payload = this.payload;
    return copy;
  }

  /** Forgets what belongs to the namespace it leaves (skb_scrub_packet). */
  scrub(): void {
    this.mark = 0;
    this.connection = undefined;
    this.isReply = false;
    this.isInvalid = false;
    this.isUntracked = false;
    this.isRelated = false;
    this.isIpvs = false;
    this.isPreRouted = false;
  }
}

/** Bytes of a frame with its Ethernet header, without padding. */
export function frameLength(frame: Frame): number {
  const { payload } = frame;
  return 14 + (frame.vlan === undefined ? 0 : 4) + (payload instanceof Packet ? payload.length : 28);
}

/** A copy that shares nothing that hops change. */
export function cloneFrame(frame: Frame): Frame {
  const { payload } = frame;
  return payload instanceof Packet ? { ...frame, payload: payload.clone() } : frame; // The rest never changes.
}
