// One process: its descriptors, children, signals and waits.
import type { NetworkNamespace, SocketOwner } from '../../network/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { Capability, CapabilitySet } from './capability.ts';
import type { Cgroup } from './cgroup.ts';
import type { Description } from './description.ts';
import { DescriptorTable } from './descriptor-table.ts';
import { quiet } from './file-handle.ts';
import type { Kernel } from './kernel.ts';
import { withLimit, type Resource, type ResourceLimit, type ResourceLimits } from './limits.ts';
import { currentPath, type Mounted, type MountTable, type Place } from './mount-table.ts';
import type { OpenFile } from './open-file.ts';
import { PathView, type MountedView, type Viewer } from './path-view.ts';
import type { PidNamespace, PidNumbers } from './pid-namespace.ts';
import type { ProcessGroup } from './process-group.ts';
import type { ProcessTable } from './process-table.ts';
import { ProcessWaits, type WaitHost } from './process-waits.ts';
import {
  ProcessExit,
  type Child,
  type Credentials,
  type Process,
  type Program,
  type Signal,
  type SpawnOptions,
  type WaitStatus,
} from './process.ts';
import { defaultDisposition } from './signals.ts';
import type { Tty } from './tty.ts';
import type { BuiltIn, Vnode } from './vnode.ts';
import { WaitQueue } from './wait-queue.ts';

/** CPU time of fork and exec, and of a system call on a path, in ms. */
const SPAWN_COST_MS = 0.4;
const PATH_COST_MS = 0.001;

/**
 * What one process may hold of its input. Differs: a real machine has as much as its memory; here these bytes are
 * real ones of the host, so the OOM killer comes earlier.
 */
const KEPT_BYTES_MAX = 256 * 1024 ** 2;

/** What a program holds that hasn't said otherwise. */
const INITIAL_BYTES = 4 * 1024 ** 2;

export type SignalAction = (() => void) | 'ignore' | 'default';

/** The namespaces a process lives in; shared by its children. */
export interface Surroundings {
  readonly pids: PidNamespace;
  readonly mounts: MountTable;
  readonly net: NetworkNamespace;
  readonly uts: { hostname: string };
  /** Nothing but which ipc namespace it is. */
  readonly ipc: object;
  /** Where its cgroup namespace begins. */
  readonly cgroupRoot: Cgroup;
  /** The kernel as seen from the pid and uts namespaces. */
  readonly kernel: Kernel;
}

export interface ProcessSetup {
  readonly table: ProcessTable;
  readonly numbers: PidNumbers;
  readonly parent: VirtualProcess | undefined;
  readonly surroundings: Surroundings;
  readonly argv: readonly string[];
  readonly command: string;
  readonly env: ReadonlyMap<string, string>;
  readonly cwd: Place;
  readonly umask: number;
  readonly credentials: Credentials;
  readonly limits: ResourceLimits;
  readonly bounding: CapabilitySet;
  readonly cgroup: Cgroup;
  readonly oomScoreAdj: number;
}

interface WaitOptions {
  readonly untraced?: boolean;
  readonly continued?: boolean;
}

interface WaitAnyOptions extends WaitOptions {
  readonly noHang?: boolean;
}

export class VirtualProcess implements Process, Viewer, WaitHost {
  readonly table: ProcessTable;
  readonly numbers: PidNumbers;
  readonly surroundings: Surroundings;
  readonly env: Map<string, string>;
  readonly children = new Set<VirtualProcess>();
  readonly childrenChanged = new WaitQueue();
  readonly startMs: number;
  argv: readonly string[];
  command: string;
  executablePath: string | undefined;
  /** The file it runs. Set by the process table, which counts them. */
  image: Vnode | undefined;
  credentials: Credentials;
  limits: ResourceLimits;
  /** The capabilities that it and its descendants can have at most. */
  readonly bounding: CapabilitySet;
  /** Changed with the table's `moveTo`. */
  cgroup: Cgroup;
  oomScoreAdj: number;
  umask: number;
  parent: VirtualProcess | undefined;
  group: ProcessGroup | undefined;
  cpuMs = 0;
  /** That of the children it has waited for. */
  childCpuMs = 0;
  memoryBytes = INITIAL_BYTES;
  peakBytes = INITIAL_BYTES;
  /** /proc/PID/io. */
  readonly calls = { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0 };
  private keptBytes = 0;
  /** How it ended; a zombie from then until its parent waits. */
  status: WaitStatus | undefined;
  stopped = false;
  /** The stop, or the going on after one, that the parent hasn't been told of. */
  untold: WaitStatus | undefined;
  cwdPlace: Place;
  private view: MountedView | undefined;
  private readonly descriptors = new DescriptorTable(this);
  private readonly waits = new ProcessWaits(this);
  private readonly actions = new Map<Signal, SignalAction>();
  private pendingSignals: Signal[] = [];
  private readonly endListeners: ((status: WaitStatus) => void)[] = [];
  /** Hands the next program to whoever runs this one. */
  private replaceImage: ((program: Program) => void) | undefined;
  /** Made when somebody asks for the signal; most programs never do. */
  private abort: AbortController | undefined;

