// IPVS connections (ip_vs_conn): found from both sides, counted at their servers, gone after their time.
import type { Clock } from '../../simulation/index.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../ip/packet.ts';
import type { RealServer } from './server.ts';

export type IpvsState =
  | 'NONE'
  | 'ESTABLISHED'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'FIN_WAIT'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'LISTEN'
  | 'SYNACK'
  | 'UDP'
  | 'ASSURED';

export class IpvsConn {
  readonly protocol: number;
  readonly clientAddress: number;
  readonly clientPort: number;
  readonly virtualAddress: number;
  readonly virtualPort: number;
  readonly server: RealServer;
  readonly isTemplate: boolean;
  readonly isOnePacket: boolean;
  state: IpvsState = 'NONE';
  timeoutMs: number;
  expiresMs = 0;
  /** When the heap will look at it next. */
  heapMs = 0;
  isInactive = true;
  isGone = false;
  /** The persistence template it came from, and of a template how many came from it. */
  control: IpvsConn | undefined = undefined;
  controlled = 0;
  nextIn: IpvsConn | undefined = undefined;
  nextOut: IpvsConn | undefined = undefined;

  constructor(
    ends: ConnEnds,
    server: RealServer,
    timeoutMs: number,
    kind: 'normal' | 'template' | 'one-packet',
  ) {
    this.protocol = ends.protocol;
    this.clientAddress = ends.clientAddress;
    this.clientPort = ends.clientPort;
    this.virtualAddress = ends.virtualAddress;
    this.virtualPort = ends.virtualPort;
    this.server = server;
    this.timeoutMs = timeoutMs;
    this.isTemplate = kind === 'template';
    this.isOnePacket = kind === 'one-packet';
  }
}

export interface ConnEnds {
  readonly protocol: number;
  readonly clientAddress: number;
  readonly clientPort: number;
  readonly virtualAddress: number;
  readonly virtualPort: number;
}

/** A template that still has connections waits this long again. */
const TEMPLATE_RETRY_MS = 60_000;

export class ConnectionTable {
  private readonly clock: Clock;
  private readonly fromClient = new Map<number, IpvsConn>();
  private readonly fromServer = new Map<number, IpvsConn>();
  /** A binary heap by `heapMs`; deadlines that move later are noticed when they come up. */
  private readonly heap: IpvsConn[] = [];
  size = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** ip_vs_conn_in_get: by the client's side of it. */
  findIn(
    protocol: number,
    client: number,
    clientPort: number,
    virtual: number,
    virtualPort: number,
  ): IpvsConn | undefined {
    let conn = this.fromClient.get(hash(protocol, client, clientPort, virtual, virtualPort));
    while (
      conn !== undefined &&
      !(
        conn.clientAddress === client &&
        conn.clientPort === clientPort &&
        conn.virtualAddress === virtual &&
        conn.virtualPort === virtualPort &&
        conn.protocol === protocol &&
        !conn.isTemplate
      )
    ) {
      conn = conn.nextIn;
    }
    return conn;
  }

  /** ip_vs_ct_in_get: the template for a client network. */
  findTemplate(
    protocol: number,
    network: number,
    virtual: number,
    virtualPort: number,
  ): IpvsConn | undefined {
    let conn = this.fromClient.get(hash(protocol, network, 0, virtual, virtualPort));
    while (
      conn !== undefined &&
      !(
        conn.isTemplate &&
        conn.clientAddress === network &&
        conn.virtualAddress === virtual &&
        conn.virtualPort === virtualPort &&
        conn.protocol === protocol
      )
    ) {
      conn = conn.nextIn;
    }
    return conn;
  }

  /** ip_vs_conn_out_get: by the server's side of it. */
  findOut(
    protocol: number,
    server: number,
    serverPort: number,
    client: number,
    clientPort: number,
  ): IpvsConn | undefined {
    let conn = this.fromServer.get(hash(protocol, server, serverPort, client, clientPort));
    while (
      conn !== undefined &&
      !(
        conn.server.address === server &&
        conn.server.port === serverPort &&
        conn.clientAddress === client &&
        conn.clientPort === clientPort &&
        conn.protocol === protocol
      )
    ) {
      conn = conn.nextOut;
    }
    return conn;
  }

  add(conn: IpvsConn): void {
    const inKey = inKeyOf(conn);
    conn.nextIn = this.fromClient.get(inKey);
    this.fromClient.set(inKey, conn);
    if (!conn.isTemplate) {
      const outKey = outKeyOf(conn);
      conn.nextOut = this.fromServer.get(outKey);
      this.fromServer.set(outKey, conn);
    }
    this.size++;
    if (conn.isTemplate) conn.server.persistentConnections++;
    else conn.server.inactiveConnections++;
    conn.server.updateOverload();
    this.touch(conn);
    conn.heapMs = conn.expiresMs;
    this.push(conn);
  }

  /** Starts its time-out anew (ip_vs_conn_put). */
  touch(conn: IpvsConn): void {
    conn.expiresMs = this.clock.now() + conn.timeoutMs;
    // A deadline that moved forward has to be looked at earlier.
    if (conn.heapMs > conn.expiresMs) {
      conn.heapMs = conn.expiresMs;
      this.push(conn);
    }
  }

