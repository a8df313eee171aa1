// awk(1), with gawk's functions and messages.
import { ErrnoError } from '../../../network/index.ts';
import { ProcessExit, type Child, type OpenFile, type Process, type Program } from '../../kernel/index.ts';
import { runChild, signalNumber, statusNumber } from '../frame/child.ts';
import { readAllText } from '../frame/input.ts';
import { formatNumber } from '../frame/number-format.ts';
import { Output } from '../frame/output.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { wallToInstant } from '../frame/zone.ts';
import { bytesToText, byteToText, textToBytes } from '../../shell/index.ts';
import { RecordReader, type AwkRecord } from './awk-records.ts';
import {
  AwkSyntaxError,
  parseAwk,
  type AwkFunction,
  type AwkProgram,
  type Expr,
  type Rule,
  type Statement,
} from './awk-parse.ts';

/** A value: a number, a string, or a string from input that counts as a number if it looks like one. */
type Value = number | string | StrNum | undefined;

class StrNum {
  readonly text: string;
  readonly number: number | undefined;
  constructor(text: string) {
    this.text = text;
    this.number = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(text) ? Number(text) : undefined;
  }
}

type Cells = Map<string, Value>;

class Jump extends Error {
  readonly what: 'break' | 'continue' | 'next' | 'nextfile' | 'exit' | 'return';
  readonly value: Value;
  constructor(what: Jump['what'], value?: Value) {
    super(what);
    this.what = what;
    this.value = value;
  }
}

class AwkError extends Error {}

/** A command at the other end of a pipe. */
interface Pipe {
  readonly child: Child;
  readonly fd: number;
  readonly file: OpenFile;
  readonly reader?: RecordReader;
}

/** awk(1) */
export const awk: Program = async (proc) => {
  const args = proc.argv.slice(1);
  const name = proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
  const assignments: string[] = [];
  const sources: string[] = [];
  let separator: string | undefined;
  while (args[0]?.startsWith('-') === true && args[0] !== '-') {
    const arg = args.shift()!;
    if (arg === '--') break;
    const take = (prefix: string): string =>
      arg.length > prefix.length ? arg.slice(prefix.length) : (args.shift() ?? '');
    if (arg === '--version' || arg === '-V') {
      await proc.stdout.write('GNU Awk 5.2.1, API 3.2, PMA Avon 8-g1, (GNU MPFR 4.2.0, GNU MP 6.2.1)\n');
      return 0;
    }
    if (arg.startsWith('-F')) separator = take('-F');
    else if (arg.startsWith('--field-separator=')) separator = arg.slice('--field-separator='.length);
    else if (arg.startsWith('-v')) assignments.push(take('-v'));
    else if (arg.startsWith('--assign=')) assignments.push(arg.slice('--assign='.length));
    else if (arg.startsWith('-f')) {
      const path = take('-f');
      try {
        sources.push(path === '-' ? await readAllText(proc.stdin) : bytesToText(proc.fs.readFile(path)));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await proc.stderr.write(
          `${name}: fatal: cannot open source file \`${path}' for reading: ${error.message}\n`,
        );
        return 2;
      }
    } else if (arg.startsWith('-e')) sources.push(take('-e'));
  }
  if (sources.length === 0) {
    const program = args.shift();
    if (program === undefined) {
      await proc.stderr.write(
        `Usage: ${name} [POSIX or GNU style options] -f progfile [--] file ...\nUsage: ${name} [POSIX or GNU style options] [--] 'program' file ...\n`,
      );
      return 1;
    }
    sources.push(program);
  }
  const source = sources.join('\n');
  let program: AwkProgram;
  try {
    program = parseAwk(source);
  } catch (error) {
    if (!(error instanceof AwkSyntaxError)) throw error;
    const before = source.slice(0, error.at);
    const line = before.split('\n').length;
    const text = source.split('\n')[line - 1] ?? '';
    const column = before.length - (before.lastIndexOf('\n') + 1);
    await proc.stderr.write(
      `${name}: cmd. line:${line}: ${text}\n${name}: cmd. line:${line}: ${' '.repeat(column)}^ ${error.message}\n`,
    );
    return 1;
  }
  const machine = new Machine(proc, name, program, args);
  if (separator !== undefined) machine.set('FS', unescape(separator));
  for (const assignment of assignments) {
    const variable = /^[A-Za-z_]\w*(?==)/.exec(assignment);
    if (variable === null) {
      const left = assignment.replace(/=.*/s, '');
      await proc.stderr.write(
        assignment.includes('=')
          ? `${name}: fatal: \`${left}' is not a legal variable name\n`
          : `${name}: fatal: \`${assignment}' argument to \`-v' not in \`var=value' form\n`,
      );
      return 2;
    }
    machine.assign(assignment);
  }
  return machine.run();
};

