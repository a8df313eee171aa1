// The Store on one SQLite file: a read model in memory, a write queue, one transaction per turn of the host's loop.
import Database from 'better-sqlite3';
import { openDatabase } from './open-database.ts';
import {
  CompactedError,
  StorageError,
  type Change,
  type PastChange,
  type Revision,
  type SnapshotInfo,
  type Store,
  type StoredRecord,
} from './store.ts';
import { SortedKeys } from './sorted-keys.ts';

type Value = string | Uint8Array;

interface QueuedWrite {
  readonly revision: Revision;
  readonly key: string;
  readonly value: Value | undefined;
}

interface Waiter {
  readonly revision: Revision;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What the store borrows from the host: a later turn of its loop, and a pause before a failed commit is tried again. */
export interface CommitTurns {
  immediate(task: () => void): void;
  timeout(delayMs: number, task: () => void): Disposable;
}

/** Wall time between tries of a commit that failed, such as on a full disk, in ms. */
const RETRY_MS = 500;

export interface SqliteStoreOptions {
  /** Path of the workspace file; made if it isn't there. Its folder must exist. */
  readonly path: string;
  readonly turns: CommitTurns;
}

/** A Store that can be closed: disposing commits what is queued and lets go of the file. */
export class SqliteStore implements Store, Disposable {
  private readonly db: Database.Database;
  private readonly release: () => void;
  private readonly turns: CommitTurns;
  private readonly current = new Map<string, StoredRecord>();
  private readonly keys = new SortedKeys();
  private queue: QueuedWrite[] = [];
  private waiters: Waiter[] = [];
  private latest: Revision;
  private committed: Revision;
  private oldest: Revision;
  private turnQueued = false;
  private closed = false;
  private retry: Disposable | undefined;
  private readonly insert: Database.Statement;
  private readonly commitQueue: (writes: readonly QueuedWrite[]) => void;

  /** Opens or makes a workspace. Throws StorageError: corrupt, newer-version, in-use, full, io. */
  constructor(options: SqliteStoreOptions) {
    const { db, release } = openDatabase(options.path);
    this.db = db;
    this.release = release;
    this.turns = options.turns;
    this.insert = db.prepare('INSERT OR REPLACE INTO records (key, revision, value) VALUES (?, ?, ?)');
    const setRevision = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('revision', ?)");
    this.commitQueue = db.transaction((writes: readonly QueuedWrite[]) => {
      for (const { key, revision, value } of writes) this.insert.run(key, revision, value ?? null);
      setRevision.run(writes.at(-1)!.revision);
    });
    this.latest = this.metaNumber('revision');
    this.committed = this.latest;
    this.oldest = this.metaNumber('compacted');
    this.load();
  }

  get revision(): Revision {
    return this.latest;
  }

  get compactedRevision(): Revision {
    return this.oldest;
  }

  get(key: string): StoredRecord | undefined {
    return this.current.get(key);
  }

  list(prefix: string): StoredRecord[] {
    return this.keys.withPrefix(prefix).map((key) => this.current.get(key)!);
  }

  write(changes: readonly Change[]): Revision {
    if (changes.length === 0) return this.latest;
    if (this.closed) throw new StorageError('io', 'The workspace is closed.');
    const revision = ++this.latest;
    for (const { key, value } of changes) {
      if (value === undefined) {
        if (this.current.delete(key)) this.keys.delete(key);
      } else {
        if (!this.current.has(key)) this.keys.add(key);
        this.current.set(key, { key, value, revision });
      }
      this.queue.push({ revision, key, value });
    }
    this.queueCommit();
    return revision;
  }

  history(prefix: string, after: Revision): PastChange[] {
    if (after < this.oldest) throw new CompactedError(this.oldest);
    this.commit();
    const rows = this.db
      .prepare('SELECT key, revision, value FROM records WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision, key')
      .all(after, prefix, endOf(prefix)) as { key: string; revision: number; value: Value | null }[];
    const before = this.db.prepare('SELECT value FROM records WHERE key = ? AND revision < ? ORDER BY revision DESC LIMIT 1');
    return rows.map(({ key, revision, value }) => {
      const previous = before.get(key, revision) as { value: Value | null } | undefined;
      return { key, revision, value: value ?? undefined, previous: previous?.value ?? undefined };
    });
  }

