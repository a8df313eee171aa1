// pcap-filter(7): the expressions that choose packets.
import {
  cidrContains,
  maskOf,
  parseCidr,
  parseIpv4,
  protocolNumber,
  type Cidr,
} from '../../../network/index.ts';
import { servicePort } from '../../libc/index.ts';
import type { Dissected } from './tcpdump-dissect.ts';

export type Filter = (packet: Dissected) => boolean;

/** An expression that makes no sense, in libpcap's words. */
export class FilterError extends Error {}

type Direction = 'src' | 'dst' | 'either' | 'both';
type Kind = 'host' | 'net' | 'port' | 'portrange' | 'proto';
type Protocol = 'ether' | 'ip' | 'arp' | 'rarp' | 'tcp' | 'udp' | 'icmp' | 'ip6' | 'icmp6' | 'sctp';

interface Qualifiers {
  readonly protocol: Protocol | undefined;
  readonly direction: Direction;
  readonly kind: Kind;
}

const PROTOCOLS: readonly string[] = [
  'ether',
  'ip',
  'arp',
  'rarp',
  'tcp',
  'udp',
  'icmp',
  'ip6',
  'icmp6',
  'sctp',
];
const KINDS: readonly string[] = ['host', 'net', 'port', 'portrange', 'proto'];

/** Named constants and offsets of pcap-filter(7). */
const CONSTANTS: Readonly<Record<string, number>> = {
  tcpflags: 13,
  icmptype: 0,
  icmpcode: 1,
  'tcp-fin': 1,
  'tcp-syn': 2,
  'tcp-rst': 4,
  'tcp-push': 8,
  'tcp-ack': 16,
  'tcp-urg': 32,
  'tcp-ece': 64,
  'tcp-cwr': 128,
  'icmp-echoreply': 0,
  'icmp-unreach': 3,
  'icmp-sourcequench': 4,
  'icmp-redirect': 5,
  'icmp-echo': 8,
  'icmp-timxceed': 11,
  'icmp-paramprob': 12,
};

const TOKENS =
  /\s*(?:(&&|\|\||<<|>>|<=|>=|==|!=|[()[\]!&|+\-*/%<>=^:])|([0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5})|((?:[\w.]|-(?=\w))+(?:\/[\d.]+)?))/y;

/** Compiles an expression; the empty one takes everything. `resolve` finds the addresses of a host's name. Throws FilterError. */
export function compileFilter(text: string, resolve: (name: string) => readonly string[]): Filter {
  const tokens: string[] = [];
  TOKENS.lastIndex = 0;
  const trimmed = text.trim();
  while (TOKENS.lastIndex < trimmed.length) {
    const match = TOKENS.exec(trimmed);
    if (match === null) throw new FilterError('syntax error');
    tokens.push(match[1] ?? match[2] ?? match[3]!);
  }
  if (tokens.length === 0) return () => true;
  const parser = new Parser(tokens, resolve);
  const filter = parser.expression();
  if (!parser.atEnd) throw new FilterError('syntax error');
  return filter;
}

