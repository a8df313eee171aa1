// The sockets of a namespace, as ss(8) and netstat(8) list them.
import type { SocketAddress, SocketOwner, Sockets } from './socket.ts';

export type TcpState =
  | 'LISTEN' | 'SYN-SENT' | 'SYN-RECV' | 'ESTAB' | 'FIN-WAIT-1' | 'FIN-WAIT-2' | 'TIME-WAIT' | 'CLOSE-WAIT' | 'LAST-ACK' | 'CLOSING';

export interface SocketInfo {
  readonly protocol: 'tcp' | 'udp' | 'raw';
  /** ss's words; UNCONN and ESTAB for UDP. */
  readonly state: TcpState | 'UNCONN';
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** For listeners: waiting in the backlog, and its limit. */
  readonly receiveQueueBytes: number;
  readonly sendQueueBytes: number;
  readonly owner: SocketOwner | undefined;
  readonly inode: number;
  readonly device: string | undefined;
  /** Running timer (ss -o): name, ms left, retransmissions. */
  readonly timer: { readonly name: 'on' | 'keepalive' | 'timewait' | 'persist'; readonly leftMs: number; readonly retransmits: number } | undefined;
}

/** A reply to an echo request, or an ICMP error about it. */
export type EchoReply =
  | { readonly kind: 'reply'; readonly from: string; readonly sequence: number; readonly ttl: number; readonly roundTripMs: number; readonly sizeBytes: number }
  | {
      readonly kind: 'error';
      readonly from: string;
      readonly sequence: number;
      readonly error: 'net-unreachable' | 'host-unreachable' | 'port-unreachable' | 'protocol-unreachable' | 'prohibited' | 'time-exceeded' | 'fragmentation-needed';
      readonly type: number;
      readonly code: number;
      /** Next-hop MTU for fragmentation-needed. */
      readonly mtu: number | undefined;
    };

/** An ICMP echo socket: what ping(8) opens. */
export interface EchoSocket extends Disposable {
  readonly id: number;
  /** Sends an echo request. Throws ErrnoError ENETUNREACH, EHOSTUNREACH, EMSGSIZE (with the DF bit set over the MTU), EPERM. */
  send(to: string, options: { readonly sequence: number; readonly sizeBytes?: number; readonly ttl?: number; readonly dontFragment?: boolean }): void;
  onReply: ((reply: EchoReply) => void) | undefined;
}

export interface SocketTable extends Sockets {
  list(): SocketInfo[];
  /** ping's socket; `source` binds it. */
  openEcho(options?: { readonly source?: string; readonly device?: string; readonly owner?: SocketOwner }): EchoSocket;
}
