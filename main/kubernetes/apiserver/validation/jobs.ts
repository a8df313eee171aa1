// Jobs and CronJobs (pkg/apis/batch/validation).
import { labelKeyProblems, labelSelectorOf, type LabelSelectorSpec } from '../../api/selector.ts';
import type { CronJob, Job, PodTemplateSpec } from '../../api/types.ts';
import { labelProblems } from '../kinds/names.ts';
import { cloneTree, equalTrees, type Tree } from '../object.ts';
import { required } from '../refusals.ts';
import { checkDomainPath, checkLabelSelector, type Faults, isUsable } from './checks.ts';
import { scheduleProblem } from './cron-schedule.ts';
import { internalForm, labelsForm, selectorForm, templateForm } from './internal-form.ts';
import { checkTemplate } from './pod-spec.ts';
import { immutable, validator, type Validator } from './validator.ts';

type JobSpec = NonNullable<Job['spec']>;

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const MANAGED_BY_MAX = 63;
const INDEXED_PARALLELISM_MAX = 100_000;
/** A CronJob's name leaves room for the eleven characters that its Jobs' names add. */
const CRON_NAME_MAX = 52;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

/** A Job's spec, also in a CronJob; the selector is looked at elsewhere. */
function checkJobSpec(faults: Faults, path: string, spec: JobSpec | undefined): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    faults.notNegative(`${path}.${field}`, spec?.[field]);
  if (spec?.managedBy !== undefined) checkManagedBy(faults, `${path}.managedBy`, spec.managedBy);
  checkCompletionMode(faults, path, spec);
  if (spec?.podFailurePolicy !== undefined) checkFailurePolicy(faults, `${path}.podFailurePolicy`, spec);
  checkSuccessPolicy(faults, `${path}.successPolicy`, spec);
  checkReplacement(faults, `${path}.podReplacementPolicy`, spec);
  const template = spec?.template as PodTemplateSpec | undefined;
  checkTemplate(faults, `${path}.template`, template);
  const restartPolicy = template?.spec?.restartPolicy;
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    faults.add(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  if (spec?.podFailurePolicy !== undefined && restartPolicy !== 'Never')
    faults.invalid(
      `${path}.template.spec.restartPolicy`,
      restartPolicy ?? '',
      'only "Never" is supported when podFailurePolicy is specified',
    );
}

function checkManagedBy(faults: Faults, field: string, value: string): void {
  checkDomainPath(faults, field, value);
  if (value.length > MANAGED_BY_MAX) faults.tooLong(field, MANAGED_BY_MAX);
}

