// ip link and ip address: showing and changing devices and their addresses.
import { ErrnoError, parseIpv4, type Address, type Link } from '../../../network/index.ts';
import { dialectOf } from '../frame/command.ts';
import {
  addressLine,
  detailLines,
  firstLine,
  linkType,
  secondLine,
  shownName,
  statLines,
} from './ip-link-text.ts';
import { IpError, printJson, requireDevice, type IpContext } from './ip-context.ts';

interface Selection {
  device: string | undefined;
  up: boolean;
  type: string | undefined;
  master: string | undefined;
  to: string | undefined;
  scope: string | undefined;
  label: string | undefined;
}

function select(context: IpContext, args: readonly string[]): { links: Link[]; selection: Selection } {
  const selection: Selection = {
    device: undefined,
    up: false,
    type: undefined,
    master: undefined,
    to: undefined,
    scope: undefined,
    label: undefined,
  };
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'up') selection.up = true;
    else if (word === 'type') selection.type = queue.shift();
    else if (word === 'master') selection.master = queue.shift();
    else if (word === 'to') selection.to = queue.shift();
    else if (word === 'scope') selection.scope = queue.shift();
    else if (word === 'label') selection.label = queue.shift();
    else if (word === 'primary' || word === 'secondary' || word === 'permanent' || word === 'dynamic')
      continue;
    else selection.device = word === 'dev' ? queue.shift() : word;
  }
  const { links } = context.proc.net;
  let list = links.list();
  if (selection.device !== undefined) {
    const link = links.get(selection.device);
    if (link === undefined)
      throw new IpError(
        dialectOf(context.proc) === 'busybox'
          ? `can't find device '${selection.device}'`
          : `Device "${selection.device}" does not exist.`,
      );
    list = [link];
  }
  if (selection.up) list = list.filter((link) => link.isUp);
  if (selection.type !== undefined) list = list.filter((link) => link.kind === selection.type);
  if (selection.master !== undefined) {
    const master = selection.master;
    if (links.get(master) === undefined) throw new IpError(`Device "${master}" does not exist.`);
    list = list.filter((link) => link.master?.name === master);
  }
  return { links: list, selection };
}

/** ip address */
export async function ipAddress(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  if (['show', 'list', 'lst'].some((word) => word.startsWith(verb)))
    return showAddresses(context, args.slice(1));
  if ('add'.startsWith(verb) || verb === 'replace' || verb === 'change')
    return addAddress(context, args.slice(1), verb);
  if ('delete'.startsWith(verb)) return deleteAddress(context, args.slice(1));
  if ('flush'.startsWith(verb)) {
    const { links, selection } = select(context, args.slice(1));
    if (args.length < 2) throw new IpError('Flush requires arguments.');
    for (const link of links)
      for (const address of chosen(context, link, selection))
        if (address.family === 4)
          context.proc.net.addresses.delete(link, address.address, address.prefixLength);
    return 0;
  }
  if (verb === 'help') {
    await context.proc.stderr.write(
      'Usage: ip address {add|change|replace} IFADDR dev IFNAME [ LIFETIME ]\n                                                      [ CONFFLAG-LIST ]\n       ip address del IFADDR dev IFNAME [mngtmpaddr]\n       ip address {save|flush} [ dev IFNAME ] [ scope SCOPE-ID ]\n                            [ to PREFIX ] [ FLAG-LIST ] [ label LABEL ] [up]\n       ip address [ show [ dev IFNAME ] [ scope SCOPE-ID ] [ master DEVICE ]\n                         [ type TYPE ] [ to PREFIX ] [ FLAG-LIST ]\n                         [ label LABEL ] [up] [ vrf NAME ] ]\n',
    );
    return 255;
  }
  if (context.proc.net.links.get(verb) !== undefined && args.length === 1)
    return showAddresses(context, args);
  throw new IpError(`Command "${verb}" is unknown, try "ip address help".`, 255);
}

function chosen(context: IpContext, link: Link, selection: Selection): Address[] {
  return context.proc.net.addresses
    .list(link)
    .filter(
      (one) =>
        (context.family === undefined || one.family === context.family) &&
        (selection.scope === undefined || one.scope === selection.scope) &&
        (selection.label === undefined || one.label === selection.label) &&
        (selection.to === undefined || one.address === selection.to.replace(/\/.*$/, '')),
    );
}

