// What the profiles share where a document of the course doesn't say otherwise: kubeadm's defaults, and lifelike latencies.
import type { Profile } from '../profile.ts';

/** How long things take: little, but as in life. */
const LIFELIKE: Profile['latencies'] = {
  imagePullBaseMs: 400,
  imagePullPerMiBMs: 15,
  containerStartMs: 120,
  sandboxStartMs: 250,
  linkDelayMs: 0.1,
};

export const COMMON = {
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  nodePortRange: { from: 30000, to: 32767 },
  device: 'ens33',
  cni: 'flannel',
  latencies: LIFELIKE,
} satisfies Partial<Profile>;
