// ip route, ip rule and ip monitor.
import {
  ErrnoError,
  parseIpv4,
  TABLE_DEFAULT,
  TABLE_LOCAL,
  TABLE_MAIN,
  type Address,
  type Link,
  type Neighbour,
  type NewRoute,
  type PolicyRule,
  type Route,
  type RouteScope,
  type RouteType,
} from '../../../network/index.ts';
import { IpError, printJson, requireDevice, type IpContext } from './ip-context.ts';

const TABLES: Readonly<Record<string, number>> = {
  local: TABLE_LOCAL,
  main: TABLE_MAIN,
  default: TABLE_DEFAULT,
};
const TYPES: readonly string[] = [
  'unicast',
  'local',
  'broadcast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
];

function tableNumber(text: string): number {
  const known = TABLES[text];
  if (known !== undefined) return known;
  if (!/^\d+$/.test(text)) throw new IpError(`Error: argument "${text}" is wrong: table id value is invalid`);
  return Number(text);
}

function tableName(table: number): string {
  return Object.keys(TABLES).find((name) => TABLES[name] === table) ?? String(table);
}

function destinationText(route: Route): string {
  if (route.prefixLength === 0) return 'default';
  return route.prefixLength === 32 ? route.destination : `${route.destination}/${route.prefixLength}`;
}

/** One route as `ip route` prints it. */
function routeLine(route: Route, showTable: boolean): string {
  const type = route.type === 'unicast' ? '' : `${route.type} `;
  let text = `${type}${destinationText(route)}`;
  if (route.gateway !== undefined) text += ` via ${route.gateway}`;
  if (route.link !== undefined) text += ` dev ${route.link.name}`;
  if (showTable && route.table !== TABLE_MAIN) text += ` table ${tableName(route.table)}`;
  if (route.protocol !== 'boot') text += ` proto ${route.protocol}`;
  if (
    route.scope !== 'global' &&
    !(route.type !== 'unicast' && route.type !== 'local' && route.type !== 'broadcast')
  )
    text += ` scope ${route.scope}`;
  if (route.source !== undefined) text += ` src ${route.source}`;
  if (route.metric !== 0) text += ` metric ${route.metric}`;
  if (route.mtu !== undefined) text += ` mtu ${route.mtu}`;
  if (route.onlink) text += ' onlink';
  for (const flag of route.flags) text += ` ${flag}`;
  text += ' ';
  for (const hop of route.nextHops)
    text += `\n\tnexthop${hop.gateway === undefined ? '' : ` via ${hop.gateway}`} dev ${hop.link.name} weight ${hop.weight}${hop.onlink ? ' onlink' : ''} `;
  return text;
}

function routeJson(route: Route): Record<string, unknown> {
  return {
    ...(route.type === 'unicast' ? {} : { type: route.type }),
    dst: destinationText(route),
    ...(route.gateway === undefined ? {} : { gateway: route.gateway }),
    ...(route.link === undefined ? {} : { dev: route.link.name }),
    ...(route.protocol === 'boot' ? {} : { protocol: route.protocol }),
    ...(route.scope === 'global' ? {} : { scope: route.scope }),
    ...(route.source === undefined ? {} : { prefsrc: route.source }),
    ...(route.metric === 0 ? {} : { metric: route.metric }),
    flags: [...(route.onlink ? ['onlink'] : []), ...route.flags],
  };
}

