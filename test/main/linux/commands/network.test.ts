// The network commands on a virtual network of two machines.
import { expect, test } from 'vitest';

import { machinePrograms, PACKAGES } from '../../../../main/linux/commands/index.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../support/make-machine.ts';
import { joinVeth, makeWorld, serveText, type World } from '../../network/world.ts';

function makeNetwork(): { world: World; machine: BareMachine } {
  const world = makeWorld();
  const [one, two] = [world.namespace('one'), world.namespace('two')];
  joinVeth(one, 'eth0', '10.0.0.1/24', two, 'eth0', '10.0.0.2/24');
  serveText(two, 80, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nweb1\n');
  const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/bin/sh': bash };
  for (const [path, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[path] = program;
  return { world, machine: makeBareMachine({ programs, net: one, simulation: world.simulation }) };
}

test('curl prints the body, and -v the whole exchange', async () => {
  const { machine } = makeNetwork();

  expect(await run(machine, ['curl', '-s', 'http://10.0.0.2/'])).toMatchObject({
    stdout: 'web1\n',
    stderr: '',
    status: 0,
  });

  const verbose = await run(machine, ['curl', '-sv', 'http://10.0.0.2/']);
  expect(verbose.stderr).toBe(
    '*   Trying 10.0.0.2:80...\n* Connected to 10.0.0.2 (10.0.0.2) port 80 (#0)\n> GET / HTTP/1.1\r\n> Host: 10.0.0.2\r\n> User-Agent: curl/7.88.1\r\n> Accept: */*\r\n> \r\n< HTTP/1.1 200 OK\r\n< Content-Length: 5\r\n< Content-Type: text/plain\r\n< \r\n{ [5 bytes data]\n* Connection #0 to host 10.0.0.2 left intact\n',
  );
});

test('curl says why it could not connect', async () => {
  const { machine } = makeNetwork();

  const refused = await run(machine, ['curl', 'http://10.0.0.2:81/']);
  expect(refused.stderr).toMatch(
    /^curl: \(7\) Failed to connect to 10\.0\.0\.2 port 81 after \d+ ms: Couldn't connect to server\n$/,
  );
  expect(refused.status).toBe(7);
});

test('ip shows what it has set', async () => {
  const { machine } = makeNetwork();

  const added = await run(machine, [
    'bash',
    '-c',
    'ip addr add 10.0.0.50/24 dev eth0 && ip -br -4 a; ip addr add 10.0.0.50/24 dev eth0; ip route add 172.30.0.0/16 via 10.0.0.2 && ip r; ip route get 172.30.1.1',
  ]);
  expect(added.stderr).toBe('RTNETLINK answers: File exists\n');
  expect(added.stdout).toBe(
    'lo               UNKNOWN        127.0.0.1/8 \neth0@if2         UP             10.0.0.1/24 10.0.0.50/24 \n10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1 \n172.30.0.0/16 via 10.0.0.2 dev eth0 \n172.30.1.1 via 10.0.0.2 dev eth0 src 10.0.0.1 uid 0 \n    cache \n',
  );
});

test('ping counts what comes back', async () => {
  const { machine } = makeNetwork();

  const answered = await run(machine, ['ping', '-c', '2', '10.0.0.2']);
  expect(
    answered.stdout.replaceAll(/time=[\d.]+ ms/g, 'time=T ms').replace(/time \d+ms\nrtt .*/, 'END'),
  ).toBe(
    'PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=T ms\n64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=T ms\n\n--- 10.0.0.2 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, END\n',
  );
  expect(answered.status).toBe(0);
});

test('iptables adds rules that its listings show and packets meet', async () => {
  const { machine } = makeNetwork();

  const blocked = await run(machine, [
    'bash',
    '-c',
    'iptables -A OUTPUT -p tcp --dport 80 -j REJECT; iptables -S OUTPUT; curl -s --connect-timeout 2 http://10.0.0.2/; echo $?; iptables -D OUTPUT 1; curl -s http://10.0.0.2/',
  ]);
  expect(blocked).toMatchObject({
    stdout:
      '-P OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable\n7\nweb1\n',
    stderr: '',
  });
});

test('ss lists listeners', async () => {
  const { machine, world } = makeNetwork();
  world.faults.length = 0;
  const listener = machine.kernel.net.sockets.listenTcp({ address: '0.0.0.0', port: 8080 });

  const listed = await run(machine, ['ss', '-tln']);
  expect(listed.stdout).toMatch(
    /^State +Recv-Q +Send-Q +Local Address:Port +Peer Address:Port ?Process\nLISTEN +0 +\d+ +0\.0\.0\.0:8080 +0\.0\.0\.0:\* *\n$/,
  );
  listener[Symbol.dispose]();
});

test('wget and nc fetch what a server says', async () => {
  const { machine } = makeNetwork();

  expect(await run(machine, ['wget', '-qO-', 'http://10.0.0.2/'])).toMatchObject({
    stdout: 'web1\n',
    stderr: '',
    status: 0,
  });
  expect(await run(machine, ['wget', '-qO-', '--tries=1', 'http://10.0.0.2:81/'])).toMatchObject({
    stdout: '',
    status: 4,
  });
  expect(await run(machine, ['nc', '-zv', '10.0.0.2', '80'])).toMatchObject({
    stderr: 'Connection to 10.0.0.2 80 port [tcp/http] succeeded!\n',
    status: 0,
  });
});
