import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { resources, type KubernetesObject } from '../../../../../main/kubernetes/api/index.ts';
import { isX509IssuedBy } from '../../../../../main/network/tls/index.ts';
import {
  makeControlPlane,
  signingAuthority,
  type TestControlPlane,
} from '../../../../support/make-control-plane.ts';
import { signingRequest } from '../../../../support/signing-request.ts';

interface Request extends KubernetesObject {
  spec: Record<string, unknown>;
  status?: { certificate?: string; conditions?: { type: string; reason?: string; message?: string }[] };
}

async function ask(
  plane: TestControlPlane,
  name: string,
  subject: string,
  spec: Record<string, unknown> = {},
  dnsNames: readonly string[] = [],
): Promise<void> {
  const { request } = await signingRequest(subject, dnsNames);
  await plane.create<Request>(resources.certificatesigningrequests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      ...spec,
    },
  });
}

async function read(plane: TestControlPlane, name: string): Promise<Request> {
  return plane.get<Request>(resources.certificatesigningrequests, name) as unknown as Promise<Request>;
}

async function approve(plane: TestControlPlane, name: string): Promise<void> {
  const request = await read(plane, name);
  const conditions = [{ type: 'Approved', status: 'True', reason: 'KubectlApprove', message: 'yes' }];
  await plane.api.client.update(
    resources.certificatesigningrequests,
    { ...request, status: { conditions } } as never,
    { subresource: 'approval' },
  );
  await plane.settle();
}

test('an approved request is signed for what it asks, for as long as it asks', async () => {
  using plane = await makeControlPlane();
  await ask(plane, 'jane', 'O=devs, CN=jane', { expirationSeconds: 3600 });
  await plane.settle();
  expect((await read(plane, 'jane')).status?.certificate).toBeUndefined();
  await approve(plane, 'jane');

  const pem = Buffer.from((await read(plane, 'jane')).status!.certificate!, 'base64').toString('utf8');
  const certificate = new X509Certificate(pem);
  expect(certificate.subject).toBe('O=devs\nCN=jane');
  expect(certificate.issuer).toBe('CN=kubernetes');
  expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(3_600_000);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(isX509IssuedBy(pem, signingAuthority, plane.api.clock.now())).toBe(true);
  expect(isX509IssuedBy(pem, signingAuthority, plane.api.clock.now() + 2 * 3_600_000)).toBe(false);
  expect(plane.errors).toEqual([]);
});

test("a request that breaks its signer's rules fails with the reason", async () => {
  using plane = await makeControlPlane();
  await ask(plane, 'serving', 'O=system:nodes, CN=system:node:worker1', {
    signerName: 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
  });
  await approve(plane, 'serving');
  const { status } = await read(plane, 'serving');
  expect(status?.certificate).toBeUndefined();
  expect(status?.conditions?.map(({ type, reason, message }) => [type, reason, message])).toEqual([
    ['Approved', 'KubectlApprove', 'yes'],
    ['Failed', 'SignerValidationFailure', 'DNS or IP subjectAltName is required'],
  ]);
});

test("a kubelet may renew its own certificate by itself, another node's it may not", async () => {
  using plane = await makeControlPlane();
  const spec = {
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  };
  const node = plane.api.server.client({
    name: 'system:node:worker1',
    groups: ['system:nodes', 'system:authenticated'],
  });
  const { request } = await signingRequest('O=system:nodes, CN=system:node:worker1');
  const { request: foreign } = await signingRequest('O=system:nodes, CN=system:node:worker2');
  const object = (name: string, text: string): Request => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request: Buffer.from(text).toString('base64'), ...spec },
  });
  await node.create(resources.certificatesigningrequests, object('own', request));
  await node.create(resources.certificatesigningrequests, object('foreign', foreign));
  await plane.settle({ seconds: 5 });
  const own = await read(plane, 'own');
  expect(own.status?.conditions).toMatchObject([
    {
      type: 'Approved',
      reason: 'AutoApproved',
      message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    },
  ]);
  expect(own.status?.certificate).toBeDefined();
  expect((await read(plane, 'foreign')).status?.conditions).toBeUndefined();
});

test('old requests are cleared away: decided ones after an hour, the others after a day', async () => {
  using plane = await makeControlPlane();
  await ask(plane, 'decided', 'CN=a');
  await ask(plane, 'pending', 'CN=b');
  await approve(plane, 'decided');
  await plane.settle({ hours: 3 });
  const names = async (): Promise<string[]> =>
    (await plane.list(resources.certificatesigningrequests)).map(({ metadata }) => metadata.name);
  expect(await names()).toEqual(['pending']);
  await plane.settle({ hours: 24 });
  expect(await names()).toEqual([]);
});

test('approving and signing take a right of their own, and nobody is made a master', async () => {
  using plane = await makeControlPlane();
  await ask(plane, 'jane', 'CN=jane');
  await plane.create(resources.clusterroles, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'clerk' },
    rules: [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests/approval', 'certificatesigningrequests/status'],
        verbs: ['update'],
      },
    ],
  } as never);
  await plane.create(resources.clusterrolebindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'clerk' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'clerk' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }],
  } as never);
  const bob = plane.api.server.client({ name: 'bob', groups: ['system:authenticated'] });
  const request = await read(plane, 'jane');
  const change = (status: object, subresource: string): Promise<unknown> =>
    bob.update(resources.certificatesigningrequests, { ...request, status } as never, { subresource });
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Bob', message: 'why not' }];
  await expect(change({ conditions }, 'approval')).rejects.toThrow(
    'certificatesigningrequests.certificates.k8s.io "jane" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  );
  await expect(change({ certificate: Buffer.from('x').toString('base64') }, 'status')).rejects.toThrow(
    'user not permitted to sign requests with signerName "kubernetes.io/kube-apiserver-client"',
  );
  await expect(ask(plane, 'root', 'O=system:masters, CN=root')).rejects.toThrow(
    'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  );
});
