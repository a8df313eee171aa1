import { expect, test } from 'vitest';
import {
  resources,
  type ControllerRevision,
  type DaemonSet,
  type Pod,
} from '../../../../../main/kubernetes/api/index.ts';
import { makeControlPlane } from '../../../../support/make-control-plane.ts';
import { ordered } from '../../../../support/ordered.ts';

function daemonSet(name: string, spec: Record<string, unknown> = {}, podSpec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'busybox:1.36' }], ...podSpec },
      },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
  };
}
const master = { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' as const }] };

test('every node whose taints are tolerated gets one pod, also nodes that come later', async () => {
  using plane = await makeControlPlane();
  await plane.addNode('master1', master);
  await plane.create(resources.daemonsets, daemonSet('agent'));
  await plane.settle();
  const nodes = async (): Promise<(string | undefined)[]> =>
    ordered((await plane.list<Pod>(resources.pods, 'default')).map(({ spec }) => spec?.nodeName));
  expect(await nodes()).toEqual(['worker1', 'worker2']);
  await plane.addNode('worker3');
  await plane.settle();
  expect(await nodes()).toEqual(['worker1', 'worker2', 'worker3']);
  expect((await plane.get<DaemonSet>(resources.daemonsets, 'agent')).status).toMatchObject({
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberReady: 3,
    numberAvailable: 3,
    updatedNumberScheduled: 3,
    numberMisscheduled: 0,
    observedGeneration: 1,
  });
  expect(plane.errors).toEqual([]);
});

test('a new template rolls through node by node and leaves a revision', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.daemonsets, daemonSet('agent'));
  await plane.settle();
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'busybox:1.37' }] } } } };
  await plane.api.client.patch(
    resources.daemonsets,
    'agent',
    'application/strategic-merge-patch+json',
    patch,
    { namespace: 'default' },
  );
  await plane.settle({ seconds: 10 });
  const pods = await plane.list<Pod>(resources.pods, 'default');
  expect(pods.map(({ spec }) => spec!.containers[0]!.image)).toEqual(['busybox:1.37', 'busybox:1.37']);
  const revisions = await plane.list<ControllerRevision>(resources.controllerrevisions, 'default');
  expect(ordered(revisions.map(({ revision }) => revision))).toEqual([1, 2]);
  const latest = revisions.find(({ revision }) => revision === 2)!;
  expect(latest.metadata.name).toBe(`agent-${latest.metadata.labels?.['controller-revision-hash']}`);
  for (const { metadata } of pods)
    expect(metadata.labels?.['controller-revision-hash']).toBe(
      latest.metadata.labels?.['controller-revision-hash'],
    );
});

test('with OnDelete only a deleted pod comes back new', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.daemonsets, daemonSet('agent', { updateStrategy: { type: 'OnDelete' } }));
  await plane.settle();
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'busybox:1.37' }] } } } };
  const options = { namespace: 'default' };
  await plane.api.client.patch(
    resources.daemonsets,
    'agent',
    'application/strategic-merge-patch+json',
    patch,
    options,
  );
  await plane.settle({ seconds: 10 });
  const [first] = await plane.list<Pod>(resources.pods, 'default');
  await plane.api.client.delete(resources.pods, first!.metadata.name, options);
  await plane.settle();
  const images = (await plane.list<Pod>(resources.pods, 'default')).map(
    ({ spec }) => spec!.containers[0]!.image,
  );
  expect(ordered(images)).toEqual(['busybox:1.36', 'busybox:1.37']);
});

test('a node that no longer fits loses its pod', async () => {
  using plane = await makeControlPlane();
  await plane.create(
    resources.daemonsets,
    daemonSet('agent', {}, { nodeSelector: { 'kubernetes.io/os': 'linux' } }),
  );
  await plane.settle();
  const patch = { metadata: { labels: { 'kubernetes.io/os': 'other' } } };
  await plane.api.client.patch(resources.nodes, 'worker1', 'application/merge-patch+json', patch);
  await plane.settle();
  expect((await plane.list<Pod>(resources.pods, 'default')).map(({ spec }) => spec?.nodeName)).toEqual([
    'worker2',
  ]);
});
