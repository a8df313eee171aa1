// chmod(1)
import type { Program } from '../../kernel/index.ts';
import { command, UsageError, type Invocation } from '../frame/command.ts';
import { modeString } from '../frame/format.ts';
import { quote, quoteAlways } from '../frame/quote.ts';
import { attempt, join, lstatOf, statOf } from './files.ts';
import { changeMode } from './mode.ts';

/** chmod(1) */
export const chmod: Program = command(
  {
    short: 'cfRvrwxXstugoa',
    long: [
      'changes>c',
      'silent>f',
      'quiet>f',
      'recursive>R',
      'verbose>v',
      'reference:',
      'preserve-root',
      'no-preserve-root',
    ],
    usage: '[OPTION]... MODE[,MODE]... FILE...',
    summary: 'Change the mode of each FILE to MODE.',
    version: '(GNU coreutils) 9.1',
    // `-x` and its like are modes, not options.
    prepare: (args) =>
      args.some((arg) => /^-[rwxXst]+$/.test(arg)) && !args.includes('--') ? moveMode(args) : args,
  },
  async (it) => {
    const operands = [...it.operands];
    const reference = it.options.value('reference');
    const change = reference === undefined ? operands.shift() : undefined;
    if (reference === undefined && change === undefined) throw new UsageError('missing operand');
    if (operands.length === 0)
      throw new UsageError(
        change === undefined ? 'missing operand' : `missing operand after ${quote(change)}`,
      );
    if (change !== undefined && changeMode(0, change, false, 0) === undefined)
      throw new UsageError(`invalid mode: ${quote(change)}`);
    const text = change ?? (it.proc.fs.stat(reference!).mode & 0o7777).toString(8);
    for (const path of operands) await apply(it, path, text, true);
  },
);

function moveMode(args: string[]): string[] {
  const index = args.findIndex((arg) => /^-[rwxXst]+$/.test(arg));
  const rest = args.filter((_, i) => i !== index);
  const options = rest.filter((arg) => arg.startsWith('-'));
  return [...options, '--', args[index]!, ...rest.filter((arg) => !arg.startsWith('-'))];
}

async function apply(it: Invocation, path: string, change: string, top: boolean): Promise<void> {
  const { fs } = it.proc;
  const found = top ? statOf(fs, path) : lstatOf(fs, path);
  if (found === undefined) {
    if (lstatOf(fs, path) !== undefined)
      return it.warn(`cannot operate on dangling symlink ${quoteAlways(path)}`);
    if (it.options.has('f')) {
      it.exitCode = 1;
      return;
    }
    return it.warn(`cannot access ${quoteAlways(path)}: No such file or directory`);
  }
  if (found.type === 'symlink') return;
  const mode = changeMode(found.mode, change, found.type === 'directory', it.proc.umask)!;
  const failed = attempt(() => fs.chmod(path, mode));
  if (failed !== undefined) return it.warn(`changing permissions of ${quoteAlways(path)}: ${failed.message}`);
  const octal = (m: number): string =>
    `${(m & 0o7777).toString(8).padStart(4, '0')} (${modeString('file', m).slice(1)})`;
  if (mode !== (found.mode & 0o7777)) {
    if (it.options.has('v', 'c'))
      await it.out.line(`mode of ${quoteAlways(path)} changed from ${octal(found.mode)} to ${octal(mode)}`);
  } else if (it.options.has('v'))
    await it.out.line(`mode of ${quoteAlways(path)} retained as ${octal(mode)}`);
  if (it.options.has('R') && found.type === 'directory')
    for (const entry of fs.readdir(path)) await apply(it, join(path, entry.name), change, false);
}
