// Shell patterns: what `*`, `?`, `[…]` and the extended globs match.

interface PatternOptions {
  readonly extglob?: boolean;
  readonly ignoreCase?: boolean;
}

const CACHE_MAX = 1000;
const cache = new Map<string, RegExp>();
const CLASSES: Record<string, string> = {
  alpha: '\\p{L}',
  digit: '0-9',
  alnum: '\\p{L}\\p{N}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  print: ' -~\\u00a0-\\u{10ffff}',
  graph: '!-~\\u00a1-\\u{10ffff}',
  cntrl: '\\x00-\\x1f\\x7f',
  xdigit: '0-9A-Fa-f',
  word: '\\p{L}\\p{N}_',
  ascii: '\\x00-\\x7f',
};

/** A regular expression that matches a whole string as the pattern does. `\` quotes the next character. */
function patternToRegExp(pattern: string, options: PatternOptions = {}): RegExp {
  const key = `${options.extglob === true ? 'x' : '-'}${options.ignoreCase === true ? 'i' : '-'}${pattern}`;
  let regExp = cache.get(key);
  if (regExp === undefined) {
    regExp = new RegExp(
      `^(?:${translate(pattern, options.extglob === true, '$')})$`,
      options.ignoreCase === true ? 'sui' : 'su',
    );
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(key, regExp);
  }
  return regExp;
}

/** Whether `text` as a whole matches. */
export function matchesPattern(text: string, pattern: string, options: PatternOptions = {}): boolean {
  return patternToRegExp(pattern, options).test(text);
}

/** Whether a pattern has anything but ordinary characters. */
export function isPattern(pattern: string, extglob: boolean): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') i++;
    else if (c === '*' || c === '?') return true;
    else if (c === '[' && bracketEnd(pattern, i) !== undefined) return true;
    else if (extglob && '+@!'.includes(c) && pattern[i + 1] === '(') return true;
  }
  return false;
}

/** Quotes every character that would count in a pattern. */
export function quotePattern(text: string): string {
  return text.replace(/[\\*?[\]!+@()|^-]/g, '\\$&');
}

/** The pattern's text with its quoting backslashes removed. */
export function unquotePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, '$1');
}

/** Length of the shortest or longest beginning (or end) of `text` that matches; undefined if none does. */
export function matchEnd(
  text: string,
  pattern: string,
  side: 'prefix' | 'suffix',
  longest: boolean,
  options: PatternOptions,
): number | undefined {
  const regExp = patternToRegExp(pattern, options);
  const boundaries = boundariesOf(text);
  const order = side === 'prefix' ? boundaries : boundaries.toReversed();
  for (const at of longest ? order.toReversed() : order) {
    if (regExp.test(side === 'prefix' ? text.slice(0, at) : text.slice(at))) return at;
  }
  return undefined;
}

/** The first longest match at or after `from`. */
export function findMatch(
  text: string,
  pattern: string,
  from: number,
  options: PatternOptions,
): { start: number; end: number } | undefined {
  if (!isPattern(pattern, options.extglob === true) && options.ignoreCase !== true) {
    const literal = unquotePattern(pattern);
    const start = text.indexOf(literal, from);
    return start < 0 ? undefined : { start, end: start + literal.length };
  }
  if (!(options.extglob === true && /[?*+@!]\(/.test(pattern))) {
    const anchored = patternToRegExp(pattern, options).source.slice(1, -1);
    const greedy = new RegExp(anchored, options.ignoreCase === true ? 'suig' : 'sug');
    greedy.lastIndex = from;
    const match = greedy.exec(text);
    return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
  }
  const regExp = patternToRegExp(pattern, options);
  for (let start = from; start <= text.length; start++) {
    for (let end = text.length; end >= start; end--) {
      if (regExp.test(text.slice(start, end))) return { start, end };
    }
  }
  return undefined;
}

/** Offsets between characters (code points). */
function boundariesOf(text: string): number[] {
  const offsets = [0];
  for (const c of text) offsets.push(offsets.at(-1)! + c.length);
  return offsets;
}

function translate(pattern: string, extglob: boolean, tail: string): string {
  let out = '';
  for (let i = 0; i < pattern.length;) {
    const c = String.fromCodePoint(pattern.codePointAt(i)!);
    if (extglob && '?*+@!'.includes(c) && pattern[i + 1] === '(') {
      const end = groupEnd(pattern, i + 1);
      if (end !== undefined) {
        const alternatives = splitAlternatives(pattern.slice(i + 2, end)).map((each) =>
          translate(each, extglob, ''),
        );
        const group = `(?:${alternatives.join('|')})`;
        if (c === '!') {
          const rest = translate(pattern.slice(end + 1), extglob, tail);
          return `${out}(?!${group}${rest}${tail})[^]*?${rest}`;
        }
        out += group + (c === '@' ? '' : c);
        i = end + 1;
        continue;
      }
    }
    if (c === '\\') {
      const next = i + 1 < pattern.length ? String.fromCodePoint(pattern.codePointAt(i + 1)!) : '\\';
      out += escapeRegExp(next);
      i += 1 + (i + 1 < pattern.length ? next.length : 0);
      continue;
    }
    if (c === '[') {
      const end = bracketEnd(pattern, i);
      if (end !== undefined) {
        out += translateBracket(pattern.slice(i + 1, end));
        i = end + 1;
        continue;
      }
    }
    if (c === '*') out += '[^]*';
    else if (c === '?') out += '[^]';
    else out += escapeRegExp(c);
    i += c.length;
  }
  return out;
}

function escapeRegExp(c: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c;
}

/** Index of the `]` that ends a bracket expression, or undefined when there's none and `[` is itself. */
function bracketEnd(pattern: string, open: number): number | undefined {
  let i = open + 1;
  if (pattern[i] === '!' || pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === ']') return i;
    if (c === '\\') i++;
    else if (c === '[' && /[:.=]/.test(pattern[i + 1] ?? '')) {
      const close = pattern.indexOf(`${pattern[i + 1]}]`, i + 2);
      if (close >= 0) i = close + 1;
    }
  }
  return undefined;
}

function translateBracket(body: string): string {
  const negated = body[0] === '!' || body[0] === '^';
  let i = negated ? 1 : 0;
  let out = '';
  const one = (): string => {
    if (body[i] === '\\' && i + 1 < body.length) i++;
    const c = String.fromCodePoint(body.codePointAt(i)!);
    i += c.length;
    return c;
  };
  while (i < body.length) {
    const named = /^\[([:.=])(.*?)\1\]/s.exec(body.slice(i));
    if (named !== null) {
      out += named[1] === ':' ? (CLASSES[named[2]!] ?? '') : escapeInClass(named[2]!);
      i += named[0].length;
      continue;
    }
    const from = one();
    if (body[i] === '-' && i + 1 < body.length) {
      i++;
      const to = one();
      if (from.codePointAt(0)! <= to.codePointAt(0)!) out += `${escapeInClass(from)}-${escapeInClass(to)}`;
    } else {
      out += escapeInClass(from);
    }
  }
  if (out === '') return negated ? '[^]' : '[]';
  return `[${negated ? '^' : ''}${out}]`;
}

function escapeInClass(c: string): string {
  return c.replace(/[\\\]^[-]/g, '\\$&');
}

function groupEnd(pattern: string, open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i++;
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0) return i;
  }
  return undefined;
}

function splitAlternatives(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === '|' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
