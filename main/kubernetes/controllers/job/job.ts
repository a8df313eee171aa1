// The Job controller: runs pods until enough have succeeded, or too many have failed.
import { rfc3339 } from '../../../simulation/index.ts';
import {
  isStatus,
  keyOf,
  resources,
  type Job,
  type ObjectKey,
  type Pod,
  type PodTemplateSpec,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { Expectations } from '../expectations.ts';
import { controllerKey, indexByOwner, ownedBy } from '../owner.ts';
import { isNamespaceTerminating, makePodControl, podFromTemplate, type PodControl } from '../pod-control.ts';
import { instant, isPodActive, isPodReady, isPodTerminating, rankForDeletion } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { completionIndex, firstIndexes, formatIndexes, indexedTemplate, parseIndexes } from './indexes.ts';

type JobStatus = NonNullable<Job['status']>;
type JobCondition = NonNullable<JobStatus['conditions']>[number];

/** Keeps a finished pod until it has been counted. */
const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
/** Pod changes gather for this long (syncJobBatchPeriod). */
const GATHER_MS = 1_000;
/** After failures new pods wait 10 s doubled up to 10 min. */
const FAILURE_BASE_MS = 10_000;
const FAILURE_MAX_MS = 600_000;
const PODS_PER_SYNC_MAX = 500;
/** Syncs at once (--concurrent-job-syncs). */
const WORKERS = 5;

/** Makes the Job controller. */
export function makeJobController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'job-controller',
    component: 'job-controller',
    workers: WORKERS,
    setUp(run) {
      const jobs = new Jobs(run);
      return (key) => jobs.sync(key);
    },
  });
}

