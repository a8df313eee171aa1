// The language of awk(1): tokens and syntax trees.
import { byteToText, normalizeText } from '../../shell/index.ts';

/** A program that doesn't parse: the message and the place, as gawk points at it. */
export class AwkSyntaxError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export type Expr =
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'regex'; source: string }
  | { kind: 'name'; name: string }
  | { kind: 'field'; index: Expr }
  | { kind: 'index'; name: string; keys: Expr[] }
  | { kind: 'assign'; op: string; target: Expr; value: Expr }
  | { kind: 'conditional'; test: Expr; yes: Expr; no: Expr }
  | { kind: 'binary'; op: string; left: Expr; right: Expr }
  | { kind: 'unary'; op: string; operand: Expr }
  | { kind: 'step'; op: '++' | '--'; prefix: boolean; target: Expr }
  | { kind: 'match'; negated: boolean; left: Expr; right: Expr }
  | { kind: 'in'; keys: Expr[]; name: string }
  | { kind: 'call'; name: string; args: Expr[] }
  | { kind: 'getline'; from: 'main' | 'file' | 'command'; source?: Expr; target?: Expr }
  | { kind: 'group'; items: Expr[] };

export type Statement =
  | { kind: 'block'; body: Statement[] }
  | { kind: 'expression'; value: Expr }
  | { kind: 'print'; format: boolean; args: Expr[]; to?: { op: '>' | '>>' | '|'; target: Expr } }
  | { kind: 'if'; test: Expr; yes: Statement; no?: Statement }
  | { kind: 'while'; test: Expr; body: Statement; after: boolean }
  | { kind: 'for'; init?: Statement; test?: Expr; step?: Statement; body: Statement }
  | { kind: 'forIn'; variable: string; array: string; body: Statement }
  | { kind: 'switch'; value: Expr; cases: { match?: Expr; body: Statement[] }[] }
  | { kind: 'jump'; what: 'break' | 'continue' | 'next' | 'nextfile' }
  | { kind: 'exit' | 'return'; value?: Expr }
  | { kind: 'delete'; name: string; keys?: Expr[] };

export interface Rule {
  kind: 'BEGIN' | 'END' | 'BEGINFILE' | 'ENDFILE' | 'pattern';
  from?: Expr;
  to?: Expr;
  body?: Statement;
  active: boolean;
}

export interface AwkFunction {
  parameters: string[];
  body: Statement;
}

export interface AwkProgram {
  rules: Rule[];
  functions: Map<string, AwkFunction>;
}

interface Token {
  type: 'number' | 'string' | 'regex' | 'name' | 'function' | 'op' | 'newline' | 'end';
  text: string;
  at: number;
}

const OPERATORS = [
  '**=',
  '**',
  '&&',
  '||',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '==',
  '<=',
  '>=',
  '!=',
  '!~',
  '>>',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '!',
  '>',
  '<',
  '|',
  '?',
  ':',
  '~',
  '$',
  '=',
];
const KEYWORDS = new Set([
  'BEGIN',
  'END',
  'BEGINFILE',
  'ENDFILE',
  'switch',
  'case',
  'default',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
]);
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  '/': '/',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Throws AwkSyntaxError. */
export function parseAwk(source: string): AwkProgram {
  return new Parser(source).program();
}

class Parser {
  private readonly source: string;
  private at = 0;
  private token: Token;
  private last: Token | undefined;
  private noIn = 0;
  private noGreater = 0;

  constructor(source: string) {
    this.source = source;
    this.token = this.lex();
  }

  private fail(message = 'syntax error', at = this.token.at): never {
    throw new AwkSyntaxError(
      this.token.type === 'end' || this.token.type === 'newline'
        ? 'unexpected newline or end of string'
        : message,
      at,
    );
  }

  private regexAllowed(): boolean {
    const { last } = this;
    return (
      last === undefined ||
      !(
        last.type === 'number' ||
        last.type === 'string' ||
        last.type === 'regex' ||
        (last.type === 'name' && !KEYWORDS.has(last.text)) ||
        (last.type === 'op' && [')', ']', '$', '++', '--'].includes(last.text))
      )
    );
  }

