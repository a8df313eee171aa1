// Conversions lose nothing: what goes to the stored version and back, or the other way round, is as it was.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversionOf } from '../../../../../main/kubernetes/api/conversion/conversion.ts';
import type { Tree } from '../../../../../main/kubernetes/api/conversion/tree.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const label = fc.dictionary(name, name, { maxKeys: 3 });
const quantity = fc.constantFrom('100m', '1', '2Gi', '50');
const defined = (tree: Tree): Tree => JSON.parse(JSON.stringify(tree)) as Tree;
/** Members may be missing. */
const some = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Tree> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Tree>;
const all = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Tree> =>
  fc.record(model) as fc.Arbitrary<Tree>;

const metadata = fc
  .tuple(name, fc.option(fc.dictionary(name, name, { minKeys: 1, maxKeys: 2 }), { nil: undefined }))
  .map(([own, annotations]) => (annotations === undefined ? { name: own } : { name: own, annotations }));

const port = fc.oneof(all({ number: fc.integer({ min: 1, max: 65535 }) }), all({ name }));
const storedBackend = fc.oneof(
  all({ service: all({ name, port }) }),
  all({ resource: all({ kind: name, name }) }),
);
const storedIngress = all({
  metadata,
  spec: some({
    ingressClassName: name,
    defaultBackend: storedBackend,
    tls: fc.array(some({ hosts: fc.array(name), secretName: name }), { maxLength: 2 }),
    rules: fc.array(
      some({
        host: name,
        http: all({
          paths: fc.array(
            all({
              path: name.map((text) => `/${text}`),
              pathType: fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific'),
              backend: storedBackend,
            }),
            { maxLength: 3 },
          ),
        }),
      }),
      { maxLength: 3 },
    ),
  }),
});
const oldBackend = all({
  serviceName: name,
  servicePort: fc.oneof(fc.integer({ min: 1, max: 65535 }), name),
});
const oldIngress = all({
  metadata,
  spec: some({
    backend: oldBackend,
    rules: fc.array(
      some({
        host: name,
        http: all({
          paths: fc.array(all({ path: name, pathType: fc.constant('Prefix'), backend: oldBackend })),
        }),
      }),
      { maxLength: 3 },
    ),
  }),
});

const selector = some({
  matchLabels: fc.dictionary(name, name, { minKeys: 1, maxKeys: 3 }),
  matchExpressions: fc.array(all({ key: name, operator: fc.constantFrom('Exists', 'DoesNotExist') }), {
    minLength: 1,
    maxLength: 2,
  }),
});

const target = fc.oneof(
  all({ type: fc.constant('AverageValue'), averageValue: quantity }),
  all({ type: fc.constant('Value'), value: quantity }),
);
const resourceTarget = fc.oneof(
  all({ type: fc.constant('Utilization'), averageUtilization: fc.integer({ min: 1, max: 100 }) }),
  all({ type: fc.constant('AverageValue'), averageValue: quantity }),
);
const metricId = fc
  .tuple(name, fc.option(selector, { nil: undefined }))
  .map(([id, by]) => (by === undefined ? { name: id } : { name: id, selector: by }));
