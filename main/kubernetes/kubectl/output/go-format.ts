// Go's fmt of values decoded from JSON: %v, and the verbs that templates use.

/** %v: maps sorted by key, `<nil>` and `<no value>` apart. */
export function goValue(value: unknown): string {
  if (value === null) return '<nil>';
  if (value === undefined) return '<no value>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${pairs.map(([key, member]) => `${key}:${goValue(member)}`).join(' ')}]`;
  }
  return JSON.stringify(value);
}

/** %#v: as Go source would write it. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    const members = pairs.map(([key, member]) => `${JSON.stringify(key)}:${goSyntax(member)}`);
    return `map[string]interface {}{${members.join(', ')}}`;
  }
  return typeof value === 'number' ? goNumber(value) : JSON.stringify(value);
}

/** Whole numbers are int64 there; the others are written by strconv's 'g' with the fewest digits. */
function goNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Sprintf, as far as templates go. */
export function goSprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([%vsdqtfTx])/g,
    (_, left: string, zero: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      const text = formatVerb(verb, value, precision);
      if (width === '') return text;
      return left === '-'
        ? text.padEnd(Number(width))
        : text.padStart(Number(width), zero === '0' ? '0' : ' ');
    },
  );
}

function formatVerb(verb: string, value: unknown, precision: string | undefined): string {
  if (verb === 'q') return JSON.stringify(goValue(value));
  if (verb === 'd')
    return typeof value === 'number' ? goValue(value) : `%!d(${typeof value}=${goValue(value)})`;
  if (verb === 'f' && typeof value === 'number')
    return value.toFixed(precision === undefined ? 6 : Number(precision));
  if (verb === 's' && typeof value === 'number') return `%!s(int64=${goValue(value)})`;
  return goValue(value);
}