  private lex(): Token {
    const { source } = this;
    for (;;) {
      const blank = /(?:[ \t\r]|\\\n|#[^\n]*)*/y;
      blank.lastIndex = this.at;
      this.at += blank.exec(source)![0].length;
      break;
    }
    const at = this.at;
    const c = source[at];
    if (c === undefined) return { type: 'end', text: '', at };
    if (c === '\n') {
      this.at++;
      return { type: 'newline', text: '\n', at };
    }
    const number = /(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)/y;
    number.lastIndex = at;
    const digits = number.exec(source);
    if (digits !== null) {
      this.at += digits[0].length;
      return { type: 'number', text: digits[0], at };
    }
    const word = /[A-Za-z_]\w*/y;
    word.lastIndex = at;
    const name = word.exec(source);
    if (name !== null) {
      this.at += name[0].length;
      const call = source[this.at] === '(' && !KEYWORDS.has(name[0]);
      return { type: call ? 'function' : 'name', text: name[0], at };
    }
    if (c === '"') return this.lexString(at);
    if (c === '/' && this.regexAllowed()) return this.lexRegex(at);
    const operator = OPERATORS.find((one) => source.startsWith(one, at));
    if (operator === undefined) throw new AwkSyntaxError('syntax error', at);
    this.at += operator.length;
    return { type: 'op', text: operator, at };
  }

  private lexString(at: number): Token {
    let text = '';
    for (this.at++; ; this.at++) {
      const c = this.source[this.at];
      if (c === undefined || c === '\n') throw new AwkSyntaxError('unterminated string', at);
      if (c === '"') break;
      if (c !== '\\') {
        text += c;
        continue;
      }
      const next = this.source[++this.at];
      if (next === undefined) throw new AwkSyntaxError('unterminated string', at);
      const hex = /x([0-9a-fA-F]{1,2})/y;
      hex.lastIndex = this.at;
      const code = hex.exec(this.source);
      if (code !== null) {
        text += byteToText(Number.parseInt(code[1]!, 16));
        this.at += code[0].length - 1;
        continue;
      }
      const octal = /[0-7]{1,3}/y;
      octal.lastIndex = this.at;
      const match = octal.exec(this.source);
      if (match !== null) {
        text += byteToText(Number.parseInt(match[0], 8) & 0xff);
        this.at += match[0].length - 1;
      } else text += next === '\n' ? '' : (ESCAPES[next] ?? `\\${next}`);
    }
    this.at++;
    return { type: 'string', text: normalizeText(text), at };
  }

  private lexRegex(at: number): Token {
    let text = '';
    let bracket = false;
    for (this.at++; ; this.at++) {
      const c = this.source[this.at];
      if (c === undefined || c === '\n') throw new AwkSyntaxError('unterminated regexp', at);
      if (c === '\\') {
        const next = this.source[++this.at] ?? '';
        text += next === '/' ? '/' : `\\${next}`;
        continue;
      }
      if (c === '[' && !bracket) {
        bracket = true;
        if (/\^?\]/y.test(this.source.slice(this.at + 1, this.at + 3))) {
          const extra = this.source[this.at + 1] === '^' ? 2 : 1;
          if (this.source[this.at + extra] === ']') {
            text += this.source.slice(this.at, this.at + extra + 1);
            this.at += extra;
            continue;
          }
        }
      } else if (c === ']') bracket = false;
      else if (c === '/' && !bracket) break;
      text += c;
    }
    this.at++;
    return { type: 'regex', text, at };
  }

