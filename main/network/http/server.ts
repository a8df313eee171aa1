// Serves HTTP/1.1 on byte streams: keep-alive, pipelining in order, chunked bodies, 100-continue, upgrades.
import type { ByteStream } from '../socket/socket.ts';
import type { HeaderList, HttpHandler, Peer } from './message.ts';

export interface HttpServerOptions {
  /** Told of what a handler threw or a stream failed with. */
  readonly onError?: (error: unknown) => void;
  /** Fields put before the handler's own on every response, such as Server or Date. */
  readonly baseHeaders?: () => HeaderList;
}

/** Where connections come from. Rejecting ends the server. */
export interface StreamSource {
  accept(): Promise<ByteStream & { readonly remote: { readonly address: string; readonly port: number } }>;
}

/** Serves every connection of a listener until disposed; open ones are closed then. */
export declare function serveHttp(
  source: StreamSource,
  handler: HttpHandler,
  options?: HttpServerOptions,
): Disposable;

/** Serves one connection; settles when it has ended. */
export declare function serveHttpStream(
  stream: ByteStream,
  peer: Peer,
  handler: HttpHandler,
  options?: HttpServerOptions,
): Promise<void>;
