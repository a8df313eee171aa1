// containerd as one machine runs it: sandboxes and containers with records that survive a restart.
import { disposable, type Clock, type Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { NetworkNamespace } from '../../network/index.ts';
import {
  containerCapabilities,
  openDisk,
  SIGNAL_NUMBERS,
  parseSignal,
  type Disk,
  type FileSystemView,
  type Kernel,
  type Process,
  type Program,
  type Task,
  type WaitStatus,
} from '../kernel/index.ts';
import type { Cni, PodInfo } from './cni.ts';
import {
  containerdSocket,
  RuntimeError,
  type Container,
  type Containerd,
  type ContainerImage,
  type ContainerSpec,
  type ExecOptions,
  type ImageRecord,
  type ImageRegistry,
  type Sandbox,
  type SandboxSpec,
} from './containerd.ts';
import { cgroupOf } from './cgroup.ts';
import { ImageStore } from './image-store.ts';
import { formatReference, parseReference } from './reference.ts';
import { limitsOf, runContainer, type RunningContainer } from './running-container.ts';

/** Times that real machines take, in ms; all zero makes a cluster that waits for nothing. */
export interface RuntimeLatency {
  readonly sandboxMs: number;
  readonly createMs: number;
  readonly startMs: number;
  pullMs(image: ContainerImage): number;
}

export interface ContainerdOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  /** The machine's key prefix, such as `/machines/worker1/`. */
  readonly prefix: string;
  readonly registry: ImageRegistry;
  /** All images that exist, pullable or not, for finding side-loaded ones again after a reopen. */
  readonly catalogue?: ImageRegistry;
  readonly cni: Cni;
  /** A new, unconnected namespace with `lo`. */
  readonly makeNetworkNamespace: (name: string) => NetworkNamespace;
  readonly latency?: RuntimeLatency;
  readonly version?: string;
}

/** Containerd with what the machine, and only it, does to it. */
export interface ContainerdDaemon extends Containerd, Disposable {
  /** Brings sandboxes and containers back to life that ran when the workspace was last open. Once, before the kubelet starts. */
  resume(): Promise<void>;
  /** The daemon: answers at the socket while it runs. Containers live on without it. */
  readonly program: Program;
  /** The images of one of containerd's namespaces; `k8s.io` is the kubelet's. */
  imagesOf(namespace: string): ImageStore;
}

const CONFIG_FILE = '/etc/containerd/config.toml';
const SANDBOX_IMAGE_DEFAULT = 'registry.k8s.io/pause:3.9';
const REVISION = 'd2d58213f83a351ca8f528a95fbd145f5654e957';
const NO_LATENCY: RuntimeLatency = { sandboxMs: 0, createMs: 0, startMs: 0, pullMs: () => 0 };
const HEXADECIMAL = '0123456789abcdef';
const CNI_RETRIES_MAX = 30;
const CNI_RETRY_MS = 1000;
/** A static binary of a few pages: hundreds of them must fit into a node. */
const PAUSE_BYTES = 512 * 1024;
/** Killed for want of memory only when nothing else is left. */
const PAUSE_OOM_SCORE = -998;
const NOBODY = { uid: 65_535, gid: 65_535, groups: [65_535] };

type SavedSandbox = Omit<Sandbox, 'net'>;
type SavedContainer = Omit<Container, 'pid'>;

interface LiveSandbox {
  record: SavedSandbox;
  net: NetworkNamespace;
  pause: Task | undefined;
}

interface LiveContainer {
  record: SavedContainer;
  disk: Disk;
  running: RunningContainer | undefined;
  stopping: boolean;
}

type RuntimeEvent = Parameters<Parameters<Containerd['onEvent']>[0]>[0];

export function makeContainerd(options: ContainerdOptions): ContainerdDaemon {
  return new Runtime(options);
}

class Runtime implements ContainerdDaemon {
  readonly version: string;
  private readonly options: ContainerdOptions;
  private readonly latency: RuntimeLatency;
  private readonly images: ImageStore;
  private readonly imagesByNamespace = new Map<string, ImageStore>();
  private readonly sandboxes = new Map<string, LiveSandbox>();
  private readonly containers = new Map<string, LiveContainer>();
  private readonly listeners = new Set<(event: RuntimeEvent) => void>();
  private readonly ids: Random;
  /** Where the daemon writes while it runs. */
  private journal: ((text: string) => void) | undefined;
  private closed = false;

