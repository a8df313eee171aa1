// A certificate signing request notes who asked and when somebody decided.
import { expect, test } from 'vitest';
import { resources, type KubernetesObject, type Stored } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../../support/make-api.ts';

type Request = KubernetesObject & {
  spec: Record<string, unknown>;
  status?: { conditions?: Record<string, string>[]; certificate?: string };
};

// As `openssl req -new -newkey rsa:512` makes it, for /CN=x.
const PEM = `-----BEGIN CERTIFICATE REQUEST-----
MIHFMHECAQAwDDEKMAgGA1UEAwwBeDBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQC7
-----END CERTIFICATE REQUEST-----
`;

test('an approval is stamped, and leaves spec and certificate alone', async () => {
  using api = makeApi();
  const user = {
    name: 'jane',
    groups: ['system:masters', 'system:authenticated'],
    extra: { 'example.com/how': ['by hand'] },
  };
  const made = await api.server.client(user).create<Request>(resources.certificatesigningrequests, {
    metadata: { name: 'r' },
    spec: {
      request: Buffer.from(PEM).toString('base64'),
      signerName: 'example.com/signer',
      usages: ['client auth'],
      username: 'somebody else',
    },
  });
  expect(made.spec).toMatchObject({ username: 'jane', extra: { 'example.com/how': ['by hand'] } });

  await api.clock.advance({ seconds: 5 });
  const approved = await api.client.update<Request>(
    resources.certificatesigningrequests,
    {
      ...made,
      spec: { ...made.spec, username: 'mallory' },
      status: { conditions: [{ type: 'Approved', status: 'True', reason: 'ok' }] },
    } as Stored<Request>,
    { subresource: 'approval' },
  );
  expect(approved.spec['username']).toBe('jane');
  expect(approved.status?.conditions).toEqual([
    {
      type: 'Approved',
      status: 'True',
      reason: 'ok',
      lastUpdateTime: '2026-01-05T08:00:05Z',
      lastTransitionTime: '2026-01-05T08:00:05Z',
    },
  ]);
});
