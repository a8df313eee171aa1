// bc(1): GNU's calculator.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { LineReader } from '../frame/input.ts';
import { arctangent, bessel, cosine, exponential, logarithm, sine } from './bc-math.ts';
import {
  add,
  compare,
  digitCount,
  divide,
  formatNumber,
  fromInteger,
  modulo,
  multiply,
  negate,
  ONE,
  parseNumber,
  raise,
  rescale,
  squareRoot,
  ZERO,
  type BcNumber,
} from './bc-number.ts';
import {
  BcSyntaxError,
  isUnfinished,
  parseBc,
  type BcExpr,
  type BcFunction,
  type BcStatement,
} from './bc-parse.ts';

/** bc(1) */
export const bc: Program = command(
  {
    short: 'hilqswv',
    long: ['interactive>i', 'mathlib>l', 'quiet>q', 'standard>s', 'warn>w', 'version>v'],
    usage: '[options] [file ...]',
    help: "usage: {name} [options] [file ...]\n  -h  --help         print this usage and exit\n  -i  --interactive  force interactive mode\n  -l  --mathlib      use the predefined math routines\n  -q  --quiet        don't print initial banner\n  -s  --standard     non-standard bc constructs are errors\n  -w  --warn         warn about non-standard bc constructs\n  -v  --version      print version information and exit\n",
  },
  async (it) => {
    if (it.options.has('v')) {
      await it.out.put(
        'bc 1.07.1\nCopyright 1991-1994, 1997, 1998, 2000, 2004, 2006, 2008, 2012-2017 Free Software Foundation, Inc.\n',
      );
      return 0;
    }
    const machine = new Machine(it, it.options.has('l'));
    if (!it.options.has('q') && it.proc.stdin.tty !== undefined)
      await it.out.put(
        "bc 1.07.1\nCopyright 1991-1994, 1997, 1998, 2000, 2004, 2006, 2008, 2012-2017 Free Software Foundation, Inc.\nThis is free software with ABSOLUTELY NO WARRANTY.\nFor details type `warranty'.\n",
      );
    try {
      for (const path of [...it.operands, '-']) {
        let reader: LineReader;
        try {
          reader = new LineReader(it.open(path));
        } catch (error) {
          if (!(error instanceof ErrnoError)) throw error;
          await it.proc.stderr.write(`File ${path} is unavailable.\n`);
          return 1;
        }
        if (path !== '-') machine.reading = undefined;
        else machine.reading = reader;
        await machine.load(reader, path === '-' ? '(standard_in)' : path);
      }
    } catch (error) {
      if (!(error instanceof Halt)) throw error;
    }
    return 0;
  },
);

class Halt extends Error {}

/** A run-time error ends the line it is on. */
class RuntimeFailure extends Error {}

type Flow = 'break' | 'continue' | { readonly value: BcNumber } | undefined;

interface Frame {
  readonly values: Map<string, BcNumber>;
  readonly arrays: Map<string, Map<number, BcNumber>>;
}

class Machine {
  private readonly it: Invocation;
  private readonly functions = new Map<string, BcFunction>();
  private readonly frames: Frame[] = [{ values: new Map(), arrays: new Map() }];
  private readonly library: boolean;
  private readonly running: string[] = [];
  private scale = 0;
  private inputBase = 10;
  private outputBase = 10;
  private last: BcNumber = ZERO;
  private column = 0;
  /** Where read() reads from. */
  reading: LineReader | undefined;

  constructor(it: Invocation, library: boolean) {
    this.it = it;
    this.library = library;
    if (library) this.scale = 20;
  }

  async load(reader: LineReader, name: string): Promise<void> {
    let text = '';
    let number = 0;
    for (;;) {
      if (!reader.ready) await this.it.out.flush();
      const line = await reader.next();
      if (line === undefined && text === '') return;
      number++;
      text += line === undefined ? '' : `${line.text}\n`;
      if (line !== undefined && isUnfinished(text)) continue;
      const source = text;
      text = '';
      await this.runText(source, name, number);
      if (line === undefined) return;
    }
  }

