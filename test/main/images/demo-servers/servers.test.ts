// The small servers that tutorials deploy: what each answers and logs.
import { expect, test } from 'vitest';
import { makeImageMachine, type ImageMachine } from '../../../support/image-machine.ts';
import type { ContainerSpec } from '../../../../main/linux/containerd/index.ts';

async function serve(
  image: string,
  spec: Partial<ContainerSpec> = {},
): Promise<{ m: ImageMachine; id: string; get: (...words: string[]) => Promise<string> }> {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', { command: ['sleep', '1d'] });
  const id = await m.start(image, spec);
  return { m, id, get: async (...words) => (await m.exec(curl, 'curl', '-s', ...words)).stdout };
}

test('http-echo gives its text, status and name; without a text it ends with 127', async () => {
  const old = await serve('hashicorp/http-echo:0.2.3', { args: ['-text=hello', '-listen=:8080'] });
  expect(await old.get('-i', 'localhost:8080')).toMatch(
    /X-App-Name: http-echo\r\nX-App-Version: 0\.2\.3\r\n[^]*\r\n\r\nhello\n$/,
  );
  expect(old.m.log(old.id)).toContain('Server is listening on :8080\n');
  const young = await serve('hashicorp/http-echo:1.0.0', { args: ['-text', 'x', '-status-code=404'] });
  expect(await young.get('-o', '/dev/null', '-w', '%{http_code}', 'localhost:5678')).toBe('404');
  const none = await makeImageMachine().run('hashicorp/http-echo:0.2.3');
  expect(none).toEqual({ stdout: '', stderr: 'Missing -text option!\n', status: 127 });
});

test('whoami shows the request, as text and as JSON, its health and its data', async () => {
  const { get } = await serve('traefik/whoami');
  expect(await get('-H', 'X-A: b', 'localhost/p?q=1')).toMatch(
    /^Hostname: c2\nIP: 127\.0\.0\.1\n(?:IP: .*\n)*RemoteAddr: 127\.0\.0\.1:\d+\nGET \/p\?q=1 HTTP\/1\.1\r\nHost: localhost\r\nUser-Agent: curl\/[\d.]+\r\nAccept: \*\/\*\r\nX-A: b\r\n\r\n$/,
  );
  expect(JSON.parse(await get('localhost/api'))).toMatchObject({
    hostname: 'c2',
    method: 'GET',
    url: '/api',
  });
  expect(
    await get('-X', 'POST', '-d', '503', '-o', '/dev/null', '-w', '%{http_code}', 'localhost/health'),
  ).toBe('200');
  expect(await get('-o', '/dev/null', '-w', '%{http_code}', 'localhost/health')).toBe('503');
  expect(await get('localhost/bench')).toBe('1');
  expect((await get('localhost/data?size=2&unit=KB')).length).toBe(2048);
});

test('hello-app tells version and host', async () => {
  const { get, m, id } = await serve('gcr.io/google-samples/hello-app:2.0');
  expect(await get('localhost:8080/x')).toBe('Hello, world!\nVersion: 2.0.0\nHostname: c2\n');
  expect(m.log(id)).toContain('Serving request: /x\n');
});

test('echoserver shows the request in the form of its version', async () => {
  const old = await serve('registry.k8s.io/echoserver:1.4');
  expect(await old.get('localhost:8080/a?b=c')).toContain(
    'CLIENT VALUES:\nclient_address=127.0.0.1\ncommand=GET\nreal path=/a\nquery=b=c\n',
  );
  const young = await serve('registry.k8s.io/echoserver:1.10', { env: [{ name: 'POD_NAME', value: 'p' }] });
  const page = await young.get('-d', 'body', 'localhost:8080/');
  expect(page).toContain('Hostname: c2\n\nPod Information:\n\tpod name:\tp\n');
  expect(page).toContain('Request Body:\nbody\n');
});

test('serve_hostname gives the host name and nothing else', async () => {
  const { get } = await serve('registry.k8s.io/serve_hostname:v1.4');
  expect(await get('localhost:9376')).toBe('c2');
});

test('hpa-example takes CPU for every request', async () => {
  const { get, m } = await serve('registry.k8s.io/hpa-example');
  const cpu = (): number => m.machine.kernel.cgroupUsage('/kubepods/c2')?.cpuMs ?? 0;
  const before = cpu();
  expect(await get('localhost/')).toBe('OK!');
  expect(cpu() - before).toBeGreaterThan(10);
});

test('httpbin shows requests and answers as it is asked to', async () => {
  const { get } = await serve('kennethreitz/httpbin');
  const shown = await get('localhost/get?a=1&a=2&b=3');
  expect(JSON.parse(shown)).toMatchObject({
    args: { a: ['1', '2'], b: '3' },
    origin: '127.0.0.1',
    url: 'http://localhost/get?a=1&a=2&b=3',
  });
  expect(shown).toContain('  "origin": "127.0.0.1", \n');
  expect(JSON.parse(await get('-d', 'x=1', 'localhost/post'))).toMatchObject({ form: { x: '1' }, data: '' });
  expect(
    JSON.parse(
      await get('-X', 'PUT', '-H', 'Content-Type: application/json', '-d', '{"k":1}', 'localhost/anything/z'),
    ),
  ).toMatchObject({ method: 'PUT', json: { k: 1 } });
  expect(await get('-o', '/dev/null', '-w', '%{http_code}', 'localhost/status/418')).toBe('418');
  expect(
    await get('-L', '-o', '/dev/null', '-w', '%{num_redirects} %{url_effective}', 'localhost/redirect/3'),
  ).toBe('3 http://localhost/get');
  expect(await get('-u', 'u:p', 'localhost/basic-auth/u/p')).toContain('"authenticated": true');
  expect(await get('-o', '/dev/null', '-w', '%{http_code}', 'localhost/basic-auth/u/p')).toBe('401');
  expect(JSON.parse(await get('-b', 'c=d', 'localhost/cookies'))).toEqual({ cookies: { c: 'd' } });
  expect((await get('localhost/stream/3')).trim().split('\n')).toHaveLength(3);
  expect(await get('localhost/bytes/100?seed=1', '-o', '/dev/null', '-w', '%{size_download}')).toBe('100');
  expect(JSON.parse(await get('-H', 'User-Agent: me', 'localhost/user-agent'))).toEqual({
    'user-agent': 'me',
  });
  expect(await get('-X', 'DELETE', '-o', '/dev/null', '-w', '%{http_code}', 'localhost/get')).toBe('405');
});

test('httpbin waits as long as it is asked to', async () => {
  const { get } = await serve('kennethreitz/httpbin');
  expect(Number(await get('-o', '/dev/null', '-w', '%{time_total}', 'localhost/delay/3'))).toBeCloseTo(3, 0);
});
