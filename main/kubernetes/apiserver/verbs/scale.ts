// The scale subresource: autoscaling/v1 Scale over the replicas of a workload.
import {
  formatLabelSelector,
  labelSelectorOf,
  labelsSelector,
  type LabelSelectorSpec,
} from '../../api/selector.ts';
import type { Scale } from '../../api/types.ts';
import { cloneTree, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import type { ScalePaths } from '../custom/definition.ts';
import { setAt, valuesAt } from '../custom/json-path.ts';
import { invalid, invalidValue } from '../refusals.ts';

interface Scalable extends ApiObject {
  spec?: { replicas?: number; selector?: LabelSelectorSpec | Record<string, string> };
  status?: { replicas?: number };
}

/** What a Scale shares with the object that it is of. */
function headOf({ metadata }: StoredObject): Pick<StoredObject, 'kind' | 'apiVersion' | 'metadata'> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
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
  };
}

/** The Scale of a custom resource, whose definition says where replicas are. */
function customScale(object: StoredObject, paths: ScalePaths): StoredObject {
  const numberAt = (path: string): number => Number(valuesAt(object, path)[0] ?? 0);
  const replicas = numberAt(paths.specReplicasPath);
  const selector =
    paths.labelSelectorPath === undefined ? undefined : valuesAt(object, paths.labelSelectorPath)[0];
  return {
    ...headOf(object),
    spec: { ...(replicas === 0 ? {} : { replicas }) },
    status: {
      replicas: numberAt(paths.statusReplicasPath),
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  };
}

/** The Scale of a workload, or of a custom resource by the paths of its definition. */
export function scaleOf(object: StoredObject, paths?: ScalePaths): StoredObject {
  if (paths !== undefined) return customScale(object, paths);
  const { spec, status } = object as Scalable;
  const selector = spec?.selector;
  const isMap = object.kind === 'ReplicationController';
  const parsed = isMap
    ? labelsSelector(selector as Record<string, string>)
    : labelSelectorOf(selector as LabelSelectorSpec | undefined);
  const text = selector === undefined ? '' : formatLabelSelector(parsed);
  return {
    ...headOf(object),
    spec: { ...((spec?.replicas ?? 0) === 0 ? {} : { replicas: spec!.replicas }) },
    status: { replicas: status?.replicas ?? 0, ...(text === '' ? {} : { selector: text }) },
  };
}

/** The workload with the replicas that a Scale asks for. Throws 422 for a negative number. */
export function withScale(object: StoredObject, scale: Scale, paths?: ScalePaths): ApiObject {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalid('autoscaling', 'Scale', object.metadata.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const copy = cloneTree(object) as ApiObject;
  if (paths !== undefined) {
    setAt(copy as Tree, paths.specReplicasPath, replicas);
    return copy;
  }
  copy['spec'] = { ...(copy['spec'] as Tree | undefined), replicas };
  return copy;
}
