// Routing tables and the rules that choose between them, as ip-route(8) and ip-rule(8) show them.
import type { Link } from '../link/link.ts';

export type RouteType = 'unicast' | 'local' | 'broadcast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw';
export type RouteScope = 'global' | 'site' | 'link' | 'host' | 'nowhere';

export interface NextHop {
  readonly gateway: string | undefined;
  readonly link: Link;
  readonly weight: number;
  readonly onlink: boolean;
}

export interface Route {
  /** 255 local, 254 main, 253 default. */
  readonly table: number;
  readonly type: RouteType;
  /** Network address; `0.0.0.0` with prefix length 0 is default. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly gateway: string | undefined;
  readonly link: Link | undefined;
  /** Preferred source, RTA_PREFSRC. */
  readonly source: string | undefined;
  readonly scope: RouteScope;
  /** kernel, boot, static, bird, … (rt_protos). */
  readonly protocol: string;
  readonly metric: number;
  readonly onlink: boolean;
  readonly mtu: number | undefined;
  /** More than one for multipath routes, else empty. */
  readonly nextHops: readonly NextHop[];
  /** Flags such as `linkdown`, `dead`. */
  readonly flags: readonly string[];
}

export type NewRoute = Partial<Omit<Route, 'destination' | 'prefixLength' | 'flags'>> &
  Pick<Route, 'destination' | 'prefixLength'>;

export interface PolicyRule {
  readonly priority: number;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly inLink: string | undefined;
  readonly outLink: string | undefined;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly isInverted: boolean;
  readonly action: { readonly kind: 'lookup'; readonly table: number } | { readonly kind: 'blackhole' | 'unreachable' | 'prohibit' };
}

export interface RouteQuery {
  readonly destination: string;
  readonly source?: string;
  /** Asks as a packet that came in there. */
  readonly inLink?: Link;
  readonly outLink?: Link;
  readonly mark?: number;
}

/** What `ip route get` says. */
export interface RouteAnswer {
  readonly route: Route;
  readonly type: RouteType;
  readonly gateway: string | undefined;
  readonly link: Link;
  /** The source address a local packet would get. */
  readonly source: string;
}

export interface RouteTables {
  /** One table (default main), or `all`. In ip's printing order. */
  list(table?: number | 'all'): Route[];
  /** Throws EEXIST, ENETUNREACH (gateway not on a link), EINVAL, ENETDOWN. */
  add(route: NewRoute): Route;
  replace(route: NewRoute): Route;
  append(route: NewRoute): Route;
  /** Deletes the first that matches every field given. Throws ESRCH. */
  delete(route: NewRoute): void;
  flush(table: number): void;
  /** Throws ENETUNREACH, EHOSTUNREACH (unreachable), EACCES (prohibit), EINVAL (blackhole). */
  get(query: RouteQuery): RouteAnswer;

  listRules(): PolicyRule[];
  addRule(rule: Partial<PolicyRule> & Pick<PolicyRule, 'action'>): PolicyRule;
  /** Throws ENOENT. */
  deleteRule(rule: Partial<PolicyRule>): void;
}
