// One HTTP GET from the node to a pod, with the error texts of Go's client: for probes and lifecycle hooks.
import type { Clock } from '../../simulation/index.ts';
import { ErrnoError, type ByteStream, type NetworkNamespace } from '../../network/index.ts';
import { connectTls } from '../../network/tls/index.ts';
import { headerOf, httpRequest, type HeaderList } from '../../network/http/index.ts';

export type HttpGetResult = { readonly status: number } | { readonly error: string };

export interface HttpGetTarget {
  readonly scheme: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly headers: HeaderList;
}

const GO_ERRORS: Partial<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** How Go words a failed dial. */
export function dialError(error: unknown, address: string): string {
  if (!(error instanceof ErrnoError)) throw error;
  return `dial tcp ${address}: ${GO_ERRORS[error.code] ?? error.message.toLowerCase()}`;
}

/** Never rejects for what the other side does. */
export async function httpGet(
  net: NetworkNamespace,
  clock: Clock,
  target: HttpGetTarget,
  timeoutMs: number,
  userAgent: string,
): Promise<HttpGetResult> {
  const authority = `${target.address}:${target.port}`;
  const url = `${target.scheme.toLowerCase()}://${authority}${target.path}`;
  const aborter = new AbortController();
  const alarm = clock.after(timeoutMs, () => aborter.abort(new Error('timeout')));
  try {
    let stream: ByteStream;
    try {
      stream = await net.sockets.connectTcp(
        { address: target.address, port: target.port },
        { signal: aborter.signal },
      );
    } catch (error) {
      if (aborter.signal.aborted) throw error;
      return { error: `Get "${url}": ${dialError(error, authority)}` };
    }
    if (target.scheme === 'HTTPS') {
      // Probes don't verify the certificate (kubernetes pkg/probe/http).
      stream = await connectTls(stream, {
        serverName: target.address,
        authorities: '',
        insecure: true,
        nowMs: clock.now(),
        random: net.random,
      });
    }
    try {
      const given = headerOf(target.headers, 'Host');
      const headers: HeaderList = [
        ['Host', given ?? authority],
        ['User-Agent', headerOf(target.headers, 'User-Agent') ?? userAgent],
        ['Accept', headerOf(target.headers, 'Accept') ?? '*/*'],
        ...target.headers.filter(([name]) => !['host', 'user-agent', 'accept'].includes(name.toLowerCase())),
        ['Connection', 'close'],
      ];
      const { status } = await httpRequest(stream, {
        method: 'GET',
        target: target.path,
        headers,
        signal: aborter.signal,
      });
      return { status };
    } finally {
      stream.close();
    }
  } catch (error) {
    if (aborter.signal.aborted)
      return {
        error: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      };
    if (error instanceof ErrnoError && error.code === 'ECONNRESET')
      return { error: `Get "${url}": read tcp ${authority}: read: connection reset by peer` };
    if (error instanceof Error) return { error: `Get "${url}": EOF` };
    throw error;
  } finally {
    alarm[Symbol.dispose]();
  }
}
