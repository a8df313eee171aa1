// The annotations by which a Deployment and its ReplicaSets tell revisions and sizes.
import type { Deployment, ReplicaSet, Stored } from '../../api/index.ts';
import { maxSurgeOf } from './rolling.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
/** Characters of revision history kept (maxRevHistoryLengthInChars). */
const REVISION_HISTORY_MAX = 2000;

/** Annotations that don't follow from a Deployment to its ReplicaSets. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.revisions',
]);

/** The revision an object carries; 0 when it has none. */
export function revisionOf(object: { metadata?: { annotations?: Record<string, string> } }): number {
  const revision = Number(object.metadata?.annotations?.[REVISION] ?? '0');
  return Number.isInteger(revision) ? revision : 0;
}

/** The annotations a new or current ReplicaSet of the Deployment should have; the same object if they are right. */
export function replicaSetAnnotations(
  deployment: Stored<Deployment>,
  replicaSet: ReplicaSet,
  revision: number,
  exists: boolean,
): Record<string, string> {
  const current = replicaSet.metadata?.annotations ?? {};
  const annotations = { ...current };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(name)) annotations[name] = value;
  }
  const oldRevision = current[REVISION];
  if (revisionOf(replicaSet) < revision) {
    annotations[REVISION] = String(revision);
    // A ReplicaSet that comes back, as after `rollout undo`, remembers the revisions it was.
    if (oldRevision !== undefined) {
      const history = current[REVISION_HISTORY];
      const extended = history === undefined || history === '' ? oldRevision : `${history},${oldRevision}`;
      annotations[REVISION_HISTORY] = shortened(extended);
    }
  }
  if (!exists) Object.assign(annotations, sizeAnnotations(deployment));
  return sameEntries(current, annotations) ? current : annotations;
}

/** The annotations that say what size the Deployment had when the ReplicaSet was last scaled. */
export function sizeAnnotations(deployment: Stored<Deployment>): Record<string, string> {
  const replicas = deployment.spec!.replicas ?? 1;
  return {
    [DESIRED_REPLICAS]: String(replicas),
    [MAX_REPLICAS]: String(replicas + maxSurgeOf(deployment)),
  };
}

/** The most pods a Deployment may have had when this ReplicaSet was last scaled. */
export function maxReplicasOf(replicaSet: ReplicaSet): number | undefined {
  const value = replicaSet.metadata?.annotations?.[MAX_REPLICAS];
  return value === undefined ? undefined : Number(value);
}

export function hasEntries(
  object: Record<string, string> | undefined,
  entries: Record<string, string>,
): boolean {
  return Object.entries(entries).every(([name, value]) => object?.[name] === value);
}

function shortened(history: string): string {
  let text = history;
  while (text.length > REVISION_HISTORY_MAX && text.includes(',')) text = text.slice(text.indexOf(',') + 1);
  return text;
}

function sameEntries(a: Record<string, string>, b: Record<string, string>): boolean {
  return Object.keys(a).length === Object.keys(b).length && hasEntries(a, b);
}
