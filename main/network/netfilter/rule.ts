// One iptables rule: what it matches, what it does, its counters, and its two printed forms.
import { formatCidr, formatIpv4, parseCidr, type Cidr } from '../ip/ipv4.ts';
import type { Packet } from '../ip/packet.ts';
import { protocolName, protocolNumber } from '../ip/protocols.ts';
import type { Link } from '../link/link.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext, Match, Target } from './match.ts';
import { makeMatch, protocolMatch } from './matches.ts';
import { makeTarget } from './targets.ts';
import { Cursor } from './tokens.ts';

interface AddressCondition extends Cidr {
  /** `a.b.c.d/len`. */
  readonly cidr: string;
  readonly isInverted: boolean;
}

interface ProtocolCondition {
  /** `tcp`, `udp`, `icmp`, … or a number. */
  readonly name: string;
  readonly number: number;
  readonly isInverted: boolean;
}

interface InterfaceCondition {
  readonly name: string;
  readonly isInverted: boolean;
}

const EVERYWHERE = '0.0.0.0/0';

export class Rule {
  source: AddressCondition | undefined = undefined;
  destination: AddressCondition | undefined = undefined;
  inInterface: InterfaceCondition | undefined = undefined;
  outInterface: InterfaceCondition | undefined = undefined;
  protocol: ProtocolCondition | undefined = undefined;
  isFragment = false;
  readonly matches: Match[] = [];
  /** What a target extension does; `target` names it. */
  action: Target | undefined = undefined;
  /** `-j` or `-g` to a chain of one's own. */
  chainTarget: { readonly name: string; readonly isGoto: boolean } | undefined = undefined;
  packets = 0;
  bytes = 0;
  private spec: string | undefined;

  /** ACCEPT, DNAT …, or a chain's name; empty for none. */
  get targetName(): string {
    return this.action?.name ?? this.chainTarget?.name ?? '';
  }

  /** The target or chain, undefined for none. */
  get target(): { readonly name: string; readonly isGoto: boolean } | undefined {
    return this.action === undefined ? this.chainTarget : { name: this.action.name, isGoto: false };
  }

  // What `iptables -L` shows in its columns.

  get sourceText(): string {
    return columnText(this.source);
  }

  get destinationText(): string {
    return columnText(this.destination);
  }

  /** `*` for any. */
  get inInterfaceText(): string {
    return interfaceText(this.inInterface);
  }

  get outInterfaceText(): string {
    return interfaceText(this.outInterface);
  }

  /** The rule as iptables-save prints it, without `-A CHAIN `. Equal rules have equal texts. */
  toSpec(): string {
    return (this.spec ??= this.makeSpec());
  }

  private makeSpec(): string {
    const parts: string[] = [];
    const add = (option: string, text: string | undefined, isInverted: boolean): void => {
      if (text !== undefined) parts.push(`${isInverted ? '! ' : ''}${option} ${text}`);
    };
    if (this.source !== undefined) add('-s', this.source.cidr, this.source.isInverted);
    if (this.destination !== undefined) add('-d', this.destination.cidr, this.destination.isInverted);
    if (this.inInterface !== undefined) add('-i', this.inInterface.name, this.inInterface.isInverted);
    if (this.outInterface !== undefined) add('-o', this.outInterface.name, this.outInterface.isInverted);
    if (this.protocol !== undefined) add('-p', this.protocol.name, this.protocol.isInverted);
    if (this.isFragment) parts.push('-f');
    for (const match of this.matches) parts.push(`-m ${match.name}${match.toSpec()}`);
    if (this.action !== undefined) parts.push(`-j ${this.action.name}${this.action.toSpec()}`);
    if (this.chainTarget !== undefined)
      parts.push(`${this.chainTarget.isGoto ? '-g' : '-j'} ${this.chainTarget.name}`);
    return parts.join(' ');
  }

  /** What `iptables -L` prints after the addresses: matches and target options. `isNumeric` is -n. */
  describe(isNumeric: boolean): string {
    const parts = this.matches.map((match) => match.describe(isNumeric));
    if (this.action !== undefined) parts.push(this.action.describe(isNumeric));
    if (this.chainTarget?.isGoto === true) parts.unshift('[goto] ');
    return parts.filter((part) => part !== '').join(' ');
  }

  /** Whether a packet meets every condition. */
  isMet(packet: Packet, context: HookContext): boolean {
    const { source, destination, protocol } = this;
    if (
      destination !== undefined &&
      ((packet.destination & destination.mask) >>> 0 === destination.address) === destination.isInverted
    )
      return false;
    if (protocol !== undefined && (packet.protocol === protocol.number) === protocol.isInverted) return false;
    if (
      source !== undefined &&
      ((packet.source & source.mask) >>> 0 === source.address) === source.isInverted
    )
      return false;
    if (this.inInterface !== undefined && !linkFits(this.inInterface, context.inLink)) return false;
    if (this.outInterface !== undefined && !linkFits(this.outInterface, context.outLink)) return false;
    if (this.isFragment) return false; // Differs: fragments aren't simulated.
    for (const match of this.matches) if (!match.matches(packet, context)) return false;
    return true;
  }
}

function columnText(condition: AddressCondition | undefined): string {
  if (condition === undefined) return EVERYWHERE;
  const text = condition.prefixLength === 32 ? formatIpv4(condition.address) : condition.cidr;
  return condition.isInverted ? `!${text}` : text;
}

