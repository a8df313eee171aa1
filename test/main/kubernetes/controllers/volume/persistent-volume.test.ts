import { expect, test } from 'vitest';
import {
  resources,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, pod, type TestControlPlane } from '../../../../support/make-control-plane.ts';

function volume(name: string, storage: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce' as const],
      capacity: { storage },
      hostPath: { path: `/opt/${name}` },
      persistentVolumeReclaimPolicy: 'Retain' as const,
      storageClassName: 'manual',
      ...spec,
    },
  };
}

function claim(name: string, storage: string, storageClassName = 'manual') {
  const metadata = { name, namespace: 'default' };
  const spec = {
    accessModes: ['ReadWriteOnce' as const],
    resources: { requests: { storage } },
    storageClassName,
  };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec };
}

function storageClass(name: string, provisioner: string, volumeBindingMode: string) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner,
    volumeBindingMode,
    reclaimPolicy: 'Delete',
  };
}

const getClaim = (plane: TestControlPlane, name: string) =>
  plane.get<PersistentVolumeClaim>(resources.persistentvolumeclaims, name);
const getVolume = (plane: TestControlPlane, name: string) =>
  plane.get<PersistentVolume>(resources.persistentvolumes, name);

test('a claim gets the smallest volume that is large enough, and leaves it released', async () => {
  using plane = await makeControlPlane();
  for (const [name, size] of [
    ['large', '10Gi'],
    ['right', '1Gi'],
    ['small', '100Mi'],
  ] as const) {
    await plane.create(resources.persistentvolumes, volume(name, size));
  }
  await plane.create(resources.persistentvolumeclaims, claim('data', '500Mi'));
  await plane.settle();
  const bound = await getClaim(plane, 'data');
  expect(bound.spec?.volumeName).toBe('right');
  expect(bound.status).toMatchObject({
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
  });
  expect(bound.metadata.annotations).toMatchObject({
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
  });
  expect((await getVolume(plane, 'right')).spec?.claimRef).toMatchObject({
    name: 'data',
    namespace: 'default',
    uid: bound.metadata.uid,
  });
  expect((await getVolume(plane, 'large')).status?.phase).toBe('Available');

  await plane.api.client.delete(resources.persistentvolumeclaims, 'data', { namespace: 'default' });
  await plane.settle();
  expect((await getVolume(plane, 'right')).status?.phase).toBe('Released');
  expect(plane.errors).toEqual([]);
});

test('a claim that nothing suits says what it waits for', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.persistentvolumeclaims, claim('none', '1Gi', ''));
  await plane.create(resources.persistentvolumeclaims, claim('unknown', '1Gi', 'absent'));
  await plane.settle();
  expect((await getClaim(plane, 'none')).status?.phase).toBe('Pending');
  expect((await plane.events('none'))[0]).toContain(
    'FailedBinding: no persistent volumes available for this claim and no storage class is set',
  );
  expect((await plane.events('unknown'))[0]).toContain(
    'ProvisioningFailed: storageclass.storage.k8s.io "absent" not found',
  );
});

test('a class that waits for its first consumer gets its volume with the pod', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.storageclasses,
    storageClass('local', 'kubernetes.io/host-path', 'WaitForFirstConsumer'),
  );
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi', 'local'));
  await plane.settle();
  expect((await getClaim(plane, 'data')).status?.phase).toBe('Pending');
  await plane.create(
    resources.pods,
    pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
  );
  await plane.settle({ seconds: 5 });
  const bound = await getClaim(plane, 'data');
  expect(bound.status?.phase).toBe('Bound');
  expect(bound.spec?.volumeName).toBe(`pvc-${bound.metadata.uid}`);
  expect((await plane.get<Pod>(resources.pods, 'user')).spec?.nodeName).toBeDefined();
});

