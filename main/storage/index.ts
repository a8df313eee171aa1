// Keeps a workspace: records with revisions and history in one SQLite file, durable once acknowledged.
// What keys and values mean is decided above.
export {
  CompactedError,
  StorageError,
  type Change,
  type PastChange,
  type Revision,
  type Store,
  type StoredRecord,
} from './store.ts';
export { SqliteStore } from './sqlite-store.ts';
