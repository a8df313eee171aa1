// The simple kinds of links: loopback, network card, veth, dummy, vlan.
import type { NetworkNamespace } from '../namespace.ts';
import type { Cable } from './cable.ts';
import type { Frame } from './frame.ts';
import { Link, type LinkDetails, type LinkSetup } from './link.ts';
import { Softirq } from './softirq.ts';

/** lo: what is sent comes back. */
export class LoopbackLink extends Link {
  readonly kind = 'loopback';

  override get operState() {
    return this.isUp ? ('UNKNOWN' as const) : ('DOWN' as const);
  }

  override get details(): LinkDetails {
    return { kind: 'loopback' };
  }

  protected override send(frame: Frame): boolean {
    Softirq.of(this.namespace.clock).enqueue(this, frame);
    return true;
  }
}

/** One end of a cable: a veth, or a network card. */
export class WireLink extends Link {
  readonly kind: 'veth' | 'ether';
  private readonly wire: Cable;
  private other: WireLink | undefined = undefined;

  constructor(namespace: NetworkNamespace, setup: LinkSetup, kind: 'veth' | 'ether', wire: Cable) {
    super(namespace, setup);
    this.kind = kind;
    this.wire = wire;
  }

  /** Plugs two ends together. */
  static join(one: WireLink, two: WireLink): void {
    one.other = two;
    two.other = one;
  }

  override get hasCarrier(): boolean {
    if (!this.isUp || this.other === undefined || this.wire.isCut) return false;
    return this.other.isUp;
  }

  override get operState() {
    if (!this.isUp) return 'DOWN' as const;
    if (this.hasCarrier) return 'UP' as const;
    return this.kind === 'veth' ? ('LOWERLAYERDOWN' as const) : ('DOWN' as const);
  }

  override get flags(): readonly string[] {
    const flags = super.flags.filter((flag) => flag !== 'M-DOWN');
    if (this.kind === 'veth' && this.other !== undefined && !this.other.isUp) flags.push('M-DOWN');
    return flags;
  }

  override get qdisc(): string {
    if (this.kind === 'veth') return super.qdisc;
    return this.wasUp ? 'fq_codel' : 'noop';
  }

  override get peer(): Link | undefined {
    return this.other;
  }

  override get cable(): Cable {
    return this.wire;
  }

  override get details(): LinkDetails {
    return { kind: this.kind };
  }

  protected override send(frame: Frame, size: number): boolean {
    const { other } = this;
    if (other === undefined || !other.isUp || this.isTooLong(frame)) {
      this.stats.txDropped++;
      return false;
    }
    // Lost on the way isn't known here: the card has sent it.
    this.wire.carry(other, frame, size);
    return true;
  }

  override dispose(): void {
    super.dispose();
    this.wire.dispose();
    if (this.other !== undefined) this.other.other = undefined;
    this.other = undefined;
  }
}

/** dummy: swallows everything; kube-ipvs0 is one. */
export class DummyLink extends Link {
  readonly kind = 'dummy';

  constructor(namespace: NetworkNamespace, setup: LinkSetup) {
    super(namespace, setup);
    this.noArp = true; // dummy_setup sets IFF_NOARP.
  }

  override get operState() {
    return this.isUp ? ('UNKNOWN' as const) : ('DOWN' as const);
  }

  override get mtuRange() {
    return [0, 65535] as const;
  }

  protected override send(): boolean {
    return true;
  }
}

/** An 802.1Q sub-interface. */
export class VlanLink extends Link {
  readonly kind = 'vlan';
  readonly id: number;
  readonly underlay: Link;

  constructor(namespace: NetworkNamespace, setup: LinkSetup, underlay: Link, id: number) {
    super(namespace, setup);
    this.underlay = underlay;
    this.id = id;
  }

  override get hasCarrier(): boolean {
    return this.isUp && this.underlay.hasCarrier;
  }

  override get operState() {
    if (!this.isUp) return 'DOWN' as const;
    return this.hasCarrier ? ('UP' as const) : ('LOWERLAYERDOWN' as const);
  }

  override get peer(): Link {
    return this.underlay;
  }

  override get details(): LinkDetails {
    return { kind: 'vlan', id: this.id, underlay: this.underlay };
  }

  protected override send(frame: Frame): boolean {
    this.underlay.transmit({ ...frame, vlan: this.id });
    return true;
  }
}
