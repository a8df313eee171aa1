// Ten thousand hostile requests at the real HTTPS door: always an answer that a real server could give, never a crash,
// a hang or a corrupt workspace. FUZZ_SEED plays another round.
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SqliteStore } from '../../../main/storage/index.ts';
import { workspaceIn } from '../../../main/session/index.ts';
import { hostLoop } from '../../support/host-loop.ts';
import { openDrydock, type OpenDrydock } from '../../support/open-drydock.ts';
import { DoorClient, faultOf, type Knock } from './door-client.ts';
import { accept, contentType, leaf, mutate, mutation, rawBody, text, value, type Json } from './hostile.ts';
import { MINIMAL_OBJECTS } from './minimal-objects.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_120);
const NAMESPACE = 'fuzz';
const AT_A_TIME = 16;
/** Characters of a fault that tell it apart from another. */
const FAULT_PREFIX = 260;
const JSON_TYPE = { 'content-type': 'application/json' };

let drydock: OpenDrydock;
let door: DoorClient;
let cases = 0;
let names = 0;

beforeAll(async () => {
  drydock = await openDrydock({ speed: 1 });
  const { clusters, users } = parse(drydock.kubeconfig) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const pem = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString();
  door = new DoorClient({
    url: drydock.api,
    certificate: pem(users[0]?.user['client-certificate-data']),
    key: pem(users[0]?.user['client-key-data']),
    authority: pem(clusters[0]?.cluster['certificate-authority-data']),
  });
  await send({
    method: 'POST',
    path: '/api/v1/namespaces',
    headers: JSON_TYPE,
    body: `{"metadata":{"name":"${NAMESPACE}"}}`,
  });
}, 60_000);
afterAll(async () => {
  door[Symbol.dispose]();
  await drydock[Symbol.asyncDispose]();
}, 30_000);

/** Sends a request and throws, naming it, unless the answer is a good one. */
async function send(knock: Knock): Promise<{ status: number; body: string }> {
  const answer = await door.knock(knock);
  const fault = knock.method === 'HEAD' ? undefined : faultOf(answer);
  if (fault !== undefined) {
    const body =
      typeof knock.body === 'string' ? knock.body : Buffer.from(knock.body ?? []).toString('base64');
    throw new Error(
      `${knock.method} ${knock.path} ${JSON.stringify(knock.headers)}\n${body.slice(0, 1500)}\n→ ${fault}`,
    );
  }
  return answer;
}

