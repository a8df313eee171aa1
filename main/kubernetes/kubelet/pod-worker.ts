// Brings one pod nearer its spec, one step at a time and never two at once (kubelet's pod workers and kuberuntime).
import { imageOf, terminationMessage } from './container-report.ts';
import { advanceInit, restartAll, restartFailed, startAll } from './pod-containers.ts';
import { killAll, removeTraces, shortenGrace } from './pod-ending.ts';
import {
  allContainersOf,
  ephemeralContainersOf,
  gracePeriodOf,
  isHostNetwork,
  isStaticPod,
  podReference,
  regularContainersOf,
  type KnownPod,
} from './pod-facts.ts';
import { asksForOther, PodResize, reportedPod } from './pod-resize.ts';
import { ensureSandbox } from './pod-sandbox.ts';
import { isFinished, makePodStatus, type PodFailure, type PodStatus } from './pod-status.ts';
import { ERROR_RETRY_MS, Interrupted, type PodTask, type WorkerWorld } from './pod-task.ts';
import type { PodRuntime, RuntimeChange } from './runtime-cache.ts';
import { MountError } from './volumes.ts';

const MOUNT_RETRY_MIN_MS = 500;
const MOUNT_RETRY_MAX_MS = 122_000;

export class PodWorker implements PodTask {
  pod: KnownPod;
  readonly world: WorkerWorld;
  readonly waiting = new Map<string, { reason: string; message: string }>();
  readonly attempts = new Map<string, number>();
  private isRestartingAll = false;
  private readonly waitingNext = new Map<string, { reason: string; message: string; dueMs: number }>();
  private failureGraceSeconds: number | undefined;
  private failure: PodFailure | undefined;
  private status: PodStatus | undefined;
  private resize: PodResize | undefined;
  private isBusy = false;
  private isDirty = false;
  private isRemoved = false;
  private isStopped = false;
  private isTerminal = false;
  private isDone = false;
  private mountRetryMs = MOUNT_RETRY_MIN_MS;
  private timer: Disposable | undefined;
  private timerDueMs = Infinity;
  private endRequest = Promise.withResolvers<void>();

  constructor(world: WorkerWorld, pod: KnownPod) {
    this.world = world;
    this.pod = pod;
    this.status = pod.status;
    const before = reportedPod(pod);
    if (before === undefined) return;
    this.resize = new PodResize(this, before, pod);
    this.pod = this.resize.given();
  }

  /** Takes in a newer version of the pod. */
  update(pod: KnownPod): void {
    const isNews = concerns(pod) !== concerns(this.pod);
    const { deletionGracePeriodSeconds: given = 0 } = this.pod.metadata;
    if (this.resize === undefined && asksForOther(this.pod, pod))
      this.resize = new PodResize(this, this.pod, pod);
    this.resize?.take(pod);
    this.pod = this.resize?.given() ?? pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.endRequest.resolve();
    const { deletionGracePeriodSeconds: seconds = Infinity } = pod.metadata;
    if (seconds < given) shortenGrace(this, seconds).catch(this.world.onFault);
    if (isNews) this.kick(); // Most updates are the echo of our own statuses.
  }

  /** The pod is gone from its source without a deletion that waits for us: forced, or its file was removed. */
  remove(): void {
    this.isRemoved = true;
    this.endRequest.resolve();
    this.kick();
  }

  /** Something about the pod may have changed: looks at it again, soon. */
  kick(): void {
    this.isDirty = true;
    if (this.isBusy || this.isStopped) return;
    this.isBusy = true;
    this.world.clock.soon(() => void this.run());
  }

  /** The runtime has news of the pod. What a sync does itself is no news, but an end always is. */
  notice(kind: RuntimeChange): void {
    if (kind === 'stopped' || !this.isBusy) this.kick();
  }

  /** The kubelet ends; the containers go on. */
  stop(): void {
    this.isStopped = true;
    this.timer?.[Symbol.dispose]();
    this.endRequest.resolve();
  }

  /** Ends the pod in failure, whatever its containers do (eviction, deadline). */
  fail(reason: string, message: string, graceSeconds?: number): void {
    this.failure ??= { reason, message, isDisruption: reason === 'Evicted' };
    this.failureGraceSeconds ??= graceSeconds;
    this.endRequest.resolve();
    this.kick();
  }

  private async run(): Promise<void> {
    while (this.isDirty && !this.isStopped && !this.isDone) {
      this.isDirty = false;
      try {
        await this.sync();
      } catch (error) {
        if (this.isStopped) break;
        if (!(error instanceof Interrupted)) {
          this.world.onFault(error);
          this.retryUsual();
        }
      }
    }
    this.isBusy = false;
  }

