// Puts a kernel together: one machine's processes, mounts, terminals, modules and services.
import { ErrnoError, type NetworkNamespace, type SocketOwner } from '../../network/index.ts';
import { disposable, type Clock, type Random } from '../../simulation/index.ts';
import { describe, SocketDescription } from './adapted-description.ts';
import { ALL_CAPABILITIES } from './capability.ts';
import { Cgroup, SharedCharges, type CgroupLimits } from './cgroup.ts';
import { bootLines } from './boot-log.ts';
import { descendants, makeCgroupFiles } from './cgroup-files.ts';
import { makeDevices } from './devices.ts';
import type { FileSystemView } from './file-system.ts';
import type { FileSystemTree } from './file-tree.ts';
import type {
  CgroupUsage,
  FileSystemUsage,
  Kernel,
  KernelMessage,
  Namespaces,
  ProcessInfo,
  ServiceSocket,
  StartOptions,
  Task,
} from './kernel.ts';
import { initialLimits } from './limits.ts';
import { LinkLog } from './link-log.ts';
import type { MemoryTree } from './memory-tree.ts';
import type { KeptTmpfs, Mount, NewMount, TmpfsVolume } from './mount.ts';
import { containerMounts, machineMounts, MountCalls, type OwnTrees } from './mount-calls.ts';
import type { NamespaceChanges, NamespaceKind } from './namespaces.ts';
import { MountTable } from './mount-table.ts';
import { Modules } from './modules.ts';
import { reclaim } from './oom-killer.ts';
import type { OpenFile } from './open-file.ts';
import { PathView } from './path-view.ts';
import { PidNamespace, PidNumbers } from './pid-namespace.ts';
import { PipeBuffer } from './pipe.ts';
import { makeProc } from './proc.ts';
import { PLAIN_SYSCTLS, plainValue } from './proc-sys.ts';
import { describeProcess } from './process-info.ts';
import { ProcessTable, nameOf } from './process-table.ts';
import type { Credentials, Process, Signal } from './process.ts';
import { Pty } from './pty.ts';
import { RingBuffer } from './ring-buffer.ts';
import { ServiceTable } from './service-table.ts';
import { seenFrom, seenPrototype } from './seen-kernel.ts';
import { makeSys } from './sys.ts';
import { makeTmpfs } from './trees.ts';
import type { TtyMaster, WindowSize } from './tty.ts';
import type { BuiltIn } from './vnode.ts';
import { VirtualProcess, type Surroundings } from './virtual-process.ts';
import { WatchList } from './watch-list.ts';

const MEMORY_BYTES_DEFAULT = 4 * 1024 ** 3;
const ROOT: Credentials = { uid: 0, gid: 0, groups: [0] };
/** Between two lines of the boot's log. */
const BOOT_LINE_MS = 0.004;
/** Where a booted machine's process ids have got to. */
const PIDS_AT_BOOT = 900;

export interface KernelOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly net: NetworkNamespace;
  readonly hostname: string;
  /** What is mounted at /. */
  readonly root: FileSystemTree;
  readonly rootType?: Mount['type'];
  readonly rootSource?: string;
  readonly release?: string | undefined;
  /** When the machine booted, if that was before now (a reopened workspace). */
  readonly bootMs?: number;
  readonly systemUuid?: string;
  /** Of that boot; drawn from `random` if absent. */
  readonly bootId?: string;
  readonly cpuCount?: number;
  readonly memoryBytes?: number;
  readonly modules?: readonly string[];
  readonly keptTmpfs?: KeptTmpfs;
  /** argv of process 1. */
  readonly init?: readonly string[];
  /** Told of a program that threw something; its process dies. */
  readonly onFault: (error: unknown, process: Process) => void;
}

export function makeKernel(options: KernelOptions): Kernel {
  return new MachineKernel(options);
}

