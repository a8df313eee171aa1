// tac(1), rev(1), shuf(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { lineBatches, readAllText } from '../frame/input.ts';
import { compileRegex, escapeRegex } from '../frame/regex.ts';
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
    const separator = it.options.value('s') ?? '\n';
    const pattern = it.options.has('r')
      ? compileRegex(separator, { syntax: 'basic' })
      : new RegExp(escapeRegex(separator === '' ? '\0' : separator), 'g');
    for (const path of it.inputs) {
      let text: string;
      try {
        text = await readAllText(it.open(path));
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(
          error.code === 'EISDIR'
            ? `${path}: read error: ${error.message}`
            : `failed to open ${quoteAlways(path)} for reading: ${error.message}`,
        );
        continue;
      }
      const records: string[] = [];
      let at = 0;
      for (const found of text.matchAll(pattern)) {
        const end = it.options.has('b') ? found.index : found.index + found[0].length;
        if (end > at || !it.options.has('b')) records.push(text.slice(at, end));
        at = end;
      }
      if (at < text.length) records.push(text.slice(at));
      for (const record of records.toReversed()) await it.out.put(record);
    }
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
    if (!options.has('e') && it.operands.length > (range === undefined ? 1 : 0))
      throw new UsageError(`extra operand ${quote(it.operands.at(-1)!)}`);
    let items: string[];
    if (range !== undefined) {
      const match = /^(\d+)-(\d+)$/.exec(range);
      if (match === null || Number(match[1]) > Number(match[2]) + 1)
        throw new Failure(`invalid input range: ${quote(range)}`);
      items = Array.from({ length: Math.max(0, Number(match[2]) - Number(match[1]) + 1) }, (_, index) =>
        String(Number(match[1]) + index),
      );
    } else items = options.has('e') ? [...it.operands] : await linesOf(it, it.inputs[0]!, (p) => p);
    const count = Math.min(
      Number(options.value('n') ?? Infinity),
      options.has('r') ? Infinity : items.length,
    );
    const source = options.value('random-source');
    const choose =
      source === undefined
        ? (below: number): number => proc.random.integer(below)
        : chooser(proc.fs.readFile(source), source);
    for (let i = 0; i < count && items.length > 0; i++) {
      const at = options.has('r') ? choose(items.length) : i + choose(items.length - i);
      const item = items[at]!;
      if (!options.has('r')) [items[i], items[at]] = [item, items[i]!];
      await it.out.put(item + (options.has('z') ? '\0' : '\n'));
    }
  },
);

/** gnulib's randint: numbers below a bound from a file's bytes, none of them favoured. */
function chooser(bytes: Uint8Array, path: string): (below: number) => number {
  let at = 0;
  let number = 0n;
  let most = 0n;
  return (below) => {
    const genmax = BigInt(below) - 1n;
    for (;;) {
      if (most < genmax) {
        let reached = most;
        let count = 0;
        while (reached < genmax) {
          reached = reached * 256n + 255n;
          count++;
        }
        for (let i = 0; i < count; i++) {
          const byte = bytes[at++];
          if (byte === undefined) throw new Failure(`${quoteAlways(path)}: end of file`);
          number = number * 256n + BigInt(byte);
          most = most * 256n + 255n;
        }
      }
      if (most === genmax) {
        const result = number;
        number = most = 0n;
        return Number(result);
      }
      const choices = genmax + 1n;
      const usable = most - genmax;
      const unusable = usable % choices;
      const last = most - unusable;
      const result = number % choices;
      if (number <= last) {
        most = usable / choices;
        number /= choices;
        return Number(result);
      }
      number = result;
      most = unusable - 1n;
    }
  };
}
