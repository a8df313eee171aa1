// The language of jq(1): filters as syntax trees.

/** A filter that doesn't parse. */
export class JqSyntaxError extends Error {
  /** Where in the program the word stands that doesn't fit. */
  readonly at: number;
  constructor(message: string, at = 0) {
    super(message);
    this.at = at;
  }
}

export type Filter =
  | { kind: 'identity' | 'recurse' }
  | { kind: 'literal'; value: unknown }
  | { kind: 'format'; name: string; parts?: Filter }
  | { kind: 'string'; parts: (string | Filter)[]; format?: string }
  | { kind: 'field'; of: Filter; name: Filter }
  | { kind: 'slice'; of: Filter; from?: Filter; to?: Filter }
  | { kind: 'iterate'; of: Filter }
  | { kind: 'try'; body: Filter; handler?: Filter }
  | { kind: 'pipe' | 'comma'; left: Filter; right: Filter }
  | { kind: 'binary'; op: string; left: Filter; right: Filter }
  | { kind: 'assign'; op: string; left: Filter; right: Filter }
  | { kind: 'negate'; of: Filter }
  | { kind: 'array'; body?: Filter }
  | { kind: 'object'; entries: { key: Filter; value: Filter }[] }
  | { kind: 'if'; test: Filter; yes: Filter; no?: Filter }
  | {
      kind: 'reduce' | 'foreach';
      source: Filter;
      pattern: Pattern;
      init: Filter;
      update: Filter;
      extract?: Filter;
    }
  | { kind: 'label'; name: string; body: Filter }
  | { kind: 'break'; name: string; at: number }
  | { kind: 'as'; source: Filter; pattern: Pattern; alternatives?: Pattern[]; body: Filter }
  | { kind: 'variable'; name: string; at: number }
  | { kind: 'call'; name: string; args: Filter[]; at: number }
  | { kind: 'define'; name: string; parameters: string[]; body: Filter; rest: Filter };

export type Pattern =
  | { kind: 'variable'; name: string }
  | { kind: 'array'; items: Pattern[] }
  | { kind: 'object'; entries: { key: Filter; pattern: Pattern }[] };

interface Token {
  type: 'op' | 'name' | 'field' | 'variable' | 'format' | 'number' | 'string' | 'end';
  text: string;
  /** Where in the program it begins. */
  at: number;
  parts?: (string | Filter)[];
}

