import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serveApp, type Served } from '../../../main/browser/serve.ts';
import { labsFolder, Session } from '../../../main/session/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../support/drydock.ts';
import { hostLoop } from '../../support/host-loop.ts';

let folder: TemporaryFolder;
let session: Session;
const faults: unknown[] = [];
beforeAll(() => {
  folder = makeTemporaryFolder();
  session = new Session({
    workspace: `${folder.path}/workspace.drydock`,
    labsFolder,
    host: hostLoop,
    version: '0.0.0',
    door: 'browser',
    language: 'en',
    onFault: (error) => faults.push(error),
  });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as any program could send it: the path goes out as it is. */
function send(
  port: number,
  path: string,
  headers: OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface Opened {
  readonly port: number;
  readonly cookie: string;
  readonly home: string;
}

function portOf(served: Served): number {
  return Number(new URL(served.url).port);
}

function pathOf(served: Served): string {
  const { pathname, search } = new URL(served.url);
  return pathname + search;
}

/** Opens the printed address as a browser does. */
async function open(served: Served): Promise<Opened> {
  const port = portOf(served);
  const answer = await send(port, pathOf(served));
  expect(answer.status).toBe(303);
  const [cookie] = answer.headers['set-cookie']![0]!.split('; ');
  return { port, cookie: cookie!, home: answer.headers.location! };
}

interface Page {
  readonly socket: WebSocket;
  readonly messages: { id?: number; event?: string; reply?: unknown }[];
  readonly closed: Promise<number>;
  call(message: unknown): void;
}

function connect({ port, cookie, home }: Opened, headers: OutgoingHttpHeaders = {}): Page {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${home}bridge`, {
    headers: { Origin: `http://127.0.0.1:${port}`, Cookie: cookie, ...headers } as Record<string, string>,
  });
  const messages: Page['messages'] = [];
  socket.on('message', (data) =>
    messages.push(JSON.parse((data as Buffer).toString()) as Page['messages'][number]),
  );
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const opened = new Promise<void>((resolve) => socket.on('open', resolve));
  return {
    socket,
    messages,
    closed,
    call: (message) =>
      void opened.then(() =>
        socket.send(
          typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
        ),
      ),
  };
}

async function replyTo(page: Page, id: number): Promise<unknown> {
  const found = (): Page['messages'][number] | undefined =>
    page.messages.find((message) => message.id === id);
  await expect.poll(found).toBeDefined();
  return found()!.reply;
}

test('the printed address opens the app once', async () => {
  await using served = await serveApp(session, 0);
  const opened = await open(served);
  expect(opened.home).toMatch(/^\/[\w-]{32}\/$/);
  const again = await send(opened.port, pathOf(served));
  expect([again.status, again.body]).toEqual([
    403,
    'This address was used already; start Drydock again for a new one.\n',
  ]);
  expect(again.headers['set-cookie']).toBeUndefined();
});

test('a look at the address does not use it up', async () => {
  await using served = await serveApp(session, 0);
  expect((await send(portOf(served), pathOf(served), {}, 'HEAD')).status).toBe(403);
  expect((await send(portOf(served), pathOf(served), { 'Sec-Purpose': 'prefetch' })).status).toBe(403);
  expect((await send(portOf(served), '/?token=guess')).status).toBe(403);
  await open(served);
});

test('the cookie is out of reach of scripts, other sites, and other servers of this machine', async () => {
  await using served = await serveApp(session, 0);
  const answer = await send(portOf(served), pathOf(served));
  const [cookie, ...attributes] = answer.headers['set-cookie']![0]!.split('; ');
  expect(cookie).toMatch(new RegExp(`^drydock-${portOf(served)}=[\\w-]{32}$`));
  expect(attributes.sort()).toEqual(['HttpOnly', `Path=${answer.headers.location}`, 'SameSite=Strict']);
  expect(answer.headers['referrer-policy']).toBe('no-referrer');
});

test('nothing is served without the cookie and the secret path', async () => {
  await using served = await serveApp(session, 0);
  const { port, cookie, home } = await open(served);
  expect((await send(port, home)).status).toBe(403);
  expect((await send(port, '/', { Cookie: cookie })).status).toBe(403);
  expect((await send(port, '/index.html', { Cookie: cookie })).status).toBe(403);
  expect((await send(port, home, { Cookie: `${cookie}x` })).status).toBe(403);
  expect((await send(port, home, { Cookie: `drydock-${port}=` })).status).toBe(403);
  expect((await send(port, `${home}nothing.js`, { Cookie: `theme=1; ${cookie}` })).status).toBe(404);
});

test('a name that was rebound to loopback is refused', async () => {
  await using served = await serveApp(session, 0);
  const { port, cookie, home } = await open(served);
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.nip.io:${port}`,
  ]) {
    expect([host, (await send(port, home, { Host: host, Cookie: cookie })).status]).toEqual([host, 421]);
  }
  expect((await send(port, `${home}nothing.js`, { Host: `localhost:${port}`, Cookie: cookie })).status).toBe(
    404,
  );
});

test('only reading is answered, and no proxying', async () => {
  await using served = await serveApp(session, 0);
  const { port, cookie, home } = await open(served);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect((await send(port, home, { Cookie: cookie }, method)).status).toBe(405);
  }
  expect((await send(port, `http://127.0.0.1:${port}${home}`, { Cookie: cookie })).status).toBe(400);
});

test.each([
  '../package.json',
  '../../package.json',
  '..%2f..%2fpackage.json',
  '%2e%2e/%2e%2e/package.json',
  'assets/../../../package.json',
  'assets/..%5c..%5c..%5cpackage.json',
  '....//package.json',
  '/etc/passwd.json',
  '%00.js',
  '%ff.js',
  'index.html%00.js',
  'assets',
  'assets/',
])('%s is no page', async (path) => {
  await using served = await serveApp(session, 0);
  const { port, cookie, home } = await open(served);
  const { status, body } = await send(port, home + path, { Cookie: cookie });
  expect([403, 404]).toContain(status);
  expect(body).not.toContain('"name"');
});

test('every answer says what its page may do', async () => {
  await using served = await serveApp(session, 0);
  const { port, cookie, home } = await open(served);
  for (const path of [home, `${home}nothing.js`, '/']) {
    const { headers } = await send(port, path, { Cookie: cookie });
    const policy = headers['content-security-policy'] as string;
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('calls are answered and events arrive over the socket', async () => {
  await using served = await serveApp(session, 0);
  const page = connect(await open(served));
  page.call({ id: 1, name: 'app.state', request: {} });
  page.call({ id: 2, name: 'clock.setSpeed', request: { speed: 2 } });
  expect(await replyTo(page, 1)).toMatchObject({ ok: true, value: { door: 'browser' } });
  expect(await replyTo(page, 2)).toMatchObject({ ok: true, value: { speed: 2 } });
  expect(page.messages).toContainEqual(expect.objectContaining({ event: 'clock.changed' }));
  page.socket.terminate();
});

test('a socket of another origin is refused, whatever else it holds', async () => {
  await using served = await serveApp(session, 0);
  const opened = await open(served);
  const { port } = opened;
  for (const headers of [
    { Origin: 'http://evil.example' },
    { Origin: `http://127.0.0.1:${port + 1}` },
    { Origin: `http://localhost:${port}` },
    { Origin: 'null' },
    { Origin: `https://127.0.0.1:${port}` },
    { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` },
  ]) {
    const page = connect(opened, headers);
    const refused = new Promise((resolve) =>
      page.socket.on('unexpected-response', (_, answer) => resolve(answer.statusCode)),
    );
    expect([headers, await refused]).toEqual([headers, 403]);
    page.socket.terminate();
  }
});

test('a page that this run does not know is told so, and hears nothing', async () => {
  await using served = await serveApp(session, 0);
  const opened = await open(served);
  for (const unknown of [
    { ...opened, cookie: `drydock-${opened.port}=old` },
    { ...opened, home: '/old/' },
    { ...opened, cookie: '' },
  ]) {
    const page = connect(unknown);
    page.call({ id: 1, name: 'app.state', request: {} });
    expect(await page.closed).toBe(4401);
    expect(page.messages).toEqual([]);
  }
});

test.each([
  ['no JSON', 'hello'],
  ['no object', 'null'],
  ['no id', '{"name":"app.state","request":{}}'],
  ['a text for an id', '{"id":"1","name":"app.state","request":{}}'],
  ['an id below 1', '{"id":0,"name":"app.state","request":{}}'],
  ['an id between numbers', '{"id":1.5,"name":"app.state","request":{}}'],
  ['bytes', Buffer.from('{"id":1,"name":"app.state","request":{}}')],
])('a message with %s closes the socket', async (_, message) => {
  await using served = await serveApp(session, 0);
  const page = connect(await open(served));
  page.call(message);
  expect(await page.closed).toBe(1008);
});

test('a call that is not in the contract is refused, and harms nothing', async () => {
  await using served = await serveApp(session, 0);
  const page = connect(await open(served));
  const names = [
    'nonsense',
    '__proto__',
    'constructor',
    'toString',
    '',
    7,
    null,
    { toString: 1 },
    ['app.state'],
    undefined,
  ];
  names.forEach((name, index) => page.call({ id: index + 1, name, request: {} }));
  for (const index of names.keys()) {
    expect(await replyTo(page, index + 1)).toEqual({
      ok: false,
      error: { reason: 'unknown-call', message: 'There is no such call.' },
    });
  }
  page.call({
    id: 100,
    name: 'clock.skip',
    request: JSON.parse('{"seconds":1,"__proto__":{"a":1}}') as unknown,
  });
  page.call('{"id":101,"name":"clock.skip","request":{"seconds":1e999}}');
  page.call('{"id":102,"name":"app.state"}');
  for (const id of [100, 101, 102]) expect(await replyTo(page, id)).toHaveProperty('ok');
  expect(await replyTo(page, 101)).toMatchObject({ ok: false, error: { reason: 'bad-request' } });
  expect(await replyTo(page, 102)).toMatchObject({ ok: false, error: { reason: 'bad-request' } });
  page.socket.terminate();
});

test('a message larger than any the screen sends closes the socket', async () => {
  await using served = await serveApp(session, 0);
  const page = connect(await open(served));
  page.call('x'.repeat(17 * 1024 * 1024));
  expect(await page.closed).toBe(1009);
});

test('stopping ends sockets and frees the port', async () => {
  const served = await serveApp(session, 0);
  const opened = await open(served);
  const page = connect(opened);
  page.call({ id: 1, name: 'app.state', request: {} });
  await replyTo(page, 1);
  await served[Symbol.asyncDispose]();
  await page.closed;
  await expect(send(opened.port, '/')).rejects.toThrow('ECONNREFUSED');
  await using again = await serveApp(session, opened.port);
  await expect(serveApp(session, portOf(again))).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('none of this was a fault of the session', () => {
  expect(faults).toEqual([]);
});
