// The kubelet of one machine: a program that registers the node and runs the pods bound to it.
import type { Clock, Random } from '../../simulation/index.ts';
import type { Containerd } from '../../linux/containerd/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { keyOf, resources } from '../api/index.ts';
import type { Pod, Service, Stored } from '../api/index.ts';
import type { KubeletConnector } from '../apiserver/kubelet-connector.ts';
import { Informer, makeEventRecorder, type ApiClient } from '../client/index.ts';
import { untilStopped } from '../daemon/index.ts';
import { Admission, type Pressure } from './admission.ts';
import { Backoff } from './backoff.ts';
import type { KubeletConfig } from './config.ts';
import { EvictionManager } from './eviction.ts';
import { ensureKubeletRules } from './firewall.ts';
import type { PagesWorld } from './http-pages.ts';
import { serveKubelet } from './http-server.ts';
import { ImageGc } from './image-gc.ts';
import { Images } from './images.ts';
import { KubeletLog } from './kubelet-log.ts';
import { KubeletServer } from './kubelet-server.ts';
import { minorOf, NodeStatus } from './node-status.ts';
import { ObjectCache } from './object-cache.ts';
import type { KnownPod } from './pod-facts.ts';
import { PodManager } from './pod-manager.ts';
import type { WorkerWorld } from './pod-task.ts';
import { Probes } from './probes.ts';
import { ResourceUsage } from './resource-usage.ts';
import { RuntimeCache } from './runtime-cache.ts';
import { RuntimeConnection } from './runtime-connection.ts';
import { followStaticPods } from './static-pods.ts';
import { StatusManager } from './status-manager.ts';
import { VolumeManager } from './volumes.ts';

export interface KubeletOptions {
  /** How the kubelet reaches the API server. */
  readonly client: (proc: Process) => ApiClient;
  /** Read at each start, so that an edited configuration file counts after a restart. */
  readonly config: (proc: Process) => KubeletConfig;
  /** Such as `v1.36.2`. */
  readonly version: string;
  /** Such as `containerd://2.1.9`; the default is built from containerd's version. */
  readonly runtimeVersion?: string;
  /** Size of the disk that nodes report; absent: 40 GiB. */
  readonly diskBytes?: number;
}

export interface Kubelet {
  /** /usr/bin/kubelet. Runs until SIGTERM or SIGINT. */
  readonly program: Program;
  /** What it serves; undefined while it doesn't run. */
  readonly server: KubeletConnector | undefined;
}

const DISK_BYTES_DEFAULT = 40 * 1024 ** 3;
const CNI_FOLDER = '/etc/cni/net.d';
const CNI_PROBLEM =
  'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';
const CRASH_BACKOFF_MIN_MS = 10_000;
const CRASH_BACKOFF_MAX_MS = 300_000;

/** Makes the kubelet of a machine; nothing runs until its program is started. */
export function makeKubelet(options: KubeletOptions): Kubelet {
  let server: KubeletConnector | undefined;
  const program: Program = async (proc) => {
    const run = new KubeletRun(proc, options);
    server = run.server;
    try {
      return await untilStopped(proc);
    } finally {
      server = undefined;
      run.dispose();
    }
  };
  return {
    program,
    get server() {
      return server;
    },
  };
}

/** Reaches the kubelet of the node a pod is on; a kubelet that doesn't run refuses connections. */
export function connectKubelets(find: (nodeName: string) => Kubelet | undefined): KubeletConnector {
  const of = (pod: Stored<Pod>): KubeletConnector => {
    const server = find(pod.spec?.nodeName ?? '')?.server;
    if (server === undefined) throw new ErrnoError('ECONNREFUSED');
    return server;
  };
  return {
    logs: async (pod, container, logOptions) => of(pod).logs(pod, container, logOptions),
    exec: async (pod, container, execOptions) => of(pod).exec(pod, container, execOptions),
    attach: async (pod, container, attachOptions) => of(pod).attach(pod, container, attachOptions),
    portForward: async (pod, port, signal) => of(pod).portForward(pod, port, signal),
  };
}

/** One run of the program, from start to stop. */
class KubeletRun {
  readonly server: KubeletServer;
  private readonly proc: Process;
  private readonly config: KubeletConfig;
  private readonly containerd: Containerd;
  private readonly client: ApiClient;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly stack = new DisposableStack();
  private readonly pods: Informer<Pod>;
  private readonly services: Informer<Service>;
  private readonly runtime: RuntimeCache;
  private readonly statuses: StatusManager;
  private readonly objects: ObjectCache;
  private readonly probes: Probes;
  private readonly node: NodeStatus;
  private readonly admission: Admission;
  private readonly eviction: EvictionManager;
  private readonly imageGc: ImageGc;
  private readonly manager: PodManager;
  private readonly log: KubeletLog;
  private readonly world: WorkerWorld;
  private isStopped = false;