/** Tries that many cases, a few at a time, and tells what failed, each kind of fault once: nothing if all is well. */
async function hold<T>(
  runs: number,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => Promise<unknown>,
): Promise<readonly string[]> {
  const failures = new Map<string, string>();
  const queue = fc.sample(arbitrary, { seed: SEED, numRuns: runs });
  const work = async (): Promise<void> => {
    for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
      cases++;
      try {
        await check(one);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const kindOfFault = message
          .slice(message.indexOf('→'))
          .slice(0, FAULT_PREFIX)
          .replaceAll(/\d+/g, 'N');
        if (!failures.has(kindOfFault)) failures.set(kindOfFault, message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const faults = drydock.faults.map((fault) => (fault instanceof Error ? fault.stack : String(fault)) ?? '');
  return failures.size + faults.length === 0 ? [] : [`FUZZ_SEED=${SEED}`, ...failures.values(), ...faults];
}

/** The collection's path and the object, with names of their own. */
function fill({ path: collection, object }: (typeof MINIMAL_OBJECTS)[number]): {
  collection: string;
  object: Json;
  name: string;
} {
  const unique = `f${++names}`;
  const filled = JSON.parse(
    JSON.stringify(object).replaceAll('{ns}', NAMESPACE).replaceAll('{name}', unique),
  ) as Json & { metadata: { name: string } };
  return { collection: collection.replace('{ns}', NAMESPACE), object: filled, name: filled.metadata.name };
}

/** Whether controllers would make Pods of it for ever, as real ones would. */
function isStorm(object: Json): boolean {
  const spec = (object as { spec?: Record<string, unknown> | null } | null)?.spec;
  const isMany = (amount: unknown): boolean => typeof amount === 'number' && amount > 3;
  return isMany(spec?.['replicas']) || isMany(spec?.['parallelism']) || isMany(spec?.['completions']);
}

const kind = fc.constantFrom(...MINIMAL_OBJECTS);
const escaped = text.map((one) => encodeURIComponent(one.isWellFormed() ? one : 'x').slice(0, 2000));

test('the minimal objects are valid, so that mutations begin with something good', async () => {
  for (const minimal of MINIMAL_OBJECTS) {
    const { collection, object } = fill(minimal);
    const { status, body } = await send({
      method: 'POST',
      path: `${collection}?dryRun=All&fieldValidation=Strict`,
      headers: JSON_TYPE,
      body: JSON.stringify(object),
    });
    expect([collection, status, status === 201 ? '' : body]).toEqual([collection, 201, '']);
  }
});

test('mutated objects', { timeout: 120_000 }, async () => {
  expect(
    await hold(
      3500,
      fc.record({ kind, mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }), isReal: fc.nat(9) }),
      async (one) => {
        const { collection, object } = fill(one.kind);
        const mutated = mutate(object, one.mutations);
        const body = JSON.stringify(mutated);
        await send({
          method: 'POST',
          path:
            one.isReal < 2 && !isStorm(mutated)
              ? collection
              : `${collection}?dryRun=All&fieldValidation=${one.isReal < 5 ? 'Strict' : 'Ignore'}`,
          headers: JSON_TYPE,
          body,
        });
      },
    ),
  ).toEqual([]);
});

const patchOperation = fc.record({
  op: fc.constantFrom<Json>('add', 'remove', 'replace', 'move', 'copy', 'test', 'nonsense', null),
  path: fc.oneof(
    fc.constantFrom<Json>(
      '',
      '/',
      '/metadata',
      '/metadata/labels',
      '/metadata/name',
      '/spec/-',
      '/spec/0',
      '/data/a',
      '/~1',
      '/~2',
      '/__proto__/x',
      '/metadata/managedFields/0',
    ),
    leaf,
  ),
  from: fc.constantFrom<Json>('/metadata/name', '/spec', '', '/nothing', 7),
  value,
});

test('patches of all four kinds', { timeout: 120_000 }, async () => {
  const targets: { item: string; object: Json }[] = [];
  for (const minimal of MINIMAL_OBJECTS.filter(({ path: collection }) => !collection.includes('review'))) {
    const { collection, object, name } = fill(minimal);
    const { status } = await send({
      method: 'POST',
      path: collection,
      headers: JSON_TYPE,
      body: JSON.stringify(object),
    });
    expect([collection, status]).toEqual([collection, 201]);
    targets.push({ item: `${collection}/${name}`, object });
  }
  const directive = fc.constantFrom<Json>(
    { $patch: 'delete' },
    { $patch: 'replace' },
    { $patch: 'nonsense' },
    { $retainKeys: ['a'] },
    { $retainKeys: 5 },
    { '$setElementOrder/containers': [{ name: 'x' }] },
    { '$setElementOrder/ports': null },
    { '$deleteFromPrimitiveList/finalizers': ['x'] },
    { '$deleteFromPrimitiveList/finalizers': 1 },
  );
  const target = fc.nat(10_000).map((index) => targets[index % targets.length]!);
  const query = fc.constantFrom(
    '',
    '?dryRun=All',
    '?fieldManager=f&force=true',
    '?fieldManager=',
    '?fieldManager=g&dryRun=All',
  );
  const status = fc.constantFrom(
    '',
    '',
    '',
    '/status',
    '/scale',
    '/nonsense',
    '/ephemeralcontainers',
    '/resize',
  );
  expect(
    await hold(
      2500,
      fc.record({
        target,
        query,
        status,
        type: fc.constantFrom(
          'json-patch+json',
          'merge-patch+json',
          'strategic-merge-patch+json',
          'apply-patch+yaml',
        ),
        operations: fc.array(patchOperation, { maxLength: 4 }),
        mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
        directive,
        place: fc.nat(10_000),
        raw: fc.option(rawBody, { freq: 15 }),
      }),
      async (one) => {
        const whole = mutate(one.target.object, one.mutations);
        const document =
          one.type === 'json-patch+json'
            ? one.operations
            : one.place % 3 === 0
              ? mutate(whole, [{ place: one.place, change: 'replace', key: '', value: one.directive }])
              : whole;
        await send({
          method: 'PATCH',
          path: `${one.target.item}${one.status}${one.query}`,
          headers: { 'content-type': `application/${one.type}` },
          body: one.raw ?? JSON.stringify(document),
        });
      },
    ),
  ).toEqual([]);
});

test('bodies that are no objects, under any content type', { timeout: 120_000 }, async () => {
  expect(
    await hold(
      1200,
      fc.record({
        kind,
        rawBody,
        contentType,
        accept,
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'GET'),
        isItem: fc.boolean(),
      }),
      async (one) => {
        const { collection, name } = fill(one.kind);
        const onItem = one.isItem || one.method === 'PUT' || one.method === 'PATCH';
        if (one.method === 'DELETE' && !onItem) return; // It would take away what other tests want.
        await send({
          method: one.method,
          path: onItem ? `${collection}/${name}` : `${collection}?dryRun=All`,
          headers: { 'content-type': one.contentType, accept: one.accept },
          body: one.rawBody,
        });
      },
    ),
  ).toEqual([]);
});

