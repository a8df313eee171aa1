// TLS, modelled: real X.509 certificates and keys, the handshake with its errors, and listeners. Nothing is encrypted.
export {
  certificateProblem,
  issueCertificate,
  matchesName,
  parseCertificates,
  type Certificate,
  type CertificateProblem,
  type Identity,
} from './certificate.ts';
export * as der from './der.ts';
export * as x509 from './x509-writing.ts';
export { acceptTls, connectTls, TlsError, type TlsStream, type TlsVersion } from './handshake.ts';
export { makeKeyPair, publicKeyInfo, signatureAlgorithm, signBytes, type KeyKind } from './keys.ts';
export { GO_PLAIN_ANSWER, tlsSource } from './listener.ts';
export { parseSigningRequest, type SigningRequest } from './signing-request.ts';
export { isX509IssuedBy, issueX509, parseX509Validity, publicKeyPem } from './x509.ts';
