// Brings one pod nearer its spec, one step at a time and never two at once (kubelet's pod workers and kuberuntime).
import {
  RuntimeError,
  type Container as RuntimeContainer,
  type Sandbox,
} from '../../linux/containerd/index.ts';
import type { Random } from '../../simulation/index.ts';
import type { Backoff } from './backoff.ts';
import {
  HASH_ANNOTATION,
  LOG_FOLDER,
  startContainer,
  terminationLogPath,
  type StarterWorld,
} from './container-starter.ts';
import { WaitingError } from './images.ts';
import { runHook } from './lifecycle.ts';
import {
  allContainersOf,
  cgroupParentOf,
  containerHash,
  containerReference,
  ephemeralContainersOf,
  formatPod,
  gracePeriodOf,
  hostnameOf,
  initContainersOf,
  isHostNetwork,
  isStaticPod,
  podReference,
  portMappingsOf,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import {
  hasMainContainers,
  isFinished,
  isInitDone,
  makePodStatus,
  shouldStart,
  type PodStatus,
} from './pod-status.ts';
import type { Probes } from './probes.ts';
import { newestOf, type RuntimeCache, type RuntimeChange } from './runtime-cache.ts';
import type { StatusManager } from './status-manager.ts';
import { MountError } from './volumes.ts';

export interface WorkerWorld extends StarterWorld {
  readonly random: Random;
  readonly probes: Probes;
  readonly runtime: RuntimeCache;
  readonly statuses: StatusManager;
  /** CrashLoopBackOff, by `uid/container`. */
  readonly restarts: Backoff;
  /** Why pods can't have a network yet; undefined when they can. */
  readonly networkProblem: () => string | undefined;
  /** Sees that a static pod's mirror is on the API server. */
  readonly ensureMirror: (pod: KnownPod) => void;
  /** The pod is gone from this node. */
  readonly onGone: (podUid: string) => void;
  readonly onFault: (error: unknown) => void;
}

const ERROR_RETRY_MS = 10_000;
const SECOND_LOOK_MS = 1000;
const MOUNT_RETRY_MIN_MS = 500;
const MOUNT_RETRY_MAX_MS = 122_000;
const GRACE_MIN_SECONDS = 2;
/** Size of a termination message. */
const MESSAGE_MAX_BYTES = 4096;

/** Thrown to leave a step when the pod is told to end meanwhile. */
class Interrupted extends Error {}

export class PodWorker {
  pod: KnownPod;
  private readonly world: WorkerWorld;
  private readonly waiting = new Map<string, { reason: string; message: string }>();
  private failure: { reason: string; message: string } | undefined;
  private status: PodStatus | undefined;
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
  }

  /** Takes in a newer version of the pod. */
  update(pod: KnownPod): void {
    const isNews = concerns(pod) !== concerns(this.pod);
    this.pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.endRequest.resolve();
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

  /** Ends the pod in failure, whatever its containers do (eviction, deadline, rejection). */
  fail(reason: string, message: string): void {
    this.failure ??= { reason, message };
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
          this.retry(ERROR_RETRY_MS * (1 + this.world.random.fraction() / 2));
        }
      }
    }
    this.isBusy = false;
  }

  private retry(delayMs: number): void {
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

  private get mustEnd(): boolean {
    return this.isRemoved || this.pod.metadata.deletionTimestamp !== undefined || this.failure !== undefined;
  }

  /** A step that the pod's end interrupts. */
  private async unlessEnding<T>(step: Promise<T>): Promise<T> {
    if (this.mustEnd || this.isStopped) {
      step.catch(() => undefined); // What it makes is found and ended by the next sync.
      throw new Interrupted();
    }
    const interrupted = this.endRequest.promise.then(() => {
      throw new Interrupted();
    });
    return Promise.race([step, interrupted]);
  }

  private runtimeState() {
    return this.world.runtime.get(this.pod.metadata.uid);
  }

  // ── Looking ──

  private async sync(): Promise<void> {
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

  private watchProbes(): void {
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

  private podIPs(): readonly string[] {
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
      waiting: this.waiting,
      isReady: (container, instance) => world.probes.isReady(container, instance),
      isStarted: (container, instance) => world.probes.isStarted(container, instance),
      terminationMessage: (container, instance) => this.terminationMessage(container, instance),
      imageOf: (instance) => this.imageOf(instance),
      failure: this.failure,
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

  private terminationMessage(container: PodContainer, instance: RuntimeContainer): string | undefined {
    const { fs, volumes } = this.world;
    const path = terminationLogPath(
      volumes,
      this.pod.metadata.uid,
      container.spec.name,
      instance.spec.attempt,
    );
    const message = fs.exists(path) ? fs.readText(path) : '';
    if (
      message !== '' ||
      container.spec.terminationMessagePolicy !== 'FallbackToLogsOnError' ||
      instance.exitCode === 0
    ) {
      return Buffer.from(message).subarray(0, MESSAGE_MAX_BYTES).toString();
    }
    const { logPath } = instance.spec;
    if (logPath === undefined || !fs.exists(logPath)) return undefined;
    const lines = fs.readText(logPath).split('\n').slice(-81, -1);
    return Buffer.from(lines.map((line) => `${line.replace(/^\S+ \S+ \S+ /, '')}\n`).join(''))
      .subarray(-2048)
      .toString();
  }

  private imageOf(instance: RuntimeContainer): { image: string; imageID: string } {
    const record = this.world.containerd.imageStatus(instance.spec.image);
    return {
      image: record?.repoTags[0] ?? record?.image.name ?? instance.spec.image,
      imageID: record?.repoDigests[0] ?? record?.id ?? instance.imageId,
    };
  }

  // ── Going forward ──

  private async advance(): Promise<void> {
    const { world, pod } = this;
    const { recorder } = world;
    const problem = world.networkProblem();
    if (problem !== undefined && !isHostNetwork(pod)) {
      recorder.event(podReference(pod), 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
      return this.retry(ERROR_RETRY_MS * (1 + world.random.fraction() / 2));
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
    const sandbox = await this.ensureSandbox();
    if (sandbox === undefined) return;
    await this.restartFailed();
    for (const container of ephemeralContainersOf(pod)) {
      if (shouldStart(pod, container, this.instanceIn(sandbox, container)))
        await this.start(container, sandbox);
    }
    if (!(await this.advanceInit(sandbox))) return;
    for (const container of regularContainersOf(pod)) {
      if (shouldStart(pod, container, this.instanceIn(sandbox, container)))
        await this.start(container, sandbox);
    }
  }

  /** The newest instance of a container, if it belongs to the present sandbox or is over for good. */
  private instanceIn(sandbox: Sandbox, container: PodContainer): RuntimeContainer | undefined {
    const current = newestOf(this.runtimeState(), container.spec.name);
    if (current === undefined || current.sandboxId === sandbox.id || container.kind === 'regular')
      return current;
    return undefined; // A new sandbox runs its init containers again.
  }

  private async ensureSandbox(): Promise<Sandbox | undefined> {
    const { pod, world } = this;
    const { containerd, recorder } = world;
    const { sandboxes } = this.runtimeState();
    const [current] = sandboxes;
    if (current?.state === 'ready') return current;
    if (current !== undefined) {
      recorder.event(
        podReference(pod),
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
      );
      await containerd.stopSandbox(current.id);
    }
    try {
      const { namespace, name, uid, labels = {}, annotations = {} } = pod.metadata;
      return await containerd.runSandbox({
        podName: name,
        podNamespace: namespace,
        podUid: uid,
        attempt: current === undefined ? 0 : current.spec.attempt + 1,
        hostname: isHostNetwork(pod) ? world.kernel.hostname : hostnameOf(pod),
        hostNetwork: isHostNetwork(pod),
        labels: {
          ...labels,
          'io.kubernetes.pod.name': name,
          'io.kubernetes.pod.namespace': namespace,
          'io.kubernetes.pod.uid': uid,
        },
        annotations,
        cgroupParent: cgroupParentOf(pod, world.config.cgroupDriver),
        portMappings: isHostNetwork(pod) ? [] : portMappingsOf(pod),
      });
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const message = `Failed to create pod sandbox: rpc error: code = ${error.code} desc = ${error.message}`;
      recorder.event(podReference(pod), 'Warning', 'FailedCreatePodSandBox', message);
      this.retry(ERROR_RETRY_MS * (1 + world.random.fraction() / 2));
      return undefined;
    }
  }

  /** Ends containers whose probes or definition ask for it; they are started again when they have exited. */
  private async restartFailed(): Promise<void> {
    const runtime = this.runtimeState();
    for (const container of [...initContainersOf(this.pod), ...regularContainersOf(this.pod)]) {
      const current = newestOf(runtime, container.spec.name);
      if (current?.state !== 'running') continue;
      const { name } = container.spec;
      const failed = this.world.probes.failedProbe(current.id);
      if (failed !== undefined)
        await this.kill(
          container,
          current,
          `Container ${name} failed ${failed} probe, will be restarted`,
          'Unhealthy',
        );
      else if (
        current.spec.annotations[HASH_ANNOTATION] !== containerHash(container.spec) &&
        container.kind === 'regular'
      ) {
        await this.kill(
          container,
          current,
          `Container ${name} definition changed, will be restarted`,
          'Changed',
        );
      }
    }
  }

  /** Runs init containers in order; true once the main ones may start. */
  private async advanceInit(sandbox: Sandbox): Promise<boolean> {
    const isStarted = (container: PodContainer, instance: RuntimeContainer): boolean =>
      this.world.probes.isStarted(container, instance);
    const begun = hasMainContainers(this.pod, this.runtimeState());
    for (const container of initContainersOf(this.pod)) {
      if (begun && container.kind === 'init') continue;
      const current = this.instanceIn(sandbox, container);
      if (isInitDone(container, current, isStarted)) continue;
      if (shouldStart(this.pod, container, current)) {
        await this.start(container, sandbox);
        const now = this.instanceIn(sandbox, container);
        if (container.kind === 'sidecar' && (begun || isInitDone(container, now, isStarted))) continue;
      } else if (begun) continue;
      return begun;
    }
    return true;
  }

  private async start(container: PodContainer, sandbox: Sandbox): Promise<void> {
    const { pod, world } = this;
    const { name } = container.spec;
    const current = newestOf(this.runtimeState(), name);
    try {
      if (current?.state === 'exited') this.checkBackoff(container, current);
      if (current?.state === 'created') await world.containerd.removeContainer(current.id);
      const attempt =
        current === undefined
          ? 0
          : current.state === 'created'
            ? current.spec.attempt
            : current.spec.attempt + 1;
      const kill = (
        _: KnownPod,
        which: PodContainer,
        instance: RuntimeContainer,
        message: string,
        reason: string,
      ): Promise<void> => this.kill(which, instance, message, reason);
      await this.unlessEnding(startContainer(world, pod, container, sandbox, attempt, this.podIPs(), kill));
      this.waiting.delete(name);
      this.collectDead(name);
      this.watchProbes();
    } catch (error) {
      if (!(error instanceof WaitingError)) throw error;
      this.waiting.set(name, { reason: error.reason, message: error.message });
      // The runtime's event about the new sandbox brings a second look soon after the first failure.
      const isFirstLook =
        error.reason === 'ErrImagePull' && world.clock.now() - sandbox.createdMs < SECOND_LOOK_MS;
      const usualMs = isFirstLook ? SECOND_LOOK_MS : ERROR_RETRY_MS * (1 + world.random.fraction() / 2);
      const soonestMs = error.reason === 'RunContainerError' ? 0 : (error.retryMs ?? usualMs);
      this.retry(Math.min(soonestMs, usualMs));
    }
  }

  /** Throws WaitingError CrashLoopBackOff while a container that keeps failing has to wait. */
  private checkBackoff(container: PodContainer, last: RuntimeContainer): void {
    const { restarts, recorder } = this.world;
    const key = `${this.pod.metadata.uid}/${container.spec.name}`;
    const finishedMs = last.finishedMs ?? last.createdMs;
    const leftMs = restarts.leftSince(key, finishedMs);
    if (leftMs > 0) {
      const { name } = container.spec;
      recorder.event(
        containerReference(this.pod, container),
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${name} in pod ${formatPod(this.pod)}`,
      );
      const message = `back-off ${goSeconds(restarts.get(key))} restarting failed container=${name} pod=${formatPod(this.pod)}`;
      throw new WaitingError('CrashLoopBackOff', message, leftMs);
    }
    restarts.next(key, finishedMs);
  }

  /** Keeps the newest and one before it, as the container garbage collector does. */
  private collectDead(name: string): void {
    const dead = this.runtimeState()
      .containers.filter(({ spec }) => spec.name === name)
      .slice(2);
    for (const { id } of dead) {
      this.world.probes.forget(id);
      this.world.containerd.removeContainer(id).catch(this.world.onFault);
    }
  }

  // ── Ending ──

  private async kill(
    container: PodContainer,
    instance: RuntimeContainer,
    message: string,
    reason: string,
    graceSeconds?: number,
  ): Promise<void> {
    const { world, pod } = this;
    const startedMs = world.clock.now();
    let grace = graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    if (graceSeconds === undefined && reason === 'Unhealthy') {
      const probe =
        container.spec.livenessProbe?.terminationGracePeriodSeconds ??
        container.spec.startupProbe?.terminationGracePeriodSeconds;
      grace = probe ?? grace;
    }
    world.recorder.event(containerReference(pod, container), 'Normal', 'Killing', message);
    const hook = container.spec.lifecycle?.preStop;
    if (hook !== undefined && grace > 0) {
      const alarm = new AbortController();
      const done = runHook(world, hook, container.spec, instance.id, this.podIPs()[0] ?? '').then((ok) => {
        if (!ok)
          world.recorder.event(
            containerReference(pod, container),
            'Warning',
            'FailedPreStopHook',
            'PreStopHook failed',
          );
      });
      await Promise.race([done, world.clock.sleep(grace * 1000, alarm.signal).catch(() => undefined)]);
      alarm.abort();
      grace -= Math.floor((world.clock.now() - startedMs) / 1000);
    }
    await world.containerd.stopContainer(instance.id, Math.max(GRACE_MIN_SECONDS, grace) * 1000);
  }

  private async end(): Promise<void> {
    const { pod, world } = this;
    world.probes.stopRestarts(pod.metadata.uid);
    if (this.pod.metadata.deletionTimestamp !== undefined && !this.isTerminal) this.publish();
    await this.killAll();
    this.isTerminal = true;
    for (const sandbox of this.runtimeState().sandboxes)
      if (sandbox.state === 'ready') await world.containerd.stopSandbox(sandbox.id);
    this.watchProbes();
    this.waiting.clear();
    if (!this.isRemoved) this.publish();
    world.objects.unregister(pod.metadata.uid);
    if (this.isRemoved || this.pod.metadata.deletionTimestamp !== undefined) await this.vanish();
  }

  /** Main containers together, then sidecars in reverse order. */
  private async killAll(): Promise<void> {
    const endMs = this.world.clock.now() + gracePeriodOf(this.pod) * 1000;
    const running = (container: PodContainer): RuntimeContainer | undefined =>
      this.runtimeState().containers.find(
        ({ spec, state }) => spec.name === container.spec.name && state === 'running',
      );
    const stop = async (container: PodContainer): Promise<void> => {
      const instance = running(container);
      if (instance === undefined) return;
      const grace = Math.max(0, Math.ceil((endMs - this.world.clock.now()) / 1000));
      await this.kill(container, instance, `Stopping container ${container.spec.name}`, 'Stopping', grace);
    };
    const all = allContainersOf(this.pod);
    await Promise.all(all.filter(({ kind }) => kind !== 'sidecar').map(stop));
    for (const sidecar of all.filter(({ kind }) => kind === 'sidecar').toReversed()) await stop(sidecar);
  }

  /** Takes away what the pod left, and then the pod itself from the API. */
  private async vanish(): Promise<void> {
    const { pod, world } = this;
    const { uid, namespace, name } = pod.metadata;
    const runtime = this.runtimeState();
    for (const { id } of runtime.containers) {
      world.probes.forget(id);
      await world.containerd.removeContainer(id);
    }
    for (const { id } of runtime.sandboxes) await world.containerd.removeSandbox(id);
    world.volumes.unmount(pod);
    world.fs.removeAll(`${LOG_FOLDER}/${namespace}_${name}_${uid}`);
    for (const entry of world.fs.exists('/var/log/containers')
      ? world.fs.readdir('/var/log/containers')
      : []) {
      if (entry.name.startsWith(`${name}_${namespace}_`))
        world.fs.unlink(`/var/log/containers/${entry.name}`);
    }
    world.images.forget(uid);
    world.restarts.forget(`${uid}/`);
    this.isDone = true;
    this.timer?.[Symbol.dispose]();
    await world.statuses.finish(pod, !this.isRemoved);
    world.onGone(uid);
  }
}

const OWN_CONDITIONS = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
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

/** `10s`, `1m20s`, `5m0s`: whole seconds as Go prints a duration. */
function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
