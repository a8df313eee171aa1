import { expect, test } from 'vitest';
import { resources, type Pod } from '../../../../main/kubernetes/api/index.ts';
import {
  deployment,
  makeControlPlane,
  pod,
  type TestControlPlane,
} from '../../../support/make-control-plane.ts';
import { ordered } from '../../../support/ordered.ts';

const MASTER = { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' as const }] };
const DEFAULT = { namespace: 'default' };

async function threeNodes(options: { minorVersion?: number } = {}): Promise<TestControlPlane> {
  const plane = await makeControlPlane({ nodes: [], ...options });
  await plane.addNode('master1', MASTER);
  await plane.addNode('worker1', { cpu: '2', memory: '4Gi' });
  await plane.addNode('worker2', { cpu: '2', memory: '4Gi' });
  await plane.settle();
  return plane;
}

const asks = (requests: Record<string, string>) => ({
  containers: [{ name: 'c', image: 'busybox', resources: { requests } }],
});

async function placeOf(plane: TestControlPlane, name: string): Promise<string | undefined> {
  return (await plane.get<Pod>(resources.pods, name)).spec?.nodeName;
}

/** Creates a pod that fits nowhere and answers what the scheduler says of it. */
async function complaint(plane: TestControlPlane, spec: Record<string, unknown>): Promise<string> {
  await plane.create(resources.pods, pod('p', spec));
  await plane.settle({ ms: 500 });
  const created = await plane.get<Pod>(resources.pods, 'p');
  const condition = created.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  expect(condition).toMatchObject({ status: 'False', reason: 'Unschedulable' });
  expect(await plane.events('p')).toEqual([`FailedScheduling: ${condition!.message}`]);
  return condition!.message!;
}

test('a pod is bound and an event tells where', async () => {
  using plane = await threeNodes();
  await plane.create(resources.pods, pod('web'));
  await plane.settle();
  const node = await placeOf(plane, 'web');
  expect(['worker1', 'worker2']).toContain(node);
  expect(await plane.events('web')).toEqual([`Scheduled: Successfully assigned default/web to ${node}`]);
});

const HOPELESS =
  'no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';
const NO_VICTIMS =
  'no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.';
const TAINTED = '0/3 nodes are available: 1 node(s) had untolerated taint(s), ';

test('a pod that asks for too much is told what is short', async () => {
  using plane = await threeNodes();
  expect(await complaint(plane, asks({ cpu: '50', memory: '900Gi' }))).toBe(
    `${TAINTED}2 Insufficient cpu, 2 Insufficient memory. ${HOPELESS}`,
  );
});

test('a selector that no node has is named', async () => {
  using plane = await threeNodes();
  expect(await complaint(plane, { nodeSelector: { disk: 'ssd' } })).toBe(
    `${TAINTED}2 node(s) didn't match Pod's node affinity/selector. ${HOPELESS}`,
  );
});

test('affinity to pods that do not exist is named', async () => {
  using plane = await threeNodes();
  const term = { labelSelector: { matchLabels: { app: 'nobody' } }, topologyKey: 'kubernetes.io/hostname' };
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  expect(await complaint(plane, { affinity })).toBe(
    `${TAINTED}2 node(s) didn't match pod affinity rules. ${HOPELESS}`,
  );
});

test('a missing claim is named', async () => {
  using plane = await threeNodes();
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'absent' } }];
  expect(await complaint(plane, { volumes })).toBe(
    '0/3 nodes are available: persistentvolumeclaim "absent" not found. not found',
  );
});

test('an extended resource that no node has is named', async () => {
  using plane = await threeNodes();
  const gpu = { 'example.com/gpu': '1' };
  const spec = { containers: [{ name: 'c', image: 'busybox', resources: { requests: gpu, limits: gpu } }] };
  expect(await complaint(plane, spec)).toContain('2 Insufficient example.com/gpu.');
});

test('cordoned nodes are told apart from tainted ones', async () => {
  using plane = await threeNodes();
  await plane.api.client.patch(resources.nodes, 'worker2', 'application/merge-patch+json', {
    spec: { unschedulable: true },
  });
  await plane.settle();
  expect(await complaint(plane, { nodeSelector: { a: 'b' } })).toBe(
    `0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${HOPELESS}`,
  );
});

