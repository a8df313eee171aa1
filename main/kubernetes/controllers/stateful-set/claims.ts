// The claims of a StatefulSet's pods, and what becomes of them: spec.persistentVolumeClaimRetentionPolicy (KEP-1847).
import {
  isStatus,
  resources,
  type OwnerReference,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import type { ControllerRun } from '../controller.ts';
import { controllerReference } from '../owner.ts';
import { messageOf } from '../pod-control.ts';
import { isInRange } from './pod.ts';

type Template = NonNullable<NonNullable<StatefulSet['spec']>['volumeClaimTemplates']>[number];

export class StatefulClaims {
  private readonly run: ControllerRun;
  private readonly claims: Informer<PersistentVolumeClaim>;

  constructor(run: ControllerRun) {
    this.run = run;
    this.claims = run.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
  }

  /** Makes the claims of one ordinal that are missing, and gives those that are there the owners that the policy wants. */
  async ensure(set: Stored<StatefulSet>, ordinal: number, pod: Stored<Pod> | undefined): Promise<void> {
    for (const template of set.spec!.volumeClaimTemplates ?? []) {
      const existing = this.claims.lister.get(
        `${set.metadata.namespace}/${claimName(set, template, ordinal)}`,
      );
      if (existing === undefined) await this.create(set, template, ordinal);
      else await this.own(set, ordinal, pod, existing);
    }
  }

  /** Whether a claim of the ordinal still belongs to a pod that is gone. */
  areStale(set: Stored<StatefulSet>, ordinal: number): boolean {
    return (set.spec!.volumeClaimTemplates ?? []).some((template) => {
      const claim = this.claims.lister.get(`${set.metadata.namespace}/${claimName(set, template, ordinal)}`);
      return claim?.metadata.ownerReferences?.some(({ kind }) => kind === 'Pod') === true;
    });
  }

  private async create(set: Stored<StatefulSet>, template: Template, ordinal: number): Promise<void> {
    const { namespace, name: setName } = set.metadata;
    const pod = `${setName}-${ordinal}`;
    const name = claimName(set, template, ordinal);
    const owners = ownersFor(set, ordinal, undefined, []);
    const object: PersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace,
        labels: { ...template.metadata?.labels, ...set.spec!.selector.matchLabels },
        ...(template.metadata?.annotations === undefined
          ? {}
          : { annotations: template.metadata.annotations }),
        ...(owners.length === 0 ? {} : { ownerReferences: owners }),
      },
      spec: template.spec,
    };
    try {
      await this.run.client.create(resources.persistentvolumeclaims, object, { namespace });
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) return;
      const failed = `create Claim ${name} for Pod ${pod} in StatefulSet ${setName} failed error: ${messageOf(error)}`;
      this.run.recorder.event(set, 'Warning', 'FailedCreate', failed);
      throw error;
    }
    const message = `Create Claim ${name} Pod ${pod} in StatefulSet ${setName} success`;
    this.run.recorder.event(set, 'Normal', 'SuccessfulCreate', message);
  }

  private async own(
    set: Stored<StatefulSet>,
    ordinal: number,
    pod: Stored<Pod> | undefined,
    claim: Stored<PersistentVolumeClaim>,
  ): Promise<void> {
    const before = claim.metadata.ownerReferences ?? [];
    const owners = ownersFor(set, ordinal, pod, before);
    const isSame =
      owners.length === before.length && owners.every(({ uid }) => before.some((known) => known.uid === uid));
    if (isSame) return;
    const { namespace } = claim.metadata;
    const metadata = { ...claim.metadata, ownerReferences: owners };
    const changed = { ...claim, metadata };
    await this.run.client.update<PersistentVolumeClaim>(resources.persistentvolumeclaims, changed, {
      namespace,
    });
  }
}

function claimName(set: Stored<StatefulSet>, template: Template, ordinal: number): string {
  return `${template.metadata?.name}-${set.metadata.name}-${ordinal}`;
}

/** The owners that a claim should have: the set, its pod (once that is scaled away), or none of them. */
function ownersFor(
  set: Stored<StatefulSet>,
  ordinal: number,
  pod: Stored<Pod> | undefined,
  before: readonly OwnerReference[],
): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec!.persistentVolumeClaimRetentionPolicy ?? {};
  const isScaledAway = whenScaled === 'Delete' && pod !== undefined && !isInRange(set, ordinal);
  const others = before.filter(({ uid }) => uid !== set.metadata.uid && uid !== pod?.metadata.uid);
  if (isScaledAway) {
    const { name, uid } = pod.metadata;
    return [...others, { apiVersion: 'v1', kind: 'Pod', name, uid }];
  }
  return whenDeleted === 'Delete' ? [...others, controllerReference(set)] : others;
}
