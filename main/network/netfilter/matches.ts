// The match extensions: what `-m name` brings (iptables-extensions(8)).
import { PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_ICMP, type Packet } from '../ip/packet.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext, Match } from './match.ts';
import { RecentMatch } from './recent.ts';
import { SetMatch } from './set-match.ts';
import { hex, parseMark, parseNumber, parsePortRange, quote, serviceName, type Cursor } from './tokens.ts';

interface Ranged {
  readonly min: number;
  readonly max: number;
  readonly isInverted: boolean;
}

function rangeSpec(option: string, range: Ranged | undefined): string {
  if (range === undefined) return '';
  const text = range.min === range.max ? String(range.min) : `${range.min}:${range.max}`;
  return `${range.isInverted ? ' !' : ''} --${option} ${text}`;
}

function rangeText(label: string, range: Ranged | undefined, isNumeric: boolean): string {
  if (range === undefined) return '';
  const show = (port: number): string => (isNumeric ? String(port) : serviceName(port));
  const bang = range.isInverted ? '!' : '';
  return range.min === range.max
    ? ` ${label}:${bang}${show(range.min)}`
    : ` ${label}s:${bang}${show(range.min)}:${show(range.max)}`;
}

function inRange(range: Ranged | undefined, port: number): boolean {
  return range === undefined || (port >= range.min && port <= range.max) !== range.isInverted;
}

const TCP_FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const PRINT_ORDER = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

function flagsText(mask: number): string {
  if (mask === 0) return 'NONE';
  if (mask === 63) return PRINT_ORDER.join(',');
  return PRINT_ORDER.filter((name) => (mask & (1 << TCP_FLAG_NAMES.indexOf(name))) !== 0).join(',');
}

function parseFlags(text: string): number {
  if (text === 'NONE') return 0;
  if (text === 'ALL') return 63;
  return text.split(',').reduce((mask, name) => {
    const bit = TCP_FLAG_NAMES.indexOf(name.toUpperCase());
    if (bit < 0) throw new IptablesError(`Unknown TCP flag \`${name}'`);
    return mask | (1 << bit);
  }, 0);
}

/** tcp, udp and sctp: ports, and for TCP its flags. */
class PortMatch implements Match {
  readonly name: string;
  private readonly protocol: number;
  private source: Ranged | undefined;
  private destination: Ranged | undefined;
  private flags: { readonly mask: number; readonly value: number; readonly isInverted: boolean } | undefined;

  constructor(name: 'tcp' | 'udp' | 'sctp') {
    this.name = name;
    this.protocol = name === 'tcp' ? PROTO_TCP : name === 'udp' ? PROTO_UDP : PROTO_SCTP;
  }

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--sport' || name === '--source-port') this.source = this.range(cursor, name, isInverted);
    else if (name === '--dport' || name === '--destination-port')
      this.destination = this.range(cursor, name, isInverted);
    else if (this.name === 'tcp' && name === '--syn') this.flags = { mask: 23, value: 2, isInverted };
    else if (this.name === 'tcp' && name === '--tcp-flags') {
      const mask = parseFlags(cursor.argument(name));
      this.flags = { mask, value: parseFlags(cursor.argument(name)), isInverted };
    } else return false;
    return true;
  }

  private range(cursor: Cursor, name: string, isInverted: boolean): Ranged {
    const [min, max] = parsePortRange(cursor.argument(name));
    return { min, max, isInverted };
  }

  check(): void {}

  toSpec(): string {
    const { flags } = this;
    const flagSpec =
      flags === undefined
        ? ''
        : `${flags.isInverted ? ' !' : ''} --tcp-flags ${flagsText(flags.mask)} ${flagsText(flags.value)}`;
    return `${rangeSpec('sport', this.source)}${rangeSpec('dport', this.destination)}${flagSpec}`;
  }

  describe(isNumeric: boolean): string {
    const { flags } = this;
    const ports = `${rangeText('spt', this.source, isNumeric)}${rangeText('dpt', this.destination, isNumeric)}`;
    if (flags === undefined) return `${this.name}${ports}`;
    const bang = flags.isInverted ? '!' : '';
    return `${this.name}${ports} flags:${bang}${isNumeric ? hexByte(flags.mask) : flagsText(flags.mask)}/${
      isNumeric ? hexByte(flags.value) : flagsText(flags.value)
    }`;
  }

  matches(packet: Packet): boolean {
    if (packet.protocol !== this.protocol) return false;
    if (this.destination !== undefined && !inRange(this.destination, packet.destinationPort)) return false;
    if (this.source !== undefined && !inRange(this.source, packet.sourcePort)) return false;
    return (
      this.flags === undefined ||
      ((packet.flags & this.flags.mask) === this.flags.value) !== this.flags.isInverted
    );
  }
}

