// All processes of a machine: making them, finding them, signalling them, and what happens when one ends.
import { ErrnoError } from '../../network/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { Cgroup } from './cgroup.ts';
import { LoadAverage } from './load-average.ts';
import { FIRST_NUMBERS, namespacesOf, type NamespaceChanges } from './namespaces.ts';
import { checkMemory, kill, type OomHost } from './oom-killer.ts';
import type { Place } from './mount-table.ts';
import { PidNumbers, type PidNamespace } from './pid-namespace.ts';
import { ProcessGroup, Session } from './process-group.ts';
import type { Process, Program, Signal, SpawnOptions } from './process.ts';
import type { Pty, TtyJobs } from './pty.ts';
import type { BuiltIn, Vnode } from './vnode.ts';
import { VirtualProcess, type ProcessSetup, type Surroundings } from './virtual-process.ts';
import type { WatchList } from './watch-list.ts';

/** As in Linux: how deep scripts may name scripts as interpreters. */
const INTERPRETERS_MAX = 5;
const COMMAND_CHARS_MAX = 15;
const SETUID = 0o4000;
const SETGID = 0o2000;
const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What execve found. */
export interface Found {
  readonly program: Program;
  readonly argv: readonly string[];
  readonly command: string;
  readonly path: string | undefined;
  /** The file of the program that runs in the end. */
  readonly image: Vnode | undefined;
  /** Whose rights a setuid or setgid file gives. */
  readonly setUid: number | undefined;
  readonly setGid: number | undefined;
}

export interface ProcessTableOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly watches: WatchList;
  readonly printk: (text: string, severity: number) => void;
  readonly oom: OomHost;
  readonly cpuCount: number;
  /** What a child in changed namespaces lives in. Throws EPERM, ESRCH. */
  readonly surroundings: (parent: VirtualProcess, changes: NamespaceChanges) => Surroundings;
  readonly onFault: (error: unknown, process: Process) => void;
  readonly builtIn: (name: string) => BuiltIn | undefined;
}

export class ProcessTable implements TtyJobs {
  readonly clock: Clock;
  readonly random: Random;
  readonly watches: WatchList;
  readonly printk: (text: string, severity: number) => void;
  readonly builtIn: (name: string) => BuiltIn | undefined;
  readonly cpuCount: number;
  /** CPU time of all processes that ever ran. */
  cpuMs = 0;
  forks = 0;
  /** How many there are, zombies among them, and how many there may be: kernel.threads-max. */
  count = 0;
  processesMax = Infinity;
  readonly load: LoadAverage;
  /** Whose system call is being done. */
  current: VirtualProcess | undefined;
  private readonly options: ProcessTableOptions;
  private readonly namespaceNumbers = new WeakMap<object, number>();
  private lastNamespaceNumber = 4_026_532_100;
  private readonly sessions = new WeakMap<Pty, Session>();
  /** The files that processes run, with how many do. */
  private readonly images = new Map<Vnode, number>();

  constructor(options: ProcessTableOptions) {
    this.options = options;
    this.clock = options.clock;
    this.random = options.random;
    this.watches = options.watches;
    this.printk = options.printk;
    this.builtIn = options.builtIn;
    this.cpuCount = options.cpuCount;
    this.load = new LoadAverage(options.clock.now());
  }

  // ── Making ──

  /** fork(2) and execve(2) for a running process. */
  spawn(parent: VirtualProcess, options: SpawnOptions): VirtualProcess {
    this.requireRoom(parent.cgroup);
    if (this.exhausts(parent)) throw new ErrnoError('EAGAIN');
    const credentials = options.credentials ?? parent.credentials;
    if (credentials.uid !== parent.credentials.uid && !parent.can('SETUID')) throw new ErrnoError('EPERM');
    const env = options.env ?? parent.env;
    const { namespaces } = options;
    // In other namespaces other files are found: there the child looks for itself.
    const found = namespaces === undefined ? this.find(parent, { ...options, env }) : undefined;
    const surroundings =
      namespaces === undefined ? parent.surroundings : this.options.surroundings(parent, namespaces);
    const child = this.add({
      table: this,
      numbers: new PidNumbers(surroundings.pids),
      parent,
      surroundings,
      argv: options.argv,
      command: parent.command,
      env,
      cwd: surroundings.mounts === parent.mounts ? parent.cwdPlace : surroundings.mounts.root,
      umask: parent.umask,
      limits: parent.limits,
      bounding: parent.bounding,
      cgroup: parent.cgroup,
      oomScoreAdj: parent.oomScoreAdj,
      credentials,
    });
    parent.group!.join(child);
    try {
      if (options.cwd !== undefined) child.cwdPlace = directoryAt(parent, options.cwd);
      this.become(child, parent, options, found ?? this.find(child, { ...options, env }));
    } catch (error) {
      this.discard(child);
      throw error;
    }
    return child;
  }

