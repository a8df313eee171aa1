// System calls on paths for one process: resolves them in its mounts and checks its permissions.
import { ErrnoError } from '../../network/index.ts';
import { toBytes, type Description } from './description.ts';
import { builtInOf, scriptInterpreter } from './executable.ts';
import { DirectoryDescription, FileDescription } from './file-description.ts';
import { withinFileLimit } from './file-handle.ts';
import type { DirectoryEntry, Executable, FileStat, FileSystemView, OpenFlags } from './file-system.ts';
import type { MountTable, Place, Target } from './mount-table.ts';
import type { OpenFile } from './open-file.ts';
import type { Credentials, Process } from './process.ts';
import type { BuiltIn, NewNode, Permissions, TreeUsage, Vnode } from './vnode.ts';
import type { WatchList } from './watch-list.ts';

/** Files larger than this aren't read whole. */
const READ_FILE_BYTES_MAX = 512 * 1024 ** 2;
const STICKY = 0o1000;
const SETGID = 0o2000;

/** What the view needs of its process; throws ProcessExit once that has ended. */
export interface Viewer {
  readonly process: Process;
  readonly mounts: MountTable;
  readonly cwdPlace: Place;
  readonly credentials: Credentials;
  readonly umask: number;
  readonly watches: WatchList;
  now(): number;
  /** Called at every system call. */
  enter(): void;
  /** Hands a new description to the process. */
  adopt(description: Description): OpenFile;
  builtIn(name: string): BuiltIn | undefined;
}

/** A FileSystemView that also knows mounts. */
export interface MountedView extends FileSystemView {
  /** statfs(2). */
  usage(path: string): TreeUsage;
  /** The inode at a path and where it is mounted. */
  place(path: string, followLast?: boolean): Place;
}

/** A process' view of its mounts. */
export class PathView implements MountedView {
  private readonly viewer: Viewer;

  constructor(viewer: Viewer) {
    this.viewer = viewer;
  }

  /** Asked at every step of every path, but for root, who always may. */
  private search(directory: Vnode): void {
    if (!allows(directory.permissions(), this.viewer.credentials, 1)) throw new ErrnoError('EACCES');
  }

  private walk(path: string, followLast = true): Target {
    this.viewer.enter();
    return withPath(path, () =>
      this.viewer.mounts.walk(path, {
        from: this.viewer.cwdPlace,
        followLast,
        search: this.viewer.credentials.uid === 0 ? undefined : (directory) => this.search(directory),
        viewer: this.viewer.process,
      }),
    );
  }

  private find(path: string, followLast = true): Place {
    const { place } = this.walk(path, followLast);
    if (place === undefined) throw new ErrnoError('ENOENT', path);
    return place;
  }

  private changed(directory: Vnode, name: string, node?: Vnode): void {
    this.viewer.watches.notify(directory, name, node);
  }

  private requireOwner(place: Place, path: string): void {
    requireWritable(place, path);
    const { uid } = this.viewer.credentials;
    if (uid !== 0 && uid !== place.node.permissions().uid) throw new ErrnoError('EPERM', path);
  }

  private requireDirectoryWrite(directory: Place, path: string): void {
    requireWritable(directory, path); // That the mount is read-only comes before whether the caller may (fs/namei.c).
    if (
      this.viewer.credentials.uid !== 0 &&
      !allows(directory.node.permissions(), this.viewer.credentials, 3)
    )
      throw new ErrnoError('EACCES', path);
  }

  /** May the name be taken out of the directory? Sticky directories keep what belongs to others. */
  private requireRemovable(directory: Place, node: Vnode, path: string): void {
    this.requireDirectoryWrite(directory, path);
    const { uid } = this.viewer.credentials;
    if (uid === 0) return;
    const { mode, uid: owner } = directory.node.permissions();
    if ((mode & STICKY) !== 0 && uid !== owner && uid !== node.permissions().uid) {
      throw new ErrnoError('EPERM', path);
    }
  }

  private newNode(directory: Vnode, type: NewNode['type'], mode: number, target?: string): NewNode {
    const parent = directory.permissions();
    const inherits = (parent.mode & SETGID) !== 0;
    const masked = type === 'symlink' ? 0o777 : mode & ~this.viewer.umask & 0o7777;
    return {
      type,
      mode: inherits && type === 'directory' ? masked | SETGID : masked,
      uid: this.viewer.credentials.uid,
      gid: inherits ? parent.gid : this.viewer.credentials.gid,
      ...(target === undefined ? {} : { target }),
    };
  }

