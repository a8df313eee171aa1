// ulimit: the limits of the shell and of all that it starts. bash(1), SHELL BUILTIN COMMANDS.
import { ErrnoError } from '../../../network/index.ts';
import type { Resource } from '../../kernel/index.ts';
import type { Shell } from '../shell.ts';
import { textual, type Builtin } from './support.ts';

interface Limit {
  readonly letter: string;
  readonly name: string;
  readonly unit: string;
  /** What the shell counts in, in the kernel's units. */
  readonly factor: number;
  /** Absent for the pipe's size, which nobody can change. */
  readonly resource: Resource | undefined;
}

const PIPE_BLOCKS = 8;
/** In the order of `ulimit -a`. */
const LIMITS: readonly Limit[] = [
  row('R', 'real-time non-blocking time', 'microseconds', 1, 'rttime'),
  row('c', 'core file size', 'blocks', 1024, 'core'),
  row('d', 'data seg size', 'kbytes', 1024, 'data'),
  row('e', 'scheduling priority', '', 1, 'nice'),
  row('f', 'file size', 'blocks', 1024, 'fsize'),
  row('i', 'pending signals', '', 1, 'sigpending'),
  row('l', 'max locked memory', 'kbytes', 1024, 'memlock'),
  row('m', 'max memory size', 'kbytes', 1024, 'rss'),
  row('n', 'open files', '', 1, 'nofile'),
  row('p', 'pipe size', '512 bytes', 1, undefined),
  row('q', 'POSIX message queues', 'bytes', 1, 'msgqueue'),
  row('r', 'real-time priority', '', 1, 'rtprio'),
  row('s', 'stack size', 'kbytes', 1024, 'stack'),
  row('t', 'cpu time', 'seconds', 1, 'cpu'),
  row('u', 'max user processes', '', 1, 'nproc'),
  row('v', 'virtual memory', 'kbytes', 1024, 'as'),
  row('x', 'file locks', '', 1, 'locks'),
];

function row(
  letter: string,
  name: string,
  unit: string,
  factor: number,
  resource: Resource | undefined,
): Limit {
  return { letter, name, unit, factor, resource };
}

const USAGE = 'ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]\n';

/** What a command line asks for: limits, each to be shown or set. */
interface Request {
  hard: boolean;
  soft: boolean;
  all: boolean;
  readonly wanted: { limit: Limit; value: string | undefined }[];
}

function readRequest(args: readonly string[]): Request | string {
  const request: Request = { hard: false, soft: false, all: false, wanted: [] };
  for (const arg of args) {
    if (!/^-./.test(arg)) {
      const last = request.wanted.at(-1);
      if (last === undefined || last.value !== undefined)
        request.wanted.push({ limit: LIMITS.find(({ letter }) => letter === 'f')!, value: arg });
      else last.value = arg;
      continue;
    }
    for (const letter of arg.slice(1)) {
      const limit = LIMITS.find((each) => each.letter === letter);
      if (letter === 'H') request.hard = true;
      else if (letter === 'S') request.soft = true;
      else if (letter === 'a') request.all = true;
      else if (limit === undefined) return letter;
      else request.wanted.push({ limit, value: undefined });
    }
  }
  return request;
}

const ulimit = textual(async (shell, args) => {
  const request = readRequest(args);
  if (typeof request === 'string') {
    await shell.error(`ulimit: -${request}: invalid option`);
    await shell.err(USAGE);
    return 2;
  }
  if (request.all) {
    for (const limit of LIMITS) await shell.out(`${labelled(limit)}${shown(shell, limit, request.hard)}\n`);
    return 0;
  }
  if (request.wanted.length === 0)
    request.wanted.push({ limit: LIMITS.find(({ letter }) => letter === 'f')!, value: undefined });
  let status = 0;
  for (const { limit, value } of request.wanted) {
    if (value !== undefined) status = await change(shell, limit, value, request);
    else
      await shell.out(
        `${request.wanted.length > 1 ? labelled(limit) : ''}${shown(shell, limit, request.hard)}\n`,
      );
    if (status !== 0) return status;
  }
  return status;
});

function labelled({ letter, name, unit }: Limit): string {
  return `${name.padEnd(20)} ${(unit === '' ? `(-${letter}) ` : `(${unit}, -${letter}) `).padStart(20)}`;
}

function shown(shell: Shell, { resource, factor }: Limit, hard: boolean): string {
  if (resource === undefined) return String(PIPE_BLOCKS);
  const limit = shell.proc.limits[resource];
  const value = hard ? limit.hard : limit.soft;
  return value === Infinity ? 'unlimited' : String(Math.floor(value / factor));
}

async function change(shell: Shell, limit: Limit, text: string, request: Request): Promise<number> {
  const { resource, factor, name } = limit;
  const refuse = async (why: string): Promise<number> => {
    await shell.error(`ulimit: ${name}: cannot modify limit: ${why}`);
    return 1;
  };
  if (resource === undefined) return refuse('Invalid argument');
  const now = shell.proc.limits[resource];
  const named: Readonly<Record<string, number>> = { unlimited: Infinity, hard: now.hard, soft: now.soft };
  if (named[text] === undefined && !/^[0-9]+$/.test(text)) {
    await shell.error(`ulimit: ${text}: invalid number`);
    return 1;
  }
  const value = named[text] ?? Number(text) * factor;
  const both = request.hard === request.soft;
  try {
    shell.proc.setLimit(resource, {
      soft: both || request.soft ? value : now.soft,
      hard: both || request.hard ? value : now.hard,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return refuse(error.message);
  }
}

export const limitBuiltins: readonly (readonly [string, Builtin])[] = [['ulimit', ulimit]];
