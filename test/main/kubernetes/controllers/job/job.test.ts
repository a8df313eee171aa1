import { expect, test } from 'vitest';
import { resources, type CronJob, type Job, type Pod } from '../../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, type TestControlPlane } from '../../../../support/make-control-plane.ts';

const DEFAULT = { namespace: 'default' };

function job(name: string, spec: Record<string, unknown> = {}, restartPolicy = 'Never') {
  const labels = { 'job-name': name };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      ...spec,
      template: {
        metadata: { labels },
        spec: { restartPolicy, containers: [{ name: 'c', image: 'busybox' }] },
      },
    },
  };
}

async function end(plane: TestControlPlane, phase: 'Succeeded' | 'Failed'): Promise<number> {
  const pods = (await plane.list<Pod>(resources.pods, 'default')).filter(
    ({ status }) => status?.phase === 'Running',
  );
  for (const { metadata } of pods) {
    const conditions = [
      { type: 'Ready', status: 'False', lastTransitionTime: new Date(plane.api.clock.now()).toISOString() },
    ];
    const patch = { status: { phase, conditions } };
    const options = { ...DEFAULT, subresource: 'status' };
    await plane.api.client.patch(
      resources.pods,
      metadata.name,
      'application/strategic-merge-patch+json',
      patch,
      options,
    );
  }
  await plane.settle({ seconds: 3 });
  return pods.length;
}

test('a Job runs as many pods at once as it may, until enough have succeeded', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('pi', { completions: 3, parallelism: 2 }));
  await plane.settle();
  expect(await end(plane, 'Succeeded')).toBe(2);
  expect(await end(plane, 'Succeeded')).toBe(1);
  expect(await end(plane, 'Succeeded')).toBe(0);
  const { status } = await plane.get<Job>(resources.jobs, 'pi');
  expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  expect(status?.conditions?.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)).toEqual([
    'SuccessCriteriaMet CompletionsReached: Reached expected number of succeeded pods',
    'Complete CompletionsReached: Reached expected number of succeeded pods',
  ]);
  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods).toHaveLength(3);
  for (const { metadata } of pods) expect(metadata.finalizers ?? []).toEqual([]);
  expect((await plane.events('pi')).at(-1)).toBe('Completed: Job completed');
  expect(plane.errors).toEqual([]);
});

test('a Job gives up after backoffLimit failures, and waits longer before each retry', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('failing', { backoffLimit: 1 }));
  await plane.settle();
  expect(await end(plane, 'Failed')).toBe(1);
  expect(await end(plane, 'Failed')).toBe(0);
  await plane.settle({ seconds: 8 });
  expect(await end(plane, 'Failed')).toBe(1);
  const { status } = await plane.get<Job>(resources.jobs, 'failing');
  expect(status).toMatchObject({ failed: 2 });
  expect(status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'FailureTarget BackoffLimitExceeded',
    'Failed BackoffLimitExceeded',
  ]);
  expect((await plane.events('failing')).at(-1)).toBe(
    'BackoffLimitExceeded: Job has reached the specified backoff limit',
  );
});

test('an Indexed Job runs each index once', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.jobs,
    job('indexed', { completions: 4, parallelism: 3, completionMode: 'Indexed' }),
  );
  await plane.settle();
  const names = (await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) =>
    metadata.name.replace(/-\w{5}$/, ''),
  );
  expect(names.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['indexed-0', 'indexed-1', 'indexed-2']);
  await end(plane, 'Succeeded');
  await end(plane, 'Succeeded');
  expect((await plane.get<Job>(resources.jobs, 'indexed')).status).toMatchObject({
    succeeded: 4,
    completedIndexes: '0-3',
  });
});

test('a suspended Job has no pods until it is resumed', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('later', { suspend: true }));
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
  await plane.api.client.patch(
    resources.jobs,
    'later',
    'application/merge-patch+json',
    { spec: { suspend: false } },
    DEFAULT,
  );
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toHaveLength(1);
  expect((await plane.events('later')).slice(0, 2)).toEqual([
    'Suspended: Job suspended',
    'Resumed: Job resumed',
  ]);
});

test('a finished Job with a time to live is deleted', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('brief', { ttlSecondsAfterFinished: 60 }));
  await plane.settle();
  await end(plane, 'Succeeded');
  await plane.settle({ seconds: 30 });
  await plane.get(resources.jobs, 'brief');
  await plane.settle({ minutes: 1 });
  await expect(plane.get(resources.jobs, 'brief')).rejects.toMatchObject({ reason: 'NotFound' });
});

test('a CronJob makes a Job each minute and keeps the last few', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.cronjobs, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'minutely', namespace: 'default' },
    spec: { schedule: '* * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec: job('x').spec } },
  });
  for (let minute = 0; minute < 5; minute++) {
    await plane.settle({ minutes: 1 });
    await end(plane, 'Succeeded');
  }
  const jobs = await plane.list<Job>(resources.jobs, 'default');
  expect(jobs).toHaveLength(2);
  for (const { metadata } of jobs) expect(metadata.name).toMatch(/^minutely-\d{8}$/);
  expect(await plane.events('minutely')).toContain(
    `SawCompletedJob: Saw completed job: ${jobs[0]!.metadata.name}, condition: Complete`,
  );
  const { status } = await plane.get<CronJob>(resources.cronjobs, 'minutely');
  expect(status?.active ?? []).toEqual([]);
  expect(status?.lastSuccessfulTime).toBeDefined();
  expect(plane.errors).toEqual([]);
});