test('older versions name the taint', async () => {
  using plane = await threeNodes({ minorVersion: 32 });
  expect(await complaint(plane, asks({ cpu: '50' }))).toBe(
    '0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
});

test('anti-affinity and host ports leave room for one pod per node', async () => {
  using plane = await threeNodes();
  const term = { labelSelector: { matchLabels: { app: 'anti' } }, topologyKey: 'kubernetes.io/hostname' };
  const anti = deployment('anti', 3);
  Object.assign(anti.spec.template.spec, {
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
  });
  await plane.create(resources.deployments, anti);
  await plane.create(
    resources.deployments,
    deployment('ports', 3, { ports: [{ containerPort: 80, hostPort: 8080 }] }),
  );
  await plane.settle();
  const pending = (await plane.list<Pod>(resources.pods, 'default')).filter(({ spec }) => !spec?.nodeName);
  const messages = ordered(
    pending.map(({ status }) => status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message),
  );
  expect(messages).toEqual([
    `${TAINTED}2 node(s) didn't have free ports for the requested pod ports. ${NO_VICTIMS}`,
    `${TAINTED}2 node(s) didn't match pod anti-affinity rules. ${NO_VICTIMS}`,
  ]);
});

test('what a cluster lacks may come: the pod is bound when a node fits', async () => {
  using plane = await threeNodes();
  await complaint(plane, { nodeSelector: { disk: 'ssd' } });
  await plane.settle({ seconds: 30 });
  await plane.api.client.patch(resources.nodes, 'worker2', 'application/merge-patch+json', {
    metadata: { labels: { disk: 'ssd' } },
  });
  await plane.settle();
  expect(await placeOf(plane, 'p')).toBe('worker2');
});

test('a pod that waits for resources is tried again when a pod goes, and its failures are counted', async () => {
  using plane = await threeNodes();
  for (const name of ['a', 'b']) await plane.create(resources.pods, pod(name, asks({ cpu: '1500m' })));
  await plane.settle();
  await plane.create(resources.pods, pod('c', asks({ cpu: '1500m' })));
  await plane.settle({ seconds: 15 });
  expect(await placeOf(plane, 'c')).toBeUndefined();
  await plane.api.client.delete(resources.pods, 'a', DEFAULT);
  await plane.settle({ seconds: 15 });
  expect(await placeOf(plane, 'c')).toBeDefined();
});

test('replicas are spread over the nodes', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2', 'worker3'] });
  await plane.create(resources.deployments, deployment('web', 30));
  await plane.settle();
  const perNode = Map.groupBy(await plane.list<Pod>(resources.pods, 'default'), ({ spec }) => spec?.nodeName);
  expect([...perNode.values()].map((pods) => pods.length)).toEqual([10, 10, 10]);
});

test('a spread constraint with DoNotSchedule holds its skew', async () => {
  using plane = await threeNodes();
  const spread = deployment('spread', 5);
  const constraint = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'spread' } },
    nodeTaintsPolicy: 'Honor',
  };
  Object.assign(spread.spec.template.spec, { topologySpreadConstraints: [constraint] });
  await plane.create(resources.deployments, spread);
  await plane.settle();
  const perNode = Map.groupBy(await plane.list<Pod>(resources.pods, 'default'), ({ spec }) => spec?.nodeName);
  expect(ordered([...perNode.values()].map((pods) => pods.length))).toEqual([2, 3]);
});

test('gates hold a pod back until they are taken away', async () => {
  using plane = await threeNodes();
  await plane.create(resources.pods, pod('p', { schedulingGates: [{ name: 'example.com/wait' }] }));
  await plane.settle();
  expect(await placeOf(plane, 'p')).toBeUndefined();
  expect(await plane.events('p')).toEqual([]);
  await plane.api.client.patch(
    resources.pods,
    'p',
    'application/merge-patch+json',
    { spec: { schedulingGates: null } },
    DEFAULT,
  );
  await plane.settle();
  expect(await placeOf(plane, 'p')).toBeDefined();
});

test('pods of another scheduler are left alone', async () => {
  using plane = await threeNodes();
  await plane.create(resources.pods, pod('p', { schedulerName: 'mine' }));
  await plane.settle();
  expect(await placeOf(plane, 'p')).toBeUndefined();
});

test('a pod of higher priority makes room for itself', async () => {
  using plane = await threeNodes();
  for (const name of ['a', 'b'])
    await plane.create(resources.pods, pod(name, { ...asks({ cpu: '1500m' }), priority: 0 }));
  await plane.settle();
  const classes = resources.priorityclasses;
  await plane.create(classes, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  } as object);
  await plane.create(
    resources.pods,
    pod('vip', { ...asks({ cpu: '1' }), priorityClassName: 'high', priority: 1000 }),
  );
  await plane.settle({ seconds: 20 });
  const node = await placeOf(plane, 'vip');
  expect(node).toBeDefined();
  const left = (await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) => metadata.name);
  expect(left).toHaveLength(2);
  const victim = ['a', 'b'].find((name) => !left.includes(name))!;
  expect((await plane.events(victim)).at(-1)).toMatch(
    new RegExp(`^Preempted: Preempted by pod [0-9a-f-]{36} on node ${node}$`),
  );
});

test('what a pod asks for as a whole counts instead of what its containers add up to', async () => {
  using plane = await threeNodes();
  const whole = { resources: { requests: { cpu: '50' } }, ...asks({ cpu: '10m' }) };
  expect(await complaint(plane, whole)).toBe(`${TAINTED}2 Insufficient cpu. ${HOPELESS}`);
});
