// Mounts and the trees behind them: overlay layers, tmpfs, binds, proc and sysfs.
import type { FileSystemTree } from './file-tree.ts';

/** A row of mount(8). */
export interface Mount {
  /** Absolute, in the mount namespace. */
  readonly target: string;
  /** What is shown as the device: `overlay`, `tmpfs`, `/dev/sda1`, `proc`. */
  readonly source: string;
  readonly type:
    | 'overlay'
    | 'tmpfs'
    | 'proc'
    | 'sysfs'
    | 'xfs'
    | 'bind'
    | 'devtmpfs'
    | 'cgroup2'
    | 'devpts'
    | 'mqueue';
  readonly readOnly?: boolean;
  /** What /proc/mounts shows besides ro or rw; absent: what is usual for the type. */
  readonly options?: string;
  readonly tree: FileSystemTree;
  /** Directory or file of `tree` that appears at `target`; absent: its root. */
  readonly root?: string;
}

/** A tmpfs that is kept while it is mounted, also over the workspace's closing. */
export interface TmpfsVolume {
  readonly target: string;
  readonly sizeMaxBytes: number;
  readonly mode: number;
}

/** Who keeps them. */
export interface KeptTmpfs {
  list(): readonly { readonly volume: TmpfsVolume; readonly tree: FileSystemTree }[];
  open(volume: TmpfsVolume): FileSystemTree;
  /** It was unmounted. */
  drop(target: string): void;
}

/** mount(2) of a new file system, in the words of mount(8). */
export interface NewMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  /** Such as `ro`, `size=10m`. */
  readonly options: readonly string[];
}
