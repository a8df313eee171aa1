// Which pods this node has: those bound to it on the server, those of its manifests, and who looks after each.
import { rfc3339, type Clock } from '../../simulation/index.ts';
import type { Containerd } from '../../linux/containerd/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';
import { keyOf } from '../api/index.ts';
import type { Pod, Stored } from '../api/index.ts';
import type { ApiClient, EventRecorder, Informer } from '../client/index.ts';
import type { Admission, Refusal } from './admission.ts';
import type { KubeletLog } from './kubelet-log.ts';
import type { NodeStatus } from './node-status.ts';
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
import type { Probes } from './probes.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import { ensureMirror, removeMirror } from './static-pods.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodManagerWorld {
  readonly clock: Clock;
  readonly client: ApiClient;
  readonly containerd: Containerd;
  readonly fs: FileSystemView;
  readonly rootDirectory: string;
  readonly recorder: EventRecorder;
  readonly admission: Admission;
  readonly node: NodeStatus;
  readonly pods: Informer<Pod>;
  readonly probes: Probes;
  readonly runtime: RuntimeCache;
  readonly statuses: StatusManager;
  readonly log: KubeletLog;
  /** What workers are made of. */
  readonly worker: () => WorkerWorld;
}

export class PodManager {
  private readonly world: PodManagerWorld;
  private readonly workers = new Map<string, PodWorker>();
  private readonly staticPods = new Map<string, KnownPod>();
  /** Pods that were refused, until they are deleted. */
  private readonly refused = new Set<string>();
  private readonly undecided = new Set<string>();
  private readonly mirrorsBusy = new Set<string>();
  /** Pods whose resize waits for room. */
  readonly pendingResizes = new Set<string>();
  private isStopped = false;

  constructor(world: PodManagerWorld) {
    this.world = world;
  }

  workerOf(podUid: string): PodWorker | undefined {
    return this.workers.get(podUid);
  }

  /** Looks at every pod again. */
  kickAll(): void {
    for (const worker of this.workers.values()) worker.kick();
  }

  /** The kubelet ends; the containers go on. */
  stop(): void {
    this.isStopped = true;
    for (const worker of this.workers.values()) worker.stop();
  }