  retryUsual(): void {
    this.retry(ERROR_RETRY_MS * (1 + this.world.random.fraction() / 2));
  }

  retry(delayMs: number): void {
    const { clock } = this.world;
    const dueMs = clock.now() + delayMs;
    if (dueMs >= this.timerDueMs) return;
    this.timer?.[Symbol.dispose]();
    this.timerDueMs = dueMs;
    this.timer = clock.after(delayMs, () => {
      this.timerDueMs = Infinity;
      this.kick();
    });
  }

  /** It runs, or will, as far as anyone has said. */
  get isActive(): boolean {
    return !this.mustEnd && !this.isTerminal;
  }

  private get mustEnd(): boolean {
    return this.isRemoved || this.pod.metadata.deletionTimestamp !== undefined || this.failure !== undefined;
  }

  waitLater(name: string, why: { reason: string; message: string }, delayMs: number): void {
    const dueMs = this.world.clock.now() + delayMs;
    if (!this.waitingNext.has(name)) this.waitingNext.set(name, { ...why, dueMs });
    this.retry(delayMs);
  }

  showRestartingAll(isOn: boolean): void {
    this.isRestartingAll = isOn;
    this.publish();
  }

  endGraceSeconds(): number {
    if (this.pod.metadata.deletionTimestamp !== undefined) return gracePeriodOf(this.pod);
    return this.failureGraceSeconds ?? gracePeriodOf(this.pod);
  }

  /** A step that the pod's end interrupts. */
  async unlessEnding<T>(step: Promise<T>): Promise<T> {
    if (this.mustEnd || this.isStopped) {
      step.catch(() => undefined); // What it makes is found and ended by the next sync.
      throw new Interrupted();
    }
    const interrupted = this.endRequest.promise.then(() => {
      throw new Interrupted();
    });
    return Promise.race([step, interrupted]);
  }

  runtimeState(): PodRuntime {
    return this.world.runtime.get(this.pod.metadata.uid);
  }

  // ── Looking ──

  private async sync(): Promise<void> {
    for (const [name, { reason, message, dueMs }] of this.waitingNext) {
      if (dueMs > this.world.clock.now()) continue;
      this.waiting.set(name, { reason, message });
      this.waitingNext.delete(name);
    }
    this.watchProbes();
    if (this.failure === undefined && this.deadlineHasPassed()) {
      this.failure = {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      };
      this.endRequest.resolve();
      this.world.recorder.event(podReference(this.pod), 'Normal', this.failure.reason, this.failure.message);
    }
    const over = this.status?.phase === 'Succeeded' || this.status?.phase === 'Failed';
    if (this.mustEnd || over || isFinished(this.pod, this.runtimeState())) return this.end();

    this.publish();
    this.deadlineHasPassed(); // Sets the timer, now that the start is known.
    if (this.resize !== undefined) {
      await this.resize.step();
      this.pod = this.resize.given();
    }
    await this.advance();
    if (!this.mustEnd) this.publish();
    if (isFinished(this.pod, this.runtimeState())) this.isDirty = true;
  }

  private deadlineHasPassed(): boolean {
    const { activeDeadlineSeconds } = this.pod.spec;
    const startTime = this.status?.startTime;
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - this.world.clock.now();
    if (leftMs > 0) this.retry(leftMs);
    return leftMs <= 0;
  }

  watchProbes(): void {
    const { probes } = this.world;
    const runtime = this.runtimeState();
    for (const container of allContainersOf(this.pod)) {
      for (const instance of runtime.containers) {
        if (instance.spec.name !== container.spec.name) continue;
        if (instance.state === 'running' && !this.mustEnd)
          probes.watch(this.pod, container, instance, () => this.podIPs()[0] ?? '');
        else if (instance.state === 'exited') probes.forget(instance.id);
      }
    }
  }

  podIPs(): readonly string[] {
    if (isHostNetwork(this.pod)) return [this.world.config.nodeIP];
    return this.runtimeState().sandboxes[0]?.ips ?? [];
  }