async function showAddresses(context: IpContext, args: readonly string[]): Promise<number> {
  const { out } = context;
  const { links, selection } = select(context, args);
  if (context.json) {
    await printJson(
      context,
      links.map((link) => addressJson(context, link, selection)),
    );
    return 0;
  }
  for (const link of links) {
    const addresses = chosen(context, link, selection);
    const filtering =
      context.family !== undefined ||
      selection.to !== undefined ||
      selection.scope !== undefined ||
      selection.label !== undefined;
    if (filtering && addresses.length === 0) continue;
    if (context.brief) {
      await out.line(
        `${shownName(link).padEnd(16)} ${link.operState.padEnd(14)} ${addresses.map((one) => `${one.address}/${one.prefixLength} `).join('')}`,
      );
      continue;
    }
    if (context.oneline) {
      for (const one of addresses)
        await out.line(
          `${link.index}: ${link.name}${addressLine(one)}\\       valid_lft forever preferred_lft forever`,
        );
      continue;
    }
    await out.line(firstLine(link, false));
    const details = context.details ? detailLines(link, context.proc.kernel.cpuCount) : undefined;
    if (context.family === undefined) await out.line(secondLine(link) + (details?.[0] ?? ''));
    if (details !== undefined && context.family === undefined)
      for (const line of details.slice(1)) await out.line(line);
    for (const name of link.altNames) await out.line(`    altname ${name}`);
    for (const one of addresses)
      await out.put(`${addressLine(one)}\n       valid_lft forever preferred_lft forever\n`);
    if (context.statistics > 0)
      for (const line of statLines(link, context.statistics > 1)) await out.line(line);
  }
  return 0;
}

function linkJson(link: Link): Record<string, unknown> {
  return {
    ifindex: link.index,
    ...(shownName(link).includes('@') && link.peer !== undefined
      ? link.peer.namespace === link.namespace
        ? { link: link.peer.name }
        : { link_index: link.peer.index }
      : {}),
    ifname: link.name,
    flags: link.flags,
    mtu: link.mtu,
    qdisc: link.qdisc,
    ...(link.master === undefined ? {} : { master: link.master.name }),
    operstate: link.operState,
  };
}

function addressJson(context: IpContext, link: Link, selection: Selection): Record<string, unknown> {
  return {
    ...linkJson(link),
    group: 'default',
    txqlen: link.queueLength,
    ...(context.family === undefined
      ? {
          link_type: linkType(link),
          address: link.mac,
          broadcast: link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff',
        }
      : {}),
    ...(link.altNames.length > 0 ? { altnames: link.altNames } : {}),
    addr_info: chosen(context, link, selection).map((one) => ({
      family: one.family === 4 ? 'inet' : 'inet6',
      local: one.address,
      prefixlen: one.prefixLength,
      ...(one.broadcast === undefined ? {} : { broadcast: one.broadcast }),
      scope: one.scope,
      ...(one.isSecondary ? { secondary: true } : {}),
      ...(one.family === 4 ? { label: one.label } : {}),
      valid_life_time: 4_294_967_295,
      preferred_life_time: 4_294_967_295,
    })),
  };
}

interface AddressArguments {
  prefix: string | undefined;
  device: string | undefined;
  broadcast: string | undefined;
  scope: string | undefined;
  label: string | undefined;
  noPrefixRoute: boolean;
}

function addressArguments(args: readonly string[]): AddressArguments {
  const result: AddressArguments = {
    prefix: undefined,
    device: undefined,
    broadcast: undefined,
    scope: undefined,
    label: undefined,
    noPrefixRoute: false,
  };
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'dev') result.device = queue.shift();
    else if (word === 'brd' || word === 'broadcast') result.broadcast = queue.shift();
    else if (word === 'scope') result.scope = queue.shift();
    else if (word === 'label') result.label = queue.shift();
    else if (word === 'noprefixroute') result.noPrefixRoute = true;
    else if (word === 'local') result.prefix = queue.shift();
    else if (
      word === 'valid_lft' ||
      word === 'preferred_lft' ||
      word === 'metric' ||
      word === 'peer' ||
      word === 'proto'
    )
      queue.shift();
    else result.prefix = word;
  }
  return result;
}

function parsePrefix(text: string): { address: string; prefixLength: number } {
  const [address = '', length = '32'] = text.split('/');
  if (parseIpv4(address) === undefined || !/^\d+$/.test(length) || Number(length) > 32) {
    if (text.includes(':')) throw new IpError("drydock: adding IPv6 addresses isn't simulated");
    throw new IpError(`Error: any valid prefix is expected rather than "${text}".`);
  }
  return { address, prefixLength: Number(length) };
}

function requireRoot(context: IpContext): void {
  if (!context.proc.can('NET_ADMIN')) throw new ErrnoError('EPERM');
}

