// Serves the built pages on 127.0.0.1, to one browser that holds the one-time token. The protocol is in renderer/bridge-socket.ts.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { contentSecurityPolicy, Pages, type Session } from '../session/index.ts';
import { serveBridge } from './bridge.ts';

/** Closes the socket of a page that this run doesn't know. */
const CLOSE_UNAUTHORIZED = 4401;
/** Largest message from the page, in bytes. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export interface Served extends AsyncDisposable {
  /** The address to open. It carries the token, good for one opening of the page. */
  readonly url: string;
}

/**
 * Opens the host; port 0 takes a free one. Rejects with the host's error (EADDRINUSE …).
 *
 * A browser sends cookies to every port of a host, so another local server could see ours. Therefore ours is for one
 * unguessable path only, and everything is under that path: no other server can make a browser give it away.
 */
export async function serveApp(session: Session, port: number): Promise<Served> {
  const host = new BrowserHost(session);
  await new Promise<void>((resolve, reject) => {
    host.server.once('error', reject);
    host.server.listen(port, '127.0.0.1', resolve);
  });
  return { url: host.address, [Symbol.asyncDispose]: () => host.close() };
}

class BrowserHost {
  readonly server = createServer((request, response) => {
    this.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX });
  private readonly pages = new Pages();
  private readonly home = `/${secret()}/`;
  private readonly cookieSecret = secret();
  private readonly session: Session;
  private oneTimeToken: string | undefined = secret();

  constructor(session: Session) {
    this.session = session;
    this.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (!this.isOwnHost(request) || request.headers.origin !== `http://${request.headers.host}`) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      // A refused upgrade couldn't be told from a host that is away: a page of our own origin hears why.
      const known = request.url === `${this.home}bridge` && this.hasCookie(request);
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (known) serveBridge(this.session, webSocket);
        else webSocket.close(CLOSE_UNAUTHORIZED, 'unknown page');
      });
    });
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}/?token=${this.oneTimeToken}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request;
    if (!this.isOwnHost(request)) return this.refuse(response, 421, 'This address is not served here.');
    if (method !== 'GET' && method !== 'HEAD') return this.refuse(response, 405, 'Only GET is answered.');
    if (!url.startsWith('/')) return this.refuse(response, 400, 'This is not a proxy.');
    const { pathname, searchParams } = new URL(`http://127.0.0.1${url}`);
    if (pathname === '/') return this.welcome(request, response, searchParams.get('token'));
    if (!pathname.startsWith(this.home) || !this.hasCookie(request)) {
      return this.refuse(response, 403, 'Open Drydock by the address that it printed.');
    }
    const path = pathname === this.home ? '/index.html' : pathname.slice(this.home.length - 1);
    const page = await this.pages.read(path);
    if (page === undefined) return this.refuse(response, 404, 'There is no such page.');
    response.writeHead(200, {
      ...this.securityHeaders(),
      'Content-Type': page.type,
      'Cache-Control': page.immutable ? 'private, max-age=31536000, immutable' : 'no-store',
    });
    response.end(method === 'HEAD' ? undefined : page.content);
  }

  /** Takes the token, once, for a cookie. A look without opening (HEAD, a prefetch) doesn't use it up. */
  private welcome(request: IncomingMessage, response: ServerResponse, token: string | null): void {
    if (token === null) return this.refuse(response, 403, 'Open Drydock by the address that it printed.');
    if (request.method !== 'GET' || request.headers['sec-purpose'] !== undefined) {
      return this.refuse(response, 403, 'This address is for opening only.');
    }
    if (this.oneTimeToken === undefined || !equal(token, this.oneTimeToken)) {
      return this.refuse(response, 403, 'This address was used already; start Drydock again for a new one.');
    }
    this.oneTimeToken = undefined;
    const cookie = `${this.cookieName}=${this.cookieSecret}; HttpOnly; SameSite=Strict; Path=${this.home}`;
    response.writeHead(303, { ...this.securityHeaders(), Location: this.home, 'Set-Cookie': cookie });
    response.end();
  }

  private refuse(response: ServerResponse, status: number, sentence: string): void {
    response.writeHead(status, { ...this.securityHeaders(), 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${sentence}\n`);
  }

  private securityHeaders(): Record<string, string> {
    return {
      'Content-Security-Policy': contentSecurityPolicy(
        `'self' ws://127.0.0.1:${this.port} ws://localhost:${this.port}`,
      ),
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    };
  }

  /** Its name holds the port: the cookies of several Drydocks are alike to a browser. */
  private get cookieName(): string {
    return `drydock-${this.port}`;
  }

  private hasCookie(request: IncomingMessage): boolean {
    const wanted = `${this.cookieName}=${this.cookieSecret}`;
    return (request.headers.cookie ?? '').split(/;\s*/).some((pair) => equal(pair, wanted));
  }

  /** A page of another name that resolves to loopback (DNS rebinding) is not ours. */
  private isOwnHost(request: IncomingMessage): boolean {
    const { host } = request.headers;
    return host === `127.0.0.1:${this.port}` || host === `localhost:${this.port}`;
  }
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
