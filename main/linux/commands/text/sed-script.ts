// The language of sed(1): scripts parsed into commands.
import { byteToText } from '../../shell/index.ts';
import { Failure } from '../frame/command.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

export type SedAddress =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'regex'; readonly regex: RegExp | undefined }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'multiple'; readonly of: number };

/** A piece of a replacement: text, a group (0 is `&`), or a change of case. */
export type ReplacementPart =
  | { readonly text: string }
  | { readonly group: number }
  | { readonly fold: 'U' | 'L' | 'u' | 'l' | 'E' };

export interface SedCommand {
  readonly name: string;
  readonly from: SedAddress | undefined;
  readonly to: SedAddress | undefined;
  readonly inverted: boolean;
  /** Text of a, i, c; label of b, t, T; file of r, w; exit code of q. */
  readonly text: string;
  /** For `{`, and branches once resolved: the index to go to. */
  target: number;
  readonly substitute?: {
    readonly regex: RegExp | undefined;
    readonly replacement: readonly ReplacementPart[];
    readonly global: boolean;
    readonly number: number;
    readonly print: boolean;
    readonly evaluate: boolean;
    readonly file: string | undefined;
  };
  readonly map?: ReadonlyMap<string, string>;
  /** Whether a range is open, and where it ends. */
  active: boolean;
  endLine: number;
}

interface Source {
  readonly text: string;
  /** `-e expression #1` or `file x line`. */
  readonly origin: string;
}

/** Parses scripts in order. Throws Failure with sed's words. */
export function parseSed(
  sources: readonly Source[],
  mode: { readonly extended: boolean; readonly nulls: boolean; readonly sandbox: boolean },
): SedCommand[] {
  const parser = new Parser(sources, mode);
  return parser.parse();
}

class Parser {
  private readonly text: string;
  private readonly sources: readonly Source[];
  private readonly extended: boolean;
  /** Records end with NUL (-z): `^` and `$` of the M flag are at NULs, of which a record has none. */
  private readonly nulls: boolean;
  private readonly sandbox: boolean;
  private at = 0;
  private readonly commands: SedCommand[] = [];
  private readonly open: number[] = [];

  constructor(
    sources: readonly Source[],
    mode: { readonly extended: boolean; readonly nulls: boolean; readonly sandbox: boolean },
  ) {
    this.sources = sources;
    this.text = sources.map((source) => source.text).join('\n');
    this.extended = mode.extended;
    this.nulls = mode.nulls;
    this.sandbox = mode.sandbox;
  }

  private fail(message: string, at = this.at): never {
    let start = 0;
    let number = 0;
    for (const source of this.sources) {
      number++;
      if (at <= start + source.text.length) break;
      start += source.text.length + 1;
    }
    const origin = this.sources[number - 1]?.origin ?? '-e expression #1';
    if (origin.startsWith('file'))
      throw new Failure(`${origin} line ${this.text.slice(start, at).split('\n').length}: ${message}`);
    throw new Failure(`${origin}, char ${at - start}: ${message}`);
  }

  parse(): SedCommand[] {
    for (;;) {
      this.skip(/[\s;]*/y);
      if (this.at >= this.text.length) break;
      this.command();
    }
    if (this.open.length > 0) throw new Failure("-e expression #1, char 0: unmatched `{'");
    this.resolve();
    return this.commands;
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return '';
    this.at += match[0].length;
    return match[0];
  }

  private address(second: boolean): SedAddress | undefined {
    const c = this.text[this.at];
    if (c === undefined) return undefined;
    if (/\d/.test(c)) {
      const line = Number(this.skip(/\d+/y));
      if (this.text[this.at] === '~' && !second) {
        this.at++;
        return { kind: 'step', first: line, step: Number(this.skip(/\d*/y) || 0) };
      }
      return { kind: 'line', line };
    }
    if (c === '$') {
      this.at++;
      return { kind: 'last' };
    }
    if (!second && (c === '+' || c === '~')) {
      this.at++;
      this.skip(/\d*/y);
      this.fail('invalid usage of +N or ~N as first address');
    }
    if (second && (c === '+' || c === '~')) {
      this.at++;
      const count = Number(this.skip(/\d+/y));
      return c === '+' ? { kind: 'count', count } : { kind: 'multiple', of: count };
    }
    if (c === '/' || c === '\\') {
      const delimiter = c === '/' ? '/' : this.text[this.at + 1]!;
      this.at += c === '/' ? 1 : 2;
      const pattern = this.delimited(delimiter, true);
      if (pattern === undefined) this.fail('unterminated address regex', this.text.length);
      const flags = this.skip(/[IM]*/y);
      return { kind: 'regex', regex: this.regex(pattern, flags) };
    }
    return undefined;
  }

