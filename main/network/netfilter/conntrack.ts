// Connection tracking, as conntrack(8) shows it.

export type TcpConntrackState =
  | 'NONE'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'SYN_SENT2';

export interface ConntrackTuple {
  readonly source: string;
  readonly destination: string;
  /** Ports, or 0 for ICMP. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** Counted when net.netfilter.nf_conntrack_acct is 1. */
  readonly packets: number;
  readonly bytes: number;
}

export interface ConntrackEntry {
  readonly id: number;
  /** tcp, udp, icmp, unknown. */
  readonly protocol: string;
  readonly protocolNumber: number;
  readonly timeoutSeconds: number;
  /** TCP only. */
  readonly state: TcpConntrackState | undefined;
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  readonly isAssured: boolean;
  /** A packet has come back. */
  readonly isSeenReply: boolean;
  readonly isSourceNat: boolean;
  readonly isDestinationNat: boolean;
  readonly mark: number;
}

export interface ConntrackStats {
  readonly found: number;
  readonly invalid: number;
  readonly insert: number;
  readonly insertFailed: number;
  readonly drop: number;
  readonly earlyDrop: number;
  readonly error: number;
  readonly searchRestart: number;
}

export interface Conntrack {
  list(): ConntrackEntry[];
  readonly count: number;
  readonly stats: ConntrackStats;
  /** Deletes those for which `matches` holds; returns them. */
  delete(matches: (entry: ConntrackEntry) => boolean): ConntrackEntry[];
  flush(): void;
  /** `conntrack -E`. */
  onEvent(
    listener: (event: {
      readonly kind: 'NEW' | 'UPDATE' | 'DESTROY';
      readonly entry: ConntrackEntry;
    }) => void,
  ): Disposable;
}
