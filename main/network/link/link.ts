// A network device as ip-link(8) shows it, and what all kinds of devices do with frames.
import type { NetworkNamespace } from '../namespace.ts';
import { frameLength, Packet } from '../ip/packet.ts';
import type { Cable } from './cable.ts';
import type { Frame } from './frame.ts';

/** What a link is. `ether` is a machine's network card at the end of a cable. */
export type LinkKind = 'loopback' | 'ether' | 'veth' | 'bridge' | 'dummy' | 'vxlan' | 'ipip' | 'vlan';

/** rtnl_link_stats64's counters. */
export interface LinkStats {
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  rxMulticast: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
  txCarrierErrors: number;
}

/** What `ip -d link` adds, by kind. */
export type LinkDetails =
  | { readonly kind: 'loopback' | 'ether' | 'veth' | 'dummy' }
  | {
      readonly kind: 'bridge';
      readonly ports: readonly Link[];
      readonly ageingMs: number;
      readonly stp: boolean;
    }
  | {
      readonly kind: 'vxlan';
      readonly id: number;
      readonly local: string | undefined;
      readonly remote: string | undefined;
      readonly underlay: Link | undefined;
      readonly port: number;
      readonly learning: boolean;
    }
  | { readonly kind: 'ipip'; readonly local: string; readonly remote: string; readonly ttl: number }
  | { readonly kind: 'vlan'; readonly id: number; readonly underlay: Link };

/** What a bridge offers its ports. */
export interface BridgeMaster extends Link {
  input(port: Link, frame: Frame): void;
}

/** Fields of a link when it's made. */
export interface LinkSetup {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly altNames?: readonly string[];
}

/** A device of a namespace. Its fields change through the namespace's LinkTable only. */
export abstract class Link {
  namespace: NetworkNamespace;
  index: number;
  name: string;
  altNames: readonly string[];
  /** Six hexadecimal pairs, lower case; IPIP tunnels show an IPv4 address instead (`ip link`). */
  mac: string;
  mtu: number;
  /** IFF_UP. */
  isUp = false;
  /** IFF_NOARP. */
  noArp = false;
  /** The bridge this is a port of. */
  master: BridgeMaster | undefined = undefined;
  /** BR_HAIRPIN_MODE: as a bridge port, frames may leave where they came in. */
  isHairpin = false;
  /** Has been up before: the qdisc is only attached then. */
  wasUp = false;
  carrierChanges = 0;
  readonly stats: LinkStats = {
    rxBytes: 0,
    rxPackets: 0,
    rxErrors: 0,
    rxDropped: 0,
    rxMulticast: 0,
    txBytes: 0,
    txPackets: 0,
    txErrors: 0,
    txDropped: 0,
    txCarrierErrors: 0,
  };

  abstract readonly kind: LinkKind;

  constructor(namespace: NetworkNamespace, setup: LinkSetup) {
    this.namespace = namespace;
    this.index = setup.index;
    this.name = setup.name;
    this.mac = setup.mac;
    this.mtu = setup.mtu;
    this.altNames = setup.altNames ?? [];
  }

  /** LOWER_UP: it is up and there is a carrier. */
  get hasCarrier(): boolean {
    return this.isUp;
  }

  get operState(): 'UP' | 'DOWN' | 'UNKNOWN' | 'LOWERLAYERDOWN' {
    if (!this.isUp) return 'DOWN';
    return this.hasCarrier ? 'UP' : 'DOWN';
  }

  /** Flags in the order `ip link` prints, such as BROADCAST, MULTICAST, UP, LOWER_UP. */
  get flags(): readonly string[] {
    const flags = this.isUp && !this.hasCarrier ? ['NO-CARRIER'] : [];
    if (this.kind === 'loopback') flags.push('LOOPBACK');
    else if (this.kind === 'ipip') flags.push('NOARP');
    else {
      flags.push('BROADCAST');
      if (this.noArp) flags.push('NOARP');
      if (this.kind !== 'dummy') flags.push('MULTICAST');
    }
    if (this.isUp) flags.push('UP');
    if (this.hasCarrier) flags.push('LOWER_UP');
    if (this.kind === 'veth' && !this.isUp) flags.push('M-DOWN');
    return flags;
  }

  get qdisc(): string {
    return this.wasUp ? 'noqueue' : 'noop';
  }

  get queueLength(): number {
    return 1000;
  }

  /** The other end of a veth pair, or the underlying device of a vlan or vxlan. */
  get peer(): Link | undefined {
    return undefined;
  }

  /** The cable of a veth or ether link, both directions shared. */
  get cable(): Cable | undefined {
    return undefined;
  }

  get details(): LinkDetails {
    return { kind: 'dummy' };
  }

  /** Limits of `ip link set mtu`. */
  get mtuRange(): readonly [min: number, max: number] {
    return [68, 65535];
  }

  /** Sends a frame out of this device. */
  transmit(frame: Frame): void {
    const { stats } = this;
    if (!this.isUp) {
      stats.txDropped++;
      return;
    }
    const { capture } = this.namespace;
    if (capture.isOpen) capture.tap(this, 'out', frame);
    const size = this.sizeOf(frame);
    if (this.send(frame, size)) {
      stats.txPackets++;
      stats.txBytes += size;
    }
  }

  /** Takes a frame that arrived. */
  receive(frame: Frame): void {
    const { stats, namespace } = this;
    if (!this.isUp || namespace.isDisposed) {
      stats.rxDropped++;
      return;
    }
    stats.rxPackets++;
    stats.rxBytes += this.sizeOf(frame);
    if (frame.destination.charCodeAt(1) === 102 && frame.destination !== this.mac) stats.rxMulticast++; // ff:…
    if (namespace.capture.isOpen) namespace.capture.tap(this, 'in', frame);
    if (frame.vlan !== undefined && namespace.links.deliverVlan(this, frame)) return;
    if (this.master !== undefined) this.master.input(this, frame);
    else namespace.stack.receiveFrame(this, frame);
  }

  /** What is peculiar to the kind; false if it dropped the frame (and counted why). */
  protected abstract send(frame: Frame, size: number): boolean;

  /** Bytes as the counters count them: with the Ethernet header. */
  protected sizeOf(frame: Frame): number {
    return frameLength(frame);
  }

  /** Whether the payload is an IP packet over this link's MTU that mustn't be fragmented (others travel whole). */
  protected isTooLong(frame: Frame): boolean {
    return frame.payload instanceof Packet && frame.payload.dontFragment && frame.payload.length > this.mtu;
  }

  /** Called when the link leaves the namespace for good. */
  dispose(): void {
    this.isUp = false;
  }
}
