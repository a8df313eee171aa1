// The server's side of a SPDY/3.1 session over any byte pipe: streams that the client opens, each with headers.
import { HeaderReader, HeaderWriter, SpdyError, type SpdyHeaders } from './spdy-headers.ts';

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FLAG_FIN = 1;
const RST_PROTOCOL_ERROR = 1;
const RST_CANCEL = 5;
/** Largest data frame that is sent, in bytes. */
const DATA_BYTES_MAX = 32 * 1024;
/** A frame larger than this ends the session. */
const FRAME_BYTES_MAX = 1024 * 1024;
/** Streams open at once; more are reset. */
const STREAMS_MAX = 1024;
/** What may wait in a stream before the session reads no further, in bytes. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** What carries a session. `receive` gives undefined at the end. */
export interface SpdyPipe {
  receive(): Promise<Uint8Array | undefined>;
  send(bytes: Uint8Array): Promise<void>;
}

/**
 * One stream of a session. Differs: no flow control windows, as in the library that kubectl uses; a stream that isn't read
 * holds up its session instead, which holds up the connection.
 */
export class SpdyStream {
  readonly headers: SpdyHeaders;
  private readonly id: number;
  private readonly session: SpdySession;
  private readonly pieces: Uint8Array[] = [];
  private queuedBytes = 0;
  private isEnded = false;
  private isFinished = false;
  private wakeReader: (() => void) | undefined;
  private wakeSession: (() => void) | undefined;

  constructor(session: SpdySession, id: number, headers: SpdyHeaders) {
    this.session = session;
    this.id = id;
    this.headers = headers;
  }

  /** The next bytes; undefined once the client has ended or reset the stream. One reader at a time. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.pieces.length === 0 && !this.isEnded)
      await new Promise<void>((resolve) => (this.wakeReader = resolve));
    const piece = this.pieces.shift();
    this.queuedBytes -= piece?.length ?? 0;
    this.makeRoom();
    return piece;
  }

  /** Whether bytes can still be sent: neither `end` nor the client's reset has come. */
  get isWritable(): boolean {
    return !this.isFinished;
  }

  /** Sends bytes, unless the stream has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length && !this.isFinished; offset += DATA_BYTES_MAX)
      await this.session.sendData(this.id, bytes.subarray(offset, offset + DATA_BYTES_MAX), 0);
  }

  /** Sends no more. */
  async end(): Promise<void> {
    if (this.isFinished) return;
    this.isFinished = true;
    if (this.isEnded) this.session.forget(this.id);
    await this.session.sendData(this.id, new Uint8Array(), FLAG_FIN);
  }

  /** Ends both directions, and tells the client so. */
  async reset(): Promise<void> {
    const isKnown = !this.isFinished || !this.isEnded;
    this.drop();
    if (isKnown) await this.session.sendReset(this.id, RST_CANCEL);
  }

  /** What came for the stream. */
  take(bytes: Uint8Array, isLast: boolean): void {
    if (bytes.length > 0 && !this.isEnded) {
      this.pieces.push(bytes);
      this.queuedBytes += bytes.length;
    }
    if (isLast) this.isEnded = true;
    this.wakeReader?.();
    this.wakeReader = undefined;
    if (this.isEnded && this.isFinished) this.session.forget(this.id);
  }

  /** Settles when the stream can take more. */
  async room(): Promise<void> {
    while (this.queuedBytes > QUEUE_BYTES_MAX)
      await new Promise<void>((resolve) => (this.wakeSession = resolve));
  }

  /** Reads no more: what has come is thrown away, and so is what still comes. */
  discard(): void {
    this.isEnded = true;
    this.pieces.length = 0;
    this.queuedBytes = 0;
    this.makeRoom();
    this.take(new Uint8Array(), true);
  }

  /** Ends both directions without a word. */
  drop(): void {
    this.isFinished = true;
    this.discard();
  }

  private makeRoom(): void {
    if (this.queuedBytes > QUEUE_BYTES_MAX) return;
    this.wakeSession?.();
    this.wakeSession = undefined;
  }
}

export class SpdySession {
  private readonly pipe: SpdyPipe;
  private readonly onStream: (stream: SpdyStream) => void;
  private readonly headerReader = new HeaderReader();
  private readonly headerWriter = new HeaderWriter();
  private readonly streams = new Map<number, SpdyStream>();
  private buffered: Buffer = Buffer.alloc(0);
  private isClosed = false;

