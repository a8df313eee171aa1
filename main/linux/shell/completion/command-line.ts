// Finds the word to be completed on a line, the command it belongs to, and that command's words.

/** Characters at which readline begins a word to complete (bashline.c). */
const BREAKS = ' \t\n"\'@><=;|&(:';
/** Words that a command may follow. */
const BEFORE_COMMANDS = new Set(
  'if then else elif do while until time ! { sudo nohup exec command env nice watch xargs'.split(' '),
);
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/;

export interface CommandLine {
  /** Offset of the text that matches replace. */
  readonly start: number;
  /** That text as typed, without the quote before it. */
  readonly text: string;
  /** The text with its quoting removed. */
  readonly plain: string;
  /** The quote that is still open in it. */
  readonly quote: '' | '"' | "'";
  /** COMP_WORDS, COMP_CWORD, COMP_LINE and COMP_POINT (UTF-16). */
  readonly words: readonly string[];
  readonly wordIndex: number;
  readonly line: string;
  readonly point: number;
  /** Words of the command up to the cursor with quotes removed, split at blanks only. */
  readonly plainWords: readonly string[];
  readonly isCommand: boolean;
  readonly afterRedirect: boolean;
}

interface Token {
  readonly from: number;
  readonly to: number;
  /** `;`, `|`, `&`, parentheses, newline, `{`: a command begins behind it. */
  readonly separates: boolean;
  readonly redirects: boolean;
}

/** `breaks` is COMP_WORDBREAKS. */
export function parseCommandLine(line: string, point: number, breaks: string): CommandLine {
  const { quote, start: quoteStart } = openQuote(line.slice(0, point));
  const start = quote === '' ? unquotedStart(line, point, breaks) : quoteStart + 1;
  const tokens = tokenize(line);
  const before = tokens.filter(({ from, separates }) => separates && from < point);
  const commandStart = before.at(-1)?.to ?? 0;
  const commandEnd = tokens.find(({ from, separates }) => separates && from >= point)?.from ?? line.length;
  let own = tokens.filter(
    ({ from, to, separates }) => !separates && from >= commandStart && to <= commandEnd,
  );
  const textOf = ({ from, to }: Token): string => line.slice(from, to);
  const atOrBefore = (token: Token): boolean => token.to < point;
  while (
    own[0] !== undefined &&
    atOrBefore(own[0]) &&
    (BEFORE_COMMANDS.has(textOf(own[0])) || ASSIGNMENT.test(textOf(own[0])))
  )
    own = own.slice(1);
  const typed = own.filter(({ from }) => from < point);
  const arguments_ = withoutRedirects(typed, point);
  const lastTyped = typed.at(-1);
  const isOpen = lastTyped !== undefined && lastTyped.to >= point && !lastTyped.redirects;
  const plainWords = arguments_.map((token) => dequote(line.slice(token.from, Math.min(token.to, point))));
  if (!isOpen) plainWords.push('');
  const first = own[0]?.from ?? point;
  const lineText = line.slice(first, commandEnd);
  const { words, index } = splitWords(lineText, point - first, breaks);
  return {
    start,
    text: line.slice(start, point),
    plain: quote === "'" ? line.slice(start, point) : dequote(line.slice(start, point), quote === '"'),
    quote,
    words,
    wordIndex: index,
    line: lineText,
    point: point - first,
    plainWords,
    // Behind a break character inside a word, such as the = of an assignment, no command begins.
    isCommand: plainWords.length <= 1 && (!isOpen || start - (quote === '' ? 0 : 1) <= lastTyped.from),
    afterRedirect: redirectedTo(typed, point, isOpen),
  };
}

function redirectedTo(typed: readonly Token[], point: number, isOpen: boolean): boolean {
  const index = isOpen ? typed.length - 2 : typed.length - 1;
  return typed[index]?.redirects === true && typed[index].to <= point;
}

/** Leaves redirections and their targets out, but for a target being typed. */
function withoutRedirects(tokens: readonly Token[], point: number): Token[] {
  return tokens.filter(
    (token, i) => !token.redirects && (tokens[i - 1]?.redirects !== true || token.to >= point),
  );
}

