// ControllerRevisions: the templates a DaemonSet or StatefulSet has had, newest last.
import {
  isStatus,
  resources,
  type ControllerRevision,
  type KubernetesObject,
  type Pod,
  type Stored,
} from '../api/index.ts';
import type { ApiClient, Informer } from '../client/index.ts';
import { controllerReference, ownedBy } from './owner.ts';
import { sameJson } from './status.ts';
import { templateHash } from './template-hash.ts';

/** The label by which pods and revisions name their revision. */
export const REVISION_HASH = 'controller-revision-hash';

/** A workload whose templates are kept as revisions. */
interface Workload extends KubernetesObject {
  spec?: { template: { metadata?: { labels?: Record<string, string> } }; revisionHistoryLimit?: number };
}

/** The revision of the present template and the earlier ones, in order. */
export interface History {
  readonly current: Stored<ControllerRevision>;
  readonly old: Stored<ControllerRevision>[];
}

/**
 * Finds or creates the revision of the present template, giving it the highest number, as after an undo.
 * `collisionCount` of the status goes into the hash; the answer has it raised when a name was taken.
 */
export async function constructHistory(
  client: ApiClient,
  revisions: Informer<ControllerRevision>,
  owner: Stored<Workload>,
  annotations: Record<string, string>,
  collisionCount: number,
): Promise<History & { readonly collisionCount: number }> {
  const all = ownedBy(revisions, owner).sort(byRevision);
  const data = { spec: { template: { ...owner.spec!.template, $patch: 'replace' } } };
  const equal = all.findLast((revision) => sameJson(revision.data, data));
  const next = (all.at(-1)?.revision ?? 0) + 1;
  if (equal !== undefined) {
    const old = all.filter((revision) => revision !== equal);
    if (equal === all.at(-1)) return { current: equal, old, collisionCount };
    const { namespace } = owner.metadata;
    const current = await client.update<ControllerRevision>(
      resources.controllerrevisions,
      { ...equal, revision: next },
      { namespace },
    );
    return { current, old, collisionCount };
  }
  for (let collisions = collisionCount; ; collisions++) {
    const current = await create(client, owner, annotations, data, next, collisions);
    if (current !== undefined) return { current, old: all, collisionCount: collisions };
  }
}

/** Undefined when the name is taken by a revision of other content. */
async function create(
  client: ApiClient,
  owner: Stored<Workload>,
  annotations: Record<string, string>,
  data: object,
  revision: number,
  collisionCount: number,
): Promise<Stored<ControllerRevision> | undefined> {
  const { namespace, name } = owner.metadata;
  const hash = templateHash(data, collisionCount);
  const object = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...owner.spec!.template.metadata?.labels, [REVISION_HASH]: hash },
      annotations: { ...owner.metadata.annotations, ...annotations },
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision,
  };
  try {
    return await client.create(resources.controllerrevisions, object as ControllerRevision, { namespace });
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
  const taken = await client.get<ControllerRevision>(resources.controllerrevisions, object.metadata.name, {
    namespace,
  });
  return sameJson(taken.data, data) ? taken : undefined;
}

/** Deletes the oldest revisions beyond the limit that no pod is of any more. */
export async function truncateHistory(
  client: ApiClient,
  owner: Stored<Workload>,
  { current, old }: History,
  pods: readonly Stored<Pod>[],
  alsoLive: readonly string[] = [],
): Promise<void> {
  const live = new Set([hashOf(current), ...alsoLive]);
  for (const pod of pods) live.add(pod.metadata.labels?.[REVISION_HASH] ?? '');
  const unused = old.filter((revision) => !live.has(hashOf(revision)));
  for (const revision of unused.slice(
    0,
    Math.max(0, unused.length - (owner.spec!.revisionHistoryLimit ?? 10)),
  )) {
    const { name, namespace } = revision.metadata;
    try {
      await client.delete(resources.controllerrevisions, name, { namespace });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}

/** The hash in a revision's label. */
export function hashOf(revision: Stored<ControllerRevision>): string {
  return revision.metadata.labels?.[REVISION_HASH] ?? '';
}

function byRevision(a: Stored<ControllerRevision>, b: Stored<ControllerRevision>): number {
  return a.revision - b.revision || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1);
}
