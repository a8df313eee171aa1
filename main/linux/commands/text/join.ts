// join(1) and comm(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { compareNames } from '../frame/collate.ts';
import { shownName, command, Failure, UsageError, type Invocation } from '../frame/command.ts';
import { LineReader } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

function open(it: Invocation, path: string, separator = '\n'): LineReader {
  try {
    return new LineReader(it.open(path), separator);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`${shownName(it, path)}: ${error.message}`);
  }
}

function twoOperands(it: Invocation, mark: (text: string) => string = quote): [string, string] {
  const [first, second, third] = it.operands;
  if (first === undefined) throw new UsageError('missing operand');
  if (second === undefined) throw new UsageError(`missing operand after ${quote(first)}`);
  if (third !== undefined) throw new UsageError(`extra operand ${mark(third)}`);
  return [first, second];
}

async function all(reader: LineReader): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await reader.next(); line !== undefined; line = await reader.next()) lines.push(line.text);
  return lines;
}

/** join(1) */
export const join: Program = command(
  {
    short: 'a:e:i1:2:j:o:t:v:z',
    long: ['ignore-case>i', 'check-order', 'nocheck-order', 'header', 'zero-terminated>z'],
    usage: '[OPTION]... FILE1 FILE2',
    summary: 'For each pair of input lines with identical join fields, write a line to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const [pathA, pathB] = twoOperands(it, quoteAlways);
    const tab = options.value('t');
    const fieldA = Number(options.value('1') ?? options.value('j') ?? 1) - 1;
    const fieldB = Number(options.value('2') ?? options.value('j') ?? 1) - 1;
    const split = (line: string): string[] =>
      tab === undefined ? line.trim().split(/[ \t]+/) : line.split(tab);
    const [rawA, rawB] = [await all(open(it, pathA)), await all(open(it, pathB))];
    const [linesA, linesB] = [rawA.map(split), rawB.map(split)];
    const glue = tab ?? ' ';
    const empty = options.value('e') ?? '';
    const key = (fields: readonly string[], index: number): string =>
      options.has('i') ? (fields[index] ?? '').toLowerCase() : (fields[index] ?? '');
    const given = options.value('o')?.split(/[, ]/);
    const wrong = given?.find((spec) => spec !== '0' && spec !== 'auto' && !/^[12]\.\d+$/.test(spec));
    if (wrong !== undefined)
      throw new Failure(
        /^\d+\.\d+$/.test(wrong)
          ? `invalid file number in field spec: ${quote(wrong)}`
          : `invalid field specifier: ${quote(wrong)}`,
      );
    const auto = (lines: readonly (readonly string[])[], own: number, file: number): string[] =>
      (lines[0] ?? []).flatMap((_, i) => (i === own ? [] : [`${file}.${i + 1}`]));
    const format =
      given?.[0] === 'auto' ? ['0', ...auto(linesA, fieldA, 1), ...auto(linesB, fieldB, 2)] : given;
    const show = async (
      a: readonly string[] | undefined,
      b: readonly string[] | undefined,
    ): Promise<void> => {
      const joined = a?.[fieldA] ?? b?.[fieldB] ?? '';
      const fields =
        format === undefined
          ? [
              joined,
              ...(a?.filter((_, i) => i !== fieldA) ?? []),
              ...(b?.filter((_, i) => i !== fieldB) ?? []),
            ]
          : format.map((spec) =>
              spec === '0' ? joined : ((spec.startsWith('1.') ? a : b)?.[Number(spec.slice(2)) - 1] ?? empty),
            );
      await it.out.line(fields.join(glue));
    };
    const unpaired = [...options.values('a'), ...options.values('v')];
    const paired = !options.has('v');
    let [i, j] = [0, 0];
    if (options.has('header')) {
      await show(linesA[0], linesB[0]);
      [i, j] = [1, 1];
    }
    // As join does: the order only matters once a line had no partner.
    let strict = options.has('check-order');
    const told = new Set<number>();
    const inOrder = async (
      lines: readonly string[][],
      raw: readonly string[],
      at: number,
      field: number,
      file: number,
    ): Promise<void> => {
      if (!strict || options.has('nocheck-order') || at < 1 || at >= lines.length || told.has(file)) return;
      if (compareNames(key(lines[at - 1]!, field), key(lines[at]!, field)) <= 0) return;
      told.add(file);
      const message = `${file === 1 ? pathA : pathB}:${at + 1}: is not sorted: ${raw[at]}`;
      if (options.has('check-order')) throw new Failure(message);
      await it.warn(message);
    };
    while (i < linesA.length || j < linesB.length) {
      const [a, b] = [linesA[i], linesB[j]];
      const order = a === undefined ? 1 : b === undefined ? -1 : compareNames(key(a, fieldA), key(b, fieldB));
      if (order < 0) {
        if (unpaired.includes('1')) await show(a, undefined);
        strict = true;
        i++;
        await inOrder(linesA, rawA, i, fieldA, 1);
      } else if (order > 0) {
        if (unpaired.includes('2')) await show(undefined, b);
        strict = true;
        j++;
        await inOrder(linesB, rawB, j, fieldB, 2);
      } else {
        const value = key(a!, fieldA);
        const from = j;
        while (i < linesA.length && key(linesA[i]!, fieldA) === value) {
          for (j = from; j < linesB.length && key(linesB[j]!, fieldB) === value; j++)
            if (paired) await show(linesA[i], linesB[j]);
          i++;
          await inOrder(linesA, rawA, i, fieldA, 1);
        }
        await inOrder(linesB, rawB, j, fieldB, 2);
      }
    }
    if (told.size > 0) await it.complain('input is not in sorted order');
  },
);

