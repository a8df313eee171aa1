// The kernel's own view of files: an inode with its operations, implemented by each kind of tree.
import { ErrnoError } from '../../network/index.ts';
import type { Description } from './description.ts';
import type { DirectoryEntry, FileStat, FileType, OpenFlags } from './file-system.ts';
import type { FileSystemTree } from './file-tree.ts';
import type { Place } from './mount-table.ts';
import type { Process, Program } from './process.ts';

/** A built-in program as the content of an executable. */
export interface BuiltIn {
  readonly name: string;
  readonly program: Program;
}

export interface NewNode {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link. */
  readonly target?: string;
}

export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly accessMs?: number;
  readonly modifyMs?: number;
}

/** What decides who may do what; a part of stat(2). */
export interface Permissions {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** statfs(2). */
export interface TreeUsage {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly inodesTotal: number;
  readonly inodesUsed: number;
}

export interface Tree extends FileSystemTree {
  readonly root: Vnode;
  usage(): TreeUsage;
  /** The built-in of that name among the tree's own executables, for a copied executable to be found again. */
  builtIn?(name: string): BuiltIn | undefined;
}

/** An inode. What a kind of tree doesn't override fails as that kind of file does. */
export abstract class Vnode {
  abstract readonly tree: Tree;
  abstract readonly inode: number;
  abstract readonly type: FileType;
  /** Where a directory hangs in its tree; the root has none. Files may hang at several places. */
  parent: Vnode | undefined = undefined;
  name = '';

  abstract stat(): FileStat;

  /** Cheaper than `stat` where that has to count. */
  permissions(): Permissions {
    return this.stat();
  }

  get sizeBytes(): number {
    return 0;
  }
  get builtIn(): BuiltIn | undefined {
    return undefined;
  }
  /** Removed from its directory while still held: nothing can be made in it. */
  get removed(): boolean {
    return false;
  }
  change(_attributes: Attributes): void {
    throw new ErrnoError('EPERM');
  }

  // Directories.
  lookup(_name: string, _viewer?: Process): Vnode | undefined {
    throw new ErrnoError('ENOTDIR');
  }
  list(_viewer?: Process): DirectoryEntry[] {
    throw new ErrnoError('ENOTDIR');
  }
  /** Whether rmdir(2) may take it away. */
  isEmpty(viewer?: Process): boolean {
    return this.list(viewer).length === 0;
  }
  create(_name: string, _node: NewNode): Vnode {
    throw new ErrnoError('EROFS');
  }
  link(_name: string, _node: Vnode): void {
    throw new ErrnoError('EPERM');
  }
  /** Takes a name away: of a file, or of a directory that the caller has found empty. */
  remove(_name: string): void {
    throw new ErrnoError('EROFS');
  }
  /** Moves to a directory of the same tree, replacing what the caller has found replaceable. */
  rename(_name: string, _to: Vnode, _toName: string): void {
    throw new ErrnoError('EROFS');
  }

  // Links and content.
  readlink(_viewer?: Process): string {
    throw new ErrnoError('EINVAL');
  }
  /** What a link of /proc leads to without a path: an open file, a directory in use. */
  magic(_link: Place, _viewer?: Process): Place | undefined {
    return undefined;
  }
  /** It is about to be opened for writing. */
  prepareWrite(): void {
    return;
  }
  read(_offset: number, _sizeMax: number): Uint8Array {
    throw new ErrnoError('EINVAL');
  }
  write(_offset: number, _data: Uint8Array): void {
    throw new ErrnoError('EINVAL');
  }
  resize(_sizeBytes: number): void {
    throw new ErrnoError('EINVAL');
  }
  /** fallocate(2). */
  allocate(_offset: number, _sizeBytes: number, _keepSize: boolean): void {
    throw new ErrnoError('EOPNOTSUPP');
  }
  /** For what isn't plain content (devices, fifos, proc files): its own description. */
  open(_opener: Process, _flags: OpenFlags, _path: string): Description | undefined {
    return undefined;
  }
}
