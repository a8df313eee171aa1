// Topology spread: the filter for DoNotSchedule and the score for ScheduleAnyway and for the defaults.
import { labelSelectorOf, type LabelSelector, type LabelSelectorSpec, type PodSpec } from '../api/index.ts';
import { reject, type NodeFilter, type SchedulingContext } from './context.ts';
import { spreadMatcher, type Counts } from './match-counter.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { untoleratedTaint } from './taints.ts';
import { canonicalLabelSelector } from './term-signature.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelector;
  readonly selectorText: string;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
}

/** A selector for the workload a pod belongs to, by which pods without constraints are spread. */
export interface WorkloadSelector {
  readonly selector: LabelSelector;
  readonly text: string;
}

function constraintsOf(info: PodInfo, when: 'DoNotSchedule' | 'ScheduleAnyway'): Constraint[] {
  const raw = (info.pod.spec!.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === when,
  );
  return raw.map((constraint) => {
    const spec = withMatchLabelKeys(constraint, info);
    return {
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: labelSelectorOf(spec),
      selectorText: canonicalLabelSelector(spec),
      honorAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
      honorTaints: constraint.nodeTaintsPolicy === 'Honor',
    };
  });
}

type RawConstraint = NonNullable<PodSpec['topologySpreadConstraints']>[number];

/** The selector with the pod's own values of matchLabelKeys added (KEP-3243). */
function withMatchLabelKeys(
  { labelSelector, matchLabelKeys = [] }: RawConstraint,
  info: PodInfo,
): LabelSelectorSpec | undefined {
  if (matchLabelKeys.length === 0 || labelSelector === undefined) return labelSelector;
  const labels = info.pod.metadata.labels ?? {};
  const added = matchLabelKeys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]]));
  return { ...labelSelector, matchLabels: { ...labelSelector.matchLabels, ...Object.fromEntries(added) } };
}

/** What a pod's hard constraints count. */
export function spreadSelectors(info: PodInfo): LabelSelector[] {
  return constraintsOf(info, 'DoNotSchedule').map(({ selector }) => selector);
}

/** Undefined when the pod has no DoNotSchedule constraint. */
export function makeSpreadFilter(context: SchedulingContext, info: PodInfo): NodeFilter | undefined {
  const constraints = constraintsOf(info, 'DoNotSchedule');
  if (constraints.length === 0) return undefined;
  const namespace = info.pod.metadata.namespace ?? '';
  const checks = constraints.map((constraint) => {
    const counts = context.state.counters.counts(
      spreadMatcher(namespace, constraint.selector, constraint.selectorText),
    );
    const domains = new Map<string, number>();
    for (const node of context.state.nodeList) {
      const labels = node.node!.metadata.labels ?? {};
      // A node counts only if it has the labels of all constraints.
      if (constraints.some(({ topologyKey }) => labels[topologyKey] === undefined)) continue;
      if (!takesPart(constraint, info, node)) continue;
      const value = labels[constraint.topologyKey]!;
      domains.set(value, (domains.get(value) ?? 0) + (counts.get(node.name) ?? 0));
    }
    const fewest = domains.size < constraint.minDomains ? 0 : Math.min(...domains.values());
    const self = constraint.selector.matches(info.pod.metadata.labels) ? 1 : 0;
    return { ...constraint, domains, fewest, self };
  });
  return ({ node }) => {
    for (const { topologyKey, domains, fewest, self, maxSkew } of checks) {
      const value = node!.metadata.labels?.[topologyKey];
      if (value === undefined) {
        const reason = "node(s) didn't match pod topology spread constraints (missing required label)";
        return reject('PodTopologySpread', reason, false);
      }
      const skew = (domains.get(value) ?? 0) + self - (fewest === Infinity ? 0 : fewest);
      if (skew > maxSkew)
        return reject('PodTopologySpread', "node(s) didn't match pod topology spread constraints", true);
    }
    return undefined;
  };
}

