// uniq(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { textToBytes } from '../../shell/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { lineBatches } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

/** uniq(1) */
export const uniq: Program = command(
  {
    short: 'cdDf:is:uw:z',
    long: [
      'count>c',
      'repeated>d',
      'all-repeated::>D',
      'skip-fields:>f',
      'ignore-case>i',
      'skip-chars:>s',
      'unique>u',
      'check-chars:>w',
      'zero-terminated>z',
      'group::',
    ],
    usage: '[OPTION]... [INPUT [OUTPUT]]',
    summary:
      'Filter adjacent matching lines from INPUT (or standard input), writing to OUTPUT (or standard output).',
    version: '(GNU coreutils) 9.1',
    // The old ways: -N skips fields, +N characters.
    prepare: (args) =>
      args.map((arg) =>
        /^-\d+$/.test(arg) ? `-f${arg.slice(1)}` : /^\+\d+$/.test(arg) ? `-s${arg.slice(1)}` : arg,
      ),
  },
  async (it) => {
    const { options } = it;
    const [input = '-', output, extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const end = options.has('z') ? '\0' : '\n';
    for (const [letter, what] of [
      ['f', 'number of fields to skip'],
      ['s', 'number of bytes to skip'],
      ['w', 'number of bytes to compare'],
    ] as const)
      if (options.has(letter) && !/^\d+$/.test(options.value(letter)!))
        throw new Failure(`${options.value(letter)}: invalid ${what}`);
    const grouping = options.has('group') ? (options.value('group') ?? 'separate') : undefined;
    if (grouping !== undefined && options.has('c', 'd', 'D', 'u'))
      throw new UsageError('--group is mutually exclusive with -c/-d/-D/-u');
    if (options.has('c') && options.has('D'))
      throw new UsageError('printing all duplicated lines and repeat counts is meaningless');
    let groups = 0;
    const keyOf = (line: string): string => {
      let key = line;
      for (let i = Number(options.value('f') ?? 0); i > 0; i--) key = key.replace(/^\s*\S*/, '');
      key = key.slice(Number(options.value('s') ?? 0));
      const width = options.value('w');
      if (width !== undefined) key = key.slice(0, Number(width));
      return options.has('i') ? key.toLowerCase() : key;
    };
    let group: string[] = [];
    let key = '';
    const collected: string[] = [];
    const emit = async (text: string): Promise<void> => {
      if (output === undefined) await it.out.put(text);
      else collected.push(text);
    };
    const finish = async (): Promise<void> => {
      if (group.length === 0) return;
      if (options.has('D') || grouping !== undefined) {
        if (grouping === undefined && group.length < 2) return;
        const how = grouping ?? options.value('D') ?? 'none';
        if (how === 'prepend' || how === 'both' || (how === 'separate' && groups > 0)) await emit(end);
        for (const line of group) await emit(line + end);
        if (how === 'append') await emit(end);
        groups++;
        return;
      }
      if ((options.has('d') && group.length < 2) || (options.has('u') && group.length > 1)) return;
      await emit(`${options.has('c') ? `${String(group.length).padStart(7)} ` : ''}${group[0]}${end}`);
    };
    // Without -c, -d, -u, -D a line can go out as soon as it differs from the one before.
    const plain = !options.has('c', 'd', 'u', 'D', 'group');
    try {
      for await (const batch of lineBatches(it.open(input), end)) {
        for (const { text } of batch) {
          const next = keyOf(text);
          if (group.length > 0 && next === key) {
            if (!plain) group.push(text);
            continue;
          }
          if (!plain) await finish();
          else await emit(text + end);
          group = [text];
          key = next;
        }
        await it.out.flush();
      }
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      throw new Failure(`${input}: ${error.message}`);
    }
    if (!plain) await finish();
    if (grouping === 'both' && groups > 0) await emit(end);
    if (output !== undefined) it.proc.fs.writeFile(output, textToBytes(collected.join('')));
  },
);
