// The iptables tables of a namespace: data that iptables(8), iptables-save and iptables-restore read and write.
import type { Rule } from './rule.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
export type Policy = 'ACCEPT' | 'DROP';

export interface Chain {
  readonly name: string;
  /** Only built-in chains have one. */
  policy: Policy | undefined;
  packets: number;
  bytes: number;
  readonly rules: readonly Rule[];
  /** How many rules jump or go here. */
  readonly references: number;
}

export interface Table {
  readonly name: TableName;
  /** Built-in chains in hook order, then the others by name, as iptables-nft prints them. */
  listChains(): Chain[];
  chain(name: string): Chain | undefined;
  /** `-N`. Throws IptablesError. */
  newChain(name: string): Chain;
  /** `-X`. Throws when it's built in, has rules, or is referred to. */
  deleteChain(name: string): void;
  renameChain(from: string, to: string): void;
  /** `-P`. */
  setPolicy(chain: string, policy: Policy): void;
  /** `-A`, or with a number (from 1) `-I`. */
  insert(chain: string, rule: Rule, number?: number): void;
  /** `-R`. */
  replace(chain: string, number: number, rule: Rule): void;
  /** `-D` by number. */
  deleteNumber(chain: string, number: number): void;
  /** `-D` by equal rule. */
  deleteRule(chain: string, rule: Rule): void;
  /** `-C`. */
  has(chain: string, rule: Rule): boolean;
  /** `-F` one chain, or all. */
  flush(chain?: string): void;
  /** `-Z`. */
  zero(chain?: string, number?: number): void;
}

export interface RestoreOptions {
  /** `--noflush`: keeps chains that the text doesn't name. */
  readonly noFlush?: boolean;
  /** `--counters`. */
  readonly counters?: boolean;
  /** `--table`: only this one. */
  readonly table?: TableName;
  /** `--test`: parse only. */
  readonly test?: boolean;
}

export interface Netfilter {
  /** Tables that somebody has touched; with iptables-nft the others aren't there (yet). */
  listTables(): Table[];
  /** The table, made on first use with its built-in chains. */
  table(name: TableName): Table;
  /** iptables-save's text; the date goes into its comments as `asctime` prints it in UTC. */
  save(options?: { readonly table?: TableName; readonly counters?: boolean }): string;
  /** iptables-restore. All or nothing. Throws IptablesError with the line. */
  restore(text: string, options?: RestoreOptions): void;
  /** Counts each change of any table, so that viewers know when to look again. */
  readonly revision: number;
}