const segment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'api',
      'apis',
      'v1',
      'apps',
      'namespaces',
      'default',
      'pods',
      'nodes',
      'services',
      'deployments',
      'status',
      'scale',
      'log',
      'proxy',
      'token',
      'eviction',
      'openapi',
      'v2',
      'v3',
      'watch',
      'healthz',
      'worker1',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '.',
      '..',
      '%2e%2e',
      '%2F',
      '%00',
      '%',
      '%zz',
      '%ff',
      '',
      'a'.repeat(5000),
      '__proto__',
      'constructor',
    ),
  },
  { weight: 1, arbitrary: escaped },
);

test('paths and methods', { timeout: 120_000 }, async () => {
  expect(
    await hold(
      1500,
      fc.record({
        segments: fc.array(segment, { maxLength: 9 }),
        method: fc.constantFrom(
          'GET',
          'GET',
          'GET',
          'POST',
          'PUT',
          'PATCH',
          'HEAD',
          'OPTIONS',
          'TRACE',
          'PROPFIND',
          'QUERY',
        ),
        accept,
      }),
      (one) =>
        send({
          method: one.method,
          path: `/${one.segments.join('/')}${one.segments.includes('watch') ? '?timeoutSeconds=1&dryRun=All' : '?dryRun=All'}`,
          headers: { accept: one.accept, ...JSON_TYPE },
          body: one.method === 'GET' ? undefined : '{}',
        }),
    ),
  ).toEqual([]);
});

const parameter = fc.oneof(
  fc.tuple(
    fc.constantFrom('labelSelector', 'fieldSelector'),
    fc.oneof(
      escaped,
      fc.constantFrom(
        'a%20in%20(',
        'a%20in%20()',
        '!',
        '!!a',
        'a%3D%3Db%2C%2C',
        'metadata.name%3D%5C',
        'metadata.name%3D',
        'spec.nodeName!%3Dx',
        'a%20notin%20(b,c)',
        'x%3E5',
        '=%3D',
        '%5C%5C%2C%3D',
        'a%2Cb%2C!c%2Cd%20in%20(e)',
      ),
    ),
  ),
  fc.tuple(
    fc.constantFrom(
      'limit',
      'timeoutSeconds',
      'gracePeriodSeconds',
      'tailLines',
      'sinceSeconds',
      'limitBytes',
    ),
    fc.constantFrom('0', '-1', '1', 'x', '1e3', '99999999999999999999', ''),
  ),
  fc.tuple(
    fc.constant('continue'),
    fc.oneof(
      escaped,
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
      fc
        .record({ v: fc.constant('meta.k8s.io/v1'), rv: value, start: value })
        .map((token) => Buffer.from(JSON.stringify(token)).toString('base64url').slice(0, 4000)),
    ),
  ),
  fc.tuple(
    fc.constantFrom('resourceVersion', 'resourceVersionMatch'),
    fc.constantFrom('', '0', '-1', '1', 'x', '99999999999999999999', 'Exact', 'NotOlderThan', 'NotNewer'),
  ),
  fc.tuple(
    fc.constantFrom(
      'dryRun',
      'fieldValidation',
      'propagationPolicy',
      'pretty',
      'follow',
      'sendInitialEvents',
      'allowWatchBookmarks',
      'force',
      'fieldManager',
      'nonsense',
    ),
    fc.oneof(escaped, fc.constantFrom('All', 'true', 'false', 'Strict', 'Orphan')),
  ),
);

