// The ARP cache with its state machine (net/core/neighbour.c) and the ARP protocol (net/ipv4/arp.c).
import { disposable } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import { BROADCAST_MAC, type ArpMessage, type Frame } from '../link/frame.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { formatIpv4, isLoopback, isMulticast, parseIpv4 } from './ipv4.ts';
import type { Packet } from './packet.ts';

export type NeighbourState =
  | 'INCOMPLETE'
  | 'REACHABLE'
  | 'STALE'
  | 'DELAY'
  | 'PROBE'
  | 'FAILED'
  | 'NOARP'
  | 'PERMANENT';

export interface Neighbour {
  readonly address: string;
  readonly link: Link;
  readonly mac: string | undefined;
  readonly state: NeighbourState;
  /** Instants in ms. */
  readonly usedMs: number;
  readonly confirmedMs: number;
  readonly updatedMs: number;
  readonly probes: number;
}

/** An ARP request as a responder outside the kernel sees it. */
export interface ArpRequest {
  readonly link: Link;
  readonly target: string;
  readonly sender: string;
  readonly senderMac: string;
}

/** Packets that wait for one address (unres_qlen). */
const QUEUE_PACKETS_MAX = 101;
/** ucast_solicit, mcast_solicit. */
const PROBES_MAX = 3;
const ZERO_MAC = '00:00:00:00:00:00';
/** arp_send's rate limit for address changes, in ms (locktime). */
const LOCK_MS = 1000;

class Entry {
  readonly number: number;
  readonly link: Link;
  mac: string | undefined = undefined;
  state: NeighbourState = 'INCOMPLETE';
  usedMs = 0;
  confirmedMs = 0;
  updatedMs = 0;
  probes = 0;
  /** How long it stays reachable: between half and one and a half of base_reachable_time. */
  reachableMs = 30_000;
  queue: Packet[] = [];
  timer: Disposable | undefined = undefined;

  constructor(number: number, link: Link) {
    this.number = number;
    this.link = link;
  }
}

export class NeighbourTable {
  private readonly namespace: NetworkNamespace;
  private readonly byLink = new Map<Link, Map<number, Entry>>();
  private readonly responders = new Set<(request: ArpRequest) => string | undefined>();
  private readonly probers = new Set<{
    link: Link;
    number: number;
    onReply: (reply: { mac: string; isBroadcast: boolean }) => void;
  }>();

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  list(link?: Link): Neighbour[] {
    const maps =
      link === undefined ? [...this.byLink.values()] : [this.byLink.get(link) ?? new Map<number, Entry>()];
    return maps.flatMap((map) => [...map.values()].map((entry) => this.show(entry)));
  }

  get(link: Link, address: string): Neighbour | undefined {
    const entry = this.byLink.get(link)?.get(requireIpv4(address));
    return entry === undefined ? undefined : this.show(entry);
  }

  /** Adds or replaces (`ip neigh replace`). */
  set(link: Link, address: string, mac: string, state: NeighbourState = 'PERMANENT'): void {
    const entry = this.entry(link, requireIpv4(address));
    this.learn(entry, mac, state);
  }

  /** Throws ENOENT. */
  delete(link: Link, address: string): void {
    const entry = this.byLink.get(link)?.get(requireIpv4(address));
    if (entry === undefined) throw new ErrnoError('ENOENT');
    this.remove(entry);
  }

  /** Forgets all but permanent ones. */
  flush(link?: Link): void {
    for (const [each, map] of this.byLink) {
      if (link !== undefined && each !== link) continue;
      for (const entry of map.values()) if (entry.state !== 'PERMANENT') this.remove(entry);
    }
  }

  /** Broadcasts a gratuitous ARP; `mac` for an address we only answer for. */
  announce(
    link: Link,
    address: string,
    options: { readonly mac?: string; readonly kind?: 'request' | 'reply' } = {},
  ): void {
    const number = requireIpv4(address);
    const mac = options.mac ?? link.mac;
    const operation = options.kind ?? 'request';
    const targetMac = operation === 'reply' ? BROADCAST_MAC : ZERO_MAC;
    this.sendArp(link, BROADCAST_MAC, {
      operation,
      senderMac: mac,
      senderIp: number,
      targetMac,
      targetIp: number,
    });
  }

