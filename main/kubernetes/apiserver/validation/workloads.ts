// Deployments, ReplicaSets, DaemonSets, StatefulSets, Jobs and their pod templates (pkg/apis/apps/validation, batch/validation).
import { labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/types.ts';
import { equalTrees } from '../object.ts';
import { required, unsupported } from '../refusals.ts';
import { validateAnnotations, validateLabels } from '../verbs/metadata.ts';
import { checkAtMostAll, checkIntOrPercent, checkLabelSelector, type Faults, isUsable } from './checks.ts';
import { scheduleProblem } from './cron-schedule.ts';
import { checkPodSpec } from './pod.ts';

export function checkTemplate(faults: Faults, path: string, template: PodTemplateSpec | undefined): void {
  faults.add(...validateLabels(template?.metadata?.labels, `${path}.metadata.labels`));
  faults.add(...validateAnnotations(template?.metadata?.annotations, `${path}.metadata.annotations`));
  checkPodSpec(faults, `${path}.spec`, template?.spec);
}

interface Selecting {
  readonly selector?: unknown;
  readonly template?: unknown;
}

/** A workload's selector and template; `kind` is for the message about an empty selector. */
function checkSelected(faults: Faults, spec: Selecting | undefined, kind: string, runsOnce = false): void {
  const selector = spec?.selector as LabelSelectorSpec | undefined;
  const template = spec?.template as PodTemplateSpec | undefined;
  if (selector === undefined) faults.add(required('spec.selector'));
  else {
    checkLabelSelector(faults, 'spec.selector', selector);
    if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
      faults.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`);
    }
  }
  const usable = selector === undefined || isUsable(selector);
  if (!usable) faults.invalid('spec.selector', selector, 'invalid label selector');
  else {
    const labels = template?.metadata?.labels;
    const isEmpty =
      selector !== undefined &&
      Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
    if (!isEmpty && (selector === undefined || !labelSelectorOf(selector).matches(labels))) {
      faults.invalid(
        'spec.template.metadata.labels',
        labels ?? null,
        '`selector` does not match template `labels`',
      );
    }
    checkTemplate(faults, 'spec.template', template);
  }
  const podSpec = template?.spec;
  if (runsOnce || podSpec === undefined) return;
  if (podSpec.restartPolicy !== undefined && podSpec.restartPolicy !== 'Always') {
    faults.add(unsupported('spec.template.spec.restartPolicy', podSpec.restartPolicy, ['Always']));
  }
  if (podSpec.activeDeadlineSeconds !== undefined) {
    faults.forbidden(
      'spec.template.spec.activeDeadlineSeconds',
      `activeDeadlineSeconds in ${KIND_NAMES[kind] ?? kind} is not Supported`,
    );
  }
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  deployment: 'ReplicaSet',
  replicaset: 'ReplicaSet',
  daemonset: 'DaemonSet',
  statefulset: 'StatefulSet',
};

export function checkDeployment(faults: Faults, { spec }: Deployment): void {
  faults.notNegative('spec.replicas', spec?.replicas);
  checkSelected(faults, spec, 'deployment');
  const { type, rollingUpdate } = spec?.strategy ?? {};
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined)
      faults.forbidden(
        'spec.strategy.rollingUpdate',
        "may not be specified when strategy `type` is 'Recreate'",
      );
  } else if (type === 'RollingUpdate') checkRolling(faults, 'spec.strategy.rollingUpdate', rollingUpdate);
  else if (spec?.strategy !== undefined && type !== undefined) {
    faults.add(
      unsupported('spec.strategy', { Type: type, RollingUpdate: rollingUpdate ?? null }, [
        'Recreate',
        'RollingUpdate',
      ]),
    );
  }
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  faults.notNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit);
  if (spec?.progressDeadlineSeconds !== undefined) {
    faults.notNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds);
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
      faults.invalid(
        'spec.progressDeadlineSeconds',
        spec.progressDeadlineSeconds,
        'must be greater than minReadySeconds',
      );
    }
  }
}

function checkRolling(
  faults: Faults,
  at: string,
  rolling: { readonly maxUnavailable?: string | number; readonly maxSurge?: string | number } | undefined,
): void {
  const { maxUnavailable, maxSurge } = rolling ?? {};
  checkIntOrPercent(faults, `${at}.maxUnavailable`, maxUnavailable);
  checkIntOrPercent(faults, `${at}.maxSurge`, maxSurge);
  const isZero = (value: string | number | undefined): boolean => value === 0 || value === '0%';
  if (isZero(maxUnavailable) && isZero(maxSurge))
    faults.invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  checkAtMostAll(faults, `${at}.maxUnavailable`, maxUnavailable);
}

export function checkReplicaSet(faults: Faults, { spec }: ReplicaSet): void {
  faults.notNegative('spec.replicas', spec?.replicas);
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  checkSelected(faults, spec, 'replicaset');
}

export function checkReplicationController(faults: Faults, { spec }: ReplicationController): void {
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  const { selector, template } = spec ?? {};
  if (Object.keys(selector ?? {}).length === 0) faults.add(required('spec.selector'));
  faults.notNegative('spec.replicas', spec?.replicas);
  const labels = (template as PodTemplateSpec | undefined)?.metadata?.labels;
  if (template === undefined) faults.add(required('spec.template'));
  else {
    if (!Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)) {
      faults.invalid(
        'spec.template.metadata.labels',
        labels ?? null,
        '`selector` does not match template `labels`',
      );
    }
    checkTemplate(faults, 'spec.template', template as PodTemplateSpec);
  }
}

export function checkDaemonSet(faults: Faults, { spec }: DaemonSet): void {
  if (spec?.selector !== undefined) checkSelected(faults, spec, 'daemonset');
  else {
    const template = spec?.template as PodTemplateSpec | undefined;
    faults.invalid(
      'spec.template.metadata.labels',
      template?.metadata?.labels ?? null,
      '`selector` does not match template `labels`',
    );
    checkTemplate(faults, 'spec.template', template);
  }
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type === 'RollingUpdate') {
    if (rollingUpdate === undefined) faults.add(required('spec.updateStrategy.rollingUpdate'));
    else checkRolling(faults, 'spec.updateStrategy.rollingUpdate', rollingUpdate);
  } else if (type !== 'OnDelete' && type !== undefined) {
    faults.add(
      unsupported('spec.updateStrategy', { Type: type, RollingUpdate: rollingUpdate ?? null }, [
        'RollingUpdate',
        'OnDelete',
      ]),
    );
  }
  faults.notNegative('spec.revisionHistoryLimit', spec?.revisionHistoryLimit);
}

export function checkStatefulSet(faults: Faults, { spec }: StatefulSet): void {
  faults.word('spec.podManagementPolicy', spec?.podManagementPolicy, ['OrderedReady', 'Parallel']);
  faults.word('spec.updateStrategy', spec?.updateStrategy?.type, ['OnDelete', 'RollingUpdate']);
  faults.notNegative('spec.replicas', spec?.replicas);
  faults.notNegative('spec.minReadySeconds', spec?.minReadySeconds);
  checkSelected(faults, withClaims(spec), 'statefulset');
}

/** The spec with a volume for each claim template, since containers may mount them. */
function withClaims(spec: StatefulSet['spec']): Selecting | undefined {
  const claims = (spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? '');
  const template = spec?.template as PodTemplateSpec | undefined;
  if (claims.length === 0 || template?.spec === undefined) return spec;
  const own = template.spec.volumes ?? [];
  const made = claims
    .filter((name) => !own.some((volume) => volume.name === name))
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const podSpec = { ...template.spec, volumes: [...own, ...made] };
  return { ...spec, template: { ...template, spec: podSpec } };
}

export function checkJobSpec(faults: Faults, path: string, spec: Job['spec']): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
  ] as const) {
    faults.notNegative(`${path}.${field}`, spec?.[field]);
  }
  if (spec?.completionMode !== undefined) {
    faults.word(`${path}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']);
    if (spec.completionMode === 'Indexed' && spec.completions === undefined) {
      faults.add(required(`${path}.completions`, `when completion mode is ${spec.completionMode}`));
    }
  }
  const template = spec?.template as PodTemplateSpec | undefined;
  checkTemplate(faults, `${path}.template`, template);
  if (template?.spec?.restartPolicy === 'Always') {
    faults.add(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  }
}

export function checkCronJob(faults: Faults, { spec, metadata }: CronJob): void {
  if (faults.required('spec.schedule', spec?.schedule)) {
    const problem = scheduleProblem(spec!.schedule);
    if (problem !== undefined) faults.invalid('spec.schedule', spec!.schedule, problem);
  }
  faults.word('spec.concurrencyPolicy', spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
  faults.notNegative('spec.startingDeadlineSeconds', spec?.startingDeadlineSeconds);
  faults.notNegative('spec.successfulJobsHistoryLimit', spec?.successfulJobsHistoryLimit);
  faults.notNegative('spec.failedJobsHistoryLimit', spec?.failedJobsHistoryLimit);
  checkJobSpec(faults, 'spec.jobTemplate.spec', spec?.jobTemplate?.spec as Job['spec']);
  if ((metadata?.name ?? '').length > 52)
    faults.invalid('metadata.name', metadata?.name, 'must be no more than 52 characters');
}

/** A selector that may not change. */
export function checkSameSelector(
  faults: Faults,
  now: Selecting | undefined,
  before: Selecting | undefined,
): void {
  if (!equalTrees(now?.selector, before?.selector))
    faults.invalid('spec.selector', now?.selector, 'field is immutable');
}
