// httpd: the page it comes with, its configuration, its logs and its signals.
import { expect, test } from 'vitest';
import { makeImageMachine } from '../../../support/image-machine.ts';

const CURL = { command: ['sleep', '1d'] };

test('httpd serves its page with the headers that Apache sends, and logs the request', async () => {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', CURL);
  const web = await m.start('httpd:2.4.58');
  const { stdout } = await m.exec(curl, 'curl', '-si', 'http://127.0.0.1/');
  expect(stdout).toContain('HTTP/1.1 200 OK\r\n');
  expect(stdout).toContain('Server: Apache/2.4.58 (Unix)\r\n');
  expect(stdout).toContain('Content-Type: text/html\r\n');
  expect(stdout).toMatch(/\r\n\r\n<html><body><h1>It works!<\/h1><\/body><\/html>\n$/);
  expect(m.log(web)).toContain('AH00489: Apache/2.4.58 (Unix) configured -- resuming normal operations');
  expect(m.log(web)).toMatch(
    /127\.0\.0\.1 - - \[01\/Mar\/2024:00:00:0\d \+0000\] "GET \/ HTTP\/1\.1" 200 45\n/,
  );
});

test('what is written under the document root is served; a folder without an index is listed; a parent is redirected', async () => {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', CURL);
  const web = await m.start('httpd');
  await m.exec(
    web,
    'sh',
    '-c',
    'cd htdocs; echo hello > a.txt; mkdir sub; echo x > sub/y.html; chmod 0 index.html',
  );
  expect((await m.exec(curl, 'curl', '-s', 'http://127.0.0.1/a.txt')).stdout).toBe('hello\n');
  expect((await m.exec(curl, 'curl', '-si', 'http://127.0.0.1/sub')).stdout).toContain(
    'Location: http://127.0.0.1/sub/\r\n',
  );
  expect((await m.exec(curl, 'curl', '-s', 'http://127.0.0.1/sub/')).stdout).toContain(
    '<a href="y.html"> y.html</a>',
  );
  expect(
    (await m.exec(curl, 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'http://127.0.0.1/nope'))
      .stdout,
  ).toBe('404');
});

test('a changed configuration counts after a graceful restart: virtual hosts, redirects, denials, headers', async () => {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', CURL);
  const web = await m.start('httpd');
  const more = `
Listen 8080
<VirtualHost *:80>
  ServerName a.test
  DocumentRoot /srv/a
  Redirect 301 /old http://b.test/new
  Header set X-From a
  <Location /secret>
    Require all denied
  </Location>
</VirtualHost>
<VirtualHost *:80>
  ServerName b.test
  DocumentRoot /srv/b
</VirtualHost>
<Directory /srv>
  Require all granted
</Directory>
`;
  await m.exec(
    web,
    'sh',
    '-c',
    `mkdir -p /srv/a /srv/b; echo A > /srv/a/index.html; echo B > /srv/b/index.html; cat >> conf/httpd.conf <<'END'${more}END\nhttpd -t && httpd -k graceful`,
  );
  await m.advance(1);
  const get = async (host: string, path = '/'): Promise<string> =>
    (await m.exec(curl, 'curl', '-si', '-H', `Host: ${host}`, `http://127.0.0.1${path}`)).stdout;
  expect(await get('a.test')).toMatch(/X-From: a\r\n[^]*\r\nA\n$/);
  expect(await get('b.test')).toMatch(/\r\n\r\nB\n$/);
  expect(await get('other.test')).toMatch(/\r\n\r\nA\n$/);
  expect(await get('a.test', '/old/x')).toContain('Location: http://b.test/new/x\r\n');
  expect(await get('a.test', '/secret')).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  expect(m.log(web)).toContain('AH00493: SIGUSR1 received.  Doing graceful restart');
  expect(m.log(web)).toContain('AH01630: client denied by server configuration: /secret');
});

test('a configuration that makes no sense is told with its line, and the server does not start', async () => {
  const m = makeImageMachine();
  const web = await m.start('httpd');
  const { stderr, status } = await m.exec(
    web,
    'sh',
    '-c',
    'echo "Bogus on" > /tmp/x.conf; httpd -t -f /tmp/x.conf',
  );
  expect(stderr).toBe(
    "AH00526: Syntax error on line 1 of /tmp/x.conf:\nInvalid command 'Bogus', perhaps misspelled or defined by a module not included in the server configuration\n",
  );
  expect(status).toBe(1);
});

test('a second server on the port says so; the first ends on its stop signal', async () => {
  const m = makeImageMachine();
  const web = await m.start('httpd');
  const second = await m.run('httpd');
  expect(second.status).toBe(1);
  expect(second.stderr).toContain(
    '(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:80',
  );
  await m.settle(m.containerd.stopContainer(web, 10_000));
  expect(m.log(web)).toContain('AH00492: caught SIGWINCH, shutting down gracefully');
  expect(m.containerd.containerStatus(web)?.exitCode).toBe(0);
});
