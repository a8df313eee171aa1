// Serves HTTP/1.1 on byte streams: keep-alive, pipelining in order, chunked bodies, 100-continue, upgrades.
import { disposable } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import type { ByteStream } from '../socket/socket.ts';
import { IncomingBody, writeChunks } from './body.ts';
import {
  bodyLength,
  formatHead,
  HEAD_BYTES_MAX,
  hasToken,
  HttpProtocolError,
  keepsAlive,
  parseRequestHead,
  STATUS_TEXTS,
  wholeBody,
  type RequestHead,
} from './head.ts';
import {
  headerOf,
  type HeaderList,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  type Peer,
} from './message.ts';
import { concat, LineTooLong, StreamReader } from './stream-reader.ts';

export interface HttpServerOptions {
  /** Told of what a handler threw. Failures of connections aren't errors of the server. */
  readonly onError?: (error: unknown) => void;
  /** Fields put before the handler's own on every response, such as Server or Date. */
  readonly baseHeaders?: () => HeaderList;
  /** What to answer a request that can't be parsed, in the server's own style. */
  readonly refuse?: (status: number, message: string) => HttpResponse;
  /** Heads larger than this get 431. */
  readonly headBytesMax?: number;
}

/** A stream that knows who is at its other end. */
export type AcceptedStream = ByteStream & {
  readonly remote: { readonly address: string; readonly port: number };
  readonly peer?: Omit<Peer, 'address' | 'port'>;
};

/** Where connections come from: a TcpListener, or a TLS one over it. A rejection ends the server. */
export interface StreamSource {
  accept(): Promise<AcceptedStream>;
}

/** An unread request body up to this size is read and thrown away to keep the connection (Go's maxPostHandlerReadBytes). */
const DRAIN_BYTES_MAX = 262_144;

/** Serves every connection of a listener until disposed; open ones are closed then. The listener stays the caller's. */
export function serveHttp(
  source: StreamSource,
  handler: HttpHandler,
  options: HttpServerOptions = {},
): Disposable {
  const open = new Set<AcceptedStream>();
  let isStopped = false;
  const serve = async (stream: AcceptedStream): Promise<void> => {
    open.add(stream);
    try {
      await serveHttpStream(stream, { ...stream.peer, ...stream.remote }, handler, options);
    } finally {
      open.delete(stream);
    }
  };
  const acceptAll = async (): Promise<void> => {
    while (!isStopped) {
      const stream = await source.accept();
      if (isStopped) stream.close();
      else serve(stream).catch((error: unknown) => options.onError?.(error));
    }
  };
  acceptAll().catch((error: unknown) => {
    if (!(error instanceof ErrnoError)) options.onError?.(error); // A closed listener ends quietly.
  });
  return disposable(() => {
    isStopped = true;
    for (const stream of open) stream.close();
  });
}

/** Serves one connection; settles when it has ended, also when the other side broke it off. */
async function serveHttpStream(
  stream: ByteStream,
  peer: Peer,
  handler: HttpHandler,
  options: HttpServerOptions = {},
): Promise<void> {
  const connection = new ServerConnection(stream, peer, handler, options);
  try {
    await connection.run();
  } catch (error) {
    if (!(error instanceof ErrnoError || error instanceof HttpProtocolError)) options.onError?.(error);
  } finally {
    connection.gone();
  }
}

class ServerConnection {
  private readonly stream: ByteStream;
  private readonly reader: StreamReader;
  private readonly peer: Peer;
  private readonly handler: HttpHandler;
  private readonly options: HttpServerOptions;
  private readonly lifetime = new AbortController();
  private isUpgraded = false;

  constructor(stream: ByteStream, peer: Peer, handler: HttpHandler, options: HttpServerOptions) {
    this.stream = stream;
    this.reader = new StreamReader(stream);
    this.peer = peer;
    this.handler = handler;
    this.options = options;
  }

  /** The connection is over: whoever still works on a request is told. */
  gone(): void {
    this.lifetime.abort();
    this.stream.close();
  }

  async run(): Promise<void> {
    for (;;) {
      const head = await this.readHead();
      if (head === undefined || !(await this.answer(head)) || this.isUpgraded) return;
    }
  }

  private async readHead(): Promise<RequestHead | undefined> {
    try {
      const text = await this.reader.readHead(this.options.headBytesMax ?? HEAD_BYTES_MAX);
      return text === undefined ? undefined : parseRequestHead(text);
    } catch (error) {
      if (error instanceof LineTooLong) await this.refuse(431, STATUS_TEXTS[431]!);
      else if (error instanceof HttpProtocolError) await this.refuse(error.status, error.message);
      else throw error;
      return undefined;
    }
  }

  private async refuse(status: number, message: string): Promise<void> {
    // Go's net/http answers so.
    const text = `${status} ${STATUS_TEXTS[status] ?? ''}${status === 400 && message !== '' ? `: ${message}` : ''}`;
    const plain: HttpResponse = {
      status,
      headers: [['Content-Type', 'text/plain; charset=utf-8']],
      body: text,
    };
    const response = this.options.refuse?.(status, message) ?? plain;
    await this.send(
      { method: 'GET', target: '', version: '1.1', headers: [['Connection', 'close']] },
      response,
      false,
    );
    this.stream.end();
  }

