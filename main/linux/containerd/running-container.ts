// The process side of one container: its mounts, its first process, its streams and who is attached to them.
import { ErrnoError, type NetworkNamespace } from '../../network/index.ts';
import type { Clock } from '../../simulation/index.ts';
import {
  containerCapabilities,
  makeOverlay,
  type CgroupLimits,
  type FileSystemView,
  type FileSystemTree,
  type Kernel,
  type Mount,
  type OpenFile,
  type StartOptions,
  type Task,
  type TtyMaster,
  type WaitStatus,
} from '../kernel/index.ts';
import { cpuWeight } from './cgroup.ts';
import {
  RuntimeError,
  type ContainerImage,
  type ContainerMount,
  type ContainerSpec,
  type ExecOptions,
} from './containerd.ts';
import { resolveUser } from './container-user.ts';
import { imageLayer } from './image-store.ts';
import { LogWriter } from './log-writer.ts';

export interface ContainerPlan {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly image: ContainerImage;
  /** The container's writable layer. */
  readonly upper: FileSystemTree;
  readonly net: NetworkNamespace;
  readonly hostname: string;
  readonly cgroup: string;
  /** The sandbox's first process: its uts and ipc namespaces are the container's. */
  readonly shareOf: number | undefined;
  /** Its pid namespace: a new one, a process's, or (undefined) the machine's. */
  readonly pid: 'new' | { readonly of: number } | undefined;
  /** An image on the machine, for mounts. */
  readonly imageOf: (reference: string) => ContainerImage | undefined;
  /** What the runtime's errors end with: `: unknown` before containerd 2. */
  readonly errorTail: string;
}

export interface RunningContainer {
  readonly task: Task;
  /** Settles once the process has ended and all it printed is in the log. */
  readonly ended: Promise<WaitStatus>;
  /** `execId` names it in errors. */
  exec(options: ExecOptions, execId: string): Task;
  attach(options: ExecOptions): Promise<WaitStatus>;
}

const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const TASK_ERROR =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process';
/** LimitNOFILE, LimitNPROC and LimitCORE of containerd.service. */
const CONTAINER_LIMITS: NonNullable<StartOptions['limits']> = {
  nofile: { soft: 1_048_576, hard: 1_048_576 },
  nproc: { soft: Infinity, hard: Infinity },
  core: { soft: Infinity, hard: Infinity },
};
const FIRST_TTY_SIZE = { columns: 80, rows: 24 };

/** What the container runs: the pod's command and args over the image's entrypoint and cmd. */
function commandOf(spec: ContainerSpec, image: ContainerImage): readonly string[] {
  if (spec.command !== undefined && spec.command.length > 0) return [...spec.command, ...(spec.args ?? [])];
  const args = spec.args !== undefined && spec.args.length > 0 ? spec.args : (image.command ?? []);
  return [...(image.entrypoint ?? []), ...args];
}

/** Starts the container's first process. Throws RuntimeError as runc words it. */
export function runContainer(kernel: Kernel, clock: Clock, plan: ContainerPlan): RunningContainer {
  const { spec } = plan;
  const mounts = mountsOf(kernel, plan);
  const files = kernel.filesOf(mounts);
  const user = resolveUser(files, spec.user ?? plan.image.user ?? '', spec.supplementalGroups);
  const env = environmentOf(plan, user.home);
  const cwd = spec.workingDirectory ?? plan.image.workingDirectory ?? '/';
  prepare(kernel, mounts, cwd, plan.errorTail);

  const streams = new ContainerStreams(kernel, clock, spec);
  const argv = commandOf(spec, plan.image);
  const readOnly = mounts.map((mount) =>
    mount.target === '/' ? { ...mount, readOnly: spec.readOnlyRoot === true } : mount,
  );
  const task = asRunc(TASK_ERROR, plan.errorTail, argv, () =>
    kernel.start({
      argv,
      env,
      cwd,
      credentials: user.credentials,
      ...rightsOf(spec),
      namespaces: {
        net: plan.net,
        mounts: readOnly,
        ...(plan.pid === undefined ? {} : { pid: plan.pid }),
        ...(plan.shareOf === undefined ? { hostname: plan.hostname } : { shareOf: plan.shareOf }),
        cgroup: plan.cgroup,
        cgroupLimits: limitsOf(spec),
        newCgroupNamespace: true,
      },
      ...streams.startOptions,
    }),
  );
  const drained = streams.pump();
  const ended = task.ended.then(async (status) => {
    await drained;
    return status;
  });
  return {
    task,
    ended,
    exec: (options, execId) =>
      execIn(
        kernel,
        task,
        env,
        cwd,
        { credentials: user.credentials, ...rightsOf(spec) },
        options,
        execId,
        plan.errorTail,
      ),
    attach: (options) => streams.attach(options, ended),
  };
}