  /** What a new child is to be: its program, descriptors, group and signals. */
  private become(child: VirtualProcess, parent: VirtualProcess, options: SpawnOptions, found: Found): void {
    const runsFile = options.program === undefined;
    child.argv = found.argv;
    child.command = found.command;
    child.executablePath = runsFile ? found.path : parent.executablePath;
    this.setImage(child, runsFile ? found.image : parent.image);
    const { uid, gid } = child.credentials;
    if (found.setUid !== undefined || found.setGid !== undefined)
      child.credentials = { ...child.credentials, uid: found.setUid ?? uid, gid: found.setGid ?? gid };
    child.inherit(options.fds ?? parent.fds);
    for (const signal of [...parent.ignoredSignals(), ...(options.ignoredSignals ?? [])])
      child.onSignal(signal, 'ignore');
    if (options.newSession === true) this.newSession(child, options.controllingTty as Pty | undefined);
    else if (options.processGroup !== undefined)
      this.moveToGroup(child, options.processGroup === 0 ? child.pid : options.processGroup);
    this.begin(child, found.program);
  }

  /** Throws EAGAIN where pids.max lets no further process in. */
  requireRoom(cgroup: Cgroup): void {
    if (this.count >= this.processesMax) throw new ErrnoError('EAGAIN');
    const full = cgroup.full();
    if (full === undefined) return;
    if (full.pidsMaxEvents++ === 0)
      this.printk(`cgroup: fork rejected by pids controller in ${full.path}`, 6);
    throw new ErrnoError('EAGAIN');
  }

  /** Whether one more process would be beyond its user's RLIMIT_NPROC, which root doesn't have. */
  private exhausts({ credentials: { uid }, limits, surroundings }: VirtualProcess): boolean {
    if (uid === 0 || limits.nproc.soft === Infinity) return false;
    let count = 0;
    for (const process of rootNamespace(surroundings.pids).processes.values())
      if (process.credentials.uid === uid) count++;
    return count >= limits.nproc.soft;
  }

  /** Enters a process into its namespaces and its parent's children. */
  add(setup: ProcessSetup): VirtualProcess {
    const process = new VirtualProcess(setup);
    this.forks++;
    this.count++;
    setup.parent?.children.add(process);
    setup.cgroup.join(process);
    const { namespace, byLevel } = setup.numbers;
    namespace.init ??= process;
    for (let at: PidNamespace | undefined = namespace; at !== undefined; at = at.parent)
      at.processes.set(byLevel[at.level]!, process);
    return process;
  }

  /** The inode number that /proc/PID/ns shows for a namespace. */
  namespaceNumber(namespace: object): number {
    const known = this.namespaceNumbers.get(namespace);
    if (known !== undefined) return known;
    this.namespaceNumbers.set(namespace, ++this.lastNamespaceNumber);
    return this.lastNamespaceNumber;
  }

  /** The namespaces of the first process have the numbers that every boot gives them. */
  numberFirstNamespaces(init: VirtualProcess): void {
    for (const [, kind, subject] of namespacesOf(init))
      this.namespaceNumbers.set(subject, FIRST_NUMBERS[kind]);
  }

  /** Takes back a process that could not be started. */
  discard(process: VirtualProcess): void {
    process.end({ kind: 'exited', exitCode: 127 });
    this.forget(process);
  }

  /** Its program runs from the next task of this instant on. */
  begin(process: VirtualProcess, program: Program): void {
    this.clock.soon(() => {
      if (process.status === undefined) void process.run(program);
    });
  }

