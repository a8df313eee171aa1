// ip(8): the one command for links, addresses, routes, rules and neighbours.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { dialectOf } from '../frame/command.ts';
import { makeIpContext, IpError, type IpContext } from './ip-context.ts';
import { ipAddress, ipLink } from './ip-link.ts';
import { ipNeighbour } from './ip-neighbour.ts';
import { ipMonitor, ipRoute, ipRule } from './ip-route.ts';

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |
                   link | macsec | maddress | monitor | mptcp | mroute | mrule |
                   neighbor | neighbour | netconf | netns | nexthop | ntable |
                   ntbl | route | rule | sr | tap | tcpmetrics |
                   token | tunnel | tuntap | vrf | xfrm }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[esolve] |
                    -h[uman-readable] | -iec | -j[son] | -p[retty] |
                    -f[amily] { inet | inet6 | mpls | bridge | link } |
                    -4 | -6 | -M | -B | -0 |
                    -l[oops] { maximum-addr-flush-attempts } | -br[ief] |
                    -o[neline] | -t[imestamp] | -ts[hort] | -b[atch] [filename] |
                    -rc[vbuf] [size] | -n[etns] name | -N[umeric] | -a[ll] |
                    -c[olor]}
`;

type ObjectHandler = (context: IpContext, args: string[]) => Promise<number>;

const OBJECTS: readonly (readonly [name: string, handler: ObjectHandler])[] = [
  ['address', ipAddress],
  ['link', ipLink],
  ['route', ipRoute],
  ['rule', ipRule],
  ['neighbor', ipNeighbour],
  ['neighbour', ipNeighbour],
  ['monitor', ipMonitor],
  ['netns', ipNetns],
  ['tunnel', ipTunnel],
  ['maddress', ipMaddress],
];

/** ip(8) */
export const ip: Program = async (proc) => {
  const context = makeIpContext(proc);
  const { out } = context;
  const args = proc.argv.slice(1);
  try {
    const status = await run(context, args);
    await out.flush();
    return status;
  } catch (error) {
    await out.flush();
    if (error instanceof IpError) {
      if (error.message !== '')
        await proc.stderr.write(
          dialectOf(proc) === 'busybox' ? `ip: ${error.message}\n` : `${error.message}\n`,
        );
      return error.exitCode;
    }
    if (error instanceof ErrnoError && error.code !== 'EINTR') {
      await proc.stderr.write(
        dialectOf(proc) === 'busybox'
          ? `ip: RTNETLINK answers: ${error.message}\n`
          : `RTNETLINK answers: ${error.message}\n`,
      );
      return 2;
    }
    throw error;
  }
};

async function run(context: IpContext, args: string[]): Promise<number> {
  while (args[0]?.startsWith('-') === true) {
    const option = args.shift()!;
    const is = (name: string, least: number): boolean =>
      option.length > least && `-${name}`.startsWith(option.replace(/^--/, '-'));
    if (option === '-4') context.family = 4;
    else if (option === '-6') context.family = 6;
    else if (option === '-0') continue;
    else if (is('family', 1)) context.family = args.shift() === 'inet6' ? 6 : 4;
    else if (is('brief', 2)) context.brief = true;
    else if (is('details', 1)) context.details = true;
    else if (is('statistics', 1) || is('stats', 1)) context.statistics++;
    else if (is('json', 1)) context.json = true;
    else if (is('pretty', 1)) context.pretty = true;
    else if (is('oneline', 1)) context.oneline = true;
    else if (/^-c(?:olor)?(?:=.*)?$/.test(option)) context.color = true;
    else if (is('Version', 1)) {
      await context.out.line('ip utility, iproute2-6.1.0, libbpf 1.1.2');
      return 0;
    } else if (is('netns', 1))
      throw new IpError(`Cannot open network namespace "${args.shift() ?? ''}": No such file or directory`);
    else if (is('help', 1)) {
      await context.out.put(USAGE);
      return 255;
    } else if (
      is('resolve', 1) ||
      is('human-readable', 1) ||
      is('iec', 1) ||
      is('timestamp', 1) ||
      is('Numeric', 1) ||
      is('all', 1)
    )
      continue;
    else throw new IpError(`Option "${option}" is unknown, try "ip -help".`, 255);
  }
  const object = args.shift();
  if (object === undefined || object === 'help') {
    await context.proc.stderr.write(USAGE);
    return 255;
  }
  const found = OBJECTS.find(([name]) => name.startsWith(object));
  if (found === undefined) throw new IpError(`Object "${object}" is unknown, try "ip help".`);
  return found[1](context, args);
}

async function ipNetns(context: IpContext, args: string[]): Promise<number> {
  const { proc, out } = context;
  const [verb = 'list', name] = args;
  const names = proc.fs.exists('/run/netns') ? proc.fs.readdir('/run/netns').map((entry) => entry.name) : [];
  if ('list'.startsWith(verb) || 'show'.startsWith(verb)) {
    for (const one of names) await out.line(one);
    return 0;
  }
  if (verb === 'exec' && name !== undefined && !names.includes(name))
    throw new IpError(`Cannot open network namespace "${name}": No such file or directory`, 255);
  throw new IpError(`drydock: ip netns ${verb} isn't simulated`);
}