test('a claim in use stays until its pod is gone', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.persistentvolumes, volume('disk', '1Gi'));
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi'));
  await plane.settle();
  await plane.create(
    resources.pods,
    pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
  );
  await plane.settle();
  const options = { namespace: 'default' };
  await plane.api.client.delete(resources.persistentvolumeclaims, 'data', options);
  await plane.settle();
  expect((await getClaim(plane, 'data')).metadata.deletionTimestamp).toBeDefined();
  await plane.api.client.delete(resources.pods, 'user', options);
  await plane.settle();
  await expect(getClaim(plane, 'data')).rejects.toMatchObject({ reason: 'NotFound' });
});

test('a claim without a class gets the default one, also when that comes later', async () => {
  using plane = await makeControlPlane();
  const { storageClassName: _class, ...spec } = claim('x', '1Gi').spec;
  const bare = (name: string) => ({ ...claim(name, '1Gi'), spec });
  await plane.create(resources.persistentvolumeclaims, bare('early'));
  await plane.settle();
  const marked = storageClass('standard', 'kubernetes.io/host-path', 'Immediate');
  await plane.create(resources.storageclasses, {
    ...marked,
    metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  } as never);
  await plane.create(resources.persistentvolumeclaims, bare('late'));
  expect((await getClaim(plane, 'late')).spec?.storageClassName).toBe('standard');
  await plane.settle({ seconds: 20 });
  expect((await getClaim(plane, 'early')).spec?.storageClassName).toBe('standard');
  expect((await getClaim(plane, 'early')).status?.phase).toBe('Bound');
  expect((await getClaim(plane, 'late')).status?.phase).toBe('Bound');
});

test('a released volume that nothing can delete fails, and says why', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.persistentvolumes,
    volume('data', '1Gi', { persistentVolumeReclaimPolicy: 'Delete' }),
  );
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi'));
  await plane.settle({ seconds: 20 });
  await plane.api.client.delete(resources.persistentvolumeclaims, 'data', { namespace: 'default' });
  await plane.settle({ seconds: 20 });
  const words = 'host_path deleter only supports /tmp/.+ but received provided /opt/data';
  expect((await getVolume(plane, 'data')).status).toMatchObject({ phase: 'Failed', message: words });
  expect(await plane.events('data')).toContain(`VolumeFailedDelete: ${words}`);
});

test('a claim that wants to grow is told that nothing here makes it', async () => {
  using plane = await makeControlPlane();
  const expandable = {
    ...storageClass('elastic', 'kubernetes.io/host-path', 'Immediate'),
    allowVolumeExpansion: true,
  };
  await plane.create(resources.storageclasses, expandable as never);
  await plane.create(resources.persistentvolumeclaims, claim('grow', '1Gi', 'elastic'));
  await plane.settle({ seconds: 20 });
  const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await plane.api.client.patch(
    resources.persistentvolumeclaims,
    'grow',
    'application/merge-patch+json',
    patch,
    {
      namespace: 'default',
    },
  );
  await plane.settle();
  expect((await plane.events('grow')).at(-1)).toBe(
    "ExternalExpanding: Ignoring the PVC: didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC.",
  );
});

test('a generic ephemeral volume is a claim that lives and dies with its pod', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.storageclasses,
    storageClass('fast', 'kubernetes.io/host-path', 'Immediate') as never,
  );
  const volumeClaimTemplate = {
    metadata: { labels: { tier: 'scratch' } },
    spec: claim('x', '1Gi', 'fast').spec,
  };
  await plane.create(
    resources.pods,
    pod('worker', { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }] }),
  );
  await plane.settle({ seconds: 30 });
  const made = await getClaim(plane, 'worker-scratch');
  expect(made.metadata.labels).toEqual({ tier: 'scratch' });
  expect(made.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'worker', controller: true }]);
  expect((await plane.get<Pod>(resources.pods, 'worker')).status?.phase).toBe('Running');
  await plane.api.client.delete(resources.pods, 'worker', { namespace: 'default' });
  await plane.settle({ seconds: 30 });
  expect(await plane.list(resources.persistentvolumeclaims, 'default')).toEqual([]);
  expect(await plane.list(resources.persistentvolumes)).toEqual([]);
  expect(plane.errors).toEqual([]);
});
