// stdbuf(1): runs a command; here every tool prints as it goes, so that there is no buffering to change.
import type { Program } from '../../kernel/index.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { ErrnoError } from '../../../network/index.ts';

/** stdbuf(1) */
export const stdbuf: Program = command(
  {
    short: 'i:o:e:',
    long: ['input:>i', 'output:>o', 'error:>e'],
    permute: false,
    usage: 'OPTION... COMMAND',
    summary: 'Run COMMAND, with modified buffering operations for its standard streams.',
    version: '(GNU coreutils) 9.1',
    usageExit: 125,
  },
  async (it) => {
    for (const { name, value } of it.options.list) {
      if (name === 'i' && value === 'L') throw new UsageError('line buffering stdin is meaningless');
      if (value !== 'L' && parseSize(value ?? '') === undefined)
        throw new Failure(`invalid mode ${quote(value ?? '')}`, 125);
    }
    if (it.operands.length === 0) throw new UsageError('missing operand');
    if (it.options.list.length === 0) throw new UsageError('you must specify a buffering mode option');
    try {
      return statusNumber(await runChild(it.proc, { argv: it.operands }));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(
        `failed to run command ${quoteAlways(it.operands[0]!)}: ${error.message}`,
        error.code === 'ENOENT' ? 127 : 126,
      );
    }
  },
);