  constructor(setup: ProcessSetup) {
    this.table = setup.table;
    this.numbers = setup.numbers;
    this.parent = setup.parent;
    this.surroundings = setup.surroundings;
    this.argv = setup.argv;
    this.command = setup.command;
    this.env = new Map(setup.env);
    this.cwdPlace = setup.cwd;
    this.umask = setup.umask;
    this.credentials = setup.credentials;
    this.limits = setup.limits;
    this.bounding = setup.bounding;
    this.cgroup = setup.cgroup;
    this.oomScoreAdj = setup.oomScoreAdj;
    this.startMs = this.clock.now();
  }

  // ── Who it is ──

  get process(): Process {
    return this;
  }
  get pid(): number {
    return this.numbers.in(this.surroundings.pids);
  }
  get parentPid(): number {
    return this.parent?.numbers.in(this.surroundings.pids) ?? 0;
  }
  get processGroup(): number {
    return this.group?.numbers.in(this.surroundings.pids) ?? 0;
  }
  get session(): number {
    return this.group?.session.numbers.in(this.surroundings.pids) ?? 0;
  }
  get fs(): MountedView {
    return (this.view ??= new PathView(this));
  }
  get cwd(): string {
    return currentPath(this.cwdPlace) ?? this.cwdPlace.path;
  }
  get clock(): Clock {
    return this.table.clock;
  }
  get random(): Random {
    return this.table.random;
  }
  get kernel(): Kernel {
    return this.surroundings.kernel;
  }
  get net(): NetworkNamespace {
    return this.surroundings.net;
  }
  get mounts(): MountTable {
    return this.surroundings.mounts;
  }
  get watches() {
    return this.table.watches;
  }
  get tty(): Tty | undefined {
    return this.group?.session.tty;
  }
  get socketOwner(): SocketOwner {
    return {
      pid: this.numbers.byLevel[0]!,
      command: this.command,
      uid: this.credentials.uid,
      bindsLowPorts: this.can('NET_BIND_SERVICE'),
    };
  }
  get signal(): AbortSignal {
    if (this.abort === undefined) {
      this.abort = new AbortController();
      if (this.status !== undefined) this.abort.abort(new ProcessExit(this.status));
    }
    return this.abort.signal;
  }
  get stdin(): OpenFile {
    return this.descriptors.at(0);
  }
  get stdout(): OpenFile {
    return this.descriptors.at(1);
  }
  get stderr(): OpenFile {
    return this.descriptors.at(2);
  }
  get fds(): ReadonlyMap<number, OpenFile> {
    return this.descriptors.handles;
  }

  now(): number {
    return this.clock.now();
  }
  builtIn(name: string): BuiltIn | undefined {
    return this.table.builtIn(name);
  }

  // ── Files ──

  enter(): void {
    if (this.status !== undefined) throw new ProcessExit(this.status);
    this.table.current = this;
    this.waits.charge(PATH_COST_MS);
  }

  /** Whether it has a right that its user id alone doesn't give: of root, what its bounding set leaves. */
  can(capability: Capability): boolean {
    return this.credentials.uid === 0 && this.bounding.has(capability);
  }

  /** Whether it is in a mount, or has a file of it open. */
  uses(mounted: Mounted): boolean {
    if (this.cwdPlace.mounted === mounted) return true;
    // Of a bind it can't be told which of two ways a file was reached.
    if (this.surroundings.mounts !== mounted.table || mounted.mount.root !== undefined) return false;
    return this.descriptors.any(({ node }) => node?.tree === mounted.tree);
  }

  isRunning(node: Vnode): boolean {
    return this.table.isRunning(node);
  }

  adopt(description: Description): OpenFile {
    return this.descriptors.adopt(description);
  }

  setFd(file: OpenFile, fd?: number, from = 0): number {
    this.enter();
    return this.descriptors.set(file, fd, from);
  }

  closeFd(fd: number): void {
    this.enter();
    this.descriptors.close(fd);
  }

  /** Gives the new process its descriptors. */
  inherit(fds: ReadonlyMap<number, OpenFile>): void {
    this.descriptors.inherit(fds);
  }

  setTitle(title: string): void {
    this.argv = [title];
  }

