// What a new API server has: the objects that clients list in every cluster.
import { expect, test } from 'vitest';
import {
  resources,
  type Endpoints,
  type KubernetesObject,
  type Service,
} from '../../../../main/kubernetes/api/index.ts';
import { ensureCsiNode } from '../../../../main/kubernetes/kubelet/csi-node.ts';
import { makeApi, type TestApi } from '../../../support/make-api.ts';

type Loose = KubernetesObject & Record<string, unknown>;

async function get(api: TestApi, path: string, accept: string): Promise<unknown> {
  const answer = await api.server.handler({
    method: 'GET',
    target: path,
    headers: [['accept', accept]],
    body: (async function* () {})(),
    peer: {
      address: '127.0.0.1',
      port: 1,
      certificate: { commonName: 'admin', organizations: ['system:masters'] },
    },
    signal: new AbortController().signal,
  });
  return JSON.parse(answer.body as string);
}

async function table(api: TestApi, path: string): Promise<unknown[][]> {
  const found = await get(api, path, 'application/json;as=Table;v=v1;g=meta.k8s.io');
  return (found as { rows: { cells: unknown[] }[] }).rows.map(({ cells }) => cells);
}

test('flow schemas are listed in the order in which they match, with levels that exist', async () => {
  using api = makeApi();
  const rows = await table(api, '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas');
  expect(rows.map(([name]) => name)).toEqual([
    'exempt',
    'probes',
    'system-leader-election',
    'system-node-high',
    'system-nodes',
    'kube-controller-manager',
    'kube-scheduler',
    'kube-system-service-accounts',
    'service-accounts',
    'global-default',
    'catch-all',
  ]);
  const levels = await api.client.list<Loose>(resources.prioritylevelconfigurations);
  const names = levels.items.map(({ metadata }) => metadata.name);
  for (const [, level, , , , isDangling] of rows) {
    expect(names).toContain(level);
    expect(isDangling).toBe('False');
  }
});

test('the Service range is an object', async () => {
  using api = makeApi();
  expect(await table(api, '/apis/networking.k8s.io/v1/servicecidrs')).toEqual([
    ['kubernetes', '10.96.0.0/12', '0s'],
  ]);
});

test('each cluster IP is an object that names its Service, as long as the Service has it', async () => {
  using api = makeApi();
  const made = await api.client.create<Service>(resources.services, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  });
  const path = '/apis/networking.k8s.io/v1/ipaddresses';
  await api.clock.advance({ seconds: 1 });
  expect(await table(api, path)).toEqual(
    [
      ['10.96.0.1', 'services/default/kubernetes'],
      [made.spec?.clusterIP, 'services/default/web'],
    ].toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
  );
  await api.client.delete(resources.services, 'web', { namespace: 'default' });
  await api.clock.advance({ seconds: 1 });
  expect(await table(api, path)).toEqual([['10.96.0.1', 'services/default/kubernetes']]);
  expect(api.faults).toEqual([]);
});

test('a node has a CSINode without drivers, made once', async () => {
  using api = makeApi();
  const node = await api.client.create(resources.nodes, { metadata: { name: 'n1' } });
  await ensureCsiNode(api.client, node);
  await ensureCsiNode(api.client, node);
  expect(await table(api, '/apis/storage.k8s.io/v1/csinodes')).toEqual([['n1', 0, '0s']]);
});

test('a definition registers its group-versions as APIServices, and takes them along', async () => {
  using api = makeApi();
  const served = { served: true, schema: { openAPIV3Schema: { type: 'object' } } };
  await api.client.create(resources.customresourcedefinitions, {
    metadata: { name: 'gizmos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gizmos', kind: 'Gizmo' },
      versions: [
        { name: 'v1', storage: true, ...served },
        { name: 'v1beta1', storage: false, ...served },
      ],
    },
  } as Loose);
  await api.clock.advance({ seconds: 1 });
  const own = async (): Promise<unknown[]> =>
    (await table(api, '/apis/apiregistration.k8s.io/v1/apiservices'))
      .map(([name, service, available]) => [name, service, available])
      .filter(([name]) => String(name).endsWith('.example.com'));
  expect(await own()).toEqual([
    ['v1.example.com', 'Local', 'True'],
    ['v1beta1.example.com', 'Local', 'True'],
  ]);

  await api.client.delete(resources.customresourcedefinitions, 'gizmos.example.com');
  await api.clock.advance({ seconds: 1 });
  expect(await own()).toEqual([]);
  expect(api.faults).toEqual([]);
});

test('/api says where the server is, as its own endpoints do', async () => {
  using api = makeApi();
  await api.client.update<Endpoints>(resources.endpoints, {
    ...(await api.client.get<Endpoints>(resources.endpoints, 'kubernetes', { namespace: 'default' })),
    subsets: [{ addresses: [{ ip: '172.30.0.11' }], ports: [{ port: 7443 }] }],
  });
  expect(await get(api, '/api', 'application/json')).toMatchObject({
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '172.30.0.11:7443' }],
  });
});
