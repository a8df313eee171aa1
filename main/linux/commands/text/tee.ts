// tee(1)
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { shownName, command } from '../frame/command.ts';

/** tee(1) */
export const tee: Program = command(
  {
    short: 'aip',
    long: ['append>a', 'ignore-interrupts>i', 'output-error::>p'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Copy standard input to each FILE, and also to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    if (it.options.has('i')) it.proc.onSignal('SIGINT', 'ignore');
    const append = it.options.has('a');
    const files: OpenFile[] = [];
    for (const path of it.operands) {
      try {
        files.push(it.proc.fs.open(path, { write: true, create: true, append, truncate: !append }, 0o666));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
    for (;;) {
      const chunk = await it.proc.stdin.read(65_536);
      if (chunk.length === 0) return;
      await it.out.put(chunk);
      await it.out.flush();
      for (const file of files) await file.write(chunk);
    }
  },
);
