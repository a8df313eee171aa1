// nginx in a pod: pulled from the catalogue, started by its entrypoint, asked over the pod network.
import { expect, test } from 'vitest';
import { makeCatalogue } from '../../../../main/images/index.ts';
import { resources, type ConfigMap } from '../../../../main/kubernetes/api/index.ts';
import { headerOf, httpRequest } from '../../../../main/network/http/index.ts';
import { makeNode, type TestNode } from '../../../support/make-node.ts';

const registry = makeCatalogue({
  client: () => {
    throw new Error('no program of this test asks the API server');
  },
  programs: new Map(),
});

async function get(
  node: TestNode,
  address: string,
  target: string,
  headers: readonly (readonly [string, string])[] = [],
) {
  const result = (async () => {
    const stream = await node.machine.kernel.net.sockets.connectTcp({ address, port: 80 });
    const response = await httpRequest(stream, {
      method: 'GET',
      target,
      headers: [['Host', address], ...headers],
    });
    let body = '';
    for await (const piece of response.body) body += Buffer.from(piece).toString();
    stream.close();
    return { status: response.status, headers: response.headers, body };
  })();
  await node.advance(2);
  return result;
}

async function startNginx(node: TestNode, image = 'nginx:1.20', volumes = false): Promise<string> {
  await node.createPod({
    metadata: { name: 'web' },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'c',
          image,
          ...(volumes ? { volumeMounts: [{ name: 'conf', mountPath: '/etc/nginx/conf.d' }] } : {}),
        },
      ],
      ...(volumes ? { volumes: [{ name: 'conf', configMap: { name: 'conf' } }] } : {}),
    },
  });
  await node.advance(10);
  const pod = await node.pod('web');
  expect(pod.status?.phase).toBe('Running');
  return pod.status?.podIP ?? '';
}

async function logs(node: TestNode): Promise<string> {
  let text = '';
  const { signal } = new AbortController();
  for await (const piece of await node.kubelet.server!.logs(await node.pod('web'), 'c', { signal }))
    text += Buffer.from(piece).toString();
  return text;
}

test('the default page is served with nginx’s own header fields', async () => {
  using node = await makeNode({ registry });
  const address = await startNginx(node);
  const { status, headers, body } = await get(node, address, '/');
  expect(status).toBe(200);
  expect(body).toContain('<h1>Welcome to nginx!</h1>');
  expect(headers.map(([name]) => name)).toEqual([
    'Server',
    'Date',
    'Content-Type',
    'Content-Length',
    'Last-Modified',
    'Connection',
    'ETag',
    'Accept-Ranges',
  ]);
  expect(headerOf(headers, 'Server')).toBe('nginx/1.20.2');
  expect(await logs(node)).toMatch(
    /10\.244\.1\.1 - - \[\d+\/\w+\/\d+:[\d:]+ \+0000\] "GET \/ HTTP\/1\.1" 200 \d+ "-" "-" "-"\n/,
  );
});

test('a page that isn’t there is 404 with nginx’s page, and the error log says which file', async () => {
  using node = await makeNode({ registry });
  const address = await startNginx(node);
  const { status, body } = await get(node, address, '/nope');
  expect(status).toBe(404);
  expect(body).toBe(
    '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.20.2</center>\r\n</body>\r\n</html>\r\n',
  );
  expect(await logs(node)).toContain(
    'open() "/usr/share/nginx/html/nope" failed (2: No such file or directory), client: 10.244.1.1, server: localhost, request: "GET /nope HTTP/1.1"',
  );
});

test('what is written into the page by exec is served at once', async () => {
  using node = await makeNode({ registry });
  const address = await startNginx(node);
  const { signal } = new AbortController();
  const command = ['bash', '-c', 'echo web1 > /usr/share/nginx/html/index.html'];
  const session = await node.kubelet.server!.exec(await node.pod('web'), 'c', {
    command,
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
    signal,
  });
  await node.advance(1);
  expect(await session.exit).toEqual({ exitCode: 0 });
  expect((await get(node, address, '/')).body).toBe('web1\n');
});

