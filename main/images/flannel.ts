// flanneld: gives the node its pod network, by VXLAN or by routes through the hosts, as the Node objects say.
import { ErrnoError, type Link, type NetworkNamespace } from '../network/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import { resources, type Node } from '../kubernetes/api/index.ts';
import { Informer, type ApiClient } from '../kubernetes/client/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';

export interface FlannelOptions {
  readonly client: (proc: Process) => ApiClient;
}

interface NetConf {
  readonly network: string;
  readonly backend: 'vxlan' | 'host-gw';
  readonly vni: number;
}

interface Peer {
  readonly name: string;
  readonly publicIP: string;
  readonly mac: string;
  readonly podCIDR: string;
}

const CONF_PATH = '/etc/kube-flannel/net-conf.json';
const PREFIX = 'flannel.alpha.coreos.com/';
const VXLAN_PORT = 8472;
const VXLAN_OVERHEAD = 50;
const RETRY_MS = 1000;

/** /opt/bin/flanneld. */
export function makeFlanneld(options: FlannelOptions): Program {
  return async (proc) => {
    const flannel = new Flanneld(proc, options.client(proc));
    try {
      return await untilStopped(
        proc,
        flannel.start().then(
          () => new Promise<never>(() => undefined),
          async (error: unknown) => {
            await proc.stderr.write(`E ${error instanceof Error ? error.message : String(error)}\n`);
            return 1;
          },
        ),
      );
    } finally {
      flannel.dispose();
    }
  };
}

class Flanneld {
  private readonly proc: Process;
  private readonly client: ApiClient;
  private readonly stack = new DisposableStack();
  private readonly peers = new Map<string, Peer>();
  private device: Link | undefined;

  constructor(proc: Process, client: ApiClient) {
    this.proc = proc;
    this.client = client;
  }

  async start(): Promise<void> {
    const { proc } = this;
    const nodeName = proc.env.get('NODE_NAME') ?? proc.kernel.hostname;
    const conf = readConf(proc);
    const node = await this.waitForPodCIDR(nodeName);
    const podCIDR = node.spec?.podCIDR ?? '';
    const publicIP = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
    const underlay = underlayOf(proc.net, publicIP);
    const mtu = (underlay?.mtu ?? 1500) - (conf.backend === 'vxlan' ? VXLAN_OVERHEAD : 0);
    let mac = '';
    if (conf.backend === 'vxlan') {
      const device = this.ensureVxlan(conf.vni, publicIP, underlay, mtu, podCIDR);
      mac = device.mac;
    }
    await this.annotate(nodeName, conf, publicIP, mac);
    setSysctl(proc.net, 'net.ipv4.ip_forward', '1');
    const gateway = podCIDR.replace(/\.0\/(\d+)$/, '.1/$1');
    if (!proc.fs.exists('/run/flannel')) proc.fs.mkdir('/run/flannel', { recursive: true });
    proc.fs.writeFile(
      '/run/flannel/subnet.env',
      `FLANNEL_NETWORK=${conf.network}\nFLANNEL_SUBNET=${gateway}\nFLANNEL_MTU=${mtu}\nFLANNEL_IPMASQ=true\n`,
    );
    writeRules(proc.net, conf.network, podCIDR);
    await this.say(`Wrote subnet file to /run/flannel/subnet.env`);
    await this.say(`Running backend.`);

    const nodes = new Informer<Node>({ client: this.client, clock: proc.clock, resource: resources.nodes });
    const put = (other: Node): void => this.put(other, nodeName, conf, underlay);
    nodes.handle({ add: put, update: put, delete: (other) => this.drop(other.metadata.name, conf) });
    this.stack.use(nodes.start());
  }

  /** Devices, routes and rules stay: traffic goes on while flanneld is away. */
  dispose(): void {
    this.stack.dispose();
  }

