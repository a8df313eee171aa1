// Interface addresses, as ip-address(8) shows them, and the routes that come and go with them.
import { ErrnoError } from '../errno.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { formatIpv4, isLoopback, maskOf, parseIpv4 } from './ipv4.ts';
import { TABLE_LOCAL, TABLE_MAIN } from './route-tables.ts';

export interface Address {
  readonly link: Link;
  readonly family: 4 | 6;
  /** Without prefix: `192.168.10.11`. */
  readonly address: string;
  readonly prefixLength: number;
  readonly broadcast: string | undefined;
  readonly scope: 'global' | 'link' | 'host';
  /** The interface name unless labelled; IPv4 only. */
  readonly label: string;
  readonly isSecondary: boolean;
}

export interface NewAddress {
  readonly address: string;
  /** Absent: 32. */
  readonly prefixLength?: number;
  /** `+` computes it, as `ip addr add … brd +`. */
  readonly broadcast?: string;
  readonly scope?: 'global' | 'link' | 'host';
  readonly label?: string;
  /** IFA_F_NOPREFIXROUTE. */
  readonly noPrefixRoute?: boolean;
}

/** An IPv4 address with what the stack needs at hand. */
interface Entry extends Address {
  readonly number: number;
  readonly mask: number;
  readonly noPrefixRoute: boolean;
}

/** Addresses per link; more would be a mistake in a lab. */
const ADDRESSES_PER_LINK_MAX = 20_000;

export class AddressTable {
  private readonly namespace: NetworkNamespace;
  private readonly entries = new Map<Link, Entry[]>();

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  /** In the order `ip addr` prints: by link, then as added; IPv6 link-local ones last. */
  list(link?: Link): Address[] {
    const links = link === undefined ? this.namespace.links.list() : [link];
    return links.flatMap((each) => [...(this.entries.get(each) ?? []), ...ipv6Of(each)]);
  }

  /** Adds its local and prefix routes too. Throws EEXIST, EINVAL. */
  add(link: Link, options: NewAddress): Address {
    const entry = this.makeEntry(link, options);
    const entries = this.entries.get(link) ?? [];
    if (entries.some((each) => each.number === entry.number && each.mask === entry.mask))
      throw new ErrnoError('EEXIST');
    if (entries.length >= ADDRESSES_PER_LINK_MAX) throw new ErrnoError('ENOMEM');
    entries.push(entry);
    this.entries.set(link, entries);
    this.addRoutes(entry);
    this.namespace.announceChange({ kind: 'address', action: 'new', subject: entry });
    return entry;
  }

  /** Throws EADDRNOTAVAIL. Secondaries of a deleted primary go with it, unless promote_secondaries is set. */
  delete(link: Link, address: string, prefixLength?: number): void {
    const entries = this.entries.get(link) ?? [];
    const entry = entries.find(
      (each) =>
        each.address === address && (prefixLength === undefined || each.prefixLength === prefixLength),
    );
    if (entry === undefined) throw new ErrnoError('EADDRNOTAVAIL');
    const gone = entry.isSecondary
      ? [entry]
      : [entry, ...entries.filter((each) => isSecondaryOf(each, entry))];
    this.entries.set(
      link,
      entries.filter((each) => !gone.includes(each)),
    );
    for (const each of gone) {
      this.deleteRoutes(each);
      this.namespace.announceChange({ kind: 'address', action: 'delete', subject: each });
    }
  }

  flush(link: Link): void {
    for (const entry of this.entries.get(link) ?? []) {
      if (this.entries.get(link)?.includes(entry) === true)
        this.delete(link, entry.address, entry.prefixLength);
    }
  }

  /** Whether packets to it are delivered here (a `local` route matches). */
  isLocal(address: string): boolean {
    const number = parseIpv4(address);
    return number !== undefined && this.namespace.routes.addressType(number) === 'local';
  }

