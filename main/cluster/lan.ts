// The wires of a lab: a switch that every machine hangs on, and a router that leads out to the virtual internet.
import { createNamespace, type NetworkNamespace, type Trace } from '../network/index.ts';
import { disposable, type Clock, type Random } from '../simulation/index.ts';
import { nodePodCidr } from './kubeadm/bridge.ts';
import type { Profile } from './profile.ts';

const INTERNET_LINK = '203.0.113.0/30';
const ROUTER_OUTSIDE = '203.0.113.2';
const INTERNET_GATEWAY = '203.0.113.1';

export interface LanOptions {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
}

/** The LAN of a cluster. Machines are plugged in one by one. */
export class Lan implements Disposable {
  /** Where the internet's servers live; their addresses are put on its loopback. */
  readonly internet: NetworkNamespace;
  readonly router: NetworkNamespace;
  private readonly options: LanOptions;
  private readonly lan: NetworkNamespace;
  private readonly owned = new DisposableStack();
  private ports = 0;

  constructor(options: LanOptions) {
    this.options = options;
    this.lan = this.namespace('lan');
    const bridge = this.lan.links.addBridge({ name: 'switch0' });
    this.lan.links.setUp(bridge);
    this.router = this.namespace('router');
    this.internet = this.namespace('internet');
    this.plug(this.router, 'lan0', options.profile.lan.router);
    this.connectInternet();
    if (options.profile.cni === 'bridge') this.routePods();
  }

  /** Gives a machine's namespace a network card with this address, its cable in the switch, and a default route. */
  attach(net: NetworkNamespace, device: string, address: string): void {
    this.plug(net, device, address);
    net.routes.add({
      destination: '0.0.0.0',
      prefixLength: 0,
      gateway: this.options.profile.lan.router,
      link: net.links.require(device),
    });
  }

  [Symbol.dispose](): void {
    this.owned.dispose();
  }

  /** A new, unconnected namespace of this world. */
  namespace(name: string): NetworkNamespace {
    const { clock, random, trace } = this.options;
    const net = createNamespace({ name, clock, random: random.fork(`net/${name}`), trace });
    net.links.setUp(net.links.loopback);
    this.owned.use(disposable(() => net[Symbol.dispose]()));
    return net;
  }

  private plug(net: NetworkNamespace, device: string, address: string): void {
    const { profile, random } = this.options;
    const port = `port${++this.ports}`;
    const prefixLength = Number(profile.lan.cidr.split('/')[1]);
    const link = net.links.addEther({
      name: device,
      mac: vmwareMac(address, prefixLength, random),
      cable: { delayMs: profile.latencies.linkDelayMs },
      peer: { name: port, namespace: this.lan },
    });
    const socket = this.lan.links.require(port);
    this.lan.links.setMaster(socket, this.lan.links.require('switch0'));
    this.lan.links.setUp(socket);
    net.links.setUp(link);
    net.addresses.add(link, { address, prefixLength, broadcast: '+' });
  }

  /** The way to each node's pods, as a cloud's route controller would set it. */
  private routePods(): void {
    const { profile } = this.options;
    const link = this.router.links.require('lan0');
    for (const machine of profile.machines) {
      if (machine.role === 'client') continue;
      const [destination = '', prefixLength] = nodePodCidr(profile, machine).split('/');
      this.router.routes.add({
        destination,
        prefixLength: Number(prefixLength),
        gateway: machine.address,
        link,
      });
    }
  }

  private connectInternet(): void {
    const { router, internet } = this;
    const outside = router.links.addVeth({ name: 'wan0', peer: { name: 'peer0', namespace: internet } });
    router.links.setUp(outside);
    const inside = internet.links.require('peer0');
    internet.links.setUp(inside);
    const prefixLength = Number(INTERNET_LINK.split('/')[1]);
    router.addresses.add(outside, { address: ROUTER_OUTSIDE, prefixLength });
    internet.addresses.add(inside, { address: INTERNET_GATEWAY, prefixLength });
    router.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway: INTERNET_GATEWAY, link: outside });
    router.sysctls.set('net.ipv4.ip_forward', '1');
    router.netfilter.restore(`*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n`);
  }
}

/** An address as VMware would give it, telling machines apart by the last number of their IP address. */
function vmwareMac(address: string, prefixLength: number, random: Random): string {
  const [, , third, last] = address.split('.').map(Number);
  const [a, b] = random.fork(`mac/${address}`).bytes(2);
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  // In a LAN of thousands two drawn numbers would meet; there the third number of the address is part of it.
  return `00:0c:29:${hex(a!)}:${hex(prefixLength < 24 ? third! : b!)}:${hex(last!)}`;
}