  constructor(proc: Process, options: KubeletOptions) {
    this.proc = proc;
    this.config = options.config(proc);
    const connection = new RuntimeConnection(proc.kernel, proc.clock);
    this.containerd = connection.containerd;
    this.client = options.client(proc);
    this.clock = proc.clock;
    this.random = proc.random.fork('kubelet');
    const { clock, client, config, containerd, random } = this;
    const log = new KubeletLog(proc, config.nodeName);
    this.log = log;
    const onFault = (error: unknown): void => log.fault(error);
    const minor = minorOf(options.version);
    const recorder = makeEventRecorder({
      client,
      clock,
      random: random.fork('events'),
      component: 'kubelet',
      host: config.nodeName,
    });
    const networkProblem = (): string | undefined => (this.hasCni() ? undefined : CNI_PROBLEM);
    const runtimeProblem = (): string | undefined => connection.problem();

    this.node = new NodeStatus({
      kernel: proc.kernel,
      containerd,
      client,
      clock,
      random,
      fs: proc.fs,
      recorder,
      config,
      version: options.version,
      runtimeVersion: options.runtimeVersion ?? `containerd://${containerd.version}`,
      diskBytes: options.diskBytes ?? DISK_BYTES_DEFAULT,
      pressure: () => this.eviction.pressure(),
      networkProblem,
      runtimeProblem,
      onRegistration: (isDone) =>
        log.line(
          'I',
          isDone ? 'kubelet_node_status.go:78' : 'kubelet_node_status.go:75',
          `"${isDone ? 'Successfully registered' : 'Attempting to register'} node" node="${config.nodeName}"`,
        ),
      onRegistrationFailed: (error) => log.registrationFailed(error),
      onFault,
    });
    const allocatable = (): Record<string, string> => this.node.allocatable();
    const pressure = (): ReadonlySet<Pressure> => this.eviction.pressure();
    this.admission = new Admission({ node: () => this.node.node, allocatable, pressure });
    this.runtime = new RuntimeCache(containerd);
    this.objects = new ObjectCache(client, clock, (uids) => this.refreshVolumes(uids));
    this.probes = new Probes({
      kernel: proc.kernel,
      containerd,
      clock,
      random: random.fork('probes'),
      recorder,
      version: `1.${minor}`,
      onResult: (uid) => this.manager.workerOf(uid)?.kick(),
    });
    this.pods = new Informer<Pod>({
      client,
      clock,
      resource: resources.pods,
      scope: { fieldSelector: `spec.nodeName=${config.nodeName}` },
      onError: (error) => log.watchFailed('pods', 'Pod', error),
    });
    this.services = new Informer<Service>({
      client,
      clock,
      resource: resources.services,
      onError: (error) => log.watchFailed('services', 'Service', error),
    });
    this.statuses = new StatusManager({
      client,
      clock,
      serverPod: (pod) => this.manager.serverPod(pod),
      onFault,
    });
    this.manager = new PodManager({
      clock,
      client,
      containerd,
      fs: proc.fs,
      rootDirectory: config.rootDirectory,
      recorder,
      admission: this.admission,
      node: this.node,
      pods: this.pods,
      probes: this.probes,
      runtime: this.runtime,
      statuses: this.statuses,
      log,
      worker: () => this.world,
    });
    this.world = {
      kernel: proc.kernel,
      containerd,
      clock,
      random,
      fs: proc.fs,
      config,
      images: new Images({
        containerd,
        clock,
        recorder,
        minor,
        serialize: config.serializeImagePulls,
        hasSecret: (namespace, name) => this.objects.hasSecret(namespace, name),
      }),
      volumes: new VolumeManager({
        kernel: proc.kernel,
        fs: proc.fs,
        client,
        clock,
        random,
        config,
        objects: this.objects,
        allocatable,
      }),
      objects: this.objects,
      recorder,
      version: `1.${minor}`,
      minor,
      runtimeName: (options.runtimeVersion ?? 'containerd:').split(':')[0]!,
      services: (namespace) => this.servicesOf(namespace),
      allocatable,
      probes: this.probes,
      runtime: this.runtime,
      statuses: this.statuses,
      restarts: new Backoff(clock, CRASH_BACKOFF_MIN_MS, CRASH_BACKOFF_MAX_MS),
      networkProblem,
      ensureMirror: (pod) => void this.manager.ensureMirror(pod),
      admission: this.admission,
      pendingResizes: this.manager.pendingResizes,
      onEnded: (uid) => this.manager.ended(uid),
      onGone: (uid) => this.manager.forget(uid),
      onFault,
    };
    const nodeEvent = (reason: string, message: string): void => this.node.event('Warning', reason, message);
    this.imageGc = new ImageGc({ kernel: proc.kernel, containerd, clock, config, nodeEvent });
    this.eviction = new EvictionManager({
      kernel: proc.kernel,
      containerd,
      clock,
      fs: proc.fs,
      config,
      recorder,
      runtime: this.runtime,
      volumes: this.world.volumes,
      pods: () => this.manager.activePods(),
      imageBytes: () => this.imageGc.imageBytes(),
      reclaimDisk: async () => this.imageGc.removeUnused(),
      evict: (pod, message, grace) =>
        this.manager.workerOf(pod.metadata.uid)?.fail('Evicted', message, grace),
      nodeEvent,
      onPressure: () => this.node.refresh(),
      onFault,
    });
    this.server = new KubeletServer({
      proc,
      kernel: proc.kernel,
      containerd,
      clock,
      runtime: this.runtime,
      statusOf: (uid) => this.statuses.get(uid),
    });
    this.start(options.version);
  }

