// Routing tables and the rules that choose between them, as ip-route(8) and ip-rule(8) show them.
import { ErrnoError } from '../errno.ts';
import type { Link } from '../link/link.ts';
import type { NetworkNamespace } from '../namespace.ts';
import { FibTable, type FibRoute } from './fib-table.ts';
import { cidrContains, formatIpv4, maskOf, parseCidr, parseIpv4, type Cidr } from './ipv4.ts';

export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw';
export type RouteScope = 'global' | 'site' | 'link' | 'host' | 'nowhere';

export const TABLE_DEFAULT = 253;
export const TABLE_MAIN = 254;
export const TABLE_LOCAL = 255;

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
  readonly action:
    | { readonly kind: 'lookup'; readonly table: number }
    | { readonly kind: 'blackhole' | 'unreachable' | 'prohibit' };
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

/** A look-up's result on the packets' way. */
export interface FibResult {
  readonly route: FibRoute;
  readonly type: RouteType;
  readonly link: Link;
  /** 0 when the destination is on the link. */
  readonly gateway: number;
}

interface CompiledRule {
  readonly rule: PolicyRule;
  readonly from: Cidr | undefined;
  readonly to: Cidr | undefined;
}

/** Destinations remembered between changes of any table. */
const CACHE_ENTRIES_MAX = 65_536;
const ROUTES_MAX = 100_000;
const RULES_MAX = 32_768;

const DEFAULT_RULES: readonly (readonly [number, number])[] = [
  [0, TABLE_LOCAL],
  [32766, TABLE_MAIN],
  [32767, TABLE_DEFAULT],
];