async function addAddress(context: IpContext, args: readonly string[], verb: string): Promise<number> {
  const { prefix, device, broadcast, scope, label, noPrefixRoute } = addressArguments(args);
  const parsed = prefix === undefined ? undefined : parsePrefix(prefix);
  if (device === undefined) throw new IpError('Not enough information: "dev" argument is required.');
  const link = requireDevice(context, device);
  requireRoot(context);
  if (parsed === undefined) throw new ErrnoError('EOPNOTSUPP');
  const { addresses } = context.proc.net;
  if (
    verb !== 'add' &&
    addresses
      .list(link)
      .some((one) => one.address === parsed.address && one.prefixLength === parsed.prefixLength)
  )
    return 0;
  addresses.add(link, {
    ...parsed,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(scope === undefined ? {} : { scope: scope as 'global' | 'link' | 'host' }),
    ...(label === undefined ? {} : { label }),
    ...(noPrefixRoute ? { noPrefixRoute } : {}),
  });
  return 0;
}

async function deleteAddress(context: IpContext, args: readonly string[]): Promise<number> {
  const { prefix, device } = addressArguments(args);
  const parsed = prefix === undefined ? undefined : parsePrefix(prefix);
  if (device === undefined) throw new IpError('Not enough information: "dev" argument is required.');
  const link = requireDevice(context, device);
  requireRoot(context);
  if (parsed === undefined) throw new ErrnoError('EADDRNOTAVAIL');
  context.proc.net.addresses.delete(
    link,
    parsed.address,
    prefix!.includes('/') ? parsed.prefixLength : undefined,
  );
  return 0;
}

/** ip link */
export async function ipLink(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  if (['show', 'list', 'lst'].some((word) => word.startsWith(verb))) return showLinks(context, args.slice(1));
  if ('set'.startsWith(verb)) return setLink(context, args.slice(1));
  if ('add'.startsWith(verb)) return addLink(context, args.slice(1));
  if ('delete'.startsWith(verb)) {
    const name = args[1] === 'dev' ? args[2] : args[1];
    const link = requireDevice(context, name ?? '');
    requireRoot(context);
    context.proc.net.links.delete(link);
    return 0;
  }
  if (verb === 'help') {
    await context.proc.stderr.write(
      'Usage: ip link add [link DEV | parentdev NAME] [ name ] NAME\n\t\t    [ address LLADDR ]\n\t\t    [ mtu MTU ] [index IDX ]\n\t\t    type TYPE [ ARGS ]\n\n\tip link delete { DEVICE | dev DEVICE | group DEVGROUP } type TYPE [ ARGS ]\n\n\tip link set { DEVICE | dev DEVICE | group DEVGROUP }\n\t\t\t[ { up | down } ]\n\t\t[ arp { on | off } ]\n\t\t[ name NEWNAME ]\n\t\t[ address LLADDR ]\n\t\t[ mtu MTU ]\n\t\t[ master DEVICE ]\n\t\t[ nomaster ]\n\n\tip link show [ DEVICE | group GROUP ] [up] [master DEV] [vrf NAME] [type TYPE]\n',
    );
    return 255;
  }
  if (context.proc.net.links.get(verb) !== undefined && args.length === 1) return showLinks(context, args);
  throw new IpError(`Command "${verb}" is unknown, try "ip link help".`, 255);
}

async function showLinks(context: IpContext, args: readonly string[]): Promise<number> {
  const { links } = select(context, args);
  const { out } = context;
  if (context.json) {
    await printJson(
      context,
      links.map((link) => ({
        ...linkJson(link),
        linkmode: 'DEFAULT',
        group: 'default',
        txqlen: link.queueLength,
        link_type: linkType(link),
        address: link.mac,
        broadcast: link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff',
        ...(link.altNames.length > 0 ? { altnames: link.altNames } : {}),
      })),
    );
    return 0;
  }
  for (const link of links) {
    if (context.brief) {
      await out.line(
        `${shownName(link).padEnd(16)} ${link.operState.padEnd(14)} ${link.mac} <${link.flags.join(',')}> `,
      );
      continue;
    }
    const details = context.details ? detailLines(link, context.proc.kernel.cpuCount) : undefined;
    const lines = [
      firstLine(link, true),
      secondLine(link) + (details?.[0] ?? ''),
      ...(details ?? []).slice(1),
      ...(context.statistics > 0 ? statLines(link, context.statistics > 1) : []),
      ...link.altNames.map((name) => `    altname ${name}`),
    ];
    await out.line(context.oneline ? lines.join('\\') : lines.join('\n'));
  }
  return 0;
}

