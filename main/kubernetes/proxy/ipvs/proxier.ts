// kube-proxy's ipvs mode: IPVS services and real servers, addresses on kube-ipvs0, ipsets and a few fixed rules.
import {
  ErrnoError,
  type IpvsSchedulerName,
  type IpvsServiceKey,
  type Link,
  type NetworkNamespace,
} from '../../../network/index.ts';
import type { Clock } from '../../../simulation/index.ts';
import type { ProxiedService } from '../change-tracker.ts';
import { chooseEndpoints, type Endpoint, type NodeTopology } from '../endpoints.ts';
import type { ServicePort } from '../service-ports.ts';
import { rangeHolds } from '../iptables/rules.ts';
import { GracefulTermination } from './graceful-termination.ts';
import { ensureSets, SETS, writeSetRules, type SetName, type SetRuleOptions } from './sets.ts';

export interface IpvsOptions extends NodeTopology, SetRuleOptions {
  readonly nodeIP: string;
  readonly scheduler: IpvsSchedulerName;
  readonly strictARP: boolean;
  /** Addresses of this node that take NodePorts, at this moment. */
  readonly nodePortIPs: () => readonly string[];
}

const DUMMY = 'kube-ipvs0';

/** What one Service wants of the kernel. */
interface Wanted {
  readonly virtual: Map<string, VirtualServer>;
  /** Addresses on kube-ipvs0. */
  readonly addresses: Set<string>;
  /** `SET member`. */
  readonly members: Set<string>;
}

interface VirtualServer {
  readonly key: {
    readonly protocol: 'tcp' | 'udp' | 'sctp';
    readonly address: string;
    readonly port: number;
  };
  readonly persistentSeconds: number | undefined;
  readonly endpoints: readonly Endpoint[];
}

const NOTHING: Wanted = { virtual: new Map(), addresses: new Set(), members: new Set() };

/** Counts who wants a thing, as several Services may want the same address. */
class Counter {
  private readonly counts = new Map<string, number>();

  /** True for the first. */
  add(item: string): boolean {
    const count = (this.counts.get(item) ?? 0) + 1;
    this.counts.set(item, count);
    return count === 1;
  }

  /** True for the last. */
  remove(item: string): boolean {
    const count = (this.counts.get(item) ?? 0) - 1;
    if (count > 0) this.counts.set(item, count);
    else this.counts.delete(item);
    return count === 0;
  }
}

export class IpvsProxier {
  private readonly net: NetworkNamespace;
  private readonly options: IpvsOptions;
  private readonly wanted = new Map<string, Wanted>();
  private readonly services = new Map<string, ProxiedService>();
  private readonly addressUsers = new Counter();
  private readonly memberUsers = new Counter();
  private readonly memberCounts = new Map<SetName, number>();
  private readonly graceful: GracefulTermination;
  private filledSets = '';
  private device: Link | undefined;

  constructor(net: NetworkNamespace, clock: Clock, options: IpvsOptions) {
    this.net = net;
    this.options = options;
    this.graceful = new GracefulTermination(net.ipvs, clock);
  }

  /** Makes the device, the sets and the kernel's settings. */
  start(): void {
    const { net } = this;
    const settings: Record<string, string> = {
      'net.ipv4.vs.conntrack': '1',
      'net.ipv4.vs.conn_reuse_mode': '0',
      'net.ipv4.vs.expire_nodest_conn': '1',
      'net.ipv4.vs.expire_quiescent_template': '1',
      'net.ipv4.ip_forward': '1',
      ...(this.options.strictARP
        ? { 'net.ipv4.conf.all.arp_ignore': '1', 'net.ipv4.conf.all.arp_announce': '2' }
        : {}),
    };
    for (const [name, value] of Object.entries(settings))
      if (net.sysctls.get(name) !== undefined) net.sysctls.set(name, value);
    this.device = net.links.get(DUMMY) ?? net.links.addDummy({ name: DUMMY });
    ensureSets(net.ipsets);
  }

  /** The first sync: what an earlier run left and nobody wants any more is taken away. */
  syncAll(services: readonly ProxiedService[]): void {
    this.sync(services);
    const { net } = this;
    const keep = new Set([...this.wanted.values()].flatMap(({ virtual }) => [...virtual.keys()]));
    for (const { key } of net.ipvs.listServices()) {
      if ('firewallMark' in key || keep.has(virtualName(key)) || !this.isOurs(key.address)) continue;
      net.ipvs.deleteService(key);
    }
    const addresses = new Set([...this.wanted.values()].flatMap((wanted) => [...wanted.addresses]));
    for (const { address } of net.addresses.list(this.device)) {
      if (!addresses.has(address) && !address.includes(':'))
        net.addresses.delete(this.requireDevice(), address, 32);
    }
  }

