// How GNU tools quote names in messages and listings (gnulib's quotearg).

/** ‘name’, as quote() does in a UTF-8 locale. */
export function quote(text: string): string {
  return `‘${escapeControls(text)}’`;
}

/** 'name', as quoteaf() does: always in single quotes that a shell would take. */
export function quoteAlways(text: string): string {
  return shellQuote(text, true);
}

/** name, or 'name' where a shell would need it (quotef, and ls on a terminal). */
export function quoteWhenNeeded(text: string): string {
  return shellQuote(text, text === '' || /^[#~]|[\s!"$&'()*;<=>?[\\\]^`|\u0000-\u001f\u007f]/.test(text));
}

function shellQuote(text: string, needed: boolean): string {
  if (!needed) return text;
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    const parts = text
      .split(/([\u0000-\u001f\u007f]+)/)
      .map((part, index) =>
        index % 2 === 0 ? `'${part.replaceAll("'", "'\\''")}'` : `$'${escapeControls(part)}'`,
      );
    return parts.join('');
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
  return text.replaceAll(
    /[\u0000-\u001f\u007f]/g,
    (c) => NAMED[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
