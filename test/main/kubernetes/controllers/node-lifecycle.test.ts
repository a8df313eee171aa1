import { expect, test } from 'vitest';
import { resources, type Node, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { makeControlPlane, pod } from '../../../support/make-control-plane.ts';

const tolerations = [
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
];

test('a node that falls silent turns NotReady, is tainted, and loses its pods after their toleration', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2', 'worker3'] });
  await plane.create(
    resources.pods,
    pod('web', { tolerations, nodeSelector: { 'kubernetes.io/hostname': 'worker1' } }),
  );
  await plane.settle();
  plane.silence('worker1');
  await plane.settle({ seconds: 30 });
  const ready = async (): Promise<string | undefined> =>
    (await plane.get<Node>(resources.nodes, 'worker1')).status?.conditions?.find(
      ({ type }) => type === 'Ready',
    )?.status;
  expect(await ready()).toBe('True');

  await plane.settle({ seconds: 35 });
  expect(await ready()).toBe('Unknown');
  const node = await plane.get<Node>(resources.nodes, 'worker1');
  expect(node.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  expect(node.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).toSorted()).toEqual([
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ]);
  expect(
    (await plane.get<Pod>(resources.pods, 'web')).status?.conditions?.find(({ type }) => type === 'Ready')
      ?.status,
  ).toBe('False');
  expect(await plane.events('worker1')).toContain('NodeNotReady: Node worker1 status is now: NodeNotReady');

  await plane.settle({ seconds: 280 });
  expect((await plane.get<Pod>(resources.pods, 'web')).metadata.deletionTimestamp).toBeUndefined();
  await plane.settle({ seconds: 40 });
  expect((await plane.get<Pod>(resources.pods, 'web')).metadata.deletionTimestamp).toBeDefined();
  expect(await plane.events('web')).toContain('TaintManagerEviction: Marking for deletion Pod default/web');
  expect(plane.errors).toEqual([]);
});

test('a NoExecute taint evicts what does not tolerate it at once, and the rest stays', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  await plane.create(resources.pods, pod('weak'));
  await plane.create(resources.pods, pod('strong', { tolerations: [{ key: 'gold', operator: 'Exists' }] }));
  await plane.settle();
  const patch = { spec: { taints: [{ key: 'gold', value: '1', effect: 'NoExecute' }] } };
  await plane.api.client.patch(resources.nodes, 'worker1', 'application/merge-patch+json', patch);
  await plane.settle();
  expect((await plane.list<Pod>(resources.pods, 'default')).map(({ metadata }) => metadata.name)).toEqual([
    'strong',
  ]);
});

test('a cordoned node is tainted unschedulable, and freed again', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  const cordon = (unschedulable: boolean): Promise<unknown> =>
    plane.api.client.patch(resources.nodes, 'worker1', 'application/merge-patch+json', {
      spec: { unschedulable },
    });
  const taints = async (): Promise<string[]> =>
    ((await plane.get<Node>(resources.nodes, 'worker1')).spec?.taints ?? []).map(
      ({ key, effect }) => `${key}:${effect}`,
    );
  await cordon(true);
  await plane.settle();
  expect(await taints()).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
  await cordon(false);
  await plane.settle();
  expect(await taints()).toEqual([]);
});

test('a node that takes a moment to get ready is not tainted NoExecute meanwhile', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  const node = await plane.get<Node>(resources.nodes, 'worker1');
  const withReady = (status: 'True' | 'False'): Promise<unknown> => {
    const conditions = [{ type: 'Ready', status }];
    const options = { subresource: 'status' };
    const patch = { status: { conditions } };
    return plane.api.client.patch(
      resources.nodes,
      node.metadata.name,
      'application/strategic-merge-patch+json',
      patch,
      options,
    );
  };
  const taints = async (): Promise<string[]> =>
    ((await plane.get<Node>(resources.nodes, 'worker1')).spec?.taints ?? []).map(
      ({ key, effect }) => `${key}:${effect}`,
    );
  await plane.settle({ seconds: 4 });
  await withReady('False');
  await plane.settle({ ms: 500 });
  expect(await taints()).toEqual(['node.kubernetes.io/not-ready:NoSchedule']);
  await withReady('True');
  await plane.settle({ ms: 500 });
  expect(await taints()).toEqual([]);
});
