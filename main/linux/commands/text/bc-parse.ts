// The language of bc(1): lines into statements and functions.

/** What a person typed makes no sense; `line` counts from 1 within the text parsed. */
export class BcSyntaxError extends Error {
  readonly line: number;
  constructor(line: number, message = 'syntax error') {
    super(message);
    this.line = line;
  }
}

/** `adr` is where in bc's byte code an operation would stand, which its run-time errors name. */
export type BcExpr =
  | { kind: 'number'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'element'; name: string; index: BcExpr; adr: number }
  | { kind: 'assign'; op: string; target: BcExpr; value: BcExpr; adr: number }
  | { kind: 'step'; op: '++' | '--'; prefix: boolean; target: BcExpr }
  | { kind: 'unary'; op: '-' | '!'; operand: BcExpr }
  | { kind: 'binary'; op: string; left: BcExpr; right: BcExpr; adr: number }
  | { kind: 'call'; name: string; args: (BcExpr | { readonly array: string })[]; adr: number };

export type BcStatement =
  | { kind: 'block'; body: BcStatement[] }
  | { kind: 'expression'; value: BcExpr; silent: boolean }
  | { kind: 'string'; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'print'; items: (string | BcExpr)[] }
  | { kind: 'if'; test: BcExpr; yes: BcStatement; no?: BcStatement }
  | { kind: 'while'; test: BcExpr; body: BcStatement }
  | { kind: 'for'; init?: BcExpr; test?: BcExpr; step?: BcExpr; body: BcStatement }
  | { kind: 'return'; value?: BcExpr }
  | { kind: 'break' | 'continue' | 'halt' };

export interface BcParameter {
  readonly name: string;
  readonly array: boolean;
  readonly reference: boolean;
}

export interface BcFunction {
  readonly name: string;
  readonly parameters: BcParameter[];
  readonly locals: BcParameter[];
  readonly body: BcStatement;
}

interface Token {
  readonly type: 'number' | 'name' | 'string' | 'op' | 'newline' | 'end';
  readonly text: string;
  readonly line: number;
}

