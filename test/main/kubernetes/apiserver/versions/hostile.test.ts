// Bodies of old versions with anything in any place: always a well-formed answer, and a store that can still be read.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HttpRequest } from '../../../../../main/network/http/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

type Json = Record<string, unknown>;

const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'nginx' }] },
};
const backend = { serviceName: 'web', servicePort: 80 };
const ingress = {
  metadata: { name: 'x', annotations: { a: 'b' } },
  spec: { backend, rules: [{ host: 'a.test', http: { paths: [{ path: '/', backend }] } }] },
};
const workload = {
  metadata: { name: 'x', labels: { a: 'b' } },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template,
    rollbackTo: { revision: 1 },
    templateGeneration: 1,
  },
};
const autoscaler = {
  metadata: {
    name: 'x',
    annotations: {
      'autoscaling.alpha.kubernetes.io/metrics':
        '[{"type":"Pods","pods":{"metricName":"hits","targetAverageValue":"1"}}]',
    },
  },
  spec: {
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 50,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    metrics: [{ type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 60 } }],
  },
};
const N = '/namespaces/default';

/** Release, path, and a body that is right. */
const KINDS: readonly [version: string, path: string, body: Json][] = [
  ['v1.15.12', `/apis/extensions/v1beta1${N}/ingresses`, ingress],
  ['v1.15.12', `/apis/networking.k8s.io/v1beta1${N}/ingresses`, ingress],
  ['v1.15.12', `/apis/extensions/v1beta1${N}/deployments`, workload],
  ['v1.15.12', `/apis/apps/v1beta1${N}/deployments`, workload],
  ['v1.15.12', `/apis/extensions/v1beta1${N}/daemonsets`, workload],
  ['v1.15.12', `/apis/extensions/v1beta1${N}/replicasets`, workload],
  ['v1.15.12', `/apis/apps/v1beta1${N}/statefulsets`, workload],
  ['v1.23.17', `/apis/autoscaling/v1${N}/horizontalpodautoscalers`, autoscaler],
  ['v1.23.17', `/apis/autoscaling/v2beta1${N}/horizontalpodautoscalers`, autoscaler],
  [
    'v1.23.17',
    `/apis/policy/v1beta1${N}/poddisruptionbudgets`,
    { metadata: { name: 'x' }, spec: { selector: {} } },
  ],
  [
    'v1.23.17',
    `/apis/discovery.k8s.io/v1beta1${N}/endpointslices`,
    {
      metadata: { name: 'x' },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], topology: { 'kubernetes.io/hostname': 'a' } }],
      ports: [{ port: 80 }],
    },
  ],
  [
    'v1.15.12',
    '/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions',
    {
      metadata: { name: 'ships.harbour.test' },
      spec: {
        group: 'harbour.test',
        version: 'v1',
        versions: [{ name: 'v1', served: true, storage: true }],
        names: { plural: 'ships', kind: 'Ship' },
        validation: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string' } } } },
        additionalPrinterColumns: [{ name: 'A', type: 'string', JSONPath: '.a' }],
      },
    },
  ],
];

async function ask(api: TestApi, method: string, target: string, body?: unknown): Promise<[number, string]> {
  const request: HttpRequest = {
    method,
    target,
    headers: [['content-type', method === 'PATCH' ? 'application/merge-patch+json' : 'application/json']],
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
  const { status, body: answer } = await api.server.handler(request);
  const pieces: Uint8Array[] = [];
  if (typeof answer === 'string') pieces.push(Buffer.from(answer));
  else for await (const piece of (answer ?? []) as AsyncIterable<Uint8Array>) pieces.push(piece);
  return [status, Buffer.concat(pieces).toString('utf8')];
}

/** Paths to every member and item of a tree. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => placesOf(member, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Json) }) as Json;
  copy[key as string] = replaced((value as Json)[key as string], rest, by);
  return copy;
}

const odd = fc.oneof(
  fc.constantFrom(null, '', 0, -1, 1.5, true, [], {}, [null], { '': null }, '\u0000', 2 ** 53),
  fc.jsonValue({ maxDepth: 2 }),
);

test.each(KINDS)('a %s server answers whatever is sent to %s', async (version, path, body) => {
  using api = makeApi({ version });
  const places = placesOf(body);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...places), odd), { minLength: 1, maxLength: 2 }),
      async (changes) => {
        const [made] = await ask(api, 'POST', path, body);
        expect([201, 409]).toContain(made);
        let bad: unknown = body;
        for (const [place, by] of changes) {
          if (
            typeof bad === 'object' &&
            bad !== null &&
            placesOf(bad).some((one) => String(one) === String(place))
          )
            bad = replaced(bad, place, by);
        }
        const name = (body['metadata'] as { name: string }).name;
        for (const [method, target] of [
          ['PUT', `${path}/${name}`],
          ['PATCH', `${path}/${name}`],
          ['POST', path],
        ] as const) {
          const [status, text] = await ask(api, method, target, bad);
          expect([status, text], `${method} ${JSON.stringify(bad)}`).not.toEqual([500, expect.anything()]);
          expect(() => JSON.parse(text) as unknown).not.toThrow();
        }
        const [listed] = await ask(api, 'GET', path);
        expect(listed).toBe(200);
        await ask(api, 'DELETE', path);
      },
    ),
    { numRuns: 120 },
  );
  expect(api.faults).toEqual([]);
});
