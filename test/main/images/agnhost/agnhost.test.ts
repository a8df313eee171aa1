// agnhost's commands: servers, questions about DNS and files, loads.
import { expect, test } from 'vitest';
import { makeImageMachine, type ImageMachine } from '../../../support/image-machine.ts';

const IMAGE = 'registry.k8s.io/e2e-test-images/agnhost:2.40';

async function serve(
  args: readonly string[],
  env: { name: string; value: string }[] = [],
): Promise<{ m: ImageMachine; id: string; get: (...words: string[]) => Promise<string> }> {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', { command: ['sleep', '1d'] });
  const id = await m.start(IMAGE, { args, env });
  return { m, id, get: async (...words) => (await m.exec(curl, 'curl', '-s', ...words)).stdout };
}

test('netexec answers who it is, echoes, redirects and runs commands', async () => {
  const { get, m, id } = await serve(['netexec', '--http-port=8080']);
  expect(await get('localhost:8080/hostname')).toBe('c2');
  expect(await get('localhost:8080/clientip')).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await get('-w', ' %{http_code}', 'localhost:8080/echo?msg=hi&code=418')).toBe('hi 418');
  expect(await get('localhost:8080/shell?cmd=echo%20a;%20exit%203')).toBe(
    '{"error":"exit status 3","output":"a\\n"}',
  );
  expect(
    await get(
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{redirect_url}',
      'localhost:8080/redirect?location=/echo&code=307',
    ),
  ).toBe('307 http://localhost:8080/echo');
  expect(await get('-o', '/dev/null', '-w', '%{http_code}', 'localhost:8080/healthz')).toBe('200');
  expect(await get('localhost:8080/')).toMatch(/^NOW: 2024-03-01 00:00:0/);
  expect(m.log(id)).toContain('Started UDP server on port  8081\n');
});

test('netexec dials others over HTTP and UDP', async () => {
  const { get } = await serve(['netexec']);
  expect(await get('localhost:8080/dial?host=127.0.0.1&port=8080&request=hostname&tries=2')).toBe(
    '{"responses":["c2","c2"]}',
  );
  expect(await get('localhost:8080/dial?host=127.0.0.1&port=8081&protocol=udp&request=echo%20foo')).toBe(
    '{"responses":["foo"]}',
  );
  expect(await get('localhost:8080/dial?host=127.0.0.1&port=1&request=x')).toContain(
    'connect: connection refused',
  );
});

test('netexec ends with the status it is told to', async () => {
  const { get, m, id } = await serve(['netexec']);
  await get('localhost:8080/exit?code=7&wait=2s');
  await m.advance(1);
  expect(m.containerd.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 7 });
});

test('liveness is healthy for ten seconds', async () => {
  const { get, m } = await serve(['liveness']);
  expect(await get('localhost:8080/healthz')).toBe('ok');
  await m.advance(11);
  expect(await get('-w', ' %{http_code}', 'localhost:8080/healthz')).toMatch(/^error: 1\d\.\d+ 500$/);
});

test('porter serves what its environment says, test-webserver the files, serve-hostname the name', async () => {
  const porter = await serve(['porter'], [{ name: 'SERVE_PORT_81', value: 'eighty-one' }]);
  expect(await porter.get('localhost:81')).toBe('eighty-one');
  const files = await serve(['test-webserver']);
  expect(await files.get('localhost/etc/alpine-release')).toBe('3.18.4\n');
  const name = await serve(['serve-hostname', '--tcp', '--port', '9000']);
  expect((await name.m.exec(name.id, 'sh', '-c', 'nc 127.0.0.1 9000')).stdout).toBe('c2');
});

test.each([
  [['entrypoint-tester', 'a', 'b'], '[/agnhost entrypoint-tester a b]'],
  [['dns-suffix'], 'svc.cluster.local,cluster.local'],
  [['dns-server-list'], '10.96.0.10,1.1.1.1'],
  [['etc-hosts'], '127.0.0.1 localhost\n'],
])('%j prints and ends', async (args, expected) => {
  const m = makeImageMachine();
  const { files } = m.machine.kernel;
  files.writeFile(
    '/resolv',
    'nameserver 10.96.0.10\nnameserver 1.1.1.1\nsearch svc.cluster.local cluster.local\n',
  );
  files.writeFile('/hosts', '127.0.0.1 localhost\n');
  const mounts = [
    { containerPath: '/etc/resolv.conf', hostPath: '/resolv' },
    { containerPath: '/etc/hosts', hostPath: '/hosts' },
  ];
  expect(await m.run(IMAGE, { args, mounts })).toMatchObject({ stdout: expected, status: 0 });
});

test('connect tells what kind of failure there was', async () => {
  const { m, id } = await serve(['netexec']);
  expect(await m.exec(id, '/agnhost', 'connect', '127.0.0.1:8080')).toMatchObject({ status: 0, stderr: '' });
  expect(await m.exec(id, '/agnhost', 'connect', '127.0.0.1:1')).toMatchObject({
    status: 1,
    stderr: 'REFUSED\n',
  });
  expect((await m.exec(id, '/agnhost', 'connect', '--timeout=1s', 'nosuch.invalid:80')).stderr).toMatch(
    /^(DNS|TIMEOUT)/,
  );
});

test('mounttest and logs-generator', async () => {
  const { stdout } = await makeImageMachine().run(IMAGE, {
    args: ['mounttest', '--new_file_0660=/tmp/f', '--file_owner=/tmp/f', '--file_content=/tmp/f'],
  });
  expect(stdout).toBe(
    'mode of file "/tmp/f": -rw-r-----\nowner UID of "/tmp/f": 0\nowner GID of "/tmp/f": 0\ncontent of file "/tmp/f": mount-tester new file\n\n',
  );
  const logs = await makeImageMachine().run(IMAGE, {
    args: ['logs-generator', '--log-lines-total', '10', '--run-duration', '1s'],
  });
  expect(logs.stdout.trim().split('\n')).toHaveLength(10);
});

test('guestbook: a replica learns what is set at the primary', async () => {
  const m = makeImageMachine();
  m.machine.kernel.files.writeFile('/hosts', '127.0.0.1 agnhost-primary\n');
  const mounts = [{ containerPath: '/etc/hosts', hostPath: '/hosts' }];
  const curl = await m.start('curlimages/curl', { command: ['sleep', '1d'] });
  await m.start(IMAGE, { args: ['guestbook', '--http-port', '6379'], mounts });
  const get = async (url: string): Promise<string> => (await m.exec(curl, 'curl', '-s', url)).stdout;
  expect(await get('localhost:6379/set?key=messages&value=hi')).toBe('{"data":"Updated"}');
  await m.start(IMAGE, {
    args: ['guestbook', '--http-port', '6380', '--replicaof', 'agnhost-primary'],
    mounts,
  });
  await m.advance(2);
  expect(await get('localhost:6380/get?key=messages')).toBe('{"data":"hi"}');
});

test('an unknown command says so', async () => {
  expect(await makeImageMachine().run(IMAGE, { args: ['bogus'] })).toMatchObject({
    status: 1,
    stderr: `Error: unknown command "bogus" for "app"\nRun 'app --help' for usage.\n`,
  });
});
