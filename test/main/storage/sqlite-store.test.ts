import Database from 'better-sqlite3';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CompactedError, SqliteStore, type StorageError } from '../../../main/storage/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-'));
  path = join(folder, 'workspace.drydock');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): SqliteStore => new SqliteStore({ path, turns: hostLoop });

test('what was written is there again after reopening, with its revisions', async () => {
  const first = open();
  first.write([{ key: '/a/1', value: 'one' }]);
  first.write([
    { key: '/a/2', value: new Uint8Array([1, 2, 3]) },
    { key: '/a/1', value: undefined },
  ]);
  await first.durable();
  first[Symbol.dispose]();

  using second = open();
  expect(second.revision).toBe(2);
  expect(second.get('/a/1')).toBeUndefined();
  const [record] = second.list('/a/');
  expect(record!.key).toBe('/a/2');
  expect([...(record!.value as Uint8Array)]).toEqual([1, 2, 3]);
  expect(record!.revision).toBe(2);
});

test('lists are in key order and only below their prefix', () => {
  using store = open();
  store.write(['/b/2', '/a/9', '/b/10', '/bc', '/b/1'].map((key) => ({ key, value: key })));
  expect(store.list('/b/').map((record) => record.key)).toEqual(['/b/1', '/b/10', '/b/2']);
});

test('history tells each write with what stood before it, until it is compacted', () => {
  using store = open();
  store.write([{ key: '/a', value: '1' }]);
  store.write([{ key: '/a', value: '2' }]);
  store.write([{ key: '/a', value: undefined }]);
  expect(store.history('/', 1)).toEqual([
    { key: '/a', revision: 2, value: '2', previous: '1' },
    { key: '/a', revision: 3, value: undefined, previous: '2' },
  ]);
  store.compact(2);
  expect(() => store.history('/', 1)).toThrow(CompactedError);
  expect(store.history('/', 2).map((change) => change.revision)).toEqual([3]);
});

test('a snapshot is restored as new writes, also after compaction', () => {
  using store = open();
  store.write([
    { key: '/registry/a', value: 'old' },
    { key: '/settings/x', value: 'old' },
  ]);
  store.takeSnapshot('step 1', 1000);
  store.write([
    { key: '/registry/a', value: 'new' },
    { key: '/registry/b', value: 'new' },
    { key: '/settings/x', value: 'new' },
  ]);
  store.compact(store.revision);
  expect(store.restoreSnapshot('step 1', ['/registry/'])).toBe(4);
  expect(store.get('/registry/a')).toEqual({ key: '/registry/a', value: 'old', revision: 4 });
  expect(store.get('/registry/b')).toBeUndefined();
  expect(store.get('/settings/x')!.value).toBe('new');
  expect(store.listSnapshots()).toEqual([{ name: 'step 1', revision: 1, timeMs: 1000 }]);
  expect(() => store.restoreSnapshot('step 2', ['/'])).toThrow('There is no snapshot called "step 2".');
});

test('what is saved rather than written leaves the revision alone, and is there after reopening', async () => {
  const first = open();
  first.write([{ key: '/registry/a', value: '1' }]);
  first.save([{ key: '/machines/file', value: 'one' }]);
  first.save([{ key: '/machines/file', value: 'two' }]);
  expect(first.write([{ key: '/registry/a', value: '2' }])).toBe(2);
  await first.durable();
  first[Symbol.dispose]();

  const second = open();
  second.save([{ key: '/machines/late', value: 'three' }]);
  expect(second.revision).toBe(2);
  second[Symbol.dispose]();

  using third = open();
  expect(third.revision).toBe(2);
  expect(third.list('/machines/').map(({ value }) => value)).toEqual(['two', 'three']);
});

test('a snapshot leaves out what is saved after it, also after reopening', () => {
  const first = open();
  first.save([{ key: '/machines/file', value: 'before' }]);
  first.takeSnapshot('step 1', 1000);
  first[Symbol.dispose]();

  using second = open();
  second.save([{ key: '/machines/file', value: 'after' }]);
  second.compact(second.revision);
  second.restoreSnapshot('step 1', ['/machines/']);
  expect(second.get('/machines/file')!.value).toBe('before');
});

test('a deferred task runs once before the next commit, and what it saves is in it', async () => {
  const first = open();
  let calls = 0;
  const task = (): void => first.save([{ key: '/machines/file', value: String(++calls) }]);
  first.defer(task);
  first.defer(task);
  await first.durable();
  expect(calls).toBe(1);
  first.defer(task);
  first[Symbol.dispose]();

  using second = open();
  expect(second.get('/machines/file')!.value).toBe('2');
});

