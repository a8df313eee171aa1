// Growing a claim: refused unless it is bound and its class allows it.
import { expect, test } from 'vitest';
import {
  resources,
  type PersistentVolumeClaim,
  type StorageClass,
  type Stored,
} from '../../../../../main/kubernetes/api/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const SCOPE = { namespace: 'default' };

async function grow(
  api: TestApi,
  storageClass: string,
  phase: string,
): Promise<Stored<PersistentVolumeClaim>> {
  await api.client.create<StorageClass>(resources.storageclasses, {
    metadata: { name: 'fixed' },
    provisioner: 'x',
  });
  await api.client.create<StorageClass>(resources.storageclasses, {
    metadata: { name: 'growing' },
    provisioner: 'x',
    allowVolumeExpansion: true,
  });
  const made = await api.client.create<PersistentVolumeClaim>(resources.persistentvolumeclaims, {
    metadata: { name: 'c', namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: storageClass,
      volumeName: 'v',
      resources: { requests: { storage: '1Gi' } },
    },
  });
  await api.client.update<PersistentVolumeClaim>(
    resources.persistentvolumeclaims,
    { ...made, status: { phase } } as Stored<PersistentVolumeClaim>,
    { ...SCOPE, subresource: 'status' },
  );
  const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
  return api.client.patch<PersistentVolumeClaim>(
    resources.persistentvolumeclaims,
    'c',
    'application/merge-patch+json',
    patch,
    SCOPE,
  );
}

test('a class that does not expand keeps its claims as they are', async () => {
  using api = makeApi();
  await expect(grow(api, 'fixed', 'Bound')).rejects.toThrow(
    'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
});

test('one that expands lets bound claims grow, and only those', async () => {
  using bound = makeApi();
  expect((await grow(bound, 'growing', 'Bound')).spec?.resources?.requests?.['storage']).toBe('2Gi');
  using pending = makeApi();
  await expect(grow(pending, 'growing', 'Pending')).rejects.toThrow(/forbidden/i);
});
