// Running other commands: as xargs, find -exec, env, time, timeout, watch and awk's system() do.
import { ErrnoError } from '../../../network/index.ts';
import { SIGNAL_NUMBERS, type OpenFile, type Process, type Signal } from '../../kernel/index.ts';

/** A signal's number. */
export function signalNumber(signal: Signal): number {
  return SIGNAL_NUMBERS[signal];
}

export type ChildEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: Signal; readonly number: number };

/** The status a shell would show. */
export function statusNumber(end: ChildEnd): number {
  return end.kind === 'exited' ? end.exitCode : 128 + end.number;
}

export interface RunOptions {
  readonly argv: readonly string[];
  readonly env?: ReadonlyMap<string, string>;
  readonly cwd?: string;
  readonly stdin?: OpenFile | 'null';
  readonly stdout?: OpenFile;
  readonly stderr?: OpenFile;
}

/** Starts a command and waits for its end. Throws ErrnoError when it can't be started. */
export async function runChild(proc: Process, options: RunOptions): Promise<ChildEnd> {
  const child = proc.spawn(spawnOptions(proc, options));
  const status = await child.wait();
  if (status.kind === 'exited') return status;
  return { kind: 'signaled', signal: status.signal, number: signalNumber(status.signal) };
}

/** What a RunOptions means for Process.spawn. */
export function spawnOptions(
  proc: Process,
  options: RunOptions,
): {
  argv: readonly string[];
  env: ReadonlyMap<string, string>;
  fds: Map<number, OpenFile>;
  cwd?: string;
  path?: string;
} {
  const fds = new Map<number, OpenFile>([
    [0, options.stdin === 'null' ? proc.kernel.nullFile() : (options.stdin ?? proc.stdin)],
    [1, options.stdout ?? proc.stdout],
    [2, options.stderr ?? proc.stderr],
  ]);
  return {
    argv: options.argv,
    path: findExecutable(proc, options.argv[0] ?? '', options.env ?? proc.env),
    env: options.env ?? proc.env,
    fds,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The path execvp(3) would run. Throws ErrnoError ENOENT or EACCES. */
export function findExecutable(
  proc: Process,
  name: string,
  env: ReadonlyMap<string, string> = proc.env,
): string {
  if (name.includes('/')) return name;
  let denied = false;
  for (const directory of (env.get('PATH') ?? DEFAULT_PATH).split(':')) {
    const path = `${directory === '' ? '.' : directory}/${name}`;
    if (!proc.fs.exists(path) || proc.fs.stat(path).type === 'directory') continue;
    if (proc.fs.access(path, { execute: true })) return path;
    denied = true;
  }
  throw new ErrnoError(denied ? 'EACCES' : 'ENOENT', name);
}

/** Runs a command and gathers what it prints on stdout. */
export async function capture(
  proc: Process,
  { mergeErrors = false, ...options }: RunOptions & { readonly mergeErrors?: boolean },
): Promise<{ output: string; end: ChildEnd }> {
  const { reader, writer } = proc.kernel.pipe();
  const fd = proc.setFd(writer, undefined, 20);
  let running: Promise<ChildEnd>;
  try {
    running = runChild(proc, { ...options, stdout: writer, ...(mergeErrors ? { stderr: writer } : {}) });
  } finally {
    proc.closeFd(fd);
  }
  const readerFd = proc.setFd(reader, undefined, 20);
  try {
    const [output, end] = await Promise.all([proc.interruptible(reader.readText()), running]);
    return { output, end };
  } finally {
    proc.closeFd(readerFd);
  }
}
