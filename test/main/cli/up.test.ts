import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { drydock, makeTemporaryFolder, RunningUp } from '../../support/drydock.ts';

const BOOT_MS = 60_000;
const SENTENCE = /^drydock: [^\n]+\.\n$/;

test(
  'up prints one JSON line, keeps its files to itself, and ends with SIGTERM',
  { timeout: BOOT_MS },
  async () => {
    using folder = makeTemporaryFolder();
    const data = path.join(folder.path, 'new', 'data');
    const kubeconfig = path.join(folder.path, 'elsewhere', 'config');
    await using up = new RunningUp(data, [
      '--kubeconfig',
      kubeconfig,
      '--nodes',
      '1',
      '--seed',
      '7',
      '--speed',
      'max',
    ]);
    const ready = await up.ready();

    expect(ready).toEqual({
      ready: true,
      kubeconfig,
      api: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/) as string,
      proxy: expect.stringMatching(/^http:\/\/drydock:\w+@127\.0\.0\.1:\d+$/) as string,
      dns: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
    expect(readFileSync(kubeconfig, 'utf8')).toContain(`server: ${ready.api}`);
    for (const file of [kubeconfig, path.join(data, 'control.json')])
      expect(statSync(file).mode & 0o077).toBe(0);
    expect(statSync(data).mode & 0o077).toBe(0);

    // A second one on the same data folder is told so, and harms nothing.
    const second = await drydock(['up', '--data', data]);
    expect(second).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(SENTENCE) as string,
    });
    expect(second.stderr).toContain('is open in another Drydock');
    expect((await up.exec('master1', 'hostname')).stdout).toBe('master1\n');

    const ended = await up.end('SIGTERM');
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(path.join(data, 'control.json'))).toBe(false);
    expect(await drydock(['exec', '--data', data, 'master1', '--', 'hostname'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'drydock: No Drydock runs on this data folder; start one with drydock up.\n',
    });
  },
);

test('a port in use is told in a sentence', { timeout: BOOT_MS }, async () => {
  using folder = makeTemporaryFolder();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const { status, stdout, stderr } = await drydock([
    'up',
    '--data',
    folder.path,
    '--nodes',
    '1',
    '--api-port',
    String(port),
  ]);
  taken.close();
  expect([status, stdout, stderr]).toEqual([
    1,
    '',
    `drydock: Port ${port} of 127.0.0.1 is taken; choose another, or 0 for a free one.\n`,
  ]);
});

test.each([
  [['up', '--nonsense'], 2, "Unknown option '--nonsense'."],
  [['up', 'extra'], 2, "Unexpected argument 'extra'."],
  [['up', '--profile', 'v0'], 2, 'There is no profile "v0"; choose one of '],
  [['up', '--nodes', 'many'], 2, '--nodes wants a whole number from 1, not "many".'],
  [['up', '--nodes', '9000'], 1, 'A cluster has 1 to 8000 nodes, not 9000.'],
  [['up', '--speed', 'fast'], 2, '--speed wants a positive number or max, not "fast".'],
  [['up', '--api-port', '65536'], 2, '--api-port wants a whole number from 0 to 65535, not "65536".'],
  [['nonsense'], 2, 'There is no command "nonsense".'],
  [['exec', 'master1'], 2, 'exec wants MACHINE -- COMMAND...'],
  [['lab', 'fly'], 2, 'lab wants list, lint or run.'],
  [['serve', '--port', 'http'], 2, '--port wants a number from 0 to 65535, not "http".'],
  [['serve', '--nonsense'], 2, "Unknown option '--nonsense'."],
])('%j ends with status %i and a sentence', async (args, status, sentence) => {
  using folder = makeTemporaryFolder();
  const result = await drydock(args[0] === 'up' ? [...args, '--data', folder.path] : args);
  expect(result).toMatchObject({ status, stdout: '' });
  // `serve` may have to build the screen first, and says so.
  expect(result.stderr.replace(/^drydock: Building the app …\n/, '')).toMatch(SENTENCE);
  expect(result.stderr).toContain(sentence);
});

test('a workspace of a newer version, a damaged one, and a folder that is a file each get a sentence', async () => {
  using folder = makeTemporaryFolder();
  const file = path.join(folder.path, 'workspace.drydock');
  const database = new Database(file);
  database.exec('CREATE TABLE records (key TEXT)');
  database.pragma('user_version = 9999');
  database.close();
  const newer = await drydock(['up', '--data', folder.path]);
  expect(newer).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(SENTENCE) as string });
  expect(newer.stderr).toContain('was written by a newer Drydock');

  const damaged = 'SQLite format 3\0'.padEnd(8192, 'x');
  writeFileSync(file, damaged);
  const corrupt = await drydock(['up', '--data', folder.path]);
  expect(corrupt).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(SENTENCE) as string });
  expect(corrupt.stderr).toContain('is damaged and was left untouched');
  expect(readFileSync(file, 'latin1')).toBe(damaged);

  const notFolder = await drydock(['up', '--data', file]);
  expect(notFolder).toMatchObject({ status: 1, stderr: expect.stringMatching(SENTENCE) as string });
});