  take(pod: Stored<Pod>): void {
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
        this.world.statuses.finish(pod, true).then(() => void this.refused.delete(pod.metadata.uid)),
      );
  }

  /** Pods that run or will. */
  *activePods(): Generator<KnownPod> {
    for (const worker of this.workers.values()) if (worker.isActive) yield worker.pod;
  }

  private begin(pod: KnownPod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
    // What ran before the kubelet did was admitted then; what is on its way out needs no leave to enter.
    if (!isOver && deletionTimestamp === undefined) {
      const isNew = this.world.runtime.get(uid).containers.length === 0;
      const refusal = isNew ? this.world.admission.refusal(pod) : undefined;
      if (refusal !== undefined) return this.inBackground(this.reconsider(pod, refusal));
      this.world.admission.enter(pod);
    }
    this.work(pod);
  }

  /** The node's labels and taints may have changed since they were last read: a refusal is made sure of first. */
  private async reconsider(pod: KnownPod, refusal: Refusal): Promise<void> {
    const { uid } = pod.metadata;
    this.undecided.add(uid);
    try {
      if (refusal.isAboutNode === true) await this.world.node.reread();
    } finally {
      this.undecided.delete(uid);
    }
    if (this.isStopped) return;
    const latest = isStaticPod(pod) ? pod : this.world.pods.lister.get(keyOf(pod));
    if (latest === undefined || latest.metadata.uid !== uid) return;
    const still = this.world.admission.refusal(pod);
    if (still !== undefined) {
      this.refuse(latest as KnownPod, still);
      return this.takeRefused(latest as KnownPod); // It may have been deleted meanwhile.
    }
    this.world.admission.enter(latest as KnownPod);
    this.work(latest as KnownPod);
  }

  private work(pod: KnownPod): void {
    const worker = new PodWorker(this.world.worker(), pod);
    this.workers.set(pod.metadata.uid, worker);
    worker.kick();
  }

  private refuse(pod: KnownPod, { reason, message }: Refusal): void {
    this.refused.add(pod.metadata.uid);
    this.world.recorder.event(podReference(pod), 'Warning', reason, message);
    const { generation } = pod.metadata;
    this.world.statuses.set(pod, {
      ...pod.status,
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: pod.status?.startTime ?? rfc3339(this.world.clock.now()),
      qosClass: qosClassOf(pod),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    });
  }

  drop(pod: Stored<Pod>): void {
    if (this.refused.delete(pod.metadata.uid))
      return this.inBackground(this.world.statuses.finish(pod as KnownPod, false));
    if (isMirrorPod(pod)) {
      const own = this.staticPods.get(pod.metadata.annotations?.[CONFIG_MIRROR] ?? '');
      if (own !== undefined) void this.ensureMirror(own);
      return;
    }
    this.workers.get(pod.metadata.uid)?.remove();
  }

  takeStatic(pods: readonly KnownPod[]): void {
    const present = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, pod] of this.staticPods) {
      if (present.has(uid)) continue;
      this.staticPods.delete(uid);
      this.world.admission.leave(uid);
      this.workers.get(uid)?.remove();
      const mirror = this.mirrorOf(pod);
      if (mirror !== undefined) this.inBackground(removeMirror(this.world.client, mirror));
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
    if (pod === undefined) return this.inBackground(removeMirror(this.world.client, mirror));
    if (mirror.metadata.deletionTimestamp !== undefined) return void this.ensureMirror(pod);
    this.world.statuses.resend(uid);
  }

  private mirrorOf(pod: KnownPod): Stored<Pod> | undefined {
    return this.world.pods.lister.get(keyOf(pod));
  }

  async ensureMirror(pod: KnownPod): Promise<void> {
    const { uid } = pod.metadata;
    if (this.mirrorsBusy.has(uid) || !this.world.pods.hasSynced || this.isStopped) return;
    this.mirrorsBusy.add(uid);
    try {
      await ensureMirror(this.world.client, pod, this.mirrorOf(pod), this.world.node.node?.metadata.uid);
    } catch (error) {
      this.world.log.fault(error);
    }
    this.mirrorsBusy.delete(uid);
  }

  serverPod(pod: KnownPod): Stored<Pod> | undefined {
    const found = this.world.pods.lister.get(keyOf(pod));
    if (found === undefined) return undefined;
    if (isStaticPod(pod)) return isMirrorPod(found) ? found : undefined;
    return found.metadata.uid === pod.metadata.uid ? found : undefined;
  }

  /** Once the sources are read: mirrors are made, and what runs for no pod is ended. */
  cleanUp(): void {
    if (this.isStopped) return;
    for (const pod of this.staticPods.values()) void this.ensureMirror(pod);
    for (const mirror of this.world.pods.lister.list()) if (isMirrorPod(mirror)) this.takeMirror(mirror);
    for (const uid of this.world.runtime.podUids())
      if (!this.workers.has(uid)) this.inBackground(this.endOrphan(uid));
  }

  private async endOrphan(uid: string): Promise<void> {
    const { sandboxes, containers } = this.world.runtime.get(uid);
    for (const container of containers)
      if (container.state === 'running') await this.world.containerd.stopContainer(container.id, 2000);
    for (const { id } of containers) await this.world.containerd.removeContainer(id);
    for (const { id } of sandboxes) {
      await this.world.containerd.stopSandbox(id);
      await this.world.containerd.removeSandbox(id);
    }
    const folder = `${this.world.rootDirectory}/pods/${uid}`;
    if (this.world.fs.exists(folder)) this.world.fs.removeAll(folder);
  }

  /** What a pod held is free: those that wait for room look again. */
  ended(uid: string): void {
    this.world.admission.leave(uid);
    this.pendingResizes.delete(uid);
    for (const waiting of this.pendingResizes) this.workers.get(waiting)?.kick();
  }

  forget(uid: string): void {
    this.workers.delete(uid);
    this.world.admission.leave(uid);
    this.world.probes.forgetPod(uid);
    // A pod of the same file may have come back meanwhile, or another version of it.
    for (const pod of this.staticPods.values())
      if (!this.workers.has(pod.metadata.uid)) this.beginStatic(pod);
  }

  private inBackground(task: Promise<void>): void {
    task.catch((error: unknown) => this.world.log.fault(error));
  }
}