  chdir(path: string): void {
    this.enter();
    const place = this.fs.place(path);
    if (place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (!this.fs.access(path, { execute: true })) throw new ErrnoError('EACCES', path);
    this.cwdPlace = place;
  }

  setUmask(mask: number): void {
    this.enter();
    this.umask = mask & 0o777;
  }

  setLimit(resource: Resource, limit: ResourceLimit): void {
    this.enter();
    this.limits = withLimit(this.limits, resource, limit, this.can('SYS_RESOURCE'));
  }

  useMemory(sizeBytes: number): void {
    this.enter();
    this.resize(sizeBytes);
  }

  /** It holds so many bytes more (or less) of what it has read. */
  keep(bytes: number): void {
    this.enter();
    this.keptBytes += bytes;
    this.resize(this.memoryBytes + bytes);
  }

  private resize(memoryBytes: number): void {
    this.cgroup.chargeMemory(memoryBytes - this.memoryBytes);
    this.memoryBytes = memoryBytes;
    this.peakBytes = Math.max(this.peakBytes, memoryBytes);
    this.table.checkMemory(this);
    if (this.keptBytes > KEPT_BYTES_MAX && this.status === undefined) this.table.killForMemory(this);
    this.enter();
  }

  // ── Children ──

  spawn(options: SpawnOptions): Child {
    this.enter();
    this.charge(SPAWN_COST_MS);
    const child = this.table.spawn(this, options);
    let final: WaitStatus | undefined;
    const wait = async (waitOptions: WaitOptions): Promise<WaitStatus> => {
      for (;;) {
        const gate = this.gate();
        if (gate !== undefined) await gate;
        if (final !== undefined) return final;
        if (child.status !== undefined) return (final = this.reap(child));
        const change = takeChange(child, waitOptions);
        if (change !== undefined) return change;
        await this.block(this.childrenChanged);
      }
    };
    return {
      pid: child.numbers.in(this.surroundings.pids),
      wait: (waitOptions = {}) => quiet(wait(waitOptions)),
      kill: (signal) => child.deliver(signal),
    };
  }

  waitAny(options: WaitAnyOptions = {}): Promise<{ pid: number; status: WaitStatus } | undefined> {
    return quiet(this.waitForAny(options));
  }

  private async waitForAny(
    options: WaitAnyOptions,
  ): Promise<{ pid: number; status: WaitStatus } | undefined> {
    for (;;) {
      const gate = this.gate();
      if (gate !== undefined) await gate;
      if (this.children.size === 0) return undefined;
      for (const child of this.children) {
        const pid = child.numbers.in(this.surroundings.pids);
        if (child.status !== undefined) return { pid, status: this.reap(child) };
        const change = takeChange(child, options);
        if (change !== undefined) return { pid, status: change };
      }
      if (options.noHang === true) return undefined;
      await this.block(this.childrenChanged);
    }
  }

  private reap(child: VirtualProcess): WaitStatus {
    this.childCpuMs += child.cpuMs + child.childCpuMs;
    this.table.forget(child);
    return child.status!;
  }

  async exec(options: {
    readonly path: string;
    readonly argv: readonly string[];
    readonly env?: ReadonlyMap<string, string>;
  }): Promise<number> {
    this.enter();
    const found = this.table.executable(this, options.path, options.argv);
    if (options.env !== undefined) {
      const env = Array.from(options.env);
      this.env.clear();
      for (const [name, value] of env) this.env.set(name, value);
    }
    this.argv = found.argv;
    this.command = found.command;
    this.executablePath = found.path;
    this.table.setImage(this, found.image);
    const { uid, gid, groups } = this.credentials;
    const real = found.setUid === undefined ? {} : { realUid: uid };
    this.credentials = { uid: found.setUid ?? uid, gid: found.setGid ?? gid, groups, ...real };
    for (const [signal, action] of Array.from(this.actions))
      if (action !== 'ignore') this.actions.delete(signal);
    this.charge(SPAWN_COST_MS);
    this.replaceImage?.(found.program);
    return new Promise(() => undefined); // The caller is gone from memory, with all that waited for it.
  }

  // ── Signals ──

  kill(pid: number, signal: Signal): void {
    this.enter();
    this.table.kill(this, pid, signal);
    this.enter();
  }

  onSignal(signal: Signal, action: SignalAction): void {
    if (signal === 'SIGKILL' || signal === 'SIGSTOP') throw new ErrnoError('EINVAL');
    if (action === 'default') this.actions.delete(signal);
    else this.actions.set(signal, action);
  }

  ignores(signal: Signal): boolean {
    return this.actions.get(signal) === 'ignore';
  }
  ignoredSignals(): Signal[] {
    return Array.from(this.actions.keys()).filter((signal) => this.ignores(signal));
  }
  caughtSignals(): Signal[] {
    return Array.from(this.actions.keys()).filter((signal) => !this.ignores(signal));
  }

  /** Those that a stopped process will see when it goes on. */
  waitingSignals(): readonly Signal[] {
    return this.pendingSignals;
  }

  setProcessGroup(pid: number, processGroup: number): void {
    this.enter();
    this.table.setProcessGroup(this, pid, processGroup);
  }

  /** Does to the process what the signal does. Nothing to one that has ended. */
  deliver(signal: Signal): void {
    if (this.status !== undefined) return;
    const { pids } = this.surroundings;
    const isRootInit = this === pids.init && pids.parent === undefined;
    if (isRootInit && (signal === 'SIGKILL' || signal === 'SIGSTOP')) return; // Nothing kills a machine's init.
    if (signal === 'SIGKILL') return this.end({ kind: 'signaled', signal });
    if (signal === 'SIGCONT') this.resume();
    const action = this.actions.get(signal) ?? 'default';
    if (action === 'ignore' && signal !== 'SIGSTOP') return;
    if (action !== 'default' && action !== 'ignore') return this.handle(signal, action);
    const disposition = defaultDisposition(signal);
    if (disposition === 'stop') {
      if (signal !== 'SIGSTOP' && this.group?.orphaned === true) return;
      this.stop(signal);
    } else if (disposition === 'terminate' && this !== this.surroundings.pids.init) {
      // An init without a handler is spared (SIGNAL_UNKILLABLE).
      if (this.stopped) this.pendingSignals.push(signal);
      else this.end({ kind: 'signaled', signal });
    }
  }

  private handle(signal: Signal, action: () => void): void {
    if (this.stopped) {
      this.pendingSignals.push(signal);
      return;
    }
    action();
    this.waits.interrupt();
  }

  private stop(signal: Signal): void {
    if (this.stopped) return;
    this.stopped = true;
    this.untold = { kind: 'stopped', signal };
    this.table.tellParent(this);
  }

  private resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.untold = { kind: 'continued', signal: 'SIGCONT' };
    this.table.tellParent(this);
    const pending = this.pendingSignals;
    this.pendingSignals = [];
    for (const signal of pending) this.deliver(signal);
    this.waits.resume();
  }

