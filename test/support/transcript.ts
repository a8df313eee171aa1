// Reads the recorded transcripts of real tools (../shared/golden), and runs a command on a virtual terminal as they were recorded.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { SIGNAL_NUMBERS, type WaitStatus } from '../../main/linux/kernel/index.ts';
import type { BareMachine } from './make-machine.ts';

/** Where the recordings are, when they are there. */
const GOLDEN = path.resolve(import.meta.dirname, '../../../shared/golden');
/** Whether there are recordings to compare with. */
export const recorded = existsSync(GOLDEN);

export interface Transcript {
  /** The file's name without `.txt`, such as `03-install-y`. */
  readonly name: string;
  /** The node it was recorded on; `-`: the recording machine itself. */
  readonly node: string;
  /** Columns of its terminal; undefined: a pipe. */
  readonly columns: number | undefined;
  readonly script: string;
  /** stdout and stderr as a person saw them. */
  readonly output: string;
  readonly exitCode: number;
}

/** The transcripts of a tool, in the order in which they were recorded. */
export function readTranscripts(tool: string): Transcript[] {
  const folder = path.join(GOLDEN, tool);
  const rows = new Map<string, { node: string; columns: number | undefined }>();
  for (const [, file, node, columns] of readFileSync(path.join(folder, 'INDEX.md'), 'utf8').matchAll(
    /^\| (\S+)\.txt \| (\S+) \| (?:pty(\d+))?/gm,
  ))
    rows.set(file!, { node: node!, columns: columns === undefined ? undefined : Number(columns) });
  return readdirSync(folder)
    .filter((file) => /^\d+.*\.txt$/.test(file))
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((file) => {
      const name = file.replace('.txt', '');
      const { node, columns } = rows.get(name) ?? { node: '-', columns: undefined };
      return { name, node, columns, ...parseTranscript(readFileSync(path.join(folder, file), 'utf8')) };
    });
}

/** `$ command`, continued by `> ` lines; the output; `[exit N]`. */
function parseTranscript(text: string): Pick<Transcript, 'script' | 'output' | 'exitCode'> {
  const lines = text.split('\n');
  const exit = lines.findLastIndex((line) => /^\[exit \d+\]$/.test(line));
  let first = 1;
  while (lines[first]?.startsWith('> ') === true && first < exit) first++;
  return {
    script: lines
      .slice(0, first)
      .map((line) => line.slice(2))
      .join('\n'),
    output: lines
      .slice(first, exit)
      .map((line) => `${line}\n`)
      .join(''),
    exitCode: Number(/\d+/.exec(lines[exit]!)![0]),
  };
}

/** Something typed while a command runs, after so many virtual milliseconds. */
export interface Typed {
  readonly afterMs: number;
  readonly keys: string;
}

export interface TerminalRunOptions {
  readonly columns?: number;
  readonly cwd?: string;
  readonly env?: ReadonlyMap<string, string>;
  readonly typed?: readonly Typed[];
  /** Something that happens elsewhere on the machine while it runs. */
  readonly meanwhile?: { readonly afterMs: number; readonly script: string };
  /** Virtual time after which a run that hasn't ended is an error. */
  readonly withinMs?: number;
}

export interface TerminalRun {
  /** With `\n` ends of line. */
  readonly output: string;
  readonly status: number;
}

const ROWS = 50;
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ['HOME', '/root'],
  ['LANG', 'C.UTF-8'],
  ['LC_ALL', 'C.UTF-8'],
  ['TERM', 'xterm'],
];

/** Runs `bash -c SCRIPT` on a terminal of its own, as the recorder did (golden/scripts/cap.py). */
export async function runOnTerminal(
  { kernel, clock }: Pick<BareMachine, 'kernel' | 'clock'>,
  script: string,
  options: TerminalRunOptions = {},
): Promise<TerminalRun> {
  const { columns = 160, typed = [], withinMs = 120_000 } = options;
  const master = kernel.openTty({ columns, rows: ROWS });
  const task = kernel.start({
    argv: ['bash', '-c', script],
    env: options.env ?? new Map(ENVIRONMENT),
    cwd: options.cwd ?? '/root',
    tty: master,
  });
  let ended: WaitStatus | undefined;
  let drained = false;
  const chunks: Uint8Array[] = [];
  void (async () => {
    for (let chunk = await master.output(); chunk !== undefined; chunk = await master.output())
      chunks.push(chunk);
    drained = true;
  })();
  void task.ended.then((status) => (ended = status));
  const timers = typed.map(({ afterMs, keys }) => clock.after(afterMs, () => master.input(keys)));
  const { meanwhile } = options;
  if (meanwhile !== undefined)
    timers.push(
      clock.after(meanwhile.afterMs, () =>
        kernel.start({ argv: ['bash', '-c', meanwhile.script], env: new Map(ENVIRONMENT) }),
      ),
    );
  await clock.advanceUntil(() => ended !== undefined, { ms: withinMs });
  if (ended === undefined) throw new Error(`still running after ${withinMs} ms: ${script}`);
  for (const timer of timers) timer[Symbol.dispose]();
  await clock.advance({ ms: 1 });
  master[Symbol.dispose]();
  await clock.advanceUntil(() => drained, { ms: 1000 });
  return {
    output: Buffer.concat(chunks).toString('utf8').replaceAll('\r\n', '\n'),
    status: ended.kind === 'exited' ? ended.exitCode : 128 + SIGNAL_NUMBERS[ended.signal],
  };
}
