// Certificates: who is who, signed by whom, until when, and why one is not trusted.
import { publicKeyInfo } from './keys.ts';
import { memoized } from './memo.ts';
import { readX509, verifiesX509 } from './x509-reading.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  generalName,
  goName,
  pemBlock,
  pemBytes,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
  subjectOf,
  usageExtensions,
} from './x509-writing.ts';

/** What an X.509 certificate says. */
export interface Certificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** The issuer's common name. */
  readonly issuer: string;
  /** The whole names, `O=lab; CN=web`. */
  readonly subjectName: string;
  readonly issuerName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly isAuthority: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Hex, upper case. */
  readonly serial: string;
  /** PEM. */
  readonly publicKey: string;
  /** SHA-256 of the whole, hex with colons. */
  readonly signature: string;
  /** The DER, base64. */
  readonly x509: string;
}

/** A certificate with its private key, both in PEM. */
export interface Identity {
  /** May be followed by the certificates between it and its authority. */
  readonly certificate: string;
  readonly privateKey: string;
}

export type NewCertificate = Pick<Certificate, 'commonName' | 'notBeforeMs' | 'notAfterMs'> &
  Partial<Pick<Certificate, 'organizations' | 'dnsNames' | 'ipAddresses' | 'isAuthority'>> & {
    /** Hex, at most 40 digits. */
    readonly serial: string;
  };

/**
 * A certificate for the holder of `privateKey`, signed by `issuer`, or by itself: real X.509 with the extensions that
 * kubeadm gives its own. In PEM.
 */
export function issueCertificate(fields: NewCertificate, privateKey: string, issuer?: Identity): string {
  const { dnsNames = [], ipAddresses = [], organizations = [], isAuthority = false } = fields;
  const subject = goName(fields.commonName, organizations);
  const issuerBytes = issuer === undefined ? undefined : pemBytes(issuer.certificate, 'CERTIFICATE');
  const publicKey = publicKeyInfo(privateKey);
  const serves = dnsNames.length + ipAddresses.length > 0;
  const names = [
    ...dnsNames.map((name) => generalName('DNS', name)!),
    ...ipAddresses.flatMap((address) => generalName('IP', address) ?? []),
  ];
  const serial = Buffer.from(
    fields.serial.padStart(fields.serial.length + (fields.serial.length % 2), '0'),
    'hex',
  );
  const usages = isAuthority
    ? ['digital signature', 'key encipherment', 'cert sign']
    : ['digital signature', 'key encipherment', serves ? 'server auth' : 'client auth'];
  const bytes = signCertificate(
    {
      subject,
      issuer: issuerBytes === undefined ? subject : subjectOf(issuerBytes),
      publicKey,
      serial: serial.length === 0 ? Buffer.of(1) : serial,
      notBeforeMs: fields.notBeforeMs,
      notAfterMs: fields.notAfterMs,
      extensions: [
        ...usageExtensions(usages),
        basicConstraints(isAuthority),
        ...(isAuthority
          ? [subjectKeyIdentifier(publicKey)]
          : [authorityKeyIdentifier(publicKeyInfo(issuer?.privateKey ?? privateKey))]),
        ...(names.length === 0 ? [] : [subjectAltName(names)]),
      ],
    },
    issuer?.privateKey ?? privateKey,
  );
  return pemBlock('CERTIFICATE', bytes);
}

/** The certificates of a PEM bundle; other blocks are passed over, and what can't be read is left out. */
export const parseCertificates: (pem: string) => readonly Certificate[] = memoized((pem) => {
  const blocks = pem.matchAll(
    /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g,
  );
  return [...blocks].flatMap(([, base64 = '']) => readX509(Buffer.from(base64, 'base64')) ?? []);
});

/** Keyed by the certificate's DER and the issuer's public key, which are all that it depends on. */
const isX509Signed = memoized((text): { readonly holds: boolean } => {
  const [der = '', ...publicKey] = text.split('\n');
  return { holds: verifiesX509(Buffer.from(der, 'base64'), publicKey.join('\n')) };
});

/** True if `issuer` signed it. */
function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuerName !== issuer.subjectName) return false;
  return isX509Signed(`${certificate.x509}\n${issuer.publicKey}`).holds;
}

/** Why a certificate isn't trusted. */
export type CertificateProblem =
  | 'unknown-authority'
  | 'self-signed'
  | 'self-signed-in-chain'
  | 'expired'
  | 'not-yet-valid'
  | 'name-mismatch';

const CHAIN_MAX = 10;

/**
 * What is wrong with a certificate presented for `name`, or undefined. Without a name none is compared. `between` are
 * the certificates that came with it.
 */
export function certificateProblem(
  certificate: Certificate,
  authorities: readonly Certificate[],
  nowMs: number,
  name?: string,
  between: readonly Certificate[] = [],
): CertificateProblem | undefined {
  const chain = [certificate];
  for (let isTrusted = false; !isTrusted;) {
    const last = chain.at(-1)!;
    if (authorities.some(({ signature }) => signature === last.signature)) break;
    const authority = authorities.find((each) => isIssuedBy(last, each));
    const next =
      authority ??
      between.find(
        (each) => isIssuedBy(last, each) && !chain.some(({ signature }) => signature === each.signature),
      );
    if (next === undefined || chain.length > CHAIN_MAX) {
      if (!isIssuedBy(last, last)) return 'unknown-authority';
      return chain.length === 1 ? 'self-signed' : 'self-signed-in-chain';
    }
    isTrusted = authority !== undefined;
    chain.push(next);
  }
  for (const each of chain) {
    if (nowMs > each.notAfterMs) return 'expired';
    if (nowMs < each.notBeforeMs) return 'not-yet-valid';
  }
  return name === undefined || isNamed(certificate, name) ? undefined : 'name-mismatch';
}

/** RFC 6125: addresses by equality, names with a wildcard in the first label. */
function isNamed({ dnsNames, ipAddresses }: Certificate, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  if (ipAddresses.includes(wanted)) return true;
  return dnsNames.some((each) => matchesName(each, wanted));
}

/** Whether a name of a certificate, perhaps with a wildcard, stands for a host in lower case. */
export function matchesName(each: string, wanted: string): boolean {
  const pattern = each.toLowerCase();
  if (!pattern.startsWith('*.')) return pattern === wanted;
  const dot = wanted.indexOf('.');
  return dot > 0 && wanted.slice(dot) === pattern.slice(1);
}
