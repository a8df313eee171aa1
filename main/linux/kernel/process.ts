// What a program sees of the kernel it runs on: its process, its files, its terminal.
import type { Clock, Random } from '../../simulation/index.ts';
import type { NetworkNamespace, SocketOwner } from '../../network/index.ts';
import type { FileSystemView } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import type { Capability } from './capability.ts';
import type { Kernel } from './kernel.ts';
import type { NamespaceChanges } from './namespaces.ts';
import type { Resource, ResourceLimit, ResourceLimits } from './limits.ts';
import type { Tty } from './tty.ts';

/**
 * The code of an executable: runs as a process and settles with its exit status (0–255).
 * Every wait goes through the process, so that signals can end it: a fatal signal makes the pending and
 * every later system call reject with ProcessExit, which programs let pass.
 */
export type Program = (proc: Process) => Promise<number>;

/** signal(7), without the real-time ones. Numbers are in SIGNAL_NUMBERS. */
export type Signal =
  | 'SIGHUP'
  | 'SIGINT'
  | 'SIGQUIT'
  | 'SIGILL'
  | 'SIGTRAP'
  | 'SIGABRT'
  | 'SIGBUS'
  | 'SIGFPE'
  | 'SIGKILL'
  | 'SIGUSR1'
  | 'SIGSEGV'
  | 'SIGUSR2'
  | 'SIGPIPE'
  | 'SIGALRM'
  | 'SIGTERM'
  | 'SIGSTKFLT'
  | 'SIGCHLD'
  | 'SIGCONT'
  | 'SIGSTOP'
  | 'SIGTSTP'
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGURG'
  | 'SIGXCPU'
  | 'SIGXFSZ'
  | 'SIGVTALRM'
  | 'SIGPROF'
  | 'SIGWINCH'
  | 'SIGIO'
  | 'SIGPWR'
  | 'SIGSYS';

export interface Credentials {
  /** The effective user: whose rights count. */
  readonly uid: number;
  /** The real user, where a setuid file made another the effective one. */
  readonly realUid?: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** How a process ended: by exiting, or by a signal. Shells show the latter as 128 + its number. */
export type WaitStatus =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: Signal }
  | { readonly kind: 'stopped'; readonly signal: Signal }
  /** By SIGCONT; told only to who asks for it. */
  | { readonly kind: 'continued'; readonly signal: Signal };

export interface SpawnOptions {
  /** argv[0] is the name shown by ps; the executable is looked up from `path`, else from argv[0] by $PATH. */
  readonly argv: readonly string[];
  /** The executable's path. Throws ENOENT, EACCES, ENOEXEC at once. */
  readonly path?: string;
  /** Runs this instead of a file: what a shell's fork without exec (a subshell) is. */
  readonly program?: Program;
  readonly env?: ReadonlyMap<string, string>;
  readonly cwd?: string;
  /** Descriptors of the child; absent: a copy of the parent's. */
  readonly fds?: ReadonlyMap<number, OpenFile>;
  /** Process group to join, 0 for a new one of its own; absent: the parent's. */
  readonly processGroup?: number;
  /** setsid(2): a new session without a terminal, or with `controllingTty`. */
  readonly newSession?: boolean;
  readonly controllingTty?: Tty;
  readonly credentials?: Credentials;
  /** Other namespaces than the parent's. Throws EPERM without CAP_SYS_ADMIN, ESRCH. */
  readonly namespaces?: NamespaceChanges;
  /** Signals that the child ignores from the start. */
  readonly ignoredSignals?: readonly Signal[];
}

/** A child as its parent holds it. */
export interface Child {
  readonly pid: number;
  /**
   * The next change of state; afterwards the zombie is gone if it ended. With `untraced`, stops are told too, and
   * with `continued` that it goes on after one.
   */
  wait(options?: { readonly untraced?: boolean; readonly continued?: boolean }): Promise<WaitStatus>;
  kill(signal: Signal): void;
}

