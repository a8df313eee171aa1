// top(1): what processes do, on a screen that refreshes or in batches.
import { ErrnoError } from '../../../network/index.ts';
import {
  parseSignal,
  type Process,
  type ProcessInfo,
  type Program,
  type TtyModes,
} from '../../kernel/index.ts';
import { userName } from '../frame/accounts.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { signalNumber } from '../frame/child.ts';
import { memoryOf, uptimeLine } from './memory.ts';

const USAGE = '-hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pids -o field -w [cols]';
const DELAY_DEFAULT_S = 3;
/** Columns of a batch unless -w says otherwise. */
const BATCH_COLUMNS = 512;
const PIDS_MAX = 20;

/** What a row is made of. */
interface Row {
  readonly info: ProcessInfo;
  readonly percent: number;
}

/** One column: its heading, and what it shows. */
interface Field {
  readonly name: string;
  /** Negative: flush left. */
  readonly width: number;
  readonly value: (row: Row, view: View) => string;
  readonly order: (row: Row) => number | string;
}

/** Settings that keys change. */
interface View {
  readonly proc: Process;
  sort: string;
  ascending: boolean;
  full: boolean;
  perCpu: boolean;
  idle: boolean;
  threads: boolean;
  user: string | undefined;
  readonly pids: readonly number[] | undefined;
  tasksMax: number;
  delayMs: number;
  load: boolean;
  tasks: boolean;
  memory: boolean;
  skip: number;
  /** MiB, GiB … in the summary: 1 is KiB. */
  unit: number;
}

const kib = (bytes: number): number => Math.round(bytes / 1024);

/** KiB with fewer digits and a unit where they don't fit. */
function scaled(value: number, width: number): string {
  if (String(value).length <= width) return String(value);
  for (const [size, unit] of [
    [1024, 'm'],
    [1024 ** 2, 'g'],
    [1024 ** 3, 't'],
  ] as const) {
    for (const digits of [1, 0]) {
      const text = (value / size).toFixed(digits) + unit;
      if (text.length <= width) return text;
    }
  }
  return '?';
}

function cpuTime(ms: number): string {
  const centis = Math.floor(ms / 10);
  const minutes = Math.floor(centis / 6000);
  const rest = `${String(Math.floor(centis / 100) % 60).padStart(2, '0')}.${String(centis % 100).padStart(2, '0')}`;
  return `${minutes}:${rest}`;
}

const FIELDS: readonly Field[] = [
  { name: 'PID', width: 7, value: ({ info }) => String(info.pid), order: ({ info }) => info.pid },
  {
    name: 'USER',
    width: -8,
    value: ({ info }, { proc }) => shortName(userName(proc, info.credentials.uid)),
    order: ({ info }) => info.credentials.uid,
  },
  { name: 'PR', width: 3, value: () => '20', order: () => 20 },
  { name: 'NI', width: 3, value: () => '0', order: () => 0 },
  {
    name: 'VIRT',
    width: 7,
    value: ({ info }) => scaled(kib(info.memoryBytes) * 4, 7),
    order: ({ info }) => info.memoryBytes,
  },
  {
    name: 'RES',
    width: 6,
    value: ({ info }) => scaled(kib(info.memoryBytes), 6),
    order: ({ info }) => info.memoryBytes,
  },
  {
    name: 'SHR',
    width: 6,
    value: ({ info }) => scaled(Math.round(kib(info.memoryBytes) / 2), 6),
    order: ({ info }) => info.memoryBytes,
  },
  { name: 'S', width: 1, value: ({ info }) => info.state, order: ({ info }) => info.state },
  {
    name: '%CPU',
    width: 5,
    value: ({ percent }) => (percent >= 999.5 ? percent.toFixed(0) : percent.toFixed(1)),
    order: ({ percent }) => percent,
  },
  {
    name: '%MEM',
    width: 5,
    value: ({ info }, { proc }) => ((100 * info.memoryBytes) / proc.kernel.memoryBytes).toFixed(1),
    order: ({ info }) => info.memoryBytes,
  },
  { name: 'TIME+', width: 9, value: ({ info }) => cpuTime(info.cpuMs), order: ({ info }) => info.cpuMs },
  {
    name: 'COMMAND',
    width: 0,
    value: ({ info }, { full }) => (full && info.argv.length > 0 ? info.argv.join(' ') : info.command),
    order: ({ info }) => info.command,
  },
];
const HEADING = FIELDS.map(({ name, width }) => cell(name, width)).join(' ');

