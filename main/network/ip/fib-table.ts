// One routing table: routes by longest prefix, then by metric.
import type { Link } from '../link/link.ts';
import { maskOf } from './ipv4.ts';
import type { RouteScope, RouteType } from './route-tables.ts';

/** A route with numbers for addresses; 0 stands for none. */
export interface FibRoute {
  readonly table: number;
  readonly type: RouteType;
  readonly destination: number;
  readonly prefixLength: number;
  readonly gateway: number;
  readonly link: Link | undefined;
  readonly source: number;
  readonly scope: RouteScope;
  readonly protocol: string;
  readonly metric: number;
  readonly onlink: boolean;
  readonly mtu: number | undefined;
  readonly nextHops: readonly {
    readonly gateway: number;
    readonly link: Link;
    readonly weight: number;
    readonly onlink: boolean;
  }[];
}

/** Up to so many routes are looked through one by one: a pod has a handful, and there are many pods. */
const SMALL_ROUTES_MAX = 16;

export class FibTable {
  /** Longest prefix first; of one network in order of metric and then of insertion. */
  private readonly routes: FibRoute[] = [];
  /** The same by length and network, once there are many. */
  private index: FibIndex | undefined;

  insert(route: FibRoute): void {
    if (this.index !== undefined) return this.index.insert(route);
    const after = this.routes.findIndex(
      ({ prefixLength, destination, metric }) =>
        prefixLength < route.prefixLength ||
        (prefixLength === route.prefixLength && destination === route.destination && metric > route.metric),
    );
    this.routes.splice(after < 0 ? this.routes.length : after, 0, route);
    if (this.routes.length <= SMALL_ROUTES_MAX) return;
    this.index = new FibIndex();
    for (const each of this.routes.splice(0)) this.index.insert(each);
  }

  /** False if it isn't in here. */
  remove(route: FibRoute): boolean {
    if (this.index !== undefined) return this.index.remove(route);
    const at = this.routes.indexOf(route);
    if (at >= 0) this.routes.splice(at, 1);
    return at >= 0;
  }

  find(
    destination: number,
    prefixLength: number,
    wanted: (route: FibRoute) => boolean,
  ): FibRoute | undefined {
    if (this.index !== undefined) return this.index.at(destination, prefixLength)?.find(wanted);
    return this.routes.find(
      (route) => route.destination === destination && route.prefixLength === prefixLength && wanted(route),
    );
  }

  /** The best route, or with `outLink` the best over that link. */
  lookup(destination: number, outLink?: Link): FibRoute | undefined {
    if (this.index !== undefined) return this.index.lookup(destination, outLink);
    for (const route of this.routes) {
      if ((destination & maskOf(route.prefixLength)) >>> 0 === route.destination && leadsOver(route, outLink))
        return route;
    }
    return undefined;
  }

  /** By network, then by length: the order of the kernel's trie. */
  list(): FibRoute[] {
    return (this.index?.list() ?? this.routes).toSorted(
      (a, b) => a.destination - b.destination || b.prefixLength - a.prefixLength || a.metric - b.metric,
    );
  }
}

function leadsOver(route: FibRoute, link: Link | undefined): boolean {
  return link === undefined || route.link === link || route.nextHops.some((hop) => hop.link === link);
}

/** Routes of one prefix length by network, each list in order of metric and then of insertion. */
type Level = Map<number, FibRoute[]>;

/** Many routes: a look-up costs one question per prefix length in use. */
class FibIndex {
  private readonly levels = new Map<number, Level>();
  /** Prefix lengths in use with their masks, longest first. */
  private readonly lengths: { length: number; mask: number; level: Level }[] = [];

  insert(route: FibRoute): void {
    let level = this.levels.get(route.prefixLength);
    if (level === undefined) {
      this.levels.set(route.prefixLength, (level = new Map()));
      this.lengths.push({ length: route.prefixLength, mask: maskOf(route.prefixLength), level });
      this.lengths.sort((a, b) => b.length - a.length);
    }
    const routes = level.get(route.destination) ?? [];
    const after = routes.findIndex((each) => each.metric > route.metric);
    routes.splice(after < 0 ? routes.length : after, 0, route);
    level.set(route.destination, routes);
  }

  remove(route: FibRoute): boolean {
    const level = this.levels.get(route.prefixLength);
    const routes = level?.get(route.destination);
    const index = routes?.indexOf(route) ?? -1;
    if (level === undefined || routes === undefined || index < 0) return false;
    routes.splice(index, 1);
    if (routes.length === 0) level.delete(route.destination);
    return true;
  }

  at(destination: number, prefixLength: number): readonly FibRoute[] | undefined {
    return this.levels.get(prefixLength)?.get(destination);
  }

  lookup(destination: number, outLink: Link | undefined): FibRoute | undefined {
    for (const { mask, level } of this.lengths) {
      const found = level.get((destination & mask) >>> 0)?.find((route) => leadsOver(route, outLink));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  list(): FibRoute[] {
    return this.lengths.flatMap(({ level }) => [...level.values()].flat());
  }
}
