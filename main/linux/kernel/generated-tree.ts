// Trees whose content is made when it is looked at: proc, sysfs, devtmpfs.
import { ErrnoError } from '../../network/index.ts';
import type { Description } from './description.ts';
import { TextDescription } from './file-description.ts';
import type { DirectoryEntry, FileStat, FileType, OpenFlags } from './file-system.ts';
import type { Process } from './process.ts';
import { Vnode, type NewNode, type Tree, type TreeUsage } from './vnode.ts';

/** Root, whom most generated files belong to. */
const OWNED_BY_ROOT = { uid: 0, gid: 0 };

/** Major number 0, as of every tree without a disk. */
const DEVICES: Readonly<Record<string, number>> = { proc: 4, sysfs: 18, cgroup2: 27 };

/** Names in a generated directory, as the process that looks sees them. */
export interface Listing {
  names(viewer: Process | undefined): string[];
  lookup(name: string, viewer: Process | undefined): GeneratedNode | undefined;
}

export class GeneratedTree implements Tree {
  readonly id: string;
  readonly usedBytes = 0;
  readonly now: () => number;
  readonly device: number;
  root: Vnode;
  private nextInode = 2;

  constructor(id: string, now: () => number) {
    this.id = id;
    this.now = now;
    this.device = DEVICES[id] ?? 6;
    this.root = new GeneratedDirectory(this, { names: () => [], lookup: () => undefined });
  }

  setRoot(listing: Listing): void {
    this.root = new GeneratedDirectory(this, listing, this.id === 'devtmpfs' ? 0o755 : 0o555);
  }

  inode(): number {
    return this.nextInode++;
  }

  usage(): TreeUsage {
    return { totalBytes: 0, usedBytes: 0, inodesTotal: 0, inodesUsed: 0 };
  }
}

export abstract class GeneratedNode extends Vnode {
  readonly tree: GeneratedTree;
  readonly inode: number;
  abstract override readonly type: FileType;
  private readonly mode: number;
  private readonly gid: number;
  private readonly uid: number;
  private readonly madeMs: number;

  constructor(tree: GeneratedTree, mode: number, gid = 0, uid = 0) {
    super();
    this.tree = tree;
    this.inode = tree.inode();
    this.mode = mode;
    this.gid = gid;
    this.uid = uid;
    this.madeMs = tree.now();
  }

  stat(): FileStat {
    return {
      type: this.type,
      inode: this.inode,
      device: this.tree.device,
      mode: this.mode,
      links: this.type === 'directory' ? 2 : 1,
      uid: this.uid,
      gid: this.gid,
      sizeBytes: this.sizeBytes,
      accessMs: this.madeMs,
      modifyMs: this.madeMs,
      changeMs: this.madeMs,
    };
  }
}

export class GeneratedDirectory extends GeneratedNode {
  readonly type = 'directory';
  private readonly listing: Listing;

  constructor(tree: GeneratedTree, listing: Listing, mode = 0o755, uid = 0, gid = 0) {
    super(tree, mode, gid, uid);
    this.listing = listing;
  }
  override lookup(name: string, viewer?: Process): Vnode | undefined {
    return this.listing.lookup(name, viewer);
  }
  /** Only the kernel makes anything here: proc says that there is no such file, sysfs that one may not. */
  override create(_name: string, { type }: NewNode): Vnode {
    if (this.tree.id === 'proc') throw new ErrnoError('ENOENT');
    if (this.tree.id === 'sysfs') throw new ErrnoError(type === 'file' ? 'EACCES' : 'EPERM');
    throw new ErrnoError('EROFS');
  }
  override remove(): void {
    throw new ErrnoError('EPERM');
  }
  override list(viewer?: Process): DirectoryEntry[] {
    const entries: DirectoryEntry[] = [];
    for (const name of this.listing.names(viewer)) {
      const node = this.listing.lookup(name, viewer);
      if (node !== undefined) entries.push({ name, type: node.type });
    }
    return entries;
  }
}

export class GeneratedLink extends GeneratedNode {
  readonly type = 'symlink';
  private readonly target: string | ((viewer: Process | undefined) => string);

  constructor(
    tree: GeneratedTree,
    target: string | ((viewer: Process | undefined) => string),
    mode = 0o777,
    { uid, gid }: { readonly uid: number; readonly gid: number } = OWNED_BY_ROOT,
  ) {
    super(tree, mode, gid, uid);
    this.target = target;
  }
  override readlink(viewer?: Process): string {
    return typeof this.target === 'string' ? this.target : this.target(viewer);
  }
}

/** A file of text; with `store`, writing sets something and throws ErrnoError for what isn't a value (EINVAL). */
export class GeneratedFile extends GeneratedNode {
  readonly type = 'file';
  private readonly make: (viewer: Process) => string | Uint8Array;
  private readonly store: ((text: string, writer: Process) => void) | undefined;

  constructor(
    tree: GeneratedTree,
    make: (viewer: Process) => string | Uint8Array,
    store?: (text: string, writer: Process) => void,
    mode?: number,
    { uid, gid }: { readonly uid: number; readonly gid: number } = OWNED_BY_ROOT,
  ) {
    super(tree, mode ?? (store === undefined ? 0o444 : 0o644), gid, uid);
    this.make = make;
    this.store = store;
  }
  override open(opener: Process, flags: OpenFlags, path: string): Description {
    const { store } = this;
    if (flags.write === true && store === undefined) throw new ErrnoError('EACCES', path);
    return new TextDescription(
      this,
      path,
      () => {
        const made = this.make(opener);
        return typeof made === 'string' ? Buffer.from(made, 'utf8') : made;
      },
      store === undefined ? undefined : (text) => store(text, opener),
    );
  }
}

/** What writing to a file of /proc that only tells comes to, for root, who may open it so. */
export function refuseWrite(): never {
  throw new ErrnoError('EIO');
}

/** A listing of fixed names, each node made when it is looked up. */
export function fixed(nodes: Readonly<Record<string, () => GeneratedNode>>): Listing {
  return {
    names: () => Object.keys(nodes),
    lookup: (name) => (Object.hasOwn(nodes, name) ? nodes[name]!() : undefined),
  };
}