async function setLink(context: IpContext, args: readonly string[]): Promise<number> {
  const queue = [...args];
  let name = queue.shift();
  if (name === 'dev') name = queue.shift();
  if (name === undefined) throw new IpError('Not enough information: "dev" argument is required.');
  const link = requireDevice(context, name);
  requireRoot(context);
  const { links } = context.proc.net;
  while (queue.length > 0) {
    const word = queue.shift()!;
    switch (word) {
      case 'up':
        links.setUp(link);
        break;
      case 'down':
        links.setDown(link);
        break;
      case 'mtu':
        links.setMtu(link, Number(queue.shift()));
        break;
      case 'address':
        links.setMac(link, queue.shift() ?? '');
        break;
      case 'name':
        links.setName(link, queue.shift() ?? '');
        break;
      case 'master':
        links.setMaster(link, requireDevice(context, queue.shift() ?? ''));
        break;
      case 'nomaster':
        links.setMaster(link, undefined);
        break;
      case 'arp':
        links.setNoArp(link, queue.shift() === 'off');
        break;
      case 'type':
        queue.shift();
        break;
      case 'hairpin':
        links.setHairpin(link, queue.shift() === 'on');
        break;
      case 'netns':
        throw new IpError("drydock: ip link set netns isn't simulated");
      case 'promisc':
      case 'multicast':
      case 'allmulticast':
      case 'txqueuelen':
      case 'qlen':
      case 'alias':
      case 'group':
        queue.shift();
        break;
      default:
        throw new IpError(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
    }
  }
  return 0;
}

async function addLink(context: IpContext, args: readonly string[]): Promise<number> {
  const queue = [...args];
  let [name, type, lower, mac, mtu]: [
    string | undefined,
    string | undefined,
    string | undefined,
    string | undefined,
    number | undefined,
  ] = [undefined, undefined, undefined, undefined, undefined];
  while (queue.length > 0 && type === undefined) {
    const word = queue.shift()!;
    if (word === 'type') type = queue.shift();
    else if (word === 'link') lower = queue.shift();
    else if (word === 'name' || word === 'dev') name = queue.shift();
    else if (word === 'address') mac = queue.shift();
    else if (word === 'mtu') mtu = Number(queue.shift());
    else if (word === 'txqueuelen' || word === 'index') queue.shift();
    else name = word;
  }
  if (type === undefined) throw new IpError('Not enough information: "type" argument is required', 255);
  if (name === undefined) throw new IpError('Not enough information: "dev" argument is required.');
  requireRoot(context);
  const base = { name, ...(mac === undefined ? {} : { mac }), ...(mtu === undefined ? {} : { mtu }) };
  const { links } = context.proc.net;
  const option = (key: string): string | undefined => {
    const at = queue.indexOf(key);
    return at < 0 ? undefined : queue[at + 1];
  };
  const underlay = (key: string | undefined): Link | undefined =>
    key === undefined ? undefined : requireDevice(context, key);
  switch (type) {
    case 'bridge':
      links.addBridge(base);
      return 0;
    case 'dummy':
      links.addDummy(base);
      return 0;
    case 'veth': {
      const at = queue.indexOf('peer');
      const peer = at < 0 ? undefined : queue[at + 1] === 'name' ? queue[at + 2] : queue[at + 1];
      links.addVeth({ ...base, peer: { name: peer ?? nextFree(context, 'veth') } });
      return 0;
    }
    case 'vlan': {
      const under = underlay(lower);
      if (under === undefined || option('id') === undefined) throw new ErrnoError('EINVAL');
      links.addVlan({ ...base, underlay: under, id: Number(option('id')) });
      return 0;
    }
    case 'vxlan': {
      const id = option('id') ?? option('vni');
      if (id === undefined) throw new IpError('vxlan: missing virtual network identifier', 255);
      const [local, remote, port, device] = [
        option('local'),
        option('remote'),
        option('dstport'),
        option('dev'),
      ];
      const under = underlay(device);
      links.addVxlan({
        ...base,
        id: Number(id),
        ...(local === undefined ? {} : { local }),
        ...(remote === undefined ? {} : { remote }),
        ...(port === undefined ? {} : { port: Number(port) }),
        ...(under === undefined ? {} : { underlay: under }),
        learning: !queue.includes('nolearning'),
      });
      return 0;
    }
    case 'ipip': {
      const [local, remote] = [option('local'), option('remote')];
      links.addIpip({
        ...base,
        ...(local === undefined ? {} : { local }),
        ...(remote === undefined ? {} : { remote }),
      });
      return 0;
    }
    default:
      if (
        ['macvlan', 'ipvlan', 'bond', 'gre', 'gretap', 'tun', 'wireguard', 'vrf', 'ifb', 'macvtap'].includes(
          type,
        )
      )
        throw new IpError(`drydock: links of type ${type} aren't simulated`);
      throw new IpError('Error: Unknown device type.', 2);
  }
}

function nextFree(context: IpContext, prefix: string): string {
  for (let n = 0; ; n++)
    if (context.proc.net.links.get(`${prefix}${n}`) === undefined) return `${prefix}${n}`;
}
