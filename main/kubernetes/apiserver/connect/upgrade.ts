// Upgrades of a request to SPDY/3.1 or a WebSocket.
import {
  headerOf,
  type HttpRequest,
  type HttpResponse,
  type WebSocket,
} from '../../../network/http/index.ts';
import type { SpdyPipe } from '../stream/spdy-session.ts';

const PROTOCOL_HEADER = 'x-stream-protocol-version';

export function isWebSocketUpgrade({ headers }: HttpRequest): boolean {
  return /websocket/i.test(headerOf(headers, 'upgrade') ?? '');
}

export function isSpdyUpgrade({ headers }: HttpRequest): boolean {
  return /^spdy\/3\.1$/i.test(headerOf(headers, 'upgrade') ?? '');
}

/** The names in a list of protocols. */
export function offeredBy(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Takes the first protocol of ours that the client offers; one that offers none speaks the last (httpstream.Handshake). */
export function acceptSpdy(
  { headers }: HttpRequest,
  protocols: readonly string[],
  serve: (pipe: SpdyPipe, protocol: string) => Promise<void>,
): HttpResponse {
  const offered = headers
    .filter(([name]) => name.toLowerCase() === PROTOCOL_HEADER)
    .flatMap(([, value]) => offeredBy(value));
  const protocol = offered.length === 0 ? protocols.at(-1) : offered.find((name) => protocols.includes(name));
  if (protocol === undefined) {
    const body = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${protocols.join(' ')}]\n`;
    return {
      status: 403,
      headers: [
        ['content-type', 'text/plain; charset=utf-8'],
        ['x-content-type-options', 'nosniff'],
        ...protocols.map((name) => ['x-accepted-stream-protocol-versions', name] as const),
      ],
      body,
    };
  }
  return {
    status: 101,
    headers: [
      ['connection', 'Upgrade'],
      ['upgrade', 'SPDY/3.1'],
      [PROTOCOL_HEADER, protocol],
    ],
    upgrade: (stream) =>
      serve({ receive: () => stream.read(), send: (bytes) => stream.write(bytes) }, protocol),
  };
}

/** A WebSocket whose binary messages are one stream of bytes. */
export function pipeOf(socket: WebSocket): SpdyPipe {
  return {
    receive: async () => (await socket.receive())?.bytes,
    async send(bytes) {
      if (socket.closed === undefined) await socket.send(bytes);
    },
  };
}
