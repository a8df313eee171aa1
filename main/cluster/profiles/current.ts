// Today's Kubernetes, as the course's first document has it.
import type { Profile } from '../profile.ts';
import { COMMON } from './common.ts';

export const current: Profile = {
  ...COMMON,
  name: 'current',
  kubernetesVersion: 'v1.36.2',
  machines: [
    { name: 'master1', address: '192.168.10.10', role: 'control-plane' },
    { name: 'worker1', address: '192.168.10.11', role: 'worker' },
    { name: 'worker2', address: '192.168.10.12', role: 'worker' },
    { name: 'client', address: '192.168.10.100', role: 'client' },
  ],
  lan: { cidr: '192.168.10.0/24', router: '192.168.10.1' },
  runtime: { name: 'containerd' },
  proxyMode: 'ipvs',
};
