// pathchk(1): whether names can be names.
import type { Program } from '../../kernel/index.ts';
import { command, UsageError } from '../frame/command.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { attempt } from './files.ts';

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;
const PORTABLE_NAME_MAX = 14;
const PORTABLE_PATH_MAX = 255;

/** pathchk(1) */
export const pathchk: Program = command(
  {
    short: 'pP',
    long: ['portability'],
    usage: '[OPTION]... NAME...',
    summary: 'Diagnose invalid or non-portable file names.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    const portable = it.options.has('p', 'portability');
    const leading = it.options.has('P', 'portability');
    for (const path of it.operands) {
      const parts = path.split('/');
      const wrong = [...path].find((c) => !/[A-Za-z0-9._/-]/.test(c));
      if (leading && parts.some((part) => part.startsWith('-'))) {
        await it.warn(`leading '-' in a component of file name ${quoteAlways(path)}`);
        continue;
      }
      if ((portable || leading) && path === '') {
        await it.warn('empty file name');
        continue;
      }
      if (portable && wrong !== undefined) {
        await it.warn(`nonportable character ${quote(wrong)} in file name ${quoteAlways(path)}`);
        continue;
      }
      const [nameMax, pathMax] = portable
        ? [PORTABLE_NAME_MAX, PORTABLE_PATH_MAX]
        : [NAME_BYTES_MAX, PATH_BYTES_MAX];
      const long = parts.find((part) => Buffer.byteLength(part) > nameMax);
      if (Buffer.byteLength(path) >= pathMax)
        await it.warn(
          `limit ${pathMax - 1} exceeded by length ${Buffer.byteLength(path)} of file name ${quoteAlways(path)}`,
        );
      else if (long !== undefined)
        await it.warn(
          `limit ${nameMax} exceeded by length ${Buffer.byteLength(long)} of file name component ${quoteAlways(long)}`,
        );
      else if (!portable) {
        const failed = attempt(() => void it.proc.fs.lstat(path));
        if (failed !== undefined && (failed.code !== 'ENOENT' || path === ''))
          await it.warn(`${quoteAlways(path)}: ${failed.message}`);
      }
    }
  },
);