  constructor(options: ContainerdOptions) {
    this.options = options;
    this.version = options.version ?? '1.6.33';
    this.latency = options.latency ?? NO_LATENCY;
    this.images = this.makeImages('image/');
    this.imagesByNamespace.set('k8s.io', this.images);
    this.ids = options.random.fork(`${options.prefix}containerd-${this.countBoot()}`);
    this.readBack();
  }

  imagesOf(namespace: string): ImageStore {
    const known = this.imagesByNamespace.get(namespace);
    if (known !== undefined) return known;
    const made = this.makeImages(`namespace/${namespace}/image/`);
    this.imagesByNamespace.set(namespace, made);
    return made;
  }

  private makeImages(prefix: string): ImageStore {
    const { clock, store, registry, catalogue, kernel } = this.options;
    return new ImageStore({
      clock,
      store,
      prefix: this.key(prefix),
      registry,
      catalogue,
      pullLatencyMs: (image) => this.latency.pullMs(image),
      major: this.major,
      nameserver: () => firstNameserver(kernel.files),
    });
  }

  private get major(): number {
    return Number(this.version.split('.')[0]);
  }

  private key(rest: string): string {
    return `${this.options.prefix}containerd/${rest}`;
  }

  /** Each start of the daemon draws its ids from a stream of its own, so that none comes twice. */
  private countBoot(): number {
    const { store } = this.options;
    const boots = Number(store.get(this.key('boots'))?.value ?? 0) + 1;
    store.save([{ key: this.key('boots'), value: String(boots) }]);
    return boots;
  }

  private readBack(): void {
    const { store, makeNetworkNamespace, kernel } = this.options;
    for (const { value } of store.list(this.key('sandbox/'))) {
      const record = JSON.parse(String(value)) as SavedSandbox;
      const net = record.spec.hostNetwork ? kernel.net : makeNetworkNamespace(namespaceName(record));
      this.sandboxes.set(record.id, { record, net, pause: undefined });
    }
    for (const { value } of store.list(this.key('container/'))) {
      const record = JSON.parse(String(value)) as SavedContainer;
      this.containers.set(record.id, {
        record,
        disk: this.openDisk(record.id),
        running: undefined,
        stopping: false,
      });
    }
  }

  private openDisk(id: string): Disk {
    const { store, clock, prefix, kernel } = this.options;
    const on = kernel.listMounts().find(({ target }) => target === '/')?.tree;
    return openDisk({ id: `container:${id}`, store, prefix: `${prefix}containers/${id}/`, clock, on });
  }

  // ── Images ──

  async pullImage(reference: string): Promise<ImageRecord> {
    this.log(`PullImage "${reference}"`);
    try {
      const image = await this.images.pull(reference);
      this.log(`PullImage "${reference}" returns image reference "${image.id}"`);
      return image;
    } catch (error) {
      this.log(`PullImage "${reference}" failed: ${messageOf(error)}`);
      throw error;
    }
  }
  imageStatus(reference: string): ImageRecord | undefined {
    return this.images.status(reference);
  }
  listImages(): ImageRecord[] {
    return this.images.list();
  }
  removeImage(reference: string): void {
    this.images.remove(reference);
  }
  importImage(image: ContainerImage): ImageRecord {
    return this.images.import(image);
  }

  tagImage(reference: string, name: string): ImageRecord {
    return this.images.tag(reference, name);
  }
  exportImages(references: readonly string[]): Uint8Array {
    return this.images.export(references);
  }
  importArchive(archive: Uint8Array): ImageRecord[] {
    return this.images.importArchive(archive);
  }

  // ── Sandboxes ──

