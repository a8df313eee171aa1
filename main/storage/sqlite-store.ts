// The Store on one SQLite file: which keys there are in memory, a write queue, one transaction for some turns of the host's loop.
import Database from 'better-sqlite3';
import { openDatabase } from './open-database.ts';
import { endOf, firstOf, readMeta, revisionOf, type Row, type Value } from './rows.ts';
import { Snapshots } from './snapshots.ts';
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

interface QueuedWrite {
  readonly sequence: number;
  readonly key: string;
  readonly value: Value | undefined;
  /** The row that this one supersedes. */
  readonly previous: number | undefined;
}

interface Waiter {
  /** Past the last row that it waits for. */
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What the store borrows from the host: a later turn of its loop, and a pause before a failed commit is tried again. */
export interface CommitTurns {
  immediate(task: () => void): void;
  timeout(delayMs: number, task: () => void): Disposable;
}

/** Pages of the write-ahead log at which SQLite carries them over into the file. */
const CHECKPOINT_PAGES = 4000;

/** Turns of the host's loop for which writes are gathered when nobody waits for them. */
const COMMIT_TURNS_MAX = 128;
/** And when somebody does: requests that came together share a transaction. */
const COMMIT_TURNS_WAITED = 4;

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
  /** The row of each key that has a value. */
  private readonly current = new Map<string, number>();
  private readonly keys = new SortedKeys();
  /** Values that aren't in the file yet. */
  private queued = new Map<string, Value>();
  /** Values that were met while opening, kept until somebody reads them. */
  private readonly unread = new Map<string, Value>();
  private queue: QueuedWrite[] = [];
  private waiters: Waiter[] = [];
  private readonly deferred = new Set<() => void>();
  private latest: Revision;
  /** The next row's number. */
  private next: number;
  /** Every row before this one is in the file. */
  private committed: number;
  private oldest: Revision;
  private turnQueued = false;
  private closed = false;
  private retry: Disposable | undefined;
  private readonly snapshots: Snapshots;
  private readonly valueAt: Database.Statement;
  private readonly commitQueue: (writes: readonly QueuedWrite[]) => void;

  /** Opens or makes a workspace. Throws StorageError: corrupt, newer-version, in-use, full, io. */
  constructor(options: SqliteStoreOptions) {
    const { db, release } = openDatabase(options.path);
    this.db = db;
    this.release = release;
    this.turns = options.turns;
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    this.snapshots = new Snapshots(db);
    this.valueAt = db.prepare('SELECT value FROM writes WHERE sequence = ?').pluck();
    const insert = db.prepare('INSERT INTO writes (sequence, key, value, previous) VALUES (?, ?, ?, ?)');
    const setRevision = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('revision', ?)");
    this.commitQueue = db.transaction((writes: readonly QueuedWrite[]) => {
      for (const { sequence, key, value, previous } of writes)
        insert.run(sequence, key, value ?? null, previous ?? null);
      setRevision.run(revisionOf(writes.at(-1)!.sequence));
    });
    this.latest = readMeta(db, 'revision');
    this.oldest = readMeta(db, 'compacted');
    this.next = Math.max(firstOf(this.latest), this.load() + 1);
    this.committed = this.next;
  }

  get revision(): Revision {
    return this.latest;
  }

  get compactedRevision(): Revision {
    return this.oldest;
  }

  /** Rises with every write and save. */
  get rows(): number {
    return this.next;
  }

  has(key: string): boolean {
    return this.current.has(key);
  }

  get(key: string): StoredRecord | undefined {
    const sequence = this.current.get(key);
    if (sequence === undefined) return undefined;
    return { key, value: this.read(key, sequence), revision: revisionOf(sequence) };
  }

  list(prefix: string): StoredRecord[] {
    return this.keys.withPrefix(prefix).map((key) => this.get(key)!);
  }

  write(changes: readonly Change[]): Revision {
    if (changes.length === 0) return this.latest;
    this.nextRevision();
    this.apply(changes);
    return this.latest;
  }

  save(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    if (this.next + changes.length >= firstOf(this.latest + 1)) this.nextRevision();
    this.apply(changes);
  }

  defer(task: () => void): void {
    this.deferred.add(task);
    this.queueCommit();
  }

  history(prefix: string, after: Revision): PastChange[] {
    if (after < this.oldest) throw new CompactedError(this.oldest);
    this.commit();
    const rows = this.db
      .prepare(
        'SELECT sequence, key, value, previous FROM writes WHERE sequence >= ? AND key >= ? AND key < ? ORDER BY sequence',
      )
      .all(firstOf(after + 1), prefix, endOf(prefix)) as (Row & { previous: number | null })[];
    return rows.map(({ key, sequence, value, previous }) => {
      const before = previous === null ? null : (this.valueAt.get(previous) as Value | null | undefined);
      return {
        key,
        revision: revisionOf(sequence),
        value: value ?? undefined,
        previous: before ?? undefined,
      };
    });
  }