  setState(conn: IpvsConn, state: IpvsState, timeoutMs: number): void {
    conn.timeoutMs = timeoutMs;
    if (conn.state === state) return;
    conn.state = state;
    const isActive =
      state === 'ESTABLISHED' || state === 'SYN_SENT' || state === 'SYN_RECV' || state === 'SYNACK';
    if (isActive === conn.isInactive) {
      conn.isInactive = !isActive;
      conn.server.activeConnections += isActive ? 1 : -1;
      conn.server.inactiveConnections += isActive ? -1 : 1;
    }
    if (state === 'ESTABLISHED' && conn.control !== undefined) conn.control.state = 'ASSURED';
  }

  /** Takes a connection away at once. */
  remove(conn: IpvsConn): void {
    if (conn.isGone) return;
    conn.isGone = true;
    this.size--;
    unlink(this.fromClient, inKeyOf(conn), conn, 'nextIn');
    if (!conn.isTemplate) unlink(this.fromServer, outKeyOf(conn), conn, 'nextOut');
    const { server } = conn;
    if (conn.isTemplate) server.persistentConnections--;
    else if (conn.isInactive) server.inactiveConnections--;
    else server.activeConnections--;
    server.updateOverload();
    if (conn.control !== undefined) conn.control.controlled--;
  }

  /** Takes away what is over; called before anything that counts is read. */
  expire(): void {
    const now = this.clock.now();
    while (this.heap.length > 0 && this.heap[0]!.heapMs <= now) {
      const conn = this.heap[0]!;
      if (conn.isGone) this.pop();
      else if (conn.expiresMs > now) this.sink(conn, conn.expiresMs);
      else if (conn.controlled > 0) {
        conn.expiresMs += TEMPLATE_RETRY_MS; // From when it was due, not from when it's noticed.
        this.sink(conn, conn.expiresMs);
      } else {
        this.pop();
        this.remove(conn);
      }
    }
  }

  list(): IpvsConn[] {
    this.expire();
    const all: IpvsConn[] = [];
    for (let conn of this.fromClient.values()) {
      all.push(conn);
      while (conn.nextIn !== undefined) all.push((conn = conn.nextIn));
    }
    return all;
  }

  clear(): void {
    for (const conn of this.list()) this.remove(conn);
    this.heap.length = 0;
  }

  private push(conn: IpvsConn): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(conn);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.heapMs <= conn.heapMs) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = conn;
  }

  private pop(): void {
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return;
    this.heap[0] = last;
    this.siftDown();
  }

  private sink(conn: IpvsConn, heapMs: number): void {
    conn.heapMs = heapMs;
    this.siftDown();
  }

  private siftDown(): void {
    const { heap } = this;
    const conn = heap[0]!;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.heapMs < heap[child]!.heapMs) child++;
      if (heap[child]!.heapMs >= conn.heapMs) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = conn;
  }
}

function unlink(map: Map<number, IpvsConn>, key: number, conn: IpvsConn, next: 'nextIn' | 'nextOut'): void {
  let each = map.get(key);
  if (each === conn) {
    if (conn[next] === undefined) map.delete(key);
    else map.set(key, conn[next]);
    return;
  }
  while (each !== undefined && each[next] !== conn) each = each[next];
  if (each !== undefined) each[next] = conn[next];
}

function inKeyOf(conn: IpvsConn): number {
  return hash(conn.protocol, conn.clientAddress, conn.clientPort, conn.virtualAddress, conn.virtualPort);
}

function outKeyOf(conn: IpvsConn): number {
  return hash(conn.protocol, conn.server.address, conn.server.port, conn.clientAddress, conn.clientPort);
}

function hash(protocol: number, one: number, onePort: number, two: number, twoPort: number): number {
  let h = Math.imul(one, 0x9e3779b1) ^ Math.imul(two, 0x85ebca6b);
  h ^= Math.imul((onePort << 16) ^ twoPort, 0xc2b2ae35) ^ protocol;
  h ^= h >>> 15;
  return h & 0x3fffffff;
}

const STATES = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'SYNACK',
] as const;
const NO = 0;
const ES = 1;
const SS = 2;
const SR = 3;
const FW = 4;
const TW = 5;
const CL = 6;
const CW = 7;
const LA = 8;
const LI = 9;

/** tcp_states of ip_vs_proto_tcp.c: rows are SYN, FIN, ACK, RST; columns the state as in STATES. */
const TRANSITIONS = {
  in: [
    [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
    [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW],
    [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR],
  ],
  out: [
    [SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR],
    [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
    [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
    [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
  ],
} as const;

const indexes = new Map<IpvsState, number>(STATES.map((state, index) => [state, index]));

/** The next TCP state after a segment with these flags. */
export function nextState(state: IpvsState, flags: number, direction: 'in' | 'out'): IpvsState {
  const rows = TRANSITIONS[direction];
  const column = indexes.get(state) ?? NO;
  if ((flags & TCP_RST) !== 0) return STATES[rows[3][column]!]!;
  if ((flags & TCP_SYN) !== 0) return STATES[rows[0][column]!]!;
  if ((flags & TCP_FIN) !== 0) return STATES[rows[1][column]!]!;
  return (flags & TCP_ACK) !== 0 ? STATES[rows[2][column]!]! : state;
}