const TOKEN =
  /(?:\/\*[^]*?\*\/|#[^\n]*|[ \t\r]|\\\n)*(?:((?:[0-9A-F]|\\\n)+(?:\.(?:[0-9A-F]|\\\n)*)?|\.[0-9A-F]+)|([a-z][a-z0-9_]*)|"([^"]*)"|(\+\+|--|[-+*/%^]=|==|<=|>=|!=|&&|\|\||[-+*/%^=<>!(){}[\],;&.])|(\n)|($)|([^]))/gy;

const KEYWORDS = new Set(
  'auto break continue define else for halt if limits print quit return void warranty while'.split(' '),
);

function tokens(text: string): Token[] {
  const out: Token[] = [];
  let line = 1;
  TOKEN.lastIndex = 0;
  for (;;) {
    const start = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new BcSyntaxError(line);
    const [whole, number, name, string, op, newline, , bad] = found;
    const type =
      number !== undefined
        ? 'number'
        : name !== undefined
          ? 'name'
          : string !== undefined
            ? 'string'
            : op !== undefined
              ? 'op'
              : newline !== undefined
                ? 'newline'
                : 'end';
    if (bad !== undefined) throw new BcSyntaxError(line, `illegal character: ${bad}`);
    out.push({ type, text: (number ?? name ?? string ?? op ?? newline ?? '').replaceAll(/\\\n/g, ''), line });
    line += whole.split('\n').length - 1;
    if (type === 'end' || TOKEN.lastIndex === start) return out;
  }
}

/** True while a comment, string, bracket or block is open, so that more lines belong to it. */
export function isUnfinished(text: string): boolean {
  if (/\/\*(?![^]*\*\/)/.test(text.replaceAll(/\/\*[^]*?\*\//g, ''))) return true;
  const bare = text.replaceAll(/\/\*[^]*?\*\/|#[^\n]*/g, '');
  if (((bare.match(/"/g) ?? []).length & 1) === 1) return true;
  if (bare.endsWith('\\\n')) return true;
  const code = bare.replaceAll(/"[^"]*"/g, '');
  const open = (code.match(/\{/g) ?? []).length - (code.match(/\}/g) ?? []).length;
  if (open > 0) return true;
  return /^\s*define\b[^{]*\)\s*$/.test(code) || /\b(?:else|while\s*\([^()]*\))\s*\n$/.test(code);
}

export function parseBc(text: string): { statements: BcStatement[]; functions: BcFunction[] } {
  return new Parser(tokens(text)).program();
}

class Parser {
  private readonly list: Token[];
  private at = 0;
  private code = 0;

  constructor(list: Token[]) {
    this.list = list;
  }

  private get token(): Token {
    return this.list[this.at]!;
  }

  private type(): Token['type'] {
    return this.list[this.at]!.type;
  }

  private is(text: string): boolean {
    return (this.type() === 'op' || this.type() === 'name') && this.token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  /** bc has gone on to the next line by the time it sees the end of one. */
  private fail(): never {
    throw new BcSyntaxError(this.token.line + (this.type() === 'newline' ? 1 : 0));
  }

  private newlines(): void {
    while (this.type() === 'newline') this.at++;
  }

  program(): { statements: BcStatement[]; functions: BcFunction[] } {
    const statements: BcStatement[] = [];
    const functions: BcFunction[] = [];
    for (;;) {
      while (this.type() === 'newline' || this.is(';')) this.at++;
      if (this.type() === 'end') return { statements, functions };
      if (this.is('define')) functions.push(this.define());
      else {
        statements.push(this.statement());
        if (this.type() !== 'newline' && this.type() !== 'end' && !this.is(';')) this.fail();
      }
    }
  }

  private define(): BcFunction {
    this.at++;
    this.accept('void');
    const name = this.name();
    this.expect('(');
    const parameters = this.parameters(')');
    this.expect(')');
    this.newlines();
    this.expect('{');
    const locals: BcParameter[] = [];
    this.newlines();
    while (this.accept('auto')) {
      locals.push(...this.parameters(';'));
      while (this.type() === 'newline' || this.is(';')) this.at++;
    }
    const saved = this.code;
    this.code = 0;
    const body = this.block();
    this.code = saved;
    return { name, parameters, locals, body };
  }

  private name(): string {
    if (this.type() !== 'name' || KEYWORDS.has(this.token.text)) this.fail();
    return this.list[this.at++]!.text;
  }

  private parameters(end: string): BcParameter[] {
    const out: BcParameter[] = [];
    while (!this.is(end) && this.type() !== 'newline') {
      const reference = this.accept('*') || this.accept('&');
      const name = this.name();
      const array = this.accept('[');
      if (array) this.expect(']');
      out.push({ name, array, reference });
      if (!this.accept(',')) break;
    }
    return out;
  }

  /** After `{`, up to and with `}`. */
  private block(): BcStatement {
    const body: BcStatement[] = [];
    for (;;) {
      while (this.type() === 'newline' || this.is(';')) this.at++;
      if (this.accept('}')) return { kind: 'block', body };
      if (this.type() === 'end') this.fail();
      body.push(this.statement());
      if (this.type() !== 'newline' && !this.is(';') && !this.is('}')) this.fail();
    }
  }

  private statement(): BcStatement {
    const { token } = this;
    if (this.accept('{')) return this.block();
    if (token.type === 'string') {
      this.at++;
      return { kind: 'string', text: token.text };
    }
    if (token.type !== 'name') return this.expressionStatement();
    switch (token.text) {
      case 'if': {
        this.at++;
        this.expect('(');
        const test = this.expression();
        this.expect(')');
        this.newlines();
        const yes = this.statement();
        const saved = this.at;
        while (this.type() === 'newline' || this.is(';')) this.at++;
        if (this.accept('else')) {
          this.newlines();
          return { kind: 'if', test, yes, no: this.statement() };
        }
        this.at = saved;
        return { kind: 'if', test, yes };
      }
      case 'while': {
        this.at++;
        this.expect('(');
        const test = this.expression();
        this.expect(')');
        this.newlines();
        return { kind: 'while', test, body: this.statement() };
      }
      case 'for': {
        this.at++;
        this.expect('(');
        const init = this.is(';') ? undefined : this.expression();
        this.expect(';');
        const test = this.is(';') ? undefined : this.expression();
        this.expect(';');
        const step = this.is(')') ? undefined : this.expression();
        this.expect(')');
        this.newlines();
        return { kind: 'for', init, test, step, body: this.statement() };
      }
      case 'break':
      case 'continue':
        this.at++;
        return { kind: token.text };
      case 'halt':
      case 'quit':
        this.at++;
        return { kind: 'halt' };
      case 'return': {
        this.at++;
        const ends = this.type() === 'newline' || this.type() === 'end' || this.is(';') || this.is('}');
        return ends ? { kind: 'return' } : { kind: 'return', value: this.expression() };
      }
      case 'print': {
        this.at++;
        const items: (string | BcExpr)[] = [];
        do {
          if (this.type() === 'string') items.push(this.list[this.at++]!.text);
          else items.push(this.expression());
        } while (this.accept(','));
        return { kind: 'print', items };
      }
      case 'limits':
        this.at++;
        return {
          kind: 'text',
          text: 'BC_BASE_MAX     = 2147483647\nBC_DIM_MAX      = 16777215\nBC_SCALE_MAX    = 2147483647\nBC_STRING_MAX   = 2147483647\nMAX Exponent    = 9223372036854775807\nNumber of vars  = 32767\n',
        };
      default:
        return this.expressionStatement();
    }
  }

  private expressionStatement(): BcStatement {
    const parenthesised = this.is('(');
    const value = this.expression();
    return { kind: 'expression', value, silent: value.kind === 'assign' && !parenthesised };
  }

  private expression(): BcExpr {
    let left = this.and();
    while (this.accept('||')) {
      this.code += 3;
      left = { kind: 'binary', op: '||', left, right: this.and(), adr: ++this.code };
    }
    return left;
  }

  private and(): BcExpr {
    let left = this.not();
    while (this.accept('&&')) {
      this.code += 3;
      left = { kind: 'binary', op: '&&', left, right: this.not(), adr: ++this.code };
    }
    return left;
  }

  private not(): BcExpr {
    if (!this.accept('!')) return this.relation();
    const operand = this.not();
    this.code++;
    return { kind: 'unary', op: '!', operand };
  }

  private relation(): BcExpr {
    let left = this.assignment();
    while (['<', '<=', '>', '>=', '==', '!='].some((op) => this.is(op))) {
      const op = this.list[this.at++]!.text;
      left = { kind: 'binary', op, left, right: this.assignment(), adr: ++this.code };
    }
    return left;
  }

  private assignment(): BcExpr {
    const left = this.additive();
    if (this.type() !== 'op' || !/^[-+*/%^]?=$/.test(this.token.text)) return left;
    if (left.kind !== 'name' && left.kind !== 'element') this.fail();
    const op = this.list[this.at++]!.text;
    const value = this.assignment();
    this.code += 2;
    return { kind: 'assign', op, target: left, value, adr: op === '=' ? this.code : this.code - 1 };
  }

  private additive(): BcExpr {
    let left = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const op = this.list[this.at++]!.text;
      left = { kind: 'binary', op, left, right: this.multiplicative(), adr: ++this.code };
    }
    return left;
  }

  private multiplicative(): BcExpr {
    let left = this.power();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const op = this.list[this.at++]!.text;
      left = { kind: 'binary', op, left, right: this.power(), adr: ++this.code };
    }
    return left;
  }

  private power(): BcExpr {
    const left = this.unary();
    if (!this.accept('^')) return left;
    return { kind: 'binary', op: '^', left, right: this.power(), adr: ++this.code };
  }

  private unary(): BcExpr {
    if (this.accept('-')) {
      const operand = this.unary();
      this.code++;
      return { kind: 'unary', op: '-', operand };
    }
    if (this.is('++') || this.is('--')) {
      const op = this.list[this.at++]!.text as '++';
      const target = this.primary();
      if (target.kind !== 'name' && target.kind !== 'element') this.fail();
      this.code += 3;
      return { kind: 'step', op, prefix: true, target };
    }
    const operand = this.primary();
    if ((this.is('++') || this.is('--')) && (operand.kind === 'name' || operand.kind === 'element')) {
      this.code += 3;
      return { kind: 'step', op: this.list[this.at++]!.text as '++', prefix: false, target: operand };
    }
    return operand;
  }

  private primary(): BcExpr {
    const { token } = this;
    if (token.type === 'number') {
      this.at++;
      this.code += /^[01]$/.test(token.text) ? 1 : token.text.replace(/^0+(?=.)/, '').length + 2;
      return { kind: 'number', text: token.text };
    }
    if (this.accept('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (this.accept('.')) return { kind: 'name', name: 'last' };
    const name = this.name();
    if (this.accept('(')) {
      const args: (BcExpr | { readonly array: string })[] = [];
      while (!this.is(')')) {
        const start = this.at;
        if (
          this.type() === 'name' &&
          this.list[start + 1]?.text === '[' &&
          this.list[start + 2]?.text === ']'
        ) {
          args.push({ array: this.name() });
          this.at += 2;
        } else args.push(this.expression());
        if (!this.accept(',')) break;
      }
      this.expect(')');
      this.code += 2;
      return { kind: 'call', name, args, adr: this.code };
    }
    if (this.accept('[')) {
      const index = this.expression();
      this.expect(']');
      this.code += 2;
      return { kind: 'element', name, index, adr: this.code };
    }
    this.code += 2;
    return { kind: 'name', name };
  }
}
