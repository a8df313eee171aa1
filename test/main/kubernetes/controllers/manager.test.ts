import { expect, test } from 'vitest';
import {
  resources,
  type ConfigMap,
  type Deployment,
  type Node,
  type Pod,
} from '../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../support/make-api.ts';
import { deployment, makeControlPlane, pod } from '../../../support/make-control-plane.ts';

test('a stopped manager does nothing, and goes on where it was when it is started again', async () => {
  using plane = await makeControlPlane();
  plane.stop();
  await plane.create(resources.deployments, deployment('web', 2));
  await plane.settle({ minutes: 1 });
  expect(await plane.list(resources.replicasets, 'default')).toEqual([]);

  plane.start();
  await plane.settle();
  expect(await plane.list(resources.pods, 'default')).toHaveLength(2);
});

test('nothing waits any more once everything is stopped', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  plane.stop();
  await plane.settle({ hours: 1 });
  using bare = makeApi();
  await bare.clock.advance({ hours: 1 });
  expect(plane.api.clock.pending).toBe(bare.clock.pending);
  expect(plane.api.faults).toEqual([]);
});

test('a controller can be left out, as with --controllers', async () => {
  using plane = await makeControlPlane({ controllers: ['*', '-replicaset-controller'] });
  await plane.create(resources.deployments, deployment('web', 2));
  await plane.settle();
  expect(await plane.list(resources.replicasets, 'default')).toHaveLength(1);
  expect(await plane.list(resources.pods, 'default')).toEqual([]);
});

test('every namespace gets its service account and the root certificate, again if they are deleted', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
  await plane.settle();
  const map = await plane.get<ConfigMap>(resources.configmaps, 'kube-root-ca.crt', 'shop');
  expect(map.data?.['ca.crt']).toContain('BEGIN CERTIFICATE');
  await plane.api.client.delete(resources.configmaps, 'kube-root-ca.crt', { namespace: 'shop' });
  await plane.api.client.delete(resources.serviceaccounts, 'default', { namespace: 'shop' });
  await plane.settle();
  await plane.get(resources.configmaps, 'kube-root-ca.crt', 'shop');
  await plane.get(resources.serviceaccounts, 'default', 'shop');
  expect(plane.errors).toEqual([]);
});

test('nodes get their part of the pod network in the order they come', async () => {
  using plane = await makeControlPlane({ nodes: ['master1', 'worker1', 'worker2'] });
  const nodes = await plane.list<Node>(resources.nodes);
  expect(nodes.map(({ metadata, spec }) => [metadata.name, spec?.podCIDR, spec?.podCIDRs])).toEqual([
    ['master1', '10.244.0.0/24', ['10.244.0.0/24']],
    ['worker1', '10.244.1.0/24', ['10.244.1.0/24']],
    ['worker2', '10.244.2.0/24', ['10.244.2.0/24']],
  ]);
  expect(nodes.map(({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl'])).toEqual([
    '0',
    '0',
    '0',
  ]);
  expect(await plane.events('worker1')).toEqual([
    'RegisteredNode: Node worker1 event: Registered Node worker1 in Controller',
  ]);
});

test('a namespace is emptied before it goes', async () => {
  using plane = await makeControlPlane();
  const { client } = plane.api;
  const spec = { finalizers: ['kubernetes'] };
  await plane.create(resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
    spec,
  });
  await plane.settle();
  const web = deployment('web', 2);
  await plane.create(resources.deployments, { ...web, metadata: { ...web.metadata, namespace: 'shop' } });
  await plane.create(resources.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'shop' },
  });
  await plane.settle();
  expect(await plane.list(resources.pods, 'shop')).toHaveLength(2);
  await client.delete(resources.namespaces, 'shop');
  await plane.settle({ minutes: 1 });

  await expect(client.get(resources.namespaces, 'shop')).rejects.toMatchObject({ reason: 'NotFound' });
  for (const resource of [
    resources.pods,
    resources.deployments,
    resources.configmaps,
    resources.serviceaccounts,
  ]) {
    expect(await plane.list(resource, 'shop')).toEqual([]);
  }
});

test('pods of a node that was deleted are collected', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1'] });
  await plane.create(resources.pods, pod('lonely'));
  await plane.settle();
  plane.silence('worker1');
  await plane.api.client.delete(resources.nodes, 'worker1');
  await plane.settle({ seconds: 30 });
  expect(await plane.list<Pod>(resources.pods, 'default')).toHaveLength(1);
  await plane.settle({ minutes: 2 });
  expect(await plane.list<Pod>(resources.pods, 'default')).toEqual([]);
});

test('one seed gives one history', async () => {
  const history = async (seed: number): Promise<string> => {
    using plane = await makeControlPlane({ seed, nodes: ['worker1', 'worker2', 'worker3'] });
    await plane.create(resources.deployments, deployment('web', 20));
    await plane.settle();
    const patch = { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.21' }] } } } };
    const options = { namespace: 'default' };
    await plane.api.client.patch(
      resources.deployments,
      'web',
      'application/strategic-merge-patch+json',
      patch,
      options,
    );
    await plane.settle({ seconds: 20 });
    return JSON.stringify([await plane.list(resources.pods), await plane.list(resources.events)]);
  };
  const first = await history(7);
  expect(await history(7)).toBe(first);
  expect(await history(8)).not.toBe(first);
});

test('whatever is half done when the manager is killed is done by the next one', async () => {
  using plane = await makeControlPlane({ nodes: ['worker1', 'worker2', 'worker3'] });
  const DEFAULT = { namespace: 'default' };
  await plane.create(resources.deployments, deployment('web', 12));
  await plane.settle();
  const patch = { spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.21' }] } } } };
  const type = 'application/strategic-merge-patch+json';
  await plane.api.client.patch(resources.deployments, 'web', type, patch, DEFAULT);
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'many', namespace: 'default' },
    spec: {
      completions: 6,
      parallelism: 6,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
    },
  };
  await plane.create(resources.jobs, job);
  // Killed again and again, at whatever point it is then.
  for (let i = 0; i < 25; i++) {
    await plane.api.clock.advance({ ms: 7 });
    plane.stop();
    await plane.api.clock.advance({ ms: 3 });
    plane.start();
  }
  await plane.settle({ minutes: 1 });
  const web = await plane.get<Deployment>(resources.deployments, 'web');
  expect(web.status).toMatchObject({ replicas: 12, updatedReplicas: 12, availableReplicas: 12 });
  const pods = await plane.list<Pod>(resources.pods, 'default');
  const ofWeb = pods.filter(({ metadata }) => metadata.labels?.['app'] === 'web');
  expect(ofWeb.map(({ spec }) => spec?.containers[0]?.image)).toEqual(Array(12).fill('nginx:1.21'));
  expect(pods.length - ofWeb.length).toBe(6);
  expect((await plane.list(resources.replicasets, 'default')).length).toBe(2);
});
