import { expect, test } from 'vitest';
import {
  resources,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
} from '../../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, type TestControlPlane } from '../../../../support/make-control-plane.ts';

const DEFAULT = { namespace: 'default' };

function statefulSet(name: string, replicas: number, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'busybox:1.36' }] },
      },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
  };
}

async function names(plane: TestControlPlane): Promise<string[]> {
  return (await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) => metadata.name);
}

function setImage(plane: TestControlPlane, image: string): Promise<unknown> {
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } };
  return plane.api.client.patch(
    resources.statefulsets,
    'db',
    'application/strategic-merge-patch+json',
    patch,
    DEFAULT,
  );
}

test('pods come one after the other, named by number', async () => {
  using plane = await makeControlPlane();
  plane.pauseStarts(true);
  await plane.create(resources.statefulsets, statefulSet('db', 3));
  await plane.settle();
  expect(await names(plane)).toEqual(['db-0']);
  plane.pauseStarts(false);
  await plane.settle();
  expect(await names(plane)).toEqual(['db-0', 'db-1', 'db-2']);
  const set = await plane.get<StatefulSet>(resources.statefulsets, 'db');
  expect(set.status).toMatchObject({
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    collisionCount: 0,
  });
  expect(set.status?.currentRevision).toBe(set.status?.updateRevision);
  const first = await plane.get<Pod>(resources.pods, 'db-0');
  expect(first.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' });
  expect(first.metadata.labels).toEqual({
    app: 'db',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': set.status?.currentRevision,
    'statefulset.kubernetes.io/pod-name': 'db-0',
  });
  expect((await plane.events('db'))[0]).toBe(
    'SuccessfulCreate: Create Pod db-0 in StatefulSet db successful',
  );
  expect(plane.errors).toEqual([]);
});

test('scaling down takes the highest number first, and parallel sets start all at once', async () => {
  using plane = await makeControlPlane();
  plane.pauseStarts(true);
  await plane.create(resources.statefulsets, statefulSet('db', 3, { podManagementPolicy: 'Parallel' }));
  await plane.settle();
  expect(await names(plane)).toEqual(['db-0', 'db-1', 'db-2']);
  plane.pauseStarts(false);
  await plane.api.client.patch(
    resources.statefulsets,
    'db',
    'application/merge-patch+json',
    { spec: { replicas: 1 } },
    DEFAULT,
  );
  await plane.settle();
  expect(await names(plane)).toEqual(['db-0']);
});

test('a new template replaces pods from the highest number down to the partition', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.statefulsets,
    statefulSet('db', 3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }),
  );
  await plane.settle();
  await setImage(plane, 'busybox:1.37');
  await plane.settle();
  const images = async (): Promise<(string | undefined)[]> =>
    (await plane.list<Pod>(resources.pods, 'default')).map(({ spec }) => spec!.containers[0]!.image);
  expect(await images()).toEqual(['busybox:1.36', 'busybox:1.37', 'busybox:1.37']);
  const patch = { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } };
  await plane.api.client.patch(resources.statefulsets, 'db', 'application/merge-patch+json', patch, DEFAULT);
  await plane.settle();
  expect(await images()).toEqual(['busybox:1.37', 'busybox:1.37', 'busybox:1.37']);
  const { status } = await plane.get<StatefulSet>(resources.statefulsets, 'db');
  expect(status?.currentRevision).toBe(status?.updateRevision);
  expect(status).toMatchObject({ currentReplicas: 3, updatedReplicas: 3 });
});

test('each pod has a claim of its own, which outlives it', async () => {
  using plane = await makeControlPlane();
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  await plane.create(resources.statefulsets, statefulSet('vol', 1, { volumeClaimTemplates }));
  await plane.settle();
  const claims = await plane.list<PersistentVolumeClaim>(resources.persistentvolumeclaims, 'default');
  expect(claims.map(({ metadata }) => [metadata.name, metadata.labels])).toEqual([
    ['data-vol-0', { app: 'vol' }],
  ]);
  expect((await plane.get<Pod>(resources.pods, 'vol-0')).spec?.volumes).toContainEqual({
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-vol-0' },
  });
  expect(await plane.events('vol')).toEqual([
    'SuccessfulCreate: Create Claim data-vol-0 Pod vol-0 in StatefulSet vol success',
    'SuccessfulCreate: Create Pod vol-0 in StatefulSet vol successful',
  ]);
  await plane.api.client.delete(resources.statefulsets, 'vol', DEFAULT);
  await plane.settle();
  expect(await plane.list(resources.persistentvolumeclaims, 'default')).toHaveLength(1);
});
