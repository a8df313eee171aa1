// ssh and scp between two machines, with sshd on the other.
import { expect, test } from 'vitest';

import { machinePrograms, PACKAGES } from '../../../../../main/linux/commands/index.ts';
import type { Program } from '../../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../../support/make-machine.ts';
import { runOnTerminal } from '../../../../support/transcript.ts';
import { joinVeth, makeWorld, type World } from '../../../network/world.ts';

function makePair(): { world: World; here: BareMachine; there: BareMachine } {
  const world = makeWorld();
  const [one, two] = [world.namespace('one'), world.namespace('two')];
  joinVeth(one, 'eth0', '10.0.0.1/24', two, 'eth0', '10.0.0.2/24');
  const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/bin/sh': bash };
  for (const [path, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
    programs[path] = program;
  const hosts = { '/etc/hosts': '127.0.0.1 localhost\n10.0.0.2 worker1\n' };
  const make = (net: typeof one, hostname: string): BareMachine =>
    makeBareMachine({ programs, net, simulation: world.simulation, hostname, files: hosts });
  const [here, there] = [make(one, 'master1'), make(two, 'worker1')];
  there.kernel.start({ argv: ['/usr/sbin/sshd', '-D'], path: '/usr/sbin/sshd' });
  return { world, here, there };
}

const ACCEPT = '-o StrictHostKeyChecking=accept-new';
const shell = (machine: BareMachine, script: string) => run(machine, ['bash', '-c', script]);

test('a command runs on the other machine and its status comes back', async () => {
  const { here, world } = makePair();

  expect(await shell(here, `ssh ${ACCEPT} worker1 'hostname; echo err >&2; exit 3'`)).toMatchObject({
    stdout: 'worker1\n',
    stderr: "Warning: Permanently added 'worker1' (ED25519) to the list of known hosts.\nerr\n",
    status: 3,
  });
  expect((await shell(here, 'cat ~/.ssh/known_hosts')).stdout).toMatch(
    /^worker1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA[\w+/=]+\n$/,
  );
  expect(await shell(here, 'echo through | ssh worker1 "cat; echo $HOME"')).toMatchObject({
    stdout: 'through\n/root\n',
    stderr: '',
    status: 0,
  });
  expect(world.faults).toEqual([]);
});

test('an unknown host is refused without a terminal to ask on, and a changed key is told', async () => {
  const { here } = makePair();

  expect(await shell(here, 'ssh worker1 hostname')).toMatchObject({
    stderr: 'Host key verification failed.\n',
    status: 255,
  });
  const changed = await shell(
    here,
    'mkdir -p ~/.ssh; echo "worker1 ssh-ed25519 AAAA" > ~/.ssh/known_hosts; ssh worker1 hostname',
  );
  expect(changed.stderr).toContain('WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!');
  expect(changed.status).toBe(255);
});

test('what cannot be reached says why', async () => {
  const { here } = makePair();

  expect(
    await shell(
      here,
      'ssh -p 23 worker1 true; ssh nosuch true; su nobody -s /bin/bash -c "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@worker1 true"',
    ),
  ).toMatchObject({
    stderr:
      "ssh: connect to host worker1 port 23: Connection refused\nssh: Could not resolve hostname nosuch: Name or service not known\nWarning: Permanently added 'worker1' (ED25519) to the list of known hosts.\nroot@worker1: Permission denied (publickey,gssapi-keyex,gssapi-with-mic,password).\n",
    status: 255,
  });
});

test('scp copies files and trees there and back', async () => {
  const { here, there, world } = makePair();

  const copied = await shell(
    here,
    `mkdir -p a/b; seq 10000 > a/b/n; echo x > a/x; chmod 755 a/x; scp -r ${ACCEPT} a worker1:/tmp/; scp worker1:/tmp/a/b/n back; cmp a/b/n back && echo same; scp nosuch worker1:; scp worker1:nosuch .; scp a worker1:`,
  );
  expect(copied).toMatchObject({
    stdout: 'same\n',
    stderr:
      'Warning: Permanently added \'worker1\' (ED25519) to the list of known hosts.\nscp: stat local "nosuch": No such file or directory\nscp: nosuch: No such file or directory\nscp: local "a" is not a regular file\n',
    status: 1,
  });
  expect((await shell(there, 'stat -c "%a %s" /tmp/a/x /tmp/a/b/n')).stdout).toBe('755 2\n644 48894\n');
  expect(world.faults).toEqual([]);
});

test('on a terminal it is a login shell with the keys going through', async () => {
  const { here, world } = makePair();
  const master = here.kernel.openTty({ columns: 100, rows: 30 });
  const task = here.kernel.start({
    argv: ['ssh', 'worker1'],
    path: '/usr/bin/ssh',
    cwd: '/root',
    env: new Map([
      ['HOME', '/root'],
      ['TERM', 'xterm'],
    ]),
    tty: master,
  });
  let screen = '';
  const watch = async (): Promise<void> => {
    for (let bytes = await master.output(); bytes !== undefined; bytes = await master.output())
      screen += Buffer.from(bytes).toString();
  };
  void watch();
  const sees = async (text: string): Promise<void> => {
    await world.simulation.advanceUntil(() => screen.includes(text), { seconds: 30 });
    expect(screen).toContain(text);
  };
  await sees('(yes/no/[fingerprint])? ');
  master.input('yes\r');
  await sees('# ');
  master.input('tty; stty size; echo "<$SSH_CLIENT>"\r');
  await sees('<10.0.0.1 ');
  expect(screen).toContain('/dev/pts/0');
  expect(screen).toContain('30 100');
  master.input('sleep 1000\r');
  await sees('sleep 1000\r\n');
  master.input('\u0003exit 7\r');
  let status: unknown;
  void task.ended.then((ended) => (status = ended));
  await world.simulation.advanceUntil(() => status !== undefined, { seconds: 30 });
  expect(screen).toContain('Connection to worker1 closed.');
  expect(status).toEqual({ kind: 'exited', exitCode: 7 });
  expect(world.faults).toEqual([]);
});

const TRUST = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';

test('somebody else than root is let in with a password, asked for on the terminal', async () => {
  const { here, there } = makePair();
  await shell(there, 'echo alice:right123 | chpasswd');

  expect((await shell(here, `ssh ${TRUST} alice@worker1 id`)).stderr).toContain(
    'alice@worker1: Permission denied (publickey,gssapi-keyex,gssapi-with-mic,password).',
  );
  const asked = await runOnTerminal(here, `ssh ${TRUST} alice@worker1 whoami`, {
    typed: [
      { afterMs: 500, keys: 'wrong\r' },
      { afterMs: 4000, keys: 'right123\r' },
    ],
  });
  expect(asked.output.replace(/^Warning.*\n/, '')).toBe(
    "alice@worker1's password: \nPermission denied, please try again.\nalice@worker1's password: \nalice\n",
  );
  const refused = await runOnTerminal(here, `ssh ${TRUST} nosuch@worker1 whoami`, {
    typed: [500, 4000, 8000].map((afterMs) => ({ afterMs, keys: 'x\r' })),
  });
  expect(refused.output).toContain('nosuch@worker1: Permission denied (publickey,');
  expect(refused.status).toBe(255);
});

test('a key that was copied opens the door without a password', async () => {
  const { here, there } = makePair();
  await shell(there, 'echo alice:right123 | chpasswd');

  const made = await shell(here, "ssh-keygen -t ed25519 -N '' -f ~/.ssh/id_ed25519");
  expect(made.stdout).toMatch(
    /^Generating public\/private ed25519 key pair\.\nCreated directory '\/root\/\.ssh'\.\n[^]*SHA256:[\w+/]{43} root@master1\nThe key's randomart image is:\n\+--\[ED25519 256\]--\+\n(\|.{17}\|\n){9}\+----\[SHA256\]-----\+\n$/,
  );
  const copied = await runOnTerminal(here, `ssh-copy-id -o StrictHostKeyChecking=no alice@worker1`, {
    typed: [{ afterMs: 500, keys: 'right123\r' }],
  });
  expect(copied.output).toContain('Number of key(s) added: 1');
  expect(
    await shell(here, 'ssh alice@worker1 whoami; ssh-copy-id alice@worker1 2>&1 | grep -c WARNING'),
  ).toMatchObject({
    stdout: 'alice\n1\n',
    status: 0,
  });
  await shell(here, 'printf "Host w\n  HostName worker1\n  User alice\n" > ~/.ssh/config');
  expect(
    (await shell(here, 'ssh w whoami; ssh-keygen -R worker1 | head -1; ssh-keygen -F worker1; echo $?'))
      .stdout,
  ).toBe('alice\n# Host worker1 found: line 1\n1\n');
  expect((await shell(here, 'ssh-keyscan worker1 2>/dev/null')).stdout).toMatch(/^worker1 ssh-ed25519 AAAA/);
});
