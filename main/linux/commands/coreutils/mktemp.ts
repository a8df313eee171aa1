// mktemp(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { attempt, join } from './files.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** mktemp(1) */
export const mktemp: Program = command(
  {
    short: 'dqup:t',
    long: ['directory>d', 'quiet>q', 'dry-run>u', 'tmpdir::>p', 'suffix:'],
    usage: '[OPTION]... [TEMPLATE]',
    summary: 'Create a temporary file or directory, safely, and print its name.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { proc, options } = it;
    const [given, extra] = it.operands;
    if (extra !== undefined) throw new UsageError('too many templates');
    const template = given ?? 'tmp.XXXXXXXXXX';
    const run = /X{3,}(?=[^X]*$)/.exec(template);
    if (run === null) throw new Failure(`too few X's in template ${quote(template)}`);
    const directory = options.has('p')
      ? (options.value('p') ?? proc.env.get('TMPDIR') ?? '/tmp')
      : given === undefined || options.has('t')
        ? (proc.env.get('TMPDIR') ?? '/tmp')
        : undefined;
    const name =
      template.slice(0, run.index) +
      proc.random.string(run[0].length, ALPHABET) +
      template.slice(run.index + run[0].length) +
      (options.value('suffix') ?? '');
    const path = directory === undefined ? name : join(directory, name);
    const failed = options.has('u')
      ? undefined
      : attempt(() =>
          options.has('d')
            ? proc.fs.mkdir(path, { mode: 0o700 })
            : void proc.fs.open(path, { write: true, create: true, exclusive: true }, 0o600),
        );
    if (failed !== undefined)
      throw new Failure(
        options.has('q')
          ? ''
          : `failed to create ${options.has('d') ? 'directory' : 'file'} via template ${quote(directory === undefined ? template : join(directory, template))}: ${failed.message}`,
      );
    await it.out.line(path);
  },
);
