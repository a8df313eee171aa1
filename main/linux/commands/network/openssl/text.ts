// Certificates, requests and keys as `-text` shows them (crypto/x509/t_x509.c, v3_prn.c and the key encoders of OpenSSL 3).
import { createPublicKey, type KeyObject } from 'node:crypto';
import { der, x509 } from '../../../../network/tls/index.ts';
import { nameText, type NameStyle } from './names.ts';

const SIGNATURES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.101.112': 'ED25519',
};
const CURVES: Readonly<Record<string, readonly [string, string, number]>> = {
  prime256v1: ['prime256v1', 'P-256', 256],
  secp384r1: ['secp384r1', 'P-384', 384],
  secp521r1: ['secp521r1', 'P-521', 521],
};
const EXTENSIONS: Readonly<Record<string, string>> = {
  '2.5.29.14': 'X509v3 Subject Key Identifier',
  '2.5.29.15': 'X509v3 Key Usage',
  '2.5.29.17': 'X509v3 Subject Alternative Name',
  '2.5.29.19': 'X509v3 Basic Constraints',
  '2.5.29.31': 'X509v3 CRL Distribution Points',
  '2.5.29.32': 'X509v3 Certificate Policies',
  '2.5.29.35': 'X509v3 Authority Key Identifier',
  '2.5.29.37': 'X509v3 Extended Key Usage',
  '1.3.6.1.5.5.7.1.1': 'Authority Information Access',
  '2.16.840.1.113730.1.13': 'Netscape Comment',
};
/** Names that -ext takes. */
export const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
};
const KEY_USAGES =
  'Digital Signature,Non Repudiation,Key Encipherment,Data Encipherment,Key Agreement,Certificate Sign,CRL Sign,Encipher Only,Decipher Only'.split(
    ',',
  );
const PURPOSES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'TLS Web Server Authentication',
  '1.3.6.1.5.5.7.3.2': 'TLS Web Client Authentication',
  '1.3.6.1.5.5.7.3.3': 'Code Signing',
  '1.3.6.1.5.5.7.3.4': 'E-mail Protection',
  '1.3.6.1.5.5.7.3.8': 'Time Stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP Signing',
  '2.5.29.37.0': 'Any Extended Key Usage',
};

