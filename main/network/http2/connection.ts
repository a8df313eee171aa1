// Both ends of an HTTP/2 connection for small requests and answers. RFC 9113.
import { Buffer } from 'node:buffer';
import { ErrnoError } from '../errno.ts';
import type { HeaderList } from '../http/index.ts';
import type { ByteStream } from '../socket/socket.ts';
import { CompressionError, encodeHeaders, HpackDecoder } from './hpack.ts';

/** A request or an answer: its header fields, pseudo-header fields first, and all of its body. */
export interface Http2Message {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly trailers: HeaderList;
}

/** The other side broke the protocol, or ended the stream or the connection. */
export class Http2Error extends Error {}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
};
const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 };
/** SETTINGS_MAX_FRAME_SIZE, in octets, which nobody here raises. */
const FRAME_BYTES_MAX = 16_384;
const HEADER_BYTES_MAX = 65_536;
/** The first flow-control window. Differs: larger bodies are refused rather than sent bit by bit. */
const BODY_BYTES_MAX = 65_535;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

interface Partial {
  headers: HeaderList | undefined;
  trailers: HeaderList;
  readonly body: Uint8Array[];
  bodyBytes: number;
}

/** Sends one request on a new connection and gives the answer. Rejects with Http2Error, or the stream's ErrnoError. */
export async function requestHttp2(
  stream: ByteStream,
  headers: HeaderList,
  body: Uint8Array,
): Promise<Http2Message> {
  const peer = new Peer(stream);
  await stream.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  await stream.write(Buffer.concat(messageFrames(1, { headers, body, trailers: [] })));
  for (;;) {
    const message = await peer.next();
    if (message === undefined) throw new Http2Error('the connection ended without an answer');
    if (message.streamId === 1) return message.message;
  }
}

/** Answers requests until the client goes. What breaks the protocol ends the connection. */
export async function serveHttp2(
  stream: ByteStream,
  answer: (request: Http2Message) => Promise<Http2Message>,
): Promise<void> {
  const peer = new Peer(stream);
  try {
    const preface = await peer.bytes(PREFACE.length);
    if (preface === undefined || Buffer.compare(preface, PREFACE) !== 0) return;
    await stream.write(frame(FRAME.settings, 0, 0));
    for (;;) {
      const request = await peer.next();
      if (request === undefined) return;
      await stream.write(Buffer.concat(messageFrames(request.streamId, await answer(request.message))));
    }
  } catch (error) {
    if (
      !(error instanceof Http2Error) &&
      !(error instanceof CompressionError) &&
      !(error instanceof ErrnoError)
    )
      throw error;
  } finally {
    stream.close();
  }
}

/** Reads frames, answers those that only the connection is about, and puts messages together. */
class Peer {
  private readonly stream: ByteStream;
  private readonly decoder = new HpackDecoder();
  private readonly open = new Map<number, Partial>();
  private rest: Uint8Array = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** The next whole message; undefined once the other side is done. */
  async next(): Promise<{ streamId: number; message: Http2Message } | undefined> {
    for (;;) {
      const next = await this.frame();
      if (next === undefined) return undefined;
      switch (next.type) {
        case FRAME.settings:
          if ((next.flags & FLAG.ack) === 0) await this.stream.write(frame(FRAME.settings, FLAG.ack, 0));
          break;
        case FRAME.ping:
          if ((next.flags & FLAG.ack) === 0)
            await this.stream.write(frame(FRAME.ping, FLAG.ack, 0, next.payload));
          break;
        case FRAME.reset:
          if (this.open.delete(next.streamId)) throw new Http2Error('stream reset');
          break;
        case FRAME.goAway:
          return undefined;
        case FRAME.headers:
        case FRAME.data: {
          const message =
            next.type === FRAME.headers ? await this.takeHeaders(next) : await this.takeData(next);
          if (message !== undefined) return { streamId: next.streamId, message };
          break;
        }
        default: // Priorities, windows and what is not known are of no consequence here.
      }
    }
  }

  private partial(streamId: number): Partial {
    let partial = this.open.get(streamId);
    if (partial === undefined) {
      partial = { headers: undefined, trailers: [], body: [], bodyBytes: 0 };
      this.open.set(streamId, partial);
    }
    return partial;
  }

