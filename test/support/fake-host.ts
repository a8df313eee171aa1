// A host that serves the built screen to a browser, and speaks the socket's protocol with a fake bridge behind it.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { WebSocketServer, type WebSocket } from 'ws';

import type { EventName, RequestOf } from '../../preload/contract.ts';
import type { SocketMessage, SocketRequest } from '../../renderer/bridge-socket.ts';
import type { FakeBridge } from './fake-bridge.ts';

const SCREEN = path.join(import.meta.dirname, '../../out/renderer');

/** What the real doors send with every page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self' ws:";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

const EVENTS: readonly EventName[] = [
  'cluster.changed',
  'cluster.topology',
  'clock.changed',
  'terminal.output',
  'terminal.closed',
  'editor.opened',
  'editor.closed',
  'lab.changed',
  'notice',
];

export interface FakeHost extends AsyncDisposable {
  readonly url: string;
  /** Breaks every socket with this close code, and refuses new ones with it until `accept`. */
  interrupt(closeCode: number): void;
  accept(): void;
}

export async function startFakeHost(bridge: FakeBridge, port = 0): Promise<FakeHost> {
  const server = createServer((request, response) => void serve(request, response));
  const sockets = new WebSocketServer({ server, path: '/bridge' });
  let refusal: number | undefined;
  sockets.on('connection', (socket) => {
    if (refusal === undefined) talk(socket, bridge);
    else socket.close(refusal);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    interrupt: (closeCode) => {
      refusal = closeCode;
      for (const socket of sockets.clients) socket.close(closeCode);
    },
    accept: () => (refusal = undefined),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function talk(socket: WebSocket, bridge: FakeBridge): void {
  const send = (message: SocketMessage): void => socket.send(JSON.stringify(message));
  const stops = EVENTS.map((event) => bridge.on(event, (payload) => send({ event, payload })));
  socket.on('close', () => stops.forEach((stop) => stop()));
  socket.on('message', (data) => {
    const { id, name, request } = JSON.parse((data as Buffer).toString()) as SocketRequest;
    void bridge.call(name, request as RequestOf<typeof name>).then((reply) => send({ id, reply }));
  });
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = new URL(request.url ?? '/', 'http://localhost').pathname;
  const file = path.join(SCREEN, name === '/' ? 'index.html' : path.normalize(name));
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(content);
}
