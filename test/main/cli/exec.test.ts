import { spawn } from '@lydell/node-pty';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Drydock,
  drydock,
  makeTemporaryFolder,
  RunningUp,
  type TemporaryFolder,
} from '../../support/drydock.ts';

let folder: TemporaryFolder;
let up: RunningUp;
beforeAll(async () => {
  folder = makeTemporaryFolder();
  up = new RunningUp(folder.path, ['--nodes', '1']);
  await up.ready();
}, 60_000);
afterAll(async () => {
  await up[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("stdout, stderr and the exit status are the command's own", async () => {
  expect(await up.exec('master1', 'bash', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
    status: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('stdin reaches the command, to its end', async () => {
  const lines = Array.from({ length: 2_000 }, (_, number) => `line ${number}\n`).join('');
  const { status, stdout } = await drydock(
    ['exec', '--data', folder.path, 'master1', '--', 'wc', '-l'],
    lines,
  );
  expect([status, stdout.trim()]).toEqual([0, '2000']);
});

test('output arrives while the command runs', async () => {
  await using command = new Drydock([
    'exec',
    '--data',
    folder.path,
    'master1',
    '--',
    'bash',
    '-c',
    'echo first; read; echo second',
  ]);
  await command.prints(/first\n/);
  expect(command.stdout).toBe('first\n');
  command.child.stdin.end('\n');
  expect(await command.finished).toMatchObject({ status: 0, stdout: 'first\nsecond\n' });
});

test('without -t there is no terminal; with -t there is one, of the size of the window here', async (context) => {
  expect((await up.exec('master1', 'tty')).stdout).toBe('not a tty\n');
  if (process.platform === 'win32') context.skip('a pseudo-terminal of Windows redraws what it is given');
  const command = path.join(import.meta.dirname, '../../../bin/drydock.mjs');
  const terminal = spawn(
    process.execPath,
    [command, 'exec', '--data', folder.path, '-t', 'master1', '--', 'bash'],
    { cols: 101, rows: 33 },
  );
  let seen = '';
  terminal.onData((data) => (seen += data));
  const shows = async (pattern: RegExp): Promise<void> => {
    await expect.poll(() => stripVTControlCharacters(seen), { timeout: 10_000 }).toMatch(pattern);
  };
  await shows(/# $/);
  terminal.write('stty size; tty\r');
  await shows(/33 101\s+\/dev\/pts\/\d+\s/);
  terminal.write('sleep 1000\r');
  await shows(/sleep 1000\s+\S*$/);
  terminal.write('\x03');
  await shows(/\^C/);
  const ended = new Promise((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  terminal.write('exit 5\r');
  expect(await ended).toBe(5);
});

test('a machine or a command that is not there is told, with a status', async () => {
  expect(await up.exec('nowhere', 'true')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^drydock: .*nowhere.*\n$/) as string,
  });
  const absent = await up.exec('master1', 'no-such-command');
  expect(absent).toEqual({
    status: 127,
    stdout: '',
    stderr: 'drydock: no-such-command: No such file or directory\n',
  });
  expect((await up.exec('master1', '/etc/passwd')).status).toBe(126);
});

test('a command ends when its drydock exec is killed', async () => {
  await using command = new Drydock([
    'exec',
    '--data',
    folder.path,
    'master1',
    '--',
    'bash',
    '-c',
    'echo begun; sleep 98765',
  ]);
  await command.prints(/begun/);
  await command.end('SIGKILL');
  await expect
    .poll(async () => (await up.exec('master1', 'bash', '-c', 'ps -ef | grep -c "[s]leep 98765"')).stdout, {
      timeout: 15_000,
    })
    .toBe('0\n');
}, 30_000);
