// Shell arithmetic: 64-bit integers, every operator of bash, evaluated as it is parsed.

/** What expressions read and write. A subscript is raw text; the scope knows whether the variable is associative. */
export interface ArithmeticScope {
  /** The text of a variable or element; undefined when unset. May throw for `set -u`. */
  get(name: string, subscript: string | undefined): string | undefined;
  set(name: string, subscript: string | undefined, value: bigint): void;
}

/** A bad expression; `message` is bash's text without the shell's prefix. */
export class ArithmeticError extends Error {}

/** How deep variables may refer to expressions in each other. */
const RECURSION_MAX = 256;
const TOKEN_CACHE_MAX = 1000;

interface Token {
  readonly kind: 'number' | 'name' | 'operator' | 'bad' | 'end';
  readonly text: string;
  readonly at: number;
  /** Raw subscript of a name. */
  readonly subscript?: string;
}

const OPERATORS = [
  '<<=',
  '>>=',
  '**',
  '++',
  '--',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '^=',
  '|=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '=',
  '!',
  '~',
  '&',
  '|',
  '^',
  '?',
  ':',
  ',',
  '(',
  ')',
];
const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '<<=', '>>=', '&=', '^=', '|=']);
const BINARY_LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const tokenCache = new Map<string, Token[]>();

/** Evaluates an expression whose `$` expansions are done; an empty one is 0. Throws ArithmeticError. */
export function evaluateArithmetic(text: string, scope: ArithmeticScope, depth = 0): bigint {
  const simple = /^\s*(-?[1-9][0-9]{0,14}|0)\s*$/.exec(text);
  if (simple !== null) return BigInt(simple[1]!);
  if (depth > RECURSION_MAX)
    throw new ArithmeticError(`${text}: expression recursion level exceeded (error token is "${text}")`);
  return new Evaluation(text, scope, depth).run();
}

class Evaluation {
  private readonly text: string;
  private readonly scope: ArithmeticScope;
  private readonly depth: number;
  private readonly tokens: Token[];
  private at = 0;
  /** Above 0 inside the branch of && || ?: that isn't taken. */
  private skipping = 0;

  constructor(text: string, scope: ArithmeticScope, depth: number) {
    this.text = text.trimStart();
    this.scope = scope;
    this.depth = depth;
    this.tokens = tokenize(this.text);
  }

