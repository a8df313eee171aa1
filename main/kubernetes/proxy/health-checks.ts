// The HTTP servers of kube-proxy: health of Services with a healthCheckNodePort, its own health, and its mode.
import type { NetworkNamespace, SocketOwner } from '../../network/index.ts';
import { serveHttp, type HttpHandler, type HttpResponse } from '../../network/http/index.ts';
import { rfc3339 } from '../../simulation/index.ts';

interface Check {
  readonly key: string;
  localEndpoints: number;
  readonly server: Disposable;
}

export class HealthChecks {
  private readonly net: NetworkNamespace;
  private readonly owner: SocketOwner;
  private readonly onError: (error: unknown) => void;
  private readonly checks = new Map<number, Check>();
  private readonly stack = new DisposableStack();

  constructor(net: NetworkNamespace, owner: SocketOwner, onError: (error: unknown) => void) {
    this.net = net;
    this.owner = owner;
    this.onError = onError;
  }

  /** What one Service wants: a port and how many local endpoints it has; undefined for none. */
  set(key: string, wanted: { readonly port: number; readonly localEndpoints: number } | undefined): void {
    for (const [port, check] of this.checks) {
      if (check.key !== key || port === wanted?.port) continue;
      check.server[Symbol.dispose]();
      this.checks.delete(port);
    }
    if (wanted === undefined) return;
    const known = this.checks.get(wanted.port);
    if (known !== undefined) {
      known.localEndpoints = wanted.localEndpoints;
      return;
    }
    const [namespace = '', name = ''] = key.split('/');
    const server = this.serve('0.0.0.0', wanted.port, async () => {
      const localEndpoints = this.checks.get(wanted.port)?.localEndpoints ?? 0;
      const body = `{\n\t"service": {\n\t\t"namespace": "${namespace}",\n\t\t"name": "${name}"\n\t},\n\t"localEndpoints": ${localEndpoints},\n\t"serviceProxyHealthy": true\n}`;
      return answer(localEndpoints > 0 ? 200 : 503, body, 'application/json');
    });
    this.checks.set(wanted.port, { key, localEndpoints: wanted.localEndpoints, server });
  }

  /** /healthz and /livez of kube-proxy itself. */
  serveHealthz(bindAddress: string): void {
    const { address, port } = splitAddress(bindAddress);
    const handler: HttpHandler = async ({ target }) => {
      if (target !== '/healthz' && target !== '/livez')
        return answer(404, '404 page not found\n', 'text/plain; charset=utf-8');
      const now = rfc3339(this.net.clock.now());
      return answer(
        200,
        `{"lastUpdated": "${now}","currentTime": "${now}", "nodeEligible": true}`,
        'application/json',
      );
    };
    this.stack.use(this.serve(address, port, handler));
  }

  /** /proxyMode, by which people find out the mode that is really used. */
  serveMetrics(bindAddress: string, mode: string): void {
    const { address, port } = splitAddress(bindAddress);
    const handler: HttpHandler = async ({ target }) => {
      if (target === '/proxyMode') return answer(200, mode, 'text/plain; charset=utf-8');
      if (target === '/healthz') return answer(200, 'ok', 'text/plain; charset=utf-8');
      return answer(404, '404 page not found\n', 'text/plain; charset=utf-8');
    };
    this.stack.use(this.serve(address, port, handler));
  }

  dispose(): void {
    for (const { server } of this.checks.values()) server[Symbol.dispose]();
    this.stack.dispose();
  }

  private serve(address: string, port: number, handler: HttpHandler): Disposable {
    const stack = new DisposableStack();
    const listener = stack.use(this.net.sockets.listenTcp({ address, port }, { owner: this.owner }));
    stack.use(serveHttp(listener, handler, { onError: this.onError }));
    return stack;
  }
}

function answer(status: number, body: string, type: string): HttpResponse {
  return {
    status,
    headers: [
      ['Content-Type', type],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body,
  };
}

function splitAddress(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
