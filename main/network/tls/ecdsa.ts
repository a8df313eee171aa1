// Keys and signatures on the NIST curves that depend on nothing but their inputs: deterministic ECDSA (RFC 6979).
// oxlint-disable-next-line drydock/imports -- createECDH is asked for multiples of the base point, never for a random key.
import { createECDH, createHash, createHmac } from 'node:crypto';
import type { Random } from '../../simulation/index.ts';
import { bitString, der, integer, oid, sequence, TAG } from './der.ts';
import { bytesOf, inverse } from './rsa.ts';

interface Curve {
  /** As node:crypto and openssl call it. */
  readonly name: string;
  readonly id: string;
  readonly order: bigint;
  readonly sizeBytes: number;
}

export const CURVES: Readonly<Record<'prime256v1' | 'secp384r1' | 'secp521r1', Curve>> = {
  prime256v1: {
    name: 'prime256v1',
    id: '1.2.840.10045.3.1.7',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    sizeBytes: 32,
  },
  secp384r1: {
    name: 'secp384r1',
    id: '1.3.132.0.34',
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    sizeBytes: 48,
  },
  secp521r1: {
    name: 'secp521r1',
    id: '1.3.132.0.35',
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    sizeBytes: 66,
  },
};
export type CurveName = keyof typeof CURVES;

/** ECPrivateKey (RFC 5915) with its curve and public point, in DER. */
export function makeEcKey(random: Random, name: CurveName): Buffer {
  const curve = CURVES[name];
  let secret: bigint;
  do {
    secret = BigInt(`0x${Buffer.from(random.bytes(curve.sizeBytes)).toString('hex')}`);
    if (name === 'secp521r1') secret &= (1n << 521n) - 1n;
  } while (secret === 0n || secret >= curve.order);
  const bytes = padded(secret, curve.sizeBytes);
  return sequence(
    integer(Buffer.of(1)),
    der(TAG.octetString, bytes),
    der(0xa0, oid(curve.id)),
    der(0xa1, bitString(multiply(curve, bytes))),
  );
}

/** ECDSA-Sig-Value in DER over the digest of `data`. */
export function signEcdsa(name: CurveName, secretBytes: Buffer, digest: string, data: Uint8Array): Buffer {
  const curve = CURVES[name];
  const { order } = curve;
  const secret = BigInt(`0x${secretBytes.toString('hex')}`);
  const hash = createHash(digest).update(data).digest();
  const z = truncated(hash, order);
  for (const k of nonces(
    curve,
    digest,
    padded(secret, curve.sizeBytes),
    padded(z % order, curve.sizeBytes),
  )) {
    const r =
      BigInt(
        `0x${multiply(curve, padded(k, curve.sizeBytes))
          .subarray(1, 1 + curve.sizeBytes)
          .toString('hex')}`,
      ) % order;
    const s = (inverse(k, order) * (z + r * secret)) % order;
    if (r !== 0n && s !== 0n) return sequence(integer(bytesOf(r)), integer(bytesOf(s)));
  }
  throw new Error('no nonce was fit'); // The generator above doesn't end.
}

/** The candidates of RFC 6979, 3.2. */
function* nonces(curve: Curve, digest: string, secret: Buffer, hash: Buffer): Generator<bigint> {
  const size = createHash(digest).digest().length;
  let key: Buffer = Buffer.alloc(size, 0);
  let value: Buffer = Buffer.alloc(size, 1);
  const mac = (...parts: readonly Uint8Array[]): Buffer =>
    createHmac(digest, key).update(Buffer.concat(parts)).digest();
  for (const mark of [0, 1]) {
    key = mac(value, Buffer.of(mark), secret, hash);
    value = mac(value);
  }
  for (;;) {
    let bytes = Buffer.alloc(0);
    while (bytes.length < curve.sizeBytes) {
      value = mac(value);
      bytes = Buffer.concat([bytes, value]);
    }
    const k = truncated(bytes.subarray(0, curve.sizeBytes), curve.order);
    if (k > 0n && k < curve.order) yield k;
    key = mac(value, Buffer.of(0));
    value = mac(value);
  }
}

/** The leftmost bits of a hash, as many as the order has (bits2int). */
function truncated(bytes: Buffer, order: bigint): bigint {
  const excess = bytes.length * 8 - order.toString(2).length;
  const value = BigInt(`0x${bytes.toString('hex')}`);
  return excess > 0 ? value >> BigInt(excess) : value;
}

/** A multiple of the curve's base point, uncompressed. */
function multiply(curve: Curve, scalar: Buffer): Buffer {
  const ecdh = createECDH(curve.name);
  ecdh.setPrivateKey(scalar);
  return ecdh.getPublicKey();
}

function padded(value: bigint, sizeBytes: number): Buffer {
  const bytes = bytesOf(value);
  return Buffer.concat([Buffer.alloc(Math.max(0, sizeBytes - bytes.length)), bytes]);
}
