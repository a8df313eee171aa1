// The target extensions: what `-j NAME` brings (iptables-extensions(8)).
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import { PROTO_TCP, type Packet } from '../ip/packet.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext, Target, Verdict } from './match.ts';
import type { NatRange } from './nat.ts';
import { hex, parseMark, parseNumber, parsePort, quote, type Cursor } from './tokens.ts';

/** ACCEPT, DROP, RETURN. */
class VerdictTarget implements Target {
  readonly name: 'ACCEPT' | 'DROP' | 'RETURN';

  constructor(name: 'ACCEPT' | 'DROP' | 'RETURN') {
    this.name = name;
  }

  option(): boolean {
    return false;
  }

  check(): void {}

  toSpec(): string {
    return '';
  }

  describe(): string {
    return '';
  }

  apply(): Verdict {
    return this.name;
  }
}

const REJECT_TYPES: Readonly<Record<string, readonly [name: string, type: number, code: number]>> = {
  'icmp-net-unreachable': ['icmp-net-unreachable', 3, 0],
  'net-unreach': ['icmp-net-unreachable', 3, 0],
  'icmp-host-unreachable': ['icmp-host-unreachable', 3, 1],
  'host-unreach': ['icmp-host-unreachable', 3, 1],
  'icmp-proto-unreachable': ['icmp-proto-unreachable', 3, 2],
  'proto-unreach': ['icmp-proto-unreachable', 3, 2],
  'icmp-port-unreachable': ['icmp-port-unreachable', 3, 3],
  'port-unreach': ['icmp-port-unreachable', 3, 3],
  'icmp-net-prohibited': ['icmp-net-prohibited', 3, 9],
  'net-prohib': ['icmp-net-prohibited', 3, 9],
  'icmp-host-prohibited': ['icmp-host-prohibited', 3, 10],
  'host-prohib': ['icmp-host-prohibited', 3, 10],
  'icmp-admin-prohibited': ['icmp-admin-prohibited', 3, 13],
  'admin-prohib': ['icmp-admin-prohibited', 3, 13],
  'tcp-reset': ['tcp-reset', -1, 0],
  'tcp-rst': ['tcp-reset', -1, 0],
};

class RejectTarget implements Target {
  readonly name = 'REJECT';
  readonly tables = ['filter'];
  private type: readonly [string, number, number] = REJECT_TYPES['icmp-port-unreachable']!;

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--reject-with') return false;
    const text = cursor.argument(name);
    const type = REJECT_TYPES[text];
    if (type === undefined) throw new IptablesError(`unknown reject type "${text}"`);
    this.type = type;
    return true;
  }

  check(): void {}

  toSpec(): string {
    return ` --reject-with ${this.type[0]}`;
  }

  describe(): string {
    return `reject-with ${this.type[0]}`;
  }

  apply(packet: Packet, { namespace, hook, inLink }: HookContext): Verdict {
    const [, type, code] = this.type;
    if (type >= 0) namespace.stack.icmp.error(packet, type, code, hook === 'FORWARD' ? undefined : inLink);
    else if (packet.protocol === PROTO_TCP) namespace.stack.icmp.reset(packet);
    return 'DROP';
  }
}

/** MARK and CONNMARK. */
class MarkTarget implements Target {
  readonly name: 'MARK' | 'CONNMARK';
  private value = 0;
  private mask = 0;
  private mode: 'set' | 'save' | 'restore' | undefined;
  private nfMask = 0xffffffff;
  private ctMask = 0xffffffff;

