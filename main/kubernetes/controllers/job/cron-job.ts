// The CronJob controller: makes a Job at each time the schedule means, and clears away old ones.
import { rfc3339 } from '../../../simulation/index.ts';
import {
  isStatus,
  keyOf,
  resources,
  type CronJob,
  type Job,
  type ObjectKey,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { controllerKey, controllerReference, indexByOwner, ownedBy } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import { instant } from '../pod-state.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { finishedCondition } from './job.ts';
import { isTimeZone, nextTime, parseSchedule, type Schedule } from './schedule.ts';

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** A schedule is looked at this long after its moment, so that the moment is surely over. */
const NEXT_DELTA_MS = 100;
/** Missed starts beyond which something is wrong. */
const MISSED_MAX = 100;
/** Syncs at once (--concurrent-cron-job-syncs). */
const WORKERS = 5;

type CronJobStatus = NonNullable<CronJob['status']>;

/** Makes the CronJob controller. */
export function makeCronJobController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'cronjob-controller',
    component: 'cronjob-controller',
    workers: WORKERS,
    setUp(run) {
      const cronJobs = run.informer<CronJob>(resources.cronjobs);
      const jobs = run.informer<Job>(resources.jobs);
      indexByOwner(jobs);
      run.enqueueOn(cronJobs);
      const enqueueOwner = (job: Stored<Job>): void => {
        const key = controllerKey(job, 'CronJob');
        if (key !== undefined) run.queue.add(key);
      };
      run.on(jobs, { add: enqueueOwner, update: enqueueOwner, delete: enqueueOwner });
      return async function sync(key) {
        const cronJob = cronJobs.lister.get(key);
        if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) return;
        await new CronJobSync(run, jobs, cronJob).run();
      };
    },
  });
}

class CronJobSync {
  private readonly controller: ControllerRun;
  private readonly jobs: Informer<Job>;
  private readonly cronJob: Stored<CronJob>;
  private readonly key: ObjectKey;
  private readonly status: CronJobStatus;

  constructor(controller: ControllerRun, jobs: Informer<Job>, cronJob: Stored<CronJob>) {
    this.controller = controller;
    this.jobs = jobs;
    this.cronJob = cronJob;
    this.key = keyOf(cronJob);
    this.status = { ...cronJob.status };
  }

  async run(): Promise<void> {
    const owned = ownedBy(this.jobs, this.cronJob);
    this.noteFinished(owned);
    await this.clearAway(owned);
    try {
      await this.startDue(owned);
    } finally {
      await writeStatus<CronJob>(
        this.controller.client,
        resources.cronjobs,
        this.cronJob,
        omitEmpty(this.status),
      );
    }
  }

  /** Takes finished and vanished Jobs off the list of active ones, and adds those that are missing there. */
  private noteFinished(owned: readonly Stored<Job>[]): void {
    const byUid = new Map(owned.map((job) => [job.metadata.uid, job]));
    let active = this.status.active ?? [];
    for (const job of owned) {
      const listed = active.some(({ uid }) => uid === job.metadata.uid);
      const finished = finishedCondition(job);
      if (finished === undefined) {
        if (!listed) active = [...active, referenceTo(job)];
        continue;
      }
      if (!listed) continue;
      active = active.filter(({ uid }) => uid !== job.metadata.uid);
      this.tell(
        'Normal',
        'SawCompletedJob',
        `Saw completed job: ${job.metadata.name}, condition: ${finished.type}`,
      );
      const { completionTime } = job.status ?? {};
      if (finished.type === 'Complete' && completionTime != null) {
        const last = this.status.lastSuccessfulTime;
        if (last == null || instant(completionTime) > instant(last))
          this.status.lastSuccessfulTime = completionTime;
      }
    }
    for (const { uid, name } of active) {
      if (byUid.has(uid!)) continue;
      active = active.filter((reference) => reference.uid !== uid);
      this.tell('Normal', 'MissingJob', `Active job went missing: ${name}`);
    }
    this.status.active = active;
  }

  private async clearAway(owned: readonly Stored<Job>[]): Promise<void> {
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = this.cronJob.spec!;
    const limits = { Complete: successfulJobsHistoryLimit, Failed: failedJobsHistoryLimit };
    for (const [type, limit] of Object.entries(limits)) {
      const finished = owned.filter(
        (job) => finishedCondition(job)?.type === type && job.metadata.deletionTimestamp === undefined,
      );
      finished.sort((a, b) => startMs(a) - startMs(b));
      for (const job of finished.slice(0, Math.max(0, finished.length - limit))) await this.deleteJob(job);
    }
  }

