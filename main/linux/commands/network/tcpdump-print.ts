// tcpdump's lines about a packet, as its printers of ARP, IPv4, TCP, UDP, ICMP and VXLAN write them.
import { protocolName } from '../../../network/index.ts';
import { serviceName } from '../../libc/index.ts';
import { LINKTYPE_ETHERNET } from './pcap.ts';
import { dissect, type ArpHeader, type Dissected, type Ipv4Header } from './tcpdump-dissect.ts';
import { dnsText } from './tcpdump-dns.ts';

export interface PrintOptions {
  readonly numeric: boolean;
  readonly verbosity: number;
  /** -e */
  readonly linkHeader: boolean;
  /** -q */
  readonly quick: boolean;
  /** -S */
  readonly absoluteSequence: boolean;
  /** The name of an address, as far as it is known. */
  readonly nameOf: (address: string) => string;
  readonly interfaceName: (index: number) => string;
}

const ETHER_TYPES: Readonly<Record<number, string>> = { 0x0800: 'IPv4', 0x0806: 'ARP', 0x86dd: 'IPv6' };
const COOKED_TYPES = ['In', 'B', 'M', 'P', 'Out'];
const TCP_FLAGS = [
  [1, 'F'],
  [2, 'S'],
  [4, 'R'],
  [8, 'P'],
  [16, '.'],
  [32, 'U'],
  [64, 'E'],
  [128, 'W'],
] as const;
const HTTP_PORTS = [80, 8080, 3128];
const HTTP_WORDS =
  /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|NOTIFY|SUBSCRIBE|UNSUBSCRIBE|M-SEARCH|HTTP\/\S*|RTSP\/\S*)$/;

interface Conversation {
  readonly lowSequence: number;
  readonly highSequence: number;
}

export class PacketPrinter {
  private readonly options: PrintOptions;
  /** Starts of sequence numbers by conversation, as seen from its lower end. */
  private readonly conversations = new Map<string, Conversation>();

  constructor(options: PrintOptions) {
    this.options = options;
  }

  /** Everything after the time, without the final newline. */
  text(packet: Dissected): string {
    const { ethernet, cooked } = packet;
    const { linkHeader } = this.options;
    if (cooked !== undefined) {
      const name = this.options.interfaceName(cooked.interfaceIndex).padEnd(5);
      const type = (COOKED_TYPES[cooked.packetType] ?? '?').padEnd(3);
      const link = linkHeader
        ? `ifindex ${cooked.interfaceIndex} ${cooked.address} ethertype ${etherTypeText(packet.etherType)}, length ${packet.lengthBytes}: `
        : '';
      return `${name} ${type} ${link}${this.network(packet, !linkHeader)}`;
    }
    if (ethernet === undefined || !linkHeader) return this.network(packet, true);
    const tag =
      ethernet.vlan === undefined
        ? `ethertype ${etherTypeText(ethernet.etherType)}, length ${packet.lengthBytes}: `
        : `ethertype 802.1Q (0x8100), length ${packet.lengthBytes}: vlan ${ethernet.vlan}, p 0, ethertype ${etherTypeText(ethernet.etherType)}, `;
    return `${ethernet.source} > ${ethernet.destination}, ${tag}${this.network(packet, false)}`;
  }

  private network(packet: Dissected, named: boolean): string {
    if (packet.arp !== undefined) return `${named ? 'ARP, ' : ''}${this.arp(packet.arp)}`;
    if (packet.ip !== undefined) return `${named ? 'IP ' : ''}${this.ip(packet, packet.ip)}`;
    return `${named ? 'unknown ' : ''}ethertype 0x${packet.etherType.toString(16).padStart(4, '0')}, length ${packet.lengthBytes}`;
  }

