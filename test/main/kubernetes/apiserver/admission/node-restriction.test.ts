// NodeRestriction: what a kubelet may write about nodes and pods, in upstream's words.
import { expect, test } from 'vitest';
import {
  resources,
  type KubernetesObject,
  type Node,
  type Pod,
} from '../../../../../main/kubernetes/api/index.ts';
import type { ApiClient } from '../../../../../main/kubernetes/client/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const kubelet = (api: TestApi, node: string): ApiClient =>
  api.server.client({ name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] });

const node = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels } });

function mirror(nodeName: string, uid: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return {
    metadata: {
      name: 'static',
      namespace: 'default',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid, controller: true }],
    },
    spec: { nodeName, containers: [{ name: 'c', image: 'nginx' }], ...more },
  };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'allowed',
    (error: Error) => error.message.replace(/^.*? is forbidden: /, ''),
  );
}

test('a kubelet registers its own node, without the labels that pods are kept away by', async () => {
  using api = makeApi();
  const own = kubelet(api, 'w1');
  expect(await refusal(own.create(resources.nodes, node('w2')))).toBe(
    'node "w1" is not allowed to modify node "w2"',
  );
  const role = { 'node-role.kubernetes.io/control-plane': '', 'node-restriction.kubernetes.io/pci': 'yes' };
  expect(await refusal(own.create(resources.nodes, node('w1', role)))).toBe(
    'node "w1" is not allowed to set the following labels: node-restriction.kubernetes.io/pci, node-role.kubernetes.io/control-plane',
  );
  const fine = { 'kubernetes.io/hostname': 'w1', 'node.kubernetes.io/x': '1', 'my.example.com/zone': 'a' };
  expect(await refusal(own.create(resources.nodes, node('w1', fine)))).toBe('allowed');
});

test('a kubelet changes neither its node’s taints nor others’ nodes', async () => {
  using api = makeApi();
  await api.client.create(resources.nodes, node('w1'));
  await api.client.create(resources.nodes, node('w2'));
  const patch = (name: string, body: object): Promise<string> =>
    refusal(kubelet(api, 'w1').patch(resources.nodes, name, 'application/merge-patch+json', body));
  expect(await patch('w1', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })).toBe(
    'node "w1" is not allowed to modify taints',
  );
  expect(await patch('w1', { metadata: { labels: { 'node-role.kubernetes.io/worker': '' } } })).toBe(
    'is not allowed to modify labels: node-role.kubernetes.io/worker',
  );
  expect(await patch('w1', { metadata: { annotations: { a: 'b' } } })).toBe('allowed');
});

test('a kubelet makes mirrors of its static pods, and no other pods', async () => {
  using api = makeApi();
  const { metadata } = await api.client.create(resources.nodes, node('w1'));
  const own = kubelet(api, 'w1');
  const create = (pod: Pod): Promise<string> => refusal(own.create(resources.pods, pod));
  const plain: Pod = {
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  };
  expect(await create(plain)).toBe(
    'pod does not have "kubernetes.io/config.mirror" annotation, node "w1" can only create mirror pods',
  );
  expect(await create(mirror('w2', metadata.uid))).toBe(
    'node "w1" can only create pods with spec.nodeName set to itself',
  );
  expect(await create(mirror('w1', 'other'))).toBe(
    `node w1 UID mismatch: expected ${metadata.uid} got other`,
  );
  const secret = [{ name: 's', secret: { secretName: 's' } }];
  expect(await create(mirror('w1', metadata.uid, { volumes: secret }))).toBe(
    'node "w1" can not create pods that reference secrets',
  );
  expect(await create(mirror('w1', metadata.uid))).toBe('allowed');
  expect(await refusal(own.delete(resources.pods, 'static', { namespace: 'default' }))).toBe('allowed');
});

test('a kubelet tells the status of its own pods only', async () => {
  using api = makeApi();
  await api.client.create(resources.nodes, node('w1'));
  const pod = (name: string, nodeName: string): KubernetesObject =>
    ({
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'c', image: 'nginx' }] },
    }) as KubernetesObject;
  await api.client.create(resources.pods, pod('mine', 'w1'));
  await api.client.create(resources.pods, pod('other', 'w2'));
  const tell = (name: string): Promise<string> =>
    refusal(
      kubelet(api, 'w1').patch(
        resources.pods,
        name,
        'application/merge-patch+json',
        { status: { phase: 'Running' } },
        { namespace: 'default', subresource: 'status' },
      ),
    );
  expect(await tell('mine')).toBe('allowed');
  expect(await tell('other')).toBe(
    'node "w1" can only update pod status for pods with spec.nodeName set to itself',
  );
});
