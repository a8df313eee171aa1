// rmdir(1)
import type { Program } from '../../kernel/index.ts';
import { command, UsageError } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';
import { attempt, parentPart } from './files.ts';

/** rmdir(1) */
export const rmdir: Program = command(
  {
    short: 'pv',
    long: ['ignore-fail-on-non-empty', 'parents>p', 'verbose>v'],
    usage: '[OPTION]... DIRECTORY...',
    summary: 'Remove the DIRECTORY(ies), if they are empty.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    for (const operand of it.operands) {
      const paths = [operand];
      if (it.options.has('p'))
        for (let p = parentPart(operand); p !== '.' && p !== '/'; p = parentPart(p)) paths.push(p);
      for (const path of paths) {
        if (it.options.has('v')) await it.out.line(`${it.name}: removing directory, ${quoteAlways(path)}`);
        const failed = attempt(() => it.proc.fs.rmdir(path));
        if (failed === undefined) continue;
        if (failed.code !== 'ENOTEMPTY' || !it.options.has('ignore-fail-on-non-empty'))
          await it.warn(`failed to remove ${quoteAlways(path)}: ${failed.message}`);
        break;
      }
    }
  },
);
