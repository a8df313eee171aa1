// Completes the word before the cursor: commands, files, variables, hosts, or what a specification offers.
import { isExecutable } from '../lookup.ts';
import type { Shell } from '../shell.ts';
import { completerFor, type CompletionRequest, type CompletionSpec } from './completions.ts';
import { actionWords, commandNames, fileNames, generate, hostNames, isDirectory } from './generate.ts';

export interface Completion {
  /** Offset in the line of the word being completed. */
  readonly start: number;
  /** Whole words as they'd be typed. */
  readonly candidates: readonly string[];
  /** What a list shows for each. */
  readonly displays: readonly string[];
  /** What to put in the word's place now: the common beginning, or the one candidate and what follows it. */
  readonly insertion: string;
}

interface Found {
  readonly candidates: readonly string[];
  readonly files: boolean;
  readonly noSpace: boolean;
  readonly noQuote?: boolean;
  /** Part of the word that candidates don't repeat. */
  readonly keep?: string;
}

interface CommandLine {
  /** Words of the present command, quotes removed; the last is being completed. */
  readonly words: string[];
  readonly start: number;
  /** The quote that is still open in the last word. */
  readonly quote: '' | '"' | "'";
  readonly isCommand: boolean;
  readonly afterRedirect: boolean;
}

export async function completeAt(shell: Shell, line: string, point: number): Promise<Completion> {
  const parsed = parseLine(line.slice(0, point));
  const found = await find(shell, parsed, line, point);
  const unique = [...new Set(found.candidates)].toSorted();
  const typed = line.slice(parsed.start, point);
  const quoted = unique.map((candidate) => quoteFor(candidate, parsed.quote, found));
  const displays = unique.map((candidate) =>
    found.files
      ? candidate.replace(/\/$/, '').split('/').at(-1)! + (isDirectory(shell, candidate) ? '/' : '')
      : candidate,
  );
  let insertion = typed;
  if (unique.length === 1) insertion = quoted[0]! + ending(shell, unique[0]!, parsed, found);
  else if (unique.length > 1) {
    const common = quoteFor(commonPrefix(unique), parsed.quote, found);
    insertion = common.length >= typed.length || !common.startsWith(typed) ? common : typed;
    if (commonPrefix(unique).length < parsed.words.at(-1)!.length) insertion = typed;
  }
  return { start: parsed.start, candidates: quoted, displays, insertion };
}

function ending(shell: Shell, candidate: string, parsed: CommandLine, found: Found): string {
  if (found.files && isDirectory(shell, candidate)) return candidate.endsWith('/') ? '' : '/';
  return parsed.quote + (found.noSpace ? '' : ' ');
}

