// A network device as ip-link(8) shows it.
import type { NetworkNamespace } from '../namespace.ts';

/** What a link is. `ether` is a machine's network card at the end of a cable. */
export type LinkKind = 'loopback' | 'ether' | 'veth' | 'bridge' | 'dummy' | 'vxlan' | 'ipip' | 'vlan';

/** rtnl_link_stats64's counters. */
export interface LinkStats {
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  rxMulticast: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
  txCarrierErrors: number;
}

/** What `ip -d link` adds, by kind. */
export type LinkDetails =
  | { readonly kind: 'loopback' | 'ether' | 'veth' | 'dummy' }
  | { readonly kind: 'bridge'; readonly ports: readonly Link[]; readonly ageingMs: number; readonly stp: boolean }
  | {
      readonly kind: 'vxlan';
      readonly id: number;
      readonly local: string | undefined;
      readonly remote: string | undefined;
      readonly underlay: Link | undefined;
      readonly port: number;
      readonly learning: boolean;
    }
  | { readonly kind: 'ipip'; readonly local: string; readonly remote: string; readonly ttl: number }
  | { readonly kind: 'vlan'; readonly id: number; readonly underlay: Link };

/** A device of a namespace. Changes go through the namespace's LinkTable. */
export interface Link {
  readonly namespace: NetworkNamespace;
  readonly index: number;
  readonly name: string;
  readonly altNames: readonly string[];
  readonly kind: LinkKind;
  /** Six hexadecimal pairs, lower case; tunnels show an IPv4 address instead (`ip link`). */
  readonly mac: string;
  readonly mtu: number;
  /** IFF_UP. */
  readonly isUp: boolean;
  /** LOWER_UP: there is a carrier. */
  readonly hasCarrier: boolean;
  readonly operState: 'UP' | 'DOWN' | 'UNKNOWN' | 'LOWERLAYERDOWN';
  /** IFF_NOARP. */
  readonly noArp: boolean;
  /** Flags in the order `ip link` prints, such as BROADCAST, MULTICAST, UP, LOWER_UP. */
  readonly flags: readonly string[];
  readonly qdisc: string;
  readonly queueLength: number;
  /** The bridge this is a port of. */
  readonly master: Link | undefined;
  /** The other end of a veth pair, or the underlying device of a vlan or vxlan. */
  readonly peer: Link | undefined;
  readonly stats: LinkStats;
  readonly details: LinkDetails;
  /** The cable of a veth or ether link, both directions shared. */
  readonly cable: Cable | undefined;
}

/** What happens to frames between two ends. Change the fields at any time. */
export interface Cable {
  /** One-way, in ms. */
  delayMs: number;
  /** Fraction of frames lost, 0 to 1. */
  lossRate: number;
  /** Bits per second; undefined is unlimited. */
  rateBps: number | undefined;
  /** Cut cables take the carrier away at both ends. */
  isCut: boolean;
  /** Partitioned cables silently lose everything but keep the carrier. */
  isPartitioned: boolean;
}
