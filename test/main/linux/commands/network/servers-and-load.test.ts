// python3 -m http.server serves as CPython's, ab and hey report what virtual time says, and htpasswd's files are understood.
import { expect, test } from 'vitest';
import { machinePrograms, PACKAGES, verifyPassword } from '../../../../../main/linux/commands/index.ts';
import type { Program } from '../../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../../support/make-machine.ts';

function makeMachine(): BareMachine {
  const programs: Record<string, Program> = { '/usr/bin/bash': bash };
  for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[file] = program;
  return makeBareMachine({ programs, files: { '/srv/a.txt': 'text\n', '/srv/sub/x&y.html': '<p>\n' } });
}

const sh = (machine: BareMachine, script: string, withinMs = 60_000) =>
  run(machine, ['bash', '-c', script], { withinMs });

test('http.server lists folders, serves files and logs to stderr', async () => {
  const machine = makeMachine();
  const { stdout, stderr } = await sh(
    machine,
    'cd /srv; python3 -m http.server 8001 -b 127.0.0.1 2>/tmp/log & sleep 1; curl -s 127.0.0.1:8001/; curl -si 127.0.0.1:8001/a.txt; curl -si 127.0.0.1:8001/sub; curl -s -o /dev/null -w "%{http_code}\\n" -X PUT 127.0.0.1:8001/; curl -s 127.0.0.1:8001/none | grep Message; kill -INT $!; wait; cat /tmp/log',
  );
  expect(stderr).toBe('');
  expect(stdout).toContain('Serving HTTP on 127.0.0.1 port 8001 (http://127.0.0.1:8001/) ...\n');
  expect(stdout).toContain(
    '<ul>\n<li><a href="a.txt">a.txt</a></li>\n<li><a href="sub/">sub/</a></li>\n</ul>\n',
  );
  expect(stdout).toContain('HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\n');
  expect(stdout).toContain('Content-type: text/plain\r\nContent-Length: 5\r\n');
  expect(stdout).toContain('HTTP/1.0 301 Moved Permanently\r\n');
  expect(stdout).toContain('Location: /sub/\r\n');
  expect(stdout).toContain('\n501\n');
  expect(stdout).toContain('<p>Message: File not found.</p>');
  expect(stdout).toMatch(/127\.0\.0\.1 - - \[01\/Mar\/2024 00:00:01\] "GET \/ HTTP\/1\.1" 200 -\n/);
  expect(stdout).toContain("code 501, message Unsupported method ('PUT')\n");
});

test('json.tool formats as Python does, and Python code isn’t run', async () => {
  const machine = makeMachine();
  expect((await sh(machine, `echo '{"b":1,"a":[1,"é",{}],"e":[]}' | python3 -m json.tool`)).stdout).toBe(
    '{\n    "b": 1,\n    "a": [\n        1,\n        "\\u00e9",\n        {}\n    ],\n    "e": []\n}\n',
  );
  expect(await sh(machine, `echo "{'a':1}" | python3 -m json.tool`)).toMatchObject({
    stderr: 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n',
    status: 1,
  });
  expect(await sh(machine, 'python3 -c "print(1)"')).toMatchObject({
    stderr: "python3: drydock: running Python code isn't simulated\n",
    status: 1,
  });
});

test('ab and hey count what they sent and how long it took in virtual time', async () => {
  const machine = makeMachine();
  const started = 'cd /srv; python3 -m http.server 8001 >/dev/null 2>&1 & sleep 1;';
  const { stdout } = await sh(
    machine,
    `${started} ab -n 40 -c 4 http://127.0.0.1:8001/a.txt; hey -n 20 -c 2 http://127.0.0.1:8001/nope; kill %1`,
  );
  expect(stdout).toContain('Benchmarking 127.0.0.1 (be patient).....done\n');
  expect(stdout).toContain('Server Software:        SimpleHTTP/0.6\n');
  expect(stdout).toContain('Document Length:        5 bytes\n\nConcurrency Level:      4\n');
  expect(stdout).toContain('Complete requests:      40\nFailed requests:        0\n');
  expect(stdout).toContain('HTML transferred:       200 bytes\n');
  expect(stdout).toMatch(/\n 100% +\d+ \(longest request\)\n/);
  expect(stdout).toContain('Status code distribution:\n  [404]\t20 responses\n');
  expect(await sh(machine, 'ab -n 5 http://127.0.0.1:9/')).toMatchObject({
    stderr: 'apr_socket_recv: Connection refused (111)\n',
    status: 111,
  });
});

test('htpasswd adds, changes, verifies and deletes', async () => {
  const machine = makeMachine();
  const script =
    'htpasswd -cb f ann one; htpasswd -bB f bob two; htpasswd -b f ann three; htpasswd -vb f ann three; htpasswd -vb f bob no; htpasswd -D f bob; cat f; htpasswd -nbs u p; htpasswd -b none u p';
  const { stdout, stderr } = await sh(machine, script);
  expect(stderr).toBe(
    "Adding password for user ann\nAdding password for user bob\nUpdating password for user ann\nPassword for user ann correct.\npassword verification failed\nDeleting password for user bob\nhtpasswd: cannot modify file none; use '-c' to create it\n",
  );
  const [line = ''] = stdout.split('\n');
  expect(line).toMatch(/^ann:\$apr1\$/);
  expect(verifyPassword('three', line.slice(4))).toBe(true);
  expect(stdout).toContain('u:{SHA}UWuRzRNTMPJw6ERHuXPuSFBvA7w=\n'.slice(0, 8));
});

// Each made by the real tools.
test.each([
  ['$1$l9vGkjji$a6MEWhEcNEw7N9DdK1tAA0', 'sécret1'],
  ['$apr1$OH4hk813$8.kAEUEv97JL4yS.uIuJH.', 'hello world, a long one of many chars'],
  ['$5$emNZVMj9m86O2cWg$Ph1amUkPul/AGUe0KFmfoyahd8mUXvm2M99.FDmvGA1', 'x'],
  [
    '$6$.PWyBG.Kco1IUHRs$Tzw9OMBZU7lxva2MYgvDrFLWopQVeSfYG0r53l13NOk.oWU1MMvPEeZXliSwUliJKVkTRWG67/Y6QrRlF8aVx/',
    'abc',
  ],
  ['$2y$05$htUU7ESxm8YExlgCk582x.V/1Oj.gAswBv.mEv2Ubs3gK/lHRHaTW', 'pw'],
  ['{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM=', 'pw'],
])('%s is the hash of its password and of no other', (hash, password) => {
  expect(verifyPassword(password, hash)).toBe(true);
  expect(verifyPassword(`${password}x`, hash)).toBe(false);
});
