// bridge(8): ports of bridges and the forwarding databases of bridges and VXLAN devices.
import { ErrnoError, parseIpv4, type FdbEntry, type Link } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { makeIpContext, IpError, printJson, requireDevice, type IpContext } from './ip-context.ts';

const USAGE = `Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }
       bridge [ -force ] -batch filename
where  OBJECT := { link | fdb | mdb | vlan | monitor }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] |
                    -o[neline] | -t[imestamp] | -n[etns] name |
                    -c[ompressvlans] -color -p[retty] -j[son] }
`;

const OBJECTS: readonly (readonly [
  name: string,
  handler: (context: IpContext, args: string[]) => Promise<number>,
])[] = [
  ['link', bridgeLink],
  ['fdb', bridgeFdb],
  ['vlan', bridgeVlan],
];

/** bridge(8) */
export const bridge: Program = async (proc) => {
  const context = makeIpContext(proc);
  const { out } = context;
  try {
    const status = await run(context, proc.argv.slice(1));
    await out.flush();
    return status;
  } catch (error) {
    await out.flush();
    if (error instanceof IpError) {
      await proc.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof ErrnoError && error.code !== 'EINTR' && error.code !== 'EPIPE') {
      await proc.stderr.write(`RTNETLINK answers: ${error.message}\n`);
      return 2;
    }
    throw error;
  }
};

async function run(context: IpContext, args: string[]): Promise<number> {
  while (args[0]?.startsWith('-') === true) {
    const option = args.shift()!.replace(/^--/, '-');
    const is = (name: string): boolean => option.length > 1 && `-${name}`.startsWith(option);
    if (is('details')) context.details = true;
    else if (is('statistics') || option === '-stats') context.statistics++;
    else if (is('json')) context.json = true;
    else if (is('pretty')) context.pretty = true;
    else if (is('oneline')) context.oneline = true;
    else if (option === '-Version' || option === '-V') {
      await context.out.line('bridge utility, 6.1.0');
      return 0;
    } else if (!is('compressvlans') && !option.startsWith('-color') && !is('timestamp'))
      throw new IpError(`Option "${option}" is unknown, try "bridge help".`, 255);
  }
  const name = args.shift();
  if (name === undefined || name === 'help') {
    await context.proc.stderr.write(USAGE);
    return name === undefined ? 255 : 0;
  }
  const found = OBJECTS.find(([object]) => object.startsWith(name));
  if (found === undefined) {
    if (['mdb', 'monitor', 'vni'].includes(name))
      throw new IpError(`drydock: bridge ${name} isn't simulated`);
    throw new IpError(`Object "${name}" is unknown, try "bridge help".`, 255);
  }
  return found[1](context, args);
}

function isShow(verb: string): boolean {
  return ['show', 'list', 'lst'].some((word) => word.startsWith(verb));
}

/** bridge link: the ports. */
async function bridgeLink(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  if (verb === 'set') return setPort(context, args.slice(1));
  if (!isShow(verb)) throw new IpError(`Command "${verb}" is unknown, try "bridge link help".`, 255);
  const { device, bridge: master } = selection(context, args.slice(1));
  const ports = context.proc.net.links
    .list()
    .filter(
      (link) =>
        link.master !== undefined &&
        (device === undefined || link === device) &&
        (master === undefined || link.master === master),
    );
  if (context.json) {
    await printJson(
      context,
      ports.map((port) => ({
        ifindex: port.index,
        ...(peerName(port) === undefined ? {} : { link: peerName(port) }),
        ifname: port.name,
        flags: port.flags,
        mtu: port.mtu,
        master: port.master!.name,
        state: portState(port),
        priority: 32,
        cost: 2,
        ...(context.details ? { hairpin: port.isHairpin, learning: true, flood: true } : {}),
      })),
    );
    return 0;
  }
  for (const port of ports) {
    const peer = peerName(port);
    await context.out.line(
      `${port.index}: ${port.name}${peer === undefined ? '' : `@${peer}`}: <${port.flags.join(',')}> mtu ${port.mtu} master ${port.master!.name} state ${portState(port)} priority 32 cost 2 `,
    );
    if (context.details)
      await context.out.line(
        `    hairpin ${port.isHairpin ? 'on' : 'off'} guard off root_block off fastleave off learning on flood on mcast_flood on bcast_flood on mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off isolated off locked off `,
      );
  }
  return 0;
}

