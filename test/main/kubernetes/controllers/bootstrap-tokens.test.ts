import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { resources, type ConfigMap, type Secret } from '../../../../main/kubernetes/api/index.ts';
import { rfc3339 } from '../../../../main/simulation/index.ts';
import { makeControlPlane, type TestControlPlane } from '../../../support/make-control-plane.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function token(id: string, more: Record<string, string> = {}): Secret {
  const fields = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    ...more,
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, base64(value)])),
  };
}

/** Whom the API server takes the holder of a bearer token for. */
async function whoIs(plane: TestControlPlane, bearer: string): Promise<unknown> {
  const response = await plane.api.server.handler({
    method: 'POST',
    target: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: [
      ['authorization', `Bearer ${bearer}`],
      ['content-type', 'application/json'],
    ],
    body: (async function* () {
      yield Buffer.from('{}');
    })(),
    peer: { address: '127.0.0.1', port: 1 },
    signal: new AbortController().signal,
  });
  const answer = JSON.parse(response.body as string) as { status?: { userInfo?: unknown }; code?: number };
  return answer.status?.userInfo ?? answer.code;
}

test('a bootstrap token opens the API for its group until it expires, and is deleted then', async () => {
  using plane = await makeControlPlane();
  const expiration = rfc3339(plane.api.clock.now() + 600_000);
  await plane.create(resources.secrets, token('abcdef', { expiration }));
  expect(await whoIs(plane, 'abcdef.0123456789abcdef')).toMatchObject({
    username: 'system:bootstrap:abcdef',
    groups: [
      'system:bootstrappers',
      'system:bootstrappers:kubeadm:default-node-token',
      'system:authenticated',
    ],
  });
  expect(await whoIs(plane, 'abcdef.0000000000000000')).toBe(401);
  expect(await whoIs(plane, 'aaaaaa.0123456789abcdef')).toBe(401);
  await plane.settle({ minutes: 11 });
  expect(await whoIs(plane, 'abcdef.0123456789abcdef')).toBe(401);
  const secrets = await plane.list<Secret>(resources.secrets, 'kube-system');
  expect(secrets.filter(({ type }) => type === 'bootstrap.kubernetes.io/token')).toEqual([]);
});

test('cluster-info carries a signature for each token that may sign', async () => {
  using plane = await makeControlPlane();
  await plane.create(resources.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: { kubeconfig: 'apiVersion: v1\n' },
  } as ConfigMap);
  await plane.create(resources.secrets, token('abcdef'));
  await plane.create(resources.secrets, token('silent', { 'usage-bootstrap-signing': 'false' }));
  await plane.settle();
  const read = async (): Promise<Record<string, string>> =>
    (await plane.get<ConfigMap>(resources.configmaps, 'cluster-info', 'kube-public')).data!;
  const data = await read();
  expect(Object.keys(data).sort()).toEqual(['jws-kubeconfig-abcdef', 'kubeconfig']);
  const [head, content, signature] = data['jws-kubeconfig-abcdef']!.split('.');
  expect(content).toBe('');
  const expected = createHmac('sha256', '0123456789abcdef')
    .update(`${head}.${Buffer.from('apiVersion: v1\n').toString('base64url')}`)
    .digest('base64url');
  expect(signature).toBe(expected);

  await plane.api.client.delete(resources.secrets, 'bootstrap-token-abcdef', { namespace: 'kube-system' });
  await plane.settle();
  expect(Object.keys(await read())).toEqual(['kubeconfig']);
  expect(plane.errors).toEqual([]);
});
