// Describes HorizontalPodAutoscalers of autoscaling/v2; those of old servers are shown field by field.
import type { HorizontalPodAutoscaler } from '../../../api/index.ts';
import { member, writeOwnEvents, type Describer, type Describing } from './describer.ts';
import { describeGeneric } from './generic.ts';
import { timeText } from './writer.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type Metric = NonNullable<Spec['metrics']>[number];
type MetricStatus = NonNullable<Status['currentMetrics']>[number];
type Target = NonNullable<Metric['resource']>['target'];
type Current = NonNullable<MetricStatus['resource']>['current'];
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;

const UNKNOWN = '<unknown>';

export const describeAutoscaler: Describer = async (describing) => {
  const { w, object } = describing;
  if (object.apiVersion !== 'autoscaling/v2') return describeGeneric(describing);
  const spec = member<Spec>(object, 'spec');
  const status = member<Status>(object, 'status');
  const { metadata } = object;
  w.write(0, `Name:\t${metadata?.name}\nNamespace:\t${metadata?.namespace}\n`);
  w.labels('Labels', metadata?.labels);
  w.annotations('Annotations', metadata?.annotations);
  w.write(0, `CreationTimestamp:\t${timeText(metadata?.creationTimestamp)}\n`);
  w.write(0, `Reference:\t${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}\n`);
  w.write(0, 'Metrics:\t( current / target )\n');
  for (const [index, metric] of (spec.metrics ?? []).entries())
    w.write(1, `${metricText(metric, status.currentMetrics?.[index])}\n`);
  w.write(0, `Min replicas:\t${spec.minReplicas ?? '<unset>'}\nMax replicas:\t${spec.maxReplicas}\n`);
  if (spec.behavior !== undefined) {
    w.write(0, 'Behavior:\n');
    writeRules(describing, 'Scale Up', spec.behavior.scaleUp);
    writeRules(describing, 'Scale Down', spec.behavior.scaleDown);
  }
  const { currentReplicas = 0, desiredReplicas = 0, conditions = [] } = status;
  w.write(0, `${spec.scaleTargetRef?.kind} pods:\t${currentReplicas} current / ${desiredReplicas} desired\n`);
  if (conditions.length > 0) {
    w.write(0, 'Conditions:\n');
    w.write(1, 'Type\tStatus\tReason\tMessage\n');
    w.write(1, '----\t------\t------\t-------\n');
    for (const { type, status: state, reason = '', message = '' } of conditions)
      w.write(1, `${type}\t${state}\t${reason}\t${message}\n`);
  }
  await writeOwnEvents(describing);
};

function metricText(metric: Metric, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case 'Resource': {
      const { name, target } = metric.resource!;
      return resourceText(`resource ${name} on pods`, target, status?.resource?.current);
    }
    case 'ContainerResource': {
      const { name, container, target } = metric.containerResource!;
      const lead = `resource ${name} of container ${JSON.stringify(container)} on pods`;
      return resourceText(lead, target, status?.containerResource?.current);
    }
    case 'Pods': {
      const { metric: asked, target } = metric.pods!;
      const current = status?.pods?.current.averageValue ?? UNKNOWN;
      return `${JSON.stringify(asked.name)} on pods:\t${current} / ${target.averageValue}`;
    }
    case 'Object': {
      const { metric: asked, describedObject, target } = metric.object!;
      const isAverage = target.type === 'AverageValue';
      const { averageValue, value } = status?.object?.current ?? {};
      const current = (isAverage ? averageValue : value) ?? UNKNOWN;
      const lead = `"${asked.name}" on ${describedObject.kind}/${describedObject.name} (target ${isAverage ? 'average value' : 'value'})`;
      return `${lead}:\t${current} / ${isAverage ? target.averageValue : target.value}`;
    }
    case 'External': {
      const { metric: asked, target } = metric.external!;
      const isAverage = target.averageValue !== undefined;
      const { averageValue, value } = status?.external?.current ?? {};
      const current = (isAverage ? averageValue : value) ?? UNKNOWN;
      return `"${asked.name}" (target ${isAverage ? 'average value' : 'value'}):\t${current} / ${isAverage ? target.averageValue : target.value}`;
    }
    default:
      return `<unknown metric type ${JSON.stringify(metric.type)}>`;
  }
}

function resourceText(lead: string, target: Target, current: Current | undefined): string {
  if (target.averageValue !== undefined)
    return `${lead}:\t${current?.averageValue ?? UNKNOWN} / ${target.averageValue}`;
  const used =
    current?.averageUtilization === undefined
      ? UNKNOWN
      : `${current.averageUtilization}% (${current.averageValue})`;
  const wanted = target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
  return `${lead}  (as a percentage of request):\t${used} / ${wanted}`;
}

function writeRules({ w }: Describing, title: string, rules: Rules | undefined): void {
  if (rules === undefined) return;
  w.write(1, `${title}:\n`);
  if (rules.stabilizationWindowSeconds !== undefined)
    w.write(2, `Stabilization Window: ${rules.stabilizationWindowSeconds} seconds\n`);
  if ((rules.policies ?? []).length === 0) return;
  w.write(2, `Select Policy: ${rules.selectPolicy ?? 'Max'}\n`);
  w.write(2, 'Policies:\n');
  for (const { type, value, periodSeconds } of rules.policies!)
    w.write(3, `- Type: ${type}\tValue: ${value}\tPeriod: ${periodSeconds} seconds\n`);
}
