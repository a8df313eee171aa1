// What builtins share: their type, option parsing and usage messages.
import type { Argument } from '../simple-command.ts';
import type { Shell } from '../shell.ts';

/** A builtin: gets its arguments without its name; the result is its status. */
export type Builtin = (shell: Shell, args: readonly Argument[]) => Promise<number>;

/** What a builtin of dash fails with; `message` is its text behind the builtin's name. */
export class DashFailure extends Error {}

/** A builtin whose arguments are all texts. */
export function textual(run: (shell: Shell, args: string[]) => Promise<number>): Builtin {
  return (shell, args) => run(shell, texts(args));
}

export function texts(args: readonly Argument[]): string[] {
  return args.map((arg) => (typeof arg === 'string' ? arg : arg.text));
}

interface ParsedOptions {
  readonly options: ReadonlyMap<string, string>;
  readonly operands: string[];
}

/**
 * Parses short options by a getopt string. A bad one is reported with the usage; the result is then the status 2.
 */
export async function parseOptions(
  shell: Shell,
  name: string,
  args: readonly string[],
  letters: string,
  usage: string,
): Promise<ParsedOptions | number> {
  const options = new Map<string, string>();
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      i++;
      break;
    }
    if (!arg.startsWith('-') || arg === '-') break;
    for (let j = 1; j < arg.length; j++) {
      const letter = arg[j]!;
      const at = letter === ':' ? -1 : letters.indexOf(letter);
      if (at < 0) return usageError(shell, name, `-${letter}: invalid option`, usage);
      if (letters[at + 1] !== ':') {
        options.set(letter, '');
        continue;
      }
      const value = j + 1 < arg.length ? arg.slice(j + 1) : args[++i];
      if (value === undefined)
        return usageError(shell, name, `-${letter}: option requires an argument`, usage);
      options.set(letter, value);
      break;
    }
  }
  return { options, operands: args.slice(i) };
}

export async function usageError(
  shell: Shell,
  name: string,
  message: string,
  usage: string,
): Promise<number> {
  const option = /^(-.): /.exec(message)?.[1];
  if (shell.dialect.name !== 'bash')
    throw new DashFailure(option === undefined ? message : `Illegal option ${option}`);
  await shell.error(`${name}: ${message}`);
  await shell.err(`${name}: usage: ${usage}\n`);
  return 2;
}

/** An integer argument of exit, return, shift and their like; undefined after a message. */
export async function integerArgument(shell: Shell, name: string, text: string): Promise<number | undefined> {
  if (/^\s*[-+]?[0-9]+\s*$/.test(text)) return Number(text);
  await shell.error(`${name}: ${text}: numeric argument required`);
  return undefined;
}
