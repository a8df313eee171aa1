// Preemption: which pods of lower priority would have to go so that this one fits (DefaultPreemption).
import type { PodDisruptionBudget, Stored } from '../api/index.ts';
import { labelSelectorOf } from '../api/index.ts';
import type { Lister } from '../client/index.ts';
import type { ClusterState } from './cluster-state.ts';
import type { NodeFilter } from './context.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { histogram, type Rejection } from './rejection.ts';

export interface Preemption {
  readonly node: NodeInfo;
  readonly victims: readonly PodInfo[];
}

interface Candidate extends Preemption {
  readonly violations: number;
}

/** Nodes tried out at most: a tenth of them, but at least 100. */
const CANDIDATES_MIN = 100;
const CANDIDATES_SHARE = 0.1;

/** Either the node to make room on, or the sentence that says why there is none. */
export function findPreemption(
  state: ClusterState,
  budgets: Lister<PodDisruptionBudget>,
  info: PodInfo,
  rejections: ReadonlyMap<NodeInfo, Rejection>,
  makeFilter: () => NodeFilter,
): Preemption | string {
  const sentence = (reasons: Iterable<string>): string =>
    `preemption: 0/${state.nodes.size} nodes are available: ${histogram(reasons)}.`;
  if (info.pod.spec?.preemptionPolicy === 'Never')
    return 'preemption: not eligible due to preemptionPolicy=Never.';
  const reasons: string[] = [];
  const candidates: Candidate[] = [];
  const limit = Math.max(CANDIDATES_MIN, Math.floor(state.nodes.size * CANDIDATES_SHARE));
  for (const [node, { resolvable }] of rejections) {
    if (!resolvable) reasons.push('Preemption is not helpful for scheduling');
    else if (candidates.length < limit) {
      const candidate = tryNode(state, budgets, info, node, makeFilter);
      if (candidate === undefined) reasons.push('No preemption victims found for incoming pod');
      else candidates.push(candidate);
    }
  }
  return candidates.length === 0 ? sentence(reasons) : best(candidates);
}

/** Pods are on their way out for this one already: no more have to go meanwhile. */
export function roomIsBeingMade(
  state: ClusterState,
  info: PodInfo,
  rejections: ReadonlyMap<NodeInfo, Rejection>,
): boolean {
  const name = state.nominationOf(info.key) ?? info.pod.status?.nominatedNodeName ?? '';
  const node = state.nodes.get(name);
  if (node === undefined || rejections.get(node)?.resolvable === false) return false;
  return [...node.pods.values()].some(
    ({ pod, priority }) =>
      priority < info.priority &&
      pod.metadata.deletionTimestamp !== undefined &&
      pod.status?.conditions?.some(
        ({ type, reason }) => type === 'DisruptionTarget' && reason === 'PreemptionByScheduler',
      ) === true,
  );
}

/** The fewest victims on one node; undefined if even all of lower priority wouldn't do. */
function tryNode(
  state: ClusterState,
  budgets: Lister<PodDisruptionBudget>,
  info: PodInfo,
  node: NodeInfo,
  makeFilter: () => NodeFilter,
): Candidate | undefined {
  const lower = [...node.pods.values()].filter((pod) => pod.priority < info.priority);
  if (lower.length === 0) return undefined;
  const fitsWithout = (victims: readonly PodInfo[]): boolean =>
    state.without(node, victims, () => makeFilter()(node) === undefined);
  if (!fitsWithout(lower)) return undefined;

  // Spare as many as possible: first those whose budget would be broken, and the most important ones.
  const violating = violatingPods(budgets, lower);
  const byImportance = [...lower].sort(
    (a, b) => b.priority - a.priority || compareTexts(startOf(a), startOf(b)),
  );
  const order = [
    ...byImportance.filter((pod) => violating.has(pod)),
    ...byImportance.filter((pod) => !violating.has(pod)),
  ];
  let victims = order;
  for (const pod of order) {
    const fewer = victims.filter((victim) => victim !== pod);
    if (fitsWithout(fewer)) victims = fewer;
  }
  return { node, victims, violations: victims.filter((pod) => violating.has(pod)).length };
}

function violatingPods(budgets: Lister<PodDisruptionBudget>, pods: readonly PodInfo[]): Set<PodInfo> {
  const violating = new Set<PodInfo>();
  const allowed = new Map<Stored<PodDisruptionBudget>, number>();
  for (const info of pods) {
    const { metadata } = info.pod;
    for (const budget of budgets.list(metadata.namespace)) {
      if (metadata.labels === undefined || !labelSelectorOf(budget.spec?.selector).matches(metadata.labels))
        continue;
      const left = (allowed.get(budget) ?? budget.status?.disruptionsAllowed ?? 0) - 1;
      allowed.set(budget, left);
      if (left < 0) violating.add(info);
    }
  }
  return violating;
}

/** Fewest broken budgets, then the least important highest victim, the lowest sum, the fewest, the youngest. */
function best(candidates: readonly Candidate[]): Preemption {
  const highest = ({ victims }: Candidate): number => Math.max(...victims.map(({ priority }) => priority));
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
  const earliest = ({ victims }: Candidate): string => victims.map(startOf).sort()[0] ?? '';
  return [...candidates].sort(
    (a, b) =>
      a.violations - b.violations ||
      highest(a) - highest(b) ||
      sum(a) - sum(b) ||
      a.victims.length - b.victims.length ||
      compareTexts(earliest(b), earliest(a)),
  )[0]!;
}

function startOf({ pod }: PodInfo): string {
  return pod.status?.startTime ?? pod.metadata.creationTimestamp;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
