// Today's Kubernetes, as the course's first document has it.
import type { Profile } from '../profile.ts';
import { LIFELIKE } from './latencies.ts';

export const current: Profile = {
  name: 'current',
  kubernetesVersion: 'v1.36.2',
  machines: [
    { name: 'master1', address: '192.168.10.10', role: 'control-plane' },
    { name: 'worker1', address: '192.168.10.11', role: 'worker' },
    { name: 'worker2', address: '192.168.10.12', role: 'worker' },
    { name: 'client', address: '192.168.10.100', role: 'client' },
  ],
  lan: { cidr: '192.168.10.0/24', router: '192.168.10.1' },
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  nodePortRange: { from: 30000, to: 32767 },
  device: 'ens33',
  cni: 'flannel',
  runtime: { name: 'containerd' },
  proxyMode: 'ipvs',
  latencies: LIFELIKE,
};
