// Key pairs of the virtual world: Ed25519 made from seeded bytes, so that the same seed gives the same keys.
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { Random } from '../../simulation/index.ts';
import { memoized } from './memo.ts';

/** PKCS #8 of an Ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const privateKeyIn = memoized((pemText) => createPrivateKey(pemText));
const publicKeyIn = memoized((pemText) => createPublicKey(pemText));

export interface KeyPair {
  /** PEM, `PRIVATE KEY`. */
  readonly privateKey: string;
  /** PEM, `PUBLIC KEY`. */
  readonly publicKey: string;
}

export function makeKeyPair(random: Random): KeyPair {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, random.bytes(32)]),
    format: 'der',
    type: 'pkcs8',
  });
  return { privateKey: pem(key, 'pkcs8'), publicKey: pem(createPublicKey(key), 'spki') };
}

/** The public half of a private key in PEM. Throws for text that is no key. */
export function publicKeyOf(privateKey: string): string {
  return pem(createPublicKey(privateKey), 'spki');
}

/** A signature over `data`, base64. */
export function signWith(privateKey: string, data: string): string {
  return sign(null, Buffer.from(data), privateKeyIn(privateKey)).toString('base64');
}

export function isSignedBy(publicKey: string, data: string, signature: string): boolean {
  return verify(null, Buffer.from(data), publicKeyIn(publicKey), Buffer.from(signature, 'base64'));
}

function pem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ format: 'pem', type: type as 'spki' }) as string;
}