/** ip route */
export async function ipRoute(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  const rest = args.slice(1);
  if (['show', 'list', 'lst'].some((word) => word.startsWith(verb))) return show(context, rest);
  if (verb === 'get') return get(context, rest);
  const { routes } = context.proc.net;
  if (
    ['add', 'append', 'replace', 'change', 'prepend', 'test'].some(
      (word) => word.startsWith(verb) && verb.length > 1,
    )
  ) {
    const route = parseRoute(context, rest);
    root(context);
    explainGateway(() =>
      verb === 'replace' || verb === 'change'
        ? routes.replace(route)
        : verb === 'append'
          ? routes.append(route)
          : routes.add(route),
    );
    return 0;
  }
  if ('delete'.startsWith(verb)) {
    const route = parseRoute(context, rest);
    root(context);
    routes.delete(route);
    return 0;
  }
  if ('flush'.startsWith(verb)) {
    if (rest.length === 0) throw new IpError('"ip route flush" requires arguments.');
    root(context);
    if (rest[0] === 'cache') return 0;
    const { table, matches } = filter(context, rest);
    for (const route of routes.list(table))
      if (matches(route))
        routes.delete({ ...route, link: route.link, gateway: route.gateway, source: route.source });
    return 0;
  }
  if (verb === 'help') {
    await context.proc.stderr.write(
      'Usage: ip route { list | flush } SELECTOR\n       ip route save SELECTOR\n       ip route restore\n       ip route showdump\n       ip route get [ ROUTE_GET_FLAGS ] ADDRESS\n                            [ from ADDRESS iif STRING ]\n                            [ oif STRING ] [ tos TOS ]\n                            [ mark NUMBER ] [ vrf NAME ]\n                            [ uid NUMBER ] [ ipproto PROTOCOL ]\n                            [ sport NUMBER ] [ dport NUMBER ]\n       ip route { add | del | change | append | replace } ROUTE\n',
    );
    return 255;
  }
  throw new IpError(`Command "${verb}" is unknown, try "ip route help".`, 255);
}

function root(context: IpContext): void {
  if (!context.proc.can('NET_ADMIN')) throw new ErrnoError('EPERM');
}

function explainGateway(change: () => unknown): void {
  try {
    change();
  } catch (error) {
    if (error instanceof ErrnoError && (error.code === 'ENETUNREACH' || error.code === 'EHOSTUNREACH'))
      throw new IpError('Error: Nexthop has invalid gateway.', 2);
    if (error instanceof ErrnoError && error.code === 'ENETDOWN')
      throw new IpError('Error: Device for nexthop is not up.', 2);
    throw error;
  }
}

interface Filter {
  readonly table: number | 'all';
  readonly matches: (route: Route) => boolean;
}

function filter(context: IpContext, args: readonly string[]): Filter {
  let table: number | 'all' = TABLE_MAIN;
  const tests: ((route: Route) => boolean)[] = [];
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    const next = (): string => queue.shift() ?? '';
    if (word === 'table') {
      const name = next();
      table = name === 'all' ? 'all' : tableNumber(name);
    } else if (word === 'dev' || word === 'oif') {
      const link = requireDevice(context, next());
      tests.push((route) => route.link === link || route.nextHops.some((hop) => hop.link === link));
    } else if (word === 'via') {
      const gateway = next();
      tests.push((route) => route.gateway === gateway);
    } else if (word === 'proto' || word === 'protocol') {
      const protocol = next();
      tests.push((route) => route.protocol === protocol);
    } else if (word === 'scope') {
      const scope = next();
      tests.push((route) => route.scope === scope);
    } else if (word === 'src') {
      const source = next();
      tests.push((route) => route.source === source);
    } else if (word === 'type') {
      const type = next();
      tests.push((route) => route.type === type);
    } else if (TYPES.includes(word)) tests.push((route) => route.type === word);
    else {
      const mode = word === 'root' || word === 'match' || word === 'exact' || word === 'to' ? word : 'exact';
      const { destination, prefixLength } = parsePrefix(mode === word ? next() : word);
      const wanted = parseIpv4(destination)!;
      const covers = (outer: string, length: number, inner: number): boolean =>
        length === 0 || parseIpv4(outer)! >>> (32 - length) === inner >>> (32 - length);
      if (mode === 'root')
        tests.push(
          (route) =>
            route.prefixLength >= prefixLength &&
            covers(destination, prefixLength, parseIpv4(route.destination)!),
        );
      else if (mode === 'match')
        tests.push(
          (route) =>
            route.prefixLength <= prefixLength && covers(route.destination, route.prefixLength, wanted),
        );
      else tests.push((route) => route.destination === destination && route.prefixLength === prefixLength);
    }
  }
  return { table, matches: (route) => tests.every((test) => test(route)) };
}

