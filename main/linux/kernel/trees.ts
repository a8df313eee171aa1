// Makes the trees that machines and containers mount: tmpfs, image layers, overlays.
import type { FileSystemTree } from './file-tree.ts';
import { elfContent, elfSizeBytes } from './executable.ts';
import { MemoryTree, type MemoryNode } from './memory-tree.ts';
import { OverlayTree } from './overlay-tree.ts';
import type { Program } from './process.ts';

/** A file of a read-only layer: text, bytes, a built-in program, a link, or an (empty) directory. */
export type LayerFile =
  | {
      readonly type: 'file';
      readonly content: string | Uint8Array;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: 'program'; readonly program: Program; readonly name: string; readonly mode?: number }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly mode?: number; readonly uid?: number; readonly gid?: number };

/** A tmpfs. Reaching `sizeMaxBytes` is ENOSPC. */
export function makeTmpfs(options: {
  readonly id: string;
  readonly now: () => number;
  readonly sizeMaxBytes?: number;
  readonly mode?: number;
}): FileSystemTree {
  return new MemoryTree({ ...options, rootMode: options.mode ?? 0o755 });
}

/** A read-only layer from absolute paths; directories on the way are made. Times are `timeMs`. */
export function makeLayer(id: string, files: ReadonlyMap<string, LayerFile>, timeMs: number): FileSystemTree {
  const tree = new MemoryTree({ id, now: () => timeMs, sizeMaxBytes: Infinity });
  for (const [path, file] of files) addFile(tree, path, file);
  return tree;
}

/** An overlay of read-only layers (topmost first) and a writable one. */
export function makeOverlay(
  id: string,
  lowers: readonly FileSystemTree[],
  upper: FileSystemTree,
): FileSystemTree {
  const isMemory = (tree: FileSystemTree): tree is MemoryTree => tree instanceof MemoryTree;
  if (!isMemory(upper) || !lowers.every(isMemory)) throw new TypeError('an overlay is made of layers');
  return new OverlayTree(id, lowers, upper);
}

function addFile(tree: MemoryTree, path: string, file: LayerFile): void {
  const names = path.split('/').filter((name) => name !== '');
  const name = names.pop();
  const directory = names.reduce((at, part) => directoryIn(at, part), tree.root);
  if (file.type === 'directory') {
    const made = name === undefined ? tree.root : directoryIn(directory, name);
    made.change({ mode: file.mode ?? 0o755, uid: file.uid ?? 0, gid: file.gid ?? 0 });
    return;
  }
  if (name === undefined) throw new TypeError(`a layer has no file at ${path}`);
  if (directory.lookup(name) !== undefined) directory.remove(name);
  if (file.type === 'symlink') {
    directory.create(name, { type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: file.target });
  } else if (file.type === 'program') {
    const node = directory.create(name, { type: 'file', mode: file.mode ?? 0o755, uid: 0, gid: 0 });
    node.provide(elfSizeBytes(file.name), () => elfContent(file.name));
    node.install({ name: file.name, program: file.program });
  } else {
    const node = directory.create(name, {
      type: 'file',
      mode: file.mode ?? 0o644,
      uid: file.uid ?? 0,
      gid: file.gid ?? 0,
    });
    const bytes = typeof file.content === 'string' ? Buffer.from(file.content, 'utf8') : file.content;
    node.provide(bytes.length, () => bytes);
  }
}

/** The directory of that name, made if need be; links to directories are followed within the layer. */
function directoryIn(parent: MemoryNode, name: string): MemoryNode {
  const existing = parent.lookup(name);
  if (existing?.type === 'symlink') return followed(parent, existing);
  return existing ?? parent.create(name, { type: 'directory', mode: 0o755, uid: 0, gid: 0 });
}

function followed(parent: MemoryNode, link: MemoryNode): MemoryNode {
  const start = link.target.startsWith('/') ? link.tree.root : parent;
  return link.target
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reduce(
      (at, name) => (name === '..' ? ((at.parent as MemoryNode | undefined) ?? at) : directoryIn(at, name)),
      start,
    );
}
