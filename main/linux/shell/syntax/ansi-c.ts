// Backslash escapes of $'…', echo -e and printf.
import { byteToText, normalizeText } from '../bytes.ts';

const SIMPLE: Record<string, string> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

type EscapeFlavour =
  /** $'…': \nnn, \cX, \' \" \?. */
  | 'ansi-c'
  /** echo -e and printf %b: \0nnn, and \c ends the output. */
  | 'echo'
  /** dash's echo: \0nnn, \c, and none of bash's own. */
  | 'dash'
  /** printf's format: \nnn, no \c. */
  | 'printf';

/**
 * Decodes one escape at `text[at]`, which is the backslash; `length` counts it. `stop` says that \c was met.
 * An unknown escape stands for itself, backslash included.
 */
export function decodeEscape(
  text: string,
  at: number,
  flavour: EscapeFlavour,
): { value: string; length: number; stop?: boolean } {
  const c = text[at + 1];
  if (c === undefined) return { value: '\\', length: 1 };
  if ((flavour === 'echo' || flavour === 'dash') && c === 'c') return { value: '', length: 2, stop: true };
  if (flavour === 'ansi-c' && c === 'c') {
    const control = text[at + 2];
    if (control === undefined) return { value: '\\c', length: 2 };
    return {
      value: control === '?' ? '\x7f' : String.fromCharCode(control.toUpperCase().charCodeAt(0) & 0x1f),
      length: 3,
    };
  }
  if (flavour === 'dash' && /[eExuU1-7]/.test(c)) return { value: `\\${c}`, length: 2 };
  const simple = SIMPLE[c];
  if (simple !== undefined) return { value: simple, length: 2 };
  if (flavour !== 'echo' && flavour !== 'dash' && (c === '"' || c === "'" || c === '?'))
    return { value: c, length: 2 };
  if (c >= '0' && c <= '7') {
    const octal = (
      flavour === 'ansi-c' || flavour === 'printf' ? /^[0-7]{1,3}/ : /^(0[0-7]{0,3}|[0-7]{1,3})/
    ).exec(text.slice(at + 1, at + 5))![0];
    return { value: byteToText(Number.parseInt(octal, 8) & 0xff), length: 1 + octal.length };
  }
  if (c === 'x' || c === 'u' || c === 'U') {
    const width = c === 'x' ? 2 : c === 'u' ? 4 : 8;
    const hex = new RegExp(`^[0-9a-fA-F]{1,${width}}`).exec(text.slice(at + 2, at + 2 + width))?.[0];
    if (hex === undefined) return { value: `\\${c}`, length: 2 };
    const code = Number.parseInt(hex, 16);
    const value = c === 'x' ? byteToText(code) : code <= 0x10ffff ? String.fromCodePoint(code) : '';
    return { value, length: 2 + hex.length };
  }
  return { value: `\\${c}`, length: 2 };
}

/** Decodes all escapes of a text. */
export function decodeEscapes(text: string, flavour: EscapeFlavour): { value: string; stopped: boolean } {
  let value = '';
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      value += text[at++];
      continue;
    }
    const escape = decodeEscape(text, at, flavour);
    value += escape.value;
    if (escape.stop === true) return { value: normalizeText(value), stopped: true };
    at += escape.length;
  }
  return { value: normalizeText(value), stopped: false };
}
