// The bridge plugin: a veth pair between the pod and the machine's bridge, an address, a default route.
import { createHash } from 'node:crypto';
import { ErrnoError, type Link, type NetworkNamespace } from '../../network/index.ts';
import type { Random } from '../../simulation/index.ts';

export interface BridgeSettings {
  readonly bridge: string;
  readonly mtu: number | undefined;
  /** Give the bridge the gateway's address. */
  readonly isGateway: boolean;
  readonly hairpin: boolean;
  readonly gateway: string;
  readonly prefixLength: number;
  /** Destinations, in CIDR form, that go by the gateway. */
  readonly routes: readonly string[];
}

/** Connects a pod; its eth0 has `address` afterwards. */
export function connectBridge(
  host: NetworkNamespace,
  pod: NetworkNamespace,
  address: string,
  settings: BridgeSettings,
  random: Random,
): void {
  const bridge = ensureBridge(host, settings);
  const mtu = settings.mtu === undefined ? {} : { mtu: settings.mtu };
  const existing = pod.links.get('eth0');
  if (existing !== undefined) pod.links.delete(existing);
  const name = `veth${random.string(8, '0123456789abcdef')}`;
  const end = host.links.addVeth({ name, ...mtu, peer: { name: 'eth0', namespace: pod, ...mtu } });
  host.links.setMaster(end, bridge);
  host.links.setUp(end);
  const loopback = pod.links.get('lo');
  if (loopback !== undefined && !loopback.isUp) pod.links.setUp(loopback);
  const eth0 = pod.links.require('eth0');
  pod.links.setUp(eth0);
  pod.addresses.add(eth0, { address, prefixLength: settings.prefixLength, broadcast: '+' });
  for (const route of settings.routes) {
    const [destination = '', prefix = '0'] = route.split('/');
    pod.routes.replace({ destination, prefixLength: Number(prefix), gateway: settings.gateway, link: eth0 });
  }
  pod.neighbours.announce(eth0, address);
}

/** The address that a pod is connected with. */
export function podAddress(pod: NetworkNamespace): string | undefined {
  const eth0 = pod.links.get('eth0');
  return eth0 === undefined ? undefined : pod.addresses.list(eth0)[0]?.address;
}

function ensureBridge(host: NetworkNamespace, settings: BridgeSettings): Link {
  const { links, addresses, sysctls } = host;
  const bridge =
    links.get(settings.bridge) ??
    links.addBridge({ name: settings.bridge, ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }) });
  if (!bridge.isUp) links.setUp(bridge);
  if (settings.isGateway) {
    if (!addresses.list(bridge).some((entry) => entry.address === settings.gateway)) {
      addresses.add(bridge, {
        address: settings.gateway,
        prefixLength: settings.prefixLength,
        broadcast: '+',
      });
    }
    if (sysctls.get('net.ipv4.ip_forward') !== undefined) sysctls.set('net.ipv4.ip_forward', '1');
  }
  return bridge;
}

/** Takes a pod's eth0, and with it the machine's end, away. */
export function disconnectBridge(pod: NetworkNamespace): void {
  const eth0 = pod.links.get('eth0');
  if (eth0 !== undefined) pod.links.delete(eth0);
}

/** ipMasq: what leaves the pods' networks for the world gets the machine's address. */
export function addMasquerade(
  host: NetworkNamespace,
  network: string,
  containerId: string,
  address: string,
  subnet: string,
): void {
  const chain = masqueradeChain(network, containerId);
  const comment = `-m comment --comment "name: \\"${network}\\" id: \\"${containerId}\\""`;
  host.netfilter.restore(
    `*nat\n:${chain} - [0:0]\n-A ${chain} -d ${subnet} ${comment} -j ACCEPT\n-A ${chain} ! -d 224.0.0.0/4 ${comment} -j MASQUERADE\n` +
      `-A POSTROUTING -s ${address}/32 ${comment} -j ${chain}\nCOMMIT\n`,
    { noFlush: true },
  );
}

export function removeMasquerade(host: NetworkNamespace, network: string, containerId: string): void {
  const chain = masqueradeChain(network, containerId);
  const nat = host.netfilter.table('nat');
  if (nat.chain(chain) === undefined) return;
  const rules = nat.chain('POSTROUTING')?.rules ?? [];
  for (let number = rules.length; number > 0; number--) {
    if (rules[number - 1]?.target?.name === chain) nat.deleteNumber('POSTROUTING', number);
  }
  nat.flush(chain);
  nat.deleteChain(chain);
}

/** `CNI-` and 24 digits of a hash of network and container, as plugins/pkg/utils has it. */
function masqueradeChain(network: string, containerId: string): string {
  return `CNI-${createHash('sha512')
    .update(network + containerId)
    .digest('hex')
    .slice(0, 24)}`;
}

/** What a failed call means in the plugin's words. */
export function pluginError(type: string, action: 'add' | 'delete', error: unknown): Error {
  if (!(error instanceof Error)) throw error;
  const text = error instanceof ErrnoError ? error.message.toLowerCase() : error.message;
  return new Error(`plugin type="${type}" failed (${action}): ${text}`, { cause: error });
}