  private async startDue(owned: readonly Stored<Job>[]): Promise<void> {
    const { spec } = this.cronJob;
    if (spec!.timeZone !== undefined && !isTimeZone(spec!.timeZone)) {
      return this.tell(
        'Warning',
        'UnknownTimeZone',
        `invalid timeZone: "${spec!.timeZone}": unknown time zone ${spec!.timeZone}`,
      );
    }
    if (spec!.suspend === true) return;
    const schedule = parseSchedule(spec!.schedule);
    if (schedule === undefined) {
      return this.tell('Warning', 'UnparseableSchedule', `unparseable schedule: "${spec!.schedule}"`);
    }
    const nowMs = this.controller.clock.now();
    const dueMs = this.lastDue(schedule, nowMs);
    if (dueMs !== undefined) await this.start(dueMs, nowMs, owned);
    const next = nextTime(schedule, nowMs, spec!.timeZone);
    if (next !== undefined) this.controller.queue.addAfter(this.key, next - nowMs + NEXT_DELTA_MS);
  }

  /** The latest moment that is past and not yet served. */
  private lastDue(schedule: Schedule, nowMs: number): number | undefined {
    const { startingDeadlineSeconds, timeZone } = this.cronJob.spec!;
    let sinceMs = instant(this.status.lastScheduleTime ?? this.cronJob.metadata.creationTimestamp);
    if (startingDeadlineSeconds !== undefined)
      sinceMs = Math.max(sinceMs, nowMs - startingDeadlineSeconds * 1000);
    let due: number | undefined;
    for (let missed = 0; missed <= MISSED_MAX; missed++) {
      const next = nextTime(schedule, due ?? sinceMs, timeZone);
      if (next === undefined || next > nowMs) return due;
      due = next;
    }
    const message =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    this.tell('Warning', 'TooManyMissedTimes', message);
    // Go on with the present.
    const recent = nextTime(schedule, nowMs - 24 * 3_600_000, timeZone);
    for (let next = recent; next !== undefined && next <= nowMs; next = nextTime(schedule, next, timeZone))
      due = next;
    return due;
  }

  private async start(dueMs: number, nowMs: number, owned: readonly Stored<Job>[]): Promise<void> {
    const { startingDeadlineSeconds, concurrencyPolicy = 'Allow' } = this.cronJob.spec!;
    if (startingDeadlineSeconds !== undefined && dueMs + startingDeadlineSeconds * 1000 < nowMs) {
      const message = `Missed scheduled time to start a job: ${new Date(dueMs).toUTCString().replace('GMT', '+0000')}`;
      return this.tell('Warning', 'MissSchedule', message);
    }
    const active = this.status.active ?? [];
    if (concurrencyPolicy === 'Forbid' && active.length > 0) {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      return this.tell('Normal', 'JobAlreadyActive', message);
    }
    if (concurrencyPolicy === 'Replace') {
      for (const job of owned)
        if (active.some(({ uid }) => uid === job.metadata.uid)) await this.deleteJob(job);
      this.status.active = [];
    }
    const job = jobOf(this.cronJob, dueMs);
    try {
      const created = await this.controller.client.create<Job>(resources.jobs, job, {
        namespace: this.cronJob.metadata.namespace,
      });
      this.tell('Normal', 'SuccessfulCreate', `Created job ${created.metadata.name}`);
      this.status.active = [...(this.status.active ?? []), referenceTo(created)];
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      if (!isStatus(error, 'AlreadyExists')) {
        this.tell('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
        throw error;
      }
    }
    this.status.lastScheduleTime = rfc3339(dueMs);
  }

  private async deleteJob(job: Stored<Job>): Promise<void> {
    const { name, namespace } = job.metadata;
    try {
      await this.controller.client.delete(resources.jobs, name, {
        namespace,
        propagationPolicy: 'Background',
      });
      this.tell('Normal', 'SuccessfulDelete', `Deleted job ${name}`);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return;
      this.tell('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
      throw error;
    }
  }

  private tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.controller.recorder.event(this.cronJob, type, reason, message);
  }
}

/** The Job of one moment, named after it in minutes since the epoch. */
function jobOf(cronJob: Stored<CronJob>, dueMs: number): Job {
  const { spec, metadata } = cronJob.spec!.jobTemplate as { spec?: Job['spec']; metadata?: Job['metadata'] };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cronJob.metadata.name}-${Math.floor(dueMs / 60_000)}`,
      namespace: cronJob.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: { ...metadata.labels } }),
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: rfc3339(dueMs) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
}

function referenceTo({ metadata }: Stored<Job>): NonNullable<CronJobStatus['active']>[number] {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
}

function startMs(job: Stored<Job>): number {
  return instant(job.status?.startTime ?? job.metadata.creationTimestamp);
}
