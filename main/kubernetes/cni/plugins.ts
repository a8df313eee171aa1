// What the container runtime calls for each pod: reads the first conf file in /etc/cni/net.d and runs the plugin it names.
import type { Cni } from '../../linux/containerd/index.ts';
import type { FileSystemView, Kernel } from '../../linux/kernel/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { attachToBridge } from './bridge.ts';
import { HostLocal } from './host-local.ts';

const CONF_FOLDER = '/etc/cni/net.d';
const SUBNET_FILE = '/run/flannel/subnet.env';

interface NetworkConf {
  readonly name: string;
  readonly plugins: readonly PluginConf[];
}

interface PluginConf {
  readonly type: string;
  readonly bridge?: string;
  readonly mtu?: number;
  readonly isGateway?: boolean;
  readonly hairpinMode?: boolean;
  readonly isDefaultGateway?: boolean;
  readonly ipam?: {
    readonly type?: string;
    readonly subnet?: string;
    readonly routes?: readonly { readonly dst: string }[];
  };
  readonly delegate?: {
    readonly hairpinMode?: boolean;
    readonly isDefaultGateway?: boolean;
    readonly bridge?: string;
  };
}

/** How one pod's bridge network comes about, whichever plugin said so. */
interface Plan {
  readonly bridge: string;
  readonly mtu: number;
  readonly subnet: string;
  readonly routes: readonly string[];
  readonly hairpin: boolean;
  readonly isDefaultGateway: boolean;
}

/** The plugins of a machine. */
export function makeCniPlugins(kernel: Kernel): Cni {
  const random = kernel.random.fork('cni');
  return {
    add(sandboxId, net, pod) {
      const { conf, plan } = planFor(kernel.files);
      const lease = new HostLocal(kernel.files, conf.name, plan.subnet).reserve(
        sandboxId,
        pod.requestedIps?.[0],
      );
      attachToBridge(kernel.net, net, lease, { ...plan, isGateway: true }, random);
      return Promise.resolve({ ips: [lease.address] });
    },
    del(sandboxId, net) {
      const conf = readConf(kernel.files);
      if (conf !== undefined) new HostLocal(kernel.files, conf.name, '0.0.0.0/0').release(sandboxId);
      const inside = net?.links.get('eth0');
      if (net !== undefined && inside !== undefined) net.links.delete(inside);
      return Promise.resolve();
    },
  };
}

function planFor(files: FileSystemView): { conf: NetworkConf; plan: Plan } {
  const conf = readConf(files);
  if (conf === undefined) throw new Error('cni plugin not initialized');
  const main = conf.plugins[0];
  if (main?.type === 'flannel') return { conf, plan: flannelPlan(files, main) };
  if (main?.type === 'bridge') return { conf, plan: bridgePlan(main) };
  throw new Error(
    `plugin type="${main?.type ?? ''}" failed (add): failed to find plugin "${main?.type ?? ''}" in path [/opt/cni/bin]`,
  );
}

/** The conf file that sorts first, as libcni loads it. */
function readConf(files: FileSystemView): NetworkConf | undefined {
  if (!files.exists(CONF_FOLDER)) return undefined;
  const name = files.readdir(CONF_FOLDER).find((entry) => /\.(conf|conflist|json)$/.test(entry.name))?.name;
  if (name === undefined) return undefined;
  const parsed = JSON.parse(files.readText(`${CONF_FOLDER}/${name}`)) as Partial<NetworkConf> & PluginConf;
  return { name: parsed.name ?? '', plugins: parsed.plugins ?? [parsed] };
}

/** The flannel plugin hands over to bridge, with what flanneld left in subnet.env. */
function flannelPlan(files: FileSystemView, conf: PluginConf): Plan {
  let text: string;
  try {
    text = files.readText(SUBNET_FILE);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Error(
      `plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open ${SUBNET_FILE}: ${error.message.toLowerCase()}`,
      { cause: error },
    );
  }
  const env = new Map(text.split('\n').map((line) => line.split('=') as [string, string]));
  const [gateway = '', prefix = '24'] = (env.get('FLANNEL_SUBNET') ?? '').split('/');
  return {
    bridge: conf.delegate?.bridge ?? 'cni0',
    mtu: Number(env.get('FLANNEL_MTU') ?? 1450),
    subnet: `${gateway.replace(/\.1$/, '.0')}/${prefix}`,
    routes: [env.get('FLANNEL_NETWORK') ?? ''].filter((route) => route !== ''),
    hairpin: conf.delegate?.hairpinMode ?? false,
    isDefaultGateway: conf.delegate?.isDefaultGateway ?? true,
  };
}

function bridgePlan(conf: PluginConf): Plan {
  return {
    bridge: conf.bridge ?? 'cni0',
    mtu: conf.mtu ?? 1500,
    subnet: conf.ipam?.subnet ?? '',
    routes: (conf.ipam?.routes ?? []).map(({ dst }) => dst).filter((dst) => dst !== '0.0.0.0/0'),
    hairpin: conf.hairpinMode ?? false,
    isDefaultGateway: conf.isDefaultGateway ?? true,
  };
}