/** True once a Job has succeeded or failed for good. */
export function finishedCondition(job: Job): JobCondition | undefined {
  return job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

class Jobs {
  private readonly run: ControllerRun;
  private readonly jobs: Informer<Job>;
  private readonly pods: Informer<Pod>;
  private readonly expectations: Expectations;
  private readonly podControl: PodControl;

  constructor(run: ControllerRun) {
    this.run = run;
    this.expectations = new Expectations(run.clock);
    this.podControl = makePodControl(run.client, run.recorder);
    this.jobs = run.informer<Job>(resources.jobs);
    this.pods = run.informer<Pod>(resources.pods);
    indexByOwner(this.pods);
    run.enqueueOn(this.jobs);
    run.on(this.jobs, { delete: (job) => this.expectations.forget(keyOf(job)) });
    const podChanged = (pod: Stored<Pod>, seen: (key: ObjectKey) => void): void => {
      const key = controllerKey(pod, 'Job');
      if (key === undefined) return;
      seen(key);
      this.run.queue.addAfter(key, GATHER_MS);
    };
    run.on(this.pods, {
      add: (pod) => podChanged(pod, (key) => this.expectations.created(key)),
      update: (pod) =>
        podChanged(pod, (key) => {
          if (pod.metadata.deletionTimestamp !== undefined) this.expectations.deleted(key, keyOf(pod));
        }),
      delete: (pod) => podChanged(pod, (key) => this.expectations.deleted(key, keyOf(pod))),
    });
  }

  /** Brings one Job nearer its end. */
  async sync(key: ObjectKey): Promise<void> {
    let job = this.jobs.lister.get(key);
    if (job === undefined) return this.expectations.forget(key);
    const pods = ownedBy(this.pods, job);
    if (finishedCondition(job) !== undefined || job.metadata.deletionTimestamp !== undefined) {
      return this.releasePods(pods);
    }
    if (!this.expectations.satisfied(key)) return;

    job = await this.countFinished(job, pods);
    const status: JobStatus = { ...job.status };
    const active = pods.filter(isPodActive);
    this.noteSuspension(job, status);
    const verdict = this.verdictOn(job, status, active);
    if (verdict !== undefined) {
      await this.deletePods(key, job, active);
      this.conclude(job, status, verdict, []);
    } else {
      const left = await this.manage(key, job, status, active);
      const now = ownedBy(this.pods, job);
      status.active = left;
      status.ready = now.filter((pod) => isPodActive(pod) && isPodReady(pod)).length;
      status.terminating = now.filter(isPodTerminating).length;
    }
    await writeStatus<Job>(this.run.client, resources.jobs, job, tidy(status));
    this.awaitDeadline(key, job);
  }

  // ── Counting ──

  /** Counts each finished pod exactly once: noted by uid, then freed of its finalizer, then added up. */
  private async countFinished(found: Stored<Job>, pods: readonly Stored<Pod>[]): Promise<Stored<Job>> {
    let job = found;
    const { succeeded: noted = [], failed: notedFailed = [] } = job.status?.uncountedTerminatedPods ?? {};
    const known = new Set([...noted, ...notedFailed]);
    const tracked = pods.filter((pod) => isTracked(pod) && !known.has(pod.metadata.uid) && isOver(pod));
    const uids = (phase: string): string[] =>
      tracked
        .filter((pod) => (pod.status?.phase === 'Succeeded') === (phase === 'Succeeded'))
        .map(({ metadata }) => metadata.uid);
    const succeeded = [...noted, ...uids('Succeeded')];
    const failed = [...notedFailed, ...uids('Failed')];
    if (succeeded.length === 0 && failed.length === 0) return job;

    const uncountedTerminatedPods = omitEmpty({ succeeded, failed });
    const indexes = this.completedIndexes(job, pods);
    job = await writeStatus<Job>(this.run.client, resources.jobs, job, {
      ...job.status,
      ...indexes,
      uncountedTerminatedPods,
    });
    const counted = new Set([...succeeded, ...failed]);
    await this.releasePods(pods.filter(({ metadata }) => counted.has(metadata.uid)));
    return writeStatus<Job>(this.run.client, resources.jobs, job, {
      ...job.status,
      succeeded: this.isIndexed(job)
        ? parseIndexes(job.status?.completedIndexes).length
        : (job.status?.succeeded ?? 0) + succeeded.length,
      failed: (job.status?.failed ?? 0) + failed.length,
      uncountedTerminatedPods: {},
    });
  }

  private completedIndexes(job: Stored<Job>, pods: readonly Stored<Pod>[]): { completedIndexes?: string } {
    if (!this.isIndexed(job)) return {};
    const indexes = new Set(parseIndexes(job.status?.completedIndexes));
    for (const pod of pods) {
      const index = completionIndex(pod);
      if (index !== undefined && pod.status?.phase === 'Succeeded') indexes.add(index);
    }
    return { completedIndexes: formatIndexes([...indexes]) };
  }

  private isIndexed(job: Job): boolean {
    return job.spec?.completionMode === 'Indexed';
  }

  private async releasePods(pods: readonly Stored<Pod>[]): Promise<void> {
    await slowStart(pods.length, async (index) => {
      const { metadata } = pods[index]!;
      if (metadata.finalizers?.includes(TRACKING_FINALIZER) !== true) return;
      const left = metadata.finalizers.filter((finalizer) => finalizer !== TRACKING_FINALIZER);
      const patch = { metadata: { uid: metadata.uid, finalizers: left.length === 0 ? null : left } };
      const options = { namespace: metadata.namespace };
      try {
        await this.run.client.patch(
          resources.pods,
          metadata.name,
          'application/merge-patch+json',
          patch,
          options,
        );
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }).then(({ error }) => {
      if (error !== undefined) throw error;
    });
  }

  // ── Judging ──

  private verdictOn(
    job: Stored<Job>,
    status: JobStatus,
    active: readonly Stored<Pod>[],
  ): Verdict | undefined {
    const { backoffLimit = 6, activeDeadlineSeconds, completions } = job.spec!;
    const restarts = active.reduce((sum, pod) => sum + restartsOf(pod), 0);
    const restartedTooOften =
      job.spec!.template.spec?.restartPolicy === 'OnFailure' && restarts > 0 && restarts >= backoffLimit;
    if ((status.failed ?? 0) > backoffLimit || restartedTooOften) {
      return {
        type: 'Failed',
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit',
      };
    }
    if (activeDeadlineSeconds !== undefined && status.startTime != null && job.spec!.suspend !== true) {
      if (this.run.clock.now() >= instant(status.startTime) + activeDeadlineSeconds * 1000) {
        return {
          type: 'Failed',
          reason: 'DeadlineExceeded',
          message: 'Job was active longer than specified deadline',
        };
      }
    }
    const succeeded = status.succeeded ?? 0;
    const enough =
      completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
    return enough
      ? {
          type: 'Complete',
          reason: 'CompletionsReached',
          message: 'Reached expected number of succeeded pods',
        }
      : undefined;
  }

  private conclude(
    job: Stored<Job>,
    status: JobStatus,
    { type, reason, message }: Verdict,
    active: readonly Stored<Pod>[],
  ): void {
    const time = rfc3339(this.run.clock.now());
    const condition = (name: string): JobCondition => ({
      type: name,
      status: 'True',
      lastProbeTime: time,
      lastTransitionTime: time,
      reason,
      message,
    });
    const preliminary = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    status.conditions = [...(status.conditions ?? []), condition(preliminary), condition(type)];
    status.active = active.length;
    status.ready = 0;
    status.terminating = 0;
    if (type === 'Complete') {
      status.completionTime = time;
      this.run.recorder.event(job, 'Normal', 'Completed', 'Job completed');
    } else this.run.recorder.event(job, 'Warning', reason, message);
  }

  private noteSuspension(job: Stored<Job>, status: JobStatus): void {
    const time = rfc3339(this.run.clock.now());
    const old = status.conditions?.find(({ type }) => type === 'Suspended');
    const suspended = job.spec!.suspend === true;
    const note = (state: 'True' | 'False', word: string): void => {
      const condition: JobCondition = {
        type: 'Suspended',
        status: state,
        lastProbeTime: time,
        lastTransitionTime: time,
        reason: `Job${word}`,
        message: `Job ${word.toLowerCase()}`,
      };
      status.conditions = [
        ...(status.conditions ?? []).filter(({ type }) => type !== 'Suspended'),
        condition,
      ];
      this.run.recorder.event(job, 'Normal', word, `Job ${word.toLowerCase()}`);
    };
    if (suspended) {
      if (old?.status !== 'True') {
        note('True', 'Suspended');
        delete status.startTime;
      }
      return;
    }
    if (old?.status === 'True') {
      note('False', 'Resumed');
      status.startTime = time;
    } else status.startTime ??= time;
  }

  // ── Pods ──

  /** Answers how many pods are active then. */
  private async manage(
    key: ObjectKey,
    job: Stored<Job>,
    status: JobStatus,
    active: readonly Stored<Pod>[],
  ): Promise<number> {
    const { parallelism = 1, completions, suspend } = job.spec!;
    if (suspend === true) {
      await this.deletePods(key, job, active);
      return 0;
    }
    const succeeded = status.succeeded ?? 0;
    const wanted =
      completions === undefined
        ? succeeded > 0
          ? active.length // One has succeeded: the rest may finish, but none is added.
          : parallelism
        : Math.min(parallelism, completions - succeeded);
    if (active.length > wanted) {
      const surplus = rankForDeletion(active, [], this.run.clock.now()).slice(0, active.length - wanted);
      await this.deletePods(key, job, surplus);
      return wanted;
    }
    const missing = Math.min(wanted - active.length, PODS_PER_SYNC_MAX);
    if (missing <= 0) return active.length;
    const waitMs = this.failureWaitMs(job);
    if (waitMs > 0) {
      this.run.queue.addAfter(key, waitMs);
      return active.length;
    }
    return active.length + (await this.createPods(key, job, active, missing));
  }

  private async createPods(
    key: ObjectKey,
    job: Stored<Job>,
    active: readonly Stored<Pod>[],
    missing: number,
  ): Promise<number> {
    const template = job.spec!.template as PodTemplateSpec;
    const finalizers = [...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER];
    const tracked = { ...template, metadata: { ...template.metadata, finalizers } };
    const taken = new Set([
      ...parseIndexes(job.status?.completedIndexes),
      ...active.flatMap((pod) => completionIndex(pod) ?? []),
    ]);
    const indexes = this.isIndexed(job)
      ? firstIndexes(missing, job.spec!.completions ?? 0, taken)
      : undefined;
    const count = indexes?.length ?? missing;
    this.expectations.expect(key, count);
    const { succeeded, error } = await slowStart(count, async (i) => {
      const index = indexes?.[i];
      const pod =
        index === undefined
          ? podFromTemplate(tracked, job)
          : podFromTemplate(indexedTemplate(tracked, job.metadata.name, index), job, {
              generateName: `${job.metadata.name}-${index}-`,
            });
      try {
        await this.podControl.create(pod, job);
      } catch (failure) {
        if (!isNamespaceTerminating(failure)) throw failure;
      }
    });
    this.expectations.created(key, count - succeeded);
    if (error !== undefined) throw error;
    return succeeded;
  }

  private async deletePods(key: ObjectKey, job: Stored<Job>, pods: readonly Stored<Pod>[]): Promise<void> {
    if (pods.length === 0) return;
    this.expectations.expect(key, 0, pods.map(keyOf));
    const { error } = await slowStart(pods.length, async (index) => {
      const pod = pods[index]!;
      try {
        await this.releasePods([pod]);
        await this.podControl.delete(pod, job);
      } catch (failure) {
        this.expectations.deleted(key, keyOf(pod));
        throw failure;
      }
    });
    if (error !== undefined) throw error;
  }

  /** How long to wait before the next pod, after failures that no success has followed. */
  private failureWaitMs(job: Stored<Job>): number {
    const finished = ownedBy(this.pods, job).filter(
      (pod) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded',
    );
    finished.sort((a, b) => finishedMs(a) - finishedMs(b));
    const lastSuccess = finished.findLastIndex((pod) => pod.status?.phase === 'Succeeded');
    const failures = finished.slice(lastSuccess + 1);
    if (failures.length === 0) return 0;
    const backoffMs = Math.min(FAILURE_MAX_MS, FAILURE_BASE_MS * 2 ** (failures.length - 1));
    return finishedMs(failures.at(-1)!) + backoffMs - this.run.clock.now();
  }

  private awaitDeadline(key: ObjectKey, job: Stored<Job>): void {
    const { activeDeadlineSeconds, suspend } = job.spec!;
    if (activeDeadlineSeconds === undefined || suspend === true) return;
    const sinceMs = job.status?.startTime == null ? this.run.clock.now() : instant(job.status.startTime);
    const leftMs = sinceMs + activeDeadlineSeconds * 1000 - this.run.clock.now();
    if (leftMs > 0) this.run.queue.addAfter(key, leftMs);
  }
}

function isTracked({ metadata }: Stored<Pod>): boolean {
  return metadata.finalizers?.includes(TRACKING_FINALIZER) === true;
}

/** It has finished, or was deleted before it could. */
function isOver(pod: Stored<Pod>): boolean {
  const { phase } = pod.status ?? {};
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    (pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName)
  );
}

function restartsOf(pod: Pod): number {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function finishedMs(pod: Stored<Pod>): number {
  const times = (pod.status?.containerStatuses ?? []).flatMap(
    ({ state }) => state?.terminated?.finishedAt ?? [],
  );
  if (times.length > 0) return Math.max(...times.map(instant));
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return instant(ready ?? pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp);
}

function tidy(status: JobStatus): JobStatus {
  return omitEmpty({ ...status, uncountedTerminatedPods: status.uncountedTerminatedPods ?? {} }, [
    'active',
    'succeeded',
    'failed',
  ]);
}
