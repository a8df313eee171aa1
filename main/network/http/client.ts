// Asks over a byte stream in HTTP/1.1 and gives the answer as it comes.
import type { ByteStream } from '../socket/socket.ts';
import { IncomingBody, writeChunks } from './body.ts';
import {
  bodyLength,
  formatHead,
  HEAD_BYTES_MAX,
  HttpProtocolError,
  keepsAlive,
  parseResponseHead,
  wholeBody,
  type ResponseHead,
} from './head.ts';
import { headerOf, type Body, type HeaderList } from './message.ts';
import { concat, LineTooLong, StreamReader } from './stream-reader.ts';

export interface ClientRequest {
  readonly method: string;
  readonly target: string;
  /** Sent as they are; Content-Length or Transfer-Encoding is added for a body if neither is given. Host is the caller's. */
  readonly headers: HeaderList;
  readonly body?: Body;
  readonly version?: '1.0' | '1.1';
  /** Closes the stream when aborted; the request rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ClientResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** As it arrives; read it to its end before the next request on the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The connection may carry another request after the body. */
  readonly isReusable: boolean;
  /** After status 101 (or 2xx to CONNECT): the stream from the first byte after the head. */
  readonly upgraded: ByteStream | undefined;
}

/** One request on a stream of its own. For more than one use an HttpClientConnection. */
export function httpRequest(stream: ByteStream, request: ClientRequest): Promise<ClientResponse> {
  return new HttpClientConnection(stream).request(request);
}

/** A client's connection, for requests one after the other. */
export class HttpClientConnection {
  private readonly stream: ByteStream;
  private readonly reader: StreamReader;

  constructor(stream: ByteStream) {
    this.stream = stream;
    this.reader = new StreamReader(stream);
  }

  /** Sends one request and settles when the response's head is there. Rejects with HttpProtocolError or the stream's ErrnoError. */
  async request(request: ClientRequest): Promise<ClientResponse> {
    const { signal } = request;
    signal?.throwIfAborted();
    const onAbort = (): void => this.stream.close();
    signal?.addEventListener('abort', onAbort, { once: true });
    const release = (): void => signal?.removeEventListener('abort', onAbort);
    try {
      // The answer may come before the body is sent; a server that refuses may even close meanwhile.
      const sending = this.send(request);
      sending.catch(() => undefined);
      const head = await this.readHead(sending);
      const response = this.respond(request, head);
      // A signal may outlive many requests, such as a process's own.
      if (response.body.isDone && response.upgraded === undefined) release();
      else response.body.onEnd = release;
      return response;
    } catch (error) {
      release();
      signal?.throwIfAborted();
      throw error;
    }
  }

  close(): void {
    this.stream.close();
  }

  private async send(request: ClientRequest): Promise<void> {
    const headers: (readonly [string, string])[] = [...request.headers];
    const whole = wholeBody(request.body);
    const isFramed =
      headerOf(headers, 'content-length') !== undefined ||
      headerOf(headers, 'transfer-encoding') !== undefined;
    if (request.body !== undefined && !isFramed) {
      headers.push(
        whole === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(whole.length)],
      );
    }
    const head = formatHead(`${request.method} ${request.target} HTTP/${request.version ?? '1.1'}`, headers);
    if (whole !== undefined) {
      await this.stream.write(whole.length === 0 ? head : concat(head, whole));
      return;
    }
    await this.stream.write(head);
    const pieces = request.body as AsyncIterable<Uint8Array>;
    if (headerOf(headers, 'content-length') === undefined) await writeChunks(this.stream, pieces);
    else for await (const piece of pieces) await this.stream.write(piece);
  }

  private async readHead(sending: Promise<void>): Promise<ResponseHead> {
    for (;;) {
      const text = await this.readHeadText();
      if (text === undefined) {
        await sending; // Why it couldn't be sent says more than that no answer came.
        throw new HttpProtocolError(502, 'Empty reply from server');
      }
      const head = parseResponseHead(text);
      if (head.status >= 200 || head.status === 101) return head;
    }
  }

  private async readHeadText(): Promise<string | undefined> {
    try {
      return await this.reader.readHead(HEAD_BYTES_MAX);
    } catch (error) {
      if (error instanceof LineTooLong)
        throw new HttpProtocolError(502, 'response header too large', { cause: error });
      throw error;
    }
  }

  private respond(
    request: ClientRequest,
    head: ResponseHead,
  ): ClientResponse & { readonly body: IncomingBody } {
    const isTunnel = head.status === 101 || (request.method === 'CONNECT' && head.status < 300);
    const isBodiless = request.method === 'HEAD' || head.status === 204 || head.status === 304 || isTunnel;
    const length = isBodiless ? 0 : (bodyLength(head.headers) ?? 'until-end');
    return {
      ...head,
      body: new IncomingBody(this.reader, length),
      isReusable: length !== 'until-end' && !isTunnel && keepsAlive(head.version, head.headers),
      upgraded: isTunnel ? this.reader.toStream() : undefined,
    };
  }
}
