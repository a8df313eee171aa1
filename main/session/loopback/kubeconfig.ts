// The kubeconfig that lets the host's own kubectl, helm or k9s at the lab.
import { stringify } from 'yaml';
import type { HostCertificates } from './certificates.ts';

/** YAML of a kubeconfig shaped as kubeadm writes admin.conf. */
export function hostKubeconfig(server: string, { authority, admin }: HostCertificates): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'kubernetes', cluster: { 'certificate-authority-data': base64(authority), server } },
      ],
      contexts: [
        { name: 'kubernetes-admin@kubernetes', context: { cluster: 'kubernetes', user: 'kubernetes-admin' } },
      ],
      'current-context': 'kubernetes-admin@kubernetes',
      preferences: {},
      users: [
        {
          name: 'kubernetes-admin',
          user: {
            'client-certificate-data': base64(admin.certificate),
            'client-key-data': base64(admin.key),
          },
        },
      ],
    },
    { lineWidth: 0 },
  );
}