  newSession(process: VirtualProcess, tty: Pty | undefined): void {
    const session = new Session(process, process.numbers);
    new ProcessGroup(process.numbers, session).join(process);
    if (tty === undefined) return;
    session.tty = tty;
    this.sessions.set(tty, session);
    tty.session = process.pid;
    tty.foreground = process.pid;
  }

  /** Whether a process runs the file: writing to it is ETXTBSY. */
  isRunning(node: Vnode): boolean {
    return this.images.has(node);
  }

  /** The process runs another file from now on; undefined: none any more. */
  setImage(process: VirtualProcess, image: Vnode | undefined): void {
    const previous = process.image;
    process.image = image;
    if (image !== undefined) this.images.set(image, (this.images.get(image) ?? 0) + 1);
    if (previous === undefined) return;
    const left = this.images.get(previous)! - 1;
    if (left === 0) this.images.delete(previous);
    else this.images.set(previous, left);
  }

  // ── Finding executables ──

  /** What a process from outside is to run. Throws as `executable`. */
  find(process: VirtualProcess, options: Pick<SpawnOptions, 'argv' | 'path' | 'program' | 'env'>): Found {
    return options.program === undefined
      ? this.lookup(process, options, options.env ?? process.env)
      : asFound(options.program, options.argv);
  }

  private lookup(
    process: VirtualProcess,
    options: Pick<SpawnOptions, 'argv' | 'path'>,
    env: ReadonlyMap<string, string>,
  ): Found {
    const name = options.argv[0] ?? '';
    const path =
      options.path ??
      (name.includes('/') ? name : this.search(process, name, env.get('PATH') ?? PATH_DEFAULT));
    return this.executable(process, path, options.argv);
  }

  private search(process: VirtualProcess, name: string, searchPath: string): string {
    let denied: string | undefined;
    for (const directory of searchPath.split(':')) {
      const path = `${directory === '' ? '.' : directory}/${name}`;
      if (!process.fs.exists(path) || process.fs.stat(path).type !== 'file') continue;
      if (process.fs.access(path, { execute: true })) return path;
      denied = path;
    }
    throw new ErrnoError(denied === undefined ? 'ENOENT' : 'EACCES', denied ?? name);
  }

  /** Follows `#!` lines to a built-in program. Throws ENOENT, EACCES, ENOEXEC, ELOOP. */
  executable(process: VirtualProcess, path: string, argv: readonly string[]): Found {
    const stat = process.fs.stat(path);
    const command = nameOf(path);
    let at = path;
    let words = argv;
    for (let depth = 0; depth < INTERPRETERS_MAX; depth++) {
      const executable = process.fs.executable(at);
      if (executable.kind === 'program') {
        const isBinary = depth === 0;
        const place = process.fs.place(at);
        return {
          program: executable.program,
          argv: words,
          command,
          path: place.path,
          image: place.node,
          setUid: isBinary && (stat.mode & SETUID) !== 0 ? stat.uid : undefined,
          setGid: isBinary && (stat.mode & SETGID) !== 0 ? stat.gid : undefined,
        };
      }
      const { interpreter, argument } = executable;
      words = [interpreter, ...(argument === undefined ? [] : [argument]), at, ...words.slice(1)];
      at = interpreter;
    }
    throw new ErrnoError('ELOOP', path);
  }

  // ── Signals and groups ──

  /** kill(2). */
  kill(sender: VirtualProcess, pid: number, signal: Signal): void {
    if (pid > 0) return this.send(sender, [this.require(sender, pid)], signal);
    if (pid === 0) return this.send(sender, Array.from(sender.group!.members), signal);
    const pids = sender.surroundings.pids;
    const targets = Array.from(pids.processes.values()).filter((process) =>
      pid === -1 ? process !== sender && process !== pids.init : process.group?.numbers.in(pids) === -pid,
    );
    this.send(sender, targets, signal);
  }

