// Storage protection: a claim stays while a pod uses it, and a volume while a claim has it.
import {
  isStatus,
  resources,
  type KubernetesObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type Resource,
  type Stored,
} from '../../api/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';
import { isPodFinished } from '../pod-state.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';
const CLAIM_INDEX = 'claim';

/** Makes the controller that keeps claims while pods use them. */
export function makeClaimProtectionController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'persistentvolumeclaim-protection-controller',
    component: 'pvc-protection-controller',
    workers: 1,
    setUp(run) {
      const claims = run.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
      const pods = run.informer<Pod>(resources.pods);
      pods.indexer.addIndex(CLAIM_INDEX, claimsOf);
      run.on(claims, { add: run.enqueue, update: run.enqueue });
      const podChanged = (pod: Stored<Pod>): void => claimsOf(pod).forEach((key) => run.queue.add(key));
      run.on(pods, {
        delete: podChanged,
        update: (pod, old) => {
          if (isPodFinished(pod) !== isPodFinished(old)) podChanged(pod);
        },
      });
      return async function sync(key) {
        const claim = claims.lister.get(key);
        if (claim === undefined) return;
        const inUse = pods.indexer
          .byIndex(CLAIM_INDEX, key)
          .some((pod) => pod.spec?.nodeName !== undefined && !isPodFinished(pod));
        await guard(run.client, resources.persistentvolumeclaims, claim, CLAIM_FINALIZER, inUse);
      };
    },
  });
}

/** Makes the controller that keeps volumes while claims have them. */
export function makeVolumeProtectionController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'persistentvolume-protection-controller',
    component: 'pv-protection-controller',
    workers: 1,
    setUp(run) {
      const volumes = run.informer<PersistentVolume>(resources.persistentvolumes);
      run.on(volumes, { add: run.enqueue, update: run.enqueue });
      return async function sync(name) {
        const volume = volumes.lister.get(name);
        if (volume === undefined) return;
        await guard(
          run.client,
          resources.persistentvolumes,
          volume,
          VOLUME_FINALIZER,
          volume.status?.phase === 'Bound',
        );
      };
    },
  });
}

/** Adds the finalizer to what lives, and takes it from what is being deleted and unused. */
async function guard<T extends KubernetesObject>(
  client: ApiClient,
  resource: Resource,
  object: Stored<T>,
  finalizer: string,
  inUse: boolean,
): Promise<void> {
  const { finalizers = [], deletionTimestamp, name, namespace, resourceVersion } = object.metadata;
  const has = finalizers.includes(finalizer);
  const isDying = deletionTimestamp !== undefined;
  if (isDying ? !has || inUse : has) return;
  const wanted = isDying ? finalizers.filter((other) => other !== finalizer) : [...finalizers, finalizer];
  const patch = { metadata: { resourceVersion, finalizers: wanted.length === 0 ? null : wanted } };
  try {
    await client.patch(resource, name, 'application/merge-patch+json', patch, { namespace });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}

function claimsOf({ metadata, spec }: Stored<Pod>): string[] {
  return (spec?.volumes ?? []).flatMap((volume) => {
    const name =
      volume.ephemeral == null ? volume.persistentVolumeClaim?.claimName : `${metadata.name}-${volume.name}`;
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
}
