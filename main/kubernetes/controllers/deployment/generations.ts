// A Deployment's ReplicaSets by generation: which is of the present template, which are old, and how a new one is made.
import type { Deployment, ReplicaSet, Stored } from '../../api/index.ts';
import { controllerReference } from '../owner.ts';
import { sameJson } from '../status.ts';
import { templateHash } from '../template-hash.ts';
import { replicaSetAnnotations, revisionOf } from './annotations.ts';
import { compareAge, newReplicaSetSize } from './sizes.ts';

const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** A Deployment's ReplicaSets: the one of the present template, if it exists, and the others. */
export interface Generations {
  newest: Stored<ReplicaSet> | undefined;
  old: Stored<ReplicaSet>[];
}

/** The same when there is a newest one, with the Deployment as this sync has written it. */
export interface Rollout extends Generations {
  readonly deployment: Stored<Deployment>;
  newest: Stored<ReplicaSet>;
}

/** Tells the present generation from the old ones. */
export function divide(deployment: Stored<Deployment>, sets: readonly Stored<ReplicaSet>[]): Generations {
  const newest = [...sets].sort(compareAge).find((set) => sameTemplate(set, deployment));
  return { newest, old: sets.filter((set) => set !== newest) };
}

/** The ReplicaSet of the Deployment's present template, of the size the strategy allows at once. */
export function newReplicaSet(
  deployment: Stored<Deployment>,
  old: readonly Stored<ReplicaSet>[],
): ReplicaSet {
  const { template, minReadySeconds, selector } = deployment.spec!;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  set.metadata!.annotations = replicaSetAnnotations(deployment, set, maxRevision(old) + 1, false);
  set.spec!.replicas = newReplicaSetSize(deployment, [...old, set], set);
  return set;
}

/** Equal templates but for the hash label that the controller itself adds. */
export function sameTemplate(set: ReplicaSet, deployment: Deployment): boolean {
  return sameJson(withoutHash(set.spec?.template), withoutHash(deployment.spec?.template));
}

function withoutHash(template: NonNullable<Deployment['spec']>['template'] | undefined): unknown {
  const labels = { ...template?.metadata?.labels };
  delete labels[TEMPLATE_HASH_LABEL];
  return { labels, annotations: template?.metadata?.annotations ?? {}, spec: template?.spec };
}

export function maxRevision(sets: readonly Stored<ReplicaSet>[]): number {
  return sets.reduce((max, set) => Math.max(max, revisionOf(set)), 0);
}

export function withReplicas(sets: readonly Stored<ReplicaSet>[]): Stored<ReplicaSet>[] {
  return sets.filter((set) => (set.spec!.replicas ?? 1) > 0);
}

export function replaced(
  sets: readonly Stored<ReplicaSet>[],
  by: readonly Stored<ReplicaSet>[],
): Stored<ReplicaSet>[] {
  return sets.map((set) => by.find((other) => other.metadata.uid === set.metadata.uid) ?? set);
}

/** All pods the Deployment wants are in this set and available. */
export function isSaturated(deployment: Stored<Deployment>, set: Stored<ReplicaSet>): boolean {
  const replicas = deployment.spec!.replicas ?? 1;
  return (
    (set.spec!.replicas ?? 1) === replicas &&
    set.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'] === String(replicas) &&
    (set.status?.availableReplicas ?? 0) === replicas
  );
}
