// Frames as bytes with right lengths and checksums, for tcpdump -X and -w. Off the packets' own way.
import { Packet, PROTO_ICMP, PROTO_IPIP, PROTO_TCP, PROTO_UDP, TCP_SYN } from '../ip/packet.ts';
import type { ArpMessage, Frame } from './frame.ts';

/** An Ethernet frame (without preamble, padding and FCS, as a capture has it). */
export function frameBytes(frame: Frame, timestampMs = 0): Uint8Array {
  const { payload } = frame;
  const body = payload instanceof Packet ? packetBytes(payload, timestampMs) : arpBytes(payload);
  const etherType = payload instanceof Packet ? 0x0800 : 0x0806;
  const tag = frame.vlan === undefined ? [] : [0x81, 0x00, frame.vlan >> 8, frame.vlan & 255];
  return concat(macBytes(frame.destination), macBytes(frame.source), tag, u16(etherType), body);
}

/** An IPv4 packet. `timestampMs` fills TCP's timestamps option. */
export function packetBytes(packet: Packet, timestampMs = 0): Uint8Array {
  const payload = transportBytes(packet, timestampMs);
  const flags = packet.dontFragment ? 0x4000 : 0;
  const head = concat(
    [0x45, packet.tos],
    u16(20 + payload.length),
    u16(packet.identification),
    u16(flags),
    [packet.ttl, packet.protocol, 0, 0],
    u32(packet.source),
    u32(packet.destination),
  );
  put16(head, 10, checksum(head));
  return concat(head, payload);
}

function transportBytes(packet: Packet, timestampMs: number): Uint8Array {
  switch (packet.protocol) {
    case PROTO_TCP:
      return tcpBytes(packet, timestampMs);
    case PROTO_UDP:
      return udpBytes(packet, timestampMs);
    case PROTO_ICMP:
      return icmpBytes(packet, timestampMs);
    case PROTO_IPIP:
      return packet.inner === undefined ? new Uint8Array(0) : packetBytes(packet.inner, timestampMs);
    default:
      return packet.payload;
  }
}

function tcpBytes(packet: Packet, timestampMs: number): Uint8Array {
  const timestamps = [8, 10, ...u32(Math.floor(timestampMs) >>> 0), ...u32(0)];
  const isSyn = (packet.flags & TCP_SYN) !== 0;
  // As Linux orders them: MSS, SACK permitted, timestamps, NOP, window scale; or NOP, NOP, timestamps.
  const options = isSyn
    ? [2, 4, ...u16(packet.mss), 4, 2, ...timestamps, 1, 3, 3, Math.max(0, packet.windowScale)]
    : packet.headerLength === 20
      ? []
      : [1, 1, ...timestamps];
  const segment = concat(
    u16(packet.sourcePort),
    u16(packet.destinationPort),
    u32(packet.sequence),
    u32(packet.acknowledgement),
    [((20 + options.length) / 4) << 4, packet.flags],
    u16(packet.window),
    [0, 0, 0, 0],
    options,
    packet.payload,
  );
  put16(segment, 16, checksum(concat(pseudoHeader(packet, segment.length), segment)));
  return segment;
}

function udpBytes(packet: Packet, timestampMs: number): Uint8Array {
  const inner =
    packet.vxlanFrame === undefined
      ? packet.payload
      : concat([8, 0, 0, 0], u32((packet.vxlanId << 8) >>> 0), frameBytes(packet.vxlanFrame, timestampMs));
  const datagram = concat(
    u16(packet.sourcePort),
    u16(packet.destinationPort),
    u16(8 + inner.length),
    [0, 0],
    inner,
  );
  const sum = checksum(concat(pseudoHeader(packet, datagram.length), datagram));
  put16(datagram, 6, sum === 0 ? 0xffff : sum);
  return datagram;
}

function icmpBytes(packet: Packet, timestampMs: number): Uint8Array {
  const { original } = packet;
  const rest =
    original === undefined
      ? [...u16(packet.icmpId), ...u16(packet.icmpSequence)]
      : [0, 0, ...u16(packet.icmpMtu)];
  const body = original === undefined ? packet.payload : packetBytes(original, timestampMs).subarray(0, 548);
  const message = concat([packet.icmpType, packet.icmpCode, 0, 0], rest, body);
  put16(message, 2, checksum(message));
  return message;
}

function arpBytes(message: ArpMessage): Uint8Array {
  const operation = message.operation === 'request' ? 1 : 2;
  return concat(
    [0, 1, 8, 0, 6, 4, 0, operation],
    macBytes(message.senderMac),
    u32(message.senderIp),
    macBytes(message.targetMac),
    u32(message.targetIp),
  );
}

function pseudoHeader(packet: Packet, length: number): Uint8Array {
  return concat(u32(packet.source), u32(packet.destination), [0, packet.protocol], u16(length));
}

/** The Internet checksum, RFC 1071. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function macBytes(mac: string): number[] {
  return mac.includes(':') ? mac.split(':').map((pair) => Number.parseInt(pair, 16)) : [0, 0, 0, 0, 0, 0];
}

function u16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value & 255;
}

function concat(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
