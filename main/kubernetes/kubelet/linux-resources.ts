// What a pod's requests and limits mean to the machine's control groups: pkg/kubelet/cm/helpers_linux.go, qos/policy.go.
import { quantityMilliValue, quantityValue } from '../api/index.ts';
import {
  initContainersOf,
  qosClassOf,
  regularContainersOf,
  type KnownPod,
  type PodContainer,
} from './pod-facts.ts';

/** CRI's LinuxContainerResources. */
export interface LinuxResources {
  readonly memoryMaxBytes: number | undefined;
  /** CPU time in each 100 ms. */
  readonly cpuQuotaUs: number | undefined;
  readonly cpuShares: number;
}

type Resources = NonNullable<PodContainer['spec']['resources']>;

const SHARES_PER_CPU = 1024;
const SHARES_MIN = 2;
const QUOTA_PERIOD_US = 100_000;
const QUOTA_MIN_US = 1000;
const SPARED_SCORE = -997;
const BEST_EFFORT_SCORE = 1000;

/** What one container is given. */
export function resourcesOf(resources: Resources | undefined): LinuxResources {
  const { limits = {}, requests = {} } = resources ?? {};
  const limit = limits['cpu'];
  const memory = limits['memory'];
  const request = requests['cpu'] ?? limit;
  return {
    memoryMaxBytes: memory === undefined ? undefined : quantityValue(memory),
    cpuQuotaUs: limit === undefined ? undefined : quotaOf(quantityMilliValue(limit)),
    cpuShares: sharesOf(request === undefined ? 0 : quantityMilliValue(request)),
  };
}

function quotaOf(milliCpu: number): number | undefined {
  if (milliCpu === 0) return undefined;
  return Math.max(QUOTA_MIN_US, Math.floor((milliCpu * QUOTA_PERIOD_US) / 1000));
}

function sharesOf(milliCpu: number): number {
  return Math.max(SHARES_MIN, Math.floor((milliCpu * SHARES_PER_CPU) / 1000));
}

/** What the pod's own group is given: limits only where every container has one. */
export function podResourcesOf(pod: KnownPod): LinuxResources {
  if (pod.spec.resources !== undefined) return resourcesOf(pod.spec.resources);
  const containers = regularContainersOf(pod);
  const sidecars = initContainersOf(pod).filter(({ kind }) => kind === 'sidecar');
  const all = [...containers, ...sidecars].map(({ spec }) => spec.resources ?? {});
  const total = (
    list: 'limits' | 'requests',
    name: string,
    value: (text: string | number) => number,
  ): number =>
    all.reduce((sum, resources) => {
      const amount = resources[list]?.[name] ?? (list === 'requests' ? resources.limits?.[name] : undefined);
      return sum + (amount === undefined ? 0 : value(amount));
    }, 0);
  const allLimit = (name: string): boolean => all.every(({ limits }) => limits?.[name] !== undefined);
  return {
    memoryMaxBytes: allLimit('memory') ? total('limits', 'memory', quantityValue) : undefined,
    cpuQuotaUs: allLimit('cpu') ? quotaOf(total('limits', 'cpu', quantityMilliValue)) : undefined,
    cpuShares: sharesOf(total('requests', 'cpu', quantityMilliValue)),
  };
}

/** oom_score_adj: who asked for more memory is killed later. */
export function oomScoreAdjOf(pod: KnownPod, { spec }: PodContainer, memoryBytes: number): number {
  const isCritical = ['system-node-critical', 'system-cluster-critical'].includes(
    pod.spec.priorityClassName ?? '',
  );
  if (isCritical && pod.spec.priorityClassName === 'system-node-critical') return SPARED_SCORE;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return SPARED_SCORE;
  if (qos === 'BestEffort') return BEST_EFFORT_SCORE;
  const request = spec.resources?.requests?.['memory'] ?? spec.resources?.limits?.['memory'];
  const requested = request === undefined ? 0 : quantityValue(request);
  const score = 1000 - Math.floor((1000 * requested) / memoryBytes);
  return Math.min(Math.max(score, 1000 + SPARED_SCORE), BEST_EFFORT_SCORE - 1);
}
