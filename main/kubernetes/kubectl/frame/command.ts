// A tree of commands in cobra's manner: finding one by the words of a command line, and its flags.
import type { Process } from '../../../linux/kernel/index.ts';
import type { Kubectl } from '../kubectl.ts';
import { CommandError } from './command-error.ts';
import { flagsOf, globalFlags, helpOf } from './documentation.ts';
import { parseFlags, type Flag, type FlagValues } from './flags.ts';

/** What a command's code gets. */
export interface Invocation {
  readonly kubectl: Kubectl;
  readonly proc: Process;
  readonly flags: FlagValues;
  readonly args: readonly string[];
  /** How many of `args` stood before `--`; -1 without one. */
  readonly dash: number;
  /** `kubectl get`, as errors and help name it. */
  readonly path: string;
}

/** Usage, description and flags come from the table of help texts; here stands what the table doesn't tell. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Hidden flags, and corrections to documented ones. */
  readonly flags?: readonly Flag[];
  readonly commands?: readonly Command[];
  readonly hidden?: boolean;
  /** Flags that must be given (cobra's MarkFlagRequired). */
  readonly required?: readonly string[];
  /** Takes the whole line behind its name as arguments (DisableFlagParsing). */
  readonly rawArguments?: boolean;
  /** Settles with the exit status. Throws CommandError, StatusError or what the client throws. */
  readonly run?: (invocation: Invocation) => Promise<number>;
}

/** The command that the words name, with what stands behind it. */
export interface Found {
  readonly command: Command;
  /** From the root: names. */
  readonly path: readonly string[];
  readonly rest: readonly string[];
}

/** Walks down the tree by the first words that aren't flags, as cobra's Find does. Throws CommandError for an unknown one. */
export function findCommand(root: Command, argv: readonly string[]): Found {
  let command = root;
  const globals = globalFlags();
  const path = [root.name];
  let rest = [...argv];
  for (;;) {
    const at = firstWord(rest, [...globals, ...flagsOf(path.slice(1).join(' '), command)]);
    if (at === -1 || command.commands === undefined) break;
    const word = rest[at]!;
    const next = command.commands.find(
      ({ name, aliases }) => name === word || aliases?.includes(word) === true,
    );
    if (next === undefined) {
      if (command === root) throw new CommandError(unknownCommand(root, word));
      break;
    }
    rest = [...rest.slice(0, at), ...rest.slice(at + 1)];
    command = next;
    path.push(next.name);
  }
  return { command, path, rest };
}

/** All flags that a found command takes, its own before the global ones. */
export function flagsOfFound(found: Found): Flag[] {
  const own = flagsOf(found.path.slice(1).join(' '), found.command);
  const names = new Set(own.map(({ name }) => name));
  const shorts = new Set(own.map(({ short }) => short));
  const globals = globalFlags()
    .filter(({ name }) => !names.has(name))
    .map((flag) =>
      flag.short !== undefined && shorts.has(flag.short) ? { ...flag, short: undefined } : flag,
    );
  return [...own, ...(globals as Flag[]), { name: 'help', short: 'h', kind: 'bool', hidden: true }];
}

/** Parses the rest of the line by the command's flags. */
export function parseRest(found: Found): ReturnType<typeof parseFlags> {
  const flags = flagsOfFound(found);
  if (found.command.rawArguments === true) return { ...parseFlags([], flags), args: [...found.rest] };
  const parsed = parseFlags(found.rest, flags);
  const missing = (found.command.required ?? []).filter((name) => !parsed.values.changed(name));
  if (missing.length > 0 && !parsed.values.bool('help')) {
    throw new CommandError(`required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set`);
  }
  return parsed;
}

/** Where the first argument stands that is neither a flag nor a flag's value. */
function firstWord(args: readonly string[], flags: readonly Flag[]): number {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '--') return -1;
    if (!arg.startsWith('-') || arg === '-') return index;
    if (arg.includes('=')) continue;
    const flag = arg.startsWith('--')
      ? flags.find(({ name }) => name === arg.slice(2))
      : flags.find(({ short }) => short === arg.slice(1));
    if (flag !== undefined && flag.kind !== 'bool' && flag.bare === undefined) index++;
  }
  return -1;
}

function unknownCommand(root: Command, word: string): string {
  const names = (helpOf('')?.groups ?? []).flatMap(({ commands }) => commands.map(([name]) => name));
  const wanted = word.toLowerCase();
  const similar = names.filter((name) => levenshtein(wanted, name) <= 2 || name.startsWith(wanted));
  const hint =
    similar.length === 0 ? '' : `\n\nDid you mean this?\n${similar.map((name) => `\t${name}\n`).join('')}`;
  return `unknown command "${word}" for "${root.name}"${hint}`.replace(/\n$/, '');
}

function levenshtein(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost);
    }
    row = next;
  }
  return row[to.length]!;
}