  constructor(pipe: SpdyPipe, onStream: (stream: SpdyStream) => void) {
    this.pipe = pipe;
    this.onStream = onStream;
  }

  /** How many streams are open. */
  get size(): number {
    return this.streams.size;
  }

  /** Reads frames until the client goes away or sends what isn't SPDY. Rejects with the pipe's ErrnoError. */
  async run(): Promise<void> {
    try {
      await this.readFrames();
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
    } finally {
      this.close();
    }
  }

  private async readFrames(): Promise<void> {
    for (;;) {
      const bytes = await this.pipe.receive();
      if (bytes === undefined || this.isClosed) return;
      this.buffered = this.buffered.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.buffered, bytes]);
      for (;;) {
        const frame = this.nextFrame();
        if (frame === undefined) break;
        if (!(await this.handle(frame)) || this.isClosed) return;
      }
    }
  }

  /** Ends every stream at once; what is written afterwards goes nowhere. */
  close(): void {
    this.isClosed = true;
    for (const stream of Array.from(this.streams.values())) stream.drop();
    this.streams.clear();
  }

  forget(id: number): void {
    this.streams.delete(id);
  }

  sendData(id: number, bytes: Uint8Array, flags: number): Promise<void> {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(id);
    head.writeUInt32BE(flags * 2 ** 24 + bytes.length, 4);
    return this.send(Buffer.concat([head, bytes]));
  }

  sendReset(id: number, reason: number): Promise<void> {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(id);
    body.writeUInt32BE(reason, 4);
    return this.sendControl(RST_STREAM, body);
  }

  private async send(bytes: Uint8Array): Promise<void> {
    if (!this.isClosed) await this.pipe.send(bytes);
  }

  private nextFrame(): Buffer | undefined {
    if (this.buffered.length < 8) return undefined;
    const length = this.buffered.readUIntBE(5, 3);
    if (length > FRAME_BYTES_MAX) throw new SpdyError(`a SPDY frame of ${length} bytes`);
    if (this.buffered.length < 8 + length) return undefined;
    const frame = this.buffered.subarray(0, 8 + length);
    this.buffered = this.buffered.subarray(8 + length);
    return frame;
  }

  /** Whether the session goes on. */
  private async handle(frame: Buffer): Promise<boolean> {
    const flags = frame[4]!;
    const body = frame.subarray(8);
    if ((frame[0]! & 0x80) === 0) {
      const stream = this.streams.get(frame.readUInt32BE(0));
      stream?.take(Buffer.from(body), (flags & FLAG_FIN) !== 0);
      await stream?.room();
      return true;
    }
    switch (frame.readUInt16BE(2)) {
      case SYN_STREAM:
        await this.open(body, (flags & FLAG_FIN) !== 0);
        return true;
      case RST_STREAM:
        if (body.length < 8) throw new SpdyError('a short RST_STREAM');
        this.reset(body.readUInt32BE(0));
        return true;
      case PING:
        await this.send(frame);
        return true;
      case GOAWAY:
        return false;
      default: // SETTINGS, HEADERS and WINDOW_UPDATE change nothing here.
        return true;
    }
  }

  private async open(body: Buffer, isEnded: boolean): Promise<void> {
    if (body.length < 10) throw new SpdyError('a short SYN_STREAM');
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = this.headerReader.read(body.subarray(10));
    if (this.streams.size >= STREAMS_MAX || this.streams.has(id))
      return this.sendReset(id, RST_PROTOCOL_ERROR);
    const stream = new SpdyStream(this, id, headers);
    this.streams.set(id, stream);
    if (isEnded) stream.take(new Uint8Array(), true);
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    await this.sendControl(SYN_REPLY, Buffer.concat([reply, this.headerWriter.write({})]));
    this.onStream(stream);
  }

  private reset(id: number): void {
    this.streams.get(id)?.drop();
    this.streams.delete(id);
  }

  private sendControl(type: number, body: Uint8Array): Promise<void> {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(0x8003);
    head.writeUInt16BE(type, 2);
    head.writeUInt32BE(body.length, 4);
    return this.send(Buffer.concat([head, body]));
  }
}
