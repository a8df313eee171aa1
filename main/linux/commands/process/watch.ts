// watch(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program, Tty } from '../../kernel/index.ts';
import { capture, statusNumber } from '../frame/child.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { displayWidth } from '../frame/format.ts';
import { strftime, zoneOf } from '../frame/time.ts';

const INTERVAL_MIN_S = 0.1;
const TAB_COLUMNS = 8;
const ENTER = '\u001b[?1049h\u001b[22;0;0t\u001b[H\u001b[2J';
const LEAVE = '\u001b[?1049l\u001b[23;0;0t\r';
const FAILED = 'command exit with a non-zero status, press a key to exit';

const WATCH_USAGE = `
Usage:
 watch [options] command

Options:
  -b, --beep             beep if command has a non-zero exit
  -c, --color            interpret ANSI color and style sequences
  -d, --differences[=<permanent>]
                         highlight changes between updates
  -e, --errexit          exit if command has a non-zero exit
  -g, --chgexit          exit when output from command changes
  -q, --equexit <cycles>
                         exit when output from command does not change
  -n, --interval <secs>  seconds to wait between updates
  -p, --precise          attempt run command in precise intervals
  -t, --no-title         turn off header
  -w, --no-wrap          turn off line wrapping
  -x, --exec             pass command to exec instead of "sh -c"

 -h, --help     display this help and exit
 -v, --version  output version information and exit

For more details see watch(1).
`;

/** What one run of the command left on the screen: a character for each column, '' behind a wide one. */
type Cells = readonly (readonly string[])[];

/** watch(1): runs a command again and again, full screen. */
export const watch: Program = command(
  {
    short: 'bcd::egq:n:ptwxhv',
    long: [
      'beep>b',
      'color>c',
      'differences::>d',
      'errexit>e',
      'chgexit>g',
      'equexit:>q',
      'interval:>n',
      'precise>p',
      'no-title>t',
      'no-wrap>w',
      'exec>x',
    ],
    permute: false,
    help: WATCH_USAGE,
    hint: () => WATCH_USAGE,
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('h')) return void (await it.out.put(WATCH_USAGE));
    const asked = options.value('n') ?? proc.env.get('WATCH_INTERVAL') ?? '2';
    const seconds = Number(asked.replace(',', '.'));
    if (asked.trim() === '' || Number.isNaN(seconds))
      throw new Failure(`failed to parse argument: '${asked}': Invalid argument`);
    const cycles = options.value('q');
    if (cycles !== undefined && !/^\d+$/.test(cycles))
      throw new Failure(`failed to parse argument: '${cycles}': Invalid argument`);
    if (it.operands.length === 0) {
      await proc.stderr.write(WATCH_USAGE);
      return 1;
    }
    return new Watcher(it, Math.max(INTERVAL_MIN_S, seconds), Number(cycles ?? Infinity)).run();
  },
);

class Watcher {
  private readonly it: Invocation;
  private readonly proc: Process;
  private readonly seconds: number;
  private readonly equalMax: number;
  private readonly shown: string;
  private before: Cells | undefined;
  private lastOutput: string | undefined;
  private equal = 0;
  /** Cells that have ever changed, for -d=permanent. */
  private readonly changed = new Set<string>();
  private interrupted = false;
  private resized = false;

  constructor(it: Invocation, seconds: number, equalMax: number) {
    this.it = it;
    this.proc = it.proc;
    this.seconds = seconds;
    this.equalMax = equalMax;
    this.shown = it.operands.join(' ');
  }

  private get tty(): Tty | undefined {
    return this.proc.stdout.tty;
  }

  async run(): Promise<number> {
    const { proc } = this;
    proc.onSignal('SIGINT', () => void (this.interrupted = true));
    proc.onSignal('SIGWINCH', () => void (this.resized = true));
    await proc.stdout.write(ENTER);
    try {
      for (;;) {
        const started = proc.clock.now();
        const status = await this.round();
        if (status !== undefined) return status;
        const spent = this.it.options.has('p') ? proc.clock.now() - started : 0;
        await this.pause(Math.max(0, this.seconds * 1000 - spent));
        if (this.interrupted) return 130;
      }
    } catch (error) {
      if (error instanceof ErrnoError && error.code === 'EINTR' && this.interrupted) return 130;
      throw error;
    } finally {
      await proc.stdout.write(`\u001b[${this.tty?.size.rows ?? 24};1H${LEAVE}`);
    }
  }

  /** Waits for the next round; a window of another size brings it at once. */
  private async pause(ms: number): Promise<void> {
    try {
      await this.proc.sleep(ms);
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
      if (!this.resized) return;
      this.resized = false;
      this.before = undefined;
    }
  }

