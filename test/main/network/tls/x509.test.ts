// Keys and certificates are real: node's own OpenSSL reads and verifies what this room makes.
import { createPrivateKey, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  certificateProblem,
  issueCertificate,
  makeKeyPair,
  parseCertificates,
  signBytes,
  type KeyKind,
} from '../../../../main/network/tls/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';

const nowMs = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 24 * 3_600_000;
const KINDS: KeyKind[] = ['ed25519', 'prime256v1', 'secp384r1', 'secp521r1', { rsaBits: 1024 }];

test.each(KINDS)('the same seed gives the same %o key and signature, and OpenSSL takes both', (kind) => {
  const [one, two] = [makeKeyPair(makeRandom('k'), kind), makeKeyPair(makeRandom('k'), kind)];
  expect(one).toEqual(two);
  expect(makeKeyPair(makeRandom('other'), kind)).not.toEqual(one);
  const data = Buffer.from('to be signed');
  const signature = signBytes(one.privateKey, data);
  expect(signBytes(one.privateKey, data)).toEqual(signature);
  const digest = kind === 'ed25519' ? null : 'sha256';
  expect(verify(digest, data, createPublicKey(one.publicKey), signature)).toBe(true);
});

test('an RSA key holds together by its own arithmetic', () => {
  const { privateKey } = makeKeyPair(makeRandom('rsa'), { rsaBits: 1024 });
  const { n, p, q, qi } = createPrivateKey(privateKey).export({ format: 'jwk' });
  const number = (text: string | undefined): bigint =>
    BigInt(`0x${Buffer.from(text ?? '', 'base64url').toString('hex')}`);
  expect(number(p) * number(q)).toBe(number(n));
  expect((number(q) * number(qi)) % number(p)).toBe(1n);
  expect(number(n).toString(2)).toHaveLength(1024);
});

const root = identityOf('root', { isAuthority: true });
const middle = identityOf('middle', { isAuthority: true }, root);
const leaf = identityOf(
  'web',
  { dnsNames: ['web.test', '*.apps.test'], ipAddresses: ['10.1.2.3', 'fd00::1'] },
  middle,
);

function identityOf(commonName: string, extra: object, issuer?: { certificate: string; privateKey: string }) {
  const { privateKey } = makeKeyPair(makeRandom(commonName));
  const fields = { commonName, notBeforeMs: nowMs, notAfterMs: nowMs + YEAR_MS, serial: '0a', ...extra };
  return { privateKey, certificate: issueCertificate(fields, privateKey, issuer) };
}

test('a certificate is X.509 that others read', () => {
  const read = new X509Certificate(leaf.certificate);
  expect(read.subject).toBe('CN=web');
  expect(read.issuer).toBe('CN=middle');
  expect(read.subjectAltName).toBe(
    'DNS:web.test, DNS:*.apps.test, IP Address:10.1.2.3, IP Address:FD00:0:0:0:0:0:0:1',
  );
  expect(read.ca).toBe(false);
  expect(new X509Certificate(middle.certificate).ca).toBe(true);
  expect(read.checkIssued(new X509Certificate(middle.certificate))).toBe(true);
  expect(read.validFromDate.getTime()).toBe(nowMs);
});

test('a chain leads from a certificate to an authority, and each of its links counts', () => {
  const [certificate] = parseCertificates(leaf.certificate);
  const [between] = parseCertificates(middle.certificate);
  const authorities = parseCertificates(root.certificate);
  const problem = (atMs: number, name?: string, chain = [between!]) =>
    certificateProblem(certificate!, authorities, atMs, name, chain);
  expect(problem(nowMs + 1, 'a.apps.test')).toBeUndefined();
  expect(problem(nowMs + 1, 'a.b.apps.test')).toBe('name-mismatch');
  expect(problem(nowMs + 1, undefined, [])).toBe('unknown-authority');
  expect(problem(nowMs + 2 * YEAR_MS)).toBe('expired');
  expect(problem(nowMs - 1)).toBe('not-yet-valid');
  expect(certificateProblem(certificate!, [], nowMs, undefined, [between!, ...authorities])).toBe(
    'self-signed-in-chain',
  );
  expect(certificateProblem(authorities[0]!, [], nowMs)).toBe('self-signed');
});
