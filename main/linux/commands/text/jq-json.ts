// JSON as jq reads and prints it: texts one after the other as they come, its messages, its numbers.

/** What isn't JSON; the message says where, in jq's words. */
export class JsonTextError extends Error {}

const DEPTH_MAX = 10_000;

/** Takes input piece by piece and gives back the values that are whole. */
export class JsonParser {
  private line = 1;
  private column = 0;
  private token = '';
  private inString = false;
  private escaped = false;
  private stack: (unknown[] | { readonly entries: Map<string, unknown>; key: string | undefined })[] = [];
  /** A value that has no place yet. */
  private next: { readonly value: unknown } | undefined;
  private ready: unknown[] = [];

  /** Throws JsonTextError; values before the fault can still be taken. */
  push(text: string): void {
    for (const c of text) {
      if (c === '\n') {
        this.line++;
        this.column = 0;
      } else this.column += c < '\u0080' ? 1 : Buffer.byteLength(c);
      const wrong = this.character(c);
      if (wrong !== undefined)
        throw new JsonTextError(`${wrong} at line ${this.line}, column ${this.column}`);
    }
  }

  /** The values that are whole so far. */
  take(): unknown[] {
    const { ready } = this;
    this.ready = [];
    return ready;
  }

  /** Throws JsonTextError for what is unfinished. */
  end(): void {
    const at = `at EOF at line ${this.line}, column ${this.column}`;
    if (this.inString) throw new JsonTextError(`Unfinished string ${at}`);
    const wrong = this.literal();
    if (wrong !== undefined) throw new JsonTextError(`${wrong} ${at}`);
    if (this.stack.length > 0) throw new JsonTextError(`Unfinished JSON term ${at}`);
    this.finish();
  }

