// The pods of a Job: how many there should be, which go, and which indexes the new ones get (manageJob).
import {
  keyOf,
  type Job,
  type ObjectKey,
  type Pod,
  type PodTemplateSpec,
  type Stored,
} from '../../api/index.ts';
import type { ApiClient } from '../../client/index.ts';
import type { Expectations } from '../expectations.ts';
import { isNamespaceTerminating, podFromTemplate, type PodControl } from '../pod-control.ts';
import { isPodTerminating, rankForDeletion } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { indexBackoffMs, jobBackoffMs } from './backoff.ts';
import {
  completionIndex,
  failureAnnotations,
  failureCount,
  firstIndexes,
  ignoredFailureCount,
  indexedTemplate,
} from './indexes.ts';
import { judgeFailure } from './pod-failure-policy.ts';
import { releasePods, replacesFailedOnly, TRACKING_FINALIZER, type IndexFacts } from './tracking.ts';
import { isIndexed } from './verdict.ts';

const PODS_PER_SYNC_MAX = 500;

export interface JobPodsParts {
  readonly client: ApiClient;
  readonly control: PodControl;
  readonly expectations: Expectations;
  readonly nowMs: () => number;
  /** Looks at the Job again after a while. */
  readonly later: (key: ObjectKey, delayMs: number) => void;
}

export interface JobPods {
  readonly job: Stored<Job>;
  readonly all: readonly Stored<Pod>[];
  readonly active: readonly Stored<Pod>[];
  readonly succeeded: number;
  readonly indexes: IndexFacts;
}

/** Makes and deletes pods until there are as many as the Job wants; answers how many are active then. */
export async function managePods(parts: JobPodsParts, key: ObjectKey, pods: JobPods): Promise<number> {
  const { job, active } = pods;
  if (job.spec!.suspend === true) {
    await deletePods(parts, key, job, active);
    return 0;
  }
  const wanted = wantedPods(pods);
  const surplus = surplusPods(pods, Math.max(0, active.length - wanted), parts.nowMs());
  if (surplus.length > 0) {
    await deletePods(parts, key, job, surplus);
    return active.length - surplus.length;
  }
  const terminating = replacesFailedOnly(job) ? pods.all.filter(isPodTerminating).length : 0;
  const missing = Math.min(wanted - terminating - active.length, PODS_PER_SYNC_MAX);
  if (missing <= 0) return active.length;
  if (job.spec!.backoffLimitPerIndex === undefined) {
    const waitMs = jobBackoffMs(pods.all, parts.nowMs());
    if (waitMs > 0) {
      parts.later(key, waitMs);
      return active.length;
    }
  }
  return active.length + (await createPods(parts, key, pods, missing));
}

export async function deletePods(
  { client, control, expectations }: JobPodsParts,
  key: ObjectKey,
  job: Stored<Job>,
  pods: readonly Stored<Pod>[],
): Promise<void> {
  if (pods.length === 0) return;
  expectations.expect(key, 0, pods.map(keyOf));
  const { error } = await slowStart(pods.length, async (index) => {
    const pod = pods[index]!;
    try {
      // Freed first: what the controller itself deletes isn't counted.
      await releasePods(client, [pod]);
      await control.delete(pod, job);
    } catch (failure) {
      expectations.deleted(key, keyOf(pod));
      throw failure;
    }
  });
  if (error !== undefined) throw error;
}

function wantedPods({ job, active, succeeded, indexes }: JobPods): number {
  const { parallelism = 1, completions } = job.spec!;
  // Once one has succeeded the rest may finish, but none is added.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(parallelism, completions - succeeded - indexes.failed.length));
}

/** Pods of indexes that are none (or have one already) go in any case. */
function surplusPods({ job, active }: JobPods, least: number, nowMs: number): Stored<Pod>[] {
  const misplaced: Stored<Pod>[] = [];
  if (isIndexed(job)) {
    const seen = new Set<number>();
    for (const pod of active) {
      const index = completionIndex(pod);
      if (index === undefined || index >= (job.spec!.completions ?? 0) || seen.has(index))
        misplaced.push(pod);
      else seen.add(index);
    }
  }
  if (misplaced.length >= least) return misplaced.slice(0, PODS_PER_SYNC_MAX);
  const others = active.filter((pod) => !misplaced.includes(pod));
  const more = rankForDeletion(others, [], nowMs).slice(0, least - misplaced.length);
  return [...misplaced, ...more].slice(0, PODS_PER_SYNC_MAX);
}

async function createPods(
  parts: JobPodsParts,
  key: ObjectKey,
  { job, all, active, indexes }: JobPods,
  missing: number,
): Promise<number> {
  const { control, expectations } = parts;
  const template = job.spec!.template as PodTemplateSpec;
  const finalizers = [...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER];
  const tracked = { ...template, metadata: { ...template.metadata, finalizers } };
  let chosen: number[] | undefined;
  if (isIndexed(job)) {
    const blocking = replacesFailedOnly(job) ? all.filter(isPodTerminating) : [];
    const taken = new Set([
      ...indexes.succeeded,
      ...indexes.failed,
      ...[...active, ...blocking].flatMap((pod) => completionIndex(pod) ?? []),
      ...waitingIndexes(parts, key, indexes),
    ]);
    chosen = firstIndexes(missing, job.spec!.completions ?? 0, taken);
  }
  const count = chosen?.length ?? missing;
  expectations.expect(key, count);
  const { succeeded, error } = await slowStart(count, async (i) => {
    const index = chosen?.[i];
    const pod =
      index === undefined
        ? podFromTemplate(tracked, job)
        : podFromTemplate(
            withFailures(job, indexedTemplate(tracked, job.metadata.name, index), indexes, index),
            job,
            {
              generateName: `${job.metadata.name}-${index}-`,
            },
          );
    try {
      await control.create(pod, job);
    } catch (failure) {
      if (!isNamespaceTerminating(failure)) throw failure;
    }
  });
  expectations.created(key, count - succeeded);
  if (error !== undefined) throw error;
  return succeeded;
}

/** Indexes that have failed too lately to be tried again. */
function waitingIndexes(
  { nowMs, later }: JobPodsParts,
  key: ObjectKey,
  { awaitingSuccessor }: IndexFacts,
): number[] {
  const waiting: number[] = [];
  for (const [index, pod] of awaitingSuccessor) {
    const waitMs = indexBackoffMs(pod, nowMs());
    if (waitMs <= 0) continue;
    waiting.push(index);
    later(key, waitMs);
  }
  return waiting;
}

/** A pod of a Job with backoffLimitPerIndex knows how often its index has failed. */
function withFailures(
  job: Stored<Job>,
  template: PodTemplateSpec,
  { awaitingSuccessor }: IndexFacts,
  index: number,
): PodTemplateSpec {
  if (job.spec!.backoffLimitPerIndex === undefined) return template;
  const last = awaitingSuccessor.get(index);
  let [counted, ignored] = last === undefined ? [0, 0] : [failureCount(last), ignoredFailureCount(last)];
  if (last !== undefined) {
    if (judgeFailure(job, last).action === 'Ignore') ignored++;
    else counted++;
  }
  const annotations = { ...template.metadata?.annotations, ...failureAnnotations(counted, ignored) };
  return { ...template, metadata: { ...template.metadata, annotations } };
}
