// Named revisions, and the compaction that spares what they hold.
import type Database from 'better-sqlite3';
import { endOf, firstOf, readMeta, SEQUENCES_PER_REVISION, writeMeta, type Row } from './rows.ts';
import type { Revision, SnapshotInfo } from './store.ts';

/** The snapshots of a workspace file. What is queued must be committed before any of these is called. */
export class Snapshots {
  private readonly db: Database.Database;

  constructor(db: Database.Database) {
    this.db = db;
  }

  /** Pins a revision; `next` is the one that writing goes on with. One of the same name is replaced. */
  take({ name, revision, timeMs }: SnapshotInfo, next: Revision): void {
    this.delete(name);
    this.db.transaction(() => {
      this.db
        .prepare('INSERT INTO snapshots (name, revision, time_ms) VALUES (?, ?, ?)')
        .run(name, revision, timeMs);
      writeMeta(this.db, 'revision', next);
    })();
  }

  delete(name: string): void {
    const { changes } = this.db.prepare('DELETE FROM snapshots WHERE name = ?').run(name);
    if (changes > 0) writeMeta(this.db, 'swept', 0); // What it alone held must be found by the next compaction.
  }

  list(): SnapshotInfo[] {
    const rows = this.db
      .prepare('SELECT name, revision, time_ms FROM snapshots ORDER BY revision, name')
      .all();
    return (rows as { name: string; revision: number; time_ms: number }[]).map((row) => ({
      name: row.name,
      revision: row.revision,
      timeMs: row.time_ms,
    }));
  }

  revisionOf(name: string): Revision | undefined {
    const row = this.db.prepare('SELECT revision FROM snapshots WHERE name = ?').get(name);
    return (row as { revision: Revision } | undefined)?.revision;
  }

  /** The newest row of each key below the prefix as of a revision, deletions included. */
  rowsAt(prefix: string, revision: Revision): Row[] {
    return this.db
      .prepare(
        'SELECT key, MAX(sequence) AS sequence, value FROM writes WHERE sequence < ? AND key >= ? AND key < ? GROUP BY key',
      )
      .all(firstOf(revision + 1), prefix, endOf(prefix)) as Row[];
  }

  /** Forgets superseded values up to a revision, except those that snapshots hold; `latest` is still being written to. */
  compact(upTo: Revision, latest: Revision): void {
    const range = {
      from: firstOf(readMeta(this.db, 'swept') + 1),
      to: firstOf(upTo + 1),
      width: SEQUENCES_PER_REVISION,
    };
    this.db.transaction(() => {
      // A value may go when one written since hides it from every reader at `upTo` and at each snapshot.
      this.db
        .prepare(
          `DELETE FROM writes WHERE sequence IN (
             SELECT previous FROM writes AS later
             WHERE sequence >= @from AND sequence < @to AND previous IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM snapshots
               WHERE later.previous < (revision + 1) * @width AND later.sequence >= (revision + 1) * @width))`,
        )
        .run(range);
      if (this.list().length === 0) {
        this.db
          .prepare('DELETE FROM writes WHERE value IS NULL AND sequence >= @from AND sequence < @to')
          .run({ from: range.from, to: range.to });
      }
      writeMeta(this.db, 'compacted', upTo);
      writeMeta(this.db, 'swept', Math.min(upTo, latest - 1));
    })();
  }
}
