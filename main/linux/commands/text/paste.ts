// paste(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, Failure } from '../frame/command.ts';
import { LineReader } from '../frame/input.ts';

/** paste(1) */
export const paste: Program = command(
  {
    short: 'd:sz',
    long: ['delimiters:>d', 'serial>s', 'zero-terminated>z'],
    usage: '[OPTION]... [FILE]...',
    summary: 'Write lines consisting of the sequentially corresponding lines from each FILE.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const delimiters = [
      ...(it.options.value('d') ?? '\t').replaceAll(
        /\\([nt\\0])/g,
        (_, c: string) => ({ n: '\n', t: '\t', '\\': '\\', '0': '' })[c]!,
      ),
    ];
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(it.options.value('d') ?? ''))
      throw new Failure(`delimiter list ends with an unescaped backslash: ${it.options.value('d')}`);
    const end = it.options.has('z') ? '\0' : '\n';
    const between = (index: number): string =>
      delimiters.length === 0 ? '' : delimiters[index % delimiters.length]!;
    const readers: LineReader[] = [];
    let stdin: LineReader | undefined;
    for (const path of it.inputs) {
      try {
        if (path === '-') readers.push((stdin ??= new LineReader(it.proc.stdin, end)));
        else readers.push(new LineReader(it.open(path), end));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (!it.options.has('s')) throw new Failure(`${shownName(it, path)}: ${error.message}`);
        await it.warn(`${shownName(it, path)}: ${error.message}`);
      }
    }
    if (it.options.has('s')) {
      for (const reader of readers) {
        let text = '';
        let index = 0;
        for (let line = await reader.next(); line !== undefined; line = await reader.next()) {
          text += (index === 0 ? '' : between(index - 1)) + line.text;
          index++;
        }
        await it.out.put(text + end);
      }
      return;
    }
    for (;;) {
      let any = false;
      let text = '';
      for (const [index, reader] of readers.entries()) {
        const line = await reader.next();
        if (line !== undefined) any = true;
        text += (line?.text ?? '') + (index < readers.length - 1 ? between(index) : '');
      }
      if (!any) return;
      await it.out.put(text + end);
    }
  },
);
