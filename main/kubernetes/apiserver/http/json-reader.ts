// Reads JSON as encoding/json does: its error texts, and the paths of fields that came twice.

/** Text that isn't JSON; the message is encoding/json's. */
export class JsonError extends Error {}

export interface ReadJson {
  readonly value: unknown;
  /** Paths of fields that occur more than once in their object, such as `data.a` or `[0].op`. */
  readonly duplicates: readonly string[];
}

/** Nesting at which the reader gives up. Differs: encoding/json goes down to 10,000, for which our stack is too small. */
const DEPTH_MAX = 1000;

/** Parses one JSON value. Throws JsonError. */
export function readJson(text: string): ReadJson {
  const reader = new Reader(text);
  const value = reader.document();
  return { value, duplicates: reader.duplicates };
}

class Reader {
  readonly duplicates: string[] = [];
  private readonly text: string;
  private at = 0;
  private readonly path: (string | number)[] = [];

  constructor(text: string) {
    this.text = text;
  }

  document(): unknown {
    this.space();
    const value = this.value('looking for beginning of value');
    this.space();
    if (this.at < this.text.length) throw this.unexpected('after top-level value');
    return value;
  }

  private unexpected(where: string): JsonError {
    const character = this.text[this.at];
    if (character === undefined) return new JsonError('unexpected end of JSON input');
    return new JsonError(`invalid character ${quoted(character)} ${where}`);
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private value(where: string): unknown {
    switch (this.text[this.at]) {
      case '{':
        return this.object();
      case '[':
        return this.list();
      case '"':
        return this.string();
      case 't':
        return this.literal('true', true);
      case 'f':
        return this.literal('false', false);
      case 'n':
        return this.literal('null', null);
      default:
        return this.number(where);
    }
  }

  private literal<T>(word: string, value: T): T {
    for (let index = 0; index < word.length; index++, this.at++) {
      if (this.text[this.at] !== word[index])
        throw this.unexpected(`in literal ${word} (expecting ${quoted(word[index]!)})`);
    }
    return value;
  }

  private number(where: string): number {
    const match = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text);
    if (found === null || found[0] === '') throw this.unexpected(where);
    this.at += found[0].length;
    return Number(found[0]);
  }

  private string(): string {
    const start = this.at++;
    let plain = true;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (Number.isNaN(code)) throw this.unexpected('');
      if (code === 0x22) break;
      if (code < 0x20) throw this.unexpected('in string literal');
      if (code === 0x5c) {
        plain = false;
        this.at++;
        const escape = this.text[this.at];
        if (escape === undefined || !'"\\/bfnrtu'.includes(escape))
          throw this.unexpected('in string escape code');
        if (escape === 'u') {
          for (let index = 0; index < 4; index++) {
            this.at++;
            if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? ''))
              throw this.unexpected('in \\u hexadecimal character escape');
          }
        }
      }
      this.at++;
    }
    this.at++;
    return plain
      ? this.text.slice(start + 1, this.at - 1)
      : (JSON.parse(this.text.slice(start, this.at)) as string);
  }

  private object(): Record<string, unknown> {
    this.enter();
    this.at++;
    const result: Record<string, unknown> = {};
    this.space();
    if (this.text[this.at] === '}') return this.leave(result);
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') throw this.unexpected('looking for beginning of object key string');
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ':') throw this.unexpected('after object key');
      this.at++;
      this.space();
      this.path.push(key);
      if (Object.hasOwn(result, key)) this.duplicates.push(pathText(this.path));
      const value = this.value('looking for beginning of value');
      Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
      this.path.pop();
      this.space();
      if (this.text[this.at] === '}') return this.leave(result);
      if (this.text[this.at] !== ',') throw this.unexpected('after object key:value pair');
      this.at++;
    }
  }

  private list(): unknown[] {
    this.enter();
    this.at++;
    const result: unknown[] = [];
    this.space();
    if (this.text[this.at] === ']') return this.leave(result);
    for (;;) {
      this.space();
      this.path.push(result.length);
      result.push(this.value('looking for beginning of value'));
      this.path.pop();
      this.space();
      if (this.text[this.at] === ']') return this.leave(result);
      if (this.text[this.at] !== ',') throw this.unexpected('after array element');
      this.at++;
    }
  }

  private depth = 0;

  private enter(): void {
    this.depth++;
    if (this.depth > DEPTH_MAX) throw new JsonError('exceeded max depth');
  }

  private leave<T>(value: T): T {
    this.depth--;
    this.at++;
    return value;
  }
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
  return text;
}

/** A character as encoding/json's messages quote it. */
function quoted(character: string): string {
  if (character === "'") return String.raw`'\''`;
  if (character === '"') return `'"'`;
  const json = JSON.stringify(character);
  return `'${json.slice(1, -1)}'`;
}
