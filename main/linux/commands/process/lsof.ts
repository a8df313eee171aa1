// lsof(8), fuser(1): who holds which file, port or directory.
import { ErrnoError } from '../../../network/index.ts';
import {
  parseSignal,
  type Process,
  type ProcessInfo,
  type Program,
  type Signal,
} from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { serviceName, servicePort } from '../../libc/index.ts';

interface Row {
  readonly info: ProcessInfo;
  /** `cwd`, `txt`, `3u`. */
  readonly fd: string;
  readonly type: string;
  readonly device: string;
  readonly size: string;
  readonly node: string;
  readonly name: string;
  /** Absent for what isn't a file. */
  readonly path?: string;
  readonly socket?: ReturnType<Process['net']['sockets']['list']>[number];
}

const TYPES: Readonly<Record<string, string>> = {
  file: 'REG',
  directory: 'DIR',
  'character-device': 'CHR',
  'block-device': 'BLK',
  fifo: 'FIFO',
  socket: 'unix',
  symlink: 'LINK',
};

/** All that a process has open, as far as the caller may look. */
function rowsOf(proc: Process, info: ProcessInfo, numeric: boolean): Row[] {
  const base = `/proc/${info.pid}`;
  const rows: Row[] = [];
  for (const [fd, link] of [
    ['cwd', 'cwd'],
    ['rtd', 'root'],
    ['txt', 'exe'],
  ] as const) {
    const row = fileRow(proc, info, fd, `${base}/${link}`);
    if (row !== undefined) rows.push(row);
  }
  for (const fd of descriptors(proc, base)) {
    const row = fileRow(proc, info, `${fd}u`, `${base}/fd/${fd}`);
    if (row !== undefined && !row.name.startsWith('socket:')) rows.push(row);
  }
  return [...rows, ...socketRows(proc, info, numeric)];
}

function descriptors(proc: Process, base: string): number[] {
  try {
    return proc.fs
      .readdir(`${base}/fd`)
      .map(({ name }) => Number(name))
      .sort((a, b) => a - b);
  } catch (error) {
    if (error instanceof ErrnoError) return [];
    throw error;
  }
}

