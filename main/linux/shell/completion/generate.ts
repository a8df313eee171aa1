// Candidates of the kinds that compgen and complete know: files, variables, commands …
import { ErrnoError } from '../../../network/index.ts';
import { expandToText, splitFields } from '../expand.ts';
import { expandPathname } from '../glob.ts';
import { matchesPattern } from '../pattern.ts';
import type { Shell } from '../shell.ts';
import { isReservedWord, parseText } from '../syntax/parser.ts';
import { setOptionNames, shoptNames } from '../builtins/options.ts';
import { callFunction } from '../simple-command.ts';
import { builtins } from '../builtins/registry.ts';
import { SIGNAL_NUMBERS } from '../../kernel/index.ts';
import type { CompletionSpec } from './completions.ts';

const KEYWORDS = [
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'select',
  'function',
  'in',
  '{',
  '}',
  '!',
  '[[',
  ']]',
  'time',
  'coproc',
];

/** Words of one `compgen -A` action that begin with `prefix`. */
export function actionWords(shell: Shell, action: string, prefix: string): string[] {
  const starting = (words: Iterable<string>): string[] =>
    [...words].filter((word) => word.startsWith(prefix));
  switch (action) {
    case 'file':
      return fileNames(shell, prefix, false);
    case 'directory':
      return fileNames(shell, prefix, true);
    case 'command':
      return commandNames(shell, prefix);
    case 'alias':
      return starting([...shell.aliases.keys()].toSorted());
    case 'builtin':
    case 'helptopic':
    case 'enabled':
      return starting([...builtins.keys()].toSorted());
    case 'keyword':
      return starting(KEYWORDS.filter(isReservedWord));
    case 'function':
      return starting([...shell.functions.keys()].toSorted());
    case 'variable':
      return starting(shell.vars.names());
    case 'export':
      return starting([...shell.vars.environment().keys()].toSorted());
    case 'arrayvar':
      return starting(shell.vars.names().filter((name) => shell.vars.find(name)?.indexed !== undefined));
    case 'job':
    case 'running':
      return starting(shell.jobs.jobs.map((job) => job.text));
    case 'stopped':
      return starting(shell.jobs.jobs.filter((job) => job.state === 'stopped').map((job) => job.text));
    case 'hostname':
      return starting(hostNames(shell));
    case 'user':
      return starting(firstFields(shell, '/etc/passwd'));
    case 'group':
      return starting(firstFields(shell, '/etc/group'));
    case 'service':
      return starting(
        (shell.readFile('/etc/services') ?? '').split('\n').map((line) => line.split(/\s/)[0]!),
      );
    case 'shopt':
      return starting(shoptNames);
    case 'setopt':
      return starting(setOptionNames);
    case 'signal':
      return starting(Object.keys(SIGNAL_NUMBERS));
    default:
      return [];
  }
}

function firstFields(shell: Shell, path: string): string[] {
  return (shell.readFile(path) ?? '')
    .split('\n')
    .map((line) => line.split(':')[0]!)
    .filter((name) => name !== '');
}

/** Names of /etc/hosts. */
export function hostNames(shell: Shell): string[] {
  const lines = (shell.readFile(shell.vars.get('HOSTFILE') ?? '/etc/hosts') ?? '').split('\n');
  return [
    ...new Set(lines.flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1))),
  ].toSorted();
}

/** How names are compared; without options as they are. */
interface Matching {
  readonly ignoreCase?: boolean;
  readonly mapCase?: boolean;
  /** Whether names that begin with a dot match an empty word. */
  readonly hidden?: boolean;
}

function matcher(prefix: string, { ignoreCase, mapCase }: Matching): (name: string) => boolean {
  const fold = (text: string): string => {
    const lower = ignoreCase === true ? text.toLowerCase() : text;
    return ignoreCase === true && mapCase === true ? lower.replaceAll('-', '_') : lower;
  };
  const wanted = fold(prefix);
  return (name) => fold(name).startsWith(wanted);
}

/** File names that begin with `prefix`, directories without a slash. `~` is kept as typed. */
export function fileNames(
  shell: Shell,
  prefix: string,
  directoriesOnly: boolean,
  options: Matching = {},
): string[] {
  const slash = prefix.lastIndexOf('/');
  const head = prefix.slice(0, slash + 1);
  const tail = prefix.slice(slash + 1);
  const directory = untilded(shell, head);
  const matches = matcher(tail, options);
  try {
    const entries = shell.proc.fs.readdir(directory === '' ? '.' : directory).map(({ name }) => ({ name }));
    return (tail.startsWith('.') ? [{ name: '.' }, { name: '..' }, ...entries] : entries)
      .filter(
        ({ name }) => matches(name) && (options.hidden !== false || !name.startsWith('.') || tail !== ''),
      )
      .filter(({ name }) => !directoriesOnly || isDirectory(shell, directory + name))
      .map(({ name }) => head + name)
      .toSorted();
  } catch (error) {
    if (error instanceof ErrnoError) return [];
    throw error;
  }
}

/** The path that a typed word means: `~`, `~user` and a variable at its beginning are expanded. */
function untilded(shell: Shell, path: string): string {
  const variable = /^\$(\{?)([A-Za-z_]\w*)(\}?)(?=\/)/.exec(path);
  if (variable !== null && (variable[1] === '') === (variable[3] === ''))
    return (shell.vars.get(variable[2]!) ?? '') + path.slice(variable[0].length);
  const tilde = /^~([^/]*)(\/.*)?$/s.exec(path);
  const home = tilde === null ? undefined : shell.homeOf(tilde[1]!);
  return home === undefined ? path : home + (tilde![2] ?? '');
}

