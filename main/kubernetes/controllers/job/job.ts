// The Job controller: runs pods until enough have succeeded, or too many have failed.
import { rfc3339 } from '../../../simulation/index.ts';
import { keyOf, resources, type Job, type ObjectKey, type Pod, type Stored } from '../../api/index.ts';
import type { Informer, WorkQueue } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { Expectations } from '../expectations.ts';
import { controllerKey, controllerOf, indexByOwner, ownedBy } from '../owner.ts';
import { makePodControl } from '../pod-control.ts';
import { instant, isPodActive, isPodReady, isPodTerminating } from '../pod-state.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { deletePods, managePods, type JobPodsParts } from './pods.ts';
import { countFinished, indexFactsOf, isTracked, releasePods } from './tracking.ts';
import { completionVerdict, earlyVerdict, isIndexed, type JobFacts, type Verdict } from './verdict.ts';

type JobStatus = NonNullable<Job['status']>;
type JobCondition = NonNullable<JobStatus['conditions']>[number];

/** Pod changes gather for this long (syncJobBatchPeriod). */
const GATHER_MS = 1_000;
/** Syncs at once (--concurrent-job-syncs). */
const WORKERS = 5;
/** spec.managedBy of the Jobs that are this controller's. */
const OWN_NAME = 'kubernetes.io/job-controller';

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

class Jobs {
  private readonly run: ControllerRun;
  private readonly jobs: Informer<Job>;
  private readonly pods: Informer<Pod>;
  private readonly orphans: WorkQueue;
  private readonly expectations: Expectations;
  private readonly parts: JobPodsParts;