function fileRow(proc: Process, info: ProcessInfo, fd: string, link: string): Row | undefined {
  try {
    const path = proc.fs.readlink(link);
    if (!path.startsWith('/'))
      return {
        info,
        fd,
        type: 'FIFO',
        device: '0,12',
        size: '0t0',
        node: /\d+/.exec(path)?.[0] ?? '',
        name: path.replace(/:.*/, ''),
      };
    const stat = proc.fs.stat(path);
    const device = stat.rdev ?? stat.device;
    const isDevice = stat.type.endsWith('device');
    return {
      info,
      fd,
      type: TYPES[stat.type] ?? 'unknown',
      device: `${device >> 8},${device & 255}`,
      size: isDevice || stat.type === 'fifo' ? '0t0' : String(stat.sizeBytes),
      node: String(stat.inode),
      name: path,
      path,
    };
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

function socketRows(proc: Process, info: ProcessInfo, numeric: boolean): Row[] {
  let fd = 3;
  return proc.net.sockets
    .list()
    .filter(({ owner }) => owner !== undefined && proc.kernel.socketHolder(owner)?.pid === info.pid)
    .filter(({ protocol }) => protocol === 'tcp' || protocol === 'udp')
    .map((socket) => {
      const six = socket.local.address.includes(':');
      const at = ({ address, port }: { address: string; port: number }): string => {
        const shown = address === '0.0.0.0' || address === '::' ? '*' : six ? `[${address}]` : address;
        return `${shown}:${port === 0 ? '*' : numeric ? port : (serviceName(port) ?? port)}`;
      };
      const peer = socket.remote.port === 0 ? '' : `->${at(socket.remote)}`;
      const state = socket.protocol === 'tcp' ? ` (${STATES[socket.state] ?? socket.state})` : '';
      return {
        info,
        fd: `${fd++}u`,
        type: six ? 'IPv6' : 'IPv4',
        device: String(socket.inode),
        size: '0t0',
        node: socket.protocol.toUpperCase(),
        name: `${at(socket.local)}${peer}${state}`,
        socket,
      };
    });
}

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
};

/** lsof(8): -i, -p, -u, -c, -t, -n, -P, -a, +D and files. */
export const lsof: Program = command(
  {
    short: 'i::p:u:c:d:tnPaUlbhvRs::FS::',
    usage: '[-?abhKlnNoOPRtUvVX] [+|-c c] [+|-d s] [+D D] [-i [i]] [-p s] [+|-u s] [--] [names]',
    hint: () => '',
    prepare: (args) =>
      args.flatMap((arg, index) => {
        // -i takes the next word where that is an address.
        if (args[index - 1] === '-i' && /^(?:[46]|tcp|udp|[46]?(?:tcp|udp)?[:@])/i.test(arg)) return [];
        const next = args[index + 1] ?? '';
        return arg === '-i' && /^(?:[46]|tcp|udp|[46]?(?:tcp|udp)?[:@])/i.test(next) ? [`-i${next}`] : [arg];
      }),
  },
  async (it) => {
    const { proc, options } = it;
    const processes = proc.kernel.listProcesses(proc);
    const numeric = options.has('P');
    const all = processes.flatMap((info) => rowsOf(proc, info, numeric));
    const tests: ((row: Row) => boolean)[] = [];
    if (options.has('i')) tests.push(addressTest(options.value('i') ?? ''));
    if (options.has('p')) {
      const pids = options.value('p')!.split(',');
      tests.push(({ info }) => pids.includes(String(info.pid)));
    }
    if (options.has('u')) {
      const users = options.value('u')!.split(',');
      tests.push(
        ({ info }) =>
          users.includes(userName(proc, info.credentials.uid)) ||
          users.includes(String(info.credentials.uid)),
      );
    }
    if (options.has('c')) tests.push(({ info }) => info.command.startsWith(options.value('c')!));
    const names = it.operands.filter((name) => !name.startsWith('+'));
    const below = it.operands.some((name) => name.startsWith('+'));
    if (names.length > 0) tests.push(await nameTest(it, names, below));
    const fits = options.has('a') ? tests.every.bind(tests) : tests.some.bind(tests);
    const rows =
      tests.length === 0 ? all : all.filter((row) => fits((one: (row: Row) => boolean) => one(row)));
    if (rows.length === 0) return 1;
    if (options.has('t')) {
      for (const pid of new Set(rows.map(({ info }) => info.pid))) await it.out.line(String(pid));
      return it.exitCode;
    }
    await it.out.put(tableOf(proc, rows));
    return it.exitCode;
  },
);

function addressTest(text: string): (row: Row) => boolean {
  const match = /^([46])?(tcp|udp)?(?:@([^:]*))?(?::(.+))?$/i.exec(text);
  if (match === null) throw new Failure(`unacceptable port specification in: -i ${text}`);
  const [, family, protocol, host, ports] = match;
  const wanted = ports?.split(',').flatMap((part) => {
    const [from, to] = part.split('-');
    const first = /^\d+$/.test(from!) ? Number(from) : (servicePort(from!) ?? Number.NaN);
    const last = to === undefined ? first : Number(to);
    return [{ first, last }];
  });
  return ({ socket, type }) => {
    if (socket === undefined) return false;
    if (family !== undefined && type !== `IPv${family}`) return false;
    if (protocol !== undefined && socket.protocol !== protocol.toLowerCase()) return false;
    if (host !== undefined && host !== '' && socket.local.address !== host && socket.remote.address !== host)
      return false;
    return (
      wanted === undefined ||
      wanted.some(({ first, last }) =>
        [socket.local.port, socket.remote.port].some((port) => port >= first && port <= last),
      )
    );
  };
}

async function nameTest(
  it: Invocation,
  names: readonly string[],
  below: boolean,
): Promise<(row: Row) => boolean> {
  const paths: string[] = [];
  for (const name of names) {
    const path = it.proc.fs.resolve(name);
    if (it.proc.fs.exists(path)) paths.push(it.proc.fs.realpath(path));
    else await it.warn(`status error on ${name}: No such file or directory`);
  }
  return (row) =>
    row.path !== undefined &&
    paths.some((path) => row.path === path || (below && row.path!.startsWith(`${path}/`)));
}

function tableOf(proc: Process, rows: readonly Row[]): string {
  const cells = rows.map(({ info, fd, type, device, size, node, name }) => [
    info.command.slice(0, 9),
    String(info.pid),
    userName(proc, info.credentials.uid),
    fd,
    type,
    device,
    size,
    node,
    name,
  ]);
  const head = ['COMMAND', 'PID', 'USER', 'FD', 'TYPE', 'DEVICE', 'SIZE/OFF', 'NODE', 'NAME'];
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map((row) => fdWidth(row[column]!, column))));
  const left = new Set([0, 8]);
  return all
    .map((row) => {
      const shown = row.map((text, column) => {
        if (column === 8) return text;
        if (column === 3) return fdCell(text, widths[3]!);
        return left.has(column) ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
      });
      return `${shown.join(' ')}\n`;
    })
    .join('');
}

