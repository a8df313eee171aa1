// Real X.509 certificates by an authority of the virtual world, for clients outside it: kubectl on the host, openssl.
import { createHash, createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto';
import type { Identity } from './certificate.ts';
import { bitString, der, integer, oid, sequence, TAG, time } from './der.ts';
import type { SigningRequest } from './signing-request.ts';

/** What a certificate may be used for, in the words of the certificates API. */
type KeyUsage = string;

const ED25519 = sequence(oid('1.3.101.112'));
const OID = {
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

/** Bits of KeyUsage from the left (RFC 5280, 4.2.1.3). */
const KEY_USAGE_BITS: Readonly<Record<string, number>> = {
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
};
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
};

export interface X509Fields {
  readonly request: SigningRequest;
  readonly usages: readonly KeyUsage[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Up to 20 bytes, of which the first is below 0x80. */
  readonly serial: Uint8Array;
}

/** A certificate for what a request asks, signed with the authority's (Ed25519) key. In PEM. */
export function issueX509(fields: X509Fields, authority: Identity, authorityName: string): string {
  const { request, usages, notBeforeMs, notAfterMs, serial } = fields;
  const extended = usages.flatMap((usage) => EXTENDED_USAGES[usage] ?? []);
  const keys = keyUsage(usages);
  const extensions = [
    ...(keys === undefined ? [] : [extension(OID.keyUsage, true, keys)]),
    ...(extended.length === 0
      ? []
      : [extension(OID.extendedKeyUsage, false, sequence(...extended.map((each) => oid(each))))]),
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(authority)))),
    ...(request.alternativeNames === undefined
      ? []
      : [extension(OID.subjectAltName, false, request.alternativeNames)]),
  ];
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ED25519,
    nameOf(authorityName),
    sequence(time(notBeforeMs), time(notAfterMs)),
    request.subject,
    request.publicKey,
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign(null, body, createPrivateKey(authority.privateKey));
  const base64 = sequence(body, ED25519, bitString(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

/** Whether the authority's key signed a real certificate (DER or PEM) that holds at this time. */
export function isX509IssuedBy(certificate: Buffer | string, authority: Identity, nowMs: number): boolean {
  const parsed = new X509Certificate(certificate);
  const from = Date.parse(parsed.validFrom);
  const to = Date.parse(parsed.validTo);
  return nowMs >= from && nowMs <= to && parsed.verify(createPublicKey(authority.privateKey));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(TAG.octetString, value));
}

/** The value of the keyUsage extension; undefined where there is nothing to say. */
function keyUsage(usages: readonly KeyUsage[]): Buffer | undefined {
  let bits = 0;
  for (const usage of usages) {
    const bit = KEY_USAGE_BITS[usage === 'signing' ? 'digital signature' : usage];
    if (bit !== undefined) bits |= 0x80 >> bit;
  }
  if (bits === 0) return undefined;
  const unusedBits = 31 - Math.clz32(bits & -bits);
  return bitString(Buffer.from([bits]), unusedBits);
}

function keyIdentifier({ privateKey }: Identity): Buffer {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return createHash('sha1').update(spki).digest();
}

/** A Name of a common name alone, as PrintableString, which Go writes too. */
function nameOf(commonName: string): Buffer {
  const value = der(TAG.printableString, Buffer.from(commonName));
  return sequence(der(TAG.set, sequence(oid(OID.commonName), value)));
}

/** From when to when a real certificate holds, in ms. Throws for what isn't one. */
export function parseX509Validity(pem: string): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