export class RouteTables {
  private readonly namespace: NetworkNamespace;
  private readonly tables = new Map<number, FibTable>();
  private rules: CompiledRule[] = [];
  /** Whether only destinations decide, so that results can be remembered. */
  private isPlain = true;
  private readonly cache = new Map<number, FibResult | undefined>();
  private count = 0;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
    for (const [priority, table] of DEFAULT_RULES)
      this.rules.push(compileRule({ priority, action: { kind: 'lookup', table } }));
  }

  // ── Reading ──

  /** One table (default main), or `all`. In ip's printing order. */
  list(table: number | 'all' = TABLE_MAIN): Route[] {
    if (table !== 'all') return (this.tables.get(table)?.list() ?? []).map(showRoute);
    // The kernel dumps its hash of tables; main is printed before local as in practice.
    const ids = [...this.tables.keys()].toSorted((a, b) => dumpOrder(a) - dumpOrder(b));
    return ids.flatMap((id) => this.tables.get(id)!.list().map(showRoute));
  }

  /** Throws ENETUNREACH, EHOSTUNREACH (unreachable), EACCES (prohibit), EINVAL (blackhole, or bad arguments). */
  get(query: RouteQuery): RouteAnswer {
    const destination = parseIpv4(query.destination);
    const source = query.source === undefined ? 0 : parseIpv4(query.source);
    if (destination === undefined || source === undefined) throw new ErrnoError('EINVAL');
    const result = this.lookup(destination, source, query.mark ?? 0, query.inLink, query.outLink);
    if (result === undefined)
      throw new ErrnoError(query.inLink === undefined ? 'ENETUNREACH' : 'EHOSTUNREACH');
    const error = TYPE_ERRORS[result.type];
    if (error !== undefined) throw new ErrnoError(error);
    const chosen = source !== 0 ? source : this.sourceFor(result, destination);
    return {
      route: showRoute(result.route),
      type: result.type,
      gateway: result.gateway === 0 ? undefined : formatIpv4(result.gateway),
      link: result.type === 'local' ? this.namespace.links.loopback : result.link,
      source: formatIpv4(chosen),
    };
  }

  /** The packets' look-up (fib_lookup). Undefined when there is no route. */
  lookup(
    destination: number,
    source: number,
    mark: number,
    inLink?: Link,
    outLink?: Link,
  ): FibResult | undefined {
    if (this.isPlain && outLink === undefined) {
      const cached = this.cache.get(destination);
      if (cached !== undefined) return cached;
    }
    const result = this.walkRules(destination, source, mark, inLink, outLink);
    if (this.isPlain && outLink === undefined && result !== undefined && result.route.nextHops.length === 0) {
      if (this.cache.size >= CACHE_ENTRIES_MAX) this.cache.clear();
      this.cache.set(destination, result);
    }
    return result;
  }

  /** inet_addr_type: what kind of address this is for us, by the local table. */
  addressType(address: number): 'local' | 'broadcast' | 'multicast' | 'unicast' {
    if (address === 0 || address === 0xffffffff) return 'broadcast';
    if (address >>> 28 === 14) return 'multicast';
    const found = this.tables.get(TABLE_LOCAL)?.lookup(address)?.type;
    return found === 'local' || found === 'broadcast' ? found : 'unicast';
  }

  /** The source address for local packets along a route (fib_info_update_nhc_saddr). */
  sourceFor(result: FibResult, destination: number): number {
    const { route, link, gateway } = result;
    if (route.source !== 0) return route.source;
    if (result.type === 'local') return destination;
    const scope = route.scope === 'host' ? 'host' : route.scope === 'link' ? 'link' : 'global';
    const toward = gateway !== 0 ? gateway : destination;
    return this.namespace.addresses.select(link, toward, scope) ?? 0;
  }

  // ── Changing ──

  /** Throws EEXIST, ENETUNREACH (gateway not on a link), EINVAL, ENETDOWN. */
  add(route: NewRoute): Route {
    return this.insert(route, 'add');
  }

  replace(route: NewRoute): Route {
    return this.insert(route, 'replace');
  }

  append(route: NewRoute): Route {
    return this.insert(route, 'append');
  }

  /** Deletes the first that matches every field given. Throws ESRCH. */
  delete(route: NewRoute): void {
    const table = this.tables.get(route.table ?? TABLE_MAIN);
    const found = table?.find(parseNetwork(route), route.prefixLength, (each) => matchesQuery(each, route));
    if (table === undefined || found === undefined) throw new ErrnoError('ESRCH');
    this.removeRoute(table, found);
  }

  flush(table: number): void {
    const fib = this.tables.get(table);
    for (const route of fib?.list() ?? []) this.removeRoute(fib!, route);
  }

  /** Adds a route of the kernel's own; one that is there already stays. */
  addKernel(route: NewRoute & { readonly type: RouteType }): void {
    try {
      this.insert(route, 'append');
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EEXIST')) throw error;
    }
  }

  /** Deletes a route of the kernel's own if it is there. */
  deleteKernel(
    tableId: number,
    destination: string,
    prefixLength: number,
    link: Link,
    type?: RouteType,
  ): void {
    const table = this.tables.get(tableId);
    const network = parseIpv4(destination) ?? 0;
    const found = table?.find(
      network,
      prefixLength,
      (each) =>
        each.link === link && each.protocol === 'kernel' && (type === undefined || each.type === type),
    );
    if (table !== undefined && found !== undefined) this.removeRoute(table, found);
  }

  /** fib_sync_down_addr: routes that prefer a deleted address go. */
  forgetSource(source: number): void {
    if (this.namespace.addresses.list().some((each) => parseIpv4(each.address) === source)) return;
    this.removeWhere((route) => route.source === source);
  }

  /** fib_sync_down_dev: all but local routes over the link go. */
  onLinkDown(link: Link): void {
    this.removeWhere((route) => route.type !== 'local' && usesLink(route, link));
  }

  onLinkGone(link: Link): void {
    this.removeWhere((route) => usesLink(route, link));
  }

  listRules(): PolicyRule[] {
    return this.rules.map(({ rule }) => rule);
  }

  /** Throws EEXIST, EINVAL. Without a priority it goes before all but the first, as `ip rule add` does. */
  addRule(options: Partial<PolicyRule> & Pick<PolicyRule, 'action'>): PolicyRule {
    const lowest = this.rules.map(({ rule }) => rule.priority).filter((priority) => priority > 0);
    const priority = options.priority ?? Math.max(0, Math.min(...lowest, 32768) - 1);
    const compiled = compileRule({ ...options, priority });
    if (this.rules.some(({ rule }) => sameRule(rule, compiled.rule))) throw new ErrnoError('EEXIST');
    if (this.rules.length >= RULES_MAX) throw new ErrnoError('ENOMEM');
    this.rules.push(compiled);
    this.rules = this.rules.toSorted((a, b) => a.rule.priority - b.rule.priority);
    this.rulesChanged('new', compiled.rule);
    return compiled.rule;
  }

  /** Deletes the first that matches every field given. Throws ENOENT. */
  deleteRule(query: Partial<PolicyRule>): void {
    const index = this.rules.findIndex(({ rule }) =>
      (Object.keys(query) as (keyof PolicyRule)[]).every(
        (key) => query[key] === undefined || JSON.stringify(rule[key]) === JSON.stringify(query[key]),
      ),
    );
    if (index < 0) throw new ErrnoError('ENOENT');
    const [gone] = this.rules.splice(index, 1);
    this.rulesChanged('delete', gone!.rule);
  }

  /** Forgets remembered results, after links or addresses changed. */
  invalidate(): void {
    this.cache.clear();
  }

  // ── Inside ──

  private walkRules(
    destination: number,
    source: number,
    mark: number,
    inLink: Link | undefined,
    outLink: Link | undefined,
  ): FibResult | undefined {
    for (const compiled of this.rules) {
      if (!this.isPlain && !ruleMatches(compiled, destination, source, mark, inLink, outLink)) continue;
      const { action } = compiled.rule;
      if (action.kind !== 'lookup') return this.refusal(action.kind);
      const route = this.tables.get(action.table)?.lookup(destination, outLink);
      if (route === undefined || route.type === 'throw') continue;
      return this.resultOf(route, destination, source);
    }
    return undefined;
  }

  private resultOf(route: FibRoute, destination: number, source: number): FibResult {
    const { loopback } = this.namespace.links;
    if (route.nextHops.length > 0) {
      const alive = route.nextHops.filter((hop) => hop.link.hasCarrier);
      const hops = alive.length > 0 ? alive : route.nextHops;
      const total = hops.reduce((sum, hop) => sum + hop.weight, 0);
      let point =
        ((Math.imul(source ^ Math.imul(destination, 0x85ebca6b), 0x9e3779b1) >>> 0) / 2 ** 32) * total;
      const hop = hops.find((each) => (point -= each.weight) < 0) ?? hops[0]!;
      return { route, type: route.type, link: hop.link, gateway: hop.gateway };
    }
    return { route, type: route.type, link: route.link ?? loopback, gateway: route.gateway };
  }

  private refusal(type: 'blackhole' | 'unreachable' | 'prohibit'): FibResult {
    const route = { ...EMPTY_ROUTE, type };
    return { route, type, link: this.namespace.links.loopback, gateway: 0 };
  }

  private insert(options: NewRoute, mode: 'add' | 'replace' | 'append'): Route {
    const route = this.makeRoute(options);
    let table = this.tables.get(route.table);
    if (table === undefined) this.tables.set(route.table, (table = new FibTable()));
    const twin = table.find(route.destination, route.prefixLength, (each) => each.metric === route.metric);
    if (mode === 'replace' && twin !== undefined) this.removeRoute(table, twin);
    if (mode === 'add' && twin !== undefined) throw new ErrnoError('EEXIST');
    if (
      mode === 'append' &&
      table.find(route.destination, route.prefixLength, (each) => sameRoute(each, route))
    ) {
      throw new ErrnoError('EEXIST');
    }
    if (this.count >= ROUTES_MAX) throw new ErrnoError('ENOMEM');
    this.count++;
    table.insert(route);
    this.cache.clear();
    const shown = showRoute(route);
    this.namespace.announceChange({ kind: 'route', action: 'new', subject: shown });
    return shown;
  }

  /** fib_create_info with its checks. */
  private makeRoute(options: NewRoute): FibRoute {
    const destination = parseNetwork(options);
    const { prefixLength } = options;
    if (
      !(prefixLength >= 0 && prefixLength <= 32) ||
      (destination & maskOf(prefixLength)) >>> 0 !== destination
    ) {
      throw new ErrnoError('EINVAL');
    }
    const type = options.type ?? 'unicast';
    const gateway = options.gateway === undefined ? 0 : parseIpv4(options.gateway);
    const source = options.source === undefined ? 0 : parseIpv4(options.source);
    if (gateway === undefined || source === undefined) throw new ErrnoError('EINVAL');
    if (source !== 0 && options.protocol !== 'kernel' && this.addressType(source) !== 'local')
      throw new ErrnoError('EINVAL');
    const nextHops = (options.nextHops ?? []).map((hop) => {
      const via = hop.gateway === undefined ? 0 : (parseIpv4(hop.gateway) ?? 0);
      return {
        gateway: via,
        link: this.linkFor(via, hop.link, hop.onlink),
        weight: hop.weight,
        onlink: hop.onlink,
      };
    });
    const onlink = options.onlink ?? false;
    let link = options.link;
    if (type === 'unicast' && nextHops.length === 0) link = this.linkFor(gateway, link, onlink);
    return {
      table: options.table ?? (type === 'local' || type === 'broadcast' ? TABLE_LOCAL : TABLE_MAIN),
      type,
      destination,
      prefixLength,
      gateway,
      link,
      source,
      scope: options.scope ?? defaultScope(type, gateway !== 0 || nextHops.length > 0),
      protocol: options.protocol ?? 'boot',
      metric: options.metric ?? 0,
      onlink,
      mtu: options.mtu,
      nextHops,
    };
  }

  /** fib_check_nh: the device of a next hop, which must be up and lead to the gateway. */
  private linkFor(gateway: number, link: Link | undefined, onlink: boolean): Link {
    if (gateway === 0) {
      if (link === undefined) throw new ErrnoError('ENODEV');
      if (!link.isUp) throw new ErrnoError('ENETDOWN');
      return link;
    }
    if (onlink) {
      if (link === undefined) throw new ErrnoError('EINVAL');
      if (!link.isUp) throw new ErrnoError('ENETDOWN');
      return link;
    }
    const result = this.lookup(gateway, 0, 0, undefined, link);
    if (result === undefined) throw new ErrnoError('ENETUNREACH');
    if (result.type !== 'unicast' || result.gateway !== 0)
      throw new ErrnoError(result.type === 'local' ? 'EINVAL' : 'ENETUNREACH');
    if (link !== undefined && result.link !== link) throw new ErrnoError('ENETUNREACH');
    return result.link;
  }

  private removeRoute(table: FibTable, route: FibRoute): void {
    if (!table.remove(route)) return;
    this.count--;
    this.cache.clear();
    this.namespace.announceChange({ kind: 'route', action: 'delete', subject: showRoute(route) });
  }

  private removeWhere(isGone: (route: FibRoute) => boolean): void {
    for (const table of this.tables.values()) {
      for (const route of table.list()) if (isGone(route)) this.removeRoute(table, route);
    }
    this.cache.clear();
  }

  private rulesChanged(action: 'new' | 'delete', rule: PolicyRule): void {
    this.cache.clear();
    this.isPlain = this.rules.every(
      ({ rule: each }) =>
        each.from === undefined &&
        each.to === undefined &&
        each.inLink === undefined &&
        each.outLink === undefined &&
        each.mark === undefined &&
        !each.isInverted,
    );
    this.namespace.announceChange({ kind: 'rule', action, subject: rule });
  }
}

