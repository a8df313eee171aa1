// netstat(8), route(8), ifconfig(8), arp(8): the older tools, on the same tables.
import {
  ErrnoError,
  maskOf,
  parseIpv4,
  formatIpv4,
  prefixLengthOf,
  type Link,
  type Route,
  type SocketInfo,
} from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { lookupService, reverseLookup } from '../../libc/index.ts';

const STATES: Readonly<Record<string, string>> = {
  LISTEN: 'LISTEN',
  ESTAB: 'ESTABLISHED',
  'SYN-SENT': 'SYN_SENT',
  'SYN-RECV': 'SYN_RECV',
  'FIN-WAIT-1': 'FIN_WAIT1',
  'FIN-WAIT-2': 'FIN_WAIT2',
  'TIME-WAIT': 'TIME_WAIT',
  'CLOSE-WAIT': 'CLOSE_WAIT',
  'LAST-ACK': 'LAST_ACK',
  CLOSING: 'CLOSING',
  UNCONN: '',
};

/** netstat(8) */
export const netstat: Program = command(
  {
    short: 'rIigsMvWnNeopclaFCZtuUSwx46',
    long: [
      'route>r',
      'interfaces>i',
      'groups>g',
      'statistics>s',
      'verbose>v',
      'wide>W',
      'numeric>n',
      'extend>e',
      'programs>p',
      'timers>o',
      'continuous>c',
      'listening>l',
      'all>a',
      'tcp>t',
      'udp>u',
      'raw>w',
      'unix>x',
      'inet>4',
      'inet6>6',
    ],
    usage: '[-vWeenNcCF] [<Af>] -r',
  },
  async (it) => {
    const { options, proc } = it;
    if (options.has('r')) return routeTable(it, options.has('n'), 'netstat');
    if (options.has('i')) return interfaces(it);
    if (options.has('s')) throw new Failure("drydock: netstat -s isn't simulated");
    const protocols = ['tcp', 'udp', 'raw'].filter((name) => options.has(name === 'raw' ? 'w' : name[0]!));
    const chosen = protocols.length > 0 ? protocols : ['tcp', 'udp', 'raw'];
    const listening = options.has('l');
    const all = options.has('a');
    const isServer = (socket: SocketInfo): boolean =>
      socket.state === 'LISTEN' || (socket.state === 'UNCONN' && socket.remote.port === 0);
    const rows = proc.net.sockets
      .list()
      .filter((socket) => chosen.includes(socket.protocol) && (all || isServer(socket) === listening))
      .toSorted((a, b) => chosen.indexOf(a.protocol) - chosen.indexOf(b.protocol));
    await it.out.line(
      `Active Internet connections (${all ? 'servers and established' : listening ? 'only servers' : 'w/o servers'})`,
    );
    const extended = options.has('e');
    await it.out.line(
      `Proto Recv-Q Send-Q Local Address           Foreign Address         State      ${extended ? ' User       Inode     ' : ''}${options.has('p') ? ` PID/Program name    ` : ''}${options.has('o') ? ' Timer' : ''}`,
    );
    for (const socket of rows) {
      const local = await endpointText(it, socket.local.address, socket.local.port);
      const remote = await endpointText(it, socket.remote.address, socket.remote.port);
      const owner = socket.owner;
      let text = `${socket.protocol.padEnd(5)} ${String(socket.state === 'LISTEN' ? 0 : socket.receiveQueueBytes).padStart(6)} ${String(socket.state === 'LISTEN' ? 0 : socket.sendQueueBytes).padStart(6)} ${local.padEnd(23)} ${remote.padEnd(23)} ${(socket.state === 'UNCONN' ? '' : (STATES[socket.state] ?? '')).padEnd(11)}`;
      if (extended)
        text += ` ${(options.has('n') ? String(owner?.uid ?? 0) : userName(proc, owner?.uid ?? 0)).padEnd(10)} ${String(socket.inode).padEnd(10)}`;
      if (options.has('p')) text += ` ${holderText(proc, owner).padEnd(20)}`;
      if (options.has('o'))
        text +=
          socket.timer === undefined
            ? ' off (0.00/0/0)'
            : ` ${socket.timer.name} (${(socket.timer.leftMs / 1000).toFixed(2)}/${socket.timer.retransmits}/0)`;
      await it.out.line(text);
    }
    return 0;
  },
);

/** `-` for a process that can't be seen. */
function holderText(proc: Process, owner: SocketInfo['owner']): string {
  const holder = owner === undefined ? undefined : proc.kernel.socketHolder(owner);
  return holder === undefined ? '-' : `${holder.pid}/${programName(holder.process.argv)}`;
}

