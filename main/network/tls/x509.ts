// Certificates for what a signing request asks, by an authority of the virtual world, and whether it issued one.
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { Identity } from './certificate.ts';
import { publicKeyInfo } from './keys.ts';
import type { SigningRequest } from './signing-request.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extension,
  goName,
  pemBlock,
  pemBytes,
  signCertificate,
  subjectOf,
  usageExtensions,
} from './x509-writing.ts';

export interface X509Fields {
  readonly request: SigningRequest;
  /** In the words of the certificates API. */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Up to 20 bytes, of which the first is below 0x80. */
  readonly serial: Uint8Array;
}

/** A certificate for what a request asks, signed with the authority's key. In PEM. */
export function issueX509(fields: X509Fields, authority: Identity, authorityName: string): string {
  const { request, usages, notBeforeMs, notAfterMs, serial } = fields;
  const authorityBytes = pemBytes(authority.certificate, 'CERTIFICATE');
  const bytes = signCertificate(
    {
      subject: request.subject,
      issuer: authorityBytes === undefined ? goName(authorityName) : subjectOf(authorityBytes),
      publicKey: request.publicKey,
      serial,
      notBeforeMs,
      notAfterMs,
      extensions: [
        ...usageExtensions(usages),
        basicConstraints(false),
        authorityKeyIdentifier(publicKeyInfo(authority.privateKey)),
        ...(request.alternativeNames === undefined
          ? []
          : [extension('2.5.29.17', false, request.alternativeNames)]),
      ],
    },
    authority.privateKey,
  );
  return pemBlock('CERTIFICATE', bytes);
}

/** Whether the authority's key signed a real certificate (DER or PEM) that holds at this time. */
export function isX509IssuedBy(certificate: Buffer | string, authority: Identity, nowMs: number): boolean {
  const parsed = new X509Certificate(certificate);
  const from = Date.parse(parsed.validFrom);
  const to = Date.parse(parsed.validTo);
  return nowMs >= from && nowMs <= to && parsed.verify(createPublicKey(authority.privateKey));
}

/** From when to when a real certificate holds, in ms. Throws for what isn't one. */
export function parseX509Validity(pem: string): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

/** The public keys of a certificate and of a private key, in PEM, to be compared; undefined for what can't be read. */
export function publicKeyPem(certificate: string, privateKey: string): (string | undefined)[] {
  const read = (make: () => string): string | undefined => {
    try {
      return make();
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    }
  };
  return [
    read(() => new X509Certificate(certificate).publicKey.export({ format: 'pem', type: 'spki' }) as string),
    read(() => createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }) as string),
  ];
}
