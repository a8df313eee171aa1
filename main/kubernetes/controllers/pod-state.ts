// What controllers ask of a pod: is it active, ready, available, and which one should go first.
import type { Pod, PodCondition, Stored } from '../api/index.ts';

/** The condition of this type. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Neither finished nor on its way out. */
export function isPodActive(pod: Stored<Pod>): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Succeeded or failed: its containers won't run again. */
export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isPodTerminating(pod: Stored<Pod>): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  return (
    ready.lastTransitionTime != null && instant(ready.lastTransitionTime) + minReadySeconds * 1000 <= nowMs
  );
}

/** When it will have been ready for `minReadySeconds`, in ms from now; undefined if it isn't ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True' || ready.lastTransitionTime == null) return undefined;
  return instant(ready.lastTransitionTime) + minReadySeconds * 1000 - nowMs;
}

/** An RFC 3339 text as ms since the epoch. */
export function instant(time: string): number {
  return Date.parse(time);
}

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/**
 * Puts the pods that should be deleted first in front (kubernetes pkg/controller's ActivePodsWithRanks): not assigned,
 * not running, not ready, cheaper, on fuller nodes, ready for less long, restarted more, younger.
 */
export function rankForDeletion(
  pods: readonly Stored<Pod>[],
  related: readonly Stored<Pod>[],
  nowMs: number,
): Stored<Pod>[] {
  const perNode = new Map<string, number>();
  for (const pod of related) {
    if (!isPodActive(pod)) continue;
    const node = pod.spec?.nodeName ?? '';
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const facts = pods.map((pod) => ({
    pod,
    assigned: pod.spec?.nodeName === undefined || pod.spec.nodeName === '' ? 0 : 1,
    phase: PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 0,
    ready: isPodReady(pod) ? 1 : 0,
    cost: deletionCost(pod),
    crowd: perNode.get(pod.spec?.nodeName ?? '') ?? 0,
    readyAge: logarithm(nowMs - readySince(pod)),
    restarts: maxRestarts(pod),
    age: logarithm(nowMs - instant(pod.metadata.creationTimestamp)),
  }));
  facts.sort(
    (a, b) =>
      a.assigned - b.assigned ||
      a.phase - b.phase ||
      a.ready - b.ready ||
      a.cost - b.cost ||
      b.crowd - a.crowd ||
      (a.ready === 1 ? a.readyAge - b.readyAge : 0) ||
      b.restarts - a.restarts ||
      a.age - b.age ||
      (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1),
  );
  return facts.map(({ pod }) => pod);
}

function deletionCost(pod: Stored<Pod>): number {
  const cost = Number(pod.metadata.annotations?.[DELETION_COST] ?? '0');
  return Number.isInteger(cost) ? cost : 0;
}

function readySince(pod: Pod): number {
  const time = podCondition(pod, 'Ready')?.lastTransitionTime;
  return time == null ? 0 : instant(time);
}

/** The highest restart count of any container. */
function maxRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}

/** Ages are compared by magnitude only (KEP-2185), so that a scale-down isn't predictable to the second. */
function logarithm(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}
