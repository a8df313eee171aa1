// link(1), unlink(1), mkfifo(1), fallocate(1): one system call each.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, Failure, shownName, UsageError } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { attempt } from './files.ts';
import { changeMode } from './mode.ts';

/** link(1) */
export const link: Program = command(
  {
    usage: 'FILE1 FILE2\n  or:  link OPTION',
    summary: 'Call the link function to create a link named FILE2 to an existing FILE1.',
    version: '(GNU coreutils) 9.1',
  },
  (it) => {
    const [existing, path, extra] = it.operands;
    if (existing === undefined) throw new UsageError('missing operand');
    if (path === undefined) throw new UsageError(`missing operand after ${quote(existing)}`);
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const failed = attempt(() => it.proc.fs.link(existing, path));
    if (failed !== undefined)
      throw new Failure(
        `cannot create link ${quoteAlways(path)} to ${quoteAlways(existing)}: ${failed.message}`,
      );
    return Promise.resolve();
  },
);

/** unlink(1) */
export const unlink: Program = command(
  {
    usage: 'FILE\n  or:  unlink OPTION',
    summary: 'Call the unlink function to remove the specified FILE.',
    version: '(GNU coreutils) 9.1',
  },
  (it) => {
    const [path, extra] = it.operands;
    if (path === undefined) throw new UsageError('missing operand');
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const failed = attempt(() => it.proc.fs.unlink(path));
    if (failed !== undefined) throw new Failure(`cannot unlink ${quoteAlways(path)}: ${failed.message}`);
    return Promise.resolve();
  },
);

/** mkfifo(1) */
export const mkfifo: Program = command(
  {
    short: 'm:Z',
    long: ['mode:>m', 'context::>Z'],
    usage: '[OPTION]... NAME...',
    summary: 'Create named pipes (FIFOs) with the given NAMEs.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing operand');
    const text = it.options.value('m');
    const mode = text === undefined ? undefined : changeMode(0o666, text, false, it.proc.umask);
    if (text !== undefined && mode === undefined) throw new Failure('invalid mode');
    for (const path of it.operands) {
      const failed = attempt(() => {
        it.proc.fs.mkfifo(path);
        if (mode !== undefined) it.proc.fs.chmod(path, mode);
      });
      if (failed !== undefined)
        await it.warn(
          it.dialect === 'busybox'
            ? `${path}: ${failed.message}`
            : `cannot create fifo ${quoteAlways(path)}: ${failed.message}`,
        );
    }
  },
);

/** fallocate(1) */
export const fallocate: Program = command(
  {
    short: 'cdil:no:pxvhV',
    long: ['length:>l', 'offset:>o', 'keep-size>n', 'posix>x', 'punch-hole>p', 'zero-range>z', 'verbose>v'],
    usage: '[options] <filename>',
    summary: 'Preallocate space to, or deallocate space from a file.',
    version: 'from util-linux 2.38.1',
  },
  (it) => {
    const [path] = it.operands;
    const length = it.options.value('l');
    if (path === undefined) throw new Failure('no filename specified');
    if (length === undefined) throw new Failure('no length argument specified');
    const size = parseSize(length);
    if (size === undefined || size === 0)
      throw new Failure(size === 0 ? 'invalid length value specified' : `failed to parse length`);
    if (it.options.has('c', 'd', 'i', 'p', 'z'))
      throw new Failure("drydock: taking space away from a file isn't simulated");
    let file: OpenFile;
    try {
      file = it.proc.fs.open(path, { write: true, read: true, create: true });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`cannot open ${shownName(it, path)}: ${error.message}`);
    }
    try {
      file.allocate(parseSize(it.options.value('o') ?? '0') ?? 0, size, it.options.has('n'));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`fallocate failed: ${error.message}`);
    }
    return Promise.resolve();
  },
);
