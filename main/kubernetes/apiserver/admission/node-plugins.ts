// TaintNodesByCondition and RuntimeClass: what nodes begin with, and what pods get of their runtime class.
import type { Node, Pod, PodSpec } from '../../api/types.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import { forbidden } from '../refusals.ts';
import type { AdmissionPlugin } from './admission.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';

/** New nodes are tainted until the node lifecycle controller finds them ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate({ operation, served, object, context }) {
    const { plural, group } = served.resource;
    if (operation !== 'CREATE' || plural !== 'nodes' || group !== '' || context.subresource !== '') return;
    const spec = ((object as Node & ApiObject).spec ??= {});
    if (spec.taints?.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule') === true) return;
    spec.taints = [...(spec.taints ?? []), { key: NOT_READY, effect: 'NoSchedule' }];
  },
};

type RuntimeClass = StoredObject & {
  readonly overhead?: { readonly podFixed?: Record<string, string> };
  readonly scheduling?: {
    readonly nodeSelector?: Record<string, string>;
    readonly tolerations?: NonNullable<PodSpec['tolerations']>;
  };
};

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  mutate({ operation, served, object, context }) {
    const { plural, group } = served.resource;
    if (operation !== 'CREATE' || plural !== 'pods' || group !== '' || context.subresource !== '') return;
    const { spec } = object as Pod;
    const name = spec?.runtimeClassName;
    if (spec === undefined || name === undefined) return;
    const found = context.objects.get('runtimeclasses', 'node.k8s.io', '', name) as RuntimeClass | undefined;
    const refuse = (why: string): Error => forbidden(served.resource, object?.metadata?.name ?? '', why);
    if (found === undefined) throw refuse(`pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    if (found.overhead?.podFixed !== undefined) spec.overhead = { ...found.overhead.podFixed };
    const { nodeSelector, tolerations } = found.scheduling ?? {};
    for (const [key, value] of Object.entries(nodeSelector ?? {})) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value)
        throw refuse(
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
        );
      spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
    }
    if (tolerations !== undefined) spec.tolerations = [...(spec.tolerations ?? []), ...tolerations];
  },
};