  private character(c: string): string | undefined {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (c === '\\') this.escaped = true;
      else if (c === '"') {
        this.inString = false;
        return this.string();
      }
      this.token += c;
      return undefined;
    }
    const structure = '[]{}:,'.includes(c);
    if (!structure && c !== '"' && c !== ' ' && c !== '\t' && c !== '\r' && c !== '\n' && c !== '\u001e') {
      this.token += c;
      return undefined;
    }
    const wrong = this.literal() ?? (structure ? this.structure(c) : undefined);
    if (wrong !== undefined) return wrong;
    if (c === '"') this.inString = true;
    else this.finish();
    return undefined;
  }

  /** A value that stands by itself is done. */
  private finish(): void {
    if (this.stack.length > 0 || this.next === undefined) return;
    this.ready.push(this.next.value);
    this.next = undefined;
  }

  private put(value: unknown): string | undefined {
    if (this.next !== undefined) return 'Expected separator between values';
    this.next = { value };
    return undefined;
  }

  private literal(): string | undefined {
    const { token } = this;
    if (token === '') return undefined;
    this.token = '';
    const word =
      token[0] === 't'
        ? 'true'
        : token[0] === 'f'
          ? 'false'
          : token[0] === 'n' && token.length !== 3
            ? 'null'
            : undefined;
    if (word !== undefined)
      return token === word ? this.put(word === 'null' ? null : word === 'true') : 'Invalid literal';
    if (token === 'nan') return this.put(Number.NaN);
    if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(token)) return 'Invalid numeric literal';
    return this.put(Number(token));
  }

  private string(): string | undefined {
    const raw = this.token;
    this.token = '';
    if (!raw.includes('\\')) return this.put(raw);
    let wrong: string | undefined;
    const text = raw.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/gs, (_, hex?: string, c?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const known = c === undefined ? undefined : ESCAPES[c];
      if (known === undefined) wrong ??= c === 'u' ? 'Invalid \\uXXXX escape' : 'Invalid escape';
      return known ?? '';
    });
    return (
      wrong ??
      this.put(
        text.replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'),
      )
    );
  }

  private structure(c: string): string | undefined {
    const top = this.stack.at(-1);
    switch (c) {
      case '[':
      case '{':
        if (this.stack.length >= DEPTH_MAX) return 'Exceeds depth limit for parsing';
        if (this.next !== undefined) return 'Expected separator between values';
        this.stack.push(c === '[' ? [] : { entries: new Map(), key: undefined });
        return undefined;
      case ':':
        if (top === undefined || Array.isArray(top)) return "':' not as part of an object";
        if (this.next === undefined) return "Expected string key before ':'";
        if (top.key !== undefined) return "':' should follow a key";
        if (typeof this.next.value !== 'string') return 'Object keys must be strings';
        top.key = this.next.value;
        this.next = undefined;
        return undefined;
      case ',':
        if (this.next === undefined) return "Expected value before ','";
        if (top === undefined) return "',' not as part of an object or array";
        return this.settle(top);
      case ']':
        if (top === undefined || !Array.isArray(top)) return "Unmatched ']'";
        if (this.next !== undefined) this.settle(top);
        else if (top.length > 0) return 'Expected another array element';
        this.stack.pop();
        this.next = { value: top };
        return undefined;
      default:
        if (top === undefined || Array.isArray(top)) return "Unmatched '}'";
        if (this.next !== undefined) {
          const wrong = this.settle(top);
          if (wrong !== undefined) return wrong;
        } else if (top.key !== undefined) return "Unmatched '}'";
        else if (top.entries.size > 0) return 'Expected another key-value pair';
        this.stack.pop();
        this.next = { value: Object.fromEntries(top.entries) };
        return undefined;
    }
  }

  /** Puts the value that waits into its array or object. */
  private settle(
    top: unknown[] | { readonly entries: Map<string, unknown>; key: string | undefined },
  ): string | undefined {
    const { value } = this.next!;
    if (Array.isArray(top)) top.push(value);
    else {
      if (top.key === undefined) return 'Objects must consist of key:value pairs';
      top.entries.set(top.key, value);
      top.key = undefined;
    }
    this.next = undefined;
    return undefined;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** One JSON text. Throws JsonTextError. */
export function parseJson(text: string): unknown {
  const parser = new JsonParser();
  parser.push(text);
  parser.end();
  const values = parser.take();
  if (values.length > 1) throw new JsonTextError('Unexpected extra JSON values');
  return values[0];
}

/** A number in 17 digits at most, with an exponent as C prints one. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'null';
  if (!Number.isFinite(value)) return value > 0 ? '1.7976931348623157e+308' : '-1.7976931348623157e+308';
  if (Object.is(value, -0)) return '-0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace(/[-.]/g, '');
  const point = Number(exponentText) + 1;
  if (value !== 0 && (point <= -5 + 1 || point > digits.length + 15)) {
    const exponent = Number(exponentText);
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const plain = String(value);
  return plain.includes('e') ? fullDigits(value, digits, point) : plain;
}

function fullDigits(value: number, digits: string, point: number): string {
  const sign = value < 0 ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A string in quotes; everything beyond ASCII as \u with `ascii`. */
export function stringText(value: string, ascii = false): string {
  const text = JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  return ascii
    ? text.replaceAll(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text;
}

/** tojson, and `jq -c`. */
export function compactText(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(compactText).join(',')}]`;
  return `{${Object.entries(value as Record<string, unknown>)
    .map(([key, one]) => `${stringText(key)}:${compactText(one)}`)
    .join(',')}}`;
}

/** What --stream and tostream make of a value: leaves with their paths, and the ends of what isn't empty. */
export function* streamEvents(value: unknown, path: readonly (string | number)[] = []): Generator<unknown> {
  const children: [string | number, unknown][] = Array.isArray(value)
    ? value.map((one, index) => [index, one])
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  if (children.length === 0) {
    yield [[...path], value];
    return;
  }
  for (const [key, one] of children) yield* streamEvents(one, [...path, key]);
  yield [[...path, children.at(-1)![0]]];
}
