// uniq(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
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
  },
  async (it) => {
    const { options } = it;
    const [input = '-', output, extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    const end = options.has('z') ? '\0' : '\n';
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
      if (options.has('D')) {
        if (group.length > 1) for (const line of group) await emit(line + end);
        return;
      }
      if ((options.has('d') && group.length < 2) || (options.has('u') && group.length > 1)) return;
      await emit(`${options.has('c') ? `${String(group.length).padStart(7)} ` : ''}${group[0]}${end}`);
    };
    // Without -c, -d, -u, -D a line can go out as soon as it differs from the one before.
    const plain = !options.has('c', 'd', 'u', 'D');
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
    if (output !== undefined) it.proc.fs.writeFile(output, collected.join(''));
  },
);
