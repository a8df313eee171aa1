// What each metric of an autoscaler proposes, with its status; metrics that nothing here serves say so in the real words.
import type { HorizontalPodAutoscaler, LabelSelectorSpec, Pod, Stored } from '../../api/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { milliOf, resourceMetrics } from './metrics.ts';
import {
  milliQuantity,
  replicasForAverage,
  replicasForUtilization,
  type CalculatorInput,
  type Tolerances,
} from './replica-calculator.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
export type MetricSpec = NonNullable<Spec['metrics']>[number];
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
export type MetricStatus = NonNullable<Status['currentMetrics']>[number];

export interface MetricContext {
  readonly client: ApiClient;
  readonly namespace: string;
  /** The pods' selector as a text. */
  readonly selector: string;
  readonly pods: readonly Stored<Pod>[];
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
  /** The scale target, as object metrics may name it. */
  readonly target: string;
}

export interface MetricProposal {
  readonly replicas: number;
  /** As events and conditions name the metric. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** A metric that can't be computed: the condition's reason, and the words. */
export class MetricError extends Error {
  readonly reason: string;
  /** What comes before the words where metrics are summed up. */
  readonly lead: string;
  constructor(reason: string, lead: string, message: string) {
    super(message);
    this.reason = reason;
    this.lead = lead;
  }
}

/** Throws MetricError. */
export async function proposalOf(context: MetricContext, metric: MetricSpec): Promise<MetricProposal> {
  switch (metric.type) {
    case 'Resource': {
      const { name, target } = metric.resource!;
      const fail = failure('FailedGetResourceMetric', `failed to get ${name} resource metric value`);
      const { current, ...rest } = await fromResource(context, name, undefined, target, fail);
      return { ...rest, status: { type: 'Resource', resource: { name, current } } };
    }
    case 'ContainerResource': {
      const { name, container, target } = metric.containerResource!;
      const fail = failure(
        'FailedGetContainerResourceMetric',
        `failed to get ${name} container metric value`,
      );
      const { current, ...rest } = await fromResource(context, name, container, target, fail);
      return {
        ...rest,
        status: { type: 'ContainerResource', containerResource: { name, container, current } },
      };
    }
    case 'Pods': {
      const { name } = metric.pods!.metric;
      const fail = failure('FailedGetPodsMetric', 'failed to get pods metric value');
      throw fail(`unable to get metric ${name}: ${noCustomMetrics('from custom metrics API')}`);
    }
    case 'Object': {
      const { metric: asked, describedObject } = metric.object!;
      const fail = failure('FailedGetObjectMetric', 'failed to get object metric value');
      const object = `${describedObject.kind} ${context.namespace} ${describedObject.name}/`;
      throw fail(
        `unable to get metric ${asked.name}: ${object}: ${noCustomMetrics('from custom metrics API')}`,
      );
    }
    case 'External': {
      const { name, selector } = metric.external!.metric;
      const fail = failure('FailedGetExternalMetric', `failed to get ${name} external metric value`);
      throw fail(
        `unable to get external metric ${context.namespace}/${name}/${goSelector(selector)}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`,
      );
    }
    default: {
      const message = `unknown metric source type ${JSON.stringify(metric.type)}`;
      throw new MetricError('InvalidMetricSourceType', '', message);
    }
  }
}

/** A *metav1.LabelSelector as its String method prints it. */
function goSelector(selector: LabelSelectorSpec | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

function noCustomMetrics(whence: string): string {
  return `unable to fetch metrics ${whence}: no custom metrics API (custom.metrics.k8s.io) registered`;
}

function failure(reason: string, lead: string): (message: string) => MetricError {
  return (message) => new MetricError(reason, lead, message);
}

type Target = NonNullable<MetricSpec['resource']>['target'];
type Current = NonNullable<MetricStatus['resource']>['current'];

async function fromResource(
  context: MetricContext,
  resource: string,
  container: string | undefined,
  target: Target,
  fail: (message: string) => MetricError,
): Promise<{ replicas: number; name: string; current: Current }> {
  const isAmount = target.averageValue !== undefined;
  const what = `failed to get ${resource} ${isAmount ? 'usage' : 'utilization'}`;
  if (!isAmount && target.averageUtilization === undefined) {
    throw fail(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  }
  const { client, namespace, selector, pods, currentReplicas, tolerances, nowMs } = context;
  let metrics: CalculatorInput['metrics'];
  try {
    metrics = await resourceMetrics(client, resource, namespace, selector, container);
  } catch (error) {
    throw fail(`${what}: unable to get metrics for resource ${resource}: ${(error as Error).message}`);
  }
  const input = { pods, metrics, resource, container, currentReplicas, tolerances, nowMs };
  try {
    if (isAmount) {
      const { replicas, averageMilli } = replicasForAverage(input, milliOf(target.averageValue));
      const current = { averageValue: milliQuantity(averageMilli) };
      return { replicas, name: `${resource} resource`, current };
    }
    const proposal = replicasForUtilization(input, target.averageUtilization!);
    const source = container === undefined ? 'resource' : 'container resource';
    return {
      replicas: proposal.replicas,
      name: `${resource} ${source} utilization (percentage of request)`,
      current: {
        averageUtilization: proposal.utilization,
        averageValue: milliQuantity(proposal.averageMilli),
      },
    };
  } catch (error) {
    throw fail(`${what}: ${(error as Error).message}`);
  }
}