const object = all({ kind: name, name, apiVersion: name });
const metric = fc.oneof(
  all({
    type: fc.constant('Resource'),
    resource: all({ name: fc.constantFrom('cpu', 'memory'), target: resourceTarget }),
  }),
  all({
    type: fc.constant('ContainerResource'),
    containerResource: all({
      name: fc.constantFrom('cpu', 'memory'),
      container: name,
      target: resourceTarget,
    }),
  }),
  all({
    type: fc.constant('Pods'),
    pods: all({
      metric: metricId,
      target: all({ type: fc.constant('AverageValue'), averageValue: quantity }),
    }),
  }),
  all({ type: fc.constant('External'), external: all({ metric: metricId, target }) }),
  all({
    type: fc.constant('Object'),
    object: all({
      describedObject: object,
      metric: metricId,
      target: all({ type: fc.constant('Value'), value: quantity }),
    }),
  }),
);
const autoscaler = all({
  metadata,
  spec: fc
    .tuple(
      fc.array(metric, { minLength: 1, maxLength: 4 }),
      fc.option(some({ scaleDown: all({ stabilizationWindowSeconds: fc.nat() }) }), { nil: undefined }),
      fc.integer({ min: 1, max: 9 }),
    )
    .map(([metrics, behavior, maxReplicas]) =>
      behavior === undefined
        ? { maxReplicas, metrics, scaleTargetRef: { kind: 'Deployment', name: 'web' } }
        : { maxReplicas, metrics, behavior, scaleTargetRef: { kind: 'Deployment', name: 'web' } },
    ),
});

const storedSlice = all({
  metadata,
  addressType: fc.constant('IPv4'),
  endpoints: fc.array(
    some({
      addresses: fc.array(fc.ipV4(), { minLength: 1, maxLength: 2 }),
      nodeName: name,
      zone: name,
      deprecatedTopology: fc.dictionary(name, name, { minKeys: 1, maxKeys: 2 }),
      conditions: some({ ready: fc.boolean() }),
    }),
    { maxLength: 3 },
  ),
});

const template = all({ metadata: all({ labels: label }), spec: fc.constant({ containers: [] }) });
const deployment = all({
  metadata,
  spec: some({
    replicas: fc.nat(9),
    rollbackTo: all({ revision: fc.nat(9) }),
    selector: all({ matchLabels: label }),
    template,
  }),
});
const daemonSet = all({
  metadata,
  spec: some({ templateGeneration: fc.nat(9), selector: all({ matchLabels: label }), template }),
});

const schema = all({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.constant({ type: 'string' }), { minKeys: 1, maxKeys: 2 }),
});
const storedDefinition = all({
  metadata,
  spec: all({
    group: name,
    scope: fc.constantFrom('Namespaced', 'Cluster'),
    conversion: fc.constant({ strategy: 'None' }),
    versions: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).chain((names) =>
      fc.tuple(
        ...names.map((version, index) =>
          schema.map((openAPIV3Schema) => ({
            name: version,
            served: true,
            storage: index === 0,
            schema: { openAPIV3Schema },
            subresources: { status: {} },
            additionalPrinterColumns: [{ name: version, type: 'string', jsonPath: '.spec' }],
          })),
        ),
      ),
    ),
  }),
});

const backAndForth: readonly [groupVersion: string, kind: string, stored: fc.Arbitrary<Tree>][] = [
  ['extensions/v1beta1', 'Ingress', storedIngress],
  ['networking.k8s.io/v1beta1', 'Ingress', storedIngress],
  ['policy/v1beta1', 'PodDisruptionBudget', all({ metadata, spec: some({ selector }) })],
  ['discovery.k8s.io/v1beta1', 'EndpointSlice', storedSlice],
  ['autoscaling/v2beta1', 'HorizontalPodAutoscaler', autoscaler],
  ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', storedDefinition],
  ['rbac.authorization.k8s.io/v1beta1', 'Role', all({ metadata })],
];

