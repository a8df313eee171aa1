// An overlay: read-only layers below, one writable layer on top, seen as one tree. Linux Documentation/filesystems/overlayfs.rst.
import { ErrnoError } from '../../network/index.ts';
import type { Description } from './description.ts';
import type { DirectoryEntry, FileStat, FileType, OpenFlags } from './file-system.ts';
import type { MemoryNode, MemoryTree } from './memory-tree.ts';
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

/**
 * Differs: a directory of a lower layer can be renamed (it is copied up whole), where Linux answers EXDEV; the
 * machine's own disk is such an overlay too, and there a rename must work.
 */
export class OverlayTree implements Tree {
  readonly id: string;
  readonly upper: MemoryTree;
  readonly lowers: readonly MemoryTree[];
  readonly root: OverlayNode;
  nextInode = 2;

  /** `lowers` from the topmost down. */
  constructor(id: string, lowers: readonly MemoryTree[], upper: MemoryTree) {
    this.id = id;
    this.upper = upper;
    this.lowers = lowers;
    // A machine's disk holds what it came with too; images of containers are kept elsewhere.
    if (upper.backing === undefined)
      upper.reservedBytes = lowers.reduce((sum, lower) => sum + lower.usedBytes, 0);
    this.root = new OverlayNode(
      this,
      upper.root,
      lowers.map((lower) => lower.root),
    );
  }

  get usedBytes(): number {
    return this.upper.usedBytes;
  }

  usage(): TreeUsage {
    const usage = this.upper.usage();
    if (this.upper.backing !== undefined) return usage;
    const inodesBelow = this.lowers.reduce((sum, lower) => sum + lower.inodesUsed, 0);
    return { ...usage, inodesUsed: usage.inodesUsed + inodesBelow };
  }

  builtIn(name: string): BuiltIn | undefined {
    for (const lower of this.lowers) {
      const found = lower.builtIn(name);
      if (found !== undefined) return found;
    }
    return this.upper.builtIn(name);
  }
}

/** Shared by the many nodes without lower layers. */
const NONE: readonly MemoryNode[] = [];

export class OverlayNode extends Vnode {
  readonly tree: OverlayTree;
  readonly inode: number;
  readonly type: FileType;
  /** Taken out of its directory, with no name left. */
  private detached = false;
  private upper: MemoryNode | undefined;
  private lowers: readonly MemoryNode[];
  /** The entries of lower layers looked up so far; those of the writable one know their nodes themselves. */
  private children: Map<string, OverlayNode> | undefined;

  constructor(tree: OverlayTree, upper: MemoryNode | undefined, lowers: readonly MemoryNode[]) {
    super();
    this.tree = tree;
    this.inode = tree.nextInode++;
    this.upper = upper;
    this.lowers = lowers;
    this.type = this.top.type;
    if (upper !== undefined) upper.seenAs = this;
  }

  private get top(): MemoryNode {
    return this.upper ?? this.lowers[0]!;
  }
  override get sizeBytes(): number {
    return this.top.sizeBytes;
  }
  override get builtIn(): BuiltIn | undefined {
    return this.top.builtIn;
  }
  override get removed(): boolean {
    return this.lowers.length === 0 && this.upper !== undefined ? this.upper.removed : this.detached;
  }

  stat(): FileStat {
    const stat = this.top.stat();
    const merged = this.type === 'directory' && this.lowers.length > (this.upper === undefined ? 1 : 0);
    // A directory has one link per subdirectory, wherever they come from.
    const links = merged ? 2 + this.list().filter(({ type }) => type === 'directory').length : stat.links;
    return { ...stat, links, inode: this.inode, device: this.tree.upper.device };
  }

  override permissions(): Permissions {
    return this.top;
  }

  override change(attributes: Attributes): void {
    this.copyUp().change(attributes);
  }

  // ── Directories ──

  override lookup(name: string): OverlayNode | undefined {
    if (this.type !== 'directory') throw new ErrnoError('ENOTDIR');
    const known = this.children?.get(name);
    if (known !== undefined) return known;
    const above = this.upper?.lookup(name);
    if (above?.whiteout === true) return undefined;
    const below =
      above === undefined || (above.type === 'directory' && !above.opaque) ? this.lowerEntries(name) : NONE;
    const lowers = above === undefined || below[0]?.type === 'directory' ? below : NONE;
    if (above === undefined && lowers.length === 0) return undefined;
    return this.remember(name, above, lowers);
  }

  /** One node per inode, so that hard links are one file: that of the writable layer knows it. */
  private remember(name: string, above: MemoryNode | undefined, lowers: readonly MemoryNode[]): OverlayNode {
    const known = above?.seenAs;
    const node = known instanceof OverlayNode ? known : new OverlayNode(this.tree, above, lowers);
    node.parent = this;
    node.name = name;
    if (above === undefined) (this.children ??= new Map()).set(name, node);
    return node;
  }

  /** What the lower layers have at a name: one file, or directories to be merged. */
  private lowerEntries(name: string): readonly MemoryNode[] {
    if (this.lowers.length === 0) return NONE;
    const found: MemoryNode[] = [];
    for (const lower of this.lowers) {
      const entry = lower.lookup(name);
      if (entry === undefined) continue;
      if (entry.whiteout) break;
      if (entry.type !== 'directory') return found.length === 0 ? [entry] : found;
      found.push(entry);
      if (entry.opaque) break;
    }
    return found;
  }