function hexByte(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, '0')}`;
}

class MultiportMatch implements Match {
  readonly name = 'multiport';
  private kind: 'sports' | 'dports' | 'ports' | undefined;
  private isInverted = false;
  private ranges: readonly (readonly [number, number])[] = [];

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    const kind = MULTIPORT_OPTIONS[name];
    if (kind === undefined) return false;
    this.kind = kind;
    this.isInverted = isInverted;
    this.ranges = cursor.argument(name).split(',').map(parsePortRange);
    if (this.ranges.length > 15) throw new IptablesError('too many ports specified');
    return true;
  }

  check(): void {
    if (this.kind === undefined) throw new IptablesError('multiport expects at least one option');
  }

  toSpec(): string {
    return `${this.isInverted ? ' !' : ''} --${this.kind} ${this.list()}`;
  }

  describe(isNumeric: boolean): string {
    const list = isNumeric
      ? this.list()
      : this.ranges.map(([min, max]) => (min === max ? serviceName(min) : `${min}:${max}`)).join(',');
    return `multiport ${this.kind} ${this.isInverted ? '!' : ''}${list}`;
  }

  private list(): string {
    return this.ranges.map(([min, max]) => (min === max ? min : `${min}:${max}`)).join(',');
  }

  matches(packet: Packet): boolean {
    const has = (port: number): boolean => this.ranges.some(([min, max]) => port >= min && port <= max);
    const { sourcePort, destinationPort } = packet;
    const isHit =
      (this.kind !== 'dports' && has(sourcePort)) || (this.kind !== 'sports' && has(destinationPort));
    return isHit !== this.isInverted;
  }
}

const MULTIPORT_OPTIONS: Readonly<Record<string, 'sports' | 'dports' | 'ports'>> = {
  '--sports': 'sports',
  '--source-ports': 'sports',
  '--dports': 'dports',
  '--destination-ports': 'dports',
  '--ports': 'ports',
};

class CommentMatch implements Match {
  readonly name = 'comment';
  private text: string | undefined;

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--comment') return false;
    this.text = cursor.argument(name);
    if (this.text.length > 255) throw new IptablesError('COMMENT must be shorter than 256 characters');
    return true;
  }

  check(): void {
    if (this.text === undefined) throw new IptablesError('comment: option "--comment" must be specified');
  }

  toSpec(): string {
    return ` --comment ${quote(this.text!)}`;
  }

  describe(): string {
    return `/* ${this.text} */`;
  }

  matches(): boolean {
    return true;
  }
}

const CT_STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const;
type CtState = (typeof CT_STATES)[number];

/** The state of a packet as `conntrack` and `state` see it. */
function stateOf(packet: Packet): CtState {
  if (packet.isUntracked) return 'UNTRACKED';
  const { connection } = packet;
  if (connection === undefined) return 'INVALID';
  if (packet.isRelated) return 'RELATED';
  return packet.isReply || connection.isSeenReply ? 'ESTABLISHED' : 'NEW';
}

/** conntrack (--ctstate) and its older sister state (--state). */
class StateMatch implements Match {
  readonly name: 'conntrack' | 'state';
  private states: ReadonlySet<CtState> = new Set();
  private isInverted = false;
  private direction: { readonly isReply: boolean } | undefined;

  constructor(name: 'conntrack' | 'state') {
    this.name = name;
  }

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (this.name === 'conntrack' && name === '--ctdir') {
      this.direction = { isReply: cursor.argument(name).toUpperCase() === 'REPLY' };
      return true;
    }
    if (name !== (this.name === 'state' ? '--state' : '--ctstate')) return false;
    const words = cursor
      .argument(name)
      .split(',')
      .map((word) => word.toUpperCase());
    for (const word of words) {
      if (!(CT_STATES as readonly string[]).includes(word)) throw new IptablesError(`Bad ctstate "${word}"`);
    }
    this.states = new Set(words as CtState[]);
    this.isInverted = isInverted;
    return true;
  }

  check(): void {
    if (this.states.size === 0 && this.direction === undefined) {
      throw new IptablesError(
        this.name === 'state' ? 'You must specify "--state"' : 'conntrack: At least one option is required',
      );
    }
  }

  private get list(): string {
    return CT_STATES.filter((state) => this.states.has(state)).join(',');
  }

  toSpec(): string {
    const direction =
      this.direction === undefined ? '' : ` --ctdir ${this.direction.isReply ? 'REPLY' : 'ORIGINAL'}`;
    if (this.states.size === 0) return direction;
    return `${this.isInverted ? ' !' : ''} --${this.name === 'state' ? 'state' : 'ctstate'} ${this.list}${direction}`;
  }

  describe(): string {
    const direction =
      this.direction === undefined ? '' : `ctdir ${this.direction.isReply ? 'REPLY' : 'ORIGINAL'}`;
    if (this.states.size === 0) return direction;
    const label = this.name === 'state' ? 'state' : 'ctstate';
    return `${this.isInverted ? '! ' : ''}${label} ${this.list}${direction === '' ? '' : ` ${direction}`}`;
  }

  matches(packet: Packet): boolean {
    if (this.direction !== undefined && packet.isReply !== this.direction.isReply) return false;
    return this.states.size === 0 || this.isHit(packet) !== this.isInverted;
  }

  private isHit(packet: Packet): boolean {
    const { connection } = packet;
    if (connection !== undefined) {
      if (connection.isSourceNat && this.states.has('SNAT')) return true;
      if (connection.isDestinationNat && this.states.has('DNAT')) return true;
    }
    return this.states.has(stateOf(packet));
  }
}

/** mark and connmark. */
class MarkMatch implements Match {
  readonly name: 'mark' | 'connmark';
  private mark = { value: 0, mask: 0 };
  private isInverted = false;
  private isGiven = false;

  constructor(name: 'mark' | 'connmark') {
    this.name = name;
  }

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--mark') return false;
    this.mark = parseMark(cursor.argument(name), 'mark');
    this.isInverted = isInverted;
    this.isGiven = true;
    return true;
  }

  check(): void {
    if (!this.isGiven) throw new IptablesError(`${this.name}: option "--mark" must be specified`);
  }

  private get text(): string {
    const { value, mask } = this.mark;
    return mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`;
  }

  toSpec(): string {
    return `${this.isInverted ? ' !' : ''} --mark ${this.text}`;
  }

  describe(): string {
    return `${this.name} match ${this.isInverted ? '! ' : ''}${this.text}`.replace('match ! ', 'match ! ');
  }

  matches(packet: Packet): boolean {
    const mark = this.name === 'mark' ? packet.mark : (packet.connection?.mark ?? 0);
    return ((mark & this.mark.mask) >>> 0 === this.mark.value) !== this.isInverted;
  }
}

