// mount(2), umount(2), statfs(2), and what a machine and its containers have mounted from the start.
import { ErrnoError } from '../../network/index.ts';
import type { FileSystemTree } from './file-tree.ts';
import type { FileSystemUsage } from './kernel.ts';
import { MemoryTree } from './memory-tree.ts';
import type { Mount } from './mount.ts';
import type { MountTable } from './mount-table.ts';
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
}

/** What a machine mounts over its root while it boots. */
export function machineMounts(trees: OwnTrees, tmpfsBytes: number): Mount[] {
  const tmpfs = (target: string, rootMode: number): Mount => ({
    target,
    source: 'tmpfs',
    type: 'tmpfs',
    tree: new MemoryTree({ id: `tmpfs:${target}`, now: trees.now, sizeMaxBytes: tmpfsBytes, rootMode }),
  });
  return [
    { target: '/sys', source: 'sysfs', type: 'sysfs', tree: trees.sys },
    { target: '/proc', source: 'proc', type: 'proc', tree: trees.proc },
    { target: '/dev', source: 'devtmpfs', type: 'devtmpfs', tree: trees.dev },
    tmpfs('/dev/shm', 0o1777),
    tmpfs('/run', 0o755),
  ];
}

/**
 * What a container finds besides its root.
 * Differs: terminals of the whole machine are seen in its /dev/pts, as there is one table of them.
 */
export function containerMounts(trees: OwnTrees): Mount[] {
  const shm = new MemoryTree({ id: 'shm', now: trees.now, sizeMaxBytes: SHM_BYTES, rootMode: 0o1777 });
  return [
    { target: '/proc', source: 'proc', type: 'proc', tree: trees.proc },
    { target: '/dev', source: 'tmpfs', type: 'tmpfs', tree: trees.dev },
    { target: '/dev/shm', source: 'shm', type: 'tmpfs', tree: shm },
    { target: '/sys', source: 'sysfs', type: 'sysfs', readOnly: true, tree: trees.sys },
  ];
}

export class MountCalls {
  /** The machine's own mount namespace. */
  private readonly own: MountTable;
  private readonly pids: PidNamespace;

  constructor(own: MountTable, pids: PidNamespace) {
    this.own = own;
    this.pids = pids;
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
    requireRoot(caller, mount.target);
    const mounts = this.of(caller);
    mounts.add({ ...mount, target: mounts.find(mount.target).path });
  }

  unmount(target: string, caller: Process | undefined): void {
    requireRoot(caller, target);
    const mounts = this.of(caller);
    const { path } = mounts.find(target);
    const mounted = mounts.at(path);
    if (mounted === undefined) throw new ErrnoError('EINVAL', target);
    for (const process of this.pids.processes.values()) {
      if (process.cwdPlace.mounted === mounted) throw new ErrnoError('EBUSY', target);
    }
    mounts.remove(path);
  }

  bind(hostPath: string, target: string, readOnly: boolean): Mount[] {
    const place = this.own.find(hostPath);
    const { mount: source, tree } = place.mounted;
    const own: Mount = {
      target,
      source: source.source,
      type: source.type,
      readOnly,
      tree,
      root: pathInTree(place.path, source),
    };
    const prefix = place.path === '/' ? '/' : `${place.path}/`;
    const below = this.own
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

function requireRoot(caller: Process | undefined, path: string): void {
  if (caller !== undefined && caller.credentials.uid !== 0) throw new ErrnoError('EPERM', path);
}

/** Where a path of a mount namespace lies in the tree that is mounted there. */
function pathInTree(path: string, mount: Mount): string {
  const below = mount.target === '/' ? path : path.slice(mount.target.length);
  return foldPath(`${mount.root ?? '/'}/${below}`);
}
