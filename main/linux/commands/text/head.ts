// head(1)
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { lineBatches, readAll } from '../frame/input.ts';
import { quote, quoteAlways } from '../frame/quote.ts';

/** head(1) */
export const head: Program = command(
  {
    short: 'c:n:qvz',
    long: ['bytes:>c', 'lines:>n', 'quiet>q', 'silent>q', 'verbose>v', 'zero-terminated>z'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Print the first 10 lines of each FILE to standard output.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) =>
      args.map((arg, index) =>
        /^-\d+$/.test(arg) && !['-n', '-c'].includes(args[index - 1] ?? '') ? `-n${arg.slice(1)}` : arg,
      ),
  },
  async (it) => {
    const unit = it.options.last('c', 'n') ?? 'n';
    const text = it.options.value(unit) ?? '10';
    const count = parseSize(text.replace(/^-/, ''));
    if (count === undefined)
      throw new Failure(`invalid number of ${unit === 'n' ? 'lines' : 'bytes'}: ${quote(text)}`);
    const titled =
      it.options.last('q', 'v') === 'v' || (it.options.last('q', 'v') !== 'q' && it.inputs.length > 1);
    let first = true;
    for (const path of it.inputs) {
      let file: OpenFile;
      try {
        file = it.open(path);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await it.warn(`cannot open ${quoteAlways(path)} for reading: ${error.message}`);
        continue;
      }
      if (titled) await it.out.put(`${first ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`);
      first = false;
      try {
        if (unit === 'c') await bytes(it, file, count, text.startsWith('-'));
        else await lines(it, file, count, text.startsWith('-'));
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
        if (error.code === 'ENOSPC' || error.code === 'EFBIG')
          throw new Failure(`error writing 'standard output': ${error.message}`);
        await it.warn(`error reading ${quoteAlways(path)}: ${error.message}`);
      }
    }
  },
);

async function bytes(it: Invocation, file: OpenFile, count: number, allBut: boolean): Promise<void> {
  if (allBut) {
    const all = await readAll(file);
    await it.out.put(all.subarray(0, Math.max(0, all.length - count)));
    return;
  }
  for (let left = count; left > 0;) {
    const chunk = await file.read(Math.min(left, 65_536));
    if (chunk.length === 0) return;
    left -= chunk.length;
    await it.out.put(chunk);
    await it.out.flush();
  }
}

async function lines(it: Invocation, file: OpenFile, count: number, allBut: boolean): Promise<void> {
  const separator = it.options.has('z') ? '\0' : '\n';
  if (!allBut && count === 0) return;
  let left = count;
  const held: string[] = [];
  for await (const batch of lineBatches(file, separator)) {
    for (const line of batch) {
      const text = line.text + (line.ended ? separator : '');
      if (allBut) {
        held.push(text);
        if (held.length > count) await it.out.put(held.shift()!);
      } else {
        await it.out.put(text);
        if (--left === 0) return;
      }
    }
    await it.out.flush();
  }
}
