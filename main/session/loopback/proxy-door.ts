// An HTTP proxy on loopback: the host's curl or browser acts as the client machine of the lab's network.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { timingSafeEqual } from 'node:crypto';
import type { VirtualConnections } from './virtual-connection.ts';

export interface ProxyDoorOptions {
  readonly connections: VirtualConnections;
  /** The machine whose connections these are. */
  readonly machine: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The password that a client must give (user `drydock`). */
  readonly token: string;
}

export interface ProxyDoor extends AsyncDisposable {
  /** With the credentials in it, such as http://drydock:…@127.0.0.1:8118. */
  readonly url: string;
}

/** Fields that concern one connection only, RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

/** Opens the door on 127.0.0.1. Rejects with the host's error (EADDRINUSE …). */
export async function openProxyDoor(options: ProxyDoorOptions): Promise<ProxyDoor> {
  const { connections, machine, token } = options;
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => refuse(response, 502, sentence(error)));
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnel(request, socket, head).catch((error: unknown) => {
      socket.end(
        `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\ndrydock: ${sentence(error)}\n`,
      );
    });
  });

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!authorized(request, token)) return challenge(response);
    const url = URL.canParse(request.url ?? '') ? new URL(request.url!) : undefined;
    if (url === undefined || url.protocol !== 'http:') {
      return refuse(response, 400, 'this is a proxy; ask it for a whole http:// address');
    }
    const stream = await connections.open(machine, url.hostname, Number(url.port || 80));
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
    );
    const onward = httpRequest({
      createConnection: () => stream as never,
      method: request.method!,
      path: url.pathname + url.search,
      headers: { ...headers, connection: 'close' },
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.statusMessage, withoutHopByHop(answer.rawHeaders));
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', (error) => refuse(response, 502, sentence(error)));
    response.once('close', () => stream.destroy());
    request.pipe(onward);
  };

  const tunnel = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    socket.on('error', () => socket.destroy());
    if (!authorized(request, token)) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="drydock"\r\nConnection: close\r\n\r\n',
      );
      return;
    }
    const target = /^(.+):(\d+)$/.exec(request.url ?? '');
    if (target === null) throw new Error('CONNECT wants HOST:PORT');
    const stream = await connections.open(machine, target[1]!.replace(/^\[|\]$/g, ''), Number(target[2]));
    stream.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) stream.write(head);
    socket.pipe(stream).pipe(socket);
    socket.once('close', () => stream.destroy());
  };

  await listen(server, options.port);
  const { port } = server.address() as { port: number };
  return {
    url: `http://drydock:${token}@127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function authorized(request: IncomingMessage, token: string): boolean {
  const [scheme, credentials = ''] = (request.headers['proxy-authorization'] ?? '').split(' ');
  const expected = Buffer.from(`drydock:${token}`);
  const given = Buffer.from(credentials, 'base64');
  return (
    scheme?.toLowerCase() === 'basic' && given.length === expected.length && timingSafeEqual(given, expected)
  );
}

function challenge(response: ServerResponse): void {
  response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="drydock"', 'Content-Type': 'text/plain' });
  response.end('drydock: the proxy wants the user and password of its address\n');
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'Content-Type': 'text/plain' });
  response.end(`drydock: ${reason}\n`);
}

function withoutHopByHop(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[i]!.toLowerCase())) kept.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  return kept;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
