// Shell arithmetic: 64-bit integers, every operator of bash, evaluated as it is read (expr.c does, and its errors show it).

/** What expressions read and write. A subscript is raw text; the scope knows whether the variable is associative. */
export interface ArithmeticScope {
  /** The text of a variable or element; undefined when unset. May throw for `set -u`. */
  get(name: string, subscript: string | undefined): string | undefined;
  set(name: string, subscript: string | undefined, value: bigint): void;
  /** POSIX's operators only, as dash has them: no `++`, `**` or comma. */
  readonly plain?: boolean;
}

/** A bad expression; `message` is bash's text without the shell's prefix. */
export class ArithmeticError extends Error {
  /** Set in a subscript and in an integer variable's value: a `-c` string is then given up, not only the line. */
  unwinds: 'subscript' | 'integer' | undefined;
  /** The expression, and what is wrong with it. */
  readonly expression: string;
  readonly trouble: string;

  constructor(message: string, expression = '', trouble = '') {
    super(message);
    this.expression = expression;
    this.trouble = trouble;
  }
}

/** How deep variables may refer to expressions in each other. */
const RECURSION_MAX = 256;

/** Operators of two and three characters besides `++` and `--`; longest first. */
const LONG_OPERATORS = ['<<=', '>>=', '==', '!=', '>=', '<=', '<<', '>>', '&&', '||', '**'];
const ASSIGNMENTS = new Set(['*=', '/=', '%=', '+=', '-=', '&=', '^=', '|=']);
const SINGLE_OPERATORS = '=><+-*/%!()&|^~?:,';
const BINARY_LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/**
 * Evaluates an expression whose `$` expansions are done; an empty one is 0. Throws ArithmeticError.
 */
export function evaluateArithmetic(text: string, scope: ArithmeticScope, depth = 0): bigint {
  const simple = /^\s*(-?[1-9][0-9]{0,14}|0)\s*$/.exec(text);
  if (simple !== null) return BigInt(simple[1]!);
  if (depth > RECURSION_MAX)
    throw new ArithmeticError(`${text}: expression recursion level exceeded (error token is "${text}")`);
  return new Evaluation(text, scope, depth).run();
}

/** `end`, `name`, `number`, `++x`, `x++`, `?:` (a conditional just read), or an operator's text. */
type Token = string;

interface Name {
  readonly name: string;
  readonly subscript: string | undefined;
}

interface State {
  readonly token: Token;
  readonly last: Token;
  readonly at: number;
  readonly value: bigint;
  readonly target: Name | undefined;
  readonly skipping: number;
}

class Evaluation {
  private readonly text: string;
  private readonly scope: ArithmeticScope;
  private readonly depth: number;
  private at = 0;
  /** Where the last token began, for errors. */
  private tokenAt = 0;
  private token: Token = 'end';
  private last: Token = 'end';
  private value = 0n;
  private target: Name | undefined;
  /** The operator of `+=` and its like. */
  private assignment = '';
  /** Above 0 inside the branch of && || ?: that isn't taken. */
  private skipping = 0;

  constructor(text: string, scope: ArithmeticScope, depth: number) {
    this.text = text;
    this.scope = scope;
    this.depth = depth;
  }

  run(): bigint {
    if (this.text.trim() === '' && this.scope.plain !== true) return 0n;
    this.read();
    const value = this.comma();
    if (this.token !== 'end') throw this.error('syntax error in expression');
    return value;
  }

  private error(message: string, from = this.tokenAt, end?: number): ArithmeticError {
    const shown = this.text.slice(0, end).replace(/^[ \t]+/, '');
    return new ArithmeticError(
      `${shown}: ${message} (error token is "${this.text.slice(from, end)}")`,
      this.text,
      message,
    );
  }

  // ── Tokens ──

  private read(): void {
    const { text } = this;
    while (isBlank(text[this.at])) this.at++;
    const c = text[this.at];
    if (c === undefined) {
      this.last = this.token;
      this.token = 'end';
      return;
    }
    this.tokenAt = this.at;
    if (isNameStart(c)) this.readName();
    else if (c >= '0' && c <= '9') this.readNumber();
    else this.readOperator(c);
  }

  private save(): State {
    const { token, last, at, value, target, skipping } = this;
    return { token, last, at, value, target, skipping };
  }

  private restore(state: State): void {
    this.token = state.token;
    this.last = state.last;
    this.at = state.at;
    this.value = state.value;
    this.target = state.target;
    this.skipping = state.skipping;
  }

