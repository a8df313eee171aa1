// strings(1) of binutils: printable runs in binary files.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';

/** strings(1) */
export const strings: Program = command(
  {
    short: 'adfhn:ot:we:s:0123456789vV',
    long: [
      'all>a',
      'data>d',
      'print-file-name>f',
      'bytes:>n',
      'radix:>t',
      'include-all-whitespace>w',
      'encoding:>e',
      'output-separator:>s',
    ],
    usage: '[option(s)] [file(s)]',
    summary: ' Display printable strings in [file(s)] (stdin by default)',
    version: '(GNU Binutils for Debian) 2.40',
  },
  async (it) => {
    const { options } = it;
    const digits = options.list
      .filter((one) => /^\d$/.test(one.name))
      .map((one) => one.name)
      .join('');
    const least = Number(options.value('n') ?? (digits === '' ? 4 : digits));
    if (!(least >= 1)) throw new Failure(`invalid minimum string length ${options.value('n')}`);
    const radix = options.has('o') ? 'o' : options.value('t');
    const end = options.value('s') ?? '\n';
    for (const path of it.inputs) {
      try {
        const file = it.open(path);
        if (file.stat().type === 'directory') {
          await it.warn(`Warning: '${path}' is a directory`);
          continue;
        }
        const lead = options.has('f') ? `${path === '-' ? '{standard input}' : path}: ` : '';
        let run = '';
        let at = 0;
        const show = async (): Promise<void> => {
          if (run.length >= least) {
            const start = at - run.length;
            const place =
              radix === undefined
                ? ''
                : `${start.toString(radix === 'x' ? 16 : radix === 'o' ? 8 : 10).padStart(7)} `;
            await it.out.put(lead + place + run + end);
          }
          run = '';
        };
        for (;;) {
          const chunk = await file.read(65_536);
          if (chunk.length === 0) break;
          for (const byte of chunk) {
            if ((byte >= 32 && byte < 127) || byte === 9 || (options.has('w') && byte >= 10 && byte <= 13))
              run += String.fromCharCode(byte);
            else await show();
            at++;
          }
        }
        await show();
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        await it.warn(`'${path}': ${error.code === 'ENOENT' ? 'No such file' : error.message}`);
      }
    }
  },
);
