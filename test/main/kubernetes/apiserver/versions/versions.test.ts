// What servers of older releases serve: their versions of kinds, converted, defaulted and warned of.
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../../../../main/network/http/index.ts';
import { resources, type Deployment, type Ingress } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

interface Answer {
  readonly status: number;
  readonly warnings: readonly string[];
  readonly body: Json;
}
type Json = { [member: string]: Json } & { items?: Json[] };

async function ask(
  api: TestApi,
  method: string,
  target: string,
  body?: object,
  accept = 'application/json',
): Promise<Answer> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const request: HttpRequest = {
    method,
    target,
    headers: [
      ['content-type', type],
      ['accept', accept],
    ],
    body: (async function* pieces() {
      if (body !== undefined) yield Buffer.from(JSON.stringify(body));
    })(),
    peer: {
      address: '127.0.0.1',
      port: 1,
      certificate: { commonName: 'test', organizations: ['system:masters'] },
    } as HttpRequest['peer'],
    signal: new AbortController().signal,
  };
  const response = await api.server.handler(request);
  const pieces: Uint8Array[] = [];
  if (typeof response.body === 'string') pieces.push(Buffer.from(response.body));
  else for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) pieces.push(piece);
  const text = Buffer.concat(pieces).toString('utf8');
  return {
    status: response.status,
    warnings: response.headers.filter(([name]) => name === 'warning').map(([, value]) => value),
    body: (text.startsWith('{') ? JSON.parse(text) : { text }) as Json,
  };
}

async function groupVersions(api: TestApi): Promise<string[]> {
  const { body } = await ask(api, 'GET', '/apis');
  return (body['groups'] as unknown as { versions: { groupVersion: string }[] }[]).flatMap(({ versions }) =>
    versions.map(({ groupVersion }) => groupVersion),
  );
}

const EXTENSIONS = '/apis/extensions/v1beta1/namespaces/default';
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx' }] } };
const oldIngress = {
  metadata: { name: 'site' },
  spec: {
    rules: [
      { host: 'a.test', http: { paths: [{ path: '/', backend: { serviceName: 'web', servicePort: 80 } }] } },
    ],
  },
};
const oldDeployment = { metadata: { name: 'web' }, spec: { template } };