function unescape(text: string): string {
  return text.replaceAll(
    /\\([ntr\\"/])/g,
    (_, c: string) => ({ n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/' })[c]!,
  );
}

class Machine {
  private readonly proc: Process;
  private readonly name: string;
  private readonly program: AwkProgram;
  private readonly out: Output;
  private readonly globals = new Map<string, Value>();
  private readonly arrays = new Map<string, Cells>();
  private frames: { values: Map<string, Value>; arrays: Map<string, Cells> }[] = [];
  private record = '';
  private fields: Value[] | undefined;
  private recordStale = false;
  private reader: RecordReader | undefined;
  private operandIndex = 0;
  private usedOperand = false;
  private ended = false;
  private readonly files = new Map<string, OpenFile>();
  private readonly inputs = new Map<string, RecordReader>();
  /** Commands that print to (`>`) or read from (`|`) runs. */
  private readonly pipes = new Map<string, Pipe>();
  private readonly regexes = new Map<string, RegExp>();
  private seed = 1;
  private randomState = this.seedState(0);
  private exitCode = 0;

  constructor(proc: Process, name: string, program: AwkProgram, operands: string[]) {
    this.proc = proc;
    this.name = name;
    this.program = program;
    this.out = new Output(proc, proc.stdout);
    for (const [key, value] of Object.entries({
      FS: ' ',
      OFS: ' ',
      ORS: '\n',
      RS: '\n',
      NR: 0,
      FNR: 0,
      NF: 0,
      SUBSEP: '\u001c',
      CONVFMT: '%.6g',
      OFMT: '%.6g',
      RSTART: 0,
      RLENGTH: -1,
      FILENAME: '',
      IGNORECASE: 0,
    }))
      this.globals.set(key, value);
    this.arrays.set('ENVIRON', new Map([...proc.env].map(([key, value]) => [key, new StrNum(value)])));
    this.arrays.set(
      'ARGV',
      new Map([name, ...operands].map((arg, index) => [String(index), new StrNum(arg)])),
    );
    this.globals.set('ARGC', operands.length + 1);
  }

  set(name: string, value: Value): void {
    this.globals.set(name, value);
  }

  /** `-v x=y` and operands of that form. */
  assign(text: string): void {
    const equals = text.indexOf('=');
    this.globals.set(text.slice(0, equals), new StrNum(unescape(text.slice(equals + 1))));
  }

  async run(): Promise<number> {
    try {
      this.checkCalls();
      try {
        for (const rule of this.program.rules) if (rule.kind === 'BEGIN') await this.exec(rule.body!);
        if (this.program.rules.some((rule) => rule.kind !== 'BEGIN')) await this.records();
      } catch (error) {
        if (!(error instanceof Jump) || error.what !== 'exit') throw error;
        if (error.value !== undefined) this.exitCode = this.number(error.value) & 0xff;
      }
      try {
        for (const rule of this.program.rules) if (rule.kind === 'END') await this.exec(rule.body!);
      } catch (error) {
        if (!(error instanceof Jump) || error.what !== 'exit') throw error;
        if (error.value !== undefined) this.exitCode = this.number(error.value) & 0xff;
      }
      await this.closeAll();
      return this.exitCode;
    } catch (error) {
      if (error instanceof ProcessExit) throw error;
      await this.out.flush();
      if (error instanceof AwkError || error instanceof RegexError) {
        await this.proc.stderr.write(
          `${this.name}: ${error instanceof AwkError ? error.message : `cmd. line:1: fatal: ${error.message}`}\n`,
        );
        return /^cmd\. line:\d+: error:/.test(error.message) ? 1 : 2;
      }
      if (error instanceof ErrnoError) {
        await this.proc.stderr.write(`${this.name}: fatal: ${error.message}\n`);
        return 2;
      }
      throw error;
    }
  }

  private checkCalls(): void {
    const known = new Set([
      'length',
      'substr',
      'index',
      'split',
      'sub',
      'gsub',
      'gensub',
      'match',
      'sprintf',
      'sin',
      'cos',
      'atan2',
      'exp',
      'log',
      'sqrt',
      'int',
      'rand',
      'srand',
      'tolower',
      'toupper',
      'system',
      'close',
      'fflush',
      'systime',
      'strftime',
      'mktime',
      'asort',
      'asorti',
      'and',
      'or',
      'xor',
      'lshift',
      'rshift',
      'strtonum',
      'isarray',
      'typeof',
      'patsplit',
      'compl',
      'mkbool',
    ]);
    const visit = (node: unknown): void => {
      if (Array.isArray(node)) for (const one of node) visit(one);
      else if (typeof node === 'object' && node !== null && !(node instanceof Map)) {
        const expr = node as { kind?: string; name?: string };
        if (expr.kind === 'call' && !known.has(expr.name!) && !this.program.functions.has(expr.name!))
          throw new AwkError(`cmd. line:1: fatal: function \`${expr.name}' not defined`);
        for (const value of Object.values(node)) visit(value);
      }
    };
    visit(this.program.rules);
    visit([...this.program.functions.values()]);
  }

  // Input.

  private async records(): Promise<void> {
    for (;;) {
      const text = await this.nextRecord();
      if (text === undefined) return;
      this.setRecord(text);
      this.globals.set('NR', this.number(this.globals.get('NR')) + 1);
      this.globals.set('FNR', this.number(this.globals.get('FNR')) + 1);
      try {
        for (const rule of this.program.rules)
          if (rule.kind === 'pattern' && (await this.selects(rule))) {
            if (rule.body === undefined)
              await this.emit(`${this.text0()}${this.string(this.globals.get('ORS'))}`);
            else await this.exec(rule.body);
          }
      } catch (error) {
        if (!(error instanceof Jump) || (error.what !== 'next' && error.what !== 'nextfile')) throw error;
        if (error.what === 'nextfile') this.reader = undefined;
      }
      const paused = this.proc.cpu(0.002);
      if (paused !== undefined) await paused;
    }
  }

  private async selects(rule: Rule): Promise<boolean> {
    if (rule.from === undefined) return true;
    if (rule.to === undefined) return this.truth(await this.eval(rule.from));
    if (!rule.active) {
      if (!this.truth(await this.eval(rule.from))) return false;
      rule.active = true;
    }
    if (this.truth(await this.eval(rule.to))) rule.active = false;
    return true;
  }

  private async nextRecord(): Promise<string | undefined> {
    for (;;) {
      if (this.reader === undefined) {
        if (this.fileOpen) await this.endFile();
        if (!this.openNext()) {
          if (this.unreadable !== undefined) await this.reportUnreadable();
          if (this.ended) return undefined;
          continue;
        }
        this.fileOpen = true;
        await this.runRules('BEGINFILE');
        continue;
      }
      if (!this.reader!.ready) await this.out.flush();
      const text = await this.readFrom(this.reader!);
      if (text !== undefined) return text;
      this.reader = undefined;
    }
  }

  private async readFrom(reader: RecordReader): Promise<string | undefined> {
    const rs = this.string(this.globals.get('RS'));
    const record: AwkRecord | undefined = await reader.next(rs.length > 1 ? this.regex(rs) : rs);
    if (record !== undefined) this.globals.set('RT', record.terminator);
    return record?.text;
  }

  private unreadable: string | undefined;
  /** BEGINFILE has run and ENDFILE has not. */
  private fileOpen = false;

  private async endFile(): Promise<void> {
    this.fileOpen = false;
    await this.runRules('ENDFILE');
  }

  private async runRules(kind: Rule['kind']): Promise<void> {
    for (const rule of this.program.rules) if (rule.kind === kind) await this.exec(rule.body!);
  }

  /** A file that can't be opened is fatal; a directory is skipped with a warning. */
  private async reportUnreadable(): Promise<void> {
    const reason = this.unreadable!;
    this.unreadable = undefined;
    if (reason.startsWith('cannot')) throw new AwkError(`fatal: ${reason}`);
    await this.out.flush();
    await this.proc.stderr.write(`${this.name}: warning: ${reason}\n`);
  }

  private openNext(): boolean {
    const argc = this.number(this.globals.get('ARGC'));
    while (this.operandIndex + 1 < argc) {
      const operand = this.string(this.arrays.get('ARGV')!.get(String(++this.operandIndex)));
      if (operand === '') continue;
      if (/^[A-Za-z_]\w*=/.test(operand)) {
        this.assign(operand);
        continue;
      }
      this.usedOperand = true;
      try {
        const file =
          operand === '-' || operand === '/dev/stdin' ? this.proc.stdin : this.proc.fs.open(operand);
        if (file.kind === 'directory' || file.stat().type === 'directory') {
          this.unreadable = `command line argument \`${operand}' is a directory: skipped`;
          return false;
        }
        this.reader = new RecordReader(file);
        this.globals.set('FILENAME', operand);
        this.globals.set('FNR', 0);
        return true;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        this.unreadable = `cannot open file \`${operand}' for reading: ${error.message}`;
        return false;
      }
    }
    if (this.usedOperand || this.ended) {
      this.ended = true;
      return false;
    }
    this.usedOperand = true;
    this.reader = new RecordReader(this.proc.stdin);
    return true;
  }

  // The record and its fields.

  private setRecord(text: string): void {
    this.record = text;
    this.fields = undefined;
    this.recordStale = false;
  }

  private split(text: string, separator: string): string[] {
    if (text === '') return [];
    if (separator === ' ')
      return text
        .replace(/^[ \t\n]+|[ \t\n]+$/g, '')
        .split(/[ \t\n]+/)
        .filter((part, _, all) => !(all.length === 1 && part === ''));
    if (separator === '') return [...text];
    if (separator === '\\') return text.split('\\');
    if (separator.length === 1 && separator !== '\\') {
      if (separator === '\t' || !/[.^$*+?()[\]{}|]/.test(separator)) return text.split(separator);
      return text.split(separator);
    }
    return splitRegex(text, this.regex(separator));
  }

  private field(): Value[] {
    if (this.fields === undefined && this.splitting !== 'FS') {
      this.fields = (this.splitting === 'FPAT' ? this.patternFields() : this.fixedWidths()).map(
        (part) => new StrNum(part),
      );
    }
    if (this.fields === undefined) {
      let fs = this.string(this.globals.get('FS'));
      if (this.string(this.globals.get('RS')) === '' && fs !== ' ')
        fs = `${fs.length === 1 ? `[${fs}]` : fs}|\n`;
      this.fields = this.split(this.record, fs).map((part) => new StrNum(part));
    }
    return this.fields;
  }

  /** Which of FS, FPAT and FIELDWIDTHS was set last. */
  private splitting: 'FS' | 'FPAT' | 'FIELDWIDTHS' = 'FS';

  private patternFields(): string[] {
    if (this.record === '') return [];
    const parts: string[] = [];
    let end = -1;
    for (const found of this.record.matchAll(this.regex(this.string(this.globals.get('FPAT'))))) {
      if (found[0] === '' && found.index === end) continue; // The separator after a field is no empty field.
      parts.push(found[0]);
      end = found[0] === '' ? -1 : found.index + found[0].length;
    }
    return parts;
  }

  private fixedWidths(): string[] {
    const parts: string[] = [];
    const letters = [...this.record];
    let at = 0;
    for (const width of this.string(this.globals.get('FIELDWIDTHS')).trim().split(/\s+/)) {
      const [, skip = '0', count = '*'] = /^(?:(\d+):)?(\d+|\*)$/.exec(width) ?? [];
      at += Number(skip);
      if (at >= letters.length) break;
      const end = count === '*' ? letters.length : at + Number(count);
      parts.push(letters.slice(at, end).join(''));
      at = end;
    }
    return parts;
  }

  private text0(): string {
    if (this.recordStale) {
      this.record = this.fields!.map((value) => this.string(value)).join(
        this.string(this.globals.get('OFS')),
      );
      this.recordStale = false;
    }
    return this.record;
  }

  /** Where in the input a run stands, as gawk's fatal messages show it. */
  private place(): string {
    const fnr = this.number(this.globals.get('FNR'));
    const file = this.string(this.globals.get('FILENAME'));
    return fnr === 0 ? '' : `(FILENAME=${file === '' ? '-' : file} FNR=${fnr}) `;
  }

  private getField(index: number): Value {
    if (index === 0) return new StrNum(this.text0());
    if (index < 0) throw new AwkError(`cmd. line:1: ${this.place()}fatal: attempt to access field ${index}`);
    return this.field()[index - 1] ?? (index > this.field().length ? undefined : '');
  }

  private setField(index: number, value: Value): void {
    if (index === 0) {
      this.setRecord(this.string(value));
      return;
    }
    const fields = this.field();
    while (fields.length < index) fields.push('');
    fields[index - 1] = value;
    this.recordStale = true;
  }

  // Values.

  private number(value: Value): number {
    if (typeof value === 'number') return value;
    if (value === undefined) return 0;
    const text = typeof value === 'string' ? value : value.text;
    if (value instanceof StrNum && value.number !== undefined) return value.number;
    const match = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(text);
    return match === null ? 0 : Number(match[0]);
  }

  private string(value: Value, format = 'CONVFMT'): string {
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    if (value instanceof StrNum) return value.text;
    if (Number.isInteger(value) && Math.abs(value) < 1e16) return String(value === 0 ? 0 : value);
    if (!Number.isFinite(value)) return Number.isNaN(value) ? '-nan' : value > 0 ? '+inf' : '-inf';
    if (Number.isInteger(value)) return BigInt(value).toString();
    return this.sprintf(this.string(this.globals.get(format)), [value]);
  }

  private truth(value: Value): boolean {
    if (value === undefined) return false;
    if (typeof value === 'number') return value !== 0;
    if (typeof value === 'string') return value !== '';
    return value.number === undefined ? value.text !== '' : value.number !== 0;
  }

  private compare(a: Value, b: Value): number {
    const numeric = (value: Value): boolean =>
      typeof value === 'number' ||
      value === undefined ||
      (value instanceof StrNum && value.number !== undefined);
    if (numeric(a) && numeric(b)) return this.number(a) - this.number(b);
    const [x, y] = [this.string(a), this.string(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }

  private regex(source: string): RegExp {
    const key = `${this.truth(this.globals.get('IGNORECASE')) ? 'i' : ''}/${source}`;
    let regex = this.regexes.get(key);
    if (regex === undefined)
      this.regexes.set(
        key,
        (regex = compileRegex(source, { syntax: 'extended', ignoreCase: key.startsWith('i') })),
      );
    regex.lastIndex = 0;
    return regex;
  }

  private async patternOf(expr: Expr): Promise<RegExp> {
    return this.regex(expr.kind === 'regex' ? expr.source : this.string(await this.eval(expr)));
  }

  private get frame(): { values: Map<string, Value>; arrays: Map<string, Cells> } | undefined {
    return this.frames.at(-1);
  }

  private getVariable(name: string): Value {
    if (name === 'NF') return this.field().length;
    const { frame } = this;
    return frame?.values.has(name) === true ? frame.values.get(name) : this.globals.get(name);
  }

  private setVariable(name: string, value: Value): void {
    const { frame } = this;
    if (frame?.values.has(name) === true) frame.values.set(name, value);
    else if (name === 'NF') {
      const fields = this.field();
      const count = this.number(value);
      while (fields.length < count) fields.push('');
      fields.length = count;
      this.recordStale = true;
    } else {
      this.globals.set(name, value);
      if (name === 'FS' || name === 'FPAT' || name === 'FIELDWIDTHS') this.splitting = name;
    }
  }

  private array(name: string): Cells {
    const { frame } = this;
    if (frame?.values.has(name) === true || frame?.arrays.has(name) === true) {
      let cells = frame.arrays.get(name);
      if (cells === undefined) frame.arrays.set(name, (cells = new Map()));
      return cells;
    }
    let cells = this.arrays.get(name);
    if (cells === undefined) this.arrays.set(name, (cells = new Map()));
    return cells;
  }

  /** As `for (k in a)` goes: by PROCINFO["sorted_in"], else whole numbers in order after all others. */
  private keysInOrder(cells: Cells): string[] {
    const keys = [...cells.keys()];
    const how = this.string(this.arrays.get('PROCINFO')?.get('sorted_in'));
    const by = /^@(ind|val)_(str|num|type)_(asc|desc)$/.exec(how);
    if (by !== null) {
      const valued = by[1] === 'val';
      const text = (key: string): string => (valued ? this.string(cells.get(key)) : key);
      const order = (a: string, b: string): number =>
        by[2] === 'num'
          ? this.number(valued ? cells.get(a) : new StrNum(a)) -
            this.number(valued ? cells.get(b) : new StrNum(b))
          : by[2] === 'type' && valued
            ? this.compare(cells.get(a), cells.get(b))
            : compareTexts(text(a), text(b));
      keys.sort((a, b) => order(a, b) || compareTexts(a, b));
      return by[3] === 'desc' ? keys.reverse() : keys;
    }
    const whole = (key: string): boolean => /^(?:0|[1-9]\d{0,8})$/.test(key);
    const numbers = keys.filter(whole);
    if (numbers.length === 0) return keys;
    return [...keys.filter((key) => !whole(key)), ...numbers.toSorted((a, b) => Number(a) - Number(b))];
  }

  private async key(keys: readonly Expr[]): Promise<string> {
    const parts: string[] = [];
    for (const one of keys) parts.push(this.string(await this.eval(one)));
    return parts.join(this.string(this.globals.get('SUBSEP')));
  }

  // Expressions.

  private async eval(expr: Expr): Promise<Value> {
    switch (expr.kind) {
      case 'number':
        return expr.value;
      case 'string':
        return expr.value;
      case 'regex':
        return Number(this.regex(expr.source).test(this.text0()));
      case 'name':
        return this.getVariable(expr.name);
      case 'field':
        return this.getField(this.number(await this.eval(expr.index)));
      case 'index': {
        const [cells, key] = [this.array(expr.name), await this.key(expr.keys)];
        if (!cells.has(key)) cells.set(key, undefined);
        return cells.get(key);
      }
      case 'group':
        return expr.items.length === 1 ? this.eval(expr.items[0]!) : this.key(expr.items);
      case 'conditional':
        return this.truth(await this.eval(expr.test)) ? this.eval(expr.yes) : this.eval(expr.no);
      case 'in':
        return Number(this.array(expr.name).has(await this.key(expr.keys)));
      case 'match': {
        const text = this.string(await this.eval(expr.left));
        return Number((await this.patternOf(expr.right)).test(text) !== expr.negated);
      }
      case 'unary': {
        const value = await this.eval(expr.operand);
        return expr.op === '!'
          ? Number(!this.truth(value))
          : expr.op === '-'
            ? -this.number(value)
            : this.number(value);
      }
      case 'step': {
        const old = this.number(await this.eval(expr.target));
        const next = expr.op === '++' ? old + 1 : old - 1;
        await this.store(expr.target, next);
        return expr.prefix ? next : old;
      }
      case 'assign': {
        let value = await this.eval(expr.value);
        if (expr.op !== '=')
          value = this.arithmetic(
            expr.op.slice(0, -1),
            this.number(await this.eval(expr.target)),
            this.number(value),
          );
        await this.store(expr.target, value);
        return value;
      }
      case 'binary':
        return this.binary(expr);
      case 'getline':
        return this.getline(expr);
      case 'call':
        return this.call(expr.name, expr.args);
    }
  }

  private async store(target: Expr, value: Value): Promise<void> {
    if (target.kind === 'name') this.setVariable(target.name, value);
    else if (target.kind === 'field') this.setField(this.number(await this.eval(target.index)), value);
    else if (target.kind === 'index') this.array(target.name).set(await this.key(target.keys), value);
  }

  private arithmetic(op: string, a: number, b: number): number {
    switch (op) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '^':
        return a ** b;
      default:
        if (b === 0)
          throw new AwkError(`cmd. line:1: error: division by zero attempted${op === '%' ? " in `%'" : ''}`);
        return op === '/' ? a / b : a % b;
    }
  }

  private async binary(expr: Expr & { kind: 'binary' }): Promise<Value> {
    const { op } = expr;
    if (op === '&&')
      return Number(this.truth(await this.eval(expr.left)) && this.truth(await this.eval(expr.right)));
    if (op === '||')
      return Number(this.truth(await this.eval(expr.left)) || this.truth(await this.eval(expr.right)));
    const [a, b] = [await this.eval(expr.left), await this.eval(expr.right)];
    switch (op) {
      case ' ':
        return this.string(a) + this.string(b);
      case '<':
        return Number(this.compare(a, b) < 0);
      case '<=':
        return Number(this.compare(a, b) <= 0);
      case '==':
        return Number(this.compare(a, b) === 0);
      case '!=':
        return Number(this.compare(a, b) !== 0);
      case '>':
        return Number(this.compare(a, b) > 0);
      case '>=':
        return Number(this.compare(a, b) >= 0);
      default:
        return this.arithmetic(op, this.number(a), this.number(b));
    }
  }

  private async getline(expr: Expr & { kind: 'getline' }): Promise<Value> {
    let text: string | undefined;
    if (expr.from === 'main') {
      text = await this.nextRecord();
      if (text === undefined) return 0;
      this.globals.set('NR', this.number(this.globals.get('NR')) + 1);
      this.globals.set('FNR', this.number(this.globals.get('FNR')) + 1);
    } else {
      const source = this.string(await this.eval(expr.source!));
      if (expr.from === 'file') {
        let reader = this.inputs.get(source);
        if (reader === undefined) {
          try {
            reader = new RecordReader(
              source === '-' || source === '/dev/stdin' ? this.proc.stdin : this.proc.fs.open(source),
            );
          } catch (error) {
            if (error instanceof ErrnoError) return -1;
            throw error;
          }
          this.inputs.set(source, reader);
        }
        if (!reader.ready) await this.out.flush();
        text = await this.readFrom(reader);
      } else {
        const pipe = this.pipes.get(`|${source}`) ?? (await this.openPipe('|', source));
        text = await this.readFrom(pipe.reader!);
        if (text !== undefined) this.globals.set('NR', this.number(this.globals.get('NR')) + 1);
      }
      if (text === undefined) return 0;
    }
    if (expr.target === undefined) this.setRecord(text);
    else await this.store(expr.target, new StrNum(text));
    return 1;
  }

  private seedState(seed: number): () => number {
    // A small generator of its own, so that a program gives the same numbers each run, as awk's does.
    let state = (seed + 0x9e3779b9) | 0;
    return () => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
      return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  private async call(name: string, args: readonly Expr[]): Promise<Value> {
    const user = this.program.functions.get(name);
    if (user !== undefined) return this.callUser(user, args);
    const value = async (index: number): Promise<Value> =>
      args[index] === undefined ? undefined : this.eval(args[index]);
    const text = async (index: number): Promise<string> => this.string(await value(index));
    const number = async (index: number): Promise<number> => this.number(await value(index));
    switch (name) {
      case 'length': {
        const [arg] = args;
        if (arg === undefined) return [...this.text0()].length;
        if (arg.kind === 'name' && (this.arrays.has(arg.name) || this.frame?.arrays.has(arg.name) === true))
          return this.array(arg.name).size;
        return [...(await text(0))].length;
      }
      case 'substr': {
        const characters = [...(await text(0))];
        const from = Math.round(await number(1));
        const count = args[2] === undefined ? Infinity : Math.round(await number(2));
        const start = Math.max(1, from);
        return characters
          .slice(start - 1, Math.max(start - 1, count === Infinity ? characters.length : from + count - 1))
          .join('');
      }
      case 'index': {
        const whole = await text(0);
        const at = whole.indexOf(await text(1));
        return at < 0 ? 0 : [...whole.slice(0, at)].length + 1;
      }
      case 'split': {
        const whole = await text(0);
        const target = args[1] as Expr & { kind: 'name' };
        const separator =
          args[2] === undefined
            ? this.string(this.globals.get('FS'))
            : args[2].kind === 'regex'
              ? undefined
              : await text(2);
        const parts =
          separator === undefined
            ? whole === ''
              ? []
              : splitRegex(whole, await this.patternOf(args[2]!))
            : this.split(whole, separator);
        const cells = this.array(target.name);
        cells.clear();
        parts.forEach((part, index) => cells.set(String(index + 1), new StrNum(part)));
        if (args[3]?.kind === 'name') {
          const between = this.array(args[3].name);
          between.clear();
          let at = 0;
          for (const [index, part] of parts.entries()) {
            const start = whole.indexOf(part, at);
            if (index > 0) between.set(String(index), whole.slice(at, start));
            else if (start > 0) between.set('0', whole.slice(0, start));
            at = start + part.length;
          }
        }
        return parts.length;
      }
      case 'sub':
      case 'gsub': {
        const pattern = await this.patternOf(args[0]!);
        const replacement = await text(1);
        const target: Expr = args[2] ?? { kind: 'field', index: { kind: 'number', value: 0 } };
        const whole = this.string(await this.eval(target));
        let count = 0;
        const next = replaceMatches(whole, pattern, name === 'gsub', (match) => {
          count++;
          return replacement.replaceAll(/\\\\&|\\&|&/g, (one) =>
            one === '&' ? match[0] : one === '\\&' ? '&' : `\\${match[0]}`,
          );
        });
        if (count > 0) await this.store(target, next);
        return count;
      }
      case 'gensub': {
        const pattern = await this.patternOf(args[0]!);
        const replacement = await text(1);
        const how = await text(2);
        const whole = args[3] === undefined ? this.text0() : await text(3);
        let count = 0;
        const fill = (match: RegExpMatchArray): string =>
          replacement.replaceAll(/\\(\d)|\\&|&|\\\\/g, (one, digit: string | undefined) =>
            digit !== undefined
              ? (match[Number(digit)] ?? '')
              : one === '&'
                ? match[0]
                : one === '\\&'
                  ? '&'
                  : '\\',
          );
        return replaceMatches(whole, pattern, true, (match) => {
          count++;
          return /^[gG]/.test(how) || count === Math.max(1, Number(how) || 1) ? fill(match) : match[0];
        });
      }
      case 'match': {
        const whole = await text(0);
        const pattern = await this.patternOf(args[1]!);
        pattern.lastIndex = 0;
        const match = pattern.exec(whole);
        const start = match === null ? 0 : [...whole.slice(0, match.index)].length + 1;
        this.globals.set('RSTART', start);
        this.globals.set('RLENGTH', match === null ? -1 : [...match[0]].length);
        const target = args[2];
        if (target?.kind === 'name') {
          const cells = this.array(target.name);
          cells.clear();
          const subsep = this.string(this.globals.get('SUBSEP'));
          const positions =
            match === null ? null : new RegExp(pattern.source, `${pattern.flags.replace('g', '')}dy`);
          if (positions !== null) positions.lastIndex = match!.index;
          const located = positions?.exec(whole);
          match?.forEach((group, index) => {
            if (group === undefined) return;
            cells.set(String(index), new StrNum(group));
            const from = index === 0 ? match.index : (located?.indices?.[index]?.[0] ?? match.index);
            cells.set(`${index}${subsep}start`, [...whole.slice(0, from)].length + 1);
            cells.set(`${index}${subsep}length`, [...group].length);
          });
        }
        return start;
      }
      case 'sprintf': {
        const values: Value[] = [];
        for (let i = 1; i < args.length; i++) values.push(await value(i));
        return this.sprintf(await text(0), values);
      }
      case 'tolower':
        return (await text(0)).toLowerCase();
      case 'toupper':
        return (await text(0)).replaceAll(/[^ß]+/g, (part) => part.toUpperCase());
      case 'sin':
        return Math.sin(await number(0));
      case 'cos':
        return Math.cos(await number(0));
      case 'atan2':
        return Math.atan2(await number(0), await number(1));
      case 'exp':
        return Math.exp(await number(0));
      case 'log':
        return this.logarithm(await number(0));
      case 'sqrt':
        return Math.sqrt(await number(0));
      case 'int':
        return Math.trunc(await number(0));
      case 'rand':
        return this.randomState();
      case 'srand': {
        const old = this.seed;
        this.seed = args.length === 0 ? Math.floor(this.proc.clock.now() / 1000) : await number(0);
        this.randomState = this.seedState(this.seed);
        return old;
      }
      case 'systime':
        return Math.floor(this.proc.clock.now() / 1000);
      case 'strftime': {
        const format = args[0] === undefined ? '%a %b %e %H:%M:%S %Z %Y' : await text(0);
        const seconds = args[1] === undefined ? this.proc.clock.now() / 1000 : await number(1);
        return strftime(
          format,
          seconds * 1000,
          args[2] !== undefined && this.truth(await value(2))
            ? { name: 'UTC', offset: 0 }
            : zoneOf(this.proc),
        );
      }
      case 'mktime': {
        const [year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (await text(0))
          .trim()
          .split(/\s+/)
          .map(Number);
        return wallToInstant(Date.UTC(year, month - 1, day, hour, minute, second), zoneOf(this.proc)) / 1000;
      }
      case 'asort':
      case 'asorti': {
        const source = this.array((args[0] as Expr & { kind: 'name' }).name);
        const sorted =
          name === 'asort'
            ? [...source.values()].toSorted((a, b) => this.compare(a, b))
            : [...source.keys()].toSorted();
        const target = args[1] === undefined ? source : this.array((args[1] as Expr & { kind: 'name' }).name);
        target.clear();
        sorted.forEach((one, index) => target.set(String(index + 1), one));
        return sorted.length;
      }
      case 'typeof':
        return this.typeOf(
          args[0],
          args[0]?.kind === 'name' &&
            (this.arrays.has(args[0].name) || this.frame?.arrays.has(args[0].name) === true)
            ? undefined
            : await value(0),
        );
      case 'isarray':
        return Number(this.typeOf(args[0], undefined) === 'array');
      case 'mkbool':
        return Number(this.truth(await value(0)));
      case 'patsplit': {
        const whole = await text(0);
        const cells = this.array((args[1] as Expr & { kind: 'name' }).name);
        const pattern =
          args[2] === undefined
            ? this.regex(this.string(this.globals.get('FPAT')))
            : await this.patternOf(args[2]);
        const found = [...whole.matchAll(pattern)].filter((match) => match[0] !== '');
        cells.clear();
        found.forEach((match, index) => cells.set(String(index + 1), new StrNum(match[0])));
        return found.length;
      }
      case 'compl':
        return 2 ** 53 - 1 - (await number(0));
      case 'and':
        return Number(BigInt(Math.trunc(await number(0))) & BigInt(Math.trunc(await number(1))));
      case 'or':
        return Number(BigInt(Math.trunc(await number(0))) | BigInt(Math.trunc(await number(1))));
      case 'xor':
        return Number(BigInt(Math.trunc(await number(0))) ^ BigInt(Math.trunc(await number(1))));
      case 'lshift':
        return (await number(0)) * 2 ** (await number(1));
      case 'rshift':
        return Math.floor((await number(0)) / 2 ** (await number(1)));
      case 'strtonum': {
        const word = (await text(0)).trim();
        return /^0[xX]/.test(word)
          ? Number.parseInt(word, 16)
          : /^0\d/.test(word)
            ? Number.parseInt(word, 8)
            : this.number(word);
      }
      case 'system': {
        await this.out.flush();
        return statusNumber(await runChild(this.proc, { argv: ['sh', '-c', await text(0)] }));
      }
      case 'close':
        return this.close(await text(0));
      case 'fflush':
        await this.out.flush();
        return 0;
      default:
        throw new AwkError(`cmd. line:1: fatal: function \`${name}' not defined`);
    }
  }

  private async logarithm(value: number): Promise<number> {
    if (value < 0) {
      await this.out.flush();
      await this.proc.stderr.write(
        `${this.name}: cmd. line:1: ${this.place()}warning: log: received negative argument ${this.string(value)}\n`,
      );
    }
    return Math.log(value);
  }

  private typeOf(arg: Expr | undefined, value: Value): string {
    if (arg?.kind === 'name' && (this.arrays.has(arg.name) || this.frame?.arrays.has(arg.name) === true))
      return 'array';
    if (arg?.kind === 'regex') return 'number';
    if (value === undefined) return arg?.kind === 'name' ? 'untyped' : 'unassigned';
    if (value instanceof StrNum) return value.number === undefined ? 'string' : 'strnum';
    return typeof value;
  }

  private async callUser(user: AwkFunction, args: readonly Expr[]): Promise<Value> {
    if (this.frames.length > 500) throw new AwkError('fatal: function call nesting too deep');
    const frame = { values: new Map<string, Value>(), arrays: new Map<string, Cells>() };
    const bound: { parameter: string; name: string }[] = [];
    for (const [index, parameter] of user.parameters.entries()) {
      const arg = args[index];
      frame.values.set(parameter, undefined);
      if (arg === undefined) continue;
      if (arg.kind === 'name' && (this.arrays.has(arg.name) || this.frame?.arrays.has(arg.name) === true))
        frame.arrays.set(parameter, this.array(arg.name));
      else {
        frame.values.set(parameter, await this.eval(arg));
        if (arg.kind === 'name' && this.getVariable(arg.name) === undefined)
          bound.push({ parameter, name: arg.name });
      }
    }
    this.frames.push(frame);
    let result: Value;
    try {
      await this.exec(user.body);
    } catch (error) {
      if (!(error instanceof Jump) || error.what !== 'return') throw error;
      result = error.value;
    } finally {
      this.frames.pop();
    }
    // An untyped variable that the function used as an array is one.
    for (const { parameter, name } of bound) {
      const cells = frame.arrays.get(parameter);
      if (cells !== undefined && this.frame === undefined) this.arrays.set(name, cells);
    }
    return result;
  }

  private sprintf(format: string, args: readonly Value[]): string {
    let index = 0;
    return format.replaceAll(
      /%%|%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z])/g,
      (
        whole: string,
        flags: string,
        width: string,
        precision: string | undefined,
        kind: string,
        at: number,
      ) => {
        if (whole === '%%') return '%';
        const columns = width === '*' ? this.number(args[index++]) : Number(width || 0);
        const digits =
          precision === undefined
            ? undefined
            : precision === '*'
              ? this.number(args[index++])
              : Number(precision || 0);
        if (!'sciduoxXeEfFgGaA'.includes(kind)) return whole;
        if (index >= args.length)
          throw new AwkError(
            `cmd. line:1: ${this.place()}fatal: not enough arguments to satisfy format string\n\t\`${format}'\n\t ${' '.repeat(at)}^ ran out for this one`,
          );
        const value = args[index++];
        if (kind === 's') return formatNumber(flags, columns, digits, 's', this.string(value));
        if (kind === 'c')
          return formatNumber(
            flags,
            columns,
            digits,
            'c',
            typeof value === 'number'
              ? value >= 0x110000 || value < 0
                ? byteToText(value & 0xff)
                : String.fromCodePoint(Math.trunc(value))
              : this.string(value) || '\0',
          );
        if (kind === 'd' || kind === 'i')
          return Number.isFinite(this.number(value))
            ? formatNumber(flags, columns, digits, 'd', Math.trunc(this.number(value)))
            : formatNumber(flags, columns, undefined, 's', this.string(this.number(value)));
        return 'ouxXeEfFgG'.includes(kind)
          ? formatNumber(flags, columns, digits, kind, this.number(value))
          : whole;
      },
    );
  }

  // Statements.

  private async exec(statement: Statement): Promise<void> {
    switch (statement.kind) {
      case 'block':
        for (const one of statement.body) await this.exec(one);
        return;
      case 'expression':
        await this.eval(statement.value);
        return;
      case 'print':
        return this.print(statement);
      case 'if':
        if (this.truth(await this.eval(statement.test))) await this.exec(statement.yes);
        else if (statement.no !== undefined) await this.exec(statement.no);
        return;
      case 'while':
        if (statement.after && !(await this.turn(statement.body))) return;
        while (this.truth(await this.eval(statement.test))) if (!(await this.turn(statement.body))) return;
        return;
      case 'for':
        if (statement.init !== undefined) await this.exec(statement.init);
        while (statement.test === undefined || this.truth(await this.eval(statement.test))) {
          if (!(await this.turn(statement.body))) return;
          if (statement.step !== undefined) await this.exec(statement.step);
        }
        return;
      case 'forIn':
        for (const key of this.keysInOrder(this.array(statement.array))) {
          this.setVariable(statement.variable, new StrNum(key));
          if (!(await this.turn(statement.body))) return;
        }
        return;
      case 'switch':
        return this.choose(statement);
      case 'jump':
        throw new Jump(statement.what);
      case 'exit':
      case 'return':
        throw new Jump(
          statement.kind,
          statement.value === undefined ? undefined : await this.eval(statement.value),
        );
      case 'delete':
        if (statement.keys === undefined) this.array(statement.name).clear();
        else this.array(statement.name).delete(await this.key(statement.keys));
    }
  }

  private async choose(statement: Statement & { kind: 'switch' }): Promise<void> {
    const value = await this.eval(statement.value);
    let from = -1;
    for (const [index, one] of statement.cases.entries()) {
      if (one.match === undefined) continue;
      const same =
        one.match.kind === 'regex'
          ? this.regex(one.match.source).test(this.string(value))
          : this.compare(value, await this.eval(one.match)) === 0 &&
            (one.match.kind === 'string') ===
              (typeof value !== 'number' && !(value instanceof StrNum && value.number !== undefined));
      if (!same) continue;
      from = index;
      break;
    }
    if (from < 0) from = statement.cases.findIndex((one) => one.match === undefined);
    if (from < 0) return;
    try {
      for (const one of statement.cases.slice(from)) for (const body of one.body) await this.exec(body);
    } catch (error) {
      if (!(error instanceof Jump) || error.what !== 'break') throw error;
    }
  }

  /** One turn of a loop; false after break. */
  private async turn(body: Statement): Promise<boolean> {
    const paused = this.proc.cpu(0.001);
    if (paused !== undefined) await paused;
    try {
      await this.exec(body);
      return true;
    } catch (error) {
      if (error instanceof Jump && error.what === 'continue') return true;
      if (error instanceof Jump && error.what === 'break') return false;
      throw error;
    }
  }

  private async print(statement: Statement & { kind: 'print' }): Promise<void> {
    const values: Value[] = [];
    for (const arg of statement.args) values.push(await this.eval(arg));
    const text = statement.format
      ? this.sprintf(this.string(values[0]), values.slice(1))
      : (values.length === 0
          ? this.text0()
          : values.map((value) => this.string(value, 'OFMT')).join(this.string(this.globals.get('OFS')))) +
        this.string(this.globals.get('ORS'));
    if (statement.to === undefined) return this.emit(text);
    const target = this.string(await this.eval(statement.to.target));
    if (statement.to.op === '|') {
      const pipe = this.pipes.get(`>${target}`) ?? (await this.openPipe('>', target));
      await pipe.file.write(textToBytes(text));
      return undefined;
    }
    if (target === '/dev/stdout') return this.emit(text);
    if (target === '/dev/stderr') {
      await this.out.flush();
      await this.proc.stderr.write(textToBytes(text));
      return undefined;
    }
    let file = this.files.get(target);
    if (file === undefined) {
      file = this.proc.fs.open(
        target,
        { write: true, create: true, append: statement.to.op === '>>', truncate: statement.to.op === '>' },
        0o666,
      );
      this.files.set(target, file);
    }
    await file.write(textToBytes(text));
    return undefined;
  }

  private async emit(text: string): Promise<void> {
    await this.out.put(text);
    if (this.proc.stdout.tty !== undefined) await this.out.flush();
  }

  private async close(name: string): Promise<number> {
    const known = this.files.delete(name);
    const read = this.inputs.delete(name);
    let status = known || read ? 0 : -1;
    for (const key of [`>${name}`, `|${name}`]) {
      const pipe = this.pipes.get(key);
      if (pipe === undefined) continue;
      this.pipes.delete(key);
      await this.out.flush();
      this.proc.closeFd(pipe.fd);
      const end = await pipe.child.wait();
      status = end.kind === 'exited' ? end.exitCode : 256 + signalNumber(end.signal);
    }
    return status;
  }

  /** Starts a command to print to (`>`) or to read from (`|`). */
  private async openPipe(direction: '>' | '|', commandLine: string): Promise<Pipe> {
    await this.out.flush();
    const { reader, writer } = this.proc.kernel.pipe();
    const mine = direction === '>' ? writer : reader;
    const theirs = direction === '>' ? reader : writer;
    const fd = this.proc.setFd(mine, undefined, 20);
    const other = this.proc.setFd(theirs, undefined, 20);
    const child = this.proc.spawn({
      argv: ['sh', '-c', commandLine],
      path: '/bin/sh',
      fds: new Map([
        [0, direction === '>' ? theirs : this.proc.stdin],
        [1, direction === '>' ? this.proc.stdout : theirs],
        [2, this.proc.stderr],
      ]),
    });
    this.proc.closeFd(other);
    const pipe: Pipe = {
      child,
      fd,
      file: mine,
      ...(direction === '|' ? { reader: new RecordReader(mine) } : {}),
    };
    this.pipes.set(direction + commandLine, pipe);
    return pipe;
  }

  private async closeAll(): Promise<void> {
    await this.out.flush();
    for (const key of [...this.pipes.keys()]) await this.close(key.slice(1));
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function splitRegex(text: string, regex: RegExp): string[] {
  const parts: string[] = [];
  let at = 0;
  regex.lastIndex = 0;
  for (const match of text.matchAll(regex)) {
    if (match[0] === '') continue;
    parts.push(text.slice(at, match.index));
    at = match.index + match[0].length;
  }
  return [...parts, text.slice(at)];
}

function replaceMatches(
  text: string,
  regex: RegExp,
  all: boolean,
  replace: (match: RegExpMatchArray) => string,
): string {
  let out = '';
  let at = 0;
  let lastEnd = -1;
  regex.lastIndex = 0;
  for (const match of text.matchAll(regex)) {
    if (match[0] === '' && match.index === lastEnd) continue;
    out += text.slice(at, match.index) + replace(match);
    at = match.index + match[0].length;
    lastEnd = at;
    if (!all) break;
  }
  return out + text.slice(at);
}
