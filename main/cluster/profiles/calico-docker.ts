// The cluster of the course's document on Services and kube-proxy's modes: Docker by way of cri-dockerd, iptables at first.
// Its release is told by what the document shows: kube-proxy's configuration has `logging` (since 1.28), Services have an
// internalTrafficPolicy (1.22), restarts say how long ago (1.22), and describe doesn't print that policy yet.
// Differs: the document's cluster has Calico, which isn't simulated yet.
import type { Profile } from '../profile.ts';
import { COMMON } from './common.ts';

export const calicoDocker: Profile = {
  ...COMMON,
  name: 'calico-docker',
  kubernetesVersion: 'v1.28.2',
  machines: [
    { name: 'master', address: '192.168.80.10', role: 'control-plane' },
    { name: 'node1', address: '192.168.80.11', role: 'worker' },
    { name: 'node2', address: '192.168.80.12', role: 'worker' },
    { name: 'client', address: '192.168.80.100', role: 'client' },
  ],
  lan: { cidr: '192.168.80.0/24', router: '192.168.80.1' },
  runtime: { name: 'docker', version: '24.0.6' },
  proxyMode: 'iptables',
};