  run(): bigint {
    if (this.peek().kind === 'end') return 0n;
    const value = this.comma();
    const token = this.peek();
    if (token.kind === 'bad') throw this.error('syntax error: invalid arithmetic operator', token);
    if (token.kind !== 'end') {
      const bad = token.kind === 'operator' && !/^[:)]$/.test(token.text) && ASSIGNMENTS.has(token.text);
      throw this.error(bad ? 'attempted assignment to non-variable' : 'syntax error in expression', token);
    }
    return value;
  }

  private peek(): Token {
    return this.tokens[this.at]!;
  }

  private isOperator(text: string): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === text;
  }

  private error(message: string, token: Token): ArithmeticError {
    const from = token.kind === 'end' ? (this.tokens[this.at - 1]?.at ?? 0) : token.at;
    return new ArithmeticError(`${this.text}: ${message} (error token is "${this.text.slice(from)}")`);
  }

  private comma(): bigint {
    let value = this.assignment();
    while (this.isOperator(',')) {
      this.at++;
      value = this.assignment();
    }
    return value;
  }

  private assignment(): bigint {
    const target = this.peek();
    const operator = this.tokens[this.at + 1];
    if (target.kind !== 'name' || operator?.kind !== 'operator' || !ASSIGNMENTS.has(operator.text))
      return this.ternary();
    this.at += 2;
    const rightToken = this.peek();
    const right = this.assignment();
    if (this.skipping > 0) return 0n;
    const value =
      operator.text === '='
        ? right
        : this.apply(operator.text.slice(0, -1), this.read(target), right, rightToken);
    this.scope.set(target.text, target.subscript, value);
    return value;
  }

  private ternary(): bigint {
    const test = this.logicalOr();
    if (!this.isOperator('?')) return test;
    this.at++;
    if (this.isOperator(':') || this.peek().kind === 'end')
      throw this.error('expression expected', this.peek());
    const consequent = this.skipIf(test === 0n, () => this.comma());
    if (!this.isOperator(':')) throw this.error("`:' expected for conditional expression", this.peek());
    this.at++;
    if (this.peek().kind === 'end') throw this.error('expression expected', this.peek());
    const alternate = this.skipIf(test !== 0n, () => this.assignment());
    return test === 0n ? alternate : consequent;
  }

  private skipIf(skip: boolean, evaluate: () => bigint): bigint {
    if (skip) this.skipping++;
    const value = evaluate();
    if (skip) this.skipping--;
    return value;
  }

  private logicalOr(): bigint {
    let left = this.logicalAnd();
    while (this.isOperator('||')) {
      this.at++;
      const right = this.skipIf(left !== 0n, () => this.logicalAnd());
      left = left !== 0n || right !== 0n ? 1n : 0n;
    }
    return left;
  }

  private logicalAnd(): bigint {
    let left = this.binary(0);
    while (this.isOperator('&&')) {
      this.at++;
      const right = this.skipIf(left === 0n, () => this.binary(0));
      left = left !== 0n && right !== 0n ? 1n : 0n;
    }
    return left;
  }

  private binary(level: number): bigint {
    const operators = BINARY_LEVELS[level];
    if (operators === undefined) return this.power();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'operator' || !operators.includes(token.text)) return left;
      this.at++;
      const rightToken = this.peek();
      const right = this.binary(level + 1);
      left = this.apply(token.text, left, right, rightToken);
    }
  }

  private apply(operator: string, left: bigint, right: bigint, rightToken: Token): bigint {
    if ((operator === '/' || operator === '%') && right === 0n) {
      if (this.skipping > 0) return 0n;
      throw this.error('division by 0', rightToken);
    }
    return BigInt.asIntN(64, calculate(operator, left, right));
  }

  private power(): bigint {
    const base = this.unary();
    if (!this.isOperator('**')) return base;
    this.at++;
    const token = this.peek();
    const exponent = this.power();
    if (exponent < 0n) {
      if (this.skipping > 0) return 0n;
      throw this.error('exponent less than 0', token);
    }
    return power(base, exponent);
  }

  private unary(): bigint {
    const token = this.peek();
    if (token.kind === 'operator') {
      switch (token.text) {
        case '!':
          this.at++;
          return this.unary() === 0n ? 1n : 0n;
        case '~':
          this.at++;
          return ~this.unary();
        case '-':
          this.at++;
          return BigInt.asIntN(64, -this.unary());
        case '+':
          this.at++;
          return this.unary();
        case '++':
        case '--':
          return this.preIncrement(token.text);
      }
    }
    return this.postfix();
  }

  private preIncrement(operator: string): bigint {
    this.at++;
    const target = this.peek();
    if (target.kind !== 'name') {
      const value = this.unary(); // `--5` is two minus signs.
      return value;
    }
    this.at++;
    return this.increment(target, operator).after;
  }

  private increment(target: Token, operator: string): { before: bigint; after: bigint } {
    if (this.skipping > 0) return { before: 0n, after: 0n };
    const before = this.read(target);
    const after = BigInt.asIntN(64, before + (operator === '++' ? 1n : -1n));
    this.scope.set(target.text, target.subscript, after);
    return { before, after };
  }

  private postfix(): bigint {
    const token = this.peek();
    if (token.kind === 'name') {
      this.at++;
      if (this.isOperator('++') || this.isOperator('--')) {
        const operator = this.peek().text;
        this.at++;
        return this.increment(token, operator).before;
      }
      // bash looks at what follows before it reads the variable.
      const next = this.peek();
      if (next.kind === 'bad') throw this.error('syntax error: invalid arithmetic operator', next);
      return this.skipping > 0 ? 0n : this.read(token);
    }
    if (token.kind === 'number') {
      this.at++;
      return this.number(token);
    }
    if (this.isOperator('(')) {
      this.at++;
      const value = this.comma();
      if (!this.isOperator(')')) throw this.error("missing `)'", this.peek());
      this.at++;
      return value;
    }
    if (token.kind === 'bad' && token.text !== '.') throw this.error('syntax error: operand expected', token);
    throw this.error('syntax error: operand expected', token);
  }

  private read(token: Token): bigint {
    const value = this.scope.get(token.text, token.subscript);
    if (value === undefined || value === '') return 0n;
    return evaluateArithmetic(value, this.scope, this.depth + 1);
  }

  private number(token: Token): bigint {
    const value = parseNumber(token.text);
    if (typeof value === 'string') throw this.error(value, token);
    return value;
  }
}

