// How GNU tools quote names in messages and listings (gnulib's quotearg).
import { textToBytes } from '../../shell/index.ts';

/** Control characters and bytes that aren't UTF-8. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\udc80-\udcff]/;

/** ‘name’, as quote() does in a UTF-8 locale. */
export function quote(text: string): string {
  return `‘${escapeControls(text.replaceAll('\\', '\\\\')).replaceAll('’', '\\’')}’`;
}

/** 'name', as quoteaf() does: always in single quotes that a shell would take. */
export function quoteAlways(text: string): string {
  return shellQuote(text, true);
}

/** name, or 'name' where a shell would need it (quotef, and ls on a terminal). */
export function quoteWhenNeeded(text: string): string {
  return shellQuote(
    text,
    text === '' ||
      /^[#~]|[\s!"$&'()*;<=>?[\\^`|]/.test(text) ||
      /^[{}]$/.test(text) ||
      UNPRINTABLE.test(text),
  );
}

/** name with backslashes before what isn't plain, blanks included (ls -b). */
export function escapeName(text: string): string {
  return escapeControls(text.replaceAll('\\', '\\\\')).replaceAll(' ', '\\ ');
}

/** "name" as in C (ls -Q). */
export function quoteLikeC(text: string): string {
  return `"${escapeControls(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`;
}

/** name with a question mark for what can't be shown (ls -q). */
export function hideControls(text: string): string {
  return text.replaceAll(new RegExp(UNPRINTABLE.source, 'g'), '?');
}

function shellQuote(text: string, needed: boolean): string {
  if (!needed) return text;
  if (UNPRINTABLE.test(text)) {
    // A leading piece stands in quotes even when it is empty; later pieces only where there is something.
    const pieces = text.split(/([\u0000-\u001f\u007f-\u009f\udc80-\udcff]+)/);
    return pieces
      .map((piece, index) => {
        if (index % 2 === 1) return `$'${escapeControls(piece)}'`;
        return piece === '' && index > 0 ? '' : `'${piece.replaceAll("'", "'\\''")}'`;
      })
      .join('');
  }
  if (!text.includes("'")) return `'${text}'`;
  if (!/["$`\\]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const NAMED: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  '\u0007': '\\a',
};

function escapeControls(text: string): string {
  if (!UNPRINTABLE.test(text)) return text;
  return text.replaceAll(
    new RegExp(UNPRINTABLE.source, 'g'),
    (c) => NAMED[c] ?? [...textToBytes(c)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}