async function show(context: IpContext, args: readonly string[]): Promise<number> {
  if (context.family === 6) return 0;
  const { table, matches } = filter(context, args);
  const all = context.proc.net.routes.list(table);
  if (
    typeof table === 'number' &&
    all.length === 0 &&
    table !== TABLE_MAIN &&
    table !== TABLE_DEFAULT &&
    !context.proc.net.routes
      .listRules()
      .some((rule) => rule.action.kind === 'lookup' && rule.action.table === table)
  ) {
    throw new IpError('Error: ipv4: FIB table does not exist.\nDump terminated', 2);
  }
  const rows = all.filter(matches);
  if (context.json) await printJson(context, rows.map(routeJson));
  else {
    const device = args.includes('dev') && table !== 'all';
    for (const route of rows) {
      const line = routeLine(route, table === 'all');
      await context.out.line(
        device && route.link !== undefined ? line.replace(` dev ${route.link.name}`, '') : line,
      );
    }
  }
  return 0;
}

async function get(context: IpContext, args: readonly string[]): Promise<number> {
  let [destination, source, inLink, outLink, mark]: [
    string | undefined,
    string | undefined,
    Link | undefined,
    Link | undefined,
    number | undefined,
  ] = [undefined, undefined, undefined, undefined, undefined];
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'from') source = queue.shift();
    else if (word === 'iif') inLink = requireDevice(context, queue.shift() ?? '');
    else if (word === 'oif' || word === 'dev') outLink = requireDevice(context, queue.shift() ?? '');
    else if (word === 'mark') mark = Number(queue.shift());
    else if (word === 'to' || word === 'fibmatch') continue;
    else if (['uid', 'tos', 'ipproto', 'sport', 'dport'].includes(word)) queue.shift();
    else destination = word;
  }
  if (destination === undefined) throw new IpError('need at least a destination address');
  if (parseIpv4(destination.replace(/\/\d+$/, '')) === undefined)
    throw new IpError(`Error: any valid prefix is expected rather than "${destination}".`);
  destination = destination.replace(/\/\d+$/, '');
  const answer = context.proc.net.routes.get({
    destination,
    ...(source === undefined ? {} : { source }),
    ...(inLink === undefined ? {} : { inLink }),
    ...(outLink === undefined ? {} : { outLink }),
    ...(mark === undefined ? {} : { mark }),
  });
  if (context.json) {
    await printJson(context, [
      {
        ...(answer.type === 'local' ? { type: 'local' } : {}),
        dst: destination,
        ...(answer.gateway === undefined ? {} : { gateway: answer.gateway }),
        dev: answer.link.name,
        prefsrc: answer.source,
        flags: [],
        uid: context.proc.credentials.uid,
        cache: answer.type === 'local' ? ['local'] : [],
      },
    ]);
    return 0;
  }
  const local = answer.type === 'local' || answer.type === 'broadcast';
  let text = `${local ? `${answer.type} ` : ''}${destination}${source === undefined ? '' : ` from ${source}`}`;
  if (answer.gateway !== undefined) text += ` via ${answer.gateway}`;
  text += ` dev ${local && answer.type === 'local' ? 'lo' : answer.link.name}`;
  if (
    local &&
    answer.type === 'local' &&
    answer.link.name !== 'lo' &&
    answer.route.table === TABLE_LOCAL &&
    answer.route.link !== undefined &&
    !answer.route.link.isUp
  )
    text += ' table local';
  if (inLink === undefined)
    text += `${source === undefined ? ` src ${answer.source}` : ''} uid ${context.proc.credentials.uid} `;
  else text += ' ';
  await context.out.put(
    `${text}\n    cache ${local ? `<${answer.type}>${inLink === undefined ? '' : ' '}` : ''}${inLink === undefined ? (local ? ' ' : '') : `iif ${inLink.name} `}\n`,
  );
  return 0;
}

