// basename(1) and dirname(1)
import type { Program } from '../../kernel/index.ts';
import { command, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { lastPart, parentPart } from './files.ts';

/** basename(1) */
export const basename: Program = command(
  {
    short: 'as:z',
    long: ['multiple>a', 'suffix:>s', 'zero>z'],
    permute: false,
    usage: 'NAME [SUFFIX]\n  or:  basename OPTION... NAME...',
    summary: 'Print NAME with any leading directory components removed.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const [first, second, third] = it.operands;
    if (first === undefined) throw new UsageError('missing operand');
    const multiple = it.options.has('a', 's');
    if (!multiple && third !== undefined) throw new UsageError(`extra operand ${quote(third)}`);
    const suffix = it.options.value('s') ?? (multiple ? undefined : second);
    for (const path of multiple ? it.operands : [first]) {
      const name = lastPart(path);
      const shown =
        suffix !== undefined && suffix !== name && name.endsWith(suffix)
          ? name.slice(0, name.length - suffix.length)
          : name;
      await it.out.put(shown + (it.options.has('z') ? '\0' : '\n'));
    }
  },
);

/** dirname(1) */
export const dirname: Program = command(
  {
    short: 'z',
    long: ['zero>z'],
    usage: '[OPTION] NAME...',
    summary: 'Print each NAME with its last non-slash component removed.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    for (const path of it.operands) await it.out.put(parentPart(path) + (it.options.has('z') ? '\0' : '\n'));
  },
);
