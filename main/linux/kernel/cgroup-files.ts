// The cgroup2 file system: the tree of control groups as directories and files. Linux Documentation/admin-guide/cgroup-v2.rst.
import { ErrnoError } from '../../network/index.ts';
import { CPU_PERIOD_US, type Cgroup } from './cgroup.ts';
import { fixed, GeneratedFile, GeneratedNode, GeneratedTree, type Listing } from './generated-tree.ts';
import type { DirectoryEntry } from './file-system.ts';
import type { MachineKernel } from './make-kernel.ts';
import { reclaim } from './oom-killer.ts';
import type { Process } from './process.ts';
import type { NewNode, Vnode } from './vnode.ts';
import { VirtualProcess } from './virtual-process.ts';

const CONTROLLERS = 'cpuset cpu io memory pids';
const QUOTA_MIN_US = 1000;
const PERIOD_MAX_US = 1_000_000;
const WEIGHT_MAX = 10_000;

/** What is mounted at /sys/fs/cgroup; those in a cgroup namespace see its root. */
export function makeCgroupFiles(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('cgroup2', () => kernel.clock.now());
  tree.root = new RootDirectory(tree, kernel);
  return tree;
}

/** The group where the cgroup namespace of who looks begins. */
class RootDirectory extends GeneratedNode {
  readonly type = 'directory';
  private readonly kernel: MachineKernel;

  constructor(tree: GeneratedTree, kernel: MachineKernel) {
    super(tree, 0o755);
    this.kernel = kernel;
  }

  private as(viewer: Process | undefined): CgroupDirectory {
    const { surroundings } = viewer instanceof VirtualProcess ? viewer : this.kernel.init;
    return new CgroupDirectory(this.tree, this.kernel, surroundings.cgroupRoot);
  }
  override lookup(name: string, viewer?: Process): Vnode | undefined {
    return this.as(viewer).lookup(name, viewer);
  }
  override list(viewer?: Process): DirectoryEntry[] {
    return this.as(viewer).list(viewer);
  }
  /** Differs: those in a cgroup namespace make groups below the machine's root; their mounts are read-only anyway. */
  override create(name: string, node: NewNode): Vnode {
    return this.as(undefined).create(name, node);
  }
  override remove(name: string): void {
    this.as(undefined).remove(name);
  }
}

class CgroupDirectory extends GeneratedNode {
  readonly type = 'directory';
  private readonly kernel: MachineKernel;
  private readonly group: Cgroup;
  private readonly files: Listing;

  constructor(tree: GeneratedTree, kernel: MachineKernel, group: Cgroup) {
    super(tree, 0o755);
    this.kernel = kernel;
    this.group = group;
    this.files = fixed(filesOf(tree, kernel, group));
  }

  override lookup(name: string, viewer?: Process): Vnode | undefined {
    const child = this.group.child(name);
    if (child === undefined) return this.files.lookup(name, viewer);
    return new CgroupDirectory(this.tree, this.kernel, child);
  }

  override list(viewer?: Process): DirectoryEntry[] {
    const files = this.files.names(viewer).map((name) => ({ name, type: 'file' as const }));
    const groups = Array.from(this.group.children, ({ name }) => ({ name, type: 'directory' as const }));
    return [...files, ...groups];
  }

  override create(name: string, node: NewNode): Vnode {
    if (node.type !== 'directory') throw new ErrnoError(node.type === 'file' ? 'EACCES' : 'EPERM');
    return new CgroupDirectory(this.tree, this.kernel, this.group.require(name));
  }

  override remove(name: string): void {
    if (this.group.child(name) === undefined) throw new ErrnoError('EPERM');
    this.group.remove(name);
  }

  /** The kernel's own files are no hindrance; what is, `remove` says. */
  override isEmpty(): boolean {
    return true;
  }
}

function filesOf(
  tree: GeneratedTree,
  kernel: MachineKernel,
  group: Cgroup,
): Record<string, () => GeneratedNode> {
  const file =
    (make: (viewer: Process) => string | number, store?: (text: string, writer: Process) => void) => () =>
      new GeneratedFile(
        tree,
        (viewer) => `${make(viewer)}\n`,
        store === undefined ? undefined : (text, writer) => store(text.trim(), writer),
      );
  const lines = (rows: readonly (readonly [name: string, value: number])[]): string =>
    rows.map(([name, value]) => `${name} ${value}`).join('\n');
  const core: Record<string, () => GeneratedNode> = {
    'cgroup.controllers': file(() => CONTROLLERS),
    'cgroup.max.depth': file(() => 'max'),
    'cgroup.max.descendants': file(() => 'max'),
    'cgroup.procs': listFile(
      tree,
      (viewer) => pidsOf(group, viewer),
      (text, writer) => enter(kernel, group, text, writer),
    ),
    'cgroup.stat': file(() =>
      lines([
        ['nr_descendants', descendants(group)],
        ['nr_dying_descendants', 0],
      ]),
    ),
    'cgroup.subtree_control': file(
      () => CONTROLLERS,
      () => undefined,
    ),
    'cgroup.threads': listFile(tree, (viewer) => pidsOf(group, viewer)),
    'cpu.stat': file(() => lines(cpuStat(group))),
    'cpuset.cpus.effective': file(() => cpuList(kernel.cpuCount)),
    'cpuset.mems.effective': file(() => '0'),
    'io.stat': file(() => ''),
    'memory.stat': file(() => lines(memoryStat(group))),
  };
  if (group.parent === undefined) return core;
  return {
    ...core,
    'cgroup.events': file(() =>
      lines([
        ['populated', group.processes > 0 ? 1 : 0],
        ['frozen', 0],
      ]),
    ),
    'cgroup.freeze': file(() => 0),
    'cgroup.type': file(() => 'domain'),
    'cpu.max': file(
      () => `${group.cpuQuotaUs ?? 'max'} ${group.cpuPeriodUs}`,
      (text) => setCpuMax(group, text),
    ),
    'cpu.weight': file(
      () => group.cpuWeight,
      (text) => group.setLimits({ cpuWeight: numberIn(text, 1, WEIGHT_MAX) }),
    ),
    'cpu.weight.nice': file(() => 0),
    'memory.current': file(() => group.memoryBytes),
    'memory.events': file(() =>
      lines([
        ['low', 0],
        ['high', 0],
        ['max', group.memoryMaxEvents],
        ['oom', group.oomEvents],
        ['oom_kill', group.oomKills],
        ['oom_group_kill', 0],
      ]),
    ),
    'memory.high': file(() => 'max'),
    'memory.low': file(() => 0),
    'memory.max': file(
      () => group.memoryMaxBytes ?? 'max',
      (text) => {
        group.setLimits({ memoryMaxBytes: bytesIn(text) });
        reclaim(kernel, group);
      },
    ),
    'memory.min': file(() => 0),
    'memory.oom.group': file(() => 0),
    'memory.peak': file(() => group.peakBytes),
    'memory.swap.current': file(() => 0),
    'memory.swap.max': file(() => 'max'),
    'pids.current': file(() => group.processes),
    'pids.events': file(() => `max ${group.pidsMaxEvents}`),
    'pids.max': file(
      () => group.pidsMax ?? 'max',
      (text) => group.setLimits({ pidsMax: text === 'max' ? undefined : numberIn(text, 0, Infinity) }),
    ),
    'pids.peak': file(() => group.processesPeak),
  };
}

