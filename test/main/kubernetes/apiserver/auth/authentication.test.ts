// Who a client certificate makes of a caller.
import { expect, test } from 'vitest';
import type { Peer } from '../../../../../main/network/http/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

async function ask(api: TestApi, peer: Partial<Peer>): Promise<{ status: number; body: string }> {
  const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
  const { status, body } = await api.server.handler({
    method: 'POST',
    target: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: [['content-type', 'application/json']],
    body: (async function* () {
      yield Buffer.from(review);
    })(),
    peer: { address: '127.0.0.1', port: 1, ...peer },
    signal: new AbortController().signal,
  });
  return { status, body: body as string };
}

test('a verified certificate names the user, and is itself named', async () => {
  using api = makeApi();
  const certificate = { commonName: 'jane', organizations: ['system:masters'], sha256: 'ab12' };
  const { body } = await ask(api, { certificate });
  expect((JSON.parse(body) as { status: { userInfo: unknown } }).status.userInfo).toEqual({
    username: 'jane',
    groups: ['system:masters', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=ab12'] },
  });
});

test('a certificate of an unknown authority is refused, no certificate is anonymous', async () => {
  using api = makeApi();
  expect((await ask(api, { isDistrusted: true })).status).toBe(401);
  expect((await ask(api, {})).status).toBe(403);
});
