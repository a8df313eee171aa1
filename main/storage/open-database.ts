// Opens a workspace file for one process: lock, integrity, version, migrations. Failures are sentences for a person.
import Database from 'better-sqlite3';
import { closeSync, openSync } from 'node:fs';
import { migrations } from './migrations.ts';
import { StorageError } from './store.ts';

const OWNER_ONLY = 0o600;

/** Opens (or makes) the file exclusively. Throws StorageError; a file that can't be used is left as it is. */
export function openDatabase(path: string): { db: Database.Database; release: () => void } {
  let db: Database.Database | undefined;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY)); // It holds keys; SQLite gives its companions the same mode.
    db = new Database(path, { timeout: 0 });
    // One process per workspace: the lock file is a database of its own, so that it is gone with its process.
    const lock = takeLock(path);
    try {
      prepare(db, path);
    } catch (error) {
      lock.close();
      throw error;
    }
    return { db, release: () => lock.close() };
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}

function takeLock(path: string): Database.Database {
  const lock = new Database(`${path}.lock`, { timeout: 0 });
  try {
    lock.pragma('journal_mode = DELETE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
      ? inUse(path, error)
      : error;
  }
}

function prepare(db: Database.Database, path: string): void {
  db.pragma('journal_mode = WAL');
  // A commit survives the death of the process; FULL would also survive power loss, at a disk flush per turn.
  db.pragma('synchronous = NORMAL');
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found > migrations.length) {
    throw new StorageError(
      'newer-version',
      `The workspace ${path} was written by a newer Drydock (format ${found}, this one knows up to ${migrations.length}); ` +
        'update Drydock or choose another workspace.',
    );
  }
  if (found === 0 && hasTables(db)) throw notOurs(path);
  if (db.pragma('quick_check(1)', { simple: true }) !== 'ok') throw corrupt(path);
  for (let version = found; version < migrations.length; version++) {
    db.transaction(() => {
      db.exec(migrations[version]!);
      db.pragma(`user_version = ${version + 1}`);
    })();
  }
}

function hasTables(db: Database.Database): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table'").get() !== undefined;
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Database.SqliteError)) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return new StorageError(
        'io',
        `The folder for the workspace ${path} doesn't exist; make it or choose another.`,
        { cause: error },
      );
    }
    if (code === undefined) return error;
    return new StorageError(
      code === 'ENOSPC' ? 'full' : 'io',
      `The workspace ${path} can't be opened (${code}); check its folder's permissions and disk.`,
      { cause: error },
    );
  }
  const { code } = error;
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return corrupt(path, error);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return inUse(path, error);
  if (code === 'SQLITE_FULL') {
    return new StorageError(
      'full',
      `There is no space left for the workspace ${path}; free some and start again.`,
      { cause: error },
    );
  }
  return new StorageError(
    'io',
    `The workspace ${path} can't be opened (${error.message}); check its folder's permissions and disk.`,
    {
      cause: error,
    },
  );
}

function inUse(path: string, cause: unknown): StorageError {
  return new StorageError(
    'in-use',
    `The workspace ${path} is open in another Drydock; close that one or choose another workspace.`,
    {
      cause,
    },
  );
}

function corrupt(path: string, cause?: unknown): StorageError {
  return new StorageError(
    'corrupt',
    `The workspace ${path} is damaged and was left untouched; move it away to start a new one, or restore a copy.`,
    { cause },
  );
}

function notOurs(path: string): StorageError {
  return new StorageError(
    'corrupt',
    `The file ${path} is a database of another program; choose another workspace.`,
  );
}
