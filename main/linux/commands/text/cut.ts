// cut(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, UsageError } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

type Range = readonly [from: number, to: number];

/** cut(1) */
export const cut: Program = command(
  {
    short: 'b:c:d:f:nsz',
    long: [
      'bytes:>b',
      'characters:>c',
      'delimiter:>d',
      'fields:>f',
      'complement',
      'only-delimited>s',
      'output-delimiter:',
      'zero-terminated>z',
    ],
    usage: 'OPTION... [FILE]...',
    summary: 'Print selected parts of lines from each FILE to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const kinds = ['b', 'c', 'f'].filter((letter) => options.has(letter));
    if (kinds.length > 1) throw new UsageError('only one type of list may be specified');
    const kind = kinds[0];
    if (kind === undefined) throw new UsageError('you must specify a list of bytes, characters, or fields');
    const ranges = parseList(options.value(kind)!, kind === 'f');
    const delimiter = options.value('d') ?? '\t';
    if (kind !== 'f' && options.has('d'))
      throw new UsageError('an input delimiter may be specified only when operating on fields');
    if (kind !== 'f' && options.has('s'))
      throw new UsageError('suppressing non-delimited lines makes sense\n\tonly when operating on fields');
    if ([...delimiter].length > 1) throw new UsageError('the delimiter must be a single character');
    const complement = options.has('complement');
    const wanted = (n: number): boolean => ranges.some(([from, to]) => n >= from && n <= to) !== complement;
    const glue = options.value('output-delimiter') ?? (kind === 'f' ? delimiter : '');
    const end = options.has('z') ? '\0' : '\n';
    const take = (line: string): string | undefined => {
      if (kind === 'f') {
        if (!line.includes(delimiter === '' ? '\0' : delimiter)) return options.has('s') ? undefined : line;
        return line
          .split(delimiter === '' ? '\0' : delimiter)
          .filter((_, index) => wanted(index + 1))
          .join(glue);
      }
      if (kind === 'b')
        return Buffer.from(Buffer.from(line).filter((_, index) => wanted(index + 1))).toString();
      return [...line].filter((_, index) => wanted(index + 1)).join('');
    };
    for (const path of it.inputs) {
      try {
        for await (const batch of lineBatches(it.open(path), end)) {
          for (const line of batch) {
            const text = take(line.text);
            if (text !== undefined) await it.out.put(text + end);
          }
          await it.out.flush();
        }
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(`${path}: ${error.message}`);
      }
    }
  },
);

function parseList(text: string, fields: boolean): Range[] {
  return text.split(/[, \t]/).map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (match === null || part === '' || part === '-') {
      throw new UsageError(
        part === '-'
          ? 'invalid range with no endpoint: -'
          : `invalid ${fields ? 'field value' : 'byte or character position'} ${quote(part)}`,
      );
    }
    const from = match[1] === '' ? 1 : Number(match[1]);
    const to = match[2] === '' ? from : match[3] === '' ? Infinity : Number(match[3]);
    if (from === 0 || to === 0)
      throw new UsageError(
        fields ? 'fields are numbered from 1' : 'byte/character positions are numbered from 1',
      );
    if (to < from) throw new UsageError('invalid decreasing range');
    return [from, to];
  });
}
