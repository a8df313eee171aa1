// The workspace's schema as numbered steps; step n brings a file of version n to version n + 1. Never edit a released one.

export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- Every write that is still told: NULL is a deletion.
  CREATE TABLE records (key TEXT NOT NULL, revision INTEGER NOT NULL, value, PRIMARY KEY (key, revision)) WITHOUT ROWID;
  CREATE INDEX records_by_revision ON records (revision);
  CREATE TABLE snapshots (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, time_ms REAL NOT NULL) WITHOUT ROWID;
  `,
];
