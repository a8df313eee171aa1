// Admission webhooks: asked about what they are for, obeyed, and what comes of those that can't be asked.
import { expect, test } from 'vitest';
import { resources, type KubernetesObject } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';
import { serveWebhook } from '../../../../support/webhook-server.ts';

interface Config extends KubernetesObject {
  data?: Record<string, string>;
}

function hook(name: string, caBundle = '', more: Record<string, unknown> = {}, port = 443): KubernetesObject {
  return {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { service: { namespace: 'default', name: 'hook', path: `/${name}`, port }, caBundle },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE', 'DELETE'],
            resources: ['configmaps'],
          },
        ],
        namespaceSelector: { matchLabels: { hook: 'on' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 2,
        ...more,
      },
    ],
  } as KubernetesObject;
}

const {
  configmaps,
  mutatingwebhookconfigurations: mutating,
  validatingwebhookconfigurations: validating,
} = resources;
const map = (namespace: string, data: Record<string, string> = {}): Config => ({
  metadata: { name: 'm', namespace },
  data,
});
const encoded = (patch: unknown): Record<string, unknown> => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
});

async function watchedNamespace({ client }: TestApi): Promise<void> {
  await client.create(resources.namespaces, { metadata: { name: 'watched', labels: { hook: 'on' } } });
}

async function problem(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: Error) => error.message,
  );
}

test('what a missing webhook is for is refused in upstream’s words, the rest goes through', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  await api.client.create(validating, hook('strict'));
  expect(await problem(api.client.create(configmaps, map('watched')))).toBe(
    'Internal error occurred: failed calling webhook "strict.example.com": failed to call webhook: Post "https://hook.default.svc:443/strict?timeout=2s": service "hook" not found',
  );
  await api.client.create(configmaps, map('default'));
  await api.client.create(resources.secrets, map('watched'));
});

test('one that may fail lets pass', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  await api.client.create(mutating, hook('lax', '', { failurePolicy: 'Ignore' }));
  const made = await api.client.create(configmaps, map('watched'));
  expect(made.metadata.name).toBe('m');
});

test('a validating webhook is asked about creations, changes and deletions, and refuses in its own words', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle, asked } = await serveWebhook(api, (_path, { operation }) => ({
    allowed: operation !== 'UPDATE',
    status: { code: 403, reason: 'Forbidden', message: 'maps are for ever' },
  }));
  await api.client.create(validating, hook('guard', caBundle));

  const made = await api.client.create(configmaps, map('watched', { a: '1' }));
  const change = api.client.update(configmaps, { ...made, data: { a: '2' } } as Config);
  await expect(change).rejects.toMatchObject({
    message: 'admission webhook "guard.example.com" denied the request: maps are for ever',
    status: { code: 403, reason: 'Forbidden' },
  });
  await api.client.delete(configmaps, 'm', { namespace: 'watched' });

  expect(asked.map(({ path, review }) => [path, review.operation, review.name, review.namespace])).toEqual([
    ['/guard', 'CREATE', 'm', 'watched'],
    ['/guard', 'UPDATE', 'm', 'watched'],
    ['/guard', 'DELETE', 'm', 'watched'],
  ]);
  const [create, update, remove] = asked.map(({ review }) => review);
  expect(create).toMatchObject({
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    userInfo: { groups: expect.arrayContaining(['system:masters']) },
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { uid: made.metadata.uid }, data: { a: '1' } },
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  });
  expect(update!.object['data']).toEqual({ a: '2' });
  expect(update!.oldObject['data']).toEqual({ a: '1' });
  expect(remove).toMatchObject({ object: null, oldObject: { metadata: { name: 'm' } } });
});

test('mutating webhooks patch one after the other, in the order of names; the early ones once more if they wish', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle, asked } = await serveWebhook(api, (path, { object }) => {
    const data = (object as Config).data ?? {};
    return encoded([
      { op: 'add', path: '/data', value: { ...data, [path.slice(1)]: String(Object.keys(data)) } },
    ]);
  });
  await api.client.create(mutating, hook('b', caBundle));
  await api.client.create(mutating, hook('a', caBundle, { reinvocationPolicy: 'IfNeeded' }));
  const made = await api.client.create<Config>(configmaps, map('watched', { x: '' }));
  expect(asked.map(({ path }) => path)).toEqual(['/a', '/b', '/a']);
  expect(made.data).toEqual({ a: 'a,b,x', b: 'a,x', x: '' });
});

test('names that the server makes are the ones that webhooks see', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle, asked } = await serveWebhook(api, (path) =>
    path === '/m' ? encoded([{ op: 'add', path: '/data', value: { a: '' } }]) : { allowed: true },
  );
  await api.client.create(mutating, hook('m', caBundle));
  await api.client.create(validating, hook('w', caBundle));
  const made = await api.client.create(configmaps, {
    metadata: { generateName: 'm-', namespace: 'watched' },
  });
  expect(asked.map(({ path }) => path)).toEqual(['/m', '/w']);
  for (const { review } of asked) {
    expect(review.name).toBe(made.metadata.name);
    expect(review.object.metadata?.uid).toBe(made.metadata.uid);
  }
});

