// ed(1), GNU: the line editor, for scripts and for people.
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { runChild } from '../frame/child.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

/** What `h` explains, and `?` stands for. */
class EdError extends Error {}

interface State {
  readonly lines: string[];
  readonly current: number;
}

/** Input lines from stdin, one at a time, so that what ed runs may read on. */
class Input {
  private readonly proc: Process;
  private readonly queued: string[] = [];
  constructor(proc: Process) {
    this.proc = proc;
  }
  /** Lines that come before those of stdin: a command list of `g`. */
  push(lines: readonly string[]): void {
    this.queued.unshift(...lines);
  }
  get waiting(): number {
    return this.queued.length;
  }
  async next(): Promise<string | undefined> {
    if (this.queued.length > 0) return this.queued.shift();
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.proc.stdin.read(1);
      if (byte === undefined) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString();
      if (byte === 10) return Buffer.from(bytes).toString();
      bytes.push(byte);
    }
  }
}

/** ed(1) */
export const ed: Program = async (proc) => {
  const args = proc.argv.slice(1);
  if (args.includes('--version')) {
    await proc.stdout.write('GNU ed 1.19\n');
    return 0;
  }
  const flags = args.filter((arg) => /^-./.test(arg));
  const promptAt = args.findIndex((arg) => arg === '-p');
  const prompt = promptAt < 0 ? undefined : args[promptAt + 1];
  const [path] = args.filter((arg, index) => !arg.startsWith('-') && index !== promptAt + 1);
  return new Ed(proc, {
    prompt,
    quiet: flags.some((flag) => ['-s', '--quiet', '--silent'].includes(flag)) || args.includes('-'),
    extended: flags.some((flag) => ['-E', '--extended-regexp'].includes(flag)),
    loose: flags.includes('-l'),
    verbose: flags.some((flag) => ['-v', '--verbose'].includes(flag)),
  }).run(promptAt < 0 ? args.find((arg) => !arg.startsWith('-')) : path);
};

class Ed {
  private readonly proc: Process;
  private readonly input: Input;
  private readonly quiet: boolean;
  private readonly extended: boolean;
  private readonly loose: boolean;
  private prompting: boolean;
  private readonly promptText: string;
  private explaining: boolean;
  private lines: string[] = [];
  private current = 0;
  private modified = false;
  private warned = false;
  private file: string | undefined;
  private pattern: string | undefined;
  private replacement: string | undefined;
  private substituteFlags = '';
  private lastCommand = '';
  private lastError = '';
  private undoState: State | undefined;
  private yanked: string[] = [];
  private window = 22;
  private readonly marks = new Map<string, number>();
  private failed = false;

  constructor(
    proc: Process,
    options: {
      prompt: string | undefined;
      quiet: boolean;
      extended: boolean;
      loose: boolean;
      verbose: boolean;
    },
  ) {
    this.proc = proc;
    this.input = new Input(proc);
    this.quiet = options.quiet;
    this.extended = options.extended;
    this.loose = options.loose;
    this.explaining = options.verbose;
    this.prompting = options.prompt !== undefined;
    this.promptText = options.prompt ?? '*';
  }

  async run(path: string | undefined): Promise<number> {
    if (path !== undefined) {
      this.file = path;
      try {
        const count = this.load(path, 0);
        await this.tell(`${count}\n`);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await this.proc.stderr.write(`${path}: ${error.message}\n`);
        this.lastError = 'Cannot open input file';
      }
      this.current = this.lines.length;
      this.modified = false;
      this.undoState = undefined;
    }
    for (;;) {
      if (this.prompting) await this.proc.stdout.write(this.promptText);
      const line = await this.input.next();
      if (line === undefined) {
        if (!this.modified || this.warned || this.quiet) return this.failed ? 1 : 0;
        // As `q`: the first time it is a warning, then the end.
        await this.complain('Warning: buffer modified');
        return 2;
      }
      const before = this.warned;
      try {
        const done = await this.execute(line);
        if (done !== undefined) return done;
        if (before) this.warned = false;
      } catch (error) {
        await this.complain(messageOf(error));
      }
    }
  }

  private async complain(message: string): Promise<void> {
    this.lastError = message;
    this.failed = !this.loose;
    await this.proc.stdout.write(`?\n${this.explaining ? `${message}\n` : ''}`);
  }

  private async tell(text: string): Promise<void> {
    if (!this.quiet) await this.proc.stdout.write(text);
  }

  // ── Addresses ──