  /** Changes the kernel for the Services given, and no others. */
  sync(changes: readonly ProxiedService[]): void {
    for (const service of changes) {
      const before = this.wanted.get(service.key) ?? NOTHING;
      const after = this.wantedBy(service);
      this.apply(before, after);
      if (service.ports.length === 0) {
        this.wanted.delete(service.key);
        this.services.delete(service.key);
      } else {
        this.wanted.set(service.key, after);
        this.services.set(service.key, service);
      }
    }
    const filled = (Object.keys(SETS) as SetName[]).filter((set) => (this.memberCounts.get(set) ?? 0) > 0);
    if (filled.join() === this.filledSets && this.filledSets !== '') return;
    this.filledSets = filled.join();
    const present = new Set(filled);
    writeSetRules(this.net.netfilter, (set) => present.has(set), this.options);
  }

  /** The node's addresses have changed: NodePorts answer on others now. */
  resyncNodePorts(): void {
    this.sync(
      [...this.services.values()].filter(({ ports }) => ports.some(({ nodePort }) => nodePort !== 0)),
    );
  }

  dispose(): void {
    this.graceful.dispose();
  }

  private isOurs(address: string): boolean {
    return (
      this.net.addresses.list(this.device).some((entry) => entry.address === address) ||
      this.options.nodePortIPs().includes(address)
    );
  }

  private requireDevice(): Link {
    this.device ??= this.net.links.require(DUMMY);
    return this.device;
  }

  // ── What a Service wants ──

  private wantedBy(service: ProxiedService): Wanted {
    const wanted: Wanted = { virtual: new Map(), addresses: new Set(), members: new Set() };
    for (const port of service.ports) this.addPort(wanted, port, service.endpointsOf(port));
    return wanted;
  }

  private addPort(wanted: Wanted, port: ServicePort, all: readonly Endpoint[]): void {
    const choice = chooseEndpoints(all, port, this.options);
    const { protocol } = port;
    const member = (set: SetName, text: string): void => void wanted.members.add(`${set} ${text}`);
    const virtual = (address: string, number: number, onlyLocal: boolean, isBound: boolean): void => {
      // Without a local endpoint, pods may still come in by another; the outside gets no usable answer then.
      const endpoints = !onlyLocal
        ? choice.cluster
        : choice.local.length > 0 || port.internalPolicyLocal
          ? choice.local
          : choice.cluster;
      const key = { protocol, address, port: number };
      wanted.virtual.set(virtualName(key), { key, persistentSeconds: port.affinitySeconds, endpoints });
      if (!isBound) return;
      wanted.addresses.add(address);
      member('KUBE-IPVS-IPS', address);
    };
    for (const endpoint of choice.reachable) {
      if (endpoint.local)
        member('KUBE-LOOP-BACK', `${endpoint.ip},${protocol}:${endpoint.port},${endpoint.ip}`);
    }
    member('KUBE-CLUSTER-IP', `${port.clusterIP},${protocol}:${port.port}`);
    virtual(port.clusterIP, port.port, port.internalPolicyLocal, true);
    for (const ip of port.externalIPs) {
      member(
        port.externalPolicyLocal ? 'KUBE-EXTERNAL-IP-LOCAL' : 'KUBE-EXTERNAL-IP',
        `${ip},${protocol}:${port.port}`,
      );
      virtual(ip, port.port, port.externalPolicyLocal, true);
    }
    for (const ip of port.loadBalancerVIPs) this.addLoadBalancer(port, ip, member, virtual);
    if (port.nodePort !== 0) this.addNodePort(port, member, virtual);
    if (port.healthCheckNodePort !== 0)
      member('KUBE-HEALTH-CHECK-NODE-PORT', String(port.healthCheckNodePort));
  }

  private addLoadBalancer(
    port: ServicePort,
    ip: string,
    member: (set: SetName, text: string) => void,
    virtual: (address: string, port: number, onlyLocal: boolean, isBound: boolean) => void,
  ): void {
    const entry = `${ip},${port.protocol}:${port.port}`;
    member('KUBE-LOAD-BALANCER', entry);
    if (port.externalPolicyLocal) member('KUBE-LOAD-BALANCER-LOCAL', entry);
    if (port.loadBalancerSourceRanges.length > 0) {
      member('KUBE-LOAD-BALANCER-FW', entry);
      for (const range of port.loadBalancerSourceRanges)
        member('KUBE-LOAD-BALANCER-SOURCE-CIDR', `${entry},${range}`);
      if (port.loadBalancerSourceRanges.some((range) => rangeHolds(range, this.options.nodeIP))) {
        member('KUBE-LOAD-BALANCER-SOURCE-IP', `${entry},${ip}`);
      }
    }
    virtual(ip, port.port, port.externalPolicyLocal, true);
  }

