// The record of what happened to packets: each hop, hook, rule and rewrite. UI, lab checks and explanations read it.

/** A packet's addresses at one moment. */
export interface FlowSnapshot {
  /** tcp, udp, icmp, … */
  readonly protocol: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** TCP flags such as `S`, `S.`, `P.`, `F.`, `R`; ICMP type names such as `echo-request`; else empty. */
  readonly detail: string;
}

export type TraceKind =
  | 'send' /** A socket made the packet. */
  | 'in' | 'out' /** It passed a device. */
  | 'route' | 'arp' | 'bridge' | 'tunnel'
  | 'rule' /** A netfilter rule matched. */
  | 'policy' /** A built-in chain's policy decided. */
  | 'nat' | 'conntrack' | 'ipvs'
  | 'deliver' | 'reject' | 'drop';

/** One thing that happened to one packet. */
export interface TraceRecord {
  readonly timeMs: number;
  /** Same number along the packet's way through all namespaces. */
  readonly packetId: number;
  /** Name of the NetworkNamespace. */
  readonly namespace: string;
  readonly kind: TraceKind;
  readonly device?: string;
  readonly hook?: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
  readonly table?: string;
  readonly chain?: string;
  /** From 1. */
  readonly ruleNumber?: number;
  /** The rule as iptables-save prints it, the route, the IPVS service, … */
  readonly subject?: string;
  /** ACCEPT, DROP, jump target, chosen real server, chosen device … */
  readonly decision?: string;
  /** A stable word that explanations are keyed by, such as `no-route`, `ttl-exceeded`, `no-listener`, `rule-drop`. */
  readonly reason?: string;
  readonly before: FlowSnapshot;
  /** When a rewrite changed it. */
  readonly after?: FlowSnapshot;
}

/** Where records go. Nothing is recorded, and it costs nothing, while nobody listens. */
export interface Trace {
  readonly isOn: boolean;
  record(record: TraceRecord): void;
  listen(listener: (record: TraceRecord) => void): Disposable;
}
