// nsenter(1), unshare(1), lsns(8): programs in the namespaces of others, in new ones, and a list of them all.
import { ErrnoError } from '../../../network/index.ts';
import { SIGNAL_NUMBERS, type NamespaceKind, type Process, type Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { userName } from '../frame/accounts.ts';

const OPTIONS: readonly (readonly [letter: string, name: string, kind: NamespaceKind])[] = [
  ['m', 'mount', 'mnt'],
  ['u', 'uts', 'uts'],
  ['i', 'ipc', 'ipc'],
  ['n', 'net', 'net'],
  ['p', 'pid', 'pid'],
  ['C', 'cgroup', 'cgroup'],
  ['U', 'user', 'user'],
  ['T', 'time', 'time'],
];
const LONG = OPTIONS.map(([letter, name]) => `${name}::>${letter}`);
const VERSION = 'from util-linux 2.38.1';
const SHELL_DEFAULT = '/bin/sh';

function wantedKinds(it: Invocation): NamespaceKind[] {
  return OPTIONS.filter(([letter]) => it.options.has(letter)).map(([, , kind]) => kind);
}

/** Runs a program (or the user's shell) and ends as it does. */
async function runIn(
  it: Invocation,
  namespaces: NonNullable<Parameters<Process['spawn']>[0]['namespaces']>,
  denied: string,
  more: Partial<Parameters<Process['spawn']>[0]> = {},
): Promise<number> {
  const { proc } = it;
  const argv = it.operands.length > 0 ? it.operands : [proc.env.get('SHELL') ?? SHELL_DEFAULT];
  let child: ReturnType<Process['spawn']>;
  try {
    child = proc.spawn({ argv, namespaces, ...more });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'EPERM') throw new Failure(`${denied}: Operation not permitted`, 1);
    const status = error.code === 'ENOENT' ? 127 : 126;
    throw new Failure(`failed to execute ${argv[0]}: ${error.message}`, status);
  }
  const status = await child.wait();
  return status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
}

/** nsenter(1). Differs: the program is always a child; the real one forks for -p only. */
export const nsenter: Program = command(
  {
    short: 'at:m::u::i::n::p::C::U::T::S:G:r::w::FZeW:',
    long: [
      'all>a',
      'target:>t',
      ...LONG,
      'setuid:>S',
      'setgid:>G',
      'root::>r',
      'wd::>w',
      'no-fork>F',
      'env>e',
    ],
    usage: '[options] [<program> [<argument>...]]',
    version: VERSION,
    permute: false,
  },
  async (it) => {
    const { proc, options } = it;
    const kinds = options.has('a') ? OPTIONS.map(([, , kind]) => kind) : wantedKinds(it);
    const target = options.value('t');
    const byFile = OPTIONS.map(([letter]) => options.value(letter)).find(
      (file) => file !== undefined && file !== '',
    );
    if (target === undefined && byFile === undefined) {
      if (kinds.length > 0) throw new Failure('no target PID specified');
      return runIn(it, {}, 'reassociate to namespace failed');
    }
    if (target !== undefined && !/^\d+$/.test(target)) throw new Failure(`failed to parse pid: '${target}'`);
    const of = target === undefined ? holderOf(proc, byFile!) : Number(target);
    if (!proc.fs.exists(`/proc/${of}/ns`))
      throw new Failure(
        `cannot open /proc/${of}/ns/${OPTIONS.find(([, , kind]) => kinds.includes(kind))?.[2] ?? 'mnt'}: No such file or directory`,
      );
    const uid = Number(options.value('S') ?? proc.credentials.uid);
    const gid = Number(options.value('G') ?? proc.credentials.gid);
    const credentials = options.has('S') || options.has('G') ? { uid, gid, groups: [gid] } : undefined;
    return runIn(
      it,
      { enter: { of, kinds } },
      'reassociate to namespace failed',
      credentials === undefined ? {} : { credentials },
    );
  },
);