  durable(): Promise<void> {
    if (this.committed >= this.latest) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ revision: this.latest, resolve, reject });
      this.queueCommit();
    });
  }

  compact(revision: Revision): void {
    this.commit();
    const upTo = Math.min(revision, this.latest);
    if (upTo <= this.oldest) return;
    const pins = this.listSnapshots().map((snapshot) => snapshot.revision);
    this.db.transaction(() => {
      // A value may go when a later one exists that every reader at `upTo` and at each snapshot would see instead.
      const bounds = [...pins.filter((pin) => pin < upTo), upTo].sort((a, b) => a - b);
      let from = 0;
      for (const bound of bounds) {
        this.db
          .prepare(
            `DELETE FROM records WHERE revision >= ? AND revision <= ? AND EXISTS (
               SELECT 1 FROM records AS later
               WHERE later.key = records.key AND later.revision > records.revision AND later.revision <= ?)`,
          )
          .run(from, bound, bound);
        from = bound + 1;
      }
      if (pins.length === 0) this.db.prepare('DELETE FROM records WHERE value IS NULL AND revision <= ?').run(upTo);
      this.db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('compacted', ?)").run(upTo);
    })();
    this.oldest = upTo;
  }

  takeSnapshot(name: string, timeMs: number): void {
    this.commit();
    this.db
      .prepare('INSERT OR REPLACE INTO snapshots (name, revision, time_ms) VALUES (?, ?, ?)')
      .run(name, this.latest, timeMs);
  }

  restoreSnapshot(name: string, prefixes: readonly string[]): Revision {
    this.commit();
    const snapshot = this.db.prepare('SELECT revision FROM snapshots WHERE name = ?').get(name) as
      | { revision: number }
      | undefined;
    if (snapshot === undefined) throw new StorageError('not-found', `There is no snapshot called "${name}".`);
    return this.write(prefixes.flatMap((prefix) => this.differences(prefix, snapshot.revision)));
  }

  listSnapshots(): SnapshotInfo[] {
    const rows = this.db.prepare('SELECT name, revision, time_ms FROM snapshots ORDER BY revision, name').all();
    return (rows as { name: string; revision: number; time_ms: number }[]).map((row) => ({
      name: row.name,
      revision: row.revision,
      timeMs: row.time_ms,
    }));
  }

  deleteSnapshot(name: string): void {
    this.db.prepare('DELETE FROM snapshots WHERE name = ?').run(name);
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.closed = true;
    this.retry?.[Symbol.dispose]();
    try {
      this.commit();
    } finally {
      this.db.close();
      this.release();
    }
  }

  // ── Commits ──

  private queueCommit(): void {
    if (this.turnQueued || this.retry !== undefined) return;
    this.turnQueued = true;
    this.turns.immediate(() => {
      this.turnQueued = false;
      if (!this.closed) this.tryCommit();
    });
  }

  private tryCommit(): void {
    try {
      this.commit();
    } catch (error) {
      for (const waiter of this.waiters.splice(0)) waiter.reject(error);
      this.retry ??= this.turns.timeout(RETRY_MS, () => {
        this.retry = undefined;
        if (!this.closed) this.tryCommit();
      });
    }
  }

  private commit(): void {
    if (this.queue.length > 0) {
      try {
        this.commitQueue(this.queue);
      } catch (error) {
        throw asStorageError(error);
      }
      this.committed = this.queue.at(-1)!.revision;
      this.queue = [];
    }
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = waiters.filter((waiter) => waiter.revision > this.committed);
    for (const waiter of waiters) if (waiter.revision <= this.committed) waiter.resolve();
  }

  // ── Reading the file ──

  private load(): void {
    const rows = this.db
      .prepare(
        `SELECT records.key, records.revision, records.value FROM records
         JOIN (SELECT key, MAX(revision) AS revision FROM records GROUP BY key) AS last
         ON records.key = last.key AND records.revision = last.revision
         WHERE records.value IS NOT NULL ORDER BY records.key`,
      )
      .iterate() as IterableIterator<{ key: string; revision: number; value: Value }>;
    for (const { key, revision, value } of rows) {
      this.current.set(key, { key, value, revision });
      this.keys.add(key);
    }
  }

  /** The writes that make what stands under `prefix` equal to what stood there at `revision`. */
  private differences(prefix: string, revision: Revision): Change[] {
    const rows = this.db
      .prepare(
        `SELECT records.key, records.revision, records.value FROM records
         JOIN (SELECT key, MAX(revision) AS revision FROM records
               WHERE revision <= ? AND key >= ? AND key < ? GROUP BY key) AS last
         ON records.key = last.key AND records.revision = last.revision`,
      )
      .all(revision, prefix, endOf(prefix)) as { key: string; revision: number; value: Value | null }[];
    const then = new Map(rows.map((row) => [row.key, row]));
    const changes: Change[] = [];
    for (const { key, revision: written } of this.list(prefix)) {
      const past = then.get(key);
      if (past === undefined || past.value === null) changes.push({ key, value: undefined });
      else if (past.revision !== written) changes.push({ key, value: past.value });
    }
    for (const { key, value } of then.values()) {
      if (value !== null && !this.current.has(key)) changes.push({ key, value });
    }
    return changes;
  }

  private metaNumber(name: string): number {
    const row = this.db.prepare('SELECT value FROM meta WHERE name = ?').get(name) as { value: number } | undefined;
    return row?.value ?? 0;
  }
}

/** The first string after all that begin with `prefix`. */
function endOf(prefix: string): string {
  return prefix + '\u{10FFFF}';
}

/** Translates SQLite's errors into ours. */
function asStorageError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') {
    return new StorageError('full', 'The disk that holds the workspace is full; free some space and it goes on by itself.', {
      cause: error,
    });
  }
  return new StorageError('io', `The workspace file can't be written (${error.message}); check its disk.`, { cause: error });
}
