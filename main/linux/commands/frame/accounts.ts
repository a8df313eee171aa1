// Users and groups: /etc/passwd and /etc/group as getpwnam(3) and friends read them.
import type { Process } from '../../kernel/index.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function table(proc: Process, path: string): string[][] {
  if (!proc.fs.exists(path)) return [];
  return proc.fs
    .readText(path)
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'));
}

export function listUsers(proc: Process): User[] {
  return table(proc, '/etc/passwd').map(
    ([name = '', , uid = '', gid = '', gecos = '', home = '/', shell = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      gecos,
      home,
      shell,
    }),
  );
}

export function listGroups(proc: Process): Group[] {
  return table(proc, '/etc/group').map(([name = '', , gid = '', members = '']) => ({
    name,
    gid: Number(gid),
    members: members === '' ? [] : members.split(','),
  }));
}

export function userByName(proc: Process, name: string): User | undefined {
  return listUsers(proc).find((user) => user.name === name);
}

function userById(proc: Process, uid: number): User | undefined {
  return listUsers(proc).find((user) => user.uid === uid);
}

export function groupByName(proc: Process, name: string): Group | undefined {
  return listGroups(proc).find((group) => group.name === name);
}

export function userName(proc: Process, uid: number): string {
  return userById(proc, uid)?.name ?? (uid === 0 ? 'root' : String(uid));
}

export function groupName(proc: Process, gid: number): string {
  return listGroups(proc).find((group) => group.gid === gid)?.name ?? (gid === 0 ? 'root' : String(gid));
}