/** The process whose namespace a file of /proc/PID/ns stands for. */
function holderOf(proc: Process, file: string): number {
  const match = /^\/proc\/(\d+|self)\/ns\/\w+$/.exec(file);
  if (match !== null) return match[1] === 'self' ? proc.pid : Number(match[1]);
  if (!proc.fs.exists(file)) throw new Failure(`cannot open ${file}: No such file or directory`);
  throw new Failure(`reassociate to namespace '${file}' failed: Invalid argument`);
}

/** unshare(1) */
export const unshare: Program = command(
  {
    short: 'm::u::i::n::p::C::U::T::frc',
    long: [...LONG, 'fork>f', 'mount-proc::', 'map-root-user>r', 'propagation:', 'kill-child::'],
    usage: '[options] [<program> [<argument>...]]',
    version: VERSION,
    permute: false,
  },
  async (it) => {
    const kinds = wantedKinds(it);
    for (const kind of kinds)
      if (kind === 'net' || kind === 'user' || kind === 'time') {
        await it.proc.stderr.write(`drydock: unshare of ${kind} namespaces isn't simulated\n`);
        return 1;
      }
    return runIn(it, { create: kinds }, 'unshare failed');
  },
);

interface Row {
  readonly kind: string;
  count: number;
  readonly pid: number;
  readonly user: string;
  readonly command: string;
}

/** lsns(8): each namespace that a visible process is in, with the lowest of its processes. */
export const lsns: Program = command(
  {
    short: 'Jlno:p:rt:uW',
    long: ['noheadings>n', 'task:>p', 'type:>t', 'raw>r', 'output:>o', 'list>l'],
    usage: '[options] [<namespace>]',
    version: VERSION,
  },
  async (it) => {
    const { proc, options } = it;
    const task = options.value('p');
    const wanted = options.value('t');
    const only =
      task === undefined ? undefined : new Set(numbersOf(proc, Number(task)).map(([number]) => number));
    const rows = new Map<number, Row>();
    for (const { pid, argv, command: name, credentials } of proc.kernel.listProcesses(proc)) {
      for (const [number, kind] of numbersOf(proc, pid)) {
        const row = rows.get(number);
        if (row !== undefined) row.count++;
        else
          rows.set(number, {
            kind,
            count: 1,
            pid,
            user: userName(proc, credentials.uid),
            command: argv.length > 0 ? argv.join(' ') : `[${name}]`,
          });
      }
    }
    const shown = Array.from(rows)
      .filter(
        ([number, { kind }]) =>
          (only === undefined || only.has(number)) && (wanted === undefined || kind === wanted),
      )
      .filter(([number]) => it.operands[0] === undefined || number === Number(it.operands[0]))
      .toSorted(([a], [b]) => a - b)
      .map(([number, { kind, count, pid, user, command: line }]) => [
        String(number),
        kind,
        String(count),
        String(pid),
        user,
        line,
      ]);
    const header = ['NS', 'TYPE', 'NPROCS', 'PID', 'USER', 'COMMAND'];
    const table = options.has('n') ? shown : [header, ...shown];
    const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]!.length), 0));
    for (const row of table) {
      const cells = row.map((cell, column) => {
        if (column === row.length - 1) return cell;
        return column === 1 || column === 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
      });
      await it.out.line(cells.join(' '));
    }
  },
);

/** Inode and kind of each namespace of a process; none where the caller may not look. */
function numbersOf(proc: Process, pid: number): (readonly [number: number, kind: string])[] {
  return ['time', 'user', 'mnt', 'uts', 'ipc', 'pid', 'net', 'cgroup'].flatMap((name) => {
    try {
      const [, kind, number] = /^(\w+):\[(\d+)\]$/.exec(proc.fs.readlink(`/proc/${pid}/ns/${name}`))!;
      return [[Number(number), kind!] as const];
    } catch (error) {
      if (error instanceof ErrnoError) return [];
      throw error;
    }
  });
}
