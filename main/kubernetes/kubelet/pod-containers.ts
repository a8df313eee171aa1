// Starts the containers of one pod in their order, and starts again those that failed, after their back-off.
import type { Container as RuntimeContainer, Sandbox } from '../../linux/containerd/index.ts';
import { HASH_ANNOTATION, startContainer } from './container-starter.ts';
import { WaitingError } from './images.ts';
import { killContainer } from './pod-ending.ts';
import {
  containerHash,
  containerReference,
  formatPod,
  initContainersOf,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import { hasMainContainers, isInitDone, shouldStart } from './pod-status.ts';
import { ERROR_RETRY_MS, type PodTask } from './pod-task.ts';
import { newestOf } from './runtime-cache.ts';

const SECOND_LOOK_MS = 1000;

/** Starts the containers of one list that aren't running and should be. */
export async function startAll(
  task: PodTask,
  containers: readonly PodContainer[],
  sandbox: Sandbox,
): Promise<void> {
  for (const container of containers)
    if (shouldStart(task.pod, container, instanceIn(task, sandbox, container)))
      await start(task, container, sandbox);
}

/** Ends containers whose probes or definition ask for it; they are started again when they have exited. */
export async function restartFailed(task: PodTask): Promise<void> {
  const runtime = task.runtimeState();
  for (const container of [...initContainersOf(task.pod), ...regularContainersOf(task.pod)]) {
    const current = newestOf(runtime, container.spec.name);
    if (current?.state !== 'running') continue;
    const { name } = container.spec;
    const failed = task.world.probes.failedProbe(current.id);
    if (failed !== undefined)
      await killContainer(
        task,
        container,
        current,
        `Container ${name} failed ${failed} probe, will be restarted`,
        'Unhealthy',
      );
    else if (
      current.spec.annotations[HASH_ANNOTATION] !== containerHash(container.spec) &&
      container.kind === 'regular'
    ) {
      await killContainer(
        task,
        container,
        current,
        `Container ${name} definition changed, will be restarted`,
        'Changed',
      );
    }
  }
}

/** Runs init containers in order; true once the main ones may start. */
export async function advanceInit(task: PodTask, sandbox: Sandbox): Promise<boolean> {
  const isStarted = (container: PodContainer, instance: RuntimeContainer): boolean =>
    task.world.probes.isStarted(container, instance);
  const begun = hasMainContainers(task.pod, task.runtimeState());
  for (const container of initContainersOf(task.pod)) {
    if (begun && container.kind === 'init') continue;
    const current = instanceIn(task, sandbox, container);
    if (isInitDone(container, current, isStarted)) continue;
    if (shouldStart(task.pod, container, current)) {
      await start(task, container, sandbox);
      const now = instanceIn(task, sandbox, container);
      if (container.kind === 'sidecar' && (begun || isInitDone(container, now, isStarted))) continue;
    } else if (begun) continue;
    return begun;
  }
  return true;
}

async function start(task: PodTask, container: PodContainer, sandbox: Sandbox): Promise<void> {
  const { pod, world } = task;
  const { name } = container.spec;
  const current = newestOf(task.runtimeState(), name);
  try {
    if (current?.state === 'exited') checkBackoff(task, container, current);
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
    ): Promise<void> => killContainer(task, which, instance, message, reason);
    await task.unlessEnding(startContainer(world, pod, container, sandbox, attempt, task.podIPs(), kill));
    task.waiting.delete(name);
    collectDead(task, name);
    task.watchProbes();
  } catch (error) {
    if (!(error instanceof WaitingError)) throw error;
    task.waiting.set(name, { reason: error.reason, message: error.message });
    // The runtime's event about the new sandbox brings a second look soon after the first failure.
    const isFirstLook =
      error.reason === 'ErrImagePull' && world.clock.now() - sandbox.createdMs < SECOND_LOOK_MS;
    const usualMs = isFirstLook ? SECOND_LOOK_MS : ERROR_RETRY_MS * (1 + world.random.fraction() / 2);
    const soonestMs = error.reason === 'RunContainerError' ? 0 : (error.retryMs ?? usualMs);
    task.retry(Math.min(soonestMs, usualMs));
  }
}

/** Throws WaitingError CrashLoopBackOff while a container that keeps failing has to wait. */
function checkBackoff(task: PodTask, container: PodContainer, last: RuntimeContainer): void {
  const { restarts, recorder } = task.world;
  const key = `${task.pod.metadata.uid}/${container.spec.name}`;
  const finishedMs = last.finishedMs ?? last.createdMs;
  const leftMs = restarts.leftSince(key, finishedMs);
  if (leftMs > 0) {
    const { name } = container.spec;
    recorder.event(
      containerReference(task.pod, container),
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${name} in pod ${formatPod(task.pod)}`,
    );
    const message = `back-off ${goSeconds(restarts.get(key))} restarting failed container=${name} pod=${formatPod(task.pod)}`;
    throw new WaitingError('CrashLoopBackOff', message, leftMs);
  }
  restarts.next(key, finishedMs);
}

/** Keeps the newest and one before it, as the container garbage collector does. */
function collectDead(task: PodTask, name: string): void {
  const dead = task
    .runtimeState()
    .containers.filter(({ spec }) => spec.name === name)
    .slice(2);
  for (const { id } of dead) {
    task.world.probes.forget(id);
    task.world.containerd.removeContainer(id).catch(task.world.onFault);
  }
}

/** The newest instance of a container, if it belongs to the present sandbox or is over for good. */
function instanceIn(task: PodTask, sandbox: Sandbox, container: PodContainer): RuntimeContainer | undefined {
  const current = newestOf(task.runtimeState(), container.spec.name);
  if (current === undefined || current.sandboxId === sandbox.id || container.kind === 'regular')
    return current;
  return undefined; // A new sandbox runs its init containers again.
}

/** `10s`, `1m20s`, `5m0s`: whole seconds as Go prints a duration. */
function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
