import { expect, test } from 'vitest';
import { resources, type Job, type Pod, type Stored } from '../../../../../main/kubernetes/api/index.ts';
import { rfc3339 } from '../../../../../main/simulation/index.ts';
import { makeControlPlane, type TestControlPlane } from '../../../../support/make-control-plane.ts';

function job(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: {
      parallelism: 1,
      completions: 1,
      ...spec,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
    },
  };
}

async function running(plane: TestControlPlane): Promise<Stored<Pod>[]> {
  const pods = await plane.list<Pod>(resources.pods, 'default');
  return pods
    .filter(({ status }) => status?.phase === 'Running')
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** Ends a pod with an exit code. */
async function end(
  plane: TestControlPlane,
  pod: Stored<Pod>,
  exitCode: number,
  conditions: object[] = [],
): Promise<void> {
  const finishedAt = rfc3339(plane.api.clock.now());
  const patch = {
    status: {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: finishedAt }, ...conditions],
      containerStatuses: [
        {
          name: 'c',
          image: 'busybox',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode, finishedAt } },
        },
      ],
    },
  };
  await plane.api.client.patch(
    resources.pods,
    pod.metadata.name,
    'application/strategic-merge-patch+json',
    patch,
    {
      namespace: 'default',
      subresource: 'status',
    },
  );
}

async function conditions(plane: TestControlPlane, name: string): Promise<string[]> {
  const { status } = await plane.get<Job>(resources.jobs, name);
  return (status?.conditions ?? []).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

const policy = (rules: object[]): Record<string, unknown> => ({
  podFailurePolicy: { rules },
  backoffLimit: 0,
});

test('a failure policy can end a Job at once, by exit code', async () => {
  using plane = await makeControlPlane();
  const rule = { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } };
  await plane.create(
    resources.jobs,
    job('picky', { ...policy([rule]), backoffLimit: 6, parallelism: 2, completions: 2 }),
  );
  await plane.settle();
  const [first] = await running(plane);
  await end(plane, first!, 42);
  await plane.settle({ seconds: 5 });
  const words = `Container c for pod default/${first!.metadata.name} failed with exit code 42 matching FailJob rule at index 0`;
  expect(await conditions(plane, 'picky')).toEqual([
    `FailureTarget PodFailurePolicy: ${words}`,
    `Failed PodFailurePolicy: ${words}`,
  ]);
  expect((await plane.events('picky')).at(-1)).toBe(`PodFailurePolicy: ${words}`);
  expect(await running(plane)).toEqual([]);
});

test('a failure that is to be ignored does not count, and the pod is replaced', async () => {
  using plane = await makeControlPlane();
  const rule = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
  await plane.create(resources.jobs, job('patient', policy([rule])));
  await plane.settle();
  const [first] = await running(plane);
  await end(plane, first!, 137, [{ type: 'DisruptionTarget', status: 'True' }]);
  await plane.settle({ seconds: 15 });
  expect(await running(plane)).toHaveLength(1);
  const { status } = await plane.get<Job>(resources.jobs, 'patient');
  expect(status?.failed ?? 0).toBe(0);
  expect(status?.conditions ?? []).toEqual([]);
});

test('each index has failures of its own, and the Job fails in the end for those that are lost', async () => {
  using plane = await makeControlPlane();
  const spec = { completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimitPerIndex: 1 };
  await plane.create(resources.jobs, job('indexed', spec));
  await plane.settle();
  const [zero, one] = await running(plane);
  await end(plane, zero!, 1);
  await end(plane, one!, 0);
  await plane.settle({ seconds: 5 });
  expect(await running(plane)).toEqual([]);
  await plane.settle({ seconds: 10 });
  const [again] = await running(plane);
  expect(again!.metadata.name).toMatch(/^indexed-0-/);
  expect(again!.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/job-index-failure-count': '1' });
  await end(plane, again!, 1);
  await plane.settle({ seconds: 5 });
  const { status } = await plane.get<Job>(resources.jobs, 'indexed');
  expect(status).toMatchObject({ completedIndexes: '1', failedIndexes: '0', succeeded: 1, failed: 2 });
  expect(await conditions(plane, 'indexed')).toEqual([
    'FailureTarget FailedIndexes: Job has failed indexes',
    'Failed FailedIndexes: Job has failed indexes',
  ]);
});

test('more lost indexes than allowed end the Job early', async () => {
  using plane = await makeControlPlane();
  const spec = {
    completionMode: 'Indexed',
    parallelism: 3,
    completions: 3,
    backoffLimitPerIndex: 0,
    maxFailedIndexes: 0,
  };
  await plane.create(resources.jobs, job('strict', spec));
  await plane.settle();
  await end(plane, (await running(plane))[2]!, 1);
  await plane.settle({ seconds: 5 });
  expect((await conditions(plane, 'strict')).at(-1)).toBe(
    'Failed MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes',
  );
});

test('a success policy ends a Job when the indexes that matter are done', async () => {
  using plane = await makeControlPlane();
  const spec = {
    completionMode: 'Indexed',
    parallelism: 3,
    completions: 3,
    successPolicy: { rules: [{ succeededIndexes: '0' }] },
  };
  await plane.create(resources.jobs, job('leader', spec));
  await plane.settle();
  await end(plane, (await running(plane))[0]!, 0);
  await plane.settle({ seconds: 5 });
  expect(await conditions(plane, 'leader')).toEqual([
    'SuccessCriteriaMet SuccessPolicy: Matched rules at index 0',
    'Complete SuccessPolicy: Matched rules at index 0',
  ]);
  expect(await running(plane)).toEqual([]);
});

test('a Job managed by somebody else is left alone', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('foreign', { managedBy: 'example.com/queue' }));
  await plane.settle({ seconds: 10 });
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
  expect((await plane.get<Job>(resources.jobs, 'foreign')).status?.startTime).toBeUndefined();
});

test('an Indexed Job can be made smaller and larger while it runs', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.jobs,
    job('elastic', { completionMode: 'Indexed', parallelism: 4, completions: 4 }),
  );
  await plane.settle();
  const resize = async (size: number): Promise<string[]> => {
    const patch = { spec: { parallelism: size, completions: size } };
    await plane.api.client.patch(resources.jobs, 'elastic', 'application/merge-patch+json', patch, {
      namespace: 'default',
    });
    await plane.settle({ seconds: 5 });
    return (await running(plane)).map(({ metadata }) => metadata.name.replace(/-\w{5}$/, ''));
  };
  expect(await resize(2)).toEqual(['elastic-0', 'elastic-1']);
  expect(await resize(3)).toEqual(['elastic-0', 'elastic-1', 'elastic-2']);
  expect(plane.errors).toEqual([]);
});

test('the pods of a Job that is deleted go with it', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.jobs, job('brief'));
  await plane.settle();
  await plane.api.client.delete(resources.jobs, 'brief', {
    namespace: 'default',
    propagationPolicy: 'Background',
  });
  await plane.settle({ seconds: 5 });
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
});