  async runSandbox(spec: SandboxSpec): Promise<Sandbox> {
    const { clock, kernel, makeNetworkNamespace } = this.options;
    const id = this.newId();
    const metadata = `&PodSandboxMetadata{Name:${spec.podName},Uid:${spec.podUid},Namespace:${spec.podNamespace},Attempt:${spec.attempt},}`;
    this.log(`RunPodSandbox for ${metadata}`);
    await this.requireSandboxImage(metadata);
    await this.pass(this.latency.sandboxMs);
    const record: SavedSandbox = { id, spec, createdMs: clock.now(), state: 'ready', ips: [] };
    const net = spec.hostNetwork ? kernel.net : makeNetworkNamespace(namespaceName(record));
    const sandbox: LiveSandbox = { record, net, pause: undefined };
    if (!spec.hostNetwork) {
      this.openToAll(net);
      try {
        const { ips } = await this.options.cni.add(id, net, podInfo(record));
        sandbox.record = { ...record, ips };
      } catch (error) {
        net[Symbol.dispose]();
        this.log(
          `RunPodSandbox for ${metadata} failed, error: failed to setup network for sandbox "${id}": ${messageOf(error)}`,
        );
        throw new RuntimeError(
          'Unknown',
          `failed to setup network for sandbox "${id}": ${messageOf(error)}`,
          { cause: error },
        );
      }
    }
    this.sandboxes.set(id, sandbox);
    this.startPause(sandbox);
    this.saveSandbox(sandbox);
    this.log(`RunPodSandbox for ${metadata} returns sandbox id "${id}"`);
    this.tell('started', id, spec.podUid);
    return view(sandbox);
  }

  /** enable_unprivileged_ports and enable_unprivileged_icmp, as containerd 2 has them by default. */
  private openToAll(net: NetworkNamespace): void {
    if (this.major < 2) return;
    net.sysctls.set('net.ipv4.ip_unprivileged_port_start', '0');
    net.sysctls.set('net.ipv4.ping_group_range', '0\t2147483647');
  }

  /** What a sandbox's first process comes from: `sandbox_image` of the daemon's configuration. */
  get sandboxImage(): string {
    const { files } = this.options.kernel;
    const text = files.exists(CONFIG_FILE) ? files.readText(CONFIG_FILE) : '';
    return /^\s*(?:sandbox_image|sandbox)\s*=\s*["']([^"']+)["']/m.exec(text)?.[1] ?? SANDBOX_IMAGE_DEFAULT;
  }

  /**
   * Brings the sandbox image if it isn't there. Differs: one that is known comes at once, since machines are set up
   * with it; a registry without any image has nothing to bring.
   */
  private async requireSandboxImage(metadata: string): Promise<void> {
    const name = this.sandboxImage;
    if (this.images.status(name) !== undefined) return;
    const parsed = parseReference(name);
    const image = parsed === undefined ? undefined : this.options.registry.lookup(formatReference(parsed));
    if (image !== undefined) this.images.import(image);
    if (image !== undefined || name === SANDBOX_IMAGE_DEFAULT) return;
    try {
      await this.images.pull(name);
    } catch (error) {
      const message = `failed to get sandbox image "${name}": failed to pull image "${name}": ${messageOf(error)}`;
      this.log(`RunPodSandbox for ${metadata} failed, error: ${message}`);
      throw new RuntimeError('Unknown', message, { cause: error });
    }
  }

  /** The process that holds the sandbox's namespaces. */
  private startPause(sandbox: LiveSandbox): void {
    const { kernel } = this.options;
    const { spec, id } = sandbox.record;
    sandbox.pause = kernel.start({
      argv: ['/pause'],
      program: pause,
      credentials: NOBODY,
      oomScoreAdj: PAUSE_OOM_SCORE,
      capabilities: containerCapabilities({}),
      namespaces: {
        net: sandbox.net,
        pid: 'new',
        // With the machine's network comes its name, unless another one is wanted.
        ...(spec.hostNetwork && spec.hostname === kernel.hostname ? {} : { hostname: spec.hostname }),
        cgroup: cgroupOf(spec.cgroupParent, id),
        newCgroupNamespace: true,
      },
    });
    void sandbox.pause.ended.then(() => this.sandboxEnded(sandbox));
  }

