// Starts the containers of one pod in their order, and starts again those that failed, after their back-off.
import type { Container as RuntimeContainer, Sandbox } from '../../linux/containerd/index.ts';
import { HASH_ANNOTATION, startContainer } from './container-starter.ts';
import { WaitingError } from './images.ts';
import { killContainer, type EndReason } from './pod-ending.ts';
import {
  containerHash,
  containerReference,
  formatPod,
  initContainersOf,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';
import { hasMainContainers, isInitDone, restartsAll, shouldStart } from './pod-status.ts';
import { ERROR_RETRY_MS, type PodTask } from './pod-task.ts';
import { newestOf } from './runtime-cache.ts';

const SECOND_LOOK_MS = 1000;
/** From this minor version on a pod in back-off isn't looked at again until that is over. */
const BACKOFF_WAITED_OUT_MINOR = 34;

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

/**
 * A container has ended in a way that restarts the whole pod in its place (KEP-5532): ends the others, and takes all
 * records away, so that init containers run again too. `waits`: not before a back-off is over.
 */
export async function restartAll(task: PodTask): Promise<'nothing' | 'done' | 'waits'> {
  const { world, pod } = task;
  const containers = [...initContainersOf(pod), ...regularContainersOf(pod)];
  for (const container of containers) {
    const last = newestOf(task.runtimeState(), container.spec.name);
    if (last?.state !== 'exited' || !restartsAll(container, last.exitCode ?? 0)) continue;
    try {
      checkBackoff(task, container, last);
    } catch (error) {
      if (!(error instanceof WaitingError)) throw error;
      waitForRestart(task, container.spec.name, error, last);
      return 'waits';
    }
    task.showRestartingAll(true);
    await Promise.all(
      containers.map(async (other) => {
        const current = newestOf(task.runtimeState(), other.spec.name);
        const message = `Stopping container ${other.spec.name}`;
        if (current?.state === 'running')
          await killContainer(task, other, current, message, { reason: 'Stopping' });
      }),
    );
    for (const { id, spec } of task.runtimeState().containers) {
      task.attempts.set(spec.name, Math.max(task.attempts.get(spec.name) ?? 0, spec.attempt + 1));
      world.probes.forget(id);
      await world.containerd.removeContainer(id);
    }
    task.waiting.clear();
    task.showRestartingAll(false);
    return 'done';
  }
  return 'nothing';
}

/** Ends containers whose probes or definition ask for it; they are started again when they have exited. */
export async function restartFailed(task: PodTask): Promise<void> {
  const runtime = task.runtimeState();
  for (const container of [...initContainersOf(task.pod), ...regularContainersOf(task.pod)]) {
    const current = newestOf(runtime, container.spec.name);
    if (current?.state !== 'running') continue;
    const end = whyEnd(task, container, current);
    if (end !== undefined) await killContainer(task, container, current, end.message, { reason: end.reason });
  }
}

function whyEnd(
  { world }: PodTask,
  { spec, kind }: PodContainer,
  current: RuntimeContainer,
): { reason: EndReason; message: string } | undefined {
  const reason = world.probes.failedProbe(current.id);
  if (reason !== undefined) {
    const message = `Container ${spec.name} failed ${reason.toLowerCase()} probe, will be restarted`;
    return { reason, message };
  }
  const isChanged = current.spec.annotations[HASH_ANNOTATION] !== containerHash(spec);
  if (!isChanged || kind === 'init' || kind === 'ephemeral') return undefined;
  return { reason: 'Changed', message: `Container ${spec.name} definition changed, will be restarted` };
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
        ? (task.attempts.get(name) ?? 0)
        : current.state === 'created'
          ? current.spec.attempt
          : current.spec.attempt + 1;
    const kill = (
      _: KnownPod,
      which: PodContainer,
      instance: RuntimeContainer,
      message: string,
    ): Promise<void> => killContainer(task, which, instance, message, { reason: 'FailedPostStartHook' });
    const targetId = targetOf(task, container);
    await task.unlessEnding(
      startContainer(world, pod, container, sandbox, attempt, task.podIPs(), targetId, kill),
    );
    task.waiting.delete(name);
    collectDead(task, name);
    task.watchProbes();
  } catch (error) {
    if (!(error instanceof WaitingError)) throw error;
    if (error.reason === 'CrashLoopBackOff') return waitForRestart(task, name, error, current);
    task.waiting.set(name, { reason: error.reason, message: error.message });
    // The runtime's event about the new sandbox brings a second look soon after the first failure.
    const isFirstLook =
      error.reason === 'ErrImagePull' && world.clock.now() - sandbox.createdMs < SECOND_LOOK_MS;
    const usualMs = isFirstLook ? SECOND_LOOK_MS : ERROR_RETRY_MS * (1 + world.random.fraction() / 2);
    const soonestMs = error.reason === 'RunContainerError' ? 0 : (error.retryMs ?? usualMs);
    task.retry(Math.min(soonestMs, usualMs));
  }
}

/**
 * The status tells of a back-off only at the next look (it is computed before the containers are looked after), so an
 * ended container shows how it ended first. One that couldn't start keeps saying so until it is tried again.
 */
function waitForRestart(
  task: PodTask,
  name: string,
  { reason, message, retryMs = 0 }: WaitingError,
  last: RuntimeContainer | undefined,
): void {
  const { minor, random } = task.world;
  if (task.waiting.get(name)?.reason !== reason) {
    const delayMs = last?.reason === 'StartError' ? retryMs : Math.min(SECOND_LOOK_MS, retryMs);
    task.waitLater(name, { reason, message }, delayMs);
  }
  const usualMs = ERROR_RETRY_MS * (1 + random.fraction() / 2);
  task.retry(minor >= BACKOFF_WAITED_OUT_MINOR ? retryMs : Math.min(retryMs, usualMs));
}

/** The running container whose processes an ephemeral container wants to see. */
function targetOf(task: PodTask, container: PodContainer): string | undefined {
  const { targetContainerName: name = '' } = container.spec as { targetContainerName?: string };
  if (container.kind !== 'ephemeral' || name === '') return undefined;
  const target = newestOf(task.runtimeState(), name);
  if (target?.state === 'running') return target.id;
  const message = `unable to find target container ${name}`;
  const subject = containerReference(task.pod, container);
  task.world.recorder.event(subject, 'Warning', 'Failed', `Error: ${message}`);
  throw new WaitingError('CreateContainerConfigError', message);
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
