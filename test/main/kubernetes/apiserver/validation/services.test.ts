import { expect, test } from 'vitest';
import { faultsOf, updateFaultsOf } from '../../../../support/judged.ts';

const service = (spec: object = {}, metadata: object = {}): object => ({
  metadata,
  spec: { ports: [{ port: 80 }], ...spec },
});

test.each([
  [
    { type: 'LoadBalancer', ports: [{ port: 10_250 }] },
    'spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet',
  ],
  [
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] },
    'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
  ],
  [
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
  ],
  [
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'None'] },
    'spec.clusterIPs: Invalid value: ["10.0.0.1","None"]: \'None\' must be the first and only value',
  ],
  [{ ipFamilies: ['IPv4', 'IPv4'] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
  [
    {
      type: 'ExternalName',
      externalName: 'a.b',
      ports: [],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    },
    [
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
    ],
  ],
  [
    { healthCheckNodePort: 30_001 },
    "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  [
    { loadBalancerClass: 'a b', type: 'LoadBalancer' },
    expect.stringMatching(/^spec\.loadBalancerClass: Invalid value: "a b": name part must consist of/),
  ],
  [
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ],
  [
    { ports: [{ port: 80, appProtocol: 'a b' }] },
    expect.stringMatching(/^spec\.ports\[0\]\.appProtocol: Invalid value: "a b"/),
  ],
])('of a Service with %j it says what is wrong', (spec, expected) => {
  expect(faultsOf('services', service(spec))).toEqual([expected].flat());
});

test('source ranges in an annotation are looked at where the field is empty', () => {
  const annotations = { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8,x' };
  expect(faultsOf('services', service({ type: 'LoadBalancer' }, { annotations }))).toEqual([
    'metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "10.0.0.0/8,x": must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24',
  ]);
});

test('a cluster IP stays, and so does the class of a load balancer', () => {
  const at = (clusterIP: string): object => service({ clusterIP, clusterIPs: [clusterIP] });
  expect(updateFaultsOf('services', at('10.0.0.1'), at('10.0.0.2'))).toEqual([
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
  ]);
  expect(updateFaultsOf('services', at('10.0.0.1'), service())).toEqual([
    'spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
  ]);
  const balanced = (loadBalancerClass: string): object =>
    service({ type: 'LoadBalancer', loadBalancerClass });
  expect(updateFaultsOf('services', balanced('a/b'), balanced('a/c'))).toEqual([
    'spec.loadBalancerClass: Invalid value: "a/c": may not change once set',
  ]);
});

test.each([
  [
    { addressType: 'FQDN', endpoints: [{ addresses: ['A_'] }] },
    /^endpoints\[0\]\.addresses\[0\]: Invalid value: "A_": a lowercase RFC 1123 subdomain/,
  ],
  [
    { addressType: 'IPv6', endpoints: [{ addresses: ['1.2.3.4'] }] },
    /^endpoints\[0\]\.addresses: Invalid value: "1\.2\.3\.4": must be an IPv6 address/,
  ],
  [
    { addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4'], hints: { forZones: [{ name: 'a b' }] } }] },
    /^endpoints\[0\]\.hints\.forZones\[0\]\.name: Invalid value: "a b"/,
  ],
  [
    { addressType: 'IPv4', endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['1.2.3.4'] })) },
    /^endpoints: Too many: 1001: must have at most 1000 items$/,
  ],
  [
    { addressType: 'IPv4', endpoints: [{ addresses: ['169.254.1.1'] }] },
    /may not be in the link-local range \(169\.254\.0\.0\/16, fe80::\/10\)$/,
  ],
  [
    { addressType: 'IPv6', endpoints: [{ addresses: ['ff02::1'] }] },
    /may not be in the link-local multicast range \(224\.0\.0\.0\/24, ff02::\/10\)$/,
  ],
])('of a slice with %j it says what is wrong', (slice, expected) => {
  expect(faultsOf('endpointslices', slice)).toEqual([expect.stringMatching(expected)]);
});

test('a slice keeps its type, and Endpoints that stay are not judged again', () => {
  expect(updateFaultsOf('endpointslices', { addressType: 'IPv4' }, { addressType: 'IPv6' })).toEqual([
    'addressType: Invalid value: "IPv6": field is immutable',
  ]);
  const bad = { subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] };
  expect(updateFaultsOf('endpoints', bad, { ...bad, metadata: { labels: { a: 'b' } } })).toEqual([]);
});
