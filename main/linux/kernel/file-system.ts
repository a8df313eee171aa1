// The file system as a process sees it: paths resolved in its mount namespace with its credentials.
import type { OpenFile } from './open-file.ts';
import type { Program } from './process.ts';

export type FileType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character-device'
  | 'block-device';

/** inode(7). Times are virtual, in ms since the epoch. */
export interface FileStat {
  readonly type: FileType;
  readonly inode: number;
  readonly device: number;
  /** st_rdev of a device file: major * 256 + minor. */
  readonly rdev?: number;
  /** Permission bits with setuid, setgid, sticky: 0o7777. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** st_blocks in bytes, of files in memory or on a disk: less than the size where there are holes. */
  readonly allocatedBytes?: number;
  readonly accessMs: number;
  readonly modifyMs: number;
  readonly changeMs: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: FileType;
}

export interface OpenFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly directory?: boolean;
}

/**
 * System calls on paths; relative ones start at the process's cwd. All are immediate, and throw ErrnoError with
 * code and path (ENOENT, EACCES, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, EROFS, ENOSPC, ELOOP, EXDEV …).
 */
export interface FileSystemView {
  stat(path: string): FileStat;
  lstat(path: string): FileStat;
  /** False instead of an error. */
  exists(path: string): boolean;
  /** access(2) with real credentials. */
  access(
    path: string,
    want: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean },
  ): boolean;
  /** Absent flags mean reading. */
  open(path: string, flags?: OpenFlags, mode?: number): OpenFile;
  readFile(path: string): Uint8Array;
  readText(path: string): string;
  /** Creates or replaces the content (or appends); keeps owner and mode of an existing file. */
  writeFile(
    path: string,
    content: Uint8Array | string,
    options?: { readonly append?: boolean; readonly mode?: number },
  ): void;
  /** Sorted by name; without `.` and `..`. */
  readdir(path: string): DirectoryEntry[];
  mkdir(path: string, options?: { readonly recursive?: boolean; readonly mode?: number }): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  /** Removes a tree; nothing there is no error. */
  removeAll(path: string): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  link(existing: string, path: string): void;
  readlink(path: string): string;
  realpath(path: string): string;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number): void;
  utimes(path: string, accessMs: number, modifyMs: number): void;
  mkfifo(path: string, mode?: number): void;
  /** The absolute form of a path, `.` and `..` folded, links not followed. */
  resolve(path: string): string;
  /** What an executable runs: a built-in program (the ELF files of images), or a script with its interpreter. Throws EACCES, ENOEXEC, ENOENT. */
  executable(path: string): Executable;
  /** Calls back after any change at or below `path`. Events of one instant may be merged. */
  watch(path: string, changed: (path: string) => void): Disposable;
}

export type Executable =
  | { readonly kind: 'program'; readonly program: Program; readonly name: string }
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string | undefined };