function checkCompletionMode(faults: Faults, path: string, spec: JobSpec | undefined): void {
  const { completionMode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec ?? {};
  faults.word(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']);
  if (completionMode !== 'Indexed') {
    for (const [field, value] of Object.entries({ backoffLimitPerIndex, maxFailedIndexes }))
      if (value !== undefined) faults.invalid(`${path}.${field}`, value, 'requires indexed completion mode');
    return;
  }
  if (completions === undefined)
    faults.add(required(`${path}.completions`, `when completion mode is ${completionMode}`));
  if (parallelism > INDEXED_PARALLELISM_MAX)
    faults.invalid(
      `${path}.parallelism`,
      parallelism,
      `must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`,
    );
  if (maxFailedIndexes === undefined) return;
  if (completions !== undefined && maxFailedIndexes > completions)
    faults.invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions');
  if (backoffLimitPerIndex === undefined)
    faults.add(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
}

function checkFailurePolicy(faults: Faults, path: string, spec: JobSpec): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > RULES_MAX) faults.tooMany(`${path}.rules`, rules.length, RULES_MAX);
  const podSpec = (spec.template as PodTemplateSpec | undefined)?.spec;
  const containers = [...(podSpec?.containers ?? []), ...(podSpec?.initContainers ?? [])].map(
    ({ name }) => name,
  );
  for (const [index, { action, onExitCodes, onPodConditions = [] }] of rules.entries()) {
    const at = `${path}.rules[${index}]`;
    if (((action as string | undefined) ?? '') === '')
      faults.add(required(`${at}.action`, `valid values: ${JSON.stringify(ACTIONS).replaceAll(',', ' ')}`));
    else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
      faults.invalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set');
    else faults.word(`${at}.action`, action, ACTIONS);
    if (onExitCodes !== undefined) checkExitCodes(faults, `${at}.onExitCodes`, onExitCodes, containers);
    checkConditions(faults, `${at}.onPodConditions`, onPodConditions);
    const both = 'specifying both OnExitCodes and OnPodConditions is not supported';
    const none = 'specifying one of OnExitCodes and OnPodConditions is required';
    const isDouble = onExitCodes !== undefined && onPodConditions.length > 0;
    if (isDouble || (onExitCodes === undefined && onPodConditions.length === 0))
      // The value itself is left out of this message.
      faults.add({ type: 'Invalid', field: at, body: `Invalid value: ${isDouble ? both : none}` });
  }
}

interface ExitCodes {
  readonly containerName?: string;
  readonly operator: string;
  readonly values?: readonly number[];
}

function checkExitCodes(
  faults: Faults,
  at: string,
  { containerName, operator, values = [] }: ExitCodes,
  containers: readonly string[],
): void {
  if (operator === '') faults.add(required(`${at}.operator`, 'valid values: ["In" "NotIn"]'));
  else faults.word(`${at}.operator`, operator, ['In', 'NotIn']);
  if (containerName !== undefined && !containers.includes(containerName))
    faults.invalid(
      `${at}.containerName`,
      containerName,
      'must be one of the container or initContainer names in the pod template',
    );
  if (values.length === 0) faults.invalid(`${at}.values`, values, 'at least one value is required');
  else if (values.length > EXIT_CODES_MAX) faults.tooMany(`${at}.values`, values.length, EXIT_CODES_MAX);
  const isOrdered = values.every((value, index) => index === 0 || values[index - 1]! <= value);
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) faults.duplicate(`${at}.values[${index}]`, value);
    if (operator === 'In' && value === 0)
      faults.invalid(`${at}.values[${index}]`, value, 'must not be 0 for the In operator');
  }
  if (!isOrdered) faults.invalid(`${at}.values`, values, 'must be ordered');
}

function checkConditions(
  faults: Faults,
  path: string,
  patterns: readonly { readonly type: string; readonly status?: string }[],
): void {
  if (patterns.length > RULES_MAX) faults.tooMany(path, patterns.length, RULES_MAX);
  for (const [index, { type, status = '' }] of patterns.entries()) {
    faults.problems(`${path}[${index}].type`, type, labelKeyProblems(type));
    if (status === '')
      faults.add(required(`${path}[${index}].status`, 'valid values: ["False" "True" "Unknown"]'));
    else faults.word(`${path}[${index}].status`, status, ['False', 'True', 'Unknown']);
  }
}

function checkSuccessPolicy(faults: Faults, at: string, spec: JobSpec | undefined): void {
  const policy = spec?.successPolicy;
  if (policy === undefined) return;
  if (spec?.completionMode !== 'Indexed') {
    faults.invalid(at, { Rules: policy.rules ?? null }, 'requires indexed completion mode');
    return;
  }
  const rules = policy.rules ?? [];
  if (rules.length === 0)
    faults.add(
      required(`${at}.rules`, 'at least one rules must be specified when the successPolicy is specified'),
    );
  if (rules.length > RULES_MAX) faults.tooMany(`${at}.rules`, rules.length, RULES_MAX);
  for (const [index, { succeededCount, succeededIndexes }] of rules.entries()) {
    const rule = `${at}.rules[${index}]`;
    if (succeededCount === undefined && succeededIndexes === undefined)
      faults.add(required(rule, 'at least one of succeededCount or succeededIndexes must be specified'));
    if (succeededCount !== undefined) faults.positive(`${rule}.succeededCount`, succeededCount);
    if (succeededCount !== undefined && spec.completions !== undefined && succeededCount > spec.completions)
      faults.invalid(
        `${rule}.succeededCount`,
        succeededCount,
        `must be less than or equal to ${spec.completions} (the number of specified completions)`,
      );
    if (succeededIndexes !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(succeededIndexes))
      faults.invalid(
        `${rule}.succeededIndexes`,
        succeededIndexes,
        `error parsing succeededIndexes: cannot convert string to integer for index: ${JSON.stringify(succeededIndexes)}`,
      );
  }
}

