// A Pod's state in kubectl's words: what the STATUS column of `kubectl get pods` says.
import type { ContainerStatus, Pod } from './types.ts';
import type { Stored } from './meta.ts';

/** Reason of a pod whose node is lost (kubernetes/pkg/util/node). */
const NODE_LOST = 'NodeLost';

/** The STATUS column, derived as printPod does (kubernetes pkg/printers/internalversion/printers.go, 1.36). */
export function podStatusText(pod: Stored<Pod>): string {
  const { status, spec, metadata } = pod;
  let reason: string =
    status?.reason !== undefined && status.reason !== '' ? status.reason : (status?.phase ?? 'Unknown');
  for (const { type, status: state, reason: why } of status?.conditions ?? []) {
    if (type === 'PodScheduled' && why === 'SchedulingGated' && state !== 'True') reason = 'SchedulingGated';
  }
  const initializing = initReason(pod);
  if (initializing !== undefined) reason = initializing;
  const initialized = (status?.conditions ?? []).some(
    ({ type, status: state }) => type === 'Initialized' && state === 'True',
  );
  if (initializing === undefined || initialized) {
    let hasRunning = false;
    for (const container of (status?.containerStatuses ?? []).toReversed()) {
      const state = containerReason(container);
      if (state !== undefined) reason = state;
      else if (container.ready && container.state?.running !== undefined) hasRunning = true;
    }
    if (reason === 'Completed' && hasRunning) {
      const ready = (status?.conditions ?? []).some(
        ({ type, status: state }) => type === 'Ready' && state === 'True',
      );
      reason = ready ? 'Running' : 'NotReady';
    }
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status?.reason === NODE_LOST) return 'Unknown';
    if (spec?.restartPolicy !== undefined && (status?.phase === 'Succeeded' || status?.phase === 'Failed'))
      return reason;
    return 'Terminating';
  }
  return reason;
}

/** `Init:…` while an init container keeps the pod from going on. */
function initReason({ spec, status }: Pod): string | undefined {
  const total = spec?.initContainers?.length ?? 0;
  const sidecars = new Set(
    (spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  );
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started === true) continue;
    if (terminated !== undefined) {
      if (terminated.reason !== undefined && terminated.reason !== '') return `Init:${terminated.reason}`;
      return terminated.signal !== undefined && terminated.signal !== 0
        ? `Init:Signal:${terminated.signal}`
        : `Init:ExitCode:${terminated.exitCode}`;
    }
    if (waiting?.reason !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing')
      return `Init:${waiting.reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function containerReason({ state }: ContainerStatus): string | undefined {
  if (state?.waiting?.reason !== undefined && state.waiting.reason !== '') return state.waiting.reason;
  const { terminated } = state ?? {};
  if (terminated === undefined) return undefined;
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason;
  return terminated.signal !== undefined && terminated.signal !== 0
    ? `Signal:${terminated.signal}`
    : `ExitCode:${terminated.exitCode}`;
}
