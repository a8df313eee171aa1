// What wakes a pod that didn't fit, and what doesn't.
import { expect, test } from 'vitest';
import { resources, type Event, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, pod, type TestControlPlane } from '../../../support/make-control-plane.ts';

const cpu = (amount: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  containers: [{ name: 'c', image: 'busybox', resources: { requests: { cpu: amount } } }],
  ...more,
});

/** How often the scheduler has tried a pod in vain. */
async function failures(plane: TestControlPlane, name: string): Promise<number> {
  const { items } = await plane.api.client.list<Event>(resources.events, { namespace: 'default' });
  return items
    .filter(({ reason, involvedObject }) => reason === 'FailedScheduling' && involvedObject?.name === name)
    .reduce((sum, { count = 1 }) => sum + count, 0);
}

const near = (app: string): Record<string, unknown> => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' },
      ],
    },
  },
});

test('a pod that wants company is tried again only when such a pod comes', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2'] });
  await plane.create(resources.pods, pod('p', { ...cpu('10m'), ...near('db') }));
  await plane.settle();
  for (const name of ['x', 'y', 'z']) await plane.create(resources.pods, pod(name, cpu('10m')));
  await plane.settle({ seconds: 20 });
  expect(await failures(plane, 'p')).toBe(1);
  await plane.create(resources.pods, {
    ...pod('db', cpu('10m')),
    metadata: { name: 'db', namespace: 'default', labels: { app: 'db' } },
  });
  await plane.settle({ seconds: 2 });
  const place = async (name: string): Promise<string | undefined> =>
    (await plane.get<Pod>(resources.pods, name)).spec?.nodeName;
  expect(await place('p')).toBe(await place('db'));
});

test('a node that would not do either wakes nobody', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  await plane.create(resources.pods, pod('ssd', { ...cpu('10m'), nodeSelector: { disk: 'ssd' } }));
  await plane.create(resources.pods, pod('big', cpu('64')));
  await plane.settle();
  await plane.addNode('worker2');
  await plane.settle({ seconds: 20 });
  expect(await failures(plane, 'ssd')).toBe(1);
  expect(await failures(plane, 'big')).toBe(1);
  await plane.addNode('worker3', { cpu: '128', labels: { disk: 'ssd' } });
  await plane.settle({ seconds: 2 });
  for (const name of ['ssd', 'big'])
    expect((await plane.get<Pod>(resources.pods, name)).spec?.nodeName).toBe('worker3');
});

test('an idle scheduler takes a woken pod before its back-off is over', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('worker1', { cpu: '1' });
  await plane.create(resources.pods, pod('a', cpu('800m')));
  await plane.settle();
  await plane.create(resources.pods, pod('b', cpu('800m')));
  await plane.settle({ ms: 100 });
  await plane.api.client.delete(resources.pods, 'a', { namespace: 'default', gracePeriodSeconds: 0 });
  await plane.settle({ ms: 300 });
  expect((await plane.get<Pod>(resources.pods, 'b')).spec?.nodeName).toBe('worker1');
});

test('a pod that nothing woke is tried again after five minutes', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  await plane.create(resources.pods, pod('big', cpu('64')));
  await plane.settle({ seconds: 290 });
  expect(await failures(plane, 'big')).toBe(1);
  await plane.settle({ seconds: 15 });
  expect(await failures(plane, 'big')).toBe(2);
});

test('while its victims end, a pod asks for no more of them', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('worker1', { cpu: '2' });
  await plane.create(resources.priorityclasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  } as object);
  for (const name of ['a', 'b']) await plane.create(resources.pods, pod(name, cpu('900m')));
  await plane.settle();
  // A finalizer keeps the victim for as long as the test wants.
  for (const name of ['a', 'b'])
    await plane.api.client.patch(
      resources.pods,
      name,
      'application/merge-patch+json',
      { metadata: { finalizers: ['example.com/hold'] } },
      { namespace: 'default' },
    );
  await plane.create(resources.pods, pod('vip', cpu('500m', { priorityClassName: 'high', priority: 1000 })));
  await plane.settle({ seconds: 3 });
  const dying = (await plane.list<Pod>(resources.pods, 'default')).filter(
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  expect(dying).toHaveLength(1);
  await plane.create(resources.pods, pod('noise', cpu('10m', { priorityClassName: 'high', priority: 1000 })));
  await plane.addNode('worker2', { cpu: '100m' });
  await plane.settle({ seconds: 3 });
  const { status } = await plane.get<Pod>(resources.pods, 'vip');
  expect(status?.nominatedNodeName).toBe('worker1');
  const still = (await plane.list<Pod>(resources.pods, 'default')).filter(
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  expect(still).toHaveLength(1);
});
