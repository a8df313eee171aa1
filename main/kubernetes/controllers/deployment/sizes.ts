// How many pods a Deployment may have, at most and at least, and how a change of size is shared out.
import type { Deployment, ReplicaSet, Stored } from '../../api/index.ts';
import { DESIRED_REPLICAS, maxReplicasOf } from './annotations.ts';
import { isRolling, maxSurgeOf } from './rolling.ts';

export function desiredReplicas(sets: readonly (ReplicaSet | undefined)[]): number {
  return sets.reduce((sum, set) => sum + (set === undefined ? 0 : (set.spec?.replicas ?? 1)), 0);
}

type CountKey = 'replicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas';

export function actualReplicas(sets: readonly (ReplicaSet | undefined)[], key: CountKey): number {
  return sets.reduce((sum, set) => sum + (set?.status?.[key] ?? 0), 0);
}

/** The size of the newest ReplicaSet: as large as maxSurge lets it be (NewRSNewReplicas). */
export function newReplicaSetSize(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet,
): number {
  const replicas = deployment.spec?.replicas ?? 1;
  if (!isRolling(deployment)) return replicas;
  const present = newest.spec?.replicas ?? 0;
  const room = replicas + maxSurgeOf(deployment) - desiredReplicas(all);
  if (room <= 0) return present;
  return present + Math.min(room, replicas - present);
}

/**
 * The sizes of the ReplicaSets after the Deployment was resized in the middle of a rollout: each grows or shrinks in
 * proportion, and what rounding leaves goes to the largest (kubernetes pkg/controller/deployment/sync.go, scale).
 */
export function proportionalSizes(
  deployment: Stored<Deployment>,
  active: readonly Stored<ReplicaSet>[],
): Map<Stored<ReplicaSet>, number> {
  const replicas = deployment.spec!.replicas ?? 1;
  const allowed = replicas > 0 ? replicas + maxSurgeOf(deployment) : 0;
  const toAdd = allowed - desiredReplicas(active);
  const newerFirst = (a: Stored<ReplicaSet>, b: Stored<ReplicaSet>): number => compareAge(b, a);
  const order = [...active].sort(
    (a, b) =>
      (b.spec!.replicas ?? 1) - (a.spec!.replicas ?? 1) || (toAdd > 0 ? newerFirst(a, b) : compareAge(a, b)),
  );
  const sizes = new Map<Stored<ReplicaSet>, number>();
  let added = 0;
  for (const set of order) {
    const size = set.spec!.replicas ?? 1;
    const share = toAdd === 0 ? 0 : clampShare(shareOf(set, deployment), toAdd - added);
    added += share;
    sizes.set(set, size + share);
  }
  const largest = order[0];
  if (largest !== undefined) sizes.set(largest, Math.max(0, sizes.get(largest)! + toAdd - added));
  return sizes;
}

/** What one ReplicaSet gets of the change, by its share of the former whole (getReplicaSetFraction). */
function shareOf(set: Stored<ReplicaSet>, deployment: Deployment): number {
  const replicas = deployment.spec?.replicas ?? 1;
  const size = set.spec!.replicas ?? 1;
  if (replicas === 0) return -size;
  const before = maxReplicasOf(set) ?? deployment.status?.replicas ?? 0;
  if (before === 0) return 0;
  return Math.round((size * (replicas + maxSurgeOf(deployment))) / before) - size;
}

function clampShare(share: number, left: number): number {
  return left > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
}

/** Older first; of one age, by name. */
export function compareAge(a: Stored<ReplicaSet>, b: Stored<ReplicaSet>): number {
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** True when every active ReplicaSet knows the Deployment's present size. */
export function knowsSize(set: ReplicaSet, deployment: Deployment): boolean {
  const desired = set.metadata?.annotations?.[DESIRED_REPLICAS];
  return desired === undefined || Number(desired) === (deployment.spec?.replicas ?? 1);
}
