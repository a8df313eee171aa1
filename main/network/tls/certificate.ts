// Certificates of the virtual world: who is who, signed by whom, until when. PEM blocks that only this world reads.
import { isSignedBy, publicKeyOf, signWith } from './keys.ts';
import { memoized } from './memo.ts';
import { isDer, readX509, verifiesX509 } from './x509-reading.ts';

/**
 * What an X.509 certificate says.
 * Differs: the PEM block holds JSON instead of DER, so no real tool can read it; signatures are real (Ed25519). Real
 * X.509, as the certificates API issues it, is read too.
 */
export interface Certificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly issuer: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly isAuthority: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serial: string;
  /** PEM. */
  readonly publicKey: string;
  /** By the issuer, over everything above; base64. Of a real X.509 certificate its fingerprint, which is as unique. */
  readonly signature: string;
  /** The DER, base64, of a real X.509 certificate; absent for one of this world. */
  readonly x509?: string;
}

/** A certificate with its private key, both in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

export type NewCertificate = Pick<Certificate, 'commonName' | 'notBeforeMs' | 'notAfterMs' | 'serial'> &
  Partial<Pick<Certificate, 'organizations' | 'dnsNames' | 'ipAddresses' | 'isAuthority'>>;

/** A certificate for the holder of `privateKey`, signed by `issuer`, or by itself. In PEM. */
export function issueCertificate(fields: NewCertificate, privateKey: string, issuer?: Identity): string {
  const body = {
    commonName: fields.commonName,
    organizations: fields.organizations ?? [],
    issuer: issuer === undefined ? fields.commonName : parseCertificates(issuer.certificate)[0]!.commonName,
    dnsNames: fields.dnsNames ?? [],
    ipAddresses: fields.ipAddresses ?? [],
    isAuthority: fields.isAuthority ?? false,
    notBeforeMs: fields.notBeforeMs,
    notAfterMs: fields.notAfterMs,
    serial: fields.serial,
    publicKey: publicKeyOf(privateKey),
  };
  return formatCertificate({
    ...body,
    signature: signWith(issuer?.privateKey ?? privateKey, JSON.stringify(body)),
  });
}

/** The certificates of a PEM bundle; other blocks are passed over, and what can't be read is left out. */
export const parseCertificates: (pem: string) => readonly Certificate[] = memoized((pem) => {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g);
  return [...blocks].flatMap(([, base64]) => {
    const bytes = Buffer.from(base64!, 'base64');
    if (isDer(bytes)) return readX509(bytes) ?? [];
    try {
      const value = JSON.parse(Buffer.from(base64!, 'base64').toString('utf8')) as Certificate;
      return typeof value.commonName === 'string' && typeof value.signature === 'string' ? [value] : [];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
});

function formatCertificate(certificate: Certificate): string {
  const base64 = Buffer.from(JSON.stringify(certificate)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

/** Keyed by the certificate and by the issuer's public key, which are all that it depends on. */
const isSigned = memoized((text): { readonly holds: boolean } => {
  const [publicKey, body, signature] = JSON.parse(text) as [string, string, string];
  return { holds: isSignedBy(publicKey, body, signature) };
});

/** The same of real ones, by DER and the issuer's public key. */
const isX509Signed = memoized((text): { readonly holds: boolean } => {
  const [der = '', ...publicKey] = text.split('\n');
  return { holds: verifiesX509(Buffer.from(der, 'base64'), publicKey.join('\n')) };
});

/** True if `issuer` signed it. */
function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuer !== issuer.commonName) return false;
  if (certificate.x509 !== undefined) return isX509Signed(`${certificate.x509}\n${issuer.publicKey}`).holds;
  const { signature, ...body } = certificate;
  return isSigned(JSON.stringify([issuer.publicKey, JSON.stringify(body), signature])).holds;
}

/** Why a certificate isn't trusted. */
export type CertificateProblem =
  | 'unknown-authority'
  | 'self-signed'
  | 'expired'
  | 'not-yet-valid'
  | 'name-mismatch';

/** What is wrong with a certificate presented for `name`, or undefined. Without a name none is compared. */
export function certificateProblem(
  certificate: Certificate,
  authorities: readonly Certificate[],
  nowMs: number,
  name?: string,
): CertificateProblem | undefined {
  const trusted = authorities.some(
    (authority) => authority.signature === certificate.signature || isIssuedBy(certificate, authority),
  );
  if (!trusted) return isIssuedBy(certificate, certificate) ? 'self-signed' : 'unknown-authority';
  if (nowMs > certificate.notAfterMs) return 'expired';
  if (nowMs < certificate.notBeforeMs) return 'not-yet-valid';
  return name === undefined || isNamed(certificate, name) ? undefined : 'name-mismatch';
}

/** RFC 6125: addresses by equality, names with a wildcard in the first label. */
function isNamed({ dnsNames, ipAddresses }: Certificate, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  if (ipAddresses.includes(wanted)) return true;
  return dnsNames.some((each) => {
    const pattern = each.toLowerCase();
    if (!pattern.startsWith('*.')) return pattern === wanted;
    const dot = wanted.indexOf('.');
    return dot > 0 && wanted.slice(dot) === pattern.slice(1);
  });
}