/** FD cells leave room for a lock character behind them. */
function fdWidth(text: string, column: number): number {
  return column === 3 ? Math.max(4, /^\d/.test(text) ? text.length : text.length) : text.length;
}
function fdCell(text: string, width: number): string {
  return text === 'FD' ? 'FD'.padStart(width) + ' ' : `${text.padStart(width)} `;
}

/** fuser(1): pids of files, mounts and `PORT/tcp`. */
export const fuser: Program = command(
  {
    short: 'aikmMlsn:uvV46w',
    long: ['all>a', 'interactive>i', 'kill>k', 'mount>m', 'silent>s', 'namespace:>n', 'user>u', 'verbose>v'],
    usage: '[-fIMuvw] [-a|-s] [-4|-6] [-c|-m|-n SPACE] [-k [-i] [-SIGNAL]] NAME...',
    usageExit: 1,
    prepare: (args) => args.map((arg) => (/^-(?:SIG)?[A-Z]{2,}$|^-\d+$/.test(arg) ? `=${arg}` : arg)),
  },
  async (it) => {
    const { proc, options } = it;
    let signal: Signal = 'SIGKILL';
    const names: string[] = [];
    for (const operand of it.operands) {
      if (operand.startsWith('=-')) signal = parseSignal(operand.slice(2)) ?? signal;
      else names.push(operand);
    }
    if (names.length === 0) {
      await proc.stderr.write('No process specification given\n');
      return 1;
    }
    const space = options.value('n');
    let any = false;
    for (const given of names) {
      const name = space === 'tcp' || space === 'udp' ? `${given}/${space}` : given;
      const found = await holders(it, name);
      if (found.length === 0) continue;
      any = true;
      if (options.has('s')) continue;
      const label = name.includes('/tcp') || name.includes('/udp') ? name : proc.fs.resolve(name);
      await (options.has('v') ? verbose(it, label, found) : brief(it, label, found));
      if (options.has('k'))
        for (const { info } of found) if (info.pid !== proc.pid) proc.kill(info.pid, signal);
    }
    return any ? 0 : 1;
  },
);

interface Holder {
  readonly info: ProcessInfo;
  /** `c` current directory, `e` executable, `f` open file, `r` root. */
  readonly access: string;
}

async function holders(it: Invocation, name: string): Promise<Holder[]> {
  const { proc, options } = it;
  const port = /^(.+)\/(tcp|udp)$/.exec(name);
  const processes = proc.kernel.listProcesses(proc);
  const number = port === null ? undefined : (servicePort(port[1]!) ?? Number(port[1]));
  if (number === undefined && !proc.fs.exists(name)) {
    await proc.stderr.write(`Specified filename ${name} does not exist.\n`);
    return [];
  }
  const path = number === undefined ? proc.fs.realpath(name) : '';
  return processes.flatMap((info) => {
    const rows = rowsOf(proc, info, true).filter((row) =>
      number === undefined
        ? row.path === path ||
          (options.has('m') && row.path?.startsWith(path === '/' ? '/' : `${path}/`) === true)
        : row.socket?.protocol === port![2] && row.socket?.local.port === number,
    );
    if (rows.length === 0) return [];
    const access = (['cwd', 'rtd', 'txt'] as const).map((fd) =>
      rows.some((row) => row.fd === fd) ? { cwd: 'c', rtd: 'r', txt: 'e' }[fd] : '',
    );
    const open = rows.some((row) => /^\d/.test(row.fd)) ? (number === undefined ? 'F' : 'F') : '';
    return [{ info, access: [...access, open].join('') }];
  });
}

async function brief(it: Invocation, label: string, found: readonly Holder[]): Promise<void> {
  await it.proc.stderr.write(`${label}:${' '.repeat(Math.max(0, 20 - label.length))}`);
  for (const { info, access } of found) {
    await it.proc.stdout.write(` ${String(info.pid).padStart(5)}`);
    await it.proc.stderr.write(access.replace('F', '').replace('r', 'r'));
  }
  await it.proc.stderr.write('\n');
}

async function verbose(it: Invocation, label: string, found: readonly Holder[]): Promise<void> {
  await it.proc.stderr.write(`${' '.repeat(21)}USER        PID ACCESS COMMAND\n`);
  for (const [index, { info, access }] of found.entries()) {
    const flags = ['F', 'r', 'c', 'e'].map((flag) => (access.includes(flag) ? flag : '.')).join('');
    await it.proc.stderr.write(
      `${(index === 0 ? `${label}:` : '').padEnd(21)}${userName(it.proc, info.credentials.uid).padEnd(9)}`,
    );
    await it.proc.stdout.write(` ${String(info.pid).padStart(6)}`);
    await it.proc.stderr.write(` ${flags.padEnd(5)} ${info.command}\n`);
  }
}
