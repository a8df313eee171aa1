// nl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, UsageError } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';
import { compileRegex } from '../frame/regex.ts';

/** nl(1) */
export const nl: Program = command(
  {
    short: 'b:d:f:h:i:l:n:ps:v:w:',
    long: [
      'body-numbering:>b',
      'footer-numbering:>f',
      'header-numbering:>h',
      'section-delimiter:>d',
      'join-blank-lines:>l',
      'line-increment:>i',
      'number-format:>n',
      'no-renumber>p',
      'number-separator:>s',
      'starting-line-number:>v',
      'number-width:>w',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Write each FILE to standard output, with line numbers added.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const styles = {
      h: options.value('h') ?? 'n',
      b: options.value('b') ?? 't',
      f: options.value('f') ?? 'n',
    };
    for (const [letter, what] of [
      ['h', 'header'],
      ['b', 'body'],
      ['f', 'footer'],
    ] as const)
      if (!/^(?:[atn]$|p)/.test(styles[letter]))
        throw new UsageError(`invalid ${what} numbering style: ${quote(styles[letter])}`);
    const patterns = new Map(
      Object.values(styles)
        .filter((style) => style.startsWith('p'))
        .map((style) => [style, compileRegex(style.slice(1), { syntax: 'basic', global: false })]),
    );
    const given = options.value('d') ?? '\\:';
    const mark = given.length === 1 ? `${given}:` : given;
    const join = Number(options.value('l') ?? 1);
    const width = Number(options.value('w') ?? 6);
    const separator = options.value('s') ?? '\t';
    const step = Number(options.value('i') ?? 1);
    const format = options.value('n') ?? 'rn';
    if (!['ln', 'rn', 'rz'].includes(format))
      throw new UsageError(`invalid line numbering format: ${quote(format)}`);
    const first = Number(options.value('v') ?? 1);
    let number = first;
    let section: 'h' | 'b' | 'f' = 'b';
    let blank = 0;
    for (const path of it.inputs) {
      try {
        for await (const batch of lineBatches(it.open(path))) {
          for (const { text } of batch) {
            const next =
              text === mark.repeat(3) ? 'h' : text === mark.repeat(2) ? 'b' : text === mark ? 'f' : undefined;
            if (next !== undefined) {
              section = next;
              if (!options.has('p')) number = first;
              await it.out.line('');
              continue;
            }
            const style = styles[section];
            let counted =
              patterns.get(style)?.test(text) ?? ((style === 't' && text !== '') || style === 'a');
            if (style === 'a' && join > 1) {
              blank = text === '' ? blank + 1 : 0;
              counted = text !== '' || blank === join;
              if (blank === join) blank = 0;
            }
            if (counted) {
              const shown =
                format === 'ln'
                  ? String(number).padEnd(width)
                  : String(number).padStart(width, format === 'rz' ? '0' : ' ');
              await it.out.line(shown + separator + text);
              number += step;
            } else await it.out.line(' '.repeat(width + separator.length) + text);
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
