// tac(1), rev(1), shuf(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

async function linesOf(it: Invocation, path: string, opening: (path: string) => string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const batch of lineBatches(it.open(path))) for (const line of batch) lines.push(line.text);
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
    await it.warn(`${opening(path)}: ${error.message}`);
  }
  return lines;
}

/** tac(1) */
export const tac: Program = command(
  {
    short: 'brs:',
    long: ['before>b', 'regex>r', 'separator:>s'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Write each FILE to standard output, last line first.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    for (const path of it.inputs)
      for (const line of (
        await linesOf(it, path, (p) => `failed to open ${quoteAlways(p)} for reading`)
      ).toReversed())
        await it.out.line(line);
  },
);

/** rev(1) */
export const rev: Program = command(
  {
    usage: '[options] [file ...]',
    summary: 'Reverse lines characterwise.',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    for (const path of it.inputs) {
      try {
        for await (const batch of lineBatches(it.open(path))) {
          for (const line of batch)
            await it.out.put([...line.text].toReversed().join('') + (line.ended ? '\n' : ''));
          await it.out.flush();
        }
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(`cannot open ${path}: ${error.message}`);
      }
    }
  },
);

/** shuf(1) */
export const shuf: Program = command(
  {
    short: 'ei:n:o:rz',
    long: [
      'echo>e',
      'input-range:>i',
      'head-count:>n',
      'output:>o',
      'repeat>r',
      'zero-terminated>z',
      'random-source:',
    ],
    usage: '[OPTION]... [FILE]',
    summary: 'Write a random permutation of the input lines to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options, proc } = it;
    const range = options.value('i');
    let items: string[];
    if (range !== undefined) {
      const match = /^(\d+)-(\d+)$/.exec(range);
      if (match === null) throw new Failure(`invalid input range: ${quote(range)}`);
      items = Array.from({ length: Math.max(0, Number(match[2]) - Number(match[1]) + 1) }, (_, index) =>
        String(Number(match[1]) + index),
      );
    } else items = options.has('e') ? [...it.operands] : await linesOf(it, it.inputs[0]!, (p) => p);
    const count = Math.min(
      Number(options.value('n') ?? Infinity),
      options.has('r') ? Infinity : items.length,
    );
    for (let i = 0; i < count && items.length > 0; i++) {
      const at = options.has('r')
        ? proc.random.integer(items.length)
        : i + proc.random.integer(items.length - i);
      const item = items[at]!;
      if (!options.has('r')) [items[i], items[at]] = [item, items[i]!];
      await it.out.line(item);
    }
  },
);
