// Resource metrics of pods, as the autoscaler reads them from metrics.k8s.io (pkg/controller/podautoscaler/metrics).
import { parseQuantity, type KubernetesObject, type Resource } from '../../api/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { instant } from '../pod-state.ts';

/** What one pod was seen to use; `value` in milli-units. */
export interface PodMetric {
  readonly value: number;
  readonly timestampMs: number;
  readonly windowMs: number;
}

interface PodMetrics extends KubernetesObject {
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage?: Readonly<Record<string, string>>;
  }[];
}

const POD_METRICS: Resource = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
};

/** By pod name, for the pods of a selector. Throws Error in the autoscaler's words. */
export async function resourceMetrics(
  client: ApiClient,
  resource: string,
  namespace: string,
  selector: string,
  container: string | undefined,
): Promise<Map<string, PodMetric>> {
  let items: readonly PodMetrics[];
  try {
    ({ items } = await client.list<PodMetrics>(POD_METRICS, { namespace, labelSelector: selector }));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to fetch metrics from resource metrics API: ${words}`, { cause: error });
  }
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
  const metrics = new Map<string, PodMetric>();
  for (const pod of items) {
    const { name = '' } = pod.metadata ?? {};
    const value = container === undefined ? ofPod(pod, resource) : ofContainer(pod, resource, container);
    if (value === undefined) continue;
    const timestampMs = instant(pod.timestamp ?? '');
    metrics.set(name, { value, timestampMs, windowMs: durationMs(pod.window ?? '') });
  }
  return metrics;
}

/** The sum over its containers; undefined if one has none of the resource. */
function ofPod({ containers = [] }: PodMetrics, resource: string): number | undefined {
  let sum = 0;
  for (const { usage } of containers) {
    const amount = usage?.[resource];
    if (amount === undefined) return undefined;
    sum += milliOf(amount);
  }
  return containers.length === 0 ? undefined : sum;
}

function ofContainer(
  { metadata, containers = [] }: PodMetrics,
  resource: string,
  name: string,
): number | undefined {
  const found = containers.find((container) => container.name === name);
  if (found === undefined) {
    const { namespace = '', name: pod = '' } = metadata ?? {};
    throw new Error(
      `failed to get container metrics: container ${name} not present in metrics for pod ${namespace}/${pod}`,
    );
  }
  const amount = found.usage?.[resource];
  return amount === undefined ? undefined : milliOf(amount);
}

/** Quantity.MilliValue, which rounds up; 0 for what isn't a quantity. */
export function milliOf(quantity: string | number | undefined): number {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  return parsed === undefined ? 0 : Math.ceil(Number(parsed.nano) / 1e6);
}

/** Go's duration text in ms. */
function durationMs(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * units[unit!]!;
  return total;
}
