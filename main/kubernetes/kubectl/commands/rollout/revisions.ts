// The revisions that Deployments keep as ReplicaSets, DaemonSets and StatefulSets as ControllerRevisions.
import { formatLabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../../../api/index.ts';
import type { Kubectl } from '../../kubectl.ts';
import { mergePatch } from '../../rest/apply-patch.ts';
import type { AnyObject } from '../../rest/builder.ts';
import type { Selected } from '../../rest/selection.ts';
import type { PodTemplate } from '../describe/containers.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const CHANGE_CAUSE = 'kubernetes.io/change-cause';

export interface Revision {
  readonly number: number;
  readonly changeCause: string;
  readonly template: PodTemplate;
  /** The ReplicaSet or ControllerRevision itself. */
  readonly object: AnyObject;
}

/** Oldest first. */
export async function revisionsOf(
  kubectl: Kubectl,
  { object, resource, namespace }: Selected,
): Promise<Revision[]> {
  const { selector } = object['spec'] as { selector: LabelSelectorSpec };
  const plural = resource.kind === 'Deployment' ? 'replicasets' : 'controllerrevisions';
  const { items } = await kubectl.api.json<{ items: AnyObject[] | null }>({
    method: 'GET',
    path: `/apis/apps/v1/namespaces/${namespace}/${plural}`,
    query: { labelSelector: formatLabelSelector(labelSelectorOf(selector)) },
  });
  const uid = (object.metadata as { uid?: string }).uid;
  const owned = (items ?? []).filter(
    ({ metadata }) =>
      (metadata as { ownerReferences?: { uid: string; controller?: boolean }[] }).ownerReferences?.some(
        (owner) => owner.uid === uid && owner.controller === true,
      ) === true,
  );
  return owned.map((each) => toRevision(each, object, plural)).toSorted((a, b) => a.number - b.number);
}

function toRevision(each: AnyObject, owner: AnyObject, plural: string): Revision {
  const changeCause = each.metadata?.annotations?.[CHANGE_CAUSE] ?? '<none>';
  if (plural === 'replicasets') {
    const { template } = each['spec'] as { template: PodTemplate };
    return {
      number: Number(each.metadata?.annotations?.[REVISION] ?? '0'),
      changeCause,
      template,
      object: { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...each } as AnyObject,
    };
  }
  const data = each['data'] as { spec: { template: Record<string, unknown> } };
  const { $patch: _, ...template } = data.spec.template;
  const applied = mergePatch(owner, { spec: { template } }) as AnyObject;
  return {
    number: each['revision'] as number,
    changeCause,
    template: template as PodTemplate,
    object: applied,
  };
}
