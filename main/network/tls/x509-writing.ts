// Writes X.509 certificates: names, extensions, and the signature over them (RFC 5280).
import { createHash } from 'node:crypto';
import { bitString, der, inside, integer, oid, readAll, sequence, TAG, time, type DerValue } from './der.ts';
import { signatureAlgorithm, signBytes } from './keys.ts';

export interface CertificateContent {
  /** Name, in DER. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** SubjectPublicKeyInfo, in DER. */
  readonly publicKey: Buffer;
  /** Up to 20 bytes, of which the first is below 0x80. */
  readonly serial: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Extensions, in DER. */
  readonly extensions: readonly Buffer[];
}

/** The certificate in DER, signed with the issuer's private key (PEM). */
export function signCertificate(content: CertificateContent, issuerKey: string, digest = 'sha256'): Buffer {
  const algorithm = signatureAlgorithm(issuerKey, digest);
  const { extensions } = content;
  const body = sequence(
    ...(extensions.length === 0 ? [] : [der(0xa0, integer(Buffer.of(2)))]),
    integer(content.serial),
    algorithm,
    content.issuer,
    sequence(time(content.notBeforeMs), time(content.notAfterMs)),
    content.subject,
    content.publicKey,
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  return sequence(body, algorithm, bitString(signBytes(issuerKey, body, digest)));
}

/** A block of PEM: `-----BEGIN LABEL-----`, lines of 64 characters. */
export function pemBlock(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
}

/** The DER of the first PEM block with one of these labels; undefined where there is none. */
export function pemBytes(text: string, ...labels: readonly string[]): Buffer | undefined {
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
  for (const [, label = '', base64 = ''] of text.matchAll(pattern))
    if (labels.includes(label)) return Buffer.from(base64, 'base64');
  return undefined;
}

/** One attribute: a Name's part, by its object identifier. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
}

const OID = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  email: '1.2.840.113549.1.9.1',
  domainComponent: '0.9.2342.19200300.100.1.25',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  subjectKeyIdentifier: '2.5.29.14',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** A Name in DER: strings as Go writes them (PrintableString where it can be), or UTF-8 as openssl does. */
export function nameBytes(parts: readonly NamePart[], style: 'go' | 'openssl' = 'openssl'): Buffer {
  return sequence(
    ...parts.map(({ type, value }) => {
      const tag =
        type === OID.email || type === OID.domainComponent
          ? 0x16 // IA5String
          : type === OID.country || (style === 'go' && /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value))
            ? TAG.printableString
            : TAG.utf8String;
      return der(TAG.set, sequence(oid(type), der(tag, Buffer.from(value))));
    }),
  );
}

/** O=… and CN=…, as Go orders them. */
export function goName(commonName: string, organizations: readonly string[] = []): Buffer {
  return nameBytes(
    [
      ...organizations.map((value) => ({ type: OID.organization, value })),
      { type: OID.commonName, value: commonName },
    ],
    'go',
  );
}

/** The subject of a certificate in DER, in DER. */
export function subjectOf(certificate: Buffer): Buffer {
  return certificateParts(certificate).subject.whole;
}

/** The parts of a certificate in DER that stand at fixed places. Throws DerError. */
export function certificateParts(certificate: Buffer): {
  readonly body: DerValue;
  readonly subject: DerValue;
  readonly issuer: DerValue;
  readonly publicKey: DerValue;
  readonly serial: DerValue;
  readonly validity: DerValue;
  readonly algorithm: DerValue;
  readonly signature: DerValue;
  readonly extensions: readonly DerValue[];
  /** 1 or 3. */
  readonly version: number;
} {
  const [body, algorithm, signature] = inside(readAll(certificate)[0]);
  const all = inside(body);
  const hasVersion = all[0]?.tag === 0xa0;
  const [serial, , issuer, validity, subject, publicKey, ...rest] = hasVersion ? all.slice(1) : all;
  const wrapped = rest.find(({ tag }) => tag === 0xa3);
  return {
    body: body!,
    subject: subject!,
    issuer: issuer!,
    publicKey: publicKey!,
    serial: serial!,
    validity: validity!,
    algorithm: algorithm!,
    signature: signature!,
    extensions: wrapped === undefined ? [] : inside(readAll(wrapped.content)[0]),
    version: hasVersion ? readAll(all[0]!.content)[0]!.content[0]! + 1 : 1,
  };
}