  /** Up to an unescaped delimiter, which is passed; undefined if there is none. */
  private delimited(delimiter: string, regex: boolean): string | undefined {
    let out = '';
    let bracket = false;
    while (this.at < this.text.length) {
      const c = this.text[this.at++]!;
      if (c === '\\' && this.at < this.text.length) {
        const next = this.text[this.at++]!;
        if (next === delimiter && !bracket) out += regex && isSpecial(next) ? `\\${next}` : next;
        else if (next === '\n' && regex) out += '\n';
        else if (bracket && next === 'n') out += '\n';
        else if (bracket && next === 't') out += '\t';
        else if (bracket && next === ']') {
          out += '\\]';
          bracket = false;
        } else out += `\\${next}`;
        continue;
      }
      if (regex && bracket) {
        if (c === '[' && /[:.=]/.test(this.text[this.at] ?? '')) {
          const kind = this.text[this.at]!;
          const end = this.text.indexOf(`${kind}]`, this.at + 1);
          if (end >= 0) {
            out += this.text.slice(this.at - 1, end + 2);
            this.at = end + 2;
            continue;
          }
        }
        if (c === ']' && !/\[\^?$/.test(out)) bracket = false;
      } else if (regex && c === '[') bracket = true;
      else if (c === delimiter) return out;
      if (c === delimiter && !bracket) return out;
      if (c === '\n' && regex && !bracket) return undefined;
      out += c;
    }
    return undefined;
  }

  private regex(pattern: string, flags: string): RegExp | undefined {
    if (pattern === '') return undefined;
    try {
      return compileRegex(
        convertEscapes(pattern, (c) => (isSpecial(c) ? `\\${c}` : c)),
        {
          syntax: this.extended ? 'extended' : 'basic',
          ignoreCase: /[Ii]/.test(flags),
          multiline: !this.nulls && /[Mm]/.test(flags),
        },
      );
    } catch (error) {
      if (error instanceof RegexError) this.fail(error.message);
      throw error;
    }
  }

  private command(): void {
    const from = this.address(false);
    let to: SedAddress | undefined;
    this.skip(/[ \t]*/y);
    if (from !== undefined && this.text[this.at] === ',') {
      this.at++;
      this.skip(/[ \t]*/y);
      to = this.address(true);
      if (to === undefined) this.fail("unexpected `,'", Math.min(this.at + 1, this.text.length));
    }
    this.skip(/[ \t]*/y);
    const inverted = this.text[this.at] === '!';
    if (inverted) {
      this.at++;
      this.skip(/[ \t]*/y);
      if (this.text[this.at] === '!') {
        this.at++;
        this.fail("multiple `!'s");
      }
    }
    const name = this.text[this.at++];
    if (name === undefined) this.fail('missing command', this.text.length);
    if (
      from?.kind === 'line' &&
      from.line === 0 &&
      to?.kind !== 'regex' &&
      !(name === 'r' && to === undefined)
    )
      this.fail('invalid usage of line address 0');
    if (this.sandbox && 'erwRW'.includes(name)) this.fail('e/r/w commands disabled in sandbox mode');
    const base = { name, from, to, inverted, text: '', target: -1, active: false, endLine: 0 };
    switch (name) {
      case '#':
        if (from !== undefined) this.fail("comments don't accept any addresses");
        this.skip(/[^\n]*/y);
        return;
      case '{':
        this.open.push(this.commands.length);
        this.commands.push(base);
        return;
      case '}': {
        if (from !== undefined) this.fail("} doesn't want any addresses");
        const start = this.open.pop();
        if (start === undefined) this.fail("unexpected `}'");
        this.commands[start]!.target = this.commands.length;
        this.end();
        return;
      }
      case 's':
        this.commands.push({ ...base, ...this.substitution() });
        this.end();
        return;
      case 'y':
        this.commands.push({ ...base, map: this.transliteration() });
        this.end();
        return;
      case 'a':
      case 'i':
      case 'c':
        this.commands.push({ ...base, text: this.appended() });
        return;
      case ':':
        if (from !== undefined) this.fail(": doesn't want any addresses");
        this.commands.push({ ...base, text: this.skip(/[ \t]*[^\s;]*/y).trim() });
        if (this.commands.at(-1)!.text === '') this.fail('":" lacks a label');
        return;
      case 'v':
        this.skip(/[ \t]*[\w.]*/y);
        this.end();
        return;
      case 'b':
      case 't':
      case 'T':
        this.commands.push({ ...base, text: this.skip(/[ \t]*[^\s;}]*/y).trim() });
        this.end();
        return;
      case 'r':
      case 'R':
      case 'w':
      case 'W': {
        const text = this.skip(/[ \t]*[^\n]*/y).trim();
        if (text === '') this.fail('missing filename in r/R/w/W commands');
        this.commands.push({ ...base, text });
        return;
      }
      case 'q':
      case 'Q':
      case 'l':
        this.commands.push({ ...base, text: this.skip(/[ \t]*\d*/y).trim() });
        this.end();
        return;
      case 'e':
        this.commands.push({ ...base, text: this.skip(/[ \t]*[^\n]*/y).trim() });
        return;
      case '=':
      case 'd':
      case 'D':
      case 'g':
      case 'G':
      case 'h':
      case 'H':
      case 'n':
      case 'N':
      case 'p':
      case 'P':
      case 'x':
      case 'z':
      case 'F':
        this.commands.push(base);
        this.end();
        return;
      default:
        this.fail(`unknown command: \`${name}'`);
    }
  }