  override list(): DirectoryEntry[] {
    if (this.type !== 'directory') throw new ErrnoError('ENOTDIR');
    const types = new Map<string, FileType | undefined>();
    const layers = this.upper === undefined ? this.lowers : [this.upper, ...this.lowers];
    for (const layer of layers) {
      for (const [name, node] of layer.children ?? []) {
        if (!types.has(name)) types.set(name, node.whiteout ? undefined : node.type);
      }
    }
    const entries: DirectoryEntry[] = [];
    for (const [name, type] of types) if (type !== undefined) entries.push({ name, type });
    return entries;
  }

  override create(name: string, node: NewNode): OverlayNode {
    if (this.removed) throw new ErrnoError('ENOENT');
    const upper = this.copyUp();
    const hidden = this.clearWhiteout(upper, name);
    const created = upper.create(name, node);
    if (node.type === 'directory' && hidden) markOpaque(created);
    return this.remember(name, created, NONE);
  }

  override link(name: string, node: Vnode): void {
    if (!(node instanceof OverlayNode) || node.tree !== this.tree) throw new ErrnoError('EXDEV');
    const upper = this.copyUp();
    this.clearWhiteout(upper, name);
    upper.link(name, node.copyUp());
  }

  override remove(name: string): void {
    const upper = this.copyUp();
    const known = this.lookup(name);
    if (upper.lookup(name) !== undefined) {
      this.emptyOfWhiteouts(name);
      upper.remove(name);
    }
    if (known !== undefined) known.detached = known.upper === undefined || known.upper.removed;
    this.children?.delete(name);
    if (this.lowerEntries(name).length > 0) this.hide(upper, name);
  }

  override rename(name: string, to: Vnode, toName: string): void {
    const node = this.lookup(name);
    if (node === undefined || !(to instanceof OverlayNode) || to.tree !== this.tree)
      throw new ErrnoError('EXDEV');
    if (to.lookup(toName) === node) return;
    node.copyUpTree();
    const from = this.copyUp();
    const target = to.copyUp();
    if (to.lookup(toName) !== undefined) to.remove(toName);
    const hidden = to.clearWhiteout(target, toName);
    if (hidden && node.type === 'directory') markOpaque(node.copyUp());
    from.rename(name, target, toName);
    this.children?.delete(name);
    if (this.lowerEntries(name).length > 0) this.hide(from, name);
    node.parent = to;
    node.name = toName;
  }

  private hide(upper: MemoryNode, name: string): void {
    const whiteout = upper.create(name, { type: 'character-device', mode: 0, uid: 0, gid: 0 });
    whiteout.whiteout = true;
  }

  /** Takes a whiteout away; tells whether there was one, or a lower entry that a new directory must not show. */
  private clearWhiteout(upper: MemoryNode, name: string): boolean {
    if (upper.lookup(name)?.whiteout !== true) return false;
    upper.remove(name);
    return true;
  }

  /** A directory that looks empty may hold whiteouts. */
  private emptyOfWhiteouts(name: string): void {
    const directory = this.upper?.lookup(name);
    if (directory?.children === undefined) return;
    for (const [childName, child] of Array.from(directory.children))
      if (child.whiteout) directory.remove(childName);
  }

  /** The node in the writable layer, copied there if it was only below. */
  copyUp(): MemoryNode {
    if (this.upper !== undefined) return this.upper;
    const parent = this.parent;
    if (this.detached) throw new ErrnoError('ENOENT');
    if (!(parent instanceof OverlayNode)) throw new ErrnoError('EROFS');
    const upperParent = parent.copyUp();
    const { modifyMs, changeMs } = upperParent;
    this.upper = upperParent.adopt(this.name, this.lowers[0]!);
    upperParent.modifyMs = modifyMs; // To an observer nothing changed.
    upperParent.changeMs = changeMs;
    this.upper.seenAs = this;
    return this.upper;
  }

  private copyUpTree(): void {
    const upper = this.copyUp();
    if (this.type !== 'directory' || this.lowers.length === 0) return;
    for (const { name } of this.list()) this.lookup(name)?.copyUpTree();
    this.lowers = NONE;
    markOpaque(upper);
  }

  // ── Links and content ──

  override readlink(): string {
    return this.top.readlink();
  }
  override read(offset: number, sizeMax: number): Uint8Array {
    return this.top.read(offset, sizeMax);
  }
  override prepareWrite(): void {
    this.copyUp();
  }
  override write(offset: number, data: Uint8Array): void {
    this.copyUp().write(offset, data);
    this.lowers = NONE;
  }
  override resize(sizeBytes: number): void {
    this.copyUp().resize(sizeBytes);
    this.lowers = NONE;
  }
  override allocate(offset: number, sizeBytes: number, keepSize: boolean): void {
    this.copyUp().allocate(offset, sizeBytes, keepSize);
    this.lowers = NONE;
  }
  override open(opener: Process, flags: OpenFlags, path: string): Description | undefined {
    return this.type === 'fifo' ? this.copyUp().open(opener, flags, path) : undefined;
  }
}

function markOpaque(directory: MemoryNode): void {
  directory.opaque = true;
  directory.tree.journal?.inode(directory);
}
