// How the aggregator reaches extension servers: over the network of the API server's machine, as front-proxy-client.
import { connectTls, TlsError, type Identity } from '../../../network/tls/index.ts';
import { ErrnoError, errnoMessage, type ByteStream } from '../../../network/index.ts';
import { httpRequest, type ClientResponse, type HeaderList } from '../../../network/http/index.ts';
import { goTlsMessage } from '../../client/tls-error.ts';
import type { ServerCore } from '../core.ts';
import type { UserInfo } from '../auth/user.ts';
import { resolveService, type RemoteApiService } from './registration.ts';

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

/** A request to an extension server on a connection of its own. Rejects with BackendError, or the signal's reason. */
export async function askBackend(
  core: ServerCore,
  api: RemoteApiService,
  request: BackendRequest,
): Promise<{ response: ClientResponse; stream: ByteStream }> {
  const network = core.serviceNetwork();
  if (network === undefined) throw new BackendError('drydock: there is no network to reach Services by');
  const { signal } = request;
  let address: { host: string; port: number };
  try {
    address = resolveService(core.catalogue, api);
  } catch (error) {
    throw new BackendError((error as Error).message, { cause: error });
  }
  const { host, port } = address;
  const { namespace, name } = api.spec.service;
  const serverName = `${name}.${namespace}.svc`;
  let stream: ByteStream | undefined;
  try {
    const socket = await network.connect(host, port, signal);
    stream = socket;
    stream = await connectTls(socket, {
      serverName,
      authorities: Buffer.from(api.spec.caBundle ?? '', 'base64').toString('utf8'),
      insecure: api.spec.insecureSkipTLSVerify === true,
      identity: network.frontProxy,
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