  /** Sends an ARP request and calls back for each reply until disposed (arping). */
  probe(
    link: Link,
    address: string,
    onReply: (reply: { mac: string; isBroadcast: boolean }) => void,
  ): Disposable {
    const number = requireIpv4(address);
    const prober = { link, number, onReply };
    this.probers.add(prober);
    const senderIp = this.namespace.addresses.select(link, number, 'link') ?? 0;
    this.sendArp(link, BROADCAST_MAC, {
      operation: 'request',
      senderMac: link.mac,
      senderIp,
      targetMac: BROADCAST_MAC,
      targetIp: number,
    });
    return disposable(() => this.probers.delete(prober));
  }

  /** Answers ARP requests in place of the kernel, as MetalLB's speaker does over a packet socket: the MAC, or undefined. */
  addResponder(responder: (request: ArpRequest) => string | undefined): Disposable {
    this.responders.add(responder);
    return disposable(() => this.responders.delete(responder));
  }

  // ── Output ──

  /** Sends a packet to a neighbour, asking for its address first if needed (neigh_resolve_output). */
  send(link: Link, nextHop: number, packet: Packet): void {
    const mac = this.fixedMac(link, nextHop);
    if (mac !== undefined)
      return link.transmit({ source: link.mac, destination: mac, vlan: undefined, payload: packet });
    const entry = this.byLink.get(link)?.get(nextHop) ?? this.entry(link, nextHop);
    if (entry.mac !== undefined && entry.state !== 'FAILED' && entry.state !== 'INCOMPLETE') {
      entry.usedMs = this.namespace.clock.now();
      if (entry.state === 'REACHABLE' && entry.usedMs - entry.confirmedMs > entry.reachableMs)
        entry.state = 'STALE';
      if (entry.state === 'STALE') this.delay(entry);
      link.transmit({ source: link.mac, destination: entry.mac, vlan: undefined, payload: packet });
      return;
    }
    this.enqueue(entry, packet);
  }

  private fixedMac(link: Link, nextHop: number): string | undefined {
    if (link.kind === 'loopback') return ZERO_MAC;
    if (link.kind === 'ipip') return formatIpv4(nextHop); // A tunnel's "hardware address" is the remote end.
    if (nextHop === 0xffffffff || this.namespace.routes.addressType(nextHop) === 'broadcast')
      return BROADCAST_MAC;
    if (isMulticast(nextHop)) return multicastMac(nextHop);
    return link.noArp ? link.mac : undefined;
  }

  private enqueue(entry: Entry, packet: Packet): void {
    entry.usedMs = this.namespace.clock.now();
    if (entry.queue.length >= QUEUE_PACKETS_MAX) entry.queue.shift();
    entry.queue.push(packet);
    if (entry.state === 'FAILED' || entry.timer === undefined) {
      entry.state = 'INCOMPLETE';
      entry.probes = 0;
      this.solicit(entry, packet.source);
    }
  }

  /** Sends a request and waits retrans_time for its answer. */
  private solicit(entry: Entry, packetSource: number): void {
    entry.probes++;
    entry.updatedMs = this.namespace.clock.now();
    const destination = entry.state === 'PROBE' ? entry.mac! : BROADCAST_MAC;
    this.sendArp(entry.link, destination, {
      operation: 'request',
      senderMac: entry.link.mac,
      senderIp: this.announceSource(entry.link, entry.number, packetSource),
      targetMac: ZERO_MAC,
      targetIp: entry.number,
    });
    const retransMs = this.namespace.sysctls.number('net.ipv4.neigh.default.retrans_time_ms');
    entry.timer?.[Symbol.dispose]();
    entry.timer = this.namespace.clock.after(retransMs, () => this.retry(entry, packetSource));
    this.changed(entry);
  }

  private retry(entry: Entry, packetSource: number): void {
    entry.timer = undefined;
    if (entry.probes < PROBES_MAX) return this.solicit(entry, packetSource);
    entry.state = 'FAILED';
    entry.mac = undefined;
    this.changed(entry);
    const packets = entry.queue.splice(0);
    for (const packet of packets) this.namespace.stack.linkFailure(entry.link, packet);
  }

