// The bridge plugin: a veth pair between the pod and the machine's bridge, an address, a default route.
import type { Link, NetworkNamespace } from '../../network/index.ts';
import type { Random } from '../../simulation/index.ts';
import type { Lease } from './host-local.ts';

export interface BridgeSettings {
  readonly bridge: string;
  readonly mtu: number;
  /** Give the bridge the gateway's address. */
  readonly isGateway: boolean;
  /** The pod's default route goes by the gateway. */
  readonly isDefaultGateway: boolean;
  /** More destinations, in CIDR form, that go by the gateway. */
  readonly routes: readonly string[];
}

/** Connects a pod; its eth0 has the leased address afterwards. */
export function attachToBridge(
  host: NetworkNamespace,
  pod: NetworkNamespace,
  lease: Lease,
  settings: BridgeSettings,
  random: Random,
): void {
  const { mtu } = settings;
  const bridge = ensureBridge(host, lease, settings);
  const existing = pod.links.get('eth0');
  if (existing !== undefined) pod.links.delete(existing);
  const name = `veth${random.string(8, '0123456789abcdef')}`;
  const end = host.links.addVeth({ name, mtu, peer: { name: 'eth0', namespace: pod, mtu } });
  host.links.setMaster(end, bridge);
  host.links.setUp(end);
  const loopback = pod.links.get('lo');
  if (loopback !== undefined && !loopback.isUp) pod.links.setUp(loopback);
  const eth0 = pod.links.require('eth0');
  pod.links.setUp(eth0);
  pod.addresses.add(eth0, { address: lease.address, prefixLength: lease.prefixLength, broadcast: '+' });
  for (const route of [...(settings.isDefaultGateway ? ['0.0.0.0/0'] : []), ...settings.routes]) {
    const [destination = '', prefix = '0'] = route.split('/');
    pod.routes.replace({ destination, prefixLength: Number(prefix), gateway: lease.gateway, link: eth0 });
  }
  pod.neighbours.announce(eth0, lease.address);
}

function ensureBridge(host: NetworkNamespace, lease: Lease, settings: BridgeSettings): Link {
  const { links, addresses, sysctls } = host;
  const bridge = links.get(settings.bridge) ?? links.addBridge({ name: settings.bridge, mtu: settings.mtu });
  if (!bridge.isUp) links.setUp(bridge);
  if (!settings.isGateway) return bridge;
  if (!addresses.list(bridge).some(({ address }) => address === lease.gateway)) {
    addresses.add(bridge, { address: lease.gateway, prefixLength: lease.prefixLength, broadcast: '+' });
  }
  if (sysctls.get('net.ipv4.ip_forward') !== undefined) sysctls.set('net.ipv4.ip_forward', '1');
  return bridge;
}