export interface Process {
  readonly pid: number;
  readonly parentPid: number;
  readonly argv: readonly string[];
  /** The environment; a shell changes it in place. */
  readonly env: Map<string, string>;
  /** Absolute. Set with chdir. */
  readonly cwd: string;
  readonly umask: number;
  readonly credentials: Credentials;
  readonly processGroup: number;
  readonly session: number;
  readonly stdin: OpenFile;
  readonly stdout: OpenFile;
  readonly stderr: OpenFile;
  /** The table of descriptors. Closing is by `closeFd`, duplicating by `setFd`. */
  readonly fds: ReadonlyMap<number, OpenFile>;
  readonly fs: FileSystemView;
  readonly net: NetworkNamespace;
  /** The controlling terminal. */
  readonly tty: Tty | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly kernel: Kernel;
  /** Whom `ss -p` names for the sockets it opens: itself, as the machine numbers it. */
  readonly socketOwner: SocketOwner;
  /** Aborted when a fatal signal has been taken; pass it to waits that aren't the process's own. */
  readonly signal: AbortSignal;

  /** What ps and /proc/PID/cmdline show from now on instead of the arguments: setproctitle(3). */
  setTitle(title: string): void;
  chdir(path: string): void;
  setUmask(mask: number): void;
  /** Puts a file description at a number (dup2), or at the lowest free one from `from`; returns the number. */
  setFd(file: OpenFile, fd?: number, from?: number): number;
  closeFd(fd: number): void;

  spawn(options: SpawnOptions): Child;
  /** Replaces the program of this process (execve): rejects with ErrnoError, or never settles, the caller being no more. */
  exec(options: {
    readonly path: string;
    readonly argv: readonly string[];
    readonly env?: ReadonlyMap<string, string>;
  }): Promise<number>;
  /** Waits for any child (waitpid(-1)); undefined when there is none. */
  waitAny(options?: {
    readonly untraced?: boolean;
    readonly continued?: boolean;
    readonly noHang?: boolean;
  }): Promise<{ pid: number; status: WaitStatus } | undefined>;
  /** Sends a signal to a pid, or with a negative number to a process group. Throws ESRCH, EPERM. */
  kill(pid: number, signal: Signal): void;
  /** Handles a signal: a function, 'ignore', or 'default'. KILL and STOP can't be handled (EINVAL). */
  onSignal(signal: Signal, action: (() => void) | 'ignore' | 'default'): void;
  setProcessGroup(pid: number, processGroup: number): void;

  /** Waits in virtual time; rejects with ErrnoError EINTR when a handled signal comes, with ProcessExit on a fatal one. */
  sleep(delayMs: number): Promise<void>;
  /** Waits for something outside the kernel so that signals can interrupt it (as `sleep`). */
  interruptible<T>(wait: Promise<T>): Promise<T>;
  /**
   * Charges virtual CPU time. Cheap to call often: it really waits only when about a millisecond has gathered,
   * so that endless loops cost time and can be stopped.
   */
  cpu(costMs: number): Promise<void> | undefined;
  /** Whether it has a capability: root has those that its container left it. */
  can(capability: Capability): boolean;
  /** What it can have at most: a file with capabilities gives no others. */
  readonly bounding: ReadonlySet<Capability>;
  /** getrlimit(2), of all at once; inherited by children. NOFILE, FSIZE and NPROC act; the others only stand there. */
  readonly limits: ResourceLimits;
  /** setrlimit(2), for itself and later children. Throws EINVAL (soft beyond hard), EPERM (raising a hard limit). */
  setLimit(resource: Resource, limit: ResourceLimit): void;
  /** Resident memory from now on, for ps, /proc and the cgroup's limit: beyond that the OOM killer comes. */
  useMemory(sizeBytes: number): void;
}

/** Thrown out of system calls of a process that has ended or called exit; only the kernel catches it. It carries no stack. */
export class ProcessExit extends Error {
  readonly status: WaitStatus;
  constructor(status: WaitStatus) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super('process ended');
    Error.stackTraceLimit = stackTraceLimit;
    this.status = status;
  }
}
