// A tree of inodes held in memory: tmpfs, image layers, and the writable layers that a disk saves.
import { ErrnoError } from '../../network/index.ts';
import type { Description } from './description.ts';
import { NO_BYTES } from './description.ts';
import type { DirectoryEntry, FileStat, FileType, OpenFlags } from './file-system.ts';
import { BLOCK_BYTES, FileContent } from './file-content.ts';
import { PipeBuffer } from './pipe.ts';
import type { Process } from './process.ts';
import {
  Vnode,
  type Attributes,
  type BuiltIn,
  type NewNode,
  type Permissions,
  type Tree,
  type TreeUsage,
} from './vnode.ts';

/** Bytes of a tree that names no limit of its own. */
const TREE_BYTES_DEFAULT = 40 * 1024 ** 3;
/** The largest file. Differs: and how far from its start there may be anything but zeros, which the host keeps. */
const FILE_BYTES_MAX = 2 ** 43;
const KEPT_BYTES_MAX = 512 * 1024 ** 2;
const RELATIME_MS = 24 * 3600 * 1000;

/** Told of every change, so that a disk can save it. */
export interface Journal {
  /** Attributes, size, or the names that lead to it; `removed` if there is none left. */
  inode(node: MemoryNode): void;
  /** Bytes from `from` to before `to`. */
  content(node: MemoryNode, from: number, to: number): void;
}

export interface MemoryTreeOptions {
  readonly id: string;
  readonly now: () => number;
  /** Reaching it is ENOSPC. */
  readonly sizeMaxBytes?: number | undefined;
  /** Reaching it is ENOSPC too. */
  readonly inodesMax?: number | undefined;
  readonly rootMode?: number | undefined;
  readonly backing?: MemoryTree | undefined;
  /** As stat(2) shows it; derived from the id if absent. */
  readonly device?: number | undefined;
}

export class MemoryTree implements Tree {
  readonly id: string;
  readonly device: number;
  readonly now: () => number;
  readonly sizeMaxBytes: number;
  private readonly inodesMax: number | undefined;
  readonly root: MemoryNode;
  readonly builtIns = new Map<string, BuiltIn>();
  usedBytes = 0;
  /** What else lies on the same disk, such as the layer below. */
  reservedBytes = 0;
  /** The disk that it is a directory of: what it takes is taken there. */
  readonly backing: MemoryTree | undefined;
  inodesUsed = 0;
  nextInode = 1;
  journal: Journal | undefined;
  /** Of a tmpfs: told of every block that is taken or given back. */
  charge: ((bytes: number) => void) | undefined;

  constructor(options: MemoryTreeOptions) {
    this.id = options.id;
    this.device = options.device ?? anonymousDevice(options.id);
    this.now = options.now;
    this.backing = options.backing;
    this.inodesMax = options.inodesMax;
    this.sizeMaxBytes = options.sizeMaxBytes ?? (this.backing === undefined ? TREE_BYTES_DEFAULT : Infinity);
    this.root = new MemoryNode(this, this.nextInode++, {
      type: 'directory',
      mode: options.rootMode ?? 0o755,
      uid: 0,
      gid: 0,
    });
    this.root.links = 2;
  }

  usage(): TreeUsage {
    if (this.backing !== undefined) return this.backing.usage();
    const inodesTotal = this.inodesMax ?? Math.floor(this.sizeMaxBytes / 16_384);
    return {
      totalBytes: this.sizeMaxBytes,
      usedBytes: this.usedBytes + this.reservedBytes,
      inodesTotal,
      inodesUsed: this.inodesUsed,
    };
  }

  builtIn(name: string): BuiltIn | undefined {
    return this.builtIns.get(name);
  }

  /** Accounts for blocks taken or given back. Throws ENOSPC. */
  account(bytes: number): void {
    if (bytes === 0) return;
    if (bytes > 0 && this.usedBytes + this.reservedBytes + bytes > this.sizeMaxBytes)
      throw new ErrnoError('ENOSPC');
    this.backing?.account(bytes);
    this.usedBytes += bytes;
    this.charge?.(bytes);
  }

  /** Throws ENOSPC when there is none left. The root is one. */
  requireInode(): void {
    if (this.inodesMax !== undefined && this.inodesUsed + 1 >= this.inodesMax) throw new ErrnoError('ENOSPC');
  }

  /** Nothing in it takes room any more. */
  giveBack(): void {
    this.backing?.account(-this.usedBytes);
    this.usedBytes = 0;
  }
}

export class MemoryNode extends Vnode {
  readonly tree: MemoryTree;
  readonly inode: number;
  readonly type: FileType;
  mode: number;
  uid: number;
  gid: number;
  links = 0;
  accessMs: number;
  modifyMs: number;
  changeMs: number;
  target: string;
  /** In a writable layer: hides the lower layers' entry of this name. */
  whiteout = false;
  /** In a writable layer: a directory that hides the lower one's entries. */
  opaque = false;
  readonly children: Map<string, MemoryNode> | undefined;
  /** In a writable layer: the node of the overlay that shows it, once that was looked for. */
  seenAs: Vnode | undefined = undefined;
  /** Where else a file with several links hangs; the first is `parent` and `name`. */
  private otherNames: { readonly directory: MemoryNode; readonly name: string }[] | undefined;
  private executable: BuiltIn | undefined;
  /** Of a regular file that isn't empty. */
  private data: FileContent | undefined;
  private pipe: PipeBuffer | undefined;

