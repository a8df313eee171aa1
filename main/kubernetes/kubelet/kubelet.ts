// The kubelet of one machine: a program that registers the node and runs the pods bound to it.
import { rfc3339, type Clock, type Random } from '../../simulation/index.ts';
import { RuntimeError, type Containerd } from '../../linux/containerd/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { isStatus, keyOf, resources } from '../api/index.ts';
import type { Pod, Service, Stored } from '../api/index.ts';
import type { KubeletConnector } from '../apiserver/kubelet-connector.ts';
import { Informer, makeEventRecorder, type ApiClient, type EventRecorder } from '../client/index.ts';
import { klogLine, untilStopped } from '../daemon/index.ts';
import { Admission, type Pressure, type Refusal } from './admission.ts';
import { Backoff } from './backoff.ts';
import type { KubeletConfig } from './config.ts';
import { EvictionManager } from './eviction.ts';
import { ensureKubeletRules } from './firewall.ts';
import type { PagesWorld } from './http-pages.ts';
import { serveKubelet } from './http-server.ts';
import { ImageGc } from './image-gc.ts';
import { Images } from './images.ts';
import { KubeletServer } from './kubelet-server.ts';
import { minorOf, NodeStatus } from './node-status.ts';
import { ObjectCache } from './object-cache.ts';
import {
  CONFIG_MIRROR,
  isMirrorPod,
  isStaticPod,
  podReference,
  qosClassOf,
  type KnownPod,
} from './pod-facts.ts';
import type { WorkerWorld } from './pod-task.ts';
import { PodWorker } from './pod-worker.ts';
import { Probes } from './probes.ts';
import { ResourceUsage } from './resource-usage.ts';
import { RuntimeCache } from './runtime-cache.ts';
import { RuntimeConnection } from './runtime-connection.ts';
import { ensureMirror, followStaticPods, removeMirror } from './static-pods.ts';
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
const KUBECONFIG = '/etc/kubernetes/kubelet.conf';
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
  private readonly workers = new Map<string, PodWorker>();
  private readonly staticPods = new Map<string, KnownPod>();
  private readonly pods: Informer<Pod>;
  private readonly services: Informer<Service>;
  private readonly runtime: RuntimeCache;
  private readonly statuses: StatusManager;
  private readonly objects: ObjectCache;
  private readonly probes: Probes;
  private readonly node: NodeStatus;
  private readonly recorder: EventRecorder;
  private readonly admission: Admission;
  private readonly eviction: EvictionManager;
  private readonly imageGc: ImageGc;
  /** Pods that were refused, until they are deleted. */
  private readonly refused = new Set<string>();
  private readonly undecided = new Set<string>();
  private readonly pendingResizes = new Set<string>();
  private readonly world: WorkerWorld;
  private readonly mirrorsBusy = new Set<string>();
  private isStopped = false;
  private logging: Promise<void> = Promise.resolve();

  constructor(proc: Process, options: KubeletOptions) {
    this.proc = proc;
    this.config = options.config(proc);
    const connection = new RuntimeConnection(proc.kernel, proc.clock);
    this.containerd = connection.containerd;
    this.client = options.client(proc);
    this.clock = proc.clock;
    this.random = proc.random.fork('kubelet');
    const { clock, client, config, containerd, random } = this;
    const onFault = (error: unknown): void => this.fault(error);
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
        this.log(
          'I',
          isDone ? 'kubelet_node_status.go:78' : 'kubelet_node_status.go:75',
          `"${isDone ? 'Successfully registered' : 'Attempting to register'} node" node="${config.nodeName}"`,
        ),
      onRegistrationFailed: (error) => this.registrationFailed(error),
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
      onResult: (uid) => this.workers.get(uid)?.kick(),
    });
    this.pods = new Informer<Pod>({
      client,
      clock,
      resource: resources.pods,
      scope: { fieldSelector: `spec.nodeName=${config.nodeName}` },
      onError: (error) => this.watchFailed('pods', 'Pod', error),
    });
    this.services = new Informer<Service>({
      client,
      clock,
      resource: resources.services,
      onError: (error) => this.watchFailed('services', 'Service', error),
    });
    this.statuses = new StatusManager({ client, clock, serverPod: (pod) => this.serverPod(pod), onFault });
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
      ensureMirror: (pod) => void this.ensureMirror(pod),
      admission: this.admission,
      pendingResizes: this.pendingResizes,
      onEnded: (uid) => this.ended(uid),
      onGone: (uid) => this.forget(uid),
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
      pods: () => this.activePods(),
      imageBytes: () => this.imageGc.imageBytes(),
      reclaimDisk: async () => this.imageGc.removeUnused(),
      evict: (pod, message, grace) => this.workers.get(pod.metadata.uid)?.fail('Evicted', message, grace),
      nodeEvent,
      onPressure: () => this.node.refresh(),
      onFault,
    });
    this.recorder = recorder;
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
    for (const worker of this.workers.values()) worker.stop();
    this.statuses.stop();
    this.probes.dispose();
    this.objects.dispose();
    this.stack.dispose();
  }

  private start(version: string): void {
    const { stack, clock, config, proc } = this;
    this.log('I', 'server.go:528', `"Kubelet version" kubeletVersion="${version}"`);
    this.log('I', 'kubelet.go:2450', '"Starting kubelet main sync loop"');
    stack.use(this.serve());
    ensureKubeletRules(proc.net.netfilter);
    if (!proc.fs.exists(config.rootDirectory))
      proc.fs.mkdir(config.rootDirectory, { recursive: true, mode: 0o750 });
    stack.use(this.runtime.start((uid, kind) => this.workers.get(uid)?.notice(kind)));
    if (proc.fs.exists(CNI_FOLDER)) stack.use(proc.fs.watch(CNI_FOLDER, () => this.onNetworkChanged()));
    stack.use(this.node.start());
    stack.use(this.eviction.start());
    stack.use(this.imageGc.start());
    this.node.event('Normal', 'Starting', 'Starting kubelet.');
    if (config.staticPodPath !== undefined) {
      if (!proc.fs.exists(config.staticPodPath))
        proc.fs.mkdir(config.staticPodPath, { recursive: true, mode: 0o755 });
      const { staticPodPath: folder } = config;
      const onChange = (pods: readonly KnownPod[]): void => this.takeStatic(pods);
      stack.use(
        followStaticPods({
          fs: proc.fs,
          clock,
          folder,
          nodeName: config.nodeName,
          onChange,
          onFault: (error) => this.badManifest(error),
        }),
      );
    }
    stack.use(this.services.start());
    // Pods from the API wait for the services, whose variables they get.
    void this.services.waitForSync().then(() => {
      if (this.isStopped) return;
      this.pods.handle({
        add: (pod) => this.take(pod),
        update: (pod) => this.take(pod),
        delete: (pod) => this.drop(pod),
      });
      stack.use(this.pods.start());
      void this.pods.waitForSync().then(() => this.cleanUp());
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
      onFault: (error) => this.fault(error),
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

  // ── Where pods come from ──

  private take(pod: Stored<Pod>): void {
    if (this.isStopped || pod.spec === undefined || pod.metadata.namespace === undefined) return;
    if (isMirrorPod(pod)) return this.takeMirror(pod);
    const known = pod as KnownPod;
    const worker = this.workers.get(known.metadata.uid);
    if (worker !== undefined) return worker.update(known);
    if (this.undecided.has(known.metadata.uid)) return;
    if (this.refused.has(known.metadata.uid)) return this.takeRefused(known);
    this.begin(known);
  }

  /** A pod that was refused waits for nothing but its deletion. */
  private takeRefused(pod: KnownPod): void {
    if (pod.metadata.deletionTimestamp !== undefined)
      this.inBackground(
        this.statuses.finish(pod, true).then(() => void this.refused.delete(pod.metadata.uid)),
      );
  }

  /** Pods that run or will. */
  private *activePods(): Generator<KnownPod> {
    for (const worker of this.workers.values()) if (worker.isActive) yield worker.pod;
  }

  private begin(pod: KnownPod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
    // What ran before the kubelet did was admitted then; what is on its way out needs no leave to enter.
    if (!isOver && deletionTimestamp === undefined) {
      const isNew = this.runtime.get(uid).containers.length === 0;
      const refusal = isNew ? this.admission.refusal(pod) : undefined;
      if (refusal !== undefined) return this.inBackground(this.reconsider(pod, refusal));
      this.admission.enter(pod);
    }
    this.work(pod);
  }

  /** The node's labels and taints may have changed since they were last read: a refusal is made sure of first. */
  private async reconsider(pod: KnownPod, refusal: Refusal): Promise<void> {
    const { uid } = pod.metadata;
    this.undecided.add(uid);
    try {
      if (refusal.isAboutNode === true) await this.node.reread();
    } finally {
      this.undecided.delete(uid);
    }
    if (this.isStopped) return;
    const latest = isStaticPod(pod) ? pod : this.pods.lister.get(keyOf(pod));
    if (latest === undefined || latest.metadata.uid !== uid) return;
    const still = this.admission.refusal(pod);
    if (still !== undefined) return this.refuse(latest as KnownPod, still);
    this.admission.enter(latest as KnownPod);
    this.work(latest as KnownPod);
  }

  private work(pod: KnownPod): void {
    const worker = new PodWorker(this.world, pod);
    this.workers.set(pod.metadata.uid, worker);
    worker.kick();
  }

  private refuse(pod: KnownPod, { reason, message }: Refusal): void {
    this.refused.add(pod.metadata.uid);
    this.recorder.event(podReference(pod), 'Warning', reason, message);
    const { generation } = pod.metadata;
    this.statuses.set(pod, {
      ...pod.status,
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: pod.status?.startTime ?? rfc3339(this.clock.now()),
      qosClass: qosClassOf(pod),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    });
  }

  private drop(pod: Stored<Pod>): void {
    this.refused.delete(pod.metadata.uid);
    if (isMirrorPod(pod)) {
      const own = this.staticPods.get(pod.metadata.annotations?.[CONFIG_MIRROR] ?? '');
      if (own !== undefined) void this.ensureMirror(own);
      return;
    }
    this.workers.get(pod.metadata.uid)?.remove();
  }

  private takeStatic(pods: readonly KnownPod[]): void {
    const present = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, pod] of this.staticPods) {
      if (present.has(uid)) continue;
      this.staticPods.delete(uid);
      this.admission.leave(uid);
      this.workers.get(uid)?.remove();
      const mirror = this.mirrorOf(pod);
      if (mirror !== undefined) this.inBackground(removeMirror(this.client, mirror));
    }
    for (const pod of pods) {
      if (this.staticPods.has(pod.metadata.uid)) continue;
      this.staticPods.set(pod.metadata.uid, pod);
      this.beginStatic(pod);
    }
  }

  /** An edited manifest is another pod, which begins when the one before it is gone. */
  private beginStatic(pod: KnownPod): void {
    const name = keyOf(pod);
    for (const [uid, worker] of this.workers)
      if (uid !== pod.metadata.uid && isStaticPod(worker.pod) && keyOf(worker.pod) === name) return;
    this.begin(pod);
  }

  private takeMirror(mirror: Stored<Pod>): void {
    const uid = mirror.metadata.annotations?.[CONFIG_MIRROR] ?? '';
    const pod = this.staticPods.get(uid);
    if (pod === undefined) return this.inBackground(removeMirror(this.client, mirror));
    if (mirror.metadata.deletionTimestamp !== undefined) return void this.ensureMirror(pod);
    this.statuses.resend(uid);
  }

  private mirrorOf(pod: KnownPod): Stored<Pod> | undefined {
    return this.pods.lister.get(keyOf(pod));
  }

  private async ensureMirror(pod: KnownPod): Promise<void> {
    const { uid } = pod.metadata;
    if (this.mirrorsBusy.has(uid) || !this.pods.hasSynced || this.isStopped) return;
    this.mirrorsBusy.add(uid);
    try {
      await ensureMirror(this.client, pod, this.mirrorOf(pod), this.node.node?.metadata.uid);
    } catch (error) {
      this.fault(error);
    }
    this.mirrorsBusy.delete(uid);
  }

  private serverPod(pod: KnownPod): Stored<Pod> | undefined {
    const found = this.pods.lister.get(keyOf(pod));
    if (found === undefined) return undefined;
    if (isStaticPod(pod)) return isMirrorPod(found) ? found : undefined;
    return found.metadata.uid === pod.metadata.uid ? found : undefined;
  }

  private servicesOf(namespace: string): Service[] {
    const api = this.services.lister.get('default/kubernetes');
    const own = this.services.lister.list(namespace);
    return api === undefined || namespace === 'default' ? own : [api, ...own];
  }

  // ── Keeping up ──

  /** Once the sources are read: mirrors are made, and what runs for no pod is ended. */
  private cleanUp(): void {
    if (this.isStopped) return;
    for (const pod of this.staticPods.values()) void this.ensureMirror(pod);
    for (const mirror of this.pods.lister.list()) if (isMirrorPod(mirror)) this.takeMirror(mirror);
    for (const uid of this.runtime.podUids())
      if (!this.workers.has(uid)) this.inBackground(this.endOrphan(uid));
  }

  private async endOrphan(uid: string): Promise<void> {
    const { sandboxes, containers } = this.runtime.get(uid);
    for (const container of containers)
      if (container.state === 'running') await this.containerd.stopContainer(container.id, 2000);
    for (const { id } of containers) await this.containerd.removeContainer(id);
    for (const { id } of sandboxes) {
      await this.containerd.stopSandbox(id);
      await this.containerd.removeSandbox(id);
    }
    const folder = `${this.config.rootDirectory}/pods/${uid}`;
    if (this.proc.fs.exists(folder)) this.proc.fs.removeAll(folder);
  }

  private refreshVolumes(uids: readonly string[]): void {
    // Running pods follow at their next periodic look, as the real kubelet's do.
    for (const uid of uids) {
      const worker = this.workers.get(uid);
      if (worker === undefined) continue;
      const delayMs = this.random.fraction() * this.config.syncFrequencyMs;
      const timer = this.clock.after(delayMs, () => this.workers.get(uid)?.kick());
      void timer;
    }
  }

  /** What a pod held is free: those that wait for room look again. */
  private ended(uid: string): void {
    this.admission.leave(uid);
    this.pendingResizes.delete(uid);
    for (const waiting of this.pendingResizes) this.workers.get(waiting)?.kick();
  }

  private forget(uid: string): void {
    this.workers.delete(uid);
    this.admission.leave(uid);
    this.probes.forgetPod(uid);
    // A pod of the same file may have come back meanwhile, or another version of it.
    for (const pod of this.staticPods.values())
      if (!this.workers.has(pod.metadata.uid)) this.beginStatic(pod);
  }

  private hasCni(): boolean {
    const { fs } = this.proc;
    if (!fs.exists(CNI_FOLDER)) return false;
    return fs.readdir(CNI_FOLDER).some(({ name }) => /\.(conf|conflist|json)$/.test(name));
  }

  private onNetworkChanged(): void {
    this.node.refresh();
    for (const worker of this.workers.values()) worker.kick();
  }

  private inBackground(task: Promise<void>): void {
    task.catch((error: unknown) => this.fault(error));
  }

  /** A list or watch that the server doesn't answer, in the words of client-go's reflector. */
  private watchFailed(plural: string, kind: string, error: unknown): void {
    if (!(error instanceof ErrnoError)) return this.fault(error);
    const url = `${this.apiServer()}/api/v1/${plural}?limit=500&resourceVersion=0`;
    const text = `failed to list *v1.${kind}: Get "${url}": ${this.dialText(error)}`;
    const more = `logger="UnhandledError" reflector="k8s.io/client-go/informers/factory.go:160" type="*v1.${kind}"`;
    this.log('E', 'reflector.go:204', `"Failed to watch" err=${JSON.stringify(text)} ${more}`);
  }

  private registrationFailed(error: unknown): void {
    if (!(error instanceof ErrnoError)) return this.fault(error);
    const { nodeName } = this.config;
    const text = `Post "${this.apiServer()}/api/v1/nodes": ${this.dialText(error)}`;
    const message = `"Unable to register node with API server" err=${JSON.stringify(text)} node="${nodeName}"`;
    this.log('E', 'kubelet_node_status.go:107', message);
  }

  private dialText(error: ErrnoError): string {
    const { host } = new URL(this.apiServer());
    return `dial tcp ${host}: connect: ${error.message.toLowerCase()}`;
  }

  /** As kubelet.conf names it. */
  private apiServer(): string {
    const { fs } = this.proc;
    const text = fs.exists(KUBECONFIG) ? fs.readText(KUBECONFIG) : '';
    return /^\s*server: (\S+)$/m.exec(text)?.[1] ?? 'https://127.0.0.1:6443';
  }

  private fault(error: unknown): void {
    if (this.isStopped || isStatus(error, 'NotFound')) return;
    const text = error instanceof Error ? error.message : String(error);
    const source = error instanceof RuntimeError ? 'kuberuntime_manager.go:1341' : 'kubelet.go:3011';
    this.log('E', source, `"Unhandled Error" err=${JSON.stringify(text)}`);
    if (!(error instanceof Error)) throw error;
  }

  private badManifest(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const [path = ''] = text.split(': ', 1);
    this.log(
      'E',
      'file_linux.go:116',
      `"Can't process manifest file" err=${JSON.stringify(text)} path=${JSON.stringify(path)}`,
    );
  }

  private log(severity: 'I' | 'W' | 'E', source: string, message: string): void {
    if (this.isStopped) return;
    const line = klogLine(severity, this.clock.now(), this.proc.pid, source, message);
    // In order, though nobody waits; after the process's end there is nobody to tell.
    this.logging = this.logging.then(() => this.proc.stderr.write(line));
    this.logging.catch(() => undefined);
  }
}
