// fmt(1): refills paragraphs with the least ragged lines, as GNU's does.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

interface Word {
  readonly text: string;
  /** Blanks after it when the line goes on. */
  space: number;
  readonly period: boolean;
  /** Ends a sentence. */
  final: boolean;
  readonly opening: boolean;
}

interface Line {
  readonly indent: number;
  readonly words: Word[];
  /** Kept as it is: blank, or without the prefix. */
  readonly verbatim: string | undefined;
}

/** fmt(1) */
export const fmt: Program = command(
  {
    short: 'cg:p:stuw:',
    long: [
      'crown-margin>c',
      'goal:>g',
      'prefix:>p',
      'split-only>s',
      'tagged-paragraph>t',
      'uniform-spacing>u',
      'width:>w',
    ],
    usage: '[-WIDTH] [OPTION]... [FILE]...',
    summary: 'Reformat each paragraph in the FILE(s), writing to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) => (/^-\d/.test(args[0] ?? '') ? [`-w${args[0]!.slice(1)}`, ...args.slice(1)] : args),
  },
  async (it) => {
    const width =
      numberOf(it, 'w', 'width') ?? (it.options.has('g') ? Number(it.options.value('g')) + 10 : 75);
    const goal = numberOf(it, 'g', 'goal') ?? Math.floor((width * 187) / 200);
    for (const path of it.inputs) {
      try {
        // Columns are bytes.
        const text = Buffer.from(await readAll(it.open(path))).toString('latin1');
        if (text !== '')
          await it.out.put(
            Buffer.from(new Filler(it, width, goal).fill(text.replace(/\n$/, '').split('\n')), 'latin1'),
          );
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`cannot open ${quoteAlways(path)} for reading: ${error.message}`);
      }
    }
  },
);

function numberOf(it: Invocation, letter: string, what: string): number | undefined {
  const text = it.options.value(letter);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Failure(`invalid ${what}: ${quote(text)}`);
  if (Number(text) > 2500)
    throw new Failure(`invalid ${what}: ${quote(text)}: Numerical result out of range`);
  return Number(text);
}

const square = (n: number): number => n * n;
const LINE_COST = square(70);
const WIDOW_COST = 200 * 200;
const ORPHAN_COST = 150 * 150;
const SENTENCE_BONUS = 50 * 50;
const NOBREAK_COST = 600 * 600;
const PARENTHESIS_BONUS = 40 * 40;
const PUNCTUATION_BONUS = 40 * 40;

class Filler {
  private readonly width: number;
  private readonly goal: number;
  private readonly crown: boolean;
  private readonly tagged: boolean;
  private readonly split: boolean;
  private readonly uniform: boolean;
  private readonly prefix: string;
  private readonly prefixIndent: number;
  /** The later lines' indentation of the last tagged paragraph. */
  private lastOther = 0;
  private firstTab = -1;
  private tabs = false;

  constructor(it: Invocation, width: number, goal: number) {
    this.width = width;
    this.goal = goal;
    const mode = it.options.last('c', 't', 's');
    this.crown = mode === 'c' || (it.options.has('c') && !it.options.has('t', 's'));
    this.tagged = it.options.has('t');
    this.split = it.options.has('s');
    this.uniform = it.options.has('u');
    const prefix = it.options.value('p') ?? '';
    this.prefixIndent = /^ */.exec(prefix)![0].length;
    this.prefix = prefix.trim();
  }

  fill(texts: readonly string[]): string {
    const lines = texts.map((text) => this.read(text));
    this.firstTab = texts.findIndex((text) => text.includes('\t'));
    let out = '';
    for (let at = 0; at < lines.length;) {
      const first = lines[at]!;
      if (first.verbatim !== undefined) {
        out += `${first.verbatim}\n`;
        at++;
        continue;
      }
      const { end, other } = this.paragraph(lines, at);
      // Blanks come out as tabs once the input had one.
      this.tabs = this.firstTab >= 0 && this.firstTab <= end;
      out += this.format(lines.slice(at, end), first.indent, other);
      at = end;
    }
    return out;
  }

  /** How far a paragraph goes from `at`, and the indentation of its later lines. */
  private paragraph(lines: readonly Line[], at: number): { end: number; other: number } {
    const first = lines[at]!;
    const next = lines[at + 1];
    const goesOn = next !== undefined && next.verbatim === undefined;
    if (this.split) return { end: at + 1, other: first.indent };
    let other = first.indent;
    if (this.crown) {
      if (!goesOn) return { end: at + 1, other };
      other = next.indent;
    } else if (this.tagged) {
      if (!goesOn || next.indent === first.indent) {
        // A tag alone: what follows it would stand three columns in.
        if (this.lastOther === first.indent) this.lastOther = first.indent === 0 ? 3 : 0;
        return { end: at + 1, other: this.lastOther };
      }
      other = this.lastOther = next.indent;
    }
    let end = at + 1;
    while (end < lines.length && lines[end]!.verbatim === undefined && lines[end]!.indent === other) end++;
    return { end, other };
  }

