// test(1) and [(1)
import type { FileStat, Process, Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { lstatOf, statOf } from './files.ts';

/** test(1): 0 true, 1 false, 2 an error. */
export const test: Program = command(
  { permute: false, usageExit: 2, prepare: (args) => ['--', ...args] },
  async (it) => {
    const args = [...it.operands];
    if (it.name.endsWith('[')) {
      if (args.pop() !== ']') throw new Failure('missing ‘]’', 2);
    }
    if (args.length === 0) return 1;
    const parser = new Parser(it.proc, args);
    const value = parser.or();
    parser.end();
    return value ? 0 : 1;
  },
);

const UNARY = /^-[bcdefghknoprstuvwxzGLNOS]$/;
const BINARY = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

class Parser {
  private readonly proc: Process;
  private readonly args: readonly string[];
  private at = 0;

  constructor(proc: Process, args: readonly string[]) {
    this.proc = proc;
    this.args = args;
  }

  end(): void {
    if (this.at < this.args.length) throw new Failure(`extra argument ${quote(this.args[this.at]!)}`, 2);
  }

  or(): boolean {
    let value = this.and();
    while (this.args[this.at] === '-o' && this.at + 1 < this.args.length) {
      this.at++;
      value = this.and() || value;
    }
    return value;
  }

  private and(): boolean {
    let value = this.term();
    while (this.args[this.at] === '-a' && this.at + 1 < this.args.length) {
      this.at++;
      value = this.term() && value;
    }
    return value;
  }

  private term(): boolean {
    const left = this.args.length - this.at;
    const [a, b, c] = this.args.slice(this.at);
    if (a === undefined)
      throw new Failure(`missing argument after ${quote(this.args[this.at - 1] ?? '')}`, 2);
    if (left >= 3 && BINARY.test(b!)) {
      this.at += 3;
      return this.binary(a, b!, c!);
    }
    if (a === '!' && left >= 2) {
      this.at++;
      return !this.term();
    }
    if (a === '(' && left >= 3) {
      this.at++;
      const value = this.or();
      if (this.args[this.at] !== ')') throw new Failure("')' expected", 2);
      this.at++;
      return value;
    }
    if (UNARY.test(a) && left >= 2) {
      this.at += 2;
      return this.unary(a, b!);
    }
    this.at++;
    if (left === 2 && this.at === 1 && b !== undefined && !a.startsWith('-'))
      throw new Failure(`missing argument after ${quote(b)}`, 2);
    if (left === 3 && this.at === 1 && !/^-[ao]$/.test(b!))
      throw new Failure(`${quote(b!)}: binary operator expected`, 2);
    if (left >= 2 && a.startsWith('-') && a.length === 2 && left === 2)
      throw new Failure(`${quote(a)}: unary operator expected`, 2);
    return a !== '';
  }

  private binary(a: string, operator: string, b: string): boolean {
    const { fs } = this.proc;
    switch (operator) {
      case '=':
      case '==':
        return a === b;
      case '!=':
        return a !== b;
      case '<':
        return a < b;
      case '>':
        return a > b;
      case '-nt':
        return (statOf(fs, a)?.modifyMs ?? -1) > (statOf(fs, b)?.modifyMs ?? -1);
      case '-ot':
        return (statOf(fs, a)?.modifyMs ?? Infinity) < (statOf(fs, b)?.modifyMs ?? -1);
      case '-ef': {
        const [x, y] = [statOf(fs, a), statOf(fs, b)];
        return x !== undefined && y !== undefined && x.inode === y.inode && x.device === y.device;
      }
    }
    const [x, y] = [integer(a), integer(b)];
    switch (operator) {
      case '-eq':
        return x === y;
      case '-ne':
        return x !== y;
      case '-lt':
        return x < y;
      case '-le':
        return x <= y;
      case '-gt':
        return x > y;
      default:
        return x >= y;
    }
  }

  private unary(operator: string, text: string): boolean {
    const { fs, fds, credentials } = this.proc;
    if (operator === '-z') return text === '';
    if (operator === '-n') return text !== '';
    if (operator === '-t') return fds.get(integer(text))?.tty !== undefined;
    if (operator === '-h' || operator === '-L') return lstatOf(fs, text)?.type === 'symlink';
    if (operator === '-r') return fs.exists(text) && fs.access(text, { read: true });
    if (operator === '-w') return fs.exists(text) && fs.access(text, { write: true });
    if (operator === '-x') return fs.exists(text) && fs.access(text, { execute: true });
    const stat = statOf(fs, text);
    return stat !== undefined && holds(operator, stat, credentials.uid, credentials.gid);
  }
}

function holds(operator: string, stat: FileStat, uid: number, gid: number): boolean {
  switch (operator) {
    case '-b':
      return stat.type === 'block-device';
    case '-c':
      return stat.type === 'character-device';
    case '-d':
      return stat.type === 'directory';
    case '-e':
      return true;
    case '-f':
      return stat.type === 'file';
    case '-g':
      return (stat.mode & 0o2000) !== 0;
    case '-k':
      return (stat.mode & 0o1000) !== 0;
    case '-p':
      return stat.type === 'fifo';
    case '-s':
      return stat.sizeBytes > 0;
    case '-S':
      return stat.type === 'socket';
    case '-u':
      return (stat.mode & 0o4000) !== 0;
    case '-O':
      return stat.uid === uid;
    case '-G':
      return stat.gid === gid;
    case '-N':
      return stat.modifyMs > stat.accessMs;
    default:
      return false;
  }
}

function integer(text: string): number {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new Failure(`invalid integer ${quote(text)}`, 2);
  return Number(text);
}
