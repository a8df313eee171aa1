// The iptables tables of a namespace, with iptables-save and iptables-restore.
import type { Packet } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext } from './match.ts';
import { RecentList } from './recent.ts';
import { parseRule } from './rule.ts';
import { BUILT_IN_CHAINS, Table, type Policy, type TableName } from './table.ts';
import { splitLine } from './tokens.ts';

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

/** A line that `-j LOG` wrote to the kernel's log. */
export interface NetfilterLog {
  readonly level: number;
  readonly text: string;
}

/** The order of iptables-nft's own list (nft.h: NFT_TABLE_*). */
const SAVE_ORDER: readonly TableName[] = ['mangle', 'security', 'raw', 'filter', 'nat'];

export class Netfilter {
  private readonly namespace: NetworkNamespace;
  private readonly tables = new Map<TableName, Table>();
  private readonly recent = new Map<string, RecentList>();
  private readonly accounting = new Map<string, { packets: number; bytes: number }>();
  /** Counts each change of any table, so that viewers know when to look again. */
  revision = 0;
  /** Takes what LOG writes; the machine's kernel log. */
  onLog: ((log: NetfilterLog) => void) | undefined = undefined;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  /** Tables that somebody has touched; with iptables-nft the others aren't there (yet). */
  listTables(): Table[] {
    return SAVE_ORDER.flatMap((name) => this.tables.get(name) ?? []);
  }

  /** The table, made on first use with its built-in chains. */
  table(name: TableName): Table {
    let table = this.tables.get(name);
    if (table === undefined) {
      this.tables.set(name, (table = this.makeTable(name)));
      this.changed();
    }
    return table;
  }

  /** For the hooks: the table if it is there. */
  existing(name: TableName): Table | undefined {
    return this.tables.get(name);
  }

  get isEmpty(): boolean {
    return this.tables.size === 0;
  }

  /** iptables-save's text; the date in its comments is asctime's in UTC. */
  save(options: { readonly table?: TableName; readonly counters?: boolean } = {}): string {
    const tables = options.table === undefined ? this.listTables() : [this.table(options.table)];
    const date = asctime(this.namespace.clock.now());
    return tables.map((table) => saveTable(table, options.counters ?? false, date)).join('');
  }

  /** iptables-restore. All or nothing. Throws IptablesError with the line. */
  restore(text: string, options: RestoreOptions = {}): void {
    const transaction = new Restore(this, options, (name) => this.makeTable(name));
    const lines = text.split('\n');
    for (let i = 0; i < lines.length; i++) {
      try {
        transaction.line(lines[i]!);
      } catch (error) {
        transaction.abandon();
        if (error instanceof IptablesError) error.line ??= i + 1;
        throw error;
      }
    }
    const committed = transaction.finish(lines.length);
    if (options.test === true) return;
    for (const [name, table] of committed) {
      this.tables.get(name)?.dispose();
      this.tables.set(name, table);
    }
    this.changed();
  }

  // ── What matches and targets keep here ──

  recentList(name: string): RecentList {
    let list = this.recent.get(name);
    if (list === undefined) this.recent.set(name, (list = new RecentList()));
    return list;
  }

  /** A list goes with the last rule that uses it. */
  releaseRecentList(name: string): void {
    const list = this.recent.get(name);
    if (list !== undefined && --list.references <= 0) this.recent.delete(name);
  }

  /** /proc/net/xt_recent. */
  listRecent(): { readonly name: string; readonly list: RecentList }[] {
    return [...this.recent].map(([name, list]) => ({ name, list }));
  }

  countAccounting(name: string, bytes: number): void {
    const counter = this.accounting.get(name) ?? { packets: 0, bytes: 0 };
    counter.packets++;
    counter.bytes += bytes;
    this.accounting.set(name, counter);
  }

  log(prefix: string, level: number, packet: Packet, context: HookContext): void {
    this.onLog?.({ level, text: logText(prefix, packet, context) });
  }

  private makeTable(name: TableName): Table {
    return new Table(name, this.namespace, () => this.changed());
  }

  private changed(): void {
    this.revision++;
    this.namespace.hooks.refresh();
  }
}

/** One iptables-restore under way: tables are built anew and take the old ones' places at the end. */
class Restore {
  private readonly netfilter: Netfilter;
  private readonly options: RestoreOptions;
  private readonly makeTable: (name: TableName) => Table;
  private readonly committed = new Map<TableName, Table>();
  private current:
    | { readonly name: TableName; readonly table: Table; readonly isSkipped: boolean }
    | undefined;

  constructor(netfilter: Netfilter, options: RestoreOptions, makeTable: (name: TableName) => Table) {
    this.netfilter = netfilter;
    this.options = options;
    this.makeTable = makeTable;
  }

  line(line: string): void {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    if (text.startsWith('*')) return this.begin(text.slice(1).trim());
    if (this.current === undefined) throw new IptablesError('failed', { exitCode: 1 });
    if (text === 'COMMIT') return this.commit();
    if (this.current.isSkipped) return;
    if (text.startsWith(':')) return this.declareChain(text.slice(1));
    this.rule(text);
  }

  private begin(name: string): void {
    if (!isTableName(name)) throw new IptablesError(`table '${name}' does not exist`, { exitCode: 3 });
    const isSkipped = this.options.table !== undefined && this.options.table !== name;
    const table = this.makeTable(name);
    if (this.options.noFlush === true)
      copyTable(this.committed.get(name) ?? this.netfilter.existing(name), table);
    this.current = { name, table, isSkipped };
  }

