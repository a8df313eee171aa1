// How rows of the workspace file are numbered, and the few numbers kept beside them.
import type Database from 'better-sqlite3';
import type { Revision } from './store.ts';

export type Value = string | Uint8Array;

export interface Row {
  readonly sequence: number;
  readonly key: string;
  /** Null is a deletion. */
  readonly value: Value | null;
}

/** A row's number is its revision times this, plus its place under that revision; see the migrations. */
export const SEQUENCES_PER_REVISION = 2 ** 20;

export function revisionOf(sequence: number): Revision {
  return Math.floor(sequence / SEQUENCES_PER_REVISION);
}

/** The number of the first row of a revision. */
export function firstOf(revision: Revision): number {
  return revision * SEQUENCES_PER_REVISION;
}

/** The first string after all that begin with `prefix`. */
export function endOf(prefix: string): string {
  return prefix + '\u{10FFFF}';
}

/** `revision`, `compacted` or `swept`; 0 if it was never written. */
export function readMeta(db: Database.Database, name: string): number {
  const row = db.prepare('SELECT value FROM meta WHERE name = ?').get(name) as { value: number } | undefined;
  return row?.value ?? 0;
}

export function writeMeta(db: Database.Database, name: string, value: number): void {
  db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)').run(name, value);
}
