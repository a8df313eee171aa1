// What Go's crypto/tls and crypto/x509 say when a server's certificate won't do.
import type { TlsError } from '../../network/tls/index.ts';

const PREFIX = 'tls: failed to verify certificate: x509: ';

/** The text of a failed handshake with the server that was asked for by `name`. */
export function goTlsMessage(error: TlsError, name: string, nowMs: number): string {
  const { certificate, code } = error;
  switch (code) {
    case 'unknown-authority':
    case 'self-signed':
    case 'self-signed-in-chain':
      return `${PREFIX}certificate signed by unknown authority`;
    case 'expired':
      return `${PREFIX}certificate has expired or is not yet valid: current time ${goTime(nowMs)} is after ${goTime(certificate?.notAfterMs ?? nowMs)}`;
    case 'not-yet-valid':
      return `${PREFIX}certificate has expired or is not yet valid: current time ${goTime(nowMs)} is before ${goTime(certificate?.notBeforeMs ?? nowMs)}`;
    case 'name-mismatch':
      return `${PREFIX}${mismatch(name, certificate?.dnsNames ?? [], certificate?.ipAddresses ?? [])}`;
    case 'not-tls':
      return 'tls: first record does not look like a TLS handshake';
    case 'alert':
    case 'bad-certificate':
      return 'remote error: tls: bad certificate';
    case 'closed':
      return 'EOF';
  }
}

function mismatch(name: string, dnsNames: readonly string[], addresses: readonly string[]): string {
  if (/^[\d.]+$|:/.test(name)) {
    if (addresses.length === 0)
      return `cannot validate certificate for ${name} because it doesn't contain any IP SANs`;
    return `certificate is valid for ${addresses.join(', ')}, not ${name}`;
  }
  if (dnsNames.length === 0) return `certificate is not valid for any names, but wanted to match ${name}`;
  return `certificate is valid for ${dnsNames.join(', ')}, not ${name}`;
}

function goTime(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000', '');
}
