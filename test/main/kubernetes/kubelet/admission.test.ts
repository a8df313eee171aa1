// Pods that were bound to a node on which they can't run: what they are told, and that they hold nothing.
import { expect, test } from 'vitest';
import { resources, type Node, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, sleeper } from '../../../support/make-node.ts';

const image = imageOf('docker.io/library/sleeper:1', { '/main': sleeper });
const pod = (name: string, spec: Partial<Pod['spec']> & object = {}): Pod => ({
  metadata: { name },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'sleeper:1' }], ...spec },
});
const asking = (requests: Record<string, string>): Record<string, unknown> => ({
  containers: [{ name: 'c', image: 'sleeper:1', resources: { requests } }],
});

test('a pod that asks for more than is left fails with the resource in its reason', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('first', asking({ cpu: '500m' })));
  await node.advance(1);
  await node.createPod(pod('big', asking({ cpu: '64' })));
  await node.advance(1);
  const { status } = await node.pod('big');
  const message = "Node didn't have enough resource: cpu, requested: 64000, used: 500, capacity: 2000";
  expect(status).toMatchObject({
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: `Pod was rejected: ${message}`,
  });
  expect(await node.events('big')).toEqual([`Warning OutOfcpu ${message}`]);
  expect(node.containerd.listSandboxes()).toHaveLength(1);
});

test('what a pod held is free once it has ended', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('one', { ...asking({ cpu: '1500m' }), activeDeadlineSeconds: 2 }));
  await node.advance(1);
  await node.createPod(pod('two', asking({ cpu: '1' })));
  await node.advance(5);
  expect((await node.pod('two')).status?.reason).toBe('OutOfcpu');
  await node.createPod(pod('three', asking({ cpu: '1' })));
  await node.advance(1);
  expect((await node.pod('three')).status?.phase).toBe('Running');
});

test('no more pods run than the node takes', async () => {
  using node = await makeNode({ images: [image], config: { podsMax: 2 } });
  for (const name of ['a', 'b', 'c']) await node.createPod(pod(name));
  await node.advance(1);
  expect((await node.pod('c')).status).toMatchObject({
    reason: 'OutOfpods',
    message: "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
  });
});

test('a selector is held against the labels that the node has now', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('early', { nodeSelector: { disk: 'ssd' } }));
  await node.advance(1);
  expect((await node.pod('early')).status).toMatchObject({
    reason: 'NodeAffinity',
    message:
      "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  });
  const labels = { metadata: { labels: { disk: 'ssd' } } };
  await node.api.client.patch<Node>(resources.nodes, 'worker1', 'application/merge-patch+json', labels);
  await node.createPod(pod('late', { nodeSelector: { disk: 'ssd' } }));
  await node.advance(1);
  expect((await node.pod('late')).status?.phase).toBe('Running');
});

test('two pods cannot have the same port of the node', async () => {
  using node = await makeNode({ images: [image] });
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  const spec = { containers: [{ name: 'c', image: 'sleeper:1', ports }] };
  await node.createPod(pod('a', spec));
  await node.createPod(pod('b', spec));
  await node.advance(1);
  expect((await node.pod('b')).status?.reason).toBe('NodePorts');
});

test('a refused pod goes when it is deleted', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('big', asking({ cpu: '64' })));
  await node.advance(1);
  await node.api.client.delete(resources.pods, 'big', { namespace: 'default' });
  await node.advance(1);
  await expect(node.pod('big')).rejects.toThrow('not found');
});