function quoteFor(candidate: string, quote: string, found: Found): string {
  if (quote === "'") return `'${candidate.replaceAll("'", "'\\''")}`;
  if (quote === '"') return `"${candidate.replace(/["$`\\]/g, '\\$&')}`;
  return found.files && found.noQuote !== true
    ? candidate.replace(/(?!^~)[\s'"\\$`!&|;<>()*?[\]{}#]/g, '\\$&')
    : candidate;
}

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0]!;
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/** Finds the command that the end of a line belongs to, and its words. */
function parseLine(text: string): CommandLine {
  let words: string[] = [];
  let word = '';
  let start = 0;
  let inWord = false;
  let quote: '' | '"' | "'" = '';
  let afterRedirect = false;
  let pendingRedirect = false;
  const endWord = (): void => {
    if (
      inWord &&
      !pendingRedirect &&
      !(
        words.length === 0 &&
        /^(?:[A-Za-z_]\w*\+?=.*|if|then|else|elif|do|while|until|time|!|\{|sudo|nohup|exec|command)$/s.test(
          word,
        )
      )
    )
      words.push(word);
    if (inWord) pendingRedirect = false;
    word = '';
    inWord = false;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (!inWord) start = i;
    if (quote !== '') {
      if (c === quote) quote = '';
      else if (c === '\\' && quote === '"' && i + 1 < text.length) word += text[++i];
      else word += c;
      continue;
    }
    if (c === '\\' && i + 1 < text.length) {
      word += text[++i];
      inWord = true;
    } else if (c === '"' || c === "'") {
      quote = c;
      inWord = true;
    } else if (/\s/.test(c)) {
      endWord();
      if (c === '\n') words = [];
    } else if (/[|&;()`]/.test(c)) {
      endWord();
      words = [];
      pendingRedirect = false;
    } else if (c === '<' || c === '>') {
      if (/^[0-9]+$/.test(word)) inWord = false;
      endWord();
      pendingRedirect = true;
    } else {
      word += c;
      inWord = true;
    }
  }
  if (!inWord) start = text.length;
  afterRedirect = pendingRedirect;
  return { words: [...words, word], start, quote, isCommand: words.length === 0, afterRedirect };
}

async function find(shell: Shell, parsed: CommandLine, line: string, point: number): Promise<Found> {
  const word = parsed.words.at(-1)!;
  const plain = (candidates: readonly string[], noSpace = false): Found => ({
    candidates,
    files: false,
    noSpace,
  });
  const files = (): Found => ({ candidates: fileNames(shell, word, false), files: true, noSpace: false });
  const variable = /^(.*)\$(\{?)([A-Za-z_0-9]*)$/s.exec(word);
  if (variable !== null && parsed.quote !== "'") {
    const [, head, brace, name] = variable;
    return plain(
      actionWords(shell, 'variable', name!).map(
        (each) => `${head}$${brace}${each}${brace === '' ? '' : '}'}`,
      ),
    );
  }
  if (/^~[^/]*$/.test(word) && parsed.quote === '')
    return {
      candidates: actionWords(shell, 'user', word.slice(1)).map((name) => `~${name}/`),
      files: false,
      noSpace: true,
    };
  if (parsed.afterRedirect) return files();
  if (parsed.isCommand) {
    if (!word.includes('/')) return plain(commandNames(shell, word));
    return {
      candidates: fileNames(shell, word, false).filter(
        (path) => isDirectory(shell, path) || isExecutable(shell, path),
      ),
      files: true,
      noSpace: false,
    };
  }
  const request: CompletionRequest = { shell, proc: shell.proc, words: parsed.words, line, point };
  const special = await programmed(shell, request, word);
  if (special !== undefined) return special;
  const at = /^(.*@)([^@]*)$/.exec(word);
  if (at !== null) {
    const hosts = hostNames(shell).filter((host) => host.startsWith(at[2]!));
    if (hosts.length > 0) return plain(hosts.map((host) => at[1]! + host));
  }
  return files();
}

/** Candidates of a `complete` specification, or of a registered completer; undefined leaves it to file names. */
async function programmed(
  shell: Shell,
  request: CompletionRequest,
  word: string,
): Promise<Found | undefined> {
  const command = request.words[0]!;
  const base = command.split('/').at(-1)!;
  const completions = shell.completions;
  const spec = completions?.specs.get(command) ?? completions?.specs.get(base);
  if (spec !== undefined) return fromSpec(shell, spec, request, word);
  const completer = completerFor(base);
  if (completer !== undefined) {
    const answer = await completer(request);
    const candidates = answer.candidates.filter((candidate) => candidate.startsWith(word));
    if (candidates.length === 0 && answer.files === true)
      return { candidates: fileNames(shell, word, false), files: true, noSpace: false };
    return { candidates, files: false, noSpace: answer.noSpace === true };
  }
  if (base === 'cd' || base === 'pushd' || base === 'rmdir')
    return { candidates: fileNames(shell, word, true), files: true, noSpace: false };
  if (
    ['ssh', 'ping', 'scp', 'telnet', 'host', 'dig', 'nslookup'].includes(base) &&
    !word.startsWith('-') &&
    !word.includes('/')
  ) {
    const user = /^(.*@)?(.*)$/s.exec(word)!;
    const hosts = hostNames(shell).filter((host) => host.startsWith(user[2]!));
    if (hosts.length > 0)
      return { candidates: hosts.map((host) => (user[1] ?? '') + host), files: false, noSpace: false };
  }
  if (base === 'unset' || base === 'export')
    return { candidates: actionWords(shell, 'variable', word), files: false, noSpace: false };
  if (base === 'type' || base === 'which' || base === 'man')
    return { candidates: commandNames(shell, word), files: false, noSpace: false };
  const fallback = completions?.special.get('D');
  return fallback === undefined ? undefined : fromSpec(shell, fallback, request, word);
}

async function fromSpec(
  shell: Shell,
  spec: CompletionSpec,
  request: CompletionRequest,
  word: string,
): Promise<Found | undefined> {
  const completions = shell.completions!;
  // compopt may change the options for this time only.
  completions.current = { ...spec, options: new Set(spec.options) };
  const generated = await generate(shell, completions.current, request);
  const { options } = completions.current;
  completions.current = undefined;
  const tail = /[=:]([^=:]*)$/.exec(word);
  const matches = generated.filter(
    (candidate) => candidate.startsWith(word) || spec.functionName !== undefined,
  );
  if (matches.length === 0) {
    if (options.has('dirnames'))
      return { candidates: fileNames(shell, word, true), files: true, noSpace: false };
    return options.has('default') || options.has('bashdefault')
      ? undefined
      : { candidates: [], files: false, noSpace: false };
  }
  const trimmed =
    tail === null
      ? matches
      : matches.map((candidate) =>
          candidate.startsWith(word) ? candidate : word.slice(0, word.length - tail[1]!.length) + candidate,
        );
  const files =
    options.has('filenames') || spec.actions.some((action) => action === 'file' || action === 'directory');
  return {
    candidates: trimmed.map((candidate) => candidate.replace(/ $/, '')),
    files,
    noSpace: options.has('nospace'),
    noQuote: options.has('noquote'),
  };
}
