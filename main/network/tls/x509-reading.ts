// Real X.509 certificates as this world's handshake understands them.
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { TAG } from './der.ts';

/** Whether a PEM block holds a DER sequence, as every real certificate is. */
export function isDer(bytes: Buffer): boolean {
  return bytes[0] === TAG.sequence;
}

/** What the certificate says; undefined for one that can't be read. */
export function readX509(bytes: Buffer): Certificate | undefined {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(bytes);
  } catch (error) {
    if (error instanceof Error) return undefined; // Damaged; the other side will call it a bad certificate.
    throw error;
  }
  const names = (parsed.subjectAltName ?? '').split(', ');
  const valuesOf = (prefix: string): string[] =>
    names.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
  return {
    commonName: partsOf(parsed.subject, 'CN').at(-1) ?? '',
    organizations: partsOf(parsed.subject, 'O'),
    issuer: partsOf(parsed.issuer, 'CN').at(-1) ?? '',
    dnsNames: valuesOf('DNS:'),
    ipAddresses: valuesOf('IP Address:'),
    isAuthority: parsed.ca,
    notBeforeMs: Date.parse(parsed.validFrom),
    notAfterMs: Date.parse(parsed.validTo),
    serial: parsed.serialNumber,
    publicKey: parsed.publicKey.export({ format: 'pem', type: 'spki' }) as string,
    signature: parsed.fingerprint256,
    x509: bytes.toString('base64'),
  };
}

/** Whether a certificate in DER was signed with the private half of a public key in PEM. */
export function verifiesX509(bytes: Buffer, publicKey: string): boolean {
  return new X509Certificate(bytes).verify(createPublicKey(publicKey));
}

/** The values of one attribute of a Name, one `KEY=value` a line. */
function partsOf(name: string, key: string): string[] {
  return name.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}
