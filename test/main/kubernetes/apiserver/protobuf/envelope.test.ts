// Protobuf bodies as kubectl sends them.
import { expect, test } from 'vitest';
import { decodeProtobuf } from '../../../../../main/kubernetes/apiserver/protobuf/envelope.ts';

/** A length-delimited field. */
function bytes(number: number, content: string | Buffer): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), body]);
}

test('a named slice of strings is a list', () => {
  const value = bytes(1, 'by hand');
  const entry = Buffer.concat([bytes(1, 'how'), bytes(2, value)]);
  const spec = Buffer.concat([bytes(2, 'jane'), bytes(6, entry)]);
  const object = bytes(2, spec);
  const type = Buffer.concat([bytes(1, 'certificates.k8s.io/v1'), bytes(2, 'CertificateSigningRequest')]);
  const body = Buffer.concat([Buffer.from('k8s\0'), bytes(1, type), bytes(2, object)]);
  expect(decodeProtobuf(body)).toMatchObject({
    spec: { username: 'jane', extra: { how: ['by hand'] } },
  });
});
