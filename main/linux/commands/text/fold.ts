// fold(1), fmt(1), expand(1), unexpand(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { displayWidth } from '../frame/format.ts';
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
      await it.warn(`${path}: ${error.message}`);
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
    if (!(width > 0)) throw new Failure(`invalid number of columns: ${quote(text)}`);
    await eachLine(it, (line) => {
      const rows: string[] = [];
      let row = '';
      for (const c of line) {
        if (row !== '' && displayWidth(row) + displayWidth(c) > width) {
          const at = it.options.has('s') ? row.lastIndexOf(' ') : -1;
          rows.push(at < 0 ? row : row.slice(0, at + 1));
          row = at < 0 ? '' : row.slice(at + 1);
        }
        row += c;
      }
      return [...rows, row].join('\n');
    });
  },
);

/** fmt(1): refills paragraphs. */
export const fmt: Program = command(
  {
    short: 'w:cstup:g:',
    long: ['width:>w', 'crown-margin>c', 'split-only>s', 'uniform-spacing>u'],
    usage: '[-WIDTH] [OPTION]... [FILE]...',
    summary: 'Reformat each paragraph in the FILE(s), writing to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: numbers,
  },
  async (it) => {
    const width = Number(it.options.value('w') ?? 75);
    for (const path of it.inputs) {
      const text = await it.open(path).readText();
      for (const [index, paragraph] of text
        .replace(/\n$/, '')
        .split(/\n[ \t]*\n/)
        .entries()) {
        if (index > 0) await it.out.put('\n');
        const indent = /^[ \t]*/.exec(paragraph)![0];
        let row = indent;
        for (const word of paragraph.trim().split(/\s+/)) {
          if (row !== indent && displayWidth(row) + 1 + displayWidth(word) > width) {
            await it.out.line(row);
            row = indent;
          }
          row += row === indent ? word : ` ${word}`;
        }
        await it.out.line(row);
      }
    }
  },
);

/** expand(1) */
export const expand: Program = command(
  {
    short: 'it:',
    long: ['initial>i', 'tabs:>t'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Convert tabs in each FILE to spaces, writing to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const stop = Number(it.options.value('t') ?? 8);
    await eachLine(it, (line) => {
      let out = '';
      for (const c of line) out += c === '\t' ? ' '.repeat(stop - (displayWidth(out) % stop)) : c;
      return out;
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
  },
  async (it) => {
    const stop = Number(it.options.value('t') ?? 8);
    await eachLine(it, (line) =>
      line.replace(
        /^ +/,
        (blanks) => '\t'.repeat(Math.floor(blanks.length / stop)) + ' '.repeat(blanks.length % stop),
      ),
    );
  },
);