/** The quote that is open at the end of a text. */
function openQuote(text: string): { quote: '' | '"' | "'"; start: number } {
  let quote: '' | '"' | "'" = '';
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\' && quote !== "'") i++;
    else if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") {
      quote = c;
      start = i;
    }
  }
  return { quote, start };
}

/** Where the word to complete begins when no quote is open. */
function unquotedStart(line: string, point: number, breaks: string): number {
  const stops = BREAKS + (breaks.includes('`') ? '`' : '');
  let start = 0;
  let quote = '';
  for (let i = 0; i < point; i++) {
    const c = line[i]!;
    if (c === '\\' && quote !== "'") i++;
    else if (quote !== '') {
      if (c === quote) {
        quote = '';
        start = i + 1;
      }
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '@') {
      if (breaks.includes('@')) start = i;
    } else if (' \t\n;|&(<>`'.includes(c) ? stops.includes(c) : stops.includes(c) && breaks.includes(c))
      start = i + 1;
  }
  return start;
}

/** Blank-separated words with operators apart. */
function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    const c = line[at]!;
    if (c === ' ' || c === '\t') {
      at++;
      continue;
    }
    const redirect = /^(?:\d*(?:<<<|<<-?|<>|<&|>>|>\||>&|<|>)|&>>?)/.exec(line.slice(at));
    if (redirect !== null && !/^\d+$/.test(redirect[0])) {
      tokens.push({ from: at, to: at + redirect[0].length, separates: false, redirects: true });
      at += redirect[0].length;
      continue;
    }
    if (/[;|&()\n`]/.test(c) || (c === '$' && line[at + 1] === '(')) {
      const size = c === '$' ? 2 : 1;
      tokens.push({ from: at, to: at + size, separates: true, redirects: false });
      at += size;
      continue;
    }
    const end = tokenEnd(line, at);
    tokens.push({ from: at, to: end, separates: false, redirects: false });
    at = end;
  }
  return tokens;
}

function tokenEnd(line: string, from: number): number {
  let quote = '';
  let at = from;
  for (; at < line.length; at++) {
    const c = line[at]!;
    if (c === '\\' && quote !== "'") at++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (/[\s;|&()<>`]/.test(c) || (c === '$' && line[at + 1] === '(')) break;
  }
  return Math.min(at, line.length);
}

/** Splits a command as COMP_WORDS has it: at blanks, and each run of other break characters is a word. */
function splitWords(line: string, point: number, breaks: string): { words: string[]; index: number } {
  const words: string[] = [];
  const apart = (c: string): boolean => breaks.includes(c) && !' \t\n"\''.includes(c);
  let index = -1;
  let at = 0;
  while (at < line.length) {
    const c = line[at]!;
    if (/\s/.test(c)) {
      if (index < 0 && at >= point) {
        words.push('');
        index = words.length - 1;
      }
      at++;
      while (at < line.length && /\s/.test(line[at]!) && at < point) at++;
      continue;
    }
    const from = at;
    if (apart(c)) while (at < line.length && apart(line[at]!)) at++;
    else at = wordEndAt(line, at, apart);
    words.push(line.slice(from, at));
    if (index < 0 && point >= from && point <= at) {
      // Right behind an operator a new word hasn't begun; right behind a word it's that word.
      const next = line[at];
      if (point < at || next === undefined || /\s/.test(next) || apart(next)) index = words.length - 1;
    }
  }
  if (index < 0) {
    words.push('');
    index = words.length - 1;
  }
  return { words, index };
}

function wordEndAt(line: string, from: number, apart: (c: string) => boolean): number {
  let quote = '';
  let at = from;
  for (; at < line.length; at++) {
    const c = line[at]!;
    if (c === '\\' && quote !== "'") at++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (/\s/.test(c) || apart(c)) break;
  }
  return Math.min(at, line.length);
}

/** Removes quotes and backslashes. */
function dequote(text: string, inDouble = false): string {
  let plain = '';
  let quote = inDouble ? '"' : '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote === "'") {
      if (c === "'") quote = '';
      else plain += c;
    } else if (c === '\\') {
      const next = text[i + 1];
      if (next === undefined) continue;
      plain += quote === '"' && !'"\\$`'.includes(next) ? c + next : next;
      i++;
    } else if (c === '"') quote = quote === '"' ? '' : '"';
    else if (c === "'" && quote === '') quote = "'";
    else plain += c;
  }
  return plain;
}
