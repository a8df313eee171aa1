// Connections that the API server itself opens, over the network of its machine; failures are told in Go's words.
import { connectTls, TlsError } from '../../../network/tls/index.ts';
import { ErrnoError, errnoMessage, type ByteStream } from '../../../network/index.ts';
import type { ServerCore } from '../core.ts';

/** How long kube-apiserver waits for a connection, in ms (transport's net.Dialer). */
const DIAL_TIMEOUT_MS = 30_000;

/** How long it then waits for TLS, in ms. */
const TLS_TIMEOUT_MS = 10_000;

/** Why a connection couldn't be had: `dial tcp 10.244.1.5:81: connect: connection refused`. */
export class DialError extends Error {}

export interface Target {
  readonly scheme: 'http' | 'https';
  readonly address: string;
  readonly port: number;
  /** Shows the certificate by which kubelets know the API server. */
  readonly asKubeletClient?: boolean;
}

/** Opens a connection; with https a TLS session, whose certificate isn't verified. Rejects with DialError, or the signal's reason. */
export async function dial(core: ServerCore, target: Target, signal: AbortSignal): Promise<ByteStream> {
  const { scheme, address, port } = target;
  const network = core.serviceNetwork();
  if (network === undefined)
    throw new DialError(`dial tcp ${address}:${port}: drydock: the API server runs on no network`);
  signal.throwIfAborted();
  const dialing = new AbortController();
  const stop = (): void => dialing.abort(new Error('the client went away'));
  signal.addEventListener('abort', stop, { once: true });
  using _timeout = core.clock.after(DIAL_TIMEOUT_MS, () => dialing.abort(new ErrnoError('ETIMEDOUT')));
  try {
    const socket = await network.connect(address, port, dialing.signal);
    if (scheme === 'http') return socket;
    let isLate = false;
    using _tlsTimeout = core.clock.after(TLS_TIMEOUT_MS, () => {
      isLate = true;
      socket.close();
    });
    return await connectTls(socket, {
      serverName: address,
      authorities: '',
      insecure: true,
      nowMs: core.clock.now(),
      random: core.random.fork('apiserver/dial'),
      ...(target.asKubeletClient === true ? { identity: network.kubeletClient } : {}),
    }).catch((error: unknown) => {
      socket.close();
      throw isLate ? new Error('net/http: TLS handshake timeout', { cause: error }) : error;
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new DialError(wordsOf(error, `${address}:${port}`), { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function wordsOf(error: unknown, address: string): string {
  if (error instanceof ErrnoError) {
    if (error.code === 'ETIMEDOUT') return `dial tcp ${address}: i/o timeout`;
    if (error.code === 'ECONNRESET') return `read tcp ${address}: read: connection reset by peer`;
    return `dial tcp ${address}: connect: ${errnoMessage(error).toLowerCase()}`;
  }
  if (error instanceof TlsError) {
    return error.code === 'not-tls'
      ? 'http: server gave HTTP response to HTTPS client'
      : `tls: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
