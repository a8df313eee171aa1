// Docker's daemon as one machine runs it: containers with names, networks and volumes, over the kernel and an image store.
import { disposable, type Clock, type Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { NetworkNamespace } from '../../network/index.ts';
import {
  changesOf,
  configOf,
  containerFiles,
  extendOrigin,
  originOf,
  runContainer,
  RuntimeError,
  type ContainerImage,
  type ContainerPlan,
  type ExecOptions,
  type FileChange,
  type ImageConfig,
  type ImageRecord,
  type ImageStore,
  type RunningContainer,
} from '../containerd/index.ts';
import {
  openDisk,
  parseSignal,
  SIGNAL_NUMBERS,
  type Disk,
  type FileSystemView,
  type Kernel,
  type Program,
  type WaitStatus,
} from '../kernel/index.ts';
import {
  dockerSocket,
  EngineError,
  type Engine,
  type EngineContainer,
  type EngineEvent,
  type EngineImages,
  type EngineNetwork,
  type EngineSpec,
  type EngineVolume,
} from './engine-types.ts';
import { containerSpecOf, writeContainerFiles } from './container-plan.ts';
import { inventName } from './names.ts';
import { Networks } from './networks.ts';
import { Volumes } from './volumes.ts';

export interface EngineOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  /** The machine's key prefix. */
  readonly prefix: string;
  /** `docker`, or `nerdctl` for what belongs to containerd. */
  readonly flavour: 'docker' | 'nerdctl';
  readonly version: string;
  readonly imagesOf: (namespace: string) => ImageStore;
  readonly makeNetworkNamespace: (name: string) => NetworkNamespace;
}

/** The engine with what the machine, and only it, does to it. */
export interface EngineDaemon extends Engine, Disposable {
  /** Starts what ran when the workspace was last open, and what is to be started always. Once. */
  resume(): Promise<void>;
  /** The daemon: makes the default network, answers at the socket while it runs. Containers live on without it. */
  readonly program: Program;
}

type Saved = Omit<EngineContainer, 'pid' | 'net' | 'logPath' | 'cgroup'>;

interface Live {
  record: Saved;
  disk: Disk;
  net: NetworkNamespace | undefined;
  running: RunningContainer | undefined;
  /** Somebody asked for the end: no restart. */
  isStopping: boolean;
  readonly waiting: ((exitCode: number) => void)[];
}

const HEXADECIMAL = '0123456789abcdef';
const STOP_TIMEOUT_MS = 10_000;
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 60_000;
/** A run so long forgets earlier failures. */
const RESTART_FORGET_MS = 10_000;
const ROOTS = { docker: '/var/lib/docker', nerdctl: '/var/lib/nerdctl/1935db59' } as const;
const DEFAULT_NETWORKS = {
  docker: { bridge: 'docker0', subnet: '172.17.0.0/16', gateway: '172.17.0.1' },
  nerdctl: { bridge: 'nerdctl0', subnet: '10.4.0.0/24', gateway: '10.4.0.1' },
} as const;

export function makeEngine(options: EngineOptions): EngineDaemon {
  return new DockerEngine(options);
}