  private createAt(target: Target, path: string, type: NewNode['type'], mode: number, link?: string): Vnode {
    if (target.place !== undefined) throw new ErrnoError('EEXIST', path);
    this.requireDirectoryWrite(target.directory, path);
    const directory = target.directory.node;
    const node = withPath(path, () =>
      directory.create(target.name, this.newNode(directory, type, mode, link)),
    );
    this.changed(directory, target.name, node);
    return node;
  }

  private remove(target: Target & { readonly place: Place }, path: string): void {
    this.requireRemovable(target.directory, target.place.node, path);
    if (this.viewer.mounts.at(target.place.path) !== undefined) throw new ErrnoError('EBUSY', path);
    withPath(path, () => target.directory.node.remove(target.name));
    this.changed(target.directory.node, target.name, target.place.node);
  }

  private existing(target: Target, path: string): Target & { readonly place: Place } {
    if (target.place === undefined) throw new ErrnoError('ENOENT', path);
    return { ...target, place: target.place };
  }

  private openNode(target: Target, path: string, flags: OpenFlags, mode: number): Description {
    const writes = flags.write === true || flags.append === true;
    let { place } = target;
    let node = place?.node;
    if (place === undefined || node === undefined) {
      if (flags.create !== true) throw new ErrnoError('ENOENT', path);
      if (path.endsWith('/')) throw new ErrnoError('EISDIR', path);
      node = this.createAt(target, path, 'file', mode);
      place = { node, mounted: target.directory.mounted, above: target.directory, path: join(target) };
    } else {
      if (flags.create === true && flags.exclusive === true) throw new ErrnoError('EEXIST', path);
      if (node.type === 'symlink') throw new ErrnoError('ELOOP', path);
      const want = (writes ? 2 : 0) | (flags.read === true || !writes ? 4 : 0);
      if (!allows(node.permissions(), this.viewer.credentials, want)) throw new ErrnoError('EACCES', path);
      if (writes && (node.type === 'file' || node.type === 'directory')) requireWritable(place, path);
    }
    if (flags.directory === true && node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (node.type === 'directory') {
      if (writes) throw new ErrnoError('EISDIR', path);
      return new DirectoryDescription(node, place.path);
    }
    if (node.type === 'socket') throw new ErrnoError('ENXIO', path);
    const opened = node;
    const special = withPath(path, () => opened.open(this.viewer.process, flags, place.path));
    if (special !== undefined) return special;
    const directory = target.directory.node;
    if (flags.truncate === true && writes && (opened.sizeBytes > 0 || target.place !== undefined)) {
      withPath(path, () => opened.resize(0));
      this.changed(directory, target.name, opened);
    }
    return new FileDescription(opened, flags, place.path, () => this.changed(directory, target.name, opened));
  }

  stat(path: string): FileStat {
    return this.find(path).node.stat();
  }

  lstat(path: string): FileStat {
    return this.find(path, false).node.stat();
  }

  exists(path: string): boolean {
    try {
      return this.walk(path).place !== undefined;
    } catch (error) {
      if (error instanceof ErrnoError) return false;
      throw error;
    }
  }

  access(path: string, want: Parameters<FileSystemView['access']>[1]): boolean {
    const mask =
      (want.read === true ? 4 : 0) | (want.write === true ? 2 : 0) | (want.execute === true ? 1 : 0);
    try {
      const place = this.find(path);
      if (want.write === true && place.mounted.mount.readOnly === true) return false;
      return allows(place.node.permissions(), this.viewer.credentials, mask);
    } catch (error) {
      if (error instanceof ErrnoError) return false;
      throw error;
    }
  }

  open(path: string, flags: OpenFlags = {}, mode = 0o666): OpenFile {
    return this.viewer.adopt(this.openNode(this.walk(path), path, flags, mode));
  }

  readFile(path: string): Uint8Array {
    const description = this.openNode(this.walk(path), path, { read: true }, 0);
    if (description.kind === 'directory') throw new ErrnoError('EISDIR', path);
    const parts: Uint8Array[] = [];
    for (;;) {
      const data = description.tryRead(READ_FILE_BYTES_MAX);
      if (data === undefined || data.length === 0) break;
      parts.push(data);
      if (description.kind !== 'file') break;
    }
    if (description.references === 0 && description.kind !== 'file') description.close();
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  readText(path: string): string {
    return Buffer.from(this.readFile(path)).toString('utf8');
  }

  writeFile(
    path: string,
    content: Uint8Array | string,
    options: { readonly append?: boolean; readonly mode?: number } = {},
  ): void {
    const flags: OpenFlags = {
      write: true,
      create: true,
      append: options.append === true,
      truncate: options.append !== true,
    };
    const description = this.openNode(this.walk(path), path, flags, options.mode ?? 0o666);
    const bytes = toBytes(content);
    for (let rest = bytes; rest.length > 0;) {
      const part = withinFileLimit(this.viewer.process, description, rest);
      rest = rest.subarray(withPath(path, () => description.tryWrite(part)) || rest.length);
    }
    if (description.references === 0) description.close();
  }

  readdir(path: string): DirectoryEntry[] {
    const place = this.find(path);
    if (place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (!allows(place.node.permissions(), this.viewer.credentials, 4)) throw new ErrnoError('EACCES', path);
    const entries = withPath(path, () => place.node.list(this.viewer.process));
    return [...entries, ...this.viewer.mounts.bareTargets(place, entries)].sort(byName);
  }

  mkdir(path: string, options: { readonly recursive?: boolean; readonly mode?: number } = {}): void {
    const mode = options.mode ?? 0o777;
    if (options.recursive === true) return this.makeDirectories(path, mode);
    const target = this.walk(path, false);
    this.createAt(target, path, 'directory', mode);
    return undefined;
  }

  rmdir(path: string): void {
    if (/(^|\/)\.\/*$/.test(path)) throw new ErrnoError('EINVAL', path);
    const target = this.existing(this.walk(path, false), path);
    if (target.place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (target.place.node.list(this.viewer.process).length > 0) throw new ErrnoError('ENOTEMPTY', path);
    if (target.name === '.') throw new ErrnoError('EBUSY', path);
    this.remove(target, path);
  }

  unlink(path: string): void {
    const target = this.existing(this.walk(path, false), path);
    if (target.place.node.type === 'directory') throw new ErrnoError('EISDIR', path);
    this.remove(target, path);
  }

  removeAll(path: string): void {
    const target = this.walk(path, false);
    if (target.place === undefined) return;
    this.removeTree(this.existing(target, path), path);
  }

  rename(from: string, to: string): void {
    const source = this.existing(this.walk(from, false), from);
    const target = this.walk(to, false);
    this.moveBetween(source, target, from, to);
  }

  symlink(link: string, path: string): void {
    this.createAt(this.walk(path, false), path, 'symlink', 0o777, link);
  }

  link(from: string, path: string): void {
    const source = this.find(from, false);
    const target = this.walk(path, false);
    if (source.node.type === 'directory') throw new ErrnoError('EPERM', from);
    if (target.place !== undefined) throw new ErrnoError('EEXIST', path);
    if (source.mounted.tree !== target.directory.mounted.tree) throw new ErrnoError('EXDEV', path);
    this.requireDirectoryWrite(target.directory, path);
    withPath(path, () => target.directory.node.link(target.name, source.node));
    this.changed(target.directory.node, target.name, source.node);
  }

  readlink(path: string): string {
    const { node } = this.find(path, false);
    if (node.type !== 'symlink') throw new ErrnoError('EINVAL', path);
    return node.readlink(this.viewer.process);
  }

  realpath(path: string): string {
    return this.find(path).path;
  }

  chmod(path: string, mode: number): void {
    const place = this.find(path);
    this.requireOwner(place, path);
    withPath(path, () => place.node.change({ mode: mode & 0o7777 }));
    if (place.above !== undefined) this.changed(place.above.node, basename(place.path), place.node);
  }

  chown(path: string, uid: number, gid: number): void {
    const place = this.find(path);
    const { credentials } = this.viewer;
    requireWritable(place, path);
    const stat = place.node.permissions();
    const mayRegroup = credentials.uid === stat.uid && uid === stat.uid && inGroup(credentials, gid);
    if (credentials.uid !== 0 && !mayRegroup) throw new ErrnoError('EPERM', path);
    withPath(path, () => place.node.change({ uid, gid }));
  }

  utimes(path: string, accessMs: number, modifyMs: number): void {
    const place = this.find(path);
    this.requireOwner(place, path);
    withPath(path, () => place.node.change({ accessMs, modifyMs }));
    if (place.above !== undefined) this.changed(place.above.node, basename(place.path), place.node);
  }

  mkfifo(path: string, mode = 0o666): void {
    this.createAt(this.walk(path, false), path, 'fifo', mode);
  }

  resolve(path: string): string {
    return foldPath(path.startsWith('/') ? path : `${this.viewer.cwdPlace.path}/${path}`);
  }

  executable(path: string): Executable {
    const { node } = this.find(path);
    if (node.type !== 'file') throw new ErrnoError('EACCES', path);
    if (!allows(node.permissions(), this.viewer.credentials, 1)) throw new ErrnoError('EACCES', path);
    const builtIn = builtInOf(node, (name) => this.viewer.builtIn(name));
    if (builtIn !== undefined) return { kind: 'program', ...builtIn };
    const script = scriptInterpreter(node);
    if (script === undefined) throw new ErrnoError('ENOEXEC', path);
    return { kind: 'script', ...script };
  }

  watch(path: string, callback: Parameters<FileSystemView['watch']>[1]): ReturnType<FileSystemView['watch']> {
    return this.viewer.watches.watch(this.viewer.mounts, this.viewer.cwdPlace, path, callback);
  }

  usage(path: string): TreeUsage {
    return this.find(path).mounted.tree.usage();
  }

  place(path: string, followLast = true): Place {
    return this.find(path, followLast);
  }

  private makeDirectories(path: string, mode: number): void {
    const names = path.split('/').filter((name) => name !== '');
    let current = path.startsWith('/') ? '/' : '';
    for (const name of names) {
      current += current === '' || current === '/' ? name : `/${name}`;
      const target = this.walk(current);
      if (target.place?.node.type === 'directory') continue;
      if (target.place !== undefined) throw new ErrnoError(current === path ? 'EEXIST' : 'ENOTDIR', path);
      this.createAt(target, path, 'directory', mode);
    }
  }

  private removeTree(target: Target & { readonly place: Place }, path: string): void {
    const { place } = target;
    if (place.node.type === 'directory' && this.viewer.mounts.at(place.path) === undefined) {
      this.requireDirectoryWrite(place, path);
      for (const { name } of place.node.list(this.viewer.process)) {
        const child = this.viewer.mounts.child(place, name, this.viewer.process);
        if (child !== undefined) this.removeTree({ directory: place, name, place: child }, `${path}/${name}`);
      }
    }
    this.remove(target, path);
  }

  private moveBetween(
    source: Target & { readonly place: Place },
    target: Target,
    from: string,
    to: string,
  ): void {
    if (source.name === '.' || target.name === '.') throw new ErrnoError('EBUSY', from);
    if (source.place.mounted !== target.directory.mounted) throw new ErrnoError('EXDEV', to);
    const replaced = target.place?.node;
    if (replaced === source.place.node) return;
    this.requireRemovable(source.directory, source.place.node, from);
    this.requireDirectoryWrite(target.directory, to);
    const isDirectory = source.place.node.type === 'directory';
    if (isDirectory && `${join(target)}/`.startsWith(`${source.place.path}/`))
      throw new ErrnoError('EINVAL', to);
    if (replaced !== undefined) {
      this.requireRemovable(target.directory, replaced, to);
      if (isDirectory && replaced.type !== 'directory') throw new ErrnoError('ENOTDIR', to);
      if (!isDirectory && replaced.type === 'directory') throw new ErrnoError('EISDIR', to);
      if (isDirectory && replaced.list(this.viewer.process).length > 0) throw new ErrnoError('ENOTEMPTY', to);
    }
    if (holdsMount(this.viewer.mounts, source.place.path)) throw new ErrnoError('EBUSY', from);
    withPath(to, () => source.directory.node.rename(source.name, target.directory.node, target.name));
    this.changed(source.directory.node, source.name, source.place.node);
    this.changed(target.directory.node, target.name, source.place.node);
  }
}

/** Whether mode and owner let the credentials do what `want` says (4 read, 2 write, 1 execute or search). */
function allows(stat: Permissions, credentials: Credentials, want: number): boolean {
  if (credentials.uid === 0) {
    return (want & 1) === 0 || stat.type === 'directory' || (stat.mode & 0o111) !== 0;
  }
  const shift = credentials.uid === stat.uid ? 6 : inGroup(credentials, stat.gid) ? 3 : 0;
  return ((stat.mode >> shift) & want) === want;
}

function inGroup(credentials: Credentials, gid: number): boolean {
  return credentials.gid === gid || credentials.groups.includes(gid);
}

function requireWritable(place: Place, path: string): void {
  if (place.mounted.mount.readOnly === true) throw new ErrnoError('EROFS', path);
}

function holdsMount(mounts: MountTable, path: string): boolean {
  return mounts.list().some(({ mount }) => mount.target === path || mount.target.startsWith(`${path}/`));
}

/** Gives an errno from below the path that the caller named. */
function withPath<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof ErrnoError && error.path === undefined)
      throw new ErrnoError(error.code, path, { cause: error });
    throw error;
  }
}

function join(target: Target): string {
  return target.directory.path === '/' ? `/${target.name}` : `${target.directory.path}/${target.name}`;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function byName(a: DirectoryEntry, b: DirectoryEntry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** `.`, `..` and double slashes folded away. */
export function foldPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else names.push(name);
  }
  return `/${names.join('/')}`;
}
