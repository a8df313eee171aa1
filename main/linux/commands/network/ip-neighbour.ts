// ip neighbour: the ARP cache.
import { ErrnoError, parseIpv4, type Neighbour, type NeighbourState } from '../../../network/index.ts';
import { IpError, printJson, requireDevice, type IpContext } from './ip-context.ts';

/** ip neighbour */
export async function ipNeighbour(context: IpContext, args: string[]): Promise<number> {
  const verb = args[0] ?? 'show';
  const rest = args.slice(1);
  if (['show', 'list', 'lst'].some((word) => word.startsWith(verb))) return show(context, rest);
  if (['add', 'replace', 'change'].includes(verb)) {
    const { address, device, mac, nud } = parse(rest);
    if (address === undefined || device === undefined)
      throw new IpError('Device and destination are required arguments.');
    const link = requireDevice(context, device);
    root(context);
    if (verb === 'add' && context.proc.net.neighbours.get(link, address) !== undefined)
      throw new ErrnoError('EEXIST');
    context.proc.net.neighbours.set(
      link,
      address,
      mac ?? '00:00:00:00:00:00',
      (nud?.toUpperCase() ?? 'PERMANENT') as NeighbourState,
    );
    return 0;
  }
  if ('delete'.startsWith(verb)) {
    const { address, device } = parse(rest);
    if (address === undefined || device === undefined)
      throw new IpError('Device and destination are required arguments.');
    const link = requireDevice(context, device);
    root(context);
    context.proc.net.neighbours.delete(link, address);
    return 0;
  }
  if ('flush'.startsWith(verb)) {
    const { device, address } = parse(rest);
    if (rest.length === 0) throw new IpError('Flush requires arguments.');
    root(context);
    const link = device === undefined ? undefined : requireDevice(context, device);
    if (address !== undefined && link !== undefined) context.proc.net.neighbours.delete(link, address);
    else context.proc.net.neighbours.flush(link);
    return 0;
  }
  if (verb === 'help') {
    await context.proc.stderr.write(
      'Usage: ip neigh { add | del | change | replace }\n                { ADDR [ lladdr LLADDR ] [ nud STATE ] proxy ADDR }\n                [ dev DEV ] [ router ] [ use ] [ managed ] [ extern_learn ]\n                [ protocol PROTO ]\n\n\tip neigh { show | flush } [ proxy ] [ to PREFIX ] [ dev DEV ] [ nud STATE ]\n\t\t\t\t  [ vrf NAME ] [ nomaster ]\n\tip neigh get { ADDR | proxy ADDR } dev DEV\n\nSTATE := { delay | failed | incomplete | noarp | none |\n           permanent | probe | reachable | stale }\n',
    );
    return 255;
  }
  throw new IpError(`Command "${verb}" is unknown, try "ip neigh help".`, 255);
}

function root(context: IpContext): void {
  if (!context.proc.can('NET_ADMIN')) throw new ErrnoError('EPERM');
}

function parse(args: readonly string[]): {
  address: string | undefined;
  device: string | undefined;
  mac: string | undefined;
  nud: string | undefined;
} {
  const result: {
    address: string | undefined;
    device: string | undefined;
    mac: string | undefined;
    nud: string | undefined;
  } = { address: undefined, device: undefined, mac: undefined, nud: undefined };
  const queue = [...args];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'dev') result.device = queue.shift();
    else if (word === 'lladdr') result.mac = queue.shift();
    else if (word === 'nud') result.nud = queue.shift();
    else if (word === 'to') result.address = queue.shift();
    else if (word !== 'all') result.address = word;
  }
  if (result.address !== undefined && parseIpv4(result.address.replace(/\/\d+$/, '')) === undefined)
    throw new IpError(`Error: any valid prefix is expected rather than "${result.address}".`);
  return result;
}

async function show(context: IpContext, args: readonly string[]): Promise<number> {
  const { address, device, nud } = parse(args);
  const link = device === undefined ? undefined : requireDevice(context, device);
  const rows = context.proc.net.neighbours
    .list(link)
    .filter(
      (one) =>
        (nud === undefined ? one.state !== 'NOARP' : nud === 'all' || one.state === nud.toUpperCase()) &&
        (address === undefined || one.address === address),
    );
  if (context.json) {
    await printJson(
      context,
      rows.map((one) => ({
        dst: one.address,
        dev: one.link.name,
        ...(one.mac === undefined ? {} : { lladdr: one.mac }),
        state: [one.state],
      })),
    );
    return 0;
  }
  for (const row of rows) await context.out.line(line(context, row, device !== undefined));
  return 0;
}

function line(context: IpContext, row: Neighbour, withoutDevice: boolean): string {
  const seconds = (ms: number): number => Math.max(0, Math.floor((context.proc.clock.now() - ms) / 1000));
  const stats =
    context.statistics > 0
      ? ` used ${seconds(row.usedMs)}/${seconds(row.confirmedMs)}/${seconds(row.updatedMs)}probes ${row.probes}`
      : '';
  return `${row.address}${withoutDevice ? '' : ` dev ${row.link.name}`}${row.mac === undefined ? '' : ` lladdr ${row.mac}`}${context.statistics > 0 && row.mac === undefined ? ' ' : ''}${context.statistics > 0 && row.mac !== undefined ? '  ref 1' : ''}${stats} ${row.state} `;
}
