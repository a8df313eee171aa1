// The recent match and its lists of addresses seen (xt_recent); kube-proxy's session affinity rests on it.
import type { Packet } from '../ip/packet.ts';
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { IptablesError } from './iptables-error.ts';
import type { HookContext, Match } from './match.ts';
import { parseNumber, type Cursor } from './tokens.ts';

/** ip_list_tot: addresses a list remembers; the least recently seen makes room. */
const ADDRESSES_MAX = 100;
/** ip_pkt_list_tot: instants remembered per address. */
const STAMPS_MAX = 20;

interface Seen {
  stampsMs: number[];
  ttl: number;
}

/** One named list, as /proc/net/xt_recent/NAME shows it. */
export class RecentList {
  /** By masked address, least recently seen first. */
  private readonly entries = new Map<number, Seen>();
  /** How many rules use it. */
  references = 0;

  get(address: number): Seen | undefined {
    return this.entries.get(address);
  }

  set(address: number, ttl: number, nowMs: number): void {
    let entry = this.entries.get(address);
    if (entry === undefined) {
      if (this.entries.size >= ADDRESSES_MAX) this.entries.delete(this.entries.keys().next().value!);
      entry = { stampsMs: [], ttl };
    }
    entry.ttl = ttl;
    entry.stampsMs.push(nowMs);
    if (entry.stampsMs.length > STAMPS_MAX) entry.stampsMs.shift();
    this.entries.delete(address);
    this.entries.set(address, entry); // Moves it to the end.
  }

  remove(address: number): void {
    this.entries.delete(address);
  }

  clear(): void {
    this.entries.clear();
  }

  /** recent_entry_reap: only the oldest is looked at each time. */
  reap(beforeMs: number): void {
    const first = this.entries.entries().next().value;
    if (first !== undefined && first[1].stampsMs.at(-1)! < beforeMs) this.entries.delete(first[0]);
  }

  list(): { readonly address: string; readonly ttl: number; readonly stampsMs: readonly number[] }[] {
    return [...this.entries].map(([address, { stampsMs, ttl }]) => ({
      address: formatIpv4(address),
      ttl,
      stampsMs,
    }));
  }
}

type RecentAction = 'set' | 'rcheck' | 'update' | 'remove';

export class RecentMatch implements Match {
  readonly name = 'recent';
  private action: RecentAction | undefined;
  private isInverted = false;
  private list = 'DEFAULT';
  private seconds = 0;
  private hitCount = 0;
  private isReaping = false;
  private mask = 0xffffffff;
  private side: 'source' | 'destination' = 'source';

  option(name: string, isInverted: boolean, cursor: Cursor): boolean {
    switch (name) {
      case '--set':
      case '--rcheck':
      case '--update':
      case '--remove':
        if (this.action !== undefined)
          throw new IptablesError(
            "recent: only one of `--set', `--rcheck' `--update' or `--remove' may be set",
          );
        this.action = name.slice(2) as RecentAction;
        this.isInverted = isInverted;
        return true;
      case '--seconds':
        this.seconds = parseNumber(cursor.argument(name), 0xffffffff, 'seconds');
        return true;
      case '--hitcount':
        this.hitCount = parseNumber(cursor.argument(name), 255, 'hitcount');
        return true;
      case '--reap':
        this.isReaping = true;
        return true;
      case '--name':
        this.list = cursor.argument(name);
        return true;
      case '--mask':
        this.mask = parseIpv4(cursor.argument(name)) ?? 0xffffffff;
        return true;
      case '--rsource':
        this.side = 'source';
        return true;
      case '--rdest':
        this.side = 'destination';
        return true;
      default:
        return false;
    }
  }

  check(): void {
    if (this.action === undefined)
      throw new IptablesError("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'");
    if (this.isReaping && this.seconds === 0)
      throw new IptablesError('recent: option "--reap" requires option "--seconds"');
  }

  toSpec(): string {
    const { seconds, hitCount } = this;
    const parts = [`${this.isInverted ? ' !' : ''} --${this.action}`];
    if (seconds !== 0) parts.push(` --seconds ${seconds}`);
    if (this.isReaping) parts.push(' --reap');
    if (hitCount !== 0) parts.push(` --hitcount ${hitCount}`);
    parts.push(
      ` --name ${this.list} --mask ${formatIpv4(this.mask)} --${this.side === 'source' ? 'rsource' : 'rdest'}`,
    );
    return parts.join('');
  }

  describe(): string {
    const words = { set: 'SET', rcheck: 'CHECK', update: 'UPDATE', remove: 'REMOVE' };
    const parts = [`${this.isInverted ? '!' : ''}recent: ${words[this.action!]}`];
    if (this.seconds !== 0) parts.push(`seconds: ${this.seconds}`);
    if (this.isReaping) parts.push('reap');
    if (this.hitCount !== 0) parts.push(`hit_count: ${this.hitCount}`);
    parts.push(
      `name: ${this.list}`,
      `side: ${this.side === 'source' ? 'source' : 'dest'}`,
      `mask: ${formatIpv4(this.mask)}`,
    );
    return parts.join(' ');
  }

  attach(namespace: NetworkNamespace): void {
    namespace.netfilter.recentList(this.list).references++;
  }

  detach(namespace: NetworkNamespace): void {
    namespace.netfilter.releaseRecentList(this.list);
  }

  /** recent_mt (net/netfilter/xt_recent.c). */
  matches(packet: Packet, { namespace }: HookContext): boolean {
    const list = namespace.netfilter.recentList(this.list);
    const address = ((this.side === 'source' ? packet.source : packet.destination) & this.mask) >>> 0;
    const now = namespace.clock.now();
    const entry = list.get(address);
    if (entry === undefined) {
      if (this.action !== 'set') return this.isInverted;
      list.set(address, packet.ttl, now);
      return !this.isInverted;
    }
    let isHit = true;
    if (this.action === 'remove') list.remove(address);
    else if (this.action !== 'set') isHit = this.isRecent(entry, list, now);
    if (this.action === 'set' || (this.action === 'update' && isHit)) list.set(address, packet.ttl, now);
    return isHit !== this.isInverted;
  }

  private isRecent(entry: Seen, list: RecentList, now: number): boolean {
    const sinceMs = now - this.seconds * 1000;
    const hits = entry.stampsMs.filter((stampMs) => this.seconds === 0 || stampMs >= sinceMs).length;
    if (this.isReaping) list.reap(sinceMs);
    return hits >= Math.max(1, this.hitCount);
  }
}
