import { expect, test } from 'vitest';
import { makeCluster } from '../../../../support/make-cluster.ts';
import { signingRequest } from '../../../../support/signing-request.ts';

test('kubectl on a machine approves a request, and the certificate is issued', async () => {
  using cluster = await makeCluster({ nodes: 1 });
  const { request } = await signingRequest('O=devs, CN=jane');
  const manifest = `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: jane}
spec: {request: ${Buffer.from(request).toString('base64')}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}
`;
  await cluster.run(`kubectl apply -f - <<'EOF'\n${manifest}EOF`);
  expect((await cluster.run('kubectl certificate approve jane')).stdout).toBe(
    'certificatesigningrequest.certificates.k8s.io/jane approved\n',
  );
  expect((await cluster.run('kubectl certificate deny jane')).stderr).toBe(
    'error: certificate signing request "jane" is already Approved\n',
  );
  await cluster.clock.advance({ seconds: 1 });
  expect((await cluster.run('kubectl get csr')).stdout).toMatch(/jane .* Approved,Issued\n$/);
  expect((await cluster.run('kubectl certificate approve')).stderr).toContain(
    'one or more CSRs must be specified as <name> or -f <filename>',
  );
});
