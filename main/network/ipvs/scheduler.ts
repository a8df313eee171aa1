// IPVS schedulers, step by step as net/netfilter/ipvs/ip_vs_*.c choose.
import type { Packet } from '../ip/packet.ts';
import type { RealServer } from './server.ts';

export type IpvsSchedulerName =
  | 'rr'
  | 'wrr'
  | 'lc'
  | 'wlc'
  | 'lblc'
  | 'lblcr'
  | 'sh'
  | 'dh'
  | 'sed'
  | 'nq'
  | 'fo'
  | 'ovf'
  | 'mh';

/** Chooses a real server for a new connection. */
export interface Scheduler {
  readonly name: IpvsSchedulerName;
  /** sh-port, sh-fallback, mh-port, mh-fallback, flag-1 … flag-3. */
  readonly flags: readonly string[];
  /** Undefined when none will do. */
  schedule(servers: readonly RealServer[], packet: Packet): RealServer | undefined;
  /** A server was added, changed or removed. */
  changed(
    servers: readonly RealServer[],
    removed?: { readonly server: RealServer; readonly index: number },
  ): void;
}

/** ip_vs_dest_conn_overhead: an active connection weighs as much as 256 inactive ones. */
function overhead(server: RealServer): number {
  return server.activeConnections * 256 + server.inactiveConnections;
}

abstract class Base implements Scheduler {
  abstract readonly name: IpvsSchedulerName;
  readonly flags: readonly string[];

  constructor(flags: readonly string[]) {
    this.flags = flags;
  }

  abstract schedule(servers: readonly RealServer[], packet: Packet): RealServer | undefined;
  changed(
    _servers: readonly RealServer[],
    _removed?: { readonly server: RealServer; readonly index: number },
  ): void {}
}

/** Round robin: the next usable one after the last. */
class RoundRobin extends Base {
  readonly name = 'rr';
  /** Index of the last one chosen; -1 stands at the list's head. */
  private last: RealServer | undefined;

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    const start = this.last === undefined ? -1 : servers.indexOf(this.last);
    for (let step = 1; step <= servers.length; step++) {
      const server = servers[(start + step) % servers.length]!;
      if (server.isUsable) {
        this.last = server;
        return server;
      }
    }
    return undefined;
  }

  /** ip_vs_rr_del_dest: the mark steps back to the one before. */
  override changed(
    servers: readonly RealServer[],
    removed?: { readonly server: RealServer; readonly index: number },
  ): void {
    if (removed !== undefined && removed.server === this.last) this.last = servers[removed.index - 1];
  }
}

/** Weighted round robin: passes with a falling bar; whoever weighs as much gets one. */
class WeightedRoundRobin extends Base {
  readonly name = 'wrr';
  private current: RealServer | undefined;
  private bar = 0;
  private max = 0;
  private step = 1;

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    if (this.max <= 0) return undefined;
    let index = this.current === undefined ? -1 : servers.indexOf(this.current);
    let lowered = 0;
    for (;;) {
      for (index++; index < servers.length; index++) {
        const server = servers[index]!;
        if (!server.isOverloaded && server.weight >= this.bar && server.weight > 0) {
          this.current = server;
          return server;
        }
      }
      index = -1;
      this.bar -= this.step;
      if (this.bar <= 0) {
        this.bar = this.max;
        if (++lowered > 1) break; // A whole round found nobody.
      }
    }
    this.current = undefined;
    return undefined;
  }

  /** ip_vs_wrr_dest_changed. */
  override changed(servers: readonly RealServer[]): void {
    this.current = undefined;
    this.step = servers.reduce((divisor, { weight }) => gcd(divisor, weight), 0) || 1;
    this.max = Math.max(0, ...servers.map(({ weight }) => weight)) - (this.step - 1);
    if (this.bar > this.max || this.bar === 0) this.bar = this.max;
    else if (this.step > 1) this.bar = Math.floor(this.bar / this.step) * this.step + 1;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** The first usable server with the least cost. */
class Least extends Base {
  readonly name: IpvsSchedulerName;
  private readonly cost: (server: RealServer) => number;
  private readonly isWeighted: boolean;

  constructor(
    name: IpvsSchedulerName,
    flags: readonly string[],
    cost: (server: RealServer) => number,
    isWeighted: boolean,
  ) {
    super(flags);
    this.name = name;
    this.cost = cost;
    this.isWeighted = isWeighted;
  }

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    let least: RealServer | undefined;
    let leastCost = 0;
    for (const server of servers) {
      if (!server.isUsable) continue;
      const cost = this.cost(server);
      // Compared crosswise, so that no division rounds.
      const isLess =
        least === undefined ||
        (this.isWeighted ? leastCost * server.weight > cost * least.weight : cost < leastCost);
      if (isLess) {
        least = server;
        leastCost = cost;
      }
    }
    return least;
  }
}

