// Chooses a server of an upstream for each try, and remembers which of them fail (ngx_http_upstream_round_robin.c and its kin).
import type { Clock, Random } from '../../simulation/index.ts';
import type { Upstream } from './settings.ts';
import { addressNumber } from './compile-variables.ts';
import { crc32 } from './variables.ts';

/** One address of one server. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** `10.0.0.1:80` or `unix:/path`. */
  readonly name: string;
  readonly weight: number;
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  readonly maxConnections: number;
  readonly isDown: boolean;
  readonly isBackup: boolean;
  /** The server's text in the configuration, which `hash consistent` goes by. */
  readonly serverText: string;
  currentWeight: number;
  effectiveWeight: number;
  fails: number;
  accessedMs: number;
  checkedMs: number;
  connections: number;
}

interface Group {
  readonly upstream: Upstream | undefined;
  readonly peers: readonly Peer[];
  readonly ring: readonly { readonly point: number; readonly server: string }[];
}

/** ngx_http_upstream_init_ip_hash_peer's numbers. */
const IP_HASH_START = 89;
const IP_HASH_TRIES_MAX = 20;
const RING_POINTS = 160;

/** Keeps the state of all upstreams; a reload starts with a new one. */
export class Balancer {
  private readonly groups = new Map<string, Group>();
  private readonly clock: Clock;
  private readonly random: Random;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  /** The peers of an upstream, made at first use from the addresses of its servers. */
  private group(
    name: string,
    upstream: Upstream | undefined,
    addressesOf: (host: string) => readonly string[],
    port: number,
  ): Group {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const servers = upstream?.servers ?? [
      {
        text: name,
        host: name,
        port,
        weight: 1,
        maxFails: 1,
        failTimeoutMs: 10_000,
        maxConnections: 0,
        isDown: false,
        isBackup: false,
      },
    ];
    const peers = servers.flatMap((server) =>
      (server.host.startsWith('unix:') ? [server.host] : addressesOf(server.host)).map((address): Peer => ({
        address,
        port: server.port,
        name: address.startsWith('unix:') ? address : `${address}:${server.port}`,
        weight: server.weight,
        maxFails: server.maxFails,
        failTimeoutMs: server.failTimeoutMs,
        maxConnections: server.maxConnections,
        isDown: server.isDown,
        isBackup: server.isBackup,
        serverText: server.text,
        currentWeight: 0,
        effectiveWeight: server.weight,
        fails: 0,
        accessedMs: -Infinity,
        checkedMs: -Infinity,
        connections: 0,
      })),
    );
    const group = { upstream, peers, ring: upstream?.isConsistent === true ? makeRing(peers) : [] };
    this.groups.set(name, group);
    return group;
  }

  /** Starts choosing for one request. */
  choose(options: {
    readonly name: string;
    readonly upstream: Upstream | undefined;
    readonly addressesOf: (host: string) => readonly string[];
    readonly port: number;
    readonly client: string;
    readonly key: string;
  }): Choice {
    const group = this.group(options.name, options.upstream, options.addressesOf, options.port);
    return new Choice(group.peers, group.upstream, group.ring, this.clock, this.random, options);
  }
}

/** The tries of one request. */
export class Choice {
  readonly peers: readonly Peer[];
  private readonly upstream: Upstream | undefined;
  private readonly ring: Group['ring'];
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly client: string;
  private readonly key: string;
  private readonly tried = new Set<Peer>();
  private hash = IP_HASH_START;
  private hashTries = 0;
  private ringAt = -1;

  constructor(
    peers: readonly Peer[],
    upstream: Upstream | undefined,
    ring: Group['ring'],
    clock: Clock,
    random: Random,
    { client, key }: { readonly client: string; readonly key: string },
  ) {
    this.peers = peers;
    this.upstream = upstream;
    this.ring = ring;
    this.clock = clock;
    this.random = random;
    this.client = client;
    this.key = key;
  }

  /** How many tries there can be. */
  get triesMax(): number {
    return this.peers.filter(({ isDown }) => !isDown).length;
  }

  /** The next server; undefined when none is left ("no live upstreams"). */
  next(): Peer | undefined {
    if (this.peers.length === 1) {
      const [only] = this.peers;
      if (only!.isDown || this.tried.has(only!)) return undefined;
      this.tried.add(only!);
      return only;
    }
    const peer = this.byMethod() ?? this.roundRobin(this.peers.filter(({ isBackup }) => isBackup));
    if (peer !== undefined) this.tried.add(peer);
    return peer;
  }

  private byMethod(): Peer | undefined {
    const main = this.peers.filter(({ isBackup }) => !isBackup);
    switch (this.upstream?.method) {
      case 'ip_hash':
        return this.byAddress(main);
      case 'hash':
        return this.upstream.isConsistent ? this.byRing(main) : this.byKey(main);
      case 'least_conn':
        return this.leastConnections(main);
      case 'random':
        return this.atRandom(main);
      default:
        return this.roundRobin(main);
    }
  }

  private isFit(peer: Peer): boolean {
    if (this.tried.has(peer) || peer.isDown) return false;
    if (
      peer.maxFails > 0 &&
      peer.fails >= peer.maxFails &&
      this.clock.now() - peer.checkedMs <= peer.failTimeoutMs
    )
      return false;
    return peer.maxConnections === 0 || peer.connections < peer.maxConnections;
  }