/** Does the node take part in the constraint's domains? */
function takesPart(
  { honorAffinity, honorTaints }: Constraint,
  { pod }: PodInfo,
  { node }: NodeInfo,
): boolean {
  if (honorAffinity && !matchesNodeAffinity(pod.spec!, node!)) return false;
  if (!honorTaints) return true;
  return (
    untoleratedTaint(node!.spec?.taints, pod.spec!.tolerations, ['NoSchedule', 'NoExecute']) === undefined
  );
}

/**
 * Scores, 0 to 100, of the nodes that passed; undefined when nothing asks for spreading. A pod without constraints of
 * its own is spread by its workload: over hosts (maxSkew 3) and zones (5), as the real default constraints do.
 */
export function spreadScores(
  context: SchedulingContext,
  info: PodInfo,
  nodes: readonly NodeInfo[],
  workload: WorkloadSelector | undefined,
): number[] | undefined {
  const own = (info.pod.spec!.topologySpreadConstraints ?? []).length > 0;
  const constraints = own ? constraintsOf(info, 'ScheduleAnyway') : defaultConstraints(workload);
  if (constraints.length === 0) return undefined;
  const namespace = info.pod.metadata.namespace ?? '';
  const parts = constraints.map((constraint) => {
    const counts = context.state.counters.counts(
      spreadMatcher(namespace, constraint.selector, constraint.selectorText),
    );
    return { constraint, ...domainsOf(context, constraint, info, nodes, counts, own ? constraints : []) };
  });
  // Own constraints leave out nodes that lack any of the labels; the defaults take what there is.
  const ignored = nodes.map(
    ({ node }) =>
      own && constraints.some(({ topologyKey }) => node!.metadata.labels?.[topologyKey] === undefined),
  );
  const raw = nodes.map(({ node }, i) => {
    if (ignored[i] === true) return 0;
    let score = 0;
    for (const { constraint, domains, weight } of parts) {
      const value = node!.metadata.labels?.[constraint.topologyKey];
      if (value !== undefined) score += (domains.get(value) ?? 0) * weight + (constraint.maxSkew - 1);
    }
    return Math.round(score);
  });
  const counted = raw.filter((_, i) => ignored[i] !== true);
  const [lowest, highest] = [Math.min(...counted), Math.max(...counted)];
  return raw.map((score, i) => {
    if (ignored[i] === true) return 0;
    return highest === 0 ? 100 : Math.floor((100 * (highest + lowest - score)) / highest);
  });
}

function domainsOf(
  context: SchedulingContext,
  constraint: Constraint,
  info: PodInfo,
  nodes: readonly NodeInfo[],
  counts: Counts,
  required: readonly Constraint[],
): { domains: Map<string, number>; weight: number } {
  const { topologyKey } = constraint;
  const domains = new Map<string, number>();
  for (const { node } of nodes) {
    const value = node!.metadata.labels?.[topologyKey];
    if (value !== undefined) domains.set(value, 0);
  }
  // The more domains there are, the more each pod in one of them weighs.
  const weight = Math.log(domains.size + 2);
  for (const [name, count] of counts) {
    const nodeInfo = context.state.nodes.get(name);
    if (nodeInfo?.node === undefined) continue;
    const labels = nodeInfo.node.metadata.labels ?? {};
    const value = labels[topologyKey];
    if (value === undefined || !domains.has(value)) continue;
    if (required.some((other) => labels[other.topologyKey] === undefined)) continue;
    if (topologyKey !== HOSTNAME && !takesPart(constraint, info, nodeInfo)) continue;
    domains.set(value, domains.get(value)! + count);
  }
  return { domains, weight };
}

function defaultConstraints(workload: WorkloadSelector | undefined): Constraint[] {
  if (workload === undefined) return [];
  const common = {
    minDomains: 1,
    selector: workload.selector,
    selectorText: workload.text,
    honorAffinity: true,
    honorTaints: false,
  };
  return [
    { ...common, topologyKey: HOSTNAME, maxSkew: 3 },
    { ...common, topologyKey: ZONE, maxSkew: 5 },
  ];
}