  constructor(tree: MemoryTree, inode: number, node: NewNode) {
    super();
    const now = tree.now();
    this.tree = tree;
    this.inode = inode;
    this.type = node.type;
    this.mode = node.mode;
    this.uid = node.uid;
    this.gid = node.gid;
    this.target = node.target ?? '';
    this.accessMs = now;
    this.modifyMs = now;
    this.changeMs = now;
    this.children = node.type === 'directory' ? new Map() : undefined;
  }

  override get sizeBytes(): number {
    if (this.type === 'directory') return BLOCK_BYTES;
    return this.type === 'symlink' ? Buffer.byteLength(this.target) : (this.data?.sizeBytes ?? 0);
  }
  private get allocatedBytes(): number {
    if (this.type === 'directory') return BLOCK_BYTES;
    return this.data?.allocatedBytes ?? 0;
  }
  override get builtIn(): BuiltIn | undefined {
    return this.executable;
  }
  override get removed(): boolean {
    return this.links === 0;
  }

  stat(): FileStat {
    return {
      type: this.type,
      inode: this.inode,
      device: this.tree.device,
      mode: this.mode,
      links: this.links,
      uid: this.uid,
      gid: this.gid,
      sizeBytes: this.sizeBytes,
      allocatedBytes: this.allocatedBytes,
      accessMs: this.accessMs,
      modifyMs: this.modifyMs,
      changeMs: this.changeMs,
    };
  }

  override permissions(): Permissions {
    return this;
  }

  override change(attributes: Attributes): void {
    this.mode = attributes.mode ?? this.mode;
    this.uid = attributes.uid ?? this.uid;
    this.gid = attributes.gid ?? this.gid;
    this.accessMs = attributes.accessMs ?? this.accessMs;
    this.modifyMs = attributes.modifyMs ?? this.modifyMs;
    this.changeMs = this.tree.now();
    this.tree.journal?.inode(this);
  }

  // ── Directories ──

  override lookup(name: string): MemoryNode | undefined {
    return this.entries().get(name);
  }

  override list(): DirectoryEntry[] {
    return Array.from(this.entries(), ([name, node]) => ({ name, type: node.type }));
  }

  override create(name: string, node: NewNode): MemoryNode {
    if (this.removed) throw new ErrnoError('ENOENT');
    this.tree.requireInode();
    const child = new MemoryNode(this.tree, this.tree.nextInode++, node);
    this.tree.account(child.type === 'directory' ? BLOCK_BYTES : 0);
    this.tree.inodesUsed++;
    child.links = child.type === 'directory' ? 1 : 0;
    this.attach(name, child);
    return child;
  }

  override link(name: string, node: Vnode): void {
    if (!(node instanceof MemoryNode)) throw new ErrnoError('EXDEV');
    this.attach(name, node);
    node.changeMs = this.tree.now();
  }

  override remove(name: string): void {
    const child = this.entries().get(name);
    if (child === undefined) throw new ErrnoError('ENOENT');
    this.detach(name, child);
    if (child.type === 'directory') child.links = 0;
    if (child.links === 0) child.vanish();
    else this.tree.journal?.inode(child);
  }

  override rename(name: string, to: Vnode, toName: string): void {
    const child = this.entries().get(name);
    if (child === undefined || !(to instanceof MemoryNode)) throw new ErrnoError('EXDEV');
    const replaced = to.lookup(toName);
    if (replaced === child) return;
    if (replaced !== undefined) to.remove(toName);
    this.detach(name, child);
    to.attach(toName, child);
    child.changeMs = this.tree.now();
  }

  /** A copy of a node of a lower layer, its content shared until either is written. */
  adopt(name: string, lower: MemoryNode): MemoryNode {
    const copy = this.create(name, { ...lower.stat(), target: lower.target });
    copy.accessMs = lower.accessMs;
    copy.modifyMs = lower.modifyMs;
    copy.executable = lower.executable;
    if (copy.executable !== undefined) this.tree.builtIns.set(copy.executable.name, copy.executable);
    if (lower.type === 'file') {
      copy.data = lower.data?.copy();
      this.tree.account(copy.allocatedBytes);
      this.tree.journal?.inode(copy);
      if (copy.sizeBytes > 0) this.tree.journal?.content(copy, 0, copy.content().length);
    }
    return copy;
  }

  /** Puts the node at a name. */
  attach(name: string, child: MemoryNode): void {
    this.entries().set(name, child);
    child.links++;
    if (child.parent === undefined) {
      child.parent = this;
      child.name = name;
    } else {
      (child.otherNames ??= []).push({ directory: this, name });
    }
    if (child.type === 'directory') this.links++;
    this.touchDirectory();
    this.tree.journal?.inode(child);
  }

