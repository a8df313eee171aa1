// Puts an HttpHandler on a real loopback HTTP port, for tests that let real clients judge it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpHandler, HttpRequest, HttpResponse, Peer } from '../../main/network/http/index.ts';
import { ErrnoError, type ByteStream } from '../../main/network/index.ts';

export interface Loopback extends AsyncDisposable {
  readonly url: string;
}

/** Serves until disposed. Requests without credentials are from `peer.certificate`. */
export async function serveLoopback(
  handler: HttpHandler,
  certificate: Peer['certificate'],
  onError: (error: unknown) => void,
): Promise<Loopback> {
  const server = createServer();
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const controller = new AbortController();
    response.on('close', () => controller.abort(new Error('the client went away')));
    const result = await handler(requestOf(message, certificate, controller.signal));
    writeHead(response, result);
    const { body } = result;
    if (body === undefined || message.method === 'HEAD') response.end();
    else if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
    else {
      response.flushHeaders();
      for await (const piece of body) {
        if (response.destroyed) break;
        response.write(piece);
      }
      response.end();
    }
  };
  server.on('request', (message, response) => {
    answer(message, response).catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  });
  server.on('upgrade', (message, socket: Socket, head) => {
    const controller = new AbortController();
    socket.on('close', () => controller.abort(new Error('the client went away')));
    socket.on('error', () => controller.abort(new Error('the connection broke')));
    upgrade(handler, requestOf(message, certificate, controller.signal), socket, head).catch(
      (error: unknown) => {
        if (!(error instanceof ErrnoError)) onError(error); // A client that goes away is no fault.
        socket.destroy();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function requestOf(
  message: IncomingMessage,
  certificate: Peer['certificate'],
  signal: AbortSignal,
): HttpRequest {
  const headers: [string, string][] = [];
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.push([message.rawHeaders[index]!, message.rawHeaders[index + 1]!]);
  }
  const isAnonymous = message.headers['x-test-anonymous'] !== undefined;
  const hasToken = message.headers.authorization !== undefined;
  const peer: Peer = {
    address: '127.0.0.1',
    port: message.socket.remotePort ?? 0,
    ...(isAnonymous || hasToken || certificate === undefined ? {} : { certificate }),
  };
  return {
    method: message.method ?? 'GET',
    target: message.url ?? '/',
    headers,
    body: message,
    peer,
    signal,
  };
}

function writeHead(response: ServerResponse, { status, headers }: HttpResponse): void {
  const merged = new Map<string, string[]>();
  for (const [name, value] of headers) merged.set(name, [...(merged.get(name) ?? []), value]);
  response.writeHead(status, Object.fromEntries(merged));
}

async function upgrade(
  handler: HttpHandler,
  request: HttpRequest,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const result = await handler(request);
  const lines = [`HTTP/1.1 ${result.status} ${result.status === 101 ? 'Switching Protocols' : 'Refused'}`];
  for (const [name, value] of result.headers) lines.push(`${name}: ${value}`);
  const body = typeof result.body === 'string' ? result.body : '';
  if (result.status !== 101) lines.push(`content-length: ${Buffer.byteLength(body)}`, 'connection: close');
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  if (result.upgrade === undefined) {
    socket.end();
    return;
  }
  if (head.length > 0) socket.unshift(head);
  await result.upgrade(streamOf(socket));
  // What the client still sends is read by nobody; unread, it would keep the socket open, and the server's close waiting.
  socket.end(() => socket.destroy());
}

function streamOf(socket: Socket): ByteStream {
  const pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Uint8Array = new Uint8Array();
  return {
    async read(sizeMax = Infinity) {
      if (rest.byteLength === 0) {
        const { value, done } = await pieces.next().catch(() => {
          throw new ErrnoError('ECONNRESET');
        });
        if (done === true) return undefined;
        rest = value;
      }
      const piece = rest.subarray(0, Math.min(sizeMax, rest.byteLength));
      rest = rest.subarray(piece.byteLength);
      return piece;
    },
    write: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes, (error) => (error ? reject(new ErrnoError('EPIPE')) : resolve())),
      ),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
  };
}
