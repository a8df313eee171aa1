import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { headerOf } from '../../../../../main/network/http/index.ts';
import { askApi } from '../../../../support/ask-api.ts';
import { findKubectl } from '../../../../support/host-kubectl.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';
import { serveLoopback } from '../../../../support/serve-loopback.ts';

const ADMIN = { commonName: 'admin', organizations: ['system:masters'] };

function start(): TestApi {
  const api = makeApi();
  onTestFinished(() => api[Symbol.dispose]());
  return api;
}

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}

test('the index names each document by its hash, under which it never changes', async () => {
  const api = start();
  const { paths } = JSON.parse((await askApi(api, '/openapi/v3')).text) as Index;
  const { serverRelativeURL } = paths['apis/apps/v1']!;
  expect(serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);

  const { response } = await askApi(api, serverRelativeURL);
  expect(response.status).toBe(200);
  expect(headerOf(response.headers, 'cache-control')).toBe('public, immutable');
  const etag = headerOf(response.headers, 'etag')!;
  expect(serverRelativeURL).toContain(etag.replaceAll('"', ''));
  const again = await askApi(api, '/openapi/v3/apis/apps/v1', { headers: [['If-None-Match', etag]] });
  expect({ status: again.response.status, text: again.text }).toEqual({ status: 304, text: '' });

  const old = await askApi(api, '/openapi/v3/apis/apps/v1?hash=0123');
  expect(old.response.status).toBe(301);
  expect(headerOf(old.response.headers, 'location')).toBe(serverRelativeURL);
  expect((await askApi(api, '/openapi/v3/apis/apps/v9')).response.status).toBe(404);
});

test('a document refers to nothing that it does not define, and names a kind for each operation', async () => {
  const api = start();
  const { paths } = JSON.parse((await askApi(api, '/openapi/v3')).text) as Index;
  for (const name of Object.keys(paths)) {
    const { text } = await askApi(api, `/openapi/v3/${name}`);
    const document = JSON.parse(text) as {
      paths: Record<string, Record<string, { 'x-kubernetes-group-version-kind'?: unknown }>>;
      components: { schemas: Record<string, unknown> };
    };
    const defined = new Set(Object.keys(document.components.schemas));
    const missing = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].filter(
      ([, schema]) => !defined.has(schema!),
    );
    const kindless = Object.entries(document.paths)
      .filter(([url]) => url !== `/${name}/`)
      .flatMap(([url, operations]) =>
        Object.entries(operations)
          .filter(([, operation]) => operation['x-kubernetes-group-version-kind'] === undefined)
          .map(([method]) => `${method} ${url}`),
      );
    expect({ name, missing, kindless }).toEqual({ name, missing: [], kindless: [] });
  }
});

test('v2 comes as JSON and as protobuf, each with its own tag', async () => {
  const api = start();
  const json = await askApi(api, '/openapi/v2');
  expect(JSON.parse(json.text)).toMatchObject({ swagger: '2.0', info: { title: 'Kubernetes' } });
  const protobuf = await askApi(api, '/openapi/v2', {
    headers: [['Accept', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']],
  });
  expect(headerOf(protobuf.response.headers, 'content-type')).toBe(
    'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  );
  expect(protobuf.text.slice(0, 5)).toBe('\n\u00032.0');
  const etag = headerOf(protobuf.response.headers, 'etag')!;
  expect(etag).not.toBe(headerOf(json.response.headers, 'etag'));
  expect((await askApi(api, '/openapi/v2', { headers: [['If-None-Match', etag]] })).response.status).toBe(
    200,
  );
});

for (const minor of ['1.27', '1.30', '1.32', '1.33']) {
  test(`kubectl ${minor} explains every kind with all its fields`, { timeout: 90_000 }, async (context) => {
    const kubectl = findKubectl(minor);
    if (kubectl === undefined) return context.skip(`no kubectl ${minor} on this machine`);
    const api = start();
    await using door = await serveLoopback(api.server.handler, ADMIN, (error) => api.faults.push(error));
    const cache = mkdtempSync(path.join(tmpdir(), 'drydock-explain-'));
    onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
    const flags = ['--server', door.url, '--kubeconfig', '/dev/null', '--cache-dir', cache];
    const run = async (...args: string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)(kubectl, [...flags, ...args], { maxBuffer: 2 ** 26 });
      return stdout;
    };
    const names = (await run('api-resources', '-o', 'name')).trimEnd().split('\n');
    expect(names.length).toBeGreaterThan(50);
    // Of two kinds called events, kubectl reads the name's other parts as fields of the first.
    const left = names.filter((name) => name !== 'events.events.k8s.io');
    const explainNext = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift())
        expect(await run('explain', name, '--recursive')).toMatch(/^(GROUP|KIND): [^]*\nFIELDS:\n {2}\S/);
    };
    await Promise.all([explainNext(), explainNext(), explainNext()]);
    expect(await run('explain', 'pod.spec.containers.ports.containerPort')).toContain(
      'containerPort <integer>',
    );
    expect(api.faults).toEqual([]);
  });
}
