// What the handshake and its users need to know of an X.509 certificate.
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate.ts';

/** What a certificate in DER says; undefined for one that can't be read. */
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
    subjectName: oneLine(parsed.subject),
    issuerName: oneLine(parsed.issuer),
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
  try {
    return new X509Certificate(bytes).verify(createPublicKey(publicKey));
  } catch (error) {
    if (error instanceof Error) return false; // Another kind of key than the one it was signed with.
    throw error;
  }
}

/** The values of one attribute of a Name, one `KEY=value` a line. */
function partsOf(name: string | undefined, key: string): string[] {
  return (name ?? '')
    .split('\n')
    .flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

/** `O=lab; CN=web`, as curl shows a name. */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join('; ');
}