function parsePrefix(text: string): { destination: string; prefixLength: number } {
  if (text === 'default' || text === 'any' || text === 'all')
    return { destination: '0.0.0.0', prefixLength: 0 };
  const [address = '', length = '32'] = text.split('/');
  const full = [...address.split('.'), '0', '0', '0'].slice(0, 4).join('.');
  if (parseIpv4(full) === undefined || !/^\d+$/.test(length) || Number(length) > 32)
    throw new IpError(`Error: any valid prefix is expected rather than "${text}".`);
  return { destination: full, prefixLength: Number(length) };
}

function parseRoute(context: IpContext, args: readonly string[]): NewRoute {
  const queue = [...args];
  const route: { -readonly [K in keyof NewRoute]: NewRoute[K] } = { destination: '', prefixLength: 0 };
  let given = false;
  const next = (word: string): string => {
    const value = queue.shift();
    if (value === undefined) throw new IpError(`Command line is not complete. Try option "help"`, 255);
    void word;
    return value;
  };
  const gateway = (text: string): string => {
    if (parseIpv4(text) === undefined)
      throw new IpError(`Error: inet address is expected rather than "${text}".`);
    return text;
  };
  while (queue.length > 0) {
    const word = queue.shift()!;
    switch (word) {
      case 'via': {
        const text = next(word);
        route.gateway = gateway(text === 'inet' ? next(word) : text);
        break;
      }
      case 'dev':
      case 'oif':
        route.link = requireDevice(context, next(word));
        break;
      case 'src':
        route.source = gateway(next(word));
        break;
      case 'table':
        route.table = tableNumber(next(word));
        break;
      case 'metric':
      case 'preference':
      case 'priority':
        route.metric = Number(next(word));
        break;
      case 'proto':
      case 'protocol':
        route.protocol = next(word);
        break;
      case 'scope':
        route.scope = next(word) as RouteScope;
        break;
      case 'mtu':
        route.mtu = Number(next(word));
        break;
      case 'onlink':
        route.onlink = true;
        break;
      case 'type':
        route.type = next(word) as RouteType;
        break;
      case 'nexthop': {
        const hop: { gateway: string | undefined; link: Link | undefined; weight: number; onlink: boolean } =
          { gateway: undefined, link: undefined, weight: 1, onlink: false };
        while (queue.length > 0 && queue[0] !== 'nexthop') {
          const key = queue.shift()!;
          if (key === 'via') hop.gateway = gateway(next(key));
          else if (key === 'dev') hop.link = requireDevice(context, next(key));
          else if (key === 'weight') hop.weight = Number(next(key));
          else if (key === 'onlink') hop.onlink = true;
        }
        const link = hop.link ?? (hop.gateway === undefined ? undefined : linkToward(context, hop.gateway));
        if (link === undefined) throw new IpError('Error: Nexthop has invalid gateway.', 2);
        route.nextHops = [
          ...(route.nextHops ?? []),
          { gateway: hop.gateway, link, weight: hop.weight, onlink: hop.onlink },
        ];
        break;
      }
      default:
        if (TYPES.includes(word) && !given) route.type = word as RouteType;
        else if (word === 'to') continue;
        else if (given) throw new IpError(`Error: either "to" is duplicate, or "${word}" is a garbage.`, 255);
        else {
          given = true;
          Object.assign(route, parsePrefix(word));
        }
    }
  }
  if (!given) throw new IpError(`Command line is not complete. Try option "help"`, 255);
  return route;
}