/** Never queue: an idle server at once, else the shortest expected delay. */
class NeverQueue extends Base {
  readonly name = 'nq';
  private readonly shortest = new Least('sed', [], (server) => server.activeConnections + 1, true);

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    return (
      servers.find((server) => server.isUsable && server.activeConnections === 0) ??
      this.shortest.schedule(servers)
    );
  }
}

const HASH_BITS = 8;
const HASH_SIZE = 1 << HASH_BITS;
/** GOLDEN_RATIO_32 of linux/hash.h. */
const GOLDEN_RATIO = 0x61c88647;

/** hash_32. */
function hash32(value: number): number {
  return Math.imul(value, GOLDEN_RATIO) >>> (32 - HASH_BITS);
}

/** Source and destination hashing: a table of 256 places filled with the servers in turn. */
class Hashing extends Base {
  readonly name: 'sh' | 'dh' | 'mh';
  private places: (RealServer | undefined)[] = [];
  private readonly usesPort: boolean;
  private readonly fallsBack: boolean;

  constructor(name: 'sh' | 'dh' | 'mh', flags: readonly string[]) {
    super(flags);
    this.name = name;
    this.usesPort = flags.includes('sh-port') || flags.includes('mh-port');
    this.fallsBack = flags.includes('sh-fallback') || flags.includes('mh-fallback');
  }

  override schedule(_servers: readonly RealServer[], packet: Packet): RealServer | undefined {
    const address = this.name === 'dh' ? packet.destination : packet.source;
    const port = this.usesPort ? packet.sourcePort : 0;
    const key = hash32((port + address) >>> 0);
    const server = this.places[key];
    if (server?.isUsable === true || !this.fallsBack) return server?.isUsable === true ? server : undefined;
    // ip_vs_sh_get_fallback: other places in an order that depends on the key.
    for (let offset = 0; offset < HASH_SIZE; offset++) {
      const other = this.places[(((offset + key) % HASH_SIZE) + key) % HASH_SIZE];
      if (other?.isUsable === true) return other;
    }
    return undefined;
  }

  /** ip_vs_sh_reassign, ip_vs_dh_reassign: sh fills as many places in a row as a server weighs. */
  override changed(servers: readonly RealServer[]): void {
    this.places = [];
    let index = 0;
    let filled = 0;
    for (let place = 0; place < HASH_SIZE && servers.length > 0; place++) {
      const server = servers[index % servers.length]!;
      this.places.push(server);
      if (this.name === 'dh' || ++filled >= server.weight) {
        index++;
        filled = 0;
      }
    }
  }
}

/** Fail over: the heaviest usable one. */
class FailOver extends Base {
  readonly name = 'fo';

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    return heaviest(servers.filter((server) => server.isUsable));
  }
}

/** Overflow: the heaviest with fewer active connections than its weight. */
class Overflow extends Base {
  readonly name = 'ovf';

  override schedule(servers: readonly RealServer[]): RealServer | undefined {
    return heaviest(servers.filter((server) => server.isUsable && server.activeConnections < server.weight));
  }
}

function heaviest(servers: readonly RealServer[]): RealServer | undefined {
  return servers.reduce<RealServer | undefined>(
    (best, each) => (best === undefined || each.weight > best.weight ? each : best),
    undefined,
  );
}

/** Locality-based: a destination address stays with its server while that isn't overloaded. */
class Locality extends Base {
  readonly name: 'lblc' | 'lblcr';
  private readonly least = new Least('wlc', [], overhead, true);
  private readonly byDestination = new Map<number, RealServer>();

  constructor(name: 'lblc' | 'lblcr', flags: readonly string[]) {
    super(flags);
    this.name = name;
  }

  /** Differs: lblcr keeps one server per address here, not a set. */
  override schedule(servers: readonly RealServer[], packet: Packet): RealServer | undefined {
    const known = this.byDestination.get(packet.destination);
    if (known?.isUsable === true && known.isAvailable && known.activeConnections <= known.weight)
      return known;
    const server = this.least.schedule(servers);
    if (server !== undefined) this.byDestination.set(packet.destination, server);
    return server;
  }
}

/** A new scheduler by name; undefined if there is none such. */
export function makeScheduler(name: string, flags: readonly string[] = []): Scheduler | undefined {
  switch (name) {
    case 'rr':
      return new RoundRobin(flags);
    case 'wrr':
      return new WeightedRoundRobin(flags);
    case 'lc':
      return new Least(name, flags, overhead, false);
    case 'wlc':
      return new Least(name, flags, overhead, true);
    case 'sed':
      return new Least(name, flags, (server) => server.activeConnections + 1, true);
    case 'nq':
      return new NeverQueue(flags);
    case 'sh':
    case 'dh':
      return new Hashing(name, flags);
    case 'mh': // Differs: hashes like sh; Maglev's table of 65521 places isn't built.
      return new Hashing(name, flags);
    case 'fo':
      return new FailOver(flags);
    case 'ovf':
      return new Overflow(flags);
    case 'lblc':
    case 'lblcr':
      return new Locality(name, flags);
    default:
      return undefined;
  }
}
