// Real PKCS #10 requests, as a person makes them with openssl.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(crypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A request in PEM with its key, for a subject such as `CN=jane, O=devs`. */
export async function signingRequest(
  subject: string,
  dnsNames: readonly string[] = [],
): Promise<{ request: string; privateKey: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const names = dnsNames.map((value) => ({ type: 'dns' as const, value }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { request: request.toString('pem'), privateKey: x509.PemConverter.encode(key, 'PRIVATE KEY') };
}
