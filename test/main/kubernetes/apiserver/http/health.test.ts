import { expect, onTestFinished, test } from 'vitest';
import { askApi } from '../../../../support/ask-api.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

function start(): TestApi {
  const api = makeApi();
  onTestFinished(() => api[Symbol.dispose]());
  return api;
}

test.for(['/healthz', '/livez', '/readyz', '/readyz/ping', '/livez/etcd', '/readyz/shutdown'])(
  '%s says ok',
  async (path) => {
    const { response, text } = await askApi(start(), path);
    expect({ status: response.status, text }).toEqual({ status: 200, text: 'ok' });
  },
);

test.for(['/readyz/etcd', '/livez/shutdown', '/healthz/nope'])('%s is not found', async (path) => {
  expect((await askApi(start(), path)).response.status).toBe(404);
});

test('verbose names each check, excluded ones too, and what cannot be excluded', async () => {
  const { text } = await askApi(start(), '/livez?verbose&exclude=etcd&exclude=nope&exclude=also');
  const lines = text.split('\n');
  expect(lines.slice(0, 5)).toEqual([
    '[+]ping ok',
    '[+]log ok',
    '[+]loopback-serving-certificate ok',
    '[+]etcd excluded: ok',
    '[+]poststarthook/start-apiserver-admission-initializer ok',
  ]);
  expect(lines.slice(-3)).toEqual([
    'warn: some health checks cannot be excluded: no matches for "also", "nope"',
    'livez check passed',
    '',
  ]);
});

test('metrics tell what is stored, watched and was asked', async () => {
  const api = start();
  const stop = new AbortController();
  const { response } = await askApi(api, '/api/v1/namespaces/default/configmaps', {
    method: 'POST',
    body: JSON.stringify({ metadata: { name: 'one' } }),
    headers: [['Content-Type', 'application/json']],
  });
  expect(response.status).toBe(201);
  await askApi(api, '/api/v1/namespaces/default/pods/nope');
  const { text } = await askApi(api, '/metrics');
  stop.abort();

  expect(text).toMatch(/^apiserver_storage_objects\{resource="configmaps"\} [1-9]\d*$/m);
  expect(text).toContain(
    'apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="CREATE",version="v1"} 1\n',
  );
  expect(text).toContain(
    'apiserver_request_total{code="404",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 1\n',
  );
  expect(text).toMatch(/^kubernetes_build_info\{.*git_version="v1\.36\.2".*\} 1$/m);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="[^"]*",?)*\} \d+)$/);
});

test('what is not simulated says so', async () => {
  expect(await askApi(start(), '/debug/pprof/')).toMatchObject({
    response: { status: 501 },
    text: "drydock: /debug/pprof isn't simulated\n",
  });
});
