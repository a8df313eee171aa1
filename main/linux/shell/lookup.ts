// Finding commands: PATH, the hash table, and what is said when there is none.
import { ErrnoError } from '../../network/index.ts';
import type { Shell } from './shell.ts';

/** The path of a command's file; a name with a slash is its own. */
export function findCommand(
  shell: Shell,
  name: string,
  path: string | undefined = shell.vars.get('PATH'),
): string | undefined {
  if (name.includes('/')) return name;
  if (name === '') return undefined;
  const own = path === shell.vars.get('PATH');
  const hashed = own ? shell.hashed.get(name) : undefined;
  if (hashed !== undefined && isExecutable(shell, hashed.path)) {
    hashed.hits++;
    return hashed.path;
  }
  const found = searchPath(shell, name, path)[0];
  if (found !== undefined && own && shell.options.has('hashall'))
    shell.hashed.set(name, { path: found, hits: 1 });
  return found;
}

/** Every file of that name on the path that can be executed, in order. */
export function searchPath(
  shell: Shell,
  name: string,
  path: string | undefined = shell.vars.get('PATH'),
): string[] {
  const found: string[] = [];
  for (const directory of (path ?? '').split(':')) {
    const candidate = directory === '' ? `./${name}` : `${directory.replace(/\/+$/, '')}/${name}`;
    if (isExecutable(shell, candidate)) found.push(candidate);
  }
  return found;
}

export function isExecutable(shell: Shell, path: string): boolean {
  try {
    return shell.proc.fs.stat(path).type === 'file' && shell.proc.fs.access(path, { execute: true });
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}