function checkReplacement(faults: Faults, field: string, spec: JobSpec | undefined): void {
  const policy = spec?.podReplacementPolicy;
  if (policy === undefined) return;
  // With a failure policy a pod has to have failed before another takes its place.
  faults.word(
    field,
    policy,
    spec?.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'],
  );
}

function checkJob(faults: Faults, job: Job): void {
  checkGenerated(faults, job);
  checkJobSpec(faults, 'spec', job.spec);
  const selector = job.spec?.selector as LabelSelectorSpec | undefined;
  const labels = (job.spec?.template as PodTemplateSpec | undefined)?.metadata?.labels;
  if (selector === undefined) faults.add(required('spec.selector'));
  else checkLabelSelector(faults, 'spec.selector', selector);
  if (selector !== undefined && isUsable(selector) && !labelSelectorOf(selector).matches(labels))
    faults.invalid(
      'spec.template.metadata.labels',
      labelsForm(labels),
      '`selector` does not match template `labels`',
    );
  const { completionMode, completions = 0 } = job.spec ?? {};
  const name = job.metadata?.name ?? '';
  const last = `${name}-${completions - 1}`;
  if (completionMode === 'Indexed' && completions > 0 && labelProblems(last).length > 0)
    faults.invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`);
}

/** A selector that wasn't asked for by hand has to be the one that the server makes. */
function checkGenerated(faults: Faults, { spec, metadata }: Job): void {
  const selector = spec?.selector as LabelSelectorSpec | undefined;
  if (spec?.manualSelector === true || selector === undefined || !isUsable(selector)) return;
  const { uid = '', name = '' } = metadata ?? {};
  const expected = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  if (!labelSelectorOf(selector).matches(expected))
    faults.invalid('spec.selector', selectorForm(selector), '`selector` not auto-generated');
}

/** Parts of a template that may change while a Job is suspended (KEP-2926, KEP-5440). */
function asBefore(template: PodTemplateSpec, before: PodTemplateSpec): PodTemplateSpec {
  const copy = cloneTree(template);
  const spec = (copy.spec ??= { containers: [] });
  for (const field of ['affinity', 'nodeSelector', 'tolerations', 'schedulingGates'] as const) {
    if (before.spec?.[field] === undefined) delete spec[field];
    else (spec as unknown as Tree)[field] = before.spec[field];
  }
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const resources = before.spec?.[list]?.[index]?.resources;
      if (resources === undefined) delete container.resources;
      else container.resources = resources;
    }
  }
  if (before.metadata === undefined) delete copy.metadata;
  else copy.metadata = before.metadata;
  return copy;
}

function checkJobUpdate(faults: Faults, job: Job, old: Job): void {
  checkJob(faults, job);
  const [spec, before] = [job.spec!, old.spec!];
  checkCompletionsUpdate(faults, spec, before);
  immutable(faults, 'spec.selector', spec.selector, before.selector, selectorForm(spec.selector));
  const [template, had] = [spec.template as PodTemplateSpec, before.template as PodTemplateSpec];
  if (before.suspend === true && old.status?.startTime === undefined) {
    const munged = asBefore(template, had);
    if (!equalTrees(munged.spec, had.spec))
      faults.invalid('spec.template.spec', internalForm('PodSpec', munged.spec), 'field is immutable');
  } else if (!equalTrees(template, had))
    faults.invalid('spec.template', templateForm(template), 'field is immutable');
  for (const field of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const)
    immutable(faults, `spec.${field}`, spec[field], before[field], spec[field] ?? null);
}

/** An indexed Job grows and shrinks with both numbers at once (KEP-3715). */
function checkCompletionsUpdate(faults: Faults, spec: JobSpec, before: JobSpec): void {
  const { completions, completionMode, parallelism } = spec;
  if (completionMode !== 'Indexed')
    immutable(faults, 'spec.completions', completions, before.completions, completions ?? null);
  else if (completions !== undefined && completions !== before.completions && completions !== parallelism)
    faults.invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism');
}

function checkCronJob(faults: Faults, { spec, metadata }: CronJob, old?: CronJob): void {
  checkSchedule(faults, spec?.schedule ?? '', spec?.timeZone);
  faults.notNegative('spec.startingDeadlineSeconds', spec?.startingDeadlineSeconds);
  if (old === undefined || old.spec?.timeZone !== spec?.timeZone) checkTimeZone(faults, spec?.timeZone);
  if ((spec?.concurrencyPolicy ?? '') === '') faults.add(required('spec.concurrencyPolicy'));
  else faults.word('spec.concurrencyPolicy', spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
  const jobSpec = spec?.jobTemplate?.spec as JobSpec | undefined;
  checkJobSpec(faults, 'spec.jobTemplate.spec', jobSpec);
  if (jobSpec?.selector !== undefined)
    faults.invalid('spec.jobTemplate.spec.selector', jobSpec.selector, '`selector` will be auto-generated');
  if (jobSpec?.manualSelector === true)
    faults.unsupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']);
  faults.notNegative('spec.successfulJobsHistoryLimit', spec?.successfulJobsHistoryLimit);
  faults.notNegative('spec.failedJobsHistoryLimit', spec?.failedJobsHistoryLimit);
  const name = metadata?.name ?? '';
  if (name.length > CRON_NAME_MAX)
    faults.invalid('metadata.name', name, `must be no more than ${CRON_NAME_MAX} characters`);
}

function checkSchedule(faults: Faults, schedule: string, timeZone: string | undefined): void {
  if (!faults.required('spec.schedule', schedule)) return;
  const [, zone, rest = schedule] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(schedule) ?? [];
  const problem =
    zone !== undefined && !isTimeZone(zone)
      ? `provided bad location ${zone}: unknown time zone ${zone}`
      : scheduleProblem(rest.trim());
  if (problem !== undefined) faults.invalid('spec.schedule', schedule, problem);
  if (!schedule.includes('TZ')) return;
  faults.invalid(
    'spec.schedule',
    schedule,
    timeZone === undefined
      ? 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
      : 'cannot use both timeZone field and TZ or CRON_TZ in schedule',
  );
}

function isTimeZone(name: string): boolean {
  try {
    // oxlint-disable-next-line drydock/determinism -- Locale and zone are both given: nothing of the host's is read.
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function checkTimeZone(faults: Faults, timeZone: string | undefined): void {
  if (timeZone === undefined) return;
  if (timeZone === '') faults.invalid('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string');
  else if (timeZone.toLowerCase() === 'local')
    faults.invalid(
      'spec.timeZone',
      timeZone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    );
  else if (!isTimeZone(timeZone)) faults.invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`);
}

export const jobValidators: Readonly<Record<string, Validator>> = {
  jobs: validator<Job>({
    create: checkJob,
    update: checkJobUpdate,
    status(faults, { status }) {
      for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
        faults.notNegative(`status.${field}`, status?.[field]);
    },
  }),
  cronjobs: validator<CronJob>({
    create: (faults, cronJob) => checkCronJob(faults, cronJob),
    update: (faults, cronJob, old) => checkCronJob(faults, cronJob, old),
  }),
};
