// Key pairs of the virtual world, made from seeded bytes, and signatures with keys of any kind people bring.
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { Random } from '../../simulation/index.ts';
import { der, oid, sequence, TAG } from './der.ts';
import { makeEcKey, signEcdsa, type CurveName } from './ecdsa.ts';
import { memoized } from './memo.ts';
import { makeRsaKey } from './rsa.ts';

/** PKCS #8 of an Ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const privateKeyIn = memoized((pemText) => createPrivateKey(pemText));
const publicKeyIn = memoized((pemText) => createPublicKey(pemText));

export interface KeyPair {
  /** PEM, `PRIVATE KEY` (PKCS #8). */
  readonly privateKey: string;
  /** PEM, `PUBLIC KEY`. */
  readonly publicKey: string;
}

export type KeyKind = 'ed25519' | CurveName | { readonly rsaBits: number };

/**
 * A key pair, the same for the same random stream. Ed25519 and the curves cost microseconds; RSA of 2048 bits costs
 * some tens of milliseconds, which is why the cluster's own keys are Ed25519.
 */
export function makeKeyPair(
  random: Random,
  kind: KeyKind = 'ed25519',
  onStep?: (mark: '.' | '+') => void,
): KeyPair {
  const key =
    kind === 'ed25519'
      ? createPrivateKey({
          key: Buffer.concat([PKCS8_PREFIX, random.bytes(32)]),
          format: 'der',
          type: 'pkcs8',
        })
      : typeof kind === 'string'
        ? createPrivateKey({ key: makeEcKey(random, kind), format: 'der', type: 'sec1' })
        : createPrivateKey({ key: makeRsaKey(random, kind.rsaBits, onStep), format: 'der', type: 'pkcs1' });
  return { privateKey: pem(key, 'pkcs8'), publicKey: pem(createPublicKey(key), 'spki') };
}

/** A signature over `data`, base64. */
export function signWith(privateKey: string, data: string): string {
  return signBytes(privateKey, Buffer.from(data)).toString('base64');
}

export function isSignedBy(publicKey: string, data: string, signature: string): boolean {
  const key = publicKeyIn(publicKey);
  return verify(digestFor(key, 'sha256'), Buffer.from(data), key, Buffer.from(signature, 'base64'));
}

/** A signature as X.509 carries it. It depends on nothing but the key, the digest and the data. */
export function signBytes(privateKey: string, data: Uint8Array, digest = 'sha256'): Buffer {
  const key = privateKeyIn(privateKey);
  if (key.asymmetricKeyType !== 'ec') return sign(digestFor(key, digest), data, key);
  const { d = '', crv } = key.export({ format: 'jwk' });
  return signEcdsa(CURVE_OF[crv ?? ''] ?? 'prime256v1', Buffer.from(d, 'base64url'), digest, data);
}

const CURVE_OF: Readonly<Record<string, CurveName>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
};

/** Ed25519 hashes by itself. */
function digestFor(key: KeyObject, digest: string): string | null {
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? null : digest;
}

const RSA_SIGNATURES: Readonly<Record<string, string>> = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha224: '1.2.840.113549.1.1.14',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};
const EC_SIGNATURES: Readonly<Record<string, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha224: '1.2.840.10045.4.3.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

/** AlgorithmIdentifier of `signBytes` with this key, in DER. */
export function signatureAlgorithm(privateKey: string, digest = 'sha256'): Buffer {
  const kind = privateKeyIn(privateKey).asymmetricKeyType;
  if (kind === 'ed25519') return sequence(oid('1.3.101.112'));
  if (kind === 'ec') return sequence(oid(EC_SIGNATURES[digest] ?? EC_SIGNATURES['sha256']!));
  return sequence(oid(RSA_SIGNATURES[digest] ?? RSA_SIGNATURES['sha256']!), der(TAG.null));
}

/** Whether a private key in PEM is RSA's. */
export function isRsaKey(privateKey: string): boolean {
  return privateKeyIn(privateKey).asymmetricKeyType === 'rsa';
}

/** SubjectPublicKeyInfo of a private key's public half, in DER. */
export function publicKeyInfo(privateKey: string): Buffer {
  return createPublicKey(privateKeyIn(privateKey)).export({ format: 'der', type: 'spki' });
}

function pem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ format: 'pem', type: type as 'spki' }) as string;
}
