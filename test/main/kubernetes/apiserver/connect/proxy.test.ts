import { expect, onTestFinished, test } from 'vitest';
import {
  resources,
  type Endpoints,
  type Node,
  type Pod,
  type Service,
} from '../../../../../main/kubernetes/api/index.ts';
import { ErrnoError, type ByteStream } from '../../../../../main/network/index.ts';
import { askApi } from '../../../../support/ask-api.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

interface Asked {
  readonly address: string;
  readonly port: number;
  text: string;
  isClosed: boolean;
}

/** An API server on a network where every backend says the same, or refuses. */
async function makeStage(answer: string | ErrnoError): Promise<{ api: TestApi; asked: Asked[] }> {
  const api = makeApi();
  onTestFinished(() => api[Symbol.dispose]());
  const asked: Asked[] = [];
  api.server.connectServices(() => ({
    frontProxy: { certificate: '', privateKey: '' },
    kubeletClient: { certificate: '', privateKey: '' },
    async connect(address, port) {
      const one: Asked = { address, port, text: '', isClosed: false };
      asked.push(one);
      if (answer instanceof ErrnoError) throw answer;
      return backend(one, answer);
    },
  }));
  const { client } = api;
  await client.create<Node>(resources.nodes, { metadata: { name: 'worker1' } } as Node);
  await client.create<Pod>(resources.pods, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      nodeName: 'worker1',
      containers: [{ name: 'web', image: 'nginx', ports: [{ containerPort: 8080 }] }],
    },
  } as Pod);
  const pod = await client.get<Pod>(resources.pods, 'web', { namespace: 'default' });
  await client.update(
    resources.pods,
    { ...pod, status: { phase: 'Running', podIP: '10.244.1.5', podIPs: [{ ip: '10.244.1.5' }] } } as Pod,
    { subresource: 'status' },
  );
  for (const name of ['web', 'empty']) {
    await client.create<Service>(resources.services, {
      metadata: { name, namespace: 'default' },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    } as Service);
  }
  await client.create<Endpoints>(resources.endpoints, {
    metadata: { name: 'empty', namespace: 'default' },
  } as Endpoints);
  await client.create<Endpoints>(resources.endpoints, {
    metadata: { name: 'web', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '10.244.1.5' }], ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] }],
  } as Endpoints);
  return { api, asked };
}

/** Answers once the request's head has come, and then ends. */
function backend(one: Asked, answer: string): ByteStream {
  let wake: (() => void) | undefined;
  const pieces = [Buffer.from(answer)];
  return {
    async read() {
      while (!one.text.includes('\r\n\r\n')) await new Promise<void>((resolve) => (wake = resolve));
      return pieces.shift();
    },
    async write(bytes) {
      one.text += Buffer.from(bytes).toString();
      wake?.();
    },
    end: () => undefined,
    close: () => void (one.isClosed = true),
  };
}

const HERE = '/api/v1/namespaces/default';
const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: yes\r\nConnection: close\r\n\r\nhi';

test('a request goes to the pod with its path, query, headers and body; hop-by-hop and credentials stay here', async () => {
  const { api, asked } = await makeStage(PLAIN);
  const { response, text } = await askApi(api, `${HERE}/pods/web/proxy/a%20b/c/?x=1&y=2`, {
    method: 'PUT',
    body: 'news',
    headers: [
      ['X-Mine', 'kept'],
      ['Connection', 'keep-alive, X-Hop'],
      ['X-Hop', 'dropped'],
      ['X-Forwarded-For', '198.51.100.7'],
    ],
  });

  expect({ status: response.status, text }).toEqual({ status: 200, text: 'hi' });
  expect(response.headers.filter(([name]) => !/^(audit-id|x-kubernetes-pf-)/.test(name))).toEqual([
    ['Cache-Control', 'no-cache, private'],
    ['Content-Length', '2'],
    ['X-Own', 'yes'],
  ]);
  const [{ address, port, text: sent, isClosed }] = asked as [Asked];
  expect({ address, port, isClosed }).toEqual({ address: '10.244.1.5', port: 8080, isClosed: true });
  expect(sent.split('\r\n')).toEqual([
    'PUT /a%20b/c/?x=1&y=2 HTTP/1.1',
    'Host: 127.0.0.1:8001',
    'X-Mine: kept',
    'Content-Length: 4',
    'X-Forwarded-For: 198.51.100.7, 192.0.2.1',
    `X-Forwarded-Uri: ${HERE}/pods/web/proxy/a%20b/c/`,
    '',
    'news',
  ]);
});

