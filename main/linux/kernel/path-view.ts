// System calls on paths for one process: resolves them in its mounts and checks its permissions.
import { ErrnoError } from '../../network/index.ts';
import { toBytes, type Description } from './description.ts';
import { builtInOf, scriptInterpreter } from './executable.ts';
import { DirectoryDescription, FileDescription } from './file-description.ts';
import type { DirectoryEntry, Executable, FileStat, FileSystemView, OpenFlags } from './file-system.ts';
import type { MountTable, Place, Target } from './mount-table.ts';
import type { OpenFile } from './open-file.ts';
import type { Credentials, Process } from './process.ts';
import type { BuiltIn, NewNode, TreeUsage, Vnode } from './vnode.ts';
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

export function makePathView(viewer: Viewer): MountedView {
  const search = (directory: Vnode): void => {
    if (viewer.credentials.uid === 0) return; // Asked at every step of every path; root may always.
    if (!allows(directory.stat(), viewer.credentials, 1)) throw new ErrnoError('EACCES');
  };
  const walk = (path: string, followLast = true): Target => {
    viewer.enter();
    return withPath(path, () =>
      viewer.mounts.walk(path, { from: viewer.cwdPlace, followLast, search, viewer: viewer.process }),
    );
  };
  const find = (path: string, followLast = true): Place => {
    const { place } = walk(path, followLast);
    if (place === undefined) throw new ErrnoError('ENOENT', path);
    return place;
  };
  const changed = (directory: Vnode, name: string, node?: Vnode): void =>
    viewer.watches.notify(directory, name, node);

  const requireOwner = (place: Place, path: string): void => {
    requireWritable(place, path);
    const { uid } = viewer.credentials;
    if (uid !== 0 && uid !== place.node.stat().uid) throw new ErrnoError('EPERM', path);
  };
  const requireDirectoryWrite = (directory: Place, path: string): void => {
    if (viewer.credentials.uid !== 0 && !allows(directory.node.stat(), viewer.credentials, 3))
      throw new ErrnoError('EACCES', path);
    requireWritable(directory, path);
  };
  /** May the name be taken out of the directory? Sticky directories keep what belongs to others. */
  const requireRemovable = (directory: Place, node: Vnode, path: string): void => {
    requireDirectoryWrite(directory, path);
    const { uid } = viewer.credentials;
    if (uid === 0) return;
    const stat = directory.node.stat();
    if ((stat.mode & STICKY) !== 0 && uid !== stat.uid && uid !== node.stat().uid) {
      throw new ErrnoError('EPERM', path);
    }
  };
  const newNode = (directory: Vnode, type: NewNode['type'], mode: number, target?: string): NewNode => {
    const parent = directory.stat();
    const inherits = (parent.mode & SETGID) !== 0;
    const masked = type === 'symlink' ? 0o777 : mode & ~viewer.umask & 0o7777;
    return {
      type,
      mode: inherits && type === 'directory' ? masked | SETGID : masked,
      uid: viewer.credentials.uid,
      gid: inherits ? parent.gid : viewer.credentials.gid,
      ...(target === undefined ? {} : { target }),
    };
  };
  const createAt = (
    target: Target,
    path: string,
    type: NewNode['type'],
    mode: number,
    link?: string,
  ): Vnode => {
    if (target.place !== undefined) throw new ErrnoError('EEXIST', path);
    requireDirectoryWrite(target.directory, path);
    const directory = target.directory.node;
    const node = withPath(path, () => directory.create(target.name, newNode(directory, type, mode, link)));
    changed(directory, target.name, node);
    return node;
  };
  const remove = (target: Target & { readonly place: Place }, path: string): void => {
    requireRemovable(target.directory, target.place.node, path);
    if (viewer.mounts.at(target.place.path) !== undefined) throw new ErrnoError('EBUSY', path);
    withPath(path, () => target.directory.node.remove(target.name));
    changed(target.directory.node, target.name, target.place.node);
  };
  const existing = (target: Target, path: string): Target & { readonly place: Place } => {
    if (target.place === undefined) throw new ErrnoError('ENOENT', path);
    return { ...target, place: target.place };
  };

  const openNode = (target: Target, path: string, flags: OpenFlags, mode: number): Description => {
    const writes = flags.write === true || flags.append === true;
    let { place } = target;
    let node = place?.node;
    if (place === undefined || node === undefined) {
      if (flags.create !== true) throw new ErrnoError('ENOENT', path);
      if (path.endsWith('/')) throw new ErrnoError('EISDIR', path);
      node = createAt(target, path, 'file', mode);
      place = { node, mounted: target.directory.mounted, above: target.directory, path: join(target) };
    } else {
      if (flags.create === true && flags.exclusive === true) throw new ErrnoError('EEXIST', path);
      if (node.type === 'symlink') throw new ErrnoError('ELOOP', path);
      const want = (writes ? 2 : 0) | (flags.read === true || !writes ? 4 : 0);
      if (!allows(node.stat(), viewer.credentials, want)) throw new ErrnoError('EACCES', path);
      if (writes && (node.type === 'file' || node.type === 'directory')) requireWritable(place, path);
    }
    if (flags.directory === true && node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
    if (node.type === 'directory') {
      if (writes) throw new ErrnoError('EISDIR', path);
      return new DirectoryDescription(node, place.path);
    }
    if (node.type === 'socket') throw new ErrnoError('ENXIO', path);
    const opened = node;
    const special = withPath(path, () => opened.open(viewer.process, flags, place.path));
    if (special !== undefined) return special;
    const directory = target.directory.node;
    if (flags.truncate === true && writes && (opened.sizeBytes > 0 || target.place !== undefined)) {
      withPath(path, () => opened.resize(0));
      changed(directory, target.name, opened);
    }
    return new FileDescription(opened, flags, place.path, () => changed(directory, target.name, opened));
  };

  const view: MountedView = {
    stat: (path) => find(path).node.stat(),
    lstat: (path) => find(path, false).node.stat(),
    exists(path) {
      try {
        return walk(path).place !== undefined;
      } catch (error) {
        if (error instanceof ErrnoError) return false;
        throw error;
      }
    },
    access(path, want) {
      const mask =
        (want.read === true ? 4 : 0) | (want.write === true ? 2 : 0) | (want.execute === true ? 1 : 0);
      try {
        const place = find(path);
        if (want.write === true && place.mounted.mount.readOnly === true) return false;
        return allows(place.node.stat(), viewer.credentials, mask);
      } catch (error) {
        if (error instanceof ErrnoError) return false;
        throw error;
      }
    },
    open: (path, flags = {}, mode = 0o666) => viewer.adopt(openNode(walk(path), path, flags, mode)),
    readFile(path) {
      const description = openNode(walk(path), path, { read: true }, 0);
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
    },
    readText: (path) => Buffer.from(view.readFile(path)).toString('utf8'),
    writeFile(path, content, options = {}) {
      const flags: OpenFlags = {
        write: true,
        create: true,
        append: options.append === true,
        truncate: options.append !== true,
      };
      const description = openNode(walk(path), path, flags, options.mode ?? 0o666);
      const bytes = toBytes(content);
      if (bytes.length > 0) withPath(path, () => description.tryWrite(bytes));
      if (description.references === 0) description.close();
    },
    readdir(path) {
      const place = find(path);
      if (place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
      if (!allows(place.node.stat(), viewer.credentials, 4)) throw new ErrnoError('EACCES', path);
      const entries = withPath(path, () => place.node.list(viewer.process));
      return [...entries, ...viewer.mounts.bareTargets(place, entries)].sort(byName);
    },
    mkdir(path, options = {}) {
      const mode = options.mode ?? 0o777;
      if (options.recursive === true) return makeDirectories(path, mode);
      const target = walk(path, false);
      createAt(target, path, 'directory', mode);
      return undefined;
    },
    rmdir(path) {
      if (/(^|\/)\.\/*$/.test(path)) throw new ErrnoError('EINVAL', path);
      const target = existing(walk(path, false), path);
      if (target.place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', path);
      if (target.place.node.list(viewer.process).length > 0) throw new ErrnoError('ENOTEMPTY', path);
      if (target.name === '.') throw new ErrnoError('EBUSY', path);
      remove(target, path);
    },
    unlink(path) {
      const target = existing(walk(path, false), path);
      if (target.place.node.type === 'directory') throw new ErrnoError('EISDIR', path);
      remove(target, path);
    },
    removeAll(path) {
      const target = walk(path, false);
      if (target.place === undefined) return;
      removeTree(existing(target, path), path);
    },
    rename(from, to) {
      const source = existing(walk(from, false), from);
      const target = walk(to, false);
      moveBetween(source, target, from, to);
    },
    symlink(link, path) {
      createAt(walk(path, false), path, 'symlink', 0o777, link);
    },
    link(from, path) {
      const source = find(from, false);
      const target = walk(path, false);
      if (source.node.type === 'directory') throw new ErrnoError('EPERM', from);
      if (target.place !== undefined) throw new ErrnoError('EEXIST', path);
      if (source.mounted.tree !== target.directory.mounted.tree) throw new ErrnoError('EXDEV', path);
      requireDirectoryWrite(target.directory, path);
      withPath(path, () => target.directory.node.link(target.name, source.node));
      changed(target.directory.node, target.name, source.node);
    },
    readlink(path) {
      const { node } = find(path, false);
      if (node.type !== 'symlink') throw new ErrnoError('EINVAL', path);
      return node.readlink(viewer.process);
    },
    realpath: (path) => find(path).path,
    chmod(path, mode) {
      const place = find(path);
      requireOwner(place, path);
      withPath(path, () => place.node.change({ mode: mode & 0o7777 }));
      if (place.above !== undefined) changed(place.above.node, basename(place.path), place.node);
    },
    chown(path, uid, gid) {
      const place = find(path);
      const { credentials } = viewer;
      requireWritable(place, path);
      const stat = place.node.stat();
      const mayRegroup = credentials.uid === stat.uid && uid === stat.uid && inGroup(credentials, gid);
      if (credentials.uid !== 0 && !mayRegroup) throw new ErrnoError('EPERM', path);
      withPath(path, () => place.node.change({ uid, gid }));
    },
    utimes(path, accessMs, modifyMs) {
      const place = find(path);
      requireOwner(place, path);
      withPath(path, () => place.node.change({ accessMs, modifyMs }));
      if (place.above !== undefined) changed(place.above.node, basename(place.path), place.node);
    },
    mkfifo(path, mode = 0o666) {
      createAt(walk(path, false), path, 'fifo', mode);
    },
    resolve: (path) => foldPath(path.startsWith('/') ? path : `${viewer.cwdPlace.path}/${path}`),
    executable(path): Executable {
      const { node } = find(path);
      if (node.type !== 'file') throw new ErrnoError('EACCES', path);
      if (!allows(node.stat(), viewer.credentials, 1)) throw new ErrnoError('EACCES', path);
      const builtIn = builtInOf(node, (name) => viewer.builtIn(name));
      if (builtIn !== undefined) return { kind: 'program', ...builtIn };
      const script = scriptInterpreter(node);
      if (script === undefined) throw new ErrnoError('ENOEXEC', path);
      return { kind: 'script', ...script };
    },
    watch: (path, callback) => viewer.watches.watch(viewer.mounts, viewer.cwdPlace, path, callback),
    usage: (path) => find(path).mounted.tree.usage(),
    place: find,
  };

  const makeDirectories = (path: string, mode: number): void => {
    const names = path.split('/').filter((name) => name !== '');
    let current = path.startsWith('/') ? '/' : '';
    for (const name of names) {
      current += current === '' || current === '/' ? name : `/${name}`;
      const target = walk(current);
      if (target.place?.node.type === 'directory') continue;
      if (target.place !== undefined) throw new ErrnoError(current === path ? 'EEXIST' : 'ENOTDIR', path);
      createAt(target, path, 'directory', mode);
    }
  };
  const removeTree = (target: Target & { readonly place: Place }, path: string): void => {
    const { place } = target;
    if (place.node.type === 'directory' && viewer.mounts.at(place.path) === undefined) {
      requireDirectoryWrite(place, path);
      for (const { name } of place.node.list(viewer.process)) {
        const child = viewer.mounts.child(place, name, viewer.process);
        if (child !== undefined) removeTree({ directory: place, name, place: child }, `${path}/${name}`);
      }
    }
    remove(target, path);
  };
  const moveBetween = (
    source: Target & { readonly place: Place },
    target: Target,
    from: string,
    to: string,
  ): void => {
    if (source.name === '.' || target.name === '.') throw new ErrnoError('EBUSY', from);
    if (source.place.mounted !== target.directory.mounted) throw new ErrnoError('EXDEV', to);
    const replaced = target.place?.node;
    if (replaced === source.place.node) return;
    requireRemovable(source.directory, source.place.node, from);
    requireDirectoryWrite(target.directory, to);
    const isDirectory = source.place.node.type === 'directory';
    if (isDirectory && `${join(target)}/`.startsWith(`${source.place.path}/`))
      throw new ErrnoError('EINVAL', to);
    if (replaced !== undefined) {
      requireRemovable(target.directory, replaced, to);
      if (isDirectory && replaced.type !== 'directory') throw new ErrnoError('ENOTDIR', to);
      if (!isDirectory && replaced.type === 'directory') throw new ErrnoError('EISDIR', to);
      if (isDirectory && replaced.list(viewer.process).length > 0) throw new ErrnoError('ENOTEMPTY', to);
    }
    if (holdsMount(viewer.mounts, source.place.path)) throw new ErrnoError('EBUSY', from);
    withPath(to, () => source.directory.node.rename(source.name, target.directory.node, target.name));
    changed(source.directory.node, source.name, source.place.node);
    changed(target.directory.node, target.name, source.place.node);
  };
  return view;
}

/** Whether mode and owner let the credentials do what `want` says (4 read, 2 write, 1 execute or search). */
function allows(stat: FileStat, credentials: Credentials, want: number): boolean {
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
