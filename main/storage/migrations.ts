// The workspace's schema as numbered steps; step n brings a file of version n to version n + 1. Never edit a released one.

export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- Every write that is still told: NULL is a deletion.
  CREATE TABLE records (key TEXT NOT NULL, revision INTEGER NOT NULL, value, PRIMARY KEY (key, revision)) WITHOUT ROWID;
  CREATE INDEX records_by_revision ON records (revision);
  CREATE TABLE snapshots (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, time_ms REAL NOT NULL) WITHOUT ROWID;
  `,
  // Rows in the order of writing, so that a commit fills the file's last pages instead of touching many.
  // sequence = revision * 2^20 + the place within that write; previous: the row that this one supersedes.
  `
  CREATE TABLE writes (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, value, previous INTEGER);
  INSERT INTO writes (sequence, key, value, previous)
    SELECT sequence, key, value, CASE WHEN prior_is_value THEN prior END FROM (
      SELECT sequence, key, value,
        LAG(sequence) OVER (PARTITION BY key ORDER BY sequence) AS prior,
        LAG(value IS NOT NULL) OVER (PARTITION BY key ORDER BY sequence) AS prior_is_value
      FROM (
        SELECT revision * 1048576 + ROW_NUMBER() OVER (PARTITION BY revision ORDER BY key) - 1 AS sequence, key, value
        FROM records))
    ORDER BY sequence;
  DROP TABLE records;
  `,
];
