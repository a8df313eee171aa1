import { expect, test } from 'vitest';
import { resources, type PersistentVolumeClaim } from '../../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, type TestControlPlane } from '../../../../support/make-control-plane.ts';

const DEFAULT = { namespace: 'default' };

async function makeSet(policy: object | undefined): Promise<TestControlPlane> {
  const plane = await makeControlPlane();
  await plane.create(resources.statefulsets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { containers: [{ name: 'c', image: 'busybox:1.36' }] },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
            storageClassName: '',
          },
        },
      ],
      ...(policy === undefined ? {} : { persistentVolumeClaimRetentionPolicy: policy }),
    },
  } as never);
  for (let i = 0; i < 3; i++) {
    await plane.create(resources.persistentvolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `v${i}` },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/v${i}` } },
    } as never);
  }
  await plane.settle({ seconds: 40 });
  return plane;
}

async function claims(plane: TestControlPlane): Promise<string[]> {
  return (await plane.list<PersistentVolumeClaim>(resources.persistentvolumeclaims, 'default')).map(
    ({ metadata }) => metadata.name,
  );
}

async function scale(plane: TestControlPlane, replicas: number): Promise<void> {
  const patch = { spec: { replicas } };
  await plane.api.client.patch(resources.statefulsets, 'db', 'application/merge-patch+json', patch, DEFAULT);
  await plane.settle({ seconds: 30 });
}

test('claims stay by default, whatever becomes of the set', async () => {
  using plane = await makeSet(undefined);
  expect(await claims(plane)).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
  await scale(plane, 1);
  await plane.api.client.delete(resources.statefulsets, 'db', {
    ...DEFAULT,
    propagationPolicy: 'Background',
  });
  await plane.settle({ seconds: 10 });
  expect(await claims(plane)).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
});

test('claims of pods that are scaled away go with whenScaled Delete, and come anew', async () => {
  using plane = await makeSet({ whenScaled: 'Delete', whenDeleted: 'Retain' });
  await scale(plane, 1);
  expect(await claims(plane)).toEqual(['data-db-0']);
  await scale(plane, 2);
  expect(await claims(plane)).toEqual(['data-db-0', 'data-db-1']);
  expect(plane.errors).toEqual([]);
});

test('all claims go with the set with whenDeleted Delete', async () => {
  using plane = await makeSet({ whenScaled: 'Retain', whenDeleted: 'Delete' });
  await scale(plane, 1);
  expect(await claims(plane)).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
  await plane.api.client.delete(resources.statefulsets, 'db', {
    ...DEFAULT,
    propagationPolicy: 'Background',
  });
  await plane.settle({ seconds: 10 });
  expect(await claims(plane)).toEqual([]);
});