function interfaceText(condition: InterfaceCondition | undefined): string {
  if (condition === undefined) return '*';
  return condition.isInverted ? `!${condition.name}` : condition.name;
}

function linkFits(condition: InterfaceCondition, link: Link | undefined): boolean {
  const name = link?.name ?? '';
  const isHit = condition.name.endsWith('+')
    ? name.startsWith(condition.name.slice(0, -1))
    : name === condition.name;
  return isHit !== condition.isInverted;
}

/** Whether a name can be a user's chain. */
export function checkChainName(name: string): void {
  if (name.length > 28) throw new IptablesError(`chain name \`${name}' too long (must be under 29 chars)`);
  if (name === '' || /\s/.test(name) || name.startsWith('-') || name.startsWith('!')) {
    throw new IptablesError(`Invalid chain name \`${name}'`);
  }
}

/** Parses a rule's words (without `-A CHAIN`). Throws IptablesError in iptables' words. Chains are checked when it's inserted. */
export function parseRule(words: readonly string[]): Rule {
  return new RuleParser(words).parse();
}

class RuleParser {
  private readonly cursor: Cursor;
  private readonly rule = new Rule();

  constructor(words: readonly string[]) {
    this.cursor = new Cursor(words);
  }

  parse(): Rule {
    const { cursor, rule } = this;
    let isInverted = false;
    while (!cursor.isAtEnd) {
      const word = cursor.next();
      if (word === '!') {
        isInverted = true;
        continue;
      }
      const [option, value] = splitOption(word);
      const source = value === undefined ? cursor : new Cursor([value]);
      if (!this.takeBasic(option, isInverted, source) && !this.takeExtension(option, isInverted, source)) {
        if (word.startsWith('-')) throw new IptablesError(`unknown option "${word}"`);
        throw new IptablesError(`Bad argument \`${word}'`);
      }
      isInverted = false;
    }
    for (const match of rule.matches) match.check();
    rule.action?.check();
    return rule;
  }

  private takeBasic(option: string, isInverted: boolean, cursor: Cursor): boolean {
    const { rule } = this;
    switch (option) {
      case '-s':
      case '--source':
      case '--src':
        rule.source = this.parseAddress(cursor.argument(option), isInverted);
        return true;
      case '-d':
      case '--destination':
      case '--dst':
        rule.destination = this.parseAddress(cursor.argument(option), isInverted);
        return true;
      case '-i':
      case '--in-interface':
        rule.inInterface = { name: cursor.argument(option), isInverted };
        return true;
      case '-o':
      case '--out-interface':
        rule.outInterface = { name: cursor.argument(option), isInverted };
        return true;
      case '-p':
      case '--protocol':
        this.takeProtocol(cursor.argument(option), isInverted);
        return true;
      case '-f':
      case '--fragment':
        rule.isFragment = true;
        return true;
      case '-m':
      case '--match':
        this.addMatch(cursor.argument(option));
        return true;
      case '-j':
      case '--jump':
        this.takeTarget(cursor.argument(option));
        return true;
      case '-g':
      case '--goto':
        rule.chainTarget = { name: cursor.argument(option), isGoto: true };
        return true;
      case '-c':
      case '--set-counters':
        rule.packets = Number(cursor.argument(option));
        rule.bytes = Number(cursor.argument(option));
        return true;
      default:
        return false;
    }
  }

  private parseAddress(text: string, isInverted: boolean): AddressCondition | undefined {
    const cidr = parseCidr(text) ?? (text === '0/0' ? parseCidr(EVERYWHERE) : undefined);
    if (cidr === undefined) throw new IptablesError(`host/network \`${text}' not found`);
    return cidr.prefixLength === 0 && !isInverted
      ? undefined
      : { ...cidr, cidr: formatCidr(cidr), isInverted };
  }

  private takeProtocol(text: string, isInverted: boolean): void {
    const number = protocolNumber(text);
    if (number === undefined) throw new IptablesError(`unknown protocol "${text}" specified`);
    this.rule.protocol = number === 0 ? undefined : { name: protocolName(number), number, isInverted };
  }

  private addMatch(name: string): Match {
    const match = makeMatch(name);
    if (match === undefined)
      throw new IptablesError(`Couldn't load match \`${name}':No such file or directory\n`);
    this.rule.matches.push(match);
    return match;
  }

  private takeTarget(name: string): void {
    const target = makeTarget(name);
    if (target === undefined) this.rule.chainTarget = { name, isGoto: false };
    else this.rule.action = target;
  }

  private takeExtension(option: string, isInverted: boolean, cursor: Cursor): boolean {
    const { rule } = this;
    if (rule.action?.option(option, isInverted, cursor) === true) return true;
    for (const match of rule.matches.toReversed()) if (match.option(option, isInverted, cursor)) return true;
    // `-p tcp --dport 80` loads the tcp match by itself.
    const { protocol } = rule;
    const implied =
      protocol === undefined || protocol.isInverted ? undefined : protocolMatch(protocol.number);
    if (implied === undefined || rule.matches.some((match) => match.name === implied)) return false;
    const match = makeMatch(implied)!;
    if (!match.option(option, isInverted, cursor)) return false;
    rule.matches.push(match);
    return true;
  }
}

/** `--option=value` and `-ovalue` aren't told apart from plain ones by the caller. */
function splitOption(word: string): readonly [option: string, value: string | undefined] {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}
