// The devices of a namespace: making, finding, changing and deleting them, as ip-link(8) does.
import { ErrnoError } from '../errno.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { BridgeLink } from './bridge.ts';
import { Cable, type CableProperties } from './cable.ts';
import { FdbTable } from './fdb-table.ts';
import type { Frame } from './frame.ts';
import { DummyLink, LoopbackLink, VlanLink, WireLink } from './kinds.ts';
import type { Link, LinkSetup } from './link.ts';
import { IpipLink, VXLAN_OVERHEAD_BYTES, VxlanLink, type IpipSetup, type VxlanSetup } from './tunnels.ts';

export interface LinkOptions {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
}

/** IFNAMSIZ without the terminating zero. */
const NAME_LENGTH_MAX = 15;
const ETHERNET_MTU = 1500;
const LOOPBACK_MTU = 65536;
/** ip_tunnel's: 1500 less the outer IPv4 header. */
const IPIP_MTU = 1480;

export class LinkTable {
  /** The kernel's own log is told of every change first. */
  watcher: ((link: Link, isGone: boolean) => void) | undefined;
  private readonly namespace: NetworkNamespace;
  private readonly byIndex = new Map<number, Link>();
  private readonly byName = new Map<string, Link>();
  private nextIndex = 1;
  private readonly vlans: VlanLink[] = [];
  /** For the stack: VXLAN devices by port and id, and IPIP devices. */
  readonly vxlans: VxlanLink[] = [];
  readonly ipips: IpipLink[] = [];
  /** Forwarding entries of bridges and vxlans: bridge-fdb(8). */
  readonly fdb: FdbTable;
  readonly loopback: Link;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.fdb = new FdbTable(namespace, this);
    this.loopback = this.add(
      new LoopbackLink(namespace, {
        index: this.nextIndex++,
        name: 'lo',
        mac: '00:00:00:00:00:00',
        mtu: LOOPBACK_MTU,
      }),
    );
  }

  /** By index. */
  list(): Link[] {
    return [...this.byIndex.values()].toSorted((a, b) => a.index - b.index);
  }

  /** By name, altname or index. */
  get(name: string | number): Link | undefined {
    if (typeof name === 'number') return this.byIndex.get(name);
    return this.byName.get(name) ?? this.list().find((link) => link.altNames.includes(name));
  }

  /** Throws ENODEV. */
  require(name: string | number): Link {
    const link = this.get(name);
    if (link === undefined) throw new ErrnoError('ENODEV');
    return link;
  }

  // Making. Each throws EEXIST for a taken name, EINVAL for a bad one. New links are down.

  addVeth(
    options: LinkOptions & { readonly peer: LinkOptions & { readonly namespace?: NetworkNamespace } },
  ): Link {
    return this.addWires('veth', options, options.peer.namespace ?? this.namespace, options.peer, {}, []);
  }

  /** A machine's network card, and the switch port (or card) it is cabled to, which may be in another namespace. */
  addEther(
    options: LinkOptions & {
      readonly altNames?: readonly string[];
      readonly cable?: Partial<CableProperties>;
      readonly peer: LinkOptions & { readonly namespace: NetworkNamespace };
    },
  ): Link {
    return this.addWires(
      'ether',
      options,
      options.peer.namespace,
      options.peer,
      options.cable ?? {},
      options.altNames ?? [],
    );
  }

  addBridge(options: LinkOptions): Link {
    const bridge = new BridgeLink(this.namespace, this.setup(options, ETHERNET_MTU));
    bridge.isMacFixed = options.mac !== undefined;
    return this.add(bridge);
  }

  addDummy(options: LinkOptions): Link {
    return this.add(new DummyLink(this.namespace, this.setup(options, ETHERNET_MTU)));
  }

  addVxlan(options: LinkOptions & VxlanSetup): Link {
    const mtu = (options.underlay?.mtu ?? ETHERNET_MTU + VXLAN_OVERHEAD_BYTES) - VXLAN_OVERHEAD_BYTES;
    const port = options.port ?? 8472;
    if (this.vxlans.some((other) => other.id === options.id && other.port === port))
      throw new ErrnoError('EEXIST');
    return this.add(new VxlanLink(this.namespace, this.setup(options, mtu), options));
  }

  addIpip(options: LinkOptions & IpipSetup): Link {
    const setup = { ...this.setup(options, IPIP_MTU), mac: options.local ?? '0.0.0.0' };
    return this.add(new IpipLink(this.namespace, setup, options));
  }

  addVlan(options: LinkOptions & { readonly underlay: Link; readonly id: number }): Link {
    const { underlay, id } = options;
    if (!(id >= 0 && id <= 4094)) throw new ErrnoError('ERANGE');
    if (this.vlans.some((vlan) => vlan.underlay === underlay && vlan.id === id))
      throw new ErrnoError('EEXIST');
    const setup = { ...this.setup(options, underlay.mtu), mac: options.mac ?? underlay.mac };
    return this.add(new VlanLink(this.namespace, setup, underlay, id));
  }

  /** With a veth, its peer goes too. Throws EOPNOTSUPP for lo and network cards. */
  delete(link: Link): void {
    if (link.kind === 'loopback' || link.kind === 'ether') throw new ErrnoError('EOPNOTSUPP');
    const peer = link.kind === 'veth' ? link.peer : undefined;
    for (const vlan of this.vlans.filter((each) => each.underlay === link)) this.remove(vlan);
    this.remove(link);
    if (peer !== undefined) peer.namespace.links.remove(peer);
  }

  setUp(link: Link): void {
    if (link.isUp) return;
    link.isUp = true;
    link.wasUp = true;
    this.namespace.addresses.onLinkUp(link);
    this.changed(link);
    if (link.peer !== undefined && link.kind !== 'vlan') link.peer.namespace.links.changed(link.peer);
  }

  /** Takes the routes over it away, as Linux does; addresses stay. */
  setDown(link: Link): void {
    if (!link.isUp) return;
    link.isUp = false;
    this.namespace.routes.onLinkDown(link);
    this.namespace.neighbours.flush(link);
    this.changed(link);
    if (link.peer !== undefined && link.kind !== 'vlan') link.peer.namespace.links.changed(link.peer);
  }

  /** Throws EINVAL outside the kind's limits. */
  setMtu(link: Link, mtu: number): void {
    const [min, max] = link.mtuRange;
    if (mtu < min || mtu > max) throw new ErrnoError('EINVAL');
    link.mtu = mtu;
    this.changed(link);
  }

  setMac(link: Link, mac: string): void {
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw new ErrnoError('EINVAL');
    link.mac = mac;
    if (link instanceof BridgeLink) link.isMacFixed = true;
    this.changed(link);
  }

  /** Throws EEXIST, EINVAL. */
  setName(link: Link, name: string): void {
    this.checkName(name);
    this.byName.delete(link.name);
    link.name = name;
    this.byName.set(name, link);
    this.changed(link);
  }

  /** Makes it a port of a bridge, or with undefined frees it. Throws ELOOP, EBUSY, EOPNOTSUPP. */
  setMaster(link: Link, bridge: Link | undefined): void {
    if (bridge !== undefined && !(bridge instanceof BridgeLink)) throw new ErrnoError('EOPNOTSUPP');
    if (link instanceof BridgeLink) throw new ErrnoError('ELOOP');
    if (link.kind === 'loopback') throw new ErrnoError('EINVAL');
    if (link.master === bridge) return;
    (link.master as BridgeLink | undefined)?.removePort(link);
    bridge?.addPort(link);
    this.changed(link);
  }

  setNoArp(link: Link, noArp: boolean): void {
    link.noArp = noArp;
    this.changed(link);
  }

  /** BR_HAIRPIN_MODE of a bridge port. */
  setHairpin(link: Link, isHairpin: boolean): void {
    link.isHairpin = isHairpin;
  }

  /** `ip link set X netns Y`: addresses and routes are lost, and it is down there. Throws EEXIST. */
  setNamespace(link: Link, namespace: NetworkNamespace): Link {
    if (link.kind === 'loopback') throw new ErrnoError('EINVAL');
    if (namespace.links.get(link.name) !== undefined) throw new ErrnoError('EEXIST');
    this.forget(link);
    namespace.links.adopt(link);
    return link;
  }

  /** Gives a tagged frame to the VLAN device it is for; false if there is none. */
  deliverVlan(link: Link, frame: Frame): boolean {
    const vlan = this.vlans.find((each) => each.underlay === link && each.id === frame.vlan);
    if (vlan === undefined) return link.master === undefined; // Untagged stacks drop it; bridges pass it on.
    vlan.receive({ ...frame, vlan: undefined });
    return true;
  }

  /** Takes every device away. */
  dispose(): void {
    for (const link of this.list()) {
      if (link.kind === 'veth' && link.peer !== undefined && link.peer.namespace !== this.namespace) {
        link.peer.namespace.links.remove(link.peer);
      }
      link.dispose();
    }
    this.byIndex.clear();
    this.byName.clear();
  }

  private addWires(
    kind: 'veth' | 'ether',
    near: LinkOptions,
    farNamespace: NetworkNamespace,
    far: LinkOptions,
    properties: Partial<CableProperties>,
    altNames: readonly string[],
  ): Link {
    this.checkName(near.name);
    farNamespace.links.checkName(far.name);
    if (farNamespace === this.namespace && near.name === far.name) throw new ErrnoError('EEXIST');
    const { clock, random } = this.namespace;
    const cable = new Cable(clock, random.fork(`cable/${near.name}/${this.nextIndex}`), properties);
    // The kernel registers the peer first.
    const there = farNamespace.links;
    const two = new WireLink(farNamespace, there.setup(far, ETHERNET_MTU), kind, cable);
    there.add(two);
    const one = new WireLink(this.namespace, { ...this.setup(near, ETHERNET_MTU), altNames }, kind, cable);
    WireLink.join(one, two);
    this.add(one);
    return one;
  }

  private setup(options: LinkOptions, mtu: number): LinkSetup {
    this.checkName(options.name);
    return {
      index: this.nextIndex++,
      name: options.name,
      mac: options.mac ?? this.randomMac(),
      mtu: options.mtu ?? mtu,
    };
  }

  /** eth_random_addr: locally administered, not a group. */
  private randomMac(): string {
    const bytes = this.namespace.random.bytes(6);
    bytes[0] = (bytes[0]! & 0xfe) | 0x02;
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  }

  private checkName(name: string): void {
    if (
      name.length === 0 ||
      name.length > NAME_LENGTH_MAX ||
      /[\s/:]/.test(name) ||
      name === '.' ||
      name === '..'
    ) {
      throw new ErrnoError('EINVAL');
    }
    if (this.get(name) !== undefined) throw new ErrnoError('EEXIST');
  }

  private add(link: Link): Link {
    this.byIndex.set(link.index, link);
    this.byName.set(link.name, link);
    if (link instanceof VlanLink) this.vlans.push(link);
    if (link instanceof VxlanLink) this.vxlans.push(link);
    if (link instanceof IpipLink) this.ipips.push(link);
    this.changed(link);
    return link;
  }

  private adopt(link: Link): void {
    link.namespace = this.namespace;
    if (this.byIndex.has(link.index)) link.index = this.nextIndex++;
    else this.nextIndex = Math.max(this.nextIndex, link.index + 1);
    this.add(link);
  }

  private remove(link: Link): void {
    this.forget(link);
    link.dispose();
  }

  private forget(link: Link): void {
    this.setDown(link);
    if (link.master !== undefined) this.setMaster(link, undefined);
    this.namespace.addresses.onLinkGone(link);
    this.namespace.routes.onLinkGone(link);
    this.byIndex.delete(link.index);
    this.byName.delete(link.name);
    for (const list of [this.vlans, this.vxlans, this.ipips] as Link[][]) {
      const index = list.indexOf(link);
      if (index >= 0) list.splice(index, 1);
    }
    this.watcher?.(link, true);
    this.namespace.announceChange({ kind: 'link', action: 'delete', subject: link });
  }

  private changed(link: Link): void {
    this.watcher?.(link, false);
    this.namespace.announceChange({ kind: 'link', action: 'new', subject: link });
  }
}