function shortName(name: string): string {
  return name.length > 8 ? `${name.slice(0, 7)}+` : name;
}

function cell(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}

/** top(1) */
export const top: Program = command(
  {
    short: 'bcd:n:p:u:U:o:iHsSw::E:e:1Ohv',
    usage: USAGE,
    prepare: (args) =>
      args.flatMap((arg, i) => {
        if (/^-b(?:n\d*|d\d*)/.test(arg)) return ['-b', `-${arg.slice(2)}`];
        if (arg === '-w' && /^\d+$/.test(args[i + 1] ?? '')) return [`-w${args[i + 1]}`];
        return args[i - 1] === '-w' && /^\d+$/.test(arg) ? [] : [arg];
      }),
  },
  async (it) => {
    const { options, proc } = it;
    if (options.has('v')) return void (await it.out.line('  procps-ng 4.0.2'));
    if (options.has('h')) return void (await it.out.put(`  procps-ng 4.0.2\nUsage:\n  top ${USAGE}\n`));
    if (options.has('O')) return void (await it.out.put(FIELDS.map(({ name }) => `${name}\n`).join('')));
    const view = viewOf(it);
    const rounds = Number(options.value('n') ?? Infinity);
    if (!(rounds > 0)) throw new Failure(`bad iterations argument '${options.value('n')}'`);
    const batch = options.has('b');
    const { tty } = proc.stdout;
    if (batch) return runBatch(it, view, rounds);
    if (tty === undefined || proc.stdin.tty === undefined) throw new Failure('failed tty get');
    return new Screen(proc, view).run(rounds);
  },
);

function viewOf(it: Invocation): View {
  const { options, proc } = it;
  const delay = options.value('d');
  if (delay !== undefined && !(Number(delay) >= 0)) throw new Failure(`bad delay interval '${delay}'`);
  const pids = options.value('p')?.split(',');
  for (const pid of pids ?? []) if (!/^\d+$/.test(pid)) throw new Failure(`bad pid '${pid}'`);
  if (pids !== undefined && pids.length > PIDS_MAX) throw new Failure(`pid limit (${PIDS_MAX}) exceeded`);
  const user = options.value('u') ?? options.value('U');
  if (user !== undefined && !isUser(proc, user)) throw new Failure('Invalid user');
  const sort = options.value('o') ?? '%CPU';
  const field = sort.replace(/^[-+]/, '').toUpperCase();
  if (!FIELDS.some(({ name }) => name === field)) throw new Failure(`unrecognized field name '${sort}'`);
  return {
    proc,
    sort: field,
    ascending: sort.startsWith('-'),
    full: options.has('c'),
    perCpu: options.has('1'),
    idle: !options.has('i'),
    threads: options.has('H'),
    user,
    pids: pids?.map(Number).map((pid) => (pid === 0 ? proc.pid : pid)),
    tasksMax: 0,
    delayMs: Number(delay ?? DELAY_DEFAULT_S) * 1000,
    load: true,
    tasks: true,
    memory: true,
    skip: 0,
    unit: Math.max(0, 'kmgtpe'.indexOf(options.value('E') ?? 'm')),
  };
}

