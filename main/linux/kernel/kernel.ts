// What the kernel of one machine offers beyond a process's own calls: process table, terminals, modules, services.
import type { Clock, Random } from '../../simulation/index.ts';
import type { ByteStream, NetworkNamespace, SocketOwner } from '../../network/index.ts';
import type { CgroupLimits } from './cgroup.ts';
import type { CapabilitySet } from './capability.ts';
import type { FileSystemView } from './file-system.ts';
import type { ResourceLimits } from './limits.ts';
import type { OpenFile } from './open-file.ts';
import type { Credentials, Process, Program, Signal, WaitStatus } from './process.ts';
import type { Mount, NewMount, TmpfsVolume } from './mount.ts';
import type { TtyMaster, WindowSize } from './tty.ts';

/** A row of ps(1). */
export interface ProcessInfo {
  readonly pid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  readonly argv: readonly string[];
  /** comm: at most 15 characters of the executable's name. */
  readonly command: string;
  readonly state: 'R' | 'S' | 'T' | 'Z';
  readonly credentials: Credentials;
  /** Path of the controlling terminal. */
  readonly tty: string | undefined;
  readonly startMs: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** cgroup path, such as `/kubepods/besteffort/pod…/…`. */
  readonly cgroup: string;
}

/** The namespaces a container's first process starts in; absent members are the machine's own. */
export interface Namespaces {
  readonly net?: NetworkNamespace;
  readonly mounts?: readonly Mount[];
  /** A new pid namespace: the first process sees itself as 1. Processes join it by naming a process in it (nsenter). */
  readonly pid?: 'new' | { readonly of: number };
  /** Host name in new uts and ipc namespaces. */
  readonly hostname?: string;
  /** Whose uts and ipc namespaces it shares otherwise: a sandbox's first process. */
  readonly shareOf?: number;
  /** Path of its control group, made if need be; absent: that of the process it joins, or the machine's services'. */
  readonly cgroup?: string;
  readonly cgroupLimits?: CgroupLimits;
  /** It sees that group as the root of all. */
  readonly newCgroupNamespace?: boolean;
}

export interface StartOptions {
  readonly argv: readonly string[];
  readonly path?: string;
  readonly program?: Program;
  readonly env?: ReadonlyMap<string, string>;
  readonly cwd?: string;
  readonly credentials?: Credentials;
  readonly namespaces?: Namespaces;
  /** All that it and its descendants can have; absent: all there are. */
  readonly capabilities?: CapabilitySet;
  /** From -1000 (never killed for want of memory) to 1000. */
  readonly oomScoreAdj?: number;
  /** What differs from init's. */
  readonly limits?: Partial<ResourceLimits>;
  /** stdin, stdout, stderr; absent: /dev/null. */
  readonly stdio?: readonly [OpenFile, OpenFile, OpenFile];
  /** Makes this the controlling terminal of a new session, with stdio on it. */
  readonly tty?: TtyMaster;
}

/** A process started from outside any process: a service, a container, a login. */
export interface Task {
  /** In the machine's own pid namespace. */
  readonly pid: number;
  readonly process: Process;
  readonly ended: Promise<WaitStatus>;
}

/** A line of the kernel's ring buffer, as dmesg(1) shows it. */
export interface KernelMessage {
  readonly timeMs: number;
  /** syslog(3) severity: 3 error, 4 warning, 6 information. */
  readonly severity: number;
  readonly text: string;
}

/** statfs(2). */
export interface FileSystemUsage {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly inodesTotal: number;
  readonly inodesUsed: number;
}

/** A named in-kernel endpoint that stands for a Unix socket with a typed protocol, such as containerd's. */
export interface ServiceSocket<Service> {
  readonly path: string;
  /** Only for the type; never set. */
  readonly protocol?: Service;
}

/** Names a Unix socket whose protocol is `Service`. */
export function serviceSocket<Service>(path: string): ServiceSocket<Service> {
  return { path };
}

/** cpuacct.usage, memory.usage_in_bytes, pids.current. */
export interface CgroupUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface Kernel {
  readonly clock: Clock;
  readonly random: Random;
  /** uname(2). */
  readonly release: string;
  readonly bootMs: number;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** The machine's own network namespace. */
  readonly net: NetworkNamespace;
  /** sethostname(2), the machine's own uts namespace. */
  hostname: string;
  /** Host name in the uts namespace of a process. */
  hostnameOf(pid: number): string;