function portState(port: Link): string {
  return port.isUp && port.hasCarrier ? 'forwarding' : 'disabled';
}

/** The peer's index as a name of this namespace, be it right or not: bridge(8) doesn't look where the peer is. */
function peerName(port: Link): string | undefined {
  if (port.peer === undefined) return undefined;
  return port.namespace.links.get(port.peer.index)?.name ?? `if${port.peer.index}`;
}

function setPort(context: IpContext, args: string[]): Promise<number> {
  let device: Link | undefined;
  let hairpin: boolean | undefined;
  for (let word = args.shift(); word !== undefined; word = args.shift()) {
    const value = args.shift() ?? '';
    if (word === 'dev') device = requireDevice(context, value, 255);
    else if (word === 'hairpin') hairpin = onOff(word, value);
    else throw new IpError(`drydock: bridge link set ${word} isn't simulated`);
  }
  if (device === undefined) throw new IpError('Device is a required argument.', 255);
  requireRoot(context);
  if (device.master === undefined) throw new ErrnoError('EOPNOTSUPP');
  if (hairpin !== undefined) context.proc.net.links.setHairpin(device, hairpin);
  return Promise.resolve(0);
}

function onOff(word: string, value: string): boolean {
  if (value !== 'on' && value !== 'off')
    throw new IpError(`Error: argument of "${word}" must be "on" or "off", not "${value}"`, 255);
  return value === 'on';
}

function requireRoot(context: IpContext): void {
  if (!context.proc.can('NET_ADMIN')) throw new ErrnoError('EPERM');
}

function selection(
  context: IpContext,
  args: readonly string[],
): { device: Link | undefined; bridge: Link | undefined } {
  let [device, master]: [Link | undefined, Link | undefined] = [undefined, undefined];
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === 'br' || word === 'brport' || word === 'dev') {
      const link = requireDevice(context, queue.shift() ?? '', 255);
      if (word === 'br') master = link;
      else device = link;
    } else if (word !== 'dynamic' && word !== 'static') device = requireDevice(context, word, 255);
  }
  return { device, bridge: master };
}

interface Row {
  readonly mac: string;
  readonly link: Link;
  readonly vlan?: number;
  readonly entry: Pick<FdbEntry, 'master' | 'remote' | 'isPermanent' | 'isSelf' | 'usedMs'>;
}

/** The groups a device receives for the kernel itself: all nodes, all hosts, and its own solicited-node group. */
function groupsOf(link: Link): string[] {
  if (link.kind === 'loopback' || link.kind === 'ipip' || link.kind === 'vxlan' || !link.isUp) return [];
  const solicited = `33:33:ff:${link.mac.slice(9)}`;
  if (link.kind === 'bridge')
    return ['33:33:00:00:00:01', '01:00:5e:00:00:6a', '33:33:00:00:00:6a', '01:00:5e:00:00:01', solicited];
  return ['33:33:00:00:00:01', '01:00:5e:00:00:01', solicited];
}

/** Everything, device by device: own groups, then what the bridge knows behind it. */
function fdbRows(context: IpContext): Row[] {
  const { links } = context.proc.net;
  const entries = links.fdb.list();
  const permanent = { master: undefined, remote: undefined, isPermanent: true, isSelf: true, usedMs: 0 };
  const own = (link: Link, master: Link): Row[] =>
    [1, undefined].map((vlan) => ({
      mac: link.mac,
      link,
      ...(vlan === undefined ? {} : { vlan }),
      entry: { ...permanent, master, isSelf: false },
    }));
  return links.list().flatMap((link): Row[] => {
    const groups = groupsOf(link).map((mac): Row => ({ mac, link, entry: permanent }));
    const { details } = link;
    if (details.kind === 'bridge')
      return details.ports.length === 0 ? groups : [...groups, ...own(link, link)];
    const known = entries
      .filter((entry) => entry.link === link && (entry.isSelf || entry.mac !== link.mac))
      .map((entry): Row => ({ mac: entry.mac, link, entry }));
    if (link.master === undefined) return [...groups, ...known];
    return [...known, ...own(link, link.master), ...groups];
  });
}