const TYPE_ERRORS: Partial<Record<RouteType, 'EHOSTUNREACH' | 'EACCES' | 'EINVAL'>> = {
  unreachable: 'EHOSTUNREACH',
  prohibit: 'EACCES',
  blackhole: 'EINVAL',
};

const EMPTY_ROUTE: FibRoute = {
  table: TABLE_MAIN,
  type: 'unicast',
  destination: 0,
  prefixLength: 0,
  gateway: 0,
  link: undefined,
  source: 0,
  scope: 'global',
  protocol: 'kernel',
  metric: 0,
  onlink: false,
  mtu: undefined,
  nextHops: [],
};

function dumpOrder(table: number): number {
  if (table === TABLE_LOCAL) return 1e9;
  return table === TABLE_MAIN ? -1 : table;
}

function defaultScope(type: RouteType, hasGateway: boolean): RouteScope {
  if (type === 'local') return 'host';
  if (type === 'broadcast') return 'link';
  return type === 'unicast' && !hasGateway ? 'link' : 'global';
}

function parseNetwork(route: NewRoute): number {
  const network = parseIpv4(route.destination);
  if (network === undefined) throw new ErrnoError('EINVAL');
  return network;
}

function usesLink(route: FibRoute, link: Link): boolean {
  return route.link === link || route.nextHops.some((hop) => hop.link === link);
}

