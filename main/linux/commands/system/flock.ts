// flock(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Kernel, Process, Program } from '../../kernel/index.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { command, Failure } from '../frame/command.ts';

/** How often a waiting lock is tried again. */
const POLL_MS = 20;

interface Lock {
  /** Whose end releases it. */
  readonly pid: number;
  readonly shared: boolean;
}

/** The advisory locks of a machine, by the real path of the file. */
const locks = new WeakMap<Kernel, Map<string, Lock[]>>();

function heldOn(proc: Process, path: string): Lock[] {
  const { kernel } = proc;
  const all = locks.get(kernel) ?? new Map<string, Lock[]>();
  locks.set(kernel, all);
  const alive = (all.get(path) ?? []).filter(({ pid }) => kernel.process(pid) !== undefined);
  all.set(path, alive);
  return alive;
}

/** flock(1): `flock FILE COMMAND`, `flock FILE -c LINE`, `flock FD`. */
export const flock: Program = command(
  {
    short: 'c:eE:nosuw:xF',
    long: [
      'shared>s',
      'exclusive>x',
      'unlock>u',
      'nonblock>n',
      'nb>n',
      'timeout:>w',
      'wait:>w',
      'conflict-exit-code:>E',
      'close>o',
      'command:>c',
      'no-fork>F',
      'verbose',
    ],
    usage: '[options] <file>|<directory> <command> [<argument>...]',
    version: 'from util-linux 2.38.1',
    permute: false,
    usageExit: 64,
  },
  async (it) => {
    const { proc, options } = it;
    const [target, ...argv] = it.operands;
    if (target === undefined) throw new Failure('not enough arguments', 64);
    if (argv[0] === '-c') argv.splice(0, 1, 'sh', '-c');
    const isDescriptor = argv.length === 0;
    const path = isDescriptor ? pathOfDescriptor(proc, target) : openable(proc, target);
    const pid = isDescriptor ? proc.parentPid : proc.pid;
    const mine = heldOn(proc, path).findIndex((lock) => lock.pid === pid);
    if (mine >= 0) heldOn(proc, path).splice(mine, 1);
    if (options.has('u')) return 0;
    const shared = options.last('s', 'x', 'e') === 's';
    const conflict = Number(options.value('E') ?? 1);
    const limit = options.has('n') ? 0 : options.has('w') ? Number(options.value('w')) * 1000 : Infinity;
    const deadline = proc.clock.now() + limit;
    while (heldOn(proc, path).some((lock) => !(lock.shared && shared))) {
      if (proc.clock.now() >= deadline) return conflict;
      await proc.sleep(Math.min(POLL_MS, deadline - proc.clock.now()));
    }
    heldOn(proc, path).push({ pid, shared });
    if (isDescriptor) return 0;
    try {
      return statusNumber(await runChild(proc, { argv }));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await it.complain(`failed to execute ${argv[0]}: ${error.message}`);
      return error.code === 'ENOENT' ? 69 : 71;
    } finally {
      const left = heldOn(proc, path);
      const own = left.findIndex((lock) => lock.pid === pid);
      if (own >= 0) left.splice(own, 1);
    }
  },
);

function pathOfDescriptor(proc: Process, text: string): string {
  if (!/^\d+$/.test(text)) throw new Failure(`bad file descriptor: '${text}'`, 64);
  try {
    return proc.fs.readlink(`/proc/${proc.pid}/fd/${text}`);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`${text}: Bad file descriptor`, 65);
  }
}

function openable(proc: Process, path: string): string {
  try {
    if (!proc.fs.exists(path)) proc.fs.writeFile(path, '', { mode: 0o666 & ~proc.umask });
    return proc.fs.realpath(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`cannot open lock file ${path}: ${error.message}`, 66);
  }
}
