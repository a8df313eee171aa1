// A network namespace (struct net): everything one machine or pod knows of the network.
import { disposable, type Clock, type Random } from '../simulation/index.ts';
import { AddressTable } from './ip/address-table.ts';
import { IpStack } from './ip/ip-stack.ts';
import { NeighbourTable } from './ip/neighbour-table.ts';
import { RouteTables } from './ip/route-tables.ts';
import { Sysctls } from './ip/sysctls.ts';
import { Ipvs } from './ipvs/ipvs.ts';
import { CaptureTap } from './link/capture.ts';
import { LinkTable } from './link/link-table.ts';
import { Conntrack } from './netfilter/conntrack.ts';
import { Hooks } from './netfilter/hooks.ts';
import { IpSets } from './netfilter/ipset.ts';
import { Netfilter } from './netfilter/netfilter.ts';
import { SocketTable } from './socket/socket-table.ts';
import type { Trace } from './trace/trace.ts';

/** Told when tables change, for `ip monitor` and live pictures. */
export interface NetworkChange {
  readonly kind: 'link' | 'address' | 'route' | 'neighbour' | 'rule';
  readonly action: 'new' | 'delete';
  /** The Link, Address, Route, Neighbour or PolicyRule. */
  readonly subject: unknown;
}

export interface NamespaceOptions {
  /** Shown by traces, such as `worker1` or `web1-0 (pod)`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared by all namespaces of a world. */
  readonly trace: Trace;
}

/**
 * One namespace. Commands read and change its tables; packets consult the same ones. `lo` exists from the start, down.
 * Disposing it takes its links (and the far ends of its veths) away and closes its sockets.
 */
export class NetworkNamespace implements Disposable {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly capture: CaptureTap;
  readonly sysctls: Sysctls;
  readonly links: LinkTable;
  readonly addresses: AddressTable;
  readonly routes: RouteTables;
  readonly neighbours: NeighbourTable;
  readonly netfilter: Netfilter;
  readonly ipsets: IpSets;
  readonly conntrack: Conntrack;
  readonly ipvs: Ipvs;
  readonly sockets: SocketTable;
  /** For the parts of this room: IPv4 itself and netfilter's hooks. */
  readonly stack: IpStack;
  readonly hooks: Hooks;
  isDisposed = false;
  private readonly changeListeners = new Set<(change: NetworkChange) => void>();

  constructor(options: NamespaceOptions) {
    this.name = options.name;
    this.clock = options.clock;
    this.random = options.random;
    this.trace = options.trace;
    this.capture = new CaptureTap(this.clock);
    this.sysctls = new Sysctls(this);
    this.routes = new RouteTables(this);
    this.addresses = new AddressTable(this);
    this.neighbours = new NeighbourTable(this);
    this.links = new LinkTable(this);
    this.netfilter = new Netfilter(this);
    this.ipsets = new IpSets(this);
    this.conntrack = new Conntrack(this);
    this.ipvs = new Ipvs(this);
    this.hooks = new Hooks(this);
    this.stack = new IpStack(this);
    this.sockets = new SocketTable(this);
  }

  onChange(listener: (change: NetworkChange) => void): Disposable {
    this.changeListeners.add(listener);
    return disposable(() => this.changeListeners.delete(listener));
  }

  get hasChangeListeners(): boolean {
    return this.changeListeners.size > 0;
  }

  /** For the tables of this room. */
  announceChange(change: NetworkChange): void {
    if (change.kind !== 'neighbour' && change.kind !== 'route') this.routes.invalidate();
    for (const listener of this.changeListeners) listener(change);
  }

  [Symbol.dispose](): void {
    if (this.isDisposed) return;
    this.sockets.dispose();
    this.isDisposed = true;
    this.neighbours.dispose();
    this.ipvs.dispose();
    this.links.dispose();
  }
}

/** A new namespace: only `lo`, and that is down. */
export function createNamespace(options: NamespaceOptions): NetworkNamespace {
  return new NetworkNamespace(options);
}
