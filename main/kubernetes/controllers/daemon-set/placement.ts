// Where a DaemonSet's pods belong: which nodes fit, what the pods tolerate, and how each is bound to its node.
import type { DaemonSet, Node, Pod, PodSpec, PodTemplateSpec, Stored, Toleration } from '../../api/index.ts';
import { matchesNodeAffinity, untoleratedTaint } from '../../scheduler/index.ts';
import { REVISION_HASH } from '../history.ts';
import { podFromTemplate } from '../pod-control.ts';

const TEMPLATE_GENERATION = 'pod-template-generation';
export const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

/** Should a pod be there, and may one that is there stay (NodeShouldRunDaemonPod). */
export function fits(spec: PodSpec, node: Stored<Node>): { run: boolean; stay: boolean } {
  if (spec.nodeName !== undefined && spec.nodeName !== '' && spec.nodeName !== node.metadata.name)
    return { run: false, stay: false };
  if (!matchesNodeAffinity(spec, node)) return { run: false, stay: false };
  const tolerations = daemonTolerations(spec);
  const { taints } = node.spec ?? {};
  if (untoleratedTaint(taints, tolerations, ['NoExecute', 'NoSchedule']) === undefined)
    return { run: true, stay: true };
  return { run: false, stay: untoleratedTaint(taints, tolerations, ['NoExecute']) === undefined };
}

/** By template, since every node asks for them. */
const tolerationsOf = new WeakMap<PodSpec, Toleration[]>();

function daemonTolerations(spec: PodSpec): Toleration[] {
  let tolerations = tolerationsOf.get(spec);
  if (tolerations === undefined) tolerationsOf.set(spec, (tolerations = makeTolerations(spec)));
  return tolerations;
}

function makeTolerations(spec: PodSpec): Toleration[] {
  const added: Toleration[] = [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
  ];
  if (spec.hostNetwork === true) {
    added.push({ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' });
  }
  const present = spec.tolerations ?? [];
  const isPresent = (toleration: Toleration): boolean =>
    present.some(
      ({ key, operator, effect }) =>
        key === toleration.key && operator === toleration.operator && effect === toleration.effect,
    );
  return [...present, ...added.filter((toleration) => !isPresent(toleration))];
}

/** The template's pod, bound to one node by affinity: the scheduler does the rest. */
export function daemonPod(set: Stored<DaemonSet>, node: string, hash: string): Pod {
  const template = set.spec!.template as PodTemplateSpec;
  const spec = template.spec!;
  const labels = {
    ...template.metadata?.labels,
    [REVISION_HASH]: hash,
    [TEMPLATE_GENERATION]: templateGeneration(set),
  };
  const field = { key: 'metadata.name', operator: 'In' as const, values: [node] };
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodeSelectorTerms =
    required == null
      ? [{ matchFields: [field] }]
      : required.nodeSelectorTerms.map((term) => ({ ...term, matchFields: [field] }));
  return podFromTemplate(
    {
      metadata: { ...template.metadata, labels },
      spec: {
        ...spec,
        tolerations: daemonTolerations(spec),
        affinity: {
          ...spec.affinity,
          nodeAffinity: {
            ...spec.affinity?.nodeAffinity,
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
          },
        },
      },
    },
    set,
  );
}

/** The node a daemon pod is on, or meant for. */
export function targetNodeOf(pod: Stored<Pod>): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    for (const { key, operator, values } of matchFields) {
      if (key === 'metadata.name' && operator === 'In' && values?.length === 1) return values[0]!;
    }
  }
  return '';
}

export function isStaying(pod: Stored<Pod>): boolean {
  return pod.metadata.deletionTimestamp === undefined;
}

export function templateGeneration(set: Stored<DaemonSet>): string {
  return set.metadata.annotations?.[GENERATION_ANNOTATION] ?? String(set.metadata.generation ?? 1);
}
