// The pods of a StatefulSet: named by number, with claims of their own.
import type { ControllerRevision, Pod, PodTemplateSpec, StatefulSet, Stored } from '../../api/index.ts';
import { REVISION_HASH } from '../history.ts';
import { podFromTemplate } from '../pod-control.ts';

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

/** The number in the pod's name; undefined if it isn't one of this set's. */
export function ordinalOf(set: Stored<StatefulSet>, podName: string): number | undefined {
  const prefix = `${set.metadata.name}-`;
  if (!podName.startsWith(prefix)) return undefined;
  const text = podName.slice(prefix.length);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The pod of one ordinal, from the template that the revision holds. */
export function statefulPod(
  set: Stored<StatefulSet>,
  ordinal: number,
  revision: Stored<ControllerRevision>,
): Pod {
  const { template: stored } = (
    revision.data as { spec: { template: PodTemplateSpec & { $patch?: string } } }
  ).spec;
  const { $patch: _patch, ...template } = stored;
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = {
    ...template.metadata?.labels,
    [POD_NAME_LABEL]: name,
    [POD_INDEX_LABEL]: String(ordinal),
    [REVISION_HASH]: revision.metadata.name,
  };
  const claimed = (set.spec!.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata!.name!,
    persistentVolumeClaim: { claimName: `${metadata!.name}-${name}` },
  }));
  const others = (template.spec!.volumes ?? []).filter(
    (volume) => !claimed.some((other) => other.name === volume.name),
  );
  const { serviceName } = set.spec!;
  const spec = {
    ...template.spec!,
    hostname: name,
    ...(serviceName === undefined || serviceName === '' ? {} : { subdomain: serviceName }),
    ...(claimed.length + others.length > 0 ? { volumes: [...claimed, ...others] } : {}),
  };
  return podFromTemplate({ metadata: { ...template.metadata, labels }, spec }, set, { name });
}

/** Whether an ordinal is one that the set wants. */
export function isInRange({ spec }: StatefulSet, ordinal: number): boolean {
  const start = spec?.ordinals?.start ?? 0;
  return ordinal >= start && ordinal < start + (spec?.replicas ?? 1);
}