  /** Every directory that it hangs in, with its name there. */
  names(): { readonly directory: MemoryNode; readonly name: string }[] {
    if (this.parent === undefined) return [];
    return [{ directory: this.parent as MemoryNode, name: this.name }, ...(this.otherNames ?? [])];
  }

  private detach(name: string, child: MemoryNode): void {
    this.entries().delete(name);
    child.links--;
    child.forgetName(this, name);
    child.changeMs = this.tree.now();
    if (child.type === 'directory') this.links--;
    this.touchDirectory();
  }

  private forgetName(directory: MemoryNode, name: string): void {
    const others = this.otherNames ?? [];
    if (this.parent === directory && this.name === name) {
      const next = others.shift();
      this.parent = next?.directory;
      this.name = next?.name ?? name;
    } else {
      const at = others.findIndex((other) => other.directory === directory && other.name === name);
      if (at !== -1) others.splice(at, 1);
    }
    if (others.length === 0) this.otherNames = undefined;
  }

  private vanish(): void {
    this.tree.inodesUsed--;
    this.tree.account(-this.allocatedBytes);
    this.tree.journal?.inode(this);
  }

  private touchDirectory(): void {
    this.modifyMs = this.changeMs = this.tree.now();
    this.tree.journal?.inode(this);
  }

  private entries(): Map<string, MemoryNode> {
    if (this.children === undefined) throw new ErrnoError('ENOTDIR');
    return this.children;
  }

  // ── Links and content ──

  override readlink(): string {
    if (this.type !== 'symlink') throw new ErrnoError('EINVAL');
    return this.target;
  }

  override read(offset: number, sizeMax: number): Uint8Array {
    const now = this.tree.now();
    if (this.accessMs <= this.modifyMs || now - this.accessMs > RELATIME_MS) this.accessMs = now;
    return this.data?.read(offset, sizeMax) ?? NO_BYTES;
  }

  override write(offset: number, data: Uint8Array): void {
    if (data.length === 0) return;
    const end = offset + data.length;
    const content = (this.data ??= new FileContent());
    const keeps = content.keeps(offset, data);
    if (end > FILE_BYTES_MAX || (keeps && end > KEPT_BYTES_MAX)) throw new ErrnoError('EFBIG');
    const from = Math.min(offset, content.keptBytes().length);
    this.account(content.growth(offset, end));
    content.write(offset, data, keeps);
    this.contentChanged(from, end);
  }

  override resize(sizeBytes: number): void {
    if (sizeBytes > FILE_BYTES_MAX) throw new ErrnoError('EFBIG');
    const content = (this.data ??= new FileContent());
    const from = Math.min(sizeBytes, content.sizeBytes);
    const before = content.allocatedBytes;
    content.resize(sizeBytes);
    this.account(content.allocatedBytes - before);
    this.contentChanged(from, sizeBytes);
  }

  override allocate(offset: number, sizeBytes: number, keepSize: boolean): void {
    const end = offset + sizeBytes;
    if (end > FILE_BYTES_MAX) throw new ErrnoError('EFBIG');
    const content = (this.data ??= new FileContent());
    this.account(content.growth(offset, end));
    content.allocate(offset, end, keepSize);
    this.contentChanged(content.sizeBytes, content.sizeBytes);
  }

  /** Blocks of a file that no name leads to any more were given back when the last one went. */
  private account(bytes: number): void {
    if (this.links > 0) this.tree.account(bytes);
  }

  /** What is kept of the content, from the start: not a copy, and zeros may follow. */
  content(): Uint8Array {
    return this.data?.keptBytes() ?? NO_BYTES;
  }

  /** Which blocks a file has on the disk, where that isn't all of them. */
  get holes(): readonly number[] | undefined {
    return this.data?.holes;
  }

  /** Gives a file its content without a change: of a read-only layer, or as it was saved. Brought when first wanted. */
  provide(sizeBytes: number, load: () => Uint8Array, extents?: readonly number[]): void {
    this.data = new FileContent();
    this.data.provide(sizeBytes, load, extents);
    this.tree.account(this.data.allocatedBytes);
  }

  /** Makes the file an executable that runs a built-in program. */
  install(builtIn: BuiltIn): void {
    this.executable = builtIn;
    this.tree.builtIns.set(builtIn.name, builtIn);
  }

  private contentChanged(from: number, to: number): void {
    this.executable = undefined;
    this.modifyMs = this.changeMs = this.tree.now();
    this.tree.journal?.inode(this);
    // Zeros that aren't kept aren't saved either.
    this.tree.journal?.content(this, from, Math.min(to, this.content().length));
  }

  override open(_opener: Process, flags: OpenFlags, path: string): Description | undefined {
    if (this.type !== 'fifo') return undefined;
    this.pipe ??= new PipeBuffer(this.inode, this.tree.now());
    return this.pipe.open(flags.write === true, flags.write !== true || flags.read === true, path, this);
  }
}

/** Trees without a disk have major number 0. */
function anonymousDevice(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return 32 + ((hash >>> 0) % 200);
}
