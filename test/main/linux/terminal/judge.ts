// The host's own bash and tools under a pseudo-terminal, shown by xterm's parser: the judge of what a screen looks like.
import { spawn, type IPty } from '@lydell/node-pty';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import xterm from '@xterm/headless';

/** How long a program may be busy after one key. */
const BUSY_MS_MAX = 4000;
const PAUSE_MS = 40;
/** How long a program may take to notice a key. */
const UNNOTICED_MS_MAX = 300;

export interface JudgeOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

/** Whether a host can judge: it has the program. */
export function hostHas(path: string): boolean {
  return existsSync(path) && existsSync('/proc/self/stat');
}

/** A program of the host at a terminal. */
export class Judge implements Disposable {
  private readonly pty: IPty;
  private readonly terminal: xterm.Terminal;
  private received = 0;
  private over = false;
  raw = '';

  constructor({ argv, cwd, env, columns, rows }: JudgeOptions) {
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.pty = spawn(argv[0]!, argv.slice(1), { name: 'xterm-256color', cols: columns, rows, cwd, env });
    this.pty.onData((data) => {
      this.received++;
      this.raw += data;
      this.terminal.write(data);
    });
    this.pty.onExit(() => (this.over = true));
  }

  async type(keys: string): Promise<void> {
    const before = this.wakings();
    this.pty.write(keys);
    const giveUpMs = Date.now() + UNNOTICED_MS_MAX;
    while (this.wakings() === before && Date.now() < giveUpMs && !this.over) await delay(1);
    await this.settle();
  }

  /** How often the program and what it started have gone to sleep: a key that is noticed wakes one. */
  private wakings(): number {
    return [this.pty.pid, ...childrenOf(this.pty.pid)].reduce((sum, pid) => sum + sleepsOf(pid), 0);
  }

  async resize(columns: number, rows: number): Promise<void> {
    this.terminal.resize(columns, rows);
    this.pty.resize(columns, rows);
    await this.settle();
  }

  /** Waits until the program, and what it started, sleeps and nothing more has come. */
  async settle(): Promise<void> {
    const giveUpMs = Date.now() + BUSY_MS_MAX;
    let quiet = 0;
    while (quiet < 3 && Date.now() < giveUpMs && !this.over) {
      const before = this.received;
      await delay(1);
      quiet = this.received === before && this.sleeps() ? quiet + 1 : 0;
    }
    await new Promise<void>((resolve) => this.terminal.write('', resolve));
  }

  private sleeps(): boolean {
    return [this.pty.pid, ...childrenOf(this.pty.pid)].every((pid) => {
      try {
        return /^\d+ \(.*\) [ST]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      } catch {
        return true; // It has ended.
      }
    });
  }

  screen(): string[] {
    return screenOf(this.terminal);
  }

  /** Only what is on the screen now. */
  visible(): string[] {
    return visibleOf(this.terminal);
  }

  /** Lets a program that has been slow to start catch up. */
  async pause(): Promise<void> {
    await delay(PAUSE_MS);
    await this.settle();
  }

  cursor(): { column: number; row: number } {
    return { column: this.terminal.buffer.active.cursorX, row: this.terminal.buffer.active.cursorY };
  }

  get hasEnded(): boolean {
    return this.over;
  }

  [Symbol.dispose](): void {
    if (!this.over) this.pty.kill('SIGKILL');
    this.terminal.dispose();
  }
}

function sleepsOf(pid: number): number {
  try {
    return Number(
      /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1],
    );
  } catch {
    return 0; // It has ended.
  }
}

/** Lines on the screen and above it, right-trimmed, without the empty ones at the end. */
function screenOf(terminal: xterm.Terminal): string[] {
  const lines: string[] = [];
  const buffer = terminal.buffer.active;
  for (let i = 0; i < buffer.length; i++) lines.push(buffer.getLine(i)!.translateToString(true).trimEnd());
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}

/** The rows on the screen, right-trimmed, without the empty ones at the end. */
export function visibleOf(terminal: xterm.Terminal): string[] {
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: terminal.rows }, (_, row) =>
    buffer
      .getLine(buffer.viewportY + row)!
      .translateToString(true)
      .trimEnd(),
  );
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' '))
      .filter((each) => each.trim() !== '')
      .map(Number);
  } catch {
    return [];
  }
}