class StatisticMatch implements Match {
  readonly name = 'statistic';
  private mode: 'random' | 'nth' | undefined;
  private isInverted = false;
  /** Of 2^31, as the kernel keeps it. */
  private probability = 0;
  private every = 0;
  private packet = 0;
  private count = 0;

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--mode') {
      const mode = cursor.argument(name);
      if (mode !== 'random' && mode !== 'nth') throw new IptablesError(`statistic: Bad mode "${mode}"`);
      this.mode = mode;
    } else if (name === '--probability') {
      const value = Number(cursor.argument(name));
      if (!(value >= 0 && value <= 1))
        throw new IptablesError('statistic: bad value for "--probability" option');
      this.probability = Math.round(value * 0x80000000);
      this.isInverted = isInverted;
    } else if (name === '--every') {
      this.every = parseNumber(cursor.argument(name), 0xffffffff, 'every');
      this.isInverted = isInverted;
    } else if (name === '--packet') {
      this.packet = parseNumber(cursor.argument(name), 0xffffffff, 'packet');
      this.count = this.every - this.packet - 1;
    } else return false;
    return true;
  }

  check(): void {
    if (this.mode === undefined) throw new IptablesError('statistic: option "--mode" must be specified');
    if (this.mode === 'nth' && this.every === 0)
      throw new IptablesError('statistic: option "--every" must be specified');
    if (this.mode === 'nth') this.count = this.every - this.packet - 1;
  }

  private get value(): string {
    return (this.probability / 0x80000000).toFixed(11);
  }

  toSpec(): string {
    const bang = this.isInverted ? ' !' : '';
    if (this.mode === 'random') return ` --mode random${bang} --probability ${this.value}`;
    return ` --mode nth${bang} --every ${this.every} --packet ${this.packet}`;
  }

  describe(): string {
    const bang = this.isInverted ? ' !' : '';
    if (this.mode === 'random') return `statistic mode random${bang} probability ${this.value}`;
    return `statistic mode nth${bang} every ${this.every}${this.packet === 0 ? '' : ` packet ${this.packet}`}`;
  }

  matches(_packet: Packet, { namespace }: HookContext): boolean {
    if (this.mode === 'random')
      return namespace.random.integer(0x80000000) < this.probability !== this.isInverted;
    // xt_statistic: the counter starts at every - packet - 1 and fires when it reaches every - 1.
    const isHit = this.count === this.every - 1;
    this.count = isHit ? 0 : this.count + 1;
    return isHit !== this.isInverted;
  }
}

