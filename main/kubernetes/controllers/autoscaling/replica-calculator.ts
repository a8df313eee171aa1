// How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go).
import { formatQuantity, type Pod, type Stored } from '../../api/index.ts';
import { instant, podCondition } from '../pod-state.ts';
import { milliOf, type PodMetric } from './metrics.ts';

/** --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay. */
const CPU_INITIALIZATION_MS = 5 * 60_000;
const INITIAL_READINESS_DELAY_MS = 30_000;
/** --horizontal-pod-autoscaler-tolerance. */
export const TOLERANCE_DEFAULT = 0.1;

/** How far the ratio of usage to target may be off before anything is done. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface ReplicaProposal {
  readonly replicas: number;
  /** Per cent of the requests; absent for targets that are amounts. */
  readonly utilization?: number;
  /** Average per pod in milli-units. */
  readonly averageMilli: number;
}

export interface CalculatorInput {
  readonly pods: readonly Stored<Pod>[];
  readonly metrics: ReadonlyMap<string, PodMetric>;
  readonly resource: string;
  readonly container: string | undefined;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** For a target in per cent of what the pods request. Throws Error in the autoscaler's words. */
export function replicasForUtilization(input: CalculatorInput, targetPercent: number): ReplicaProposal {
  const groups = groupPods(input);
  const requests = requestsOf(input);
  const ratioOf = (values: ReadonlyMap<string, number>): Ratio =>
    utilizationRatio(values, requests, targetPercent);
  const fallbackPercent = Math.max(100, targetPercent);
  const missingFull = (name: string): number =>
    Math.trunc(((requests.get(name) ?? 0) * fallbackPercent) / 100);
  return propose(input, groups, ratioOf, missingFull);
}

/** For a target that is an amount per pod, in milli-units. Throws Error in the autoscaler's words. */
export function replicasForAverage(input: CalculatorInput, targetMilli: number): ReplicaProposal {
  const groups = groupPods(input);
  const ratioOf = (values: ReadonlyMap<string, number>): Ratio => {
    const total = [...values.values()].reduce((sum, value) => sum + value, 0);
    const average = Math.trunc(total / values.size);
    return { ratio: average / targetMilli, averageMilli: average };
  };
  return propose(input, groups, ratioOf, () => targetMilli);
}

interface Ratio {
  readonly ratio: number;
  readonly utilization?: number;
  readonly averageMilli: number;
}

interface Groups {
  readonly readyCount: number;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
  /** Of pods that count. */
  readonly values: ReadonlyMap<string, number>;
}

function propose(
  { currentReplicas, tolerances }: CalculatorInput,
  { readyCount, unready, missing, values }: Groups,
  ratioOf: (values: ReadonlyMap<string, number>) => Ratio,
  missingFull: (name: string) => number,
): ReplicaProposal {
  const first = ratioOf(values);
  const { utilization, averageMilli } = first;
  const answer = (replicas: number): ReplicaProposal => ({
    replicas,
    ...(utilization === undefined ? {} : { utilization }),
    averageMilli,
  });
  const scaleUpWithUnready = unready.length > 0 && first.ratio > 1;
  if (!scaleUpWithUnready && missing.length === 0) {
    if (isWithin(tolerances, first.ratio)) return answer(currentReplicas);
    return answer(Math.ceil(first.ratio * readyCount));
  }
  // Those that nothing is known of are taken to speak against the change.
  const all = new Map(values);
  if (first.ratio < 1) for (const name of missing) all.set(name, missingFull(name));
  else if (first.ratio > 1) for (const name of missing) all.set(name, 0);
  if (scaleUpWithUnready) for (const name of unready) all.set(name, 0);
  const second = ratioOf(all).ratio;
  const turned = (first.ratio < 1 && second > 1) || (first.ratio > 1 && second < 1);
  if (isWithin(tolerances, second) || turned) return answer(currentReplicas);
  const replicas = Math.ceil(second * all.size);
  const contrary = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas);
  return answer(contrary ? currentReplicas : replicas);
}

function isWithin({ up, down }: Tolerances, ratio: number): boolean {
  return ratio >= 1 - down && ratio <= 1 + up;
}

function groupPods({ pods, metrics, resource, nowMs }: CalculatorInput): Groups {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const values = new Map([...metrics].map(([name, { value }]) => [name, value]));
  const unready: string[] = [];
  const missing: string[] = [];
  let readyCount = 0;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const { phase } = pod.status ?? {};
    if (deletionTimestamp !== undefined || phase === 'Failed') {
      values.delete(name);
      continue;
    }
    const metric = metrics.get(name);
    if ((phase ?? 'Pending') === 'Pending') unready.push(name);
    else if (metric === undefined) missing.push(name);
    else if (resource === 'cpu' && isCpuUnready(pod, metric, nowMs)) unready.push(name);
    else readyCount++;
  }
  for (const name of unready) values.delete(name);
  if (values.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  return { readyCount, unready, missing, values };
}

/** CPU that a pod uses while it starts says nothing of its load. */
function isCpuUnready(pod: Stored<Pod>, metric: PodMetric, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  const { startTime } = pod.status ?? {};
  if (ready === undefined || startTime == null) return true;
  const startedMs = instant(startTime);
  const changedMs = ready.lastTransitionTime == null ? 0 : instant(ready.lastTransitionTime);
  if (startedMs + CPU_INITIALIZATION_MS > nowMs)
    return ready.status === 'False' || metric.timestampMs < changedMs + metric.windowMs;
  return ready.status === 'False' && startedMs + INITIAL_READINESS_DELAY_MS > changedMs;
}

function requestsOf({ pods, resource, container }: CalculatorInput): Map<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const { name } = pod.metadata;
    const sidecars = (pod.spec?.initContainers ?? []).filter(
      ({ restartPolicy }) => restartPolicy === 'Always',
    );
    let sum = 0;
    for (const each of [...(pod.spec?.containers ?? []), ...sidecars]) {
      if (container !== undefined && each.name !== container) continue;
      const request = each.resources?.requests?.[resource];
      if (request === undefined)
        throw new Error(`missing request for ${resource} in container ${each.name} of Pod ${name}`);
      sum += milliOf(request);
    }
    requests.set(name, sum);
  }
  return requests;
}

function utilizationRatio(
  values: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
  targetPercent: number,
): Ratio {
  let total = 0;
  let requested = 0;
  let count = 0;
  for (const [name, value] of values) {
    const request = requests.get(name);
    if (request === undefined) continue;
    total += value;
    requested += request;
    count++;
  }
  // If the set of requests is completely disjoint from the set of metrics, then we could have an issue.
  if (requested === 0) throw new Error('no metrics returned matched known pods');
  const utilization = Math.trunc((total * 100) / requested);
  return { ratio: utilization / targetPercent, utilization, averageMilli: Math.trunc(total / count) };
}

/** An amount in milli-units as a quantity. */
export function milliQuantity(milli: number): string {
  return formatQuantity({ nano: BigInt(milli) * 1_000_000n, format: 'DecimalSI' });
}
