// For the course's documents that use extensions/v1beta1 throughout (Traefik 1.x, nginx-ingress-controller 0.12): the last
// release that serves Deployments and DaemonSets there is 1.15.
import type { Profile } from '../profile.ts';
import { COMMON } from './common.ts';

export const legacy: Profile = {
  ...COMMON,
  name: 'legacy',
  kubernetesVersion: 'v1.15.12',
  machines: [
    { name: 'master', address: '192.168.60.10', role: 'control-plane' },
    { name: 'node1', address: '192.168.60.11', role: 'worker' },
    { name: 'node2', address: '192.168.60.12', role: 'worker' },
    { name: 'client', address: '192.168.60.100', role: 'client' },
  ],
  lan: { cidr: '192.168.60.0/24', router: '192.168.60.1' },
  runtime: { name: 'docker', version: '18.9.9' },
  proxyMode: 'iptables',
};