/** The host names an expression mentions, to be resolved before it is compiled. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(/\bhost\s+([A-Za-z][\w.-]*)/g)].map(([, name]) => name!);
}

class Parser {
  private readonly tokens: readonly string[];
  private readonly resolve: (name: string) => readonly string[];
  private at = 0;
  private last: Qualifiers | undefined = undefined;

  constructor(tokens: readonly string[], resolve: (name: string) => readonly string[]) {
    this.tokens = tokens;
    this.resolve = resolve;
  }

  get atEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  private get next(): string | undefined {
    return this.tokens[this.at];
  }

  private take(...words: readonly string[]): boolean {
    if (this.next === undefined || !words.includes(this.next)) return false;
    this.at++;
    return true;
  }

  private expect(word: string): void {
    if (!this.take(word)) throw new FilterError('syntax error');
  }

  /** `and` and `or` have the same precedence and go left to right. */
  expression(): Filter {
    let left = this.term();
    for (;;) {
      const before = left;
      if (this.take('and', '&&')) {
        const right = this.term();
        left = (packet) => before(packet) && right(packet);
      } else if (this.take('or', '||')) {
        const right = this.term();
        left = (packet) => before(packet) || right(packet);
      } else return left;
    }
  }

  private term(): Filter {
    if (this.take('not', '!')) {
      const inner = this.term();
      return (packet) => !inner(packet);
    }
    if (this.isArithmetic()) return this.comparison();
    if (this.take('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    return this.primitive();
  }

  /** Whether a comparison of numbers begins here, and not a primitive or a group of primitives. */
  private isArithmetic(): boolean {
    const [word, after] = [this.next, this.tokens[this.at + 1]];
    if (word === undefined) return false;
    if (word === 'len' || after === '[') return true;
    if (/^(?:0x[\da-f]+|\d+)$/i.test(word))
      return after !== undefined && /^(?:[<>=&|+\-*/%^]|[<>=!]=|<<|>>)$/.test(after);
    if (word !== '(') return false;
    // A group: arithmetic if a comparison follows its end, or an arithmetic operator does.
    let depth = 0;
    for (let i = this.at; i < this.tokens.length; i++) {
      if (this.tokens[i] === '(') depth++;
      else if (this.tokens[i] === ')' && --depth === 0)
        return /^(?:[<>=&|+\-*/%^]|[<>=!]=|<<|>>)$/.test(this.tokens[i + 1] ?? '');
    }
    return false;
  }

  private comparison(): Filter {
    const left = this.arithmetic(0);
    const operator = this.tokens[this.at++] ?? '';
    const right = this.arithmetic(0);
    const compare = COMPARISONS[operator];
    if (compare === undefined) throw new FilterError('syntax error');
    return (packet) => {
      const [a, b] = [left(packet), right(packet)];
      return a !== undefined && b !== undefined && compare(a, b);
    };
  }

  private arithmetic(level: number): Value {
    const operators = LEVELS[level];
    if (operators === undefined) return this.atom();
    let left = this.arithmetic(level + 1);
    while (this.next !== undefined && operators.includes(this.next)) {
      const compute = OPERATORS[this.tokens[this.at++]!]!;
      const [before, right] = [left, this.arithmetic(level + 1)];
      left = (packet) => {
        const [a, b] = [before(packet), right(packet)];
        return a === undefined || b === undefined ? undefined : compute(a, b);
      };
    }
    return left;
  }

  private atom(): Value {
    if (this.take('(')) {
      const inner = this.arithmetic(0);
      this.expect(')');
      return inner;
    }
    const word = this.tokens[this.at++];
    if (word === undefined) throw new FilterError('syntax error');
    if (word === 'len') return (packet) => packet.lengthBytes;
    if (/^(?:0x[\da-f]+|\d+)$/i.test(word)) return () => Number(word);
    const constant = CONSTANTS[word];
    if (constant !== undefined) return () => constant;
    if (!PROTOCOLS.includes(word) || !this.take('[')) throw new FilterError('syntax error');
    const offset = this.arithmetic(0);
    let size = 1;
    if (this.take(':')) size = Number(this.tokens[this.at++]);
    this.expect(']');
    if (![1, 2, 4].includes(size)) throw new FilterError('data size must be 1, 2, or 4');
    const protocol = word as Protocol;
    return (packet) => {
      const start = startOf(packet, protocol);
      const by = offset(packet);
      if (start === undefined || by === undefined || start + by + size > packet.bytes.length)
        return undefined;
      return packet.bytes.readUIntBE(start + by, size);
    };
  }

  private primitive(): Filter {
    const word = this.next;
    if (word === undefined) throw new FilterError('syntax error');
    if (this.take('less', 'greater')) {
      const bound = Number(this.tokens[this.at++]);
      if (Number.isNaN(bound)) throw new FilterError('syntax error');
      return word === 'less'
        ? (packet) => packet.lengthBytes <= bound
        : (packet) => packet.lengthBytes >= bound;
    }
    if (this.take('broadcast')) return (packet) => packet.ethernet?.destination === 'ff:ff:ff:ff:ff:ff';
    if (this.take('multicast'))
      return ({ ethernet }) =>
        ethernet !== undefined && (Number.parseInt(ethernet.destination.slice(0, 2), 16) & 1) === 1;
    if (this.take('inbound')) return ({ cooked }) => cooked !== undefined && cooked.packetType !== 4;
    if (this.take('outbound')) return ({ cooked }) => cooked?.packetType === 4;
    if (this.take('vlan')) {
      const id = /^\d+$/.test(this.next ?? '') ? Number(this.tokens[this.at++]) : undefined;
      return ({ ethernet }) => ethernet?.vlan !== undefined && (id === undefined || ethernet.vlan === id);
    }
    const qualifiers = this.qualifiers();
    if (qualifiers === 'protocol') return protocolFilter(word as Protocol);
    const id = this.tokens[this.at++];
    if (id === undefined || /^[()&|!]/.test(id) || ['and', 'or', 'not'].includes(id))
      throw new FilterError('syntax error');
    this.last = qualifiers;
    return this.match(qualifiers, id);
  }

  /** `tcp dst port`, `src`, `net` …; 'protocol' for a protocol alone. */
  private qualifiers(): Qualifiers | 'protocol' {
    const begin = this.at;
    let protocol: Protocol | undefined;
    if (PROTOCOLS.includes(this.next ?? '')) protocol = this.tokens[this.at++] as Protocol;
    let direction: Direction | undefined;
    if (this.take('src', 'dst')) {
      direction = this.tokens[this.at - 1] as Direction;
      const [joint, other] = [this.next, this.tokens[this.at + 1]];
      if ((joint === 'or' || joint === 'and') && other === (direction === 'src' ? 'dst' : 'src')) {
        this.at += 2;
        direction = joint === 'or' ? 'either' : 'both';
      }
    }
    const kind = KINDS.includes(this.next ?? '') ? (this.tokens[this.at++] as Kind) : undefined;
    if (begin === this.at) {
      // A bare id takes the qualifiers of the one before: `port 80 or 443`.
      if (this.last !== undefined) return this.last;
      if (parseIpv4(this.next ?? '') === undefined) throw new FilterError('syntax error');
    }
    if (protocol !== undefined && direction === undefined && kind === undefined) return 'protocol';
    return { protocol, direction: direction ?? 'either', kind: kind ?? 'host' };
  }

  private match(qualifiers: Qualifiers, id: string): Filter {
    const { protocol, direction, kind } = qualifiers;
    const proto = protocol === undefined ? undefined : protocolFilter(protocol);
    const test = ((): Filter => {
      if (protocol === 'ether') return etherFilter(direction, kind, id);
      if (kind === 'host') return this.hosts(direction, id);
      if (kind === 'net') {
        const cidr = requireNet(id);
        return (packet) => eitherAddress(packet, direction, (address) => cidrContains(cidr, address));
      }
      if (kind === 'proto') {
        const number = protocolNumber(id) ?? Number(id);
        if (Number.isNaN(number)) throw new FilterError(`unknown ip proto '${id}'`);
        return (packet) => packet.ip?.protocol === number;
      }
      const [low, high] = requirePorts(kind, id);
      return ({ ports }) =>
        ports !== undefined &&
        choose(
          direction,
          ports.source >= low && ports.source <= high,
          ports.destination >= low && ports.destination <= high,
        );
    })();
    return proto === undefined ? test : (packet) => proto(packet) && test(packet);
  }

  private hosts(direction: Direction, id: string): Filter {
    const addresses = parseIpv4(id) === undefined ? this.resolve(id) : [id];
    if (addresses.length === 0) throw new FilterError(`unknown host '${id}'`);
    const wanted = new Set(addresses.map((each) => parseIpv4(each)));
    return (packet) => eitherAddress(packet, direction, (address) => wanted.has(address));
  }
}

type Value = (packet: Dissected) => number | undefined;

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '|': (a, b) => (a | b) >>> 0,
  '^': (a, b) => (a ^ b) >>> 0,
  '&': (a, b) => (a & b) >>> 0,
  '<<': (a, b) => (a << b) >>> 0,
  '>>': (a, b) => a >>> b,
  '+': (a, b) => (a + b) >>> 0,
  '-': (a, b) => (a - b) >>> 0,
  '*': (a, b) => Math.imul(a, b) >>> 0,
  '/': (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  '%': (a, b) => (b === 0 ? 0 : a % b),
};
const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

function choose(direction: Direction, source: boolean, destination: boolean): boolean {
  if (direction === 'src') return source;
  if (direction === 'dst') return destination;
  return direction === 'both' ? source && destination : source || destination;
}

function eitherAddress(
  { ip, arp }: Dissected,
  direction: Direction,
  test: (address: number) => boolean,
): boolean {
  const source = ip?.source ?? arp?.senderIp;
  const destination = ip?.destination ?? arp?.targetIp;
  if (source === undefined || destination === undefined) return false;
  return choose(direction, test(parseIpv4(source)!), test(parseIpv4(destination)!));
}

function protocolFilter(protocol: Protocol): Filter {
  switch (protocol) {
    case 'ether':
      return ({ ethernet }) => ethernet !== undefined;
    case 'ip':
      return ({ etherType }) => etherType === 0x0800;
    case 'arp':
      return ({ etherType }) => etherType === 0x0806;
    case 'rarp':
      return ({ etherType }) => etherType === 0x8035;
    case 'ip6':
      return ({ etherType }) => etherType === 0x86dd;
    case 'icmp6':
      return () => false;
    default: {
      const number = protocolNumber(protocol);
      return ({ ip }) => ip?.protocol === number;
    }
  }
}

function etherFilter(direction: Direction, kind: Kind, id: string): Filter {
  if (kind === 'proto') {
    const type = { ip: 0x0800, arp: 0x0806, rarp: 0x8035, ip6: 0x86dd }[id] ?? Number(id);
    return ({ etherType }) => etherType === type;
  }
  const mac = id
    .split(':')
    .map((pair) => pair.padStart(2, '0').toLowerCase())
    .join(':');
  if (!/^[\da-f]{2}(:[\da-f]{2}){5}$/.test(mac))
    throw new FilterError('ethernet address used in non-ether expression');
  return ({ ethernet }) =>
    ethernet !== undefined && choose(direction, ethernet.source === mac, ethernet.destination === mac);
}

function startOf(packet: Dissected, protocol: Protocol): number | undefined {
  if (protocol === 'ether') return 0;
  if (!protocolFilter(protocol)(packet)) return undefined;
  return protocol === 'ip' || protocol === 'arp' ? packet.networkAt : packet.transportAt;
}

/** `10.0.0.0/8`, `192.168.10` (a /24), `10` (a /8). */
function requireNet(id: string): Cidr {
  const [address = '', suffix] = id.split('/');
  const octets = address.split('.');
  const full = [...octets, '0', '0', '0'].slice(0, 4).join('.');
  const cidr = parseCidr(`${full}/${suffix ?? octets.length * 8}`);
  if (cidr === undefined) throw new FilterError(`unknown network '${id}'`);
  if (suffix !== undefined && (parseIpv4(full)! & maskOf(cidr.prefixLength)) >>> 0 !== parseIpv4(full))
    throw new FilterError(`non-network bits set in "${id}"`);
  return cidr;
}

function requirePorts(kind: Kind, id: string): [low: number, high: number] {
  const range = kind === 'portrange' ? /^(\d+)-(\d+)$/.exec(id) : null;
  if (range !== null) return [Number(range[1]), Number(range[2])];
  const port = /^\d+$/.test(id) ? Number(id) : servicePort(id);
  if (port === undefined) throw new FilterError(`unknown port '${id}'`);
  if (port > 65_535) throw new FilterError(`illegal port number ${port} > 65535`);
  return [port, port];
}
