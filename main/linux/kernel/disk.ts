// A writable layer that the workspace keeps: saves what changed of its inodes, and reads them back.
import type { Clock } from '../../simulation/index.ts';
import type { Change, Store } from '../../storage/index.ts';
import {
  decodeInode,
  dropPieces,
  encodeInode,
  encodePiece,
  inodeKey,
  isBig,
  PIECE_BYTES,
  pieceKey,
  readPieces,
  type InodeRecord,
} from './disk-records.ts';
import type { FileSystemTree } from './file-tree.ts';
import { MemoryNode, MemoryTree, type Journal } from './memory-tree.ts';
import { OverlayTree } from './overlay-tree.ts';
import { upgradeDisk } from './old-disk.ts';

export interface DiskOptions {
  readonly id: string;
  readonly store: Store;
  /** Such as `/machines/worker1/disk/`; all keys begin with it. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly sizeMaxBytes?: number;
  readonly rootMode?: number;
  /** The disk that it lies on, with the limit of that. */
  readonly on?: FileSystemTree;
  /** Device number: major * 256 + minor. */
  readonly device?: number;
}

/** The layer and what saves it. */
export interface Disk {
  readonly tree: FileSystemTree;
  /** Saves, and nothing after this: the machine's power goes, or the workspace is about to be restored. */
  close(): void;
  /** Deletes all records; the tree is not to be used any more. */
  erase(): void;
}

/** Opens a saved layer, or a new empty one. */
export function openDisk(options: DiskOptions): Disk {
  const { store, prefix, clock } = options;
  const tree = new MemoryTree({
    id: options.id,
    now: () => clock.now(),
    sizeMaxBytes: options.sizeMaxBytes,
    device: options.device,
    backing: diskBehind(options.on),
    rootMode: options.rootMode,
  });
  upgradeDisk(store, prefix);
  readBack(tree, store, prefix);
  const saver = new Saver(store, prefix);
  tree.journal = saver;
  return {
    tree,
    close() {
      saver.flush();
      tree.journal = undefined;
      saver.forget();
    },
    erase() {
      tree.journal = undefined;
      tree.giveBack();
      saver.forget();
      store.save(store.list(prefix).map(({ key }) => ({ key, value: undefined })));
    },
  };
}

function diskBehind(tree: FileSystemTree | undefined): MemoryTree | undefined {
  if (tree instanceof OverlayTree) return tree.upper;
  return tree instanceof MemoryTree ? tree : undefined;
}

/** Gathers what changed and saves it once, right before a commit. */
class Saver implements Journal {
  private readonly store: Store;
  private readonly prefix: string;
  private readonly run = (): void => this.flush();
  private inodes = new Set<MemoryNode>();
  /** The pieces written to in each file. */
  private pieces: Map<MemoryNode, Set<number>> | undefined;
  private queued = false;
  private forgotten = false;

  constructor(store: Store, prefix: string) {
    this.store = store;
    this.prefix = prefix;
  }

  inode(node: MemoryNode): void {
    this.inodes.add(node);
    if (this.queued) return;
    this.queued = true;
    this.store.defer(this.run);
  }

  content(node: MemoryNode, from: number, to: number): void {
    let pieces = this.pieces?.get(node);
    if (pieces === undefined) (this.pieces ??= new Map()).set(node, (pieces = new Set()));
    const last = Math.max(from, to - 1);
    for (let piece = Math.floor(from / PIECE_BYTES); piece <= Math.floor(last / PIECE_BYTES); piece++)
      pieces.add(piece);
    this.inode(node);
  }

  forget(): void {
    this.forgotten = true;
  }

  flush(): void {
    this.queued = false;
    if (this.forgotten) return;
    const changes: Change[] = [];
    for (const node of this.inodes) {
      if (node.removed) {
        this.delete(node, changes);
        continue;
      }
      changes.push({ key: inodeKey(this.prefix, node.inode), value: encodeInode(node) });
      const pieces = this.pieces?.get(node);
      if (pieces !== undefined) this.savePieces(node, pieces, changes);
    }
    this.inodes = new Set();
    this.pieces = undefined;
    this.store.save(changes);
  }

  /** Of a node that is gone; one that came and went in between was never saved. */
  private delete(node: MemoryNode, changes: Change[]): void {
    const key = inodeKey(this.prefix, node.inode);
    if (!this.store.has(key)) return;
    changes.push({ key, value: undefined }, ...dropPieces(this.store, this.prefix, node.inode, 0));
  }

  private savePieces(node: MemoryNode, pieces: ReadonlySet<number>, changes: Change[]): void {
    const { inode, sizeBytes } = node;
    // What follows the kept bytes is zeros: it has no pieces.
    const content = node.content();
    const count = isBig(sizeBytes) ? Math.ceil(content.length / PIECE_BYTES) : 0;
    if (count > 0) {
      // A file that has just outgrown its record has no pieces yet.
      const wanted = this.store.has(pieceKey(this.prefix, inode, 0))
        ? pieces
        : Array.from({ length: count }).keys();
      for (const piece of wanted) {
        if (piece >= count) continue;
        const start = piece * PIECE_BYTES;
        const value = encodePiece(content.subarray(start, start + PIECE_BYTES));
        changes.push({ key: pieceKey(this.prefix, inode, piece), value });
      }
    }
    changes.push(...dropPieces(this.store, this.prefix, inode, count));
  }
}

function readBack(tree: MemoryTree, store: Store, prefix: string): void {
  const nodes = new Map<number, MemoryNode>([[tree.root.inode, tree.root]]);
  const records: InodeRecord[] = [];
  for (const { key, value } of store.list(`${prefix}node/`)) {
    const record = decodeInode(prefix, key, value);
    if (record !== undefined) records.push(record);
  }
  records.sort((a, b) => a.inode - b.inode);
  for (const record of records) {
    const { inode } = record;
    if (inode !== tree.root.inode) nodes.set(inode, restoreNode(tree, store, prefix, record));
    tree.nextInode = Math.max(tree.nextInode, inode + 1);
  }
  for (const { inode, names } of records) {
    for (const [directory, name] of names) nodes.get(directory)?.attach(name, nodes.get(inode)!);
  }
  for (const record of records) applyTimes(nodes.get(record.inode)!, record);
}

function restoreNode(tree: MemoryTree, store: Store, prefix: string, record: InodeRecord): MemoryNode {
  const { inode, type, sizeBytes, content } = record;
  const node = new MemoryNode(tree, inode, record);
  node.whiteout = record.whiteout;
  node.opaque = record.opaque;
  node.links = type === 'directory' ? 1 : 0;
  tree.inodesUsed++;
  if (type === 'directory') tree.account(PIECE_BYTES);
  if (type === 'file' && sizeBytes > 0) {
    node.provide(
      sizeBytes,
      content === undefined ? () => readPieces(store, prefix, inode, sizeBytes) : () => content,
      record.extents,
    );
  }
  return node;
}

function applyTimes(node: MemoryNode, record: InodeRecord): void {
  const [accessMs, modifyMs, changeMs] = record.times;
  node.mode = record.mode;
  node.uid = record.uid;
  node.gid = record.gid;
  node.accessMs = accessMs;
  node.modifyMs = modifyMs;
  node.changeMs = changeMs;
}
