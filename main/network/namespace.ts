// A network namespace (struct net): everything one machine or pod knows of the network.
import type { Clock, Random } from '../simulation/index.ts';
import type { AddressTable } from './ip/address-table.ts';
import type { NeighbourTable } from './ip/neighbour-table.ts';
import type { RouteTables } from './ip/route-tables.ts';
import type { Sysctls } from './ip/sysctls.ts';
import type { Ipvs } from './ipvs/ipvs.ts';
import type { CaptureTap } from './link/capture.ts';
import type { LinkTable } from './link/link-table.ts';
import type { Conntrack } from './netfilter/conntrack.ts';
import type { IpSets } from './netfilter/ipset.ts';
import type { Netfilter } from './netfilter/netfilter.ts';
import type { SocketTable } from './socket/socket-table.ts';
import type { Trace } from './trace/trace.ts';

/** Told when tables change, for `ip monitor` and live pictures. */
export interface NetworkChange {
  readonly kind: 'link' | 'address' | 'route' | 'neighbour' | 'rule';
  readonly action: 'new' | 'delete';
  /** The Link, Address, Route, Neighbour or PolicyRule. */
  readonly subject: unknown;
}

export interface NetworkNamespace extends Disposable {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly links: LinkTable;
  readonly addresses: AddressTable;
  readonly routes: RouteTables;
  readonly neighbours: NeighbourTable;
  readonly netfilter: Netfilter;
  readonly ipsets: IpSets;
  readonly conntrack: Conntrack;
  readonly ipvs: Ipvs;
  readonly sysctls: Sysctls;
  readonly sockets: SocketTable;
  readonly capture: CaptureTap;
  onChange(listener: (change: NetworkChange) => void): Disposable;
}

export interface NamespaceOptions {
  /** Shown by traces, such as `worker1` or `web1-0 (pod)`. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared by all namespaces of a world. */
  readonly trace: Trace;
}
