// brctl(8) of bridge-utils.
import { ErrnoError, type Link } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';

const USAGE = `Usage: brctl [commands]
commands:
\taddbr     \t<bridge>\t\tadd bridge
\tdelbr     \t<bridge>\t\tdelete bridge
\taddif     \t<bridge> <device>\tadd interface to bridge
\tdelif     \t<bridge> <device>\tdelete interface from bridge
\thairpin   \t<bridge> <port> {on|off}\tturn hairpin on/off
\tsetageing \t<bridge> <time>\t\tset ageing time
\tsetbridgeprio\t<bridge> <prio>\t\tset bridge priority
\tsetfd     \t<bridge> <time>\t\tset bridge forward delay
\tsethello  \t<bridge> <time>\t\tset hello time
\tsetmaxage \t<bridge> <time>\t\tset max message age
\tsetpathcost\t<bridge> <port> <cost>\tset path cost
\tsetportprio\t<bridge> <port> <prio>\tset port priority
\tshow      \t[ <bridge> ]\t\tshow a list of bridges
\tshowmacs  \t<bridge>\t\tshow a list of mac addrs
\tshowstp   \t<bridge>\t\tshow bridge stp info
\tstp       \t<bridge> {on|off}\tturn stp on/off
`;

/** Least arguments of each command that is there. */
const COMMANDS: Readonly<Record<string, number>> = {
  addbr: 1,
  delbr: 1,
  addif: 2,
  delif: 2,
  hairpin: 3,
  setageing: 2,
  setbridgeprio: 2,
  setfd: 2,
  sethello: 2,
  setmaxage: 2,
  setpathcost: 3,
  setportprio: 3,
  show: 0,
  showmacs: 1,
  showstp: 1,
  stp: 2,
};

class BrctlError extends Error {}

/** brctl(8) */
export const brctl: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  const [verb, ...args] = proc.argv.slice(1);
  if (verb === '-V' || verb === '--version') {
    await proc.stdout.write('bridge-utils, 1.7\n');
    return 0;
  }
  const least = verb === undefined ? undefined : COMMANDS[verb];
  if (verb === undefined || least === undefined) {
    await proc.stderr.write(
      `${verb === undefined || verb.startsWith('-') ? '' : `never heard of command [${verb}]\n`}${USAGE}`,
    );
    return verb === '-h' || verb === '--help' ? 0 : 1;
  }
  if (args.length < least) {
    await proc.stderr.write('Incorrect number of arguments for command\n');
    await proc.stderr.write(
      `Usage: brctl ${USAGE.split('\n')
        .find((line) => line.trim().startsWith(verb))!
        .trim()
        .replaceAll(/\s*\t+/g, ' ')}\n`,
    );
    return 1;
  }
  try {
    await run(proc, out, verb, args);
    await out.flush();
    return 0;
  } catch (error) {
    await out.flush();
    if (!(error instanceof BrctlError)) throw error;
    await proc.stderr.write(`${error.message}\n`);
    return 1;
  }
};

async function run(proc: Process, out: Output, verb: string, args: readonly string[]): Promise<void> {
  const [name = '', port = ''] = args;
  const { links } = proc.net;
  const found = links.get(name);
  const bridge = found?.kind === 'bridge' ? found : undefined;
  switch (verb) {
    case 'show':
      return show(proc, out, args);
    case 'showmacs':
      if (bridge === undefined) throw new BrctlError('read of forward table failed: No such device');
      return showMacs(proc, out, bridge);
    case 'showstp':
      if (bridge === undefined) throw new BrctlError(`${name}: can't get info No such device`);
      return showStp(out, bridge);
    case 'addbr':
      if (!proc.can('NET_ADMIN')) throw new BrctlError('add bridge failed: Operation not permitted');
      if (found !== undefined)
        throw new BrctlError(`device ${name} already exists; can't create bridge with the same name`);
      return attempt(`add bridge failed`, () => links.addBridge({ name }));
    case 'delbr':
      if (bridge === undefined) throw new BrctlError(`bridge ${name} doesn't exist; can't delete it`);
      if (bridge.isUp) throw new BrctlError(`bridge ${name} is still up; can't delete it`);
      return attempt(`can't delete bridge ${name}`, () => links.delete(bridge));
    case 'addif':
    case 'delif':
      for (const each of args.slice(1)) changePort(proc, verb, name, bridge, each);
      return undefined;
    case 'hairpin': {
      if (bridge === undefined || links.get(port)?.master !== bridge)
        throw new BrctlError(`can't set hairpin on ${port} on bridge ${name}: No such device`);
      links.setHairpin(links.require(port), ['on', 'yes', '1'].includes(args[2] ?? ''));
      return undefined;
    }
    case 'stp':
      if (bridge === undefined) throw new BrctlError(`set stp status failed: No such device`);
      if (['off', 'no', '0'].includes(port)) return undefined;
      throw new BrctlError("drydock: STP isn't simulated");
    default:
      throw new BrctlError(`drydock: brctl ${verb} isn't simulated`);
  }
}

function attempt(failure: string, change: () => unknown): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new BrctlError(`${failure}: ${error.message}`, { cause: error });
  }
}