  private async runText(source: string, name: string, line: number): Promise<void> {
    let program: { statements: BcStatement[]; functions: BcFunction[] };
    try {
      program = parseBc(source);
    } catch (error) {
      if (!(error instanceof BcSyntaxError)) throw error;
      await this.it.out.flush();
      const at = line - (source.replace(/\n$/, '').match(/\n/g)?.length ?? 0) + error.line - 1;
      await this.it.proc.stderr.write(`${name} ${at}: ${error.message}\n`);
      return;
    }
    for (const one of program.functions) this.functions.set(one.name, one);
    try {
      for (const one of program.statements) await this.exec(one);
    } catch (error) {
      if (!(error instanceof RuntimeFailure)) throw error;
      this.running.length = 0;
      this.frames.length = 1;
      await this.it.out.flush();
      await this.it.proc.stderr.write(`${error.message}\n`);
    }
  }

  private fail(message: string, adr: number): never {
    throw new RuntimeFailure(
      `Runtime error (func=${this.running.at(-1) ?? '(main)'}, adr=${adr}): ${message}`,
    );
  }

  private async exec(statement: BcStatement): Promise<Flow> {
    const paused = this.it.proc.cpu(0.002);
    if (paused !== undefined) await paused;
    switch (statement.kind) {
      case 'block':
        for (const one of statement.body) {
          const flow = await this.exec(one);
          if (flow !== undefined) return flow;
        }
        return undefined;
      case 'expression': {
        const value = await this.eval(statement.value);
        if (!statement.silent) {
          await this.show(value);
          await this.newline();
          this.last = value;
        }
        return undefined;
      }
      case 'string':
        await this.put(statement.text);
        return undefined;
      case 'print':
        for (const item of statement.items) {
          if (typeof item === 'string') await this.put(escaped(item));
          else {
            const value = await this.eval(item);
            await this.show(value);
            this.last = value;
          }
        }
        return undefined;
      case 'if':
        if (await this.holds(statement.test)) return this.exec(statement.yes);
        return statement.no === undefined ? undefined : this.exec(statement.no);
      case 'while':
        while (await this.holds(statement.test)) {
          const flow = await this.exec(statement.body);
          if (flow === 'break') break;
          if (flow !== undefined && flow !== 'continue') return flow;
        }
        return undefined;
      case 'for':
        if (statement.init !== undefined) await this.eval(statement.init);
        while (statement.test === undefined || (await this.holds(statement.test))) {
          const flow = await this.exec(statement.body);
          if (flow === 'break') break;
          if (flow !== undefined && flow !== 'continue') return flow;
          if (statement.step !== undefined) await this.eval(statement.step);
        }
        return undefined;
      case 'return':
        return { value: statement.value === undefined ? ZERO : await this.eval(statement.value) };
      case 'break':
      case 'continue':
        return statement.kind;
      case 'halt':
        throw new Halt();
      case 'text':
        await this.put(statement.text);
        return undefined;
    }
  }

  private async holds(test: BcExpr): Promise<boolean> {
    return (await this.eval(test)).digits !== 0n;
  }