const ADDRESS_TYPES: Readonly<Record<string, string>> = {
  LOCAL: 'local',
  UNICAST: 'unicast',
  BROADCAST: 'broadcast',
  MULTICAST: 'multicast',
};

class AddrtypeMatch implements Match {
  readonly name = 'addrtype';
  private source: { readonly types: readonly string[]; readonly isInverted: boolean } | undefined;
  private destination: { readonly types: readonly string[]; readonly isInverted: boolean } | undefined;
  private limit: 'in' | 'out' | undefined;

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--src-type') this.source = { types: this.parse(cursor.argument(name)), isInverted };
    else if (name === '--dst-type')
      this.destination = { types: this.parse(cursor.argument(name)), isInverted };
    else if (name === '--limit-iface-in') this.limit = 'in';
    else if (name === '--limit-iface-out') this.limit = 'out';
    else return false;
    return true;
  }

  private parse(text: string): string[] {
    return text.split(',').map((word) => {
      const name = word.toUpperCase();
      if (ADDRESS_TYPES[name] === undefined) throw new IptablesError(`addrtype: bad type \`${word}'`);
      return name;
    });
  }

  check(): void {
    if (this.source === undefined && this.destination === undefined) {
      throw new IptablesError('addrtype: you must specify --src-type or --dst-type');
    }
  }

  toSpec(): string {
    const part = (option: string, wanted: typeof this.source): string =>
      wanted === undefined ? '' : `${wanted.isInverted ? ' !' : ''} --${option} ${wanted.types.join(',')}`;
    const limit = this.limit === undefined ? '' : ` --limit-iface-${this.limit}`;
    return `${part('src-type', this.source)}${part('dst-type', this.destination)}${limit}`;
  }

  describe(): string {
    const part = (label: string, wanted: typeof this.source): string =>
      wanted === undefined ? '' : ` ${label} ${wanted.isInverted ? '!' : ''}${wanted.types.join(',')}`;
    const limit = this.limit === undefined ? '' : ` limit-${this.limit}`;
    return `ADDRTYPE match${part('src-type', this.source)}${part('dst-type', this.destination)}${limit}`;
  }

  matches(packet: Packet, { namespace }: HookContext): boolean {
    const { routes } = namespace;
    const fits = (wanted: NonNullable<typeof this.source>, address: number): boolean => {
      const type = routes.addressType(address).toUpperCase();
      return wanted.types.includes(type) !== wanted.isInverted;
    };
    return (
      (this.source === undefined || fits(this.source, packet.source)) &&
      (this.destination === undefined || fits(this.destination, packet.destination))
    );
  }
}

