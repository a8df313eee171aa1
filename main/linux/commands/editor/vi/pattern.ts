// Vim's search patterns (magic, and \v very magic) as regular expressions of the host.

export interface PatternOptions {
  readonly ignoreCase: boolean;
  readonly smartCase: boolean;
}

/** A pattern that can't be compiled. */
export class PatternError extends Error {}

const CLASSES: Readonly<Record<string, string>> = {
  s: '[ \\t]',
  S: '[^ \\t]',
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  a: '[A-Za-z]',
  A: '[^A-Za-z]',
  l: '[a-z]',
  u: '[A-Z]',
  x: '[0-9A-Fa-f]',
  h: '[A-Za-z_]',
  i: '[\\w]',
  k: '[\\w]',
  f: '[^\\s]',
};
const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
};

/** Compiles a pattern, with the flags `g` and `u`. Throws PatternError in vim's words. */
export function compilePattern(source: string, options: PatternOptions): RegExp {
  let ignoreCase = options.ignoreCase;
  if (options.smartCase && /[A-Z]/.test(source.replaceAll(/\\./g, ''))) ignoreCase = false;
  let out = '';
  let veryMagic = false;
  let noMagic = false;
  let open = 0;
  for (let i = 0; i < source.length;) {
    const start = i;
    let c = String.fromCodePoint(source.codePointAt(i)!);
    i += c.length;
    let isSpecial = veryMagic ? /[^\w]/.test(c) : !noMagic && /[.*[~^$]/.test(c);
    if (c === '\\') {
      if (i >= source.length) {
        out += '\\\\';
        break;
      }
      c = source[i++]!;
      if (c === 'v' || c === 'm' || c === 'M' || c === 'V') {
        veryMagic = c === 'v';
        noMagic = c === 'V';
        continue;
      }
      if (c === 'c' || c === 'C') {
        ignoreCase = c === 'c';
        continue;
      }
      if (CLASSES[c] !== undefined) {
        out += CLASSES[c];
        continue;
      }
      if (/[1-9]/.test(c)) {
        out += `\\${c}`;
        continue;
      }
      const escape = { n: '\\n', t: '\\t', r: '\\r', e: '\\x1b' }[c];
      if (escape !== undefined) {
        out += escape;
        continue;
      }
      if (c === 'z' && (source[i] === 's' || source[i] === 'e')) {
        // What is before \zs or after \ze must be there, but isn't part of the match.
        if (source[i++] === 's') out = `(?<=${out})`;
        else {
          const rest = compilePattern((veryMagic ? '\\v' : '') + source.slice(i), options).source;
          return new RegExp(`${out}(?=${rest})`, ignoreCase ? 'giu' : 'gu');
        }
        continue;
      }
      if (c === '%' && source[i] === '(') {
        i++;
        out += '(?:';
        open++;
        continue;
      }
      isSpecial = veryMagic ? false : /[+=?|(){<>&%@]/.test(c) || (noMagic && /[.*[~^$]/.test(c));
    }
    if (!isSpecial) {
      out += escaped(c);
      continue;
    }
    switch (c) {
      case '.':
      case '*':
      case '+':
      case '|':
        out += c;
        break;
      case '=':
      case '?':
        out += '?';
        break;
      case '^':
        out += start === 0 || /[(|]$/.test(out) ? '^' : '\\^';
        break;
      case '$':
        out += i >= source.length || /^(?:\\?[|)])/.test(source.slice(i)) ? '$' : '\\$';
        break;
      case '(':
        out += '(';
        open++;
        break;
      case ')':
        if (open-- === 0) throw new PatternError('E55: Unmatched \\)');
        out += ')';
        break;
      case '<':
        out += '(?<![\\w\\u00c0-\\uffff])(?=[\\w\\u00c0-\\uffff])';
        break;
      case '>':
        out += '(?<=[\\w\\u00c0-\\uffff])(?![\\w\\u00c0-\\uffff])';
        break;
      case '{': {
        const braces = /^(-?)(\d*)(,?)(\d*)\\?\}/.exec(source.slice(i));
        if (braces === null) throw new PatternError(`E554: Syntax error in ${veryMagic ? '' : '\\'}{...}`);
        i += braces[0].length;
        const [, lazy, from, comma, to] = braces;
        out += from === '' && to === '' ? '*' : `{${from === '' ? '0' : from}${comma}${to}}`;
        if (lazy === '-') out += '?';
        break;
      }
      case '[': {
        const bracket = /^\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]/.exec(source.slice(i));
        if (bracket === null) {
          out += '\\[';
          break;
        }
        i += bracket[0].length;
        out += bracketText(bracket[0].slice(0, -1));
        break;
      }
      default:
        out += escaped(c);
    }
  }
  if (open > 0) throw new PatternError(`E54: Unmatched ${veryMagic ? '' : '\\'}(`);
  try {
    return new RegExp(out, ignoreCase ? 'giu' : 'gu');
  } catch {
    throw new PatternError(`E383: Invalid search string: ${source}`);
  }
}

function bracketText(inside: string): string {
  const negated = inside.startsWith('^');
  const body = (negated ? inside.slice(1) : inside).replaceAll(
    /\[:(\w+):\]|\\([etrbn\]^\\-])|([[\]\\])|([&!#%,:;<=>@`~])/g,
    (_all, name, escape, bad, plain) =>
      name !== undefined
        ? (POSIX[name as string] ?? '')
        : escape !== undefined
          ? escape === 'e'
            ? '\\x1b'
            : `\\${escape as string}`
          : bad !== undefined
            ? `\\${bad as string}`
            : (plain as string),
  );
  return `[${negated ? '^' : ''}${body}]`;
}

function escaped(c: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c;
}
