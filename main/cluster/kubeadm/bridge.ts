// The plain bridge network: every node has a range of its own from the start, and the LAN's router knows the way to each.
import type { MachineProfile, Profile } from '../profile.ts';

/** Pods' addresses on each node. */
const NODE_PREFIX_LENGTH = 24;

/** The pods' range of a node, by its place among the profile's nodes; what `--pod-cidr` would hand a kubelet. */
export function nodePodCidr(profile: Profile, machine: MachineProfile): string {
  const nodes = profile.machines.filter(({ role }) => role !== 'client');
  const [base = '', prefix = '16'] = profile.podCidr.split('/');
  const index = nodes.indexOf(machine);
  if (index >= 2 ** (NODE_PREFIX_LENGTH - Number(prefix)))
    throw new RangeError(`The pods' range ${profile.podCidr} has no /24 for ${nodes.length} nodes.`);
  const start = base.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const address = start + index * 2 ** (32 - NODE_PREFIX_LENGTH);
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
  return `${octets.join('.')}/${NODE_PREFIX_LENGTH}`;
}

/** `/etc/cni/net.d/10-bridge.conflist` of a node. Pods' packets leave with their own addresses; the router masquerades. */
export function bridgeConfList(profile: Profile, machine: MachineProfile): string {
  const conf = {
    cniVersion: '1.0.0',
    name: 'bridge',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: nodePodCidr(profile, machine) }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(conf, undefined, 2)}\n`;
}