  /** inet_select_addr: the primary address of a link for reaching `toward`; else any other link's global one. */
  select(link: Link, toward: number | undefined, scope: 'global' | 'link' | 'host'): number | undefined {
    const candidates = (this.entries.get(link) ?? []).filter(
      (each) => !each.isSecondary && SCOPES[each.scope] <= SCOPES[scope],
    );
    const near =
      toward === undefined
        ? undefined
        : candidates.find((each) => ((each.number ^ toward) & each.mask) === 0);
    const found = near ?? candidates[0];
    if (found !== undefined) return found.number;
    for (const [other, entries] of this.entries) {
      if (other === link) continue;
      const any = entries.find(
        (each) => !each.isSecondary && each.scope !== 'link' && SCOPES[each.scope] <= SCOPES[scope],
      );
      if (any !== undefined) return any.number;
    }
    return undefined;
  }

  /** For arp_announce and arp_ignore: whether a link has this very address, or one whose subnet holds it. */
  has(link: Link, number: number): boolean {
    return (this.entries.get(link) ?? []).some((each) => each.number === number);
  }

  sharesSubnet(link: Link, one: number, two: number): boolean {
    return (this.entries.get(link) ?? []).some(
      (each) => ((each.number ^ one) & each.mask) === 0 && ((each.number ^ two) & each.mask) === 0,
    );
  }

  /** Prefix and broadcast routes exist while a link is up. */
  onLinkUp(link: Link): void {
    if (link.kind === 'loopback' && this.entries.get(link) === undefined) {
      this.add(link, { address: '127.0.0.1', prefixLength: 8, scope: 'host' });
      return;
    }
    for (const entry of this.entries.get(link) ?? []) this.addRoutes(entry);
  }

  onLinkGone(link: Link): void {
    this.flush(link);
    this.entries.delete(link);
  }

  private makeEntry(link: Link, options: NewAddress): Entry {
    const number = parseIpv4(options.address);
    const prefixLength = options.prefixLength ?? 32;
    if (number === undefined || prefixLength < 0 || prefixLength > 32) throw new ErrnoError('EINVAL');
    const mask = maskOf(prefixLength);
    const broadcast =
      options.broadcast === '+'
        ? prefixLength < 31
          ? formatIpv4((number | ~mask) >>> 0)
          : undefined
        : options.broadcast;
    const primaries = (this.entries.get(link) ?? []).filter((each) => !each.isSecondary);
    return {
      link,
      family: 4,
      address: formatIpv4(number),
      prefixLength,
      broadcast,
      scope: options.scope ?? (isLoopback(number) ? 'host' : 'global'),
      label: options.label ?? link.name,
      isSecondary: primaries.some((each) => each.mask === mask && ((each.number ^ number) & mask) === 0),
      number,
      mask,
      noPrefixRoute: options.noPrefixRoute ?? false,
    };
  }

  /** fib_add_ifaddr (net/ipv4/fib_frontend.c). */
  private addRoutes(entry: Entry): void {
    const { routes } = this.namespace;
    const { link, number, mask, prefixLength } = entry;
    const primary = this.primaryOf(entry);
    const base = { link, source: primary.address, protocol: 'kernel', metric: 0 } as const;
    routes.addKernel({
      ...base,
      table: TABLE_LOCAL,
      type: 'local',
      destination: entry.address,
      prefixLength: 32,
      scope: 'host',
    });
    if (!link.isUp) return;
    if (entry.broadcast !== undefined && entry.broadcast !== '255.255.255.255') {
      const broadcast = {
        ...base,
        table: TABLE_LOCAL,
        type: 'broadcast',
        prefixLength: 32,
        scope: 'link',
      } as const;
      routes.addKernel({ ...broadcast, destination: entry.broadcast });
    }
    if (entry.isSecondary || prefixLength === 32 || entry.noPrefixRoute) return;
    const network = formatIpv4((number & mask) >>> 0);
    if (link.kind === 'loopback') {
      routes.addKernel({
        ...base,
        table: TABLE_LOCAL,
        type: 'local',
        destination: network,
        prefixLength,
        scope: 'host',
      });
      const last = formatIpv4((number | ~mask) >>> 0);
      routes.addKernel({
        ...base,
        table: TABLE_LOCAL,
        type: 'broadcast',
        destination: last,
        prefixLength: 32,
        scope: 'link',
      });
    } else {
      routes.addKernel({
        ...base,
        table: TABLE_MAIN,
        type: 'unicast',
        destination: network,
        prefixLength,
        scope: 'link',
      });
      if (prefixLength < 31) {
        const last = formatIpv4((number | ~mask) >>> 0);
        routes.addKernel({
          ...base,
          table: TABLE_LOCAL,
          type: 'broadcast',
          destination: last,
          prefixLength: 32,
          scope: 'link',
        });
      }
    }
  }

