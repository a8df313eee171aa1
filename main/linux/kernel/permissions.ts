// Who may do what with an inode: fs/namei.c generic_permission and its neighbours.
import type { Capability } from './capability.ts';
import type { Credentials } from './process.ts';
import type { Permissions, Vnode } from './vnode.ts';

export const READ = 4;
export const WRITE = 2;
export const EXECUTE = 1;

const SETUID = 0o4000;
const SETGID = 0o2000;
const STICKY = 0o1000;
const GROUP_EXECUTE = 0o010;

/** Whoever asks: a process, or the kernel itself. */
export interface Subject {
  readonly credentials: Credentials;
  can(capability: Capability): boolean;
}

/** Whether mode and owner, or a capability, let the subject do all that `want` says. */
export function allows(inode: Permissions, subject: Subject, want: number): boolean {
  const { uid } = subject.credentials;
  const shift = uid === inode.uid ? 6 : inGroup(subject.credentials, inode.gid) ? 3 : 0;
  if (((inode.mode >> shift) & want) === want) return true;
  const isDirectory = inode.type === 'directory';
  if (isDirectory ? (want & WRITE) === 0 : want === READ) {
    if (subject.can('DAC_READ_SEARCH')) return true;
  }
  const overridable = isDirectory || (want & EXECUTE) === 0 || (inode.mode & 0o111) !== 0;
  return overridable && subject.can('DAC_OVERRIDE');
}

function inGroup(credentials: Credentials, gid: number): boolean {
  return credentials.gid === gid || credentials.groups.includes(gid);
}

/** Its owner, or who has the rights of one. */
export function owns(inode: Permissions, subject: Subject): boolean {
  return subject.credentials.uid === inode.uid || subject.can('FOWNER');
}

/** A sticky directory keeps what belongs to others. */
export function keeps(directory: Permissions, inode: Permissions, subject: Subject): boolean {
  const { uid } = subject.credentials;
  if ((directory.mode & STICKY) === 0 || uid === directory.uid || uid === inode.uid) return false;
  return !subject.can('FOWNER');
}

/** May the owner be set to `uid` and the group to `gid`? */
export function mayChown(inode: Permissions, subject: Subject, uid: number, gid: number): boolean {
  if (subject.can('CHOWN')) return true;
  const isOwner = subject.credentials.uid === inode.uid;
  return isOwner && uid === inode.uid && (gid === inode.gid || inGroup(subject.credentials, gid));
}

/** The mode that chmod really sets: a group that the subject isn't in can't be given through setgid. */
export function settableMode(inode: Permissions, subject: Subject, mode: number): number {
  const mayGive = inGroup(subject.credentials, inode.gid) || subject.can('FSETID');
  return mayGive ? mode & 0o7777 : mode & 0o7777 & ~SETGID;
}

/** Mode, owner and group of what is made in a directory. */
export function newAttributes(
  directory: Permissions,
  subject: Subject,
  type: Permissions['type'],
  mode: number,
): Permissions {
  const { uid, gid } = subject.credentials;
  if ((directory.mode & SETGID) === 0) return { type, mode, uid, gid };
  if (type === 'directory') return { type, mode: mode | SETGID, uid, gid: directory.gid };
  const gives = (mode & (SETGID | GROUP_EXECUTE)) === (SETGID | GROUP_EXECUTE);
  const may = !gives || inGroup(subject.credentials, directory.gid) || subject.can('FSETID');
  return { type, mode: may ? mode : mode & ~SETGID, uid, gid: directory.gid };
}

/** A new owner takes setuid and setgid from a file, whoever gives it. */
export function modeAfterChown(inode: Permissions, subject: Subject): number {
  if (inode.type === 'directory') return inode.mode;
  const kept = inode.mode & ~SETUID;
  if ((kept & SETGID) === 0) return kept;
  const isExecutable = (kept & GROUP_EXECUTE) !== 0;
  const keepsGroup = !isExecutable && (inGroup(subject.credentials, inode.gid) || subject.can('FSETID'));
  return keepsGroup ? kept : kept & ~SETGID;
}

/** So does writing to it, unless by who may give such rights: file_remove_privs. */
export function dropPrivileges(node: Vnode, subject: Subject): void {
  const inode = node.permissions();
  if ((inode.mode & (SETUID | SETGID)) === 0 || inode.type !== 'file' || subject.can('FSETID')) return;
  const mode = modeAfterChown(inode, subject);
  if (mode !== inode.mode) node.change({ mode });
}

/** Whether others than its owner may make further names of it: fs.protected_hardlinks. */
export function isSafeToLink(inode: Permissions, subject: Subject): boolean {
  if (owns(inode, subject)) return true;
  const gives =
    (inode.mode & SETUID) !== 0 || (inode.mode & (SETGID | GROUP_EXECUTE)) === (SETGID | GROUP_EXECUTE);
  return inode.type === 'file' && !gives && allows(inode, subject, READ | WRITE);
}
