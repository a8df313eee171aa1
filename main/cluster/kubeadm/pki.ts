// The keys and certificates of a cluster, as kubeadm makes them, and the kubeconfigs that carry them.
import { stringify } from 'yaml';
import { issueCertificate, makeKeyPair, type Identity } from '../../network/tls/index.ts';
import type { Clock, Random } from '../../simulation/index.ts';
import type { Store } from '../../storage/index.ts';
import type { Profile } from '../profile.ts';

/** All in PEM. */
export interface Pki {
  readonly authority: Identity;
  readonly apiServer: Identity;
  /** kubernetes-admin in kubeadm:cluster-admins. */
  readonly admin: Identity;
}

const STORE_KEY = '/cluster/pki';
const HOUR_MS = 3600_000;
const AUTHORITY_VALID_MS = 10 * 365 * 24 * HOUR_MS;
const VALID_MS = 365 * 24 * HOUR_MS;

/** The cluster's own, or new ones that the workspace keeps. */
export function clusterPki(store: Store, clock: Clock, random: Random, profile: Profile): Pki {
  const saved = store.get(STORE_KEY);
  if (saved !== undefined) return JSON.parse(String(saved.value)) as Pki;
  const pki = issueAll(clock, random, profile);
  store.save([{ key: STORE_KEY, value: JSON.stringify(pki) }]);
  return pki;
}

function issueAll(clock: Clock, random: Random, profile: Profile): Pki {
  const notBeforeMs = clock.now() - HOUR_MS;
  const serial = (): string => Buffer.from(random.bytes(8)).toString('hex');
  const authorityKey = makeKeyPair(random).privateKey;
  const authority: Identity = {
    privateKey: authorityKey,
    certificate: issueCertificate(
      {
        commonName: 'kubernetes',
        isAuthority: true,
        dnsNames: ['kubernetes'],
        notBeforeMs,
        notAfterMs: notBeforeMs + AUTHORITY_VALID_MS,
        serial: serial(),
      },
      authorityKey,
    ),
  };
  const issue = (fields: {
    commonName: string;
    organizations?: string[];
    dnsNames?: string[];
    ipAddresses?: string[];
  }): Identity => {
    const { privateKey } = makeKeyPair(random);
    return {
      privateKey,
      certificate: issueCertificate(
        { ...fields, notBeforeMs, notAfterMs: notBeforeMs + VALID_MS, serial: serial() },
        privateKey,
        authority,
      ),
    };
  };
  const controlPlane = profile.machines.find(({ role }) => role === 'control-plane')!;
  return {
    authority,
    apiServer: issue({
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
    }),
    admin: issue({ commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] }),
  };
}

/** The `kubernetes` Service's address: the first of the range. */
function firstServiceAddress(cidr: string): string {
  return `${cidr.split('/')[0]!.split('.').slice(0, 3).join('.')}.1`;
}

/** admin.conf. */
export function adminKubeconfig(server: string, { authority, admin }: Pki): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      clusters: [
        {
          cluster: { 'certificate-authority-data': base64(authority.certificate), server },
          name: 'kubernetes',
        },
      ],
      contexts: [
        { context: { cluster: 'kubernetes', user: 'kubernetes-admin' }, name: 'kubernetes-admin@kubernetes' },
      ],
      'current-context': 'kubernetes-admin@kubernetes',
      kind: 'Config',
      preferences: {},
      users: [
        {
          name: 'kubernetes-admin',
          user: {
            'client-certificate-data': base64(admin.certificate),
            'client-key-data': base64(admin.privateKey),
          },
        },
      ],
    },
    { lineWidth: 0 },
  );
}
