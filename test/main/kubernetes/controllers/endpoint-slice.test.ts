import { expect, test } from 'vitest';
import {
  resources,
  type Endpoints,
  type EndpointSlice,
  type Pod,
} from '../../../../main/kubernetes/api/index.ts';
import { deployment, makeControlPlane, type TestControlPlane } from '../../../support/make-control-plane.ts';

const DEFAULT = { namespace: 'default' };

function service(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', labels: { tier: 'front' } },
    spec: {
      selector: { app: name },
      ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
      clusterIP: '10.96.0.50',
      ...spec,
    },
  };
}

async function slicesOf(plane: TestControlPlane, name: string): Promise<EndpointSlice[]> {
  const slices = await plane.list<EndpointSlice>(resources.endpointslices, 'default');
  return slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
}

test('a Service has Endpoints and an EndpointSlice with its ready pods', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.services, service('web'));
  await plane.create(resources.deployments, deployment('web', 2));
  await plane.settle();

  const pods = (await plane.list<Pod>(resources.pods, 'default')).toSorted((a, b) =>
    a.status!.podIP! < b.status!.podIP! ? -1 : 1,
  );
  const targetRef = ({ metadata: { name, namespace, uid } }: (typeof pods)[number]) => ({
    kind: 'Pod',
    name,
    namespace,
    uid,
  });
  const endpoints = await plane.get<Endpoints>(resources.endpoints, 'web');
  expect(endpoints.metadata.labels).toEqual({
    tier: 'front',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
  });
  expect(endpoints.subsets).toEqual([
    {
      addresses: pods.map((pod) => ({
        ip: pod.status!.podIP,
        nodeName: pod.spec!.nodeName,
        targetRef: targetRef(pod),
      })),
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  ]);

  const slices = await slicesOf(plane, 'web');
  expect(slices).toHaveLength(1);
  const [slice] = slices;
  expect(slice!.metadata!.name).toMatch(/^web-[a-z0-9]{5}$/);
  expect(slice!.metadata!.labels).toEqual({
    tier: 'front',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    'kubernetes.io/service-name': 'web',
  });
  expect(slice!.metadata!.ownerReferences).toMatchObject([
    { kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true },
  ]);
  expect(slice!.ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }]);
  expect(slice!.endpoints!.toSorted((a, b) => (a.addresses[0]! < b.addresses[0]! ? -1 : 1))).toEqual(
    pods.map((pod) => ({
      addresses: [pod.status!.podIP],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: pod.spec!.nodeName,
      targetRef: targetRef(pod),
    })),
  );
  expect(plane.errors).toEqual([]);
});

test('a pod that is not ready is among notReadyAddresses and not ready in its slice', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.services, service('web'));
  await plane.create(resources.deployments, deployment('web', 1));
  await plane.settle();
  const [pod] = await plane.list<Pod>(resources.pods, 'default');
  const conditions = pod!.status!.conditions!.map((condition) =>
    condition.type === 'Ready' ? { ...condition, status: 'False' as const } : condition,
  );
  await plane.api.client.update<Pod>(
    resources.pods,
    { ...pod!, status: { ...pod!.status, conditions } },
    { ...DEFAULT, subresource: 'status' },
  );
  await plane.settle();
  expect((await plane.get<Endpoints>(resources.endpoints, 'web')).subsets).toMatchObject([
    { notReadyAddresses: [{ ip: pod!.status!.podIP }] },
  ]);
  expect((await slicesOf(plane, 'web'))[0]!.endpoints).toMatchObject([
    { conditions: { ready: false, serving: false, terminating: false } },
  ]);
});

test('a Service without pods has an empty slice, and loses both objects with itself', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.services, service('web'));
  await plane.settle();
  const [slice] = await slicesOf(plane, 'web');
  expect(slice!.endpoints ?? []).toEqual([]);
  expect((await plane.get<Endpoints>(resources.endpoints, 'web')).subsets ?? []).toEqual([]);

  await plane.api.client.delete(resources.services, 'web', DEFAULT);
  await plane.settle();
  expect(await slicesOf(plane, 'web')).toEqual([]);
  await expect(plane.get(resources.endpoints, 'web')).rejects.toMatchObject({ reason: 'NotFound' });
});

test('a slice holds at most a hundred endpoints, and named ports are found per pod', async () => {
  using plane = await makeControlPlane({ nodes: [] });
  await plane.addNode('big', { cpu: '1000', memory: '1000Gi', pods: '1000' });
  await plane.create(
    resources.services,
    service('web', { ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }] }),
  );
  await plane.create(
    resources.deployments,
    deployment('web', 230, { ports: [{ name: 'web', containerPort: 8080 }] }),
  );
  await plane.settle({ seconds: 10 });
  const slices = await slicesOf(plane, 'web');
  expect(slices.map(({ endpoints }) => endpoints!.length).toSorted((a, b) => b - a)).toEqual([100, 100, 30]);
  for (const { ports } of slices) expect(ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
});

test('Endpoints written by hand are mirrored into a slice', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.services, service('db', { selector: undefined }));
  await plane.create(resources.endpoints, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'db', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '192.168.10.200' }], ports: [{ port: 5432, protocol: 'TCP' }] }],
  });
  await plane.settle();
  const [slice] = await slicesOf(plane, 'db');
  expect(slice!.metadata!.labels).toMatchObject({
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  expect(slice!.endpoints).toMatchObject([{ addresses: ['192.168.10.200'], conditions: { ready: true } }]);
  expect(slice!.ports).toEqual([{ name: '', port: 5432, protocol: 'TCP' }]);
});
