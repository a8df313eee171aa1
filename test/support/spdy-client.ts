// The client's side of a SPDY/3.1 session over a pipe in memory, for tests of what the server sends and when.
import {
  HeaderReader,
  HeaderWriter,
  type SpdyHeaders,
} from '../../main/kubernetes/apiserver/stream/spdy-headers.ts';
import type { SpdyPipe } from '../../main/kubernetes/apiserver/stream/spdy-session.ts';

/** What the server sent, in order. */
export type SpdyFrame =
  | { readonly kind: 'reply'; readonly id: number; readonly headers: SpdyHeaders }
  | { readonly kind: 'data'; readonly id: number; readonly text: string; readonly isLast: boolean }
  | { readonly kind: 'reset'; readonly id: number; readonly reason: number }
  | { readonly kind: 'ping'; readonly id: number };

export class SpdyClient {
  /** The server's end. */
  readonly pipe: SpdyPipe;
  readonly frames: SpdyFrame[] = [];
  private readonly arriving: Uint8Array[] = [];
  private readonly writer = new HeaderWriter();
  private readonly reader = new HeaderReader();
  private isOver = false;
  private nextId = 1;
  private wake: (() => void) | undefined;

  constructor() {
    this.pipe = {
      receive: async () => {
        while (this.arriving.length === 0 && !this.isOver)
          await new Promise<void>((resolve) => (this.wake = resolve));
        return this.arriving.shift();
      },
      send: async (bytes) => this.take(Buffer.from(bytes)),
    };
  }

  /** How many pieces the server hasn't read yet. */
  get waiting(): number {
    return this.arriving.length;
  }

  /** Opens a stream and gives its number. */
  open(headers: SpdyHeaders): number {
    const id = this.nextId;
    this.nextId += 2;
    const head = Buffer.alloc(10);
    head.writeUInt32BE(id);
    this.control(1, 0, Buffer.concat([head, this.writer.write(headers)]));
    return id;
  }

  data(id: number, bytes: string | Uint8Array, isLast = false): void {
    const head = Buffer.alloc(8);
    const body = Buffer.from(bytes as string);
    head.writeUInt32BE(id);
    head.writeUInt32BE((isLast ? 2 ** 24 : 0) + body.length, 4);
    this.raw(Buffer.concat([head, body]));
  }

  reset(id: number): void {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(id);
    body.writeUInt32BE(5, 4);
    this.control(3, 0, body);
  }

  ping(id: number): void {
    const body = Buffer.alloc(4);
    body.writeUInt32BE(id);
    this.control(6, 0, body);
  }

  raw(bytes: Uint8Array): void {
    this.arriving.push(bytes);
    this.wake?.();
  }

  /** The connection is gone. */
  leave(): void {
    this.isOver = true;
    this.wake?.();
  }

  /** What came on one stream, as text, and whether it has ended. */
  received(id: number): { text: string; isEnded: boolean } {
    const own = this.frames.filter((frame) => frame.kind === 'data' && frame.id === id);
    return {
      text: own.map((frame) => (frame.kind === 'data' ? frame.text : '')).join(''),
      isEnded: own.some((frame) => frame.kind === 'data' && frame.isLast),
    };
  }

  private control(type: number, flags: number, body: Uint8Array): void {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(0x8003);
    head.writeUInt16BE(type, 2);
    head.writeUInt32BE(flags * 2 ** 24 + body.length, 4);
    this.raw(Buffer.concat([head, body]));
  }

  /** The server sends whole frames. */
  private take(frame: Buffer): void {
    const body = frame.subarray(8);
    const id = (frame[0]! & 0x80) === 0 ? frame.readUInt32BE(0) : body.readUInt32BE(0);
    if ((frame[0]! & 0x80) === 0) {
      this.frames.push({ kind: 'data', id, text: body.toString('utf8'), isLast: (frame[4]! & 1) === 1 });
      return;
    }
    const type = frame.readUInt16BE(2);
    if (type === 2) this.frames.push({ kind: 'reply', id, headers: this.reader.read(body.subarray(4)) });
    else if (type === 3) this.frames.push({ kind: 'reset', id, reason: body.readUInt32BE(4) });
    else if (type === 6) this.frames.push({ kind: 'ping', id });
    else throw new Error(`a frame of type ${type}`);
  }
}

/** Lets everything that can run without waiting for anybody run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