function isUser(proc: Process, name: string): boolean {
  if (/^\d+$/.test(name)) return true;
  try {
    return proc.fs
      .readText('/etc/passwd')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

/** CPU time since the last look, as shares. */
class Sampler {
  private previous = new Map<number, number>();
  private lastMs: number;

  constructor(bootMs: number) {
    this.lastMs = bootMs;
  }

  sample(view: View): {
    readonly rows: Row[];
    readonly busy: number;
    readonly infos: readonly ProcessInfo[];
  } {
    const { proc } = view;
    const now = proc.clock.now();
    const span = now - this.lastMs;
    const infos = proc.kernel.listProcesses(proc);
    const rows = infos.map((info) => ({
      info,
      percent:
        span > 0
          ? (100 *
              (info.cpuMs - (this.previous.get(info.pid) ?? (this.previous.size === 0 ? 0 : info.cpuMs)))) /
            span
          : 0,
    }));
    this.previous = new Map(infos.map((info) => [info.pid, info.cpuMs]));
    this.lastMs = now;
    return { rows, infos, busy: rows.reduce((sum, { percent }) => sum + percent, 0) };
  }
}

/** The rows that the view lets through, in its order. */
function chosen(rows: readonly Row[], view: View): Row[] {
  const { proc, user, pids } = view;
  const field = FIELDS.find(({ name }) => name === view.sort)!;
  const wanted = rows.filter(
    ({ info, percent }) =>
      (user === undefined ||
        userName(proc, info.credentials.uid) === user ||
        String(info.credentials.uid) === user) &&
      (pids === undefined || pids.includes(info.pid)) &&
      (view.idle || percent > 0 || info.state === 'R'),
  );
  const compare = (a: Row, b: Row): number => {
    const [x, y] = [field.order(a), field.order(b)];
    return typeof x === 'number' && typeof y === 'number'
      ? y - x
      : String(y) < String(x)
        ? -1
        : String(y) > String(x)
          ? 1
          : 0;
  };
  return wanted.toSorted((a, b) => (view.ascending ? -1 : 1) * compare(a, b) || a.info.pid - b.info.pid);
}

function rowText(row: Row, view: View, columns: number): string {
  const text = FIELDS.map(({ width, value }) => cell(value(row, view), width)).join(' ');
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}+` : text;
}

/** The lines above the heading. */
function summary(view: View, infos: readonly ProcessInfo[], busy: number): string[] {
  const { proc } = view;
  const lines: string[] = [];
  if (view.load) lines.push(`top -${uptimeLine(proc)}`);
  if (view.tasks) {
    const count = (...states: string[]): string =>
      String(infos.filter(({ state }) => states.includes(state)).length).padStart(3);
    const kind = view.threads ? 'Threads' : 'Tasks';
    lines.push(
      `${kind}: ${String(infos.length).padStart(3)} total, ${count('R')} running, ${count('S', 'D')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    );
    const cpus = view.perCpu ? proc.kernel.cpuCount : 1;
    for (let cpu = 0; cpu < cpus; cpu++) {
      // Work is spread: what one processor has, the others have too.
      const user = Math.min(100, busy / proc.kernel.cpuCount);
      const label = view.perCpu ? `%Cpu${String(cpu).padEnd(3)}:` : '%Cpu(s):';
      lines.push(
        `${label} ${user.toFixed(1).padStart(4)} us,  0.0 sy,  0.0 ni,${(100 - user).toFixed(1).padStart(5)} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st `,
      );
    }
  }
  if (view.memory) {
    const memory = memoryOf(proc);
    const unit = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'][view.unit]!;
    const shown = (bytes: number): string =>
      (bytes / 1024 ** (view.unit + 1)).toFixed(view.unit === 0 ? 0 : 1).padStart(8);
    lines.push(
      `${unit} Mem :${shown(memory.total)} total,${shown(memory.free)} free,${shown(memory.used)} used,${shown(memory.cache)} buff/cache     `,
      `${unit} Swap:${shown(0)} total,${shown(0)} free,${shown(0)} used.${shown(memory.available)} avail Mem `,
    );
  }
  return lines;
}