export class MachineKernel implements Kernel {
  readonly clock: Clock;
  readonly random: Random;
  readonly release: string;
  readonly bootMs: number;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly net: NetworkNamespace;
  /** uname -v. */
  readonly version = '#1 SMP Mon Oct 19 16:18:59 UTC 2020';
  readonly bootId: string;
  readonly systemUuid: string;
  readonly sysctls = new Map(Object.entries(PLAIN_SYSCTLS));
  readonly terminals = new Map<number, Pty>();
  readonly moduleTable: Modules;
  readonly table: ProcessTable;
  readonly pids = new PidNamespace(undefined);
  readonly mounts: MountTable;
  readonly init: VirtualProcess;
  private readonly uts: { hostname: string };
  private readonly devices: ReturnType<typeof makeDevices>;
  private readonly ownTrees: OwnTrees;
  private readonly mountCalls: MountCalls;
  readonly cgroups = new Cgroup('', undefined);
  private readonly sharedCharges = new WeakMap<MemoryTree, SharedCharges>();
  private readonly ring: RingBuffer;
  private readonly keptTmpfs: KeptTmpfs | undefined;
  private readonly services: ServiceTable;
  private readonly sysctlListeners = new Set<(name: string, value: string) => void>();
  private readonly seenPrototype = seenPrototype(this);
  private nextAnonymousInode = 10_000;

  constructor(options: KernelOptions) {
    const { clock, random } = options;
    this.clock = clock;
    this.ring = new RingBuffer(clock);
    this.random = random;
    this.net = options.net;
    this.release = options.release ?? '3.10.0-1160.el7.x86_64';
    this.bootMs = options.bootMs ?? clock.now();
    this.cpuCount = options.cpuCount ?? 2;
    this.memoryBytes = options.memoryBytes ?? MEMORY_BYTES_DEFAULT;
    this.uts = { hostname: options.hostname };
    this.bootId = options.bootId ?? random.fork('boot-id').uuid();
    this.systemUuid = options.systemUuid ?? random.fork('system-uuid').uuid();
    this.moduleTable = new Modules();
    this.table = new ProcessTable({
      clock,
      random,
      watches: new WatchList(clock),
      printk: (text, severity) => this.printk(text, severity),
      oom: this,
      cpuCount: this.cpuCount,
      surroundings: (parent, changes) => this.changeNamespaces(parent, changes),
      onFault: options.onFault,
      builtIn: (name) => this.builtIn(name),
    });
    this.devices = makeDevices(clock, random.fork('devices'), this.terminals);
    this.ownTrees = {
      now: () => clock.now(),
      proc: makeProc(this),
      sys: makeSys(this),
      dev: this.devices.tree,
      cgroup: makeCgroupFiles(this),
      count: (tmpfs) => this.countShared(tmpfs),
      release: (tmpfs) => this.sharedCharges.get(tmpfs)?.release(),
    };
    const root: Mount = {
      target: '/',
      source: options.rootSource ?? '/dev/sda1',
      type: options.rootType ?? 'xfs',
      tree: options.root,
    };
    this.mounts = new MountTable([root, ...machineMounts(this.ownTrees, this.memoryBytes / 2)]);
    this.init = this.makeInit(
      options.init ?? ['/usr/lib/systemd/systemd', '--switched-root', '--system', '--deserialize', '22'],
    );
    this.mountCalls = new MountCalls(this.mounts, this.pids, this.ownTrees, this.memoryBytes);
    this.keptTmpfs = options.keptTmpfs;
    for (const { volume, tree } of this.keptTmpfs?.list() ?? [])
      if (this.files.exists(volume.target)) this.mount(volumeMount(volume, tree));
    this.services = new ServiceTable(this.files, this.mounts);
    this.pids.skipTo(PIDS_AT_BOOT);
    this.moduleTable.onChanged(() => this.followBridgeNetfilter());
    this.tellBoot();
    this.moduleTable.printk = (text) => this.printk(text);
    for (const name of options.modules ?? []) this.moduleTable.insert(name);
    this.followBridgeNetfilter();
    new LinkLog(this.net, (text) => this.printk(text));
  }

