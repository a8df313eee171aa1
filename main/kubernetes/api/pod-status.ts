// A pod's status in a word, as kubectl prints it (pkg/printers/internalversion printPod).
import type { ContainerStatus, Pod } from './types.ts';

export interface PodSummary {
  /** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating` … */
  readonly status: string;
  readonly readyContainers: number;
  readonly totalContainers: number;
  readonly restarts: number;
  /** When a container last restarted, RFC 3339. */
  readonly lastRestart: string | undefined;
}

function isSidecar(pod: Pod, name: string): boolean {
  return (pod.spec?.initContainers ?? []).some(
    (container) => container.name === name && container.restartPolicy === 'Always',
  );
}

function exitText({
  reason = '',
  signal = 0,
  exitCode,
}: {
  reason?: string;
  signal?: number;
  exitCode: number;
}): string {
  if (reason !== '') return reason;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** The newest of two instants. */
function later(a: string | undefined, b: string | null | undefined): string | undefined {
  if (b === undefined || b === null) return a;
  return a === undefined || a < b ? b : a;
}

export function summarizePod(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const initStatuses = status.initContainerStatuses ?? [];
  const statuses = status.containerStatuses ?? [];
  let total = (pod.spec?.containers ?? []).length;
  let restarts = 0;
  let sidecarRestarts = 0;
  let ready = 0;
  let lastRestart: string | undefined;
  let lastSidecarRestart: string | undefined;
  let reason = status.reason !== undefined && status.reason !== '' ? status.reason : (status.phase ?? '');
  for (const condition of status.conditions ?? []) {
    if (condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated')
      reason = 'SchedulingGated';
  }
  for (const container of pod.spec?.initContainers ?? []) if (container.restartPolicy === 'Always') total++;

  let initializing = false;
  for (const [index, container] of initStatuses.entries()) {
    restarts += container.restartCount;
    lastRestart = later(lastRestart, container.lastState?.terminated?.finishedAt);
    if (isSidecar(pod, container.name)) {
      sidecarRestarts += container.restartCount;
      lastSidecarRestart = later(lastSidecarRestart, container.lastState?.terminated?.finishedAt);
    }
    const text = initReason(pod, container, index);
    if (text === undefined) {
      if (isSidecar(pod, container.name) && container.ready) ready++;
      continue;
    }
    reason = text;
    initializing = true;
    break;
  }

  const isInitialized = (status.conditions ?? []).some(
    ({ type, status: value }) => type === 'Initialized' && value === 'True',
  );
  if (!initializing || isInitialized) {
    restarts = sidecarRestarts;
    lastRestart = lastSidecarRestart;
    let hasRunning = false;
    for (const container of statuses.toReversed()) {
      restarts += container.restartCount;
      lastRestart = later(lastRestart, container.lastState?.terminated?.finishedAt);
      const { waiting, terminated, running } = container.state ?? {};
      if (waiting?.reason !== undefined && waiting.reason !== '') reason = waiting.reason;
      else if (terminated !== undefined) reason = exitText(terminated);
      else if (container.ready && running !== undefined) {
        hasRunning = true;
        ready++;
      }
    }
    if (reason === 'Completed' && hasRunning) {
      const isReady = (status.conditions ?? []).some(
        ({ type, status: value }) => type === 'Ready' && value === 'True',
      );
      reason = isReady ? 'Running' : 'NotReady';
    }
  }
  if (pod.metadata?.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') reason = 'Terminating';
  }
  return { status: reason, readyContainers: ready, totalContainers: total, restarts, lastRestart };
}

/** What an init container that isn't done makes of the pod's status; undefined when it is done. */
function initReason(pod: Pod, { name, state, started }: ContainerStatus, index: number): string | undefined {
  const { terminated, waiting } = state ?? {};
  if (terminated !== undefined && terminated.exitCode === 0) return undefined;
  if (isSidecar(pod, name) && started === true) return undefined;
  if (terminated !== undefined) return `Init:${exitText(terminated)}`;
  if (waiting?.reason !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing')
    return `Init:${waiting.reason}`;
  return `Init:${index}/${(pod.spec?.initContainers ?? []).length}`;
}

/** The STATUS column of `kubectl get pods`. */
export function podStatusText(pod: Pod): string {
  return summarizePod(pod).status;
}
