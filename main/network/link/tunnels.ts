// Tunnels: VXLAN (RFC 7348) as Flannel uses it, and IPIP (RFC 2003) as Calico does.
import { formatIpv4, parseIpv4 } from '../ip/ipv4.ts';
import { Packet, PROTO_IPIP, PROTO_UDP, cloneFrame } from '../ip/packet.ts';
import type { NetworkNamespace } from '../namespace.ts';
import type { Frame } from './frame.ts';
import { isGroup } from './bridge.ts';
import { Link, type LinkDetails, type LinkSetup } from './link.ts';

/** Bytes VXLAN adds: IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14. */
export const VXLAN_OVERHEAD_BYTES = 50;

export interface VxlanSetup {
  readonly id: number;
  readonly local?: string;
  readonly remote?: string;
  readonly underlay?: Link;
  readonly port?: number;
  readonly learning?: boolean;
}

const ANY_MAC = '00:00:00:00:00:00';

export class VxlanLink extends Link {
  readonly kind = 'vxlan';
  readonly id: number;
  readonly local: number | undefined;
  readonly remote: number | undefined;
  readonly underlay: Link | undefined;
  readonly port: number;
  readonly learning: boolean;
  /** Where an inner MAC is: the outer destinations. */
  readonly fdb = new Map<string, { remote: number; isPermanent: boolean; usedMs: number }[]>();

  constructor(namespace: NetworkNamespace, setup: LinkSetup, vxlan: VxlanSetup) {
    super(namespace, setup);
    this.id = vxlan.id;
    this.local = vxlan.local === undefined ? undefined : parseIpv4(vxlan.local);
    this.remote = vxlan.remote === undefined ? undefined : parseIpv4(vxlan.remote);
    this.underlay = vxlan.underlay;
    this.port = vxlan.port ?? 8472;
    this.learning = vxlan.learning ?? true;
    if (this.remote !== undefined)
      this.fdb.set(ANY_MAC, [{ remote: this.remote, isPermanent: true, usedMs: 0 }]);
  }

  override get operState() {
    return this.isUp ? ('UNKNOWN' as const) : ('DOWN' as const);
  }

  override get peer(): Link | undefined {
    return this.underlay;
  }

  override get details(): LinkDetails {
    return {
      kind: 'vxlan',
      id: this.id,
      local: this.local === undefined ? undefined : formatIpv4(this.local),
      remote: this.remote === undefined ? undefined : formatIpv4(this.remote),
      underlay: this.underlay,
      port: this.port,
      learning: this.learning,
    };
  }

  protected override send(frame: Frame): boolean {
    const entries =
      (isGroup(frame.destination) ? undefined : this.fdb.get(frame.destination)) ?? this.fdb.get(ANY_MAC);
    if (entries === undefined || entries.length === 0) {
      this.stats.txDropped++;
      this.namespace.stack.traceDrop(frame.payload, this, 'tunnel', 'vxlan-no-fdb');
      return false;
    }
    for (const { remote } of entries)
      this.encapsulate(entries.length > 1 ? cloneFrame(frame) : frame, remote);
    return true;
  }

  private encapsulate(frame: Frame, remote: number): void {
    const { payload } = frame;
    if (payload instanceof Packet) payload.scrub();
    const outer = new Packet();
    if (payload instanceof Packet) outer.id = payload.id;
    outer.protocol = PROTO_UDP;
    outer.source = this.local ?? 0;
    outer.destination = remote;
    // udp_flow_src_port: the inner flow's hash in the ephemeral range.
    outer.sourcePort = 32768 + (flowHash(payload) % 28233);
    outer.destinationPort = this.port;
    outer.vxlanFrame = frame;
    outer.vxlanId = this.id;
    this.namespace.stack.sendLocal(outer, { link: this.underlay, source: this.local });
  }

  /** A VXLAN datagram for this network identifier came in. */
  decapsulate(outer: Packet): void {
    const frame = outer.vxlanFrame!;
    if (this.learning) {
      this.fdb.set(frame.source, [
        { remote: outer.source, isPermanent: false, usedMs: this.namespace.clock.now() },
      ]);
    }
    if (frame.payload instanceof Packet) frame.payload.id = outer.id;
    this.receive(frame);
  }
}

function flowHash(payload: Frame['payload']): number {
  if (!(payload instanceof Packet)) return 0;
  const ports = (payload.sourcePort << 16) ^ payload.destinationPort;
  return (Math.imul(payload.source ^ (payload.destination << 1) ^ ports, 0x9e3779b1) >>> 8) & 0xffffff;
}

export interface IpipSetup {
  readonly local?: string;
  readonly remote?: string;
  readonly ttl?: number;
}

export class IpipLink extends Link {
  readonly kind = 'ipip';
  readonly local: number;
  readonly remote: number;
  readonly ttl: number;

  constructor(namespace: NetworkNamespace, setup: LinkSetup, ipip: IpipSetup) {
    super(namespace, setup);
    this.local = (ipip.local === undefined ? undefined : parseIpv4(ipip.local)) ?? 0;
    this.remote = (ipip.remote === undefined ? undefined : parseIpv4(ipip.remote)) ?? 0;
    this.ttl = ipip.ttl ?? 0;
    this.noArp = true;
  }

  override get operState() {
    return this.isUp ? ('UNKNOWN' as const) : ('DOWN' as const);
  }

  override get details(): LinkDetails {
    return { kind: 'ipip', local: formatIpv4(this.local), remote: formatIpv4(this.remote), ttl: this.ttl };
  }

  /** No Ethernet header inside. */
  protected override sizeOf(frame: Frame): number {
    return frame.payload instanceof Packet ? frame.payload.length : 0;
  }

  protected override send(frame: Frame): boolean {
    const inner = frame.payload;
    if (!(inner instanceof Packet)) return false;
    // Without a fixed remote the route's gateway is it (ip_tunnel_xmit); the stack leaves it as the "MAC".
    const remote = this.remote !== 0 ? this.remote : (parseIpv4(frame.destination) ?? 0);
    if (remote === 0) {
      this.stats.txErrors++;
      this.namespace.stack.traceDrop(inner, this, 'tunnel', 'ipip-no-remote');
      return false;
    }
    inner.scrub();
    const outer = new Packet();
    outer.id = inner.id;
    outer.protocol = PROTO_IPIP;
    outer.source = this.local;
    outer.destination = remote;
    outer.ttl = this.ttl === 0 ? inner.ttl : this.ttl;
    outer.dontFragment = inner.dontFragment;
    outer.inner = inner;
    this.namespace.stack.sendLocal(outer, { source: this.local === 0 ? undefined : this.local });
    return true;
  }

  /** An IPIP packet for this tunnel came in. */
  decapsulate(outer: Packet): void {
    const inner = outer.inner!;
    inner.id = outer.id;
    this.receive({
      source: formatIpv4(outer.source),
      destination: this.mac,
      vlan: undefined,
      payload: inner,
    });
  }
}
