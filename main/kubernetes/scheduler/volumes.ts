// Volumes: claims must exist and be bound, or be ready to be bound where the pod goes.
import {
  resources,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
  type StorageClass,
} from '../api/index.ts';
import type { ApiClient, Informer, Lister } from '../client/index.ts';
import { reject, type NodeFilter } from './context.ts';
import { matchesTerm } from './node-affinity.ts';
import type { PodInfo } from './pod-info.ts';
import type { Refusal } from './rejection.ts';

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

export interface VolumeListers {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
}

/** What a pod's volumes mean for where it can go. */
export interface VolumePlan {
  /** No node will do. */
  readonly refusal?: Refusal;
  readonly filter: NodeFilter;
  /** Claims that wait for this pod to have a node. */
  readonly toBind: readonly Stored<PersistentVolumeClaim>[];
}

/** Looks at a pod's claims once, before nodes are looked at. */
export function planVolumes(listers: VolumeListers, { pod }: PodInfo): VolumePlan {
  const toBind: Stored<PersistentVolumeClaim>[] = [];
  const bound: Stored<PersistentVolume>[] = [];
  const refuse = (reason: string): VolumePlan => ({
    refusal: { plugin: 'VolumeBinding', reason },
    filter: () => undefined,
    toBind,
  });
  for (const volume of pod.spec!.volumes ?? []) {
    const name =
      volume.ephemeral == null
        ? volume.persistentVolumeClaim?.claimName
        : `${pod.metadata.name}-${volume.name}`;
    if (name === undefined) continue;
    const claim = listers.claims.lister.get(`${pod.metadata.namespace}/${name}`);
    if (claim === undefined) {
      if (volume.ephemeral != null)
        return refuse(
          `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`,
        );
      return refuse(`persistentvolumeclaim "${name}" not found`);
    }
    if (claim.metadata.deletionTimestamp !== undefined)
      return refuse(`persistentvolumeclaim "${name}" is being deleted`);
    if (claim.status?.phase === 'Lost') {
      return refuse(
        `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`,
      );
    }
    const { volumeName, storageClassName = '' } = claim.spec ?? {};
    if (volumeName) {
      const volumeObject = listers.volumes.get(volumeName);
      if (volumeObject !== undefined) bound.push(volumeObject);
    } else if (listers.classes.get(storageClassName)?.volumeBindingMode === 'WaitForFirstConsumer')
      toBind.push(claim);
    else return refuse('pod has unbound immediate PersistentVolumeClaims');
  }
  if (bound.length === 0 && toBind.length === 0) return { filter: () => undefined, toBind };
  const unprovisioned = toBind.some(
    ({ spec }) => listers.classes.get(spec?.storageClassName ?? '')?.provisioner === NO_PROVISIONER,
  );
  return {
    toBind,
    filter: ({ node }) => {
      for (const { spec } of bound) {
        const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
        if (terms !== undefined && !terms.some((term) => matchesTerm(term, node!))) {
          return reject('VolumeBinding', "node(s) didn't match PersistentVolume's node affinity", false);
        }
      }
      // Differs: volumes that were made by hand for such a class are not matched to nodes yet.
      if (unprovisioned)
        return reject('VolumeBinding', "node(s) didn't find available persistent volumes to bind", false);
      return undefined;
    },
  };
}

/** Tells the provisioner of each waiting claim which node it is for, and waits until all are bound. */
export async function bindVolumes(
  client: ApiClient,
  listers: VolumeListers,
  claims: readonly Stored<PersistentVolumeClaim>[],
  node: string,
): Promise<void> {
  for (const { metadata } of claims) {
    if (metadata.annotations?.[SELECTED_NODE] === node) continue;
    const patch = { metadata: { annotations: { [SELECTED_NODE]: node } } };
    const { name, namespace } = metadata;
    await client.patch(resources.persistentvolumeclaims, name, 'application/merge-patch+json', patch, {
      namespace,
    });
  }
  await Promise.all(claims.map((claim) => untilBound(listers.claims, claim)));
}

function untilBound(
  claims: Informer<PersistentVolumeClaim>,
  claim: Stored<PersistentVolumeClaim>,
): Promise<void> {
  const { name, namespace, uid } = claim.metadata;
  const isOurs = (candidate: Stored<PersistentVolumeClaim>): boolean => candidate.metadata.uid === uid;
  return new Promise((resolve, reject) => {
    const current = claims.lister.get(`${namespace}/${name}`);
    if (current?.status?.phase === 'Bound') return resolve();
    const handling = claims.handle({
      update: (candidate) => {
        if (!isOurs(candidate) || candidate.status?.phase !== 'Bound') return;
        handling[Symbol.dispose]();
        resolve();
      },
      delete: (candidate) => {
        if (!isOurs(candidate)) return;
        handling[Symbol.dispose]();
        reject(new Error(`persistentvolumeclaim "${name}" was deleted`));
      },
    });
  });
}