describe('1.15', () => {
  test('serves extensions/v1beta1 before apps, and what came later not at all', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const served = await groupVersions(api);
    expect(served.indexOf('extensions/v1beta1')).toBeLessThan(served.indexOf('apps/v1'));
    expect(served).toContain('apps/v1beta2');
    expect(served).not.toContain('discovery.k8s.io/v1');
    expect(served).not.toContain('discovery.k8s.io/v1beta1');
    expect((await ask(api, 'GET', '/apis/networking.k8s.io/v1/ingresses')).status).toBe(404);
    expect((await ask(api, 'GET', '/apis/networking.k8s.io/v1beta1/ingresses')).status).toBe(200);
  });

  test('prefers autoscaling/v1', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const { body } = await ask(api, 'GET', '/apis/autoscaling');
    expect(body['preferredVersion']?.['version']).toBe('v1');
    const versions = body['versions'] as unknown as { version: string }[];
    expect(versions.map(({ version }) => version)).toEqual(['v1', 'v2beta1', 'v2beta2']);
  });

  test('keeps a Deployment of extensions/v1beta1 with the defaults it had', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const made = await ask(api, 'POST', `${EXTENSIONS}/deployments`, oldDeployment);
    expect(made.status).toBe(201);
    expect(made.warnings).toEqual([]);
    expect(made.body).toMatchObject({
      apiVersion: 'extensions/v1beta1',
      metadata: {
        labels,
        selfLink: '/apis/extensions/v1beta1/namespaces/default/deployments/web',
      },
      spec: { selector: { matchLabels: labels }, strategy: { rollingUpdate: { maxSurge: 1 } } },
    });
    expect(made.body['metadata']).not.toHaveProperty('managedFields');
    const { body } = await ask(api, 'GET', '/apis/apps/v1/namespaces/default/deployments/web');
    expect(body['apiVersion']).toBe('apps/v1');
    expect(body['spec']?.['revisionHistoryLimit']).toBe(2_147_483_647);
  });

  test('lets the selector of an old Deployment be changed, and not that of apps/v1', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    await ask(api, 'POST', `${EXTENSIONS}/deployments`, oldDeployment);
    const selector = { matchLabels: { ...labels, tier: 'front' } };
    const patch = {
      spec: { selector, template: { metadata: { labels: { tier: 'front' } } } },
    };
    const refused = await ask(api, 'PATCH', '/apis/apps/v1/namespaces/default/deployments/web', patch);
    expect(refused.status).toBe(422);
    expect(refused.body['message']).toContain('field is immutable');
    const accepted = await ask(api, 'PATCH', `${EXTENSIONS}/deployments/web`, patch);
    expect(accepted.status).toBe(200);
    expect(accepted.body['spec']?.['selector']).toEqual(selector);
  });

  test('rolls a DaemonSet of extensions/v1beta1 by deletion, and tells its template generation', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const { body } = await ask(api, 'POST', `${EXTENSIONS}/daemonsets`, {
      metadata: { name: 'lb' },
      spec: { template },
    });
    expect(body['spec']).toMatchObject({ updateStrategy: { type: 'OnDelete' }, templateGeneration: 1 });
    expect(body['metadata']).not.toHaveProperty('annotations');
    const { body: later } = await ask(api, 'GET', '/apis/apps/v1/namespaces/default/daemonsets/lb');
    expect(later['metadata']?.['annotations']).toEqual({ 'deprecated.daemonset.template.generation': '1' });
  });

  test('shows an old version only the fields that it has', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    await ask(api, 'POST', `${EXTENSIONS}/deployments`, oldDeployment);
    const { items } = await api.client.list<Deployment>(resources.deployments);
    const status = { replicas: 1, terminatingReplicas: 0 };
    await api.client.update(
      resources.deployments,
      { ...items[0]!, status },
      { namespace: 'default', subresource: 'status' },
    );
    const patched = await ask(api, 'PATCH', `${EXTENSIONS}/deployments/web?fieldValidation=Strict`, {
      spec: { paused: true },
    });
    expect(patched.body['message']).toBeUndefined();
    expect(patched.body['status']).toEqual({ replicas: 1 });
  });

  test('refuses PodSecurityPolicies in clear words', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const { status, body } = await ask(api, 'POST', '/apis/policy/v1beta1/podsecuritypolicies', {});
    expect(status).toBe(501);
    expect(body['message']).toBe("drydock: PodSecurityPolicy isn't simulated");
  });

  test('gives no pod before the account has its token', async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const pod = { metadata: { name: 'web' }, spec: template.spec };
    const refused = await ask(api, 'POST', '/api/v1/namespaces/default/pods', pod);
    expect(refused.status).toBe(500);
    expect(refused.body['message']).toContain('No API token found for service account "default"');
    const uid = (await ask(api, 'GET', '/api/v1/namespaces/default/serviceaccounts/default')).body[
      'metadata'
    ]?.['uid'];
    await ask(api, 'POST', '/api/v1/namespaces/default/secrets', {
      metadata: {
        name: 'default-token-abcde',
        annotations: {
          'kubernetes.io/service-account.name': 'default',
          'kubernetes.io/service-account.uid': uid,
        },
      },
      type: 'kubernetes.io/service-account-token',
    });
    await ask(api, 'PATCH', '/api/v1/namespaces/default/serviceaccounts/default', {
      secrets: [{ name: 'default-token-abcde' }],
    });
    const { body } = await ask(api, 'POST', '/api/v1/namespaces/default/pods', pod);
    expect(body['spec']?.['volumes']).toEqual([
      { name: 'default-token-abcde', secret: { secretName: 'default-token-abcde', defaultMode: 420 } },
    ]);
  });

  test("shows none of the fields that Services got later, and keeps them for the server's own use", async () => {
    using api = makeApi({ version: 'v1.15.12' });
    const { body } = await ask(api, 'POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'web' },
      spec: { selector: labels, ports: [{ port: 80 }] },
    });
    expect(Object.keys(body['spec'] ?? {}).sort()).toEqual([
      'clusterIP',
      'ports',
      'selector',
      'sessionAffinity',
      'type',
    ]);
    const own = await api.client.get(resources.services, 'web', { namespace: 'default' });
    expect(own).toHaveProperty('spec.ipFamilies');
    const again = await ask(api, 'PUT', '/api/v1/namespaces/default/services/web', body);
    expect(again.body['message']).toBeUndefined();
    expect(again.body['spec']?.['clusterIP']).toEqual(body['spec']?.['clusterIP']);
  });
});

test('before 1.27 groups are told one by one', async () => {
  using api = makeApi({ version: 'v1.15.12' });
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const { body } = await ask(api, 'GET', '/apis', undefined, aggregated);
  expect(body['kind']).toBe('APIGroupList');
});

