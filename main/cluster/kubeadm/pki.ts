// The keys and certificates of a cluster, as kubeadm makes them, and the kubeconfigs that carry them.
import { stringify } from 'yaml';
import { issueCertificate, makeKeyPair, parseCertificates, type Identity } from '../../network/tls/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { Profile } from '../profile.ts';
import { kubeadmRelease } from './release.ts';

/** All in PEM. */
export interface Pki {
  readonly authority: Identity;
  readonly apiServer: Identity;
  /** kubernetes-admin, in the group that its release gives it. */
  readonly admin: Identity;
  /** Signs front-proxy-client, by which extension servers know the aggregator. */
  readonly frontProxyAuthority: Identity;
  readonly frontProxy: Identity;
  /** By which kubelets know the API server: apiserver-kubelet-client. */
  readonly kubeletClient: Identity;
}

const STORE_KEY = '/cluster/pki';
const HOUR_MS = 3600_000;
const AUTHORITY_VALID_MS = 10 * 365 * 24 * HOUR_MS;
const VALID_MS = 365 * 24 * HOUR_MS;

/** The cluster's own, or new ones that the workspace keeps. */
export function clusterPki(store: Store, clock: Clock, random: Random, profile: Profile): Pki {
  const saved = store.get(STORE_KEY);
  if (saved !== undefined) {
    const known = JSON.parse(String(saved.value)) as Pki;
    // What older workspaces hold isn't X.509: their cluster gets new ones, as after `kubeadm certs renew`.
    if (parseCertificates(known.authority.certificate).length > 0) return known;
  }
  const pki = issueAll(new Issuer(clock, random), profile);
  store.save([{ key: STORE_KEY, value: JSON.stringify(pki) }]);
  return pki;
}

interface Subject {
  readonly commonName: string;
  readonly organizations?: string[];
  readonly dnsNames?: string[];
  readonly ipAddresses?: string[];
}

/** Issues certificates of one instant. */
class Issuer {
  private readonly random: Random;
  private readonly notBeforeMs: number;

  constructor(clock: Clock, random: Random) {
    this.random = random;
    this.notBeforeMs = clock.now() - HOUR_MS;
  }

  authority(commonName: string): Identity {
    const { privateKey } = makeKeyPair(this.random);
    const fields = { commonName, isAuthority: true, dnsNames: [commonName] };
    return { privateKey, certificate: issueCertificate(this.dated(fields, AUTHORITY_VALID_MS), privateKey) };
  }

  issue(subject: Subject, authority: Identity): Identity {
    const { privateKey } = makeKeyPair(this.random);
    const certificate = issueCertificate(this.dated(subject, VALID_MS), privateKey, authority);
    return { privateKey, certificate };
  }

  private dated<T extends Subject>(
    fields: T,
    validMs: number,
  ): T & { notBeforeMs: number; notAfterMs: number; serial: string } {
    const { notBeforeMs } = this;
    const serial = Buffer.from(this.random.bytes(8)).toString('hex');
    return { ...fields, notBeforeMs, notAfterMs: notBeforeMs + validMs, serial };
  }
}

function issueAll(issuer: Issuer, profile: Profile): Pki {
  const authority = issuer.authority('kubernetes');
  const controlPlane = profile.machines.find(({ role }) => role === 'control-plane')!;
  return {
    authority,
    apiServer: issuer.issue(
      {
        commonName: 'kube-apiserver',
        dnsNames: [
          controlPlane.name,
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          `kubernetes.default.svc.${profile.clusterDomain}`,
          'localhost',
        ],
        ipAddresses: [firstServiceAddress(profile.serviceCidr), controlPlane.address, '127.0.0.1'],
      },
      authority,
    ),
    admin: issuer.issue(
      {
        commonName: 'kubernetes-admin',
        organizations: [kubeadmRelease(profile.kubernetesVersion).adminGroup],
      },
      authority,
    ),
    ...issueFrontProxy(issuer),
    kubeletClient: issueKubeletClient(issuer, authority),
  };
}

function issueKubeletClient(issuer: Issuer, authority: Identity): Identity {
  return issuer.issue(
    { commonName: 'kube-apiserver-kubelet-client', organizations: ['kubeadm:cluster-admins'] },
    authority,
  );
}

function issueFrontProxy(issuer: Issuer): Pick<Pki, 'frontProxyAuthority' | 'frontProxy'> {
  const frontProxyAuthority = issuer.authority('front-proxy-ca');
  const frontProxy = issuer.issue({ commonName: 'front-proxy-client' }, frontProxyAuthority);
  return { frontProxyAuthority, frontProxy };
}

/** The `kubernetes` Service's address: the first of the range. */
function firstServiceAddress(cidr: string): string {
  return `${cidr.split('/')[0]!.split('.').slice(0, 3).join('.')}.1`;
}

/** By which a node's kubelet is known to the API server; the same whenever the workspace is opened. */
export function kubeletIdentity(
  clock: Clock,
  random: Random,
  { authority }: Pki,
  nodeName: string,
): Identity {
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  return new Issuer(clock, random.fork(`pki/kubelet/${nodeName}`)).issue(subject, authority);
}

/** admin.conf. */
export function adminKubeconfig(server: string, { authority, admin }: Pki): string {
  const user = {
    'client-certificate-data': base64(admin.certificate),
    'client-key-data': base64(admin.privateKey),
  };
  return kubeconfig(server, authority, 'kubernetes-admin', user);
}

/** kubelet.conf: the kubelet renews what is in the file that it names. */
export function kubeletKubeconfig(server: string, { authority }: Pki, nodeName: string): string {
  const file = KUBELET_CLIENT_FILE;
  const user = { 'client-certificate': file, 'client-key': file };
  return kubeconfig(server, authority, `system:node:${nodeName}`, user);
}

/** A kubelet's client certificate and its key. */
export const KUBELET_CLIENT_FILE = '/var/lib/kubelet/pki/kubelet-client-current.pem';

function base64(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

function kubeconfig(server: string, authority: Identity, name: string, user: Record<string, string>): string {
  return stringify(
    {
      apiVersion: 'v1',
      clusters: [
        {
          cluster: { 'certificate-authority-data': base64(authority.certificate), server },
          name: 'kubernetes',
        },
      ],
      contexts: [{ context: { cluster: 'kubernetes', user: name }, name: `${name}@kubernetes` }],
      'current-context': `${name}@kubernetes`,
      kind: 'Config',
      preferences: {},
      users: [{ name, user }],
    },
    { lineWidth: 0 },
  );
}
