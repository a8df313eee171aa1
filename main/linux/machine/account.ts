// Users of a machine, as /etc/passwd and /etc/group have them. passwd(5), group(5).
import { ErrnoError } from '../../network/index.ts';
import type { Credentials, FileSystemView } from '../kernel/index.ts';

export interface Account {
  readonly name: string;
  readonly credentials: Credentials;
  readonly home: string;
  readonly shell: string;
}

/** undefined when there is no such user, or no readable passwd file. */
export function findAccount(files: FileSystemView, user: string): Account | undefined {
  const row = rowsOf(files, '/etc/passwd').find(([name]) => name === user);
  if (row === undefined) return undefined;
  const gid = Number(row[3] ?? 0);
  const memberOf = rowsOf(files, '/etc/group')
    .filter((group) => (group[3] ?? '').split(',').includes(user))
    .map((group) => Number(group[2]));
  return {
    name: user,
    credentials: { uid: Number(row[2] ?? 0), gid, groups: Array.from(new Set([gid, ...memberOf])) },
    home: row[5] === undefined || row[5] === '' ? '/' : row[5],
    shell: row[6] === undefined || row[6] === '' ? '/bin/sh' : row[6],
  };
}

function rowsOf(files: FileSystemView, path: string): string[][] {
  try {
    return files
      .readText(path)
      .split('\n')
      .filter((line) => line.includes(':'))
      .map((line) => line.split(':'));
  } catch (error) {
    if (error instanceof ErrnoError) return []; // Without the file there are no users.
    throw error;
  }
}