  private advance(): Token {
    const { token } = this;
    this.last = token;
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

  private newlines(): void {
    while (this.token.type === 'newline') this.advance();
  }

  private terminators(): void {
    while (this.token.type === 'newline' || this.is(';')) this.advance();
  }

  program(): AwkProgram {
    const program: AwkProgram = { rules: [], functions: new Map() };
    this.terminators();
    while (this.token.type !== 'end') {
      if (this.is('function') || this.is('func')) {
        this.advance();
        const name = this.advance().text;
        this.expect('(');
        const parameters: string[] = [];
        while (!this.is(')')) {
          parameters.push(this.advance().text);
          if (!this.accept(',')) break;
          this.newlines();
        }
        this.expect(')');
        this.newlines();
        program.functions.set(name, { parameters, body: this.block() });
      } else program.rules.push(this.rule());
      this.terminators();
    }
    return program;
  }

  private rule(): Rule {
    if (this.is('BEGIN') || this.is('END') || this.is('BEGINFILE') || this.is('ENDFILE')) {
      const kind = this.advance().text as 'BEGIN';
      this.newlines();
      return { kind, body: this.block(), active: false };
    }
    const rule: Rule = { kind: 'pattern', active: false };
    if (!this.is('{')) {
      rule.from = this.expression();
      if (this.accept(',')) {
        this.newlines();
        rule.to = this.expression();
      }
    }
    if (this.is('{')) rule.body = this.block();
    return rule;
  }

  private block(): Statement {
    this.expect('{');
    const body: Statement[] = [];
    this.terminators();
    while (!this.is('}')) {
      if (this.token.type === 'end') this.fail();
      body.push(this.statement());
      this.terminators();
    }
    this.advance();
    return { kind: 'block', body };
  }

  private atEnd(): boolean {
    return this.is(';') || this.is('}') || this.token.type === 'newline' || this.token.type === 'end';
  }

  private simpleEnd(): void {
    if (this.is('}') || this.token.type === 'end') return;
    if (this.token.type === 'newline' || this.is(';')) {
      this.advance();
      return;
    }
    this.fail();
  }

  private body(): Statement {
    this.newlines();
    if (this.accept(';')) return { kind: 'block', body: [] };
    return this.statement();
  }

  private statement(): Statement {
    if (this.is('{')) return this.block();
    if (this.token.type === 'name') {
      switch (this.token.text) {
        case 'if':
          return this.ifStatement();
        case 'while': {
          this.advance();
          this.expect('(');
          const test = this.expression();
          this.expect(')');
          return { kind: 'while', test, body: this.body(), after: false };
        }
        case 'do': {
          this.advance();
          const body = this.body();
          this.terminators();
          if (!this.accept('while')) this.fail();
          this.expect('(');
          const test = this.expression();
          this.expect(')');
          return { kind: 'while', test, body, after: true };
        }
        case 'for':
          return this.forStatement();
        case 'switch':
          return this.switchStatement();
        case 'break':
        case 'continue':
        case 'next':
        case 'nextfile': {
          const what = this.advance().text as 'break';
          this.simpleEnd();
          return { kind: 'jump', what };
        }
        case 'exit':
        case 'return': {
          const kind = this.advance().text as 'exit';
          const value = this.atEnd() ? undefined : this.expression();
          this.simpleEnd();
          return { kind, value };
        }
        default:
          break;
      }
    }
    const simple = this.simple();
    this.simpleEnd();
    return simple;
  }

  private simple(): Statement {
    if (this.is('print') || this.is('printf')) return this.print();
    if (this.accept('delete')) {
      const name = this.advance().text;
      if (!this.accept('[')) return { kind: 'delete', name };
      const keys = this.list();
      this.expect(']');
      return { kind: 'delete', name, keys };
    }
    return { kind: 'expression', value: this.expression() };
  }

  private ifStatement(): Statement {
    this.advance();
    this.expect('(');
    const test = this.expression();
    this.expect(')');
    const yes = this.body();
    const saved = { at: this.at, token: this.token, last: this.last };
    this.terminators();
    if (this.accept('else')) return { kind: 'if', test, yes, no: this.body() };
    Object.assign(this, saved);
    return { kind: 'if', test, yes };
  }

  private switchStatement(): Statement {
    this.advance();
    this.expect('(');
    const value = this.expression();
    this.expect(')');
    this.newlines();
    this.expect('{');
    const cases: { match?: Expr; body: Statement[] }[] = [];
    this.terminators();
    while (!this.accept('}')) {
      let match: Expr | undefined;
      if (this.accept('case')) match = this.unary();
      else if (!this.accept('default')) this.fail();
      this.newlines();
      this.expect(':');
      const body: Statement[] = [];
      this.terminators();
      while (!this.is('case') && !this.is('default') && !this.is('}')) {
        if (this.token.type === 'end') this.fail();
        body.push(this.statement());
        this.terminators();
      }
      cases.push(match === undefined ? { body } : { match, body });
    }
    return { kind: 'switch', value, cases };
  }

  private forStatement(): Statement {
    this.advance();
    this.expect('(');
    const saved = { at: this.at, token: this.token, last: this.last };
    if (this.token.type === 'name') {
      const variable = this.advance().text;
      if (this.accept('in')) {
        const array = this.advance().text;
        if (this.accept(')')) return { kind: 'forIn', variable, array, body: this.body() };
      }
      Object.assign(this, saved);
    }
    const init = this.is(';') ? undefined : this.simple();
    this.expect(';');
    this.newlines();
    const test = this.is(';') ? undefined : this.expression();
    this.expect(';');
    this.newlines();
    const step = this.is(')') ? undefined : this.simple();
    this.expect(')');
    return { kind: 'for', init, test, step, body: this.body() };
  }

  private print(): Statement {
    const format = this.advance().text === 'printf';
    let args: Expr[] = [];
    this.noGreater++;
    if (
      !this.is(';') &&
      !this.is('}') &&
      !this.is('>') &&
      !this.is('>>') &&
      !this.is('|') &&
      this.token.type !== 'newline' &&
      this.token.type !== 'end'
    ) {
      args = this.list();
      const [only] = args;
      if (args.length === 1 && only!.kind === 'group') args = only.items;
    }
    this.noGreater--;
    for (const op of ['>', '>>', '|'] as const) {
      if (this.accept(op)) return { kind: 'print', format, args, to: { op, target: this.concatenation() } };
    }
    return { kind: 'print', format, args };
  }

  private list(): Expr[] {
    const items = [this.expression()];
    while (this.accept(',')) {
      this.newlines();
      items.push(this.expression());
    }
    return items;
  }

  expression(): Expr {
    const left = this.ternary();
    if (
      this.token.type === 'op' &&
      ['=', '+=', '-=', '*=', '/=', '%=', '^=', '**='].includes(this.token.text) &&
      ['name', 'field', 'index'].includes(left.kind)
    ) {
      const op = this.advance().text.replace('**', '^');
      this.newlines();
      return { kind: 'assign', op, target: left, value: this.expression() };
    }
    return left;
  }

  private ternary(): Expr {
    const test = this.or();
    if (!this.accept('?')) return test;
    this.newlines();
    const yes = this.expression();
    this.newlines();
    this.expect(':');
    this.newlines();
    return { kind: 'conditional', test, yes, no: this.expression() };
  }

  private or(): Expr {
    let left = this.and();
    while (this.accept('||')) {
      this.newlines();
      left = { kind: 'binary', op: '||', left, right: this.and() };
    }
    return left;
  }

  private and(): Expr {
    let left = this.membership();
    while (this.accept('&&')) {
      this.newlines();
      left = { kind: 'binary', op: '&&', left, right: this.membership() };
    }
    return left;
  }

  private membership(): Expr {
    let left = this.matching();
    while (this.noIn === 0 && this.is('in')) {
      this.advance();
      left = { kind: 'in', keys: left.kind === 'group' ? left.items : [left], name: this.advance().text };
    }
    return left;
  }

  private matching(): Expr {
    let left = this.comparison();
    while (this.is('~') || this.is('!~')) {
      const negated = this.advance().text === '!~';
      left = { kind: 'match', negated, left, right: this.comparison() };
    }
    return left;
  }

  private comparison(): Expr {
    let left = this.concatenation();
    while (
      this.token.type === 'op' &&
      (['<', '<=', '==', '!=', '>='].includes(this.token.text) ||
        (this.token.text === '>' && this.noGreater === 0))
    ) {
      const op = this.advance().text;
      left = { kind: 'binary', op, left, right: this.concatenation() };
    }
    if (this.noGreater === 0 || left.kind !== 'string')
      while (this.is('|') && this.pipeToGetline()) {
        this.advance();
        this.advance();
        left = { kind: 'getline', from: 'command', source: left, target: this.optionalTarget() };
      }
    return left;
  }

  private pipeToGetline(): boolean {
    return /^\s*getline\b/.test(this.source.slice(this.at));
  }

  private optionalTarget(): Expr | undefined {
    if (this.is('$') || (this.token.type === 'name' && !KEYWORDS.has(this.token.text))) return this.postfix();
    return undefined;
  }

  private startsOperand(): boolean {
    const { type, text } = this.token;
    if (type === 'number' || type === 'string' || type === 'function') return true;
    if (type === 'name') return !KEYWORDS.has(text);
    return type === 'op' && ['$', '!', '(', '-', '+', '++', '--'].includes(text);
  }

  private concatenation(): Expr {
    let left = this.additive();
    while (this.startsOperand() && !this.is('in')) {
      if (this.is('+') || this.is('-')) break;
      left = { kind: 'binary', op: ' ', left, right: this.additive() };
    }
    return left;
  }

  private additive(): Expr {
    let left = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const op = this.advance().text;
      left = { kind: 'binary', op, left, right: this.multiplicative() };
    }
    return left;
  }