async function runBatch(it: Invocation, view: View, rounds: number): Promise<number> {
  const { proc, options } = it;
  const asked = options.value('w');
  const columns = Number(asked || proc.env.get('COLUMNS') || BATCH_COLUMNS) || BATCH_COLUMNS;
  const sampler = new Sampler(proc.kernel.bootMs);
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await proc.sleep(view.delayMs);
    const { rows, infos, busy } = sampler.sample(view);
    const shown = view.pids === undefined ? infos : infos.filter(({ pid }) => view.pids!.includes(pid));
    const lines = [
      ...summary(view, shown, busy),
      '',
      HEADING,
      ...chosen(rows, view).map((row) => rowText(row, view, columns)),
    ];
    await proc.stdout.write(`${round > 0 ? '\n' : ''}${lines.join('\n')}\n`);
  }
  return 0;
}

const HELP = [
  'Help for Interactive Commands - procps-ng 4.0.2',
  'Window 1:Def: Cumulative mode Off.  System: Delay 3.0 secs; Secure mode Off.',
  '',
  "  E,e,l,t,m  Summary: 'E' memory scale; 'l' load, 't' task/cpu, 'm' memory",
  '  1          Each processor on a line of its own',
  "  P,M,T,N    Sort by CPU, memory, time, pid; 'R' the other way; '<','>' next field",
  "  c,i,u      Command line; idle tasks; only one user's",
  '  n or #     Set maximum tasks displayed',
  '  k          Send a signal',
  '  d or s     Set update interval',
  "  Up,Down    Scroll; 'q' Quit",
  '',
  "Type 'q' or <Esc> to continue ",
];

/** top on a terminal. */
class Screen {
  private readonly proc: Process;
  private readonly view: View;
  private readonly sampler: Sampler;
  private pending = '';
  private reading: Promise<void> | undefined;
  private ended = false;
  private interrupted = false;
  private rows: Row[] = [];
  private messageRow = 5;

  constructor(proc: Process, view: View) {
    this.proc = proc;
    this.view = view;
    this.sampler = new Sampler(proc.kernel.bootMs);
  }

  async run(rounds: number): Promise<number> {
    const { proc } = this;
    const keyTty = proc.stdin.tty!;
    const saved: TtyModes = { ...keyTty.modes };
    keyTty.setModes({ canonical: false, echo: false });
    proc.onSignal('SIGINT', () => void (this.interrupted = true));
    proc.onSignal('SIGWINCH', () => undefined);
    await proc.stdout.write('\u001b[?1h\u001b=\u001b[?25l\u001b[H\u001b[2J');
    try {
      for (let round = 0; round < rounds; round++) {
        await this.draw();
        if (round + 1 >= rounds || this.interrupted) break;
        if (!(await this.keysUntilNext())) break;
      }
    } finally {
      keyTty.setModes(saved);
      const { rows } = proc.stdout.tty!.size;
      await proc.stdout.write(`\u001b[?1l\u001b>\u001b[${rows};1H\n\u001b[?12l\u001b[?25h\u001b[K`);
    }
    return 0;
  }

  /** Takes keys until the next refresh is due; false to leave. */
  private async keysUntilNext(): Promise<boolean> {
    const { proc } = this;
    const due = proc.clock.now() + this.view.delayMs;
    for (;;) {
      try {
        const left = due - proc.clock.now();
        if (left <= 0 && this.pending === '') return true;
        const key = await this.key(Math.max(0, left));
        if (this.interrupted || (this.ended && key === undefined)) return false;
        if (key === undefined) return true;
        const next = await this.press(key);
        if (next !== 'wait') return next === 'refresh';
      } catch (error) {
        if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
        return !this.interrupted; // The window has another size: drawn anew.
      }
    }
  }

