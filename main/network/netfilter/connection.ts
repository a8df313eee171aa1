// One tracked connection: its two tuples, state and deadline (nf_conn).

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

/** One direction of a connection. For ICMP the ports hold the id, and type and code as `type * 256 + code`. */
export class Tuple {
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  readonly connection: Connection;
  readonly isReply: boolean;
  packets = 0;
  bytes = 0;
  /** Next in the hash bucket. */
  next: Tuple | undefined = undefined;

  constructor(
    connection: Connection,
    isReply: boolean,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
  ) {
    this.connection = connection;
    this.isReply = isReply;
    this.source = source;
    this.sourcePort = sourcePort;
    this.destination = destination;
    this.destinationPort = destinationPort;
  }
}

export class Connection {
  readonly id: number;
  readonly protocol: number;
  readonly original: Tuple;
  readonly reply: Tuple;
  tcpState: TcpConntrackState = 'NONE';
  expiresMs = 0;
  mark = 0;
  isSeenReply = false;
  isAssured = false;
  isConfirmed = false;
  isDead = false;
  /** IPS_SRC_NAT, IPS_DST_NAT: packets are rewritten. */
  isSourceNat = false;
  isDestinationNat = false;
  /** IPS_SRC_NAT_DONE, IPS_DST_NAT_DONE: the rules have been asked. */
  isSourceDone = false;
  isDestinationDone = false;
  /** UDP: the instant from which it counts as a stream. */
  streamMs = 0;

  constructor(
    id: number,
    protocol: number,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
  ) {
    this.id = id;
    this.protocol = protocol;
    this.original = new Tuple(this, false, source, sourcePort, destination, destinationPort);
    const isIcmp = protocol === 1;
    this.reply = new Tuple(
      this,
      true,
      destination,
      isIcmp ? sourcePort : destinationPort,
      source,
      isIcmp ? invertIcmp(destinationPort) : sourcePort,
    );
  }
}

/** Echo, timestamp, information and mask requests and their replies (nf_conntrack_proto_icmp). */
export function invertIcmp(typeAndCode: number): number {
  switch (typeAndCode >> 8) {
    case 8:
      return 0;
    case 0:
      return 8 << 8;
    case 13:
      return 14 << 8;
    case 14:
      return 13 << 8;
    default:
      return typeAndCode;
  }
}
