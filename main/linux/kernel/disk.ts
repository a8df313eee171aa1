// A writable layer that the workspace keeps: every inode, name and piece of content as records of the Store.
import type { Clock } from '../../simulation/index.ts';
import type { Change, Store } from '../../storage/index.ts';
import type { FileSystemTree } from './file-tree.ts';
import { MemoryNode, MemoryTree, type Journal } from './memory-tree.ts';
import type { FileType } from './file-system.ts';

/**
 * Content is saved in pieces of this size, so that appending to a log rewrites only its last piece.
 * Changing it means a migration of saved workspaces.
 */
const CHUNK_BYTES = 4096;

export interface DiskOptions {
  readonly id: string;
  readonly store: Store;
  /** Such as `/machines/worker1/disk/`; all keys begin with it. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly sizeMaxBytes?: number;
  /** Device number: major * 256 + minor. */
  readonly device?: number;
}

/** The layer and what saves it. */
export interface Disk {
  readonly tree: FileSystemTree;
  /** Saves what has changed now rather than at the end of this instant. */
  flush(): void;
  /** Saves, and nothing after this: the machine's power goes, or the workspace is about to be restored. */
  close(): void;
  /** Deletes all records; the tree is not to be used any more. */
  erase(): void;
}

/** `inode/ID` records. Names are short since there are many of them. */
interface InodeRecord {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly times: readonly [accessMs: number, modifyMs: number, changeMs: number];
  readonly target?: string;
  readonly whiteout?: true;
  readonly opaque?: true;
}

/** Opens a saved layer, or a new empty one. */
export function openDisk(options: DiskOptions): Disk {
  const { store, prefix, clock } = options;
  const tree = new MemoryTree({
    id: options.id,
    now: () => clock.now(),
    sizeMaxBytes: options.sizeMaxBytes,
    device: options.device,
  });
  readBack(tree, store, prefix);
  const saver = new Saver(store, prefix, clock);
  tree.journal = saver;
  return {
    tree,
    flush: () => saver.flush(),
    close() {
      saver.flush();
      tree.journal = undefined;
      saver.forget();
    },
    erase() {
      tree.journal = undefined;
      saver.forget();
      store.write(store.list(prefix).map(({ key }) => ({ key, value: undefined })));
    },
  };
}

/** Gathers what changed and writes it once per instant. */
class Saver implements Journal {
  private readonly store: Store;
  private readonly prefix: string;
  private readonly clock: Clock;
  private inodes = new Set<MemoryNode>();
  private entries = new Map<string, number | undefined>();
  private chunks = new Map<MemoryNode, Set<number>>();
  private dead = new Set<MemoryNode>();
  private queued = false;
  private forgotten = false;

  constructor(store: Store, prefix: string, clock: Clock) {
    this.store = store;
    this.prefix = prefix;
    this.clock = clock;
  }

  inode(node: MemoryNode): void {
    if (node.removed) return; // Still open, but not there after a restart.
    this.inodes.add(node);
    this.queue();
  }

  entry(directory: MemoryNode, name: string, child: MemoryNode | undefined): void {
    this.entries.set(`${directory.inode}/${name}`, child?.inode);
    this.queue();
  }

  content(node: MemoryNode, from: number, to: number): void {
    if (node.removed) return;
    const chunks = this.chunks.get(node) ?? new Set<number>();
    this.chunks.set(node, chunks);
    const last = Math.max(from, to - 1);
    for (let chunk = Math.floor(from / CHUNK_BYTES); chunk <= Math.floor(last / CHUNK_BYTES); chunk++)
      chunks.add(chunk);
    this.queue();
  }

  gone(node: MemoryNode): void {
    this.dead.add(node);
    this.queue();
  }

  forget(): void {
    this.forgotten = true;
  }

  private queue(): void {
    if (this.queued) return;
    this.queued = true;
    this.clock.soon(() => this.flush());
  }

  flush(): void {
    this.queued = false;
    if (this.forgotten) return;
    const changes: Change[] = [];
    for (const node of this.dead) this.deleteInode(node, changes);
    for (const [name, inode] of this.entries) {
      changes.push({
        key: `${this.prefix}entry/${name}`,
        value: inode === undefined ? undefined : String(inode),
      });
    }
    for (const node of this.inodes) {
      if (!this.dead.has(node))
        changes.push({ key: `${this.prefix}inode/${node.inode}`, value: JSON.stringify(recordOf(node)) });
    }
    for (const [node, chunks] of this.chunks)
      if (!this.dead.has(node)) this.saveChunks(node, chunks, changes);
    this.dead = new Set();
    this.entries = new Map();
    this.inodes = new Set();
    this.chunks = new Map();
    if (changes.length > 0) this.store.write(changes);
  }

