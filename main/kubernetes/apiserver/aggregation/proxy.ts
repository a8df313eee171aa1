// Passes requests for an extension server's API on to it (kube-aggregator pkg/apiserver/handler_proxy.go).
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import type { Exchange } from '../http/door.ts';
import { textAnswer } from '../http/answer.ts';
import { askBackend, BackendError, remoteUserHeaders } from './network.ts';
import { backendOf, isAvailable, type RemoteApiService } from './registration.ts';

/** Hop-by-hop fields (RFC 9110, 7.6.1), and those that say who the user is. */
const NOT_PASSED_ON = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'te',
  'trailer',
  'upgrade',
  'host',
  'authorization',
]);

/** The extension server's answer; 503 while it isn't available or can't be reached. */
export async function proxyAnswer(exchange: Exchange, api: RemoteApiService): Promise<HttpResponse> {
  const { core, request, user } = exchange;
  if (!isAvailable(api)) return textAnswer(503, 'service unavailable\n');
  if ((headerOf(request.headers, 'upgrade') ?? '') !== '')
    return textAnswer(501, "drydock: upgraded connections to extension servers aren't simulated\n");
  const isPassedOn = ([name]: readonly [string, string]): boolean => {
    const lower = name.toLowerCase();
    return !NOT_PASSED_ON.has(lower) && !lower.startsWith('x-remote-') && !lower.startsWith('impersonate-');
  };
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  try {
    const { response, stream } = await askBackend(core, backendOf(core, api), {
      method: request.method,
      target: request.target,
      headers: [
        ...request.headers.filter(isPassedOn),
        ['X-Forwarded-For', request.peer.address],
        ...remoteUserHeaders(user),
      ],
      ...(hasBody ? { body: request.body } : {}),
      signal: request.signal,
    });
    return {
      status: response.status,
      headers: response.headers.filter(([name]) => !NOT_PASSED_ON.has(name.toLowerCase())),
      body: untilRead(response.body, () => stream.close()),
    };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return textAnswer(503, `error trying to reach service: ${error.message}\n`);
  }
}

async function* untilRead(body: AsyncIterable<Uint8Array>, close: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    close();
  }
}
