// Owner references: who controls an object, and the adoption and release of objects by label.
import type {
  KubernetesObject,
  LabelSelector,
  ObjectMeta,
  OwnerReference,
  Resource,
  Stored,
} from '../api/index.ts';
import { isStatus, keyOf } from '../api/index.ts';
import { CONTROLLER_INDEX, type ApiClient, type Informer } from '../client/index.ts';

/** The index of objects that nothing controls, by namespace. */
const ORPHAN_INDEX = 'orphan';

/** The reference of the owner that controls this object. */
export function controllerOf(object: { readonly metadata?: ObjectMeta }): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference by which `owner` controls an object. */
export function controllerReference(owner: Stored<KubernetesObject>): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Makes an informer able to answer `ownedOrOrphaned`. */
export function indexByOwner<T extends KubernetesObject>(informer: Informer<T>): void {
  informer.indexer.addControllerIndex();
  informer.indexer.addIndex(ORPHAN_INDEX, (object) =>
    controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [],
  );
}

/** The objects `owner` controls. The informer must be indexed by owner. */
export function ownedBy<T extends KubernetesObject>(
  informer: Informer<T>,
  owner: { metadata: { uid: string } },
): Stored<T>[] {
  return informer.indexer.byIndex(CONTROLLER_INDEX, owner.metadata.uid);
}

/**
 * The objects that belong to `owner`: those it controls and that still match, with orphans that match adopted and
 * owned ones that no longer match released (client-go's ControllerRefManager).
 */
export async function claim<T extends KubernetesObject>(
  client: ApiClient,
  informer: Informer<T>,
  owner: Stored<KubernetesObject>,
  selector: LabelSelector,
  adoptable: (object: Stored<T>) => boolean = () => true,
): Promise<Stored<T>[]> {
  const dying = owner.metadata.deletionTimestamp !== undefined;
  const claimed: Stored<T>[] = [];
  for (const object of ownedBy(informer, owner)) {
    if (selector.matches(object.metadata.labels)) claimed.push(object);
    else if (!dying) await release(client, informer.resource, object, owner);
  }
  if (dying) return claimed;
  for (const object of informer.indexer.byIndex(ORPHAN_INDEX, owner.metadata.namespace ?? '')) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    if (!selector.matches(object.metadata.labels) || !adoptable(object)) continue;
    const adopted = await adopt(client, informer.resource, object, owner);
    if (adopted !== undefined) claimed.push(adopted);
  }
  return claimed;
}

async function adopt<T extends KubernetesObject>(
  client: ApiClient,
  resource: Resource,
  object: Stored<T>,
  owner: Stored<KubernetesObject>,
): Promise<Stored<T> | undefined> {
  const patch = { metadata: { ownerReferences: [controllerReference(owner)], uid: object.metadata.uid } };
  return patchMetadata<T>(client, resource, object, patch);
}

async function release<T extends KubernetesObject>(
  client: ApiClient,
  resource: Resource,
  object: Stored<T>,
  owner: Stored<KubernetesObject>,
): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
  await patchMetadata<T>(client, resource, object, {
    metadata: { ownerReferences, uid: object.metadata.uid },
  });
}

/** Undefined when the object is gone or another of the same name took its place. */
async function patchMetadata<T extends KubernetesObject>(
  client: ApiClient,
  resource: Resource,
  object: Stored<T>,
  patch: unknown,
): Promise<Stored<T> | undefined> {
  const { name, namespace } = object.metadata;
  try {
    return await client.patch<T>(resource, name, 'application/strategic-merge-patch+json', patch, {
      namespace,
    });
  } catch (error) {
    if (isStatus(error, 'NotFound') || isStatus(error, 'Invalid')) return undefined;
    throw error;
  }
}

/** The key of the controlling owner if it is of this kind, as queues name it. */
export function controllerKey(object: Stored<KubernetesObject>, kind: string): string | undefined {
  const owner = controllerOf(object);
  if (owner?.kind !== kind) return undefined;
  return keyOf({ metadata: { namespace: object.metadata.namespace, name: owner.name } });
}