test('query parameters, selectors and continue tokens', { timeout: 120_000 }, async () => {
  const lists = MINIMAL_OBJECTS.filter(({ path: collection }) => !collection.includes('review'));
  expect(
    await hold(
      1300,
      fc.record({
        kind: fc.constantFrom(...lists),
        parameters: fc.array(parameter, { minLength: 1, maxLength: 4 }),
        accept,
        isWatch: fc.nat(19).map((n) => n === 0),
      }),
      (one) => {
        const { collection } = fill(one.kind);
        const pairs = one.parameters.filter(([name]) => name !== 'timeoutSeconds' || !one.isWatch);
        const query = [
          ...pairs,
          ...(one.isWatch
            ? [
                ['watch', '1'],
                ['timeoutSeconds', '1'],
              ]
            : []),
        ];
        return send({
          method: 'GET',
          path: `${collection}?${query.map(([name, given]) => `${name}=${given}`).join('&')}`,
          headers: { accept: one.accept },
        });
      },
    ),
  ).toEqual([]);
});

test('headers: impersonation, tokens, upgrades and lengths', { timeout: 120_000 }, async () => {
  const word = fc.oneof(
    fc.constantFrom(
      'jane',
      'system:masters',
      'system:serviceaccount:a:b',
      'system:serviceaccount:',
      '',
      ' ',
      'a'.repeat(4000),
      'system:anonymous',
    ),
    fc.stringMatching(/^[\x21-\x7e]{0,30}$/),
  );
  const header = fc.oneof(
    fc.tuple(
      fc.constantFrom(
        'impersonate-user',
        'impersonate-group',
        'impersonate-uid',
        'impersonate-extra-a',
        'impersonate-extra-%zz',
        'x-remote-user',
        'user-agent',
        'if-none-match',
        'range',
        'expect-none',
        'origin',
        'content-encoding',
        'accept-encoding',
      ),
      word,
    ),
    fc.tuple(
      fc.constant('authorization'),
      word.map((one) => `Bearer ${one}`),
    ),
    fc.tuple(
      fc.constant('authorization'),
      fc
        .array(
          fc.json().map((json) => Buffer.from(json).toString('base64url').slice(0, 200)),
          { minLength: 3, maxLength: 3 },
        )
        .map((parts) => `Bearer ${parts.join('.')}`),
    ),
    fc.tuple(
      fc.constant('authorization'),
      fc.constantFrom('Basic eA==', 'Bearer', 'Negotiate', 'bearer a.b.c'),
    ),
  );
  expect(
    await hold(
      600,
      fc.record({
        headers: fc.array(header, { minLength: 1, maxLength: 4 }),
        path: fc.constantFrom(
          '/api/v1/namespaces/default/pods',
          '/version',
          '/apis',
          '/openapi/v3',
          '/api/v1/nodes/worker1',
          '/healthz?verbose',
        ),
      }),
      (one) => send({ method: 'GET', path: one.path, headers: Object.fromEntries(one.headers) }),
    ),
  ).toEqual([]);
});

