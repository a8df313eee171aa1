// A person at a terminal, for tests: xterm's own parser shows what bash writes.
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import xterm from '@xterm/headless';
import { SIGNAL_NUMBERS, type LayerFile, type Program } from '../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../main/linux/shell/index.ts';
import { visibleOf } from '../terminal/judge.ts';
import { makeBareMachine, type BareMachine } from '../../../support/make-machine.ts';

export interface Person {
  readonly machine: BareMachine;
  /** Types keys and lets virtual time pass until the machine is quiet. */
  type(keys: string, ms?: number): Promise<void>;
  wait(ms: number): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Lines on the screen and above it, right-trimmed, without the empty ones at the end. */
  screen(): string[];
  /** Only what is on the screen now. */
  visible(): string[];
  /** The cursor's column and row on the screen. */
  cursor(): { column: number; row: number };
  /** What bash wrote so far, raw. */
  raw(): string;
  /** Exit status once bash has ended. */
  status(): number | undefined;
  kill(): void;
  /** Closes the terminal, as a person closes its window. */
  hangUp(): void;
}

export interface PersonOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly programs?: Readonly<Record<string, Program>>;
  readonly files?: Readonly<Record<string, LayerFile | string>>;
  readonly argv?: readonly string[];
  readonly machine?: BareMachine;
}

const SETTLE_MS = 60;

export async function sitDown(options: PersonOptions = {}): Promise<Person> {
  const { columns = 80, rows = 24 } = options;
  const machine =
    options.machine ??
    makeBareMachine({
      programs: { '/usr/bin/bash': bash, ...options.programs },
      files: { '/root/.bashrc': "PS1='[\\u@\\h \\W]\\$ '\n", ...options.files },
    });
  const { kernel, clock, faults } = machine;
  const master = kernel.openTty({ columns, rows });
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  // As in the app: characters are as wide as Unicode 15 says, and joined ones are one.
  screen.loadAddon(new UnicodeGraphemesAddon() as unknown as Parameters<typeof screen.loadAddon>[0]);
  screen.unicode.activeVersion = '15-graphemes';
  let raw = '';
  let ended: number | undefined;
  const task = kernel.start({
    argv: options.argv ?? ['bash'],
    path: '/usr/bin/bash',
    env: new Map([
      ['PATH', '/usr/bin'],
      ['HOME', '/root'],
      ['USER', 'root'],
      ['TERM', 'xterm-256color'],
      ['LANG', 'en_US.UTF-8'],
    ]),
    cwd: '/root',
    tty: master,
  });
  void task.ended.then((status) => {
    ended = status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
  });
  void (async () => {
    for (;;) {
      const chunk = await master.output();
      if (chunk === undefined) return;
      raw += Buffer.from(chunk).toString('utf8');
      screen.write(chunk);
    }
  })();
  const settle = async (ms: number): Promise<void> => {
    await clock.advance({ ms });
    await new Promise<void>((resolve) => screen.write('', resolve));
    if (faults.length > 0) throw faults[0];
  };
  await settle(SETTLE_MS);
  return {
    machine,
    async type(keys, ms = SETTLE_MS) {
      master.input(keys);
      await settle(ms);
    },
    wait: settle,
    async resize(width, height) {
      screen.resize(width, height);
      master.resize({ columns: width, rows: height });
      await settle(SETTLE_MS);
    },
    screen() {
      const lines: string[] = [];
      const buffer = screen.buffer.active;
      for (let i = 0; i < buffer.length; i++)
        lines.push(buffer.getLine(i)!.translateToString(true).trimEnd());
      while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
      return lines;
    },
    visible: () => visibleOf(screen),
    cursor: () => ({ column: screen.buffer.active.cursorX, row: screen.buffer.active.cursorY }),
    raw: () => raw,
    status: () => ended,
    hangUp: () => master[Symbol.dispose](),
    kill() {
      const killer = kernel.start({
        argv: ['kill'],
        program: async (proc) => {
          proc.kill(task.pid, 'SIGKILL');
          return 0;
        },
      });
      void killer.ended;
    },
  };
}
