// Where pods may go with regard to others: namespaces, label keys, domains, budgets; and a scheduler that is restarted.
import { expect, test } from 'vitest';
import { resources, type KubernetesObject, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { makeScheduler } from '../../../../main/kubernetes/scheduler/index.ts';
import { makeControlPlane, pod, type TestControlPlane } from '../../../support/make-control-plane.ts';

const HOST = 'kubernetes.io/hostname';
const cpu = (amount: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  containers: [{ name: 'c', image: 'busybox', resources: { requests: { cpu: amount } } }],
  ...more,
});
const labelled = (
  name: string,
  labels: Record<string, string>,
  spec: Record<string, unknown>,
  namespace = 'default',
): Pod => ({
  ...pod(name, spec),
  metadata: { name, namespace, labels },
});

async function place(
  plane: TestControlPlane,
  name: string,
  namespace = 'default',
): Promise<string | undefined> {
  return (await plane.get<Pod>(resources.pods, name, namespace)).spec?.nodeName;
}

async function high(plane: TestControlPlane): Promise<Record<string, unknown>> {
  await plane.create(resources.priorityclasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  } as KubernetesObject);
  return { priorityClassName: 'high', priority: 1000 };
}

test('a namespace selector looks for company in the namespaces it picks', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2', 'worker3'] });
  for (const [name, team] of [
    ['red', 'a'],
    ['blue', 'b'],
  ] as const)
    await plane.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { team } },
    } as KubernetesObject);
  await plane.settle();
  await plane.create(resources.pods, labelled('db', { app: 'db' }, cpu('10m'), 'red'));
  await plane.settle();
  const near = (team: string): Record<string, unknown> => ({
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          labelSelector: { matchLabels: { app: 'db' } },
          namespaceSelector: { matchLabels: { team } },
          topologyKey: HOST,
        },
      ],
    },
  });
  await plane.create(resources.pods, pod('finds', cpu('10m', { affinity: near('a') })));
  await plane.create(resources.pods, pod('misses', cpu('10m', { affinity: near('b') })));
  await plane.settle();
  expect(await place(plane, 'finds')).toBe(await place(plane, 'db', 'red'));
  expect(await place(plane, 'misses')).toBeUndefined();
});

test('preferred anti-affinity spreads while there is room, and no longer', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2'] });
  const apart = {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: HOST },
        },
      ],
    },
  };
  for (const name of ['a', 'b', 'c'])
    await plane.create(resources.pods, labelled(name, { app: 'web' }, cpu('10m', { affinity: apart })));
  await plane.settle();
  const places = await Promise.all(['a', 'b', 'c'].map((name) => place(plane, name)));
  expect(new Set(places).size).toBe(2);
  expect(places.every((name) => name !== undefined)).toBe(true);
});

test('label keys narrow a spread constraint to one version of the pods', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2'] });
  const constraint = {
    maxSkew: 1,
    topologyKey: HOST,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'web' } },
    matchLabelKeys: ['version'],
  };
  const old = { topologySpreadConstraints: [constraint], nodeSelector: { [HOST]: 'worker1' } };
  await plane.create(resources.pods, labelled('old', { app: 'web', version: '1' }, cpu('10m', old)));
  await plane.settle();
  for (const name of ['new1', 'new2'])
    await plane.create(
      resources.pods,
      labelled(name, { app: 'web', version: '2' }, cpu('10m', { topologySpreadConstraints: [constraint] })),
    );
  await plane.settle();
  expect(new Set([await place(plane, 'new1'), await place(plane, 'new2')])).toEqual(
    new Set(['worker1', 'worker2']),
  );
});

test('too few domains count as if there were an empty one', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2'] });
  const constraint = {
    maxSkew: 1,
    minDomains: 3,
    topologyKey: HOST,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'web' } },
  };
  for (const name of ['a', 'b', 'c'])
    await plane.create(
      resources.pods,
      labelled(name, { app: 'web' }, cpu('10m', { topologySpreadConstraints: [constraint] })),
    );
  await plane.settle();
  const placed = await Promise.all(['a', 'b', 'c'].map((name) => place(plane, name)));
  expect(placed.filter((name) => name !== undefined)).toHaveLength(2);
  await plane.addNode('worker3');
  await plane.settle({ seconds: 15 });
  expect((await Promise.all(['a', 'b', 'c'].map((name) => place(plane, name)))).every(Boolean)).toBe(true);
});

test('preemption spares a pod whose budget allows no disruption, if another will do', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('worker1', { cpu: '1' });
  await plane.addNode('worker2', { cpu: '1' });
  const urgent = await high(plane);
  for (const [name, node] of [
    ['kept', 'worker1'],
    ['gone', 'worker2'],
  ] as const)
    await plane.create(
      resources.pods,
      labelled(name, { app: name }, cpu('900m', { nodeSelector: { [HOST]: node } })),
    );
  await plane.create(resources.poddisruptionbudgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'kept', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
  } as KubernetesObject);
  await plane.settle({ seconds: 3 });
  await plane.create(resources.pods, pod('vip', cpu('500m', urgent)));
  await plane.settle({ seconds: 10 });
  expect(await place(plane, 'vip')).toBe('worker2');
  expect(await place(plane, 'kept')).toBe('worker1');
});

test('a policy of never preempting is told of', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('worker1', { cpu: '1' });
  await plane.create(resources.pods, pod('low', cpu('900m')));
  await plane.create(resources.priorityclasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'polite' },
    value: 1000,
    preemptionPolicy: 'Never',
  } as KubernetesObject);
  await plane.settle();
  const polite = { priorityClassName: 'polite', priority: 1000, preemptionPolicy: 'Never' };
  await plane.create(resources.pods, pod('waits', cpu('500m', polite)));
  await plane.settle();
  const { status } = await plane.get<Pod>(resources.pods, 'waits');
  expect(status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toBe(
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
  );
});

test('a scheduler that comes back goes on where it was, and counts what is there', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('worker1', { cpu: '2' });
  await plane.create(resources.pods, pod('first', cpu('1500m')));
  await plane.settle();
  plane.stop();
  await plane.create(resources.pods, pod('fits', cpu('400m')));
  await plane.create(resources.pods, pod('big', cpu('1')));
  await plane.settle({ seconds: 5 });
  expect(await place(plane, 'fits')).toBeUndefined();
  plane.start();
  await plane.settle({ seconds: 40 });
  expect(await place(plane, 'fits')).toBe('worker1');
  expect(await place(plane, 'big')).toBeUndefined();
});

test('a second scheduler takes the pods that name one of its profiles', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  const { api } = plane;
  const second = makeScheduler({
    client: api.server.adminClient('second'),
    clock: api.clock,
    random: api.random.fork('second'),
    profiles: ['second', 'third'],
  });
  using _running = second.start();
  await plane.create(resources.pods, pod('mine', cpu('10m', { schedulerName: 'second' })));
  await plane.create(resources.pods, pod('theirs', cpu('10m')));
  await plane.create(resources.pods, pod('other', cpu('10m', { schedulerName: 'third' })));
  await plane.create(resources.pods, pod('nobodys', cpu('10m', { schedulerName: 'fourth' })));
  await plane.settle();
  expect(await place(plane, 'mine')).toBe('worker1');
  expect(await place(plane, 'theirs')).toBe('worker1');
  expect(await place(plane, 'other')).toBe('worker1');
  expect(await place(plane, 'nobodys')).toBeUndefined();
});
