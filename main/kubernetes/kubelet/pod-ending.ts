// Ends the containers of a pod with their grace, and takes away what the pod left on the machine.
import type { Container as RuntimeContainer } from '../../linux/containerd/index.ts';
import { LOG_FOLDER } from './container-starter.ts';
import { runHook } from './lifecycle.ts';
import { allContainersOf, containerReference, gracePeriodOf, type PodContainer } from './pod-facts.ts';
import type { PodTask } from './pod-task.ts';

const GRACE_MIN_SECONDS = 2;

/** Ends one container: its preStop hook, its stop signal, and KILL when its grace is over. */
export async function killContainer(
  task: PodTask,
  container: PodContainer,
  instance: RuntimeContainer,
  message: string,
  reason: string,
  graceSeconds?: number,
): Promise<void> {
  const { world, pod } = task;
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
    const done = runHook(world, hook, container.spec, instance.id, task.podIPs()[0] ?? '').then((ok) => {
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

/** Main containers together, then sidecars in reverse order. */
export async function killAll(task: PodTask): Promise<void> {
  const endMs = task.world.clock.now() + gracePeriodOf(task.pod) * 1000;
  const running = (container: PodContainer): RuntimeContainer | undefined =>
    task
      .runtimeState()
      .containers.find(({ spec, state }) => spec.name === container.spec.name && state === 'running');
  const stop = async (container: PodContainer): Promise<void> => {
    const instance = running(container);
    if (instance === undefined) return;
    const grace = Math.max(0, Math.ceil((endMs - task.world.clock.now()) / 1000));
    await killContainer(
      task,
      container,
      instance,
      `Stopping container ${container.spec.name}`,
      'Stopping',
      grace,
    );
  };
  const all = allContainersOf(task.pod);
  await Promise.all(all.filter(({ kind }) => kind !== 'sidecar').map(stop));
  for (const sidecar of all.filter(({ kind }) => kind === 'sidecar').toReversed()) await stop(sidecar);
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
  world.fs.removeAll(`${LOG_FOLDER}/${namespace}_${name}_${uid}`);
  for (const entry of world.fs.exists('/var/log/containers') ? world.fs.readdir('/var/log/containers') : []) {
    if (entry.name.startsWith(`${name}_${namespace}_`)) world.fs.unlink(`/var/log/containers/${entry.name}`);
  }
  world.images.forget(uid);
  world.restarts.forget(`${uid}/`);
}