  private async takeHeaders(first: Frame): Promise<Http2Message | undefined> {
    const parts = [unpadded(first, (first.flags & FLAG.priority) === 0 ? 0 : 5)];
    let bytes = parts[0]!.length;
    for (let last = first; (last.flags & FLAG.endHeaders) === 0;) {
      const more = await this.frame();
      if (more?.type !== FRAME.continuation || more.streamId !== first.streamId)
        throw new Http2Error('expected a CONTINUATION frame');
      parts.push(more.payload);
      bytes += more.payload.length;
      if (bytes > HEADER_BYTES_MAX) throw new Http2Error('header list too large');
      last = more;
    }
    const headers = this.decoder.decode(Buffer.concat(parts));
    const partial = this.partial(first.streamId);
    if (partial.headers === undefined) partial.headers = headers;
    else partial.trailers = headers;
    return this.finish(first, partial);
  }

  private async takeData(data: Frame): Promise<Http2Message | undefined> {
    const partial = this.open.get(data.streamId);
    if (partial === undefined) throw new Http2Error('DATA on a stream that is not open');
    const piece = unpadded(data, 0);
    partial.body.push(piece);
    partial.bodyBytes += piece.length;
    if (partial.bodyBytes > BODY_BYTES_MAX) throw new Http2Error('body too large');
    // Other streams go on: the connection's window is opened again.
    if (data.payload.length > 0)
      await this.stream.write(frame(FRAME.windowUpdate, 0, 0, uint32(data.payload.length)));
    return this.finish(data, partial);
  }

  private finish({ flags, streamId }: Frame, partial: Partial): Http2Message | undefined {
    if ((flags & FLAG.endStream) === 0) return undefined;
    this.open.delete(streamId);
    return { headers: partial.headers ?? [], body: Buffer.concat(partial.body), trailers: partial.trailers };
  }

  private async frame(): Promise<Frame | undefined> {
    const head = await this.bytes(9);
    if (head === undefined) return undefined;
    const view = Buffer.from(head);
    const length = view.readUIntBE(0, 3);
    if (length > FRAME_BYTES_MAX) throw new Http2Error('frame too large');
    const payload = await this.bytes(length);
    if (payload === undefined) throw new Http2Error('the connection ended inside a frame');
    return { type: view[3]!, flags: view[4]!, streamId: view.readUInt32BE(5) & 0x7fff_ffff, payload };
  }

  /** Exactly so many bytes; undefined when the stream ends before. */
  async bytes(count: number): Promise<Uint8Array | undefined> {
    while (this.rest.length < count) {
      const piece = await this.stream.read();
      if (piece === undefined) return undefined;
      this.rest = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    }
    const result = this.rest.slice(0, count);
    this.rest = this.rest.subarray(count);
    return result;
  }
}

function unpadded({ flags, payload }: Frame, skip: number): Uint8Array {
  if ((flags & FLAG.padded) === 0) return payload.subarray(skip);
  const padding = payload[0] ?? 0;
  if (payload.length < 1 + skip + padding) throw new Http2Error('padding is too long');
  return payload.subarray(1 + skip, payload.length - padding);
}

function messageFrames(streamId: number, { headers, body, trailers }: Http2Message): Uint8Array[] {
  if (body.length > BODY_BYTES_MAX) throw new Http2Error('body too large');
  const parts: Uint8Array[] = [];
  const isBare = body.length === 0 && trailers.length === 0;
  parts.push(
    frame(FRAME.headers, FLAG.endHeaders | (isBare ? FLAG.endStream : 0), streamId, encodeHeaders(headers)),
  );
  for (let at = 0; at < body.length; at += FRAME_BYTES_MAX) {
    const piece = body.subarray(at, at + FRAME_BYTES_MAX);
    const isLast = at + piece.length >= body.length && trailers.length === 0;
    parts.push(frame(FRAME.data, isLast ? FLAG.endStream : 0, streamId, piece));
  }
  if (trailers.length > 0)
    parts.push(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, encodeHeaders(trailers)));
  return parts;
}

function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