test('a configuration from a ConfigMap decides servers, locations and redirects', async () => {
  using node = await makeNode({ registry });
  const conf = `
server {
  listen 80 default_server;
  server_name a.example;
  location / { return 200 "a $uri\\n"; }
  location = /old { return 301 /new; }
  location ~ \\.php$ { return 403; }
}
server {
  listen 80;
  server_name b.example;
  location / { root /usr/share/nginx/html; try_files $uri /50x.html; }
}
`;
  await node.api.client.create<ConfigMap>(
    resources.configmaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf' }, data: { 'x.conf': conf } },
    { namespace: 'default' },
  );
  const address = await startNginx(node, 'nginx:1.21-alpine', true);
  expect((await get(node, address, '/x/../y')).body).toContain('a /y');
  const redirect = await get(node, address, '/old');
  expect([redirect.status, headerOf(redirect.headers, 'Location')]).toEqual([301, `http://${address}/new`]);
  expect((await get(node, address, '/index.php')).status).toBe(403);
  const other = await get(node, address, '/missing', []);
  expect(other.body).toContain('a /missing');
});

test('nginx -t finds a mistake where it is', async () => {
  using node = await makeNode({ registry });
  await startNginx(node);
  const { signal } = new AbortController();
  const command = ['bash', '-c', 'echo "server { lissten 80; }" > /etc/nginx/conf.d/default.conf; nginx -t'];
  const session = await node.kubelet.server!.exec(await node.pod('web'), 'c', {
    command,
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
    signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const piece of session.stderr) text += Buffer.from(piece).toString();
  })();
  await node.advance(1);
  await reading;
  expect(await session.exit).toEqual({ exitCode: 1 });
  expect(text).toBe(
    'nginx: [emerg] unknown directive "lissten" in /etc/nginx/conf.d/default.conf:1\nnginx: configuration file /etc/nginx/nginx.conf test failed\n',
  );
});

test('proxy_pass takes turns among the servers of an upstream', async () => {
  using node = await makeNode({ registry });
  const conf = `
upstream backends { server 127.0.0.1:81; server 127.0.0.1:82; }
server { listen 80; location / { proxy_pass http://backends; proxy_set_header Host $host; } }
server { listen 81; location / { return 200 "one $http_host\\n"; } }
server { listen 82; location / { return 200 "two $http_host\\n"; } }
`;
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf' },
    data: { 'x.conf': conf },
  };
  await node.api.client.create<ConfigMap>(resources.configmaps, object, { namespace: 'default' });
  const address = await startNginx(node, 'nginx:1.20', true);
  expect((await get(node, address, '/')).body).toBe(`one ${address}\n`);
  expect((await get(node, address, '/')).body).toBe(`two ${address}\n`);
});

test('templates are filled with the environment before nginx starts', async () => {
  using node = await makeNode({ registry });
  await node.api.client.create(resources.configmaps, {
    metadata: { name: 'templates', namespace: 'default' },
    data: {
      'default.conf.template':
        'server { listen 80; location / { return 200 "$GREETING from ${WHO}, $host\\n"; } }\n',
    },
  } as ConfigMap);
  await node.createPod({
    metadata: { name: 'web' },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'c',
          image: 'nginx:1.26',
          env: [
            { name: 'GREETING', value: 'hello' },
            { name: 'WHO', value: 'pod' },
          ],
          volumeMounts: [{ name: 't', mountPath: '/etc/nginx/templates' }],
        },
      ],
      volumes: [{ name: 't', configMap: { name: 'templates' } }],
    },
  });
  await node.advance(10);
  const address = (await node.pod('web')).status?.podIP ?? '';
  expect((await get(node, address, '/')).body).toBe(`hello from pod, ${address}\n`);
  expect(await logs(node)).toContain(
    '20-envsubst-on-templates.sh: Running envsubst on /etc/nginx/templates/default.conf.template to /etc/nginx/conf.d/default.conf\n',
  );
});
