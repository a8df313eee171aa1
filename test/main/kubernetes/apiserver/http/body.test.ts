import { expect, test } from 'vitest';
import { ask } from '../../../../support/ask-json.ts';
import { makeApi } from '../../../../support/make-api.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const MIB = 1024 * 1024;

test('a body of more than 3 MiB is 413', async () => {
  using api = makeApi();
  const { status, body } = await ask(api, 'POST', PATH, {
    metadata: { name: 'a' },
    data: { k: 'x'.repeat(3 * MIB) },
  });
  expect(status).toBe(413);
  expect(body).toMatchObject({
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: limit is 3145728',
  });
});

test('one of less is read, and judged by what it holds', async () => {
  using api = makeApi();
  const { status, body } = await ask(api, 'POST', PATH, {
    metadata: { name: 'a' },
    data: { k: 'x'.repeat(1.5 * MIB) },
  });
  expect(status).toBe(422);
  expect(body.message).toContain('Too long: may not be more than 1048576 bytes');
});
