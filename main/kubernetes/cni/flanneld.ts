// flanneld: gives a node its part of the pod network and connects it to the others', by VXLAN or by plain routes (host-gw).
import type { Program, Process } from '../../linux/kernel/index.ts';
import type { Link, NetworkNamespace } from '../../network/index.ts';
import { resources, type Node, type Stored } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';
import { Informer } from '../client/index.ts';

export interface FlanneldOptions {
  /** How the program reaches the API server, from its own network and service account. */
  readonly client: (proc: Process) => ApiClient;
}

const NET_CONF = '/etc/kube-flannel/net-conf.json';
const SUBNET_FOLDER = '/run/flannel';
const VXLAN_DEVICE = 'flannel.1';
const VXLAN_ID = 1;
const VXLAN_PORT = 8472;
const VXLAN_OVERHEAD_BYTES = 50;
const BACKEND_DATA = 'flannel.alpha.coreos.com/backend-data';
const BACKEND_TYPE = 'flannel.alpha.coreos.com/backend-type';
const PUBLIC_IP = 'flannel.alpha.coreos.com/public-ip';
const SUBNET_MANAGER = 'flannel.alpha.coreos.com/kube-subnet-manager';
/** Between looks for the node's podCIDR, in ms. */
const RETRY_MS = 1000;

interface NetConf {
  readonly Network: string;
  readonly Backend: { readonly Type: 'vxlan' | 'host-gw' };
}

