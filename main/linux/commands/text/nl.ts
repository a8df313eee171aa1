// nl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { compileRegex } from '../frame/regex.ts';

/** nl(1) */
export const nl: Program = command(
  {
    short: 'b:d:f:h:i:l:n:ps:v:w:',
    long: [
      'body-numbering:>b',
      'footer-numbering:>f',
      'header-numbering:>h',
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
    const style = options.value('b') ?? 't';
    const pattern = style.startsWith('p')
      ? compileRegex(style.slice(1), { syntax: 'basic', global: false })
      : undefined;
    const width = Number(options.value('w') ?? 6);
    const separator = options.value('s') ?? '\t';
    const step = Number(options.value('i') ?? 1);
    const format = options.value('n') ?? 'rn';
    let number = Number(options.value('v') ?? 1);
    for (const path of it.inputs) {
      try {
        for await (const batch of lineBatches(it.open(path))) {
          for (const { text } of batch) {
            const counted = style === 'a' || (style === 't' && text !== '') || pattern?.test(text) === true;
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
