// One HTTP/1.x exchange seen byte by byte: what curl and wget need to tell of it.
import { ErrnoError, type ByteStream } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';

/** Why an exchange failed, before or after the headers. */
export class ExchangeError extends Error {
  readonly kind: 'empty' | 'reset' | 'http09' | 'partial' | 'too-large' | 'weird' | 'chunk' | 'send';
  /** partial: bytes still missing. */
  readonly missing: number;
  constructor(kind: ExchangeError['kind'], message: string, missing = 0) {
    super(message);
    this.kind = kind;
    this.missing = missing;
  }
}

export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Each line as it came, with its line end. */
  readonly rawLines: readonly string[];
  /** The connection ended before the head did. */
  readonly isCut?: boolean;
}

const HEAD_BYTES_MAX = 300 * 1024;

/** Reads a response from a stream. */
export class ResponseReader {
  private readonly proc: Process;
  private readonly stream: ByteStream;
  private buffer: Buffer = Buffer.alloc(0);
  private ended = false;
  private filling: Promise<boolean> | undefined = undefined;

  constructor(proc: Process, stream: ByteStream) {
    this.proc = proc;
    this.stream = stream;
  }

  /** One read serves all that wait. */
  private fill(): Promise<boolean> {
    this.filling ??= this.fillOnce().finally(() => (this.filling = undefined));
    return this.filling;
  }

  private async fillOnce(): Promise<boolean> {
    if (this.ended) return false;
    let chunk: Uint8Array | undefined;
    try {
      chunk = await this.proc.interruptible(this.stream.read());
    } catch (error) {
      if (
        error instanceof ErrnoError &&
        (error.code === 'ECONNRESET' || error.code === 'ETIMEDOUT' || error.code === 'EPIPE')
      )
        throw new ExchangeError('reset', error.message);
      throw error;
    }
    if (chunk === undefined) {
      this.ended = true;
      return false;
    }
    this.buffer = this.buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.buffer, chunk]);
    return true;
  }

  /** The status line and headers. Throws ExchangeError. */
  async head(): Promise<ResponseHead> {
    for (;;) {
      const text = this.buffer.toString('latin1');
      if (text.length >= 5 && !/^HTTP\//i.test(text))
        throw new ExchangeError('http09', 'Received HTTP/0.9 when not allowed');
      const end = /\r?\n\r?\n/.exec(text);
      if (end !== null) {
        this.buffer = this.buffer.subarray(end.index + end[0].length);
        return parseHead(text.slice(0, end.index + end[0].length));
      }
      if (this.buffer.length > HEAD_BYTES_MAX)
        throw new ExchangeError('too-large', 'Too large response headers');
      if (!(await this.fill())) {
        if (text === '') throw new ExchangeError('empty', 'Empty reply from server');
        if (!/^HTTP\//i.test(text)) throw new ExchangeError('http09', 'Received HTTP/0.9 when not allowed');
        // curl takes what there is of a head that breaks off for all there is.
        this.buffer = Buffer.alloc(0);
        return { ...parseHead(text.replace(/[^\n]*$/, '')), isCut: true };
      }
    }
  }

  /** Trailer fields of the last chunked body, as they came. */
  trailers: string[] = [];

  /** Whether bytes of a body follow the head. */
  hasBody(head: ResponseHead, method: string): boolean {
    return !(method === 'HEAD' || head.status === 204 || head.status === 304 || head.status < 200);
  }

  /** Whether what came begins so. */
  startsWith(text: string): boolean {
    return this.buffer.subarray(0, text.length).toString('latin1') === text;
  }

  /** Bytes that came and belong to nothing yet. */
  get buffered(): number {
    return this.buffer.length;
  }

  /** How many bytes are there, waiting for some if there are none; 0 at the end. */
  async peekSize(): Promise<number> {
    if (this.buffer.length === 0) await this.fill();
    return this.buffer.length;
  }

  /** The body, in pieces as they come. Throws ExchangeError. */
  async *body(head: ResponseHead, method: string): AsyncGenerator<Uint8Array> {
    this.trailers = [];
    if (!this.hasBody(head, method)) return;
    if (/\bchunked\b/i.test(headerValue(head, 'transfer-encoding') ?? '')) {
      yield* this.chunked();
      return;
    }
    const length = headerValue(head, 'content-length');
    let left = length === undefined ? Infinity : Number(length);
    while (left > 0) {
      if (this.buffer.length === 0 && !(await this.fill())) {
        if (left === Infinity) return;
        throw new ExchangeError('partial', `transfer closed with ${left} bytes remaining to read`, left);
      }
      const piece = this.buffer.subarray(0, Math.min(left, this.buffer.length));
      this.buffer = this.buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  private async line(): Promise<string> {
    for (;;) {
      const at = this.buffer.indexOf(10);
      if (at >= 0) {
        const text = this.buffer.subarray(0, at).toString('latin1').replace(/\r$/, '');
        this.buffer = this.buffer.subarray(at + 1);
        return text;
      }
      if (!(await this.fill()))
        throw new ExchangeError('partial', 'transfer closed with outstanding read data remaining');
    }
  }

  private async *chunked(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const size = Number.parseInt(await this.line(), 16);
      if (Number.isNaN(size))
        throw new ExchangeError('chunk', 'Illegal or missing hexadecimal sequence in chunked-encoding');
      if (size === 0) {
        for (let line = await this.line(); line !== ''; line = await this.line())
          this.trailers.push(`${line}\r\n`);
        return;
      }
      let left = size;
      while (left > 0) {
        if (this.buffer.length === 0 && !(await this.fill()))
          throw new ExchangeError('partial', 'transfer closed with outstanding read data remaining');
        const piece = this.buffer.subarray(0, Math.min(left, this.buffer.length));
        this.buffer = this.buffer.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
      await this.line();
    }
  }
}

function parseHead(text: string): ResponseHead {
  const rawLines = text.match(/[^\n]*\n/g) ?? [];
  const [first = '', ...rest] = rawLines.map((line) => line.replace(/\r?\n$/, ''));
  const match = /^(HTTP\/\d(?:\.\d)?) +(\d{3})(?: (.*))?$/i.exec(first);
  if (match === null) throw new ExchangeError('weird', 'Unsupported HTTP version in response');
  const headers = rest
    .filter((line) => line.includes(':'))
    .map((line): [string, string] => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
  return { version: match[1]!, status: Number(match[2]), reason: match[3] ?? '', headers, rawLines };
}

/** The first value of a header, or undefined. */
export function headerValue(head: ResponseHead, name: string): string | undefined {
  return head.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** Whether the connection may carry another request. */
export function keepsAlive(head: ResponseHead): boolean {
  const connection = headerValue(head, 'connection')?.toLowerCase() ?? '';
  const framed =
    headerValue(head, 'content-length') !== undefined ||
    /chunked/i.test(headerValue(head, 'transfer-encoding') ?? '') ||
    head.status === 204 ||
    head.status === 304;
  return framed && (head.version === 'HTTP/1.0' ? connection === 'keep-alive' : connection !== 'close');
}