function changePort(
  proc: Process,
  verb: string,
  name: string,
  bridge: Link | undefined,
  device: string,
): void {
  const { links } = proc.net;
  const link = links.get(device);
  if (link === undefined) throw new BrctlError(`interface ${device} does not exist!`);
  if (bridge === undefined) throw new BrctlError(`bridge ${name} does not exist!`);
  if (!proc.can('NET_ADMIN'))
    throw new BrctlError(
      `can't ${verb === 'addif' ? 'add' : 'delete'} ${device} ${verb === 'addif' ? 'to' : 'from'} ${name}: Operation not permitted`,
    );
  if (verb === 'delif') {
    if (link.master !== bridge) throw new BrctlError(`device ${device} is not a port of ${name}`);
    return links.setMaster(link, undefined);
  }
  if (link.master !== undefined)
    throw new BrctlError(
      `device ${device} is already a member of a bridge; can't enslave it to bridge ${name}.`,
    );
  attempt(`can't add ${device} to bridge ${name}`, () => links.setMaster(link, bridge));
}

function portsOf(bridge: Link): readonly Link[] {
  return bridge.details.kind === 'bridge' ? bridge.details.ports : [];
}

function byName(a: Link, b: Link): number {
  return a.name < b.name ? -1 : 1;
}

/** 8000 and the MAC; zeros while there is no port. */
function bridgeId(bridge: Link): string {
  return `8000.${portsOf(bridge).length === 0 ? '000000000000' : bridge.mac.replaceAll(':', '')}`;
}

async function show(proc: Process, out: Output, names: readonly string[]): Promise<void> {
  const { links } = proc.net;
  const bridges =
    names.length === 0
      ? links
          .list()
          .filter((link) => link.kind === 'bridge')
          .toSorted(byName)
      : names.map((name) => {
          const link = links.get(name);
          if (link === undefined) throw new BrctlError(`bridge ${name} does not exist!`);
          if (link.kind !== 'bridge') throw new BrctlError(`device ${name} is not a bridge!`);
          return link;
        });
  if (bridges.length === 0) return;
  await out.line('bridge name\tbridge id\t\tSTP enabled\tinterfaces');
  for (const bridge of bridges) {
    const ports = [...portsOf(bridge)].toSorted(byName).map((port) => port.name);
    await out.line(`${bridge.name}\t\t${bridgeId(bridge)}\tno\t\t${ports.join('\n\t\t\t\t\t\t\t')}`);
  }
}

/** brctl's timers: seconds with two digits, right-aligned in eight columns with the blank before. */
function timer(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(seconds).padStart(4)}.${String(Math.floor((ms % 1000) / 10)).padStart(2, '0')}`;
}

async function showMacs(proc: Process, out: Output, bridge: Link): Promise<void> {
  const ports = portsOf(bridge);
  const entries = proc.net.links.fdb
    .list(bridge)
    .filter((entry) => entry.master === bridge)
    // The kernel keeps a port's own address twice, for VLAN 1 and without.
    .flatMap((entry) => (entry.mac === entry.link.mac ? [entry, entry] : [entry]))
    .toSorted((a, b) => (a.mac < b.mac ? -1 : a.mac > b.mac ? 1 : 0));
  await out.line('port no\tmac addr\t\tis local?\tageing timer');
  for (const entry of entries)
    await out.line(
      `${String(ports.indexOf(entry.link) + 1).padStart(3)}\t${entry.mac}\t${entry.mac === entry.link.mac ? 'yes' : 'no'}\t\t${timer(entry.usedMs)}`,
    );
}

async function showStp(out: Output, bridge: Link): Promise<void> {
  const id = bridgeId(bridge);
  const ports = portsOf(bridge);
  await out.put(
    `${bridge.name}\n bridge id\t\t${id}\n designated root\t${id}\n root port\t\t   0\t\t\tpath cost\t\t   0\n max age\t\t  20.00\t\t\tbridge max age\t\t  20.00\n hello time\t\t   2.00\t\t\tbridge hello time\t   2.00\n forward delay\t\t  15.00\t\t\tbridge forward delay\t  15.00\n ageing time\t\t 300.00\n hello timer\t\t   0.00\t\t\ttcn timer\t\t   0.00\n topology change timer\t   0.00\t\t\tgc timer\t\t   0.00\n flags\t\t\t\n\n\n`,
  );
  for (const port of [...ports].toSorted(byName)) {
    const number = ports.indexOf(port) + 1;
    const portId = (0x8000 + number).toString(16);
    const state = port.isUp && port.hasCarrier ? 'forwarding' : 'disabled';
    await out.put(
      `${port.name} (${number})\n port id\t\t${portId}\t\t\tstate\t\t${state.padStart(15)}\n designated root\t${id}\tpath cost\t\t   2\n designated bridge\t${id}\tmessage age timer\t   0.00\n designated port\t${portId}\t\t\tforward delay timer\t   0.00\n designated cost\t   0\t\t\thold timer\t\t   0.00\n flags\t\t\t\n${port.isHairpin ? ' hairpin mode\t\t   1\n' : ''}\n`,
    );
  }
}
