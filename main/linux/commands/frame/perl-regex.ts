// Perl-style patterns (pcre2pattern(3), as grep -P and jq take them) turned into JavaScript's.
import { RegexError } from './regex.ts';

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`\\{-~',
  print: ' -~',
  graph: '!-~',
  cntrl: '\\0-\\x1f\\x7f',
  xdigit: '0-9A-Fa-f',
  word: 'A-Za-z0-9_',
};

const ESCAPES: Readonly<Record<string, string>> = {
  h: '[ \\t]',
  H: '[^ \\t]',
  R: '(?:\\r\\n|[\\n\\v\\f\\r])',
  N: '[^\\n]',
  A: '(?<![^])',
  z: '(?![^])',
  Z: '(?=\\n?(?![^]))',
  a: '\\x07',
  e: '\\x1b',
};

/** Compiles a Perl-style pattern; `\K` becomes a look-behind. Throws RegexError. */
export function compilePerlRegex(
  pattern: string,
  options: {
    readonly ignoreCase?: boolean;
    readonly dotAll?: boolean;
    readonly multiline?: boolean;
    readonly extended?: boolean;
    readonly longest?: boolean;
  } = {},
): RegExp {
  const keep = /(?<!\\)(?:\\\\)*\\K/.exec(pattern);
  const cut = keep === null ? -1 : keep.index + keep[0].length - 2;
  const source =
    cut < 0
      ? translate(pattern, options.extended === true)
      : `(?<=${translate(pattern.slice(0, cut), false)})${translate(pattern.slice(cut + 2), false)}`;
  const flags = `gu${options.ignoreCase === true ? 'i' : ''}${options.dotAll === true ? 's' : ''}${options.multiline === true ? 'm' : ''}`;
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new RegexError(wordsOf(error), { cause: error });
  }
}

/** PCRE's words for what JavaScript found wrong. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('Unterminated group')) return 'missing closing parenthesis';
  if (message.includes('Unmatched')) return 'unmatched closing parenthesis';
  if (message.includes('Unterminated character class')) return 'missing terminating ] for character class';
  if (message.includes('Nothing to repeat')) return 'quantifier does not follow a repeatable item';
  if (message.includes('Range out of order')) return 'range out of order in character class';
  if (message.includes('numbers out of order')) return 'numbers out of order in {} quantifier';
  return message.replace(/^Invalid regular expression: /, '');
}

function translate(pattern: string, extended: boolean): string {
  let out = '';
  let i = 0;
  /** For each open group, how many more parentheses its end closes. */
  const extra: number[] = [0];
  let atomics = 0;
  while (i < pattern.length) {
    const c = pattern[i]!;
    if (c === '\\') {
      const [text, length] = escape(pattern, i);
      out += text;
      i += length;
    } else if (c === '[') {
      const [text, length] = bracket(pattern, i);
      out += text;
      i += length;
    } else if (c === '(') {
      const rest = pattern.slice(i);
      const comment = /^\(\?#[^)]*\)/.exec(rest);
      const flags = /^\(\?([imsx]+)\)/.exec(rest);
      if (comment !== null) i += comment[0].length;
      else if (flags !== null) {
        const kept = flags[1]!.replaceAll('x', '');
        if (kept !== '') {
          out += `(?${kept}:`;
          extra[extra.length - 1]!++;
        }
        i += flags[0].length;
      } else if (rest.startsWith('(?P<') || rest.startsWith("(?'")) {
        const name = /^\(\?(?:P<(\w+)>|'(\w+)')/.exec(rest);
        out += `(?<${name?.[1] ?? name?.[2] ?? ''}>`;
        i += name?.[0].length ?? 3;
        extra.push(0);
      } else if (rest.startsWith('(?>')) {
        const name = `atomic${atomics++}`;
        out += `(?:(?=(?<${name}>`;
        extra.push(-1 - atomics);
        i += 3;
      } else {
        const opened = /^\((?:\?(?:<?[=!]|:|[imsx-]+:|<\w+>))?/.exec(rest)![0];
        out += opened;
        i += opened.length;
        extra.push(0);
      }
    } else if (c === ')') {
      const more = extra.length > 1 ? extra.pop()! : 0;
      out += more < 0 ? `))\\k<atomic${-2 - more}>)` : `)${')'.repeat(more)}`;
      i++;
    } else if (/^(?:[*+?]|\{\d*,?\d*\})\+/.test(pattern.slice(i, i + 12))) {
      // Possessive: JavaScript has none; greedy finds the same where the rest can't match inside.
      const found = /^(?:[*+?]|\{\d*,?\d*\})/.exec(pattern.slice(i))![0];
      out += found;
      i += found.length + 1;
    } else if (c === '{' && !/^\{\d+(?:,\d*)?\}/.test(pattern.slice(i))) {
      out += '\\{';
      i++;
    } else if (c === '}' && !/\{\d+(?:,\d*)?$/.test(out)) {
      out += '\\}';
      i++;
    } else if (c === ']') {
      out += '\\]';
      i++;
    } else if (extended && /\s/.test(c)) i++;
    else if (extended && c === '#') {
      const end = pattern.indexOf('\n', i);
      i = end < 0 ? pattern.length : end + 1;
    } else {
      const symbol = String.fromCodePoint(pattern.codePointAt(i)!);
      out += symbol;
      i += symbol.length;
    }
  }
  return out + ')'.repeat(Math.max(0, extra[0]!));
}

/** One escape sequence at `at`, and how long it is. */
function escape(pattern: string, at: number): [string, number] {
  const next = pattern[at + 1];
  if (next === undefined) throw new RegexError('\\ at end of pattern');
  if (next === 'Q') {
    const end = pattern.indexOf('\\E', at);
    const text = pattern.slice(at + 2, end < 0 ? undefined : end);
    return [text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), text.length + (end < 0 ? 2 : 4)];
  }
  if (next === 'E') return ['', 2];
  const long = /^\\x\{([0-9a-fA-F]+)\}/.exec(pattern.slice(at));
  if (long !== null) return [`\\u{${long[1]}}`, long[0].length];
  const reference = /^\\g\{?(\d+)\}?/.exec(pattern.slice(at));
  if (reference !== null) return [`(?:\\${reference[1]})`, reference[0].length];
  const known = ESCAPES[next];
  if (known !== undefined) return [known, 2];
  if (/[a-zA-Z0-9]/.test(next)) return [`\\${next}`, 2];
  const symbol = String.fromCodePoint(pattern.codePointAt(at + 1)!);
  return [/[\\^$.*+?()[\]{}|/]/.test(symbol) ? `\\${symbol}` : symbol, 1 + symbol.length];
}

function bracket(pattern: string, at: number): [string, number] {
  let i = at + 1;
  let out = '[';
  if (pattern[i] === '^') {
    out += '^';
    i++;
  }
  for (let first = true; ; first = false) {
    const c = pattern[i];
    if (c === undefined) throw new RegexError('missing terminating ] for character class');
    if (c === ']' && !first) return [`${out}]`, i + 1 - at];
    const named = /^\[:(\^?)(\w+):\]/.exec(pattern.slice(i));
    if (named !== null) {
      const known = POSIX_CLASSES[named[2]!];
      if (known === undefined) throw new RegexError('unknown POSIX class name');
      out += known;
      i += named[0].length;
    } else if (c === '\\') {
      const next = pattern[i + 1] ?? '';
      const long = /^\\x\{([0-9a-fA-F]+)\}/.exec(pattern.slice(i));
      if (long !== null) out += `\\u{${long[1]}}`;
      else if (next === 'h') out += ' \\t';
      else if (next === 'e') out += '\\x1b';
      else if (next === 'a') out += '\\x07';
      else if (/[a-zA-Z0-9]/.test(next)) out += `\\${next}`;
      else out += /[\\\]^[-]/.test(next) ? `\\${next}` : next;
      i += long?.[0].length ?? 2;
    } else {
      const symbol = String.fromCodePoint(pattern.codePointAt(i)!);
      out += symbol === '[' || symbol === ']' ? `\\${symbol}` : symbol;
      i += symbol.length;
    }
  }
}