  /** What the kernel says first. A boot takes no time here; the lines are microseconds apart. */
  private tellBoot(): void {
    const root = this.mounts.list()[0]!;
    const lines = bootLines({
      release: this.release,
      version: this.version,
      commandLine: this.commandLine,
      memoryBytes: this.memoryBytes,
      cpuCount: this.cpuCount,
      diskBytes: root.tree.usage().totalBytes,
      rootType: root.mount.type,
    });
    for (const [index, text] of lines.entries())
      this.ring.write(text, undefined, this.bootMs + index * BOOT_LINE_MS);
  }

  /** max_threads / 2: kernel/fork.c, set_max_threads. */
  private get processesMax(): number {
    return Math.floor((this.memoryBytes / 8 / 16_384 / 2) * 0.92);
  }

  /** /proc/cmdline. */
  get commandLine(): string {
    return `BOOT_IMAGE=/vmlinuz-${this.release} root=/dev/sda1 ro crashkernel=auto rhgb quiet LANG=en_US.UTF-8`;
  }

  /** br_netfilter brings the net.bridge parameters and takes them away. */
  private followBridgeNetfilter(): void {
    if (this.modules.has('br_netfilter')) this.net.sysctls.loadBridgeNetfilter();
    else this.net.sysctls.unloadBridgeNetfilter();
  }

  private makeInit(argv: readonly string[]): VirtualProcess {
    const init = this.table.add({
      table: this.table,
      numbers: new PidNumbers(this.pids),
      parent: undefined,
      surroundings: {
        pids: this.pids,
        mounts: this.mounts,
        net: this.net,
        uts: this.uts,
        cgroupRoot: this.cgroups,
        ipc: {},
        kernel: this,
      },
      argv,
      command: nameOf(argv[0] ?? 'init'),
      env: new Map(),
      cwd: this.mounts.root,
      umask: 0o022,
      credentials: ROOT,
      bounding: ALL_CAPABILITIES,
      cgroup: this.requireCgroup('/init.scope'),
      oomScoreAdj: -1000,
      limits: initialLimits(this.processesMax),
    });
    this.table.newSession(init, undefined);
    this.table.numberFirstNamespaces(init);
    return init;
  }

  // ── Machine ──

  get hostname(): string {
    return this.uts.hostname;
  }
  set hostname(name: string) {
    this.uts.hostname = name;
  }
  hostnameOf(pid: number): string {
    return this.pids.processes.get(pid)?.surroundings.uts.hostname ?? this.hostname;
  }
  get files(): FileSystemView {
    return this.init.fs;
  }

  filesOf(mounts: readonly Mount[]): FileSystemView {
    const table = new MountTable(mounts);
    return new PathView({
      process: this.init,
      mounts: table,
      cwdPlace: table.root,
      credentials: ROOT,
      umask: 0,
      can: () => true,
      isRunning: (node) => this.table.isRunning(node),
      watches: this.table.watches,
      now: () => this.clock.now(),
      enter: () => undefined,
      adopt: (description) => description,
      builtIn: (name) => this.builtIn(name),
    });
  }

