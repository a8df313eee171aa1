import { expect, test } from 'vitest';
import {
  internalForm,
  labelsForm,
  selectorForm,
  templateForm,
} from '../../../../../main/kubernetes/apiserver/validation/internal-form.ts';
import { INTERNAL_TYPES } from '../../../../../main/kubernetes/apiserver/validation/internal-types.ts';

test('members that are not set show their zero value, in the order of the Go type', () => {
  expect(JSON.stringify(internalForm('ContainerPort', { containerPort: 80, protocol: 'TCP' }))).toBe(
    '{"Name":"","HostPort":0,"ContainerPort":80,"Protocol":"TCP","HostIP":""}',
  );
});

test('names on the wire are found again, whatever their abbreviations', () => {
  const form = internalForm('Container', {
    tty: true,
    livenessProbe: { httpGet: { port: 80 }, tcpSocket: { port: 'web' }, grpc: { port: 1 } },
    securityContext: { seLinuxOptions: { level: 's0' } },
  });
  expect(form['TTY']).toBe(true);
  expect(form['LivenessProbe']).toMatchObject({
    HTTPGet: { Port: 80 },
    TCPSocket: { Port: 'web' },
    GRPC: { Port: 1, Service: null },
  });
  expect(form['SecurityContext']).toMatchObject({ SELinuxOptions: { Level: 's0' } });
  const spec = internalForm('PodSpec', { dnsPolicy: 'None', os: { name: 'linux' }, setHostnameAsFQDN: true });
  expect(spec).toMatchObject({ DNSPolicy: 'None', OS: { Name: 'linux' }, SetHostnameAsFQDN: true });
  expect(
    internalForm('PersistentVolumeSource', { cephfs: { monitors: ['a'] }, fc: { wwids: ['w'] } }),
  ).toMatchObject({
    CephFS: { Monitors: ['a'] },
    FC: { WWIDs: ['w'], Lun: null },
  });
});

test('the namespaces that a pod shares with its node stand in its security context', () => {
  const { SecurityContext } = internalForm('PodSpec', {
    hostNetwork: true,
    shareProcessNamespace: false,
    securityContext: { runAsUser: 5 },
  });
  expect(SecurityContext).toMatchObject({
    HostNetwork: true,
    HostPID: false,
    ShareProcessNamespace: false,
    RunAsUser: 5,
  });
});

test('every type that a type refers to is there', () => {
  for (const type of Object.keys(INTERNAL_TYPES)) expect(() => internalForm(type, {})).not.toThrow();
  const named = Object.values(INTERNAL_TYPES).flatMap((text) =>
    [...text.matchAll(/:(?:\*|\[\]|\+)?([A-Z][A-Za-z]+)\^?(?=\s|$)/g)].map(([, name = '']) => name),
  );
  expect(named.filter((name) => name !== 'L' && INTERNAL_TYPES[name] === undefined)).toEqual([]);
});

test('maps are shown by key, selectors by their names on the wire', () => {
  expect(JSON.stringify(labelsForm({ b: '1', a: '2' }))).toBe('{"a":"2","b":"1"}');
  expect(labelsForm(undefined)).toBeNull();
  expect(
    JSON.stringify(
      selectorForm({
        matchExpressions: [{ values: ['x'], operator: 'In', key: 'k' }],
        matchLabels: { b: '1', a: '' },
      }),
    ),
  ).toBe('{"matchLabels":{"a":"","b":"1"},"matchExpressions":[{"key":"k","operator":"In","values":["x"]}]}');
  expect(templateForm({ metadata: { labels: { a: 'b' }, annotations: {} } })).toMatchObject({
    labels: { a: 'b' },
    Spec: { Containers: null },
  });
});
