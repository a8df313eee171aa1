// readlink(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, UsageError } from '../frame/command.ts';
import { canonicalPath } from './realpath.ts';

/** readlink(1) */
export const readlink: Program = command(
  {
    short: 'efmnqsvz',
    long: [
      'canonicalize>f',
      'canonicalize-existing>e',
      'canonicalize-missing>m',
      'no-newline>n',
      'quiet>q',
      'silent>s',
      'verbose>v',
      'zero>z',
    ],
    usage: '[OPTION]... FILE...',
    summary: 'Print value of a symbolic link or canonical file name.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    const mode = it.options.last('e', 'f', 'm');
    if (it.options.has('n') && it.operands.length > 1)
      await it.complain('ignoring --no-newline with multiple arguments');
    const end = it.options.has('z') ? '\0' : it.options.has('n') && it.operands.length === 1 ? '' : '\n';
    for (const path of it.operands) {
      try {
        const text =
          mode === undefined
            ? it.proc.fs.readlink(path)
            : canonicalPath(it.proc, path, mode === 'e' ? 'all' : mode === 'm' ? 'none' : 'all-but-last');
        await it.out.put(text + end);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        it.exitCode = 1;
        if (it.options.has('v')) await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
  },
);
