// The devices of a namespace: making, finding, changing and deleting them, as ip-link(8) does.
import type { Cable, Link } from './link.ts';
import type { NetworkNamespace } from '../namespace.ts';

export interface LinkOptions {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
}

export interface LinkTable {
  /** By index. */
  list(): Link[];
  /** By name, altname or index. */
  get(name: string | number): Link | undefined;
  /** Throws ENODEV. */
  require(name: string | number): Link;

  // Making. Each throws EEXIST for a taken name, EINVAL for a bad one (IFNAMSIZ). New links are down.
  addVeth(options: LinkOptions & { readonly peer: LinkOptions & { readonly namespace?: NetworkNamespace } }): Link;
  /** A machine's network card and the switch port (or card) it is cabled to, which may be in another namespace. */
  addEther(options: LinkOptions & {
    readonly altNames?: readonly string[];
    readonly cable?: Partial<Cable>;
    readonly peer: LinkOptions & { readonly namespace: NetworkNamespace };
  }): Link;
  addBridge(options: LinkOptions): Link;
  addDummy(options: LinkOptions): Link;
  addVxlan(options: LinkOptions & {
    readonly id: number;
    readonly local?: string;
    readonly remote?: string;
    readonly underlay?: Link;
    readonly port?: number;
    readonly learning?: boolean;
  }): Link;
  addIpip(options: LinkOptions & { readonly local?: string; readonly remote?: string; readonly ttl?: number }): Link;
  addVlan(options: LinkOptions & { readonly underlay: Link; readonly id: number }): Link;

  /** With a veth, its peer goes too. Throws EOPNOTSUPP for lo and network cards. */
  delete(link: Link): void;
  setUp(link: Link): void;
  /** Takes the routes over it away, as Linux does; addresses stay. */
  setDown(link: Link): void;
  /** Throws EINVAL outside the kind's limits. */
  setMtu(link: Link, mtu: number): void;
  setMac(link: Link, mac: string): void;
  /** Throws EEXIST. */
  setName(link: Link, name: string): void;
  /** Makes it a port of a bridge, or with undefined frees it. Throws ELOOP, EBUSY. */
  setMaster(link: Link, bridge: Link | undefined): void;
  setNoArp(link: Link, noArp: boolean): void;
  /** `ip link set X netns Y`: addresses and routes are lost; returns the link at its new place. */
  setNamespace(link: Link, namespace: NetworkNamespace): Link;

  /** Forwarding entries of bridges and vxlans: bridge-fdb(8). */
  readonly fdb: FdbTable;
}

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

export interface FdbTable {
  list(link?: Link): FdbEntry[];
  add(link: Link, entry: { readonly mac: string; readonly remote?: string; readonly isPermanent?: boolean }): void;
  /** Throws ENOENT. */
  delete(link: Link, mac: string, remote?: string): void;
}
