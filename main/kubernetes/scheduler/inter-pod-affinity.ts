// Inter-pod affinity and anti-affinity: filter and score.
import { namespaceLabelsOf, reject, type NodeFilter, type SchedulingContext } from './context.ts';
import type { Matcher } from './match-counter.ts';
import type { NodeInfo } from './node-info.ts';
import { termMatches, type AffinityTerm, type PodInfo } from './pod-info.ts';

/** Weight of existing pods' required affinity when nodes are scored (hardPodAffinityWeight). */
const HARD_AFFINITY_WEIGHT = 1;

/** Undefined when neither this pod nor any pod on a node that minds it has required terms. */
export function makeInterPodAffinityFilter(
  context: SchedulingContext,
  info: PodInfo,
): NodeFilter | undefined {
  const { state } = context;
  const labelsOf = namespaceLabelsOf(context.namespaces);
  // Topology values that pods already there keep this pod away from.
  const forbidden: { topologyKey: string; values: Set<string> }[] = [];
  for (const { term, perNode } of state.heldTerms('requiredAntiAffinity')) {
    if (!termMatches(term, info.pod, labelsOf)) continue;
    const values = topologyValues(context, term.topologyKey, perNode);
    if (values.size > 0) forbidden.push({ topologyKey: term.topologyKey, values: new Set(values.keys()) });
  }
  const { requiredAffinity, requiredAntiAffinity } = info;
  if (forbidden.length === 0 && requiredAffinity.length === 0 && requiredAntiAffinity.length === 0)
    return undefined;

  const avoided = requiredAntiAffinity.map((term) => ({
    topologyKey: term.topologyKey,
    values: topologyValues(context, term.topologyKey, state.counters.counts(matcherOf(context, [term]))),
  }));
  // A pod must match all affinity terms at once to count for any of them.
  const wanted = requiredAffinity.map((term) => ({
    topologyKey: term.topologyKey,
    values: topologyValues(
      context,
      term.topologyKey,
      state.counters.counts(matcherOf(context, requiredAffinity)),
    ),
  }));
  const nobodyYet = wanted.every(({ values }) => values.size === 0);
  const firstOfItsKind = nobodyYet && requiredAffinity.every((term) => termMatches(term, info.pod, labelsOf));

  return ({ node }) => {
    const labels = node!.metadata.labels ?? {};
    for (const { topologyKey, values } of wanted) {
      const value = labels[topologyKey];
      if (value === undefined || (!values.has(value) && !firstOfItsKind)) {
        return reject('InterPodAffinity', "node(s) didn't match pod affinity rules", false);
      }
    }
    for (const { topologyKey, values } of avoided) {
      const value = labels[topologyKey];
      if (value !== undefined && values.has(value)) {
        return reject('InterPodAffinity', "node(s) didn't match pod anti-affinity rules", true);
      }
    }
    for (const { topologyKey, values } of forbidden) {
      const value = labels[topologyKey];
      if (value !== undefined && values.has(value)) {
        return reject('InterPodAffinity', "node(s) didn't satisfy existing pods anti-affinity rules", true);
      }
    }
    return undefined;
  };
}

/** Points by node for preferred terms, this pod's and those of pods already there; undefined when there are none. */
export function interPodAffinityPoints(
  context: SchedulingContext,
  info: PodInfo,
): ((node: NodeInfo) => number) | undefined {
  const { state } = context;
  const labelsOf = namespaceLabelsOf(context.namespaces);
  const points: { topologyKey: string; values: Map<string, number>; weight: number }[] = [];
  const add = (term: AffinityTerm, perNode: ReadonlyMap<string, number>, weight: number): void => {
    const values = topologyValues(context, term.topologyKey, perNode);
    if (values.size > 0) points.push({ topologyKey: term.topologyKey, values, weight });
  };
  for (const term of info.preferredAffinity)
    add(term, state.counters.counts(matcherOf(context, [term])), term.weight);
  for (const term of info.preferredAntiAffinity)
    add(term, state.counters.counts(matcherOf(context, [term])), -term.weight);
  for (const { term, perNode } of state.heldTerms('requiredAffinity')) {
    if (termMatches(term, info.pod, labelsOf)) add(term, perNode, HARD_AFFINITY_WEIGHT);
  }
  for (const { term, perNode } of state.heldTerms('preferredAffinity')) {
    if (termMatches(term, info.pod, labelsOf)) add(term, perNode, term.weight);
  }
  for (const { term, perNode } of state.heldTerms('preferredAntiAffinity')) {
    if (termMatches(term, info.pod, labelsOf)) add(term, perNode, -term.weight);
  }
  if (points.length === 0) return undefined;
  return ({ node }) => {
    let sum = 0;
    for (const { topologyKey, values, weight } of points) {
      const value = node!.metadata.labels?.[topologyKey];
      if (value !== undefined) sum += weight * (values.get(value) ?? 0);
    }
    return sum;
  };
}

function matcherOf(context: SchedulingContext, terms: readonly AffinityTerm[]): Matcher {
  const labelsOf = namespaceLabelsOf(context.namespaces);
  return {
    signature: `affinity|${terms.map(({ signature }) => signature).join('&')}`,
    matches: (pod) => terms.every((term) => termMatches(term, pod, labelsOf)),
  };
}

/** Counts by node, summed by the nodes' value of a topology label. */
function topologyValues(
  context: SchedulingContext,
  topologyKey: string,
  perNode: ReadonlyMap<string, number>,
): Map<string, number> {
  const values = new Map<string, number>();
  for (const [name, count] of perNode) {
    const value = context.state.nodes.get(name)?.node?.metadata.labels?.[topologyKey];
    if (value !== undefined) values.set(value, (values.get(value) ?? 0) + count);
  }
  return values;
}