/** A file of which an empty content has no line at all. */
function listFile(
  tree: GeneratedTree,
  make: (viewer: Process) => string,
  store?: (text: string, writer: Process) => void,
): () => GeneratedFile {
  return () => new GeneratedFile(tree, make, store);
}

function pidsOf(group: Cgroup, viewer: Process): string {
  const pids = viewer instanceof VirtualProcess ? viewer.surroundings.pids : undefined;
  return Array.from(group.members, (process) => (pids === undefined ? 0 : process.numbers.in(pids)))
    .sort((a, b) => a - b)
    .map((pid) => `${pid}\n`)
    .join('');
}

function enter(kernel: MachineKernel, group: Cgroup, text: string, writer: Process): void {
  const number = numberIn(text.trim(), 0, Infinity);
  if (!(writer instanceof VirtualProcess)) return;
  const process = number === 0 ? writer : writer.surroundings.pids.processes.get(number);
  if (process === undefined || process.status !== undefined) throw new ErrnoError('ESRCH');
  kernel.table.moveTo(process, group);
}

export function descendants(group: Cgroup): number {
  let count = 0;
  for (const child of group.children) count += 1 + descendants(child);
  return count;
}

function cpuStat(group: Cgroup): (readonly [string, number])[] {
  const usageUs = Math.round(group.cpuMs * 1000);
  const userUs = Math.round(usageUs * 0.6);
  const rows: (readonly [string, number])[] = [
    ['usage_usec', usageUs],
    ['user_usec', userUs],
    ['system_usec', usageUs - userUs],
  ];
  if (group.parent === undefined) return rows;
  const { bandwidth } = group;
  return [
    ...rows,
    ['nr_periods', bandwidth?.periods ?? 0],
    ['nr_throttled', bandwidth?.throttled ?? 0],
    ['throttled_usec', Math.round((bandwidth?.throttledMs ?? 0) * 1000)],
    ['nr_bursts', 0],
    ['burst_usec', 0],
  ];
}

/** Differs: there is no page cache, so file is what lies in tmpfs. */
function memoryStat(group: Cgroup): (readonly [string, number])[] {
  return [
    ['anon', group.anonymousBytes],
    ['file', group.sharedBytes],
    ['kernel', 0],
    ['shmem', group.sharedBytes],
    ['file_mapped', 0],
    ['file_dirty', 0],
    ['file_writeback', 0],
    ['inactive_anon', group.anonymousBytes + group.sharedBytes],
    ['active_anon', 0],
    ['inactive_file', 0],
    ['active_file', 0],
    ['unevictable', 0],
    ['slab', 0],
    ['pgfault', Math.round(group.anonymousBytes / 4096)],
    ['pgmajfault', 0],
  ];
}

function setCpuMax(group: Cgroup, text: string): void {
  const [quota = '', period] = text.split(/\s+/);
  const cpuQuotaUs = quota === 'max' ? undefined : numberIn(quota, QUOTA_MIN_US, Infinity);
  const cpuPeriodUs = period === undefined ? CPU_PERIOD_US : numberIn(period, QUOTA_MIN_US, PERIOD_MAX_US);
  group.setLimits({ cpuQuotaUs, cpuPeriodUs });
}

function numberIn(text: string, min: number, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(number >= min && number <= max)) throw new ErrnoError('EINVAL');
  return number;
}

/** Bytes, or with K, M, G, rounded down to pages: page_counter_memparse. */
function bytesIn(text: string): number | undefined {
  if (text === 'max') return undefined;
  const match = /^(\d+)([kmgt]?)$/i.exec(text);
  if (match === null) throw new ErrnoError('EINVAL');
  const power = ' kmgt'.indexOf(match[2]!.toLowerCase() || ' ');
  return Math.floor((Number(match[1]) * 1024 ** power) / 4096) * 4096;
}

function cpuList(count: number): string {
  return count === 1 ? '0' : `0-${count - 1}`;
}