  constructor(name: 'MARK' | 'CONNMARK') {
    this.name = name;
  }

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    const isConn = this.name === 'CONNMARK';
    if (name === '--set-xmark' || name === '--set-mark') {
      const { value, mask } = parseMark(cursor.argument(name), 'MARK');
      this.set(value, name === '--set-mark' ? (value | mask) >>> 0 : mask);
    } else if (name === '--or-mark') this.setSame(parseNumber(cursor.argument(name), 0xffffffff, 'or-mark'));
    else if (name === '--and-mark')
      this.set(0, ~parseNumber(cursor.argument(name), 0xffffffff, 'and-mark') >>> 0);
    else if (name === '--xor-mark') this.set(parseNumber(cursor.argument(name), 0xffffffff, 'xor-mark'), 0);
    else if (isConn && name === '--save-mark') this.mode = 'save';
    else if (isConn && name === '--restore-mark') this.mode = 'restore';
    else if (isConn && name === '--nfmask')
      this.nfMask = parseNumber(cursor.argument(name), 0xffffffff, 'nfmask');
    else if (isConn && name === '--ctmask')
      this.ctMask = parseNumber(cursor.argument(name), 0xffffffff, 'ctmask');
    else if (isConn && name === '--mask')
      this.nfMask = this.ctMask = parseNumber(cursor.argument(name), 0xffffffff, 'mask');
    else return false;
    return true;
  }

  private set(value: number, mask: number): void {
    this.mode = 'set';
    this.value = value;
    this.mask = mask;
  }

  private setSame(value: number): void {
    this.set(value, value);
  }

  check(): void {
    if (this.mode === undefined) throw new IptablesError(`${this.name} target: No operation specified`);
  }

  toSpec(): string {
    if (this.mode === 'set') return ` --set-xmark ${hex(this.value)}/${hex(this.mask)}`;
    return ` --${this.mode}-mark --nfmask ${hex(this.nfMask)} --ctmask ${hex(this.ctMask)}`;
  }

  describe(): string {
    const { name, value, mask } = this;
    if (this.mode !== 'set') return `CONNMARK ${this.mode}`;
    if (value === 0) return `${name} and ${hex(~mask >>> 0)}`;
    if (mask === value) return `${name} or ${hex(value)}`;
    if (mask === 0) return `${name} xor ${hex(value)}`;
    return mask === 0xffffffff ? `${name} set ${hex(value)}` : `${name} xset ${hex(value)}/${hex(mask)}`;
  }

  apply(packet: Packet): Verdict {
    const { connection } = packet;
    if (this.name === 'MARK') packet.mark = ((packet.mark & ~this.mask) ^ this.value) >>> 0;
    else if (connection !== undefined) {
      if (this.mode === 'set') connection.mark = ((connection.mark & ~this.mask) ^ this.value) >>> 0;
      else if (this.mode === 'save')
        connection.mark = ((connection.mark & ~this.ctMask) ^ (packet.mark & this.nfMask)) >>> 0;
      else packet.mark = ((packet.mark & ~this.nfMask) ^ (connection.mark & this.ctMask)) >>> 0;
    }
    return undefined;
  }
}

/** DNAT, SNAT, MASQUERADE, REDIRECT. */
class NatTarget implements Target {
  readonly name: 'DNAT' | 'SNAT' | 'MASQUERADE' | 'REDIRECT';
  readonly tables = ['nat'];
  private addressMin = 0;
  private addressMax = 0;
  private portMin = 0;
  private portMax = 0;
  private readonly flags = new Set<string>();
  private isGiven = false;

  constructor(name: 'DNAT' | 'SNAT' | 'MASQUERADE' | 'REDIRECT') {
    this.name = name;
  }

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--random' || name === '--random-fully' || name === '--persistent') this.flags.add(name);
    else if (name === (this.name === 'DNAT' ? '--to-destination' : '--to-source'))
      this.parseTo(cursor.argument(name));
    else if (name === '--to-ports' || name === '--to-port') this.parsePorts(cursor.argument(name));
    else return false;
    return true;
  }

  private parseTo(text: string): void {
    const [addresses = '', ports] = text.split(':');
    const [first = '', last] = addresses.split('-');
    const min = first === '' ? 0 : parseIpv4(first);
    const max = last === undefined ? min : parseIpv4(last);
    if (min === undefined || max === undefined) throw new IptablesError(`Bad IP address "${addresses}"`);
    this.addressMin = min;
    this.addressMax = max;
    if (ports !== undefined) this.parsePorts(ports);
    this.isGiven = true;
  }

  private parsePorts(text: string): void {
    const [low = '', high] = text.split('-');
    this.portMin = parsePort(low);
    this.portMax = high === undefined ? this.portMin : parsePort(high);
    if (this.portMin === 0 || this.portMax < this.portMin)
      throw new IptablesError(`Port \`${text}' not valid`);
  }

  check(): void {
    if (this.name === 'DNAT' && !this.isGiven)
      throw new IptablesError('DNAT: option "--to-destination" must be specified');
    if (this.name === 'SNAT' && !this.isGiven)
      throw new IptablesError('SNAT: option "--to-source" must be specified');
  }

  private get ports(): string {
    if (this.portMin === 0) return '';
    return this.portMin === this.portMax ? String(this.portMin) : `${this.portMin}-${this.portMax}`;
  }

  private get to(): string {
    const first = this.addressMin === 0 ? '' : formatIpv4(this.addressMin);
    const last = this.addressMax === this.addressMin ? '' : `-${formatIpv4(this.addressMax)}`;
    return `${first}${last}${this.ports === '' ? '' : `:${this.ports}`}`;
  }

  private flagsText(prefix: string): string {
    return ['--random', '--random-fully', '--persistent']
      .filter((flag) => this.flags.has(flag))
      .map((flag) => ` ${flag.replace('--', prefix)}`)
      .join('');
  }

  toSpec(): string {
    if (this.name === 'DNAT') return ` --to-destination ${this.to}${this.flagsText('--')}`;
    if (this.name === 'SNAT') return ` --to-source ${this.to}${this.flagsText('--')}`;
    return `${this.ports === '' ? '' : ` --to-ports ${this.ports}`}${this.flagsText('--')}`;
  }

  describe(): string {
    if (this.name === 'DNAT' || this.name === 'SNAT') return `to:${this.to}${this.flagsText('')}`;
    const label = this.name === 'MASQUERADE' ? 'masq ports: ' : 'redir ports ';
    return `${this.ports === '' ? '' : `${label}${this.ports}`}${this.flagsText('')}`.trim();
  }

  apply(packet: Packet, context: HookContext): Verdict {
    const { connection } = packet;
    if (connection === undefined) return 'DROP';
    const { nat } = context.namespace.hooks;
    if (this.name === 'DNAT' || this.name === 'REDIRECT') {
      nat.bindDestination(connection, this.rangeFor(packet, context));
      return 'ACCEPT';
    }
    const range = this.rangeFor(packet, context);
    if (range.addressMin === 0) return 'DROP'; // MASQUERADE on a device without an address.
    return nat.bindSource(connection, range) ? 'ACCEPT' : 'DROP';
  }

  private rangeFor(packet: Packet, { namespace, outLink, inLink, hook }: HookContext): NatRange {
    let { addressMin, addressMax } = this;
    if (this.name === 'MASQUERADE') {
      // The primary address of the outgoing device nearest the next hop (nf_nat_masquerade_ipv4).
      addressMin = addressMax =
        outLink === undefined ? 0 : this.masqueradeAddress(packet, namespace, outLink);
    } else if (this.name === 'REDIRECT') {
      addressMin = addressMax =
        hook === 'OUTPUT'
          ? 0x7f000001
          : ((inLink && namespace.addresses.select(inLink, undefined, 'global')) ?? 0);
    } else if (addressMin === 0)
      addressMin = addressMax = this.name === 'DNAT' ? packet.destination : packet.source;
    const isRandom = this.flags.has('--random') || this.flags.has('--random-fully');
    return { addressMin, addressMax, portMin: this.portMin, portMax: this.portMax, isRandom };
  }

  private masqueradeAddress(
    packet: Packet,
    namespace: HookContext['namespace'],
    outLink: NonNullable<HookContext['outLink']>,
  ): number {
    const route = namespace.routes.lookup(packet.destination, 0, packet.mark, undefined, outLink);
    const toward = route === undefined || route.gateway === 0 ? packet.destination : route.gateway;
    return namespace.addresses.select(outLink, toward, 'global') ?? 0;
  }
}