  private send(sender: VirtualProcess, targets: readonly VirtualProcess[], signal: Signal): void {
    if (targets.length === 0) throw new ErrnoError('ESRCH');
    const allowed = targets.filter((target) => maySignal(sender, target, signal));
    if (allowed.length === 0) throw new ErrnoError('EPERM');
    // A namespace's init can't be killed from inside it.
    for (const target of allowed) {
      const fromInside = target === sender.surroundings.pids.init;
      if (!fromInside || (signal !== 'SIGKILL' && signal !== 'SIGSTOP')) target.deliver(signal);
    }
  }

  private require(viewer: VirtualProcess, pid: number): VirtualProcess {
    const process = viewer.surroundings.pids.processes.get(pid);
    if (process === undefined) throw new ErrnoError('ESRCH');
    return process;
  }

  /** setpgid(2). */
  setProcessGroup(caller: VirtualProcess, pid: number, processGroup: number): void {
    const process = pid === 0 ? caller : this.require(caller, pid);
    if (process !== caller && process.parent !== caller) throw new ErrnoError('ESRCH');
    if (process.status !== undefined) return; // It ended before its parent came to it; nobody minds.
    this.moveToGroup(process, processGroup === 0 ? process.pid : processGroup);
  }

  private moveToGroup(process: VirtualProcess, number: number): void {
    const { session } = process.group!;
    if (session.leader === process) throw new ErrnoError('EPERM');
    const pids = process.surroundings.pids;
    if (process.group!.numbers.in(pids) === number) return;
    if (number === process.pid) {
      new ProcessGroup(process.numbers, session).join(process);
      return;
    }
    const group = Array.from(session.groups).find((candidate) => candidate.numbers.in(pids) === number);
    if (group === undefined) throw new ErrnoError('EPERM');
    group.join(process);
  }

  tellParent(child: VirtualProcess): void {
    child.parent?.childrenChanged.wake();
    child.parent?.deliver('SIGCHLD');
  }

  // ── Ending ──

  /** Lets the OOM killer act where the process' groups, or the machine, hold more than they may. */
  checkMemory(process: VirtualProcess): void {
    checkMemory(this.options.oom, process.cgroup, process);
  }

  /** The host has no more memory for this process. */
  killForMemory(process: VirtualProcess): void {
    kill(this.options.oom, undefined, process);
  }

  /** Writes its number to another group's cgroup.procs. */
  moveTo(process: VirtualProcess, cgroup: Cgroup): void {
    process.cgroup.leave(process);
    process.cgroup = cgroup;
    cgroup.join(process);
    this.checkMemory(process);
  }

  /** A program threw what no program may: reported, and logged like the crash it stands for. */
  fault(process: VirtualProcess, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.printk(
      `${process.command}[${process.numbers.byLevel[0]}]: segfault at 0 ip 0 sp 0 error 4 in ${process.command} (${reason})`,
      6,
    );
    this.options.onFault(error, process);
  }

  /** What the end of a process means to others. */
  ended(process: VirtualProcess): void {
    this.setImage(process, undefined);
    process.cgroup.leave(process);
    if (process.surroundings.pids.init === process) this.endNamespace(process.surroundings.pids, process);
    const groups = this.abandonChildren(process);
    const { session } = process.group!;
    process.group!.leave(process);
    if (session.leader === process) this.endSession(session);
    for (const group of groups) continueOrphans(group);
    const { parent } = process;
    if (parent === undefined) return this.forget(process);
    this.tellParent(process);
    if (parent.ignores('SIGCHLD') || parent === rootInit(process)) this.forget(process);
  }

  private endNamespace(pids: PidNamespace, init: VirtualProcess): void {
    for (const member of Array.from(pids.processes.values()))
      if (member !== init) member.end({ kind: 'signaled', signal: 'SIGKILL' });
  }

  /** Gives the children to init; returns the groups that may have lost their last tie to the session. */
  private abandonChildren(process: VirtualProcess): Set<ProcessGroup> {
    const groups = new Set<ProcessGroup>();
    const { init } = process.surroundings.pids;
    const guardian = init === process || init?.status !== undefined ? rootInit(process) : init;
    if (process.parent !== undefined && ties(process, process.parent)) groups.add(process.group!);
    for (const child of Array.from(process.children)) {
      process.children.delete(child);
      if (ties(child, process)) groups.add(child.group!);
      child.parent = guardian === process ? undefined : guardian;
      if (child.parent === undefined || (child.status !== undefined && child.parent === rootInit(process)))
        this.forget(child);
      else child.parent.children.add(child);
    }
    return groups;
  }

