// What every iptables match and target extension offers.
import type { Packet } from '../ip/packet.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { HookName } from '../trace/trace.ts';
import type { Cursor } from './tokens.ts';

/** Where a packet is when a rule looks at it. One object per namespace, refilled for each hook. */
export interface HookContext {
  readonly namespace: NetworkNamespace;
  hook: HookName;
  inLink: Link | undefined;
  outLink: Link | undefined;
}

/** A match extension while it's being parsed and afterwards. */
export interface Match {
  readonly name: string;
  /** Takes an option with its arguments; false if it isn't one of its own. */
  option(name: string, isInverted: boolean, cursor: Cursor): boolean;
  /** After the last option: throws IptablesError if something is missing. */
  check(): void;
  /** Its part of iptables-save after `-m name`, with a leading blank. */
  toSpec(): string;
  /** What `iptables -L` shows for it; empty for nothing. */
  describe(isNumeric: boolean): string;
  matches(packet: Packet, context: HookContext): boolean;
  /** The rule enters (or leaves) a table: references to sets and lists begin and end. */
  attach?(namespace: NetworkNamespace): void;
  detach?(namespace: NetworkNamespace): void;
}

/** What a rule's target says about a packet; undefined goes on with the next rule. */
export type Verdict = 'ACCEPT' | 'DROP' | 'RETURN' | undefined;

export interface Target {
  readonly name: string;
  option(name: string, isInverted: boolean, cursor: Cursor): boolean;
  check(): void;
  toSpec(): string;
  describe(isNumeric: boolean): string;
  apply(packet: Packet, context: HookContext): Verdict;
  /** Tables it may be used in; undefined for all. */
  readonly tables?: readonly string[];
}