// ── Extensions ──

export function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(TAG.octetString, value));
}

/** Bits of KeyUsage from the left (RFC 5280, 4.2.1.3), by the names of the certificates API. */
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

/** keyUsage and extendedKeyUsage of usages in the words of the certificates API; what isn't known is passed over. */
export function usageExtensions(usages: readonly string[]): Buffer[] {
  const bits = usages.flatMap(
    (usage) => KEY_USAGE_BITS[usage === 'signing' ? 'digital signature' : usage] ?? [],
  );
  const extended = usages.flatMap((usage) => EXTENDED_USAGES[usage] ?? []);
  return [
    ...(bits.length === 0 ? [] : [extension(OID.keyUsage, true, bitSet(bits))]),
    ...(extended.length === 0 ? [] : [extendedKeyUsage(extended)]),
  ];
}

/** A BIT STRING with these bits set, counted from the left. */
export function bitSet(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.floor(Math.max(0, ...bits) / 8) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return bitString(bytes, bits.length === 0 ? 0 : 7 - (Math.max(...bits) & 7));
}

export function extendedKeyUsage(ids: readonly string[], isCritical = false): Buffer {
  return extension(OID.extendedKeyUsage, isCritical, sequence(...ids.map((each) => oid(each))));
}

export function basicConstraints(isAuthority: boolean, isCritical = true, pathLength?: number): Buffer {
  return extension(
    OID.basicConstraints,
    isCritical,
    isAuthority
      ? sequence(
          der(TAG.boolean, Buffer.of(0xff)),
          ...(pathLength === undefined ? [] : [integer(Buffer.of(pathLength))]),
        )
      : sequence(),
  );
}

/** The SHA-1 of the key's bits (RFC 5280, 4.2.1.2, method 1). */
function keyIdentifier(publicKeyDer: Buffer): Buffer {
  const [, bits] = inside(readAll(publicKeyDer)[0]);
  return createHash('sha1').update(bits!.content.subarray(1)).digest();
}

export function subjectKeyIdentifier(publicKeyDer: Buffer): Buffer {
  return extension(OID.subjectKeyIdentifier, false, der(TAG.octetString, keyIdentifier(publicKeyDer)));
}

export function authorityKeyIdentifier(issuerKeyDer: Buffer): Buffer {
  return extension(OID.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(issuerKeyDer))));
}

/** Names as GeneralName: `DNS:`, `IP:`, `email:`, `URI:`. Undefined for another kind or a bad address. */
export function generalName(kind: string, value: string): Buffer | undefined {
  switch (kind) {
    case 'email':
      return der(0x81, Buffer.from(value));
    case 'DNS':
      return der(0x82, Buffer.from(value));
    case 'URI':
      return der(0x86, Buffer.from(value));
    case 'IP': {
      const bytes = addressBytes(value);
      return bytes === undefined ? undefined : der(0x87, bytes);
    }
    default:
      return undefined;
  }
}

export function subjectAltName(names: readonly Buffer[], isCritical = false): Buffer {
  return extension(OID.subjectAltName, isCritical, sequence(...names));
}

function addressBytes(text: string): Buffer | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return Buffer.from(text.split('.').map(Number));
  if (!/^[0-9a-fA-F:]+$/.test(text) || !text.includes(':')) return undefined;
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const [left, right] = [words(head), words(tail ?? '')];
  const all =
    tail === undefined
      ? left
      : [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
  return all.length === 8 ? Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff])) : undefined;
}
