import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteStore } from '../../../main/storage/index.ts';
import { migrations } from '../../../main/storage/migrations.ts';
import { hostLoop } from '../../support/host-loop.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-'));
  path = join(folder, 'workspace.drydock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a workspace of format 1 keeps its records, history and snapshots', () => {
  const db = new Database(path);
  db.exec(migrations[0]!);
  db.pragma('user_version = 1');
  const insert = db.prepare('INSERT INTO records (key, revision, value) VALUES (?, ?, ?)');
  insert.run('/registry/a', 1, 'first');
  insert.run('/registry/b', 1, 'other');
  insert.run('/registry/a', 2, 'second');
  insert.run('/registry/b', 3, null);
  insert.run('/registry/b', 4, 'again');
  insert.run('/machines/disk', 4, Buffer.from([1, 2]));
  db.exec("INSERT INTO meta VALUES ('revision', 4); INSERT INTO snapshots VALUES ('step 1', 1, 1000)");
  db.close();

  using store = new SqliteStore({ path, turns: hostLoop });
  expect(store.revision).toBe(4);
  expect(store.get('/registry/a')).toEqual({ key: '/registry/a', value: 'second', revision: 2 });
  expect([...(store.get('/machines/disk')!.value as Uint8Array)]).toEqual([1, 2]);
  expect(store.history('/registry/', 1)).toEqual([
    { key: '/registry/a', revision: 2, value: 'second', previous: 'first' },
    { key: '/registry/b', revision: 3, value: undefined, previous: 'other' },
    { key: '/registry/b', revision: 4, value: 'again', previous: undefined },
  ]);
  expect(store.restoreSnapshot('step 1', ['/registry/'])).toBe(5);
  expect(store.list('/registry/').map(({ value }) => value)).toEqual(['first', 'other']);
});