describe('what is stored', () => {
  for (const [groupVersion, kind, arbitrary] of backAndForth) {
    test(`${kind} survives ${groupVersion}`, () => {
      const [group = '', version = ''] = groupVersion.split('/');
      const { fromStored, toStored } = conversionOf({ group, version, kind });
      fc.assert(
        fc.property(arbitrary, (generated) => {
          const stored = defined(generated);
          const before = JSON.stringify(stored);
          expect(toStored(fromStored(stored))).toEqual(stored);
          expect(JSON.stringify(stored)).toBe(before);
        }),
      );
    });
  }

  test('HorizontalPodAutoscaler survives autoscaling/v1, though the CPU comes last', () => {
    const { fromStored, toStored } = conversionOf({
      group: 'autoscaling',
      version: 'v1',
      kind: 'HorizontalPodAutoscaler',
    });
    fc.assert(
      fc.property(autoscaler, (generated) => {
        const stored = { ...defined(generated), status: { currentMetrics: null, desiredReplicas: 0 } };
        const again = toStored(fromStored(stored)) as typeof stored & { spec: { metrics: unknown[] } };
        const { spec } = stored as unknown as { spec: { metrics: unknown[] } };
        expect({ ...again.spec, metrics: undefined }).toEqual({ ...spec, metrics: undefined });
        expect(again.spec.metrics).toHaveLength(spec.metrics.length);
        expect(again.spec.metrics).toEqual(expect.arrayContaining(spec.metrics));
        expect(again['metadata' as never]).toEqual(stored['metadata' as never]);
      }),
    );
  });
});

describe('what an old client sends', () => {
  const sent: readonly [groupVersion: string, kind: string, old: fc.Arbitrary<Tree>][] = [
    ['extensions/v1beta1', 'Ingress', oldIngress],
    ['extensions/v1beta1', 'Deployment', deployment],
    ['apps/v1beta1', 'Deployment', deployment],
    ['extensions/v1beta1', 'DaemonSet', daemonSet],
    ['policy/v1beta1', 'PodDisruptionBudget', all({ metadata, spec: some({ selector }) })],
  ];
  for (const [groupVersion, kind, arbitrary] of sent) {
    test(`it gets back as ${groupVersion} ${kind}`, () => {
      const [group = '', version = ''] = groupVersion.split('/');
      const { fromStored, toStored } = conversionOf({ group, version, kind });
      fc.assert(
        fc.property(arbitrary, (generated) => {
          const old = defined(generated);
          expect(fromStored(toStored(old))).toEqual(old);
        }),
      );
    });
  }
});

describe('defaults of old versions', () => {
  const defaulted = (group: string, version: string, kind: string, given: Tree): Tree => {
    const made = defined(given);
    conversionOf({ group, version, kind }).defaults?.(made);
    return made;
  };
  const labels = { app: 'web' };
  const plain = { metadata: { name: 'web' }, spec: { template: { metadata: { labels } } } };

  test('a Deployment of extensions/v1beta1 selects what its template is labelled with, and never gives up', () => {
    expect(defaulted('extensions', 'v1beta1', 'Deployment', plain)).toMatchObject({
      metadata: { labels },
      spec: {
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
        revisionHistoryLimit: 2_147_483_647,
        progressDeadlineSeconds: 2_147_483_647,
      },
    });
  });

  test('a Deployment of apps/v1beta1 keeps two old ReplicaSets', () => {
    expect(defaulted('apps', 'v1beta1', 'Deployment', plain)).toMatchObject({
      spec: {
        selector: { matchLabels: labels },
        strategy: { rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 2,
      },
    });
  });

  test('a DaemonSet of extensions/v1beta1 is updated as its pods are deleted', () => {
    expect(defaulted('extensions', 'v1beta1', 'DaemonSet', plain)).toMatchObject({
      spec: { selector: { matchLabels: labels }, updateStrategy: { type: 'OnDelete' } },
    });
  });

  test('an empty selector of a v1beta1 budget matches nothing, a v1 one everything', () => {
    const { fromStored, toStored } = conversionOf({
      group: 'policy',
      version: 'v1beta1',
      kind: 'PodDisruptionBudget',
    });
    const key = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';
    expect(toStored({ spec: { selector: {} } })).toEqual({
      spec: { selector: { matchExpressions: [{ key, operator: 'Exists' }] } },
    });
    expect(fromStored({ spec: { selector: {} } })).toEqual({
      spec: { selector: { matchExpressions: [{ key, operator: 'DoesNotExist' }] } },
    });
  });
});
