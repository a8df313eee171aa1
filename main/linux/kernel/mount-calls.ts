// mount(2), umount(2), statfs(2), and what a machine and its containers have mounted from the start.
import { ErrnoError } from '../../network/index.ts';
import type { FileSystemTree } from './file-tree.ts';
import type { FileSystemUsage } from './kernel.ts';
import { MemoryTree } from './memory-tree.ts';
import type { Mount, NewMount } from './mount.ts';
import type { MountTable, Place } from './mount-table.ts';
import { foldPath } from './path-view.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { Process } from './process.ts';
import { VirtualProcess } from './virtual-process.ts';

const SHM_BYTES = 64 * 1024 ** 2;

/** The trees that the kernel itself makes. */
export interface OwnTrees {
  readonly now: () => number;
  readonly proc: FileSystemTree;
  readonly sys: FileSystemTree;
  readonly dev: FileSystemTree;
  readonly cgroup: FileSystemTree;
  /** Counts what lies in a tmpfs as memory of those who put it there. */
  count(tmpfs: MemoryTree): MemoryTree;
  /** The tmpfs is gone. */
  release(tmpfs: MemoryTree): void;
}

/** What a machine mounts over its root while it boots. */
export function machineMounts(trees: OwnTrees, tmpfsBytes: number): Mount[] {
  const tmpfs = (target: string, rootMode: number, options: string): Mount => ({
    target,
    source: 'tmpfs',
    type: 'tmpfs',
    options,
    tree: trees.count(
      new MemoryTree({ id: `tmpfs:${target}`, now: trees.now, sizeMaxBytes: tmpfsBytes, rootMode }),
    ),
  });
  return [
    { target: '/sys', source: 'sysfs', type: 'sysfs', tree: trees.sys },
    { target: '/proc', source: 'proc', type: 'proc', tree: trees.proc },
    { target: '/dev', source: 'devtmpfs', type: 'devtmpfs', tree: trees.dev },
    tmpfs('/dev/shm', 0o1777, 'nosuid,nodev'),
    tmpfs('/run', 0o755, 'nosuid,nodev,mode=755'),
    { target: '/sys/fs/cgroup', source: 'cgroup2', type: 'cgroup2', tree: trees.cgroup },
  ];
}

/**
 * What a container finds besides its root, in the order that runc mounts it.
 * Differs: terminals of the whole machine are seen in its /dev/pts, as there is one table of them.
 */
export function containerMounts(trees: OwnTrees, privileged: boolean): Mount[] {
  const shm = trees.count(
    new MemoryTree({ id: 'shm', now: trees.now, sizeMaxBytes: SHM_BYTES, rootMode: 0o1777 }),
  );
  const readOnly = !privileged;
  const safe = 'nosuid,nodev,noexec,relatime';
  const mounts: Mount[] = [
    { target: '/proc', source: 'proc', type: 'proc', tree: trees.proc },
    {
      target: '/dev',
      source: 'tmpfs',
      type: 'tmpfs',
      options: 'nosuid,size=65536k,mode=755',
      tree: trees.dev,
    },
    { target: '/dev/shm', source: 'shm', type: 'tmpfs', options: `${safe},size=65536k`, tree: shm },
    { target: '/sys', source: 'sysfs', type: 'sysfs', readOnly, tree: trees.sys },
    { target: '/sys/fs/cgroup', source: 'cgroup', type: 'cgroup2', readOnly, tree: trees.cgroup },
  ];
  if (!privileged)
    mounts.push({
      target: '/proc/sys',
      source: 'proc',
      type: 'proc',
      readOnly,
      tree: trees.proc,
      root: '/sys',
    });
  return mounts;
}

export class MountCalls {
  /** The machine's own mount namespace. */
  private readonly own: MountTable;
  private readonly pids: PidNamespace;
  private readonly trees: OwnTrees;
  private readonly memoryBytes: number;

  constructor(own: MountTable, pids: PidNamespace, trees: OwnTrees, memoryBytes: number) {
    this.own = own;
    this.pids = pids;
    this.trees = trees;
    this.memoryBytes = memoryBytes;
  }

  private of(viewer: Process | undefined): MountTable {
    return viewer instanceof VirtualProcess ? viewer.mounts : this.own;
  }

  list(viewer: Process | undefined): Mount[] {
    return this.of(viewer)
      .list()
      .map(({ mount }) => mount);
  }

  mount(mount: Mount, caller: Process | undefined): void {
    requireRight(caller, mount.target);
    const mounts = this.of(caller);
    const { path } = find(mounts, mount.target, caller);
    if (mount.type === 'tmpfs' && mount.tree instanceof MemoryTree && mount.root === undefined)
      this.trees.count(mount.tree);
    mounts.add({ ...mount, target: path });
  }

