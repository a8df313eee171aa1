// HorizontalPodAutoscalers (pkg/apis/autoscaling/validation).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { HorizontalPodAutoscaler } from '../../api/types.ts';
import { required } from '../refusals.ts';
import { checkLabelSelector, checkPathSegment, type Faults } from './checks.ts';
import { nanoOf } from './resources.ts';
import { validator, type Validator } from './validator.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Metric = NonNullable<Spec['metrics']>[number];
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;

const WINDOW_SECONDS_MAX = 3600;
const PERIOD_SECONDS_MAX = 1800;

/** The member that holds a metric of a type. */
const SOURCES = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const;

interface Reference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
}

/** What is scaled or measured. Things of the core group have no group to name, but for ReplicationControllers. */
function checkReference(faults: Faults, at: string, reference: Reference, needsGroup: boolean): void {
  const { apiVersion = '', kind = '', name = '' } = reference;
  if (faults.required(`${at}.kind`, kind)) checkPathSegment(faults, `${at}.kind`, kind);
  if (faults.required(`${at}.name`, name)) checkPathSegment(faults, `${at}.name`, name);
  const parts = apiVersion.split('/');
  if (parts.length > 2)
    faults.invalid(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else if (needsGroup && parts.length === 1 && kind !== 'ReplicationController')
    faults.invalid(`${at}.apiVersion`, apiVersion, 'apiVersion must specify API group');
}

function checkAutoscaler(faults: Faults, { spec }: HorizontalPodAutoscaler): void {
  const {
    minReplicas,
    maxReplicas = 0,
    scaleTargetRef,
    metrics = [],
    behavior,
  } = (spec ?? {}) as Partial<Spec>;
  if (minReplicas !== undefined && minReplicas < 1)
    faults.invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1');
  if (maxReplicas === 0) faults.add(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 0) faults.invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0');
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    faults.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
  checkReference(faults, 'spec.scaleTargetRef', scaleTargetRef ?? {}, true);
  for (const [index, metric] of metrics.entries()) checkMetric(faults, `spec.metrics[${index}]`, metric);
  const canWake = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (minReplicas === 0 && !canWake)
    faults.forbidden(
      'spec.metrics',
      'must specify at least one Object or External metric to support scaling to zero replicas',
    );
  for (const direction of ['scaleUp', 'scaleDown'] as const)
    if (behavior?.[direction] !== undefined)
      checkRules(faults, `spec.behavior.${direction}`, behavior[direction]);
}

function checkMetric(faults: Faults, at: string, metric: Metric): void {
  const type: string = metric.type ?? '';
  if (type === '') faults.add(required(`${at}.type`, 'must specify a metric source type'));
  const field = (SOURCES as Readonly<Record<string, (typeof SOURCES)[keyof typeof SOURCES]>>)[type];
  if (field === undefined) faults.unsupported(`${at}.type`, type, Object.keys(SOURCES));
  const present = (['object', 'external', 'pods', 'resource', 'containerResource'] as const).filter(
    (source) => metric[source] !== undefined,
  );
  if (present.length > 0) checkSource(faults, `${at}.${present[0]!}`, metric, present[0]!);
  if (field === undefined) return;
  if (!present.includes(field))
    faults.add(required(`${at}.${field}`, 'must populate information for the given metric source'));
  if (present.length === 1) return;
  for (const other of present.filter((source) => source !== field))
    faults.forbidden(`${at}.${other}`, 'must populate the given metric source only');
}

interface Target {
  readonly type?: string;
  readonly value?: string | number;
  readonly averageValue?: string | number;
  readonly averageUtilization?: number;
}

interface Source {
  readonly describedObject?: Reference;
  readonly metric?: { readonly name?: string; readonly selector?: unknown };
  readonly name?: string;
  readonly container?: string;
  readonly target?: Target;
}

const EITHER_TARGET = 'must set either a target value for metric or a per-pod target';

function checkSource(
  faults: Faults,
  at: string,
  metric: Metric,
  kind: (typeof SOURCES)[keyof typeof SOURCES],
): void {
  const source = metric[kind] as Source;
  const target = source.target ?? {};
  if (kind === 'object') checkReference(faults, `${at}.describedObject`, source.describedObject ?? {}, false);
  if (kind === 'resource' || kind === 'containerResource') {
    if (kind === 'containerResource' && (source.container ?? '') === '')
      faults.add(required(`${at}.container`, 'must specify a container'));
    if ((source.name ?? '') === '') faults.add(required(`${at}.name`, 'must specify a resource name'));
  } else {
    if (faults.required(`${at}.metric.name`, source.metric?.name))
      checkPathSegment(faults, `${at}.metric.name`, source.metric!.name!);
    checkLabelSelector(
      faults,
      `${at}.metric.selector`,
      source.metric?.selector as LabelSelectorSpec | undefined,
    );
  }
  checkTarget(faults, `${at}.target`, target);
  const { value, averageValue, averageUtilization } = target;
  if (kind === 'pods') {
    if (averageValue === undefined || nanoOf(averageValue) <= 0n)
      faults.add(required(`${at}.target.averageValue`, 'must specify a positive target averageValue'));
  } else if (kind === 'object' || kind === 'external') {
    if (value === undefined && averageValue === undefined)
      faults.add(required(`${at}.target.averageValue`, EITHER_TARGET));
    if (kind === 'external' && value !== undefined && averageValue !== undefined)
      faults.forbidden(
        `${at}.target.value`,
        'may not set both a target value for metric and a per-pod target',
      );
  } else {
    if (averageUtilization === undefined && averageValue === undefined)
      faults.add(
        required(
          `${at}.target.averageUtilization`,
          'must set either a target raw value or a target utilization',
        ),
      );
    if (averageUtilization !== undefined && averageValue !== undefined)
      faults.forbidden(
        `${at}.target.averageValue`,
        'may not set both a target raw value and a target utilization',
      );
  }
}

function checkTarget(faults: Faults, at: string, target: Target): void {
  const { type = '', averageUtilization } = target;
  if (type === '') faults.add(required(`${at}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    faults.invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue');
  for (const field of ['value', 'averageValue'] as const)
    if (target[field] !== undefined && nanoOf(target[field]) <= 0n)
      faults.invalid(`${at}.${field}`, String(target[field]), 'must be positive');
  if (averageUtilization !== undefined && averageUtilization < 1)
    faults.invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0');
}

function checkRules(faults: Faults, at: string, rules: Rules): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  if (seconds !== undefined && seconds < 0)
    faults.invalid(`${at}.stabilizationWindowSeconds`, seconds, 'must be greater than or equal to zero');
  if (seconds !== undefined && seconds > WINDOW_SECONDS_MAX)
    faults.invalid(
      `${at}.stabilizationWindowSeconds`,
      seconds,
      `must be less than or equal to ${WINDOW_SECONDS_MAX}`,
    );
  faults.word(`${at}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']);
  if (policies.length === 0) faults.add(required(`${at}.policies`, 'must specify at least one Policy'));
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const field = `${at}.policies[${index}]`;
    faults.word(`${field}.type`, type, ['Percent', 'Pods']);
    if (value <= 0) faults.invalid(`${field}.value`, value, 'must be greater than zero');
    if (periodSeconds <= 0)
      faults.invalid(`${field}.periodSeconds`, periodSeconds, 'must be greater than zero');
    if (periodSeconds > PERIOD_SECONDS_MAX)
      faults.invalid(
        `${field}.periodSeconds`,
        periodSeconds,
        `must be less than or equal to ${PERIOD_SECONDS_MAX}`,
      );
  }
  if (tolerance !== undefined && nanoOf(tolerance as string) < 0n)
    faults.invalid(`${at}.tolerance`, String(tolerance), 'must be greater than or equal to 0');
}

export const autoscalingValidators: Readonly<Record<string, Validator>> = {
  horizontalpodautoscalers: validator<HorizontalPodAutoscaler>({
    create: checkAutoscaler,
    status(faults, { status }) {
      for (const field of ['currentReplicas', 'desiredReplicas'] as const)
        faults.notNegative(`status.${field}`, status?.[field]);
    },
  }),
};
