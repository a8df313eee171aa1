import { expect, test } from 'vitest';
import { faultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const service = { service: { name: 's', port: { number: 80 } } };
const ingress = (spec: object, metadata: object = {}): object => ({ metadata, spec });
const withPath = (path: object): object =>
  ingress({
    rules: [{ host: 'a.b', http: { paths: [{ pathType: 'Prefix', path: '/', backend: service, ...path }] } }],
  });

test.each([
  [{ path: '/a/..' }, 'path: Invalid value: "/a/..": cannot end with \'/..\''],
  [{ path: 'a', pathType: 'ImplementationSpecific' }, 'path: Invalid value: "a": must be an absolute path'],
  [
    { backend: { ...service, resource: { kind: 'K', name: 'n' } } },
    'backend: Invalid value: "": cannot set both resource and service backends',
  ],
  [
    { backend: { resource: { kind: '', name: 'a/b' } } },
    [
      'backend.resource.kind: Required value',
      'backend.resource.name: Invalid value: "a/b": may not contain \'/\'',
    ],
  ],
  [
    { backend: { service: { name: 's', port: { name: 'A_' } } } },
    [
      'backend.service.port.name: Invalid value: "A_": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'backend.service.port.name: Invalid value: "A_": must contain at least one letter (a-z)',
    ],
  ],
])('of a path with %j it says what is wrong', (path, expected) => {
  expect(faultsOf('ingresses', withPath(path))).toEqual(
    [expected].flat().map((text) => `spec.rules[0].http.paths[0].${text}`),
  );
});

test('a path of an implementation may be empty', () => {
  expect(faultsOf('ingresses', withPath({ path: '', pathType: 'ImplementationSpecific' }))).toEqual([]);
});

test('class and annotation agree in a new Ingress; an old one may differ', () => {
  const both = ingress(
    { defaultBackend: service, ingressClassName: 'a' },
    { annotations: { 'kubernetes.io/ingress.class': 'b' } },
  );
  expect(faultsOf('ingresses', both)).toEqual([
    'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified',
  ]);
  expect(updateFaultsOf('ingresses', both, both)).toEqual([]);
});

test("a class's controller stays, and its parameters' scope says whether they have a namespace", () => {
  const named = (controller: string, parameters?: object): object => ({ spec: { controller, parameters } });
  expect(updateFaultsOf('ingressclasses', named('a/b'), named('a/c'))).toEqual([
    'spec.controller: Invalid value: "a/c": field is immutable',
  ]);
  expect(faultsOf('ingressclasses', named('a/b', { kind: 'K', name: 'n', namespace: 'x' }))).toEqual([
    "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
  ]);
});

test.each([
  [
    { ports: [{ endPort: 5 }] },
    'ports[0].endPort: Invalid value: 5: may not be specified when `port` is not specified',
  ],
  [
    { ports: [{ port: 'web', endPort: 5 }] },
    'ports[0].endPort: Invalid value: 5: may not be specified when `port` is non-numeric',
  ],
  [
    { to: [{ ipBlock: { cidr: 'x' } }] },
    'to[0].ipBlock.cidr: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    { to: [{ ipBlock: { cidr: '10.0.0.0/24', except: ['10.0.0.0/24'] } }] },
    'to[0].ipBlock.except[0]: Invalid value: "10.0.0.0/24": must be a strict subset of `cidr`',
  ],
])('of an egress rule with %j it says what is wrong', (rule, expected) => {
  expect(faultsOf('networkpolicies', { spec: { podSelector: {}, egress: [rule] } })).toEqual([
    `spec.egress[0].${expected}`,
  ]);
});

test('a range of Services keeps its first', () => {
  const range = (...cidrs: string[]): object => ({ spec: { cidrs } });
  expect(faultsOf('servicecidrs', range())).toEqual([
    'spec.cidrs: Required value: at least one CIDR required',
  ]);
  expect(updateFaultsOf('servicecidrs', range('10.0.0.0/24'), range('10.1.0.0/24'))).toEqual([
    'spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable',
  ]);
});