export function isDirectory(shell: Shell, path: string): boolean {
  try {
    return shell.proc.fs.stat(untilded(shell, path)).type === 'directory';
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

export function isLink(shell: Shell, path: string): boolean {
  try {
    return shell.proc.fs.lstat(untilded(shell, path)).type === 'symlink';
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

/** Everything that can stand as a command's name. */
export function commandNames(shell: Shell, prefix: string, options: Matching = {}): string[] {
  const names = new Set<string>();
  const matches = matcher(prefix, options);
  for (const name of [...shell.aliases.keys(), ...shell.functions.keys(), ...builtins.keys(), ...KEYWORDS])
    if (matches(name)) names.add(name);
  for (const directory of (shell.vars.get('PATH') ?? '').split(':')) {
    for (const path of fileNames(shell, `${directory}/${prefix}`, false, options)) {
      if (!isDirectory(shell, path) && shell.proc.fs.access(path, { execute: true }))
        names.add(path.slice(directory.length + 1));
    }
  }
  return [...names].toSorted();
}

/** What a specification is asked for. */
interface GenerateRequest {
  /** COMP_WORDS and its index, COMP_LINE and its point. */
  readonly words: readonly string[];
  readonly wordIndex: number;
  readonly line: string;
  readonly point: number;
  /** What matches begin with, quotes removed. */
  readonly word: string;
  /** The same as typed: a function's $2. */
  readonly text: string;
  /** COMP_TYPE: the code of Tab, ?, !, @ or %. */
  readonly type?: number;
}

/**
 * Runs a specification: actions, words, globs, a function, a command, then filter, prefix and suffix.
 * `again` says that its function has asked to look the specification up once more (status 124).
 */
export async function generate(
  shell: Shell,
  spec: CompletionSpec,
  request: GenerateRequest,
): Promise<{ words: string[]; again: boolean }> {
  const { word } = request;
  let candidates: string[] = [];
  for (const action of spec.actions) candidates.push(...actionWords(shell, action, word));
  if (spec.glob !== undefined) candidates.push(...expandPathname(shell, spec.glob));
  if (spec.words !== undefined)
    candidates.push(...(await wordList(shell, spec.words)).filter((each) => each.startsWith(word)));
  if (spec.functionName !== undefined) {
    const replies = await runFunction(shell, spec.functionName, request);
    if (replies === 'again') return { words: [], again: true };
    candidates.push(...replies);
  }
  if (spec.command !== undefined) candidates.push(...(await runCommand(shell, spec.command, request)));
  if (spec.filter !== undefined && spec.filter !== '') {
    const negated = spec.filter.startsWith('!');
    const pattern = (negated ? spec.filter.slice(1) : spec.filter).replace(
      /(^|[^\\])&/g,
      (_, before: string) => before + word,
    );
    candidates = candidates.filter(
      (candidate) => matchesPattern(candidate, pattern, { extglob: true }) === negated,
    );
  }
  const words = candidates.map((candidate) => (spec.prefix ?? '') + candidate + (spec.suffix ?? ''));
  return { words, again: false };
}

async function wordList(shell: Shell, text: string): Promise<string[]> {
  const expanded = await expandToText(shell, parseText(text, 'here-document'));
  return splitFields([{ text: expanded, quoted: false, split: true }], shell.vars.get('IFS')).map((field) =>
    field.map((piece) => piece.text).join(''),
  );
}

const VARIABLES = ['COMP_WORDS', 'COMP_CWORD', 'COMP_LINE', 'COMP_POINT', 'COMP_TYPE', 'COMP_KEY'];

function setVariables(shell: Shell, request: GenerateRequest): void {
  shell.vars.setArray('COMP_WORDS', request.words);
  shell.vars.set('COMP_CWORD', String(request.wordIndex));
  shell.vars.set('COMP_LINE', request.line);
  shell.vars.set('COMP_POINT', String(Buffer.byteLength(request.line.slice(0, request.point))));
  shell.vars.set('COMP_TYPE', String(request.type ?? 9));
  shell.vars.set('COMP_KEY', '9');
}

/** The command's name, the word being completed, and the word before it. */
function argumentsOf({ words, wordIndex, text }: GenerateRequest): [string, string, string] {
  return [words[0] ?? '', text, words[wordIndex - 1] ?? ''];
}

async function runFunction(
  shell: Shell,
  name: string,
  request: GenerateRequest,
): Promise<string[] | 'again'> {
  const definition = shell.functions.get(name);
  if (definition === undefined) {
    await shell.err(`bash: completion: function \`${name}' not found\n`);
    return [];
  }
  setVariables(shell, request);
  shell.vars.unset('COMPREPLY');
  const { status } = shell;
  const result = await callFunction(shell, name, definition, [name, ...argumentsOf(request)]);
  const replies = shell.vars.values('COMPREPLY');
  shell.status = status;
  for (const variable of [...VARIABLES, 'COMPREPLY']) shell.vars.unset(variable);
  return result === 124 ? 'again' : replies;
}

async function runCommand(shell: Shell, command: string, request: GenerateRequest): Promise<string[]> {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const source = `${command} ${argumentsOf(request).map(quote).join(' ')}`;
  setVariables(shell, request);
  for (const name of VARIABLES.slice(2)) shell.vars.find(name)?.attributes.add('exported');
  const output = await shell.substitute({ kind: 'command', list: undefined, source, line: 1 });
  for (const variable of VARIABLES) shell.vars.unset(variable);
  return output.split('\n').filter((line) => line !== '');
}
