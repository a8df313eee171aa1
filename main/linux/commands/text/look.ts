// look(1) of util-linux: lines that begin with a text, in a sorted file.
import type { Program } from '../../kernel/index.ts';
import { command, UsageError } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';

/** look(1). Differs: it reads the file through instead of halving it, and so doesn't depend on its order. */
export const look: Program = command(
  {
    short: 'adft:Vh',
    long: ['alternative>a', 'alphanum>d', 'ignore-case>f', 'terminate:>t'],
    usage: '[options] <string> [<file>...]',
    summary: 'Display lines beginning with a specified string.',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const [text, path = '/usr/share/dict/words'] = it.operands;
    if (text === undefined) throw new UsageError('bad usage');
    const stop = it.options.value('t');
    const words = it.operands.length === 1;
    const plain = (line: string): string => {
      const kept = it.options.has('d') || words ? line.replaceAll(/[^\p{L}\p{Nd}\s]/gu, '') : line;
      return it.options.has('f') || words ? kept.toLowerCase() : kept;
    };
    const wanted = plain(stop === undefined ? text : text.slice(0, text.indexOf(stop) + 1 || undefined));
    let found = false;
    for await (const batch of lineBatches(it.open(path)))
      for (const line of batch)
        if (plain(line.text).startsWith(wanted)) {
          found = true;
          await it.out.line(line.text);
        } else if (found) return 0;
    return found ? 0 : 1;
  },
);