  /** Smooth weighted round robin. */
  private roundRobin(peers: readonly Peer[]): Peer | undefined {
    let best: Peer | undefined;
    let total = 0;
    for (const peer of peers) {
      if (!this.isFit(peer)) continue;
      peer.currentWeight += peer.effectiveWeight;
      total += peer.effectiveWeight;
      if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
      if (best === undefined || peer.currentWeight > best.currentWeight) best = peer;
    }
    if (best === undefined) return undefined;
    best.currentWeight -= total;
    this.check(best);
    return best;
  }

  private check(peer: Peer): void {
    if (this.clock.now() - peer.checkedMs > peer.failTimeoutMs) peer.checkedMs = this.clock.now();
  }

  private byAddress(peers: readonly Peer[]): Peer | undefined {
    const number = addressNumber(this.client);
    const bytes =
      number === undefined
        ? [...Buffer.from(this.client)]
        : [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255];
    const total = peers.reduce((sum, { weight }) => sum + weight, 0);
    while (this.hashTries <= IP_HASH_TRIES_MAX) {
      for (const byte of bytes) this.hash = (this.hash * 113 + byte) % 6271;
      const found = pick(peers, this.hash % total);
      if (this.isFit(found)) return found;
      this.hashTries++;
    }
    return this.roundRobin(peers);
  }

  private byKey(peers: readonly Peer[]): Peer | undefined {
    const total = peers.reduce((sum, { weight }) => sum + weight, 0);
    for (; this.hashTries <= IP_HASH_TRIES_MAX; this.hashTries++) {
      const text = this.hashTries === 0 ? this.key : `${this.hashTries}${this.key}`;
      this.hash = (this.hashTries === 0 ? 0 : this.hash) + ((crc32(text) >>> 16) & 0x7fff);
      const found = pick(peers, this.hash % total);
      if (this.isFit(found)) {
        this.hashTries++;
        return found;
      }
    }
    return this.roundRobin(peers);
  }

  private byRing(peers: readonly Peer[]): Peer | undefined {
    if (this.ring.length === 0) return undefined;
    if (this.ringAt < 0) {
      const hash = crc32(this.key);
      const found = this.ring.findIndex(({ point }) => point >= hash);
      this.ringAt = found < 0 ? 0 : found;
    }
    for (let step = 0; step < this.ring.length; step++, this.ringAt = (this.ringAt + 1) % this.ring.length) {
      const { server } = this.ring[this.ringAt]!;
      const fit = peers.filter((peer) => peer.serverText === server && this.isFit(peer));
      const found = this.roundRobin(fit);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private leastConnections(peers: readonly Peer[]): Peer | undefined {
    const fit = peers.filter((peer) => this.isFit(peer));
    if (fit.length === 0) return undefined;
    const least = Math.min(...fit.map(({ connections, weight }) => connections / weight));
    return this.roundRobin(fit.filter(({ connections, weight }) => connections / weight === least));
  }

  private atRandom(peers: readonly Peer[]): Peer | undefined {
    const fit = peers.filter((peer) => this.isFit(peer));
    if (fit.length === 0) return undefined;
    const draw = (): Peer => pick(fit, this.random.integer(fit.reduce((sum, { weight }) => sum + weight, 0)));
    const first = draw();
    if (this.upstream?.randomTwo !== true || fit.length === 1) return first;
    let second = draw();
    while (second === first) second = draw();
    return first.connections * second.weight <= second.connections * first.weight ? first : second;
  }

  /** A try went wrong. */
  failed(peer: Peer): void {
    const now = this.clock.now();
    peer.fails++;
    peer.accessedMs = now;
    peer.checkedMs = now;
    if (peer.maxFails > 0) peer.effectiveWeight -= Math.floor(peer.weight / peer.maxFails);
    if (peer.effectiveWeight < 0) peer.effectiveWeight = 0;
  }

  /** Whether a failed peer is now left out for a while. */
  static isOut(peer: Peer): boolean {
    return peer.maxFails > 0 && peer.fails >= peer.maxFails;
  }

  succeeded(peer: Peer): void {
    if (peer.accessedMs < peer.checkedMs) peer.fails = 0;
  }

  /** All peers may be tried again at once: nginx does so when none is left. */
  forget(): void {
    for (const peer of this.peers) peer.fails = 0;
  }
}

function pick(peers: readonly Peer[], at: number): Peer {
  let left = at;
  for (const peer of peers) {
    left -= peer.weight;
    if (left < 0) return peer;
  }
  return peers.at(-1)!;
}

/** ngx_http_upstream_init_chash: 160 points for each unit of weight, hashed from host, a zero byte, port and the point before. */
function makeRing(peers: readonly Peer[]): { point: number; server: string }[] {
  const points: { point: number; server: string }[] = [];
  for (const peer of peers) {
    const colon = peer.serverText.lastIndexOf(':');
    const host = colon < 0 ? peer.serverText : peer.serverText.slice(0, colon);
    const port = colon < 0 ? '' : peer.serverText.slice(colon + 1);
    const base = Buffer.concat([Buffer.from(host), Buffer.of(0), Buffer.from(port)]);
    const previous = Buffer.alloc(4);
    for (let n = 0; n < peer.weight * RING_POINTS; n++) {
      const point = crc32(Buffer.concat([base, previous]));
      points.push({ point, server: peer.serverText });
      previous.writeUInt32LE(point);
    }
  }
  return points.toSorted((a, b) => a.point - b.point);
}
