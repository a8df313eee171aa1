// How the aggregator reaches extension servers: over the network of the API server's machine, as front-proxy-client.
import { connectTls, TlsError, type Identity } from '../../../network/tls/index.ts';
import { ErrnoError, errnoMessage, type ByteStream } from '../../../network/index.ts';
import { httpRequest, type ClientResponse, type HeaderList } from '../../../network/http/index.ts';
import { goTlsMessage } from '../../client/tls-error.ts';
import type { ServerCore } from '../core.ts';
import type { UserInfo } from '../auth/user.ts';

/** The machine's network as the API server uses it. */
export interface ServiceNetwork {
  /** Rejects with ErrnoError. */
  connect(address: string, port: number, signal: AbortSignal): Promise<ByteStream>;
  /** --proxy-client-cert-file and its key. */
  readonly frontProxy: Identity;
  /** --kubelet-client-certificate and its key. */
  readonly kubeletClient: Identity;
}

/** What Go says of an extension server that can't be reached; `cause` is the reason. */
export class BackendError extends Error {}

export interface BackendRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** A server behind a Service that the API server asks: an extension server, or an admission webhook. */
export interface Backend {
  /** Where it is. Throws Error in upstream's words. */
  resolve(): { readonly host: string; readonly port: number };
  /** The name that its certificate must have. */
  readonly serverName: string;
  /** PEM of those that may have signed it. */
  readonly authorities: string;
  readonly insecure: boolean;
  /** Who we are to it; absent: nobody. */
  readonly identity?: Identity;
}

/** A request to such a server on a connection of its own. Rejects with BackendError, or the signal's reason. */
export async function askBackend(
  core: ServerCore,
  backend: Backend,
  request: BackendRequest,
): Promise<{ response: ClientResponse; stream: ByteStream }> {
  const { serverName, authorities, insecure, identity } = backend;
  const { signal } = request;
  let address: { host: string; port: number };
  try {
    address = backend.resolve();
  } catch (error) {
    throw new BackendError((error as Error).message, { cause: error });
  }
  const network = core.serviceNetwork();
  if (network === undefined) throw new BackendError('drydock: there is no network to reach Services by');
  const { host, port } = address;
  let stream: ByteStream | undefined;
  try {
    const socket = await network.connect(host, port, signal);
    stream = socket;
    stream = await connectTls(socket, {
      serverName,
      authorities,
      insecure,
      ...(identity === undefined ? {} : { identity }),
      nowMs: core.clock.now(),
      random: core.random.fork('aggregator/tls'),
    });
    const response = await httpRequest(stream, {
      method: request.method,
      target: request.target,
      headers: [['Host', `${host}:${port}`], ...request.headers],
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
    });
    return { response, stream };
  } catch (error) {
    stream?.close();
    signal.throwIfAborted();
    throw new BackendError(wordsOf(error, `${host}:${port}`, serverName, core.clock.now()), { cause: error });
  }
}

function wordsOf(error: unknown, address: string, serverName: string, nowMs: number): string {
  if (error instanceof TlsError) return goTlsMessage(error, serverName, nowMs);
  if (error instanceof ErrnoError) {
    const call = error.code === 'ECONNRESET' ? 'read tcp' : 'dial tcp';
    const what = error.code === 'ECONNRESET' ? 'read' : 'connect';
    return `${call} ${address}: ${what}: ${errnoMessage(error).toLowerCase()}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The headers by which an extension server knows the user (--requestheader-… as kubeadm sets them). */
export function remoteUserHeaders({ name, groups, uid, extra = {} }: UserInfo): [string, string][] {
  return [
    ['X-Remote-User', name],
    ...(uid === undefined || uid === '' ? [] : [['X-Remote-Uid', uid] as [string, string]]),
    ...groups.map((group): [string, string] => ['X-Remote-Group', group]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value): [string, string] => [`X-Remote-Extra-${encodeURIComponent(key)}`, value]),
    ),
  ];
}
