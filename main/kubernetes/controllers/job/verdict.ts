// Whether a Job has reached its end, and which (kubernetes pkg/controller/job, syncJob).
import type { Job, Pod, Stored } from '../../api/index.ts';
import { instant } from '../pod-state.ts';
import { parseIndexes } from './indexes.ts';
import { judgeFailure } from './pod-failure-policy.ts';
import { isPodFailedFor } from './tracking.ts';

export interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export interface JobFacts {
  readonly job: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly active: readonly Stored<Pod>[];
  readonly succeeded: number;
  readonly failed: number;
  /** Of an Indexed Job. */
  readonly succeededIndexes: readonly number[];
  /** Of one with backoffLimitPerIndex. */
  readonly failedIndexes: readonly number[];
  readonly nowMs: number;
}

const COMPLETED: Verdict = {
  type: 'Complete',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
};

/** Why the Job ends before its completions are reached; undefined while it goes on. */
export function earlyVerdict(facts: JobFacts): Verdict | undefined {
  const { job } = facts;
  return (
    preliminaryVerdict(job) ??
    failedByPolicy(facts) ??
    failedByLimits(facts) ??
    (isIndexed(job) ? (failedByIndexes(facts) ?? succeededByPolicy(facts)) : undefined)
  );
}

/** Whether the completions are reached; `active` as it is after pods were made and deleted. */
export function completionVerdict(
  { job, succeeded }: Pick<JobFacts, 'job' | 'succeeded'>,
  active: number,
): Verdict | undefined {
  const { completions } = job.spec!;
  const isComplete = completions === undefined ? succeeded > 0 && active === 0 : succeeded >= completions;
  return isComplete ? COMPLETED : undefined;
}

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed';
}

/** What an earlier look has decided, while the last pods end. */
function preliminaryVerdict({ status }: Job): Verdict | undefined {
  for (const { type, status: state, reason = '', message = '' } of status?.conditions ?? []) {
    if (state !== 'True') continue;
    if (type === 'SuccessCriteriaMet') return { type: 'Complete', reason, message };
    if (type === 'FailureTarget') return { type: 'Failed', reason, message };
  }
  return undefined;
}

function failedByPolicy({ job, pods }: JobFacts): Verdict | undefined {
  if (job.spec!.podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    if (!isPodFailedFor(job, pod)) continue;
    const { action, message = '' } = judgeFailure(job, pod);
    if (action === 'FailJob') return { type: 'Failed', reason: 'PodFailurePolicy', message };
  }
  return undefined;
}

function failedByLimits({ job, active, failed, nowMs }: JobFacts): Verdict | undefined {
  const { backoffLimit = 6, activeDeadlineSeconds, suspend, template } = job.spec!;
  const restarts = active.reduce((sum, pod) => sum + restartsOf(pod), 0);
  const restartsTooOften =
    template.spec?.restartPolicy === 'OnFailure' &&
    (backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit);
  if (failed > backoffLimit || restartsTooOften) {
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  }
  const { startTime } = job.status ?? {};
  if (activeDeadlineSeconds === undefined || suspend === true || startTime == null) return undefined;
  if (nowMs < instant(startTime) + activeDeadlineSeconds * 1000) return undefined;
  return {
    type: 'Failed',
    reason: 'DeadlineExceeded',
    message: 'Job was active longer than specified deadline',
  };
}

function failedByIndexes({ job, succeededIndexes, failedIndexes }: JobFacts): Verdict | undefined {
  const { backoffLimitPerIndex, maxFailedIndexes, completions = 0 } = job.spec!;
  if (backoffLimitPerIndex === undefined) return undefined;
  if (maxFailedIndexes !== undefined && failedIndexes.length > maxFailedIndexes) {
    return {
      type: 'Failed',
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    };
  }
  if (failedIndexes.length === 0 || failedIndexes.length + succeededIndexes.length < completions)
    return undefined;
  return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' };
}

/** KEP-3998. */
function succeededByPolicy({ job, succeededIndexes }: JobFacts): Verdict | undefined {
  const { successPolicy, completions = 0 } = job.spec!;
  const index = (successPolicy?.rules ?? []).findIndex(({ succeededIndexes: wanted, succeededCount }) => {
    if (wanted === undefined)
      return succeededCount !== undefined && succeededIndexes.length >= succeededCount;
    const required = new Set(parseIndexes(wanted).filter((each) => each < completions));
    const reached = succeededIndexes.filter((each) => required.has(each)).length;
    return reached >= (succeededCount ?? required.size);
  });
  if (index < 0) return undefined;
  return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` };
}

function restartsOf(pod: Pod): number {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}
