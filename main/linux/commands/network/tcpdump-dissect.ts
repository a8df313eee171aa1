// Takes captured bytes apart: link header, ARP, IPv4, TCP, UDP, ICMP. For tcpdump's printer and its filters.
import { formatIpv4 } from '../../../network/index.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2 } from './pcap.ts';

export interface EthernetHeader {
  readonly source: string;
  readonly destination: string;
  /** 802.1Q VLAN id. */
  readonly vlan: number | undefined;
  readonly etherType: number;
}

export interface CookedHeader {
  readonly interfaceIndex: number;
  /** packet(7): 0 to us, 1 broadcast, 2 multicast, 3 another host's, 4 outgoing. */
  readonly packetType: number;
  readonly address: string;
}

export interface ArpHeader {
  readonly operation: number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
  readonly lengthBytes: number;
}

export interface Ipv4Header {
  readonly tos: number;
  readonly lengthBytes: number;
  readonly id: number;
  readonly flags: number;
  /** In bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
}

/** One captured packet; offsets count from the start of `bytes`. */
export interface Dissected {
  readonly bytes: Buffer;
  readonly lengthBytes: number;
  readonly ethernet: EthernetHeader | undefined;
  readonly cooked: CookedHeader | undefined;
  readonly etherType: number;
  /** Where ARP or IP begins. */
  readonly networkAt: number;
  readonly arp: ArpHeader | undefined;
  readonly ip: Ipv4Header | undefined;
  /** Where TCP, UDP or ICMP begins; undefined without IP, and in later fragments. */
  readonly transportAt: number | undefined;
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
}

/** Protocol numbers with ports. */
const WITH_PORTS = [6, 17, 132];

function mac(bytes: Buffer, at: number): string {
  return (
    bytes
      .subarray(at, at + 6)
      .toString('hex')
      .match(/../g) ?? []
  ).join(':');
}

export function dissect(content: Uint8Array, linkType: number, lengthBytes = content.length): Dissected {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  let [networkAt, etherType] = [0, 0x0800];
  let ethernet: EthernetHeader | undefined;
  let cooked: CookedHeader | undefined;
  if (linkType === LINKTYPE_ETHERNET && bytes.length >= 14) {
    etherType = bytes.readUInt16BE(12);
    networkAt = 14;
    let vlan: number | undefined;
    if (etherType === 0x8100 && bytes.length >= 18) {
      vlan = bytes.readUInt16BE(14) & 0xfff;
      etherType = bytes.readUInt16BE(16);
      networkAt = 18;
    }
    ethernet = { destination: mac(bytes, 0), source: mac(bytes, 6), vlan, etherType };
  } else if (linkType === LINKTYPE_LINUX_SLL2 && bytes.length >= 20) {
    etherType = bytes.readUInt16BE(0);
    networkAt = 20;
    cooked = { interfaceIndex: bytes.readUInt32BE(4), packetType: bytes[10]!, address: mac(bytes, 12) };
  }
  const arp = etherType === 0x0806 ? readArp(bytes, networkAt) : undefined;
  const ip = etherType === 0x0800 ? readIpv4(bytes, networkAt) : undefined;
  const transportAt =
    ip === undefined || ip.fragmentOffset > 0 ? undefined : networkAt + (bytes[networkAt]! & 15) * 4;
  const ports =
    ip !== undefined &&
    transportAt !== undefined &&
    WITH_PORTS.includes(ip.protocol) &&
    bytes.length >= transportAt + 4
      ? { source: bytes.readUInt16BE(transportAt), destination: bytes.readUInt16BE(transportAt + 2) }
      : undefined;
  return { bytes, lengthBytes, ethernet, cooked, etherType, networkAt, arp, ip, transportAt, ports };
}

function readArp(bytes: Buffer, at: number): ArpHeader | undefined {
  if (bytes.length < at + 28) return undefined;
  return {
    operation: bytes.readUInt16BE(at + 6),
    senderMac: mac(bytes, at + 8),
    senderIp: formatIpv4(bytes.readUInt32BE(at + 14)),
    targetMac: mac(bytes, at + 18),
    targetIp: formatIpv4(bytes.readUInt32BE(at + 24)),
    lengthBytes: 28,
  };
}

function readIpv4(bytes: Buffer, at: number): Ipv4Header | undefined {
  if (bytes.length < at + 20 || bytes[at]! >> 4 !== 4) return undefined;
  const fragment = bytes.readUInt16BE(at + 6);
  return {
    tos: bytes[at + 1]!,
    lengthBytes: bytes.readUInt16BE(at + 2),
    id: bytes.readUInt16BE(at + 4),
    flags: fragment >> 13,
    fragmentOffset: (fragment & 0x1fff) * 8,
    ttl: bytes[at + 8]!,
    protocol: bytes[at + 9]!,
    source: formatIpv4(bytes.readUInt32BE(at + 12)),
    destination: formatIpv4(bytes.readUInt32BE(at + 16)),
  };
}
