// Accounts: the files that useradd and its kin change, passwords, and what su and sudo let whom do.
import { expect, test } from 'vitest';

import {
  hashPassword,
  passwordMatches,
  sha512Crypt,
} from '../../../../../main/linux/commands/system/crypt.ts';
import { makeRandom } from '../../../../../main/simulation/index.ts';
import { makeSystemMachine } from '../../../../parity/tools/system-machine.ts';
import { scriptRunner, type RunScript } from '../../../../support/run-on.ts';

async function machine(): Promise<RunScript> {
  return scriptRunner(await makeSystemMachine());
}

test('hashes are those of crypt(3)', () => {
  // As `openssl passwd -6 -salt SALT PASSWORD` says.
  expect(sha512Crypt('geheim123', 'abcdefgh')).toBe(
    '$6$abcdefgh$PMhfu2LOx0o9nCZbkVgcdYdWB.bVIarKIgTuUGdCWsGc6GgnKlSBeg7rAaQD1JxK0XsEZ9Sljnd3TmVmOUAOI1',
  );
  const field = hashPassword('密码 pass', makeRandom(1));
  expect(passwordMatches('密码 pass', field)).toBe(true);
  expect([passwordMatches('密码', field), passwordMatches('x', '!!'), passwordMatches('', '')]).toEqual([
    false,
    false,
    false,
  ]);
});

const CASES: readonly (readonly [script: string, out: string, status: number])[] = [
  ['useradd bob; id bob; ls -d /home/bob', 'uid=1000(bob) gid=1000(bob) groups=1000(bob)\n/home/bob\n', 0],
  ['useradd bob; useradd bob', "useradd: user 'bob' already exists\n", 9],
  ['useradd -u 0 bob', 'useradd: UID 0 is not unique\n', 4],
  ['useradd -g nogroup bob', "useradd: group 'nogroup' does not exist\n", 6],
  ['useradd "a b"', "useradd: invalid user name 'a b': use --badname to ignore\n", 3],
  ['useradd -r -s /sbin/nologin svc; getent passwd svc', 'svc:x:999:998::/home/svc:/sbin/nologin\n', 0],
  ['useradd bob; usermod -aG wheel,adm bob; id -Gn bob', 'bob adm wheel\n', 0],
  ['useradd bob; usermod -aG wheel bob; usermod -G adm bob; id -Gn bob', 'bob adm\n', 0],
  ['usermod -L nobody2', "usermod: user 'nobody2' does not exist\n", 6],
  ['useradd bob; userdel -r bob; id bob; ls /home', 'id: ‘bob’: no such user\n', 0],
  ['userdel bob', "userdel: user 'bob' does not exist\n", 6],
  [
    'groupadd -g 2000 dev; getent group dev; groupadd dev',
    "dev:x:2000:\ngroupadd: group 'dev' already exists\n",
    9,
  ],
  ['useradd bob; groupdel bob', "groupdel: cannot remove the primary group of user 'bob'\n", 8],
  ['groupdel dev', "groupdel: group 'dev' does not exist\n", 6],
  [
    'echo bob:x | chpasswd',
    "chpasswd: line 1: user 'bob' does not exist\nchpasswd: error detected, changes ignored\n",
    1,
  ],
  [
    'useradd bob; passwd -S bob; echo secret12 | passwd --stdin bob; passwd -S bob',
    'bob LK 2024-03-01 0 99999 7 -1 (Password locked.)\nChanging password for user bob.\npasswd: all authentication tokens updated successfully.\nbob PS 2024-03-01 0 99999 7 -1 (Password set, SHA512 crypt.)\n',
    0,
  ],
  ['passwd nosuch', "passwd: Unknown user name 'nosuch'.\n", 1],
  [
    'useradd bob; su bob -c "useradd eve"',
    'useradd: Permission denied.\nuseradd: cannot lock /etc/passwd; try again later.\n',
    1,
  ],
  [
    'su nosuch',
    'su: user nosuch does not exist or the user entry does not contain all the required fields\n',
    1,
  ],
  ['useradd bob; su - bob -c "whoami; pwd; echo $HOME"', 'bob\n/home/bob\n/root\n', 0],
  [
    'useradd bob; useradd eve; echo eve:right123 | chpasswd; su bob -c "echo right123 | su eve -c id; echo wrong | su eve -c id"',
    'Password: uid=1001(eve) gid=1001(eve) groups=1001(eve)\nPassword: su: Authentication failure\n',
    1,
  ],
  ['sudo -u nobody whoami; sudo nosuch', 'nobody\nsudo: nosuch: command not found\n', 1],
  ['sudo -u nosuch id', 'sudo: unknown user nosuch\n', 1],
  ['useradd bob; usermod -aG wheel bob; su bob -c "sudo -n whoami"', 'sudo: a password is required\n', 1],
  [
    'useradd bob; usermod -aG wheel bob; echo bob:right123 | chpasswd; su bob -c "echo right123 | sudo -S -p pw: whoami"',
    'pw:root\n',
    0,
  ],
  ['useradd bob; su bob -c "sudo -n whoami"', 'sudo: a password is required\n', 1],
];

test.each(CASES)('%s', async (script, out, status) => {
  expect(await (await machine())(script)).toEqual({ out, status });
});

test('sudoers decides who may run what, and with which password', async () => {
  const run = await machine();
  await run(
    'useradd bob; echo bob:right123 | chpasswd; printf "root ALL=(ALL) ALL\\nbob ALL=(root) /usr/bin/ls, !/usr/bin/cat, NOPASSWD: /usr/bin/id\\n" > /etc/sudoers',
  );
  await run('printf "bob ALL=(nobody) NOPASSWD: /usr/bin/whoami\\n" > /etc/sudoers.d/bob');
  const as = async (script: string): Promise<string> => (await run(`su bob -c '${script}'`)).out;
  expect(await as('sudo -n -u nobody whoami')).toBe('nobody\n');
  expect(await as('echo right123 | sudo -S cat /etc/shadow')).toContain(
    "Sorry, user bob is not allowed to execute 'cat /etc/shadow' as root on lab.",
  );
  expect(await as('echo wrong | sudo -S ls /')).toBe(
    '[sudo] password for bob: Sorry, try again.\n[sudo] password for bob: sudo: 1 incorrect password attempt\n',
  );
  expect(await as('sudo ls')).toContain('a terminal is required to read the password');
});
