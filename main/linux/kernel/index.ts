// The kernel of a virtual Linux machine: processes, files, terminals, signals. It runs programs and knows none by name.
export type { FileSystemView, FileStat, FileType, DirectoryEntry, Executable, OpenFlags } from './file-system.ts';
export type { FileSystemTree } from './file-tree.ts';
export { serviceSocket, type Kernel, type Namespaces, type ProcessInfo, type ServiceSocket, type StartOptions, type Task } from './kernel.ts';
export type { Mount } from './mount.ts';
export type { OpenFile } from './open-file.ts';
export { ProcessExit, type Child, type Credentials, type Process, type Program, type Signal, type SpawnOptions, type WaitStatus } from './process.ts';
export type { Tty, TtyMaster, TtyModes, WindowSize } from './tty.ts';