  /** fib_del_ifaddr, simplified to what no other address still needs. */
  private deleteRoutes(entry: Entry): void {
    const { link, number, mask } = entry;
    const left = this.entries.get(link) ?? [];
    const isElsewhere = [...this.entries.values()].some((list) =>
      list.some((each) => each.number === number),
    );
    const { routes } = this.namespace;
    if (!isElsewhere || !this.has(link, number)) {
      routes.deleteKernel(TABLE_LOCAL, entry.address, 32, link, 'local');
    }
    if (left.some((each) => each.mask === mask && ((each.number ^ number) & mask) === 0)) return;
    const network = formatIpv4((number & mask) >>> 0);
    const last = formatIpv4((number | ~mask) >>> 0);
    if (entry.prefixLength < 32) {
      routes.deleteKernel(
        link.kind === 'loopback' ? TABLE_LOCAL : TABLE_MAIN,
        network,
        entry.prefixLength,
        link,
      );
      routes.deleteKernel(TABLE_LOCAL, last, 32, link, 'broadcast');
    }
    if (entry.broadcast !== undefined)
      routes.deleteKernel(TABLE_LOCAL, entry.broadcast, 32, link, 'broadcast');
    routes.forgetSource(number);
  }

  private primaryOf(entry: Entry): Entry {
    if (!entry.isSecondary) return entry;
    const entries = this.entries.get(entry.link) ?? [];
    return entries.find((each) => !each.isSecondary && isSecondaryOf(entry, each)) ?? entry;
  }
}

const SCOPES = { global: 0, link: 253, host: 254 } as const;

function isSecondaryOf(entry: Entry, primary: Entry): boolean {
  return (
    entry.isSecondary && entry.mask === primary.mask && ((entry.number ^ primary.number) & entry.mask) === 0
  );
}

/**
 * The IPv6 addresses a link shows: ::1 on lo, and a link-local one made from its MAC (RFC 4291, appendix A).
 * Differs: IPv6 packets aren't simulated; the addresses are there because `ip a` shows them.
 */
function ipv6Of(link: Link): Address[] {
  const base = { link, family: 6, broadcast: undefined, label: link.name, isSecondary: false } as const;
  if (!link.isUp) return [];
  if (link.kind === 'loopback') return [{ ...base, address: '::1', prefixLength: 128, scope: 'host' }];
  if (link.kind === 'ipip' || !link.hasCarrier || (link.noArp && link.kind !== 'dummy')) return [];
  const bytes = link.mac.split(':').map((pair) => Number.parseInt(pair, 16));
  const words = [
    (bytes[0]! ^ 2) * 256 + bytes[1]!,
    bytes[2]! * 256 + 0xff,
    0xfe00 + bytes[3]!,
    bytes[4]! * 256 + bytes[5]!,
  ];
  return [
    {
      ...base,
      address: `fe80::${words.map((word) => word.toString(16)).join(':')}`,
      prefixLength: 64,
      scope: 'link',
    },
  ];
}