function sameRoute(one: FibRoute, two: FibRoute): boolean {
  return (
    one.type === two.type &&
    one.link === two.link &&
    one.gateway === two.gateway &&
    one.metric === two.metric &&
    one.source === two.source &&
    one.scope === two.scope
  );
}

function matchesQuery(route: FibRoute, query: NewRoute): boolean {
  if (query.type !== undefined && query.type !== route.type) return false;
  if (query.gateway !== undefined && parseIpv4(query.gateway) !== route.gateway) return false;
  if (query.link !== undefined && query.link !== route.link) return false;
  if (query.source !== undefined && parseIpv4(query.source) !== route.source) return false;
  if (query.protocol !== undefined && query.protocol !== route.protocol) return false;
  if (query.scope !== undefined && query.scope !== route.scope) return false;
  return query.metric === undefined || query.metric === route.metric;
}

function showRoute(route: FibRoute): Route {
  const isLinkDown =
    route.link !== undefined && route.type === 'unicast' && route.link.isUp && !route.link.hasCarrier;
  return {
    ...route,
    destination: formatIpv4(route.destination),
    gateway: route.gateway === 0 ? undefined : formatIpv4(route.gateway),
    source: route.source === 0 ? undefined : formatIpv4(route.source),
    nextHops: route.nextHops.map((hop) => ({
      ...hop,
      gateway: hop.gateway === 0 ? undefined : formatIpv4(hop.gateway),
    })),
    flags: isLinkDown ? ['linkdown'] : [],
  };
}