function programName(argv: readonly string[]): string {
  const first = argv[0] ?? '';
  const name =
    first.startsWith('/') || !first.includes(' ') ? first.slice(first.lastIndexOf('/') + 1) : first;
  return `${name} ${first.endsWith(':') ? argv.slice(1).join(' ') : ''}`.trimEnd().slice(0, 15);
}

async function endpointText(it: Invocation, address: string, port: number): Promise<string> {
  const numeric = it.options.has('n');
  const host =
    numeric || address === '0.0.0.0' ? address : ((await reverseLookup(it.proc, address)) ?? address);
  const service = port === 0 ? '*' : numeric ? String(port) : (lookupService(port) ?? String(port));
  return `${host.slice(0, 23 - service.length - 1)}:${service}`;
}

function flagsOf(route: Route): string {
  return `${route.type === 'unreachable' || route.type === 'blackhole' || route.type === 'prohibit' ? '!' : 'U'}${route.gateway !== undefined ? 'G' : ''}${route.prefixLength === 32 ? 'H' : ''}`;
}

async function routeTable(it: Invocation, numeric: boolean, style: 'netstat' | 'route'): Promise<number> {
  const { proc } = it;
  await it.out.line('Kernel IP routing table');
  await it.out.line(
    style === 'netstat'
      ? 'Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface'
      : 'Destination     Gateway         Genmask         Flags Metric Ref    Use Iface',
  );
  const name = async (address: string): Promise<string> =>
    numeric ? address : ((await reverseLookup(proc, address)) ?? address);
  for (const route of proc.net.routes.list()) {
    const destination =
      route.prefixLength === 0 ? (numeric ? '0.0.0.0' : 'default') : await name(route.destination);
    const reject = flagsOf(route).startsWith('!');
    const gateway = reject
      ? '-'
      : route.gateway === undefined
        ? numeric
          ? '0.0.0.0'
          : '0.0.0.0'
        : await name(route.gateway);
    const mask = formatIpv4(maskOf(route.prefixLength));
    const head = `${destination.slice(0, 15).padEnd(15)} ${gateway.slice(0, 15).padEnd(15)} ${mask.padEnd(15)} ${flagsOf(route).padEnd(5)}`;
    const device = route.link?.name ?? '-';
    await it.out.line(
      style === 'netstat'
        ? `${head}     0 0          0 ${device}`
        : `${head} ${String(route.metric).padEnd(6)} ${reject ? '-' : '0'}        0 ${device}`,
    );
  }
  return 0;
}

async function interfaces(it: Invocation): Promise<number> {
  await it.out.put(
    'Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n',
  );
  for (const link of it.proc.net.links.list().toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!link.isUp && !it.options.has('a')) continue;
    const { stats } = link;
    await it.out.line(
      `${link.name.padEnd(14)} ${String(link.mtu).padStart(6)} ${String(stats.rxPackets).padStart(8)} ${String(stats.rxErrors).padStart(6)} ${String(stats.rxDropped).padStart(6)} ${'0'.padEnd(6)} ${String(stats.txPackets).padStart(8)} ${String(stats.txErrors).padStart(6)} ${String(stats.txDropped).padStart(6)} ${'0'.padStart(6)} ${shortFlags(link)}`,
    );
  }
  return 0;
}

function shortFlags(link: Link): string {
  return `${link.flags.includes('BROADCAST') ? 'B' : ''}${link.kind === 'loopback' ? 'L' : ''}${link.flags.includes('MULTICAST') ? 'M' : ''}${link.noArp || link.flags.includes('NOARP') ? 'O' : ''}${link.isUp && link.hasCarrier ? 'R' : ''}${link.isUp ? 'U' : ''}`;
}

/** route(8): shows, adds and deletes. */
export const route: Program = command(
  {
    short: 'neveFCA:46',
    usage: '[-nNvee] [-FC] [<AF>]           List kernel routing tables',
    prepare: (args) => (['add', 'del', 'flush'].some((word) => args.includes(word)) ? ['--', ...args] : args),
  },
  async (it) => {
    const [verb, ...words] = it.operands.filter(
      (word) => word !== '-n' && word !== '-net' && word !== '-host',
    );
    if (verb === undefined) return routeTable(it, it.options.has('n'), 'route');
    const value = (key: string): string | undefined =>
      words.includes(key) ? words[words.indexOf(key) + 1] : undefined;
    const target = words[0] ?? '';
    const [address = '', length] = target.split('/');
    const mask = value('netmask');
    const destination = target === 'default' ? '0.0.0.0' : address;
    const number = parseIpv4(destination);
    if (number === undefined) throw new Failure(`${target}: Unknown host`, 6);
    const prefixLength =
      target === 'default'
        ? 0
        : mask !== undefined
          ? (prefixLengthOf(parseIpv4(mask) ?? 0) ?? 32)
          : length !== undefined
            ? Number(length)
            : it.operands.includes('-net')
              ? 24
              : 32;
    const device =
      value('dev') ??
      (words.length > 1 && it.proc.net.links.get(words.at(-1)!) !== undefined ? words.at(-1) : undefined);
    const gateway = value('gw');
    const link = device === undefined ? undefined : it.proc.net.links.get(device);
    const options = {
      destination,
      prefixLength,
      ...(gateway === undefined ? {} : { gateway }),
      ...(link === undefined ? {} : { link }),
      ...(value('metric') === undefined ? {} : { metric: Number(value('metric')) }),
    };
    try {
      if (!it.proc.can('NET_ADMIN')) throw new ErrnoError('EPERM');
      if (verb === 'add') it.proc.net.routes.add(options);
      else it.proc.net.routes.delete(options);
      return 0;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await it.proc.stderr.write(`SIOC${verb === 'add' ? 'ADD' : 'DEL'}RT: ${error.message}\n`);
      return 7;
    }
  },
);

