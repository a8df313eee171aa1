// What commands that change the file tree share: asking, walking, copying one file, naming a target.
import { ErrnoError } from '../../../network/index.ts';
import type { FileStat, FileSystemView } from '../../kernel/index.ts';
import type { Invocation } from '../frame/command.ts';

/** Asks on stderr and reads a line; true for an answer that begins with y or Y. */
export async function confirm(it: Invocation, question: string): Promise<boolean> {
  await it.out.flush();
  await it.proc.stderr.write(`${it.name}: ${question} `);
  let answer = '';
  while (!answer.includes('\n')) {
    const chunk = await it.proc.stdin.read(256);
    if (chunk.length === 0) break;
    answer += Buffer.from(chunk).toString();
  }
  return /^[yY]/.test(answer);
}

export function lstatOf(fs: FileSystemView, path: string): FileStat | undefined {
  return unlessMissing(() => fs.lstat(path));
}

export function statOf(fs: FileSystemView, path: string): FileStat | undefined {
  return unlessMissing(() => fs.stat(path));
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (
      error instanceof ErrnoError &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')
    )
      return undefined;
    throw error;
  }
}

export function isDirectory(fs: FileSystemView, path: string): boolean {
  return statOf(fs, path)?.type === 'directory';
}

/** `dir` and `name` put together, without doubling a slash. */
export function join(dir: string, name: string): string {
  return dir.endsWith('/') ? dir + name : `${dir}/${name}`;
}

/** basename(1)'s idea of the last part. */
export function lastPart(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '' : '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** dirname(1)'s idea of what is before the last part. */
export function parentPart(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path.startsWith('/') ? '/' : '.';
  const at = trimmed.lastIndexOf('/');
  if (at < 0) return '.';
  return trimmed.slice(0, at).replace(/\/+$/, '') || '/';
}

export function sameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device;
}

/** True when a path is a file system's own business: runs a callback and gives back the errno, or undefined. */
export function attempt(change: () => void): ErrnoError | undefined {
  try {
    change();
    return undefined;
  } catch (error) {
    if (error instanceof ErrnoError) return error;
    throw error;
  }
}