/** The program of the flannel image. */
export function makeFlanneld({ client }: FlanneldOptions): Program {
  return async (proc) => {
    const conf = JSON.parse(proc.fs.readText(NET_CONF)) as NetConf;
    const api = client(proc);
    const name = proc.env.get('NODE_NAME') ?? proc.kernel.hostname;
    const node = await ownNode(proc, api, name);
    const daemon = new Flannel(proc, conf, node);
    await daemon.announce(api);
    daemon.writeSubnet();
    daemon.masquerade();
    const informer = new Informer<Node>({ client: api, clock: proc.clock, resource: resources.nodes });
    using _handler = informer.handle({
      add: (other) => daemon.connect(other),
      update: (other) => daemon.connect(other),
      delete: (other) => daemon.disconnect(other.metadata.name),
    });
    using _running = informer.start();
    await proc.stdout.write(
      `I ${proc.argv[0]}: Running backend ${conf.Backend.Type}, subnet ${daemon.subnet}\n`,
    );
    await new Promise<void>((resolve) => {
      proc.onSignal('SIGTERM', resolve);
      proc.onSignal('SIGINT', resolve);
      proc.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return 0;
  };
}

/** The node this runs on, once it has a podCIDR. */
async function ownNode(proc: Process, api: ApiClient, name: string): Promise<Stored<Node>> {
  for (;;) {
    try {
      const node = await api.get<Node>(resources.nodes, name);
      if (node.spec?.podCIDR !== undefined) return node;
      await proc.stderr.write(
        `E Error registering network: failed to acquire lease: node "${name}" pod cidr not assigned\n`,
      );
    } catch (error) {
      await proc.stderr.write(
        `E Failed to get node "${name}": ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
    await proc.sleep(RETRY_MS);
  }
}

interface Peer {
  readonly subnet: string;
  readonly address: string;
  readonly mac: string | undefined;
}

/** One node's part in the network. */
class Flannel {
  readonly subnet: string;
  private readonly proc: Process;
  private readonly conf: NetConf;
  private readonly node: Stored<Node>;
  private readonly net: NetworkNamespace;
  private readonly address: string;
  private readonly underlay: Link;
  private readonly device: Link | undefined;
  private readonly peers = new Map<string, Peer>();

  constructor(proc: Process, conf: NetConf, node: Stored<Node>) {
    this.proc = proc;
    this.conf = conf;
    this.node = node;
    this.net = proc.net;
    this.subnet = node.spec?.podCIDR ?? '';
    this.address = internalAddress(node);
    this.underlay = this.net.addresses.list().find(({ address }) => address === this.address)!.link;
    this.device = conf.Backend.Type === 'vxlan' ? this.vxlanDevice() : undefined;
  }

  /** Writes the annotations by which other nodes find this one. */
  async announce(api: ApiClient): Promise<void> {
    const data =
      this.device === undefined ? 'null' : JSON.stringify({ VNI: VXLAN_ID, VtepMAC: this.device.mac });
    const annotations = {
      [BACKEND_DATA]: data,
      [BACKEND_TYPE]: this.conf.Backend.Type,
      [SUBNET_MANAGER]: 'true',
      [PUBLIC_IP]: this.address,
    };
    const current = this.node.metadata.annotations ?? {};
    if (Object.entries(annotations).every(([key, value]) => current[key] === value)) return;
    await api.patch(
      resources.nodes,
      this.node.metadata.name,
      'application/strategic-merge-patch+json',
      { metadata: { annotations } },
      { subresource: 'status' },
    );
  }

  /** Where the CNI plugin reads the node's subnet. */
  writeSubnet(): void {
    const gateway = this.subnet.replace(/\.0\/(\d+)$/, '.1/$1');
    const mtu = this.device?.mtu ?? this.underlay.mtu;
    this.proc.fs.mkdir(SUBNET_FOLDER, { recursive: true });
    this.proc.fs.writeFile(
      `${SUBNET_FOLDER}/subnet.env`,
      `FLANNEL_NETWORK=${this.conf.Network}\nFLANNEL_SUBNET=${gateway}\nFLANNEL_MTU=${mtu}\nFLANNEL_IPMASQ=true\n`,
    );
  }

  /** Pods keep their address among each other, and take the node's toward the world (flannel's iptables rules, 0.27). */
  masquerade(): void {
    const network = this.conf.Network;
    const { netfilter } = this.net;
    netfilter.restore(
      [
        '*nat',
        ':FLANNEL-POSTRTG - [0:0]',
        '-F FLANNEL-POSTRTG',
        ...jumpUnlessThere(
          netfilter.save({ table: 'nat' }),
          '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
        ),
        '-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
        `-A FLANNEL-POSTRTG -s ${this.subnet} -d ${network} -m comment --comment "flanneld masq" -j RETURN`,
        `-A FLANNEL-POSTRTG -s ${network} -d ${this.subnet} -m comment --comment "flanneld masq" -j RETURN`,
        `-A FLANNEL-POSTRTG ! -s ${network} -d ${this.subnet} -m comment --comment "flanneld masq" -j RETURN`,
        `-A FLANNEL-POSTRTG -s ${network} ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully`,
        `-A FLANNEL-POSTRTG ! -s ${network} -d ${network} -m comment --comment "flanneld masq" -j MASQUERADE --random-fully`,
        'COMMIT',
        '*filter',
        ':FLANNEL-FWD - [0:0]',
        '-F FLANNEL-FWD',
        ...jumpUnlessThere(
          netfilter.save({ table: 'filter' }),
          '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
        ),
        `-A FLANNEL-FWD -s ${network} -m comment --comment "flanneld forward" -j ACCEPT`,
        `-A FLANNEL-FWD -d ${network} -m comment --comment "flanneld forward" -j ACCEPT`,
        'COMMIT',
        '',
      ].join('\n'),
      { noFlush: true },
    );
  }

  /** Makes another node's pods reachable, once it has announced itself. */
  connect(other: Stored<Node>): void {
    const { name, annotations } = other.metadata;
    if (name === this.node.metadata.name) return;
    const subnet = other.spec?.podCIDR;
    const address = annotations?.[PUBLIC_IP];
    if (subnet === undefined || address === undefined) return;
    const data = JSON.parse(annotations?.[BACKEND_DATA] ?? 'null') as { VtepMAC?: string } | null;
    const peer: Peer = { subnet, address, mac: data?.VtepMAC };
    const before = this.peers.get(name);
    if (
      before !== undefined &&
      before.subnet === subnet &&
      before.address === address &&
      before.mac === peer.mac
    )
      return;
    if (before !== undefined) this.disconnect(name);
    this.peers.set(name, peer);
    const [destination = '', prefix = '24'] = subnet.split('/');
    const route = { destination, prefixLength: Number(prefix) };
    if (this.device === undefined) {
      this.net.routes.replace({ ...route, gateway: address, link: this.underlay });
      return;
    }
    if (peer.mac === undefined) return;
    // The peer's VTEP has the first address of its subnet, behind a permanent neighbour and a forwarding entry.
    this.net.neighbours.set(this.device, destination, peer.mac, 'PERMANENT');
    this.net.links.fdb.add(this.device, { mac: peer.mac, remote: address, isPermanent: true });
    this.net.routes.replace({ ...route, gateway: destination, link: this.device, onlink: true });
  }

  disconnect(name: string): void {
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    this.peers.delete(name);
    const [destination = '', prefix = '24'] = peer.subnet.split('/');
    this.net.routes.delete({ destination, prefixLength: Number(prefix) });
    if (this.device === undefined || peer.mac === undefined) return;
    this.net.neighbours.delete(this.device, destination);
    this.net.links.fdb.delete(this.device, peer.mac, peer.address);
  }

  private vxlanDevice(): Link {
    const { net, underlay } = this;
    const existing = net.links.get(VXLAN_DEVICE);
    const device =
      existing ??
      net.links.addVxlan({
        name: VXLAN_DEVICE,
        id: VXLAN_ID,
        port: VXLAN_PORT,
        local: this.address,
        underlay,
        learning: false,
        mtu: underlay.mtu - VXLAN_OVERHEAD_BYTES,
      });
    const own = this.subnet.split('/')[0]!;
    if (!net.addresses.isLocal(own)) net.addresses.add(device, { address: own, prefixLength: 32 });
    net.links.setUp(device);
    return device;
  }
}

function jumpUnlessThere(saved: string, rule: string): string[] {
  return saved.split('\n').includes(rule) ? [] : [rule];
}

function internalAddress(node: Node): string {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
}