  private async eval(expr: BcExpr): Promise<BcNumber> {
    switch (expr.kind) {
      case 'number':
        return parseNumber(expr.text, this.inputBase);
      case 'name':
        return this.variable(expr.name);
      case 'element':
        return this.array(expr.name).get(await this.index(expr.index, expr.adr)) ?? ZERO;
      case 'assign': {
        let value = await this.eval(expr.value);
        if (expr.op !== '=')
          value = this.arithmetic(expr.op.slice(0, -1), await this.eval(expr.target), value, expr.adr);
        return this.store(expr.target, value);
      }
      case 'step': {
        const old = await this.eval(expr.target);
        const next = add(old, fromInteger(expr.op === '++' ? 1 : -1));
        await this.store(expr.target, next);
        return expr.prefix ? next : old;
      }
      case 'unary': {
        const value = await this.eval(expr.operand);
        return expr.op === '-' ? negate(value) : value.digits === 0n ? ONE : ZERO;
      }
      case 'binary': {
        const left = await this.eval(expr.left);
        if (expr.op === '&&') return left.digits !== 0n && (await this.holds(expr.right)) ? ONE : ZERO;
        if (expr.op === '||') return left.digits !== 0n || (await this.holds(expr.right)) ? ONE : ZERO;
        const right = await this.eval(expr.right);
        if (expr.op === '^' && compare(right, rescale(right, 0)) !== 0) {
          await this.it.out.flush();
          await this.it.proc.stderr.write(
            `Runtime warning (func=${this.running.at(-1) ?? '(main)'}, adr=${expr.adr}): non-zero scale in exponent\n`,
          );
        }
        return this.arithmetic(expr.op, left, right, expr.adr);
      }
      case 'call':
        return this.call(expr);
    }
  }

  private arithmetic(op: string, a: BcNumber, b: BcNumber, adr: number): BcNumber {
    const truth = (holds: boolean): BcNumber => (holds ? ONE : ZERO);
    switch (op) {
      case '+':
        return add(a, b);
      case '-':
        return add(a, negate(b));
      case '*':
        return multiply(a, b, this.scale);
      case '/':
        return divide(a, b, this.scale) ?? this.fail('Divide by zero', adr);
      case '%':
        return modulo(a, b, this.scale) ?? this.fail('Modulo by zero', adr);
      case '^':
        return raise(a, rescale(b, 0).digits, this.scale) ?? this.fail('Divide by zero', adr);
      case '<':
        return truth(compare(a, b) < 0);
      case '<=':
        return truth(compare(a, b) <= 0);
      case '>':
        return truth(compare(a, b) > 0);
      case '>=':
        return truth(compare(a, b) >= 0);
      case '==':
        return truth(compare(a, b) === 0);
      default:
        return truth(compare(a, b) !== 0);
    }
  }

  private async index(expr: BcExpr, adr: number): Promise<number> {
    const value = rescale(await this.eval(expr), 0).digits;
    if (value < 0n || value > 16_777_215n) this.fail('Array index out of bounds', adr);
    return Number(value);
  }

  private variable(name: string): BcNumber {
    if (name === 'scale') return fromInteger(this.scale);
    if (name === 'ibase') return fromInteger(this.inputBase);
    if (name === 'obase') return fromInteger(this.outputBase);
    if (name === 'last') return this.last;
    for (let i = this.frames.length - 1; i >= 0; i--) {
      const value = this.frames[i]!.values.get(name);
      if (value !== undefined) return value;
    }
    return ZERO;
  }

  /** bc's variables are found in the functions that called, too (dynamic scope). */
  private array(name: string): Map<number, BcNumber> {
    for (let i = this.frames.length - 1; i >= 0; i--) {
      const cells = this.frames[i]!.arrays.get(name);
      if (cells !== undefined) return cells;
    }
    const cells = new Map<number, BcNumber>();
    this.frames[0]!.arrays.set(name, cells);
    return cells;
  }

  private async store(target: BcExpr, value: BcNumber): Promise<BcNumber> {
    if (target.kind === 'element') {
      this.array(target.name).set(await this.index(target.index, target.adr), value);
      return value;
    }
    if (target.kind !== 'name') return value;
    const whole = Number(rescale(value, 0).digits);
    switch (target.name) {
      case 'scale':
        this.scale = Math.max(0, whole);
        return value;
      case 'ibase':
        this.inputBase = Math.min(16, Math.max(2, whole));
        return value;
      case 'obase':
        this.outputBase = Math.max(2, whole);
        return value;
      case 'last':
        this.last = value;
        return value;
      default: {
        const frame = this.frames.findLast((one) => one.values.has(target.name)) ?? this.frames[0]!;
        frame.values.set(target.name, value);
        return value;
      }
    }
  }