  builtIn(name: string): BuiltIn | undefined {
    for (const { tree } of this.mounts.list()) {
      const found = tree.builtIn?.(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // ── Processes ──

  start(options: StartOptions): Task {
    const surroundings = this.surroundingsFor(options.namespaces ?? {});
    const cgroup = this.cgroupFor(options.namespaces ?? {});
    this.table.requireRoom(cgroup);
    const process = this.makeProcess(options, surroundings, cgroup);
    let found: ReturnType<ProcessTable['executable']>;
    try {
      if (options.cwd !== undefined) process.chdir(options.cwd);
      found = this.table.find(process, options);
    } catch (error) {
      this.table.discard(process);
      throw error;
    }
    process.argv = found.argv;
    process.command = found.command;
    process.executablePath = found.path;
    this.table.setImage(process, found.image);
    const ended = new Promise<NonNullable<VirtualProcess['status']>>((resolve) => process.onEnd(resolve));
    this.table.begin(process, found.program);
    return { pid: process.numbers.in(this.pids), process, ended };
  }

  private makeProcess(options: StartOptions, surroundings: Surroundings, cgroup: Cgroup): VirtualProcess {
    const process = this.table.add({
      table: this.table,
      numbers: new PidNumbers(surroundings.pids),
      parent: this.init,
      surroundings,
      argv: options.argv,
      command: '',
      env: options.env ?? new Map(),
      cwd: surroundings.mounts.root,
      umask: 0o022,
      credentials: options.credentials ?? ROOT,
      bounding: options.capabilities ?? ALL_CAPABILITIES,
      cgroup,
      oomScoreAdj: options.oomScoreAdj ?? 0,
      limits: options.limits === undefined ? this.init.limits : { ...this.init.limits, ...options.limits },
    });
    const pty = options.tty?.tty;
    this.table.newSession(process, pty instanceof Pty ? pty : undefined);
    const slave = pty instanceof Pty ? pty.openSlave() : undefined;
    const [stdin, stdout, stderr] =
      options.stdio ?? (slave === undefined ? this.nullStdio() : [slave, slave, slave]);
    process.inherit(
      new Map([
        [0, stdin],
        [1, stdout],
        [2, stderr],
      ]),
    );
    return process;
  }

  private nullStdio(): readonly [OpenFile, OpenFile, OpenFile] {
    const file = this.nullFile();
    return [file, file, file];
  }

  private surroundingsFor(namespaces: Namespaces): Surroundings {
    const joined =
      typeof namespaces.pid === 'object'
        ? this.require(namespaces.pid.of).surroundings
        : this.init.surroundings;
    const shared = namespaces.shareOf === undefined ? joined : this.require(namespaces.shareOf).surroundings;
    const pids = namespaces.pid === 'new' ? new PidNamespace(this.pids) : joined.pids;
    const isNew = namespaces.hostname !== undefined;
    const uts = isNew ? { hostname: namespaces.hostname! } : shared.uts;
    return {
      pids,
      mounts: namespaces.mounts === undefined ? joined.mounts : new MountTable(namespaces.mounts),
      net: namespaces.net ?? joined.net,
      uts,
      ipc: isNew ? {} : shared.ipc,
      cgroupRoot: namespaces.newCgroupNamespace === true ? this.cgroupFor(namespaces) : joined.cgroupRoot,
      kernel: this.kernelFor(pids, uts, joined),
    };
  }

  /** setns(2) and unshare(2). */
  private changeNamespaces(parent: VirtualProcess, { enter, create = [] }: NamespaceChanges): Surroundings {
    if (!parent.can('SYS_ADMIN')) throw new ErrnoError('EPERM');
    const own = parent.surroundings;
    const target = enter === undefined ? parent : own.pids.processes.get(enter.of);
    if (target === undefined) throw new ErrnoError('ESRCH');
    const from = (kind: NamespaceKind): Surroundings =>
      enter?.kinds.includes(kind) === true ? target.surroundings : own;
    const pids = create.includes('pid') ? new PidNamespace(from('pid').pids) : from('pid').pids;
    const uts = create.includes('uts') ? { ...from('uts').uts } : from('uts').uts;
    const mounts = from('mnt').mounts;
    return {
      pids,
      uts,
      mounts: create.includes('mnt') ? new MountTable(mounts.list().map(({ mount }) => mount)) : mounts,
      net: from('net').net,
      ipc: create.includes('ipc') ? {} : from('ipc').ipc,
      cgroupRoot: create.includes('cgroup') ? parent.cgroup : from('cgroup').cgroupRoot,
      kernel: this.kernelFor(pids, uts, target.surroundings),
    };
  }

  /** The kernel as seen from a pid and a uts namespace: that of a neighbour where both are the same. */
  private kernelFor(pids: PidNamespace, uts: { hostname: string }, neighbour: Surroundings): Kernel {
    for (const { pids: theirs, uts: theirUts, kernel } of [neighbour, this.init.surroundings])
      if (theirs === pids && theirUts === uts) return kernel;
    return seenFrom(this.seenPrototype, pids, uts);
  }

  /** The group that a process from outside is put into: one by its path, that of who it joins, or init's. */
  private cgroupFor({ cgroup, cgroupLimits, pid }: Namespaces): Cgroup {
    if (cgroup === undefined)
      return typeof pid === 'object' ? this.require(pid.of).cgroup : this.requireCgroup('/system.slice');
    const group = this.requireCgroup(cgroup);
    if (cgroupLimits !== undefined) group.setLimits(cgroupLimits);
    return group;
  }

  /** The group at a path, made with those above it if need be. */
  requireCgroup(path: string): Cgroup {
    let at = this.cgroups;
    for (const name of path.split('/')) if (name !== '') at = at.require(name);
    return at;
  }

  private countShared(tmpfs: MemoryTree): MemoryTree {
    if (tmpfs.charge !== undefined) return tmpfs;
    const charges = new SharedCharges();
    this.sharedCharges.set(tmpfs, charges);
    tmpfs.charge = (bytes) => {
      const by = this.table.current;
      charges.account(bytes, by?.cgroup ?? this.cgroups);
      if (bytes > 0 && by !== undefined) this.table.checkMemory(by);
    };
    return tmpfs;
  }

  private findCgroup(path: string): Cgroup | undefined {
    let at: Cgroup | undefined = this.cgroups;
    for (const name of path.split('/')) if (name !== '') at = at?.child(name);
    return at;
  }

  /** How many groups there are below the root. */
  countCgroups(): number {
    return descendants(this.cgroups);
  }

  cgroupUsage(path = '/'): CgroupUsage | undefined {
    const found = this.findCgroup(path);
    if (found === undefined) return undefined;
    const { cpuMs, memoryBytes, processes } = found;
    return { cpuMs, memoryBytes, processes };
  }

  setCgroupLimits(path: string, limits: CgroupLimits): void {
    const group = this.requireCgroup(path);
    group.setLimits(limits);
    reclaim(this, group);
  }

  oomKills(path: string): number {
    return this.findCgroup(path)?.oomKills ?? 0;
  }

  removeCgroup(path: string): void {
    const group = this.findCgroup(path);
    if (group?.parent !== undefined && group.isEmpty) group.parent.remove(group.name);
  }

  private require(pid: number): VirtualProcess {
    const process = this.pids.processes.get(pid);
    if (process === undefined) throw new ErrnoError('ESRCH');
    return process;
  }

  kill(pid: number, signal: Signal): void {
    this.require(pid).deliver(signal);
  }

  process(pid: number): Process | undefined {
    return this.pids.processes.get(pid);
  }

  socketHolder(owner: SocketOwner): { pid: number; process: Process } | undefined {
    return this.holderSeenFrom(this.pids, owner);
  }

  holderSeenFrom(pids: PidNamespace, owner: SocketOwner): { pid: number; process: Process } | undefined {
    const process = this.pids.processes.get(owner.pid);
    const pid = process?.numbers.in(pids) ?? 0;
    return process === undefined || pid === 0 ? undefined : { pid, process };
  }

  listProcesses(viewer?: Process): ProcessInfo[] {
    const pids = viewer instanceof VirtualProcess ? viewer.surroundings.pids : this.pids;
    return Array.from(pids.processes.entries())
      .sort(([a], [b]) => a - b)
      .map(([pid, process]) => describeProcess(pid, process, viewer, pids));
  }

  // ── Files ──

  openTty(size: WindowSize): TtyMaster {
    let index = 0;
    while (this.terminals.has(index)) index++;
    const pty = new Pty(index, size, this.clock.now(), this.table, () => this.terminals.delete(index));
    this.terminals.set(index, pty);
    return pty.master;
  }

  pipe(): { readonly reader: OpenFile; readonly writer: OpenFile } {
    const buffer = new PipeBuffer(this.nextAnonymousInode++, this.clock.now());
    return { reader: buffer.open(false, true), writer: buffer.open(true, false) };
  }

  closeFile(file: OpenFile): void {
    const description = describe(file);
    if (description.references === 0) description.close();
  }

  nullFile(): OpenFile {
    return this.devices.nullFile();
  }

  socketFile(stream: Parameters<Kernel['socketFile']>[0]): OpenFile {
    return new SocketDescription(stream, this.nextAnonymousInode++, this.clock.now());
  }

  listMounts(viewer?: Process): Mount[] {
    return this.mountCalls.list(viewer);
  }
  mount(mount: Mount, caller?: Process): void {
    this.mountCalls.mount(mount, caller);
  }
  unmount(target: string, caller?: Process): void {
    this.mountCalls.unmount(target, caller);
    if (!this.isMounted(target)) this.keptTmpfs?.drop(target);
  }
  mountNew(request: NewMount, caller?: Process): void {
    this.mountCalls.mountNew(request, caller);
  }
  mountVolume(volume: TmpfsVolume): void {
    const tree =
      this.keptTmpfs?.open(volume) ??
      makeTmpfs({ ...volume, id: `tmpfs:${volume.target}`, now: () => this.clock.now() });
    this.mount(volumeMount(volume, tree));
  }
  isMounted(target: string): boolean {
    return this.mounts.at(target) !== undefined;
  }
  remount(target: string, readOnly: boolean, caller?: Process): void {
    this.mountCalls.remount(target, readOnly, caller);
  }
  bindMounts(
    from: string,
    target: string,
    options: { readonly readOnly?: boolean; readonly caller?: Process } = {},
  ): Mount[] {
    return this.mountCalls.bind(from, target, options.readOnly === true, options.caller);
  }
  usage(path: string, viewer?: Process): FileSystemUsage {
    return this.mountCalls.usage(path, viewer);
  }
  containerMounts(privileged = false): Mount[] {
    return containerMounts(this.ownTrees, privileged);
  }

  // ── Messages, modules, services ──

  setSysctl(name: string, value: string, caller?: Process): void {
    const net = caller?.net ?? this.net;
    const previous = this.sysctls.get(name);
    if (previous === undefined) net.sysctls.set(name, value);
    else this.setPlain(name, plainValue(name, previous, value));
    if (previous === undefined && net !== this.net) return;
    for (const listener of Array.from(this.sysctlListeners)) listener(name, value);
  }

  private setPlain(name: string, value: string): void {
    this.sysctls.set(name, value);
    if (name === 'kernel.pid_max') this.pids.pidMax = Number(value);
    if (name === 'kernel.threads-max') this.table.processesMax = Number(value);
  }

  onSysctl(listener: (name: string, value: string) => void): Disposable {
    const own = (name: string, value: string): void => listener(name, value);
    this.sysctlListeners.add(own);
    return disposable(() => this.sysctlListeners.delete(own));
  }

  powerOff(): void {
    this.ring.silence();
    for (const process of Array.from(this.pids.processes.values())) {
      if (process !== this.init) process.end({ kind: 'signaled', signal: 'SIGKILL' });
    }
    for (const pty of Array.from(this.terminals.values())) pty.master[Symbol.dispose]();
  }

  printk(text: string, severity?: number): void {
    this.ring.write(text, severity);
  }
  get messages(): readonly KernelMessage[] {
    return this.ring.messages;
  }
  onMessage(listener: (message: KernelMessage) => void): Disposable {
    return this.ring.onMessage(listener);
  }

  get modules(): ReadonlySet<string> {
    return this.moduleTable.names;
  }
  moduleDependencies(name: string): readonly string[] | undefined {
    return this.moduleTable.dependencies(name);
  }
  listModules() {
    return this.moduleTable.list();
  }
  loadModule(name: string): void {
    this.moduleTable.load(name);
  }
  unloadModule(name: string): void {
    this.moduleTable.unload(name);
  }
  onModulesChanged(changed: () => void): Disposable {
    return this.moduleTable.onChanged(changed);
  }

  listServices(): { readonly path: string; readonly inode: number }[] {
    return this.services.list();
  }
  bindService<Service>(socket: ServiceSocket<Service>, service: Service): Disposable {
    return this.services.bind(socket, service);
  }
  connectService<Service>(socket: ServiceSocket<Service>): Service {
    return this.services.connect(socket);
  }
}

function volumeMount({ target }: TmpfsVolume, tree: FileSystemTree): Mount {
  return { target, source: 'tmpfs', type: 'tmpfs', tree };
}
