// rm(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';
import { attempt, confirm, join, lstatOf } from './files.ts';

/** rm(1) */
export const rm: Program = command(
  {
    short: 'dfiIrRv',
    long: [
      'dir>d',
      'force>f',
      'interactive::',
      'recursive>r',
      'verbose>v',
      'preserve-root::',
      'no-preserve-root',
      'one-file-system',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Remove (unlink) the FILE(s).',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) {
      if (it.options.has('f')) return 0;
      throw new UsageError('missing operand');
    }
    if (it.options.has('I') && (it.operands.length > 3 || it.options.has('r', 'R'))) {
      const what = `remove ${it.operands.length} argument${it.operands.length === 1 ? '' : 's'}${it.options.has('r', 'R') ? ' recursively' : ''}?`;
      if (!(await confirm(it, what))) return 0;
    }
    for (const path of it.operands) await remove(it, path, true);
    return it.exitCode;
  },
);

async function remove(it: Invocation, path: string, top: boolean): Promise<void> {
  const { fs } = it.proc;
  const force = it.options.last('f', 'i') === 'f';
  const found = lstatOf(fs, path);
  if (found === undefined) {
    if (!force)
      await it.warn(
        it.dialect === 'busybox'
          ? `can't remove '${path}': No such file or directory`
          : `cannot remove ${quoteAlways(path)}: No such file or directory`,
      );
    return;
  }
  if (top && it.options.has('r', 'R') && /(?:^|\/)\.\.?\/*$/.test(path))
    return it.warn(`refusing to remove '.' or '..' directory: skipping ${quoteAlways(path)}`);
  const ask = it.options.last('f', 'i') === 'i';
  if (found.type === 'directory') {
    if (!it.options.has('r', 'R') && !it.options.has('d'))
      return it.warn(`cannot remove ${quoteAlways(path)}: Is a directory`);
    if (it.options.has('r', 'R')) {
      if (fs.resolve(path) === '/' && !it.options.has('no-preserve-root')) {
        await it.proc.stderr.write(
          `${it.name}: it is dangerous to operate recursively on '/'\n${it.name}: use --no-preserve-root to override this failsafe\n`,
        );
        throw new Failure('');
      }
      const entries = fs.readdir(path);
      if (ask && entries.length > 0 && !(await confirm(it, `descend into directory ${quoteAlways(path)}?`)))
        return;
      for (const entry of entries) await remove(it, join(path, entry.name), false);
    }
    if (ask && !(await confirm(it, `remove directory ${quoteAlways(path)}?`))) return;
  } else if (
    ask &&
    !(await confirm(it, `remove regular ${found.sizeBytes === 0 ? 'empty ' : ''}file ${quoteAlways(path)}?`))
  )
    return;
  const failed = attempt(() => (found.type === 'directory' ? fs.rmdir(path) : fs.unlink(path)));
  if (failed !== undefined) return it.warn(`cannot remove ${quoteAlways(path)}: ${failed.message}`);
  if (it.options.has('v'))
    await it.out.line(`removed ${found.type === 'directory' ? 'directory ' : ''}${quoteAlways(path)}`);
}
