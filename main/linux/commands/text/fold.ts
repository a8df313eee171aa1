// fold(1), fmt(1), expand(1), unexpand(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { bytesToText, textToBytes } from '../../shell/index.ts';
import { shownName, command, Failure, type Invocation } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

async function eachLine(it: Invocation, take: (text: string) => string): Promise<void> {
  for (const path of it.inputs) {
    try {
      for await (const batch of lineBatches(it.open(path))) {
        for (const line of batch) await it.out.put(take(line.text) + (line.ended ? '\n' : ''));
        await it.out.flush();
      }
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      await it.warn(`${shownName(it, path)}: ${error.message}`);
    }
  }
}

function numbers(args: string[]): string[] {
  return args.map((arg) => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg));
}

/** fold(1) */
export const fold: Program = command(
  {
    short: 'bsw:',
    long: ['bytes>b', 'spaces>s', 'width:>w'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Wrap input lines in each FILE, writing to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: numbers,
  },
  async (it) => {
    const text = it.options.value('w') ?? '80';
    const width = Number(text);
    if (!/^\d+$/.test(text)) throw new Failure(`invalid number of columns: ${quote(text)}`);
    if (width === 0)
      throw new Failure(`invalid number of columns: ${quote(text)}: Numerical result out of range`);
    // GNU's counts bytes; busybox's counts characters.
    const bytewise = it.dialect === 'gnu';
    const fit = new Folder(width, it.options.has('b'), it.options.has('s'));
    await eachLine(it, (line) => (bytewise ? unlatin(fit.fold(latin(line))) : fit.fold(line)));
  },
);

/** A text as its bytes, one character each. */
function latin(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(textToBytes(text)).toString('latin1');
}

function unlatin(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : bytesToText(Buffer.from(text, 'latin1'));
}

/** Breaks one line into rows of at most so many columns. */
class Folder {
  private readonly width: number;
  private readonly bytes: boolean;
  private readonly atBlanks: boolean;

  constructor(width: number, bytes: boolean, atBlanks: boolean) {
    this.width = width;
    this.bytes = bytes;
    this.atBlanks = atBlanks;
  }

  fold(line: string): string {
    const rows: string[] = [];
    let row = '';
    let column = 0;
    for (const c of line) {
      let next = this.advance(column, c);
      if (next > this.width && row !== '') {
        const at = this.atBlanks ? Math.max(row.lastIndexOf(' '), row.lastIndexOf('\t')) : -1;
        rows.push(at < 0 ? row : row.slice(0, at + 1));
        row = at < 0 ? '' : row.slice(at + 1);
        column = 0;
        for (const kept of row) column = this.advance(column, kept);
        next = this.advance(column, c);
      }
      row += c;
      column = next;
    }
    return [...rows, row].join('\n');
  }

  private advance(column: number, c: string): number {
    if (this.bytes) return column + 1;
    if (c === '\t') return column + 8 - (column % 8);
    if (c === '\b') return Math.max(0, column - 1);
    return c === '\r' ? 0 : column + 1;
  }
}

/** The columns of tab stops: beyond the last one, every `every` (0: none). */
interface TabStops {
  readonly list: readonly number[];
  readonly every: number;
}

/** `-t` of expand and unexpand: a size, a list, or a list that ends in `/n` or `+n`. */
function tabStops(text: string): TabStops {
  const list: number[] = [];
  let every = 0;
  for (const part of text.split(/[, ]/).filter((piece) => piece !== '')) {
    const found = /^([/+]?)(\d+)$/.exec(part);
    if (found === null) throw new Failure(`tab size contains invalid character(s): ${quote(part)}`);
    const value = Number(found[2]);
    if (found[1] !== '') every = found[1] === '+' ? value : value;
    else {
      if (value === 0) throw new Failure('tab size cannot be 0');
      if (list.length > 0 && value <= list.at(-1)!) throw new Failure('tab sizes must be ascending');
      list.push(value);
    }
  }
  return list.length === 1 && every === 0 ? { list: [], every: list[0]! } : { list, every };
}

/** The next stop after a column; undefined when there is none. */
function nextStop(stops: TabStops, column: number): number | undefined {
  const listed = stops.list.find((stop) => stop > column);
  if (listed !== undefined) return listed;
  return stops.every === 0 ? undefined : column + stops.every - (column % stops.every);
}

/** expand(1) */
export const expand: Program = command(
  {
    short: 'it:',
    long: ['initial>i', 'tabs:>t'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Convert tabs in each FILE to spaces, writing to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: tabNumbers,
  },
  async (it) => {
    const stops = tabStops(it.options.values('t').join(',') || '8');
    const initial = it.options.has('i');
    await eachLine(it, (line) => {
      let out = '';
      let column = 0;
      let leading = true;
      for (const c of latin(line)) {
        if (c !== ' ' && c !== '\t') leading = false;
        if (c === '\t' && (leading || !initial)) {
          const next = nextStop(stops, column) ?? column + 1;
          out += ' '.repeat(next - column);
          column = next;
        } else {
          out += c;
          column =
            c === '\t'
              ? (nextStop(stops, column) ?? column + 1)
              : c === '\b'
                ? Math.max(0, column - 1)
                : column + 1;
        }
      }
      return unlatin(out);
    });
  },
);

/** unexpand(1) */
export const unexpand: Program = command(
  {
    short: 'at:',
    long: ['all>a', 'first-only', 'tabs:>t'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Convert blanks in each FILE to tabs, writing to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: tabNumbers,
  },
  async (it) => {
    const stops = tabStops(it.options.values('t').join(',') || '8');
    const all = it.options.has('a', 't') && !it.options.has('first-only');
    await eachLine(it, (line) => unlatin(unexpanded(latin(line), stops, all)));
  },
);

/** `-4` is `-t 4`. */
function tabNumbers(args: string[]): string[] {
  return args.map((arg) => (/^-[\d,]+$/.test(arg) ? `-t${arg.slice(1)}` : arg));
}

/** Runs of blanks that reach a stop become tabs; a single blank before a stop stays (POSIX). */
function unexpanded(line: string, stops: TabStops, all: boolean): string {
  let out = '';
  let column = 0;
  let pending = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c !== ' ' && c !== '\t') {
      out += pending + c;
      pending = '';
      column = c === '\b' ? Math.max(0, column - 1) : column + 1;
      if (!all) return out + line.slice(i + 1);
      continue;
    }
    const next = nextStop(stops, column);
    if (next === undefined) {
      out += pending + line.slice(i);
      return out;
    }
    if (c === '\t') {
      out += '\t';
      pending = '';
      column = next;
      continue;
    }
    column++;
    pending += ' ';
    if (column !== next) continue;
    const alone = pending.length === 1 && line[i + 1] !== ' ' && line[i + 1] !== '\t';
    out += alone ? ' ' : '\t';
    pending = '';
  }
  return out + pending;
}