const KEYWORDS = new Set([
  'if',
  'then',
  'elif',
  'else',
  'end',
  'as',
  'reduce',
  'foreach',
  'try',
  'catch',
  'def',
  'and',
  'or',
  'import',
  'include',
  'label',
  '__loc__',
]);
const LEVELS: readonly (readonly string[])[] = [
  ['//'],
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Throws JqSyntaxError. */
export function parseJq(source: string): Filter {
  const parser = new Parser(source);
  return parser.program();
}

class Parser {
  private readonly source: string;
  private at = 0;
  private token: Token;

  constructor(source: string) {
    this.source = source;
    this.token = this.lex();
  }

  private fail(): never {
    const { token } = this;
    const name =
      token.type === 'end'
        ? '$end'
        : token.type === 'op' && token.text.length === 1
          ? `'${token.text}'`
          : token.type === 'name' && (KEYWORDS.has(token.text) || token.text === 'break')
            ? token.text
            : token.type === 'name'
              ? 'IDENT'
              : token.type === 'number'
                ? 'LITERAL'
                : token.type === 'field'
                  ? 'FIELD'
                  : token.type === 'string'
                    ? 'QQSTRING_START'
                    : token.text;
    throw new JqSyntaxError(`syntax error, unexpected ${name}`, token.at);
  }

  private lex(): Token {
    const blank = /(?:\s|#[^\n]*)*/y;
    blank.lastIndex = this.at;
    this.at += blank.exec(this.source)![0].length;
    const at = this.at;
    const match = (pattern: RegExp): string | undefined => {
      const sticky = new RegExp(pattern.source, 'y');
      sticky.lastIndex = this.at;
      const found = sticky.exec(this.source);
      if (found === null) return undefined;
      this.at += found[0].length;
      return found[0];
    };
    if (this.at >= this.source.length) return { type: 'end', text: '', at: Math.max(0, at - 1) };
    let text: string | undefined;
    if ((text = match(/\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?/)) !== undefined)
      return { type: 'number', text, at };
    if ((text = match(/\$__loc__|\$[A-Za-z_]\w*(?:::\w+)*/)) !== undefined)
      return { type: 'variable', text: text.slice(1), at };
    if ((text = match(/@[A-Za-z0-9]+/)) !== undefined) return { type: 'format', text, at };
    if ((text = match(/\.[A-Za-z_]\w*/)) !== undefined) return { type: 'field', text: text.slice(1), at };
    if ((text = match(/[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/)) !== undefined) return { type: 'name', text, at };
    if (this.source[this.at] === '"') return this.lexString();
    if (
      (text = match(/\?\/\/|\|=|\+=|-=|\*=|\/\/=|\/=|%=|==|!=|<=|>=|\/\/|\.\.|[-.[\]{}()|,:;=<>+*/%?]/)) !==
      undefined
    )
      return { type: 'op', text, at };
    throw new JqSyntaxError('syntax error, unexpected INVALID_CHARACTER');
  }

  private lexString(): Token {
    const begin = this.at;
    const parts: (string | Filter)[] = [];
    let text = '';
    for (this.at++; ;) {
      const c = this.source[this.at++];
      if (c === undefined) throw new JqSyntaxError('syntax error, unexpected QQSTRING_START');
      if (c === '"') break;
      if (c !== '\\') {
        text += c;
        continue;
      }
      const next = this.source[this.at++];
      if (next === '(') {
        parts.push(text);
        text = '';
        const saved = this.token;
        this.token = this.lex();
        parts.push(this.pipe());
        if (this.token.text !== ')') this.fail();
        this.token = saved;
      } else if (next === 'u') {
        text += String.fromCharCode(Number.parseInt(this.source.slice(this.at, this.at + 4), 16));
        this.at += 4;
      } else text += { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[next ?? ''] ?? next ?? '';
    }
    parts.push(text);
    return { type: 'string', text: 'QQSTRING', at: begin, parts };
  }

  private advance(): Token {
    const { token } = this;
    this.token = this.lex();
    return token;
  }

  private is(text: string): boolean {
    return (this.token.type === 'op' || this.token.type === 'name') && this.token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.advance();
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  program(): Filter {
    if (this.ended()) return { kind: 'identity' };
    const filter = this.pipe();
    return this.ended() ? filter : this.fail();
  }

  private ended(): boolean {
    return this.token.type === 'end';
  }

  pipe(): Filter {
    if (this.is('def')) return this.definition();
    const left = this.comma();
    if (this.accept('as')) {
      return this.binding(left);
    }
    return this.accept('|') ? { kind: 'pipe', left, right: this.pipe() } : left;
  }

  /** After `source as`: patterns, `|`, and what they are bound in. */
  private binding(source: Filter): Filter {
    const pattern = this.pattern();
    const alternatives: Pattern[] = [];
    while (this.accept('?//')) alternatives.push(this.pattern());
    this.expect('|');
    const body = this.pipe();
    return alternatives.length === 0
      ? { kind: 'as', source, pattern, body }
      : { kind: 'as', source, pattern, alternatives, body };
  }

  private definition(): Filter {
    this.expect('def');
    const name = this.advance().text;
    const parameters: string[] = [];
    if (this.accept('(')) {
      do parameters.push((this.token.type === 'variable' ? '$' : '') + this.advance().text);
      while (this.accept(';'));
      this.expect(')');
    }
    this.expect(':');
    const body = this.pipe();
    this.expect(';');
    const rest = this.token.type === 'end' ? { kind: 'identity' as const } : this.pipe();
    return { kind: 'define', name, parameters, body, rest };
  }

  private pattern(): Pattern {
    if (this.token.type === 'variable') return { kind: 'variable', name: this.advance().text };
    if (this.accept('[')) {
      const items = [this.pattern()];
      while (this.accept(',')) items.push(this.pattern());
      this.expect(']');
      return { kind: 'array', items };
    }
    this.expect('{');
    const entries: { key: Filter; pattern: Pattern }[] = [];
    do {
      const token = this.advance();
      const key: Filter =
        token.type === 'string'
          ? { kind: 'string', parts: token.parts! }
          : { kind: 'literal', value: token.text };
      entries.push(
        this.accept(':')
          ? { key, pattern: this.pattern() }
          : { key, pattern: { kind: 'variable', name: token.text } },
      );
    } while (this.accept(','));
    this.expect('}');
    return { kind: 'object', entries };
  }

  private comma(): Filter {
    let left = this.assignment();
    while (this.accept(',')) left = { kind: 'comma', left, right: this.assignment() };
    return left;
  }

  private assignment(): Filter {
    const left = this.operators(0);
    const op = ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//='].find((one) => this.is(one));
    if (op === undefined) return left;
    this.advance();
    return { kind: 'assign', op, left, right: this.assignment() };
  }

  private operators(level: number): Filter {
    const operators = LEVELS[level];
    if (operators === undefined) return this.postfix();
    let left = this.operators(level + 1);
    for (;;) {
      const op = operators.find((one) => this.is(one));
      if (op === undefined) return left;
      this.advance();
      if (
        op === '/' &&
        left.kind === 'literal' &&
        left.value !== null &&
        this.token.type === 'number' &&
        Number(this.token.text) === 0
      )
        throw new JqSyntaxError('Division by zero?');
      // `//` takes the right side first.
      left = {
        kind: 'binary',
        op,
        left,
        right: op === '//' ? this.operators(level) : this.operators(level + 1),
      };
    }
  }

  private postfix(): Filter {
    let term = this.term();
    for (;;) {
      if (this.token.type === 'field')
        term = { kind: 'field', of: term, name: { kind: 'literal', value: this.advance().text } };
      else if (this.is('.')) {
        this.advance();
        if (this.token.type === 'string') term = { kind: 'field', of: term, name: this.string() };
        else if (this.is('[')) continue;
        else this.fail();
      } else if (this.accept('[')) term = this.index(term);
      else if (this.accept('?')) term = { kind: 'try', body: term };
      else if (this.is('as')) {
        this.advance();
        return this.binding(term);
      } else return term;
    }
  }

  private index(of: Filter): Filter {
    if (this.accept(']')) return { kind: 'iterate', of };
    if (this.accept(':')) {
      const to = this.pipe();
      this.expect(']');
      return { kind: 'slice', of, to };
    }
    const name = this.pipe();
    if (this.accept(':')) {
      const to = this.is(']') ? undefined : this.pipe();
      this.expect(']');
      return { kind: 'slice', of, from: name, to };
    }
    this.expect(']');
    return { kind: 'field', of, name };
  }

  private string(format?: string): Filter {
    return { kind: 'string', parts: this.advance().parts!, format };
  }

  private term(): Filter {
    const { token } = this;
    switch (token.type) {
      case 'number':
        this.advance();
        return { kind: 'literal', value: Number(token.text) };
      case 'string':
        return this.string();
      case 'format': {
        this.advance();
        return this.token.type === 'string' ? this.string(token.text) : { kind: 'format', name: token.text };
      }
      case 'variable':
        this.advance();
        if (token.text === '__loc__')
          return {
            kind: 'literal',
            value: { file: '<top-level>', line: this.source.slice(0, token.at).split('\n').length },
          };
        return { kind: 'variable', name: token.text, at: token.at };
      case 'field':
        this.advance();
        return { kind: 'field', of: { kind: 'identity' }, name: { kind: 'literal', value: token.text } };
      case 'name':
        return this.named();
      case 'op':
        return this.punctuation();
      default:
        return this.fail();
    }
  }

  private punctuation(): Filter {
    if (this.accept('..')) return { kind: 'recurse' };
    if (this.accept('.')) {
      if (this.token.type === 'string')
        return { kind: 'field', of: { kind: 'identity' }, name: this.string() };
      return this.accept('[') ? this.index({ kind: 'identity' }) : { kind: 'identity' };
    }
    if (this.accept('-')) return { kind: 'negate', of: this.postfix() };
    if (this.accept('(')) {
      const body = this.pipe();
      this.expect(')');
      return body;
    }
    if (this.accept('[')) {
      if (this.accept(']')) return { kind: 'array' };
      const body = this.pipe();
      this.expect(']');
      return { kind: 'array', body };
    }
    if (this.accept('{')) return this.object();
    return this.fail();
  }

  private object(): Filter {
    const entries: { key: Filter; value: Filter }[] = [];
    while (!this.is('}')) {
      const { token } = this;
      let key: Filter;
      let value: Filter | undefined;
      if (token.type === 'variable') {
        this.advance();
        key = { kind: 'literal', value: token.text };
        value =
          token.text === '__loc__'
            ? { kind: 'literal', value: { file: '<top-level>', line: 1 } }
            : { kind: 'variable', name: token.text, at: token.at };
      } else if (token.type === 'string') key = this.string();
      else if (token.type === 'name' || token.type === 'number') {
        this.advance();
        key = { kind: 'literal', value: token.text };
      } else if (token.type === 'format') {
        this.advance();
        key = this.string(token.text);
      } else {
        this.expect('(');
        key = this.pipe();
        this.expect(')');
      }
      if (this.accept(':')) {
        value = this.operators(0);
        while (this.is('|')) {
          this.advance();
          value = { kind: 'pipe', left: value, right: this.operators(0) };
        }
      }
      entries.push({ key, value: value ?? { kind: 'field', of: { kind: 'identity' }, name: key } });
      if (!this.accept(',')) break;
    }
    this.expect('}');
    return { kind: 'object', entries };
  }

  private named(): Filter {
    const { text, at } = this.advance();
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
    if (text === 'null') return { kind: 'literal', value: null };
    if (text === 'if') return this.conditional();
    if (text === 'try') {
      const body = this.postfix();
      return { kind: 'try', body, handler: this.accept('catch') ? this.postfix() : undefined };
    }
    if (text === 'label') {
      const name = this.advance().text;
      this.expect('|');
      return { kind: 'label', name, body: this.pipe() };
    }
    if (text === 'break' && this.token.type === 'variable')
      return { kind: 'break', name: this.advance().text, at };
    if (text === 'reduce' || text === 'foreach') {
      const source = this.sourceTerm();
      const pattern = this.pattern();
      this.expect('(');
      const init = this.pipe();
      this.expect(';');
      const update = this.pipe();
      const extract = this.accept(';') ? this.pipe() : undefined;
      this.expect(')');
      return { kind: text, source, pattern, init, update, extract };
    }
    if (KEYWORDS.has(text)) return this.fail();
    const args: Filter[] = [];
    if (this.accept('(')) {
      do args.push(this.pipe());
      while (this.accept(';'));
      this.expect(')');
    }
    return { kind: 'call', name: text, args, at };
  }

  /** The term before `as` in reduce and foreach. */
  private sourceTerm(): Filter {
    let term = this.term();
    for (;;) {
      if (this.token.type === 'field')
        term = { kind: 'field', of: term, name: { kind: 'literal', value: this.advance().text } };
      else if (this.accept('[')) term = this.index(term);
      else break;
    }
    this.expect('as');
    return term;
  }

  private conditional(): Filter {
    const test = this.pipe();
    this.expect('then');
    const yes = this.pipe();
    if (this.accept('elif')) return { kind: 'if', test, yes, no: this.conditional() };
    const no = this.accept('else') ? this.pipe() : undefined;
    this.expect('end');
    return { kind: 'if', test, yes, no };
  }
}
