// The kernel of a virtual Linux machine: processes, files, terminals, signals. It runs programs and knows none by name.
// makeKernel puts one together; trees (tmpfs, layers, overlays, a saved disk) are made here and mounted by machines and containers.
export type { FileSystemView, FileStat } from './file-system.ts';
export type { FileSystemTree } from './file-tree.ts';
export {
  serviceSocket,
  type CgroupUsage,
  type Kernel,
  type KernelMessage,
  type ProcessInfo,
  type StartOptions,
  type Task,
} from './kernel.ts';
export type { CgroupLimits } from './cgroup.ts';
export { containerCapabilities } from './capability.ts';
export { openDisk, type Disk } from './disk.ts';
export { elfContent } from './executable.ts';
export type { Resource } from './limits.ts';
export { makeKernel } from './make-kernel.ts';
export type { KeptTmpfs, Mount, TmpfsVolume } from './mount.ts';
export type { NamespaceKind } from './namespaces.ts';
export type { OpenFile } from './open-file.ts';
export {
  ProcessExit,
  type Child,
  type Credentials,
  type Process,
  type Program,
  type Signal,
  type WaitStatus,
} from './process.ts';
export { parseSignal, SIGNAL_NUMBERS } from './signals.ts';
export { makeLayer, makeOverlay, makeTmpfs, type LayerFile } from './trees.ts';
export {
  SANE_MODES,
  type Tty,
  type TtyCharacters,
  type TtyMaster,
  type TtyModes,
  type WindowSize,
} from './tty.ts';
