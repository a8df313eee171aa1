// YAML as sigs.k8s.io/yaml writes it: keys sorted, two spaces, sequences at their parent's indent, go-yaml's quoting.

/** Lines of text are broken past this column. */
const COLUMNS = 80;

/** A JSON value as a YAML document, ending in a newline. */
export function toYaml(value: unknown): string {
  if (isEmptyOrScalar(value)) return `${inline(value)}\n`;
  return `${block(value, 0).join('\n')}\n`;
}

function block(value: unknown, indent: number): string[] {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (isEmptyOrScalar(item)) return scalarLines(`${pad}-`, item, indent + 2);
      const [first, ...rest] = block(item, indent + 2);
      return [`${pad}- ${first!.slice(indent + 2)}`, ...rest];
    });
  }
  const object = value as Record<string, unknown>;
  return sortedKeys(object).flatMap((key) => {
    const member = object[key];
    const head = `${pad}${keyText(key)}:`;
    if (isEmptyOrScalar(member)) return scalarLines(head, member, indent + 2);
    return [head, ...block(member, Array.isArray(member) ? indent : indent + 2)];
  });
}

function scalarLines(head: string, value: unknown, indent: number): string[] {
  if (typeof value === 'string' && value.includes('\n') && isLiteralSafe(value))
    return literal(head, value, indent);
  const line = `${head} ${inline(value)}`;
  return typeof value === 'string' && line.length > COLUMNS ? folded(line, head.length + 1, indent) : [line];
}

/** Breaks at the first lone blank past the width, as libyaml's emitter does; double quotes have their own way. */
function folded(line: string, start: number, indent: number): string[] {
  if (line[start] === '"') return [line];
  const lines: string[] = [];
  const pad = ' '.repeat(indent);
  let current = line.slice(0, start);
  for (let at = start; at < line.length; at++) {
    const isLone = line[at] === ' ' && line[at - 1] !== ' ' && line[at + 1] !== ' ';
    const isInside = at > start + 1 && at < line.length - 2;
    if (isLone && isInside && current.length > COLUMNS) {
      lines.push(current);
      current = pad;
    } else current += line[at]!;
  }
  return [...lines, current];
}

/** `|` with the chomping indicator that keeps the text's end, and an indentation indicator where the text starts with a blank. */
function literal(head: string, text: string, indent: number): string[] {
  const chomp = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') || text === '\n' ? '+' : '';
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const lines = text.split('\n');
  if (text.endsWith('\n')) lines.pop();
  const pad = ' '.repeat(indent);
  return [`${head} |${hint}${chomp}`, ...lines.map((line) => (line === '' ? '' : pad + line))];
}

/** go-yaml falls back to double quotes for text it can't show in a block. */
function isLiteralSafe(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are exactly the characters that YAML can't print
  return (
    !/[\u0000-\u0009\u000b-\u001f\u007f-\u0084\u0086-\u009f\ufeff]/.test(text) &&
    !/[ \t]\n/.test(text) &&
    !/[ \t]$/.test(text)
  );
}

function isEmptyOrScalar(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return true;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function inline(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}';
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  return String(value as number | boolean);
}

/** strconv.FormatFloat 'g' as go-yaml prints floats. */
function goFloat(value: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -4 || exponent >= 21) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

function keyText(key: string): string {
  return stringText(key);
}

const AMBIGUOUS =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|y|Y|n|N|\.nan|\.NaN|\.NAN|[-+]?\.(?:inf|Inf|INF))$/;
const NUMERIC =
  /^(?:[-+]?(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?0[0-9_]+(?:\.[0-9_]*)?)$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d{1,2}(?::?\d{2})?))?)?$/;

function stringText(text: string): string {
  if (text === '') return '""';
  if (AMBIGUOUS.test(text) || NUMERIC.test(text) || TIMESTAMP.test(text)) return `"${text}"`;
  if (needsDouble(text)) return doubleQuoted(text);
  if (needsQuotes(text)) return `'${text.replaceAll("'", "''")}'`;
  return text;
}

function needsDouble(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are exactly the characters that YAML can't print
  return /[\u0000-\u001f\u007f-\u009f\ufeff\u2028\u2029]/.test(text);
}

/** Where a plain scalar would be read as something else (libyaml's analyze_scalar, block context). */
function needsQuotes(text: string): boolean {
  if (/^[ ]|[ ]$/.test(text)) return true;
  if (/^(?:---|\.\.\.)(?:\s|$)/.test(text)) return true;
  if (/^[,[\]{}#&*!|>'"%@`]/.test(text)) return true;
  if (/^[-?:](?:\s|$)/.test(text)) return true;
  return /:(?:\s|$)/.test(text) || /\s#/.test(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
  '\ufeff': '\\uFEFF',
};

function doubleQuoted(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (ESCAPES[character] !== undefined) out += ESCAPES[character];
    else if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
      out += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else out += character;
  }
  return `${out}"`;
}

/** go-yaml's key order: digits by their value, letters before other characters changes nothing for API fields. */
function sortedKeys(object: Record<string, unknown>): string[] {
  return Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort(compareKeys);
}

/** go-yaml v2's keyList.Less. */
function compareKeys(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  let digits = false;
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]!;
    const r = right[i]!;
    if (l === r) {
      digits = isDigit(l);
      continue;
    }
    const lLetter = isLetter(l);
    const rLetter = isLetter(r);
    if (lLetter && rLetter) return l < r ? -1 : 1;
    if (lLetter || rLetter) return digits ? (lLetter ? -1 : 1) : rLetter ? -1 : 1;
    const lNumber = leadingNumber(left, i, r);
    const rNumber = leadingNumber(right, i, l);
    if (lNumber.value !== rNumber.value) return lNumber.value - rNumber.value;
    if (lNumber.end !== rNumber.end) return lNumber.end - rNumber.end;
    return l < r ? -1 : 1;
  }
  return left.length - right.length;
}

function leadingNumber(text: readonly string[], from: number, other: string): { value: number; end: number } {
  let start = from;
  if (text[from] === '0' || other === '0') {
    while (start > 0 && isDigit(text[start - 1]!)) {
      start--;
      if (text[start] !== '0') break;
    }
  }
  let value = 0;
  let end = from;
  while (end < text.length && isDigit(text[end]!)) value = value * 10 + Number(text[end++]);
  return { value, end };
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}