  /** Handles one request; false when the connection ends with it. */
  private async answer(head: RequestHead): Promise<boolean> {
    let length: 'chunked' | number;
    try {
      length = bodyLength(head.headers) ?? 0;
    } catch (error) {
      if (!(error instanceof HttpProtocolError)) throw error;
      await this.refuse(error.status, error.message);
      return false;
    }
    const expects = headerOf(head.headers, 'expect')?.toLowerCase() === '100-continue' && length !== 0;
    const body = new IncomingBody(this.reader, length, expects ? () => this.sendContinue() : undefined);
    const response = await this.handle(head, body);
    if (response.status === 101 && response.upgrade !== undefined) {
      await this.upgrade(response);
      return false;
    }
    const isUnread = expects && !body.isDone; // The client may or may not send it now: nothing can follow.
    const isKept =
      !isUnread &&
      keepsAlive(head.version, head.headers) &&
      !hasToken(response.headers, 'connection', 'close');
    const stays = await this.send(head, response, isKept);
    if (!stays) {
      this.stream.end();
      return false;
    }
    return body.drain(DRAIN_BYTES_MAX);
  }

  private async handle(head: RequestHead, body: IncomingBody): Promise<HttpResponse> {
    const request: HttpRequest = {
      method: head.method,
      target: head.target,
      headers: head.headers,
      body,
      peer: this.peer,
      signal: this.lifetime.signal,
    };
    const watch = body.isDone ? this.watchForEnd() : undefined;
    try {
      return await this.handler(request);
    } catch (error) {
      this.options.onError?.(error);
      return {
        status: 500,
        headers: [['Content-Type', 'text/plain; charset=utf-8']],
        body: 'Internal Server Error\n',
      };
    } finally {
      watch?.stop();
    }
  }

  private async sendContinue(): Promise<void> {
    await this.stream.write(formatHead('HTTP/1.1 100 Continue', []));
  }

  /** Writes a response; false when the connection must end after it. */
  private async send(head: RequestHead, response: HttpResponse, isKept: boolean): Promise<boolean> {
    const { status } = response;
    const whole = wholeBody(response.body);
    const isBodiless = head.method === 'HEAD' || status === 204 || status === 304 || status < 200;
    const headers: (readonly [string, string])[] = [
      ...(this.options.baseHeaders?.() ?? []),
      ...response.headers,
    ];
    const hasLength = headerOf(headers, 'content-length') !== undefined;
    const isChunked = whole === undefined && !hasLength && head.version === '1.1';
    if (whole !== undefined && !hasLength && status !== 204 && status !== 304 && status >= 200) {
      headers.push(['Content-Length', String(whole.length)]);
    }
    if (isChunked && status !== 204 && status !== 304) headers.push(['Transfer-Encoding', 'chunked']);
    const stays = isKept && (whole !== undefined || hasLength || isChunked);
    this.addConnection(headers, head, stays);
    const start = formatHead(`HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? 'Unknown'}`, headers);
    if (whole !== undefined) {
      await this.stream.write(isBodiless || whole.length === 0 ? start : concat(start, whole));
      return stays;
    }
    await this.stream.write(start);
    if (!isBodiless) await this.sendPieces(response.body as AsyncIterable<Uint8Array>, isChunked);
    return stays;
  }

  private addConnection(headers: (readonly [string, string])[], head: RequestHead, stays: boolean): void {
    if (headerOf(headers, 'connection') !== undefined) return;
    if (!stays) headers.push(['Connection', 'close']);
    else if (head.version === '1.0') headers.push(['Connection', 'keep-alive']);
  }

  /** Streams a body. A client that goes away aborts the request's signal, so that watches end. */
  private async sendPieces(pieces: AsyncIterable<Uint8Array>, isChunked: boolean): Promise<void> {
    const watch = this.watchForEnd();
    try {
      if (isChunked) await writeChunks(this.stream, pieces);
      else for await (const piece of pieces) await this.stream.write(piece);
    } finally {
      watch.stop();
    }
  }

  /** While an answer is made or streamed, the client's end of the connection is noticed and aborts the request's signal. */
  private watchForEnd(): { stop: () => void } {
    let isOver = false;
    const watch = async (): Promise<void> => {
      const isAlive = await this.reader.waitForMore();
      if (!isAlive && !isOver) this.lifetime.abort();
    };
    watch().catch(() => {
      if (!isOver) this.lifetime.abort(); // A reset; reading on will tell.
    });
    return { stop: () => (isOver = true) };
  }

  private async upgrade(response: HttpResponse): Promise<void> {
    this.isUpgraded = true;
    const headers = [...(this.options.baseHeaders?.() ?? []), ...response.headers];
    await this.stream.write(formatHead(`HTTP/1.1 101 ${STATUS_TEXTS[101]}`, headers));
    await response.upgrade!(this.reader.toStream());
  }
}
