// TLS, modelled: certificates, the handshake with its errors, and listeners. Nothing is encrypted; everybody is who they say.
export {
  certificateProblem,
  issueCertificate,
  parseCertificates,
  type Certificate,
  type Identity,
} from './certificate.ts';
export { acceptTls, connectTls, TlsError, type TlsStream } from './handshake.ts';
export { makeKeyPair } from './keys.ts';
export { GO_PLAIN_ANSWER, tlsSource } from './listener.ts';
export { parseSigningRequest, type SigningRequest } from './signing-request.ts';
export { isX509IssuedBy, issueX509, parseX509Validity } from './x509.ts';
