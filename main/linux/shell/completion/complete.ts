// Completes the word before the cursor: commands, files, variables, users, hosts, or what a specification offers.
import { isExecutable } from '../lookup.ts';
import type { Shell } from '../shell.ts';
import { parseCommandLine, type CommandLine } from './command-line.ts';
import { completerFor, type CompletionSpec } from './completions.ts';
import {
  actionWords,
  commandNames,
  fileNames,
  generate,
  hostNames,
  isDirectory,
  isLink,
} from './generate.ts';
import { expandPathname } from '../glob.ts';

/** bash's default. */
const WORD_BREAKS = ' \t\n"\'@><=;|&(:';

/** What is completed: whatever fits, or one kind asked for. */
export type CompletionKind = 'any' | 'file' | 'command' | 'variable' | 'user' | 'host' | 'glob';

/** How matching goes, from inputrc. */
export interface CompletionOptions {
  readonly ignoreCase: boolean;
  readonly mapCase: boolean;
  readonly markDirectories: boolean;
  readonly markLinks: boolean;
  readonly hidden: boolean;
  /** COMP_TYPE: 9 to insert, 63 (?) to list, 33 (!) and 64 (@) where ambiguous ones are listed, 37 (%) for menus. */
  readonly type: number;
}

export interface Completion {
  /** Offset in the line of the text that a match replaces. */
  readonly start: number;
  /** The matches as they'd be typed there, in order. */
  readonly candidates: readonly string[];
  /** What a list shows for each. */
  readonly displays: readonly string[];
  /** What to put in the text's place now: the common beginning, or the one match. */
  readonly insertion: string;
  /** What follows the one match at the end of a line: a slash, a closing quote and a blank. */
  readonly ending: string;
}

/** Matches before quoting. */
interface Found {
  readonly candidates: readonly string[];
  readonly files?: boolean;
  readonly noSpace?: boolean;
  readonly noQuote?: boolean;
  readonly noSort?: boolean;
  /** Candidates stand for directories, `~name` or `$HOME`: a slash follows. */
  readonly users?: boolean;
  /** Candidates are what a pattern matches: one takes its place, several are only listed. */
  readonly globbed?: boolean;
  /** Candidates are names of commands; one that is a directory here too shows a slash. */
  readonly commands?: boolean;
}

/** Characters that begin a word to complete are quoted in one. */
const QUOTED_BREAKS = ':=@';
const NONE: Found = { candidates: [] };

export async function completeAt(
  shell: Shell,
  line: string,
  point: number,
  options: CompletionOptions,
  kind: CompletionKind = 'any',
): Promise<Completion> {
  const parsed = parseCommandLine(line, point, shell.vars.get('COMP_WORDBREAKS') ?? WORD_BREAKS);
  const found = kind === 'any' ? await find(shell, parsed, options) : ofKind(shell, parsed, options, kind);
  const unique = [...new Set(found.candidates)];
  if (found.noSort !== true) unique.sort();
  const quoted = unique.map((candidate) => quoteFor(candidate, parsed, found));
  return {
    start: parsed.start,
    candidates: quoted,
    displays: unique.map((candidate) => displayOf(shell, candidate, found, options)),
    insertion: insertionOf(unique, parsed, found, options),
    ending: unique.length === 1 ? endingOf(shell, unique[0]!, parsed, found, options) : '',
  };
}

function displayOf(shell: Shell, candidate: string, found: Found, options: CompletionOptions): string {
  const { markDirectories } = options;
  if (found.commands === true)
    return markDirectories && isDirectory(shell, candidate) ? `${candidate}/` : candidate;
  if (found.files !== true) return candidate;
  const name = candidate
    .replace(/(?<=.)\/+$/, '')
    .split('/')
    .at(-1)!;
  return markDirectories && isDirectory(shell, candidate) ? `${name}/` : name;
}

function insertionOf(
  matches: readonly string[],
  parsed: CommandLine,
  found: Found,
  options: CompletionOptions,
): string {
  if (matches.length === 0) return parsed.text;
  if (matches.length === 1) return quoteFor(matches[0]!, parsed, found);
  if (found.globbed === true) return parsed.text;
  const common = commonPrefix(matches, options.ignoreCase);
  if (common.length < parsed.plain.length || common === parsed.plain) return parsed.text;
  // Where case is ignored, a match that has the typed one gives the rest, else the first.
  const like = options.ignoreCase ? matches.find((match) => match.startsWith(parsed.plain)) : undefined;
  const kept = (like ?? common).slice(0, common.length);
  return quoteFor(kept, parsed, found);
}

