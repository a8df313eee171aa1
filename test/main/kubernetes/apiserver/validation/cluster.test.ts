import { expect, test } from 'vitest';
import { faultsOf, updateFaultsOf } from '../../../../support/judged.ts';

test('a node gets its range and provider once, and little else changes', () => {
  const node = (spec: object): object => ({ spec });
  const ranged = node({ podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'], providerID: 'p' });
  expect(updateFaultsOf('nodes', node({}), ranged)).toEqual([]);
  expect(
    updateFaultsOf(
      'nodes',
      ranged,
      node({ podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'], providerID: 'q' }),
    ),
  ).toEqual([
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
  ]);
  expect(updateFaultsOf('nodes', node({}), node({ externalID: 'e' }))).toEqual([
    ': Forbidden: node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
  ]);
});

test('taints are unique by key and effect', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };
  expect(
    faultsOf('nodes', { spec: { taints: [taint, { ...taint, value: 'w' }, { key: 'l', effect: 'X' }] } }),
  ).toEqual([
    'spec.taints[1]: Duplicate value: {"Key":"k","Value":"w","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
    'spec.taints[2].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ]);
});

test.each([
  [
    'namespaces',
    { spec: { finalizers: ['x'] } },
    'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
  ],
  [
    'events',
    { metadata: { namespace: 'shop' }, involvedObject: {} },
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ],
  [
    'leases',
    { spec: { leaseTransitions: -1 } },
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    'priorityclasses',
    { value: 1_000_000_001 },
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ],
  [
    'priorityclasses',
    { metadata: { name: 'system-node-critical' }, value: 5 },
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
  ],
  [
    'runtimeclasses',
    { handler: 'h', scheduling: { nodeSelector: { 'a b': '' } } },
    expect.stringMatching(/^scheduling\.nodeSelector: Invalid value: "a b"/),
  ],
  [
    'apiservices',
    {
      metadata: { name: 'v1.x.io' },
      spec: {
        group: 'y.io',
        version: 'v1',
        groupPriorityMinimum: 1,
        versionPriority: 1,
        service: { name: 's', namespace: 'n' },
      },
    },
    'metadata.name: Invalid value: "v1.x.io": must be `spec.version+"."+spec.group`: "v1.y.io"',
  ],
  [
    'poddisruptionbudgets',
    { spec: { maxUnavailable: '5' } },
    expect.stringMatching(/^spec\.maxUnavailable: Invalid value: "5": a valid percent string/),
  ],
])('of %s with %j it says what is wrong', (plural, object, expected) => {
  expect(faultsOf(plural, object)).toEqual([expected]);
});

test('what classes are made of stays', () => {
  expect(updateFaultsOf('priorityclasses', { value: 1 }, { value: 2 })).toEqual([
    'value: Forbidden: may not be changed in an update.',
  ]);
  expect(updateFaultsOf('runtimeclasses', { handler: 'a' }, { handler: 'b' })).toEqual([
    'handler: Invalid value: "b": field is immutable',
  ]);
});

test.each([
  [
    { hard: { storage: '1' } },
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
  ],
  [
    { hard: { services: '1' }, scopes: ['BestEffort'] },
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ],
  [
    {
      hard: { pods: '1' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] },
    },
    "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
])('of a quota with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('resourcequotas', { spec })).toEqual([expected]);
});

test('the scopes of a quota stay', () => {
  const scoped = (...scopes: string[]): object => ({ spec: { hard: { pods: '1' }, scopes } });
  expect(updateFaultsOf('resourcequotas', scoped('BestEffort'), scoped('NotBestEffort'))).toEqual([
    'spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable',
  ]);
});

test.each([
  [
    'clusterroles',
    { aggregationRule: {} },
    'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
  ],
  [
    'clusterroles',
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    'clusterrolebindings',
    { roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 's' }] },
    'subjects[0].namespace: Required value',
  ],
  [
    'clusterrolebindings',
    { roleRef: { kind: 'Role', name: 'r' } },
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
])('of %s with %j it says what is wrong', (plural, object, expected) => {
  expect(faultsOf(plural, object)).toEqual([expected]);
});

test('a binding stays with its role', () => {
  const bound = (name: string): object => ({ roleRef: { kind: 'ClusterRole', name } });
  expect(updateFaultsOf('rolebindings', bound('a'), bound('b'))).toEqual([
    'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"b"}: cannot change roleRef',
  ]);
});

test('a ConfigMap and a Secret that were frozen stay so', () => {
  for (const plural of ['configmaps', 'secrets']) {
    const frozen = { immutable: true, data: { a: 'eA==' } };
    expect(updateFaultsOf(plural, frozen, { data: { a: 'eQ==' } })).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  }
  expect(updateFaultsOf('secrets', { type: 'Opaque' }, { type: 'x/y' })).toEqual([
    'type: Invalid value: "x/y": field is immutable',
  ]);
});

test('data has its limits', () => {
  const big = { a: 'x'.repeat(1024 * 1024 + 1) };
  expect(faultsOf('configmaps', { data: big })).toEqual([': Too long: may not be more than 1048576 bytes']);
});
