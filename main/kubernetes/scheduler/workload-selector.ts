// The selector of the workload a pod belongs to: by it pods are spread when they don't say how.
import {
  labelSelectorOf,
  resources,
  type LabelSelectorSpec,
  type Pod,
  type ReplicaSet,
  type ReplicationController,
  type Service,
  type StatefulSet,
  type Stored,
} from '../api/index.ts';
import type { InformerFactory } from '../client/index.ts';
import { canonicalLabelSelector } from './term-signature.ts';
import type { WorkloadSelector } from './topology-spread.ts';

const REMEMBERED_MAX = 4096;

/** Answers for a pod the selectors of its Services and of its owner, all together; undefined if there are none. */
export function makeWorkloadSelectors(
  informers: InformerFactory,
): (pod: Stored<Pod>) => WorkloadSelector | undefined {
  const services = informers.informer<Service>(resources.services);
  const replicaSets = informers.informer<ReplicaSet>(resources.replicasets).lister;
  const controllers = informers.informer<ReplicationController>(resources.replicationcontrollers).lister;
  const statefulSets = informers.informer<StatefulSet>(resources.statefulsets).lister;
  const remembered = new Map<string, WorkloadSelector | undefined>();
  const forget = (): void => remembered.clear();
  services.handle({
    add: forget,
    update: (service, old) => {
      if (service.spec !== old.spec) forget();
    },
    delete: forget,
  });

  const ownerSelector = (pod: Stored<Pod>): LabelSelectorSpec | undefined => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const key = `${pod.metadata.namespace}/${owner?.name}`;
    switch (owner?.kind) {
      case 'ReplicaSet':
        return replicaSets.get(key)?.spec?.selector;
      case 'StatefulSet':
        return statefulSets.get(key)?.spec?.selector;
      case 'ReplicationController':
        return { matchLabels: controllers.get(key)?.spec?.selector };
      default:
        return undefined;
    }
  };

  return (pod) => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    const id = `${pod.metadata.namespace}|${owner?.uid}|${JSON.stringify(pod.metadata.labels)}`;
    if (remembered.has(id)) return remembered.get(id);
    const matchLabels: Record<string, string> = {};
    for (const service of services.lister.list(pod.metadata.namespace)) {
      const entries = Object.entries(service.spec?.selector ?? {});
      if (entries.length === 0 || !entries.every(([name, value]) => pod.metadata.labels?.[name] === value))
        continue;
      Object.assign(matchLabels, service.spec!.selector);
    }
    const own = ownerSelector(pod);
    const spec = {
      matchLabels: { ...matchLabels, ...own?.matchLabels },
      matchExpressions: own?.matchExpressions,
    };
    const isEmpty = Object.keys(spec.matchLabels).length === 0 && (spec.matchExpressions ?? []).length === 0;
    const selector = isEmpty
      ? undefined
      : { selector: labelSelectorOf(spec), text: canonicalLabelSelector(spec) };
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    // An owner that isn't known yet may be a moment later.
    if (own !== undefined || owner === undefined) remembered.set(id, selector);
    return selector;
  };
}