  private endSession(session: Session): void {
    const { tty } = session;
    if (tty === undefined) return;
    const { foreground } = session;
    session.tty = undefined;
    this.sessions.delete(tty);
    tty.session = 0;
    tty.foreground = 0;
    foreground?.signal('SIGHUP');
    foreground?.signal('SIGCONT');
  }

  /** Takes a zombie out of all tables. */
  forget(process: VirtualProcess): void {
    process.parent?.children.delete(process);
    const { namespace, byLevel } = process.numbers;
    for (let at: PidNamespace | undefined = namespace; at !== undefined; at = at.parent) {
      if (at.processes.get(byLevel[at.level]!) !== process) continue;
      at.processes.delete(byLevel[at.level]!);
      if (at.parent === undefined) this.count--;
    }
  }

  // ── Terminals ──

  signalGroup(pty: Pty, signal: Signal): void {
    this.sessionOf(pty)?.foreground?.signal(signal);
  }

  hangUp(pty: Pty): void {
    const session = this.sessionOf(pty);
    if (session === undefined) return;
    const { foreground, leader } = session;
    leader.deliver('SIGHUP');
    leader.deliver('SIGCONT');
    if (foreground === undefined || foreground === leader.group) return;
    foreground.signal('SIGHUP');
    foreground.signal('SIGCONT');
  }

  mayRead(pty: Pty, reader: Process): boolean {
    if (!(reader instanceof VirtualProcess)) return true;
    const group = reader.group!;
    const { session } = group;
    if (session.tty !== pty || session.foreground === undefined || session.foreground === group) return true;
    if (reader.ignores('SIGTTIN') || group.orphaned) throw new ErrnoError('EIO', pty.path);
    group.signal('SIGTTIN');
    return false;
  }

  mayWrite(pty: Pty, writer: Process): boolean {
    if (!pty.modes.stopsWriters || !(writer instanceof VirtualProcess)) return true;
    const group = writer.group!;
    const { session } = group;
    if (session.tty !== pty || session.foreground === undefined || session.foreground === group) return true;
    if (writer.ignores('SIGTTOU')) return true;
    if (group.orphaned) throw new ErrnoError('EIO', pty.path);
    group.signal('SIGTTOU');
    return false;
  }

  private sessionOf(pty: Pty): Session | undefined {
    return this.sessions.get(pty);
  }
}

function directoryAt(process: VirtualProcess, path: string): Place {
  const place = process.fs.place(path);
  if (place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
  return place;
}

/** Whether this child is what keeps its group from being orphaned: kernel/exit.c, kill_orphaned_pgrp. */
function ties(child: VirtualProcess, parent: VirtualProcess): boolean {
  return child.group !== parent.group && child.group?.session === parent.group?.session;
}

function continueOrphans(group: ProcessGroup): void {
  const hasStopped = Array.from(group.members).some((member) => member.stopped);
  if (!hasStopped || !group.orphaned) return;
  group.signal('SIGHUP');
  group.signal('SIGCONT');
}

function rootInit(process: VirtualProcess): VirtualProcess | undefined {
  return rootNamespace(process.surroundings.pids).init;
}

function rootNamespace(pids: PidNamespace): PidNamespace {
  let at = pids;
  while (at.parent !== undefined) at = at.parent;
  return at;
}

function maySignal(sender: VirtualProcess, target: VirtualProcess, signal: Signal): boolean {
  const { uid } = sender.credentials;
  if (uid === 0 || uid === target.credentials.uid) return true;
  return signal === 'SIGCONT' && sender.group?.session === target.group?.session;
}

function asFound(program: Program, argv: readonly string[]): Found {
  return {
    program,
    argv,
    command: nameOf((argv[0] ?? '').replace(/^-/, '')),
    path: undefined,
    image: undefined,
    setUid: undefined,
    setGid: undefined,
  };
}

/** comm: the last part of the path, cut as the kernel does. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).slice(0, COMMAND_CHARS_MAX);
}
