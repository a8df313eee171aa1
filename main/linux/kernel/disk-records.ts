// How a writable layer is kept in the Store: one record per inode, and one per further piece of a big file.
import type { Change, Store } from '../../storage/index.ts';
import type { FileType } from './file-system.ts';
import type { MemoryNode } from './memory-tree.ts';

/**
 * Content is saved in pieces of this size, so that appending to a log rewrites only its last piece.
 * Changing it means a migration of saved workspaces.
 */
export const PIECE_BYTES = 4096;

/** What is saved of an inode beside its content. */
export interface InodeHead {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly times: readonly [accessMs: number, modifyMs: number, changeMs: number];
  readonly target: string;
  /** The blocks of a file on the disk, where that isn't all of them; kept in the place of a link's target. */
  readonly extents?: readonly number[] | undefined;
  readonly whiteout: boolean;
  readonly opaque: boolean;
  /** The inodes of the directories that it hangs in, with its names there; none for the root. */
  readonly names: readonly (readonly [directory: number, name: string])[];
}

export interface InodeRecord extends InodeHead {
  readonly inode: number;
  /** Of a file of one piece; bigger ones have their own records. */
  readonly content: Uint8Array | undefined;
}

/** A record's head as JSON; an array, since there are many. */
type Head = [
  type: string,
  mode: number,
  uid: number,
  gid: number,
  sizeBytes: number,
  accessMs: number,
  modifyMs: number,
  changeMs: number,
  flags: number,
  target: string,
  ...names: (number | string)[],
];

const TYPES: readonly (readonly [string, FileType])[] = [
  ['f', 'file'],
  ['d', 'directory'],
  ['l', 'symlink'],
  ['p', 'fifo'],
  ['s', 'socket'],
  ['c', 'character-device'],
  ['b', 'block-device'],
];
const LETTERS = new Map(TYPES.map(([letter, type]) => [type, letter]));
const BY_LETTER = new Map(TYPES);
const WHITEOUT = 1;
const OPAQUE = 2;
/** Between head and content; JSON has no such byte. */
const NUL = Buffer.from([0]);
const HEAD_NAMES_AT = 10;

/** `NODE` for an inode, `NODE/PIECE` for a further piece, below the prefix. Flat strings: the store keeps them all. */
export function inodeKey(prefix: string, inode: number): string {
  return [prefix, 'node/', inode].join('');
}

export function pieceKey(prefix: string, inode: number, piece: number): string {
  return [prefix, 'node/', inode, '/', String(piece).padStart(8, '0')].join('');
}

/** Whether the content is in records of its own. */
export function isBig(sizeBytes: number): boolean {
  return sizeBytes > PIECE_BYTES;
}

export function encodeInode(node: MemoryNode): string | Uint8Array {
  const { type, sizeBytes } = node;
  const head = encodeHead({
    type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    sizeBytes: type === 'file' ? sizeBytes : 0,
    times: [node.accessMs, node.modifyMs, node.changeMs],
    target: node.target,
    extents: node.holes,
    whiteout: node.whiteout,
    opaque: node.opaque,
    names: node.names().map(({ directory, name }) => [directory.inode, name]),
  });
  return type !== 'file' || isBig(sizeBytes) ? head : encodeRecord(head, node.content());
}

export function encodeHead(of: InodeHead): string {
  const head: Head = [
    LETTERS.get(of.type)!,
    of.mode,
    of.uid,
    of.gid,
    of.sizeBytes,
    ...of.times,
    (of.whiteout ? WHITEOUT : 0) | (of.opaque ? OPAQUE : 0),
    of.extents?.join(' ') ?? of.target,
    ...of.names.flat(),
  ];
  return JSON.stringify(head);
}

/** Head and content in one. */
export function encodeRecord(head: string, content: Uint8Array): string | Uint8Array {
  return content.length === 0 ? head : Buffer.concat([Buffer.from(head), NUL, content]);
}

/** Undefined for a record of a further piece. */
export function decodeInode(
  prefix: string,
  key: string,
  value: string | Uint8Array,
): InodeRecord | undefined {
  const inode = Number(key.slice(prefix.length + 'node/'.length));
  if (Number.isNaN(inode)) return undefined;
  const end = typeof value === 'string' ? -1 : value.indexOf(0);
  const text = typeof value === 'string' ? value : Buffer.from(value.subarray(0, end)).toString('utf8');
  const head = JSON.parse(text) as Head;
  const [letter, mode, uid, gid, sizeBytes, accessMs, modifyMs, changeMs, flags, target] = head;
  const names: [number, string][] = [];
  for (let at = HEAD_NAMES_AT; at < head.length; at += 2)
    names.push([head[at] as number, head[at + 1] as string]);
  return {
    inode,
    type: BY_LETTER.get(letter)!,
    mode,
    uid,
    gid,
    sizeBytes,
    times: [accessMs, modifyMs, changeMs],
    target: letter === 'l' ? target : '',
    extents: letter === 'f' && target !== '' ? target.split(' ').map(Number) : undefined,
    whiteout: (flags & WHITEOUT) !== 0,
    opaque: (flags & OPAQUE) !== 0,
    names,
    content: typeof value === 'string' ? undefined : value.subarray(end + 1),
  };
}

const ZEROS = Buffer.alloc(PIECE_BYTES);

/** A piece of zeros is saved as nothing, which reads back as zeros: files made to fill a disk cost little. */
export function encodePiece(piece: Uint8Array): Uint8Array | string {
  return ZEROS.compare(piece, 0, piece.length, 0, piece.length) === 0 ? '' : piece.slice();
}

/** The content of a file in pieces, as far as there are any. */
export function readPieces(store: Store, prefix: string, inode: number, sizeBytes: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (const { key, value } of store.list(`${inodeKey(prefix, inode)}/`)) {
    const start = Number(key.slice(key.lastIndexOf('/') + 1)) * PIECE_BYTES;
    const piece = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    // A piece of zeros is saved as nothing.
    if (start > end) pieces.push(new Uint8Array(start - end));
    pieces.push(piece);
    end = start + piece.length;
  }
  const content = Buffer.concat(pieces);
  return content.length > sizeBytes ? content.subarray(0, sizeBytes) : content;
}

/** Deletions of a file's pieces from `from` on; they end at the first that isn't there. */
export function dropPieces(store: Store, prefix: string, inode: number, from: number): Change[] {
  const changes: Change[] = [];
  for (let piece = from; ; piece++) {
    const key = pieceKey(prefix, inode, piece);
    if (!store.has(key)) return changes;
    changes.push({ key, value: undefined });
  }
}
