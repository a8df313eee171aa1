// The ways bash writes a value so that it can be read back.

const CONTROL = /[\x00-\x1f\x7f\udc80-\udcff]/;

/** `'it'\''s'`. */
export function singleQuote(text: string): string {
  return text === "'" ? "\\'" : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `$'tab\there'`. */
function ansiQuote(text: string): string {
  const named: Record<string, string> = {
    '\x07': '\\a',
    '\b': '\\b',
    '\x1b': '\\E',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
    "'": "\\'",
  };
  const body = text.replace(
    /[\x00-\x1f\x7f\\'\udc80-\udcff]/g,
    (c) => named[c] ?? `\\${(c.charCodeAt(0) & 0xff).toString(8).padStart(3, '0')}`,
  );
  return `$'${body}'`;
}

/** `${v@Q}`. */
export function quoteForReuse(text: string): string {
  return CONTROL.test(text) ? ansiQuote(text) : singleQuote(text);
}

/** `printf %q`. */
export function quoteForPrintf(text: string): string {
  if (text === '') return "''";
  if (CONTROL.test(text)) return ansiQuote(text);
  return text
    .replace(/[\s'"\\$`!&|;<>()*?[\]{}^,]/g, '\\$&')
    .replace(/^[~#]/, '\\$&')
    .replace(/([:=])~/g, '$1\\~');
}

/** Whether a text has characters that mean something to the shell (sh_contains_shell_metas). */
function hasMetas(text: string): boolean {
  return /[\s'"\\$`!&|;<>()*?[\]{}^]/.test(text) || /^[~#]/.test(text) || /[:=]~/.test(text);
}

/** A word as `set -x` shows it. */
export function quoteForTrace(text: string): string {
  if (text === '') return "''";
  if (CONTROL.test(text)) return ansiQuote(text);
  return hasMetas(text) ? singleQuote(text) : text;
}

/** The value of an assignment as `set -x` shows it. */
export function quoteForTracedValue(text: string): string {
  return text !== '' && hasMetas(text) ? singleQuote(text) : quoteForTrace(text);
}

/** A value as `declare -p` and `export -p` show it. */
export function quoteForDeclare(text: string): string {
  return CONTROL.test(text) ? ansiQuote(text) : `"${text.replace(/["\\$`]/g, '\\$&')}"`;
}

/** A value as `set` lists it. */
export function quoteForSet(text: string): string {
  if (CONTROL.test(text)) return ansiQuote(text);
  return hasMetas(text) ? singleQuote(text) : text;
}

/** A subscript of an associative array in `declare -p`. */
export function quoteKey(text: string): string {
  if (CONTROL.test(text)) return ansiQuote(text);
  return text === '' || /[\s'"\\$`!&|;<>()*?[\]{}^@]/.test(text)
    ? `"${text.replace(/["\\$`]/g, '\\$&')}"`
    : text;
}