  private commit(): void {
    const { name, table, isSkipped } = this.current!;
    if (!isSkipped) {
      this.committed.get(name)?.dispose();
      this.committed.set(name, table);
    } else table.dispose();
    this.current = undefined;
  }

  private declareChain(text: string): void {
    const [name = '', policy, counters] = text.split(/\s+/);
    const { table } = this.current!;
    let chain = table.chain(name);
    if (policy === undefined) throw new IptablesError('failed', { exitCode: 1 });
    if (policy === '-') {
      if (chain === undefined) chain = table.newChain(name);
      else table.flush(name);
    } else {
      if (chain === undefined || !chain.isBuiltIn) throw new IptablesError('failed', { exitCode: 1 });
      if (this.options.noFlush === true) table.flush(name);
      table.setPolicy(name, policy as Policy);
    }
    const match = /^\[(\d+):(\d+)\]$/.exec(counters ?? '');
    if (this.options.counters === true && match !== null && chain !== undefined) {
      chain.packets = Number(match[1]);
      chain.bytes = Number(match[2]);
    }
  }

  private rule(text: string): void {
    const { table } = this.current!;
    const match = /^\[(\d+):(\d+)\]\s*(.*)$/.exec(text);
    const [command = '', chain = '', ...words] = splitLine(match?.[3] ?? text);
    switch (command) {
      case '-A':
      case '--append': {
        const rule = parseRule(words);
        if (this.options.counters === true && match !== null) {
          rule.packets = Number(match[1]);
          rule.bytes = Number(match[2]);
        }
        return table.insert(chain, rule);
      }
      case '-I':
      case '--insert': {
        const number = /^\d+$/.test(words[0] ?? '') ? Number(words.shift()) : 1;
        return table.insert(chain, parseRule(words), number);
      }
      case '-D':
      case '--delete':
        if (/^\d+$/.test(words[0] ?? '')) return table.deleteNumber(chain, Number(words[0]));
        return table.deleteRule(chain, parseRule(words));
      case '-N':
        return void table.newChain(chain);
      case '-X':
        return chain === '' ? table.deleteAllChains() : table.deleteChain(chain);
      case '-F':
        return table.flush(chain === '' ? undefined : chain);
      case '-P':
        return table.setPolicy(chain, words[0] as Policy);
      default:
        throw new IptablesError('failed', { exitCode: 1 });
    }
  }

  finish(lines: number): ReadonlyMap<TableName, Table> {
    if (this.current !== undefined) {
      this.abandon();
      throw new IptablesError('COMMIT expected at line', { exitCode: 1, line: lines });
    }
    if (this.options.test === true) this.abandon();
    return this.committed;
  }

  abandon(): void {
    this.current?.table.dispose();
    for (const table of this.committed.values()) table.dispose();
  }
}

/** A copy with the same rules and counters. */
function copyTable(from: Table | undefined, to: Table): void {
  if (from === undefined) return;
  const chains = from.listChains();
  for (const chain of chains) if (!chain.isBuiltIn) to.newChain(chain.name);
  for (const chain of chains) {
    const copy = to.chain(chain.name)!;
    copy.policy = chain.policy;
    copy.packets = chain.packets;
    copy.bytes = chain.bytes;
    for (const rule of chain.rules) to.insert(chain.name, rule);
  }
}

function isTableName(name: string): name is TableName {
  return Object.hasOwn(BUILT_IN_CHAINS, name);
}

function saveTable(table: Table, withCounters: boolean, date: string): string {
  const chains = table.listChains();
  const lines = [`# Generated by iptables-save v1.8.9 (nf_tables) on ${date}`, `*${table.name}`];
  for (const chain of chains)
    lines.push(`:${chain.name} ${chain.policy ?? '-'} [${chain.packets}:${chain.bytes}]`);
  for (const chain of chains) {
    for (const rule of chain.rules) {
      const counters = withCounters ? `[${rule.packets}:${rule.bytes}] ` : '';
      const spec = rule.toSpec();
      lines.push(`${counters}-A ${chain.name}${spec === '' ? '' : ` ${spec}`}`);
    }
  }
  lines.push('COMMIT', `# Completed on ${date}`);
  return `${lines.join('\n')}\n`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** asctime(3) of an instant in UTC. */
function asctime(instantMs: number): string {
  const date = new Date(instantMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = String(date.getUTCDate()).padStart(2, ' ');
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`;
}

/** nf_log_ipv4's line, as far as these packets have its fields. */
function logText(prefix: string, packet: Packet, { inLink, outLink }: HookContext): string {
  const ends = `SRC=${dotted(packet.source)} DST=${dotted(packet.destination)}`;
  const head = `${prefix}IN=${inLink?.name ?? ''} OUT=${outLink?.name ?? ''} ${ends} LEN=${packet.length} TOS=0x00 PREC=0x00 TTL=${packet.ttl} ID=${packet.identification} ${packet.dontFragment ? 'DF ' : ''}`;
  if (packet.protocol === 6 || packet.protocol === 17) {
    return `${head}PROTO=${packet.protocol === 6 ? 'TCP' : 'UDP'} SPT=${packet.sourcePort} DPT=${packet.destinationPort} `;
  }
  if (packet.protocol === 1) return `${head}PROTO=ICMP TYPE=${packet.icmpType} CODE=${packet.icmpCode} `;
  return `${head}PROTO=${packet.protocol} `;
}

function dotted(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
}