function fdbLine(context: IpContext, row: Row, withoutDevice: boolean): string {
  const { entry } = row;
  const seconds = Math.floor(entry.usedMs / 1000);
  const parts = [
    row.mac,
    withoutDevice ? '' : `dev ${row.link.name}`,
    entry.remote === undefined ? '' : `dst ${entry.remote}`,
    row.vlan === undefined ? '' : `vlan ${row.vlan}`,
    context.statistics > 0 ? `used ${seconds}/${seconds}` : '',
    entry.isSelf ? 'self' : '',
    entry.master === undefined ? '' : `master ${entry.master.name}`,
  ].filter((part) => part !== '');
  return `${parts.join(' ')} ${entry.isPermanent ? 'permanent' : ''}`;
}

/** bridge fdb */
async function bridgeFdb(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  const rest = args.slice(1);
  if (['add', 'append', 'replace', 'delete', 'del'].includes(verb)) return changeFdb(context, verb, rest);
  if (!isShow(verb)) throw new IpError(`Command "${verb}" is unknown, try "bridge fdb help".`, 255);
  const { device, bridge: master } = selection(context, rest);
  const rows = fdbRows(context).filter(
    (row) =>
      (device === undefined || row.link === device) &&
      (master === undefined || row.link === master || row.link.master === master),
  );
  if (context.json)
    await printJson(
      context,
      rows.map((row) => ({
        mac: row.mac,
        ifname: row.link.name,
        ...(row.entry.remote === undefined ? {} : { dst: row.entry.remote }),
        ...(row.vlan === undefined ? {} : { vlan: row.vlan }),
        flags: row.entry.isSelf ? ['self'] : [],
        ...(row.entry.master === undefined ? {} : { master: row.entry.master.name }),
        state: row.entry.isPermanent ? 'permanent' : '',
      })),
    );
  else for (const row of rows) await context.out.line(fdbLine(context, row, device !== undefined));
  return 0;
}

function changeFdb(context: IpContext, verb: string, args: string[]): Promise<number> {
  let [mac, remote]: [string | undefined, string | undefined] = [undefined, undefined];
  let device: Link | undefined;
  let isPermanent = true;
  for (let word = args.shift(); word !== undefined; word = args.shift()) {
    if (word === 'dev') device = requireDevice(context, args.shift() ?? '', 255);
    else if (word === 'dst') remote = args.shift();
    else if (word === 'dynamic') isPermanent = false;
    else if (word === 'to' || /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(word))
      mac = word === 'to' ? args.shift() : word;
    else if (word === 'vlan' || word === 'vni' || word === 'via' || word === 'port' || word === 'src_vni')
      throw new IpError(`drydock: bridge fdb ${word} isn't simulated`);
    else if (!['self', 'master', 'local', 'permanent', 'static', 'temp', 'extern_learn'].includes(word))
      throw new IpError(
        mac === undefined
          ? `Invalid mac address ${word}`
          : `Error: duplicate "to": "${word}" is the second value.`,
        255,
      );
  }
  if (device === undefined || mac === undefined)
    throw new IpError('Device and address are required arguments.', 255);
  if (remote !== undefined && parseIpv4(remote) === undefined)
    throw new IpError(`Error: inet address is expected rather than "${remote}".`);
  requireRoot(context);
  const address = mac.toLowerCase();
  const { fdb } = context.proc.net.links;
  if (verb === 'del' || verb === 'delete') fdb.delete(device, address, remote);
  else {
    const taken = fdb.list(device).some((entry) => entry.mac === address && entry.link === device);
    if (verb === 'add' && taken) throw new ErrnoError('EEXIST');
    fdb.add(device, { mac: address, remote, isPermanent });
  }
  return Promise.resolve(0);
}

/** bridge vlan: every port is in VLAN 1, filtering being off. */
async function bridgeVlan(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  if (!isShow(verb)) throw new IpError(`drydock: bridge vlan ${verb} isn't simulated`);
  const { device } = selection(context, args.slice(1));
  const members = context.proc.net.links
    .list()
    .filter(
      (link) =>
        (link.kind === 'bridge' || link.master !== undefined) && (device === undefined || link === device),
    );
  const width = Math.max(16, ...members.map((link) => link.name.length));
  await context.out.line(`${'port'.padEnd(width)}  vlan-id  `);
  for (const link of members) await context.out.line(`${link.name.padEnd(width)}  1 PVID Egress Untagged`);
  return 0;
}