  private async call(expr: BcExpr & { kind: 'call' }): Promise<BcNumber> {
    const { name, args } = expr;
    const argument = async (index: number): Promise<BcNumber> => {
      const arg = args[index];
      return arg === undefined || 'array' in arg ? ZERO : this.eval(arg);
    };
    switch (name) {
      case 'length':
        return fromInteger(digitCount(await argument(0)));
      case 'scale':
        return fromInteger((await argument(0)).scale);
      case 'sqrt':
        return (
          squareRoot(await argument(0), this.scale) ?? this.fail('Square root of a negative number', expr.adr)
        );
      case 'read':
        return this.read();
      default:
        break;
    }
    const known = this.functions.get(name);
    if (known !== undefined) return this.callFunction(known, args, expr.adr);
    const routine = this.library ? ROUTINES[name] : undefined;
    if (routine === undefined) return this.fail(`Function ${name} not defined.`, expr.adr);
    return routine(await argument(0), this.scale, await argument(1));
  }

  private async read(): Promise<BcNumber> {
    await this.it.out.flush();
    const line = await this.reading?.next();
    const text = line?.text.trim() ?? '';
    const match = /^(-?)([0-9A-F]*\.?[0-9A-F]*)/.exec(text)!;
    const value = parseNumber(match[2]!, this.inputBase);
    return match[1] === '-' ? negate(value) : value;
  }

  private async callFunction(
    known: BcFunction,
    args: (BcExpr | { readonly array: string })[],
    adr: number,
  ): Promise<BcNumber> {
    if (args.length !== known.parameters.length) this.fail('Parameter number mismatch', adr);
    if (this.frames.length > 3000) this.fail('Stack error.', adr);
    const frame: Frame = { values: new Map(), arrays: new Map() };
    for (const [index, parameter] of known.parameters.entries()) {
      const arg = args[index]!;
      if (parameter.array) {
        const cells = 'array' in arg ? this.array(arg.array) : new Map<number, BcNumber>();
        frame.arrays.set(parameter.name, parameter.reference ? cells : new Map(cells));
      } else frame.values.set(parameter.name, 'array' in arg ? ZERO : await this.eval(arg));
    }
    for (const local of known.locals) {
      if (local.array) frame.arrays.set(local.name, new Map());
      else frame.values.set(local.name, ZERO);
    }
    this.frames.push(frame);
    this.running.push(known.name);
    const flow = await this.exec(known.body);
    this.frames.pop();
    this.running.pop();
    return typeof flow === 'object' ? flow.value : ZERO;
  }

  // Output: lines of at most 69 characters, the rest after a backslash.

  private get lineLength(): number {
    const text = this.it.proc.env.get('BC_LINE_LENGTH');
    if (text === undefined || !/^\d+$/.test(text)) return 70;
    const length = Number(text);
    return length === 0 || length > 2 ? length : 70;
  }

  private async show(value: BcNumber): Promise<void> {
    const length = this.lineLength;
    let out = '';
    for (const c of formatNumber(value, this.outputBase)) {
      if (length !== 0 && this.column === length - 2) {
        out += '\\\n';
        this.column = 0;
      }
      out += c;
      this.column++;
    }
    await this.it.out.put(out);
  }

  private async newline(): Promise<void> {
    await this.it.out.put('\n');
    this.column = 0;
  }

  private async put(text: string): Promise<void> {
    await this.it.out.put(text);
    const at = text.lastIndexOf('\n');
    this.column = at < 0 ? this.column + text.length : text.length - at - 1;
  }
}

const ROUTINES: Readonly<Record<string, (x: BcNumber, scale: number, second: BcNumber) => BcNumber>> = {
  s: sine,
  c: cosine,
  a: arctangent,
  l: logarithm,
  e: exponential,
  j: (order, scale, x) => bessel(order, x, scale),
};

/** What a backslash means in print. */
function escaped(text: string): string {
  return text.replaceAll(
    /\\(.)/g,
    (_, c: string) =>
      ({ a: '\u0007', b: '\b', f: '\f', n: '\n', q: '"', r: '\r', t: '\t', '\\': '\\' })[c] ?? '',
  );
}