function linkToward(context: IpContext, gateway: string): Link | undefined {
  try {
    return context.proc.net.routes.get({ destination: gateway }).link;
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

/** ip rule */
export async function ipRule(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  const { routes } = context.proc.net;
  if (['show', 'list', 'lst'].some((word) => word.startsWith(verb))) {
    for (const rule of routes.listRules()) await context.out.line(ruleLine(rule));
    return 0;
  }
  if ('add'.startsWith(verb)) {
    root(context);
    const rule = parseRule(args.slice(1));
    routes.addRule({ ...rule, action: rule.action ?? { kind: 'lookup', table: TABLE_MAIN } });
    return 0;
  }
  if ('delete'.startsWith(verb)) {
    root(context);
    routes.deleteRule(parseRule(args.slice(1)));
    return 0;
  }
  if ('flush'.startsWith(verb)) {
    root(context);
    for (const rule of routes.listRules()) if (rule.priority !== 0) routes.deleteRule(rule);
    return 0;
  }
  throw new IpError(`Command "${verb}" is unknown, try "ip rule help".`, 255);
}

function ruleLine(rule: PolicyRule): string {
  let text = `${rule.priority}:\t${rule.isInverted ? 'not ' : ''}from ${rule.from ?? 'all'}`;
  if (rule.to !== undefined) text += ` to ${rule.to}`;
  if (rule.mark !== undefined)
    text += ` fwmark 0x${rule.mark.value.toString(16)}${rule.mark.mask === 0xffffffff ? '' : `/0x${rule.mark.mask.toString(16)}`}`;
  if (rule.inLink !== undefined) text += ` iif ${rule.inLink}`;
  if (rule.outLink !== undefined) text += ` oif ${rule.outLink}`;
  return `${text} ${rule.action.kind === 'lookup' ? `lookup ${tableName(rule.action.table)}` : rule.action.kind}`;
}

function parseRule(args: readonly string[]): Partial<PolicyRule> {
  const rule: { -readonly [K in keyof PolicyRule]?: PolicyRule[K] } = {};
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'from') {
      const text = queue.shift();
      if (text !== 'all') rule.from = text;
    } else if (word === 'to') rule.to = queue.shift();
    else if (word === 'iif' || word === 'dev') rule.inLink = queue.shift();
    else if (word === 'oif') rule.outLink = queue.shift();
    else if (word === 'fwmark') {
      const [value = '0', mask = '0xffffffff'] = (queue.shift() ?? '').split('/');
      rule.mark = { value: Number(value), mask: Number(mask) };
    } else if (word === 'table' || word === 'lookup')
      rule.action = { kind: 'lookup', table: tableNumber(queue.shift() ?? '') };
    else if (['priority', 'pref', 'preference', 'order'].includes(word))
      rule.priority = Number(queue.shift());
    else if (word === 'not') rule.isInverted = true;
    else if (word === 'blackhole' || word === 'unreachable' || word === 'prohibit')
      rule.action = { kind: word };
    else throw new IpError(`Error: argument "${word}" is wrong: Failed to parse rule type`, 255);
  }
  return rule;
}

/** ip monitor: prints changes until it is interrupted. */
export async function ipMonitor(context: IpContext, args: string[]): Promise<number> {
  const wanted = args[0] ?? 'all';
  const queue: string[] = [];
  let wake: (() => void) | undefined;
  using subscription = context.proc.net.onChange((change) => {
    const gone = change.action === 'delete' ? 'Deleted ' : '';
    if (change.kind === 'route' && (wanted === 'all' || 'route'.startsWith(wanted)))
      queue.push(`${gone}${routeLine(change.subject as Route, true)}`);
    else if (change.kind === 'link' && (wanted === 'all' || 'link'.startsWith(wanted))) {
      const link = change.subject as Link;
      queue.push(
        `${gone}${link.index}: ${link.name}: <${link.flags.join(',')}> mtu ${link.mtu} state ${link.operState}`,
      );
    } else if (change.kind === 'address' && (wanted === 'all' || 'address'.startsWith(wanted))) {
      const address = change.subject as Address;
      queue.push(
        `${gone}${address.link.index}: ${address.link.name}    inet ${address.address}/${address.prefixLength} scope ${address.scope} ${address.label}`,
      );
    } else if (
      change.kind === 'neighbour' &&
      (wanted === 'all' || 'neighbour'.startsWith(wanted) || 'neighbor'.startsWith(wanted))
    ) {
      const one = change.subject as Neighbour;
      queue.push(
        `${gone}${one.address} dev ${one.link.name}${one.mac === undefined ? '' : ` lladdr ${one.mac}`} ${one.state} `,
      );
    }
    wake?.();
  });
  void subscription;
  for (;;) {
    while (queue.length > 0) await context.proc.stdout.write(`${queue.shift()}\n`);
    await context.proc.interruptible(
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    );
  }
}
