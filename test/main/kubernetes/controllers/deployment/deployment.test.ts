import { expect, test } from 'vitest';
import {
  resources,
  type Deployment,
  type Pod,
  type ReplicaSet,
} from '../../../../../main/kubernetes/api/index.ts';
import { Informer } from '../../../../../main/kubernetes/client/index.ts';
import {
  deployment,
  makeControlPlane,
  type TestControlPlane,
} from '../../../../support/make-control-plane.ts';
import { ordered } from '../../../../support/ordered.ts';

test('a Deployment gets a ReplicaSet named after its template, and its pods', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.deployments, deployment('web', 3));
  await plane.settle();

  const [set] = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(plane.errors).toEqual([]);
  expect(set!.metadata.name).toMatch(/^web-[456789bcdf]{7,10}$/);
  expect(set!.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
    'deployment.kubernetes.io/revision': '1',
  });
  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods).toHaveLength(3);
  expect(new Set(pods.map(({ spec }) => spec?.nodeName))).toEqual(new Set(['worker1', 'worker2']));
  for (const { metadata } of pods)
    expect(metadata.name).toMatch(new RegExp(`^${set!.metadata.name}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));

  const web = await plane.get<Deployment>(resources.deployments, 'web');
  expect(web.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
  expect(web.status).toMatchObject({
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    observedGeneration: 1,
  });
  expect(
    web.status?.conditions?.map(
      ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
    ),
  ).toEqual([
    'Available True MinimumReplicasAvailable: Deployment has minimum availability.',
    `Progressing True NewReplicaSetAvailable: ReplicaSet "${set!.metadata.name}" has successfully progressed.`,
  ]);
  expect(await plane.events('web')).toEqual([
    `ScalingReplicaSet: Scaled up replica set ${set!.metadata.name} from 0 to 3`,
  ]);
});

async function rolledOut(
  plane: TestControlPlane,
  replicas = 4,
  spec: Record<string, unknown> = {},
): Promise<void> {
  await plane.create(resources.deployments, deployment('web', replicas, {}, spec));
  await plane.settle();
}

function setImage(plane: TestControlPlane, image: string): Promise<unknown> {
  const patch = { spec: { template: { spec: { containers: [{ name: 'nginx', image }] } } } };
  return plane.api.client.patch(
    resources.deployments,
    'web',
    'application/strategic-merge-patch+json',
    patch,
    DEFAULT,
  );
}

const DEFAULT = { namespace: 'default' };

test('a rolling update goes in steps within maxSurge and maxUnavailable', async () => {
  using plane = await makeControlPlane();
  await rolledOut(plane);
  let mostPods = 0;
  let fewestReady = Infinity;
  const pods = new Informer<Pod>({
    client: plane.api.client,
    clock: plane.api.clock,
    resource: resources.pods,
  });
  const count = (): void => {
    const alive = pods.lister.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    mostPods = Math.max(mostPods, alive.length);
    const ready = alive.filter(({ status }) => status?.phase === 'Running').length;
    if (pods.hasSynced) fewestReady = Math.min(fewestReady, ready);
  };
  pods.handle({ update: count, add: count, delete: count });
  using _watching = pods.start();
  await plane.settle();
  await setImage(plane, 'nginx:1.21');
  await plane.settle({ seconds: 10 });

  expect(plane.errors).toEqual([]);
  expect(mostPods).toBe(5);
  expect(fewestReady).toBe(3);
  const sets = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(
    sets.map(({ metadata, spec }) => [
      metadata.annotations?.['deployment.kubernetes.io/revision'],
      spec?.replicas,
    ]),
  ).toEqual(
    expect.arrayContaining([
      ['1', 0],
      ['2', 4],
    ]),
  );
  const [one, two] = ['1', '2'].map(
    (revision) => sets.find((set) => revisionOf(set) === revision)!.metadata.name,
  );
  expect(await plane.events('web')).toEqual([
    `ScalingReplicaSet: Scaled up replica set ${one} from 0 to 4`,
    `ScalingReplicaSet: Scaled up replica set ${two} from 0 to 1`,
    `ScalingReplicaSet: Scaled down replica set ${one} from 4 to 3`,
    `ScalingReplicaSet: Scaled up replica set ${two} from 1 to 2`,
    `ScalingReplicaSet: Scaled down replica set ${one} from 3 to 2`,
    `ScalingReplicaSet: Scaled up replica set ${two} from 2 to 3`,
    `ScalingReplicaSet: Scaled down replica set ${one} from 2 to 0`,
    `ScalingReplicaSet: Scaled up replica set ${two} from 3 to 4`,
  ]);
});

function revisionOf(set: ReplicaSet): string | undefined {
  return set.metadata?.annotations?.['deployment.kubernetes.io/revision'];
}

test('going back to an earlier template takes up its ReplicaSet with a new revision', async () => {
  using plane = await makeControlPlane();
  await rolledOut(plane, 2);
  const [first] = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  await setImage(plane, 'nginx:1.21');
  await plane.settle({ seconds: 10 });
  await setImage(plane, 'nginx:1.20');
  await plane.settle({ seconds: 10 });

  const sets = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(sets).toHaveLength(2);
  const again = sets.find(({ metadata }) => metadata.name === first!.metadata.name)!;
  expect(again.spec?.replicas).toBe(2);
  expect(again.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  });
  expect((await plane.get<Deployment>(resources.deployments, 'web')).metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
  });
});

test('old ReplicaSets beyond revisionHistoryLimit are deleted', async () => {
  using plane = await makeControlPlane();
  await rolledOut(plane, 1, { revisionHistoryLimit: 1 });
  for (const image of ['nginx:2', 'nginx:3', 'nginx:4']) {
    await setImage(plane, image);
    await plane.settle({ seconds: 10 });
  }
  const sets = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(ordered(sets.map(revisionOf))).toEqual(['3', '4']);
});

test('Recreate stops all old pods before it starts a new one', async () => {
  using plane = await makeControlPlane();
  await rolledOut(plane, 3, { strategy: { type: 'Recreate' } });
  const images = new Set<string>();
  const pods = new Informer<Pod>({
    client: plane.api.client,
    clock: plane.api.clock,
    resource: resources.pods,
  });
  let mixed = false;
  const look = (): void => {
    const present = new Set(pods.lister.list().map(({ spec }) => spec!.containers[0]!.image!));
    for (const image of present) images.add(image);
    if (present.size > 1) mixed = true;
  };
  pods.handle({ add: look, delete: look });
  using _watching = pods.start();
  await setImage(plane, 'nginx:1.21');
  await plane.settle({ seconds: 10 });

  expect([...images]).toEqual(['nginx:1.20', 'nginx:1.21']);
  expect(mixed).toBe(false);
  expect((await plane.get<Deployment>(resources.deployments, 'web')).status).toMatchObject({
    updatedReplicas: 3,
    availableReplicas: 3,
  });
});

test('a rollout that gets nowhere exceeds its deadline', async () => {
  using plane = await makeControlPlane({ startPods: false });
  await rolledOut(plane, 1, { progressDeadlineSeconds: 30 });
  await plane.settle({ seconds: 40 });
  const { status } = await plane.get<Deployment>(resources.deployments, 'web');
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
  expect(progressing).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
  expect(progressing?.message).toMatch(/^ReplicaSet "web-[^"]+" has timed out progressing\.$/);
});

test('a paused Deployment scales but does not roll out', async () => {
  using plane = await makeControlPlane();
  await rolledOut(plane, 2);
  const patch = {
    spec: {
      paused: true,
      replicas: 3,
      template: { spec: { containers: [{ name: 'nginx', image: 'nginx:9' }] } },
    },
  };
  await plane.api.client.patch(
    resources.deployments,
    'web',
    'application/strategic-merge-patch+json',
    patch,
    DEFAULT,
  );
  await plane.settle({ seconds: 5 });

  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods.map(({ spec }) => spec!.containers[0]!.image)).toEqual([
    'nginx:1.20',
    'nginx:1.20',
    'nginx:1.20',
  ]);
  const { status } = await plane.get<Deployment>(resources.deployments, 'web');
  expect(status?.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
    status: 'Unknown',
    reason: 'DeploymentPaused',
  });
});

test('scaling in the middle of a rollout is shared out in proportion', async () => {
  using plane = await makeControlPlane({ startPods: true });
  await rolledOut(plane, 10);
  plane.pauseStarts(true); // New pods stay pending, so the rollout stands still half way.
  await setImage(plane, 'nginx:1.21');
  await plane.settle({ seconds: 5 });
  const sizes = async (): Promise<(number | undefined)[]> =>
    (await plane.list<ReplicaSet>(resources.replicasets, 'default'))
      .toSorted((a, b) => Number(revisionOf(a)) - Number(revisionOf(b)))
      .map(({ spec }) => spec?.replicas);
  expect(await sizes()).toEqual([8, 5]);
  await plane.api.client.patch(
    resources.deployments,
    'web',
    'application/merge-patch+json',
    { spec: { replicas: 15 } },
    DEFAULT,
  );
  await plane.settle({ seconds: 1 });
  expect(await sizes()).toEqual([12, 7]);
});
