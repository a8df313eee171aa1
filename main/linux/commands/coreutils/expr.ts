// expr(1)
import type { Program } from '../../kernel/index.ts';
import { compareNames } from '../frame/collate.ts';
import { command, Failure } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

/** expr(1): prints the value; status 1 for null or zero, 2 for a bad expression. */
export const expr: Program = command(
  {
    permute: false,
    usage: 'EXPRESSION',
    summary: 'Print the value of EXPRESSION to standard output.',
    version: '(GNU coreutils) 9.1',
    usageExit: 2,
    prepare: (args) =>
      args.length === 1 && /^--(?:help|version)$/.test(args[0]!)
        ? args
        : args[0] === '--'
          ? args
          : ['--', ...args],
  },
  async (it) => {
    if (it.operands.length === 0) {
      await it.proc.stderr.write(
        `${it.name}: missing operand\nTry '${it.name} --help' for more information.\n`,
      );
      return 2;
    }
    const value = new Parser(it.operands).parse();
    await it.out.line(value);
    return value === '' || /^-?0+$/.test(value) ? 1 : 0;
  },
);

const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['<', '<=', '=', '==', '!=', '>=', '>'],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

class Parser {
  private readonly args: readonly string[];
  private at = 0;
  constructor(args: readonly string[]) {
    this.args = args;
  }

  parse(): string {
    const value = this.level(0);
    if (this.at < this.args.length)
      throw new Failure(`syntax error: unexpected argument ${quote(this.args[this.at]!)}`, 2);
    return value;
  }

  private level(depth: number): string {
    const operators = LEVELS[depth];
    if (operators === undefined) return this.primary();
    let value = this.level(depth + 1);
    while (operators.includes(this.args[this.at] ?? '')) {
      const operator = this.args[this.at++]!;
      value = calculate(operator, value, this.level(depth + 1));
    }
    return value;
  }

  private primary(): string {
    const arg = this.take();
    if (arg === '(') {
      const value = this.level(0);
      const next = this.args[this.at];
      if (next === undefined)
        throw new Failure(`syntax error: expecting ')' after ${quote(this.args[this.at - 1]!)}`, 2);
      if (next !== ')') throw new Failure(`syntax error: expecting ')' instead of ${quote(next)}`, 2);
      this.at++;
      return value;
    }
    if (arg === ')') throw new Failure("syntax error: unexpected ')'", 2);
    if (arg === '+') return this.take();
    if (arg === 'length') return String([...this.primary()].length);
    if (arg === 'match') return matchText(this.primary(), this.primary());
    if (arg === 'index') {
      const text = [...this.primary()];
      const wanted = new Set(this.primary());
      return String(text.findIndex((c) => wanted.has(c)) + 1);
    }
    if (arg === 'substr') {
      const text = [...this.primary()];
      const from = Number(this.primary());
      const length = Number(this.primary());
      return from > 0 && length > 0 ? text.slice(from - 1, from - 1 + length).join('') : '';
    }
    return arg;
  }

  private take(): string {
    const arg = this.args[this.at];
    if (arg === undefined)
      throw new Failure(`syntax error: missing argument after ${quote(this.args[this.at - 1]!)}`, 2);
    this.at++;
    return arg;
  }
}

function isNull(value: string): boolean {
  return value === '' || /^-?0+$/.test(value);
}

function calculate(operator: string, a: string, b: string): string {
  if (operator === '|') return isNull(a) ? (isNull(b) ? '0' : b) : a;
  if (operator === '&') return isNull(a) || isNull(b) ? '0' : a;
  if (operator === ':') return matchText(a, b);
  const numeric = /^-?\d+$/.test(a) && /^-?\d+$/.test(b);
  if (LEVELS[2]!.includes(operator)) {
    const order = numeric
      ? Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b))
      : compareNames(a, b);
    const truth = {
      '<': order < 0,
      '<=': order <= 0,
      '=': order === 0,
      '==': order === 0,
      '!=': order !== 0,
      '>=': order >= 0,
      '>': order > 0,
    }[operator];
    return truth === true ? '1' : '0';
  }
  if (!numeric) throw new Failure('non-integer argument', 2);
  const [x, y] = [BigInt(a), BigInt(b)];
  if (operator === '+') return String(x + y);
  if (operator === '-') return String(x - y);
  if (operator === '*') return String(x * y);
  if (y === 0n) throw new Failure('division by zero', 2);
  return String(operator === '/' ? x / y : x % y);
}

function matchText(text: string, pattern: string): string {
  let regex: RegExp;
  try {
    regex = compileRegex(pattern.replace(/^\^/, ''), { syntax: 'basic', global: false });
  } catch (error) {
    if (error instanceof RegexError) throw new Failure(error.message, 2);
    throw error;
  }
  const match = new RegExp(`^(?:${regex.source})`, 'u').exec(text);
  const groups = /\\\(/.test(pattern);
  if (match === null) return groups ? '' : '0';
  return groups ? (match[1] ?? '') : String([...match[0]].length);
}