  /** Somebody killed the pause process: the sandbox isn't ready any more, and the kubelet will make another. */
  private sandboxEnded(sandbox: LiveSandbox): void {
    sandbox.pause = undefined;
    if (sandbox.record.state !== 'ready' || this.closed) return;
    sandbox.record = { ...sandbox.record, state: 'notready' };
    this.saveSandbox(sandbox);
    this.tell('stopped', sandbox.record.id, sandbox.record.spec.podUid);
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined) return; // CRI: stopping what isn't there is no error.
    const inside = Array.from(this.containers.values()).filter(
      ({ record }) => record.sandboxId === id && record.state === 'running',
    );
    await Promise.all(inside.map(({ record }) => this.stopContainer(record.id, 0)));
    const { record } = sandbox;
    if (record.state === 'notready' && sandbox.pause === undefined && record.ips.length === 0) return;
    if (!record.spec.hostNetwork) await this.options.cni.del(id, sandbox.net, podInfo(record));
    sandbox.record = { ...record, state: 'notready', ips: [] };
    this.saveSandbox(sandbox);
    if (!record.spec.hostNetwork) sandbox.net[Symbol.dispose]();
    if (sandbox.pause !== undefined) this.options.kernel.kill(sandbox.pause.pid, 'SIGKILL');
    if (record.state === 'ready') this.tell('stopped', id, record.spec.podUid);
  }

  async removeSandbox(id: string): Promise<void> {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.stopSandbox(id);
    for (const { record } of Array.from(this.containers.values()))
      if (record.sandboxId === id) await this.removeContainer(record.id);
    this.sandboxes.delete(id);
    const { cgroupParent } = sandbox.record.spec;
    this.options.kernel.removeCgroup(cgroupOf(cgroupParent, id));
    this.options.kernel.removeCgroup(cgroupParent);
    this.options.store.save([{ key: this.key(`sandbox/${id}`), value: undefined }]);
    this.tell('deleted', id, sandbox.record.spec.podUid);
  }

  listSandboxes(): Sandbox[] {
    return Array.from(this.sandboxes.values(), view);
  }

  // ── Containers ──

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container> {
    const sandbox = this.sandboxes.get(sandboxId);
    if (sandbox === undefined) throw notFound(`failed to find sandbox id "${sandboxId}"`, 'sandbox');
    if (sandbox.record.state !== 'ready') {
      throw new RuntimeError(
        'FailedPrecondition',
        `failed to get sandbox container task: no running task found: task ${sandboxId} not found: not found`,
      );
    }
    const image = this.images.status(spec.image);
    if (image === undefined)
      throw new RuntimeError('NotFound', `failed to resolve image "${spec.image}": not found`);
    const id = this.newId();
    await this.pass(this.latency.createMs);
    const record: SavedContainer = {
      id,
      sandboxId,
      spec,
      imageId: image.id,
      state: 'created',
      createdMs: this.options.clock.now(),
      startedMs: undefined,
      finishedMs: undefined,
      exitCode: undefined,
      reason: undefined,
      message: undefined,
    };
    const container: LiveContainer = { record, disk: this.openDisk(id), running: undefined, stopping: false };
    this.containers.set(id, container);
    this.saveContainer(container);
    this.log(
      `CreateContainer within sandbox "${sandboxId}" for &ContainerMetadata{Name:${spec.name},Attempt:${spec.attempt},} returns container id "${id}"`,
    );
    this.tell('created', id, sandbox.record.spec.podUid);
    return this.describe(container);
  }

  async startContainer(id: string): Promise<void> {
    const container = this.requireContainer(id);
    if (container.record.state !== 'created') {
      throw new RuntimeError(
        'FailedPrecondition',
        `failed to start container "${id}": container is in ${container.record.state.toUpperCase()} state`,
      );
    }
    await this.pass(this.latency.startMs);
    const { clock } = this.options;
    try {
      this.launch(container);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      // As containerd's CRI plugin: exit code 128 with the runtime's message.
      this.change(container, {
        state: 'exited',
        finishedMs: clock.now(),
        exitCode: 128,
        reason: 'StartError',
        message: error.message,
      });
      this.tell('stopped', id, this.podUid(container));
      throw error;
    }
    this.change(container, { state: 'running', startedMs: clock.now() });
    this.log(`StartContainer for "${id}" returns successfully`);
    this.tell('started', id, this.podUid(container));
  }

  private launch(container: LiveContainer): void {
    const { record } = container;
    const sandbox = this.sandboxes.get(record.sandboxId);
    const image =
      this.images.status(record.imageId)?.image ?? this.options.catalogue?.lookup(record.spec.image);
    if (sandbox === undefined || image === undefined)
      throw new RuntimeError('NotFound', `failed to resolve image "${record.spec.image}": not found`);
    const cgroup = this.cgroupOf(container);
    const running = runContainer(this.options.kernel, this.options.clock, {
      id: record.id,
      spec: record.spec,
      image,
      upper: container.disk.tree,
      net: sandbox.net,
      hostname: sandbox.record.spec.hostname,
      cgroup,
      shareOf: sandbox.pause?.pid,
      pid: this.pidNamespaceOf(record.spec, sandbox),
      imageOf: (reference) => this.images.status(reference)?.image,
      errorTail: this.major >= 2 ? '' : ': unknown',
    });
    container.running = running;
    if (record.spec.pid !== undefined) void running.task.ended.then(() => this.killRest(cgroup)); // It wasn't the namespace's init.
    void running.ended.then((status) =>
      this.containerEnded(container, status, this.options.kernel.oomKills(cgroup) > 0),
    );
  }

  private pidNamespaceOf(
    { pid }: ContainerSpec,
    sandbox: LiveSandbox,
  ): 'new' | { readonly of: number } | undefined {
    if (pid === undefined) return 'new';
    if (pid === 'node') return undefined;
    const of = pid === 'pod' ? sandbox.pause?.pid : this.containers.get(pid.container)?.running?.task.pid;
    if (of !== undefined) return { of };
    throw new RuntimeError('NotFound', 'failed to find target container: no running task found');
  }

  /** Ends what a container's first process has left behind. */
  private killRest(cgroup: string): void {
    const { kernel } = this.options;
    for (const process of kernel.listProcesses())
      if (process.cgroup === cgroup && process.state !== 'Z') kernel.kill(process.pid, 'SIGKILL');
  }

  private cgroupOf({ record }: LiveContainer): string {
    return cgroupOf(this.sandboxes.get(record.sandboxId)?.record.spec.cgroupParent ?? '', record.id);
  }

  private containerEnded(container: LiveContainer, status: WaitStatus, outOfMemory: boolean): void {
    container.running = undefined;
    if (!this.containers.has(container.record.id) || this.closed) return;
    const exitCode = status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
    const reason = outOfMemory && exitCode !== 0 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    this.change(container, { state: 'exited', finishedMs: this.options.clock.now(), exitCode, reason });
    this.tell('stopped', container.record.id, this.podUid(container));
  }

  async stopContainer(id: string, timeoutMs: number): Promise<void> {
    const container = this.containers.get(id);
    const running = container?.running;
    if (container === undefined || running === undefined) return;
    const { kernel, clock } = this.options;
    this.log(`StopContainer for "${id}" with timeout ${Math.round(timeoutMs / 1000)} (s)`);
    if (timeoutMs > 0 && !container.stopping) {
      container.stopping = true;
      const image = this.images.status(container.record.imageId)?.image;
      const signal = container.record.spec.stopSignal ?? image?.stopSignal ?? 'SIGTERM';
      kernel.kill(running.task.pid, parseSignal(signal) ?? 'SIGTERM');
    }
    if (!(await endedWithin(clock, running.ended, timeoutMs)) && container.running !== undefined) {
      kernel.kill(running.task.pid, 'SIGKILL');
    }
    await running.ended;
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.containers.get(id);
    if (container === undefined) return;
    if (container.running !== undefined) await this.stopContainer(id, 0);
    if (!this.containers.delete(id)) return;
    container.disk.erase();
    this.options.kernel.removeCgroup(this.cgroupOf(container));
    this.options.store.save([{ key: this.key(`container/${id}`), value: undefined }]);
    this.tell('deleted', id, this.podUid(container));
  }

  async updateContainer(
    id: string,
    limits: Pick<ContainerSpec, 'memoryMaxBytes' | 'cpuQuotaUs' | 'cpuShares'>,
  ): Promise<void> {
    const container = this.requireContainer(id);
    this.change(container, { spec: { ...container.record.spec, ...limits } });
    this.options.kernel.setCgroupLimits(this.cgroupOf(container), limitsOf(container.record.spec));
    await this.pass(0);
  }

  layerBytes(id: string): number {
    return this.containers.get(id)?.disk.tree.usedBytes ?? 0;
  }

  listContainers(): Container[] {
    return Array.from(this.containers.values(), (container) => this.describe(container));
  }

  containerStatus(id: string): Container | undefined {
    const container = this.containers.get(id);
    return container === undefined ? undefined : this.describe(container);
  }

  async exec(id: string, options: ExecOptions): Promise<WaitStatus> {
    const task = this.requireRunning(id).exec(options, this.newId());
    const { signal } = options;
    if (signal === undefined) return task.ended;
    const kill = (): void => {
      if (this.options.kernel.process(task.pid) === task.process)
        this.options.kernel.kill(task.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', kill, { once: true });
    const status = await task.ended;
    signal.removeEventListener('abort', kill);
    return status;
  }

  attach(id: string, options: ExecOptions): Promise<WaitStatus> {
    try {
      return this.requireRunning(id).attach(options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  onEvent(listener: (event: RuntimeEvent) => void): Disposable {
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  // ── The daemon ──

  /** A line of the daemon's journal, in logrus' form. */
  private log(message: string): void {
    const stamp = new Date(Math.floor(this.options.clock.now())).toISOString().replace('Z', '000000Z');
    this.journal?.(`time="${stamp}" level=info msg=${JSON.stringify(message)}\n`);
  }

  get program(): Program {
    return async (proc) => {
      using _socket = proc.kernel.bindService(containerdSocket, this);
      this.journal = (text) => void proc.stderr.write(text).catch(() => undefined); // It's being stopped.
      using _journal = disposable(() => (this.journal = undefined));
      this.log(`starting containerd, revision ${REVISION}, version ${this.version}`);
      this.log('Start streaming server');
      this.log('serving... address=/run/containerd/containerd.sock');
      this.log('containerd successfully booted in 0.053412s');
      return await untilStopped(proc);
    };
  }

  async resume(): Promise<void> {
    await Promise.all(Array.from(this.sandboxes.values(), (sandbox) => this.resumeSandbox(sandbox)));
  }

  private async resumeSandbox(sandbox: LiveSandbox): Promise<void> {
    const { record } = sandbox;
    if (record.state !== 'ready') return;
    if (!record.spec.hostNetwork) await this.reconnect(sandbox);
    if (sandbox.record.state !== 'ready') return;
    this.startPause(sandbox);
    for (const container of this.containers.values()) {
      if (container.record.sandboxId === record.id && container.record.state === 'running')
        this.relaunch(container);
    }
  }

  /** Gives the sandbox its addresses back; a plugin that isn't ready yet is asked again. */
  private async reconnect(sandbox: LiveSandbox): Promise<void> {
    const { record } = sandbox;
    for (let attempt = 0; attempt < CNI_RETRIES_MAX; attempt++) {
      try {
        const { ips } = await this.options.cni.add(record.id, sandbox.net, {
          ...podInfo(record),
          requestedIps: record.ips,
        });
        sandbox.record = { ...record, ips };
        this.saveSandbox(sandbox);
        return;
      } catch (error) {
        this.options.kernel.printk(
          `containerd: network of sandbox ${record.id.slice(0, 13)}: ${messageOf(error)}`,
          4,
        );
        await this.options.clock.sleep(CNI_RETRY_MS);
      }
    }
    sandbox.record = { ...record, state: 'notready' };
    this.saveSandbox(sandbox);
    for (const container of this.containers.values()) {
      if (container.record.sandboxId !== record.id || container.record.state !== 'running') continue;
      this.change(container, {
        state: 'exited',
        finishedMs: this.options.clock.now(),
        exitCode: 255,
        reason: 'Unknown',
      });
    }
  }

  private relaunch(container: LiveContainer): void {
    try {
      this.launch(container);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.change(container, {
        state: 'exited',
        finishedMs: this.options.clock.now(),
        exitCode: 255,
        reason: 'Unknown',
        message: error.message,
      });
    }
  }

  /** Saves, and records nothing that happens after this: what runs now is what a reopen resumes. */
  [Symbol.dispose](): void {
    this.closed = true;
    for (const { disk } of this.containers.values()) disk.close();
    this.listeners.clear();
  }

  // ── Records ──

  private newId(): string {
    return this.ids.string(64, HEXADECIMAL);
  }

  private async pass(delayMs: number): Promise<void> {
    if (delayMs > 0) await this.options.clock.sleep(delayMs);
  }

  private requireContainer(id: string): LiveContainer {
    const container = this.containers.get(id);
    if (container === undefined)
      throw notFound(`an error occurred when try to find container "${id}"`, 'container');
    return container;
  }

  private requireRunning(id: string): RunningContainer {
    const { running, record } = this.requireContainer(id);
    if (running === undefined)
      throw new RuntimeError(
        'FailedPrecondition',
        `failed to exec in container: container is in CONTAINER_${record.state.toUpperCase()} state`,
      );
    return running;
  }

  private podUid(container: LiveContainer): string {
    return this.sandboxes.get(container.record.sandboxId)?.record.spec.podUid ?? '';
  }

  private describe({ record, running }: LiveContainer): Container {
    return { ...record, pid: running?.task.pid };
  }

  private change(container: LiveContainer, changes: Partial<SavedContainer>): void {
    container.record = { ...container.record, ...changes };
    this.saveContainer(container);
  }

  private saveContainer({ record }: LiveContainer): void {
    if (this.closed) return;
    this.options.store.save([{ key: this.key(`container/${record.id}`), value: JSON.stringify(record) }]);
  }

  private saveSandbox({ record }: LiveSandbox): void {
    if (!this.sandboxes.has(record.id) || this.closed) return;
    this.options.store.save([{ key: this.key(`sandbox/${record.id}`), value: JSON.stringify(record) }]);
  }

  private tell(kind: RuntimeEvent['kind'], id: string, podUid: string): void {
    for (const listener of Array.from(this.listeners)) listener({ kind, id, podUid });
  }
}

/** /pause: does nothing until it is told to end. */
const pause: Program = (proc) => {
  proc.useMemory(PAUSE_BYTES);
  return untilStopped(proc);
};

/** Waits for SIGTERM or SIGINT. */
async function untilStopped(proc: Process): Promise<number> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  proc.onSignal('SIGTERM', stop);
  proc.onSignal('SIGINT', stop);
  await proc.interruptible(stopped);
  return 0;
}

async function endedWithin(clock: Clock, ended: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  if (timeoutMs <= 0) return false;
  const alarm = new AbortController();
  const timeout = clock.sleep(timeoutMs, alarm.signal).then(
    () => false,
    () => true,
  );
  const inTime = await Promise.race([ended.then(() => true), timeout]);
  alarm.abort();
  return inTime;
}

function view({ record, net }: LiveSandbox): Sandbox {
  return { ...record, net };
}

function podInfo({ id, spec }: SavedSandbox): PodInfo {
  return {
    sandboxId: id,
    podName: spec.podName,
    podNamespace: spec.podNamespace,
    podUid: spec.podUid,
    annotations: spec.annotations,
    ...(spec.portMappings === undefined ? {} : { portMappings: spec.portMappings }),
  };
}

/** The first name server of the machine's resolv.conf. */
function firstNameserver(files: FileSystemView): string {
  const text = files.exists('/etc/resolv.conf') ? files.readText('/etc/resolv.conf') : '';
  return /^nameserver\s+(\S+)/m.exec(text)?.[1] ?? '127.0.0.1';
}

function namespaceName({ spec }: SavedSandbox): string {
  return `${spec.podName} (pod)`;
}

function notFound(message: string, kind: string): RuntimeError {
  return new RuntimeError('NotFound', `${message}: ${kind} not found: not found`);
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}