/** physdev: the bridge ports. Only whether a packet is bridged is known here, not by which ports. */
class PhysdevMatch implements Match {
  readonly name = 'physdev';
  private readonly options: string[] = [];

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (!name.startsWith('--physdev-')) return false;
    const value = name === '--physdev-in' || name === '--physdev-out' ? ` ${cursor.argument(name)}` : '';
    this.options.push(`${isInverted ? '! ' : ''}${name}${value}`);
    return true;
  }

  check(): void {
    if (this.options.length === 0) throw new IptablesError('PHYSDEV: no physdev option specified');
  }

  toSpec(): string {
    return ` ${this.options.join(' ')}`;
  }

  describe(): string {
    return `PHYSDEV match ${this.options.join(' ')}`;
  }

  matches(_packet: Packet, { inLink, outLink }: HookContext): boolean {
    const isBridged = inLink !== undefined && inLink === outLink && inLink.kind === 'bridge';
    return this.options.every((option) => {
      if (option.endsWith('--physdev-is-bridged')) return isBridged !== option.startsWith('!');
      return isBridged; // Differs: which port it was isn't compared.
    });
  }
}

const ICMP_TYPES: Readonly<Record<string, readonly [type: number, code: number]>> = {
  any: [255, 255],
  'echo-reply': [0, 255],
  pong: [0, 255],
  'destination-unreachable': [3, 255],
  'network-unreachable': [3, 0],
  'host-unreachable': [3, 1],
  'protocol-unreachable': [3, 2],
  'port-unreachable': [3, 3],
  'fragmentation-needed': [3, 4],
  redirect: [5, 255],
  'echo-request': [8, 255],
  ping: [8, 255],
  'time-exceeded': [11, 255],
  'ttl-zero-during-transit': [11, 0],
};

class IcmpMatch implements Match {
  readonly name = 'icmp';
  private type = 255;
  private code = 255;
  private isInverted = false;

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--icmp-type') return false;
    const text = cursor.argument(name);
    const named = ICMP_TYPES[text.toLowerCase()];
    if (named !== undefined) [this.type, this.code] = named;
    else {
      const match = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text);
      if (match === null) throw new IptablesError(`Unknown ICMP type \`${text}'`);
      this.type = Number(match[1]);
      this.code = match[2] === undefined ? 255 : Number(match[2]);
    }
    this.isInverted = isInverted;
    return true;
  }

  check(): void {}

  toSpec(): string {
    const value = this.type === 255 ? 'any' : `${this.type}${this.code === 255 ? '' : `/${this.code}`}`;
    return `${this.isInverted ? ' !' : ''} --icmp-type ${value}`;
  }

  describe(): string {
    const bang = this.isInverted ? '!' : '';
    return `icmp${this.type === 255 ? '' : `type ${bang}${this.type}`}${this.code === 255 ? '' : ` code ${this.code}`}`;
  }

  matches(packet: Packet): boolean {
    if (packet.protocol !== PROTO_ICMP) return false;
    const isType = this.type === 255 || packet.icmpType === this.type;
    return (isType && (this.code === 255 || packet.icmpCode === this.code)) !== this.isInverted;
  }
}

