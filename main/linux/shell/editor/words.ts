// Splits a line into words as the history library does, for !$, M-. and the shell-word functions.

const QUOTES = '"\'`';
const DELIMITERS = ' \t\n;&()|<>';
const NESTING = '<>$!@?+*';
/** What a backslash quotes between double quotes. */
const ESCAPED = '\\`"$';

/** From and to in UTF-16 offsets, in order; operators are words of their own. A comment has none. */
export function wordRanges(text: string, comments = true): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < text.length;) {
    while (at < text.length && ' \t\n'.includes(text[at]!)) at++;
    if (at >= text.length || (comments && text[at] === '#')) break; // The rest is a comment.
    const end = wordEnd(text, at);
    ranges.push([at, end]);
    at = end;
  }
  return ranges;
}

export function splitWords(text: string): string[] {
  return wordRanges(text).map(([from, to]) => text.slice(from, to));
}

function wordEnd(text: string, start: number): number {
  const c = text[start]!;
  if (c === '(' || c === ')') return start + 1;
  const digits = /^\d+/.exec(text.slice(start))?.[0].length ?? 0;
  if (digits > 0) {
    const after = text[start + digits];
    if (after === undefined) return start + digits;
    if (after !== '<' && after !== '>') return plainEnd(text, start + digits, '', 0);
    return operatorEnd(text, start + digits);
  }
  return '<>;&|'.includes(c) ? operatorEnd(text, start) : plainEnd(text, start, '', 0);
}

function operatorEnd(text: string, at: number): number {
  const c = text[at]!;
  const next = text[at + 1];
  if (next === c) return at + (c === '<' && /[-<]/.test(text[at + 2] ?? '') ? 3 : 2);
  if (next === '&' && (c === '>' || c === '<')) {
    return at + 2 + /^\d*-?/.exec(text.slice(at + 2))![0].length;
  }
  if ((next === '>' && c === '&') || (next === '|' && c === '>')) return at + 2;
  if (next === '(' && (c === '>' || c === '<')) return plainEnd(text, at + 2, ')', 1);
  return at + 1;
}

function plainEnd(text: string, from: number, closing: string, depth: number): number {
  let delimiter = closing;
  let nested = depth;
  let at = from;
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (c === '\\' && delimiter !== "'" && (delimiter !== '"' || ESCAPED.includes(text[at + 1] ?? ' '))) {
      at++;
    } else if (nested > 0 && (c === '(' || c === ')')) {
      nested += c === '(' ? 1 : -1;
      if (nested === 0) delimiter = '';
    } else if (delimiter !== '') {
      if (c === delimiter) delimiter = '';
    } else if (NESTING.includes(c) && text[at + 1] === '(') {
      at++;
      delimiter = ')';
      nested = 1;
    } else if (DELIMITERS.includes(c)) {
      break;
    } else if (QUOTES.includes(c)) {
      delimiter = c;
    }
  }
  return Math.min(at, text.length);
}