  /** The next key; undefined when the time is over. */
  private async key(limitMs = Infinity): Promise<string | undefined> {
    const { proc } = this;
    if (this.pending === '' && !this.ended) {
      this.reading ??= this.read();
      this.reading.catch(() => undefined); // Whoever waits for it is told.
      await (limitMs === Infinity
        ? proc.interruptible(this.reading)
        : proc.interruptible(Promise.race([this.reading, proc.sleep(limitMs)])));
    }
    const key = /^(?:\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])?|[^])/u.exec(this.pending)?.[0];
    this.pending = this.pending.slice(key?.length ?? 0);
    return key;
  }

  private async read(): Promise<void> {
    try {
      const chunk = await this.proc.stdin.read(64);
      this.ended = chunk.length === 0;
      this.pending += Buffer.from(chunk).toString();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.ended = error.code !== 'EINTR';
    } finally {
      this.reading = undefined;
    }
  }

  private async draw(): Promise<void> {
    const { proc, view } = this;
    const { columns, rows: height } = proc.stdout.tty!.size;
    const { rows, infos, busy } = this.sampler.sample(view);
    const shown = view.pids === undefined ? infos : infos.filter(({ pid }) => view.pids!.includes(pid));
    this.rows = chosen(rows, view);
    const head = summary(view, shown, busy);
    this.messageRow = head.length;
    const room = Math.max(0, height - head.length - 2);
    view.skip = Math.max(0, Math.min(view.skip, this.rows.length - 1));
    const visible = this.rows.slice(
      view.skip,
      view.skip + (view.tasksMax > 0 ? Math.min(room, view.tasksMax) : room),
    );
    const lines = [
      ...head.map((line) => line.slice(0, columns)),
      '',
      `\u001b[7m${HEADING.slice(0, columns).padEnd(columns)}\u001b[0m`,
      ...visible.map((row) => {
        const text = rowText(row, view, columns);
        return row.info.state === 'R' ? `\u001b[1m${text}\u001b[0m` : text;
      }),
    ].slice(0, height);
    await proc.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  }

  // ── Keys ──

  private async press(key: string): Promise<'leave' | 'refresh' | 'wait'> {
    const { view } = this;
    const sortBy = (field: string): 'refresh' => {
      view.sort = field;
      view.ascending = false;
      return 'refresh';
    };
    switch (key) {
      case 'q':
      case '\u0003':
        return 'leave';
      case ' ':
      case '\r':
      case '\n':
        return 'refresh';
      case 'P':
        return sortBy('%CPU');
      case 'M':
        return sortBy('%MEM');
      case 'T':
        return sortBy('TIME+');
      case 'N':
        return sortBy('PID');
      case 'R':
        view.ascending = !view.ascending;
        return 'refresh';
      case '<':
      case '>': {
        const at = FIELDS.findIndex(({ name }) => name === view.sort) + (key === '<' ? -1 : 1);
        return sortBy(FIELDS[Math.max(0, Math.min(FIELDS.length - 1, at))]!.name);
      }
      case 'c':
        view.full = !view.full;
        return 'refresh';
      case '1':
        view.perCpu = !view.perCpu;
        return 'refresh';
      case 'i':
        view.idle = !view.idle;
        return 'refresh';
      case 'H':
        view.threads = !view.threads;
        return 'refresh';
      case 'l':
        view.load = !view.load;
        return 'refresh';
      case 't':
        view.tasks = !view.tasks;
        return 'refresh';
      case 'm':
        view.memory = !view.memory;
        return 'refresh';
      case 'E':
        view.unit = (view.unit + 1) % 6;
        return 'refresh';
      case '\u001b[A':
      case '\u001bOA':
        view.skip--;
        return 'refresh';
      case '\u001b[B':
      case '\u001bOB':
        view.skip++;
        return 'refresh';
      case '\u001b[5~':
        view.skip -= 10;
        return 'refresh';
      case '\u001b[6~':
        view.skip += 10;
        return 'refresh';
      case '\u001b[H':
      case '\u001bOH':
        view.skip = 0;
        return 'refresh';
      case '=':
        view.idle = true;
        view.user = undefined;
        view.tasksMax = 0;
        return 'refresh';
      default:
        return this.ask(key);
    }
  }

  /** Keys that ask for more. */
  private async ask(key: string): Promise<'leave' | 'refresh' | 'wait'> {
    const { view } = this;
    switch (key) {
      case 'k':
        return this.kill();
      case 'r':
        await this.say(" drydock: priorities aren't simulated ");
        return 'wait';
      case 'u':
      case 'U': {
        const user = await this.question('Which user (blank for all) ');
        if (user === undefined) return 'refresh';
        if (user !== '' && !isUser(this.proc, user)) await this.complain(' Invalid user ');
        else view.user = user === '' ? undefined : user;
        return 'refresh';
      }
      case 'd':
      case 's': {
        const text = await this.question(`Change delay from ${(view.delayMs / 1000).toFixed(1)} to `);
        if (text === undefined || text === '') return 'refresh';
        if (Number(text) >= 0) view.delayMs = Math.max(10, Number(text) * 1000);
        else await this.complain(' Unacceptable floating point ');
        return 'refresh';
      }
      case 'n':
      case '#': {
        const text = await this.question(`Maximum tasks = ${view.tasksMax}, change to (0 is unlimited) `);
        if (text !== undefined && /^\d+$/.test(text)) view.tasksMax = Number(text);
        else if (text !== undefined && text !== '') await this.complain(' Unacceptable integer ');
        return 'refresh';
      }
      case 'h':
      case '?': {
        await this.proc.stdout.write(`\u001b[H${HELP.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
        for (let typed = await this.key(); typed !== 'q' && typed !== '\u001b' && typed !== undefined;)
          typed = await this.key();
        return 'refresh';
      }
      default:
        await this.say(" Unknown command - try 'h' for help ");
        return 'wait';
    }
  }

  private async kill(): Promise<'refresh'> {
    const first = this.rows[this.view.skip]?.info.pid ?? 0;
    const typed = await this.question(`PID to signal/kill [default pid = ${first}] `);
    if (typed === undefined) return 'refresh';
    const pid = typed === '' ? first : Number(typed);
    if (!Number.isInteger(pid)) {
      await this.complain(' Unacceptable integer ');
      return 'refresh';
    }
    const name = await this.question(`Send pid ${pid} signal [15/sigterm] `);
    if (name === undefined) return 'refresh';
    const signal = parseSignal(name === '' ? 'TERM' : name.toUpperCase());
    try {
      if (signal === undefined) await this.complain(' Invalid signal ');
      else this.proc.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.complain(
        ` Failed signal pid '${pid}' with '${signal === undefined ? 0 : signalNumber(signal)}': ${error.message} `,
      );
    }
    return 'refresh';
  }

  /** Says something above the heading. */
  private async say(text: string): Promise<void> {
    await this.proc.stdout.write(`\u001b[${this.messageRow + 1};1H\u001b[7m${text}\u001b[0m\u001b[K`);
  }

  private async complain(text: string): Promise<void> {
    await this.say(text);
    await this.proc.sleep(1000);
  }

  /** Reads a line there; undefined at Escape. */
  private async question(text: string): Promise<string | undefined> {
    let answer = '';
    for (;;) {
      await this.proc.stdout.write(
        `\u001b[${this.messageRow + 1};1H\u001b[1m${text}\u001b[0m ${answer}\u001b[K\u001b[?25h`,
      );
      const key = await this.key();
      if (key === undefined || key === '\u001b') break;
      if (key === '\r' || key === '\n') {
        await this.proc.stdout.write('\u001b[?25l');
        return answer.trim();
      }
      if (key === '\u007f' || key === '\b') answer = answer.slice(0, -1);
      else if (!key.startsWith('\u001b')) answer += key;
    }
    await this.proc.stdout.write('\u001b[?25l');
    return undefined;
  }
}
