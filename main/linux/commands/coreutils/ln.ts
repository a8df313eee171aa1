// ln(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';
import { backUp } from './backup.ts';
import { attempt, isDirectory, join, lastPart, lstatOf, parentPart } from './files.ts';
import { relativePath } from './realpath.ts';

/** ln(1) */
export const ln: Program = command(
  {
    short: 'bfiLnPrsS:t:Tv',
    long: [
      'backup::',
      'force>f',
      'interactive>i',
      'no-dereference>n',
      'logical>L',
      'physical>P',
      'relative>r',
      'symbolic>s',
      'target-directory:>t',
      'no-target-directory>T',
      'verbose>v',
      'suffix:>S',
    ],
    usage:
      '[OPTION]... [-T] TARGET LINK_NAME\n  or:  ln [OPTION]... TARGET\n  or:  ln [OPTION]... TARGET... DIRECTORY',
    summary: 'Make links between files.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { fs } = it.proc;
    const operands = [...it.operands];
    if (operands.length === 0) throw new UsageError('missing file operand');
    const symbolic = it.options.has('s');
    let target = it.options.value('t');
    let into = target !== undefined;
    if (target === undefined) {
      target = operands.length === 1 ? '.' : operands.pop()!;
      const directory =
        isDirectory(fs, target) &&
        !(it.options.has('n') && lstatOf(fs, target)?.type === 'symlink') &&
        !it.options.has('T');
      if (operands.length > 1 && !directory)
        throw new Failure(
          `target ${quoteAlways(target)}: ${fs.exists(target) ? 'Not a directory' : 'No such file or directory'}`,
        );
      into = directory;
    }
    for (const existing of operands) {
      const path = into ? join(target, lastPart(existing)) : target;
      if (!symbolic && lstatOf(fs, existing) === undefined) {
        await it.warn(`failed to access ${quoteAlways(existing)}: No such file or directory`);
        continue;
      }
      if (!symbolic && isDirectory(fs, existing)) {
        await it.warn(`${existing}: hard link not allowed for directory`);
        continue;
      }
      const text =
        it.options.has('r') && symbolic
          ? relativePath(fs.resolve(parentPart(path)), fs.resolve(existing))
          : existing;
      const failed = attempt(() => {
        backUp(it, path);
        if (it.options.has('f') && lstatOf(fs, path) !== undefined) fs.unlink(path);
        if (symbolic) fs.symlink(text, path);
        else fs.link(existing, path);
      });
      if (failed !== undefined)
        await it.warn(
          `failed to create ${symbolic ? 'symbolic' : 'hard'} link ${quoteAlways(path)}${symbolic ? '' : failed.code === 'EEXIST' ? '' : ` => ${quoteAlways(existing)}`}: ${failed.message}`,
        );
      else if (it.options.has('v'))
        await it.out.line(`${quoteAlways(path)} ${symbolic ? '->' : '=>'} ${quoteAlways(text)}`);
    }
  },
);
