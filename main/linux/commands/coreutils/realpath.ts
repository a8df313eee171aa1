// realpath(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { shownName, command, UsageError } from '../frame/command.ts';
import { join, lastPart, lstatOf, parentPart } from './files.ts';

/** `to` as seen from directory `from`; both absolute. */
export function relativePath(from: string, to: string): string {
  const a = from.split('/').filter((part) => part !== '');
  const b = to.split('/').filter((part) => part !== '');
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const parts = [...a.slice(same).map(() => '..'), ...b.slice(same)];
  return parts.length === 0 ? '.' : parts.join('/');
}

export type Existence = 'all' | 'all-but-last' | 'none';

/** The canonical form of a path, with how much of it has to exist. Throws ErrnoError. */
export function canonicalPath(proc: Process, path: string, mustExist: Existence): string {
  const { fs } = proc;
  if (path === '') throw new ErrnoError('ENOENT', path);
  try {
    return fs.realpath(path);
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code !== 'ENOENT' || mustExist === 'all') throw error;
    const absolute = fs.resolve(path);
    if (absolute === '/') return absolute;
    const found = lstatOf(fs, absolute);
    if (found?.type === 'symlink')
      return canonicalPath(proc, resolveLink(absolute, fs.readlink(absolute)), mustExist);
    const parent = canonicalPath(proc, parentPart(absolute), mustExist === 'none' ? 'none' : 'all');
    return join(parent, lastPart(absolute));
  }
}

function resolveLink(path: string, target: string): string {
  return target.startsWith('/') ? target : join(parentPart(path), target);
}

/** realpath(1) */
export const realpath: Program = command(
  {
    short: 'eLmPqsz',
    long: [
      'canonicalize-existing>e',
      'canonicalize-missing>m',
      'logical>L',
      'physical>P',
      'quiet>q',
      'relative-to:',
      'relative-base:',
      'strip>s',
      'no-symlinks>s',
      'zero>z',
    ],
    usage: '[OPTION]... FILE...',
    summary: 'Print the resolved absolute file name.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    const need: Existence = it.options.has('e') ? 'all' : it.options.has('m') ? 'none' : 'all-but-last';
    const base = it.options.value('relative-to');
    for (const path of it.operands) {
      try {
        const found = it.options.has('s') ? it.proc.fs.resolve(path) : canonicalPath(it.proc, path, need);
        const root = it.options.value('relative-base');
        const within =
          root === undefined ? undefined : `${canonicalPath(it.proc, root, 'none').replace(/\/$/, '')}/`;
        const outside = within !== undefined && !`${found}/`.startsWith(within);
        const shown = outside
          ? found
          : within !== undefined && base === undefined
            ? relativePath(within.replace(/(?!^)\/$/, ''), found)
            : base === undefined
              ? found
              : relativePath(canonicalPath(it.proc, base, 'none'), found);
        await it.out.put(shown + (it.options.has('z') ? '\0' : '\n'));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        it.exitCode = 1;
        if (!it.options.has('q')) await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
  },
);