  private arp(arp: ArpHeader): string {
    const { nameOf, verbosity } = this.options;
    const prefix = verbosity > 0 ? 'Ethernet (len 6), IPv4 (len 4), ' : '';
    const length = `, length ${arp.lengthBytes}`;
    if (arp.operation === 2) return `${prefix}Reply ${nameOf(arp.senderIp)} is-at ${arp.senderMac}${length}`;
    const target = arp.targetMac === '00:00:00:00:00:00' ? '' : ` (${arp.targetMac})`;
    return `${prefix}Request who-has ${nameOf(arp.targetIp)}${target} tell ${nameOf(arp.senderIp)}${length}`;
  }

  private ip(packet: Dissected, ip: Ipv4Header): string {
    const { verbosity } = this.options;
    const lines = verbosity > 0 ? `(${headerText(ip)})\n    ` : '';
    const at = packet.transportAt;
    if (at === undefined)
      return `${lines}${this.end(ip.source)} > ${this.end(ip.destination)}: ${protocolText(ip.protocol).toLowerCase()}`;
    const end = Math.min(packet.bytes.length, packet.networkAt + ip.lengthBytes);
    const body = packet.bytes.subarray(at, end);
    const length = ip.lengthBytes - (at - packet.networkAt);
    const { ports } = packet;
    const ends = (source?: number, destination?: number, protocol = 'tcp'): string =>
      `${lines}${this.end(ip.source, source, protocol)} > ${this.end(ip.destination, destination, protocol)}: `;
    switch (ip.protocol) {
      case 6:
        if (ports === undefined || body.length < 20) return `${ends()}[|tcp]`;
        return `${ends(ports.source, ports.destination)}${this.tcp(ip, body, length)}`;
      case 17:
        if (ports === undefined || body.length < 8) return `${ends()}[|udp]`;
        return `${ends(ports.source, ports.destination, 'udp')}${this.udp(body, ports, length)}`;
      case 1:
        return `${ends()}${this.icmp(body, length)}`;
      case 4:
        return `${ends()}IP ${this.inner(body, length)}`;
      default:
        return `${ends()} ${protocolText(ip.protocol).toLowerCase()} ${length}`;
    }
  }

  /** An IP packet inside another, or quoted by ICMP. */
  private inner(bytes: Buffer, length: number): string {
    const packet = dissect(bytes, -1, length);
    return packet.ip === undefined ? '[|ip]' : this.ip(packet, packet.ip);
  }

  private end(address: string, port?: number, _protocol?: string): string {
    const name = this.options.nameOf(address);
    if (port === undefined) return name;
    return `${name}.${(this.options.numeric ? undefined : serviceName(port)) ?? port}`;
  }

  private tcp(ip: Ipv4Header, segment: Buffer, length: number): string {
    const headerLength = (segment[12]! >> 4) * 4;
    const dataLength = length - headerLength;
    if (this.options.quick) return `tcp ${dataLength}`;
    const flags = segment[13]!;
    const letters = TCP_FLAGS.filter(([bit]) => (flags & bit) !== 0)
      .map(([, letter]) => letter)
      .join('');
    const { sequence, acknowledgement } = this.relative(ip, segment, flags);
    const checked = this.options.verbosity > 0 ? `, cksum 0x${hex4(segment.readUInt16BE(16))} (correct)` : '';
    const span = dataLength > 0 ? `:${(sequence + dataLength) >>> 0}` : '';
    const shown = dataLength > 0 || (flags & 7) !== 0 || this.options.verbosity > 1;
    const options = optionsText(segment.subarray(20, headerLength));
    return `Flags [${letters === '' ? 'none' : letters}]${checked}${shown ? `, seq ${sequence}${span}` : ''}${(flags & 16) === 0 ? '' : `, ack ${acknowledgement}`}, win ${segment.readUInt16BE(14)}${(flags & 32) === 0 ? '' : `, urg ${segment.readUInt16BE(18)}`}${options === '' ? '' : `, options [${options}]`}, length ${dataLength}${dataLength > 0 ? this.tcpData(segment, headerLength) : ''}`;
  }