/** ifconfig(8) */
export const ifconfig: Program = command(
  { short: 'avs', usage: '[-a] [-v] [-s] <interface> [[<AF>] <address>]' },
  async (it) => {
    const { proc } = it;
    const [name, ...words] = it.operands;
    if (name !== undefined && words.length > 0) return configure(it, name, words);
    const links =
      name === undefined
        ? proc.net.links.list().filter((link) => link.isUp || it.options.has('a'))
        : [proc.net.links.get(name)];
    for (const link of links.toSorted((a, b) => ((a?.name ?? '') < (b?.name ?? '') ? -1 : 1))) {
      if (link === undefined) {
        // net-tools leaves its own name out.
        await proc.stderr.write(`${name}: error fetching interface information: Device not found\n`);
        return 1;
      }
      await it.out.put(it.dialect === 'busybox' ? busyboxInterface(proc, link) : interfaceText(proc, link));
    }
    return 0;
  },
);

async function configure(it: Invocation, name: string, words: readonly string[]): Promise<number> {
  const { links, addresses } = it.proc.net;
  const link = links.get(name.replace(/:.*$/, ''));
  if (link === undefined) throw new Failure(`SIOCSIFADDR: No such device`);
  if (!it.proc.can('NET_ADMIN')) throw new Failure('SIOCSIFFLAGS: Operation not permitted', 255);
  const queue = [...words];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === 'up') links.setUp(link);
    else if (word === 'down') links.setDown(link);
    else if (word === 'mtu') links.setMtu(link, Number(queue.shift()));
    else if (parseIpv4(word.replace(/\/.*$/, '')) !== undefined) {
      const at = queue.indexOf('netmask');
      const mask = at < 0 ? undefined : queue.splice(at, 2)[1];
      const prefixLength =
        mask === undefined ? Number(word.split('/')[1] ?? 24) : (prefixLengthOf(parseIpv4(mask) ?? 0) ?? 24);
      addresses.add(link, {
        address: word.replace(/\/.*$/, ''),
        prefixLength,
        broadcast: '+',
        ...(name.includes(':') ? { label: name } : {}),
      });
      links.setUp(link);
    }
  }
  return 0;
}

function human(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < 3) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB'][unit] ?? units[unit]}`;
}

function flagNumber(link: Link): number {
  const bits: Readonly<Record<string, number>> = {
    UP: 1,
    BROADCAST: 2,
    LOOPBACK: 8,
    RUNNING: 0x40,
    NOARP: 0x80,
    MULTICAST: 0x1000,
  };
  return flagNames(link).reduce((sum, flag) => sum + (bits[flag] ?? 0), 0);
}

function flagNames(link: Link): string[] {
  return ['UP', 'BROADCAST', 'LOOPBACK', 'RUNNING', 'NOARP', 'MULTICAST'].filter((flag) =>
    flag === 'RUNNING' ? link.isUp && link.hasCarrier : link.flags.includes(flag),
  );
}

