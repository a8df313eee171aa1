// Writes the files of a volume so that readers see all of a version or none (kubelet's AtomicWriter).
import type { Clock, Random } from '../../simulation/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { FileSystemView } from '../../linux/kernel/index.ts';

export interface PayloadFile {
  readonly content: Uint8Array | string;
  readonly mode: number;
  readonly uid?: number;
}

const DATA = '..data';

/**
 * Makes `directory` hold `files` by their relative paths: a timestamped folder, `..data` pointing to it, and a link for
 * each top-level name. Does nothing when the content is there already. Returns whether it wrote.
 */
export function writeAtomically(
  fs: FileSystemView,
  directory: string,
  files: ReadonlyMap<string, PayloadFile>,
  world: { readonly clock: Clock; readonly random: Random; readonly gid?: number },
): boolean {
  const oldName = readLink(fs, `${directory}/${DATA}`);
  if (oldName !== undefined && isSame(fs, `${directory}/${oldName}`, files)) return false;

  const name = `..${timestamp(world.clock.now())}.${1_000_000_000 + world.random.integer(3_000_000_000)}`;
  const target = `${directory}/${name}`;
  const directoryMode = world.gid === undefined ? 0o755 : 0o2755;
  fs.mkdir(target, { mode: directoryMode });
  if (world.gid !== undefined) fs.chown(target, 0, world.gid);
  for (const [path, file] of files) {
    const full = `${target}/${path}`;
    const parent = full.slice(0, full.lastIndexOf('/'));
    if (!fs.exists(parent)) fs.mkdir(parent, { recursive: true, mode: directoryMode });
    fs.writeFile(full, file.content, { mode: file.mode });
    fs.chmod(full, file.mode);
    if (file.uid !== undefined || world.gid !== undefined) fs.chown(full, file.uid ?? 0, world.gid ?? 0);
  }
  const fresh = `${directory}/..data_tmp`;
  if (readLink(fs, fresh) !== undefined) fs.unlink(fresh);
  fs.symlink(name, fresh);
  fs.rename(fresh, `${directory}/${DATA}`);
  linkNames(fs, directory, files);
  if (oldName !== undefined) fs.removeAll(`${directory}/${oldName}`);
  return true;
}

function linkNames(fs: FileSystemView, directory: string, files: ReadonlyMap<string, PayloadFile>): void {
  const names = new Set([...files.keys()].map((path) => path.split('/')[0]!));
  for (const { name } of fs.readdir(directory)) {
    if (!name.startsWith('..') && !names.has(name)) fs.unlink(`${directory}/${name}`);
  }
  for (const name of names) {
    if (readLink(fs, `${directory}/${name}`) === undefined)
      fs.symlink(`${DATA}/${name}`, `${directory}/${name}`);
  }
}

function isSame(fs: FileSystemView, directory: string, files: ReadonlyMap<string, PayloadFile>): boolean {
  const present = new Set<string>();
  const walk = (path: string, prefix: string): void => {
    for (const entry of fs.readdir(path)) {
      if (entry.type === 'directory') walk(`${path}/${entry.name}`, `${prefix}${entry.name}/`);
      else present.add(prefix + entry.name);
    }
  };
  if (!fs.exists(directory)) return false;
  walk(directory, '');
  if (present.size !== files.size) return false;
  for (const [path, { content, mode }] of files) {
    if (!present.has(path)) return false;
    if (Buffer.compare(Buffer.from(fs.readFile(`${directory}/${path}`)), Buffer.from(content)) !== 0)
      return false;
    if ((fs.stat(`${directory}/${path}`).mode & 0o777) !== mode) return false;
  }
  return true;
}

/** The target of a link; undefined when there is none. */
function readLink(fs: FileSystemView, path: string): string | undefined {
  try {
    return fs.readlink(path);
  } catch (error) {
    if (error instanceof ErrnoError && (error.code === 'ENOENT' || error.code === 'EINVAL')) return undefined;
    throw error;
  }
}

function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
}