  /** Numbers counted from the first ones seen, as tcp_print does. */
  private relative(
    ip: Ipv4Header,
    segment: Buffer,
    flags: number,
  ): { sequence: number; acknowledgement: number } {
    const sequence = segment.readUInt32BE(4);
    const acknowledgement = segment.readUInt32BE(8);
    if (this.options.absoluteSequence || (flags & 16) === 0) return { sequence, acknowledgement };
    const from = `${ip.source}.${segment.readUInt16BE(0)}`;
    const to = `${ip.destination}.${segment.readUInt16BE(2)}`;
    const isLow = from < to;
    const key = isLow ? `${from} ${to}` : `${to} ${from}`;
    const known = this.conversations.get(key);
    if (known === undefined || (flags & 2) !== 0) {
      const other = (acknowledgement - 1) >>> 0;
      this.conversations.set(
        key,
        isLow
          ? { lowSequence: sequence, highSequence: other }
          : { lowSequence: other, highSequence: sequence },
      );
      return { sequence, acknowledgement };
    }
    const [own, other] = isLow
      ? [known.lowSequence, known.highSequence]
      : [known.highSequence, known.lowSequence];
    return { sequence: (sequence - own) >>> 0, acknowledgement: (acknowledgement - other) >>> 0 };
  }

  private tcpData(segment: Buffer, headerLength: number): string {
    const [source, destination] = [segment.readUInt16BE(0), segment.readUInt16BE(2)];
    const content = segment.subarray(headerLength);
    const is = (ports: readonly number[]): boolean => ports.includes(source) || ports.includes(destination);
    if (is(HTTP_PORTS)) return `: ${httpText(content, this.options.verbosity)}`;
    if (is([53])) {
      const text = dnsText(content.subarray(2), this.options.verbosity);
      return text === undefined ? '' : ` ${text}`;
    }
    return '';
  }

  private udp(
    datagram: Buffer,
    ports: { readonly source: number; readonly destination: number },
    length: number,
  ): string {
    const dataLength = length - 8;
    if (this.options.quick) return `UDP, length ${dataLength}`;
    const content = datagram.subarray(8);
    const is = (...wanted: number[]): boolean =>
      wanted.includes(ports.source) || wanted.includes(ports.destination);
    const checked = this.options.verbosity > 1 ? '[udp sum ok] ' : '';
    if (is(53, 5353)) {
      const text = dnsText(content, this.options.verbosity);
      if (text !== undefined) return checked + text;
    }
    if (is(8472, 4789) && content.length >= 8) {
      const vni = content.readUIntBE(4, 3);
      const head = is(8472)
        ? `OTV, flags [${(content[0]! & 8) === 0 ? '.' : 'I'}] (0x${content[0]!.toString(16).padStart(2, '0')}), overlay 0, instance ${vni}`
        : `VXLAN, flags [${(content[0]! & 8) === 0 ? '.' : 'I'}] (0x${content[0]!.toString(16).padStart(2, '0')}), vni ${vni}`;
      return `${checked}${head}\n${this.text(dissect(content.subarray(8), LINKTYPE_ETHERNET, dataLength - 8))}`;
    }
    return `${checked}UDP, length ${dataLength}`;
  }

  private icmp(message: Buffer, length: number): string {
    if (message.length < 8) return '[|icmp]';
    const [type, code] = [message[0]!, message[1]!];
    const tail = `, length ${length}`;
    const quoted =
      message.length >= 28 && this.options.verbosity > 0 && [3, 5, 11, 12].includes(type)
        ? `\n\tIP ${this.inner(message.subarray(8), length - 8)}`
        : '';
    if (type === 0 || type === 8)
      return `ICMP echo ${type === 8 ? 'request' : 'reply'}, id ${message.readUInt16BE(4)}, seq ${message.readUInt16BE(6)}${tail}`;
    if (type === 11)
      return `ICMP ${code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded'}${tail}${quoted}`;
    if (type === 3) return `ICMP ${this.unreachable(message, code)}${tail}${quoted}`;
    if (type === 5) return `ICMP redirect to host${tail}${quoted}`;
    return `ICMP type-#${type}${tail}`;
  }

