// Reads lines and counted bytes from a byte stream, keeping what came along with them.
import type { ByteStream } from '../socket/socket.ts';

const NO_BYTES = new Uint8Array(0);
const READ_BYTES_MAX = 65_536;

/** The first byte of a client that speaks TLS where plain HTTP is spoken. */
const TLS_HANDSHAKE = 0x16;

/** A line was longer than allowed. */
export class LineTooLong extends Error {}

export class StreamReader {
  private readonly stream: ByteStream;
  private buffer: Uint8Array = NO_BYTES;
  private isEnded = false;
  private filling: Promise<boolean> | undefined = undefined;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** The stream from here on, with what has been read ahead: what an upgrade hands over. */
  toStream(): ByteStream {
    const { stream } = this;
    return {
      read: (sizeMax = READ_BYTES_MAX) => this.readSome(sizeMax),
      write: (bytes) => stream.write(bytes),
      end: () => stream.end(),
      close: () => stream.close(),
    };
  }

  /** Everything up to and with the first empty line, as Latin-1 text; undefined at the end. Leading empty lines are skipped (RFC 9112, 2.2). */
  async readHead(sizeMax: number): Promise<string | undefined> {
    let scanned = 0;
    for (;;) {
      if (scanned === 0) this.skipEmptyLines();
      if (this.buffer[0] === TLS_HANDSHAKE) {
        // No line will ever end: whoever reads the head finds that it isn't one.
        const text = latin1(this.buffer);
        this.buffer = NO_BYTES;
        return text;
      }
      const end = headEnd(this.buffer, scanned);
      if (end >= 0) {
        const text = latin1(this.buffer.subarray(0, end));
        this.buffer = this.buffer.subarray(end);
        return text;
      }
      if (this.buffer.length > sizeMax) throw new LineTooLong(`more than ${sizeMax} bytes of header`);
      scanned = Math.max(0, this.buffer.length - 3);
      if (!(await this.fill())) return undefined;
    }
  }

  /** One line without its end; undefined at the end of the stream. */
  async readLine(sizeMax: number): Promise<string | undefined> {
    for (;;) {
      const end = this.buffer.indexOf(10);
      if (end >= 0) {
        const text = latin1(this.buffer.subarray(0, end));
        this.buffer = this.buffer.subarray(end + 1);
        return text.endsWith('\r') ? text.slice(0, -1) : text;
      }
      if (this.buffer.length > sizeMax) throw new LineTooLong(`a line of more than ${sizeMax} bytes`);
      if (!(await this.fill())) return undefined;
    }
  }

  /** At most `sizeMax` bytes as soon as there are any; undefined at the end. */
  async readSome(sizeMax: number): Promise<Uint8Array | undefined> {
    if (this.buffer.length === 0 && !(await this.fill())) return undefined;
    const bytes = this.buffer.subarray(0, sizeMax);
    this.buffer = this.buffer.subarray(bytes.length);
    return bytes;
  }

  /** Exactly `size` bytes; undefined if the stream ends before. */
  async readExactly(size: number): Promise<Uint8Array | undefined> {
    while (this.buffer.length < size) if (!(await this.fill())) return undefined;
    const bytes = this.buffer.subarray(0, size);
    this.buffer = this.buffer.subarray(size);
    return bytes;
  }

  /** The next byte if it is already there. */
  peek(): number | undefined {
    return this.buffer[0];
  }

  /** All that is already there, as Latin-1. */
  peekText(): string {
    return latin1(this.buffer);
  }

  private skipEmptyLines(): void {
    let start = 0;
    while (this.buffer[start] === 13 || this.buffer[start] === 10) start++;
    if (start > 0) this.buffer = this.buffer.subarray(start);
  }

  /** Whether there is more to read, waiting until that is known. May be asked while a read waits too. */
  async waitForMore(): Promise<boolean> {
    return this.buffer.length > 0 || this.fill();
  }

  /** Takes what comes next in; one read serves all that wait. */
  private fill(): Promise<boolean> {
    this.filling ??= this.fillOnce().finally(() => (this.filling = undefined));
    return this.filling;
  }

  private async fillOnce(): Promise<boolean> {
    if (this.isEnded) return false;
    const bytes = await this.stream.read();
    if (bytes === undefined) {
      this.isEnded = true;
      return false;
    }
    this.buffer = this.buffer.length === 0 ? bytes : concat(this.buffer, bytes);
    return true;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function concat(one: Uint8Array, two: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

/** The index after the empty line that ends a head, or -1. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(10, from); i >= 0; i = bytes.indexOf(10, i + 1)) {
    if (bytes[i + 1] === 10) return i + 2;
    if (bytes[i + 1] === 13 && bytes[i + 2] === 10) return i + 3;
  }
  return -1;
}
