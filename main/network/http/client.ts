// Asks over a byte stream in HTTP/1.1 and gives the answer as it comes.
import type { ByteStream } from '../socket/socket.ts';
import type { Body, HeaderList } from './message.ts';

export interface ClientRequest {
  readonly method: string;
  readonly target: string;
  /** Sent as they are; Host and body framing are the caller's only if given, else Content-Length or chunked is added. */
  readonly headers: HeaderList;
  readonly body?: Body;
  readonly signal?: AbortSignal;
  readonly version?: '1.0' | '1.1';
}

export interface ClientResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** As it arrives; read it to its end before the next request on the stream. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The connection may carry another request after the body. */
  readonly isReusable: boolean;
  /** After status 101: the stream from the first byte after the head. */
  readonly upgraded: ByteStream | undefined;
}

/** Sends one request and settles when the response's head is there. Rejects with HttpProtocolError or the stream's ErrnoError. */
export declare function httpRequest(stream: ByteStream, request: ClientRequest): Promise<ClientResponse>;
