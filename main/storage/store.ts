// What the engine asks of storage: keyed records with one revision counter, atomic writes, history, snapshots.

/** Counts the workspace's writes, saves left out. Kubernetes' resourceVersion is this number. */
export type Revision = number;

/** A value with the revision at which it was last written. Values are JSON text or bytes; storage doesn't look inside. */
export interface StoredRecord {
  readonly key: string;
  readonly value: string | Uint8Array;
  /** The revision of the last write. */
  readonly revision: Revision;
}

/** One write: a value, or undefined to delete. */
export interface Change {
  readonly key: string;
  readonly value: string | Uint8Array | undefined;
}

/** A past write, as `history` tells it. */
export interface PastChange {
  readonly key: string;
  readonly revision: Revision;
  /** What was written; undefined for a deletion. */
  readonly value: string | Uint8Array | undefined;
  /** What stood there before; undefined if nothing did. */
  readonly previous: string | Uint8Array | undefined;
}

export interface SnapshotInfo {
  readonly name: string;
  readonly revision: Revision;
  /** Virtual time at which it was taken, in ms since the epoch. */
  readonly timeMs: number;
}

/**
 * The records of one workspace. Keys are slash-separated paths:
 * `/registry/…` Kubernetes objects (etcd's keys), `/machines/…` files and histories, `/lab/…` progress,
 * `/input/…` the input log, `/settings/…`.
 *
 * Writes take effect at once for whoever reads here; they reach the disk together, soon after. Whatever leaves the
 * simulation (an HTTP answer to the host, terminal output on the screen) waits for `durable()` first, so nothing
 * that anybody outside has seen acknowledged can be lost.
 */
export interface Store {
  /** The revision of the latest write; 0 in a new workspace. */
  readonly revision: Revision;
  /** The oldest revision from which `history` is complete. */
  readonly compactedRevision: Revision;
  /** Whether there is such a record; cheaper than `get`, which may go to the file for the value. */
  has(key: string): boolean;
  get(key: string): StoredRecord | undefined;
  /** The records whose keys begin with `prefix`, in key order. */
  list(prefix: string): StoredRecord[];
  /** Applies all changes atomically under ONE new revision, and returns it. An empty list changes nothing. */
  write(changes: readonly Change[]): Revision;
  /**
   * Applies all changes atomically under the revision that stands: for what nobody watches or compares by revision,
   * such as files. Saving more or less often then leaves the numbers that a learner sees alone.
   */
  save(changes: readonly Change[]): void;
  /** Has `task` called once before the next commit: for what gathers changes and had better save them late, together. */
  defer(task: () => void): void;
  /** What was written to keys beginning with `prefix` after `after`, oldest first. Throws CompactedError if that is gone. */
  history(prefix: string, after: Revision): PastChange[];
  /** Settles once everything written so far is on disk; rejects with StorageError (disk full …), the writes being kept and retried. */
  durable(): Promise<void>;
  /** Forgets superseded values up to `revision`, except those that snapshots hold. */
  compact(revision: Revision): void;

  /** Names the present state. Taking a name again replaces it. */
  takeSnapshot(name: string, timeMs: number): void;
  /** Writes back, as new revisions, the values that keys under `prefixes` had; throws if there is no such snapshot. */
  restoreSnapshot(name: string, prefixes: readonly string[]): Revision;
  listSnapshots(): SnapshotInfo[];
  deleteSnapshot(name: string): void;
}

/** `history` was asked for revisions that compaction took; the API server answers 410 Gone. */
export class CompactedError extends Error {
  readonly compactedRevision: Revision;
  constructor(compactedRevision: Revision) {
    super(`required revision has been compacted (compacted revision ${compactedRevision})`);
    this.compactedRevision = compactedRevision;
  }
}

export type StorageErrorCode = 'full' | 'io' | 'corrupt' | 'newer-version' | 'in-use' | 'not-found';

/** A workspace can't be opened or written; `message` is one sentence for a person, with what to do. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
