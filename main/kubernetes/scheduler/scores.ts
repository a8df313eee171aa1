// The scores: of the nodes that would do, which is best. Weights and formulas are those of the default profile.
import type { SchedulingContext } from './context.ts';
import { interPodAffinityPoints } from './inter-pod-affinity.ts';
import { nodeAffinityScore } from './node-affinity.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { tolerates } from './taints.ts';
import { spreadScores, type WorkloadSelector } from './topology-spread.ts';

const SCORE_MAX = 100;
const WEIGHTS = {
  taintToleration: 3,
  nodeAffinity: 2,
  podTopologySpread: 2,
  interPodAffinity: 2,
  leastAllocated: 1,
  balancedAllocation: 1,
  imageLocality: 1,
} as const;

const MEGABYTE = 1024 * 1024;
/** Images smaller than this don't matter, and beyond this much per container more doesn't either. */
const IMAGE_MIN_BYTES = 23 * MEGABYTE;
const IMAGE_MAX_BYTES = 1000 * MEGABYTE;

/** Adds up the weighted scores of each node. */
export function scoreNodes(
  context: SchedulingContext,
  info: PodInfo,
  nodes: readonly NodeInfo[],
  workload: WorkloadSelector | undefined,
): number[] {
  const totals = nodes.map(
    (node) =>
      WEIGHTS.leastAllocated * leastAllocated(info, node) +
      WEIGHTS.balancedAllocation * balancedAllocation(info, node) +
      WEIGHTS.imageLocality * imageLocality(context, info, node),
  );
  const add = (scores: readonly number[] | undefined, weight: number): void => {
    if (scores !== undefined) for (let i = 0; i < totals.length; i++) totals[i]! += weight * scores[i]!;
  };
  add(taintScores(info, nodes), WEIGHTS.taintToleration);
  add(affinityScores(info, nodes), WEIGHTS.nodeAffinity);
  add(spreadScores(context, info, nodes, workload), WEIGHTS.podTopologySpread);
  add(interPodScores(context, info, nodes), WEIGHTS.interPodAffinity);
  return totals;
}

/** NodeResourcesFit, LeastAllocated: the emptier the better. */
function leastAllocated(info: PodInfo, node: NodeInfo): number {
  const cpu = unused(node.scoredMilliCpu + info.scoredMilliCpu, node.allocatable.milliCpu);
  const memory = unused(node.scoredMemory + info.scoredMemory, node.allocatable.memory);
  return Math.floor((cpu + memory) / 2);
}

function unused(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity
    ? 0
    : Math.floor(((capacity - requested) * SCORE_MAX) / capacity);
}

/** NodeResourcesBalancedAllocation: cpu and memory should be used alike. */
function balancedAllocation({ requests }: PodInfo, { requested, allocatable }: NodeInfo): number {
  if (requests.milliCpu === 0 && requests.memory === 0) return 0; // It would change nothing.
  const share = (amount: number, capacity: number): number =>
    capacity === 0 ? 1 : Math.min(1, amount / capacity);
  const cpu = share(requested.milliCpu + requests.milliCpu, allocatable.milliCpu);
  const memory = share(requested.memory + requests.memory, allocatable.memory);
  return Math.floor((1 - Math.abs(cpu - memory) / 2) * SCORE_MAX);
}

/** ImageLocality: images that are there already, the more so the more widespread they are. */
function imageLocality({ state }: SchedulingContext, { pod }: PodInfo, node: NodeInfo): number {
  if (node.images.size === 0) return 0;
  const containers = [...(pod.spec!.initContainers ?? []), ...pod.spec!.containers];
  let bytes = 0;
  for (const { image = '' } of containers) {
    const name = normalizedImage(image);
    const size = node.images.get(name);
    if (size !== undefined)
      bytes += Math.floor(size * ((state.imageNodes.get(name) ?? 0) / state.nodes.size));
  }
  const max = IMAGE_MAX_BYTES * containers.length;
  const clamped = Math.max(IMAGE_MIN_BYTES, Math.min(bytes, max));
  return Math.floor((SCORE_MAX * (clamped - IMAGE_MIN_BYTES)) / (max - IMAGE_MIN_BYTES));
}

/** With `:latest` where no tag is given. */
function normalizedImage(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}

function taintScores({ pod }: PodInfo, nodes: readonly NodeInfo[]): number[] {
  const tolerations = (pod.spec!.tolerations ?? []).filter(
    ({ effect }) => effect === undefined || effect === 'PreferNoSchedule',
  );
  const counts = nodes.map(
    ({ node }) =>
      (node!.spec?.taints ?? []).filter(
        (taint) =>
          taint.effect === 'PreferNoSchedule' &&
          !tolerations.some((toleration) => tolerates(toleration, taint)),
      ).length,
  );
  const highest = Math.max(...counts);
  return counts.map((count) =>
    highest === 0 ? SCORE_MAX : SCORE_MAX - Math.floor((SCORE_MAX * count) / highest),
  );
}

function affinityScores({ pod }: PodInfo, nodes: readonly NodeInfo[]): number[] | undefined {
  if (pod.spec!.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution === undefined)
    return undefined;
  const points = nodes.map(({ node }) => nodeAffinityScore(pod.spec!, node!));
  const highest = Math.max(...points);
  return points.map((point) => (highest === 0 ? 0 : Math.floor((SCORE_MAX * point) / highest)));
}

function interPodScores(
  context: SchedulingContext,
  info: PodInfo,
  nodes: readonly NodeInfo[],
): number[] | undefined {
  const pointsOf = interPodAffinityPoints(context, info);
  if (pointsOf === undefined) return undefined;
  const points = nodes.map(pointsOf);
  const [lowest, highest] = [Math.min(...points), Math.max(...points)];
  return points.map((point) =>
    highest === lowest ? 0 : Math.floor((SCORE_MAX * (point - lowest)) / (highest - lowest)),
  );
}
