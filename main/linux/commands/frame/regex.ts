// POSIX basic and extended regular expressions (regex(7), with GNU's extensions) turned into JavaScript's.

/** A pattern that doesn't parse; the message is regerror(3)'s. */
export class RegexError extends Error {}

export interface RegexOptions {
  readonly syntax: 'basic' | 'extended';
  readonly ignoreCase?: boolean;
  /** `^` and `$` match at lines within the text. */
  readonly multiline?: boolean;
  /** Find all (lastIndex is used). */
  readonly global?: boolean;
}

/** Compiles a pattern. Of several alternatives the longest is taken. Throws RegexError. */
export function compileRegex(pattern: string, options: RegexOptions): RegExp {
  const source = new Translator(pattern, options.syntax === 'extended').translate();
  const flags = `u${options.ignoreCase === true ? 'i' : ''}${options.multiline === true ? 'm' : ''}${options.global === false ? '' : 'g'}`;
  return longestRegex(source, flags);
}

/** A regular expression of translated source that takes the longest of several alternatives, where that can differ. */
export function longestRegex(source: string, flags: string): RegExp {
  return needsLongest(source) ? new LongestRegExp(source, flags) : new RegExp(source, flags);
}

/** True for alternatives that may begin alike, in a pattern whose match doesn't depend on what follows it. */
function needsLongest(source: string): boolean {
  const bare = source.replaceAll(/\\.|\[(?:\\.|[^\]])*\]/g, (part) =>
    part === '\\b' || part === '\\B' ? '$' : part.startsWith('\\') ? 'e' : 's',
  );
  if (!bare.includes('|')) return false;
  if (/\$|\(\?<?[=!]/.test(bare)) return false;
  const starts = bare.split(/[|(]/).map((piece) => piece.replace(/^(?:\?:|\^)+/, '')[0] ?? '');
  const alternatives = bare.includes('(') ? starts : bare.split('|').map((piece) => piece[0] ?? '');
  const plain = alternatives.every((c) => /[A-Za-z0-9]/.test(c) && c !== 'e' && c !== 's');
  return !plain || new Set(alternatives).size !== alternatives.length;
}

/** POSIX's rule, leftmost and longest, on top of an engine that takes the first alternative. */
class LongestRegExp extends RegExp {
  private whole: RegExp | undefined;

  override exec(text: string): RegExpExecArray | null {
    const found = super.exec(text);
    if (found === null) return null;
    this.whole ??= new RegExp(`(?:${this.source})(?![^])`, `${this.flags.replaceAll(/[gy]/g, '')}y`);
    const end = found.index + found[0].length;
    for (let to = text.length; to > end; to--) {
      this.whole.lastIndex = found.index;
      const longer = this.whole.exec(text.slice(0, to));
      if (longer === null) continue;
      longer.input = text;
      if (this.global || this.sticky) this.lastIndex = to;
      return longer;
    }
    return found;
  }
}

/** A literal text as a pattern. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: '\\p{L}',
  digit: '0-9',
  alnum: '\\p{L}\\p{Nd}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`\\{-~',
  print: ' -~\\u00a0-\\u{10ffff}',
  graph: '!-~\\u00a1-\\u{10ffff}',
  cntrl: '\\0-\\x1f\\x7f',
  xdigit: '0-9A-Fa-f',
};

class Translator {
  private readonly text: string;
  private readonly extended: boolean;
  private at = 0;
  private groups = 0;
  private readonly openedAt: number[] = [];
  private out = '';
  /** Where in `out` the atom starts that a repetition would apply to; undefined: there is none. */
  private atom: number | undefined;
  private repeated = false;

  constructor(text: string, extended: boolean) {
    this.text = text;
    this.extended = extended;
  }

  translate(): string {
    while (this.at < this.text.length) this.step();
    if (this.openedAt.length > 0) throw new RegexError('Unmatched ( or \\(');
    return this.out;
  }

  private step(): void {
    const c = String.fromCodePoint(this.text.codePointAt(this.at)!);
    this.at += c.length;
    if (c === '\\') return this.escape();
    if (c === '[') return this.bracket();
    if (c === '.') return this.put('[^\\udc80-\\udcff]'); // Bytes that aren't UTF-8 are no characters.
    if (c === '*') return this.atom === undefined ? this.literal('*') : this.repeat('*');
    if (c === '^') return this.caret();
    if (c === '$') return this.dollar();
    if (this.extended) {
      if (c === '(') return this.open();
      if (c === ')') return this.close();
      if (c === '|') return this.alternate();
      if (c === '+' || c === '?') return this.atom === undefined ? this.literal(c) : this.repeat(c);
      if (c === '{') return this.interval(false);
    }
    this.literal(c);
  }

  private put(source: string): void {
    this.atom = this.out.length;
    this.repeated = false;
    this.out += source;
  }

  private putAssertion(source: string): void {
    this.atom = undefined;
    this.out += source;
  }

  private literal(c: string): void {
    this.put(/[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c);
  }

  /** A repetition of a repetition (`a**`) wraps what it repeats. */
  private repeat(operator: string): void {
    const start = this.atom ?? 0;
    if (this.repeated) this.out = `${this.out.slice(0, start)}(?:${this.out.slice(start)})`;
    this.out += operator;
    this.repeated = true;
  }

  private caret(): void {
    const start = this.extended || this.at === 1 || /(?:\\\(|\\\||\n)$/.test(this.text.slice(0, this.at - 1));
    if (start) this.putAssertion('^');
    else this.literal('^');
  }

  private dollar(): void {
    const rest = this.text.slice(this.at);
    const end = this.extended || rest === '' || /^(?:\\\)|\\\||\n)/.test(rest);
    if (end) this.putAssertion('$');
    else this.literal('$');
  }

  private open(): void {
    this.groups++;
    this.openedAt.push(this.out.length);
    this.putAssertion('(');
  }

  private close(): void {
    const start = this.openedAt.pop();
    if (start === undefined) throw new RegexError('Unmatched ) or \\)');
    this.out += ')';
    this.atom = start;
    this.repeated = false;
  }

  private alternate(): void {
    this.putAssertion('|');
  }

  private escape(): void {
    if (this.at >= this.text.length) throw new RegexError('Trailing backslash');
    const c = String.fromCodePoint(this.text.codePointAt(this.at)!);
    this.at += c.length;
    if (!this.extended) {
      if (c === '(') return this.open();
      if (c === ')') return this.close();
      if (c === '|') return this.alternate();
      if ((c === '+' || c === '?') && this.atom !== undefined) return this.repeat(c);
      if (c === '{') return this.interval(true);
    }
    if (/[1-9]/.test(c)) {
      if (Number(c) > this.groups) throw new RegexError('Invalid back reference');
      return this.put(`(?:\\${c})`);
    }
    const known = ESCAPES[c];
    if (known === undefined) this.literal(c);
    else if (known.atom) this.put(known.source);
    else this.putAssertion(known.source);
  }

  private interval(basic: boolean): void {
    const rest = this.text.slice(this.at);
    const match = (basic ? /^(\d*)(,?)(\d*)\\\}/ : /^(\d*)(,?)(\d*)\}/).exec(rest);
    if (match === null || (match[1] === '' && match[2] === '')) {
      if (basic) throw new RegexError(rest.includes('\\}') ? 'Invalid content of \\{\\}' : 'Unmatched \\{');
      return this.literal('{');
    }
    if (this.atom === undefined) {
      if (basic) throw new RegexError('Invalid preceding regular expression');
      return this.literal('{');
    }
    this.at += match[0].length;
    const [, low = '', comma = '', high = ''] = match;
    if (high !== '' && Number(low) > Number(high)) throw new RegexError('Invalid content of \\{\\}');
    this.repeat(`{${low === '' ? '0' : low}${comma}${high}}`);
  }

  private bracket(): void {
    let i = this.at;
    const text = this.text;
    const negated = text[i] === '^';
    if (negated) i++;
    if (i >= text.length) throw new RegexError('Invalid regular expression');
    let set = '';
    let first = true;
    for (;;) {
      if (i >= text.length) throw new RegexError('Unmatched [, [^, [:, [., or [=');
      if (text[i] === ']' && !first) break;
      first = false;
      const named = /^\[([:.=])(.*?)\1\]/s.exec(text.slice(i));
      if (named !== null) {
        i += named[0].length;
        if (named[1] === ':') {
          const known = CLASSES[named[2]!];
          if (known === undefined) throw new RegexError('Invalid character class name');
          set += known;
          continue;
        }
        set += escapeInSet(named[2]!);
        continue;
      }
      const from = String.fromCodePoint(text.codePointAt(i)!);
      i += from.length;
      if (text[i] === '-' && i + 1 < text.length && text[i + 1] !== ']') {
        let to = String.fromCodePoint(text.codePointAt(i + 1)!);
        let length = to.length;
        const symbol = /^\[\.(.)\.\]/.exec(text.slice(i + 1));
        if (symbol !== null) {
          to = symbol[1]!;
          length = symbol[0].length;
        }
        if (from.codePointAt(0)! > to.codePointAt(0)!) throw new RegexError('Invalid range end');
        set += `${escapeInSet(from)}-${escapeInSet(to)}`;
        i += 1 + length;
        continue;
      }
      set += escapeInSet(from);
    }
    this.at = i + 1;
    this.put(negated ? `[^${set}\\udc80-\\udcff]` : `[${set}]`);
  }
}

function escapeInSet(c: string): string {
  return /[\\\]^[-]/.test(c) ? `\\${c}` : c;
}

const ESCAPES: Readonly<Record<string, { readonly source: string; readonly atom: boolean }>> = {
  w: { source: '[\\p{L}\\p{Nd}_]', atom: true },
  W: { source: '[^\\p{L}\\p{Nd}_]', atom: true },
  s: { source: '\\s', atom: true },
  S: { source: '\\S', atom: true },
  b: { source: '\\b', atom: false },
  B: { source: '\\B', atom: false },
  '<': { source: '\\b(?=[\\p{L}\\p{Nd}_])', atom: false },
  '>': { source: '\\b(?<=[\\p{L}\\p{Nd}_])', atom: false },
  '`': { source: '(?<![^])', atom: false },
  "'": { source: '(?![^])', atom: false },
  n: { source: '\\n', atom: true },
  t: { source: '\\t', atom: true },
};