  private regex(source: string, global = false, ignoreCase = false): RegExp {
    if (source !== '') this.pattern = source;
    if (this.pattern === undefined) throw new EdError('No previous pattern');
    return compileRegex(this.pattern, { syntax: this.extended ? 'extended' : 'basic', global, ignoreCase });
  }

  /** One address with its offsets; undefined: none. */
  private address(cursor: Cursor): number | undefined {
    cursor.skip();
    let value: number | undefined;
    const char = cursor.peek();
    if (/\d/.test(char)) value = Number(cursor.take(/\d+/));
    else if (char === '.') {
      cursor.take(/\./);
      value = this.current;
    } else if (char === '$') {
      cursor.take(/\$/);
      value = this.lines.length;
    } else if (char === "'") {
      const name = (cursor.take(/'./) ?? '').slice(1);
      if (!/^[a-z]$/.test(name)) throw new EdError('Invalid mark character');
      value = this.marks.get(name);
      if (value === undefined || value > this.lines.length) throw new EdError('Invalid address');
    } else if (char === '/' || char === '?') value = this.search(cursor.delimited(), char === '/');
    for (;;) {
      cursor.skip();
      const step = cursor.take(/[-+^](\d*)|\d+/);
      if (step === undefined) return value;
      const amount = /\d+/.exec(step)?.[0];
      value = (value ?? this.current) + (/^[-^]/.test(step) ? -1 : 1) * Number(amount ?? 1);
    }
  }

  private search(source: string, forward: boolean): number {
    const regex = this.regex(source);
    const count = this.lines.length;
    for (let i = 1; i <= count; i++) {
      const index = (((this.current - 1 + (forward ? i : -i)) % count) + count) % count;
      if (regex.test(this.lines[index]!)) return index + 1;
    }
    throw new EdError('No match');
  }

  /** What stands before a command: how many addresses, and the range. */
  private range(cursor: Cursor): { count: number; first: number; last: number } {
    cursor.skip();
    const whole = cursor.take(/[%]/);
    if (whole !== undefined)
      return { count: 2, first: Math.min(1, this.lines.length), last: this.lines.length };
    let [count, first, last] = [0, this.current, this.current];
    for (;;) {
      const value = this.address(cursor);
      if (value !== undefined) {
        if (value < 0 || value > this.lines.length) throw new EdError('Invalid address');
        [first, last] = count === 0 ? [value, value] : [last, value];
        count = Math.min(2, count + 1);
      }
      cursor.skip();
      const separator = cursor.take(/[,;]/);
      if (separator === undefined) break;
      if (count === 0) {
        first = separator === ';' ? this.current : Math.min(1, this.lines.length);
        last = first;
      }
      if (separator === ';') this.current = last;
      const next = this.address(cursor);
      if (next !== undefined && (next < 0 || next > this.lines.length)) throw new EdError('Invalid address');
      [first, last] = [last, next ?? (count === 0 ? this.lines.length : last)];
      count = 2;
      cursor.skip();
      if (!/[,;]/.test(cursor.peek())) break;
    }
    if (count === 2 && first > last) throw new EdError('Invalid address');
    return { count, first, last };
  }

  // ── Commands ──

  private remember(): void {
    this.undoState = { lines: [...this.lines], current: this.current };
    this.modified = true;
  }

  /** The exit status when it ends ed. */
  private async execute(line: string): Promise<number | undefined> {
    const cursor = new Cursor(line);
    const { count, first, last } = this.range(cursor);
    cursor.skip();
    const command = cursor.take(/[^]/) ?? '';
    const previous = this.lastCommand;
    this.lastCommand = command;
    const lines = (): void => {
      if (first < 1 || last < 1) throw new EdError('Invalid address');
    };
    const noAddress = (): void => {
      if (count > 0) throw new EdError('Unexpected address');
    };
    switch (command) {
      case '': {
        const at = count > 0 ? last : this.current + 1;
        if (at < 1 || at > this.lines.length) throw new EdError('Invalid address');
        return this.print('p', at, at);
      }
      case '#':
        return undefined;
      case 'a':
      case 'i':
      case 'c':
        return this.insert(command, first, last, count, this.suffix(cursor));
      case 'd': {
        lines();
        const suffix = this.suffix(cursor);
        this.remember();
        this.yanked = this.lines.splice(first - 1, last - first + 1);
        this.current = Math.min(first, this.lines.length);
        return this.show(suffix);
      }
      case 'e':
      case 'E':
        noAddress();
        if (command === 'e' && this.modified && !this.warned && previous !== 'e') return this.warn();
        return this.edit(cursor.name());
      case 'f': {
        noAddress();
        const name = cursor.name();
        if (name !== '') this.file = name;
        if (this.file === undefined) throw new EdError('No current filename');
        await this.proc.stdout.write(`${this.file}\n`);
        return undefined;
      }
      case 'g':
      case 'v':
      case 'G':
      case 'V':
        return this.global(
          command,
          cursor,
          count === 0 ? [Math.min(1, this.lines.length), this.lines.length] : [first, last],
        );
      case 'h':
        noAddress();
        this.suffix(cursor);
        if (this.lastError !== '') await this.proc.stdout.write(`${this.lastError}\n`);
        return undefined;
      case 'H':
        noAddress();
        this.suffix(cursor);
        this.explaining = !this.explaining;
        if (this.explaining && this.lastError !== '') await this.proc.stdout.write(`${this.lastError}\n`);
        return undefined;
      case 'j': {
        const end = count < 2 ? Math.min(first + 1, this.lines.length) : last;
        if (count === 0 && first + 1 > this.lines.length) throw new EdError('Invalid address');
        lines();
        const suffix = this.suffix(cursor);
        if (end > first) {
          this.remember();
          this.lines.splice(first - 1, end - first + 1, this.lines.slice(first - 1, end).join(''));
        }
        this.current = first;
        return this.show(suffix);
      }
      case 'k': {
        if (last < 1) throw new EdError('Invalid address');
        const name = cursor.take(/[a-z]/);
        if (name === undefined) throw new EdError('Invalid mark character');
        this.suffix(cursor);
        this.marks.set(name, last);
        return undefined;
      }
      case 'l':
      case 'n':
      case 'p': {
        lines();
        const suffix = command + this.suffix(cursor);
        return this.print(suffix, first, last);
      }
      case 'm':
      case 't': {
        lines();
        const target = this.address(cursor) ?? this.current;
        if (target < 0 || target > this.lines.length) throw new EdError('Invalid address');
        const suffix = this.suffix(cursor);
        return this.transfer(command, first, last, target, suffix);
      }
      case 'P':
        noAddress();
        this.prompting = !this.prompting;
        return undefined;
      case 'q':
      case 'Q':
        noAddress();
        if (cursor.rest.trim() !== '') throw new EdError('Unexpected command suffix');
        if (command === 'q' && this.modified && !this.warned) return this.warn();
        return this.failed ? 1 : 0;
      case 'r':
        return this.read(cursor.name(), count === 0 ? this.lines.length : last);
      case 's':
        lines();
        return this.substitute(cursor, first, last);
      case 'u': {
        noAddress();
        const suffix = this.suffix(cursor);
        if (this.undoState === undefined) throw new EdError('Nothing to undo');
        const now: State = { lines: [...this.lines], current: this.current };
        this.lines = [...this.undoState.lines];
        this.current = this.undoState.current;
        this.undoState = now;
        return this.show(suffix);
      }
      case 'w':
      case 'W':
        return this.write(command, cursor, count === 0 ? [1, this.lines.length] : [first, last]);
      case 'x': {
        const suffix = this.suffix(cursor);
        if (this.yanked.length === 0) throw new EdError('Nothing to put');
        this.remember();
        this.lines.splice(last, 0, ...this.yanked);
        this.current = last + this.yanked.length;
        return this.show(suffix);
      }
      case 'y':
        lines();
        this.suffix(cursor);
        this.yanked = this.lines.slice(first - 1, last);
        return undefined;
      case 'z': {
        const size = cursor.take(/\d+/);
        if (size !== undefined) this.window = Number(size);
        const suffix = this.suffix(cursor);
        const from = count === 0 ? this.current + 1 : last;
        if (from < 1 || from > this.lines.length) throw new EdError('Invalid address');
        return this.print(`p${suffix}`, from, Math.min(this.lines.length, from + this.window - 1));
      }
      case '=':
        this.suffix(cursor);
        await this.proc.stdout.write(`${count === 0 ? this.lines.length : last}\n`);
        return undefined;
      case '!':
        noAddress();
        return this.shell(cursor.rest);
      default:
        throw new EdError('Unknown command');
    }
  }

  private async warn(): Promise<undefined> {
    await this.complain('Warning: buffer modified');
    this.warned = true;
    // Asked again, it happens.
    return undefined;
  }

  /** Print letters behind a command. */
  private suffix(cursor: Cursor): string {
    const letters = cursor.take(/[lnp]+/) ?? '';
    if (cursor.rest.trim() !== '') throw new EdError('Unexpected command suffix');
    return letters;
  }

  private async show(suffix: string): Promise<undefined> {
    if (suffix !== '' && this.current > 0) await this.print(suffix, this.current, this.current);
    return undefined;
  }

  private async print(how: string, first: number, last: number): Promise<undefined> {
    for (let at = first; at <= last; at++) {
      const text = this.lines[at - 1]!;
      const number = how.includes('n') ? `${at}\t` : '';
      await this.proc.stdout.write(`${number}${how.includes('l') ? unambiguous(text) : text}\n`);
    }
    this.current = last;
    return undefined;
  }

  private async typedLines(): Promise<string[]> {
    const text: string[] = [];
    for (;;) {
      const line = await this.input.next();
      if (line === undefined || line === '.') return text;
      text.push(line);
    }
  }

  private async insert(
    command: string,
    first: number,
    last: number,
    count: number,
    suffix: string,
  ): Promise<undefined> {
    if (command === 'c' && (first < 1 || last < 1) && this.lines.length > 0)
      throw new EdError('Invalid address');
    const text = await this.typedLines();
    const removed = command === 'c' ? last - first + 1 : 0;
    if (text.length === 0 && removed === 0) {
      this.current = command === 'i' && count > 0 ? Math.max(0, last) : last;
      return this.show(suffix);
    }
    this.remember();
    const at = command === 'a' ? last : Math.max(0, (command === 'c' ? first : last) - 1);
    const old = this.lines.splice(at, removed, ...text);
    if (removed > 0) this.yanked = old;
    this.current = text.length > 0 ? at + text.length : Math.min(at + 1, this.lines.length);
    return this.show(suffix);
  }

  private async transfer(
    command: string,
    first: number,
    last: number,
    target: number,
    suffix: string,
  ): Promise<undefined> {
    const block = this.lines.slice(first - 1, last);
    if (command === 'm') {
      if (target >= first && target < last) throw new EdError('Invalid destination');
      this.remember();
      this.lines.splice(first - 1, block.length);
      const at = target >= last ? target - block.length : target;
      this.lines.splice(at, 0, ...block);
      this.current = at + block.length;
    } else {
      this.remember();
      this.lines.splice(target, 0, ...block);
      this.current = target + block.length;
    }
    return this.show(suffix);
  }

  // ── Substituting ──

  private async substitute(cursor: Cursor, first: number, last: number): Promise<undefined> {
    if (
      /^\s*(?:[gp\d]*)\s*$/.test(cursor.rest) &&
      (cursor.rest.trim() === '' || /^[gp\d]+$/.test(cursor.rest.trim()))
    ) {
      if (this.replacement === undefined) throw new EdError('No previous substitution');
      this.substituteFlags = cursor.rest.trim() || this.substituteFlags;
    } else {
      const delimiter = cursor.peek();
      if (/[\s\w]/.test(delimiter) || delimiter === '') throw new EdError('Invalid pattern delimiter');
      const source = cursor.delimited();
      const { text, closed } = await this.readReplacement(cursor, delimiter);
      this.replacement = text === '%' && this.replacement !== undefined ? this.replacement : text;
      this.substituteFlags = closed ? cursor.rest.trim() : 'p';
      if (source !== '') this.pattern = source;
    }
    const flags = this.substituteFlags;
    if (!/^[gpnlIi\d]*$/.test(flags) || /g.*\d|\d.*g/.test(flags))
      throw new EdError('Unexpected command suffix');
    const nth = Number(/\d+/.exec(flags)?.[0] ?? 1);
    const regex = this.regex('', true, /[iI]/.test(flags));
    let changedLast = 0;
    let offset = 0;
    for (let at = first; at <= last; at++) {
      const old = this.lines[at - 1 + offset]!;
      const next = replaced(old, regex, this.replacement, { nth, all: flags.includes('g') });
      if (next === undefined) continue;
      if (changedLast === 0) this.remember();
      const pieces = next.split('\n');
      this.lines.splice(at - 1 + offset, 1, ...pieces);
      offset += pieces.length - 1;
      changedLast = at + offset;
    }
    if (changedLast === 0) {
      if (this.inGlobal) return undefined;
      throw new EdError('No match');
    }
    this.current = changedLast;
    return this.show(flags.replaceAll(/[^pln]/g, ''));
  }

  /** A replacement may hold line ends behind backslashes. */
  private async readReplacement(
    cursor: Cursor,
    delimiter: string,
  ): Promise<{ text: string; closed: boolean }> {
    let text = '';
    for (;;) {
      const char = cursor.take(/[^]/);
      if (char === undefined) return { text, closed: false };
      if (char === delimiter) return { text, closed: true };
      if (char !== '\\') {
        text += char;
        continue;
      }
      const next = cursor.take(/[^]/);
      if (next === undefined) {
        const more = await this.input.next();
        text += '\\\n';
        cursor.append(more ?? '');
      } else text += next === delimiter ? delimiter : `\\${next}`;
    }
  }

  // ── Global ──

  private inGlobal = false;

  private async global(
    command: string,
    cursor: Cursor,
    [first, last]: readonly [number, number],
  ): Promise<undefined> {
    if (this.inGlobal) throw new EdError('Cannot nest global commands');
    const delimiter = cursor.peek();
    if (delimiter === '' || /\s/.test(delimiter)) throw new EdError('Invalid pattern delimiter');
    const regex = this.regex(cursor.delimited());
    const wanted = command === 'g' || command === 'G';
    const interactive = command === 'G' || command === 'V';
    let list = cursor.rest;
    while (!interactive && list.endsWith('\\'))
      list = `${list.slice(0, -1)}\n${(await this.input.next()) ?? ''}`;
    const marked = this.lines
      .slice(Math.max(0, first - 1), last)
      .map((text, index) => ({ text, at: first + index }))
      .filter(({ text }) => regex.test(text) === wanted);
    const before: State = { lines: [...this.lines], current: this.current };
    this.inGlobal = true;
    try {
      let shift = 0;
      for (const { text, at } of marked) {
        const index = at - 1 + shift;
        const found = this.lines[index] === text ? index : this.lines.indexOf(text, Math.max(0, index - 1));
        if (found < 0) continue;
        const length = this.lines.length;
        this.current = found + 1;
        if (interactive) {
          await this.proc.stdout.write(`${text}\n`);
          list = (await this.input.next()) ?? '';
          if (list === '') continue;
        }
        const commands = (list.trim() === '' ? 'p' : list).split('\n');
        const waiting = this.input.waiting;
        this.input.push(commands);
        // What a command takes of the list as its text is not a command any more.
        while (this.input.waiting > waiting) await this.execute((await this.input.next())!);
        shift += this.lines.length - length;
      }
    } finally {
      this.inGlobal = false;
    }
    if (this.modified) this.undoState = before;
    return undefined;
  }

  // ── Files ──

  /** Reads a file behind a line; how many bytes. Throws ErrnoError. */
  private load(path: string, after: number): number {
    const text = this.proc.fs.readText(path);
    const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    this.lines.splice(after, 0, ...lines);
    this.current = after + lines.length;
    return Buffer.byteLength(lines.map((line) => `${line}\n`).join(''));
  }

  private async edit(name: string): Promise<undefined> {
    const path = name === '' ? this.file : name;
    if (path === undefined) throw new EdError('No current filename');
    this.lines = [];
    this.current = 0;
    this.modified = false;
    this.undoState = undefined;
    this.file = path;
    const bytes = await this.loadTold(path, 0);
    await this.tell(`${bytes}\n`);
    return undefined;
  }

  private async loadTold(path: string, after: number): Promise<number> {
    try {
      return this.load(path, after);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await this.proc.stderr.write(`${path}: ${error.message}\n`);
      throw new EdError('Cannot open input file', { cause: error });
    }
  }

  private async read(name: string, after: number): Promise<undefined> {
    if (name.startsWith('!')) {
      const text = await this.outputOf(name.slice(1));
      this.remember();
      const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
      this.lines.splice(after, 0, ...lines);
      this.current = after + lines.length;
      await this.tell(`${Buffer.byteLength(text)}\n`);
      return undefined;
    }
    const path = name === '' ? this.file : name;
    if (path === undefined) throw new EdError('No current filename');
    this.file ??= path;
    const before: State = { lines: [...this.lines], current: this.current };
    const bytes = await this.loadTold(path, after);
    this.undoState = before;
    this.modified = true;
    await this.tell(`${bytes}\n`);
    return undefined;
  }

  private async write(
    command: string,
    cursor: Cursor,
    [first, last]: readonly [number, number],
  ): Promise<number | undefined> {
    const quits = command === 'w' ? cursor.take(/q/) : undefined;
    const name = cursor.name();
    const path = name === '' ? this.file : name;
    const text = this.lines
      .slice(Math.max(0, first - 1), last)
      .map((line) => `${line}\n`)
      .join('');
    if (name.startsWith('!')) {
      const { reader, writer } = this.proc.kernel.pipe();
      void writer.write(text).then(
        () => this.proc.kernel.closeFile(writer),
        () => undefined,
      );
      await runChild(this.proc, { argv: ['sh', '-c', name.slice(1)], stdin: reader });
    } else {
      if (path === undefined) throw new EdError('No current filename');
      try {
        this.proc.fs.writeFile(path, text, { append: command === 'W' });
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await this.proc.stderr.write(`${path}: ${error.message}\n`);
        throw new EdError('Cannot open output file', { cause: error });
      }
      this.file ??= path;
    }
    await this.tell(`${Buffer.byteLength(text)}\n`);
    if (last - first + 1 >= this.lines.length) this.modified = false;
    return quits === undefined ? undefined : this.failed ? 1 : 0;
  }

  private async outputOf(script: string): Promise<string> {
    const { reader, writer } = this.proc.kernel.pipe();
    const text = reader.readText();
    await runChild(this.proc, { argv: ['sh', '-c', script], stdout: writer });
    this.proc.kernel.closeFile(writer);
    return text;
  }

  private async shell(script: string): Promise<undefined> {
    await runChild(this.proc, { argv: ['sh', '-c', script.replaceAll(/(?<!\\)%/g, this.file ?? '%')] });
    await this.tell('!\n');
    return undefined;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof EdError || error instanceof RegexError) return error.message;
  if (error instanceof ErrnoError) return error.message;
  throw error;
}

/** `l`: what can't be seen is spelt out, long lines are folded, `$` marks the end. */
function unambiguous(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
    $: '\\$',
  };
  const cells = Array.from(text, (char) => {
    if (names[char] !== undefined) return names[char];
    if (char >= ' ' && char < '\u007f') return char;
    return Array.from(Buffer.from(char), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  });
  const [width, rows] = [72, ['']];
  for (const cell of cells) {
    if (rows.at(-1)!.length + cell.length > width - 1) rows.push('');
    rows[rows.length - 1] += cell;
  }
  return `${rows.join('\\\n')}$`;
}

/** undefined: nothing matched. */
function replaced(
  text: string,
  regex: RegExp,
  replacement: string,
  { nth, all }: { nth: number; all: boolean },
): string | undefined {
  let seen = 0;
  let changed = false;
  regex.lastIndex = 0;
  const result = text.replace(regex, (...groups: (string | undefined)[]) => {
    seen++;
    if (all ? seen < nth : seen !== nth) return groups[0]!;
    changed = true;
    if (all && groups[0] === '') throw new EdError('Infinite substitution loop');
    return replacement.replaceAll(/\\([^])|&/g, (whole, char: string | undefined) =>
      char === undefined
        ? groups[0]!
        : /[1-9]/.test(char)
          ? typeof groups[Number(char)] === 'string'
            ? groups[Number(char)]!
            : ''
          : whole.slice(1),
    );
  });
  return changed ? result : undefined;
}

/** A command line being read from the left. */
class Cursor {
  private text: string;
  private at = 0;
  constructor(text: string) {
    this.text = text;
  }
  get rest(): string {
    return this.text.slice(this.at);
  }
  peek(): string {
    return this.text[this.at] ?? '';
  }
  append(text: string): void {
    this.text += text;
  }
  skip(): void {
    while (/[ \t]/.test(this.peek())) this.at++;
  }
  /** What a pattern matches here, which is passed over. */
  take(pattern: RegExp): string | undefined {
    const match = new RegExp(`^(?:${pattern.source})`, 'u').exec(this.rest);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }
  /** What stands between two delimiters, or to the end of the line. */
  delimited(): string {
    const delimiter = this.take(/[^]/) ?? '';
    let text = '';
    let inClass = false;
    for (;;) {
      const char = this.take(/[^]/);
      if (char === undefined || (char === delimiter && !inClass)) return text;
      if (char === '[') inClass = true;
      if (char === ']') inClass = false;
      if (char !== '\\') {
        text += char;
        continue;
      }
      const next = this.take(/[^]/) ?? '';
      text += next === delimiter ? delimiter : `\\${next}`;
    }
  }
  /** A file name, which a blank separates from its command. */
  name(): string {
    if (this.rest === '') return '';
    if (!/^\s/.test(this.rest)) throw new EdError('Unexpected command suffix');
    return this.rest.trim();
  }
}
