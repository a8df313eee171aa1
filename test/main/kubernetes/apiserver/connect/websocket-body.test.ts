import { expect, onTestFinished, test } from 'vitest';
import {
  resources,
  type ConfigMap,
  type KubernetesObject,
} from '../../../../../main/kubernetes/api/index.ts';
import { serveHttp, WebSocketRefused, connectWebSocket } from '../../../../../main/network/http/index.ts';
import type { ByteStream } from '../../../../../main/network/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';
import { settle } from '../../../../support/spdy-client.ts';
import { streamPair } from '../../../../support/stream-pair.ts';

/** An API server and a way to connect to it. */
function start(certificate: boolean): { api: TestApi; connect: () => ByteStream } {
  const api = makeApi();
  const waiting: ((stream: ByteStream) => void)[] = [];
  const server = serveHttp(
    {
      accept: () =>
        new Promise((resolve) =>
          waiting.push((stream) =>
            resolve({
              ...stream,
              remote: { address: '192.0.2.1', port: 4711 },
              ...(certificate
                ? { peer: { certificate: { commonName: 'admin', organizations: ['system:masters'] } } }
                : {}),
            }),
          ),
        ),
    },
    api.server.handler,
    { onError: (error) => api.faults.push(error) },
  );
  onTestFinished(() => {
    server[Symbol.dispose]();
    api[Symbol.dispose]();
  });
  return {
    api,
    connect() {
      const [near, far] = streamPair();
      waiting.shift()!(far);
      return near;
    },
  };
}

interface TokenRequest extends KubernetesObject {
  readonly spec: { readonly audiences: readonly string[] };
  readonly status?: { readonly token: string };
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const randomBytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);

test('a watch comes over a WebSocket, an event at a time, and ends with the socket', async () => {
  const { api, connect } = start(true);
  const socket = await connectWebSocket(connect(), {
    target: `${CONFIG_MAPS}?watch=true&resourceVersion=0`,
    headers: [['Host', 'api']],
    randomBytes,
  });
  await api.client.create<ConfigMap>(resources.configmaps, {
    metadata: { name: 'one', namespace: 'default' },
    data: { size: 'größe' },
  } as ConfigMap);
  for (;;) {
    const message = await socket.receive();
    expect(message?.kind).toBe('text');
    const event = JSON.parse(Buffer.from(message!.bytes).toString()) as {
      type: string;
      object: { metadata: { name: string }; data?: unknown };
    };
    expect(event.type).toBe('ADDED');
    if (event.object.metadata.name !== 'one') continue;
    expect(event.object.data).toEqual({ size: 'größe' });
    break;
  }
  await socket.close();
  await socket.receive();
  await settle();
  expect(api.faults).toEqual([]);
});

test('a page in a browser gives its token as a subprotocol', async () => {
  const { api, connect } = start(false);
  const { status } = await api.client.create<TokenRequest>(
    resources.serviceaccounts,
    { spec: { audiences: [] } },
    { namespace: 'default', name: 'default', subresource: 'token' },
  );
  const open = (protocols: readonly string[]): Promise<unknown> =>
    connectWebSocket(connect(), {
      target: `${CONFIG_MAPS}?watch=true`,
      headers: [['Host', 'api']],
      protocols,
      randomBytes,
    });
  const wrong = `base64url.bearer.authorization.k8s.io.${Buffer.from('wrong').toString('base64url')}`;
  for (const protocols of [[wrong, 'base64.binary.k8s.io'], [wrong], [wrong, wrong, 'x']]) {
    const refused = await open(protocols).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WebSocketRefused);
    expect((refused as WebSocketRefused).response.status).toBe(401);
  }
  const good = `base64url.bearer.authorization.k8s.io.${Buffer.from(status!.token).toString('base64url')}`;
  const known = await open([good, 'base64.binary.k8s.io']).catch((error: unknown) => error);
  const pieces: Uint8Array[] = [];
  for await (const piece of (known as WebSocketRefused).response.body) pieces.push(piece);
  expect(JSON.parse(Buffer.concat(pieces).toString())).toMatchObject({
    message: expect.stringContaining('User "system:serviceaccount:default:default" cannot watch') as string,
    code: 403,
  });
  const anonymous = await open(['base64.binary.k8s.io']).catch((error: unknown) => error);
  expect((anonymous as WebSocketRefused).response.status).toBe(403);
});
