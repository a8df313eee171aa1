// cut(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { bytesToText, normalizeText, textToBytes } from '../../shell/index.ts';
import { shownName, command, UsageError, type Invocation } from '../frame/command.ts';
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
    if (kinds.length > 1) throw new UsageError('only one list may be specified');
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
    const chosen = complement ? complementOf(ranges) : merged(ranges);
    const glue = options.value('output-delimiter') ?? (kind === 'f' ? delimiter : '');
    const end = options.has('z') ? '\0' : '\n';
    const separator = delimiter === '' ? '\0' : delimiter;
    // GNU's -c selects bytes, as -b does; busybox's takes characters.
    const characters = kind === 'c' && it.dialect === 'busybox';
    const take = (line: string): string | undefined => {
      if (kind === 'f') {
        if (!line.includes(separator)) return options.has('s') ? undefined : line;
        const fields = line.split(separator);
        return chosen.flatMap(([from, to]) => fields.slice(from - 1, to)).join(glue);
      }
      if (characters) {
        const letters = [...line];
        return chosen.map(([from, to]) => letters.slice(from - 1, to).join('')).join('');
      }
      if (/^[\0-\x7f]*$/.test(line)) return glued(chosen, (from, to) => line.slice(from - 1, to), glue);
      const bytes = textToBytes(line);
      return glued(chosen, (from, to) => bytesToText(bytes.subarray(from - 1, to)), glue);
    };
    if (separator === end) {
      await cutLines(it, chosen, end, glue);
      return;
    }
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
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
  },
);

function glued(chosen: readonly Range[], piece: (from: number, to: number) => string, glue: string): string {
  const pieces = chosen.map(([from, to]) => piece(from, to));
  return normalizeText(pieces.filter((text, index) => index === 0 || text !== '').join(glue));
}

/** `cut -d$'\n'`: the lines of all input are the fields of one. */
async function cutLines(it: Invocation, chosen: readonly Range[], end: string, glue: string): Promise<void> {
  for (const path of it.inputs) {
    const lines: string[] = [];
    for await (const batch of lineBatches(it.open(path), end)) lines.push(...batch.map((line) => line.text));
    await it.out.put(chosen.flatMap(([from, to]) => lines.slice(from - 1, to)).join(glue) + end);
  }
}

/** In order, overlapping ones joined. */
function merged(ranges: readonly Range[]): Range[] {
  const out: Range[] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1]) out[out.length - 1] = [last[0], Math.max(last[1], to)];
    else out.push([from, to]);
  }
  return out;
}

function complementOf(ranges: readonly Range[]): Range[] {
  const out: Range[] = [];
  let next = 1;
  for (const [from, to] of merged(ranges)) {
    if (from > next) out.push([next, from - 1]);
    next = to + 1;
  }
  if (next !== Infinity) out.push([next, Infinity]);
  return out;
}

function parseList(text: string, fields: boolean): Range[] {
  return text.split(/[, \t]/).map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (part === '' && fields) throw new UsageError('fields are numbered from 1');
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
