// Version profiles: which Kubernetes a cluster is, on which machines and address ranges, and how fast its parts act.
import { calicoDocker } from './profiles/calico-docker.ts';
import { current } from './profiles/current.ts';
import { flannel119 } from './profiles/flannel-119.ts';
import { legacy } from './profiles/legacy.ts';

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
  /** What really connects the pods: Flannel's VXLAN, or a bridge on each node and routes at the LAN's router. */
  readonly cni: 'flannel' | 'bridge';
  /** The container runtime as nodes tell it; Docker's version, containerd's is its own. */
  readonly runtime: { readonly name: 'containerd' } | { readonly name: 'docker'; readonly version: string };
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

const profiles: readonly Profile[] = [current, calicoDocker, flannel119, legacy];

/** Nodes that the profiles' own /24 LANs hold beside router, client and the addresses of load balancers. */
const SMALL_NODES_MAX = 200;
/** Nodes of which each has a /24 of the large range of pods. */
const NODES_MAX = 8000;
/** A range of pods with that many /24s, beside every profile's Services and LAN. */
const LARGE_POD_CIDR = '10.128.0.0/11';

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

/**
 * The profile with `count` nodes in all: one control plane, the rest workers. Beyond some two hundred the LAN becomes the
 * /16 around it and pods get a larger range. Throws RangeError with a sentence.
 */
export function withNodes(profile: Profile, count: number): Profile {
  if (!Number.isInteger(count) || count < 1 || count > NODES_MAX) {
    throw new RangeError(`A cluster has 1 to ${NODES_MAX} nodes, not ${count}.`);
  }
  const others = (role: MachineProfile['role']): MachineProfile[] =>
    profile.machines.filter((machine) => machine.role === role);
  const named = others('worker').slice(0, count - 1);
  const taken = new Set([profile.lan.router, ...profile.machines.map(({ address }) => address)]);
  const addresses = workerAddresses(profile, count > SMALL_NODES_MAX);
  const workers = [...named];
  while (workers.length < count - 1) {
    const address = addresses.next().value as string;
    if (!taken.has(address))
      workers.push({ name: nextName(profile, workers.length), address, role: 'worker' });
  }
  const machines = [...others('control-plane'), ...workers, ...others('client')];
  if (count <= SMALL_NODES_MAX) return { ...profile, machines };
  const [a, b] = profile.lan.cidr.split('.');
  return {
    ...profile,
    machines,
    lan: { ...profile.lan, cidr: `${a}.${b}.0.0/16` },
    podCidr: LARGE_POD_CIDR,
  };
}

/** Addresses for more workers: those after the profile's in its own /24, or the /24s that follow it. */
function* workerAddresses({ lan }: Profile, isLarge: boolean): Generator<string> {
  const [a, b, c] = lan.cidr.split('.').map(Number);
  if (!isLarge) for (let host = 13; host < 255; host++) yield `${a}.${b}.${c}.${host}`;
  for (let next = 1; next < 256; next++)
    for (let host = 1; host < 255; host++) yield `${a}.${b}.${(c! + next) % 256}.${host}`;
}

/** The name of the worker after `index` others, as the profile's own are numbered. */
function nextName({ machines }: Profile, index: number): string {
  const first = machines.find(({ role }) => role === 'worker');
  const [, stem = 'worker', number = '1'] = /^(.*?)(\d+)$/.exec(first?.name ?? '') ?? [];
  return `${stem}${Number(number) + index}`;
}
