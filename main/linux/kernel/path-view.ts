// System calls on paths for one process: resolves them in its mounts and checks its permissions.
import { ErrnoError } from '../../network/index.ts';
import type { Capability } from './capability.ts';
import { toBytes, type Description } from './description.ts';
import { builtInOf, scriptInterpreter } from './executable.ts';
import { DirectoryDescription, FileDescription } from './file-description.ts';
import { withinFileLimit } from './file-handle.ts';
import type { DirectoryEntry, Executable, FileStat, FileSystemView, OpenFlags } from './file-system.ts';
import { currentPath, type MountTable, type Place, type Target, type WalkOptions } from './mount-table.ts';
import type { OpenFile } from './open-file.ts';
import type { Credentials, Process } from './process.ts';
import {
  allows,
  dropPrivileges,
  EXECUTE,
  isSafeToLink,
  keeps,
  mayChown,
  modeAfterChown,
  newAttributes,
  owns,
  READ,
  settableMode,
  WRITE,
} from './permissions.ts';
import type { BuiltIn, NewNode, TreeUsage, Vnode } from './vnode.ts';
import type { WatchList } from './watch-list.ts';

/** Files larger than this aren't read whole. */
const READ_FILE_BYTES_MAX = 512 * 1024 ** 2;

/** What the view needs of its process; throws ProcessExit once that has ended. */
export interface Viewer {
  readonly process: Process;
  readonly mounts: MountTable;
  readonly cwdPlace: Place;
  readonly credentials: Credentials;
  readonly umask: number;
  can(capability: Capability): boolean;
  readonly watches: WatchList;
  now(): number;
  /** Called at every system call. */
  enter(): void;
  /** Hands a new description to the process. */
  adopt(description: Description): OpenFile;
  builtIn(name: string): BuiltIn | undefined;
  /** Whether a process runs that file. */
  isRunning(node: Vnode): boolean;
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
    if (!allows(directory.permissions(), this.viewer, EXECUTE)) throw new ErrnoError('EACCES');
  }

  private walk(
    path: string,
    options: Pick<WalkOptions, 'followLast' | 'parentOnly' | 'create'> = {},
  ): Target {
    this.viewer.enter();
    return withPath(path, () =>
      this.viewer.mounts.walk(path, {
        ...options,
        from: this.viewer.cwdPlace,
        search: this.viewer.can('DAC_OVERRIDE') ? undefined : (directory) => this.search(directory),
        viewer: this.viewer.process,
      }),
    );
  }

  private find(path: string, followLast = true): Place {
    const { place } = this.walk(path, { followLast });
    if (place === undefined) throw new ErrnoError('ENOENT', path);
    return place;
  }

  private changed(directory: Vnode, name: string, node?: Vnode): void {
    this.viewer.watches.notify(directory, name, node);
  }

  private attributesChanged(place: Place): void {
    if (place.above !== undefined) this.changed(place.above.node, basename(place.path), place.node);
  }

  private requireOwner(place: Place, path: string): void {
    requireWritable(place, path);
    if (!owns(place.node.permissions(), this.viewer)) throw new ErrnoError('EPERM', path);
  }

  /** May names be made in the directory? */
  private requireDirectoryWrite({ node }: Place, path: string): void {
    if (node.removed) throw new ErrnoError('ENOENT', path);
    if (!allows(node.permissions(), this.viewer, WRITE | EXECUTE)) throw new ErrnoError('EACCES', path);
  }

  /** May the name be taken out of its directory? fs/namei.c, may_delete. */
  private requireRemovable(
    { directory, place: { node } }: Existing,
    isDirectory: boolean,
    path: string,
  ): void {
    const permissions = directory.node.permissions();
    if (!allows(permissions, this.viewer, WRITE | EXECUTE)) throw new ErrnoError('EACCES', path);
    if (keeps(permissions, node.permissions(), this.viewer)) throw new ErrnoError('EPERM', path);
    if (isDirectory && node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (!isDirectory && node.type === 'directory') throw new ErrnoError('EISDIR', path);
  }

  /** Where something is to be made: fs/namei.c, filename_create. */
  private vacant(path: string, isDirectory = false): Target {
    const target = this.walk(path, { parentOnly: true });
    if (target.place !== undefined) throw new ErrnoError('EEXIST', path);
    if (target.slash && !isDirectory) throw new ErrnoError('ENOENT', path);
    requireWritable(target.directory, path);
    return target;
  }

  private make(target: Target, path: string, type: NewNode['type'], mode: number, link?: string): Vnode {
    this.requireDirectoryWrite(target.directory, path);
    const directory = target.directory.node;
    const masked = type === 'symlink' ? 0o777 : mode & ~this.viewer.umask;
    const node = withPath(path, () =>
      directory.create(target.name, {
        ...newAttributes(directory.permissions(), this.viewer, type, masked),
        ...(link === undefined ? {} : { target: link }),
      }),
    );
    this.changed(directory, target.name, node);
    return node;
  }

  private remove(target: Existing, isDirectory: boolean, path: string): void {
    this.requireRemovable(target, isDirectory, path);
    if (isMounted(target.place)) throw new ErrnoError('EBUSY', path);
    if (isDirectory && !target.place.node.isEmpty(this.viewer.process))
      throw new ErrnoError('ENOTEMPTY', path);
    withPath(path, () => target.directory.node.remove(target.name));
    this.changed(target.directory.node, target.name, target.place.node);
  }

  private openNode(path: string, flags: OpenFlags, mode: number): Description {
    const writes = flags.write === true || flags.append === true;
    const creates = flags.create === true;
    const target = this.walk(path, { create: creates, followLast: !creates || flags.exclusive !== true });
    const place = target.place ?? (creates ? this.createFile(target, path, mode) : undefined);
    if (place === undefined) throw new ErrnoError('ENOENT', path);
    const opened = place.node;
    if (target.place !== undefined) this.requireOpenable(place, path, flags);
    if (opened.type === 'directory') return new DirectoryDescription(place);
    if (opened.type === 'socket') throw new ErrnoError('ENXIO', path);
    const special = withPath(path, () => opened.open(this.viewer.process, flags, place.path));
    if (special !== undefined) return special;
    const directory = target.directory.node;
    const changed = (): void => this.changed(directory, target.name, opened);
    if (writes) withPath(path, () => opened.prepareWrite());
    if (flags.truncate === true && writes && target.place !== undefined) {
      dropPrivileges(opened, this.viewer);
      withPath(path, () => opened.resize(0));
      changed();
    }
    return new FileDescription(place, flags, changed);
  }

  private createFile(target: Target, path: string, mode: number): Place {
    requireWritable(target.directory, path);
    const node = this.make(target, path, 'file', mode);
    const { mounted } = target.directory;
    return { node, mounted, above: target.directory, path: join(target) };
  }

  /** What is there already: fs/namei.c, do_open. */
  private requireOpenable(place: Place, path: string, flags: OpenFlags): void {
    const { node } = place;
    const writes = flags.write === true || flags.append === true;
    if (flags.create === true) {
      if (flags.exclusive === true) throw new ErrnoError('EEXIST', path);
      if (node.type === 'directory') throw new ErrnoError('EISDIR', path);
    }
    if (flags.directory === true && node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (node.type === 'symlink') throw new ErrnoError('ELOOP', path);
    if (writes && node.type === 'directory') throw new ErrnoError('EISDIR', path);
    const want = (writes ? WRITE : 0) | (flags.read === true || !writes ? READ : 0);
    if (!allows(node.permissions(), this.viewer, want)) throw new ErrnoError('EACCES', path);
    if (!writes || node.type !== 'file') return;
    requireWritable(place, path);
    if (this.viewer.isRunning(node)) throw new ErrnoError('ETXTBSY', path);
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
      return allows(place.node.permissions(), this.viewer, mask);
    } catch (error) {
      if (error instanceof ErrnoError) return false;
      throw error;
    }
  }

  open(path: string, flags: OpenFlags = {}, mode = 0o666): OpenFile {
    return this.viewer.adopt(this.openNode(path, flags, mode));
  }

  readFile(path: string): Uint8Array {
    const description = this.openNode(path, { read: true }, 0);
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
    const description = this.openNode(path, flags, options.mode ?? 0o666);
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
    if (!allows(place.node.permissions(), this.viewer, READ)) throw new ErrnoError('EACCES', path);
    const entries = withPath(path, () => place.node.list(this.viewer.process));
    return [...entries, ...this.viewer.mounts.bareTargets(place, entries)].sort(byName);
  }

  mkdir(path: string, options: { readonly recursive?: boolean; readonly mode?: number } = {}): void {
    const mode = options.mode ?? 0o777;
    if (options.recursive === true) return this.makeDirectories(path, mode);
    this.make(this.vacant(path, true), path, 'directory', mode & 0o1777);
    return undefined;
  }

  rmdir(path: string): void {
    const { kind, ...target } = this.walk(path, { parentOnly: true });
    if (kind === 'dotdot') throw new ErrnoError('ENOTEMPTY', path);
    if (kind === 'dot') throw new ErrnoError('EINVAL', path);
    if (kind === 'root') throw new ErrnoError('EBUSY', path);
    requireWritable(target.directory, path);
    this.remove(existing(target, path), true, path);
  }

  unlink(path: string): void {
    const { kind, slash, ...target } = this.walk(path, { parentOnly: true });
    if (kind !== 'name') throw new ErrnoError('EISDIR', path);
    requireWritable(target.directory, path);
    const found = existing(target, path);
    if (slash) throw new ErrnoError(found.place.node.type === 'directory' ? 'EISDIR' : 'ENOTDIR', path);
    this.remove(found, false, path);
  }

  removeAll(path: string): void {
    const target = this.walk(path, { followLast: false });
    if (target.place !== undefined) this.removeTree(existing(target, path), path);
  }

  /** fs/namei.c, do_renameat2 and vfs_rename. */
  rename(from: string, to: string): void {
    const source = this.walk(from, { parentOnly: true });
    const target = this.walk(to, { parentOnly: true });
    if (source.directory.mounted !== target.directory.mounted) throw new ErrnoError('EXDEV', to);
    if (source.kind !== 'name' || target.kind !== 'name') throw new ErrnoError('EBUSY', from);
    requireWritable(source.directory, from);
    const found = existing(source, from);
    const isDirectory = found.place.node.type === 'directory';
    if (!isDirectory && (source.slash || target.slash)) throw new ErrnoError('ENOTDIR', from);
    if (isWithin(target.directory, found.place)) throw new ErrnoError('EINVAL', to);
    if (target.place !== undefined && isWithin(source.directory, target.place))
      throw new ErrnoError('ENOTEMPTY', to);
    if (target.place?.node === found.place.node) return;
    this.move(found, target, from, to);
  }

  private move(source: Existing, target: Target, from: string, to: string): void {
    const { node } = source.place;
    const isDirectory = node.type === 'directory';
    this.requireRemovable(source, isDirectory, from);
    if (target.place === undefined) this.requireDirectoryWrite(target.directory, to);
    else this.requireRemovable(existing(target, to), isDirectory, to);
    const toOther = source.directory.node !== target.directory.node;
    if (isDirectory && toOther && !allows(node.permissions(), this.viewer, WRITE))
      throw new ErrnoError('EACCES', from);
    if (holdsMount(source.place) || (target.place !== undefined && isMounted(target.place)))
      throw new ErrnoError('EBUSY', from);
    if (isDirectory && target.place !== undefined && !target.place.node.isEmpty(this.viewer.process))
      throw new ErrnoError('ENOTEMPTY', to);
    withPath(to, () => source.directory.node.rename(source.name, target.directory.node, target.name));
    this.changed(source.directory.node, source.name, node);
    this.changed(target.directory.node, target.name, node);
  }

  symlink(link: string, path: string): void {
    if (link === '') throw new ErrnoError('ENOENT', path);
    this.make(this.vacant(path), path, 'symlink', 0o777, link);
  }

  link(from: string, path: string): void {
    const source = this.find(from, false);
    const target = this.vacant(path);
    if (source.mounted !== target.directory.mounted) throw new ErrnoError('EXDEV', path);
    if (!isSafeToLink(source.node.permissions(), this.viewer)) throw new ErrnoError('EPERM', path);
    this.requireDirectoryWrite(target.directory, path);
    if (source.node.type === 'directory') throw new ErrnoError('EPERM', from);
    withPath(path, () => target.directory.node.link(target.name, source.node));
    this.changed(target.directory.node, target.name, source.node);
  }

  readlink(path: string): string {
    const { node } = this.find(path, false);
    if (node.type !== 'symlink') throw new ErrnoError('EINVAL', path);
    return withPath(path, () => node.readlink(this.viewer.process));
  }

  realpath(path: string): string {
    return this.find(path).path;
  }

  chmod(path: string, mode: number): void {
    const place = this.find(path);
    this.requireOwner(place, path);
    const settable = settableMode(place.node.permissions(), this.viewer, mode);
    withPath(path, () => place.node.change({ mode: settable }));
    this.attributesChanged(place);
  }

  chown(path: string, uid: number, gid: number): void {
    const place = this.find(path);
    requireWritable(place, path);
    const permissions = place.node.permissions();
    if (!mayChown(permissions, this.viewer, uid, gid)) throw new ErrnoError('EPERM', path);
    withPath(path, () => place.node.change({ uid, gid, mode: modeAfterChown(permissions, this.viewer) }));
    this.attributesChanged(place);
  }

  utimes(path: string, accessMs: number, modifyMs: number): void {
    const place = this.find(path);
    requireWritable(place, path);
    const permissions = place.node.permissions();
    if (!owns(permissions, this.viewer)) {
      // Setting both to the present is what writing would do.
      const now = this.viewer.now();
      if (accessMs !== now || modifyMs !== now) throw new ErrnoError('EPERM', path);
      if (!allows(permissions, this.viewer, WRITE)) throw new ErrnoError('EACCES', path);
    }
    withPath(path, () => place.node.change({ accessMs, modifyMs }));
    this.attributesChanged(place);
  }

  mkfifo(path: string, mode = 0o666): void {
    this.make(this.vacant(path), path, 'fifo', mode);
  }

  resolve(path: string): string {
    return foldPath(
      path.startsWith('/')
        ? path
        : `${currentPath(this.viewer.cwdPlace) ?? this.viewer.cwdPlace.path}/${path}`,
    );
  }

  executable(path: string): Executable {
    const { node } = this.find(path);
    if (node.type !== 'file') throw new ErrnoError('EACCES', path);
    if (!allows(node.permissions(), this.viewer, EXECUTE)) throw new ErrnoError('EACCES', path);
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
      requireWritable(target.directory, path);
      this.make(target, path, 'directory', mode & 0o1777);
    }
  }

  private removeTree(target: Existing, path: string): void {
    const { place } = target;
    const isDirectory = place.node.type === 'directory';
    requireWritable(target.directory, path);
    if (isDirectory && !isMounted(place)) {
      for (const { name } of place.node.list(this.viewer.process)) {
        const child = place.mounted.table.child(place, name, this.viewer.process);
        if (child === undefined) continue;
        this.requireDirectoryWrite(place, path);
        this.removeTree({ directory: place, name, place: child }, `${path}/${name}`);
      }
    }
    this.remove(target, isDirectory, path);
  }
}

type Existing = Pick<Target, 'directory' | 'name'> & { readonly place: Place };

function existing(target: Pick<Target, 'directory' | 'name' | 'place'>, path: string): Existing {
  if (target.place === undefined) throw new ErrnoError('ENOENT', path);
  return { ...target, place: target.place };
}

/** Something is mounted right here. */
function isMounted(place: Place): boolean {
  return place.mounted.table.at(place.path) !== undefined;
}

/** Differs: what has a mount further below can't be moved either, as mounts go by their paths here. */
function holdsMount({ mounted: { table }, path }: Place): boolean {
  return table.list().some(({ mount }) => mount.target === path || mount.target.startsWith(`${path}/`));
}

/** Whether a directory is the other place, or lies below it. */
function isWithin(directory: Place, place: Place): boolean {
  for (let at: Place | undefined = directory; at !== undefined; at = at.above)
    if (at.node === place.node && at.mounted === place.mounted) return true;
  return false;
}

function requireWritable(place: Place, path: string): void {
  if (place.mounted.mount.readOnly === true) throw new ErrnoError('EROFS', path);
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