function compileRule(options: Partial<PolicyRule> & Pick<PolicyRule, 'action' | 'priority'>): CompiledRule {
  const { from, to, inLink, outLink, mark, isInverted = false, priority, action } = options;
  const compiled = {
    rule: { priority, from, to, inLink, outLink, mark, isInverted, action },
    from: from === undefined ? undefined : parseCidr(from),
    to: to === undefined ? undefined : parseCidr(to),
  };
  if (
    (from !== undefined && compiled.from === undefined) ||
    (to !== undefined && compiled.to === undefined)
  ) {
    throw new ErrnoError('EINVAL');
  }
  return compiled;
}

function sameRule(one: PolicyRule, two: PolicyRule): boolean {
  return JSON.stringify(one) === JSON.stringify(two);
}

function ruleMatches(
  { rule, from, to }: CompiledRule,
  destination: number,
  source: number,
  mark: number,
  inLink: Link | undefined,
  outLink: Link | undefined,
): boolean {
  const matches =
    (from === undefined || cidrContains(from, source)) &&
    (to === undefined || cidrContains(to, destination)) &&
    (rule.inLink === undefined || (inLink?.name ?? 'lo') === rule.inLink) &&
    (rule.outLink === undefined || outLink?.name === rule.outLink) &&
    (rule.mark === undefined || ((mark ^ rule.mark.value) & rule.mark.mask) === 0);
  return matches !== rule.isInverted;
}
