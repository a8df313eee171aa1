// The limits of a rolling update: how many pods too many, and how many too few.
import type { Deployment } from '../../api/index.ts';

/** An IntOrString resolved against a total; undefined and null are 0. */
export function scaledValue(
  value: number | string | null | undefined,
  total: number,
  round: 'up' | 'down',
): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number') return value;
  const share = (Number.parseInt(value, 10) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}

export function isRolling(deployment: Deployment): boolean {
  return (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
}

/** maxSurge and maxUnavailable as numbers; they are never both zero. */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const replicas = deployment.spec?.replicas ?? 1;
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  const surge = scaledValue(rolling?.maxSurge ?? '25%', replicas, 'up');
  const unavailable = scaledValue(rolling?.maxUnavailable ?? '25%', replicas, 'down');
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export function maxSurgeOf(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0;
}

export function maxUnavailableOf(deployment: Deployment): number {
  const replicas = deployment.spec?.replicas ?? 1;
  if (!isRolling(deployment) || replicas === 0) return 0;
  return Math.min(replicas, fenceposts(deployment).unavailable);
}