test('an object that changes while its webhook thinks is shown to it again', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  await api.client.create<Config>(configmaps, map('watched', { n: '0' }));
  let writes = 0;
  const { caBundle, asked } = await serveWebhook(api, () => {
    if (writes++ === 0)
      void api.server
        .client({ name: 'exempt', groups: ['system:masters'] })
        .patch(
          configmaps,
          'm',
          'application/merge-patch+json',
          { data: { other: '1' } },
          { namespace: 'watched' },
        );
    return { allowed: true };
  });
  const exempt = [{ name: 'not-exempt', expression: "request.userInfo.username != 'exempt'" }];
  await api.client.create(validating, hook('slow', caBundle, { matchConditions: exempt }));
  const changed = await api.client.patch<Config>(
    configmaps,
    'm',
    'application/merge-patch+json',
    { data: { n: '1' } },
    { namespace: 'watched' },
  );
  expect(changed.data).toEqual({ n: '1', other: '1' });
  expect(asked.map(({ review }) => review.object['data'])).toEqual([{ n: '1' }, { n: '1', other: '1' }]);
});

test('warnings of webhooks reach the client once', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle } = await serveWebhook(api, () => ({ allowed: true, warnings: ['maps are old'] }));
  await api.client.create(mutating, hook('m', caBundle));
  await api.client.create(validating, hook('v', caBundle));
  const { headers } = await api.server.handler({
    method: 'POST',
    target: '/api/v1/namespaces/watched/configmaps',
    headers: [['content-type', 'application/json']],
    body: (async function* () {
      yield Buffer.from(JSON.stringify({ metadata: { name: 'm' } }));
    })(),
    peer: {
      address: '127.0.0.1',
      port: 1,
      certificate: { commonName: 'root', organizations: ['system:masters'] },
    },
    signal: new AbortController().signal,
  });
  expect(headers.filter(([name]) => name.toLowerCase() === 'warning').map(([, value]) => value)).toEqual([
    '299 - "maps are old"',
  ]);
});

test('a dry run tells webhooks that it is one, and is refused where one has side effects', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle, asked } = await serveWebhook(api, () => ({ allowed: true }));
  await api.client.create(validating, hook('calm', caBundle));
  await api.client.create(configmaps, map('watched'), { dryRun: true });
  expect(asked.map(({ review }) => [review['dryRun'], review['options']])).toEqual([
    [true, expect.objectContaining({ dryRun: ['All'] })],
  ]);

  const old = hook('busy', caBundle, { sideEffects: undefined });
  const v1beta1 = { ...validating, version: 'v1beta1' };
  using older = makeApi({ version: 'v1.15.12' });
  await watchedNamespace(older);
  await older.client.create(v1beta1, old);
  expect(await problem(older.client.create(configmaps, map('watched'), { dryRun: true }))).toBe(
    'admission webhook "busy.example.com" does not support dry run',
  );
});

test.each([
  [
    'a refusal without words',
    { allowed: false },
    'admission webhook "h.example.com" denied the request without explanation',
  ],
  [
    'an answer to another question',
    { uid: 'x', allowed: true },
    /failed calling webhook "h.example.com": received invalid webhook response: expected response.uid="[0-9a-f-]{36}", got "x"/,
  ],
  [
    'a patch by one that only validates',
    encoded([]),
    'failed calling webhook "h.example.com": received invalid webhook response: validating webhook may not return response.patch',
  ],
  [
    'no review at all',
    { status: 200, headers: [], body: 'hello' },
    `failed calling webhook "h.example.com": failed to call webhook: couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value`,
  ],
  [
    'an error of the server',
    { status: 500, headers: [], body: 'boom' },
    'failed calling webhook "h.example.com": failed to call webhook: an error on the server ("boom") has prevented the request from succeeding',
  ],
])('%s is told as such', async (_what, answer, wanted) => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle } = await serveWebhook(api, () => answer);
  await api.client.create(validating, hook('h', caBundle));
  expect(await problem(api.client.create(configmaps, map('watched')))).toMatch(wanted);
});

test('one that nobody vouches for, that refuses connections, or that says nothing fails in Go’s words', async () => {
  using api = makeApi();
  await watchedNamespace(api);
  const { caBundle } = await serveWebhook(api, () => undefined);
  const fails = async (configuration: KubernetesObject): Promise<string> => {
    const made = await api.client.create(validating, configuration);
    const result = problem(api.client.create(configmaps, map('watched')));
    await api.clock.advance({ seconds: 3 });
    const text = await result;
    await api.client.delete(validating, made.metadata.name);
    return text.replace(/.*\?timeout=2s": /, '');
  };
  expect(await fails(hook('unknown'))).toBe(
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  );
  expect(await fails(hook('dead', caBundle, {}, 444))).toBe(
    'dial tcp 10.96.7.7:444: connect: connection refused',
  );
  expect(await fails(hook('silent', caBundle))).toBe('context deadline exceeded');
});
