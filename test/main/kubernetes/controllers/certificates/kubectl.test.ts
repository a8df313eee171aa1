import { expect, test } from 'vitest';
import { makeCluster } from '../../../../support/make-cluster.ts';
import { signingRequest } from '../../../../support/signing-request.ts';

test('kubectl on a machine approves a request, and the certificate that is issued opens the API until it expires', async () => {
  using cluster = await makeCluster({ nodes: 1 });
  const { request, privateKey } = await signingRequest('O=devs, CN=jane');
  const manifest = `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: jane}
spec: {request: ${Buffer.from(request).toString('base64')}, signerName: kubernetes.io/kube-apiserver-client, expirationSeconds: 600, usages: [client auth]}
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
  expect((await cluster.run('kubectl describe csr jane')).stdout).toMatch(
    /Requesting User: +kubernetes-admin\nSigner: +kubernetes.io\/kube-apiserver-client\nRequested Duration: +10m\nStatus: +Approved,Issued\nSubject:\n         Common Name:    jane\n         Serial Number:  \n         Organization:   devs\nEvents:  <none>\n$/,
  );
  const client = [
    "kubectl get csr jane -o jsonpath='{.status.certificate}' | base64 -d > jane.crt",
    `cat > jane.key <<'EOF'\n${privateKey}\nEOF`,
    'kubectl config set-credentials jane --client-certificate=jane.crt --client-key=jane.key',
    'kubectl config set-context jane --cluster=kubernetes --user=jane',
    'kubectl --context=jane get pods',
  ].join('\n');
  expect((await cluster.run(client)).stderr).toContain(
    'pods is forbidden: User "jane" cannot list resource "pods"',
  );
  await cluster.run('kubectl create clusterrolebinding devs --clusterrole=view --group=devs');
  expect((await cluster.run('kubectl --context=jane get pods')).stderr).toBe(
    'No resources found in default namespace.\n',
  );
  await cluster.clock.advance({ minutes: 11 });
  expect((await cluster.run('kubectl --context=jane get pods')).exitCode).not.toBe(0);

  expect((await cluster.run('kubectl certificate approve')).stderr).toContain(
    'one or more CSRs must be specified as <name> or -f <filename>',
  );
});
