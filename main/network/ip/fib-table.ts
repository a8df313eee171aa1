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

/** Routes of one prefix length by network, each list in order of metric and then of insertion. */
type Level = Map<number, FibRoute[]>;

export class FibTable {
  private readonly levels = new Map<number, Level>();
  /** Prefix lengths in use with their masks, longest first. */
  private lengths: { length: number; mask: number; level: Level }[] = [];

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

  /** False if it isn't in here. */
  remove(route: FibRoute): boolean {
    const level = this.levels.get(route.prefixLength);
    const routes = level?.get(route.destination);
    const index = routes?.indexOf(route) ?? -1;
    if (level === undefined || routes === undefined || index < 0) return false;
    routes.splice(index, 1);
    if (routes.length === 0) level.delete(route.destination);
    return true;
  }

  find(
    destination: number,
    prefixLength: number,
    wanted: (route: FibRoute) => boolean,
  ): FibRoute | undefined {
    return this.levels.get(prefixLength)?.get(destination)?.find(wanted);
  }

  /** The best route, or with `outLink` the best over that link. */
  lookup(destination: number, outLink?: Link): FibRoute | undefined {
    for (const { mask, level } of this.lengths) {
      const routes = level.get((destination & mask) >>> 0);
      if (routes === undefined) continue;
      if (outLink === undefined) return routes[0];
      const found = routes.find(
        (route) => route.link === outLink || route.nextHops.some((hop) => hop.link === outLink),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** By network, then by length: the order of the kernel's trie. */
  list(): FibRoute[] {
    return this.lengths
      .flatMap(({ level }) => [...level.values()].flat())
      .toSorted(
        (a, b) => a.destination - b.destination || b.prefixLength - a.prefixLength || a.metric - b.metric,
      );
  }
}