  /** STALE and in use: after delay_first_probe_time it is asked whether it's still there. */
  private delay(entry: Entry): void {
    entry.state = 'DELAY';
    const delayMs = this.namespace.sysctls.number('net.ipv4.neigh.default.delay_first_probe_time') * 1000;
    entry.timer?.[Symbol.dispose]();
    entry.timer = this.namespace.clock.after(delayMs, () => {
      entry.timer = undefined;
      if (entry.state !== 'DELAY') return;
      entry.state = 'PROBE';
      entry.probes = 0;
      this.solicit(entry, 0);
    });
    this.changed(entry);
  }

  /** arp_solicit: which source address a request names. */
  private announceSource(link: Link, target: number, packetSource: number): number {
    const { addresses, routes, sysctls } = this.namespace;
    const level = sysctls.confMax(link, 'arp_announce');
    const isOurs = packetSource !== 0 && routes.addressType(packetSource) === 'local';
    if (level === 0 && isOurs) return packetSource;
    if (level === 1 && isOurs && addresses.sharesSubnet(link, packetSource, target)) return packetSource;
    return addresses.select(link, target, 'link') ?? 0;
  }

  private sendArp(link: Link, destination: string, message: ArpMessage): void {
    if (link.noArp || link.kind === 'loopback') return;
    link.transmit({ source: message.senderMac, destination, vlan: undefined, payload: message });
  }

  // ── Input ──

  /** arp_process. */
  receive(link: Link, frame: Frame, message: ArpMessage): void {
    if (link.noArp || isLoopback(message.targetIp) || isMulticast(message.targetIp)) return;
    if (this.probers.size > 0) this.tellProbers(link, frame, message);
    if (message.operation === 'request' && this.answer(link, message)) return;
    this.update(link, frame, message);
  }

  private tellProbers(link: Link, frame: Frame, message: ArpMessage): void {
    for (const prober of this.probers) {
      if (prober.link === link && message.operation === 'reply' && message.senderIp === prober.number) {
        prober.onReply({ mac: message.senderMac, isBroadcast: frame.destination === BROADCAST_MAC });
      }
    }
  }

  private answer(link: Link, message: ArpMessage): boolean {
    const mac = this.answerMac(link, message);
    if (mac === undefined) return false;
    // A question tells where the asker is (neigh_event_ns).
    if (message.senderIp !== 0) this.learn(this.entry(link, message.senderIp), message.senderMac, 'STALE');
    this.sendArp(link, message.senderMac, {
      operation: 'reply',
      senderMac: mac,
      senderIp: message.targetIp,
      targetMac: message.senderMac,
      targetIp: message.senderIp,
    });
    return true;
  }

  private answerMac(link: Link, message: ArpMessage): string | undefined {
    if (this.responders.size > 0) {
      const mac = this.askResponders(link, message);
      if (mac !== undefined) return mac;
    }
    const { routes, sysctls } = this.namespace;
    if (message.senderIp === message.targetIp) return undefined; // Gratuitous.
    if (routes.addressType(message.targetIp) === 'local') {
      return this.ignores(link, message) ? undefined : link.mac;
    }
    if (sysctls.confMax(link, 'proxy_arp') > 0 && sysctls.forwards) {
      const route = routes.lookup(message.targetIp, message.senderIp, 0, link);
      if (route?.type === 'unicast' && route.link !== link) return link.mac;
    }
    return undefined;
  }

  private askResponders(link: Link, message: ArpMessage): string | undefined {
    for (const responder of this.responders) {
      const mac = responder({
        link,
        target: formatIpv4(message.targetIp),
        sender: formatIpv4(message.senderIp),
        senderMac: message.senderMac,
      });
      if (mac !== undefined) return mac;
    }
    return undefined;
  }

  /** arp_ignore (ip-sysctl): 1 own device only, 2 also same subnet, 8 never. */
  private ignores(link: Link, { targetIp, senderIp }: ArpMessage): boolean {
    const { addresses } = this.namespace;
    switch (this.namespace.sysctls.confMax(link, 'arp_ignore')) {
      case 0:
        return false;
      case 1:
        return !addresses.has(link, targetIp);
      case 2:
        return !(addresses.has(link, targetIp) && addresses.sharesSubnet(link, targetIp, senderIp));
      default:
        return true;
    }
  }

