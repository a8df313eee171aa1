// wc(1)
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, UsageError, type Invocation } from '../frame/command.ts';
import { charWidth } from '../frame/format.ts';
import { readAllText } from '../frame/input.ts';
import { quote, quoteWhenNeeded } from '../frame/quote.ts';
import { LosslessDecoder } from '../frame/text-decoder.ts';

interface Counts {
  l: number;
  w: number;
  m: number;
  c: number;
  L: number;
}

/** wc(1) */
export const wc: Program = command(
  {
    short: 'cLlmw',
    long: ['bytes>c', 'chars>m', 'lines>l', 'words>w', 'max-line-length>L', 'files0-from:'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print newline, word, and byte counts for each FILE.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const chosen = (['l', 'w', 'm', 'c', 'L'] as const).filter((letter) => it.options.has(letter));
    const columns = chosen.length === 0 ? (['l', 'w', 'c'] as const) : chosen;
    const rows: { counts: Counts; name: string | undefined; failed?: string }[] = [];
    const total: Counts = { l: 0, w: 0, m: 0, c: 0, L: 0 };
    const listed = it.options.has('files0-from')
      ? await namesOf(it, it.options.value('files0-from')!)
      : undefined;
    const inputs = listed ?? it.inputs;
    let width = listed === undefined ? (inputs.length <= 1 && columns.length === 1 ? 1 : 0) : 1;
    for (const path of inputs) {
      const name = it.operands.length === 0 && listed === undefined ? undefined : path;
      try {
        const file = it.open(path);
        const stat = file.stat();
        if (stat.type !== 'file' && width === 0) width = 7;
        const failing = stat.type === 'directory';
        const counts = failing ? { l: 0, w: 0, m: 0, c: 0, L: 0 } : await countFile(file, columns);
        rows.push({ counts, name, ...(failing ? { failed: `${path}: Is a directory` } : {}) });
        for (const key of ['l', 'w', 'm', 'c'] as const) total[key] += counts[key];
        total.L = Math.max(total.L, counts.L);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`${quoteWhenNeeded(path)}: ${error.message}`);
      }
    }
    if (width === 0) width = String(total.c).length;
    const show = (counts: Counts, name: string | undefined): string =>
      columns.map((key) => String(counts[key]).padStart(width)).join(' ') +
      (name === undefined ? '' : ` ${name}`);
    for (const row of rows) {
      if (row.failed !== undefined) await it.warn(row.failed);
      await it.out.line(
        it.dialect === 'busybox'
          ? busybox(
              columns.map((key) => row.counts[key]),
              row.name,
            )
          : show(row.counts, row.name),
      );
    }
    if (inputs.length > 1)
      await it.out.line(
        it.dialect === 'busybox'
          ? busybox(
              columns.map((key) => total[key]),
              'total',
            )
          : show(total, 'total'),
      );
  },
);

function busybox(counts: readonly number[], name: string | undefined): string {
  const shown =
    counts.length === 1 ? String(counts[0]) : counts.map((count) => String(count).padStart(9)).join(' ');
  return name === undefined ? shown : `${shown} ${name}`;
}

/** The names in a file, each ended by a NUL. */
async function namesOf(it: Invocation, path: string): Promise<string[]> {
  if (it.operands.length > 0)
    throw new UsageError(
      `extra operand ${quote(it.operands[0]!)}\nfile operands cannot be combined with --files0-from`,
    );
  const names = (await readAllText(it.open(path))).split('\0');
  if (names.at(-1) === '') names.pop();
  for (const [index, name] of names.entries())
    if (name === '') await it.warn(`${path}:${index + 1}: invalid zero-length file name`);
  return names.filter((name) => name !== '');
}

async function countFile(file: OpenFile, columns: readonly (keyof Counts)[]): Promise<Counts> {
  const counts: Counts = { l: 0, w: 0, m: 0, c: 0, L: 0 };
  const plain = columns.every((key) => key === 'l' || key === 'c');
  const decoder = new LosslessDecoder();
  const words = new WordCounter(counts);
  for (;;) {
    const chunk = await file.read(65_536);
    if (chunk.length === 0) break;
    counts.c += chunk.length;
    if (plain) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) counts.l++;
    } else words.take(decoder.decode(chunk));
  }
  words.take(decoder.end());
  words.end();
  return counts;
}

/** Words are runs with a printable character; bytes that are no characters are neither that nor blanks. */
class WordCounter {
  private readonly counts: Counts;
  private inWord = false;
  private column = 0;

  constructor(counts: Counts) {
    this.counts = counts;
  }

  take(text: string): void {
    const { counts } = this;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00) continue;
        code = text.codePointAt(i++)!;
      }
      counts.m++;
      if (code > 0x20 && code < 0x7f) {
        this.column++;
        this.begin();
      } else if (code === 0x0a || code === 0x0d || code === 0x0c) {
        if (code === 0x0a) counts.l++;
        this.end();
        this.inWord = false;
      } else if (code === 0x09) {
        this.column += 8 - (this.column % 8);
        this.inWord = false;
      } else if (code === 0x20 || code === 0x0b || (code > 0x7f && isSpace(code))) {
        if (code !== 0x0b) this.column += charWidth(code);
        this.inWord = false;
      } else if (code >= 0xa0) {
        this.column += charWidth(code);
        this.begin();
      }
    }
  }

  /** The end of a line. */
  end(): void {
    this.counts.L = Math.max(this.counts.L, this.column);
    this.column = 0;
  }

  private begin(): void {
    if (!this.inWord) this.counts.w++;
    this.inWord = true;
  }
}

function isSpace(code: number): boolean {
  return /[\s\u00a0]/.test(String.fromCodePoint(code));
}
