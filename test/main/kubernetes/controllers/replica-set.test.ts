import { expect, test } from 'vitest';
import { resources, type Pod, type ReplicaSet } from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, pod } from '../../../support/make-control-plane.ts';

function replicaSet(name: string, replicas: number) {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'busybox' }] },
      },
    },
  };
}
const DEFAULT = { namespace: 'default' };

test('a deleted pod is replaced', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.replicasets, replicaSet('web', 3));
  await plane.settle();
  const [victim] = await plane.list<Pod>(resources.pods, 'default');
  await plane.api.client.delete(resources.pods, victim!.metadata.name, DEFAULT);
  await plane.settle();

  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods).toHaveLength(3);
  expect(pods.map(({ metadata }) => metadata.name)).not.toContain(victim!.metadata.name);
  expect((await plane.events('web')).map((text) => text.replace(/-\w{5}$/, '-x'))).toEqual(
    Array.from({ length: 4 }, () => 'SuccessfulCreate: Created pod: web-x'),
  );
});

test('exactly as many pods as asked for are created, however many syncs that takes', async () => {
  using plane = await makeControlPlane({ startPods: false });
  await plane.create(resources.replicasets, replicaSet('web', 700));
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toHaveLength(700);
  expect((await plane.get<ReplicaSet>(resources.replicasets, 'web')).status).toMatchObject({
    replicas: 700,
    observedGeneration: 1,
  });
});

test('scaling down deletes pods that are not running first', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.replicasets, replicaSet('web', 2));
  await plane.settle();
  const running = (await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) => metadata.name);
  plane.pauseStarts(true);
  const scale = (replicas: number): Promise<unknown> =>
    plane.api.client.patch(
      resources.replicasets,
      'web',
      'application/merge-patch+json',
      { spec: { replicas } },
      DEFAULT,
    );
  await scale(4);
  await plane.settle();
  await scale(2);
  await plane.settle();
  expect((await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) => metadata.name)).toEqual(
    running,
  );
});

test('an orphan that matches is adopted, and a pod that no longer matches is released and replaced', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.pods, pod('orphan', {}, { app: 'web' }));
  await plane.create(resources.replicasets, replicaSet('web', 2));
  await plane.settle();
  const set = await plane.get<ReplicaSet>(resources.replicasets, 'web');
  expect(await plane.list(resources.pods, 'default')).toHaveLength(2);
  const adopted = await plane.get<Pod>(resources.pods, 'orphan');
  expect(adopted.metadata.ownerReferences).toMatchObject([
    { kind: 'ReplicaSet', uid: set.metadata.uid, controller: true },
  ]);

  await plane.api.client.patch(
    resources.pods,
    'orphan',
    'application/merge-patch+json',
    { metadata: { labels: { app: 'other' } } },
    DEFAULT,
  );
  await plane.settle();
  expect((await plane.get<Pod>(resources.pods, 'orphan')).metadata.ownerReferences ?? []).toEqual([]);
  expect(await plane.list(resources.pods, 'default')).toHaveLength(3);
});

test('a pod that failed is replaced and not counted', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.replicasets, replicaSet('web', 1));
  await plane.settle();
  const [first] = await plane.list<Pod>(resources.pods, 'default');
  const options = { ...DEFAULT, subresource: 'status' };
  await plane.api.client.patch(
    resources.pods,
    first!.metadata.name,
    'application/merge-patch+json',
    { status: { phase: 'Failed' } },
    options,
  );
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toHaveLength(2);
  expect((await plane.get<ReplicaSet>(resources.replicasets, 'web')).status).toMatchObject({
    replicas: 1,
    readyReplicas: 1,
  });
});

test('a ReplicationController keeps its pods too', async () => {
  using plane = await makeControlPlane();
  const { spec, metadata } = replicaSet('old', 2);
  await plane.create(resources.replicationcontrollers, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata,
    spec: { ...spec, selector: { app: 'old' } },
  });
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toHaveLength(2);
  expect(await plane.events('old')).toHaveLength(2);
});