  /** Starts a process that is a child of init. Throws ErrnoError as execve. */
  start(options: StartOptions): Task;
  /** Every process that `viewer` can see, by pid as it sees them; absent: the machine's own namespace. */
  listProcesses(viewer?: Process): ProcessInfo[];
  process(pid: number): Process | undefined;
  /** The process that holds a socket, with its number as seen from here; undefined if it can't be seen. */
  socketHolder(owner: SocketOwner): { readonly pid: number; readonly process: Process } | undefined;
  /** Sends a signal from outside any process, with root's rights. Throws ESRCH. */
  kill(pid: number, signal: Signal): void;
  openTty(size: WindowSize): TtyMaster;
  /** A pipe(7): what is written to the second can be read from the first. */
  pipe(): { readonly reader: OpenFile; readonly writer: OpenFile };
  /** Closes a file that no descriptor refers to, such as a pipe's end kept outside any process. */
  closeFile(file: OpenFile): void;
  /** /dev/null, opened. */
  nullFile(): OpenFile;

  /** A connected socket as a file, for a process's descriptors. Closed with its last descriptor. */
  socketFile(stream: ByteStream): OpenFile;

  /** The mounts that a process sees, in the order of mounting; absent: the machine's own. */
  listMounts(viewer?: Process): Mount[];
  /** mount(2) in the mount namespace of `caller`. Throws EPERM without CAP_SYS_ADMIN, ENOENT, ENOTDIR. */
  mount(mount: Mount, caller?: Process): void;
  /** mount(2) of a new tmpfs, proc, sysfs … Throws also ENODEV for an unknown type, EINVAL for an option that isn't one. */
  mountNew(request: NewMount, caller?: Process): void;
  /** Mounts a tmpfs that is found again when the workspace is reopened, as the volumes of running pods must be. */
  mountVolume(volume: TmpfsVolume): void;
  /** Whether something is mounted right at a path of the machine. */
  isMounted(target: string): boolean;
  /** mount(2) with MS_REMOUNT. Throws EPERM, EINVAL when nothing is mounted there. */
  remount(target: string, readOnly: boolean, caller?: Process): void;
  /** umount(2). Throws EPERM, EINVAL when nothing is mounted there, EBUSY while a process is in it or has a file of it open. */
  unmount(target: string, caller?: Process): void;
  /** A bind of a path of the machine, or of `caller`'s mounts (with what is mounted below it) for another place. Throws ENOENT … */
  bindMounts(
    from: string,
    target: string,
    options?: { readonly readOnly?: boolean; readonly caller?: Process },
  ): Mount[];
  /** statfs(2) at a path. */
  usage(path: string, viewer?: Process): FileSystemUsage;
  /** The machine's files as root sees them, for services that have no process of their own. */
  readonly files: FileSystemView;
  /** The same for a mount namespace that no process is in yet: to prepare mount points. */
  filesOf(mounts: readonly Mount[]): FileSystemView;
  /** CPU time and memory of a control group; absent path: of the whole machine. Undefined if there is no such group. */
  cgroupUsage(cgroup?: string): CgroupUsage | undefined;
  /** Writes memory.max, cpu.max … of a control group, made if need be. What is beyond its memory is killed. */
  setCgroupLimits(cgroup: string, limits: CgroupLimits): void;
  /** How many processes of a control group the OOM killer has taken. */
  oomKills(cgroup: string): number;
  /** rmdir of a control group; nothing where processes or groups are in it. */
  removeCgroup(path: string): void;
  /** /proc, /sys, /dev and what a container finds there; a privileged one may write to them. */
  containerMounts(privileged?: boolean): Mount[];

  /** sysctl(8) by dotted name, in the network namespace of `caller`. Throws ENOENT, EINVAL. */
  setSysctl(name: string, value: string, caller?: Process): void;
  /** Told of every parameter of the machine's own that was set. */
  onSysctl(listener: (name: string, value: string) => void): Disposable;

  /** Writes a line to the ring buffer. */
  printk(text: string, severity?: number): void;
  readonly messages: readonly KernelMessage[];
  onMessage(listener: (message: KernelMessage) => void): Disposable;

  /** lsmod(8) with sizes and users, the newest first. */
  listModules(): { readonly name: string; readonly sizeBytes: number; readonly usedBy: readonly string[] }[];
  /** modules.dep(5): what a module needs directly; undefined: there is no such module. */
  moduleDependencies(name: string): readonly string[] | undefined;
  /** lsmod(8): names of loaded modules. */
  readonly modules: ReadonlySet<string>;
  /** Throws ENOENT for a module that isn't in the catalogue. */
  loadModule(name: string): void;
  /** Throws EBUSY, ENOENT. */
  unloadModule(name: string): void;
  onModulesChanged(changed: () => void): Disposable;

  /** Ends all processes at once, as when the power goes: nothing is told to anyone who is not in the kernel. */
  powerOff(): void;

  /** Answers at a Unix socket until disposed. Throws EADDRINUSE. */
  bindService<Service>(socket: ServiceSocket<Service>, service: Service): Disposable;
  /** Throws ENOENT when nobody has bound it, ECONNREFUSED when its server is gone. */
  connectService<Service>(socket: ServiceSocket<Service>): Service;
}
