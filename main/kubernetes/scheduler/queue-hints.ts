// Queueing hints: could this change make room for a pod that a plugin rejected? (QueueingHintFn of each plugin.)
import type { Node, Pod, Stored } from '../api/index.ts';
import { namespaceLabelsOf, type SchedulingContext } from './context.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import { amountOf, podInfo, termMatches, type AffinityTerm, type PodInfo } from './pod-info.ts';
import type { PluginName } from './rejection.ts';
import { tolerates, untoleratedTaint } from './taints.ts';
import { spreadSelectors } from './topology-spread.ts';

/** True if the pod should be tried again for the sake of what this plugin said. */
export type QueueingHint = (waiting: PodInfo, plugin: PluginName) => boolean;

/** A pod came to a node. Only those hope that want to be near it, or count it. */
export function podAddedHint(context: SchedulingContext, pod: Stored<Pod>): QueueingHint {
  const labelsOf = namespaceLabelsOf(context.namespaces);
  return (waiting, plugin) => {
    if (plugin === 'InterPodAffinity') return matchesAll(waiting.requiredAffinity, pod, labelsOf);
    return plugin === 'PodTopologySpread' && isCounted(waiting, pod);
  };
}

/** A pod has left its node: its room, its ports, and what it kept away. */
export function podGoneHint(context: SchedulingContext, pod: Stored<Pod>): QueueingHint {
  const labelsOf = namespaceLabelsOf(context.namespaces);
  const gone = podInfo(pod);
  return (waiting, plugin) => {
    switch (plugin) {
      case 'NodePorts':
        return waiting.hostPorts.some(({ protocol, port }) =>
          gone.hostPorts.some((other) => other.protocol === protocol && other.port === port),
        );
      case 'InterPodAffinity':
        return (
          waiting.requiredAntiAffinity.some((term) => termMatches(term, pod, labelsOf)) ||
          gone.requiredAntiAffinity.some((term) => termMatches(term, waiting.pod, labelsOf))
        );
      case 'PodTopologySpread':
        return isCounted(waiting, pod);
      default:
        return true;
    }
  };
}

/** A node has come, or changed. */
export function nodeHint(node: Stored<Node>): QueueingHint {
  return ({ pod, requests }, plugin) => {
    const spec = pod.spec!;
    switch (plugin) {
      case 'NodeUnschedulable':
        return (
          node.spec?.unschedulable !== true ||
          spec.tolerations?.some((toleration) =>
            tolerates(toleration, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }),
          ) === true
        );
      case 'NodeName':
        return (spec.nodeName ?? '') === '' || spec.nodeName === node.metadata.name;
      case 'NodeAffinity':
        return matchesNodeAffinity(spec, node);
      case 'TaintToleration': {
        const taints = node.spec?.taints;
        return untoleratedTaint(taints, spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined;
      }
      case 'NodeResourcesFit': {
        const has = (name: string): number => amountOf(name, (node.status?.allocatable ?? {})[name] ?? 0);
        return (
          requests.milliCpu <= has('cpu') &&
          requests.memory <= has('memory') &&
          [...requests.scalars].every(([name, amount]) => amount <= has(name))
        );
      }
      default:
        return true;
    }
  };
}

function isCounted(waiting: PodInfo, pod: Stored<Pod>): boolean {
  if (pod.metadata.namespace !== waiting.pod.metadata.namespace) return false;
  return spreadSelectors(waiting).some((selector) => selector.matches(pod.metadata.labels));
}

function matchesAll(
  terms: readonly AffinityTerm[],
  pod: Stored<Pod>,
  labelsOf: (namespace: string) => Record<string, string> | undefined,
): boolean {
  return terms.length > 0 && terms.every((term) => termMatches(term, pod, labelsOf));
}