test('what only a deleted snapshot held goes with the next compaction', () => {
  using store = open();
  const rows = (): number =>
    (store as unknown as { db: Database.Database }).db
      .prepare('SELECT COUNT(*) FROM writes')
      .pluck()
      .get() as number;
  store.write([
    { key: '/registry/a', value: 'old' },
    { key: '/registry/gone', value: 'old' },
  ]);
  store.takeSnapshot('step 1', 1000);
  store.write([
    { key: '/registry/a', value: 'new' },
    { key: '/registry/gone', value: undefined },
  ]);
  store.compact(store.revision);
  expect(rows()).toBe(4);
  store.deleteSnapshot('step 1');
  store.write([{ key: '/registry/b', value: 'new' }]);
  store.compact(store.revision);
  expect(rows()).toBe(2);
});

test('of several changes of one key in a write the last one counts', () => {
  using store = open();
  store.write([
    { key: '/a', value: '1' },
    { key: '/a', value: undefined },
  ]);
  store.write([
    { key: '/b', value: undefined },
    { key: '/b', value: '2' },
  ]);
  expect(store.get('/a')).toBeUndefined();
  expect(store.history('/', 0)).toEqual([
    { key: '/a', revision: 1, value: undefined, previous: undefined },
    { key: '/b', revision: 2, value: '2', previous: undefined },
  ]);
});

test('values are the same whether still queued, committed or read back', async () => {
  let store = open();
  store.write([
    { key: '/a', value: 'text' },
    { key: '/b', value: new Uint8Array([1, 2]) },
  ]);
  const values = (): unknown[] =>
    store.list('/').map(({ value }) => (typeof value === 'string' ? value : [...value]));
  const expected = ['text', [1, 2]];
  expect(values()).toEqual(expected);
  await store.durable();
  expect(values()).toEqual(expected);
  store[Symbol.dispose]();
  store = open();
  expect(values()).toEqual(expected);
  expect(values()).toEqual(expected);
  store[Symbol.dispose]();
});

test('a second process on one workspace is told so, and the first one is not disturbed', () => {
  using store = open();
  expect(open).toThrow(/is open in another Drydock/);
  store.write([{ key: '/a', value: '1' }]);
});

test('a file of a newer version, a damaged one and a foreign one are refused and left as they are', () => {
  open()[Symbol.dispose]();
  const db = new Database(path);
  db.pragma('user_version = 99');
  db.close();
  expect(open).toThrow(/was written by a newer Drydock \(format 99/);

  writeFileSync(path, 'this is no database, however long the text may be. '.repeat(40));
  rmSync(`${path}-wal`, { force: true });
  const before = readFileSync(path);
  expect(open).toThrow(/is damaged and was left untouched/);
  expect(readFileSync(path)).toEqual(before);

  path = join(folder, 'foreign.db');
  const foreign = new Database(path);
  foreign.exec('CREATE TABLE songs (title TEXT)');
  foreign.close();
  expect(open).toThrow(/is a database of another program/);

  path = join(folder, 'missing', 'workspace.drydock');
  expect(open).toThrow(/folder for the workspace .* doesn't exist/);
});

test('a full disk is told, loses nothing, and is got over once there is space', async () => {
  using store = open();
  const db = (store as unknown as { db: Database.Database }).db;
  store.write([{ key: '/a', value: 'kept' }]);
  await store.durable();
  const pages = db.pragma('page_count', { simple: true }) as number;
  db.pragma(`max_page_count = ${pages}`);
  store.write([{ key: '/big', value: 'x'.repeat(1_000_000) }]);
  await expect(store.durable()).rejects.toMatchObject({ code: 'full' } satisfies Partial<StorageError>);
  db.pragma('max_page_count = 1000000');
  await expect
    .poll(() =>
      store.durable().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

test('killed in the middle of writes, nothing acknowledged is lost', async () => {
  const writer = `
    import { SqliteStore } from ${JSON.stringify(join(process.cwd(), 'main/storage/index.ts'))};
    const turns = { immediate: (task) => setImmediate(task), timeout: (ms, task) => { const t = setTimeout(task, ms); return { [Symbol.dispose]: () => clearTimeout(t) }; } };
    const store = new SqliteStore({ path: process.argv[2], turns });
    for (let i = 0; ; i++) {
      store.write([{ key: '/n/' + i, value: 'v'.repeat(i % 5000) }, { key: '/last', value: String(i) }]);
      await store.durable();
      process.stdout.write(i + '\\n');
    }`;
  const script = join(folder, 'writer.mts');
  writeFileSync(script, writer);
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > 200) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const acknowledged = Number(output.split('\n').at(-2));
  expect(acknowledged).toBeGreaterThan(100);
  using store = open();
  expect(Number(store.get('/last')!.value)).toBeGreaterThanOrEqual(acknowledged);
  for (let i = 0; i <= acknowledged; i++)
    expect((store.get(`/n/${i}`)!.value as string).length).toBe(i % 5000);
});
