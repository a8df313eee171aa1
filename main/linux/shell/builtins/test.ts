// test and [.
import { compareNumbers, fileComparison, unaryTest } from '../conditional.ts';
import type { Shell } from '../shell.ts';
import { textual, type Builtin } from './support.ts';

/** A malformed test; `message` is bash's text behind `[: `. */
class TestError extends Error {}

const BINARY = new Set([
  '=',
  '==',
  '!=',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
]);
const UNARY = /^-[abcdefghknoprstuvwxzGLNORS]$/;

function testBuiltin(name: 'test' | '['): Builtin {
  return textual(async (shell, args) => {
    let words = args;
    if (name === '[') {
      if (words.at(-1) !== ']') {
        const ash = shell.dialect.name === 'ash';
        await shell.error(
          ash ? 'missing ]' : shell.dialect.name === 'dash' ? '[: missing ]' : "[: missing `]'",
        );
        return 2;
      }
      words = words.slice(0, -1);
    }
    try {
      return new Evaluation(shell, words).run() ? 0 : 1;
    } catch (error) {
      if (!(error instanceof TestError)) throw error;
      if (shell.dialect.name === 'ash') {
        const bad = /^(.*): integer expression expected$/s.exec(error.message)?.[1];
        await shell.error(bad === undefined ? `${words.at(-1)}: unknown operand` : `${bad}: bad number`);
        return 2;
      }
      await shell.error(
        `${name}: ${shell.dialect.name === 'dash' ? dashWords(error.message, words) : error.message}`,
      );
      return 2;
    }
  });
}

/** dash names the word it didn't expect, which is the first unless that was an operator's number. */
function dashWords(message: string, words: readonly string[]): string {
  const illegal = /^(.*): integer expression expected$/s.exec(message);
  if (illegal !== null) return `Illegal number: ${illegal[1]}`;
  return message.endsWith('unexpected operator') ? message : `${words.at(-1)}: ${message}`;
}

/** POSIX's rules by number of arguments, and a small grammar for more than four. */
class Evaluation {
  private readonly shell: Shell;
  private readonly words: readonly string[];
  private at = 0;

  constructor(shell: Shell, words: readonly string[]) {
    this.shell = shell;
    this.words = words;
  }

  run(): boolean {
    if (this.shell.dialect.name === 'dash') return this.asDash();
    const value = this.byCount(0, this.words.length);
    if (this.at < this.words.length) {
      const word = this.words[this.at]!;
      throw new TestError(
        word.startsWith('-') ? `syntax error: \`${word}' unexpected` : 'too many arguments',
      );
    }
    return value;
  }

  /** dash parses whatever the number of words, and names the last that it understood. */
  private asDash(): boolean {
    if (this.words.length === 0) return false;
    const value = this.or();
    if (this.at < this.words.length) throw new TestError(`${this.words[this.at - 1]}: unexpected operator`);
    return value;
  }

  private byCount(from: number, count: number): boolean {
    const [a, b, c, d] = this.words.slice(from, from + count);
    const done = (value: boolean): boolean => {
      this.at = from + count;
      return value;
    };
    if (count === 0) return done(false);
    if (count === 1) return done(a !== '');
    if (count === 2) {
      if (a === '!') return done(b === '');
      if (UNARY.test(a!)) return done(this.unary(a!, b!));
      throw new TestError(`${a}: unary operator expected`);
    }
    if (count === 3) {
      if (b === '==' && this.shell.dialect.name === 'dash') throw new TestError(`${a}: unexpected operator`);
      if (BINARY.has(b!)) return done(this.binary(a!, b!, c!));
      if (b === '-a') return done(a !== '' && c !== '');
      if (b === '-o') return done(a !== '' || c !== '');
      if (a === '!') return !this.byCount(from + 1, 2);
      if (a === '(' && c === ')') return done(b !== '');
      throw new TestError(`${b}: binary operator expected`);
    }
    if (count === 4) {
      if (a === '!') return !this.byCount(from + 1, 3);
      if (a === '(' && d === ')') {
        const value = this.byCount(from + 1, 2);
        return done(value);
      }
    }
    this.at = from;
    return this.or();
  }

  private or(): boolean {
    let value = this.and();
    while (this.words[this.at] === '-o') {
      this.at++;
      value = this.and() || value;
    }
    return value;
  }

  private and(): boolean {
    let value = this.term();
    while (this.words[this.at] === '-a') {
      this.at++;
      value = this.term() && value;
    }
    return value;
  }

  private term(): boolean {
    const word = this.words[this.at];
    if (word === undefined) throw new TestError('argument expected');
    if (word === '!') {
      this.at++;
      return !this.term();
    }
    if (word === '(') {
      this.at++;
      const value = this.or();
      if (this.words[this.at] !== ')') throw new TestError("`)' expected");
      this.at++;
      return value;
    }
    const operator = this.words[this.at + 1];
    const isOperator =
      operator !== undefined &&
      BINARY.has(operator) &&
      !(operator === '==' && this.shell.dialect.name === 'dash');
    if (isOperator && this.words[this.at + 2] !== undefined) {
      const value = this.binary(word, operator, this.words[this.at + 2]!);
      this.at += 3;
      return value;
    }
    if (UNARY.test(word) && operator !== undefined) {
      const value = this.unary(word, operator);
      this.at += 2;
      return value;
    }
    this.at++;
    return word !== '';
  }

  private unary(operator: string, operand: string): boolean {
    if (operator === '-t' && !/^\s*[0-9]+\s*$/.test(operand))
      throw new TestError(`${operand}: integer expression expected`);
    return unaryTest(this.shell, operator, operand) === true;
  }

  private binary(left: string, operator: string, right: string): boolean {
    switch (operator) {
      case '=':
      case '==':
        return left === right;
      case '!=':
        return left !== right;
      case '<':
        return left < right;
      case '>':
        return left > right;
      case '-nt':
      case '-ot':
      case '-ef':
        return fileComparison(this.shell, operator, left, right);
      default:
        return compareNumbers(operator, integer(left), integer(right));
    }
  }
}

function integer(text: string): bigint {
  if (!/^\s*[-+]?[0-9]+\s*$/.test(text)) throw new TestError(`${text}: integer expression expected`);
  return BigInt(text.trim().replace(/^\+/, ''));
}

export const testBuiltins: readonly (readonly [string, Builtin])[] = [
  ['test', testBuiltin('test')],
  ['[', testBuiltin('[')],
];
