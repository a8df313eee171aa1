import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import {
  acceptWebSocket,
  connectWebSocket,
  headerOf,
  HttpClientConnection,
  httpRequest,
  serveHttp,
  type ClientRequest,
  type HttpHandler,
} from '../../../../main/network/http/index.ts';
import { makeWorld, readAll, settle, type World } from '../world.ts';

function serve(handler: HttpHandler) {
  const world = makeWorld();
  const machine = world.namespace('machine');
  const listener = machine.sockets.listenTcp({ address: '0.0.0.0', port: 80 });
  const errors: unknown[] = [];
  const server = serveHttp(listener, handler, { onError: (error) => errors.push(error) });
  const connect = () => settle(world, machine.sockets.connectTcp({ address: '127.0.0.1', port: 80 }));
  return { world, server, connect, errors };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const get = (target: string, rest: Partial<ClientRequest> = {}): ClientRequest => ({
  method: 'GET',
  target,
  headers: [['Host', 'machine']],
  ...rest,
});

/** Sends raw bytes and gives everything that comes back. */
async function raw(
  world: World,
  connect: () => ReturnType<ReturnType<typeof serve>['connect']>,
  text: string,
): Promise<string> {
  const socket = await connect();
  await socket.write(Buffer.from(text, 'latin1'));
  socket.end();
  return settle(world, readAll(socket));
}

test('one connection carries several requests, with bodies both ways', async () => {
  const { world, connect } = serve(async (request) => ({
    status: 200,
    headers: [['X-Target', request.target]],
    body: `${request.method} ${await textOf(request.body)}`,
  }));
  const client = new HttpClientConnection(await connect());
  for (const body of ['', 'one', 'x'.repeat(200_000)]) {
    const response = await settle(world, client.request(get('/a', { method: 'POST', body })));
    expect(response.status).toBe(200);
    expect(headerOf(response.headers, 'x-target')).toBe('/a');
    expect(response.isReusable).toBe(true);
    expect(await settle(world, textOf(response.body))).toBe(`POST ${body}`);
  }
});

test('a signal that outlives its requests keeps none of them', async () => {
  const { world, connect } = serve(async () => ({ status: 200, headers: [], body: 'fine' }));
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    const response = await settle(world, httpRequest(await connect(), get('/', { signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1); // The body may still be cut short.
    expect(await settle(world, textOf(response.body))).toBe('fine');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  }
});

test('pieces are sent in chunks as they come, and chunked requests are read', async () => {
  async function* pieces() {
    yield Buffer.from('one ');
    yield Buffer.from('two');
  }
  const { world, connect } = serve(async (request) => {
    const said = await textOf(request.body);
    return {
      status: 200,
      headers: [],
      body: (async function* () {
        yield Buffer.from(said);
        yield Buffer.from('!');
      })(),
    };
  });
  const response = await settle(
    world,
    httpRequest(await connect(), get('/', { method: 'POST', body: pieces() })),
  );
  expect(headerOf(response.headers, 'transfer-encoding')).toBe('chunked');
  expect(await settle(world, textOf(response.body))).toBe('one two!');
});

test('pipelined requests are answered in order', async () => {
  const { world, connect } = serve(async (request) => ({ status: 200, headers: [], body: request.target }));
  const one = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n';
  const text = await raw(
    world,
    connect,
    `${one}GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${one}`,
  );
  expect(text.split('\r\n').filter((line) => line.startsWith('/'))).toEqual(['/1HTTP/1.1 200 OK', '/2']);
});

test('HEAD has a length and no body; HTTP/1.0 closes', async () => {
  const { world, connect } = serve(async () => ({ status: 200, headers: [], body: 'hello' }));
  expect(await raw(world, connect, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe(
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  );
  expect(await raw(world, connect, 'GET / HTTP/1.0\r\n\r\n')).toBe(
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
  );
});

test.each([
  ['nonsense\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\n\r\n', 400],
  ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n', 400],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1_100_000)}\r\n\r\n`, 431],
])('a bad head is refused (%#)', async (text, status) => {
  const { world, connect, errors } = serve(async () => ({ status: 200, headers: [] }));
  expect(await raw(world, connect, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(errors).toEqual([]);
});

test('Expect: 100-continue waits for a handler that wants the body', async () => {
  const { world, connect } = serve(async (request) => {
    if (request.target === '/no') return { status: 413, headers: [] };
    return { status: 200, headers: [], body: await textOf(request.body) };
  });
  const head = 'Host: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
  expect(await raw(world, connect, `PUT /yes HTTP/1.1\r\n${head}ok`)).toMatch(
    /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/,
  );
  expect(await raw(world, connect, `PUT /no HTTP/1.1\r\n${head}`)).toMatch(
    /^HTTP\/1.1 413 .*Connection: close/s,
  );
});

test('a handler that throws answers 500 and is reported; a client that leaves aborts the signal', async () => {
  let signal: AbortSignal | undefined;
  const { world, connect, errors } = serve(async (request) => {
    if (request.target === '/throw') throw new Error('broken');
    signal = request.signal;
    return {
      status: 200,
      headers: [],
      body: (async function* () {
        yield Buffer.from('first');
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      })(),
    };
  });
  expect((await settle(world, httpRequest(await connect(), get('/throw')))).status).toBe(500);
  expect(errors).toHaveLength(1);
  const socket = await connect();
  const response = await settle(world, httpRequest(socket, get('/watch')));
  expect(response.status).toBe(200);
  socket.close();
  await world.simulation.advance({ seconds: 1 });
  expect(signal?.aborted).toBe(true);
});

test('a WebSocket carries text, binary and long messages, agrees on a protocol, and closes', async () => {
  const seen: string[] = [];
  const { world, connect, errors } = serve(async (request) =>
    acceptWebSocket(request, {
      protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
      serve: async (socket) => {
        for (let message = await socket.receive(); message !== undefined; message = await socket.receive()) {
          seen.push(`${message.kind}:${message.bytes.length}`);
          await socket.send(message.bytes);
        }
        seen.push(`closed:${socket.closed?.code}`);
      },
    }),
  );
  const stream = await connect();
  const open = connectWebSocket(stream, {
    target: '/exec',
    headers: [['Host', 'a']],
    protocols: ['v4.channel.k8s.io'],
    randomBytes: (size) => new Uint8Array(size).fill(7),
  });
  const socket = await settle(world, open);
  expect(socket.protocol).toBe('v4.channel.k8s.io');
  await socket.send('hi');
  await socket.ping();
  expect((await settle(world, socket.receive()))?.bytes.length).toBe(2);
  for (const size of [0, 125, 126, 70_000]) {
    await socket.send(new Uint8Array(size));
    expect((await settle(world, socket.receive()))?.bytes.length).toBe(size);
  }
  await socket.close(1000, 'bye');
  expect(await settle(world, socket.receive())).toBeUndefined();
  await world.simulation.advance({ seconds: 1 });
  expect(seen).toEqual(['text:2', 'binary:0', 'binary:125', 'binary:126', 'binary:70000', 'closed:1000']);
  expect(errors).toEqual([]);
});
