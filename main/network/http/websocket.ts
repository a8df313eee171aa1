// RFC 6455 over a byte stream: server and client, fragmentation, ping and pong, close.
import type { ByteStream } from '../socket/socket.ts';
import type { HttpRequest, HttpResponse } from './message.ts';

export interface WebSocketMessage {
  readonly kind: 'text' | 'binary';
  readonly bytes: Uint8Array;
}

export interface WebSocket {
  readonly protocol: string | undefined;
  /** The next message, undefined after a close. Pings are answered meanwhile. */
  receive(): Promise<WebSocketMessage | undefined>;
  send(bytes: Uint8Array | string): Promise<void>;
  /** Sends a close frame and waits for the other's. */
  close(code?: number, reason?: string): Promise<void>;
}

/** The 101 response to an upgrade request; a refusal (400, 403, 426) if it isn't a good one. */
export declare function acceptWebSocket(
  request: HttpRequest,
  options: { readonly protocols?: readonly string[]; readonly serve: (socket: WebSocket) => Promise<void> },
): HttpResponse;

/** Asks for an upgrade. `key` is 16 random bytes; `maskKey` makes four for each frame. */
export declare function connectWebSocket(
  stream: ByteStream,
  options: {
    readonly target: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly protocols?: readonly string[];
    readonly randomBytes: (sizeBytes: number) => Uint8Array;
  },
): Promise<WebSocket>;
