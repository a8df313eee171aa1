// getopt(1) of util-linux: a script's options in an order that is easy to read.
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { OptionError, parseOptions, type Options, type OptionTable } from '../frame/options.ts';

/** getopt(1) */
export const getopt: Program = command(
  {
    short: 'al:n:o:qQs:TuVh',
    long: [
      'alternative>a',
      'longoptions:>l',
      'name:>n',
      'options:>o',
      'quiet>q',
      'quiet-output>Q',
      'shell:>s',
      'test>T',
      'unquoted>u',
    ],
    permute: false,
    usage:
      '<optstring> <parameters>\n getopt [options] [--] <optstring> <parameters>\n getopt [options] -o|--options <optstring> [options] [--] <parameters>',
    summary: 'Parse command options.',
    version: 'from util-linux 2.38.1',
    usageExit: 2,
  },
  async (it) => {
    if (it.options.has('T')) return 4;
    const args = [...it.operands];
    const traditional = it.options.list.length === 0;
    const table = it.options.value('o') ?? args.shift();
    if (table === undefined) throw new UsageError('missing optstring argument');
    const name = it.options.value('n') ?? it.name;
    const long = it.options
      .values('l')
      .flatMap((text) => text.split(/[, \n\t]+/).filter((one) => one !== ''));
    const bare = it.options.has('u') || traditional;
    const shown = (text: string): string => (bare ? text : `'${text.replaceAll("'", "'\\''")}'`);
    const words: string[] = [];
    let exitCode = 0;
    const first = table.startsWith('+') ? '+' : table.startsWith('-') ? '-' : '';
    let rest = args;
    const operands: string[] = [];
    const letters = first === '' ? table : table.slice(1);
    // One argument at a time, so that a wrong option is told and the others still come out.
    while (rest.length > 0) {
      const arg = rest[0]!;
      if (arg === '--') {
        operands.push(...rest.slice(1));
        break;
      }
      if (!arg.startsWith('-') || arg === '-') {
        if (first === '+') {
          operands.push(...rest);
          break;
        }
        operands.push(arg);
        rest = rest.slice(1);
        continue;
      }
      try {
        const table = { short: letters.replace(/^:/, ''), long, permute: false };
        const [parsed, taken] = one(arg, rest[1], table);
        for (const option of parsed.list) {
          const isLong = arg.startsWith('--');
          words.push(isLong ? `--${option.name}` : `-${option.name}`);
          if (option.value !== undefined) words.push(shown(option.value));
          else if (optional(letters, long, option.name, isLong)) words.push(shown(''));
        }
        rest = rest.slice(taken);
      } catch (error) {
        if (!(error instanceof OptionError)) throw error;
        if (!it.options.has('q')) await it.proc.stderr.write(`${name}: ${error.message}\n`);
        exitCode = 1;
        rest = rest.slice(1);
      }
    }
    if (!it.options.has('Q'))
      await it.out.line(
        [...words.map((word) => ` ${word}`), ' --', ...operands.map((operand) => ` ${shown(operand)}`)].join(
          '',
        ),
      );
    if (exitCode !== 0) throw new Failure('', exitCode);
    return 0;
  },
);

/** The options of one argument, with the next one where it needs that; and how many it took. */
function one(arg: string, next: string | undefined, table: OptionTable): [Options, number] {
  try {
    return [parseOptions([arg], table), 1];
  } catch (error) {
    if (!(error instanceof OptionError) || next === undefined || !/requires an argument/.test(error.message))
      throw error;
    return [parseOptions([arg, next], table), 2];
  }
}

function optional(letters: string, long: readonly string[], name: string, isLong: boolean): boolean {
  return isLong ? long.includes(`${name}::`) : letters.includes(`${name}::`);
}
