// What containerd calls for a pod's network: reads the first configuration in /etc/cni/net.d and runs its plugins.
import type { Cni, CniResult, PodInfo } from '../../linux/containerd/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';
import type { NetworkNamespace } from '../../network/index.ts';
import type { Random } from '../../simulation/index.ts';
import {
  addMasquerade,
  connectBridge,
  disconnectBridge,
  podAddress,
  pluginError,
  removeMasquerade,
  type BridgeSettings,
} from './bridge.ts';
import { HostLocal } from './ipam.ts';
import { addPortMappings, removePortMappings, routeLocalnet } from './portmap.ts';

export interface CniOptions {
  /** The machine's own namespace. */
  readonly net: NetworkNamespace;
  /** The machine's files, with root's rights. */
  readonly fs: () => FileSystemView;
  readonly random: Random;
}

interface Plugin {
  readonly type: string;
  readonly bridge?: string;
  readonly mtu?: number;
  readonly isGateway?: boolean;
  readonly isDefaultGateway?: boolean;
  readonly ipMasq?: boolean;
  readonly hairpinMode?: boolean;
  readonly ipam?: {
    readonly type?: string;
    readonly subnet?: string;
    readonly ranges?: readonly (readonly { readonly subnet?: string }[])[];
    readonly routes?: readonly { readonly dst?: string }[];
  };
  readonly delegate?: Partial<Plugin>;
}

interface NetworkList {
  readonly name: string;
  readonly plugin: Plugin;
  /** Whether the portmap plugin is chained behind it. */
  readonly mapsPorts: boolean;
}

const FOLDER = '/etc/cni/net.d';
const SUBNET_FILE = '/run/flannel/subnet.env';
const BRIDGE_DEFAULT = 'cni0';

/** A plan made from configuration, before anything is changed. */
interface Plan {
  readonly name: string;
  readonly type: string;
  readonly ipam: HostLocal;
  readonly subnet: string;
  readonly settings: BridgeSettings;
  readonly masquerade: boolean;
  readonly mapsPorts: boolean;
}

/** Makes the CNI of one machine: bridge and flannel, with host-local addresses. */
export function makeCni(options: CniOptions): Cni {
  const { net: host, fs, random } = options;
  return {
    async add(sandboxId: string, pod: NetworkNamespace, info: PodInfo): Promise<CniResult> {
      const plan = makePlan(fs());
      try {
        const address = plan.ipam.allocate(sandboxId, info.requestedIps?.[0]);
        connectBridge(host, pod, address, plan.settings, random);
        if (plan.masquerade) addMasquerade(host, plan.name, sandboxId, address, plan.subnet);
        const mappings = plan.mapsPorts ? (info.portMappings ?? []) : [];
        if (mappings.length > 0) {
          addPortMappings(host, plan.name, sandboxId, address, plan.subnet, mappings);
          routeLocalnet(host, plan.settings.bridge);
        }
        return { ips: [address] };
      } catch (error) {
        throw pluginError(plan.type, 'add', error);
      }
    },
    async del(sandboxId: string, pod: NetworkNamespace | undefined): Promise<void> {
      const network = readList(fs());
      if (network === undefined) return;
      const address = pod === undefined ? undefined : podAddress(pod);
      if (pod !== undefined) disconnectBridge(pod);
      removeMasquerade(host, network.name, sandboxId);
      removePortMappings(host, network.name, sandboxId);
      // The range doesn't matter for giving an address back.
      new HostLocal(fs(), network.name, '0.0.0.0/24').release(sandboxId, address);
    },
  };
}

function readList(fs: FileSystemView): NetworkList | undefined {
  if (!fs.exists(FOLDER)) return undefined;
  const file = fs.readdir(FOLDER).find(({ name }) => /\.(conflist|conf|json)$/.test(name));
  if (file === undefined) return undefined;
  const json = JSON.parse(fs.readText(`${FOLDER}/${file.name}`)) as {
    name?: string;
    plugins?: readonly Plugin[];
  } & Partial<Plugin>;
  const plugin = json.plugins?.[0] ?? (json.type === undefined ? undefined : (json as Plugin));
  const mapsPorts = json.plugins?.some(({ type }) => type === 'portmap') === true;
  return plugin === undefined ? undefined : { name: json.name ?? '', plugin, mapsPorts };
}

/** Throws an Error in libcni's or the plugin's words. */
function makePlan(fs: FileSystemView): Plan {
  const network = readList(fs);
  if (network === undefined) throw new Error('cni plugin not initialized');
  const { name, plugin } = network;
  if (plugin.type === 'flannel') return { ...flannelPlan(fs, name, plugin), mapsPorts: network.mapsPorts };
  if (plugin.type !== 'bridge')
    throw new Error(`failed to find plugin "${plugin.type}" in path [/opt/cni/bin]`);
  const subnet = plugin.ipam?.subnet ?? plugin.ipam?.ranges?.[0]?.[0]?.subnet;
  if (subnet === undefined) throw new Error('plugin type="bridge" failed (add): no IP ranges specified');
  const routes = (plugin.ipam?.routes ?? []).flatMap(({ dst }) => dst ?? []);
  const all = plugin.isDefaultGateway === true ? [...routes, '0.0.0.0/0'] : routes;
  return { ...planOf(fs, name, plugin, subnet, all), mapsPorts: network.mapsPorts };
}

/** flannel delegates to bridge, with what flanneld wrote about this node. */
function flannelPlan(fs: FileSystemView, name: string, plugin: Plugin): Omit<Plan, 'mapsPorts'> {
  if (!fs.exists(SUBNET_FILE)) {
    throw new Error(
      `plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open ${SUBNET_FILE}: no such file or directory`,
    );
  }
  const env = new Map(
    fs
      .readText(SUBNET_FILE)
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string]),
  );
  const subnet = env.get('FLANNEL_SUBNET') ?? '';
  const own: Plugin = {
    type: 'bridge',
    mtu: Number(env.get('FLANNEL_MTU') ?? 1450),
    isGateway: true,
    ipMasq: env.get('FLANNEL_IPMASQ') !== 'true',
    ...plugin.delegate,
  };
  const plan = planOf(fs, name, own, subnet, ['0.0.0.0/0', env.get('FLANNEL_NETWORK') ?? '10.244.0.0/16']);
  return { ...plan, type: 'flannel' };
}

function planOf(
  fs: FileSystemView,
  name: string,
  plugin: Plugin,
  subnet: string,
  routes: readonly string[],
): Omit<Plan, 'mapsPorts'> {
  const ipam = new HostLocal(fs, name, subnet);
  return {
    name,
    type: plugin.type,
    ipam,
    subnet: `${ipam.gateway.replace(/\.\d+$/, '.0')}/${ipam.prefixLength}`,
    masquerade: plugin.ipMasq === true,
    settings: {
      bridge: plugin.bridge ?? BRIDGE_DEFAULT,
      mtu: plugin.mtu,
      isGateway: plugin.isGateway === true || plugin.isDefaultGateway === true,
      hairpin: plugin.hairpinMode === true,
      gateway: ipam.gateway,
      prefixLength: ipam.prefixLength,
      routes: [...new Set(routes)],
    },
  };
}
