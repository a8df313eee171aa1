// The ephemeral volume controller: a pod's generic ephemeral volumes get claims that live and die with it (KEP-1698).
import {
  isStatus,
  keyOf,
  resources,
  type PersistentVolumeClaim,
  type Pod,
  type Stored,
} from '../../api/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';
import { controllerOf, controllerReference } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';

/** Makes the controller. */
export function makeEphemeralVolumeController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'ephemeral-volume-controller',
    component: 'ephemeral_volume',
    workers: 5,
    setUp(run) {
      const pods = run.informer<Pod>(resources.pods);
      const claims = run.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
      run.on(pods, {
        add: (pod) => {
          if (hasEphemeral(pod)) run.enqueue(pod);
        },
      });
      run.on(claims, {
        delete: (claim) => {
          const owner = controllerOf(claim);
          if (owner?.kind === 'Pod') run.queue.add(`${claim.metadata.namespace}/${owner.name}`);
        },
      });
      return async function sync(key) {
        const pod = pods.lister.get(key);
        if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
        for (const { name: volume, ephemeral } of pod.spec?.volumes ?? []) {
          const template = ephemeral?.volumeClaimTemplate;
          if (template === undefined) continue;
          const name = `${pod.metadata.name}-${volume}`;
          const { namespace } = pod.metadata;
          const existing = claims.lister.get(`${namespace}/${name}`);
          if (existing !== undefined) {
            if (controllerOf(existing)?.uid !== pod.metadata.uid)
              throw new Error(`PVC ${keyOf(existing)} was not created for pod ${key} (pod is not owner)`);
            continue;
          }
          const { labels, annotations } = template.metadata ?? {};
          const claim: PersistentVolumeClaim = {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: {
              name,
              namespace,
              ...(labels === undefined ? {} : { labels }),
              ...(annotations === undefined ? {} : { annotations }),
              ownerReferences: [controllerReference(pod)],
            },
            spec: template.spec,
          };
          try {
            await run.client.create(resources.persistentvolumeclaims, claim, { namespace });
          } catch (error) {
            if (isStatus(error, 'AlreadyExists') || isNamespaceTerminating(error)) continue;
            const message = `ephemeral volume controller: create PVC ${namespace}/${name}: ${messageOf(error)}`;
            run.recorder.event(pod, 'Warning', 'FailedBinding', message);
            throw error;
          }
        }
      };
    },
  });
}

function hasEphemeral({ spec, metadata }: Stored<Pod>): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral?.volumeClaimTemplate !== undefined)
  );
}