/** A container's files as they would be in it: also of one that doesn't run. */
export function containerFiles(kernel: Kernel, plan: ContainerPlan): FileSystemView {
  return kernel.filesOf(mountsOf(kernel, plan));
}

/** What its control group is held to. */
export function limitsOf({ memoryMaxBytes, cpuQuotaUs, cpuShares }: ContainerSpec): CgroupLimits {
  return {
    memoryMaxBytes,
    cpuQuotaUs,
    ...(cpuShares === undefined ? {} : { cpuWeight: cpuWeight(cpuShares) }),
  };
}

/** What all processes of the container may do. The service of containerd lifts limits that a login has. */
function rightsOf({
  privileged,
  capabilities,
  oomScoreAdj,
}: ContainerSpec): Pick<StartOptions, 'capabilities' | 'limits' | 'oomScoreAdj'> {
  return {
    ...(privileged === true ? {} : { capabilities: containerCapabilities(capabilities ?? {}) }),
    limits: CONTAINER_LIMITS,
    oomScoreAdj: oomScoreAdj ?? 0,
  };
}

function environmentOf(plan: ContainerPlan, home: string): Map<string, string> {
  const env = new Map<string, string>([
    ['PATH', PATH_DEFAULT],
    ['HOSTNAME', plan.hostname],
  ]);
  if (plan.spec.tty) env.set('TERM', 'xterm');
  for (const entry of plan.image.env ?? []) {
    const equals = entry.indexOf('=');
    env.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  for (const { name, value } of plan.spec.env) env.set(name, value);
  if (!env.has('HOME')) env.set('HOME', home);
  return env;
}

function mountsOf(kernel: Kernel, plan: ContainerPlan): Mount[] {
  const root = makeOverlay(`overlay:${plan.id}`, [imageLayer(plan.image)], plan.upper);
  const mounts: Mount[] = [
    { target: '/', source: 'overlay', type: 'overlay', tree: root },
    ...kernel.containerMounts(plan.spec.privileged === true),
  ];
  const wanted = [...plan.spec.mounts].sort(
    (a, b) => a.containerPath.split('/').length - b.containerPath.split('/').length,
  );
  for (const mount of wanted) {
    if (mount.image !== undefined) {
      mounts.push(imageMount(plan, mount));
      continue;
    }
    if (!kernel.files.exists(mount.hostPath)) makeHostPath(kernel, plan, mount.hostPath);
    mounts.push(
      ...kernel.bindMounts(mount.hostPath, clean(mount.containerPath), { readOnly: mount.readOnly === true }),
    );
  }
  return mounts;
}

function imageMount(plan: ContainerPlan, { image: reference = '', containerPath }: ContainerMount): Mount {
  const image = plan.imageOf(reference);
  if (image === undefined)
    throw new RuntimeError('NotFound', `failed to resolve image "${reference}": not found`);
  return {
    target: clean(containerPath),
    source: 'overlay',
    type: 'overlay',
    tree: imageLayer(image),
    readOnly: true,
  };
}

/** A host path that isn't there is made a directory, as containerd's CRI plugin does. */
function makeHostPath(kernel: Kernel, plan: ContainerPlan, path: string): void {
  try {
    kernel.files.mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const reason = `failed to mkdir "${path}": mkdir ${path}: ${error.message.toLowerCase()}`;
    throw new RuntimeError(
      'Unknown',
      `failed to generate container "${plan.id}" spec: failed to generate spec: ${reason}`,
      { cause: error },
    );
  }
}

function clean(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** Makes the mount points, with what lies above them, and the working directory, as runc does. */
function prepare(kernel: Kernel, mounts: readonly Mount[], cwd: string, errorTail: string): void {
  for (const [index, mount] of mounts.entries()) {
    if (index > 0) makeMountPoint(kernel, mounts.slice(0, index), mount);
  }
  const files = kernel.filesOf(mounts);
  if (files.exists(cwd) && files.stat(cwd).type !== 'directory') {
    const reason = `error during container init: mkdir ${cwd}: not a directory`;
    throw new RuntimeError('Unknown', `${TASK_ERROR}: ${reason}${errorTail}`);
  }
  if (!files.exists(cwd)) files.mkdir(cwd, { recursive: true, mode: 0o755 });
}

function makeMountPoint(kernel: Kernel, before: readonly Mount[], mount: Mount): void {
  const files = kernel.filesOf(before);
  const { target } = mount;
  if (files.exists(target)) return;
  const parent = target.slice(0, target.lastIndexOf('/')) || '/';
  try {
    if (!files.exists(parent)) files.mkdir(parent, { recursive: true, mode: 0o755 });
    const isDirectory = kernel.filesOf([{ ...mount, target: '/' }]).stat('/').type === 'directory';
    if (isDirectory) files.mkdir(target, { mode: 0o755 });
    else files.writeFile(target, '', { mode: 0o755 });
  } catch (error) {
    // In /dev and its like nothing can be made, and nothing need be: the mount itself shows.
    if (!(error instanceof ErrnoError) || error.code !== 'EROFS') throw error;
  }
}

/** Gives an errno of execve the words of runc. */
function asRunc<T>(prefix: string, tail: string, argv: readonly string[], start: () => T): T {
  const name = argv[0];
  if (name === undefined)
    throw new RuntimeError('Unknown', 'failed to generate container spec: no command specified');
  try {
    return start();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new RuntimeError('Unknown', `${prefix}: ${execFault(name, error)}${tail}`, { cause: error });
  }
}

/** As Go's exec.LookPath and os/exec put it. */
function execFault(name: string, error: ErrnoError): string {
  const text = error.message.toLowerCase();
  if (error.code === 'ENOENT' && !name.includes('/'))
    return `exec: "${name}": executable file not found in $PATH`;
  if (error.code === 'ENOENT') return `exec: "${name}": stat ${name}: ${text}`;
  if (error.code === 'EACCES') return `exec: "${name}": permission denied`;
  if (error.code === 'ENOEXEC') return `exec ${name}: exec format error`;
  return `exec: "${name}": ${text}`;
}

function execIn(
  kernel: Kernel,
  task: Task,
  env: ReadonlyMap<string, string>,
  cwd: string,
  rights: Pick<StartOptions, 'credentials' | 'capabilities' | 'limits' | 'oomScoreAdj'>,
  options: ExecOptions,
  execId: string,
  errorTail: string,
): Task {
  const prefix = `failed to exec in container: failed to start exec "${execId}": OCI runtime exec failed: exec failed: unable to start container process`;
  const withTerm = options.tty === undefined ? env : new Map([...env, ['TERM', 'xterm']]);
  return asRunc(prefix, errorTail, options.command, () =>
    kernel.start({
      argv: options.command,
      env: withTerm,
      cwd,
      ...rights,
      namespaces: { pid: { of: task.pid } },
      ...(options.tty === undefined
        ? { stdio: options.stdio ?? [kernel.nullFile(), kernel.nullFile(), kernel.nullFile()] }
        : { tty: options.tty }),
    }),
  );
}

/** Where the first process's input comes from and its output goes: the log, and all who are attached. */
class ContainerStreams {
  private readonly kernel: Kernel;
  private readonly spec: ContainerSpec;
  private readonly log: LogWriter | undefined;
  private readonly tty: TtyMaster | undefined;
  private readonly input: { readonly reader: OpenFile; readonly writer: OpenFile } | undefined;
  private readonly output: { readonly reader: OpenFile; readonly writer: OpenFile } | undefined;
  private readonly errors: { readonly reader: OpenFile; readonly writer: OpenFile } | undefined;
  private readonly listeners = new Set<(stream: 'stdout' | 'stderr', data: Uint8Array) => void>();

  constructor(kernel: Kernel, clock: Clock, spec: ContainerSpec) {
    this.kernel = kernel;
    this.spec = spec;
    this.log =
      spec.logPath === undefined
        ? undefined
        : new LogWriter(kernel.files, spec.logPath, clock, spec.logRotation, spec.logFormat);
    this.tty = spec.tty ? kernel.openTty(FIRST_TTY_SIZE) : undefined;
    if (this.tty !== undefined) return;
    this.input = spec.stdin ? kernel.pipe() : undefined;
    this.output = kernel.pipe();
    this.errors = kernel.pipe();
  }

  get startOptions():
    | { readonly tty: TtyMaster }
    | { readonly stdio: readonly [OpenFile, OpenFile, OpenFile] } {
    if (this.tty !== undefined) return { tty: this.tty };
    return {
      stdio: [this.input?.reader ?? this.kernel.nullFile(), this.output!.writer, this.errors!.writer],
    };
  }

  /** Carries output to the log until all of it has come. */
  async pump(): Promise<void> {
    if (this.tty !== undefined) {
      await this.pumpTty(this.tty);
    } else {
      await Promise.all([
        this.pumpPipe('stdout', this.output!.reader),
        this.pumpPipe('stderr', this.errors!.reader),
      ]);
    }
  }

  private async pumpTty(tty: TtyMaster): Promise<void> {
    for (;;) {
      const data = await tty.output();
      if (data === undefined) break;
      this.take('stdout', data);
    }
    this.log?.end('stdout');
    tty[Symbol.dispose]();
  }

  private async pumpPipe(stream: 'stdout' | 'stderr', reader: OpenFile): Promise<void> {
    for (;;) {
      const data = await reader.read();
      if (data.length === 0) break;
      this.take(stream, data);
    }
    this.log?.end(stream);
  }

  private take(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.log?.write(stream, data);
    for (const listener of Array.from(this.listeners)) listener(stream, data);
  }

  async attach(options: ExecOptions, ended: Promise<WaitStatus>): Promise<WaitStatus> {
    const client = options.tty === undefined ? options.stdio : undefined;
    const far = options.tty === undefined ? undefined : this.rawSlave(options.tty);
    const stdin = client?.[0] ?? far;
    const stdout = client?.[1] ?? far;
    const stderr = client?.[2] ?? far;
    let sent: Promise<void> = Promise.resolve();
    const listener = (stream: 'stdout' | 'stderr', data: Uint8Array): void => {
      const target = stream === 'stdout' ? stdout : stderr;
      sent = sent.then(() => target?.write(data)).catch(() => undefined); // A client that left no longer listens.
    };
    this.listeners.add(listener);
    if (stdin !== undefined && this.spec.stdin && options.hasInput !== false) void this.feed(stdin);
    options.followSize?.((size) => this.tty?.resize(size));
    const leave = (): void => void this.listeners.delete(listener);
    options.signal?.addEventListener('abort', leave, { once: true });
    try {
      const status = await ended;
      await sent;
      return status;
    } finally {
      leave();
      options.signal?.removeEventListener('abort', leave);
      // No process holds these ends: their readers learn from here that nothing more comes.
      for (const file of client ?? [far]) if (file !== undefined) this.kernel.closeFile(file);
    }
  }

  /** The near end of an attached terminal: keys pass unchanged to the container's own terminal, which echoes. */
  private rawSlave(master: TtyMaster): OpenFile | undefined {
    const { tty } = master;
    tty.setModes({
      canonical: false,
      echo: false,
      signals: false,
      outputNewline: false,
      inputNewline: false,
    });
    this.tty?.resize(tty.size);
    return this.kernel.files.open(tty.path, { read: true, write: true });
  }

  private async feed(source: OpenFile): Promise<void> {
    for (;;) {
      const data = await source.read().catch((error: unknown) => {
        if (error instanceof ErrnoError) return undefined; // The client's end broke: nothing more comes.
        throw error;
      });
      if (data === undefined || data.length === 0) break;
      if (this.tty !== undefined) this.tty.input(data);
      else await this.input?.writer.write(data).catch(() => undefined); // The process closed its input.
    }
    if (this.spec.stdinOnce) this.closeInput();
  }

  private closeInput(): void {
    if (this.tty !== undefined) this.tty.input('\x04');
    else if (this.input !== undefined) this.kernel.closeFile(this.input.writer);
  }
}