const LIMIT_UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['min', 60],
  ['sec', 1],
];
const LIMIT_UNIT_NAMES: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A token bucket (xt_limit). */
class LimitMatch implements Match {
  readonly name = 'limit';
  private perSecond = 3 / 3600;
  private burst = 5;
  private tokens = -1;
  private filledMs = 0;

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--limit') {
      const text = cursor.argument(name);
      const match = /^(\d+)(?:\/([smhd])\w*)?$/.exec(text);
      if (match === null || Number(match[1]) === 0) throw new IptablesError(`bad rate "${text}"`);
      this.perSecond = Number(match[1]) / LIMIT_UNIT_NAMES[match[2] ?? 's']!;
    } else if (name === '--limit-burst')
      this.burst = parseNumber(cursor.argument(name), 10_000, 'limit-burst');
    else return false;
    return true;
  }

  check(): void {}

  private get rate(): string {
    const [unit, seconds] = LIMIT_UNITS.find(([, each]) =>
      Number.isInteger(round(this.perSecond * each)),
    ) ?? ['sec', 1];
    const better = LIMIT_UNITS.toReversed().find(([, each]) =>
      Number.isInteger(round(this.perSecond * each)),
    );
    const [name, length] = better ?? [unit, seconds];
    return `${round(this.perSecond * length)}/${name}`;
  }

  toSpec(): string {
    return ` --limit ${this.rate}${this.burst === 5 ? '' : ` --limit-burst ${this.burst}`}`;
  }

  describe(): string {
    return `limit: avg ${this.rate} burst ${this.burst}`;
  }

  matches(_packet: Packet, { namespace }: HookContext): boolean {
    const now = namespace.clock.now();
    if (this.tokens < 0) this.tokens = this.burst;
    else this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledMs) / 1000) * this.perSecond);
    this.filledMs = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** nfacct: a named counter beside the rule's own. */
class NfacctMatch implements Match {
  readonly name = 'nfacct';
  private counter: string | undefined;

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--nfacct-name') return false;
    this.counter = cursor.argument(name);
    return true;
  }

  check(): void {
    if (this.counter === undefined)
      throw new IptablesError('nfacct: option "--nfacct-name" must be specified');
  }

  toSpec(): string {
    return ` --nfacct-name  ${this.counter}`; // Two blanks, as the real one prints.
  }

  describe(): string {
    return `nfacct-name  ${this.counter}`;
  }

  matches(packet: Packet, { namespace }: HookContext): boolean {
    namespace.netfilter.countAccounting(this.counter!, packet.length);
    return true;
  }
}

/** A new match by extension name; undefined if there is none such. */
export function makeMatch(name: string): Match | undefined {
  switch (name) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return new PortMatch(name);
    case 'multiport':
      return new MultiportMatch();
    case 'comment':
      return new CommentMatch();
    case 'conntrack':
    case 'state':
      return new StateMatch(name);
    case 'mark':
    case 'connmark':
      return new MarkMatch(name);
    case 'statistic':
      return new StatisticMatch();
    case 'recent':
      return new RecentMatch();
    case 'set':
      return new SetMatch();
    case 'addrtype':
      return new AddrtypeMatch();
    case 'physdev':
      return new PhysdevMatch();
    case 'icmp':
      return new IcmpMatch();
    case 'limit':
      return new LimitMatch();
    case 'nfacct':
      return new NfacctMatch();
    default:
      return undefined;
  }
}

/** The match that `-p name` loads when one of its options is seen. */
export function protocolMatch(protocol: number): string | undefined {
  return protocol === PROTO_TCP
    ? 'tcp'
    : protocol === PROTO_UDP
      ? 'udp'
      : protocol === PROTO_SCTP
        ? 'sctp'
        : protocol === PROTO_ICMP
          ? 'icmp'
          : undefined;
}