  private multiplicative(): Expr {
    let left = this.unary();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const op = this.advance().text;
      left = { kind: 'binary', op, left, right: this.unary() };
    }
    return left;
  }

  private unary(): Expr {
    if (this.is('!') || this.is('-') || this.is('+'))
      return { kind: 'unary', op: this.advance().text, operand: this.unary() };
    return this.power();
  }

  private power(): Expr {
    const left = this.postfix();
    if (!this.is('^') && !this.is('**')) return left;
    this.advance();
    const right = this.is('-') || this.is('+') || this.is('!') ? this.unary() : this.power();
    return { kind: 'binary', op: '^', left, right };
  }

  private postfix(): Expr {
    const operand = this.primary();
    if ((this.is('++') || this.is('--')) && ['name', 'field', 'index'].includes(operand.kind))
      return { kind: 'step', op: this.advance().text as '++', prefix: false, target: operand };
    return operand;
  }

  private primary(): Expr {
    const { token } = this;
    if (token.type === 'number') {
      this.advance();
      return {
        kind: 'number',
        value: /^0[0-7]+$/.test(token.text) ? Number.parseInt(token.text, 8) : Number(token.text),
      };
    }
    if (token.type === 'string') {
      this.advance();
      return { kind: 'string', value: token.text };
    }
    if (token.type === 'regex') {
      this.advance();
      return { kind: 'regex', source: token.text };
    }
    if (token.type === 'function') {
      const name = this.advance().text;
      this.expect('(');
      this.newlines();
      const [noIn, noGreater] = [this.noIn, this.noGreater];
      [this.noIn, this.noGreater] = [0, 0];
      const args = this.is(')') ? [] : this.list();
      this.newlines();
      this.expect(')');
      [this.noIn, this.noGreater] = [noIn, noGreater];
      return { kind: 'call', name, args };
    }
    if (this.accept('$'))
      return {
        kind: 'field',
        index: this.is('++') || this.is('--') ? this.step() : this.is('-') ? this.unary() : this.primary(),
      };
    if (this.is('++') || this.is('--')) return this.step();
    if (this.accept('(')) {
      const [noIn, noGreater] = [this.noIn, this.noGreater];
      [this.noIn, this.noGreater] = [0, 0];
      this.newlines();
      const items = this.list();
      this.newlines();
      this.expect(')');
      [this.noIn, this.noGreater] = [noIn, noGreater];
      return { kind: 'group', items };
    }
    if (this.accept('getline')) {
      const target = this.optionalTarget();
      if (this.is('<')) {
        this.advance();
        return { kind: 'getline', from: 'file', source: this.postfix(), target };
      }
      return { kind: 'getline', from: 'main', target };
    }
    if (token.type === 'name' && !KEYWORDS.has(token.text)) {
      this.advance();
      if (token.text === 'length') return { kind: 'call', name: 'length', args: [] };
      if (!this.accept('[')) return { kind: 'name', name: token.text };
      const [noIn, noGreater] = [this.noIn, this.noGreater];
      [this.noIn, this.noGreater] = [0, 0];
      const keys = this.list();
      this.expect(']');
      [this.noIn, this.noGreater] = [noIn, noGreater];
      return { kind: 'index', name: token.text, keys };
    }
    return this.fail();
  }

  private step(): Expr {
    const op = this.advance().text as '++';
    return { kind: 'step', op, prefix: true, target: this.primary() };
  }
}
