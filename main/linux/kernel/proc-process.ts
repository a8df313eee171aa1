// /proc/PID: one process as text and links.
import type { Process, Signal } from './process.ts';
import { ErrnoError } from '../../network/index.ts';
import {
  fixed,
  GeneratedDirectory,
  GeneratedFile,
  GeneratedLink,
  GeneratedNode,
  type GeneratedTree,
  type Listing,
} from './generated-tree.ts';
import { describe } from './adapted-description.ts';
import type { Description } from './description.ts';
import type { FileStat } from './file-system.ts';
import type { MachineKernel } from './make-kernel.ts';
import { limitsText } from './limits.ts';
import { mountInfo, mountLine } from './mount-text.ts';
import { oomScore } from './oom-killer.ts';
import type { Place } from './mount-table.ts';
import type { PidNamespace } from './pid-namespace.ts';
import { SIGNAL_NUMBERS } from './signals.ts';
import { VirtualProcess } from './virtual-process.ts';

/** Jiffies per second, as user space sees them. */
export const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
const STATE_NAMES = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' } as const;

/** The directory of `process` as `viewer` sees it. */
export function processDirectory(
  tree: GeneratedTree,
  kernel: MachineKernel,
  process: VirtualProcess,
  viewer: Process | undefined,
  netFiles: (process: VirtualProcess) => Listing,
): GeneratedDirectory {
  const { pids, cgroupRoot } = (viewer instanceof VirtualProcess ? viewer : kernel.init).surroundings;
  const file =
    (make: () => string, mode = 0o444): (() => GeneratedFile) =>
    () =>
      new GeneratedFile(tree, make, undefined, mode);
  const link =
    (target: () => string): (() => GeneratedLink) =>
    () =>
      new GeneratedLink(tree, target);
  const nodes: Record<string, () => GeneratedNode> = {
    cgroup: file(() => `0::${process.cgroup.pathFrom(cgroupRoot)}\n`),
    cmdline: file(() =>
      process.status === undefined ? process.argv.map((word) => `${word}\0`).join('') : '',
    ),
    comm: file(() => `${process.command}\n`),
    cwd: () => new MagicLink(tree, process.cwd, () => process.cwdPlace),
    environ: file(() => Array.from(process.env, ([name, value]) => `${name}=${value}\0`).join(''), 0o400),
    exe: link(() => {
      const path = process.executablePath ?? process.argv[0];
      if (path?.startsWith('/') !== true) throw new ErrnoError('ENOENT');
      return path;
    }),
    fd: () => fdDirectory(tree, process),
    limits: file(() => limitsText(process.limits)),
    mountinfo: file(() => mountInfo(process.mounts.list())),
    mounts: file(() =>
      process.mounts
        .list()
        .map(({ mount }) => mountLine(mount))
        .join(''),
    ),
    net: () => new GeneratedDirectory(tree, netFiles(process), 0o555),
    ns: () => namespaceDirectory(tree, process),
    oom_adj: file(() => `${Math.round((process.oomScoreAdj * 17) / 1000)}\n`),
    oom_score: file(() => `${oomScore(process, kernel.memoryBytes)}\n`),
    oom_score_adj: () =>
      new GeneratedFile(
        tree,
        () => `${process.oomScoreAdj}\n`,
        (text, writer) => setOomScoreAdj(process, text.trim(), writer),
      ),
    root: () => new MagicLink(tree, '/', () => process.mounts.root),
    stat: file(() => statLine(kernel, process, viewer, pids)),
    statm: file(
      () =>
        `${pages(process) * 3} ${pages(process)} ${Math.floor(pages(process) / 2)} 200 0 ${pages(process)} 0\n`,
    ),
    status: file(() => statusText(process, viewer, pids)),
  };
  return new GeneratedDirectory(tree, fixed(nodes), 0o555, process.credentials.uid, process.credentials.gid);
}

/** A link whose target is found without its text. */
class MagicLink extends GeneratedLink {
  private readonly destination: (link: Place) => Place;
  constructor(tree: GeneratedTree, text: string, destination: (link: Place) => Place, mode = 0o777) {
    super(tree, text, mode);
    this.destination = destination;
  }
  override magic(link: Place): Place {
    return this.destination(link);
  }
}

/** /proc/PID/fd/N: opening it opens the same file, or shares what can't be opened by a path. */
class OpenFileLink extends MagicLink {
  constructor(tree: GeneratedTree, description: Description) {
    super(
      tree,
      description.path ?? 'anon_inode:[unknown]',
      (link) => ({ ...link, node: description.node ?? new OpenFileNode(tree, description) }),
      0o700,
    );
  }
}

/** A pipe, terminal or socket in use, as a file. */
class OpenFileNode extends GeneratedNode {
  readonly type: FileStat['type'];
  private readonly description: Description;
  constructor(tree: GeneratedTree, description: Description) {
    super(tree, 0o600);
    this.description = description;
    this.type = description.stat().type;
  }
  override stat(): FileStat {
    return this.description.stat();
  }
  override open(): Description {
    if (this.type === 'socket') throw new ErrnoError('ENXIO');
    return this.description;
  }
}