  /** A name is looked up as it is read, unless an assignment to it follows. */
  private readName(): void {
    const { text } = this;
    const start = this.at;
    let end = start;
    while (isNameCharacter(text[end])) end++;
    const name = text.slice(start, end);
    let subscript: string | undefined;
    if (text[end] === '[') {
      const close = closingBracket(text, end);
      if (close === undefined) throw this.error('bad array subscript', start);
      subscript = text.slice(end + 1, close);
      end = close + 1;
    }
    this.target = { name, subscript };
    this.at = end;
    const state = this.save();
    const { tokenAt } = this;
    this.skipping = 1;
    this.token = 'name';
    this.read();
    const next = this.token;
    this.restore(state);
    this.tokenAt = tokenAt;
    const isRead = this.last === '++x' || this.last === '--x' || next !== '=';
    this.value = isRead ? this.lookUp(this.target) : 0n;
    this.last = this.token;
    this.token = 'name';
  }

  private lookUp({ name, subscript }: Name): bigint {
    if (this.skipping > 0) return 0n;
    const value = this.scope.get(name, subscript);
    return value === undefined || value === '' ? 0n : evaluateArithmetic(value, this.scope, this.depth + 1);
  }

  private readNumber(): void {
    const start = this.at;
    while (/[0-9A-Za-z#@_]/.test(this.text[this.at] ?? '')) this.at++;
    const value = parseNumber(this.text.slice(start, this.at));
    if (typeof value === 'string') throw this.error(value, start, this.at);
    this.value = value;
    this.last = this.token;
    this.token = 'number';
  }

  private readOperator(c: string): void {
    const { text } = this;
    const next = text[this.at + 1];
    let token: Token = c;
    const isPlain = this.scope.plain === true;
    const long = LONG_OPERATORS.find((each) => text.startsWith(each, this.at) && !(isPlain && each === '**'));
    if (long !== undefined) {
      this.at += long.length;
      token = long;
      if (long.length === 3) token = this.assigns(long.slice(0, 2));
    } else if ((c === '+' || c === '-') && next === c && !isPlain) {
      token = this.readDouble(c);
    } else if (ASSIGNMENTS.has(`${c}${next}`)) {
      this.at += 2;
      token = this.assigns(c);
    } else {
      if (!SINGLE_OPERATORS.includes(c) || (isPlain && c === ',')) {
        const operand = this.token !== 'name' && this.token !== 'number' && this.token !== '?:';
        throw this.error(
          operand ? 'syntax error: operand expected' : 'syntax error: invalid arithmetic operator',
        );
      }
      this.at++;
    }
    this.last = this.token;
    this.token = token;
  }

  private assigns(operator: string): Token {
    this.assignment = operator;
    return 'op=';
  }

  /** `++` and `--`: behind a name, before one, or just two signs. */
  private readDouble(c: string): Token {
    if (this.token === 'name') {
      this.at += 2;
      return `x${c}${c}`;
    }
    if (this.token === 'number' && (this.last === '++x' || this.last === '--x'))
      throw this.error(`${c}${c}: assignment requires lvalue`);
    let after = this.at + 2;
    while (isBlank(this.text[after])) after++;
    if (!isNameStart(this.text[after])) {
      this.at++;
      return c;
    }
    this.at += 2;
    return `${c}${c}x`;
  }

  // ── Grammar ──

  private is(token: Token): boolean {
    return this.token === token;
  }

  private comma(): bigint {
    let value = this.assign();
    while (this.token === ',') {
      this.read();
      value = this.assign();
    }
    return value;
  }

  private assign(): bigint {
    let value = this.conditional();
    if (this.token !== '=' && this.token !== 'op=') return value;
    const operator = this.token === '=' ? undefined : this.assignment;
    if (this.last !== 'name') throw this.error('attempted assignment to non-variable');
    const { target } = this;
    if (target === undefined) throw this.error('syntax error in variable assignment');
    const before = value;
    this.read();
    value = this.assign();
    if (operator !== undefined) {
      if ((operator === '/' || operator === '%') && value === 0n) {
        if (this.skipping === 0) throw this.error('division by 0');
        value = 1n;
      }
      value = BigInt.asIntN(64, calculate(operator, before, value));
    }
    if (this.skipping === 0) this.scope.set(target.name, target.subscript, value);
    this.target = undefined;
    return value;
  }

  private conditional(): bigint {
    const test = this.logicalOr();
    if (this.token !== '?') return test;
    const consequent = this.skipIf(test === 0n, () => {
      this.read();
      if (this.is('end') || this.is(':')) throw this.error('expression expected');
      return this.comma();
    });
    if (!this.is(':')) throw this.error("`:' expected for conditional expression");
    const alternate = this.skipIf(test !== 0n, () => {
      this.read();
      if (this.is('end')) throw this.error('expression expected');
      return this.conditional();
    });
    this.last = '?:';
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
    while (this.token === '||') {
      const right = this.skipIf(left !== 0n, () => {
        this.read();
        return this.logicalAnd();
      });
      left = left !== 0n || right !== 0n ? 1n : 0n;
      this.last = '||';
    }
    return left;
  }

  private logicalAnd(): bigint {
    let left = this.binary(0);
    while (this.token === '&&') {
      const right = this.skipIf(left === 0n, () => {
        this.read();
        return this.binary(0);
      });
      left = left !== 0n && right !== 0n ? 1n : 0n;
      this.last = '&&';
    }
    return left;
  }

  private binary(level: number): bigint {
    const operators = BINARY_LEVELS[level];
    if (operators === undefined) return this.power();
    let left = this.binary(level + 1);
    while (operators.includes(this.token)) {
      const operator = this.token;
      let from = this.at;
      this.read();
      let right = this.binary(level + 1);
      if ((operator === '/' || operator === '%') && right === 0n) {
        while (isBlank(this.text[from])) from++;
        if (this.skipping === 0) throw this.error('division by 0', from);
        right = 1n;
      }
      left = BigInt.asIntN(64, calculate(operator, left, right));
      this.last = 'number';
    }
    return left;
  }

  private power(): bigint {
    let base = this.unary();
    while (this.token === '**') {
      this.read();
      const exponent = this.power();
      this.last = 'number';
      if (exponent === 0n) return 1n;
      if (exponent < 0n) throw this.error('exponent less than 0');
      base = power(base, exponent);
    }
    return base;
  }

  private unary(): bigint {
    const operator = this.token;
    if (operator !== '!' && operator !== '~' && operator !== '-' && operator !== '+') return this.primary();
    this.read();
    const operand = this.unary();
    this.last = 'number';
    if (operator === '!') return operand === 0n ? 1n : 0n;
    if (operator === '~') return ~operand;
    return operator === '-' ? BigInt.asIntN(64, -operand) : operand;
  }

  private primary(): bigint {
    if (this.token === '++x' || this.token === '--x') return this.preIncrement();
    if (this.token === '(') {
      this.read();
      const value = this.comma();
      if (!this.is(')')) throw this.error("missing `)'");
      this.read();
      return value;
    }
    if (this.token !== 'number' && this.token !== 'name') throw this.error('syntax error: operand expected');
    const { value } = this;
    if (this.token === 'name') this.postIncrement(value);
    this.read();
    return value;
  }

  private preIncrement(): bigint {
    const operator = this.token;
    this.last = operator;
    this.read();
    if (this.token !== 'name') throw this.error('identifier expected after pre-increment or pre-decrement');
    const value = BigInt.asIntN(64, this.value + (operator === '++x' ? 1n : -1n));
    if (this.skipping === 0) this.scope.set(this.target!.name, this.target!.subscript, value);
    this.token = 'number';
    this.read();
    return value;
  }

  private postIncrement(before: bigint): void {
    const state = this.save();
    this.skipping = 1;
    this.read();
    const operator = this.token;
    if (operator !== 'x++' && operator !== 'x--') return this.restore(state);
    this.skipping = state.skipping;
    this.target = state.target;
    this.last = 'name';
    const value = BigInt.asIntN(64, before + (operator === 'x++' ? 1n : -1n));
    if (this.skipping === 0) this.scope.set(this.target!.name, this.target!.subscript, value);
    this.token = 'number';
  }
}

function isBlank(c: string | undefined): boolean {
  return c === ' ' || c === '\t' || c === '\n' || c === '\r';
}

function isNameStart(c: string | undefined): boolean {
  return c !== undefined && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_');
}

function isNameCharacter(c: string | undefined): boolean {
  return isNameStart(c) || (c !== undefined && c >= '0' && c <= '9');
}

function closingBracket(text: string, open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return i;
  }
  return undefined;
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
  if (/^(?:[1-9][0-9]{0,14}|0)$/.test(text)) return BigInt(text);
  let base = 10;
  let isKnown = true;
  let at = 0;
  if (/^0[xX]/.test(text)) {
    base = 16;
    at = 2;
  } else if (text.startsWith('0')) {
    base = 8;
    at = 1;
  } else {
    isKnown = false;
  }
  let value = 0n;
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (c === '#') {
      if (isKnown) return 'invalid number';
      if (value < 2n || value > 64n) return 'invalid arithmetic base';
      base = Number(value);
      value = 0n;
      isKnown = true;
      if (!/[0-9A-Za-z@_]/.test(text[at + 1] ?? '')) return 'invalid integer constant';
      continue;
    }
    const digit = digitOf(c, base);
    if (digit >= base) return 'value too great for base';
    value = BigInt.asIntN(64, value * BigInt(base) + BigInt(digit));
  }
  return value;
}

function digitOf(c: string, base: number): number {
  if (c >= '0' && c <= '9') return Number(c);
  if (c >= 'a' && c <= 'z') return c.charCodeAt(0) - 87;
  if (c >= 'A' && c <= 'Z') return c.charCodeAt(0) - (base <= 36 ? 55 : 29);
  return c === '@' ? 62 : 63;
}
