// ps(1), in its BSD and UNIX forms.
import type { Process, ProcessInfo, Program } from '../../kernel/index.ts';
import { groupName, userName } from '../frame/accounts.ts';
import { cpuTime } from '../frame/format.ts';
import { Output } from '../frame/output.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { dialectOf } from '../frame/command.ts';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly right: boolean;
  readonly value: (info: ProcessInfo, view: View) => string;
}

interface View {
  readonly proc: Process;
  readonly nowMs: number;
  readonly bsd: boolean;
}

function commandLine(info: ProcessInfo): string {
  if (info.state === 'Z') return `[${info.command}] <defunct>`;
  return info.argv.length === 0 ? `[${info.command}]` : info.argv.join(' ');
}

function terminal(info: ProcessInfo): string {
  return info.tty?.replace('/dev/', '') ?? '?';
}

function percentCpu(info: ProcessInfo, view: View): number {
  const age = view.nowMs - info.startMs;
  return age <= 0 ? 0 : Math.min(99.9, (100 * info.cpuMs) / age);
}

function percentMemory(info: ProcessInfo, view: View): string {
  return ((100 * info.memoryBytes) / view.proc.kernel.memoryBytes).toFixed(1);
}

function start(info: ProcessInfo, view: View): string {
  const zone = zoneOf(view.proc);
  const day = 86_400_000;
  const today =
    Math.floor((view.nowMs + zone.offset * 1000) / day) ===
    Math.floor((info.startMs + zone.offset * 1000) / day);
  return strftime(today ? '%H:%M' : '%b%d', info.startMs, zone);
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${two(hours)}:${clock}` : hours > 0 ? `${two(hours)}:${clock}` : clock;
}

function status(info: ProcessInfo): string {
  const leader = info.session === info.pid ? 's' : '';
  const foreground =
    info.tty !== undefined && info.state !== 'Z' && info.processGroup === foregrounds.get(info) ? '+' : '';
  return `${info.state}${leader}${foreground}`;
}

/** The foreground group of each row's terminal, gathered when the rows are listed. */
const foregrounds = new WeakMap<ProcessInfo, number>();

function shortUser(name: string, width: number): string {
  return name.length > width ? `${name.slice(0, width - 1)}+` : name;
}

const COLUMNS: Readonly<Record<string, Column>> = {
  pid: { title: 'PID', width: 7, right: true, value: (p) => String(p.pid) },
  ppid: { title: 'PPID', width: 7, right: true, value: (p) => String(p.parentPid) },
  pgid: { title: 'PGID', width: 7, right: true, value: (p) => String(p.processGroup) },
  sid: { title: 'SID', width: 7, right: true, value: (p) => String(p.session) },
  user: {
    title: 'USER',
    width: 8,
    right: false,
    value: (p, v) => shortUser(userName(v.proc, p.credentials.uid), 8),
  },
  uid: { title: 'UID', width: 5, right: true, value: (p) => String(p.credentials.uid) },
  uidname: {
    title: 'UID',
    width: 8,
    right: false,
    value: (p, v) => shortUser(userName(v.proc, p.credentials.uid), 8),
  },
  gid: { title: 'GID', width: 5, right: true, value: (p) => String(p.credentials.gid) },
  group: {
    title: 'GROUP',
    width: 8,
    right: false,
    value: (p, v) => shortUser(groupName(v.proc, p.credentials.gid), 8),
  },
  pcpu: { title: '%CPU', width: 4, right: true, value: (p, v) => percentCpu(p, v).toFixed(1) },
  c: { title: 'C', width: 2, right: true, value: (p, v) => String(Math.floor(percentCpu(p, v))) },
  pmem: { title: '%MEM', width: 4, right: true, value: percentMemory },
  vsz: { title: 'VSZ', width: 6, right: true, value: (p) => String(Math.round((p.memoryBytes * 4) / 1024)) },
  rss: { title: 'RSS', width: 5, right: true, value: (p) => String(Math.round(p.memoryBytes / 1024)) },
  tty: { title: 'TTY', width: 8, right: false, value: terminal },
  tt: { title: 'TT', width: 8, right: false, value: terminal },
  stat: { title: 'STAT', width: 4, right: false, value: status },
  s: { title: 'S', width: 1, right: false, value: (p) => p.state },
  start: { title: 'START', width: 5, right: true, value: start },
  stime: { title: 'STIME', width: 5, right: true, value: start },
  lstart: {
    title: 'STARTED',
    width: 24,
    right: true,
    value: (p, v) => strftime('%a %b %e %H:%M:%S %Y', p.startMs, zoneOf(v.proc)),
  },
  etime: { title: 'ELAPSED', width: 11, right: true, value: (p, v) => elapsed(v.nowMs - p.startMs) },
  etimes: {
    title: 'ELAPSED',
    width: 7,
    right: true,
    value: (p, v) => String(Math.floor((v.nowMs - p.startMs) / 1000)),
  },
  time: { title: 'TIME', width: 8, right: true, value: (p) => cpuTime(p.cpuMs) },
  bsdtime: {
    title: 'TIME',
    width: 6,
    right: true,
    value: (p) =>
      `${Math.floor(p.cpuMs / 60_000)}:${String(Math.floor(p.cpuMs / 1000) % 60).padStart(2, '0')}`,
  },
  cmd: { title: 'CMD', width: 27, right: false, value: commandLine },
  args: { title: 'COMMAND', width: 27, right: false, value: commandLine },
  comm: {
    title: 'COMMAND',
    width: 15,
    right: false,
    value: (p) => (p.state === 'Z' ? `${p.command} <defunct>` : p.command),
  },
  ucmd: {
    title: 'CMD',
    width: 15,
    right: false,
    value: (p) => (p.state === 'Z' ? `${p.command} <defunct>` : p.command),
  },
  pri: { title: 'PRI', width: 3, right: true, value: () => '19' },
  ni: { title: 'NI', width: 3, right: true, value: () => '0' },
  nlwp: { title: 'NLWP', width: 4, right: true, value: () => '1' },
  f: { title: 'F', width: 1, right: true, value: (p) => (p.credentials.uid === 0 ? '4' : '0') },
  addr: { title: 'ADDR', width: 4, right: false, value: () => '-' },
  sz: { title: 'SZ', width: 5, right: true, value: (p) => String(Math.round(p.memoryBytes / 1024)) },
  wchan: { title: 'WCHAN', width: 6, right: false, value: () => '-' },
  cgroup: { title: 'CGROUP', width: 27, right: false, value: (p) => `0::${p.cgroup}` },
};

const ALIASES: Readonly<Record<string, string>> = {
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  command: 'args',
  ucomm: 'comm',
  cputime: 'time',
  euser: 'user',
  uname: 'user',
  ruser: 'user',
  euid: 'uid',
  ruid: 'uid',
  pgrp: 'pgid',
  sess: 'sid',
  session: 'sid',
  tname: 'tty',
  state: 's',
  bsdstart: 'start',
  start_time: 'stime',
  rssize: 'rss',
  rsz: 'rss',
  vsize: 'vsz',
  nice: 'ni',
  egroup: 'group',
  egid: 'gid',
  thcount: 'nlwp',
};

interface Request {
  columns: { column: Column; title: string }[] | undefined;
  layout: 'default' | 'full' | 'long' | 'user' | 'jobs' | 'bsd';
  selections: ((info: ProcessInfo) => boolean)[];
  everything: boolean;
  headers: boolean;
  forest: boolean;
  sort: string | undefined;
  bsd: boolean;
  wide: boolean;
}

class PsError extends Error {}

const USAGE = `
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).
`;

function parse(proc: Process, args: readonly string[]): Request {
  const request: Request = {
    columns: undefined,
    layout: 'default',
    selections: [],
    everything: false,
    headers: true,
    forest: false,
    sort: undefined,
    bsd: false,
    wide: false,
  };
  const own = proc.stdin.tty?.path ?? proc.tty?.path;
  const queue = [...args];
  const take = (rest: string, what: string): string => {
    const value = rest !== '' ? rest : queue.shift();
    if (value === undefined)
      throw new PsError(`${what} must follow -${what === 'list of process IDs' ? 'p' : 'o'}`);
    return value;
  };
  const addColumns = (text: string): void => {
    request.columns ??= [];
    const parts = text.split(/[, ]+/).filter((part) => part !== '');
    for (const [index, part] of parts.entries()) {
      const equals = part.indexOf('=');
      const key = equals < 0 ? part : part.slice(0, equals);
      const column = COLUMNS[ALIASES[key] ?? key];
      if (column === undefined) throw new PsError(`unknown user-defined format specifier "${key}"`);
      // A header takes all that follows it.
      const title = equals < 0 ? column.title : [part.slice(equals + 1), ...parts.slice(index + 1)].join(',');
      request.columns.push({
        column,
        title:
          equals < 0
            ? key === 'args' || key === 'command'
              ? 'COMMAND'
              : key === 'cmd'
                ? 'CMD'
                : column.title
            : part.endsWith('=') && index < parts.length - 1
              ? ''
              : title,
      });
    }
  };
  const byPids = (text: string): void => {
    const pids = text.split(/[, ]+/).map(Number);
    if (pids.some((pid) => !Number.isInteger(pid))) throw new PsError('process ID list syntax error');
    request.selections.push((info) => pids.includes(info.pid));
  };
  const byUsers = (text: string): void => {
    const users = text.split(/[, ]+/);
    request.selections.push(
      (info) =>
        users.includes(userName(proc, info.credentials.uid)) || users.includes(String(info.credentials.uid)),
    );
  };
  while (queue.length > 0) {
    const arg = queue.shift()!;
    if (arg.startsWith('--')) {
      const [name, value = ''] = arg.slice(2).split('=', 2);
      if (name === 'no-headers' || name === 'no-heading') request.headers = false;
      else if (name === 'headers') request.headers = true;
      else if (name === 'forest') request.forest = true;
      else if (name === 'sort') request.sort = take(value, 'sort');
      else if (name === 'pid') byPids(take(value, 'list of process IDs'));
      else if (name === 'ppid') {
        const pids = take(value, 'list of process IDs').split(',').map(Number);
        request.selections.push((info) => pids.includes(info.parentPid));
      } else if (name === 'user' || name === 'User') byUsers(take(value, 'user'));
      else if (name === 'format') addColumns(take(value, 'format specification'));
      else if (name !== 'cols' && name !== 'columns' && name !== 'width' && name !== 'rows')
        throw new PsError('unknown gnu long option');
      continue;
    }
    if (arg.startsWith('-')) {
      if (arg.startsWith('-aux')) {
        parseBsd(arg.slice(1));
        continue;
      }
      for (let i = 1; i < arg.length; i++) {
        const c = arg[i]!;
        const rest = arg.slice(i + 1);
        if (c === 'e' || c === 'A') request.everything = true;
        else if (c === 'f') request.layout = 'full';
        else if (c === 'F') request.layout = 'full';
        else if (c === 'l') request.layout = 'long';
        else if (c === 'j') request.layout = 'jobs';
        else if (c === 'a')
          request.selections.push((info) => info.tty !== undefined && info.session !== info.pid);
        else if (c === 'd') request.selections.push((info) => info.session !== info.pid);
        else if (c === 'H') request.forest = true;
        else if ('wLTMZycm'.includes(c)) request.wide ||= c === 'w';
        else if (c === 'o') return addColumnsAndGo(rest);
        else if (c === 'O') return addColumnsAndGo(`pid,${take(rest, 'format')},s,tty,time,cmd`);
        else if (c === 'p' || c === 'q') {
          byPids(take(rest, 'list of process IDs'));
          break;
        } else if (c === 'u' || c === 'U') {
          byUsers(take(rest, 'user'));
          break;
        } else if (c === 'C') {
          const names = take(rest, 'list of command names').split(',');
          request.selections.push((info) => names.includes(info.command));
          break;
        } else if (c === 't') {
          const tty = take(rest, 'tty').replace(/^\/dev\//, '');
          request.selections.push((info) => terminal(info) === tty);
          break;
        } else if (c === 's' || c === 'g') {
          const sessions = take(rest, 'session').split(',').map(Number);
          request.selections.push((info) => sessions.includes(info.session));
          break;
        } else throw new PsError(c === 'Z' ? 'unsupported SysV option' : `unsupported option (BSD syntax)`);
      }
      continue;
    }
    if (/^\d[\d,]*$/.test(arg)) byPids(arg);
    else parseBsd(arg);
  }
  return request;

  function addColumnsAndGo(rest: string): Request {
    addColumns(take(rest, 'format specification'));
    const more = parse(proc, queue);
    request.columns = [...request.columns!, ...(more.columns ?? [])];
    request.selections.push(...more.selections);
    request.everything ||= more.everything;
    request.headers &&= more.headers;
    request.sort ??= more.sort;
    request.forest ||= more.forest;
    request.bsd ||= more.bsd;
    return request;
  }

  function parseBsd(text: string): void {
    request.bsd = true;
    if (request.layout === 'default') request.layout = 'bsd';
    let all = false;
    let withoutTty = false;
    for (const c of text) {
      if (c === 'a') all = true;
      else if (c === 'x') withoutTty = true;
      else if (c === 'u') request.layout = 'user';
      else if (c === 'l') request.layout = 'long';
      else if (c === 'j') request.layout = 'jobs';
      else if (c === 'f') request.forest = true;
      else if (c === 'o') addColumns(take('', 'format specification'));
      else if (c === 'h') request.headers = false;
      else if (c === 'p') byPids(take('', 'list of process IDs'));
      else if (!'wecnSLmgrT'.includes(c)) throw new PsError('unsupported option (BSD syntax)');
    }
    if (all && withoutTty) request.everything = true;
    else if (all) request.selections.push((info) => info.tty !== undefined);
    else if (withoutTty) request.selections.push((info) => info.credentials.uid === proc.credentials.uid);
    else if (own !== undefined && request.selections.length === 0)
      request.selections.push((info) => info.tty === own);
  }
}

const LAYOUTS: Readonly<Record<Request['layout'], readonly string[]>> = {
  default: ['pid', 'tty', 'time', 'ucmd'],
  bsd: ['pid', 'tty', 'stat', 'bsdtime', 'args'],
  full: ['uidname', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd'],
  long: ['f', 's', 'uid', 'pid', 'ppid', 'c', 'pri', 'ni', 'addr', 'sz', 'wchan', 'tty', 'time', 'ucmd'],
  user: ['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tty', 'stat', 'start', 'bsdtime', 'args'],
  jobs: ['pid', 'pgid', 'sid', 'tty', 'time', 'ucmd'],
};

/** ps(1) */
export const ps: Program = async (proc) => {
  const out = new Output(proc, proc.stdout);
  if (dialectOf(proc) === 'busybox') return busyboxPs(proc, out);
  let request: Request;
  try {
    if (proc.argv[1] === '--version') {
      await proc.stdout.write('ps from procps-ng 4.0.2\n');
      return 0;
    }
    if (proc.argv[1] === '--help') {
      await proc.stdout.write(USAGE);
      return 0;
    }
    request = parse(proc, proc.argv.slice(1));
  } catch (error) {
    if (!(error instanceof PsError)) throw error;
    await proc.stderr.write(`error: ${error.message}\n${USAGE}`);
    return 1;
  }
  const rows = listed(proc, request);
  const columns =
    request.columns ??
    LAYOUTS[request.layout].map((name) => ({ column: COLUMNS[name]!, title: COLUMNS[name]!.title }));
  const view: View = { proc, nowMs: proc.clock.now(), bsd: request.bsd };
  const prefix = request.forest ? forest(rows) : new Map<number, string>();
  const limit = proc.stdout.tty !== undefined && !request.wide ? proc.stdout.tty.size.columns : Infinity;
  const show = (cells: readonly string[]): string => {
    let text = '';
    cells.forEach((cell, index) => {
      const { column, title } = columns[index]!;
      const width = Math.max(column.width, title.length);
      const last = index === cells.length - 1;
      text +=
        (index === 0 ? '' : ' ') + (column.right ? cell.padStart(width) : last ? cell : cell.padEnd(width));
    });
    return text.slice(0, limit);
  };
  if (request.headers && columns.some(({ title }) => title !== ''))
    await out.line(show(columns.map(({ title }) => title)).trimEnd());
  for (const row of rows) {
    await out.line(
      show(
        columns.map(
          ({ column }) =>
            ((column.title === 'COMMAND' || column.title === 'CMD') && prefix.has(row.pid)
              ? prefix.get(row.pid)!
              : '') + column.value(row, view),
        ),
      ),
    );
  }
  await out.flush();
  return rows.length === 0 ? 1 : 0;
};

function listed(proc: Process, request: Request): ProcessInfo[] {
  const all = proc.kernel.listProcesses(proc);
  for (const info of all) {
    const controlling = proc.kernel.process(info.pid)?.tty;
    if (controlling !== undefined) foregrounds.set(info, controlling.foreground);
  }
  const own = proc.stdin.tty?.path ?? proc.tty?.path;
  const selections =
    request.selections.length > 0 || request.everything
      ? request.selections
      : [(info: ProcessInfo): boolean => info.tty === own && info.credentials.uid === proc.credentials.uid];
  const rows = request.everything ? all : all.filter((info) => selections.some((selects) => selects(info)));
  if (request.sort !== undefined) sortRows(rows, request.sort, proc);
  return rows;
}

function sortRows(rows: ProcessInfo[], keys: string, proc: Process): void {
  const view: View = { proc, nowMs: proc.clock.now(), bsd: false };
  rows.sort((a, b) => {
    for (const key of keys.split(',')) {
      const name = key.replace(/^[-+]/, '');
      const column = COLUMNS[ALIASES[name] ?? name];
      if (column === undefined) continue;
      const [x, y] = [column.value(a, view), column.value(b, view)];
      const order =
        Number.isNaN(Number(x)) || Number.isNaN(Number(y))
          ? x < y
            ? -1
            : x > y
              ? 1
              : 0
          : Number(x) - Number(y);
      if (order !== 0) return key.startsWith('-') ? -order : order;
    }
    return 0;
  });
}

/** Reorders rows into a tree and gives each its drawing. */
function forest(rows: ProcessInfo[]): Map<number, string> {
  const prefixes = new Map<number, string>();
  const present = new Set(rows.map((row) => row.pid));
  const children = (pid: number): ProcessInfo[] =>
    rows.filter((row) => row.parentPid === pid && row.pid !== pid);
  const ordered: ProcessInfo[] = [];
  const visit = (row: ProcessInfo, lead: string, isLast: boolean, depth: number): void => {
    prefixes.set(row.pid, depth === 0 ? '' : `${lead} \\_ `);
    ordered.push(row);
    const below = children(row.pid);
    below.forEach((child, index) =>
      visit(
        child,
        depth === 0 ? '' : `${lead} ${isLast ? ' ' : '|'}  `,
        index === below.length - 1,
        depth + 1,
      ),
    );
  };
  for (const root of rows.filter((row) => !present.has(row.parentPid))) visit(root, '', true, 0);
  rows.splice(0, rows.length, ...ordered);
  return prefixes;
}

async function busyboxPs(proc: Process, out: Output): Promise<number> {
  await out.line('PID   USER     TIME  COMMAND');
  for (const info of proc.kernel.listProcesses(proc)) {
    const minutes = Math.floor(info.cpuMs / 60_000);
    const time = `${String(minutes).padStart(3)}:${String(Math.floor(info.cpuMs / 1000) % 60).padStart(2, '0')}`;
    await out.line(
      `${String(info.pid).padStart(5)} ${userName(proc, info.credentials.uid).slice(0, 8).padEnd(8)} ${time} ${info.state === 'Z' || info.argv.length === 0 ? `[${info.command}]` : info.argv.join(' ')}`,
    );
  }
  await out.flush();
  return 0;
}