  /** Runs the program, and those that replace it, to the end. */
  async run(program: Program): Promise<void> {
    let image: Program | undefined = program;
    while (image !== undefined) image = await this.runImage(image);
  }

  /** Settles with the program that replaced this one, or with undefined when the process has ended. */
  private runImage(program: Program): Promise<Program | undefined> {
    return new Promise((resolve) => {
      this.replaceImage = resolve;
      void this.runToEnd(program).then(() => resolve(undefined));
    });
  }

  private async runToEnd(program: Program): Promise<void> {
    try {
      const exitCode = await program(this);
      const gate = this.gate();
      if (gate !== undefined) await gate;
      this.end({ kind: 'exited', exitCode: exitCode & 0xff });
    } catch (error) {
      if (error instanceof ProcessExit) {
        this.end(error.status);
      } else {
        if (this.status === undefined) this.table.fault(this, error);
        this.end({ kind: 'signaled', signal: 'SIGSEGV' });
      }
    }
  }

  /** Ends the process at once: its waits reject, its files close, its parent hears of it. */
  end(status: WaitStatus): void {
    if (this.status !== undefined) return;
    this.status = status;
    this.stopped = false;
    this.abort?.abort(new ProcessExit(status));
    this.waits.kill();
    this.descriptors.closeAll();
    this.table.ended(this);
    for (const ended of this.endListeners) ended(status);
  }

  /** Calls back when it has ended. */
  onEnd(ended: (status: WaitStatus) => void): void {
    this.endListeners.push(ended);
  }

  // ── Waits ──

  get running(): boolean {
    return this.waits.running;
  }

  spend(costMs: number): void {
    this.cpuMs += costMs;
    this.table.cpuMs += costMs;
    this.table.load.spend(costMs, this.clock.now());
    this.cgroup.spend(costMs);
  }

  throttleMs(costMs: number): number {
    return this.cgroup.throttleMs(costMs, this.clock.now());
  }

  charge(costMs: number): void {
    this.waits.charge(costMs);
  }

  cpu(costMs: number): Promise<void> | undefined {
    this.waits.charge(costMs);
    return this.waits.gate();
  }

  gate(): Promise<void> | undefined {
    return this.waits.gate();
  }

  block(queue: WaitQueue): Promise<void> {
    return this.waits.block(queue);
  }

  sleep(delayMs: number): Promise<void> {
    return quiet(this.waits.sleep(delayMs));
  }

  interruptible<T>(wait: Promise<T>): Promise<T> {
    return quiet(this.waits.interruptible(wait));
  }
}

/** What there is to tell of a child that lives, if that is what is wanted. */
function takeChange(child: VirtualProcess, { untraced, continued }: WaitOptions): WaitStatus | undefined {
  const { untold } = child;
  if (untold === undefined || (untold.kind === 'stopped' ? untraced : continued) !== true) return undefined;
  child.untold = undefined;
  return untold;
}