test('a service port by number, by name, and with a scheme leads to its endpoints', async () => {
  const { api, asked } = await makeStage(PLAIN);
  for (const name of ['web:80', 'web:http', 'http:web:80'])
    expect((await askApi(api, `${HERE}/services/${name}/proxy/`)).text).toBe('hi');
  expect(asked.map(({ address, port }) => `${address}:${port}`)).toEqual(Array(3).fill('10.244.1.5:8080'));
});

test.for([
  ['services/web:81/proxy/', 503, 'no service port 81 found for service "web"'],
  ['services/web/proxy/', 503, 'no endpoints available for service "web"'],
  ['services/empty:80/proxy/', 503, 'no endpoints available for service "empty"'],
  ['services/nope:80/proxy/', 404, 'services "nope" not found'],
  ['services/nope/proxy/', 404, 'services "nope" not found'],
  ['services/ftp:web:80/proxy/', 400, 'invalid service request "ftp:web:80"'],
  ['pods/nope/proxy/', 404, 'pods "nope" not found'],
  ['pods/a:b:c:d/proxy/', 400, 'invalid pod request "a:b:c:d"'],
  [
    'pods/web:81/proxy/',
    503,
    'error trying to reach service: dial tcp 10.244.1.5:81: connect: connection refused',
  ],
] as const)('%s is refused with %i: %s', async ([path, code, message]) => {
  const { api } = await makeStage(new ErrnoError('ECONNREFUSED'));
  const { response, text } = await askApi(api, `${HERE}/${path}`);
  expect(response.status).toBe(code);
  expect(JSON.parse(text)).toMatchObject({ kind: 'Status', message, code });
});

test('a proxy without a path leads to itself with a slash', async () => {
  const { api, asked } = await makeStage(PLAIN);
  const { response } = await askApi(api, `${HERE}/pods/web/proxy?x=1`);
  expect(response.status).toBe(301);
  expect(response.headers).toContainEqual(['location', `${HERE}/pods/web/proxy/?x=1`]);
  expect(asked).toEqual([]);
});

test('redirects and pages lead through the proxy', async () => {
  const moved = await makeStage('HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n');
  expect((await askApi(moved.api, `${HERE}/services/web:80/proxy/`)).response.headers).toContainEqual([
    'Location',
    `${HERE}/services/web:80/proxy/login`,
  ]);
  const page = '<a href="/next">next</a>';
  const html = await makeStage(
    `HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
  );
  const { text, response } = await askApi(html.api, `${HERE}/pods/web/proxy/`);
  expect(text).toBe(`<a href="${HERE}/pods/web/proxy/next">next</a>`);
  expect(response.headers).toContainEqual(['Content-Length', String(text.length)]);
  expect(html.asked[0]!.isClosed).toBe(true);
});

test('HEAD gets the head, and a backend that says nothing is EOF', async () => {
  const { api, asked } = await makeStage('HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n');
  const { response } = await askApi(api, `${HERE}/pods/web/proxy/`, { method: 'HEAD' });
  expect(response).toMatchObject({ status: 200 });
  expect(asked[0]!.isClosed).toBe(true);

  const silent = await makeStage('');
  expect(JSON.parse((await askApi(silent.api, `${HERE}/pods/web/proxy/`)).text)).toMatchObject({
    message: 'error trying to reach service: EOF',
    code: 503,
  });
  expect(silent.asked[0]!.isClosed).toBe(true);
});

test('an upgrade is passed on both ways', async () => {
  const { api, asked } = await makeStage(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfrom the backend',
  );
  const { response } = await askApi(api, `${HERE}/pods/web/proxy/ws`, {
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'echo'],
    ],
  });
  expect(response.status).toBe(101);
  const heard: string[] = [];
  const typed = [Buffer.from('from the client')];
  await response.upgrade!({
    read: async () => typed.shift(),
    write: async (bytes) => void heard.push(Buffer.from(bytes).toString()),
    end: () => undefined,
    close: () => undefined,
  });
  expect(heard.join('')).toBe('from the backend');
  expect(asked[0]!.text).toContain('from the client');
  expect(asked[0]!.isClosed).toBe(true);
});
