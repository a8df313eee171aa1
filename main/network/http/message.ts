// HTTP messages as handlers and clients see them, whatever carries them (virtual TCP, TLS, or the host's loopback).
import type { ByteStream } from '../socket/socket.ts';

/** Header fields in order, names in the case they were sent with; look-ups ignore case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A body: whole, or in pieces as they come. */
export type Body = Uint8Array | string | AsyncIterable<Uint8Array>;

/** A client certificate's subject: common name and organisations. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** SHA-256 of the certificate, in lower-case hex, where the transport tells it. */
  readonly sha256?: string;
}

/** Who is at the other end, as far as the transport knows. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** The verified client certificate. */
  readonly certificate?: PeerCertificate;
  /** Whether it showed a certificate that no known authority vouches for. */
  readonly isDistrusted?: boolean;
  /** SNI host name, when the transport is TLS. */
  readonly serverName?: string;
  /** What was agreed on, when the transport is TLS. */
  readonly tls?: { readonly version: string; readonly cipher: string; readonly protocol: string | undefined };
}

export interface HttpRequest {
  readonly method: string;
  /** The request target as sent, such as `/api/v1/pods?limit=500`. */
  readonly target: string;
  readonly headers: HeaderList;
  /** In pieces as they arrive; empty iterable when there is none. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly peer: Peer;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body?: Body;
  /** With status 101: takes the raw stream over after the head is sent. */
  readonly upgrade?: (stream: ByteStream) => Promise<void>;
}

/** Answers one request. A throw becomes 500 and is reported to the server's owner. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** The first value of a field, or undefined. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([field]) => field.toLowerCase() === wanted)?.[1];
}
