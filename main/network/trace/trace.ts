// The record of what happened to packets: each hop, hook, rule and rewrite. UI, lab checks and explanations read it.
import { disposable } from '../../simulation/index.ts';

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

/**
 * What happened: a socket made the packet (send), it passed a device (in, out), a route or neighbour was chosen or
 * missing (route, arp), a bridge or tunnel carried it, a netfilter rule matched (rule) or a chain's policy decided,
 * its addresses were rewritten (nat) or its connection was looked up (conntrack), IPVS chose (ipvs); or it ended:
 * delivered, rejected with an answer, or dropped without.
 */
export type TraceKind =
  | 'send'
  | 'in'
  | 'out'
  | 'route'
  | 'arp'
  | 'bridge'
  | 'tunnel'
  | 'rule'
  | 'policy'
  | 'nat'
  | 'conntrack'
  | 'ipvs'
  | 'deliver'
  | 'reject'
  | 'drop';

export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** One thing that happened to one packet. */
export interface TraceRecord {
  readonly timeMs: number;
  /** The same along the packet's way through all namespaces, also inside tunnels. */
  readonly packetId: number;
  /** Name of the NetworkNamespace. */
  readonly namespace: string;
  readonly kind: TraceKind;
  readonly device?: string;
  readonly hook?: HookName;
  readonly table?: string;
  readonly chain?: string;
  /** From 1. */
  readonly ruleNumber?: number;
  /** The rule as iptables-save prints it, the route as ip prints it, the IPVS service, … */
  readonly subject?: string;
  /** ACCEPT, DROP, jump target, chosen real server, chosen device … */
  readonly decision?: string;
  /** A stable word that explanations are keyed by, such as `no-route`, `ttl-exceeded`, `no-listener`, `rule-drop`. */
  readonly reason?: string;
  readonly before: FlowSnapshot;
  /** When a rewrite changed it. */
  readonly after?: FlowSnapshot;
}

/** Where records go. Nothing is recorded, and it costs nothing, while nobody listens. One serves a whole world. */
export class Trace {
  private readonly listeners = new Set<(record: TraceRecord) => void>();
  isOn = false;
  private lastPacketId = 0;

  /** A number for a new packet. */
  nextPacketId(): number {
    return ++this.lastPacketId;
  }

  record(record: TraceRecord): void {
    for (const listener of this.listeners) listener(record);
  }

  listen(listener: (record: TraceRecord) => void): Disposable {
    this.listeners.add(listener);
    this.isOn = true;
    return disposable(() => {
      this.listeners.delete(listener);
      this.isOn = this.listeners.size > 0;
    });
  }
}
