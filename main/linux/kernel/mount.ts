// Mounts and the trees behind them: overlay layers, tmpfs, binds, proc and sysfs.
import type { FileSystemTree } from './file-tree.ts';

/** A row of mount(8). */
export interface Mount {
  /** Absolute, in the mount namespace. */
  readonly target: string;
  /** What is shown as the device: `overlay`, `tmpfs`, `/dev/sda1`, `proc`. */
  readonly source: string;
  readonly type: 'overlay' | 'tmpfs' | 'proc' | 'sysfs' | 'xfs' | 'bind' | 'devtmpfs';
  readonly readOnly?: boolean;
  readonly tree: FileSystemTree;
  /** Directory or file of `tree` that appears at `target`; absent: its root. */
  readonly root?: string;
}