const LOG_LEVELS = ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info', 'debug'];

class LogTarget implements Target {
  readonly name = 'LOG';
  private prefix = '';
  private level = 4;

  option(name: string, _isInverted: boolean, cursor: Cursor): boolean {
    if (name === '--log-prefix') this.prefix = cursor.argument(name).slice(0, 29);
    else if (name === '--log-level') {
      const text = cursor.argument(name);
      const level = /^\d$/.test(text)
        ? Number(text)
        : LOG_LEVELS.findIndex((each) => each.startsWith(text.toLowerCase()));
      if (level < 0 || level > 7) throw new IptablesError(`log-level \`${text}' unknown`);
      this.level = level;
    } else
      return [
        '--log-tcp-sequence',
        '--log-tcp-options',
        '--log-ip-options',
        '--log-uid',
        '--log-macdecode',
      ].includes(name);
    return true;
  }

  check(): void {}

  toSpec(): string {
    return `${this.prefix === '' ? '' : ` --log-prefix ${quote(this.prefix)}`}${this.level === 4 ? '' : ` --log-level ${this.level}`}`;
  }

  describe(): string {
    return `LOG flags 0 level ${this.level}${this.prefix === '' ? '' : ` prefix "${this.prefix}"`}`;
  }

  apply(packet: Packet, context: HookContext): Verdict {
    context.namespace.netfilter.log(this.prefix, this.level, packet, context);
    return undefined;
  }
}

/** CT --notrack and its old name NOTRACK. */
class NotrackTarget implements Target {
  readonly name: 'CT' | 'NOTRACK';
  readonly tables = ['raw'];

  constructor(name: 'CT' | 'NOTRACK') {
    this.name = name;
  }

  option(name: string): boolean {
    return name === '--notrack';
  }

  check(): void {}

  toSpec(): string {
    return this.name === 'CT' ? ' --notrack' : '';
  }

  describe(): string {
    return this.name === 'CT' ? 'NOTRACK' : '';
  }

  apply(packet: Packet): Verdict {
    packet.isUntracked = true;
    return undefined;
  }
}

/** A new target by extension name; undefined if there is none such (it may be a chain). */
export function makeTarget(name: string): Target | undefined {
  switch (name) {
    case 'ACCEPT':
    case 'DROP':
    case 'RETURN':
      return new VerdictTarget(name);
    case 'REJECT':
      return new RejectTarget();
    case 'MARK':
    case 'CONNMARK':
      return new MarkTarget(name);
    case 'DNAT':
    case 'SNAT':
    case 'MASQUERADE':
    case 'REDIRECT':
      return new NatTarget(name);
    case 'LOG':
      return new LogTarget();
    case 'CT':
    case 'NOTRACK':
      return new NotrackTarget(name);
    default:
      return undefined;
  }
}
