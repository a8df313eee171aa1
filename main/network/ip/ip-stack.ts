// IPv4 of one namespace: receiving, delivering, forwarding and sending packets, each step past netfilter's hooks.
import type { ErrnoCode } from '../errno.ts';
import type { Frame } from '../link/frame.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { snapshotOf } from '../trace/snapshot.ts';
import type { TraceKind, TraceRecord } from '../trace/trace.ts';
import { IcmpLayer } from './icmp.ts';
import { formatIpv4, isLoopback, isMulticast } from './ipv4.ts';
import { Packet, PROTO_ICMP, PROTO_IPIP, PROTO_TCP, PROTO_UDP } from './packet.ts';
import type { FibResult } from './route-tables.ts';

/** How a local packet is to leave. */
export interface SendOptions {
  /** SO_BINDTODEVICE. */
  readonly link?: Link | undefined;
  /** A bound source address. */
  readonly source?: number | undefined;
  /** Skips the OUTPUT hooks: IPVS has sent it there itself. */
  readonly skipOutput?: boolean;
}

/** Path MTUs remembered per destination. */
const PMTU_ENTRIES_MAX = 4096;
/** ip_rt_mtu_expires. */
const PMTU_EXPIRES_MS = 600_000;
/** min_pmtu: the smallest believed. */
const PMTU_MIN_BYTES = 552;