  constructor(run: ControllerRun) {
    this.run = run;
    this.expectations = new Expectations(run.clock);
    this.parts = {
      client: run.client,
      control: makePodControl(run.client, run.recorder),
      expectations: this.expectations,
      nowMs: () => run.clock.now(),
      later: (key, delayMs) => run.queue.addAfter(key, delayMs),
    };
    this.jobs = run.informer<Job>(resources.jobs);
    this.pods = run.informer<Pod>(resources.pods);
    this.orphans = run.addQueue(1, (key) => this.freeOrphan(key));
    indexByOwner(this.pods);
    run.enqueueOn(this.jobs);
    run.on(this.jobs, {
      delete: (job) => {
        this.expectations.forget(keyOf(job));
        for (const pod of ownedBy(this.pods, job)) if (isTracked(pod)) this.orphans.add(keyOf(pod));
      },
    });
    const podChanged = (pod: Stored<Pod>, seen: (key: ObjectKey) => void): void => {
      const key = controllerKey(pod, 'Job');
      if (key === undefined) return;
      if (isTracked(pod) && this.isOrphan(pod)) this.orphans.addAfter(keyOf(pod), GATHER_MS);
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
    const found = this.jobs.lister.get(key);
    if (found === undefined) return this.expectations.forget(key);
    if ((found.spec!.managedBy ?? OWN_NAME) !== OWN_NAME) return; // Somebody else's (KEP-4368).
    const pods = ownedBy(this.pods, found);
    if (finishedCondition(found) !== undefined || found.metadata.deletionTimestamp !== undefined) {
      return releasePods(this.run.client, pods);
    }
    if (!this.expectations.satisfied(key)) return;

    const before = this.factsOf(found, pods);
    const early = earlyVerdict(before);
    const job = await countFinished(this.run.client, found, pods, early !== undefined);
    const facts = this.factsOf(job, pods);
    const status: JobStatus = { ...job.status };
    this.noteSuspension(job, status);
    let verdict = early ?? earlyVerdict(facts);
    let active = facts.active.length;
    if (verdict === undefined) {
      const indexes = indexFactsOf(job, pods);
      active = await managePods(this.parts, key, { ...facts, all: pods, indexes });
      verdict = completionVerdict(facts, active);
    }
    let doomed = 0;
    if (verdict !== undefined && active > 0) {
      await deletePods(this.parts, key, job, facts.active);
      doomed = facts.active.length;
      active = 0;
    }
    const now = ownedBy(this.pods, job);
    // The cache hasn't seen yet that those just deleted are on their way.
    const terminating = now.filter(isPodTerminating).length + doomed;
    status.active = active;
    status.terminating = terminating;
    status.ready =
      verdict === undefined ? now.filter((pod) => isPodActive(pod) && isPodReady(pod)).length : 0;
    // The end is written only once the last pod is gone.
    if (verdict !== undefined) this.conclude(job, status, verdict, terminating === 0);
    await writeStatus<Job>(this.run.client, resources.jobs, job, tidy(status));
    this.awaitDeadline(key, job);
  }

  private factsOf(job: Stored<Job>, pods: readonly Stored<Pod>[]): JobFacts {
    const indexes = isIndexed(job) ? indexFactsOf(job, pods) : undefined;
    return {
      job,
      pods,
      active: pods.filter(isPodActive),
      succeeded: indexes === undefined ? (job.status?.succeeded ?? 0) : indexes.succeeded.length,
      failed: job.status?.failed ?? 0,
      succeededIndexes: indexes?.succeeded ?? [],
      failedIndexes: indexes?.failed ?? [],
      nowMs: this.run.clock.now(),
    };
  }

  // ── Pods without a Job ──

  private isOrphan(pod: Stored<Pod>): boolean {
    const key = controllerKey(pod, 'Job');
    return key !== undefined && this.jobs.lister.get(key)?.metadata.uid !== controllerOf(pod)?.uid;
  }

  /** Nobody will count it any more. */
  private async freeOrphan(key: string): Promise<void> {
    const pod = this.pods.lister.get(key);
    if (pod !== undefined && this.isOrphan(pod)) await releasePods(this.run.client, [pod]);
  }

  // ── Conditions ──

  private condition(type: string, { reason, message }: Pick<Verdict, 'reason' | 'message'>): JobCondition {
    const time = rfc3339(this.run.clock.now());
    return { type, status: 'True', lastProbeTime: time, lastTransitionTime: time, reason, message };
  }

  private conclude(job: Stored<Job>, status: JobStatus, verdict: Verdict, isLast: boolean): void {
    const { type, reason, message } = verdict;
    const preliminary = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const conditions = [...(status.conditions ?? [])];
    if (!conditions.some((known) => known.type === preliminary))
      conditions.push(this.condition(preliminary, verdict));
    if (isLast) {
      conditions.push(this.condition(type, verdict));
      const { recorder, clock } = this.run;
      if (type === 'Complete') {
        status.completionTime = rfc3339(clock.now());
        const { completions } = job.spec!;
        if (completions !== undefined && (status.succeeded ?? 0) > completions) {
          const words = 'Too many succeeded pods running after completion count reached';
          recorder.event(job, 'Warning', 'TooManySucceededPods', words);
        }
        recorder.event(job, 'Normal', 'Completed', 'Job completed');
      } else recorder.event(job, 'Warning', reason, message);
    }
    status.conditions = conditions;
  }

  private noteSuspension(job: Stored<Job>, status: JobStatus): void {
    const time = rfc3339(this.run.clock.now());
    const old = status.conditions?.find(({ type }) => type === 'Suspended');
    const suspended = job.spec!.suspend === true;
    const note = (state: 'True' | 'False', word: string): void => {
      const words = { reason: `Job${word}`, message: `Job ${word.toLowerCase()}` };
      const condition = { ...this.condition('Suspended', words), status: state };
      const others = (status.conditions ?? []).filter(({ type }) => type !== 'Suspended');
      status.conditions = [...others, condition];
      this.run.recorder.event(job, 'Normal', word, words.message);
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

  private awaitDeadline(key: ObjectKey, job: Stored<Job>): void {
    const { activeDeadlineSeconds, suspend } = job.spec!;
    if (activeDeadlineSeconds === undefined || suspend === true) return;
    const sinceMs = job.status?.startTime == null ? this.run.clock.now() : instant(job.status.startTime);
    const leftMs = sinceMs + activeDeadlineSeconds * 1000 - this.run.clock.now();
    if (leftMs > 0) this.run.queue.addAfter(key, leftMs);
  }
}

function tidy(status: JobStatus): JobStatus {
  return omitEmpty({ ...status, uncountedTerminatedPods: status.uncountedTerminatedPods ?? {} }, [
    'active',
    'succeeded',
    'failed',
  ]);
}