  private deleteInode(node: MemoryNode, changes: Change[]): void {
    changes.push({ key: `${this.prefix}inode/${node.inode}`, value: undefined });
    for (const { key } of this.store.list(`${this.prefix}data/${node.inode}/`))
      changes.push({ key, value: undefined });
  }

  private saveChunks(node: MemoryNode, chunks: ReadonlySet<number>, changes: Change[]): void {
    const content = node.content();
    for (const chunk of chunks) {
      const start = chunk * CHUNK_BYTES;
      const piece = start < content.length ? saved(content.subarray(start, start + CHUNK_BYTES)) : undefined;
      changes.push({ key: chunkKey(this.prefix, node.inode, chunk), value: piece });
    }
    this.dropBeyond(node, Math.ceil(content.length / CHUNK_BYTES), changes);
  }

  /** A file that shrank leaves pieces behind; they end at the first that isn't there. */
  private dropBeyond(node: MemoryNode, from: number, changes: Change[]): void {
    for (let chunk = from; this.store.get(chunkKey(this.prefix, node.inode, chunk)) !== undefined; chunk++) {
      changes.push({ key: chunkKey(this.prefix, node.inode, chunk), value: undefined });
    }
  }
}

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** A piece of zeros is saved as nothing, which reads back as zeros: files made to fill a disk cost little. */
function saved(piece: Uint8Array): Uint8Array | string {
  return ZEROS.compare(piece, 0, piece.length, 0, piece.length) === 0 ? '' : piece.slice();
}

function chunkKey(prefix: string, inode: number, chunk: number): string {
  return `${prefix}data/${inode}/${String(chunk).padStart(8, '0')}`;
}

function recordOf(node: MemoryNode): InodeRecord {
  return {
    type: node.type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    size: node.type === 'file' ? node.sizeBytes : 0,
    times: [node.accessMs, node.modifyMs, node.changeMs],
    ...(node.type === 'symlink' ? { target: node.target } : {}),
    ...(node.whiteout ? { whiteout: true as const } : {}),
    ...(node.opaque ? { opaque: true as const } : {}),
  };
}

function readBack(tree: MemoryTree, store: Store, prefix: string): void {
  const nodes = new Map<number, MemoryNode>([[tree.root.inode, tree.root]]);
  const records = new Map<number, InodeRecord>();
  for (const { key, value } of store.list(`${prefix}inode/`)) {
    const inode = Number(key.slice(prefix.length + 'inode/'.length));
    const record = JSON.parse(String(value)) as InodeRecord;
    records.set(inode, record);
    if (inode !== tree.root.inode) nodes.set(inode, restoreNode(tree, store, prefix, inode, record));
    tree.nextInode = Math.max(tree.nextInode, inode + 1);
  }
  for (const { key, value } of store.list(`${prefix}entry/`)) {
    const [directory, ...name] = key.slice(prefix.length + 'entry/'.length).split('/');
    const parent = nodes.get(Number(directory));
    const child = nodes.get(Number(String(value)));
    if (parent?.type === 'directory' && child !== undefined) parent.attach(name.join('/'), child);
  }
  for (const [inode, record] of records) applyTimes(nodes.get(inode)!, record);
}

function restoreNode(
  tree: MemoryTree,
  store: Store,
  prefix: string,
  inode: number,
  record: InodeRecord,
): MemoryNode {
  const node = new MemoryNode(tree, inode, { ...record, target: record.target });
  node.whiteout = record.whiteout === true;
  node.opaque = record.opaque === true;
  node.links = record.type === 'directory' ? 1 : 0;
  tree.inodesUsed++;
  if (record.type === 'directory') tree.account(0, CHUNK_BYTES);
  if (record.type === 'file' && record.size > 0)
    node.provide(record.size, () => loadContent(store, prefix, inode, record.size));
  return node;
}

function loadContent(store: Store, prefix: string, inode: number, sizeBytes: number): Uint8Array {
  const content = new Uint8Array(sizeBytes);
  for (const { key, value } of store.list(`${prefix}data/${inode}/`)) {
    const start = Number(key.slice(key.lastIndexOf('/') + 1)) * CHUNK_BYTES;
    const piece = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (start < sizeBytes) content.set(piece.subarray(0, sizeBytes - start), start);
  }
  return content;
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
