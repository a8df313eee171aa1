// Forwarding databases of bridges and VXLAN devices in one view, as bridge-fdb(8) shows them.
import { ErrnoError } from '../errno.ts';
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { BridgeLink } from './bridge.ts';
import type { Link } from './link.ts';
import type { LinkTable } from './link-table.ts';
import { VxlanLink } from './tunnels.ts';

export interface FdbEntry {
  readonly mac: string;
  /** The bridge port, or the vxlan device. */
  readonly link: Link;
  /** The bridge it belongs to. */
  readonly master: Link | undefined;
  /** Remote VTEP of a vxlan entry. */
  readonly remote: string | undefined;
  readonly isPermanent: boolean;
  /** `self` entries belong to the device, others to the master's table. */
  readonly isSelf: boolean;
  /** Ms since the last frame from this address. */
  readonly usedMs: number;
}

export class FdbTable {
  private readonly namespace: NetworkNamespace;
  private readonly links: LinkTable;

  constructor(namespace: NetworkNamespace, links: LinkTable) {
    this.namespace = namespace;
    this.links = links;
  }

  list(link?: Link): FdbEntry[] {
    const entries = this.links.list().flatMap((each) => this.entriesOf(each));
    return link === undefined
      ? entries
      : entries.filter((entry) => entry.link === link || entry.master === link);
  }

  /** Adds or replaces an entry of a vxlan device, or a static one of a bridge port. Throws EOPNOTSUPP, EINVAL. */
  add(
    link: Link,
    entry: { readonly mac: string; readonly remote?: string; readonly isPermanent?: boolean },
  ): void {
    const usedMs = this.namespace.clock.now();
    if (link instanceof VxlanLink) {
      const remote = entry.remote === undefined ? undefined : parseIpv4(entry.remote);
      if (remote === undefined) throw new ErrnoError('EINVAL');
      const kept = entry.mac === '00:00:00:00:00:00' ? (link.fdb.get(entry.mac) ?? []) : [];
      const others = kept.filter((each) => each.remote !== remote);
      link.fdb.set(entry.mac, [...others, { remote, isPermanent: entry.isPermanent ?? true, usedMs }]);
    } else if (link.master instanceof BridgeLink) {
      link.master.fdb.set(entry.mac, { port: link, isPermanent: entry.isPermanent ?? true, usedMs });
    } else throw new ErrnoError('EOPNOTSUPP');
  }

  /** Throws ENOENT. */
  delete(link: Link, mac: string, remote?: string): void {
    if (link instanceof VxlanLink) {
      const entries = link.fdb.get(mac) ?? [];
      const address = remote === undefined ? undefined : parseIpv4(remote);
      const kept = entries.filter((entry) => address !== undefined && entry.remote !== address);
      if (kept.length === entries.length) throw new ErrnoError('ENOENT');
      if (kept.length === 0) link.fdb.delete(mac);
      else link.fdb.set(mac, kept);
    } else if (!(link.master instanceof BridgeLink && link.master.fdb.delete(mac)))
      throw new ErrnoError('ENOENT');
  }

  private entriesOf(link: Link): FdbEntry[] {
    const now = this.namespace.clock.now();
    if (link instanceof VxlanLink) {
      return [...link.fdb].flatMap(([mac, entries]) =>
        entries.map(({ remote, isPermanent, usedMs }) => ({
          mac,
          link,
          master: undefined,
          remote: formatIpv4(remote),
          isPermanent,
          isSelf: true,
          usedMs: now - usedMs,
        })),
      );
    }
    if (!(link instanceof BridgeLink)) return [];
    const own = link.ports.map((port) => ({
      mac: port.mac,
      link: port,
      master: link,
      remote: undefined,
      isPermanent: true,
      isSelf: false,
      usedMs: 0,
    }));
    const learnt = [...link.fdb].map(([mac, entry]) => ({
      mac,
      link: entry.port,
      master: link,
      remote: undefined,
      isPermanent: entry.isPermanent,
      isSelf: false,
      usedMs: now - entry.usedMs,
    }));
    return [...own, ...learnt];
  }
}
