// Whom a container runs as: a name or number of the image's own passwd and group files, as runc resolves it.
import type { Credentials, FileSystemView } from '../kernel/index.ts';
import { RuntimeError } from './containerd.ts';

export interface ContainerUser {
  readonly credentials: Credentials;
  readonly home: string;
}

/** `user` is `name`, `uid`, `name:group` or `uid:gid`; empty is root. Throws RuntimeError for a name that isn't there. */
export function resolveUser(
  files: FileSystemView,
  user: string,
  moreGroups: readonly number[] = [],
): ContainerUser {
  const [who = '', group] = user.split(':');
  const accounts = rowsOf(files, '/etc/passwd');
  const groups = rowsOf(files, '/etc/group');
  const account =
    who === ''
      ? accounts.find((row) => row[2] === '0')
      : accounts.find((row) => row[0] === who || row[2] === who);
  if (account === undefined && who !== '' && !/^\d+$/.test(who)) {
    throw new RuntimeError('Unknown', `unable to find user ${who}: no matching entries in passwd file`);
  }
  const uid = Number(account?.[2] ?? (who === '' ? 0 : who));
  const gid = group === undefined || group === '' ? Number(account?.[3] ?? 0) : groupId(groups, group);
  const name = account?.[0];
  const supplementary = groups
    .filter((row) => name !== undefined && (row[3] ?? '').split(',').includes(name))
    .map((row) => Number(row[2]));
  // The kernel keeps them sorted.
  const all = [...new Set([gid, ...supplementary, ...moreGroups])].toSorted((a, b) => a - b);
  return { credentials: { uid, gid, groups: all }, home: account?.[5] ?? '/' };
}

function groupId(groups: readonly string[][], group: string): number {
  const row = groups.find((candidate) => candidate[0] === group || candidate[2] === group);
  if (row !== undefined) return Number(row[2]);
  if (/^\d+$/.test(group)) return Number(group);
  throw new RuntimeError('Unknown', `unable to find group ${group}: no matching entries in group file`);
}

function rowsOf(files: FileSystemView, path: string): string[][] {
  if (!files.exists(path)) return [];
  return files
    .readText(path)
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'));
}
