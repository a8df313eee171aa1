// Pathname expansion: the files whose names match a pattern.
import { matchesPattern, isPattern, unquotePattern } from './pattern.ts';
import type { Shell } from './shell.ts';
import { ErrnoError } from '../../network/index.ts';

/** Sorted names of what matches; `\` in the pattern quotes. */
export function expandPathname(shell: Shell, pattern: string): string[] {
  const ignored = shell.vars.get('GLOBIGNORE');
  const components = splitComponents(pattern);
  let bases = pattern.startsWith('/') ? ['/'] : [''];
  for (let i = 0; i < components.length; i++) {
    bases = matchComponent(shell, bases, components[i]!, i === components.length - 1);
    if (bases.length === 0) return [];
  }
  const names = [...new Set(bases)].toSorted(compare);
  if (ignored === undefined || ignored === '') return names;
  return names.filter(
    (name) => !ignored.split(':').some((each) => matchesPattern(name, each, { extglob: true })),
  );
}

/** Order of the C locale: by code point. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function splitComponents(pattern: string): string[] {
  const components: string[] = [];
  let current = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      current += c + (pattern[++i] ?? '');
      continue;
    }
    if (c === '(') depth++;
    if (c === ')') depth--;
    if (c === '/' && depth <= 0) {
      if (current !== '') components.push(current);
      current = '';
      if (i === pattern.length - 1) components.push('');
    } else {
      current += c;
    }
  }
  if (current !== '') components.push(current);
  return components;
}

function matchComponent(
  shell: Shell,
  bases: readonly string[],
  component: string,
  isLast: boolean,
): string[] {
  const extglob = shell.shopts.has('extglob');
  if (component === '') return bases.filter((base) => isDirectory(shell, base)).map((base) => `${base}/`);
  if (!isPattern(component, extglob)) {
    const name = unquotePattern(component);
    const paths = bases.map((base) => join(base, name));
    return paths.filter((path) => (isLast ? existsAtAll(shell, path) : isDirectory(shell, path)));
  }
  if (component === '**' && shell.shopts.has('globstar'))
    return bases.flatMap((base) => descend(shell, base, isLast));
  const results: string[] = [];
  for (const base of bases) {
    for (const name of candidates(shell, base, component)) {
      const path = join(base, name);
      if (
        matchesPattern(name, component, { extglob, ignoreCase: shell.shopts.has('nocaseglob') }) &&
        (isLast || isDirectory(shell, path))
      )
        results.push(path);
    }
  }
  return results;
}

function join(base: string, name: string): string {
  return base === '' || base.endsWith('/') ? base + name : `${base}/${name}`;
}

function candidates(shell: Shell, base: string, pattern: string): string[] {
  const names = list(shell, base).map((entry) => entry.name);
  if (pattern.startsWith('.') || pattern.startsWith('\\.'))
    return shell.shopts.has('globskipdots') ? names : ['.', '..', ...names];
  return shell.shopts.has('dotglob') ? names : names.filter((name) => !name.startsWith('.'));
}

/** `**`: the directory itself and everything below, links not followed. */
function descend(shell: Shell, base: string, isLast: boolean): string[] {
  const results = isLast && base === '' ? [] : [isLast && base !== '' ? join(`${base}/`, '') : base];
  const walk = (directory: string): void => {
    for (const entry of list(shell, directory)) {
      if (entry.name.startsWith('.') && !shell.shopts.has('dotglob')) continue;
      const path = join(directory, entry.name);
      if (isLast || entry.type === 'directory') results.push(path);
      if (entry.type === 'directory') walk(path);
    }
  };
  walk(base);
  return results;
}

function list(shell: Shell, directory: string): { name: string; type: string }[] {
  try {
    return shell.proc.fs.readdir(directory === '' ? '.' : directory);
  } catch (error) {
    if (error instanceof ErrnoError) return []; // Unreadable directories match nothing.
    throw error;
  }
}

function isDirectory(shell: Shell, path: string): boolean {
  try {
    return shell.proc.fs.stat(path === '' ? '.' : path).type === 'directory';
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

function existsAtAll(shell: Shell, path: string): boolean {
  try {
    shell.proc.fs.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}
