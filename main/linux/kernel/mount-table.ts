// A mount namespace: which trees hang where, and the walk from a path to an inode through them.
import { ErrnoError } from '../../network/index.ts';
import type { DirectoryEntry } from './file-system.ts';
import type { Mount } from './mount.ts';
import type { Process } from './process.ts';
import type { Tree, Vnode } from './vnode.ts';

/** As in Linux: MAXSYMLINKS, NAME_MAX, PATH_MAX. */
const SYMLINKS_MAX = 40;
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;

/** A mounted tree at its target. */
export interface Mounted {
  /** Where it is mounted: what a link of /proc leads to may be in another mount namespace. */
  readonly table: MountTable;
  /** Replaced by a remount. */
  mount: Mount;
  /** What was mounted there before and is hidden now. */
  readonly under: Mounted | undefined;
  readonly tree: Tree;
  readonly root: Vnode;
}

/** An inode as reached by a path: with the mount it is on and the way back up. */
export interface Place {
  readonly node: Vnode;
  readonly mounted: Mounted;
  /** The directory above; the root is its own. */
  readonly above: Place | undefined;
  /** Absolute, without links. */
  readonly path: string;
}

/** The last step of a walk: a directory, and a name in it that may not exist. */
export interface Target {
  readonly directory: Place;
  readonly name: string;
  readonly place: Place | undefined;
  /** A name, or one of what no call can make, remove or move. */
  readonly kind: 'name' | 'dot' | 'dotdot' | 'root';
  /** Slashes follow it. */
  readonly slash: boolean;
}

export interface WalkOptions {
  /** Where relative paths start. */
  readonly from?: Place;
  readonly followLast?: boolean;
  /** The last name is to be made, removed or moved: it isn't followed, and slashes after it mean nothing yet. */
  readonly parentOnly?: boolean;
  /** The last name may be made as a file, which slashes after it rule out. */
  readonly create?: boolean;
  /** Asked at every directory on the way; throws EACCES. */
  readonly search?: (directory: Vnode) => void;
  readonly viewer?: Process;
  /** Told of every directory and name on the way, for watches. */
  readonly visit?: (directory: Vnode, name: string) => void;
}

export class MountTable {
  private readonly mounted = new Map<string, Mounted>();
  /** The last names of all targets, past and present: most steps of most walks need no look at `mounted`. */
  private readonly names = new Set<string>();

  constructor(mounts: readonly Mount[]) {
    for (const mount of mounts) this.add(mount);
  }

  add(mount: Mount): void {
    const tree = mount.tree as Tree;
    const root = mount.root === undefined ? tree.root : nodeIn(tree, mount.root);
    const previous = this.mounted.get(mount.target);
    if (previous !== undefined) this.mounted.delete(mount.target); // The newest at a target hides the older ones.
    this.mounted.set(mount.target, { table: this, mount, tree, root, under: previous });
    this.names.add(mount.target.slice(mount.target.lastIndexOf('/') + 1));
  }

  /** Throws EINVAL when nothing is mounted there. */
  remove(target: string): void {
    if (target === '/') throw new ErrnoError('EBUSY', target);
    const mounted = this.mounted.get(target);
    if (mounted === undefined) throw new ErrnoError('EINVAL', target);
    this.mounted.delete(target);
    if (mounted.under !== undefined) this.mounted.set(target, mounted.under);
  }

  /** In the order of mounting as far as that shows: what is hidden comes before what hides it. */
  list(): Mounted[] {
    const all: Mounted[] = [];
    for (const top of this.mounted.values()) {
      const stack: Mounted[] = [];
      for (let at: Mounted | undefined = top; at !== undefined; at = at.under) stack.unshift(at);
      all.push(...stack);
    }
    return all;
  }

  at(path: string): Mounted | undefined {
    return this.mounted.get(path);
  }

  /** Mount points right below a directory that have no entry in it, as in a container's /dev. */
  bareTargets(directory: Place, entries: readonly DirectoryEntry[]): DirectoryEntry[] {
    const prefix = directory.path === '/' ? '/' : `${directory.path}/`;
    const bare: DirectoryEntry[] = [];
    for (const [target, { root }] of this.mounted) {
      const name = target.slice(prefix.length);
      if (!target.startsWith(prefix) || name === '' || name.includes('/')) continue;
      if (!entries.some((entry) => entry.name === name)) bare.push({ name, type: root.type });
    }
    return bare;
  }

  get root(): Place {
    const mounted = this.mounted.get('/');
    if (mounted === undefined) throw new ErrnoError('ENOENT', '/');
    return { node: mounted.root, mounted, above: undefined, path: '/' };
  }

  /** The place of a path. Throws ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES. */
  find(path: string, options: WalkOptions = {}): Place {
    const target = this.walk(path, options);
    if (target.place === undefined) throw new ErrnoError('ENOENT', path);
    return target.place;
  }

  /** As far as the last name, which needn't exist. */
  walk(path: string, options: WalkOptions = {}): Target {
    return new Walk(this, path, options).run();
  }

  child(directory: Place, name: string, viewer: Process | undefined): Place | undefined {
    const path = directory.path === '/' ? `/${name}` : `${directory.path}/${name}`;
    const mounted = this.names.has(name) ? this.mounted.get(path) : undefined;
    if (mounted !== undefined) return { node: mounted.root, mounted, above: directory, path };
    const node = directory.node.lookup(name, viewer);
    return node === undefined ? undefined : { node, mounted: directory.mounted, above: directory, path };
  }
}