function interfaceText(proc: Process, link: Link): string {
  const { stats } = link;
  const lines = [`${link.name}: flags=${flagNumber(link)}<${flagNames(link).join(',')}>  mtu ${link.mtu}`];
  for (const one of proc.net.addresses.list(link)) {
    if (one.family === 4)
      lines.push(
        `        inet ${one.address}  netmask ${formatIpv4(maskOf(one.prefixLength))}${one.broadcast === undefined ? (link.kind === 'loopback' ? '' : '  broadcast 0.0.0.0') : `  broadcast ${one.broadcast}`}`,
      );
    else
      lines.push(
        `        inet6 ${one.address}  prefixlen ${one.prefixLength}  scopeid ${one.scope === 'link' ? '0x20<link>' : '0x10<host>'}`,
      );
  }
  lines.push(
    link.kind === 'loopback'
      ? `        loop  txqueuelen ${link.queueLength}  (Local Loopback)`
      : link.kind === 'ipip'
        ? `        tunnel   txqueuelen ${link.queueLength}  (IPIP Tunnel)`
        : `        ether ${link.mac}  txqueuelen ${link.queueLength}  (Ethernet)`,
  );
  lines.push(
    `        RX packets ${stats.rxPackets}  bytes ${stats.rxBytes} (${human(stats.rxBytes)})`,
    `        RX errors ${stats.rxErrors}  dropped ${stats.rxDropped}  overruns 0  frame 0`,
    `        TX packets ${stats.txPackets}  bytes ${stats.txBytes} (${human(stats.txBytes)})`,
    `        TX errors ${stats.txErrors}  dropped ${stats.txDropped} overruns 0  carrier ${stats.txCarrierErrors}  collisions 0`,
    '',
    '',
  );
  return lines.join('\n');
}

function busyboxInterface(proc: Process, link: Link): string {
  const { stats } = link;
  const lines = [
    `${link.name.padEnd(9)} Link encap:${link.kind === 'loopback' ? 'Local Loopback  ' : `Ethernet  HWaddr ${link.mac.toUpperCase()}  `}`,
  ];
  for (const one of proc.net.addresses.list(link))
    if (one.family === 4)
      lines.push(
        `          inet addr:${one.address}  ${link.kind === 'loopback' ? '' : `Bcast:${one.broadcast ?? '0.0.0.0'}  `}Mask:${formatIpv4(maskOf(one.prefixLength))}`,
      );
  lines.push(
    `          ${flagNames(link).join(' ')}  MTU:${link.mtu}  Metric:1`,
    `          RX packets:${stats.rxPackets} errors:${stats.rxErrors} dropped:${stats.rxDropped} overruns:0 frame:0`,
    `          TX packets:${stats.txPackets} errors:${stats.txErrors} dropped:${stats.txDropped} overruns:0 carrier:${stats.txCarrierErrors}`,
    `          collisions:0 txqueuelen:${link.queueLength} `,
    `          RX bytes:${stats.rxBytes} (${human(stats.rxBytes)})  TX bytes:${stats.txBytes} (${human(stats.txBytes)})`,
    '',
    '',
  );
  return lines.join('\n');
}

/** arp(8) */
export const arp: Program = command(
  {
    short: 'anei:d:s:DvH:',
    usage: '[-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache',
  },
  async (it) => {
    const { proc, options } = it;
    const device = options.value('i');
    const link = device === undefined ? undefined : proc.net.links.get(device);
    const remove = options.value('d');
    if (remove !== undefined) {
      const found = proc.net.neighbours.list(link).find((one) => one.address === remove);
      if (found === undefined) {
        await proc.stderr.write(`No ARP entry for ${remove}\n`);
        return 255;
      }
      proc.net.neighbours.delete(found.link, remove);
      return 0;
    }
    const add = options.value('s');
    if (add !== undefined) {
      const near = link ?? proc.net.routes.get({ destination: add }).link;
      proc.net.neighbours.set(near, add, it.operands[0] ?? '', 'PERMANENT');
      return 0;
    }
    const [wanted] = it.operands;
    const rows = proc.net.neighbours
      .list(link)
      .filter((one) => wanted === undefined || one.address === wanted);
    if (wanted !== undefined && rows.length === 0) {
      await it.out.line(`${wanted} (${wanted}) -- no entry`);
      return 0;
    }
    if (options.has('a')) {
      for (const one of rows) {
        const name = options.has('n') ? '?' : ((await reverseLookup(proc, one.address)) ?? '?');
        await it.out.line(
          `${name} (${one.address}) at ${one.mac ?? '<incomplete>'} ${one.mac === undefined ? '' : '[ether] '}${one.state === 'PERMANENT' ? 'PERM ' : ''}on ${one.link.name}`.replace(
            '<incomplete> ',
            '<incomplete>  ',
          ),
        );
      }
      return 0;
    }
    if (rows.length > 0)
      await it.out.line('Address                  HWtype  HWaddress           Flags Mask            Iface');
    for (const one of rows) {
      const name = options.has('n') ? one.address : ((await reverseLookup(proc, one.address)) ?? one.address);
      await it.out.line(
        one.mac === undefined || one.state === 'FAILED'
          ? `${name.slice(0, 23).padEnd(24)}        ${'(incomplete)'.padEnd(40)}${one.link.name}`
          : `${name.slice(0, 23).padEnd(24)} ether   ${one.mac.padEnd(19)} ${(one.state === 'PERMANENT' ? 'CM' : 'C').padEnd(21)} ${one.link.name}`,
      );
    }
    return 0;
  },
);