export class IpStack {
  private readonly namespace: NetworkNamespace;
  readonly icmp: IcmpLayer;
  private nextIdentification: number;
  private readonly pathMtus = new Map<number, { mtu: number; untilMs: number }>();

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    this.icmp = new IcmpLayer(namespace);
    this.nextIdentification = namespace.random.integer(0x10000);
  }

  // ── Input ──

  /** A frame that reached this namespace's own protocols. */
  receiveFrame(link: Link, frame: Frame): void {
    const { payload, destination } = frame;
    if (!(payload instanceof Packet)) return this.namespace.neighbours.receive(link, frame, payload);
    if (destination !== link.mac && link.kind !== 'loopback') {
      const isForAll = destination.charCodeAt(0) === 102 && destination === 'ff:ff:ff:ff:ff:ff';
      if (!isForAll && !destination.startsWith('01:00:5e')) return; // PACKET_OTHERHOST.
    }
    this.receive(link, payload);
  }

  /** ip_rcv. */
  private receive(link: Link, packet: Packet): void {
    const { namespace } = this;
    if (namespace.trace.isOn) this.trace(packet, 'in', { device: link.name });
    if (packet.isPreRouted) packet.isPreRouted = false;
    else if (namespace.hooks.isActive && !namespace.hooks.preRouting(packet, link)) return;
    const result = this.routeInput(link, packet);
    if (result === undefined) return;
    if (result.type === 'local' || result.type === 'broadcast') this.deliver(link, packet);
    else this.forward(link, packet, result);
  }

  /** ip_route_input: where a packet that came in goes; undefined if it ends here. */
  private routeInput(link: Link, packet: Packet): FibResult | undefined {
    const { namespace } = this;
    const { source, destination } = packet;
    if (link.kind !== 'loopback' && this.isMartian(link, source, destination)) {
      link.stats.rxDropped++;
      this.traceDrop(packet, link, 'route', 'martian');
      return undefined;
    }
    if (destination === 0xffffffff || isMulticast(destination)) return this.broadcastResult(link);
    const result = namespace.routes.lookup(destination, source, packet.mark, link);
    if (result === undefined) {
      this.traceDrop(packet, link, 'route', 'no-route');
      if (namespace.sysctls.forwards) this.icmp.error(packet, 3, 0, link);
      return undefined;
    }
    if (result.type === 'local' || result.type === 'broadcast') return result;
    if (!namespace.sysctls.forwards) {
      this.traceDrop(packet, link, 'route', 'forwarding-off');
      return undefined;
    }
    return this.usable(result, packet, link) ? result : undefined;
  }

  /** Refuses along unreachable, prohibit and blackhole routes. */
  private usable(result: FibResult, packet: Packet, link: Link): boolean {
    if (result.type === 'unicast') return true;
    this.traceDrop(packet, link, 'route', `route-${result.type}`);
    if (result.type === 'unreachable') this.icmp.error(packet, 3, 1, link);
    if (result.type === 'prohibit') this.icmp.error(packet, 3, 13, link);
    return false;
  }

  /** Addresses that can't come from outside (ip_route_input_slow), and strict reverse path where asked for. */
  private isMartian(link: Link, source: number, destination: number): boolean {
    const { sysctls, routes } = this.namespace;
    if ((isLoopback(source) || isLoopback(destination)) && sysctls.confMax(link, 'route_localnet') === 0)
      return true;
    if (source === 0xffffffff || isMulticast(source)) return true;
    if (source !== 0 && routes.addressType(source) === 'local' && sysctls.confMax(link, 'accept_local') === 0)
      return true;
    if (sysctls.confMax(link, 'rp_filter') !== 1 || source === 0) return false;
    const back = routes.lookup(source, destination, 0);
    return back === undefined || (back.type === 'unicast' && back.link !== link);
  }

  private broadcastResult(link: Link): FibResult {
    const { routes, links } = this.namespace;
    return { ...routes.lookup(0x7f000001, 0, 0)!, type: 'broadcast', link: link ?? links.loopback };
  }

  /** ip_local_deliver. */
  private deliver(link: Link, packet: Packet): void {
    const { namespace } = this;
    if (namespace.hooks.isActive && !namespace.hooks.input(packet, link)) return;
    if (namespace.trace.isOn) this.trace(packet, 'deliver', { device: link.name });
    switch (packet.protocol) {
      case PROTO_TCP:
        return namespace.sockets.tcp.receive(packet, link);
      case PROTO_UDP:
        return packet.vxlanFrame === undefined
          ? namespace.sockets.udp.receive(packet, link)
          : this.deliverVxlan(packet, link);
      case PROTO_ICMP:
        return this.icmp.receive(packet, link);
      case PROTO_IPIP:
        return this.deliverIpip(packet, link);
      default:
        this.icmp.error(packet, 3, 2, link);
    }
  }

  private deliverVxlan(packet: Packet, link: Link): void {
    const device = this.namespace.links.vxlans.find(
      (each) => each.id === packet.vxlanId && each.port === packet.destinationPort,
    );
    if (device?.isUp === true) device.decapsulate(packet);
    else this.namespace.sockets.udp.receive(packet, link);
  }

  private deliverIpip(packet: Packet, link: Link): void {
    const { ipips } = this.namespace.links;
    const device =
      ipips.find((each) => each.isUp && each.remote === packet.source) ??
      ipips.find((each) => each.isUp && each.remote === 0);
    if (device !== undefined && packet.inner !== undefined) device.decapsulate(packet);
    else this.icmp.error(packet, 3, 3, link); // tunnel4_rcv answers port-unreachable.
  }

  /** ip_forward. */
  private forward(inLink: Link, packet: Packet, result: FibResult): void {
    const { namespace } = this;
    if (packet.ttl <= 1) {
      this.traceDrop(packet, inLink, 'route', 'ttl-exceeded');
      return this.icmp.error(packet, 11, 0, inLink);
    }
    const mtu = result.route.mtu ?? result.link.mtu;
    if (packet.dontFragment && packet.length > mtu) {
      this.traceDrop(packet, inLink, 'route', 'fragmentation-needed');
      return this.icmp.error(packet, 3, 4, inLink, mtu);
    }
    packet.ttl--;
    if (namespace.trace.isOn) this.traceRoute(packet, result);
    if (namespace.hooks.isActive && !namespace.hooks.forward(packet, inLink, result.link)) return;
    this.emit(packet, result.link, result.gateway === 0 ? packet.destination : result.gateway);
  }

  // ── Output ──

  /** ip_output: POSTROUTING, then to the neighbour. */
  private emit(packet: Packet, link: Link, nextHop: number): void {
    const { namespace } = this;
    if (namespace.hooks.isActive && !namespace.hooks.postRouting(packet, link)) return;
    if (namespace.trace.isOn) this.trace(packet, 'out', { device: link.name, decision: formatIpv4(nextHop) });
    if (link.kind !== 'loopback') packet.scrub();
    namespace.neighbours.send(link, nextHop, packet);
  }

  /**
   * Sends a packet made here: route, source address, OUTPUT, and out. Returns what a system call would fail with;
   * failures that come back as ICMP (no such host …) aren't known yet then.
   */
  sendLocal(packet: Packet, options: SendOptions = {}): ErrnoCode | undefined {
    const { namespace } = this;
    if (packet.id === 0) packet.id = namespace.trace.nextPacketId();
    if (packet.source === 0) packet.source = options.source ?? 0;
    const result = this.routeOutput(packet, options.link);
    if (typeof result === 'string') return result;
    if (packet.source === 0) packet.source = namespace.routes.sourceFor(result, packet.destination);
    packet.identification = this.nextIdentification = (this.nextIdentification + 1) & 0xffff;
    const tooLong = this.fit(packet, result);
    if (tooLong !== undefined) return tooLong;
    if (namespace.trace.isOn) {
      this.trace(packet, 'send', {});
      this.traceRoute(packet, result);
    }
    if (!namespace.hooks.isActive || options.skipOutput === true) {
      this.emitRouted(packet, result);
      return undefined;
    }
    return this.sendHooked(packet, result, options);
  }

  private sendHooked(packet: Packet, result: FibResult, options: SendOptions): ErrnoCode | undefined {
    const { namespace } = this;
    const { destination, mark } = packet;
    const verdict = namespace.hooks.output(packet, this.outLink(result));
    if (verdict === 'drop') return 'EPERM';
    if (verdict === 'stolen') return undefined;
    if (packet.destination === destination && packet.mark === mark) {
      this.emitRouted(packet, result);
      return undefined;
    }
    // ip_route_me_harder: the hooks changed what routing depends on.
    const again = this.routeOutput(packet, options.link);
    if (typeof again === 'string') return again;
    this.emitRouted(packet, again);
    return undefined;
  }

  /** Sends what IPVS rewrote on its way: routed anew, past POSTROUTING only. False if there is no way. */
  sendRewritten(packet: Packet): boolean {
    const result = this.routeOutput(packet, undefined);
    if (typeof result === 'string') {
      this.traceDrop(packet, undefined, 'route', 'no-route');
      return false;
    }
    const mtu = result.route.mtu ?? result.link.mtu;
    if (packet.dontFragment && packet.length > mtu && result.type === 'unicast') {
      this.icmp.error(packet, 3, 4, undefined, mtu);
      return false;
    }
    if (this.namespace.trace.isOn) this.traceRoute(packet, result);
    this.emitRouted(packet, result);
    return true;
  }

  /** Sends a packet as it is to a neighbour, or toward a host, other than its destination (IPVS direct routing). */
  sendToward(packet: Packet, host: number): boolean {
    const result = this.namespace.routes.lookup(host, 0, packet.mark);
    if (result === undefined || result.type !== 'unicast') return false;
    this.emit(packet, result.link, result.gateway === 0 ? host : result.gateway);
    return true;
  }

  /** Whether a destination is one of our own addresses. */
  isLocal(destination: number): boolean {
    return this.namespace.routes.addressType(destination) === 'local';
  }

  private emitRouted(packet: Packet, result: FibResult): void {
    const isUnicast = result.type === 'unicast';
    this.emit(
      packet,
      this.outLink(result),
      isUnicast && result.gateway !== 0 ? result.gateway : packet.destination,
    );
  }

  private outLink(result: FibResult): Link {
    return result.type === 'local' ? this.namespace.links.loopback : result.link;
  }

  /** ip_route_output. */
  private routeOutput(packet: Packet, link: Link | undefined): FibResult | ErrnoCode {
    const { namespace } = this;
    const { destination } = packet;
    if (link !== undefined && (destination === 0xffffffff || isMulticast(destination)))
      return this.onLink(link);
    const result = namespace.routes.lookup(destination, packet.source, packet.mark, undefined, link);
    if (result === undefined) {
      if (link?.isUp === true) return this.onLink(link); // A bound device without a route: on the link.
      this.traceDrop(packet, undefined, 'route', 'no-route');
      return 'ENETUNREACH';
    }
    switch (result.type) {
      case 'unreachable':
        return 'EHOSTUNREACH';
      case 'prohibit':
        return 'EACCES';
      case 'blackhole':
        return 'EINVAL';
      default:
        return result;
    }
  }

  private onLink(link: Link): FibResult {
    const base = this.namespace.routes.lookup(0x7f000001, 0, 0)!;
    return {
      route: { ...base.route, source: 0, scope: 'link', link, type: 'unicast' },
      type: 'unicast',
      link,
      gateway: 0,
    };
  }

  /** Fragments or refuses what is over the path's MTU. */
  private fit(packet: Packet, result: FibResult): ErrnoCode | undefined {
    const mtu = this.mtuOf(result, packet.destination);
    if (packet.length <= mtu) return undefined;
    if (packet.dontFragment && packet.protocol !== PROTO_TCP) return 'EMSGSIZE';
    return undefined; // Differs: fragments travel as the one packet they came from.
  }

  /** The MTU toward a destination that TCP takes its segment size from. */
  pathMtu(destination: number, source: number): number {
    const result = this.namespace.routes.lookup(destination, source, 0);
    return result === undefined ? 1500 : this.mtuOf(result, destination);
  }

  private mtuOf(result: FibResult, destination: number): number {
    const mtu =
      result.type === 'local' ? this.namespace.links.loopback.mtu : (result.route.mtu ?? result.link.mtu);
    const learnt = this.pathMtus.size === 0 ? undefined : this.pathMtus.get(destination);
    return learnt !== undefined && learnt.untilMs > this.namespace.clock.now()
      ? Math.min(mtu, learnt.mtu)
      : mtu;
  }

  /** RFC 1191: an ICMP fragmentation-needed told of a smaller MTU. */
  learnPathMtu(destination: number, mtu: number): void {
    if (this.pathMtus.size >= PMTU_ENTRIES_MAX) this.pathMtus.clear();
    this.pathMtus.set(destination, {
      mtu: Math.max(PMTU_MIN_BYTES, mtu),
      untilMs: this.namespace.clock.now() + PMTU_EXPIRES_MS,
    });
  }

  /** ARP gave up on the next hop (ipv4_link_failure). */
  linkFailure(link: Link, packet: Packet): void {
    this.traceDrop(packet, link, 'arp', 'no-arp-reply');
    this.icmp.error(packet, 3, 1, undefined);
  }

  // ── Bridged packets (br_netfilter) ──

  /** PREROUTING for a frame in a bridge; afterwards it is bridged on, or taken up when its destination was rewritten. */
  bridgePreRouting(bridge: BridgeRouter, port: Link, frame: Frame): void {
    const packet = frame.payload as Packet;
    const { hooks } = this.namespace;
    if (!hooks.isActive) return bridge.route(port, frame);
    const before = packet.destination;
    if (!hooks.preRouting(packet, bridge)) return;
    packet.isPreRouted = true;
    if (packet.destination === before) return bridge.route(port, frame);
    // br_nf_pre_routing_finish: a rewritten destination is routed, as if it had been sent to the bridge.
    bridge.route(port, { ...frame, destination: bridge.mac });
  }

  /** FORWARD and POSTROUTING for a frame that a bridge passes from port to port; false if it ends here. */
  bridgeForward(bridge: Link, from: Link, to: Link, packet: Packet): boolean {
    const { hooks } = this.namespace;
    packet.isPreRouted = false;
    if (!hooks.isActive) return true;
    if (this.namespace.trace.isOn)
      this.trace(packet, 'bridge', { device: bridge.name, subject: from.name, decision: to.name });
    const isPassed = hooks.forward(packet, bridge, bridge) && hooks.postRouting(packet, bridge);
    packet.scrub();
    return isPassed;
  }

  // ── Traces ──

  /** Records that a packet ended here. */
  traceDrop(payload: Frame['payload'], link: Link | undefined, kind: TraceKind, reason: string): void {
    if (!this.namespace.trace.isOn || !(payload instanceof Packet)) return;
    this.trace(payload, 'drop', {
      reason,
      subject: kind,
      ...(link === undefined ? {} : { device: link.name }),
    });
  }

  trace(packet: Packet, kind: TraceKind, rest: Partial<TraceRecord>): void {
    const { namespace } = this;
    namespace.trace.record({
      timeMs: namespace.clock.now(),
      packetId: packet.id,
      namespace: namespace.name,
      kind,
      before: snapshotOf(packet),
      ...rest,
    });
  }

  private traceRoute(packet: Packet, result: FibResult): void {
    const { route, gateway, link } = result;
    const network =
      route.prefixLength === 0 ? 'default' : `${formatIpv4(route.destination)}/${route.prefixLength}`;
    const type = result.type === 'unicast' ? '' : `${result.type} `;
    const via = gateway === 0 ? '' : ` via ${formatIpv4(gateway)}`;
    this.trace(packet, 'route', {
      device: link.name,
      subject: `${type}${network}${via} dev ${link.name}`,
      decision: link.name,
    });
  }
}

/** The part of a bridge that carries on after PREROUTING. */
export interface BridgeRouter extends Link {
  route(port: Link, frame: Frame): void;
}
