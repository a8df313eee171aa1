// A packet's addresses in words, for traces.
import { formatIpv4 } from '../ip/ipv4.ts';
import {
  PROTO_ICMP,
  PROTO_TCP,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  type Packet,
} from '../ip/packet.ts';
import { protocolName } from '../ip/protocols.ts';
import type { FlowSnapshot } from './trace.ts';

export function snapshotOf(packet: Packet): FlowSnapshot {
  return {
    protocol: protocolName(packet.protocol),
    source: formatIpv4(packet.source),
    sourcePort: packet.sourcePort,
    destination: formatIpv4(packet.destination),
    destinationPort: packet.destinationPort,
    detail: detailOf(packet),
  };
}

function detailOf(packet: Packet): string {
  if (packet.protocol === PROTO_TCP) return tcpFlagsText(packet.flags);
  return packet.protocol === PROTO_ICMP ? icmpTypeName(packet.icmpType, packet.icmpCode) : '';
}

/** TCP flags as tcpdump prints them: `S`, `S.`, `P.`, `F.`, `R`, `.`. */
function tcpFlagsText(flags: number): string {
  let text = '';
  if ((flags & TCP_FIN) !== 0) text += 'F';
  if ((flags & TCP_SYN) !== 0) text += 'S';
  if ((flags & TCP_RST) !== 0) text += 'R';
  if ((flags & TCP_PSH) !== 0) text += 'P';
  if ((flags & TCP_URG) !== 0) text += 'U';
  if ((flags & TCP_ACK) !== 0) text += '.';
  return text === '' ? 'none' : text;
}

const UNREACHABLE_NAMES = [
  'network-unreachable',
  'host-unreachable',
  'protocol-unreachable',
  'port-unreachable',
  'fragmentation-needed',
];

/** iptables' names of ICMP types. */
function icmpTypeName(type: number, code: number): string {
  switch (type) {
    case 0:
      return 'echo-reply';
    case 3:
      return (
        UNREACHABLE_NAMES[code] ??
        (code === 13 ? 'communication-prohibited' : `destination-unreachable/${code}`)
      );
    case 5:
      return 'redirect';
    case 8:
      return 'echo-request';
    case 11:
      return 'time-exceeded';
    default:
      return `type-${type}`;
  }
}