/** comm(1) */
export const comm: Program = command(
  {
    short: '123z',
    long: ['check-order', 'nocheck-order', 'output-delimiter:', 'total', 'zero-terminated>z'],
    usage: '[OPTION]... FILE1 FILE2',
    summary: 'Compare sorted files FILE1 and FILE2 line by line.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const [pathA, pathB] = twoOperands(it);
    const [readerA, readerB] = [pathA, pathB].map((path) =>
      open(it, path, options.has('z') ? '\0' : '\n'),
    ) as [LineReader, LineReader];
    const tab = options.value('output-delimiter') ?? '\t';
    const indents = [0, 1, 2].map((column) =>
      tab.repeat([1, 2, 3].slice(0, column).filter((n) => !options.has(String(n))).length),
    );
    const counts = [0, 0, 0];
    const end = options.has('z') ? '\0' : '\n';
    const disordered = new Set<number>();
    // As comm does: the order only matters once a line was found in one file alone.
    let unpaired = options.has('check-order');
    const next = async (
      reader: LineReader,
      file: number,
      last: string | undefined,
    ): Promise<string | undefined> => {
      const line = (await reader.next())?.text;
      if (
        line !== undefined &&
        last !== undefined &&
        unpaired &&
        compareNames(last, line) > 0 &&
        !disordered.has(file) &&
        !options.has('nocheck-order')
      ) {
        disordered.add(file);
        if (options.has('check-order')) throw new Failure(`file ${file} is not in sorted order`);
        await it.warn(`file ${file} is not in sorted order`);
      }
      return line;
    };
    let [a, b] = [await next(readerA, 1, undefined), await next(readerB, 2, undefined)];
    while (a !== undefined || b !== undefined) {
      const order = a === undefined ? 1 : b === undefined ? -1 : compareNames(a, b);
      const column = order < 0 ? 0 : order > 0 ? 1 : 2;
      counts[column]!++;
      if (!options.has(String(column + 1))) await it.out.put(indents[column]! + (order > 0 ? b! : a!) + end);
      unpaired ||= order !== 0;
      if (order <= 0) a = await next(readerA, 1, a);
      if (order >= 0) b = await next(readerB, 2, b);
    }
    if (options.has('total')) await it.out.put(`${counts.join(tab)}${tab}total${end}`);
    if (disordered.size > 0) await it.complain('input is not in sorted order');
  },
);
