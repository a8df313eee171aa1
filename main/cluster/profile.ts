// Version profiles: which Kubernetes a cluster is, on which machines and address ranges, and how fast its parts act.

/** A machine of the lab's LAN. */
export interface MachineProfile {
  readonly name: string;
  /** On the LAN. */
  readonly address: string;
  readonly role: 'control-plane' | 'worker' | 'client';
}

/** How long things take in virtual time. All zero gives the fastest cluster. */
export interface Latencies {
  /** Fetching the smallest image, in ms. */
  readonly imagePullBaseMs: number;
  /** And for each MiB of it, in ms. */
  readonly imagePullPerMiBMs: number;
  /** From creating to running a container, in ms. */
  readonly containerStartMs: number;
  /** Making a pod's sandbox and its network, in ms. */
  readonly sandboxStartMs: number;
  /** One way across a link of the LAN, in ms. */
  readonly linkDelayMs: number;
}

export interface Profile {
  readonly name: string;
  /** Such as `v1.36.2`. */
  readonly kubernetesVersion: string;
  readonly machines: readonly MachineProfile[];
  /** CIDR of the LAN, with the router's address in it. */
  readonly lan: { readonly cidr: string; readonly router: string };
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly nodePortRange: { readonly from: number; readonly to: number };
  /** Name of the machines' LAN device. */
  readonly device: string;
  readonly proxyMode: 'iptables' | 'ipvs';
  readonly latencies: Latencies;
}

export const NO_LATENCY: Latencies = {
  imagePullBaseMs: 0,
  imagePullPerMiBMs: 0,
  containerStartMs: 0,
  sandboxStartMs: 0,
  linkDelayMs: 0,
};

const LIFELIKE: Latencies = {
  imagePullBaseMs: 400,
  imagePullPerMiBMs: 15,
  containerStartMs: 120,
  sandboxStartMs: 250,
  linkDelayMs: 0.1,
};

const current: Profile = {
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
  proxyMode: 'ipvs',
  latencies: LIFELIKE,
};

const profiles: readonly Profile[] = [current];

/** Machines that a /24 LAN can hold beside router and client. */
const NODES_MAX = 240;

/** The names of all profiles. */
export function listProfiles(): string[] {
  return profiles.map((profile) => profile.name);
}

/** A profile by name. Throws RangeError with a sentence for a person. */
export function requireProfile(name: string): Profile {
  const found = profiles.find((profile) => profile.name === name);
  if (found === undefined)
    throw new RangeError(`There is no profile "${name}"; choose one of ${listProfiles().join(', ')}.`);
  return found;
}

/** The profile with `count` nodes in all: one control plane, the rest workers. Throws RangeError with a sentence. */
export function withNodes(profile: Profile, count: number): Profile {
  if (!Number.isInteger(count) || count < 1 || count > NODES_MAX) {
    throw new RangeError(`A cluster has 1 to ${NODES_MAX} nodes, not ${count}.`);
  }
  const [network] = profile.lan.cidr.split('/');
  const prefix = network!.split('.').slice(0, 3).join('.');
  const taken = new Set(
    profile.machines.filter(({ role }) => role === 'client').map(({ address }) => address),
  );
  const workers: MachineProfile[] = profile.machines
    .filter(({ role }) => role === 'worker')
    .slice(0, count - 1);
  let host = 13;
  while (workers.length < count - 1) {
    const address = `${prefix}.${host++}`;
    if (!taken.has(address)) workers.push({ name: `worker${workers.length + 1}`, address, role: 'worker' });
  }
  const others = (role: MachineProfile['role']): MachineProfile[] =>
    profile.machines.filter((machine) => machine.role === role);
  return { ...profile, machines: [...others('control-plane'), ...workers, ...others('client')] };
}