  private addNodePort(
    port: ServicePort,
    member: (set: SetName, text: string) => void,
    virtual: (address: string, port: number, onlyLocal: boolean, isBound: boolean) => void,
  ): void {
    for (const address of this.options.nodePortIPs()) {
      if (port.protocol === 'sctp') {
        member('KUBE-NODE-PORT-SCTP-HASH', `${address},sctp:${port.nodePort}`);
        if (port.externalPolicyLocal)
          member('KUBE-NODE-PORT-LOCAL-SCTP-HASH', `${address},sctp:${port.nodePort}`);
      }
      virtual(address, port.nodePort, port.externalPolicyLocal, false);
    }
    if (port.protocol === 'sctp') return;
    const kind = port.protocol === 'tcp' ? 'TCP' : 'UDP';
    member(`KUBE-NODE-PORT-${kind}`, String(port.nodePort));
    if (port.externalPolicyLocal) member(`KUBE-NODE-PORT-LOCAL-${kind}`, String(port.nodePort));
  }

  // ── From one state to the next ──

  private apply(before: Wanted, after: Wanted): void {
    const { net } = this;
    for (const address of after.addresses) {
      if (before.addresses.has(address) || !this.addressUsers.add(address)) continue;
      if (!net.addresses.list(this.requireDevice()).some((entry) => entry.address === address)) {
        net.addresses.add(this.requireDevice(), { address, prefixLength: 32 });
      }
    }
    for (const item of after.members)
      if (!before.members.has(item) && this.memberUsers.add(item)) this.changeMember(item, 1);
    for (const virtual of after.virtual.values()) this.applyVirtual(virtual);

    for (const [name, { key }] of before.virtual) {
      if (after.virtual.has(name)) continue;
      this.graceful.forgetService(key);
      if (net.ipvs.getService(key) !== undefined) net.ipvs.deleteService(key);
    }
    for (const item of before.members)
      if (!after.members.has(item) && this.memberUsers.remove(item)) this.changeMember(item, -1);
    for (const address of before.addresses) {
      if (after.addresses.has(address) || !this.addressUsers.remove(address)) continue;
      removeAddress(net, this.requireDevice(), address);
    }
  }

  private changeMember(item: string, by: 1 | -1): void {
    const space = item.indexOf(' ');
    const set = item.slice(0, space) as SetName;
    const member = item.slice(space + 1);
    const ipset = this.net.ipsets.get(set);
    if (by === 1) ipset?.add(member, { exist: true });
    else ipset?.delete(member, { exist: true });
    this.memberCounts.set(set, (this.memberCounts.get(set) ?? 0) + by);
  }

  private applyVirtual({ key, persistentSeconds, endpoints }: VirtualServer): void {
    const { ipvs } = this.net;
    const options = {
      scheduler: this.options.scheduler,
      ...(persistentSeconds === undefined ? {} : { persistentSeconds }),
    };
    const known = ipvs.getService(key);
    if (known === undefined) ipvs.addService(key, options);
    else if (
      known.options.scheduler !== options.scheduler ||
      known.options.persistentSeconds !== persistentSeconds
    )
      ipvs.editService(key, options);

    const present = new Map(
      (known?.destinations ?? []).map((destination) => [
        `${destination.address}:${destination.port}`,
        destination,
      ]),
    );
    for (const { ip, port, address } of endpoints) {
      const destination = present.get(address);
      present.delete(address);
      if (destination === undefined)
        ipvs.addDestination(key, { address: ip, port, forwarding: 'masq', weight: 1 });
      else if (destination.weight === 0 || this.graceful.has(key, address)) {
        this.graceful.cancel(key, address);
        ipvs.editDestination(key, { address: ip, port, forwarding: 'masq', weight: 1 });
      }
    }
    for (const destination of present.values()) this.graceful.end(key, destination);
  }
}

/** `tcp/10.96.0.1:443`. */
function virtualName(key: Exclude<IpvsServiceKey, { readonly firewallMark: number }>): string {
  return `${key.protocol}/${key.address}:${key.port}`;
}

function removeAddress(net: NetworkNamespace, device: Link, address: string): void {
  try {
    net.addresses.delete(device, address, 32);
  } catch (error) {
    if (!(error instanceof ErrnoError && error.code === 'EADDRNOTAVAIL')) throw error; // Somebody was quicker.
  }
}