  /** A tmpfs, proc … by the words of mount(8). Throws ENODEV for a type that there isn't, EINVAL for a bad option. */
  mountNew(request: NewMount, caller: Process | undefined): void {
    const { target, type, source, options } = request;
    const own: Partial<Record<string, FileSystemTree>> = {
      proc: this.trees.proc,
      sysfs: this.trees.sys,
      cgroup2: this.trees.cgroup,
      devtmpfs: this.trees.dev,
    };
    const tree = type === 'tmpfs' ? this.newTmpfs(target, options) : own[type];
    if (tree === undefined) throw new ErrnoError('ENODEV', target);
    const readOnly = options.includes('ro');
    this.mount({ target, source, type: type as Mount['type'], readOnly, tree }, caller);
  }

  private newTmpfs(target: string, options: readonly string[]): MemoryTree {
    const valueOf = (name: string): string | undefined =>
      options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
    const mode = valueOf('mode');
    const sizeMaxBytes = sizeIn(valueOf('size'), this.memoryBytes);
    const inodes = valueOf('nr_inodes');
    if (inodes !== undefined && !/^\d+$/.test(inodes)) throw new ErrnoError('EINVAL', target);
    if (mode !== undefined && !/^[0-7]+$/.test(mode)) throw new ErrnoError('EINVAL', target);
    return new MemoryTree({
      id: `tmpfs:${target}`,
      now: this.trees.now,
      sizeMaxBytes,
      inodesMax: inodes === undefined || inodes === '0' ? undefined : Number(inodes),
      rootMode: mode === undefined ? 0o1777 : parseInt(mode, 8),
    });
  }

  /** MS_REMOUNT: makes a mount read-only or writable. Throws EINVAL when nothing is mounted there. */
  remount(target: string, readOnly: boolean, caller: Process | undefined): void {
    requireRight(caller, target);
    const mounts = this.of(caller);
    const { path } = find(mounts, target, caller);
    const mounted = mounts.at(path);
    if (mounted === undefined) throw new ErrnoError('EINVAL', target);
    mounted.mount = { ...mounted.mount, readOnly };
  }

  unmount(target: string, caller: Process | undefined): void {
    requireRight(caller, target);
    const mounts = this.of(caller);
    const { path } = find(mounts, target, caller);
    const mounted = mounts.at(path);
    if (mounted === undefined) throw new ErrnoError('EINVAL', target);
    if (mounts.list().some(({ mount }) => mount.target.startsWith(`${path}/`) && path !== '/'))
      throw new ErrnoError('EBUSY', target);
    for (const process of this.pids.processes.values())
      if (process.uses(mounted)) throw new ErrnoError('EBUSY', target);
    mounts.remove(path);
    if (mounts === this.own && mounted.tree instanceof MemoryTree && mounted.mount.root === undefined)
      this.trees.release(mounted.tree);
  }

  bind(from: string, target: string, readOnly: boolean, caller: Process | undefined): Mount[] {
    const mounts = this.of(caller);
    const place = find(mounts, from, caller);
    const { mount: source, tree } = place.mounted;
    const own: Mount = {
      ...source,
      target,
      readOnly,
      tree,
      root: pathInTree(place.path, source),
    };
    const prefix = place.path === '/' ? '/' : `${place.path}/`;
    const below = mounts
      .list()
      .filter(({ mount }) => mount.target !== place.path && mount.target.startsWith(prefix))
      .map(({ mount }) => ({ ...mount, target: foldPath(`${target}/${mount.target.slice(prefix.length)}`) }));
    return [own, ...below];
  }

  usage(path: string, viewer: Process | undefined): FileSystemUsage {
    const from = viewer instanceof VirtualProcess ? viewer.cwdPlace : this.own.root;
    return this.of(viewer).find(path, { from }).mounted.tree.usage();
  }
}

function requireRight(caller: Process | undefined, path: string): void {
  if (caller !== undefined && !caller.can('SYS_ADMIN')) throw new ErrnoError('EPERM', path);
}

function find(mounts: MountTable, path: string, caller: Process | undefined): Place {
  return mounts.find(path, caller instanceof VirtualProcess ? { from: caller.cwdPlace } : {});
}

/** Half of the memory, unless it says bytes, with k, m, g, or a percentage. Throws EINVAL. */
function sizeIn(text: string | undefined, memoryBytes: number): number {
  if (text === undefined) return memoryBytes / 2;
  const match = /^(\d+)([kmgt%]?)$/i.exec(text);
  if (match === null) throw new ErrnoError('EINVAL');
  if (match[2] === '%') return (memoryBytes * Number(match[1])) / 100;
  return Number(match[1]) * 1024 ** ' kmgt'.indexOf(match[2]!.toLowerCase() || ' ');
}

/** Where a path of a mount namespace lies in the tree that is mounted there. */
function pathInTree(path: string, mount: Mount): string {
  const below = mount.target === '/' ? path : path.slice(mount.target.length);
  return foldPath(`${mount.root ?? '/'}/${below}`);
}
