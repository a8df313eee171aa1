import { expect, test } from 'vitest';
import { resources } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../../support/make-api.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  ['a!', 'illegal base64 data at input byte 1'],
  ['rubbish', "invalid character '®' looking for beginning of value"],
  [encode([]), 'json: cannot unmarshal array into Go value of type storage.continueToken'],
  [encode(5), 'json: cannot unmarshal number into Go value of type storage.continueToken'],
  [encode(null), 'server does not recognize this encoded version ""'],
  [
    encode({ v: 'meta.k8s.io/v1', rv: 'x', start: 'a' }),
    'incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  ],
  [encode({ v: 'meta.k8s.io/v1', rv: 1, start: 7 }), 'encoded start key empty (version meta.k8s.io/v1)'],
])('the continue token %s is refused', async (token, why) => {
  using api = makeApi();
  await expect(api.client.list(resources.configmaps, { continue: token })).rejects.toThrow(
    `invalid continue token: continue key is not valid: ${why}`,
  );
});
