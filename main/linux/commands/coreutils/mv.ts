// mv(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';
import { backUp } from './backup.ts';
import { Copier, destination } from './cp.ts';
import { confirm, join, lastPart, lstatOf, sameFile, statOf } from './files.ts';

/** mv(1): renames, or copies and removes across file systems. */
export const mv: Program = command(
  {
    short: 'bfint:TuvS:Z',
    long: [
      'backup::',
      'force>f',
      'interactive>i',
      'no-clobber>n',
      'target-directory:>t',
      'no-target-directory>T',
      'update>u',
      'verbose>v',
      'suffix:>S',
      'strip-trailing-slashes',
    ],
    usage: '[OPTION]... [-T] SOURCE DEST\n  or:  mv [OPTION]... SOURCE... DIRECTORY',
    summary: 'Rename SOURCE to DEST, or move SOURCE(s) to DIRECTORY.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { fs } = it.proc;
    const { sources, target, into } = destination(it);
    for (const source of sources) {
      const goal = into ? join(target, lastPart(source)) : target;
      const from = lstatOf(fs, source);
      const to = lstatOf(fs, goal);
      if (from === undefined) {
        await it.warn(`cannot stat ${quoteAlways(source)}: No such file or directory`);
        continue;
      }
      if (sameFile(from, to)) {
        await it.warn(`${quoteAlways(source)} and ${quoteAlways(goal)} are the same file`);
        continue;
      }
      if (to !== undefined) {
        if (it.options.has('n') || (it.options.has('u') && to.modifyMs >= from.modifyMs)) continue;
        if (it.options.last('f', 'i') === 'i' && !(await confirm(it, `overwrite ${quoteAlways(goal)}?`)))
          continue;
        if (to.type === 'directory' && from.type !== 'directory') {
          await it.warn(`cannot overwrite directory ${quoteAlways(goal)} with non-directory`);
          continue;
        }
        if (to.type !== 'directory' && from.type === 'directory') {
          await it.warn(
            `cannot overwrite non-directory ${quoteAlways(goal)} with directory ${quoteAlways(source)}`,
          );
          continue;
        }
      }
      if (from.type === 'directory' && `${fs.resolve(goal)}/`.startsWith(`${fs.resolve(source)}/`)) {
        await it.warn(`cannot move ${quoteAlways(source)} to a subdirectory of itself, ${quoteAlways(goal)}`);
        continue;
      }
      const backup = to === undefined ? undefined : backUp(it, goal);
      try {
        fs.rename(source, goal);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.code !== 'EXDEV') {
          await it.warn(`cannot move ${quoteAlways(source)} to ${quoteAlways(goal)}: ${error.message}`);
          continue;
        }
        if (statOf(fs, goal)?.type !== 'directory') fs.removeAll(goal);
        if (await new Copier(it, true).copy(source, goal, true)) fs.removeAll(source);
      }
      if (it.options.has('v'))
        await it.out.line(
          `renamed ${quoteAlways(source)} -> ${quoteAlways(goal)}${backup === undefined ? '' : ` (backup: ${quoteAlways(backup)})`}`,
        );
    }
  },
);
