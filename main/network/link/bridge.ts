// A software bridge: learns where addresses are, forwards frames, and lets iptables see bridged IP (br_netfilter).
import { Packet, cloneFrame } from '../ip/packet.ts';
import { BROADCAST_MAC, type Frame } from './frame.ts';
import { Link, type BridgeMaster, type LinkDetails } from './link.ts';

/** How long an address stays known without a frame from it, in ms (br_forward: ageing_time 300 s). */
const AGEING_MS = 300_000;
/** Learnt addresses a bridge remembers; further ones are flooded (like `fdb_max_learned`). */
const FDB_ENTRIES_MAX = 16_384;

export interface BridgeFdbEntry {
  readonly port: Link;
  readonly isPermanent: boolean;
  usedMs: number;
}

export class BridgeLink extends Link implements BridgeMaster {
  readonly kind = 'bridge';
  readonly ports: Link[] = [];
  readonly fdb = new Map<string, BridgeFdbEntry>();
  /** The MAC was set by hand; otherwise it is the lowest of the ports'. */
  isMacFixed = false;

  override get hasCarrier(): boolean {
    return this.isUp && this.ports.some((port) => port.hasCarrier);
  }

  override get details(): LinkDetails {
    return { kind: 'bridge', ports: this.ports, ageingMs: AGEING_MS, stp: false };
  }

  override get mtuRange() {
    return [68, 65535] as const;
  }

  addPort(port: Link): void {
    this.ports.push(port);
    port.master = this;
    this.updateMac();
  }

  removePort(port: Link): void {
    const index = this.ports.indexOf(port);
    if (index >= 0) this.ports.splice(index, 1);
    port.master = undefined;
    for (const [mac, entry] of this.fdb) if (entry.port === port) this.fdb.delete(mac);
    this.updateMac();
  }

  /** br_stp_recalculate_bridge_id: the lowest port address, unless one was set. */
  private updateMac(): void {
    if (this.isMacFixed || this.ports.length === 0) return;
    this.mac = this.ports.map((port) => port.mac).toSorted()[0]!;
  }

  /** A frame came in at a port. */
  input(port: Link, frame: Frame): void {
    if (!this.isUp) {
      port.stats.rxDropped++;
      return;
    }
    this.learn(frame.source, port);
    const { payload } = frame;
    if (payload instanceof Packet && this.namespace.sysctls.bridgeCallsIptables) {
      this.namespace.stack.bridgePreRouting(this, port, frame);
    } else this.route(port, frame);
  }

  /** Decides by destination address; after PREROUTING when iptables sees bridged frames. */
  route(port: Link, frame: Frame): void {
    const { destination } = frame;
    if (destination === this.mac) return this.up(frame);
    if (isGroup(destination)) {
      this.flood(port, frame);
      return this.up(cloneFrame(frame));
    }
    const entry = this.lookup(destination);
    if (entry !== undefined) {
      if (entry.port !== port || port.isHairpin) this.forward(port, entry.port, frame);
    } else if (this.isPortMac(destination)) this.up(frame);
    else this.flood(port, frame);
  }

  protected override send(frame: Frame): boolean {
    const entry = isGroup(frame.destination) ? undefined : this.lookup(frame.destination);
    if (entry !== undefined) entry.port.transmit(frame);
    else {
      for (const port of this.ports) if (port.isUp) port.transmit(cloneFrame(frame));
    }
    return true;
  }

  /** Hands a frame to this machine's own IP. */
  private up(frame: Frame): void {
    const { stats, namespace } = this;
    stats.rxPackets++;
    stats.rxBytes += this.sizeOf(frame) - 14; // The bridge counts without the Ethernet header.
    if (frame.destination !== this.mac) stats.rxMulticast++;
    if (namespace.capture.isOpen) namespace.capture.tap(this, 'in', frame);
    if (frame.vlan !== undefined && namespace.links.deliverVlan(this, frame)) return;
    namespace.stack.receiveFrame(this, frame);
  }

  private flood(from: Link, frame: Frame): void {
    for (const port of this.ports) {
      if (port.isUp && (port !== from || port.isHairpin)) this.forward(from, port, cloneFrame(frame));
    }
  }

  private forward(from: Link, to: Link, frame: Frame): void {
    if (!to.isUp) return;
    const { namespace } = this;
    if (frame.payload instanceof Packet && namespace.sysctls.bridgeCallsIptables) {
      if (!namespace.stack.bridgeForward(this, from, to, frame.payload)) return;
    }
    to.transmit(frame);
  }

  private learn(mac: string, port: Link): void {
    const entry = this.fdb.get(mac);
    const now = this.namespace.clock.now();
    if (entry !== undefined && (entry.port === port || entry.isPermanent)) entry.usedMs = now;
    else if (!isGroup(mac) && (entry !== undefined || this.fdb.size < FDB_ENTRIES_MAX)) {
      this.fdb.set(mac, { port, isPermanent: false, usedMs: now });
    }
  }

  private lookup(mac: string): BridgeFdbEntry | undefined {
    const entry = this.fdb.get(mac);
    if (entry === undefined || entry.isPermanent) return entry;
    if (this.namespace.clock.now() - entry.usedMs <= AGEING_MS) return entry;
    this.fdb.delete(mac);
    return undefined;
  }

  private isPortMac(mac: string): boolean {
    for (const port of this.ports) if (port.mac === mac) return true;
    return false;
  }

  override dispose(): void {
    super.dispose();
    for (const port of [...this.ports]) this.removePort(port);
  }
}

/** Broadcast or multicast: the lowest bit of the first octet. */
export function isGroup(mac: string): boolean {
  if (mac === BROADCAST_MAC) return true;
  const code = mac.charCodeAt(1);
  const nibble = code <= 57 ? code - 48 : code - 87;
  return (nibble & 1) === 1;
}