/** `Nov 21 01:56:46 2026 GMT`. */
export function dateText(ms: number): string {
  const [, , day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString()) ?? [];
  void year;
  const date = new Date(ms);
  return `${month ?? MONTHS[date.getUTCMonth()]} ${String(Number(day ?? date.getUTCDate())).padStart(2)} ${time ?? ''} ${date.getUTCFullYear()} GMT`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** UTCTime or GeneralizedTime in ms. */
export function timeOf({ tag, content }: der.DerValue): number {
  const digits = content.toString('latin1').replace('Z', '');
  const [year, rest] =
    tag === der.TAG.utcTime
      ? [Number(digits.slice(0, 2)) + (Number(digits.slice(0, 2)) < 50 ? 2000 : 1900), digits.slice(2)]
      : [Number(digits.slice(0, 4)), digits.slice(4)];
  const part = (at: number): number => Number(rest.slice(at, at + 2));
  return Date.UTC(year, part(0) - 1, part(2), part(4), part(6), part(8));
}

/** Bytes as `aa:bb`, so many a line, each line behind a margin. */
function hexLines(bytes: Uint8Array, perLine: number, margin: string): string {
  const words = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  let text = '';
  for (let at = 0; at < words.length; at += perLine) {
    const isLast = at + perLine >= words.length;
    text += `${margin}${words.slice(at, at + perLine).join(':')}${isLast ? '' : ':'}\n`;
  }
  return text;
}

const hexColons = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(':');

/** A number's bytes as openssl prints big ones: with a zero before a high first bit. */
function numberBytes(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

/** What stands under `Subject Public Key Info`, or of `pkey -pubin -text`. */
export function publicKeyText(key: KeyObject, margin: string, title = 'Public-Key'): string {
  const inner = `${margin}    `;
  const { asymmetricKeyType: kind } = key;
  if (kind === 'rsa') {
    const { n = '', e = '' } = key.export({ format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    const exponent = Number.parseInt(Buffer.from(e, 'base64url').toString('hex'), 16);
    return `${margin}${title}: (${bits} bit)\n${margin}Modulus:\n${hexLines(numberBytes(n), 15, inner)}${margin}Exponent: ${exponent} (0x${exponent.toString(16)})\n`;
  }
  if (kind === 'ec') {
    const [asn1, nist, bits] = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['', '', 0];
    return `${margin}${title}: (${bits} bit)\n${margin}pub:\n${hexLines(pointOf(key), 15, inner)}${margin}ASN1 OID: ${asn1}\n${margin}NIST CURVE: ${nist}\n`;
  }
  const { x = '' } = key.export({ format: 'jwk' });
  return `${margin}${(kind ?? '').toUpperCase()} ${title}:\n${margin}pub:\n${hexLines(Buffer.from(x, 'base64url'), 15, inner)}`;
}

/** The public point, uncompressed. */
function pointOf(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** `pkey -text` and `rsa -text` of a private key. */
export function privateKeyText(key: KeyObject): string {
  const { asymmetricKeyType: kind } = key;
  const jwk = key.export({ format: 'jwk' });
  if (kind === 'rsa') {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    const exponent = Number.parseInt(Buffer.from(jwk.e ?? '', 'base64url').toString('hex'), 16);
    const parts: readonly (readonly [string, string | undefined])[] = [
      ['privateExponent', jwk.d],
      ['prime1', jwk.p],
      ['prime2', jwk.q],
      ['exponent1', jwk.dp],
      ['exponent2', jwk.dq],
      ['coefficient', jwk.qi],
    ];
    return `Private-Key: (${bits} bit, 2 primes)\nmodulus:\n${hexLines(numberBytes(jwk.n ?? ''), 15, '    ')}publicExponent: ${exponent} (0x${exponent.toString(16)})\n${parts.map(([name, value]) => `${name}:\n${hexLines(numberBytes(value ?? ''), 15, '    ')}`).join('')}`;
  }
  const secret = Buffer.from(jwk.d ?? '', 'base64url');
  if (kind === 'ec') {
    const [asn1, nist, bits] = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['', '', 0];
    return `Private-Key: (${bits} bit)\npriv:\n${hexLines(secret, 15, '    ')}pub:\n${hexLines(pointOf(createPublicKey(key)), 15, '    ')}ASN1 OID: ${asn1}\nNIST CURVE: ${nist}\n`;
  }
  return `${(kind ?? '').toUpperCase()} Private-Key:\npriv:\n${hexLines(secret, 15, '    ')}pub:\n${hexLines(Buffer.from(jwk.x ?? '', 'base64url'), 15, '    ')}`;
}

/** `id-ecPublicKey` and the like, with the key's size. */
export function keyAlgorithm(key: KeyObject): { readonly name: string; readonly bits: number } {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === 'rsa') return { name: 'rsaEncryption', bits: details?.modulusLength ?? 0 };
  if (kind === 'ec') return { name: 'id-ecPublicKey', bits: CURVES[details?.namedCurve ?? '']?.[2] ?? 0 };
  return { name: (kind ?? '').toUpperCase(), bits: 253 };
}

function publicKeyInfoText(info: der.DerValue): string {
  const key = createPublicKey({ key: info.whole, format: 'der', type: 'spki' });
  return `        Subject Public Key Info:\n            Public Key Algorithm: ${keyAlgorithm(key).name}\n${publicKeyText(key, ' '.repeat(16))}`;
}

/** `sha256WithRSAEncryption`. */
export function signatureName(algorithm: der.DerValue): string {
  const id = der.oidText(der.inside(algorithm)[0]!);
  return SIGNATURES[id] ?? id;
}

function signatureText(algorithm: der.DerValue, signature: der.DerValue): string {
  return `    Signature Algorithm: ${signatureName(algorithm)}\n    Signature Value:\n${hexLines(signature.content.subarray(1), 18, '        ')}`;
}

/** `x509 -text`. */
export function certificateText(bytes: Buffer, style: NameStyle): string {
  const parts = x509.certificateParts(bytes);
  const [from, to] = der.inside(parts.validity);
  const extensions =
    parts.extensions.length === 0
      ? ''
      : `        X509v3 extensions:\n${parts.extensions.map((each) => extensionText(each, ' '.repeat(12))).join('')}`;
  return `Certificate:\n    Data:\n        Version: ${parts.version} (0x${parts.version - 1})\n        Serial Number:${serialText(parts.serial.content)}\n        Signature Algorithm: ${signatureName(parts.algorithm)}\n        Issuer: ${nameText(parts.issuer, style)}\n        Validity\n            Not Before: ${dateText(timeOf(from!))}\n            Not After : ${dateText(timeOf(to!))}\n        Subject: ${nameText(parts.subject, style)}\n${publicKeyInfoText(parts.publicKey)}${extensions}${signatureText(parts.algorithm, parts.signature)}`;
}

function serialText(content: Buffer): string {
  let bytes = content;
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.subarray(1);
  if (bytes.length <= 8) {
    const value = BigInt(`0x${bytes.toString('hex')}`);
    // A long of 64 bits with its sign: beyond that it is printed in bytes.
    if (value < 2n ** 63n) return ` ${value} (0x${value.toString(16)})`;
  }
  return `\n            ${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}

/** `req -text`. */
export function requestText(bytes: Buffer, style: NameStyle): string {
  const [info, algorithm, signature] = der.inside(der.readAll(bytes)[0]);
  const [, subject, publicKey, ...attributes] = der.inside(info);
  const wanted = attributes
    .flatMap(({ content }) => der.readAll(content))
    .flatMap((attribute) => {
      const [type, values] = der.inside(attribute);
      return der.oidText(type!) === '1.2.840.113549.1.9.14'
        ? der.inside(values, der.TAG.set).flatMap((each) => der.inside(each))
        : [];
    });
  const asked = `        Attributes:\n${
    wanted.length === 0
      ? '            (none)\n            Requested Extensions:\n'
      : `            Requested Extensions:\n${wanted.map((each) => extensionText(each, ' '.repeat(16))).join('')}`
  }`;
  return `Certificate Request:\n    Data:\n        Version: 1 (0x0)\n        Subject: ${nameText(subject!, style)}\n${publicKeyInfoText(publicKey!)}${asked}${signatureText(algorithm!, signature!)}`;
}

/** One extension, with its heading. */
export function extensionText(extension: der.DerValue, margin: string): string {
  const parts = der.inside(extension);
  const id = der.oidText(parts[0]!);
  const isCritical = parts.length === 3;
  const value = parts.at(-1)!.content;
  const heading = `${margin}${EXTENSIONS[id] ?? id}: ${isCritical ? 'critical' : ''}\n`;
  return `${heading}${valueText(id, value)
    .split('\n')
    .map((line) => `${margin}    ${line}\n`)
    .join('')}`;
}

function valueText(id: string, value: Buffer): string {
  const [inner] = der.readAll(value);
  switch (id) {
    case '2.5.29.14':
      return hexColons(inner!.content);
    case '2.5.29.15': {
      const [unused = 0, ...bytes] = inner!.content;
      const bits = bytes.length * 8 - unused;
      const names = KEY_USAGES.filter(
        (_, bit) => bit < bits && ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0,
      );
      return names.join(', ');
    }
    case '2.5.29.17':
      return der.inside(inner).map(generalNameText).join(', ');
    case '2.5.29.19': {
      const [first, second] = der.inside(inner);
      const isAuthority = first?.tag === der.TAG.boolean && first.content[0] !== 0;
      const path = second ?? (first?.tag === der.TAG.integer ? first : undefined);
      return `CA:${isAuthority ? 'TRUE' : 'FALSE'}${path === undefined ? '' : `, pathlen:${path.content[0]}`}`;
    }
    case '2.5.29.35': {
      const lines = der
        .inside(inner)
        .map(({ tag, content }) =>
          tag === 0x80
            ? hexColons(content)
            : tag === 0xa1
              ? `DirName:${nameText(der.readAll(der.readAll(content)[0]!.content)[0]!, 'compat')}`
              : `serial:${hexColons(content)}`,
        );
      return lines.length > 1
        ? lines.map((line, index) => (index === 0 ? `keyid:${line}` : line)).join('\n')
        : lines.join('');
    }
    case '2.5.29.37':
      return der
        .inside(inner)
        .map((each) => PURPOSES[der.oidText(each)] ?? der.oidText(each))
        .join(', ');
    default:
      return dump(value);
  }
}

/** What isn't understood: printable bytes, the rest as dots. */
function dump(value: Buffer): string {
  return [...value].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
}

function generalNameText({ tag, content }: der.DerValue): string {
  switch (tag) {
    case 0x81:
      return `email:${content.toString('latin1')}`;
    case 0x82:
      return `DNS:${content.toString('latin1')}`;
    case 0x86:
      return `URI:${content.toString('latin1')}`;
    case 0x87:
      return `IP Address:${
        content.length === 4
          ? [...content].join('.')
          : Array.from({ length: 8 }, (_, at) =>
              content
                .readUInt16BE(at * 2)
                .toString(16)
                .toUpperCase(),
            ).join(':')
      }`;
    case 0xa4:
      return `DirName:${nameText(der.readAll(content)[0]!)}`;
    default:
      return 'othername: <unsupported>';
  }
}