  /** Computes the status and hands it on. */
  private publish(): void {
    const { world } = this;
    const own = this.status;
    const foreign =
      this.pod.status?.conditions?.filter(
        ({ type }) => own?.conditions?.some((condition) => condition.type === type) !== true,
      ) ?? [];
    const known =
      own === undefined
        ? this.pod.status
        : { ...own, conditions: [...this.refreshForeign(own.conditions ?? []), ...foreign] };
    this.status = makePodStatus({ ...this.pod, status: known }, this.runtimeState(), {
      nodeIP: world.config.nodeIP,
      nowMs: world.clock.now(),
      minor: world.minor,
      runtimeName: world.runtimeName,
      waiting: this.waiting,
      isReady: (container, instance) => world.probes.isReady(container, instance),
      isStarted: (container, instance) => world.probes.isStarted(container, instance),
      terminationMessage: (container, instance) => terminationMessage(world, this.pod, container, instance),
      imageOf: (instance) => imageOf(world, instance),
      failure: this.failure,
      resize: this.resize?.conditions() ?? [],
      attemptOf: (name) => this.attempts.get(name) ?? 0,
      isRestartingAll: this.isRestartingAll,
      isTerminal: this.isTerminal,
    });
    world.statuses.set(this.pod, this.status);
  }

  /** Conditions that others own are taken as they are now on the server. */
  private refreshForeign(
    conditions: NonNullable<PodStatus['conditions']>,
  ): NonNullable<PodStatus['conditions']> {
    const server = this.pod.status?.conditions ?? [];
    return conditions.map((condition) =>
      OWN_CONDITIONS.has(condition.type)
        ? condition
        : (server.find(({ type }) => type === condition.type) ?? condition),
    );
  }

  // ── Going forward ──

  private async advance(): Promise<void> {
    const { world, pod } = this;
    const { recorder } = world;
    const problem = world.networkProblem();
    if (problem !== undefined && !isHostNetwork(pod)) {
      recorder.event(podReference(pod), 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
      return this.retryUsual();
    }
    if (isStaticPod(pod)) world.ensureMirror(pod);
    world.objects.register(pod);
    try {
      await this.unlessEnding(world.volumes.mount(pod, this.podIPs()));
      this.mountRetryMs = MOUNT_RETRY_MIN_MS;
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      recorder.event(
        podReference(pod),
        'Warning',
        'FailedMount',
        `MountVolume.SetUp failed for volume "${error.volumeName}" : ${error.message}`,
      );
      this.retry(this.mountRetryMs);
      this.mountRetryMs = Math.min(MOUNT_RETRY_MAX_MS, this.mountRetryMs * 2);
      return;
    }
    const renewalMs = world.volumes.renewalMs(pod.metadata.uid);
    if (renewalMs !== undefined) this.retry(Math.max(1000, renewalMs - world.clock.now()));
    const sandbox = await ensureSandbox(this);
    if (sandbox === undefined) return;
    if ((await restartAll(this)) === 'waits') return;
    await restartFailed(this);
    await startAll(this, ephemeralContainersOf(pod), sandbox);
    if (await advanceInit(this, sandbox)) await startAll(this, regularContainersOf(pod), sandbox);
  }

  // ── Ending ──

  private async end(): Promise<void> {
    const { pod, world } = this;
    world.probes.stopRestarts(pod.metadata.uid);
    if (this.pod.metadata.deletionTimestamp !== undefined && !this.isTerminal) this.publish();
    await killAll(this);
    this.isTerminal = true;
    world.onEnded(pod.metadata.uid);
    for (const sandbox of this.runtimeState().sandboxes)
      if (sandbox.state === 'ready') await world.containerd.stopSandbox(sandbox.id);
    this.watchProbes();
    this.waiting.clear();
    if (!this.isRemoved) this.publish();
    world.objects.unregister(pod.metadata.uid);
    if (this.isRemoved || this.pod.metadata.deletionTimestamp !== undefined) await this.vanish();
  }

  /** Takes away what the pod left, and then the pod itself from the API. */
  private async vanish(): Promise<void> {
    const { pod, world } = this;
    await removeTraces(this);
    this.isDone = true;
    this.timer?.[Symbol.dispose]();
    await world.statuses.finish(pod, !this.isRemoved);
    world.onGone(pod.metadata.uid);
  }
}

const OWN_CONDITIONS = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

/** What of a pod on the server makes the kubelet look at it: all but its own reports. */
function concerns({ metadata, spec, status }: KnownPod): string {
  const foreign = (status?.conditions ?? [])
    .filter(({ type }) => !OWN_CONDITIONS.has(type))
    .map(({ type, status: value }) => [type, value]);
  const { generation, deletionTimestamp, deletionGracePeriodSeconds, labels, annotations } = metadata;
  return JSON.stringify([
    generation ?? spec,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    labels,
    annotations,
    foreign,
  ]);
}
