// Serves the built pages and the bridge on 127.0.0.1, to one browser that holds the one-time token.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { eventNames, isCallName, rendererFolder, type Session } from '../session/index.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

const COOKIE = 'drydock';
/** Largest message from the page, in bytes. */
const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

/** Port 0 takes a free one. `url` carries the token, good for one opening of the page. */
export async function serveApp(session: Session, port: number): Promise<AsyncDisposable & { readonly url: string }> {
  let oneTimeToken: string | undefined = randomBytes(24).toString('base64url');
  const cookieSecret = randomBytes(24).toString('base64url');
  const hasCookie = (request: IncomingMessage): boolean =>
    (request.headers.cookie ?? '').split(/;\s*/).some((pair) => equal(pair, `${COOKIE}=${cookieSecret}`));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isOwnHost(request)) return refuse(response, 421, 'This address is not served here.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Only GET is answered.');
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const token = url.searchParams.get('token');
    if (url.pathname === '/' && token !== null && !hasCookie(request)) {
      if (oneTimeToken === undefined || !equal(token, oneTimeToken)) {
        return refuse(response, 403, 'This address was used already; start Drydock again for a new one.');
      }
      oneTimeToken = undefined;
    } else if (!hasCookie(request)) {
      return refuse(response, 403, 'Open Drydock by the address that it printed.');
    }
    if (token !== null) {
      response.writeHead(303, {
        ...SECURITY_HEADERS,
        Location: '/',
        'Set-Cookie': `${COOKIE}=${cookieSecret}; HttpOnly; SameSite=Strict; Path=/`,
      });
      response.end();
      return;
    }
    await sendFile(url.pathname === '/' ? '/index.html' : url.pathname, response);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX_BYTES });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const own = isOwnHost(request) && request.headers.origin === `http://${request.headers.host}`;
    if (request.url !== '/bridge' || !own || !hasCookie(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => serveBridge(session, webSocket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/?token=${oneTimeToken}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One page's bridge: `{id, name, request}` is answered by `{id, reply}`; events come as `{event, payload}`. */
function serveBridge(session: Session, socket: WebSocket): void {
  const send = (message: unknown): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const listening = eventNames.map((event) => session.on(event, (payload) => send({ event, payload })));
  socket.on('close', () => listening.forEach((each) => each[Symbol.dispose]()));
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const message = isBinary ? undefined : parse((data as Buffer).toString());
    if (message === undefined) return socket.close(1008, 'bad message');
    const { id, name, request } = message;
    if (!isCallName(name)) {
      send({ id, reply: { ok: false, error: { reason: 'unknown-call', message: `There is no call "${String(name)}".` } } });
      return;
    }
    void session.call(name, request).then((reply) => send({ id, reply }));
  });
}

function parse(text: string): { id: number; name: unknown; request: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'number') return undefined;
    const { name, request } = value as { name?: unknown; request?: unknown };
    return { id: value.id, name, request };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A page of another name that resolves to loopback (DNS rebinding) is not ours. */
function isOwnHost(request: IncomingMessage): boolean {
  const local = request.socket.localPort;
  return request.headers.host === `127.0.0.1:${local}` || request.headers.host === `localhost:${local}`;
}

async function sendFile(pathname: string, response: ServerResponse): Promise<void> {
  const path = normalize(decodeURIComponent(pathname));
  const type = TYPES[extname(path)];
  if (type === undefined || path.includes('..')) return refuse(response, 404, 'There is no such page.');
  try {
    const content = await readFile(join(rendererFolder, path));
    const isHashed = path.startsWith('/assets/');
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      'Content-Type': type,
      'Cache-Control': isHashed ? 'public, max-age=31536000, immutable' : 'no-store',
    });
    response.end(content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    refuse(response, 404, 'There is no such page.');
  }
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