  private async waitForPodCIDR(nodeName: string): Promise<Node> {
    for (;;) {
      try {
        const node = await this.client.get<Node>(resources.nodes, nodeName);
        if (node.spec?.podCIDR !== undefined && node.spec.podCIDR !== '') return node;
        await this.say(
          `Error registering network: failed to acquire lease: node "${nodeName}" pod cidr not assigned`,
        );
      } catch (error) {
        await this.say(
          `Failed to get node ${nodeName}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      await this.proc.sleep(RETRY_MS);
    }
  }

  private ensureVxlan(
    vni: number,
    publicIP: string,
    underlay: Link | undefined,
    mtu: number,
    podCIDR: string,
  ): Link {
    const { links, addresses } = this.proc.net;
    const name = `flannel.${vni}`;
    const device =
      links.get(name) ??
      links.addVxlan({
        name,
        id: vni,
        local: publicIP,
        port: VXLAN_PORT,
        learning: false,
        mtu,
        ...(underlay === undefined ? {} : { underlay }),
      });
    const [address = ''] = podCIDR.split('/');
    if (!addresses.list(device).some((entry) => entry.address === address))
      addresses.add(device, { address, prefixLength: 32 });
    links.setUp(device);
    this.device = device;
    return device;
  }

  private async annotate(nodeName: string, conf: NetConf, publicIP: string, mac: string): Promise<void> {
    const annotations = {
      [`${PREFIX}backend-data`]:
        conf.backend === 'vxlan' ? JSON.stringify({ VNI: conf.vni, VtepMAC: mac }) : 'null',
      [`${PREFIX}backend-type`]: conf.backend,
      [`${PREFIX}kube-subnet-manager`]: 'true',
      [`${PREFIX}public-ip`]: publicIP,
    };
    await this.client.patch<Node>(resources.nodes, nodeName, 'application/merge-patch+json', {
      metadata: { annotations },
    });
    const condition = {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'FlannelIsUp',
      message: 'Flannel is running on this node',
    };
    await this.client.patch<Node>(
      resources.nodes,
      nodeName,
      'application/strategic-merge-patch+json',
      { status: { conditions: [condition] } },
      { subresource: 'status' },
    );
  }

  private put(node: Node, nodeName: string, conf: NetConf, underlay: Link | undefined): void {
    const name = node.metadata?.name ?? '';
    const annotations = node.metadata?.annotations ?? {};
    const publicIP = annotations[`${PREFIX}public-ip`];
    const podCIDR = node.spec?.podCIDR;
    if (
      name === nodeName ||
      publicIP === undefined ||
      podCIDR === undefined ||
      annotations[`${PREFIX}backend-type`] !== conf.backend
    )
      return;
    const data = annotations[`${PREFIX}backend-data`] ?? 'null';
    const mac =
      conf.backend === 'vxlan' ? ((JSON.parse(data) as { VtepMAC?: string } | null)?.VtepMAC ?? '') : '';
    const peer: Peer = { name, publicIP, mac, podCIDR };
    const known = this.peers.get(name);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(peer)) return;
    if (known !== undefined) this.drop(name, conf);
    this.peers.set(name, peer);
    const { links, neighbours, routes } = this.proc.net;
    const [destination = '', prefix = '24'] = podCIDR.split('/');
    const prefixLength = Number(prefix);
    if (conf.backend === 'vxlan' && this.device !== undefined) {
      links.fdb.add(this.device, { mac, remote: publicIP, isPermanent: true });
      neighbours.set(this.device, destination, mac, 'PERMANENT');
      routes.replace({ destination, prefixLength, gateway: destination, link: this.device, onlink: true });
    } else if (underlay !== undefined)
      routes.replace({ destination, prefixLength, gateway: publicIP, link: underlay });
  }

  private drop(name: string, conf: NetConf): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    this.peers.delete(name);
    const { links, neighbours, routes } = this.proc.net;
    const [destination = '', prefix = '24'] = peer.podCIDR.split('/');
    ignoreMissing(() => routes.delete({ destination, prefixLength: Number(prefix) }));
    if (conf.backend !== 'vxlan' || this.device === undefined) return;
    const { device } = this;
    ignoreMissing(() => neighbours.delete(device, destination));
    ignoreMissing(() => links.fdb.delete(device, peer.mac, peer.publicIP));
  }

  private say(message: string): Promise<void> {
    return this.proc.stderr.write(`I ${message}\n`);
  }
}

function readConf(proc: Process): NetConf {
  const file = JSON.parse(proc.fs.readText(CONF_PATH)) as {
    Network?: string;
    Backend?: { Type?: string; VNI?: number };
  };
  const backend = file.Backend?.Type === 'host-gw' ? 'host-gw' : 'vxlan';
  return { network: file.Network ?? '10.244.0.0/16', backend, vni: file.Backend?.VNI ?? 1 };
}

function underlayOf(net: NetworkNamespace, address: string): Link | undefined {
  return net.addresses.list().find((entry) => entry.address === address)?.link;
}

function setSysctl(net: NetworkNamespace, name: string, value: string): void {
  if (net.sysctls.get(name) !== undefined) net.sysctls.set(name, value);
}

function ignoreMissing(task: () => void): void {
  try {
    task();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
  }
}

/** The masquerading and forwarding rules of flanneld's --ip-masq. */
function writeRules(net: NetworkNamespace, network: string, podCIDR: string): void {
  const note = (text: string): string => `-m comment --comment "flanneld ${text}"`;
  const nat = [
    `-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 ${note('masq')} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${podCIDR} -d ${network} ${note('masq')} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${network} -d ${podCIDR} ${note('masq')} -j RETURN`,
    `-A FLANNEL-POSTRTG ! -s ${network} -d ${podCIDR} ${note('masq')} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${network} ! -d 224.0.0.0/4 ${note('masq')} -j MASQUERADE --random-fully`,
    `-A FLANNEL-POSTRTG ! -s ${network} -d ${network} ${note('masq')} -j MASQUERADE --random-fully`,
  ];
  const filter = [
    `-A FLANNEL-FWD -s ${network} ${note('forward')} -j ACCEPT`,
    `-A FLANNEL-FWD -d ${network} ${note('forward')} -j ACCEPT`,
  ];
  const jump = (table: 'nat' | 'filter', rule: string): string =>
    net.netfilter.save({ table }).includes(`-A ${rule}\n`) ? '' : `-A ${rule}\n`;
  net.netfilter.restore(
    `*nat\n:FLANNEL-POSTRTG - [0:0]\n${nat.join('\n')}\n${jump('nat', `POSTROUTING ${note('masq')} -j FLANNEL-POSTRTG`)}COMMIT\n` +
      `*filter\n:FLANNEL-FWD - [0:0]\n${filter.join('\n')}\n${jump('filter', `FORWARD ${note('forward')} -j FLANNEL-FWD`)}COMMIT\n`,
    { noFlush: true },
  );
}
