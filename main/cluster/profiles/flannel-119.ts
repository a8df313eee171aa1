// The cluster of the course's document on pod networks: Kubernetes 1.19 on Docker, Flannel, ranges of its own.
import type { Profile } from '../profile.ts';
import { COMMON } from './common.ts';

export const flannel119: Profile = {
  ...COMMON,
  name: 'flannel-119',
  kubernetesVersion: 'v1.19.16',
  machines: [
    { name: 'k8s-master-10', address: '10.0.0.10', role: 'control-plane' },
    { name: 'k8s-node-11', address: '10.0.0.11', role: 'worker' },
    { name: 'k8s-node-12', address: '10.0.0.12', role: 'worker' },
    { name: 'client', address: '10.0.0.100', role: 'client' },
  ],
  lan: { cidr: '10.0.0.0/24', router: '10.0.0.1' },
  podCidr: '10.2.0.0/16',
  serviceCidr: '10.1.0.0/16',
  clusterDns: '10.1.0.10',
  runtime: { name: 'docker', version: '19.3.15' },
  proxyMode: 'iptables',
};