function endingOf(
  shell: Shell,
  candidate: string,
  parsed: CommandLine,
  found: Found,
  { markDirectories, markLinks }: CompletionOptions,
): string {
  if (found.users === true) return '/';
  if ((found.files === true || found.commands === true) && isDirectory(shell, candidate)) {
    if (!markDirectories || candidate.endsWith('/')) return '';
    return isLink(shell, candidate) && !markLinks && candidate !== parsed.plain ? '' : '/';
  }
  return parsed.quote + (found.noSpace === true ? '' : ' ');
}

function quoteFor(candidate: string, { quote }: CommandLine, found: Found): string {
  if (found.files !== true || found.noQuote === true) return candidate;
  if (quote === "'") return candidate.replaceAll("'", "'\\''");
  if (quote === '"') return candidate.replace(/["$`\\]/g, '\\$&');
  const variable = /^\$(?:\w+|\{\w+\})(?=\/)/.exec(candidate)?.[0] ?? ''; // `$HOME/` stays what it is.
  const escaped = candidate.slice(variable.length).replace(/[ \t'"\\$`!&|;<>()*?[\]{}^,:=@]|^[#~]/g, (c) => {
    if (c === '~') return candidate === '~' || /^~[^/]*(?:\/|$)/.test(candidate) ? c : `\\${c}`;
    return ',:=@'.includes(c) && !QUOTED_BREAKS.includes(c) ? c : `\\${c}`;
  });
  return variable + escaped.replaceAll('\n', "$'\\n'");
}

function commonPrefix(words: readonly string[], ignoreCase: boolean): string {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  let prefix = words[0]!;
  for (const word of words) while (!fold(word).startsWith(fold(prefix))) prefix = prefix.slice(0, -1);
  return prefix;
}

function matchesOf(
  shell: Shell,
  word: string,
  directoriesOnly: boolean,
  options: CompletionOptions,
): string[] {
  return fileNames(shell, word, directoriesOnly, options);
}

function ofKind(shell: Shell, parsed: CommandLine, options: CompletionOptions, kind: CompletionKind): Found {
  const word = parsed.plain;
  switch (kind) {
    case 'file':
      return { candidates: matchesOf(shell, word, false, options), files: true };
    case 'command':
      return { candidates: commandNames(shell, word) };
    case 'variable':
      return {
        candidates: actionWords(shell, 'variable', word.replace(/^\$/, '')).map((each) => `$${each}`),
      };
    case 'user':
      return users(shell, word.startsWith('~') ? word : `~${word}`);
    case 'host':
      return { candidates: hostNames(shell).filter((host) => host.startsWith(word.replace(/^@/, ''))) };
    default:
      return { candidates: expandPathname(shell, `${word}*`), files: true };
  }
}

function users(shell: Shell, word: string): Found {
  return {
    candidates: actionWords(shell, 'user', word.slice(1)).map((name) => `~${name}`),
    users: true,
  };
}

async function find(shell: Shell, parsed: CommandLine, options: CompletionOptions): Promise<Found> {
  const { plain, text, quote } = parsed;
  if (parsed.plainWords.length > 1) {
    const special = parsed.afterRedirect ? undefined : await programmed(shell, parsed, options);
    if (special !== undefined) return special;
  }
  const variable = quote === "'" ? null : /^\$(\{?)([A-Za-z_0-9]*)$/s.exec(text);
  if (variable !== null) {
    const [, brace, name] = variable;
    const names = actionWords(shell, 'variable', name!);
    const named = names.map((each) => `$${brace}${each}${brace === '' ? '' : '}'}`);
    const value = names.length === 1 && brace === '' ? shell.vars.get(names[0]!) : undefined;
    return { candidates: named, users: value !== undefined && isDirectory(shell, value) };
  }
  if (/^~[^/]*$/.test(plain) && quote === '') {
    const found = users(shell, plain);
    if (found.candidates.length > 0) return found;
  }
  if (plain.startsWith('@') && shell.shopts.has('hostcomplete')) {
    const hosts = hostNames(shell).filter((host) => host.startsWith(plain.slice(1)));
    if (hosts.length > 0) return { candidates: hosts.map((host) => `@${host}`) };
  }
  if (parsed.afterRedirect) return ofKind(shell, parsed, options, 'file');
  if (parsed.isCommand) return commands(shell, plain, options);
  const files = matchesOf(shell, plain, false, options);
  if (files.length === 0 && /[*?[]/.test(plain)) {
    const globbed = expandPathname(shell, `${plain}*`).filter((path) => path !== `${plain}*`);
    return { candidates: globbed, files: true, globbed: true };
  }
  return { candidates: files, files: true };
}

function commands(shell: Shell, word: string, options: CompletionOptions): Found {
  const runnable = (path: string): boolean => isDirectory(shell, path) || isExecutable(shell, path);
  if (word.includes('/'))
    return { candidates: matchesOf(shell, word, false, options).filter(runnable), files: true };
  const names = commandNames(shell, word, options);
  if (names.length > 0) return { candidates: names, commands: true };
  return {
    candidates: matchesOf(shell, word, true, options),
    files: true,
  };
}

/** Matches of a `complete` specification, or of a registered completer; undefined leaves it to the defaults. */
async function programmed(
  shell: Shell,
  parsed: CommandLine,
  options: CompletionOptions,
): Promise<Found | undefined> {
  const command = parsed.plainWords[0]!;
  const base = command.split('/').at(-1)!;
  const { completions } = shell;
  const own = completions?.specs.get(command) ?? completions?.specs.get(base);
  if (own !== undefined) return fromSpec(shell, own, parsed, options);
  const builtIn = await builtInCompletion(shell, base, parsed, options);
  if (builtIn !== undefined) return builtIn;
  const fallback = completions?.special.get('D');
  return fallback === undefined ? undefined : fromSpec(shell, fallback, parsed, options);
}

/** What bash-completion would have installed for a few commands. */
async function builtInCompletion(
  shell: Shell,
  base: string,
  parsed: CommandLine,
  options: CompletionOptions,
): Promise<Found | undefined> {
  const word = parsed.plainWords.at(-1)!;
  const completer = completerFor(base);
  const ofWord = (candidates: readonly string[]): string[] => {
    const skipped = word.length - parsed.plain.length;
    return candidates
      .filter((candidate) => candidate.startsWith(word))
      .map((candidate) => (skipped > 0 ? candidate.slice(skipped) : candidate));
  };
  if (completer !== undefined) {
    const words = parsed.plainWords;
    const answer = await completer({
      shell,
      proc: shell.proc,
      words,
      line: parsed.line,
      point: parsed.point,
    });
    const candidates = ofWord(answer.candidates);
    if (candidates.length === 0 && answer.files === true) return undefined;
    return { candidates, noSpace: answer.noSpace === true };
  }
  if (base === 'cd' || base === 'pushd' || base === 'rmdir')
    return { candidates: matchesOf(shell, parsed.plain, true, options), files: true };
  if (
    ['ssh', 'ping', 'scp', 'telnet', 'host', 'dig', 'nslookup'].includes(base) &&
    !word.startsWith('-') &&
    !word.includes('/')
  ) {
    const user = /^(.*@)?(.*)$/s.exec(word)!;
    const hosts = hostNames(shell).filter((host) => host.startsWith(user[2]!));
    if (hosts.length > 0) return { candidates: ofWord(hosts.map((host) => (user[1] ?? '') + host)) };
  }
  if (word.includes('$')) return undefined;
  if (base === 'unset' || base === 'export')
    return { candidates: actionWords(shell, 'variable', parsed.plain) };
  if (base === 'type' || base === 'which' || base === 'man')
    return { candidates: commandNames(shell, parsed.plain) };
  return undefined;
}

async function fromSpec(
  shell: Shell,
  first: CompletionSpec,
  parsed: CommandLine,
  options: CompletionOptions,
): Promise<Found | undefined> {
  const completions = shell.completions!;
  let spec = first;
  let generated: { words: string[]; again: boolean } = { words: [], again: true };
  for (let tries = 0; generated.again && tries < 10; tries++) {
    // compopt may change the options for this time only.
    completions.current = { ...spec, options: new Set(spec.options) };
    generated = await generate(shell, completions.current, {
      ...parsed,
      word: parsed.plain,
      type: options.type,
    });
    if (!generated.again) break;
    const [command] = parsed.words; // 124: the function has installed another specification.
    spec = completions.specs.get(command!) ?? completions.specs.get(command!.split('/').at(-1)!) ?? spec;
  }
  const { options: chosen } = completions.current!;
  completions.current = undefined;
  const matches = generated.words;
  const files =
    chosen.has('filenames') || spec.actions.some((action) => action === 'file' || action === 'directory');
  const directories = (): string[] => matchesOf(shell, parsed.plain, true, options);
  if (chosen.has('plusdirs')) matches.push(...directories());
  if (matches.length === 0) {
    if (chosen.has('dirnames')) {
      const found = directories();
      if (found.length > 0) return { candidates: found, files: true };
    }
    if (chosen.has('bashdefault')) return undefined;
    return chosen.has('default') ? ofKind(shell, parsed, options, 'file') : NONE;
  }
  return {
    candidates: matches,
    files: files || chosen.has('plusdirs'),
    noSpace: chosen.has('nospace'),
    noQuote: chosen.has('noquote'),
    noSort: chosen.has('nosort'),
  };
}
