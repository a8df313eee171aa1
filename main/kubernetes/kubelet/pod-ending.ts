// Ends the containers of a pod with their grace, and takes away what the pod left on the machine.
import type { Clock } from '../../simulation/index.ts';
import type { Container as RuntimeContainer } from '../../linux/containerd/index.ts';
import { LOG_FOLDER } from './container-starter.ts';
import { runHook } from './lifecycle.ts';
import { allContainersOf, containerReference, type KnownPod, type PodContainer } from './pod-facts.ts';
import type { PodTask } from './pod-task.ts';

const GRACE_MIN_SECONDS = 2;

/** Why a container is ended: it decides how long it is given. */
export type EndReason = 'Liveness' | 'Startup' | 'FailedPostStartHook' | 'Changed' | 'Resized' | 'Stopping';

interface Ending {
  readonly reason: EndReason;
  /** Instead of the grace that the pod or the probe has. */
  readonly graceSeconds?: number;
  /** Settles when those have ended that this container must outlive. */
  readonly turn?: Promise<unknown>;
}

/** Ends one container: its preStop hook, its stop signal, and KILL when its grace is over (kuberuntime's killContainer). */
export async function killContainer(
  task: PodTask,
  container: PodContainer,
  instance: RuntimeContainer,
  message: string,
  { reason, graceSeconds, turn }: Ending,
): Promise<void> {
  const { world, pod } = task;
  let grace = graceSeconds ?? graceFor(pod, container, reason);
  world.recorder.event(containerReference(pod, container), 'Normal', 'Killing', message);
  if (container.spec.lifecycle?.preStop !== undefined && grace > 0)
    grace -= await within(world.clock, grace, runPreStop(task, container, instance));
  if (turn !== undefined && grace > 0) grace -= await within(world.clock, grace, turn);
  await world.containerd.stopContainer(instance.id, Math.max(GRACE_MIN_SECONDS, grace) * 1000);
}

function graceFor(pod: KnownPod, { spec }: PodContainer, reason: EndReason): number {
  const probe =
    reason === 'Liveness' ? spec.livenessProbe : reason === 'Startup' ? spec.startupProbe : undefined;
  return (
    pod.metadata.deletionGracePeriodSeconds ??
    probe?.terminationGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    30
  );
}

async function runPreStop(task: PodTask, container: PodContainer, instance: RuntimeContainer): Promise<void> {
  const { world, pod } = task;
  const hook = container.spec.lifecycle!.preStop!;
  if (await runHook(world, hook, container.spec, instance.id, task.podIPs()[0] ?? '')) return;
  const subject = containerReference(pod, container);
  world.recorder.event(subject, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
}

/** Waits for something, but no longer than `seconds`; answers how many whole seconds it took. */
async function within(clock: Clock, seconds: number, something: Promise<unknown>): Promise<number> {
  const startedMs = clock.now();
  const alarm = new AbortController();
  await Promise.race([something, clock.sleep(seconds * 1000, alarm.signal).catch(() => undefined)]);
  alarm.abort();
  return Math.floor((clock.now() - startedMs) / 1000);
}

/** All at once; but a sidecar gets its signal only when the main containers, and then the sidecars after it, are gone. */
export async function killAll(task: PodTask): Promise<void> {
  const running = (container: PodContainer): RuntimeContainer | undefined =>
    task
      .runtimeState()
      .containers.find(({ spec, state }) => spec.name === container.spec.name && state === 'running');
  const graceSeconds = task.endGraceSeconds();
  const stop = async (container: PodContainer, turn?: Promise<unknown>): Promise<void> => {
    const instance = running(container);
    if (instance === undefined) return;
    const message = `Stopping container ${container.spec.name}`;
    await killContainer(task, container, instance, message, {
      reason: 'Stopping',
      graceSeconds,
      ...(turn === undefined ? {} : { turn }),
    });
  };
  const all = allContainersOf(task.pod);
  const others = all.filter(({ kind }) => kind !== 'sidecar').map((container) => stop(container));
  let later: Promise<unknown> = Promise.all(others);
  const ends: Promise<unknown>[] = [later];
  for (const sidecar of all.filter(({ kind }) => kind === 'sidecar').toReversed()) {
    later = Promise.all([later, stop(sidecar, later)]);
    ends.push(later);
  }
  await Promise.all(ends);
}

/** Gives containers that are being ended a shorter grace than they were given; what waits for them goes on as before. */
export async function shortenGrace(task: PodTask, graceSeconds: number): Promise<void> {
  const running = task.runtimeState().containers.filter(({ state }) => state === 'running');
  const timeoutMs = Math.max(GRACE_MIN_SECONDS, graceSeconds) * 1000;
  await Promise.all(running.map(({ id }) => task.world.containerd.stopContainer(id, timeoutMs)));
}

/** Takes away what the pod left. */
export async function removeTraces(task: PodTask): Promise<void> {
  const { pod, world } = task;
  const { uid, namespace, name } = pod.metadata;
  const runtime = task.runtimeState();
  for (const { id } of runtime.containers) {
    world.probes.forget(id);
    await world.containerd.removeContainer(id);
  }
  for (const { id } of runtime.sandboxes) await world.containerd.removeSandbox(id);
  world.volumes.unmount(pod);
  const logs = `${LOG_FOLDER}/${namespace}_${name}_${uid}`;
  if (world.fs.exists(logs)) world.fs.removeAll(logs);
  for (const entry of world.fs.exists('/var/log/containers') ? world.fs.readdir('/var/log/containers') : []) {
    if (entry.name.startsWith(`${name}_${namespace}_`)) world.fs.unlink(`/var/log/containers/${entry.name}`);
  }
  world.images.forget(uid);
  world.restarts.forget(`${uid}/`);
}