class DockerEngine implements EngineDaemon {
  readonly version: string;
  private readonly options: EngineOptions;
  private readonly networksOfMachine: Networks;
  private readonly containers = new Map<string, Live>();
  private readonly networks = new Map<string, EngineNetwork>();
  private readonly volumes: Volumes;
  private readonly listeners = new Set<(event: EngineEvent) => void>();
  private readonly ids: Random;
  private isClosed = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.version = options.version;
    this.networksOfMachine = new Networks({
      kernel: options.kernel,
      random: options.random.fork('networks'),
    });
    const boots = Number(options.store.get(this.key('boots'))?.value ?? 0) + 1;
    options.store.save([{ key: this.key('boots'), value: String(boots) }]);
    this.ids = options.random.fork(`boot-${boots}`);
    this.volumes = new Volumes({
      files: options.kernel.files,
      clock: options.clock,
      store: options.store,
      prefix: this.key('volume/'),
      folder: `${ROOTS[options.flavour]}/volumes`,
      newName: () => this.newId(),
      told: (action, name) => this.tell('volume', action, name, { driver: 'local' }),
    });
    this.readBack();
  }

  private key(rest: string): string {
    return `${this.options.prefix}${this.options.flavour}/${rest}`;
  }

  private readBack(): void {
    const { store, clock, flavour } = this.options;
    for (const { value } of store.list(this.key('network/'))) {
      const network = JSON.parse(String(value)) as EngineNetwork;
      this.networks.set(network.name, network);
    }
    for (const { value } of store.list(this.key('container/'))) {
      const record = JSON.parse(String(value)) as Saved;
      this.containers.set(record.id, this.live(record));
    }
    if (this.networks.has('bridge')) return;
    const common = { createdMs: clock.now(), labels: {} };
    this.saveNetwork({
      ...common,
      id: this.newId(),
      name: 'bridge',
      driver: 'bridge',
      ...DEFAULT_NETWORKS[flavour],
    });
    this.saveNetwork({
      ...common,
      id: this.newId(),
      name: 'host',
      driver: 'host',
      bridge: '',
      subnet: '',
      gateway: '',
    });
    this.saveNetwork({
      ...common,
      id: this.newId(),
      name: 'none',
      driver: 'null',
      bridge: '',
      subnet: '',
      gateway: '',
    });
  }

  private live(record: Saved): Live {
    const { store, clock, prefix, flavour } = this.options;
    const disk = openDisk({
      id: `${flavour}:${record.id}`,
      store,
      prefix: `${prefix}${flavour}/disk/${record.id}/`,
      clock,
    });
    return { record, disk, net: undefined, running: undefined, isStopping: false, waiting: [] };
  }

  // ── What there is ──

  images(namespace: string): EngineImages {
    return this.options.imagesOf(namespace);
  }

  list(namespace?: string): EngineContainer[] {
    return Array.from(this.containers.values(), (each) => this.view(each))
      .toReversed()
      .filter(({ spec }) => namespace === undefined || spec.namespace === namespace)
      .toSorted((a, b) => b.createdMs - a.createdMs);
  }

  find(text: string, namespace?: string): EngineContainer {
    const all = this.list(namespace);
    const wanted = text.replace(/^\//, '');
    const starts = all.filter(({ id }) => id.startsWith(wanted));
    const found =
      all.find(({ id, spec }) => id === wanted || spec.name === wanted) ??
      (wanted === '' ? undefined : starts[0]);
    if (found === undefined) throw new EngineError('not-found', `No such container: ${text}`, 1);
    return found;
  }

  private require(id: string): Live {
    const found = this.containers.get(id);
    if (found === undefined) throw new EngineError('not-found', `No such container: ${id}`, 1);
    return found;
  }

  private view({ record, running, net }: Live): EngineContainer {
    return {
      ...record,
      pid: running?.task.pid,
      net,
      logPath: this.logPath(record.id),
      cgroup: this.cgroup(record.id),
    };
  }

  private folder(id: string): string {
    return `${ROOTS[this.options.flavour]}/containers/${id}`;
  }

  private logPath(id: string): string {
    return `${this.folder(id)}/${id}-json.log`;
  }

  private cgroup(id: string): string {
    return `/system.slice/${this.options.flavour}-${id}.scope`;
  }

  private newId(): string {
    return this.ids.string(64, HEXADECIMAL);
  }

  // ── Containers ──

  create(spec: EngineSpec): EngineContainer {
    const images = this.options.imagesOf(spec.namespace);
    const image = images.status(spec.imageReference);
    if (image === undefined) throw new EngineError('not-found', `No such image: ${spec.image}`);
    const id = this.newId();
    const name =
      spec.name === ''
        ? inventName(
            this.ids,
            this.list().map((each) => each.spec.name),
          )
        : spec.name;
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
      throw new EngineError(
        'invalid',
        `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      );
    const other = this.list(spec.namespace).find((each) => each.spec.name === name);
    if (other !== undefined)
      throw new EngineError(
        'conflict',
        `Conflict. The container name "/${name}" is already in use by container "${other.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    const argv = [
      ...(spec.entrypoint ?? image.image.entrypoint ?? []),
      ...(spec.command.length > 0
        ? spec.command
        : spec.entrypoint === undefined
          ? (image.image.command ?? [])
          : []),
    ];
    if (argv.length === 0) throw new EngineError('invalid', 'No command specified');
    this.networkOf(spec.network);
    const mounts = this.volumes.forMounts(spec.mounts, image.image);
    const record: Saved = {
      id,
      spec: { ...spec, name, mounts },
      imageId: image.id,
      imageConfig: configOf(image.image),
      state: 'created',
      createdMs: this.options.clock.now(),
      startedMs: undefined,
      finishedMs: undefined,
      exitCode: 0,
      error: '',
      isOutOfMemory: false,
      restartCount: 0,
      address: '',
      mac: '',
    };
    const live = this.live(record);
    this.containers.set(id, live);
    this.save(live);
    this.tell('container', 'create', id, { image: spec.image, name });
    return this.view(live);
  }

  async start(
    id: string,
    attached?: ExecOptions,
  ): Promise<{ readonly ended: Promise<WaitStatus> | undefined }> {
    const live = this.require(id);
    if (live.running !== undefined) return { ended: undefined };
    live.isStopping = false;
    await this.options.clock.sleep(0);
    this.launch(live);
    return { ended: attached === undefined ? undefined : this.attach(id, attached) };
  }

  /** Throws EngineError start-failed. */
  private launch(live: Live): void {
    const { kernel, clock } = this.options;
    const { record } = live;
    try {
      this.plug(live);
      const running = runContainer(kernel, clock, this.plan(live));
      live.running = running;
      void running.ended.then((status) => this.ended(live, status));
    } catch (error) {
      this.unplug(live);
      if (!(error instanceof EngineError) && !(error instanceof RuntimeError)) throw error;
      const message = error.message.replace('failed to create containerd task: ', '');
      const exitCode = /executable file not found|no such file or directory/.test(message)
        ? 127
        : /permission denied|is a directory/.test(message)
          ? 126
          : error instanceof EngineError
            ? 125
            : 128;
      this.change(live, {
        state: record.state === 'created' ? 'created' : 'exited',
        exitCode,
        error: message,
      });
      throw error instanceof EngineError ? error : new EngineError('start-failed', message, exitCode);
    }
    this.change(live, {
      state: 'running',
      startedMs: clock.now(),
      finishedMs: undefined,
      exitCode: 0,
      error: '',
      isOutOfMemory: false,
    });
    this.tell('container', 'start', record.id, { image: record.spec.image, name: record.spec.name });
  }

  private networkOf(name: string): EngineNetwork | undefined {
    if (name.startsWith('container:')) return undefined;
    const network = Array.from(this.networks.values()).find(
      (each) => each.name === name || (name.length >= 4 && each.id.startsWith(name)),
    );
    if (network === undefined) throw new EngineError('not-found', `network ${name} not found`);
    return network;
  }

  /** Gives the container its network and the files that tell about it. */
  private plug(live: Live): void {
    const { kernel, makeNetworkNamespace } = this.options;
    const { record } = live;
    const { spec, id } = record;
    const network = this.networkOf(spec.network);
    const shared = spec.network.startsWith('container:')
      ? this.require(this.find(spec.network.slice('container:'.length)).id)
      : undefined;
    if (shared !== undefined && shared.net === undefined)
      throw new EngineError(
        'start-failed',
        `cannot join network of a non running container: ${shared.record.id}`,
      );
    if (shared !== undefined) live.net = shared.net;
    else if (network?.driver === 'host') live.net = kernel.net;
    else {
      live.net = makeNetworkNamespace(`${spec.name} (${this.options.flavour})`);
      if (network?.driver === 'bridge') {
        const { address, mac, ports } = this.networksOfMachine.connect(
          id,
          spec.name,
          live.net,
          network,
          spec.ports,
          record.address,
        );
        this.change(live, { address, mac, spec: { ...spec, ports } });
      }
    }
    this.writeFiles(live, network);
  }

  private unplug(live: Live): void {
    const { net, record } = live;
    if (net === undefined) return;
    this.networksOfMachine.disconnect(record.id, net);
    if (net !== this.options.kernel.net && !record.spec.network.startsWith('container:'))
      net[Symbol.dispose]();
    live.net = undefined;
  }

  private hostnameOf({ record: { spec, id } }: Live): string {
    if (spec.hostname !== undefined) return spec.hostname;
    return spec.network === 'host' ? this.options.kernel.hostname : id.slice(0, 12);
  }

  private writeFiles(live: Live, network: EngineNetwork | undefined): void {
    const { id, spec, address } = live.record;
    const isOwn = network !== undefined && network.driver === 'bridge' && network.name !== 'bridge';
    const peers = this.list(spec.namespace).filter(
      (each) => isOwn && each.id !== id && each.state === 'running' && each.spec.network === network.name,
    );
    writeContainerFiles(this.options.kernel.files, this.folder(id), {
      spec,
      address,
      hostname: this.hostnameOf(live),
      network,
      peers: peers.map((each) => ({ name: each.spec.name, address: each.address })),
    });
  }

  private plan(live: Live): ContainerPlan {
    const { record, disk, net } = live;
    const { spec, id } = record;
    const image = this.imageOf(live);
    return {
      id,
      spec: containerSpecOf(spec, image, this.folder(id), this.logPath(id), (mount) =>
        this.volumes.pathOf(mount),
      ),
      image,
      upper: disk.tree,
      net: net ?? this.options.kernel.net,
      hostname: this.hostnameOf(live),
      cgroup: this.cgroup(id),
      shareOf: undefined,
      pid: spec.pidOfMachine ? undefined : 'new',
      imageOf: () => undefined,
      errorTail: ': unknown',
    };
  }

  private imageOf({ record }: Live): ContainerImage {
    const images = this.options.imagesOf(record.spec.namespace);
    const image = images.status(record.imageId) ?? images.status(record.spec.imageReference);
    if (image === undefined) throw new EngineError('not-found', `No such image: ${record.spec.image}`);
    return image.image;
  }

  private ended(live: Live, status: WaitStatus): void {
    live.running = undefined;
    if (this.isClosed || !this.containers.has(live.record.id)) return;
    const { clock, kernel } = this.options;
    const exitCode = status.kind === 'exited' ? status.exitCode : 128 + SIGNAL_NUMBERS[status.signal];
    const isOutOfMemory = kernel.oomKills(this.cgroup(live.record.id)) > 0 && exitCode !== 0;
    const ranMs = clock.now() - (live.record.startedMs ?? clock.now());
    this.unplug(live);
    this.change(live, { state: 'exited', finishedMs: clock.now(), exitCode, isOutOfMemory });
    const { spec, id } = live.record;
    this.tell('container', 'die', id, { image: spec.image, name: spec.name, exitCode: String(exitCode) });
    for (const waiting of live.waiting.splice(0)) waiting(exitCode);
    if (this.wantsRestart(live, exitCode)) void this.restartLater(live, ranMs);
    else if (spec.autoRemove) void this.remove(id, { force: true, volumes: true });
  }

  private wantsRestart({ record, isStopping }: Live, exitCode: number): boolean {
    const { name, max } = record.spec.restart;
    if (isStopping || name === 'no') return false;
    return name !== 'on-failure' || (exitCode !== 0 && (max === 0 || record.restartCount < max));
  }

  private async restartLater(live: Live, ranMs: number): Promise<void> {
    const count = ranMs > RESTART_FORGET_MS ? 0 : live.record.restartCount;
    await this.options.clock.sleep(Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** count));
    if (
      this.isClosed ||
      live.isStopping ||
      live.running !== undefined ||
      !this.containers.has(live.record.id)
    )
      return;
    this.change(live, { restartCount: live.record.restartCount + 1 });
    try {
      this.launch(live);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error; // Its error stays in the record, as docker inspect shows.
    }
  }

  async stop(id: string, timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    const live = this.require(id);
    const { running, record } = live;
    live.isStopping = true;
    if (running === undefined) return;
    const { kernel, clock } = this.options;
    const signal = record.spec.stopSignal ?? record.imageConfig.stopSignal ?? 'SIGTERM';
    kernel.kill(running.task.pid, parseSignal(signal) ?? 'SIGTERM');
    const alarm = new AbortController();
    const late = clock.sleep(timeoutMs, alarm.signal).then(
      () => true,
      () => false,
    );
    if ((await Promise.race([running.ended.then(() => false), late])) && live.running !== undefined)
      kernel.kill(running.task.pid, 'SIGKILL');
    alarm.abort();
    await running.ended;
    this.tell('container', 'stop', id, { image: record.spec.image, name: record.spec.name });
  }

  kill(id: string, signal: string): void {
    const live = this.require(id);
    const name = parseSignal(signal);
    if (name === undefined) throw new EngineError('invalid', `Invalid signal: ${signal}`, 1);
    if (live.running === undefined)
      throw new EngineError('not-running', `Cannot kill container: ${id}: Container ${id} is not running`, 1);
    if (name === 'SIGKILL' || name === 'SIGTERM' || name === 'SIGINT') live.isStopping = true;
    this.options.kernel.kill(live.running.task.pid, name);
    this.tell('container', 'kill', id, { name: live.record.spec.name, signal: String(SIGNAL_NUMBERS[name]) });
  }

  async remove(
    id: string,
    { force, volumes }: { readonly force: boolean; readonly volumes: boolean },
  ): Promise<void> {
    const live = this.require(id);
    if (live.running !== undefined) {
      if (!force)
        throw new EngineError(
          'conflict',
          `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
          1,
        );
      live.isStopping = true;
      this.options.kernel.kill(live.running.task.pid, 'SIGKILL');
      await live.running.ended;
    }
    if (!this.containers.delete(id)) return;
    const { store, kernel } = this.options;
    live.disk.erase();
    kernel.removeCgroup(this.cgroup(id));
    kernel.files.removeAll(this.folder(id));
    store.save([{ key: this.key(`container/${id}`), value: undefined }]);
    if (volumes)
      for (const { type, source } of live.record.spec.mounts)
        if (type === 'volume' && /^[0-9a-f]{64}$/.test(source)) this.removeVolume(source);
    for (const waiting of live.waiting.splice(0)) waiting(live.record.exitCode);
    this.tell('container', 'destroy', id, { image: live.record.spec.image, name: live.record.spec.name });
  }

  rename(id: string, name: string): void {
    const live = this.require(id);
    const other = this.list(live.record.spec.namespace).find((each) => each.spec.name === name);
    if (other !== undefined)
      throw new EngineError(
        'conflict',
        `Conflict. The container name "/${name}" is already in use by container "${other.id}". You have to remove (or rename) that container to be able to reuse that name.`,
        1,
      );
    this.change(live, { spec: { ...live.record.spec, name } });
    this.tell('container', 'rename', id, { name });
  }

  wait(id: string): Promise<number> {
    const live = this.require(id);
    if (live.running === undefined) return Promise.resolve(live.record.exitCode);
    return new Promise((resolve) => live.waiting.push(resolve));
  }

  private requireRunning(id: string): RunningContainer {
    const { running, record } = this.require(id);
    if (running === undefined)
      throw new EngineError('not-running', `Container ${record.id} is not running`, 1);
    return running;
  }

  exec(id: string, options: ExecOptions): Promise<WaitStatus> {
    try {
      return this.requireRunning(id).exec(options, this.newId()).ended;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  attach(id: string, options: ExecOptions): Promise<WaitStatus> {
    try {
      return this.requireRunning(id).attach(options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  filesOf(id: string): FileSystemView {
    const live = this.require(id);
    if (live.running !== undefined) return live.running.task.process.fs;
    const plan = this.plan(live);
    const folder = this.folder(id);
    const mounts = plan.spec.mounts.filter(({ hostPath }) => !hostPath.startsWith(`${folder}/`)); // Made at the start.
    return containerFiles(this.options.kernel, { ...plan, spec: { ...plan.spec, mounts } });
  }

  diff(id: string): FileChange[] {
    const live = this.require(id);
    return changesOf(this.layerView(live), this.imageOf(live)).list;
  }

  /** The image and the container's own layer, without what is mounted. */
  private layerView(live: Live): FileSystemView {
    const plan = this.plan(live);
    return containerFiles(this.options.kernel, { ...plan, spec: { ...plan.spec, mounts: [] } });
  }

  commit(id: string, names: readonly string[], config: ImageConfig | undefined, by: string): ImageRecord {
    const live = this.require(id);
    const image = this.imageOf(live);
    const { files, removed } = changesOf(this.layerView(live), image);
    const nowMs = this.options.clock.now();
    const own: ImageConfig = config ?? {
      ...configOf(image),
      ...(live.record.spec.command.length > 0 ? { command: live.record.spec.command } : {}),
      env: [...(image.env ?? []), ...live.record.spec.env],
    };
    const created = new Date(Math.floor(nowMs)).toISOString();
    const origin = extendOrigin(
      originOf(image),
      { files, removed },
      { ...own, created },
      { createdMs: nowMs, by },
    );
    return this.options.imagesOf(live.record.spec.namespace).addMade(origin, names);
  }

  // ── Networks and volumes ──

  listNetworks(): EngineNetwork[] {
    return Array.from(this.networks.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  createNetwork(
    name: string,
    options: {
      readonly subnet?: string;
      readonly driver?: string;
      readonly labels?: Readonly<Record<string, string>>;
    },
  ): EngineNetwork {
    if (this.networks.has(name))
      throw new EngineError('conflict', `network with name ${name} already exists`, 1);
    const { driver = 'bridge' } = options;
    if (driver !== 'bridge')
      throw new EngineError('invalid', `drydock: networks of driver ${driver} aren't simulated`, 1);
    const used = new Set(Array.from(this.networks.values(), ({ subnet }) => subnet));
    let subnet = options.subnet;
    for (let second = 18; subnet === undefined; second++)
      if (!used.has(`172.${second}.0.0/16`)) subnet = `172.${second}.0.0/16`;
    const id = this.newId();
    const network: EngineNetwork = {
      id,
      name,
      driver: 'bridge',
      createdMs: this.options.clock.now(),
      bridge: `br-${id.slice(0, 12)}`,
      subnet,
      gateway: subnet.replace(/\d+\/\d+$/, '1'),
      labels: options.labels ?? {},
    };
    this.saveNetwork(network);
    this.networksOfMachine.prepare(network);
    this.tell('network', 'create', id, { name, type: 'bridge' });
    return network;
  }

  removeNetwork(name: string): void {
    const network = Array.from(this.networks.values()).find(
      (each) => each.name === name || (name.length >= 4 && each.id.startsWith(name)),
    );
    if (network === undefined) throw new EngineError('not-found', `No such network: ${name}`, 1);
    if (['bridge', 'host', 'none'].includes(network.name))
      throw new EngineError('conflict', `${network.name} is a pre-defined network and cannot be removed`, 1);
    if (this.list().some((each) => each.state === 'running' && each.spec.network === network.name))
      throw new EngineError(
        'conflict',
        `error while removing network: network ${network.name} id ${network.id} has active endpoints`,
        1,
      );
    this.networks.delete(network.name);
    this.options.store.save([{ key: this.key(`network/${network.id}`), value: undefined }]);
    this.networksOfMachine.discard(network);
    this.tell('network', 'destroy', network.id, { name: network.name });
  }

  private saveNetwork(network: EngineNetwork): void {
    this.networks.set(network.name, network);
    this.options.store.save([{ key: this.key(`network/${network.id}`), value: JSON.stringify(network) }]);
  }

  listVolumes(): EngineVolume[] {
    return this.volumes.list();
  }

  createVolume(wanted: string | undefined): EngineVolume {
    return this.volumes.create(wanted ?? this.newId());
  }

  removeVolume(name: string): void {
    const users = this.list().filter(({ spec }) =>
      spec.mounts.some((mount) => mount.type === 'volume' && mount.source === name),
    );
    this.volumes.remove(
      name,
      users.map(({ id }) => id),
    );
  }

  // ── The daemon ──

  get program(): Program {
    return async (proc) => {
      const bridge = this.networks.get('bridge')!;
      if (this.options.flavour === 'docker') this.networksOfMachine.prepare(bridge);
      using _socket = proc.kernel.bindService(dockerSocket, this);
      const stop = Promise.withResolvers<void>();
      proc.onSignal('SIGTERM', () => stop.resolve());
      proc.onSignal('SIGINT', () => stop.resolve());
      await proc.stderr.write('level=info msg="API listen on /run/docker.sock"\n');
      await proc.interruptible(stop.promise).catch(() => undefined); // EINTR is the stop itself.
      return 0;
    };
  }

  async resume(): Promise<void> {
    await Promise.resolve();
    for (const live of this.containers.values()) {
      const { state, spec } = live.record;
      const ran = state === 'running' || state === 'paused';
      if (!ran && !(spec.restart.name === 'always' && state === 'exited')) continue;
      try {
        this.launch(live);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        this.change(live, { state: 'exited', exitCode: 255 });
      }
    }
  }

  onEvent(listener: (event: EngineEvent) => void): Disposable {
    this.listeners.add(listener);
    return disposable(() => this.listeners.delete(listener));
  }

  private tell(
    type: EngineEvent['type'],
    action: string,
    id: string,
    attributes: Readonly<Record<string, string>>,
  ): void {
    const event = { timeMs: this.options.clock.now(), type, action, id, attributes };
    for (const listener of Array.from(this.listeners)) listener(event);
  }

  private change(live: Live, changes: Partial<Saved>): void {
    live.record = { ...live.record, ...changes };
    this.save(live);
  }

  private save({ record }: Live): void {
    if (this.isClosed || !this.containers.has(record.id)) return;
    this.options.store.save([{ key: this.key(`container/${record.id}`), value: JSON.stringify(record) }]);
  }

  /** Saves, and records nothing that happens after this: what runs now is what a reopen resumes. */
  [Symbol.dispose](): void {
    this.isClosed = true;
    for (const { disk } of this.containers.values()) disk.close();
    this.listeners.clear();
  }
}