  /** Learns from a reply, or from a gratuitous message about somebody known. */
  private update(link: Link, frame: Frame, message: ArpMessage): void {
    const entry = this.byLink.get(link)?.get(message.senderIp);
    if (entry === undefined || entry.state === 'PERMANENT') {
      if (
        entry === undefined &&
        this.namespace.sysctls.confMax(link, 'arp_accept') > 0 &&
        message.senderIp === message.targetIp
      ) {
        this.learn(this.entry(link, message.senderIp), message.senderMac, 'STALE');
      }
      return;
    }
    const isSolicited = message.operation === 'reply' && frame.destination === link.mac;
    const isGratuitous = message.senderIp === message.targetIp;
    const now = this.namespace.clock.now();
    if (
      entry.mac !== undefined &&
      entry.mac !== message.senderMac &&
      !isGratuitous &&
      now - entry.updatedMs < LOCK_MS
    )
      return;
    this.learn(entry, message.senderMac, isSolicited ? 'REACHABLE' : 'STALE');
  }

  private learn(entry: Entry, mac: string, state: NeighbourState): void {
    const now = this.namespace.clock.now();
    if (state === 'STALE' && entry.mac === mac && isUsable(entry.state)) return; // Nothing new.
    entry.mac = mac;
    entry.state = state;
    entry.updatedMs = now;
    entry.probes = 0;
    if (state === 'REACHABLE') {
      entry.confirmedMs = now;
      const base = this.namespace.sysctls.number('net.ipv4.neigh.default.base_reachable_time_ms');
      entry.reachableMs = base / 2 + this.namespace.random.integer(base);
    }
    entry.timer?.[Symbol.dispose]();
    entry.timer = undefined;
    this.changed(entry);
    const packets = entry.queue.splice(0);
    for (const packet of packets) {
      entry.link.transmit({ source: entry.link.mac, destination: mac, vlan: undefined, payload: packet });
    }
  }

  private entry(link: Link, number: number): Entry {
    let map = this.byLink.get(link);
    if (map === undefined) this.byLink.set(link, (map = new Map()));
    let entry = map.get(number);
    if (entry === undefined) {
      if (map.size >= this.namespace.sysctls.number('net.ipv4.neigh.default.gc_thresh3')) this.collect(map);
      map.set(number, (entry = new Entry(number, link)));
    }
    return entry;
  }

  /** neigh_forced_gc: makes room among what isn't in use. */
  private collect(map: Map<number, Entry>): void {
    for (const entry of map.values()) {
      if (entry.state === 'PERMANENT' || entry.queue.length > 0) continue;
      this.remove(entry);
      if (map.size < this.namespace.sysctls.number('net.ipv4.neigh.default.gc_thresh2')) return;
    }
  }

  private remove(entry: Entry): void {
    entry.timer?.[Symbol.dispose]();
    entry.timer = undefined;
    entry.queue = [];
    this.byLink.get(entry.link)?.delete(entry.number);
    this.namespace.announceChange({ kind: 'neighbour', action: 'delete', subject: this.show(entry) });
  }

  private changed(entry: Entry): void {
    if (this.namespace.hasChangeListeners) {
      this.namespace.announceChange({ kind: 'neighbour', action: 'new', subject: this.show(entry) });
    }
  }

  private show(entry: Entry): Neighbour {
    const isOld =
      entry.state === 'REACHABLE' && this.namespace.clock.now() - entry.confirmedMs > entry.reachableMs;
    return {
      address: formatIpv4(entry.number),
      link: entry.link,
      mac: entry.mac,
      state: isOld ? 'STALE' : entry.state,
      usedMs: entry.usedMs,
      confirmedMs: entry.confirmedMs,
      updatedMs: entry.updatedMs,
      probes: entry.probes,
    };
  }

  dispose(): void {
    for (const map of this.byLink.values()) for (const entry of map.values()) entry.timer?.[Symbol.dispose]();
    this.byLink.clear();
  }
}

function isUsable(state: NeighbourState): boolean {
  return state === 'REACHABLE' || state === 'STALE' || state === 'DELAY' || state === 'PROBE';
}

/** RFC 1112, 6.4. */
function multicastMac(address: number): string {
  const bytes = [0x01, 0x00, 0x5e, (address >>> 16) & 0x7f, (address >>> 8) & 255, address & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function requireIpv4(address: string): number {
  const number = parseIpv4(address);
  if (number === undefined) throw new ErrnoError('EINVAL');
  return number;
}
