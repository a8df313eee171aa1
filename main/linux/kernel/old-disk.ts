// Brings a writable layer of the first format (a record per inode, per name and per piece) to today's.
import type { Change, Store } from '../../storage/index.ts';
import { encodeHead, encodeRecord, inodeKey, isBig, pieceKey, PIECE_BYTES } from './disk-records.ts';
import type { FileType } from './file-system.ts';

/** `inode/ID` of that format; `entry/ID/NAME` held the inode of a name, `data/ID/PIECE` content. */
interface OldInode {
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

/** Rewrites the records below the prefix, if they are of the first format. */
export function upgradeDisk(store: Store, prefix: string): void {
  const inodes = store.list(`${prefix}inode/`);
  if (inodes.length === 0) return;
  const changes: Change[] = [];
  const names = new Map<number, [directory: number, name: string][]>();
  for (const { key, value } of store.list(`${prefix}entry/`)) {
    const [directory, ...name] = key.slice(`${prefix}entry/`.length).split('/');
    const inode = Number(String(value));
    names.set(inode, [...(names.get(inode) ?? []), [Number(directory), name.join('/')]]);
    changes.push({ key, value: undefined });
  }
  const pieces = new Map<number, (string | Uint8Array)[]>();
  for (const { key, value } of store.list(`${prefix}data/`)) {
    const [inode, piece] = key.slice(`${prefix}data/`.length).split('/').map(Number);
    const content = pieces.get(inode!) ?? [];
    content[piece!] = value;
    pieces.set(inode!, content);
    changes.push({ key, value: undefined });
  }
  for (const { key, value } of inodes) {
    const inode = Number(key.slice(`${prefix}inode/`.length));
    const {
      size,
      target = '',
      whiteout = false,
      opaque = false,
      ...old
    } = JSON.parse(String(value)) as OldInode;
    const head = encodeHead({
      ...old,
      sizeBytes: size,
      target,
      whiteout,
      opaque,
      names: names.get(inode) ?? [],
    });
    const content = pieces.get(inode) ?? [];
    changes.push({ key, value: undefined });
    if (isBig(size)) {
      changes.push({ key: inodeKey(prefix, inode), value: head });
      content.forEach((piece, at) => changes.push({ key: pieceKey(prefix, inode, at), value: piece }));
    } else {
      const whole = new Uint8Array(size);
      const first = content[0];
      if (first !== undefined) whole.set(Buffer.from(first).subarray(0, Math.min(size, PIECE_BYTES)));
      changes.push({ key: inodeKey(prefix, inode), value: encodeRecord(head, whole) });
    }
  }
  store.save(changes);
}