  dispose(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.log.stop();
    this.manager.stop();
    this.statuses.stop();
    this.probes.dispose();
    this.objects.dispose();
    this.stack.dispose();
  }

  private start(version: string): void {
    const { stack, clock, config, proc } = this;
    this.log.line('I', 'server.go:528', `"Kubelet version" kubeletVersion="${version}"`);
    this.log.line('I', 'kubelet.go:2450', '"Starting kubelet main sync loop"');
    stack.use(this.serve());
    ensureKubeletRules(proc.net.netfilter);
    if (!proc.fs.exists(config.rootDirectory))
      proc.fs.mkdir(config.rootDirectory, { recursive: true, mode: 0o750 });
    stack.use(this.runtime.start((uid, kind) => this.manager.workerOf(uid)?.notice(kind)));
    if (proc.fs.exists(CNI_FOLDER)) stack.use(proc.fs.watch(CNI_FOLDER, () => this.onNetworkChanged()));
    stack.use(this.node.start());
    stack.use(this.eviction.start());
    stack.use(this.imageGc.start());
    this.node.event('Normal', 'Starting', 'Starting kubelet.');
    if (config.staticPodPath !== undefined) {
      if (!proc.fs.exists(config.staticPodPath))
        proc.fs.mkdir(config.staticPodPath, { recursive: true, mode: 0o755 });
      const { staticPodPath: folder } = config;
      const onChange = (pods: readonly KnownPod[]): void => this.manager.takeStatic(pods);
      stack.use(
        followStaticPods({
          fs: proc.fs,
          clock,
          folder,
          nodeName: config.nodeName,
          onChange,
          onFault: (error) => this.log.badManifest(error),
        }),
      );
    }
    stack.use(this.services.start());
    // Pods from the API wait for the services, whose variables they get.
    void this.services.waitForSync().then(() => {
      if (this.isStopped) return;
      this.pods.handle({
        add: (pod) => this.manager.take(pod),
        update: (pod) => this.manager.take(pod),
        delete: (pod) => this.manager.drop(pod),
      });
      stack.use(this.pods.start());
      void this.pods.waitForSync().then(() => this.manager.cleanUp());
    });
  }

  /** Ports 10250 and 10248. */
  private serve(): Disposable {
    const { proc, config, client, containerd } = this;
    const usage = new ResourceUsage({ kernel: proc.kernel, containerd, nodeName: config.nodeName });
    return serveKubelet({
      proc,
      config,
      client,
      pods: () => this.pods.lister.list(),
      resourceMetrics: () => usage.metricsText(),
      summary: () => usage.summary(),
      counts: () => this.counts(),
      log: (pod, container, options) => {
        const known = this.pods.lister.get(keyOf({ metadata: pod }));
        return known === undefined ? undefined : this.server.logs(known, container, options);
      },
      onFault: (error) => this.log.fault(error),
    });
  }

  /** What the runtime runs. */
  private counts(): ReturnType<PagesWorld['counts']> {
    const all = this.runtime.podUids().map((uid) => this.runtime.get(uid));
    const containers = { created: 0, running: 0, exited: 0 };
    for (const { state } of all.flatMap((pod) => pod.containers)) containers[state]++;
    const isUp = ({ sandboxes }: (typeof all)[number]): boolean =>
      sandboxes.some(({ state }) => state === 'ready');
    return { pods: all.filter(isUp).length, containers };
  }

  private servicesOf(namespace: string): Service[] {
    const api = this.services.lister.get('default/kubernetes');
    const own = this.services.lister.list(namespace);
    return api === undefined || namespace === 'default' ? own : [api, ...own];
  }

  // ── Keeping up ──

  private refreshVolumes(uids: readonly string[]): void {
    // Running pods follow at their next periodic look, as the real kubelet's do.
    for (const uid of uids) {
      if (this.manager.workerOf(uid) === undefined) continue;
      const delayMs = this.random.fraction() * this.config.syncFrequencyMs;
      const timer = this.clock.after(delayMs, () => this.manager.workerOf(uid)?.kick());
      void timer;
    }
  }

  private hasCni(): boolean {
    const { fs } = this.proc;
    if (!fs.exists(CNI_FOLDER)) return false;
    return fs.readdir(CNI_FOLDER).some(({ name }) => /\.(conf|conflist|json)$/.test(name));
  }

  private onNetworkChanged(): void {
    this.node.refresh();
    this.manager.kickAll();
  }
}