test(
  'bytes on the TLS connection that are no HTTP, or no frames after an upgrade',
  { timeout: 120_000 },
  async () => {
    const pods = JSON.parse(
      (await send({ method: 'GET', path: '/api/v1/namespaces/kube-system/pods' })).body,
    ) as {
      items: { metadata: { name: string } }[];
    };
    const pod = pods.items.find(({ metadata }) => metadata.name.startsWith('coredns'))!.metadata.name;
    const upgrade = (protocol: string, kindOfStream: string, target: string): string =>
      `${kindOfStream === 'SPDY/3.1' ? 'POST' : 'GET'} /api/v1/namespaces/kube-system/pods/${pod}/${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${kindOfStream}\r\n` +
      (kindOfStream === 'SPDY/3.1'
        ? `X-Stream-Protocol-Version: ${protocol}\r\nContent-Length: 0\r\n\r\n`
        : `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
    const beginning = fc.oneof(
      fc.constantFrom(
        'GET / HTTP/9.9\r\n\r\n',
        'GET /version HTTP/1.1\r\n\r\n',
        'GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
        'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{',
        'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nFFFFFFFFFF\r\n{}',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        `GET /version HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
        `GET /${'z'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
        'GET /version HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n',
        'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n',
        'get /version http/1.1\r\n\r\n',
      ),
      fc
        .tuple(
          fc.constantFrom(
            'v5.channel.k8s.io',
            'v4.channel.k8s.io',
            'portforward.k8s.io',
            'SPDY/3.1+portforward.k8s.io',
            'v4.base64.channel.k8s.io',
            'nonsense',
          ),
          fc.constantFrom('websocket', 'SPDY/3.1', 'h2c'),
          fc.constantFrom(
            'exec?command=ls&stdin=true&stdout=true',
            'exec',
            'attach?stdin=true',
            'portforward?ports=53',
            'portforward?ports=x',
            'log?follow=true',
            'exec?command=nonsense&stdout=1&container=x',
          ),
        )
        .map((given) => upgrade(...given)),
    );
    expect(
      await hold(
        300,
        fc.tuple(beginning, fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 })),
        async ([start, frames]) => {
          const reply = await door.raw([start, ...frames]);
          if (reply !== '' && !/^HTTP\/1\.1 \d{3} /.test(reply))
            throw new Error(`not HTTP: ${reply.slice(0, 200)}`);
          if (/^HTTP\/1\.1 5\d\d/.test(reply) && !reply.includes('"kind":"Status"'))
            throw new Error(reply.slice(0, 500));
        },
      ),
    ).toEqual([]);
    expect(
      await hold(
        100,
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 3 }),
        (pieces) => door.raw(pieces, { plain: true }),
      ),
    ).toEqual([]);
  },
);

test('afterwards everything can be read, removed, and opened again', { timeout: 120_000 }, async () => {
  expect(cases).toBeGreaterThanOrEqual(10_000);
  const lists = [...new Set(MINIMAL_OBJECTS.map(({ path: collection }) => collection))].filter(
    (one) => !one.includes('review'),
  );
  const before = new Map<string, string>();
  for (const collection of lists) {
    const all = collection.replace('namespaces/{ns}/', '');
    const { status, body } = await send({ method: 'GET', path: all });
    expect([all, status]).toEqual([all, 200]);
    const table = await send({
      method: 'GET',
      path: all,
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    const { items } = JSON.parse(body) as { items: { metadata: { name: string } }[] };
    expect((JSON.parse(table.body) as { rows: unknown[] }).rows).toHaveLength(items.length);
    before.set(
      all,
      createHash('sha256')
        .update(JSON.stringify(items.map(({ metadata }) => metadata.name)))
        .digest('hex'),
    );
  }
  const { session, folder } = drydock;
  session.clock.pause();
  await session.durable();
  const copy = path.join(folder, 'copy');
  cpSync(path.join(folder, 'data'), copy, { recursive: true });
  const file = workspaceIn(copy);
  const database = new Database(file, { readonly: true });
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
  const reopened = new SqliteStore({ path: file, turns: hostLoop });
  const stored = reopened.list('/registry/');
  expect(stored).toHaveLength(session.store.list('/registry/').length);
  for (const record of stored) expect(() => JSON.parse(String(record.value)) as unknown).not.toThrow();
  reopened[Symbol.dispose]();
  expect(before.size).toBeGreaterThan(30);
  expect(drydock.faults).toEqual([]);
});
