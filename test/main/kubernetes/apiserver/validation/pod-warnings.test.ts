import { expect, test } from 'vitest';
import { warningsOf } from '../../../../../main/kubernetes/apiserver/validation/warnings.ts';

const warnings = (plural: string, object: object): string[] =>
  warningsOf(plural)!({ metadata: { name: 'x' }, ...object }, undefined);
const pod = (spec: object, metadata: object = {}): object => ({
  metadata: { name: 'x', ...metadata },
  spec: { containers: [], ...spec },
});

test.each([
  [
    pod({}, { name: 'a.b' }),
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]",
  ],
  [
    pod({ volumes: [{ name: 'v', gitRepo: {} }] }),
    'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
  ],
  [
    pod({ terminationGracePeriodSeconds: -1 }),
    'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ],
  [
    pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'x' } }),
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z' }] },
      },
    }),
    'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
  ],
  [
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] }],
          },
        },
      },
    }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
  ],
])('of the pod %j it warns', (object, expected) => {
  expect(warnings('pods', object)).toEqual([expected]);
});

test('a Secret for TLS is looked through for PEM blocks', () => {
  const block = (type: string): string =>
    Buffer.from(`-----BEGIN ${type}-----\nAA==\n-----END ${type}-----\n`).toString('base64');
  const tls = (certificate: string, key: string): string[] =>
    warnings('secrets', { type: 'kubernetes.io/tls', data: { 'tls.crt': certificate, 'tls.key': key } });
  expect(tls('', '')).toEqual(['tls: failed to find any PEM data in certificate input']);
  expect(tls(block('EC PRIVATE KEY'), '')).toEqual([
    'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
  ]);
  expect(tls(block('CERTIFICATE'), '')).toEqual(['tls: failed to find any PEM data in key input']);
  expect(tls(block('CERTIFICATE'), block('CERTIFICATE'))).toEqual([
    'tls: found a certificate rather than a key in the PEM for the private key',
  ]);
  expect(tls(block('CERTIFICATE'), block('RSA PRIVATE KEY'))).toEqual([]);
});

test('an update that leaves the spec alone warns of nothing', () => {
  const object = { metadata: { name: 'x' }, ...pod({ terminationGracePeriodSeconds: -1 }) };
  const stored = {
    apiVersion: 'v1',
    kind: 'Pod',
    ...object,
    metadata: { ...object.metadata, uid: 'u', resourceVersion: '1' },
  };
  expect(warningsOf('pods')!(object, stored as never)).toEqual([]);
});

test.each([
  [
    'services',
    { spec: { clusterIP: 'None', loadBalancerIP: '1.2.3.4' } },
    'spec.loadBalancerIP is ignored for headless services',
  ],
  [
    'ingresses',
    { metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } } },
    'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
  ],
  ['persistentvolumes', { spec: { rbd: {} } }, 'spec.rbd: deprecated in v1.28, non-functional in v1.31+'],
])('of %s with %j it warns', (plural, object, expected) => {
  expect(warnings(plural, object)).toEqual([expected]);
});

test('kinds that nothing here acts on say so', () => {
  expect(warnings('resourceclaims', {})).toEqual([
    "drydock: allocating devices to a ResourceClaim isn't simulated",
  ]);
  expect(warnings('mutatingadmissionpolicies', {})).toEqual([
    "drydock: changing objects by a MutatingAdmissionPolicy isn't simulated",
  ]);
});