describe('1.19', () => {
  test('warns of extensions/v1beta1 and networking.k8s.io/v1beta1 with every verb', async () => {
    using api = makeApi({ version: 'v1.19.16' });
    const warning =
      '299 - "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"';
    expect((await ask(api, 'POST', `${EXTENSIONS}/ingresses`, oldIngress)).warnings).toEqual([warning]);
    expect((await ask(api, 'GET', `${EXTENSIONS}/ingresses`)).warnings).toEqual([warning]);
    expect((await ask(api, 'DELETE', `${EXTENSIONS}/ingresses/site`)).warnings).toEqual([warning]);
    expect((await ask(api, 'GET', '/apis/networking.k8s.io/v1beta1/ingresses')).warnings).toEqual([
      '299 - "networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"',
    ]);
    expect((await ask(api, 'GET', '/apis/networking.k8s.io/v1/ingresses')).warnings).toEqual([]);
    expect((await ask(api, 'GET', '/api/v1/endpoints')).warnings).toEqual([]);
  });

  test('has one Ingress in three versions', async () => {
    using api = makeApi({ version: 'v1.19.16' });
    await ask(api, 'POST', `${EXTENSIONS}/ingresses`, oldIngress);
    const now = await ask(api, 'GET', '/apis/networking.k8s.io/v1/namespaces/default/ingresses/site');
    expect(now.body['spec']).toEqual({
      rules: [
        {
          host: 'a.test',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'ImplementationSpecific',
                backend: { service: { name: 'web', port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    });
    const own = await api.client.get<Ingress>(resources.ingresses, 'site', { namespace: 'default' });
    expect(own.spec).toEqual(now.body['spec']);
    const patched = await ask(
      api,
      'PATCH',
      '/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses/site',
      {
        spec: { backend: { serviceName: 'other', servicePort: 'http' } },
      },
    );
    expect(patched.body['spec']?.['backend']).toEqual({ serviceName: 'other', servicePort: 'http' });
    const { body } = await ask(api, 'DELETE', `${EXTENSIONS}/ingresses/site`);
    expect(body['status']).toBe('Success');
  });

  test('no longer serves the rest of extensions', async () => {
    using api = makeApi({ version: 'v1.19.16' });
    expect((await ask(api, 'GET', `${EXTENSIONS}/deployments`)).status).toBe(404);
    const { body } = await ask(api, 'GET', '/apis/extensions/v1beta1');
    const names = (body['resources'] as unknown as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['ingresses', 'ingresses/status']);
  });

  test('prints the columns that it had', async () => {
    using api = makeApi({ version: 'v1.19.16' });
    await ask(api, 'POST', `${EXTENSIONS}/ingresses`, oldIngress);
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const columns = async (target: string): Promise<string[]> => {
      const request = await ask(api, 'GET', target, undefined, table);
      return (request.body['columnDefinitions'] as unknown as { name: string }[]).map(({ name }) => name);
    };
    expect(await columns(`${EXTENSIONS}/ingresses`)).toEqual([
      'Name',
      'Class',
      'Hosts',
      'Address',
      'Ports',
      'Age',
    ]);
    expect(await columns('/api/v1/serviceaccounts')).toEqual(['Name', 'Secrets', 'Age']);
  });
});

describe('1.23', () => {
  test('warns of what 1.25 and 1.26 will not have', async () => {
    using api = makeApi({ version: 'v1.23.17' });
    const warned = async (path: string): Promise<string> =>
      (await ask(api, 'GET', `/apis/${path}`)).warnings.join().replace(/^299 - "(.*)"$/, '$1');
    expect(await warned('batch/v1beta1/cronjobs')).toBe(
      'batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob',
    );
    expect(await warned('policy/v1beta1/poddisruptionbudgets')).toBe(
      'policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+, unavailable in v1.25+; use policy/v1 PodDisruptionBudget',
    );
    expect(await warned('autoscaling/v2beta2/horizontalpodautoscalers')).toBe(
      'autoscaling/v2beta2 HorizontalPodAutoscaler is deprecated in v1.23+, unavailable in v1.26+; use autoscaling/v2 HorizontalPodAutoscaler',
    );
    expect(await warned('discovery.k8s.io/v1beta1/endpointslices')).toBe(
      'discovery.k8s.io/v1beta1 EndpointSlice is deprecated in v1.21+, unavailable in v1.25+; use discovery.k8s.io/v1 EndpointSlice',
    );
    expect((await ask(api, 'GET', '/apis/extensions/v1beta1/ingresses')).status).toBe(404);
  });
});

describe('1.36', () => {
  test('serves no version that went', async () => {
    using api = makeApi();
    expect((await groupVersions(api)).filter((name) => /beta/.test(name))).toEqual([]);
    const { body } = await ask(api, 'GET', '/openapi/v2');
    expect(Object.keys(body['definitions'] ?? {}).filter((name) => /v\d+beta/.test(name))).toEqual([]);
    expect((await ask(api, 'GET', '/api/v1/endpoints')).warnings).toEqual([
      '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
    ]);
  });
});

test('a controller works on what an old client made', async () => {
  using api = makeApi({ version: 'v1.15.12' });
  await ask(api, 'POST', `${EXTENSIONS}/deployments`, oldDeployment);
  const { items } = await api.client.list<Deployment>(resources.deployments);
  expect(items[0]?.spec?.selector).toEqual({ matchLabels: labels });
});

test('OpenAPI tells the schema of every version that is served', async () => {
  using api = makeApi({ version: 'v1.15.12' });
  const { body } = await ask(api, 'GET', '/openapi/v3/apis/extensions/v1beta1');
  const schemas = (body['components']?.['schemas'] ?? {}) as Json;
  expect(schemas).toHaveProperty(['io.k8s.api.extensions.v1beta1.Ingress']);
  const whole = await ask(api, 'GET', '/openapi/v2');
  expect(whole.body['definitions']).toHaveProperty(['io.k8s.api.extensions.v1beta1.DaemonSet']);
});
