// The scale subresource: autoscaling/v1 Scale over the replicas of a workload.
import {
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
  type LabelSelectorSpec,
} from '../../api/selector.ts';
import type { Scale } from '../../api/types.ts';
import { cloneTree, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { invalid, invalidValue } from '../refusals.ts';

interface Scalable extends ApiObject {
  spec?: { replicas?: number; selector?: LabelSelectorSpec | Record<string, string> };
  status?: { replicas?: number };
}

/** The Scale of a workload. */
export function scaleOf(object: StoredObject): StoredObject {
  const { spec, status } = object as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = spec?.selector;
  const isMap = object.kind === 'ReplicationController';
  const parsed = isMap
    ? labelsSelector(selector as Record<string, string>)
    : labelSelectorOf(selector as LabelSelectorSpec | undefined);
  const text = selector === undefined ? '' : formatLabelSelector(parsed);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { ...((spec?.replicas ?? 0) === 0 ? {} : { replicas: spec!.replicas }) },
    status: { replicas: status?.replicas ?? 0, ...(text === '' ? {} : { selector: text }) },
  };
}

/** The workload with the replicas that a Scale asks for. Throws 422 for a negative number. */
export function withScale(object: StoredObject, scale: Scale): ApiObject {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalid('autoscaling', 'Scale', object.metadata.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const copy = cloneTree(object) as ApiObject;
  copy['spec'] = { ...(copy['spec'] as Tree | undefined), replicas };
  return copy;
}