  private unreachable(message: Buffer, code: number): string {
    const { ip, ports } = dissect(message.subarray(8), -1);
    const destination = this.options.nameOf(ip?.destination ?? '0.0.0.0');
    switch (code) {
      case 0:
        return `net ${destination} unreachable`;
      case 1:
        return `host ${destination} unreachable`;
      case 2:
        return `${destination} protocol ${ip?.protocol ?? 0} unreachable`;
      case 3: {
        const port = ports?.destination ?? 0;
        const name = (this.options.numeric ? undefined : serviceName(port)) ?? port;
        const protocol = protocolText(ip?.protocol ?? 0).toLowerCase();
        return `${destination} ${protocol} port ${name} unreachable`;
      }
      case 4:
        return `${destination} unreachable - need to frag (mtu ${message.readUInt16BE(6)})`;
      case 9:
        return `net ${destination} unreachable - admin prohibited`;
      case 10:
        return `host ${destination} unreachable - admin prohibited`;
      case 13:
        return `host ${destination} unreachable - admin prohibited filter`;
      default:
        return `${destination} unreachable - #${code}`;
    }
  }
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function etherTypeText(type: number): string {
  return `${ETHER_TYPES[type] ?? 'Unknown'} (0x${hex4(type)})`;
}

function protocolText(number: number): string {
  return number === 4 ? 'IPIP' : (protocolName(number) ?? `unknown`).toUpperCase();
}

function headerText(ip: Ipv4Header): string {
  const flags = [
    [4, '+'],
    [2, 'DF'],
    [1, '+'],
  ] as const;
  const shown = flags.filter(([bit]) => (ip.flags & bit) !== 0).map(([, text]) => text);
  return `tos 0x${ip.tos.toString(16)}, ttl ${ip.ttl}, id ${ip.id}, offset ${ip.fragmentOffset}, flags [${shown.length === 0 ? 'none' : shown.join('')}], proto ${protocolText(ip.protocol)} (${ip.protocol}), length ${ip.lengthBytes}`;
}

function optionsText(options: Buffer): string {
  const texts: string[] = [];
  for (let at = 0; at < options.length;) {
    const kind = options[at]!;
    if (kind === 0 || kind === 1) {
      texts.push(kind === 0 ? 'eol' : 'nop');
      at++;
      continue;
    }
    const size = options[at + 1] ?? 0;
    if (size < 2 || at + size > options.length) break;
    if (kind === 2) texts.push(`mss ${options.readUInt16BE(at + 2)}`);
    else if (kind === 3) texts.push(`wscale ${options[at + 2]}`);
    else if (kind === 4) texts.push('sackOK');
    else if (kind === 8)
      texts.push(`TS val ${options.readUInt32BE(at + 2)} ecr ${options.readUInt32BE(at + 6)}`);
    else texts.push(`unknown-${kind}`);
    at += size;
  }
  return texts.join(',');
}

/** The first line of a head; with -v all its lines. */
function httpText(content: Buffer, verbosity: number): string {
  const text = content.toString('latin1');
  const [first = ''] = text.split(/\r?\n/, 1);
  const isHead = HTTP_WORDS.test(first.split(' ', 1)[0] ?? '');
  if (verbosity === 0) return isHead ? `HTTP: ${first}` : 'HTTP';
  const length = `HTTP, length: ${content.length}`;
  if (!isHead) return length;
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return `${length}${lines.map((line) => `\n\t${line}`).join('')}`;
}

/** -x and -X: rows of sixteen bytes. */
export function hexRows(bytes: Buffer, withText: boolean): string {
  let rows = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const pairs = (row.toString('hex').match(/.{1,4}/g) ?? []).join(' ');
    const text = withText ? `  ${row.toString('latin1').replaceAll(/[^!-~]/g, '.')}` : '';
    rows += `\n\t0x${at.toString(16).padStart(4, '0')}:  ${withText ? pairs.padEnd(39) : pairs}${text}`;
  }
  return rows;
}

/** -A: printable characters, everything else a dot. */
export function asciiText(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\n\t -~]/g, '.');
}
