// Bodies of HTTP/1.1 messages: counted, chunked, or until the end (RFC 9112, 6 and 7).
import type { ByteStream } from '../socket/socket.ts';
import { HttpProtocolError } from './head.ts';
import type { StreamReader } from './stream-reader.ts';

const CHUNK_LINE_BYTES_MAX = 4096;
const PIECE_BYTES_MAX = 65_536;
/** Trailer fields read and forgotten. */
const TRAILERS_MAX = 100;

/** A body as it arrives. It can be iterated once; `isDone` tells whether it was read to its end. */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  private readonly pieces: AsyncIterator<Uint8Array>;
  private readonly onFirstRead: (() => Promise<void>) | undefined;
  private isStarted = false;
  isDone = false;
  /** Called when the last piece was read or none can be. */
  onEnd: (() => void) | undefined;

  constructor(
    reader: StreamReader,
    length: 'chunked' | 'until-end' | number,
    onFirstRead?: () => Promise<void>,
  ) {
    this.pieces = this.run(reader, length);
    this.onFirstRead = onFirstRead;
    if (length === 0) this.isDone = true;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        if (!this.isStarted) {
          this.isStarted = true;
          await this.onFirstRead?.();
        }
        return this.pieces.next();
      },
      // Leaving a loop early mustn't end the generator: the rest is still to be drained.
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  /** Reads and forgets the rest, at most `sizeMax` bytes; false if there was more. */
  async drain(sizeMax: number): Promise<boolean> {
    let size = 0;
    while (!this.isDone) {
      const piece = await this.pieces.next();
      if (piece.done === true) break;
      size += piece.value.length;
      if (size > sizeMax) return false;
    }
    return true;
  }

  private async *run(
    reader: StreamReader,
    length: 'chunked' | 'until-end' | number,
  ): AsyncGenerator<Uint8Array, void> {
    try {
      if (length === 'chunked') yield* this.chunks(reader);
      else if (length === 'until-end') yield* untilEnd(reader);
      else yield* counted(reader, length);
      this.isDone = true;
    } finally {
      this.onEnd?.();
    }
  }

  private async *chunks(reader: StreamReader): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const line = await reader.readLine(CHUNK_LINE_BYTES_MAX);
      const digits = /^([0-9a-fA-F]{1,12})(?:[ \t]*;.*)?$/.exec(line ?? '')?.[1];
      if (digits === undefined)
        throw new HttpProtocolError(
          400,
          line === undefined ? 'unexpected EOF' : 'malformed chunked encoding',
        );
      const size = Number.parseInt(digits, 16);
      if (size === 0) break;
      yield* counted(reader, size);
      if ((await reader.readLine(2)) !== '') throw new HttpProtocolError(400, 'malformed chunked encoding');
    }
    for (let i = 0; i < TRAILERS_MAX; i++) {
      const line = await reader.readLine(CHUNK_LINE_BYTES_MAX);
      if (line === undefined || line === '') return;
    }
    throw new HttpProtocolError(431, 'too many trailer fields');
  }
}

async function* counted(reader: StreamReader, length: number): AsyncGenerator<Uint8Array, void> {
  let left = length;
  while (left > 0) {
    const piece = await reader.readSome(Math.min(left, PIECE_BYTES_MAX));
    if (piece === undefined) throw new HttpProtocolError(400, 'unexpected EOF');
    left -= piece.length;
    yield piece;
  }
}

async function* untilEnd(reader: StreamReader): AsyncGenerator<Uint8Array, void> {
  for (let piece = await reader.readSome(PIECE_BYTES_MAX); piece !== undefined;) {
    yield piece;
    piece = await reader.readSome(PIECE_BYTES_MAX);
  }
}

/** Writes pieces in chunks, each as soon as it's there. */
export async function writeChunks(stream: ByteStream, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    const head = Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1');
    const framed = new Uint8Array(head.length + piece.length + 2);
    framed.set(head);
    framed.set(piece, head.length);
    framed.set([13, 10], head.length + piece.length);
    await stream.write(framed);
  }
  await stream.write(Buffer.from('0\r\n\r\n', 'latin1'));
}
