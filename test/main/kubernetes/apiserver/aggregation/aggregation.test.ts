import { expect, test } from 'vitest';
import { resources, type KubernetesObject } from '../../../../../main/kubernetes/api/index.ts';
import { ErrnoError } from '../../../../../main/network/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

interface ApiService extends KubernetesObject {
  spec?: Record<string, unknown>;
  status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
}

const API: ApiService = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.example.com' },
  spec: {
    group: 'example.com',
    version: 'v1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'extension', namespace: 'default' },
  },
};

async function condition(api: TestApi): Promise<string> {
  await api.clock.advance({ seconds: 31 });
  const { status } = await api.client.get<ApiService>(resources.apiservices, 'v1.example.com');
  const [only] = status!.conditions!;
  return `${only!.status} ${only!.reason}: ${only!.message}`;
}

async function get(api: TestApi, target: string): Promise<{ status: number; body: string }> {
  const { status, body } = await api.server.handler({
    method: 'GET',
    target,
    headers: [['accept', 'application/json']],
    body: (async function* () {
      // Nothing is sent.
    })(),
    peer: {
      address: '127.0.0.1',
      port: 1,
      certificate: { commonName: 'root', organizations: ['system:masters'] },
    },
    signal: new AbortController().signal,
  });
  return { status, body: typeof body === 'string' ? body : '' };
}

test('the condition of an extension server says what is missing, one thing after the other', async () => {
  using api = makeApi();
  api.server.connectServices(() => ({
    connect: () => Promise.reject(new ErrnoError('ECONNREFUSED')),
    frontProxy: { certificate: '', privateKey: '' },
    kubeletClient: { certificate: '', privateKey: '' },
  }));
  const { client } = api;
  await client.create<ApiService>(resources.apiservices, API);
  expect(await condition(api)).toBe('False ServiceNotFound: service/extension in "default" is not present');

  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'extension', namespace: 'default' },
    spec: {
      clusterIP: '10.96.5.5',
      ports: [{ name: 'https', port: 8443, protocol: 'TCP', targetPort: 8443 }],
    },
  };
  await client.create(resources.services, service as KubernetesObject, { namespace: 'default' });
  expect(await condition(api)).toBe(
    'False ServicePortError: service/extension in "default" is not listening on port 443',
  );

  await client.patch(resources.apiservices, 'v1.example.com', 'application/merge-patch+json', {
    spec: { service: { port: 8443 } },
  });
  expect(await condition(api)).toBe(
    'False EndpointsNotFound: cannot find endpoints for service/extension in "default"',
  );

  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'extension-1',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'extension' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.1.5'], conditions: { ready: false } }],
    ports: [{ name: 'https', port: 8443, protocol: 'TCP' }],
  };
  await client.create(resources.endpointslices, slice as KubernetesObject, { namespace: 'default' });
  expect(await condition(api)).toBe(
    'False MissingEndpoints: endpoints for service/extension in "default" have no addresses with port name "https"',
  );

  await client.patch(
    resources.endpointslices,
    'extension-1',
    'application/merge-patch+json',
    { endpoints: [{ addresses: ['10.244.1.5'], conditions: { ready: true } }] },
    { namespace: 'default' },
  );
  expect(await condition(api)).toBe(
    'False FailedDiscoveryCheck: failing or missing response from https://10.96.5.5:8443/apis/example.com/v1: Get "https://10.96.5.5:8443/apis/example.com/v1": dial tcp 10.96.5.5:8443: connect: connection refused',
  );
  expect(await get(api, '/apis/example.com/v1/things')).toEqual({
    status: 503,
    body: 'service unavailable\n',
  });
  expect(api.faults).toEqual([]);
});

test('a group whose server is away is stale in discovery, and goes with its APIService', async () => {
  using api = makeApi();
  await api.client.create<ApiService>(resources.apiservices, API);
  await api.clock.advance({ seconds: 1 });
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const read = async (): Promise<unknown> => {
    const { body } = await api.server.handler({
      method: 'GET',
      target: '/apis',
      headers: [['accept', accept]],
      body: (async function* () {
        // Nothing is sent.
      })(),
      peer: {
        address: '127.0.0.1',
        port: 1,
        certificate: { commonName: 'root', organizations: ['system:masters'] },
      },
      signal: new AbortController().signal,
    });
    const { items } = JSON.parse(typeof body === 'string' ? body : '') as {
      items: { metadata: { name: string }; versions: unknown }[];
    };
    return items.find(({ metadata }) => metadata.name === 'example.com')?.versions;
  };
  expect(await read()).toEqual([{ version: 'v1', resources: [], freshness: 'Stale' }]);
  await api.client.delete(resources.apiservices, 'v1.example.com');
  expect(await read()).toBeUndefined();
});

test('definitions get an APIService for each version they serve, for as long as they do', async () => {
  using api = makeApi();
  const schema = { openAPIV3Schema: { type: 'object' } };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gizmos.gold.example.com' },
    spec: {
      group: 'gold.example.com',
      scope: 'Namespaced',
      names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', listKind: 'GizmoList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  await api.client.create(resources.customresourcedefinitions, definition as KubernetesObject);
  await api.clock.advance({ seconds: 1 });
  const made = await api.client.get<ApiService>(resources.apiservices, 'v1.gold.example.com');
  expect(made.metadata.labels).toEqual({ 'kube-aggregator.kubernetes.io/automanaged': 'true' });
  expect(made.spec).toMatchObject({ groupPriorityMinimum: 1000, versionPriority: 100 });
  expect(made.status?.conditions).toMatchObject([{ type: 'Available', status: 'True', reason: 'Local' }]);
  await api.client.delete(resources.customresourcedefinitions, 'gizmos.gold.example.com');
  await api.clock.advance({ seconds: 1 });
  await expect(api.client.get(resources.apiservices, 'v1.gold.example.com')).rejects.toMatchObject({
    reason: 'NotFound',
  });
  expect(api.faults).toEqual([]);
});
