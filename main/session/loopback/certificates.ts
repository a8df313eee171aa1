// The real X.509 certificates of the host's API door: an authority per workspace, a server and clients it signs.
import 'reflect-metadata'; // @peculiar/x509 needs it before it is loaded.
import * as x509 from '@peculiar/x509';
import type { Store } from '../../storage/index.ts';

x509.cryptoProvider.set(crypto);

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID_YEARS = 10;
const STORE_KEY = '/settings/host-certificates';

export interface PemPair {
  readonly certificate: string;
  readonly key: string;
}

/** What the API door and its kubeconfig are made of, all PEM. */
export interface HostCertificates {
  readonly authority: string;
  readonly server: PemPair;
  /** kubernetes-admin in group kubeadm:cluster-admins, as kubeadm's admin.conf. */
  readonly admin: PemPair;
}

/** The workspace's certificates: those it holds, or new ones, kept so that a kubeconfig stays good over restarts. */
export async function hostCertificates(store: Store): Promise<HostCertificates> {
  const saved = store.get(STORE_KEY);
  if (saved !== undefined) return JSON.parse(String(saved.value)) as HostCertificates;
  const certificates = await issueAll();
  store.save([{ key: STORE_KEY, value: JSON.stringify(certificates) }]);
  return certificates;
}

async function issueAll(): Promise<HostCertificates> {
  const authorityKeys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=kubernetes',
    ...validity(),
    signingAlgorithm: KEY_ALGORITHM,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const issue = async (subject: string, extensions: x509.Extension[]): Promise<PemPair> => {
    const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: authority.subject,
      ...validity(),
      signingAlgorithm: KEY_ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), ...extensions],
    });
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  };
  return {
    authority: authority.toString('pem'),
    server: await issue('CN=kube-apiserver', [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: 'kubernetes' },
        { type: 'dns', value: 'kubernetes.default' },
        { type: 'dns', value: 'kubernetes.default.svc' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ]),
    admin: await issue('O=kubeadm:cluster-admins, CN=kubernetes-admin', [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ]),
  };
}

function serial(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}

function validity(): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(Date.now() - 3600_000);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + VALID_YEARS);
  return { notBefore, notAfter };
}
