// How long a Job waits before it makes pods again after failures (pkg/controller/job/backoff_utils.go).
import type { Pod, Stored } from '../../api/index.ts';
import { instant, podCondition } from '../pod-state.ts';
import { failureCount, ignoredFailureCount } from './indexes.ts';

/** 10 s, doubled with each failure, up to 10 min. */
const BASE_MS = 10_000;
const MAX_MS = 600_000;

/** Of a whole Job: after the failures that no success has followed. In ms from now, not above zero if it needn't wait. */
export function jobBackoffMs(pods: readonly Stored<Pod>[], nowMs: number): number {
  const finished = pods.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Succeeded');
  finished.sort((a, b) => finishedMs(a) - finishedMs(b));
  const lastSuccess = finished.findLastIndex(({ status }) => status?.phase === 'Succeeded');
  const failures = finished.slice(lastSuccess + 1);
  if (failures.length === 0) return 0;
  return finishedMs(failures.at(-1)!) + waitMs(failures.length) - nowMs;
}

/** Of one index whose last pod has failed. */
export function indexBackoffMs(pod: Stored<Pod>, nowMs: number): number {
  return finishedMs(pod) + waitMs(failureCount(pod) + ignoredFailureCount(pod) + 1) - nowMs;
}

function waitMs(failures: number): number {
  return Math.min(MAX_MS, BASE_MS * 2 ** (failures - 1));
}

function finishedMs(pod: Stored<Pod>): number {
  const times = (pod.status?.containerStatuses ?? []).flatMap(
    ({ state }) => state?.terminated?.finishedAt ?? [],
  );
  if (times.length > 0) return Math.max(...times.map(instant));
  const ready = podCondition(pod, 'Ready')?.lastTransitionTime;
  return instant(ready ?? pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp);
}
