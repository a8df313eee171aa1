// One TCP connection (RFC 9293): handshake, sliding window, retransmission, closing; with Linux's timeouts.
import { ErrnoError, type ErrnoCode } from '../errno.ts';
import { formatIpv4 } from '../ip/ipv4.ts';
import { Packet, PROTO_TCP, TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../ip/packet.ts';
import type { Link } from '../link/link.ts';
import type { SocketAddress, SocketOwner, TcpSocket } from './socket.ts';
import type { TcpLayer } from './tcp-layer.ts';
import type { TcpListenerSocket } from './tcp-listener.ts';

export type TcpState =
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECV'
  | 'ESTAB'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'TIME-WAIT'
  | 'CLOSE-WAIT'
  | 'LAST-ACK'
  | 'CLOSING'
  | 'CLOSED';

/** What is offered to the other side at most: Linux's usual first window, 502 << 7. */
const RECEIVE_BUFFER_BYTES = 64_256;
/** tcp_wmem's usual size after autotuning; `write` waits above it. */
const SEND_BUFFER_BYTES_MAX = 262_144;
/** One `read` gives at most this much unless asked for less. */
const READ_BYTES_MAX = 65_536;
const WINDOW_SCALE = 7;
const RTO_INITIAL_MS = 1000;
const RTO_MIN_MS = 200;
const RTO_MAX_MS = 120_000;
/** Segments kept that came before their turn. */
const OUT_OF_ORDER_MAX = 256;
const TIMESTAMPS_BYTES = 12;

interface Reader {
  readonly sizeMax: number;
  readonly resolve: (bytes: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Writer {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface TcpEndpoints {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

export class TcpConnection implements TcpSocket {
  private readonly layer: TcpLayer;
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly inode: number;
  owner: SocketOwner | undefined;
  device: Link | undefined;
  mark = 0;
  state: TcpState = 'CLOSED';
  /** Next connection with the same remote end and local port, at another local address. */
  nextSame: TcpConnection | undefined = undefined;
  /** The listener it came from, until it's accepted. */
  listener: TcpListenerSocket | undefined = undefined;

  // Sending. Offsets into `chunks` count from sndUna.
  private sndUna = 0;
  private sndNxt = 0;
  private sndWnd = 0;
  private sndScale = 0;
  private mss = 536;
  private chunks: Uint8Array[] = [];
  private queuedBytes = 0;
  /** First chunk not wholly sent, and how much of it is. */
  private unsentChunk = 0;
  private unsentOffset = 0;
  private isEndQueued = false;
  private isFinSent = false;
  private writers: Writer[] = [];

  // Receiving.
  private rcvNxt = 0;
  private received: Uint8Array[] = [];
  private receivedBytes = 0;
  private advertised = 0;
  private outOfOrder: Packet[] = [];
  private isFinReceived = false;
  private readers: Reader[] = [];
  private error: ErrnoCode | undefined = undefined;
  /** The program has given it up: nobody reads any more. */
  private isOrphan = false;

  // Time.
  private timer: Disposable | undefined = undefined;
  private timerDueMs = 0;
  private deadlineMs = 0;
  private rtoMs = RTO_INITIAL_MS;
  private srttMs = -1;
  private rttVarMs = 0;
  private retransmits = 0;
  private duplicateAcks = 0;
  private timedSequence = -1;
  private timedMs = 0;

  /** Told when the handshake has ended, well or badly. */
  onOpen: ((error: ErrnoCode | undefined) => void) | undefined = undefined;

  constructor(layer: TcpLayer, ends: TcpEndpoints, inode: number) {
    this.layer = layer;
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
    this.inode = inode;
  }

  get local(): SocketAddress {
    return { address: formatIpv4(this.localAddress), port: this.localPort };
  }

  get remote(): SocketAddress {
    return { address: formatIpv4(this.remoteAddress), port: this.remotePort };
  }

  get receiveQueueBytes(): number {
    return this.receivedBytes;
  }

  get sendQueueBytes(): number {
    return this.queuedBytes;
  }

  /** Running timer as `ss -o` shows it. */
  get timerInfo():
    | { readonly name: 'on' | 'timewait'; readonly leftMs: number; readonly retransmits: number }
    | undefined {
    if (this.deadlineMs === 0) return undefined;
    const name = this.state === 'TIME-WAIT' || this.state === 'FIN-WAIT-2' ? 'timewait' : 'on';
    return {
      name,
      leftMs: Math.max(0, this.deadlineMs - this.layer.clock.now()),
      retransmits: this.retransmits,
    };
  }

  // ── Opening ──

  /** Sends the SYN. Returns what connect(2) would fail with at once. */
  connect(): ErrnoCode | undefined {
    this.sndUna = this.sndNxt = this.layer.initialSequence();
    this.state = 'SYN-SENT';
    const error = this.sendSyn();
    this.sndNxt = add(this.sndNxt, 1);
    if (error !== undefined && error !== 'EPERM') return error;
    this.arm(this.rtoMs);
    return undefined;
  }

  /** Answers a SYN. */
  acceptSyn(syn: Packet, listener: TcpListenerSocket): void {
    this.listener = listener;
    this.state = 'SYN-RECV';
    this.sndUna = this.sndNxt = this.layer.initialSequence();
    this.takeSyn(syn);
    this.sendSyn();
    this.sndNxt = add(this.sndNxt, 1);
    this.arm(this.rtoMs);
  }

  private takeSyn(syn: Packet): void {
    this.rcvNxt = add(syn.sequence, 1);
    this.sndWnd = syn.window; // Never scaled in a SYN (RFC 7323, 2.2).
    this.sndScale = Math.max(0, syn.windowScale);
    const ours = this.layer.segmentSize(this.remoteAddress, this.localAddress);
    this.mss = Math.min(syn.mss === 0 ? 536 : syn.mss, ours) - TIMESTAMPS_BYTES;
  }

  private sendSyn(): ErrnoCode | undefined {
    const packet = this.makePacket(this.state === 'SYN-SENT' ? TCP_SYN : TCP_SYN | TCP_ACK, this.sndUna);
    packet.mss = this.layer.segmentSize(this.remoteAddress, this.localAddress);
    packet.windowScale = WINDOW_SCALE;
    packet.window = Math.min(65_535, RECEIVE_BUFFER_BYTES - 16);
    this.advertised = RECEIVE_BUFFER_BYTES;
    if (this.retransmits === 0) this.startTiming(this.sndUna);
    return this.layer.send(packet, this.device);
  }

  // ── The program's side ──

  read(sizeMax = READ_BYTES_MAX): Promise<Uint8Array | undefined> {
    if (this.receivedBytes > 0 && this.readers.length === 0)
      return Promise.resolve(this.takeReceived(sizeMax));
    if (this.error !== undefined) return this.failOnce();
    if (this.isFinReceived || this.isOrphan || this.state === 'CLOSED') return Promise.resolve(undefined);
    return new Promise((resolve, reject) => this.readers.push({ sizeMax, resolve, reject }));
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.error !== undefined) return this.failOnce();
    if (this.isEndQueued || this.isOrphan || this.state === 'CLOSED')
      return Promise.reject(new ErrnoError('EPIPE'));
    if (bytes.length > 0) {
      this.chunks.push(bytes.slice());
      this.queuedBytes += bytes.length;
      this.transmit();
    }
    if (this.queuedBytes <= SEND_BUFFER_BYTES_MAX) return Promise.resolve();
    return new Promise((resolve, reject) => this.writers.push({ resolve, reject }));
  }

  /** sk_err is told once; afterwards reads find the end and writes a broken pipe. */
  private failOnce(): Promise<never> {
    const code = this.error!;
    if (code === 'ECONNRESET' || code === 'ETIMEDOUT') this.error = undefined;
    return Promise.reject(new ErrnoError(code));
  }

  end(): void {
    if (this.isEndQueued) return;
    this.isEndQueued = true;
    if (this.state === 'ESTAB') this.state = 'FIN-WAIT-1';
    else if (this.state === 'CLOSE-WAIT') this.state = 'LAST-ACK';
    else return;
    this.transmit();
  }

  close(): void {
    if (this.isOrphan) return;
    this.isOrphan = true;
    const isUnread = this.receivedBytes > 0;
    this.received = [];
    this.receivedBytes = 0;
    for (const reader of this.readers.splice(0)) reader.resolve(undefined);
    for (const writer of this.writers.splice(0)) writer.reject(new ErrnoError('EPIPE'));
    if (this.state === 'CLOSED' || this.state === 'TIME-WAIT') return;
    if (this.state === 'SYN-SENT') return this.finish(undefined);
    if (isUnread) return this.abort(); // RFC 2525, 2.17.
    this.end();
    if (this.state === 'FIN-WAIT-2') this.arm(this.layer.finTimeoutMs);
  }

  /** Sends RST and is gone. */
  abort(error?: ErrnoCode): void {
    if (this.state !== 'CLOSED' && this.state !== 'TIME-WAIT' && this.state !== 'SYN-SENT') {
      this.layer.send(this.makePacket(TCP_RST | TCP_ACK, this.sndNxt), this.device);
    }
    this.finish(error);
  }

  // ── Segments in ──

  receive(packet: Packet): void {
    if (this.state === 'SYN-SENT') return this.receiveInSynSent(packet);
    const { flags } = packet;
    if (this.state === 'TIME-WAIT') return this.receiveInTimeWait(packet);
    if ((flags & TCP_RST) !== 0) return this.receiveReset(packet);
    if ((flags & TCP_SYN) !== 0) {
      if (this.state === 'SYN-RECV' && packet.sequence === add(this.rcvNxt, -1)) this.sendSyn();
      else this.sendAck(); // Challenge (RFC 5961, 4).
      return;
    }
    if ((flags & TCP_ACK) === 0) return;
    if (!this.takeAck(packet)) return;
    if (packet.payload.length > 0 || (flags & TCP_FIN) !== 0) this.takeData(packet);
    this.transmit();
  }

  private receiveInSynSent(packet: Packet): void {
    const { flags } = packet;
    const isAckGood = (flags & TCP_ACK) !== 0 && packet.acknowledgement === this.sndNxt;
    if ((flags & TCP_ACK) !== 0 && !isAckGood) {
      if ((flags & TCP_RST) === 0) this.layer.send(this.layer.makeReset(packet), this.device);
      return;
    }
    if ((flags & TCP_RST) !== 0) {
      if (isAckGood) this.finish('ECONNREFUSED');
      return;
    }
    if ((flags & TCP_SYN) === 0) return;
    this.takeSyn(packet);
    if (!isAckGood) {
      this.state = 'SYN-RECV'; // Simultaneous open.
      this.sendSyn();
      return;
    }
    this.sndUna = packet.acknowledgement;
    this.established();
    this.sendAck();
    this.transmit();
  }

  private receiveInTimeWait(packet: Packet): void {
    if ((packet.flags & TCP_RST) !== 0) return;
    if (
      (packet.flags & TCP_SYN) !== 0 &&
      (packet.flags & TCP_ACK) === 0 &&
      after(packet.sequence, this.rcvNxt)
    ) {
      this.finish(undefined); // A new incarnation (RFC 9293, 3.10.7.4).
      this.layer.receive(packet, this.layer.loopback);
      return;
    }
    this.sendAck();
  }

  private receiveReset(packet: Packet): void {
    if (
      packet.sequence !== this.rcvNxt &&
      !(after(packet.sequence, this.rcvNxt) && this.isInWindow(packet.sequence))
    )
      return;
    if (this.state === 'SYN-RECV') return this.finish('ECONNREFUSED');
    this.finish(this.state === 'CLOSE-WAIT' ? 'EPIPE' : 'ECONNRESET');
  }

  private isInWindow(sequence: number): boolean {
    return ((sequence - this.rcvNxt) | 0) < RECEIVE_BUFFER_BYTES;
  }

  /** Takes what the other side has acknowledged; false if the segment is to be ignored. */
  private takeAck(packet: Packet): boolean {
    const ack = packet.acknowledgement;
    if (this.state === 'SYN-RECV') {
      if (ack !== this.sndNxt) {
        this.layer.send(this.layer.makeReset(packet), this.device);
        return false;
      }
      if (this.listener !== undefined && !this.listener.hasRoom) return false; // Dropped; the client tries again.
      this.sndUna = ack;
      this.sndWnd = packet.window << this.sndScale;
      this.established();
      return true;
    }
    if (after(ack, this.sndNxt)) {
      this.sendAck();
      return false;
    }
    const wasFull = this.sndWnd;
    if (!after(this.sndUna, ack)) this.sndWnd = packet.window << this.sndScale;
    if (after(ack, this.sndUna)) this.acknowledged(ack);
    else if (
      ack === this.sndUna &&
      this.sndNxt !== this.sndUna &&
      packet.payload.length === 0 &&
      wasFull === this.sndWnd
    ) {
      if ((packet.flags & TCP_FIN) === 0 && ++this.duplicateAcks === 3) this.retransmit();
    }
    return true;
  }

  private acknowledged(ack: number): void {
    this.sampleRoundTrip(ack);
    let bytes = (ack - this.sndUna) >>> 0;
    this.sndUna = ack;
    this.retransmits = 0;
    this.duplicateAcks = 0;
    const isFinAcked = this.isFinSent && ack === this.sndNxt && bytes > this.queuedBytes;
    if (bytes > this.queuedBytes) bytes = this.queuedBytes; // The rest is the FIN (or the SYN).
    this.dropAcknowledged(bytes);
    if (this.sndUna === this.sndNxt) this.deadlineMs = 0;
    else this.arm(this.rtoMs);
    if (this.writers.length > 0 && this.queuedBytes <= SEND_BUFFER_BYTES_MAX) {
      for (const writer of this.writers.splice(0)) writer.resolve();
    }
    if (isFinAcked) this.finAcknowledged();
  }

  private dropAcknowledged(bytes: number): void {
    this.queuedBytes -= bytes;
    let dropped = 0;
    while (bytes > 0) {
      const chunk = this.chunks[dropped]!;
      if (chunk.length > bytes) {
        this.chunks[dropped] = chunk.subarray(bytes);
        if (this.unsentChunk === dropped) this.unsentOffset = Math.max(0, this.unsentOffset - bytes);
        break;
      }
      bytes -= chunk.length;
      dropped++;
    }
    if (dropped === 0) return;
    if (this.unsentChunk < dropped) this.unsentOffset = 0;
    this.unsentChunk = Math.max(0, this.unsentChunk - dropped);
    if (dropped === this.chunks.length) this.chunks = [];
    else this.chunks.splice(0, dropped);
  }

  private finAcknowledged(): void {
    if (this.state === 'FIN-WAIT-1') {
      this.state = 'FIN-WAIT-2';
      if (this.isOrphan) this.arm(this.layer.finTimeoutMs);
    } else if (this.state === 'CLOSING') this.timeWait();
    else if (this.state === 'LAST-ACK') this.finish(undefined);
  }

  private takeData(packet: Packet): void {
    if (this.isOrphan && packet.payload.length > 0) {
      this.abort(); // Nobody will read it.
      return;
    }
    const skip = (this.rcvNxt - packet.sequence) | 0;
    if (skip < 0) {
      this.keepForLater(packet);
      this.sendAck();
      return;
    }
    const isFin = (packet.flags & TCP_FIN) !== 0;
    if (skip > packet.payload.length || (skip === packet.payload.length && !isFin)) {
      this.sendAck(); // All of it is old.
      return;
    }
    const isAccepted = this.takeInOrder(packet, skip);
    if (isAccepted && this.outOfOrder.length > 0) this.takeKept();
    if (this.state !== 'CLOSED') this.sendAck();
    this.wakeReaders();
  }

  private takeInOrder(packet: Packet, skip: number): boolean {
    const bytes = skip === 0 ? packet.payload : packet.payload.subarray(skip);
    if (bytes.length > 0) {
      if (this.receivedBytes + bytes.length > RECEIVE_BUFFER_BYTES + this.mss) return false; // Beyond the window.
      if (this.isFinReceived) return false;
      this.received.push(bytes);
      this.receivedBytes += bytes.length;
      this.rcvNxt = add(this.rcvNxt, bytes.length);
    }
    if ((packet.flags & TCP_FIN) !== 0) this.takeFin();
    return true;
  }

  private takeFin(): void {
    if (this.isFinReceived) return;
    this.isFinReceived = true;
    this.rcvNxt = add(this.rcvNxt, 1);
    if (this.state === 'ESTAB') this.state = 'CLOSE-WAIT';
    else if (this.state === 'FIN-WAIT-1') this.state = 'CLOSING';
    else if (this.state === 'FIN-WAIT-2') this.timeWait();
  }

  private keepForLater(packet: Packet): void {
    if (this.outOfOrder.length >= OUT_OF_ORDER_MAX || !this.isInWindow(packet.sequence)) return;
    this.outOfOrder.push(packet);
    this.outOfOrder.sort((a, b) => (a.sequence - b.sequence) | 0);
  }

  private takeKept(): void {
    while (this.outOfOrder.length > 0) {
      const packet = this.outOfOrder[0]!;
      const skip = (this.rcvNxt - packet.sequence) | 0;
      if (skip < 0) return;
      this.outOfOrder.shift();
      if (skip <= packet.payload.length) this.takeInOrder(packet, skip);
    }
  }

  // ── Segments out ──

  /** Sends what the window allows. */
  private transmit(): void {
    if (
      this.state === 'SYN-SENT' ||
      this.state === 'SYN-RECV' ||
      this.state === 'CLOSED' ||
      this.state === 'TIME-WAIT'
    )
      return;
    let inFlight = (this.sndNxt - this.sndUna) >>> 0;
    let unsent = this.queuedBytes - Math.min(inFlight, this.queuedBytes);
    while (unsent > 0 && inFlight < this.sndWnd) {
      const size = Math.min(unsent, this.mss, this.sndWnd - inFlight);
      const payload = this.takeUnsent(size);
      const packet = this.makePacket(unsent === size ? TCP_PSH | TCP_ACK : TCP_ACK, this.sndNxt);
      packet.payload = payload;
      if (this.timedSequence < 0) this.startTiming(this.sndNxt);
      this.sndNxt = add(this.sndNxt, payload.length);
      inFlight += payload.length;
      unsent -= payload.length;
      if (this.deadlineMs === 0) this.arm(this.rtoMs);
      this.layer.send(packet, this.device);
      if ((this.state as TcpState) === 'CLOSED') return; // Sending can fail synchronously.
    }
    if (unsent > 0 && this.deadlineMs === 0) this.arm(this.rtoMs); // Zero window: probe later.
    if (this.isEndQueued && unsent === 0 && !this.isFinSent) this.sendFin();
  }

  private sendFin(): void {
    this.isFinSent = true;
    const packet = this.makePacket(TCP_FIN | TCP_ACK, this.sndNxt);
    this.sndNxt = add(this.sndNxt, 1);
    this.arm(this.rtoMs);
    this.layer.send(packet, this.device);
  }

  /** The next `size` bytes (or fewer, up to a chunk's end when that spares a copy). */
  private takeUnsent(size: number): Uint8Array {
    const chunk = this.chunks[this.unsentChunk]!;
    const left = chunk.length - this.unsentOffset;
    if (left >= size) {
      const bytes = chunk.subarray(this.unsentOffset, this.unsentOffset + size);
      this.unsentOffset += size;
      if (this.unsentOffset === chunk.length) {
        this.unsentChunk++;
        this.unsentOffset = 0;
      }
      return bytes;
    }
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const part = this.takeUnsent(
        Math.min(size - filled, this.chunks[this.unsentChunk]!.length - this.unsentOffset),
      );
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Sends the oldest unacknowledged segment again. */
  private retransmit(): void {
    this.timedSequence = -1; // Karn's algorithm.
    if (this.state === 'SYN-SENT' || this.state === 'SYN-RECV') {
      this.sendSyn();
      return;
    }
    if (this.sndNxt === this.sndUna && this.queuedBytes > 0) return this.probeWindow();
    const size = Math.min(this.queuedBytes, this.mss, (this.sndNxt - this.sndUna) >>> 0);
    const isFin = size === 0 && this.isFinSent;
    const packet = this.makePacket(isFin ? TCP_FIN | TCP_ACK : TCP_PSH | TCP_ACK, this.sndUna);
    packet.payload = this.firstBytes(size);
    if (this.isFinSent && size === this.queuedBytes) packet.flags |= TCP_FIN;
    this.layer.send(packet, this.device);
  }

  /** One byte into a closed window, to learn whether it has opened (RFC 9293, 3.8.6.1). */
  private probeWindow(): void {
    const packet = this.makePacket(TCP_PSH | TCP_ACK, this.sndNxt);
    packet.payload = this.takeUnsent(1);
    this.sndNxt = add(this.sndNxt, 1);
    this.layer.send(packet, this.device);
  }

  private firstBytes(size: number): Uint8Array {
    const first = this.chunks[0];
    if (size === 0 || first === undefined) return new Uint8Array(0);
    if (first.length >= size) return first.subarray(0, size);
    const bytes = new Uint8Array(size);
    let filled = 0;
    for (const chunk of this.chunks) {
      const part = chunk.subarray(0, size - filled);
      bytes.set(part, filled);
      filled += part.length;
      if (filled === size) break;
    }
    return bytes;
  }

  private sendAck(): void {
    this.layer.send(this.makePacket(TCP_ACK, this.sndNxt), this.device);
  }

  private makePacket(flags: number, sequence: number): Packet {
    const packet = new Packet();
    packet.protocol = PROTO_TCP;
    packet.source = this.localAddress;
    packet.destination = this.remoteAddress;
    packet.sourcePort = this.localPort;
    packet.destinationPort = this.remotePort;
    packet.dontFragment = true;
    packet.flags = flags;
    packet.sequence = sequence;
    packet.mark = this.mark;
    if ((flags & TCP_ACK) !== 0) packet.acknowledgement = this.rcvNxt;
    const space = Math.max(0, RECEIVE_BUFFER_BYTES - this.receivedBytes);
    this.advertised = space;
    packet.window = space >> WINDOW_SCALE;
    return packet;
  }

  // ── Changes of state ──

  private established(): void {
    this.sampleRoundTrip(this.sndUna);
    this.retransmits = 0;
    this.deadlineMs = 0;
    this.state = this.isEndQueued ? 'FIN-WAIT-1' : 'ESTAB';
    const { listener, onOpen } = this;
    this.onOpen = undefined;
    if (listener !== undefined) listener.opened(this);
    onOpen?.(undefined);
  }

  private timeWait(): void {
    this.state = 'TIME-WAIT';
    this.chunks = [];
    this.outOfOrder = [];
    this.retransmits = 0;
    this.wakeReaders();
    if (this.layer.enterTimeWait()) this.arm(this.layer.timeWaitMs);
    else this.finish(undefined);
  }

  /** The connection is gone; whoever waits learns why. */
  finish(error: ErrnoCode | undefined): void {
    if (this.state === 'CLOSED') return;
    const wasTimeWait = this.state === 'TIME-WAIT';
    this.state = 'CLOSED';
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
    this.deadlineMs = 0;
    this.error = error;
    this.chunks = [];
    this.queuedBytes = 0;
    this.outOfOrder = [];
    this.layer.forget(this, wasTimeWait);
    this.listener?.abandoned(this);
    const { onOpen } = this;
    this.onOpen = undefined;
    onOpen?.(error ?? 'ECONNABORTED');
    for (const writer of this.writers.splice(0)) writer.reject(new ErrnoError(error ?? 'EPIPE'));
    this.wakeReaders();
  }

  /** An ICMP error about one of our segments (tcp_v4_err). */
  receiveError(type: number, code: number): void {
    if (type === 3 && code === 4) {
      this.mss = Math.min(
        this.mss,
        this.layer.segmentSize(this.remoteAddress, this.localAddress) - TIMESTAMPS_BYTES,
      );
      if (this.sndNxt !== this.sndUna) this.resendAll();
      return;
    }
    if (this.state === 'SYN-SENT') this.finish(icmpErrno(type, code));
    // Once established these are soft errors: the data is sent again until the time-out.
  }

  /** Smaller segments now: everything unacknowledged goes again. */
  private resendAll(): void {
    if (this.state === 'SYN-SENT' || this.state === 'SYN-RECV') return;
    this.sndNxt = this.sndUna;
    this.unsentChunk = 0;
    this.unsentOffset = 0;
    this.isFinSent = false;
    this.timedSequence = -1;
    this.deadlineMs = 0;
    this.transmit();
  }

  private wakeReaders(): void {
    while (this.readers.length > 0) {
      if (this.receivedBytes > 0) {
        const reader = this.readers.shift()!;
        reader.resolve(this.takeReceived(reader.sizeMax));
      } else if (this.error !== undefined) {
        const { reject } = this.readers.shift()!;
        const code = this.error;
        this.error = undefined;
        reject(new ErrnoError(code));
      } else if (this.isFinReceived || this.state === 'CLOSED') this.readers.shift()!.resolve(undefined);
      else return;
    }
  }

  private takeReceived(sizeMax: number): Uint8Array {
    const size = Math.min(this.receivedBytes, sizeMax, READ_BYTES_MAX);
    const bytes = this.cutReceived(size);
    this.receivedBytes -= size;
    // A window that had (nearly) closed is opened with an update (RFC 9293, 3.8.6.2.2).
    const space = RECEIVE_BUFFER_BYTES - this.receivedBytes;
    if (this.advertised < 2 * this.mss && space >= RECEIVE_BUFFER_BYTES / 2 && this.canUpdateWindow)
      this.sendAck();
    return bytes;
  }

  private get canUpdateWindow(): boolean {
    return this.state === 'ESTAB' || this.state === 'FIN-WAIT-1' || this.state === 'FIN-WAIT-2';
  }

  private cutReceived(size: number): Uint8Array {
    const first = this.received[0]!;
    if (first.length === size) {
      this.received.shift();
      return first;
    }
    if (first.length > size) {
      this.received[0] = first.subarray(size);
      return first.subarray(0, size);
    }
    const bytes = new Uint8Array(size);
    let filled = 0;
    let used = 0;
    while (filled < size) {
      const chunk = this.received[used]!;
      const part = chunk.subarray(0, size - filled);
      bytes.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) this.received[used] = chunk.subarray(part.length);
      else used++;
    }
    this.received.splice(0, used);
    return bytes;
  }

  // ── Time ──

  /** One timer per connection, left running when its deadline moves back; it looks again when it fires. */
  private arm(delayMs: number): void {
    const now = this.layer.clock.now();
    this.deadlineMs = now + delayMs;
    if (this.timer !== undefined) {
      if (this.timerDueMs <= this.deadlineMs) return;
      this.timer[Symbol.dispose]();
    }
    this.startTimer(delayMs);
  }

  private startTimer(delayMs: number): void {
    this.timerDueMs = this.layer.clock.now() + delayMs;
    this.timer = this.layer.clock.after(delayMs, () => {
      this.timer = undefined;
      if (this.deadlineMs === 0) return;
      const leftMs = this.deadlineMs - this.layer.clock.now();
      if (leftMs > 0) return this.startTimer(leftMs);
      this.deadlineMs = 0;
      this.timedOut();
    });
  }

  private timedOut(): void {
    if (this.state === 'TIME-WAIT' || this.state === 'FIN-WAIT-2') return this.finish(undefined);
    if (this.state === 'CLOSED') return;
    this.retransmits++;
    if (this.retransmits > this.layer.retriesFor(this.state, this.isOrphan)) return this.finish('ETIMEDOUT');
    this.rtoMs = Math.min(this.rtoMs * 2, RTO_MAX_MS);
    this.arm(this.rtoMs);
    this.retransmit();
    const isProbe = this.sndNxt === this.sndUna && this.queuedBytes > 0;
    if (isProbe) this.retransmits = Math.min(this.retransmits, 5); // Probes of a live peer go on for ever.
  }

  private startTiming(sequence: number): void {
    this.timedSequence = sequence;
    this.timedMs = this.layer.clock.now();
  }

  /** RFC 6298. */
  private sampleRoundTrip(ack: number): void {
    if (this.timedSequence < 0 || !after(ack, this.timedSequence)) {
      if (this.retransmits === 0) return;
    }
    if (this.timedSequence >= 0 && after(ack, this.timedSequence)) {
      const sampleMs = this.layer.clock.now() - this.timedMs;
      this.timedSequence = -1;
      if (this.srttMs < 0) {
        this.srttMs = sampleMs;
        this.rttVarMs = sampleMs / 2;
      } else {
        this.rttVarMs += (Math.abs(this.srttMs - sampleMs) - this.rttVarMs) / 4;
        this.srttMs += (sampleMs - this.srttMs) / 8;
      }
    }
    this.rtoMs = Math.min(
      RTO_MAX_MS,
      Math.max(RTO_MIN_MS, this.srttMs + Math.max(4 * this.rttVarMs, RTO_MIN_MS)),
    );
    if (this.srttMs < 0) this.rtoMs = RTO_INITIAL_MS;
  }
}

function add(sequence: number, bytes: number): number {
  return (sequence + bytes) >>> 0;
}

/** Whether sequence number `a` is later than `b` (RFC 9293, 3.4). */
function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** icmp_err_convert. */
export function icmpErrno(type: number, code: number): ErrnoCode {
  if (type !== 3) return 'EHOSTUNREACH';
  if (code === 0 || code === 6 || code === 9 || code === 11) return 'ENETUNREACH';
  if (code === 2) return 'EPROTONOSUPPORT';
  if (code === 3) return 'ECONNREFUSED';
  return code === 4 ? 'EMSGSIZE' : 'EHOSTUNREACH';
}
