// env(1) and printenv(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { command, Failure } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';

/** env(1) */
export const env: Program = command(
  {
    short: 'iu:0C:S:v',
    long: [
      'ignore-environment>i',
      'unset:>u',
      'null>0',
      'chdir:>C',
      'split-string:>S',
      'debug>v',
      'block-signal::',
      'default-signal::',
      'ignore-signal::',
    ],
    permute: false,
    usage: '[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]',
    summary: 'Set each NAME to VALUE in the environment and run COMMAND.',
    version: '(GNU coreutils) 9.1',
    usageExit: 125,
  },
  async (it) => {
    const { proc, options } = it;
    const operands = [
      ...(options
        .value('S')
        ?.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)
        ?.map((word) =>
          word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''),
        ) ?? []),
      ...it.operands,
    ];
    const clear = options.has('i') || operands[0] === '-';
    if (operands[0] === '-') operands.shift();
    const env = new Map(clear ? [] : proc.env);
    for (const name of options.values('u')) env.delete(name);
    while (operands[0]?.includes('=') === true) {
      const [, name = '', value = ''] = /^([^=]*)=([^]*)$/.exec(operands.shift()!)!;
      env.set(name, value);
    }
    if (operands.length === 0) {
      for (const [name, value] of env) await it.out.put(`${name}=${value}${options.has('0') ? '\0' : '\n'}`);
      return 0;
    }
    try {
      const cwd = options.value('C');
      return statusNumber(
        await runChild(proc, { argv: operands, env, ...(cwd === undefined ? {} : { cwd }) }),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${quote(operands[0]!)}: ${error.message}`, error.code === 'ENOENT' ? 127 : 126);
    }
  },
);

/** printenv(1) */
export const printenv: Program = command(
  {
    short: '0',
    long: ['null>0'],
    usage: '[OPTION]... [VARIABLE]...',
    summary: 'Print the values of the specified environment VARIABLE(s).',
    version: '(GNU coreutils) 9.1',
    usageExit: 2,
  },
  async (it) => {
    const end = it.options.has('0') ? '\0' : '\n';
    if (it.operands.length === 0)
      for (const [name, value] of it.proc.env) await it.out.put(`${name}=${value}${end}`);
    for (const name of it.operands) {
      const value = it.proc.env.get(name);
      if (value === undefined) it.exitCode = 1;
      else await it.out.put(value + end);
    }
  },
);
