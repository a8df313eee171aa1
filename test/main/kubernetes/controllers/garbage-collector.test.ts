import { expect, test } from 'vitest';
import { resources, type Pod, type ReplicaSet } from '../../../../main/kubernetes/api/index.ts';
import { deployment, makeControlPlane, type TestControlPlane } from '../../../support/make-control-plane.ts';

async function withWeb(): Promise<TestControlPlane> {
  const plane = await makeControlPlane();
  await plane.create(resources.deployments, deployment('web', 2));
  await plane.settle();
  return plane;
}

function remove(
  plane: TestControlPlane,
  propagationPolicy: 'Orphan' | 'Background' | 'Foreground',
): Promise<unknown> {
  return plane.api.client.delete(resources.deployments, 'web', { namespace: 'default', propagationPolicy });
}

test('in the background the owner goes first and its dependents follow', async () => {
  using plane = await withWeb();
  await remove(plane, 'Background');
  await expect(plane.get(resources.deployments, 'web')).rejects.toMatchObject({ reason: 'NotFound' });
  await plane.settle();
  expect(await plane.list(resources.replicasets, 'default')).toEqual([]);
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
  expect(plane.errors).toEqual([]);
});

test('in the foreground the dependents go first', async () => {
  using plane = await withWeb();
  await remove(plane, 'Foreground');
  const dying = await plane.get(resources.deployments, 'web');
  expect(dying.metadata.finalizers).toEqual(['foregroundDeletion']);
  await plane.settle({ seconds: 5 });
  await expect(plane.get(resources.deployments, 'web')).rejects.toMatchObject({ reason: 'NotFound' });
  expect(await plane.list(resources.replicasets, 'default')).toEqual([]);
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
});

test('orphaned dependents stay, without their owner', async () => {
  using plane = await withWeb();
  await remove(plane, 'Orphan');
  await plane.settle({ seconds: 5 });
  await expect(plane.get(resources.deployments, 'web')).rejects.toMatchObject({ reason: 'NotFound' });
  const [set] = await plane.list<ReplicaSet>(resources.replicasets, 'default');
  expect(set!.metadata.ownerReferences ?? []).toEqual([]);
  expect(await plane.list<Pod>(resources.pods, 'default')).toHaveLength(2);
});

test('an object whose owner never existed is deleted', async () => {
  using plane = await makeControlPlane();
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '6e8c2b1e-0000-4000-8000-000000000000' },
  ];
  const metadata = { name: 'child', namespace: 'default', ownerReferences };
  await plane.create(resources.configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await plane.settle();
  await expect(plane.get(resources.configmaps, 'child')).rejects.toMatchObject({ reason: 'NotFound' });
});