async function ipTunnel(context: IpContext, args: string[]): Promise<number> {
  const [verb = 'show'] = args;
  if (!'show'.startsWith(verb) && !'list'.startsWith(verb))
    throw new IpError(`drydock: ip tunnel ${verb} isn't simulated, use ip link add type ipip`);
  for (const link of context.proc.net.links.list()) {
    const { details } = link;
    if (details.kind !== 'ipip') continue;
    const any = (address: string): string => (address === '0.0.0.0' ? 'any' : address);
    await context.out.line(
      `${link.name}: ${details.local === '0.0.0.0' && details.remote === '0.0.0.0' ? 'any/ip' : 'ip/ip'} remote ${any(details.remote)} local ${any(details.local)} ttl ${details.ttl === 0 ? 'inherit nopmtudisc' : details.ttl}`,
    );
  }
  return 0;
}

/** The groups that a device listens to for its own addresses (RFC 1112, RFC 4291: all nodes, and the solicited-node group of each). */
async function ipMaddress(context: IpContext, args: string[]): Promise<number> {
  const wanted = args.filter((arg) => !['show', 'list', 'dev'].includes(arg))[0];
  for (const link of context.proc.net.links.list()) {
    if (wanted !== undefined && link.name !== wanted) continue;
    const own = context.proc.net.addresses.list(link).filter(({ family }) => family === 6);
    const solicited = [...new Set(own.map(({ address }) => lastThreeBytes(address)))];
    const hasSix = own.length > 0;
    const lines = [
      ...(link.flags.includes('MULTICAST')
        ? [
            ...(hasSix ? ['link  33:33:00:00:00:01'] : []),
            'link  01:00:5e:00:00:01',
            ...solicited.map((bytes) => `link  33:33:ff:${bytes.join(':')}`),
          ]
        : []),
      'inet  224.0.0.1',
      ...solicited.map(([a, b, c]) => `inet6 ff02::1:ff${a}:${(b! + c!).replace(/^0+(?=.)/, '')}`),
      ...(hasSix ? ['inet6 ff02::1', 'inet6 ff01::1'] : []),
    ];
    await context.out.line([`${link.index}:\t${link.name}`, ...lines.map((line) => `\t${line}`)].join('\n'));
  }
  return 0;
}

/** Of an IPv6 address, as pairs of hexadecimal digits. */
function lastThreeBytes(address: string): string[] {
  const groups = address
    .split(':')
    .slice(-2)
    .map((group) => group.padStart(4, '0'));
  return /.{2}(..)(..)(..)/.exec(groups.join(''))!.slice(1);
}