  private end(): void {
    this.skip(/[ \t]*/y);
    const c = this.text[this.at];
    if (c === undefined || c === '\n' || c === ';' || c === '}' || c === '#') return;
    this.at++;
    this.fail('extra characters after command');
  }

  /** The text of a, i, c with its newline; nothing at all after a bare `a\`. */
  private appended(): string {
    this.skip(/[ \t]*/y);
    if (this.text[this.at] === '\\') {
      this.at++;
      if (this.at >= this.text.length) return '';
      const blanks = this.skip(/[ \t]*/y);
      if (this.text[this.at] === '\n') this.at++;
      else this.at -= blanks.length;
      if (this.at >= this.text.length) return '';
    }
    if (this.at >= this.text.length) this.fail("expected \\ after `a', `c' or `i'");
    let text = '';
    while (this.at < this.text.length) {
      const c = this.text[this.at++]!;
      if (c === '\n') break;
      if (c === '\\' && this.at < this.text.length) {
        const next = this.text[this.at++]!;
        text += next === 't' ? '\t' : next;
      } else text += c;
    }
    return `${text}\n`;
  }

  private substitution(): Pick<SedCommand, 'substitute'> {
    const delimiter = this.text[this.at++];
    const unterminated = (): never => this.fail("unterminated `s' command", this.text.length);
    if (delimiter === undefined || delimiter === '\n' || delimiter === '\\') return unterminated();
    const pattern = this.delimited(delimiter, true);
    if (pattern === undefined) return unterminated();
    const replacement = this.delimited(delimiter, false);
    if (replacement === undefined) return unterminated();
    let [global, print, evaluate, number] = [false, false, false, 0];
    let flags = '';
    let file: string | undefined;
    for (;;) {
      const c = this.text[this.at];
      if (c === 'g') {
        if (global) this.fail("multiple `g' options to `s' command", this.at + 1);
        global = true;
      } else if (c === 'p') {
        if (print) this.fail("multiple `p' options to `s' command", this.at + 1);
        print = true;
      } else if (c === 'e') evaluate = true;
      else if (c === 'i' || c === 'I' || c === 'm' || c === 'M') flags += c;
      else if (c !== undefined && /\d/.test(c)) {
        number = Number(this.skip(/\d+/y));
        if (number === 0) this.fail("number option to `s' command may not be zero");
        continue;
      } else if (c === 'w') {
        this.at++;
        file = this.skip(/[ \t]*[^\n]*/y).trim();
        if (file === '') this.fail('missing filename in r/R/w/W commands');
        break;
      } else if (c === undefined || /[\s;}#]/.test(c)) break;
      else {
        this.at++;
        this.fail("unknown option to `s'");
      }
      this.at++;
    }
    const regex = this.regex(pattern, flags);
    const parts = replacementParts(
      convertEscapes(replacement, (c) => (c === '&' || c === '\\' ? `\\${c}` : c)),
    );
    const groups = regex === undefined ? 9 : new RegExp(`${regex.source}|`, 'u').exec('')!.length - 1;
    for (const part of parts)
      if ('group' in part && part.group > groups)
        this.fail(`invalid reference \\${part.group} on \`s' command's RHS`);
    return {
      substitute: {
        regex,
        replacement: parts,
        global,
        number: number === 0 ? 1 : number,
        print,
        evaluate,
        file,
      },
    };
  }

  private transliteration(): ReadonlyMap<string, string> {
    const delimiter = this.text[this.at++];
    const from = delimiter === undefined ? undefined : this.delimited(delimiter, false);
    const to = from === undefined ? undefined : this.delimited(delimiter!, false);
    if (from === undefined || to === undefined) this.fail("unterminated `y' command", this.text.length);
    const unescape = (text: string): string[] => [
      ...text.replaceAll(/\\([nt\\])/g, (_, c: string) => ({ n: '\n', t: '\t', '\\': '\\' })[c]!),
    ];
    const [a, b] = [unescape(from), unescape(to)];
    if (a.length !== b.length) this.fail("strings for `y' command are different lengths");
    return new Map(a.map((c, index) => [c, b[index]!]));
  }

  private resolve(): void {
    const labels = new Map<string, number>();
    this.commands.forEach((one, index) => {
      if (one.name === ':') labels.set(one.text, index);
    });
    for (const one of this.commands) {
      if (!'btT'.includes(one.name)) continue;
      if (one.text === '') one.target = this.commands.length;
      else {
        const target = labels.get(one.text);
        if (target === undefined) throw new Failure(`can't find label for jump to \`${one.text}'`, 4);
        one.target = target;
      }
    }
  }
}

/** Characters that mean something in a regular expression. */
function isSpecial(c: string): boolean {
  return /[\\^$.*[\]]/.test(c);
}

/** `\xHH`, `\oNNN`, `\dNNN` and `\cX` as the characters they stand for; `protect` makes one literal. */
function convertEscapes(text: string, protect: (c: string) => string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-fA-F]{1,2})|o([0-7]{1,3})|d(\d{1,3})|c([^\\])|([afv])|([^xodcafv]))/gs,
    (whole, hex?: string, octal?: string, decimal?: string, control?: string, named?: string) => {
      if (named !== undefined) return { a: '\u0007', f: '\f', v: '\v' }[named]!;
      const code =
        hex !== undefined
          ? Number.parseInt(hex, 16)
          : octal !== undefined
            ? Number.parseInt(octal, 8)
            : decimal !== undefined
              ? Number(decimal)
              : control !== undefined
                ? control.toUpperCase().charCodeAt(0) ^ 0x40
                : undefined;
      return code === undefined ? whole : protect(byteToText(code & 0xff));
    },
  );
}

function replacementParts(text: string): ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') parts.push({ text: plain });
    plain = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '&') {
      flush();
      parts.push({ group: 0 });
    } else if (c === '\\' && i + 1 < text.length) {
      const next = text[++i]!;
      if (/\d/.test(next)) {
        flush();
        parts.push({ group: Number(next) });
      } else if (next === 'U' || next === 'L' || next === 'u' || next === 'l' || next === 'E') {
        flush();
        parts.push({ fold: next });
      } else plain += next === 'n' ? '\n' : next === 't' ? '\t' : next === 'r' ? '\r' : next;
    } else plain += c;
  }
  flush();
  return parts;
}
