// A Store in memory, for tests that need records but no file.
import { CompactedError, type PastChange, type Store, type StoredRecord } from '../../main/storage/index.ts';

/** Keeps every record and its history until the test ends; `durable` settles at once. */
export function makeMemoryStore(): Store {
  const records = new Map<string, StoredRecord>();
  const past: PastChange[] = [];
  const snapshots = new Map<string, { timeMs: number; revision: number; records: StoredRecord[] }>();
  const deferred = new Set<() => void>();
  const runDeferred = (): void => {
    const tasks = Array.from(deferred);
    deferred.clear();
    for (const task of tasks) task();
  };
  let revision = 0;
  let compactedRevision = 0;
  const store: Store = {
    get revision() {
      return revision;
    },
    get compactedRevision() {
      return compactedRevision;
    },
    has: (key) => records.has(key),
    get: (key) => records.get(key),
    list: (prefix) =>
      Array.from(records.values())
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    write(changes) {
      if (changes.length === 0) return revision;
      revision++;
      for (const { key, value } of changes) {
        past.push({ key, revision, value, previous: records.get(key)?.value });
        if (value === undefined) records.delete(key);
        else records.set(key, { key, value, revision });
      }
      return revision;
    },
    save(changes) {
      for (const { key, value } of changes) {
        if (value === undefined) records.delete(key);
        else records.set(key, { key, value, revision });
      }
    },
    defer(task) {
      deferred.add(task);
      queueMicrotask(runDeferred);
    },
    history(prefix, after) {
      if (after < compactedRevision) throw new CompactedError(compactedRevision);
      return past.filter((change) => change.revision > after && change.key.startsWith(prefix));
    },
    durable() {
      runDeferred();
      return Promise.resolve();
    },
    compact(upTo) {
      compactedRevision = Math.max(compactedRevision, upTo);
    },
    takeSnapshot(name, timeMs) {
      runDeferred();
      snapshots.set(name, { timeMs, revision, records: Array.from(records.values()) });
    },
    restoreSnapshot(name, prefixes) {
      const snapshot = snapshots.get(name);
      if (snapshot === undefined) throw new Error(`there is no snapshot ${name}`);
      const concerns = ({ key }: { key: string }): boolean =>
        prefixes.some((prefix) => key.startsWith(prefix));
      const kept = new Map(snapshot.records.filter(concerns).map(({ key, value }) => [key, value]));
      const gone = Array.from(records.values()).filter((record) => concerns(record) && !kept.has(record.key));
      return store.write([
        ...gone.map(({ key }) => ({ key, value: undefined })),
        ...Array.from(kept, ([key, value]) => ({ key, value })),
      ]);
    },
    listSnapshots: () =>
      Array.from(snapshots, ([name, snapshot]) => ({
        name,
        revision: snapshot.revision,
        timeMs: snapshot.timeMs,
      })),
    deleteSnapshot: (name) => void snapshots.delete(name),
  };
  return store;
}
