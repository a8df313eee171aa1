// Volumes decide where a pod can go: claims that wait for a node, zones, and claims for one pod only.
import { expect, test } from 'vitest';
import {
  resources,
  type KubernetesObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, pod, type TestControlPlane } from '../../../support/make-control-plane.ts';

type AccessMode = 'ReadWriteOnce' | 'ReadWriteOncePod';

const LOCAL = 'kubernetes.io/no-provisioner';

async function twoNodes(): Promise<TestControlPlane> {
  const plane = await makeControlPlane({ nodes: [] });
  for (const [name, zone] of [
    ['worker1', 'a'],
    ['worker2', 'b'],
  ] as const)
    await plane.addNode(name, {
      labels: { 'topology.kubernetes.io/zone': zone, 'kubernetes.io/hostname': name },
    });
  await plane.create(resources.storageclasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    provisioner: LOCAL,
    volumeBindingMode: 'WaitForFirstConsumer',
  } as KubernetesObject);
  await plane.settle();
  return plane;
}

const volume = (
  name: string,
  size: string,
  node?: string,
  mode: AccessMode = 'ReadWriteOnce',
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: size },
    accessModes: [mode],
    storageClassName: 'local',
    hostPath: { path: `/mnt/${name}` },
    ...(node === undefined
      ? {}
      : {
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
              ],
            },
          },
        }),
  },
});

const claim = (
  name: string,
  size: string,
  mode: AccessMode = 'ReadWriteOnce',
  storageClassName = 'local',
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: [mode], storageClassName, resources: { requests: { storage: size } } },
});

const using = (...claims: string[]): Record<string, unknown> => ({
  volumes: claims.map((claimName, index) => ({ name: `v${index}`, persistentVolumeClaim: { claimName } })),
});

async function words(plane: TestControlPlane, name: string): Promise<string | undefined> {
  const { status } = await plane.get<Pod>(resources.pods, name);
  return status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
}

test('a claim that waits gets the smallest volume on a node that has one, and the pod goes there', async () => {
  using plane = await twoNodes();
  await plane.create(resources.persistentvolumes, volume('big', '10Gi', 'worker2'));
  await plane.create(resources.persistentvolumes, volume('small', '2Gi', 'worker2'));
  await plane.settle();
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi'));
  await plane.create(resources.pods, pod('p', using('data')));
  await plane.settle({ seconds: 5 });
  expect((await plane.get<Pod>(resources.pods, 'p')).spec?.nodeName).toBe('worker2');
  const bound = await plane.get<PersistentVolumeClaim>(resources.persistentvolumeclaims, 'data');
  expect(bound.spec?.volumeName).toBe('small');
  expect(bound.status?.phase).toBe('Bound');
});

test('two claims of a pod never get the same volume', async () => {
  using plane = await twoNodes();
  await plane.create(resources.persistentvolumes, volume('one', '1Gi', 'worker1'));
  for (const name of ['a', 'b']) await plane.create(resources.persistentvolumeclaims, claim(name, '1Gi'));
  await plane.create(resources.pods, pod('p', using('a', 'b')));
  await plane.settle();
  expect(await words(plane, 'p')).toBe(
    "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  await plane.create(resources.persistentvolumes, volume('two', '1Gi', 'worker1'));
  await plane.settle({ seconds: 15 });
  expect((await plane.get<Pod>(resources.pods, 'p')).spec?.nodeName).toBe('worker1');
});

test('a bound volume keeps its pod to its nodes and its zone', async () => {
  using plane = await twoNodes();
  const immediate = {
    ...volume('zoned', '1Gi'),
    metadata: { name: 'zoned', labels: { 'topology.kubernetes.io/zone': 'b' } },
  };
  await plane.create(resources.persistentvolumes, {
    ...immediate,
    spec: { ...immediate.spec!, storageClassName: 'plain' },
  });
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi', 'ReadWriteOnce', 'plain'));
  await plane.settle({ seconds: 2 });
  await plane.create(resources.pods, pod('p', using('data')));
  await plane.create(
    resources.pods,
    pod('q', { ...using('data'), nodeSelector: { 'kubernetes.io/hostname': 'worker1' } }),
  );
  await plane.settle();
  expect((await plane.get<Pod>(resources.pods, 'p')).spec?.nodeName).toBe('worker2');
  expect(await words(plane, 'q')).toContain('1 node(s) had no available volume zone');
});

test('a claim for one pod only has no room for a second', async () => {
  using plane = await twoNodes();
  await plane.create(resources.persistentvolumes, volume('one', '1Gi', 'worker1', 'ReadWriteOncePod'));
  await plane.create(resources.persistentvolumeclaims, claim('data', '1Gi', 'ReadWriteOncePod'));
  await plane.create(resources.pods, pod('first', using('data')));
  await plane.settle({ seconds: 2 });
  await plane.create(resources.pods, pod('second', using('data')));
  await plane.settle();
  expect(await words(plane, 'second')).toContain(
    '2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
  );
  await plane.api.client.delete(resources.pods, 'first', { namespace: 'default' });
  await plane.settle({ seconds: 15 });
  expect((await plane.get<Pod>(resources.pods, 'second')).spec?.nodeName).toBe('worker1');
});

test('a node takes no more volumes of a driver than its CSINode says', async () => {
  using plane = await twoNodes();
  await plane.create(resources.csinodes, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name: 'worker1' },
    spec: { drivers: [{ name: 'csi.example.com', nodeID: 'worker1', allocatable: { count: 1 } }] },
  } as KubernetesObject);
  for (const name of ['a', 'b']) {
    await plane.create(resources.persistentvolumes, {
      ...volume(name, '1Gi'),
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'plain',
        csi: { driver: 'csi.example.com', volumeHandle: `vol-${name}` },
      },
    });
    await plane.create(resources.persistentvolumeclaims, claim(name, '1Gi', 'ReadWriteOnce', 'plain'));
  }
  await plane.settle({ seconds: 2 });
  const here = { nodeSelector: { 'kubernetes.io/hostname': 'worker1' } };
  await plane.create(resources.pods, pod('first', { ...using('a'), ...here }));
  await plane.settle();
  await plane.create(resources.pods, pod('second', { ...using('b'), ...here }));
  await plane.create(resources.pods, pod('same', { ...using('a'), ...here }));
  await plane.settle();
  expect(await words(plane, 'second')).toContain('1 node(s) exceed max volume count');
  expect((await plane.get<Pod>(resources.pods, 'same')).spec?.nodeName).toBe('worker1');
});
