import { expect, test } from 'vitest';
import { ask, type Answer } from '../../../../support/ask-json.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const IN_DEFAULT = '/api/v1/namespaces/default';

/** Makes a quota of which nothing is used yet, as its controller would have noted. */
async function limit(
  api: TestApi,
  name: string,
  hard: Record<string, string>,
  spec: object = {},
): Promise<void> {
  const body = { metadata: { name }, spec: { hard, ...spec } };
  expect((await ask(api, 'POST', `${IN_DEFAULT}/resourcequotas`, body)).status).toBe(201);
  const used = Object.fromEntries(Object.keys(hard).map((key) => [key, '0']));
  const options = { headers: { 'content-type': 'application/merge-patch+json' } };
  await ask(api, 'PATCH', `${IN_DEFAULT}/resourcequotas/${name}/status`, { status: { hard, used } }, options);
}

const usedOf = async (api: TestApi, name: string): Promise<unknown> =>
  ((await ask(api, 'GET', `${IN_DEFAULT}/resourcequotas/${name}`)).body['status'] as { used: unknown }).used;

const makeConfigMap = (api: TestApi, name: string): Promise<Answer> =>
  ask(api, 'POST', `${IN_DEFAULT}/configmaps`, { metadata: { name } });

const makePod = (api: TestApi, name: string, spec: object = {}, resources: object = {}): Promise<Answer> =>
  ask(api, 'POST', `${IN_DEFAULT}/pods`, {
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'x', resources }], ...spec },
  });

test('objects are counted by their own name and by count/', async () => {
  using api = makeApi();
  await limit(api, 'q', { configmaps: '1', 'count/deployments.apps': '1' });
  expect((await makeConfigMap(api, 'a')).status).toBe(201);
  expect((await makeConfigMap(api, 'b')).body.message).toBe(
    'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
  );
  const deployment = (name: string): object => ({
    metadata: { name },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
    },
  });
  const path = '/apis/apps/v1/namespaces/default/deployments';
  expect((await ask(api, 'POST', path, deployment('d'))).status).toBe(201);
  expect((await ask(api, 'POST', path, deployment('e'))).body.message).toBe(
    'deployments.apps "e" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
  );
  expect(await usedOf(api, 'q')).toEqual({ configmaps: '1', 'count/deployments.apps': '1' });
});

test('what a quota limits, every container must say', async () => {
  using api = makeApi();
  await limit(api, 'q', { 'requests.cpu': '1', 'limits.memory': '1Gi' });
  expect((await makePod(api, 'a')).body.message).toBe(
    'pods "a" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
  );
  const wanted = { requests: { cpu: '600m' }, limits: { memory: '512Mi' } };
  expect((await makePod(api, 'a', {}, wanted)).status).toBe(201);
  expect((await makePod(api, 'b', {}, wanted)).body.message).toBe(
    'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
  );
});

test('a scope limits the pods that are in it, and nothing but pods', async () => {
  using api = makeApi();
  await limit(api, 'besteffort', { pods: '0' }, { scopes: ['BestEffort'] });
  await limit(api, 'terminating', { pods: '0' }, { scopes: ['Terminating'] });
  const requests = { requests: { cpu: '1m' } };
  expect((await makePod(api, 'a')).body.message).toContain('exceeded quota: besteffort');
  expect((await makePod(api, 'a', { activeDeadlineSeconds: 5 }, requests)).body.message).toContain(
    'exceeded quota: terminating',
  );
  expect((await makePod(api, 'a', {}, requests)).status).toBe(201);
});

test('a scope may ask for priority classes, and for affinity to other namespaces', async () => {
  using api = makeApi();
  const scope = (scopeName: string, operator: string, values?: string[]): object => ({
    scopeSelector: {
      matchExpressions: [{ scopeName, operator, ...(values === undefined ? {} : { values }) }],
    },
  });
  await ask(api, 'POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
    metadata: { name: 'high' },
    value: 9,
  });
  await limit(api, 'high', { pods: '0' }, scope('PriorityClass', 'In', ['high']));
  await limit(api, 'across', { pods: '0' }, scope('CrossNamespacePodAffinity', 'Exists'));
  expect((await makePod(api, 'a', { priorityClassName: 'high' })).body.message).toContain(
    'exceeded quota: high',
  );
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } } };
  const near = (more: object): object => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, ...more }] } },
  });
  expect((await makePod(api, 'a', near({ namespaces: ['other'] }))).body.message).toContain(
    'exceeded quota: across',
  );
  expect((await makePod(api, 'a', near({}))).status).toBe(201);
});

test('a dry run is judged but not charged', async () => {
  using api = makeApi();
  await limit(api, 'q', { configmaps: '1' });
  const path = `${IN_DEFAULT}/configmaps?dryRun=All`;
  expect((await ask(api, 'POST', path, { metadata: { name: 'a' } })).status).toBe(201);
  expect(await usedOf(api, 'q')).toEqual({ configmaps: '0' });
});
