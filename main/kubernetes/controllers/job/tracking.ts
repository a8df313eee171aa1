// Counts each finished pod of a Job exactly once: a finalizer keeps it until it is in the status (KEP-2307).
import { isStatus, resources, type Job, type Pod, type Stored } from '../../api/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { isPodActive } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { failureCount, completionIndex, formatIndexes, parseIndexes } from './indexes.ts';
import { judgeFailure } from './pod-failure-policy.ts';

type JobStatus = NonNullable<Job['status']>;

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

export function isTracked({ metadata }: Stored<Pod>): boolean {
  return metadata.finalizers?.includes(TRACKING_FINALIZER) === true;
}

/** Whether a pod is replaced only once it has failed, and not already when it is deleted. */
export function replacesFailedOnly({ spec }: Job): boolean {
  return spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined;
}

export function isPodFailedFor(job: Job, pod: Stored<Pod>): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesFailedOnly(job) || pod.status?.phase === 'Succeeded') return false;
  // Deleted pods that never get as far as failing count too.
  return pod.metadata.deletionTimestamp !== undefined;
}

/** What the pods in the cache say beyond the status: indexes that are done, and those that are lost. */
export interface IndexFacts {
  readonly succeeded: readonly number[];
  readonly failed: readonly number[];
  /** The last failed pod of each index that is to be tried again: it isn't counted before its successor is there. */
  readonly awaitingSuccessor: ReadonlyMap<number, Stored<Pod>>;
}

export function indexFactsOf(job: Job, pods: readonly Stored<Pod>[]): IndexFacts {
  const { completions = 0, backoffLimitPerIndex } = job.spec!;
  const inRange = (index: number | undefined): index is number => index !== undefined && index < completions;
  const succeeded = new Set(parseIndexes(job.status?.completedIndexes).filter(inRange));
  for (const pod of pods) {
    const index = completionIndex(pod);
    if (inRange(index) && pod.status?.phase === 'Succeeded') succeeded.add(index);
  }
  const sorted = (indexes: Iterable<number>): number[] => [...indexes].sort((a, b) => a - b);
  if (backoffLimitPerIndex === undefined)
    return { succeeded: sorted(succeeded), failed: [], awaitingSuccessor: new Map() };

  const failed = new Set(parseIndexes(job.status?.failedIndexes).filter(inRange));
  const lastFailed = new Map<number, Stored<Pod>>();
  const live = new Set<number>();
  for (const pod of pods) {
    const index = completionIndex(pod);
    if (!inRange(index)) continue;
    if (isPodActive(pod)) live.add(index);
    if (!isTracked(pod) || !isPodFailedFor(job, pod)) continue;
    const { action } = judgeFailure(job, pod);
    const isLost =
      action === 'FailIndex' || (action === 'Count' && failureCount(pod) >= backoffLimitPerIndex);
    if (isLost && !succeeded.has(index)) failed.add(index);
    const other = lastFailed.get(index);
    if (other === undefined || failureCount(other) < failureCount(pod)) lastFailed.set(index, pod);
  }
  for (const index of [...lastFailed.keys()])
    if (failed.has(index) || succeeded.has(index) || live.has(index)) lastFailed.delete(index);
  return { succeeded: sorted(succeeded), failed: sorted(failed), awaitingSuccessor: lastFailed };
}

/**
 * Notes finished pods by uid, frees them of their finalizer, and adds them up. `isOver`: the Job ends, so that nothing
 * waits for a successor any more.
 */
export async function countFinished(
  client: ApiClient,
  found: Stored<Job>,
  pods: readonly Stored<Pod>[],
  isOver: boolean,
): Promise<Stored<Job>> {
  let job = found;
  const isIndexed = job.spec!.completionMode === 'Indexed';
  const indexes = indexFactsOf(job, pods);
  const held = new Set(
    isOver ? [] : [...indexes.awaitingSuccessor.values()].map(({ metadata }) => metadata.uid),
  );
  const { succeeded: noted = [], failed: notedFailed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const known = new Set([...noted, ...notedFailed]);
  const fresh = pods.filter(
    (pod) => isTracked(pod) && !known.has(pod.metadata.uid) && !held.has(pod.metadata.uid),
  );
  const done = fresh.filter(({ status }) => status?.phase === 'Succeeded');
  const lost = fresh.filter((pod) => isPodFailedFor(job, pod));
  const counted = lost.filter((pod) => judgeFailure(job, pod).action !== 'Ignore');
  const succeeded = [...noted, ...(isIndexed ? [] : done).map(({ metadata }) => metadata.uid)];
  const failed = [...notedFailed, ...counted.map(({ metadata }) => metadata.uid)];
  const summary: Partial<JobStatus> = isIndexed
    ? {
        completedIndexes: formatIndexes(indexes.succeeded),
        succeeded: indexes.succeeded.length,
        ...(job.spec!.backoffLimitPerIndex === undefined
          ? {}
          : { failedIndexes: formatIndexes(indexes.failed) }),
      }
    : {};
  const isNews = done.length + lost.length + known.size > 0;
  if (!isNews) return job;

  const noting = omitEmpty({ succeeded, failed });
  job = await writeStatus<Job>(client, resources.jobs, job, {
    ...job.status,
    ...summary,
    uncountedTerminatedPods: noting,
  });
  const uids = new Set(
    [...known, ...done, ...lost].map((each) => (typeof each === 'string' ? each : each.metadata.uid)),
  );
  await releasePods(
    client,
    pods.filter(({ metadata }) => uids.has(metadata.uid)),
  );
  if (succeeded.length + failed.length === 0) return job;
  return writeStatus<Job>(client, resources.jobs, job, {
    ...job.status,
    ...(isIndexed ? {} : { succeeded: (job.status?.succeeded ?? 0) + succeeded.length }),
    failed: (job.status?.failed ?? 0) + failed.length,
    uncountedTerminatedPods: {},
  });
}

/** Takes the finalizer off. */
export async function releasePods(client: ApiClient, pods: readonly Stored<Pod>[]): Promise<void> {
  const { error } = await slowStart(pods.length, async (index) => {
    const { metadata } = pods[index]!;
    if (metadata.finalizers?.includes(TRACKING_FINALIZER) !== true) return;
    const left = metadata.finalizers.filter((finalizer) => finalizer !== TRACKING_FINALIZER);
    const patch = { metadata: { uid: metadata.uid, finalizers: left.length === 0 ? null : left } };
    const { namespace } = metadata;
    try {
      await client.patch(resources.pods, metadata.name, 'application/merge-patch+json', patch, { namespace });
    } catch (failure) {
      // Gone, or another of the same name: nothing to free.
      if (!isStatus(failure, 'NotFound') && !isStatus(failure, 'Conflict')) throw failure;
    }
  });
  if (error !== undefined) throw error;
}