  private read(text: string): Line {
    let column = 0;
    let i = 0;
    const blanks = (): void => {
      for (; text[i] === ' ' || text[i] === '\t'; i++) column += text[i] === '\t' ? 8 - (column % 8) : 1;
    };
    blanks();
    if (this.prefix !== '') {
      const indented = column >= this.prefixIndent;
      if (!indented || !text.startsWith(this.prefix, i))
        return { indent: 0, words: [], verbatim: expandTabs(text).trimEnd() };
      i += this.prefix.length;
      column = this.prefix.length;
      blanks();
    }
    const words: Word[] = [];
    const indent = column;
    while (i < text.length) {
      const start = i;
      while (i < text.length && !/[ \t]/.test(text[i]!)) i++;
      const word = text.slice(start, i);
      column += word.length;
      const before = column;
      for (; i < text.length && /[ \t]/.test(text[i]!); i++)
        column += text[i] === '\t' ? 8 - (column % 8) : 1;
      const last = i >= text.length;
      const bare = word.replace(/[)\]'"]+$/, '');
      const period = /[.?!]$/.test(bare);
      const gap = column - before;
      const final = period && (last || gap > 1);
      const space = last || this.uniform ? (final ? 2 : 1) : gap;
      words.push({ text: word, space, period, final, opening: /^[('"`[]/.test(word) });
    }
    if (words.length === 0)
      return {
        indent: 0,
        words,
        verbatim: this.prefix === '' ? '' : `${' '.repeat(this.prefixIndent)}${this.prefix}`,
      };
    return { indent, words, verbatim: undefined };
  }

  private format(lines: readonly Line[], first: number, other: number): string {
    const words = lines.flatMap((line) => line.words);
    const count = words.length;
    words[count - 1] = { ...words[count - 1]!, final: true, period: true };
    // The best break from each word to the end, computed backwards.
    const best: number[] = Array.from({ length: count + 1 }, () => 0);
    const next: number[] = Array.from({ length: count + 1 }, () => count);
    const lengths: number[] = Array.from({ length: count + 1 }, () => 0);
    const prefix = this.prefix === '' ? 0 : this.prefixIndent;
    for (let start = count - 1; start >= 0; start--) {
      let lowest = Infinity;
      let length = (start === 0 ? first : other) + prefix + words[start]!.text.length;
      for (let end = start + 1; ; end++) {
        const cost = this.lineCost(length, end === count, words, end, lengths, next) + best[end]!;
        if (cost < lowest) {
          lowest = cost;
          next[start] = end;
          lengths[start] = length;
        }
        if (end === count) break;
        length += words[end - 1]!.space + words[end]!.text.length;
        if (length >= this.width) break;
      }
      best[start] = lowest + this.baseCost(words, start);
    }
    let out = '';
    const lead = this.prefix === '' ? '' : ' '.repeat(this.prefixIndent) + this.prefix;
    for (let start = 0; start < count; start = next[start]!) {
      const indent = Math.max(
        0,
        (start === 0 ? first : other) - (this.prefix === '' ? 0 : this.prefix.length),
      );
      let row = this.spaces(lead.length, indent);
      let column = lead.length + indent;
      for (let i = start; i < next[start]!; i++) {
        row += words[i]!.text;
        column += words[i]!.text.length;
        if (i + 1 >= next[start]!) continue;
        row += this.spaces(column, words[i]!.space);
        column += words[i]!.space;
      }
      out += `${lead}${row}\n`;
    }
    return out;
  }

  private spaces(column: number, count: number): string {
    const target = column + count;
    const tab = Math.floor(target / 8) * 8;
    if (!this.tabs || column + 1 >= tab) return ' '.repeat(count);
    let text = '';
    let at = column;
    for (; at < tab; at = (Math.floor(at / 8) + 1) * 8) text += '\t';
    return text + ' '.repeat(target - at);
  }

  private lineCost(
    length: number,
    last: boolean,
    words: readonly Word[],
    end: number,
    lengths: readonly number[],
    next: readonly number[],
  ): number {
    if (last) return 0;
    let cost = square((this.goal - length) * 10);
    if (next[end]! !== words.length) cost += square(((length - lengths[end]!) * 10) / 2);
    return cost;
  }

  /** What it costs to begin a line with a word. */
  private baseCost(words: readonly Word[], start: number): number {
    let cost = LINE_COST;
    const word = words[start]!;
    if (start > 0) {
      const before = words[start - 1]!;
      if (before.period) cost += before.final ? -SENTENCE_BONUS : NOBREAK_COST;
      else if (/[,;:]$/.test(before.text) || isPunctuated(before.text)) cost -= PUNCTUATION_BONUS;
      else if (start > 1 && words[start - 2]!.final)
        cost += Math.floor(WIDOW_COST / (before.text.length + 2));
    }
    if (word.opening) cost -= PARENTHESIS_BONUS;
    else if (word.final) cost += Math.floor(ORPHAN_COST / (word.text.length + 2));
    return cost;
  }
}

function isPunctuated(text: string): boolean {
  return /[!-/:-@[-`{-~]$/.test(text);
}

function expandTabs(text: string): string {
  let out = '';
  for (const c of text) out += c === '\t' ? ' '.repeat(8 - (out.length % 8)) : c;
  return out;
}