class Walk {
  private readonly table: MountTable;
  private readonly path: string;
  private readonly options: WalkOptions;
  private links = 0;

  constructor(table: MountTable, path: string, options: WalkOptions) {
    this.table = table;
    this.path = path;
    this.options = options;
  }

  run(): Target {
    const { path, options } = this;
    if (path === '') throw new ErrnoError('ENOENT', path);
    if (path.length >= PATH_BYTES_MAX) throw new ErrnoError('ENAMETOOLONG', path);
    const start = path.startsWith('/') ? this.table.root : refreshed(options.from ?? this.table.root);
    return this.follow(start, path, options.followLast !== false && options.parentOnly !== true, true);
  }

  /** `final`: what this leads to is what the whole path leads to. */
  private follow(start: Place, path: string, followLast: boolean, final: boolean): Target {
    let end = path.length;
    while (end > 0 && path[end - 1] === '/') end--;
    const slash = end < path.length;
    if (end === 0) return { directory: start, name: '.', place: start, kind: 'root', slash };
    const lastAt = path.lastIndexOf('/', end - 1) + 1;
    let place = start;
    for (let at = 0; at < lastAt;) {
      const next = path.indexOf('/', at);
      if (next > at) place = this.step(place, path.slice(at, next));
      at = next + 1;
    }
    return this.last(place, path.slice(lastAt, end), slash, followLast, final);
  }

  /** Into a directory on the way, or through a link. */
  private step(place: Place, name: string): Place {
    this.enter(place);
    if (name === '.') return place;
    if (name === '..') return place.above ?? place;
    const child = this.child(place, name);
    const found = child?.node.type === 'symlink' ? this.followLink(place, child, false).place : child;
    if (found === undefined) throw new ErrnoError('ENOENT', this.path);
    return found;
  }

  private last(place: Place, name: string, slash: boolean, followLast: boolean, final: boolean): Target {
    this.enter(place);
    if (name === '.') return { directory: place, name, place, kind: 'dot', slash };
    if (name === '..') return { directory: place, name, place: place.above ?? place, kind: 'dotdot', slash };
    if (slash && final && this.options.create === true) throw new ErrnoError('EISDIR', this.path);
    const child = this.child(place, name);
    const parentOnly = this.options.parentOnly === true;
    if (child?.node.type === 'symlink' && (followLast || (slash && !parentOnly))) {
      const target = this.followLink(place, child, final);
      if (slash && target.place !== undefined) this.requireDirectory(target.place);
      return slash ? { ...target, slash } : target;
    }
    if (slash && !parentOnly && child !== undefined) this.requireDirectory(child);
    return { directory: place, name, place: child, kind: 'name', slash };
  }

  private child(place: Place, name: string): Place | undefined {
    if (name.length > NAME_BYTES_MAX / 4 && Buffer.byteLength(name) > NAME_BYTES_MAX) {
      throw new ErrnoError('ENAMETOOLONG', this.path);
    }
    this.options.visit?.(place.node, name);
    return place.mounted.table.child(place, name, this.options.viewer);
  }

  private followLink(directory: Place, link: Place, final: boolean): Target {
    if (++this.links > SYMLINKS_MAX) throw new ErrnoError('ELOOP', this.path);
    const magic = link.node.magic(link, this.options.viewer);
    if (magic !== undefined)
      return { directory: magic.above ?? magic, name: '.', place: magic, kind: 'dot', slash: false };
    const target = link.node.readlink(this.options.viewer);
    if (target === '') throw new ErrnoError('ENOENT', this.path);
    return this.follow(target.startsWith('/') ? this.table.root : directory, target, true, final);
  }

  private enter(place: Place): void {
    this.requireDirectory(place);
    this.options.search?.(place.node);
  }

  private requireDirectory(place: Place): void {
    if (place.node.type !== 'directory') throw new ErrnoError('ENOTDIR', this.path);
  }
}

/**
 * Where a place is now: directories on the way may have been renamed since it was reached. Undefined once it is
 * removed. What isn't kept in directories (a pipe, a process of /proc) stays where it was.
 */
export function currentPath(place: Place): string | undefined {
  const { root, mount } = place.mounted;
  const names: string[] = [];
  let node = place.node;
  if (node.removed) return undefined;
  while (node !== root) {
    if (node.parent === undefined) return place.path;
    names.unshift(node.name);
    node = node.parent;
  }
  return `${mount.target === '/' ? '' : mount.target}/${names.join('/')}`.replace(/(.)\/$/, '$1');
}

/** Whether nothing on the way to a place was renamed since. */
function isCurrent(place: Place): boolean {
  for (let at = place; at.above !== undefined; at = at.above) {
    const { node, above, mounted } = at;
    if (node === mounted.root) continue;
    if (node.parent === undefined) return true;
    if (node.parent !== above.node || !at.path.endsWith(`/${node.name}`)) return false;
  }
  return true;
}

/** The place as one would reach it now; one that was removed as it was. */
function refreshed(place: Place): Place {
  if (isCurrent(place)) return place;
  const path = currentPath(place);
  return path === undefined ? place : place.mounted.table.find(path);
}

/** The inode at a path of one tree, links not followed. */
function nodeIn(tree: Tree, path: string): Vnode {
  let node = tree.root;
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    const child = node.lookup(name);
    if (child === undefined) throw new ErrnoError('ENOENT', path);
    node = child;
  }
  return node;
}