function fdDirectory(tree: GeneratedTree, process: VirtualProcess): GeneratedDirectory {
  const listing: Listing = {
    names: () =>
      Array.from(process.fds.keys())
        .sort((a, b) => a - b)
        .map(String),
    lookup(name) {
      const file = /^\d+$/.test(name) ? process.fds.get(Number(name)) : undefined;
      return file === undefined ? undefined : new OpenFileLink(tree, describe(file));
    },
  };
  return new GeneratedDirectory(tree, listing, 0o500, process.credentials.uid, process.credentials.gid);
}

function namespaceDirectory(tree: GeneratedTree, process: VirtualProcess): GeneratedDirectory {
  const { net, pids, mounts, uts } = process.surroundings;
  const entries: Readonly<Record<string, object>> = { ipc: net, mnt: mounts, net, pid: pids, uts };
  const nodes = Object.fromEntries(
    Object.entries(entries).map(([name, subject]) => [
      name,
      () => new GeneratedLink(tree, `${name}:[${process.table.namespaceNumber(subject)}]`),
    ]),
  );
  return new GeneratedDirectory(tree, fixed(nodes), 0o511);
}

/** proc(5): /proc/PID/stat. */
function statLine(
  kernel: MachineKernel,
  process: VirtualProcess,
  viewer: Process | undefined,
  pids: PidNamespace,
): string {
  const ticks = (ms: number): number => Math.floor((ms * TICKS_PER_SECOND) / 1000);
  const tty = process.tty === undefined ? 0 : 0x8800 + Number(process.tty.path.replace(/\D/g, ''));
  const cpu = ticks(process.cpuMs);
  const fields = [
    process.numbers.in(pids),
    `(${process.command})`,
    stateOf(process, viewer),
    process.parent?.numbers.in(pids) ?? 0,
    process.group?.numbers.in(pids) ?? 0,
    process.group?.session.numbers.in(pids) ?? 0,
    tty,
    process.tty === undefined ? -1 : (process.group?.session.foreground?.numbers.in(pids) ?? -1),
    4194304,
    pages(process),
    0,
    0,
    0,
    Math.floor(cpu * 0.6),
    cpu - Math.floor(cpu * 0.6),
    0,
    0,
    20,
    0,
    1,
    0,
    ticks(process.startMs - kernel.bootMs),
    process.memoryBytes * 3,
    pages(process),
    '18446744073709551615',
  ];
  return `${[...fields, ...Array.from({ length: 27 }, () => 0)].join(' ')}\n`;
}

function statusText(process: VirtualProcess, viewer: Process | undefined, pids: PidNamespace): string {
  const state = stateOf(process, viewer);
  const { uid, gid, groups } = process.credentials;
  const pid = process.numbers.in(pids);
  const kilobytes = Math.round(process.memoryBytes / 1024);
  const rows: readonly (readonly [string, string])[] = [
    ['Name', process.command],
    ['Umask', process.umask.toString(8).padStart(4, '0')],
    ['State', `${state} (${STATE_NAMES[state]})`],
    ['Tgid', String(pid)],
    ['Ngid', '0'],
    ['Pid', String(pid)],
    ['PPid', String(process.parent?.numbers.in(pids) ?? 0)],
    ['TracerPid', '0'],
    ['Uid', `${uid}\t${uid}\t${uid}\t${uid}`],
    ['Gid', `${gid}\t${gid}\t${gid}\t${gid}`],
    ['FDSize', '64'],
    ['Groups', `${groups.join(' ')} `],
    ['VmPeak', `${String(kilobytes * 3).padStart(8)} kB`],
    ['VmSize', `${String(kilobytes * 3).padStart(8)} kB`],
    ['VmRSS', `${String(kilobytes).padStart(8)} kB`],
    ['Threads', '1'],
    ['SigIgn', signalMask(process.ignoredSignals())],
    ['SigCgt', signalMask(process.caughtSignals())],
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

function signalMask(signals: readonly Signal[]): string {
  const mask = signals.reduce((bits, signal) => bits | (1n << BigInt(SIGNAL_NUMBERS[signal] - 1)), 0n);
  return mask.toString(16).padStart(16, '0');
}

function stateOf(process: VirtualProcess, viewer: Process | undefined): 'R' | 'S' | 'T' | 'Z' {
  if (process.status !== undefined) return 'Z';
  if (process.stopped) return 'T';
  return process.running || process === viewer ? 'R' : 'S';
}

function pages(process: VirtualProcess): number {
  return process.status === undefined ? Math.round(process.memoryBytes / PAGE_BYTES) : 0;
}

function setOomScoreAdj(process: VirtualProcess, text: string, writer: Process): void {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= -1000 && value <= 1000)) throw new ErrnoError('EINVAL');
  if (value < process.oomScoreAdj && !writer.can('SYS_RESOURCE')) throw new ErrnoError('EACCES');
  process.oomScoreAdj = value;
}