  durable(): Promise<void> {
    this.runDeferred();
    if (this.committed >= this.next) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ sequence: this.next, resolve, reject });
      this.queueCommit();
    });
  }

  compact(revision: Revision): void {
    this.commit();
    const upTo = Math.min(revision, this.latest);
    if (upTo <= this.oldest) return;
    this.snapshots.compact(upTo, this.latest);
    this.oldest = upTo;
  }

  takeSnapshot(name: string, timeMs: number): void {
    this.commit();
    const revision = this.latest;
    this.nextRevision(); // What is saved from now on isn't part of it.
    this.snapshots.take({ name, revision, timeMs }, this.latest);
  }

  restoreSnapshot(name: string, prefixes: readonly string[]): Revision {
    this.commit();
    const revision = this.snapshots.revisionOf(name);
    if (revision === undefined) throw new StorageError('not-found', `There is no snapshot called "${name}".`);
    return this.write(prefixes.flatMap((prefix) => this.differences(prefix, revision)));
  }

  listSnapshots(): SnapshotInfo[] {
    return this.snapshots.list();
  }

  deleteSnapshot(name: string): void {
    this.snapshots.delete(name);
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.runDeferred();
    this.closed = true;
    this.retry?.[Symbol.dispose]();
    try {
      this.commit();
    } finally {
      this.db.close();
      this.release();
    }
  }

  // ── Changes ──

  private nextRevision(): void {
    this.next = firstOf(++this.latest);
  }

  private apply(changes: readonly Change[]): void {
    if (this.closed) throw new StorageError('io', 'The workspace is closed.');
    for (const { key, value } of lastOfEach(changes)) {
      const sequence = this.next++;
      const previous = this.current.get(key);
      if (value === undefined) {
        if (this.current.delete(key)) this.keys.delete(key);
        this.queued.delete(key);
      } else {
        if (previous === undefined) this.keys.add(key);
        this.current.set(key, sequence);
        this.queued.set(key, value);
      }
      if (this.unread.size > 0) this.unread.delete(key);
      this.queue.push({ sequence, key, value, previous });
    }
    this.queueCommit();
  }

  // ── Commits ──

  private queueCommit(): void {
    if (this.turnQueued || this.retry !== undefined) return;
    this.turnQueued = true;
    this.afterTurn(1);
  }

  private afterTurn(turn: number): void {
    this.turns.immediate(() => {
      const turnsMax = this.waiters.length === 0 ? COMMIT_TURNS_MAX : COMMIT_TURNS_WAITED;
      if (turn < turnsMax && !this.closed) return this.afterTurn(turn + 1);
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
    this.runDeferred();
    if (this.queue.length > 0) {
      try {
        this.commitQueue(this.queue);
      } catch (error) {
        throw asStorageError(error);
      }
      this.queue = [];
      this.queued = new Map();
    }
    this.committed = this.next;
    for (const waiter of this.waiters.splice(0)) waiter.resolve();
  }

  private runDeferred(): void {
    if (this.deferred.size === 0) return;
    for (const task of this.deferred) {
      this.deferred.delete(task); // One that throws takes none of the others with it.
      task();
    }
  }

  // ── Reading the file ──

  /** Settles what the newest row of each key is; tells the last row's number. */
  private load(): number {
    let last = 0;
    const rows = this.db
      .prepare('SELECT sequence, key, value FROM writes ORDER BY sequence')
      .iterate() as IterableIterator<Row>;
    for (const { key, sequence, value } of rows) {
      last = sequence;
      if (value === null) {
        this.current.delete(key);
        this.unread.delete(key);
      } else {
        this.current.set(key, sequence);
        this.unread.set(key, value);
      }
    }
    for (const key of [...this.current.keys()].sort()) this.keys.add(key);
    return last;
  }

  /** The value of a row, read from the file unless it hasn't got there or was just met. */
  private read(key: string, sequence: number): Value {
    const queued = this.queued.get(key);
    if (queued !== undefined) return queued;
    const unread = this.unread.get(key);
    if (unread === undefined) return this.valueAt.get(sequence) as Value;
    this.unread.delete(key); // Most values are read once, when the workspace is opened.
    return unread;
  }

  /** The writes that make what stands under `prefix` equal to what stood there at `revision`. */
  private differences(prefix: string, revision: Revision): Change[] {
    const rows = this.snapshots.rowsAt(prefix, revision);
    const then = new Map(rows.map((row) => [row.key, row]));
    const changes: Change[] = [];
    for (const key of this.keys.withPrefix(prefix)) {
      const past = then.get(key);
      if (past === undefined || past.value === null) changes.push({ key, value: undefined });
      else if (past.sequence !== this.current.get(key)) changes.push({ key, value: past.value });
    }
    for (const { key, value } of then.values()) {
      if (value !== null && !this.current.has(key)) changes.push({ key, value });
    }
    return changes;
  }
}

/** One change per key: the last. */
function lastOfEach(changes: readonly Change[]): Iterable<Change> {
  if (changes.length === 1) return changes;
  const last = new Map<string, Change>();
  for (const change of changes) last.set(change.key, change);
  return last.size === changes.length ? changes : last.values();
}

/** Translates SQLite's errors into ours. */
function asStorageError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') {
    return new StorageError(
      'full',
      'The disk that holds the workspace is full; free some space and it goes on by itself.',
      {
        cause: error,
      },
    );
  }
  return new StorageError('io', `The workspace file can't be written (${error.message}); check its disk.`, {
    cause: error,
  });
}
