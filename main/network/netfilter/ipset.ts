// IP sets, as ipset(8) shows them.
import { cidrContains, formatIpv4, parseCidr, type Cidr } from '../ip/ipv4.ts';
import { PROTO_ICMP, type Packet } from '../ip/packet.ts';
import { protocolName, protocolNumber } from '../ip/protocols.ts';
import type { NetworkNamespace } from '../namespace.ts';

export type IpSetType =
  | 'hash:ip'
  | 'hash:net'
  | 'hash:ip,port'
  | 'hash:ip,port,ip'
  | 'hash:ip,port,net'
  | 'hash:net,port'
  | 'bitmap:port';

export interface IpSetOptions {
  readonly family?: 'inet' | 'inet6';
  readonly hashSize?: number;
  readonly maxElements?: number;
  /** Default timeout in seconds. */
  readonly timeoutSeconds?: number;
  /** bitmap:port. */
  readonly range?: readonly [from: number, to: number];
  readonly counters?: boolean;
  readonly comment?: boolean;
}

export interface IpSetMember {
  /** As ipset prints it: `10.96.0.1,tcp:443`. */
  readonly text: string;
  readonly timeoutSeconds: number | undefined;
  readonly comment: string | undefined;
}

/** The message is ipset's own, after `ipset v7.17: `. */
export class IpSetError extends Error {
  readonly code: 'syntax' | 'exists' | 'missing' | 'in-use' | 'no-set' | 'full';
  constructor(code: IpSetError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

type Dimension = 'ip' | 'port' | 'net';

interface TypeInfo {
  readonly revision: number;
  readonly dimensions: readonly Dimension[];
  /** Bytes of an empty set and of each element, roughly as the kernel reports. */
  readonly emptyBytes: number;
  readonly elementBytes: number;
}

const TYPES: Readonly<Record<IpSetType, TypeInfo>> = {
  'hash:ip': { revision: 5, dimensions: ['ip'], emptyBytes: 200, elementBytes: 40 },
  'hash:net': { revision: 7, dimensions: ['net'], emptyBytes: 456, elementBytes: 48 },
  'hash:ip,port': { revision: 6, dimensions: ['ip', 'port'], emptyBytes: 200, elementBytes: 48 },
  'hash:ip,port,ip': { revision: 6, dimensions: ['ip', 'port', 'ip'], emptyBytes: 208, elementBytes: 56 },
  'hash:ip,port,net': { revision: 8, dimensions: ['ip', 'port', 'net'], emptyBytes: 464, elementBytes: 56 },
  'hash:net,port': { revision: 8, dimensions: ['net', 'port'], emptyBytes: 456, elementBytes: 48 },
  'bitmap:port': { revision: 3, dimensions: ['port'], emptyBytes: 8264, elementBytes: 0 },
};

const ORDINALS = ['First', 'Second', 'Third'];
const SETS_MAX = 65_534;
/** IPSET_MAXNAMELEN without the terminating zero. */
const NAME_LENGTH_MAX = 31;

interface Part {
  /** An address, or a port with its protocol as `protocol * 65536 + port`. */
  readonly value: number;
  readonly prefixLength: number;
  readonly text: string;
}

interface Element {
  readonly text: string;
  readonly untilMs: number | undefined;
  readonly comment: string | undefined;
}

export class IpSet {
  name: string;
  readonly type: IpSetType;
  readonly options: IpSetOptions;
  /** Seeds the kernel's hash; printed by `ipset list`. */
  readonly initialValue: number;
  /** How many rules use it. */
  references = 0;
  private readonly namespace: NetworkNamespace;
  private readonly info: TypeInfo;
  /** By key; for sets with nets, `nets` holds the prefix lengths in use. */
  private elements = new Map<string, Element>();
  private readonly netLengths = new Map<number, number>();

  constructor(namespace: NetworkNamespace, name: string, type: IpSetType, options: IpSetOptions) {
    this.namespace = namespace;
    this.name = name;
    this.type = type;
    this.options = options;
    this.info = TYPES[type];
    this.initialValue = namespace.random.integer(2 ** 32);
  }

  get revision(): number {
    return this.info.revision;
  }

  get sizeBytes(): number {
    return this.info.emptyBytes + this.elements.size * this.info.elementBytes;
  }

  list(): IpSetMember[] {
    this.expire();
    const now = this.namespace.clock.now();
    const members = [...this.elements.values()].map(({ text, untilMs, comment }) => ({
      text,
      timeoutSeconds: untilMs === undefined ? undefined : Math.floor((untilMs - now) / 1000),
      comment,
    }));
    return this.type === 'bitmap:port'
      ? members.toSorted((a, b) => Number(a.text) - Number(b.text))
      : members;
  }

  /** `exist` ignores duplicates. A network added to a hash:ip stands for each of its addresses. Throws IpSetError. */
  add(
    member: string,
    options: { readonly exist?: boolean; readonly timeoutSeconds?: number; readonly comment?: string } = {},
  ): void {
    this.expire();
    const seconds = options.timeoutSeconds ?? this.options.timeoutSeconds;
    const untilMs =
      seconds === undefined || seconds === 0 ? undefined : this.namespace.clock.now() + seconds * 1000;
    for (const parts of this.parse(member)) {
      const key = keyOf(parts);
      if (this.elements.has(key)) {
        if (options.exist !== true)
          throw new IpSetError('exists', "Element cannot be added to the set: it's already added");
        this.elements.delete(key);
      } else {
        if (this.elements.size >= (this.options.maxElements ?? 65_536)) {
          throw new IpSetError('full', 'Hash is full, cannot add more elements');
        }
        this.countNet(parts, 1);
      }
      this.elements.set(key, {
        text: parts.map((part) => part.text).join(','),
        untilMs,
        comment: options.comment,
      });
    }
  }

  delete(member: string, options: { readonly exist?: boolean } = {}): void {
    for (const parts of this.parse(member)) {
      if (this.elements.delete(keyOf(parts))) this.countNet(parts, -1);
      else if (options.exist !== true)
        throw new IpSetError('missing', "Element cannot be deleted from the set: it's not added");
    }
  }

  test(member: string): boolean {
    this.expire();
    return this.parse(member).some((parts) => this.has(parts));
  }

  flush(): void {
    this.elements.clear();
    this.netLengths.clear();
  }

  /** Exchanges members with another set (`ipset swap`). */
  swapWith(other: IpSet): void {
    [this.elements, other.elements] = [other.elements, this.elements];
    const mine = [...this.netLengths];
    this.netLengths.clear();
    for (const [length, count] of other.netLengths) this.netLengths.set(length, count);
    other.netLengths.clear();
    for (const [length, count] of mine) other.netLengths.set(length, count);
  }

  /** Whether a packet is in the set; `directions` says for each dimension whether its source is meant. */
  matches(packet: Packet, directions: readonly boolean[]): boolean {
    if (this.elements.size === 0) return false;
    if (this.options.timeoutSeconds !== undefined) this.expire();
    const parts: Part[] = [];
    for (let i = 0; i < this.info.dimensions.length; i++) {
      const isSource = directions[i] ?? directions[0] ?? false;
      if (this.info.dimensions[i] === 'port') {
        const port = isSource ? packet.sourcePort : packet.destinationPort;
        const value = packet.protocol === PROTO_ICMP ? packet.icmpType * 256 + packet.icmpCode : port;
        parts.push({
          value: this.type === 'bitmap:port' ? value : packet.protocol * 65_536 + value,
          prefixLength: 32,
          text: '',
        });
      } else parts.push({ value: isSource ? packet.source : packet.destination, prefixLength: 32, text: '' });
    }
    return this.has(parts);
  }

  private has(parts: readonly Part[]): boolean {
    const netIndex = this.info.dimensions.indexOf('net');
    if (netIndex < 0) return this.elements.has(keyOf(parts));
    const part = parts[netIndex]!;
    for (const length of this.netLengths.keys()) {
      if (length > part.prefixLength) continue;
      const value = length === 0 ? 0 : (part.value & (0xffffffff << (32 - length))) >>> 0;
      const net = { value, prefixLength: length, text: '' };
      if (this.elements.has(keyOf(parts.with(netIndex, net)))) return true;
    }
    return false;
  }

  private countNet(parts: readonly Part[], change: number): void {
    const netIndex = this.info.dimensions.indexOf('net');
    if (netIndex < 0) return;
    const { prefixLength } = parts[netIndex]!;
    const count = (this.netLengths.get(prefixLength) ?? 0) + change;
    if (count === 0) this.netLengths.delete(prefixLength);
    else this.netLengths.set(prefixLength, count);
  }

  private expire(): void {
    if (this.options.timeoutSeconds === undefined) return;
    const now = this.namespace.clock.now();
    for (const [key, { untilMs }] of this.elements)
      if (untilMs !== undefined && untilMs <= now) this.elements.delete(key);
  }

  /** The elements a member's text stands for. */
  private parse(member: string): Part[][] {
    const { dimensions } = this.info;
    const words = member.split(',');
    if (words.length < dimensions.length) {
      throw new IpSetError(
        'syntax',
        `Syntax error: ${ORDINALS[words.length]} element is missing from ${member}.`,
      );
    }
    let all: Part[][] = [[]];
    for (let i = 0; i < dimensions.length; i++) {
      const word = words[i]!;
      const choices =
        dimensions[i] === 'port' ? this.parsePorts(word) : this.parseAddresses(word, dimensions[i]!);
      all = all.flatMap((parts) => choices.map((choice) => [...parts, choice]));
    }
    if (words.length > dimensions.length)
      throw new IpSetError(
        'syntax',
        `Syntax error: Elem separator in ${member}, but settype ${this.type} supports none.`,
      );
    return all;
  }

  private parseAddresses(word: string, dimension: Dimension): Part[] {
    const cidr = parseCidr(word);
    if (cidr === undefined)
      throw new IpSetError('syntax', `Syntax error: cannot parse ${word}: resolving to IPv4 address failed`);
    if (dimension === 'net') {
      const text =
        cidr.prefixLength === 32
          ? formatIpv4(cidr.address)
          : `${formatIpv4(cidr.address)}/${cidr.prefixLength}`;
      return [{ value: cidr.address, prefixLength: cidr.prefixLength, text }];
    }
    return addressesOf(cidr).map((value) => ({ value, prefixLength: 32, text: formatIpv4(value) }));
  }

  private parsePorts(word: string): Part[] {
    const match = /^(?:([\w-]+):)?(\d+)(?:-(\d+))?$/.exec(word);
    if (match === null) throw new IpSetError('syntax', `Syntax error: '${word}' is invalid as number`);
    const protocol = this.type === 'bitmap:port' ? 0 : match[1] === undefined ? 6 : protocolNumber(match[1]);
    if (protocol === undefined)
      throw new IpSetError('syntax', `Syntax error: cannot parse '${match[1]}' as a protocol`);
    const from = Number(match[2]);
    const to = match[3] === undefined ? from : Number(match[3]);
    const [low, high] = this.options.range ?? [0, 65_535];
    if (from < low || to > high || from > to)
      throw new IpSetError('syntax', `Element is out of the range of the set`);
    const label = this.type === 'bitmap:port' ? '' : `${protocolName(protocol)}:`;
    return Array.from({ length: to - from + 1 }, (_, index) => ({
      value: protocol * 65_536 + from + index,
      prefixLength: 32,
      text: `${label}${from + index}`,
    }));
  }
}

function addressesOf(cidr: Cidr): number[] {
  if (cidr.prefixLength < 16)
    throw new IpSetError('syntax', 'The network is too large for a set of addresses');
  const size = 2 ** (32 - cidr.prefixLength);
  return Array.from({ length: size }, (_, index) => cidr.address + index).filter((each) =>
    cidrContains(cidr, each),
  );
}

function keyOf(parts: readonly Part[]): string {
  if (parts.length === 1) return `${parts[0]!.value}/${parts[0]!.prefixLength}`;
  let key = '';
  for (const part of parts) key += `${part.value}/${part.prefixLength},`;
  return key;
}

export class IpSets {
  private readonly namespace: NetworkNamespace;
  private readonly sets = new Map<string, IpSet>();

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  /** In the order of creation. */
  list(): IpSet[] {
    return [...this.sets.values()];
  }

  get(name: string): IpSet | undefined {
    return this.sets.get(name);
  }

  /** Throws IpSetError. */
  create(name: string, type: IpSetType, options: IpSetOptions & { readonly exist?: boolean } = {}): IpSet {
    const { exist, ...rest } = options;
    if (!Object.hasOwn(TYPES, type))
      throw new IpSetError('syntax', `Syntax error: typename '${type}' is unknown`);
    if (name.length > NAME_LENGTH_MAX || name === '') {
      throw new IpSetError(
        'syntax',
        `Syntax error: setname '${name}' is longer than ${NAME_LENGTH_MAX} characters`,
      );
    }
    const old = this.sets.get(name);
    if (old !== undefined) {
      if (exist === true && old.type === type) return old;
      throw new IpSetError('exists', 'Set cannot be created: set with the same name already exists');
    }
    if (this.sets.size >= SETS_MAX)
      throw new IpSetError('full', 'Kernel error received: maximal number of sets reached');
    const set = new IpSet(this.namespace, name, type, rest);
    this.sets.set(name, set);
    return set;
  }

  /** Throws IpSetError in-use, no-set. */
  destroy(name: string): void {
    const set = this.require(name);
    if (set.references > 0)
      throw new IpSetError('in-use', 'Set cannot be destroyed: it is in use by a kernel component');
    this.sets.delete(name);
  }

  rename(from: string, to: string): void {
    const set = this.require(from);
    if (set.references > 0)
      throw new IpSetError('in-use', 'Set cannot be renamed: it is in use by another system');
    if (this.sets.has(to))
      throw new IpSetError('exists', 'Set cannot be renamed: a set with the new name already exists');
    this.sets.delete(from);
    set.name = to;
    this.sets.set(to, set);
  }

  swap(one: string, two: string): void {
    const [first, second] = [this.require(one), this.require(two)];
    if (first.type !== second.type)
      throw new IpSetError('syntax', 'The sets cannot be swapped: their type does not match');
    first.swapWith(second);
  }

  /** Throws IpSetError no-set. */
  require(name: string): IpSet {
    const set = this.sets.get(name);
    if (set === undefined) throw new IpSetError('no-set', 'The set with the given name does not exist');
    return set;
  }

  /** `ipset restore`: create, add, del, flush, destroy lines. */
  restore(text: string, options: { readonly exist?: boolean } = {}): void {
    for (const line of text.split('\n'))
      if (line.trim() !== '') this.command(line.trim().split(/\s+/), options);
  }

  /** `ipset save`. */
  save(name?: string): string {
    const sets = name === undefined ? this.list() : [this.require(name)];
    return sets.map((set) => saveSet(set)).join('');
  }

  private command(words: readonly string[], options: { readonly exist?: boolean }): void {
    const [command = '', name = '', argument = '', ...rest] = words;
    const exist = options.exist === true || rest.includes('-exist');
    switch (command) {
      case 'create':
      case '-N':
        this.create(name, argument as IpSetType, { ...parseOptions(rest), exist });
        return;
      case 'add':
      case '-A':
        return this.require(name).add(argument, { ...parseElementOptions(rest), exist });
      case 'del':
      case '-D':
        return this.require(name).delete(argument, { exist });
      case 'flush':
      case '-F':
        return name === '' ? this.list().forEach((set) => set.flush()) : this.require(name).flush();
      case 'destroy':
      case '-X':
        return this.destroy(name);
      case 'COMMIT':
        return;
      default:
        throw new IpSetError('syntax', `No command specified: unknown argument ${command}`);
    }
  }
}

/** `family inet hashsize 1024 maxelem 65536 …` as create takes it. Throws IpSetError. */
function parseOptions(words: readonly string[]): IpSetOptions {
  let options: IpSetOptions = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const value = words[i + 1] ?? '';
    if (word === 'counters') options = { ...options, counters: true };
    else if (word === 'comment') options = { ...options, comment: true };
    else if (word === '-exist') continue;
    else {
      i++;
      if (word === 'family') options = { ...options, family: value === 'inet6' ? 'inet6' : 'inet' };
      else if (word === 'hashsize') options = { ...options, hashSize: Number(value) };
      else if (word === 'maxelem') options = { ...options, maxElements: Number(value) };
      else if (word === 'timeout') options = { ...options, timeoutSeconds: Number(value) };
      else if (word === 'range') {
        const [from = 0, to = 65_535] = value.split('-').map(Number);
        options = { ...options, range: [from, to] };
      } else if (!['bucketsize', 'initval', 'netmask', 'probes', 'resize'].includes(word)) {
        throw new IpSetError('syntax', `Unknown argument: \`${word}'`);
      }
    }
  }
  return options;
}

function parseElementOptions(words: readonly string[]): { timeoutSeconds?: number; comment?: string } {
  const after = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const seconds = after('timeout');
  const comment = after('comment')?.replaceAll('"', '');
  return {
    ...(seconds === undefined ? {} : { timeoutSeconds: Number(seconds) }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** What `ipset list` prints after `Header: ` and `ipset save` after the type. */
function ipSetHeader(set: IpSet): string {
  const { options } = set;
  const extras = [
    ...(options.timeoutSeconds === undefined ? [] : [`timeout ${options.timeoutSeconds}`]),
    ...(options.counters === true ? ['counters'] : []),
    ...(options.comment === true ? ['comment'] : []),
  ];
  if (set.type === 'bitmap:port') {
    const [from, to] = options.range ?? [0, 65_535];
    return [`range ${from}-${to}`, ...extras].join(' ');
  }
  const hash = `family ${options.family ?? 'inet'} hashsize ${options.hashSize ?? 1024} maxelem ${options.maxElements ?? 65_536}`;
  return [hash, ...extras, `bucketsize 12 initval 0x${set.initialValue.toString(16).padStart(8, '0')}`].join(
    ' ',
  );
}

function saveSet(set: IpSet): string {
  const members = set.list().map(({ text, timeoutSeconds, comment }) => {
    const timeout = timeoutSeconds === undefined ? '' : ` timeout ${timeoutSeconds}`;
    return `add ${set.name} ${text}${timeout}${comment === undefined ? '' : ` comment "${comment}"`}\n`;
  });
  return `create ${set.name} ${set.type} ${ipSetHeader(set)}\n${members.join('')}`;
}