function calculate(operator: string, left: bigint, right: bigint): bigint {
  const truth = (value: boolean): bigint => (value ? 1n : 0n);
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '<<':
      return left << (right & 63n);
    case '>>':
      return left >> (right & 63n);
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '==':
      return truth(left === right);
    case '!=':
      return truth(left !== right);
    case '<':
      return truth(left < right);
    case '<=':
      return truth(left <= right);
    case '>':
      return truth(left > right);
    default:
      return truth(left >= right);
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = BigInt.asIntN(64, result * factor);
    factor = BigInt.asIntN(64, factor * factor);
  }
  return result;
}

/** A constant: decimal, 0octal, 0xhex or base#digits; else bash's words for what is wrong with it. */
function parseNumber(text: string): bigint | string {
  if (/^0[xX]/.test(text)) {
    const digits = text.slice(2);
    if (digits === '') return 0n;
    return /^[0-9a-fA-F]+$/.test(digits)
      ? BigInt.asIntN(64, BigInt(`0x${digits}`))
      : 'value too great for base';
  }
  const based = /^([0-9]+)#(.*)$/.exec(text);
  if (based !== null) return parseBased(Number(based[1]), based[2]!);
  if (text.startsWith('0') && text.length > 1) return parseBased(8, text.slice(1));
  return /^[0-9]+$/.test(text) ? BigInt.asIntN(64, BigInt(text)) : 'value too great for base';
}

function parseBased(base: number, digits: string): bigint | string {
  if (base < 2 || base > 64) return 'invalid arithmetic base';
  if (digits === '') return 'invalid integer constant';
  let value = 0n;
  for (const c of digits) {
    const digit = digitOf(c, base);
    if (digit === undefined || digit >= base) return 'value too great for base';
    value = value * BigInt(base) + BigInt(digit);
  }
  return BigInt.asIntN(64, value);
}

function digitOf(c: string, base: number): number | undefined {
  if (c >= '0' && c <= '9') return Number(c);
  if (c >= 'a' && c <= 'z') return c.charCodeAt(0) - 87;
  if (c >= 'A' && c <= 'Z') return c.charCodeAt(0) - (base <= 36 ? 55 : 29);
  if (c === '@') return 62;
  return c === '_' ? 63 : undefined;
}

function tokenize(text: string): Token[] {
  const cached = tokenCache.get(text);
  if (cached !== undefined) return cached;
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    const token = scan(text, at);
    tokens.push(token);
    if (token.kind === 'bad') break;
    at += token.text.length + (token.subscript === undefined ? 0 : token.subscript.length + 2);
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  if (tokenCache.size >= TOKEN_CACHE_MAX) tokenCache.clear();
  tokenCache.set(text, tokens);
  return tokens;
}

function scan(text: string, at: number): Token {
  const rest = text.slice(at);
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0];
  if (name !== undefined) {
    const subscript = rest[name.length] === '[' ? bracketed(rest.slice(name.length)) : undefined;
    return subscript === undefined
      ? { kind: 'name', text: name, at }
      : { kind: 'name', text: name, at, subscript };
  }
  const number = /^[0-9][0-9A-Za-z_@#]*/.exec(rest)?.[0];
  if (number !== undefined) return { kind: 'number', text: number, at };
  const operator = OPERATORS.find((candidate) => rest.startsWith(candidate));
  if (operator !== undefined) return { kind: 'operator', text: operator, at };
  return { kind: 'bad', text: rest[0]!, at };
}

function bracketed(text: string): string | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return text.slice(1, i);
  }
  return undefined;
}
