// The set match: whether a packet's addresses and ports are in an ipset (xt_set).
import type { Packet } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { IptablesError } from './iptables-error.ts';
import type { IpSet } from './ipset.ts';
import type { HookContext, Match } from './match.ts';
import type { Cursor } from './tokens.ts';

export class SetMatch implements Match {
  readonly name = 'set';
  private setName: string | undefined;
  /** For each dimension of the set: true for source. */
  private directions: readonly boolean[] = [];
  private isInverted = false;
  private set: IpSet | undefined;
  /** A restore copies a table: for a while the rule is in two. */
  private uses = 0;

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    if (name !== '--match-set') return ['--return-nomatch', '--update-counters'].includes(name);
    this.setName = cursor.argument(name);
    this.isInverted = isInverted;
    this.directions = cursor
      .argument(name)
      .split(',')
      .map((word) => {
        if (word !== 'src' && word !== 'dst')
          throw new IptablesError(`You must spefify (the comma separated list of) 'src' or 'dst'.`);
        return word === 'src';
      });
    return true;
  }

  check(): void {
    if (this.setName === undefined)
      throw new IptablesError("You must specify `--match-set' with proper arguments");
  }

  private get flags(): string {
    return this.directions.map((isSource) => (isSource ? 'src' : 'dst')).join(',');
  }

  toSpec(): string {
    return `${this.isInverted ? ' !' : ''} --match-set ${this.setName} ${this.flags}`;
  }

  describe(): string {
    return `${this.isInverted ? '! ' : ''}match-set ${this.setName} ${this.flags}`;
  }

  attach(namespace: NetworkNamespace): void {
    const set = namespace.ipsets.get(this.setName!);
    if (set === undefined) throw new IptablesError(`Set ${this.setName} doesn't exist.`);
    this.set = set;
    this.uses++;
    set.references++;
  }

  detach(): void {
    if (this.set === undefined) return;
    this.set.references--;
    if (--this.uses === 0) this.set = undefined;
  }

  matches(packet: Packet, _context: HookContext): boolean {
    return (this.set !== undefined && this.set.matches(packet, this.directions)) !== this.isInverted;
  }
}
