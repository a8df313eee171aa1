// Asks an API server's handler as an HTTP client would, without a transport.
import type { HttpRequest, HttpResponse } from '../../main/network/http/index.ts';
import type { TestApi } from './make-api.ts';

interface AskOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly signal?: AbortSignal;
}

/** One request by a member of system:masters, with the whole body of the answer as text. */
export async function askApi(
  { server }: Pick<TestApi, 'server'>,
  target: string,
  { method = 'GET', body = '', headers = [], signal = new AbortController().signal }: AskOptions = {},
): Promise<{ readonly response: HttpResponse; readonly text: string }> {
  const request: HttpRequest = {
    method,
    target,
    headers: [
      ['Host', '127.0.0.1:8001'],
      ...headers,
      ...(body === '' ? [] : [['Content-Length', String(body.length)] as const]),
    ],
    body: (async function* () {
      if (body !== '') yield Buffer.from(body);
    })(),
    peer: {
      address: '192.0.2.1',
      port: 4711,
      certificate: { commonName: 'admin', organizations: ['system:masters'] },
    },
    signal,
  };
  const response = await server.handler(request);
  const pieces: Uint8Array[] = [];
  if (typeof response.body === 'string') pieces.push(Buffer.from(response.body));
  else if (response.body instanceof Uint8Array) pieces.push(response.body);
  else if (response.body !== undefined) for await (const piece of response.body) pieces.push(piece);
  return { response, text: Buffer.concat(pieces).toString() };
}
