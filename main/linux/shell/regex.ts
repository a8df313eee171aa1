// POSIX extended regular expressions, as `=~` matches them, by way of JavaScript's.

/** An expression that regcomp(3) refuses. */
export class BadRegex extends Error {}

/** The most repetitions an interval may ask for (RE_DUP_MAX). */
const REPEAT_MAX = 32767;
/** Alternatives are tried for the longest match in texts up to this length. */
const LONGEST_CHARS_MAX = 4096;

const CLASSES: Readonly<Record<string, string>> = {
  alpha: '\\p{L}',
  digit: '0-9',
  alnum: '\\p{L}\\p{N}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  print: ' -~\\u00a0-\\u{10ffff}',
  graph: '!-~\\u00a1-\\u{10ffff}',
  cntrl: '\\u0000-\\u001f\\u007f',
  xdigit: '0-9A-Fa-f',
};
/** GNU's escapes. */
const ESCAPES: Readonly<Record<string, string>> = {
  '<': '(?<!\\w)(?=\\w)',
  '>': '(?<=\\w)(?!\\w)',
  b: '\\b',
  B: '\\B',
  w: '\\w',
  W: '\\W',
  s: '\\s',
  S: '\\S',
  '`': '(?<![^])',
  "'": '(?![^])',
};

/** Matches a text: the match and its groups, or undefined. Throws BadRegex. */
export function matchExtended(
  text: string,
  source: string,
  ignoreCase: boolean,
): readonly string[] | undefined {
  const pattern = new Translation(source).run();
  const flags = ignoreCase ? 'sui' : 'su';
  const match = new RegExp(pattern, flags).exec(text);
  if (match === null) return undefined;
  const longest =
    source.includes('|') && text.length <= LONGEST_CHARS_MAX ? longestAt(text, pattern, flags, match) : match;
  return Array.from(longest, (group) => group ?? '');
}

/** POSIX wants the longest of the leftmost matches, JavaScript takes the first alternative that fits. */
function longestAt(text: string, pattern: string, flags: string, match: RegExpExecArray): RegExpExecArray {
  const end = match.index + match[0].length;
  for (let left = 0; left < text.length - end; left++) {
    const expression = new RegExp(`(?:${pattern})(?=[^]{${left}}(?![^]))`, `${flags}y`);
    expression.lastIndex = match.index;
    const longer = expression.exec(text);
    if (longer !== null) return longer;
  }
  return match;
}

/** One pass over an expression. */
class Translation {
  private readonly source: readonly string[];
  private at = 0;
  private groups = 0;
  private open = 0;
  private out = '';
  /** Where the last atom begins in `out`; undefined where a repetition has nothing to repeat. */
  private atom: number | undefined;

  constructor(source: string) {
    this.source = [...source];
  }

  run(): string {
    const starts: number[] = [];
    while (this.at < this.source.length) {
      const c = this.source[this.at]!;
      if (c === '(') {
        this.groups++;
        this.open++;
        starts.push(this.out.length);
        this.out += '(';
        this.atom = undefined;
        this.at++;
      } else if (c === ')' && this.open > 0) {
        this.open--;
        this.out += ')';
        this.atom = starts.pop();
        this.at++;
      } else if (c === '|') {
        this.out += '|';
        this.atom = undefined;
        this.at++;
      } else if (c === '*' || c === '+' || c === '?' || c === '{') this.repetition(c);
      else this.single(c);
    }
    if (this.open > 0) throw new BadRegex('Unmatched ( or \\(');
    return this.out;
  }

  private repetition(c: string): void {
    let operator = c;
    let length = 1;
    if (c === '{') {
      const rest = this.source.slice(this.at).join('');
      const interval = /^\{([0-9]*)(,?)([0-9]*)\}/.exec(rest);
      if (interval === null || (interval[1] === '' && interval[2] === ''))
        throw new BadRegex('Invalid content of \\{\\}');
      const from = Number(interval[1] || 0);
      const to = interval[2] === '' ? from : interval[3] === '' ? undefined : Number(interval[3]);
      if (from > REPEAT_MAX || (to !== undefined && (to > REPEAT_MAX || to < from)))
        throw new BadRegex('Invalid content of \\{\\}');
      operator = `{${from},${to ?? ''}}`;
      length = interval[0].length;
    }
    if (this.atom === undefined) throw new BadRegex('Invalid preceding regular expression');
    this.out = `${this.out.slice(0, this.atom)}(?:${this.out.slice(this.atom)})${operator}`;
    this.at += length;
  }

  private put(text: string): void {
    this.atom = this.out.length;
    this.out += text;
  }

  private single(c: string): void {
    this.at++;
    if (c === '.') return this.put('[^]');
    if (c === '^' || c === '$') {
      this.out += c === '^' ? '(?<![^])' : '(?![^])';
      this.atom = undefined;
      return;
    }
    if (c === '[') return this.put(this.bracket());
    if (c !== '\\') return this.put(escaped(c));
    const next = this.source[this.at++];
    if (next === undefined) throw new BadRegex('Trailing backslash');
    if (next >= '1' && next <= '9') {
      if (Number(next) > this.groups) throw new BadRegex('Invalid back reference');
      return this.put(`(?:\\${next})`);
    }
    this.put(ESCAPES[next] ?? escaped(next));
  }

  private bracket(): string {
    let negated = false;
    if (this.source[this.at] === '^') {
      negated = true;
      this.at++;
    }
    let body = '';
    let previous: string | undefined;
    for (let first = true; ; first = false) {
      const c = this.source[this.at];
      if (c === undefined) throw new BadRegex('Unmatched [, [^, [:, [., or [=');
      if (c === ']' && !first) break;
      const next = this.source[this.at + 1];
      if (c === '[' && (next === ':' || next === '.' || next === '=')) {
        const text = this.source.slice(this.at + 2).join('');
        const end = text.indexOf(`${next}]`);
        if (end < 0) throw new BadRegex('Unmatched [, [^, [:, [., or [=');
        const name = text.slice(0, end);
        this.at += [...name].length + 4;
        if (next === ':') {
          if (CLASSES[name] === undefined) throw new BadRegex('Invalid character class name');
          body += CLASSES[name];
        } else {
          if ([...name].length !== 1) throw new BadRegex('Invalid collation character');
          body += escapedInside(name);
        }
        previous = undefined;
        continue;
      }
      if (c === '-' && previous !== undefined && next !== undefined && next !== ']') {
        if (next.codePointAt(0)! < previous.codePointAt(0)!) throw new BadRegex('Invalid range end');
        body += `-${escapedInside(next)}`;
        this.at += 2;
        previous = undefined;
        continue;
      }
      body += escapedInside(c);
      previous = c;
      this.at++;
    }
    this.at++;
    return `[${negated ? '^' : ''}${body}]`;
  }
}

function escaped(c: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c;
}

/** A character as it stands between brackets. */
function escapedInside(c: string): string {
  return /[\\^\][-]/.test(c) ? `\\${c}` : c;
}