  private async runCommand(): Promise<{ output: string; status: number }> {
    const { proc, it } = this;
    const { columns, rows } = this.tty?.size ?? { columns: 80, rows: 24 };
    const env = new Map(proc.env).set('COLUMNS', String(columns)).set('LINES', String(rows));
    const argv = it.options.has('x') ? it.operands : ['sh', '-c', this.shown];
    for (;;) {
      try {
        const { output, end } = await capture(proc, { argv, env, mergeErrors: true });
        return { output, status: statusNumber(end) };
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.code !== 'EINTR') return { output: `watch: ${argv[0]}: ${error.message}\n`, status: 127 };
        if (this.interrupted) throw error;
      }
    }
  }

  /** Runs the command and shows what it printed; a status to leave with, or undefined. */
  private async round(): Promise<number | undefined> {
    const { options } = this.it;
    const { output, status } = await this.runCommand();
    const cells = this.layOut(output);
    await this.draw(cells);
    if (status !== 0 && options.has('b')) await this.proc.stdout.write('\u0007');
    if (status !== 0 && options.has('e')) return this.failed(status);
    const same = this.lastOutput === output;
    if (options.has('g') && this.lastOutput !== undefined && !same) return 0;
    this.equal = same ? this.equal + 1 : 0;
    if (this.equal >= this.equalMax) return 0;
    this.lastOutput = output;
    this.before = cells;
    return undefined;
  }

  /** -e: the output stays until a key is pressed. */
  private async failed(status: number): Promise<number> {
    const { proc } = this;
    await proc.stdout.write(`\u001b[${this.tty?.size.rows ?? 24};1H${FAILED}`);
    const keys = proc.stdin.tty;
    if (keys === undefined) return status;
    const saved = { ...keys.modes };
    keys.setModes({ canonical: false, echo: false });
    try {
      await proc.stdin.read(1);
    } finally {
      keys.setModes(saved);
    }
    return status;
  }

  private layOut(output: string): Cells {
    const { options } = this.it;
    const { columns, rows } = this.tty?.size ?? { columns: 80, rows: 24 };
    const height = rows - (options.has('t') ? 0 : 2);
    const shown: string[][] = [];
    const wraps = !options.has('w');
    for (const line of output.replace(/\n$/, '').split('\n')) {
      if (shown.length >= height) break;
      shown.push(...rowsOf(line, columns, options.has('c'), wraps));
    }
    return shown.slice(0, Math.max(0, height));
  }

  private async draw(cells: Cells): Promise<void> {
    const { options } = this.it;
    const { columns } = this.tty?.size ?? { columns: 80 };
    const lines = options.has('t') ? [] : [this.header(columns), ''];
    const marks = options.has('d') && this.before !== undefined;
    for (const [y, row] of cells.entries()) {
      let text = '';
      let standout = false;
      for (const [x, cell] of row.entries()) {
        const differs = marks && !cell.startsWith('\u001b') && (this.before![y]?.[x] ?? ' ') !== cell;
        const key = `${x},${y}`;
        if (differs) this.changed.add(key);
        const on = differs || (options.value('d') === 'permanent' && this.changed.has(key));
        if (on !== standout) text += on ? '\u001b[7m' : '\u001b[27m';
        standout = on;
        text += cell;
      }
      lines.push(`${text}${standout ? '\u001b[27m' : ''}${options.has('c') ? '\u001b[m' : ''}`);
    }
    await this.proc.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  }

  /** The interval and the command on the left, host and time on the right, cut as the width asks. */
  private header(columns: number): string {
    const { proc } = this;
    const every = `Every ${this.seconds.toFixed(1)}s: `;
    const time = strftime('%a %b %e %H:%M:%S %Y', proc.clock.now(), zoneOf(proc));
    const right = `${proc.kernel.hostnameOf(proc.pid)}: ${time}`;
    const room = columns - right.length;
    if (room < 0) return '';
    if (room < every.length + 1) return ' '.repeat(room) + right;
    const left = every.length + displayWidth(this.shown);
    if (left <= room) return every + this.shown + ' '.repeat(room - left) + right;
    if (room < every.length + 5) return every + ' '.repeat(room - every.length) + right;
    return `${cut(every + this.shown, room - 5)}...  ${right}`;
  }
}

/** One line's characters by column; colours go before the cell they begin at, or are left out. */
function rowsOf(line: string, columns: number, colors: boolean, wraps: boolean): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let color = '';
  const put = (c: string, width: number): boolean => {
    if (row.length + width > columns) {
      if (!wraps) return false;
      rows.push(row);
      row = [];
    }
    row.push(color + c);
    if (width === 2) row.push('');
    color = '';
    return true;
  };
  for (const [piece] of line.matchAll(/\u001b\[[0-9;]*[A-Za-z]|[^]/gu)) {
    if (piece.startsWith('\u001b') && piece.length > 1) {
      if (colors && piece.endsWith('m')) color += piece;
    } else if (piece === '\t') {
      const width = TAB_COLUMNS - (row.length % TAB_COLUMNS);
      for (let i = 0; i < width && row.length < columns; i++) put(' ', 1);
    } else if (displayWidth(piece) === 0) {
      if (row.length > 0 && piece >= ' ') row[row.length - 1] += piece;
    } else if (!put(piece, displayWidth(piece))) break;
  }
  rows.push(row);
  return rows;
}

function cut(text: string, columns: number): string {
  let out = '';
  for (const c of text) {
    if (displayWidth(out) + displayWidth(c) > columns) break;
    out += c;
  }
  return out;
}
