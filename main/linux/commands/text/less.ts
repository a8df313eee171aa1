// less(1) and more(1): pagers on the terminal.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Process, Program, Tty } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { displayWidth } from '../frame/format.ts';
import { lineBatches, readAll } from '../frame/input.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';

const RESTORE = { canonical: true, echo: true, signals: true } as const;

/** Copies files to a stdout that is no terminal, as both pagers do. */
async function passThrough(it: Invocation, titled: boolean): Promise<void> {
  for (const path of it.inputs) {
    try {
      const file = it.open(path);
      if (titled) await it.out.put(`::::::::::::::\n${path}\n::::::::::::::\n`);
      await it.out.put(await readAll(file));
      await it.out.flush();
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EPIPE') throw error;
      if (titled) await it.proc.stderr.write(`more: cannot open ${path}: ${error.message}\n`);
      else await it.proc.stderr.write(`${path}: ${error.message}\n`);
      it.exitCode = 1;
    }
  }
}

/** The text of all inputs, as lines. */
async function gather(it: Invocation): Promise<string[]> {
  const lines: string[] = [];
  for (const path of it.inputs) {
    try {
      for await (const batch of lineBatches(it.open(path))) for (const line of batch) lines.push(line.text);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(error.code === 'EISDIR' ? `${path} is a directory` : `${path}: ${error.message}`);
    }
  }
  return lines;
}

/** Keys as they come from the terminal, one at a time. */
class Keys {
  private readonly file: OpenFile;
  private pending = '';
  constructor(file: OpenFile) {
    this.file = file;
  }

  async next(): Promise<string | undefined> {
    if (this.pending === '') {
      const chunk = await this.file.read(64);
      if (chunk.length === 0) return undefined;
      this.pending = Buffer.from(chunk).toString();
    }
    const key = /^(?:\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z]|.)?|[^])/u.exec(this.pending)![0];
    this.pending = this.pending.slice(key.length);
    return key;
  }
}

function wrapLine(line: string, columns: number, chop: boolean, shift: number): string[] {
  const clean = expandTabs(line).slice(shift);
  if (chop) return [cut(clean, columns)];
  const rows: string[] = [];
  let row = '';
  let width = 0;
  for (const c of clean.split(/(\u001b\[[0-9;]*[mK]|[^])/u)) {
    if (c === undefined || c === '') continue;
    const w = c.startsWith('\u001b') ? 0 : displayWidth(c);
    if (width + w > columns) {
      rows.push(row);
      row = '';
      width = 0;
    }
    row += c;
    width += w;
  }
  return [...rows, row];
}

function cut(text: string, columns: number): string {
  let out = '';
  for (const c of text) {
    if (displayWidth(out) + displayWidth(c) > columns) break;
    out += c;
  }
  return out;
}

function expandTabs(line: string): string {
  let out = '';
  for (const c of line) {
    if (c === '\t') out += ' '.repeat(8 - (displayWidth(out) % 8));
    else if (c < ' ' && c !== '\u001b') out += `^${String.fromCharCode(c.charCodeAt(0) + 64)}`;
    else out += c;
  }
  return out;
}

/** less(1): space, b, d, u, g, G, /pattern, n, N, F, q and the arrow keys. */
export const less: Program = command(
  {
    short: 'aAb:BcCdeEfFgGh:iIj:JKlLmMnN:o:O:p:P:qQrRsSt:T:uUwWx:Xy:z:~#:',
    long: [
      'quit-if-one-screen>F',
      'RAW-CONTROL-CHARS>R',
      'chop-long-lines>S',
      'no-init>X',
      'LINE-NUMBERS',
      'ignore-case>i',
      'quit-at-eof>e',
    ],
    usage: '[option]... [file]...',
    version: '590',
    prepare: (args) =>
      args.flatMap((arg) => (arg.startsWith('+') ? [] : arg === '-N' ? ['--LINE-NUMBERS'] : [arg])),
  },
  async (it) => {
    const { proc, options } = it;
    if (it.operands.length === 0 && proc.stdin.tty !== undefined)
      throw new Failure('Missing filename ("less --help" for help)');
    const tty = proc.stdout.tty;
    if (tty === undefined) {
      await passThrough(it, false);
      return it.exitCode;
    }
    const keyFile = proc.stdin.tty === undefined ? proc.fs.open('/dev/tty', { read: true }) : proc.stdin;
    const pager = new Pager(proc, tty, keyFile, it, {
      chop: options.has('S'),
      numbers: options.has('LINE-NUMBERS'),
      ignoreCase: options.has('i', 'I'),
    });
    const lines = await gather(it);
    if (options.has('F') && lines.length < tty.size.rows) {
      await it.out.put(lines.map((line) => `${line}\n`).join(''));
      return 0;
    }
    const start = proc.argv.find((arg) => arg.startsWith('+'));
    return pager.run(
      lines,
      start === undefined ? 0 : start === '+G' || start === '+' ? Infinity : Number(start.slice(1)) - 1 || 0,
      !options.has('X'),
      start === '+F',
    );
  },
);

/** more(1) */
export const more: Program = command(
  {
    short: 'dflcpsun:',
    usage: '[options] <file>...',
    version: 'from util-linux 2.38.1',
    prepare: (args) => args.filter((arg) => !/^[-+]\d+$/.test(arg)),
  },
  async (it) => {
    const { proc } = it;
    if (it.operands.length === 0 && proc.stdin.tty !== undefined) {
      await proc.stderr.write(`more: bad usage\nTry 'more --help' for more information.\n`);
      return 1;
    }
    const tty = proc.stdout.tty;
    if (tty === undefined) {
      await passThrough(it, it.operands.length > 0);
      return it.exitCode;
    }
    const lines = await gather(it);
    const rows = lines.flatMap((line) => wrapLine(line, tty.size.columns, false, 0));
    const keyFile = proc.stdin.tty === undefined ? proc.fs.open('/dev/tty', { read: true }) : proc.stdin;
    const keys = new Keys(keyFile);
    const page = tty.size.rows - 1;
    let shown = Math.min(page, rows.length);
    await proc.stdout.write(
      rows
        .slice(0, shown)
        .map((row) => `${row}\n`)
        .join(''),
    );
    const keyTty = keyFile.tty ?? tty;
    keyTty.setModes({ canonical: false, echo: false });
    try {
      while (shown < rows.length) {
        await proc.stdout.write(`\u001b[7m--More--(${Math.floor((100 * shown) / rows.length)}%)\u001b[27m`);
        const key = await keys.next();
        await proc.stdout.write('\r\u001b[K');
        if (key === undefined || key === 'q' || key === 'Q') break;
        const step = key === '\r' || key === '\n' ? 1 : page;
        await proc.stdout.write(
          rows
            .slice(shown, shown + step)
            .map((row) => `${row}\n`)
            .join(''),
        );
        shown += step;
      }
    } finally {
      keyTty.setModes(RESTORE);
    }
    return 0;
  },
);

interface PagerOptions {
  chop: boolean;
  readonly numbers: boolean;
  readonly ignoreCase: boolean;
}

class Pager {
  private readonly proc: Process;
  private readonly tty: Tty;
  private readonly keys: Keys;
  private readonly keyTty: Tty;
  private readonly it: Invocation;
  private readonly options: PagerOptions;
  private lines: string[] = [];
  private top = 0;
  private shift = 0;
  private pattern: RegExp | undefined;
  private message = '';
  private forward = true;

  constructor(proc: Process, tty: Tty, keyFile: OpenFile, it: Invocation, options: PagerOptions) {
    this.proc = proc;
    this.tty = tty;
    this.keys = new Keys(keyFile);
    this.keyTty = keyFile.tty ?? tty;
    this.it = it;
    this.options = options;
  }

  private get page(): number {
    return this.tty.size.rows - 1;
  }

  private rows(): { text: string; line: number }[] {
    const out: { text: string; line: number }[] = [];
    for (let line = this.top; line < this.lines.length && out.length < this.page; line++) {
      const prefix = this.options.numbers ? `${String(line + 1).padStart(7)} ` : '';
      for (const text of wrapLine(
        this.lines[line]!,
        this.tty.size.columns - prefix.length,
        this.options.chop,
        this.shift,
      ))
        if (out.length < this.page) out.push({ text: prefix + this.highlight(text), line });
    }
    return out;
  }

  private highlight(text: string): string {
    if (this.pattern === undefined) return text;
    this.pattern.lastIndex = 0;
    return text.replace(this.pattern, (match) => (match === '' ? '' : `\u001b[7m${match}\u001b[27m`));
  }

  private get lastTop(): number {
    let rows = 0;
    for (let line = this.lines.length - 1; line >= 0; line--) {
      rows += wrapLine(this.lines[line]!, this.tty.size.columns, this.options.chop, this.shift).length;
      if (rows > this.page) return line + 1;
    }
    return 0;
  }

  private async draw(): Promise<void> {
    const rows = this.rows();
    const atEnd = this.top >= this.lastTop;
    const body = rows.map((row) => `${row.text}\u001b[K`);
    while (body.length < this.page) body.push('\u001b[1m~\u001b[0m\u001b[K');
    const [name] = this.it.operands;
    const prompt =
      this.message !== ''
        ? `\u001b[7m${this.message}\u001b[27m`
        : atEnd
          ? '\u001b[7m(END)\u001b[27m'
          : this.first && name !== undefined && name !== '-'
            ? `\u001b[7m${name}\u001b[27m`
            : ':';
    this.message = '';
    this.first = false;
    await this.proc.stdout.write(`\u001b[H${body.join('\r\n')}\r\n${prompt}\u001b[K`);
  }
  private first = true;

  async run(lines: string[], top: number, alternate: boolean, follow: boolean): Promise<number> {
    this.lines = lines;
    this.top = Math.min(Math.max(0, top), this.lastTop);
    this.keyTty.setModes({ canonical: false, echo: false, signals: false });
    let resized = false;
    this.proc.onSignal('SIGWINCH', () => {
      resized = true;
    });
    await this.proc.stdout.write(`${alternate ? '\u001b[?1049h' : ''}\u001b[?1h\u001b=\r\u001b[H\u001b[2J`);
    try {
      if (follow) await this.follow();
      for (;;) {
        await this.draw();
        let key: string | undefined;
        try {
          key = await this.keys.next();
        } catch (error) {
          if (error instanceof ErrnoError && error.code === 'EINTR' && resized) {
            resized = false;
            continue;
          }
          throw error;
        }
        if (key === undefined || !(await this.press(key))) return 0;
      }
    } finally {
      this.keyTty.setModes(RESTORE);
      await this.proc.stdout.write(
        `\u001b[${this.tty.size.rows};1H\r\u001b[K\u001b[?1l\u001b>${alternate ? '\u001b[?1049l' : ''}`,
      );
    }
  }

  private async press(key: string): Promise<boolean> {
    const move = (by: number): void => {
      this.top = Math.max(0, Math.min(this.lastTop, this.top + by));
    };
    const half = Math.max(1, Math.floor(this.page / 2));
    switch (key) {
      case 'q':
      case 'Q':
        return false;
      case ' ':
      case 'f':
      case '\u0006':
      case '\u0016':
      case '\u001b[6~':
        move(this.page);
        break;
      case 'b':
      case '\u0002':
      case '\u001b[5~':
        move(-this.page);
        break;
      case 'd':
      case '\u0004':
        move(half);
        break;
      case 'u':
      case '\u0015':
        move(-half);
        break;
      case 'j':
      case 'e':
      case '\r':
      case '\n':
      case '\u000e':
      case '\u001b[B':
      case '\u001bOB':
        move(1);
        break;
      case 'k':
      case 'y':
      case '\u0010':
      case '\u001b[A':
      case '\u001bOA':
        move(-1);
        break;
      case 'g':
      case '<':
      case '\u001b[H':
      case '\u001bOH':
        this.top = 0;
        break;
      case 'G':
      case '>':
      case '\u001b[F':
      case '\u001bOF':
        this.top = this.lastTop;
        break;
      case '\u001b[C':
      case '\u001bOC':
        this.shift += half;
        break;
      case '\u001b[D':
      case '\u001bOD':
        this.shift = Math.max(0, this.shift - half);
        break;
      case '/':
      case '?':
        await this.ask(key);
        break;
      case 'n':
        this.search(this.forward);
        break;
      case 'N':
        this.search(!this.forward);
        break;
      case '=':
        this.message = `lines ${this.top + 1}-${Math.min(this.lines.length, this.top + this.page)}/${this.lines.length}`;
        break;
      case 'F':
        await this.follow();
        break;
      case 'S':
        this.options.chop = !this.options.chop;
        break;
      case 'h':
      case 'H':
        this.message = 'SPACE forward, b back, /pattern search, n next, g first, G last, q quit';
        break;
      default:
        break;
    }
    return true;
  }

  private async ask(mark: string): Promise<void> {
    let text = '';
    for (;;) {
      await this.proc.stdout.write(`\r\u001b[K${mark}${text}`);
      const key = await this.keys.next();
      if (key === undefined || key === '\u001b' || key === '\u0003') return;
      if (key === '\r' || key === '\n') break;
      if (key === '\u007f' || key === '\b') {
        if (text === '') return;
        text = text.slice(0, -1);
      } else text += key;
    }
    try {
      if (text !== '')
        this.pattern = compileRegex(text, { syntax: 'extended', ignoreCase: this.options.ignoreCase });
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      this.message = error.message;
      return;
    }
    this.forward = mark === '/';
    this.search(this.forward);
  }

  private search(forward: boolean): void {
    if (this.pattern === undefined) {
      this.message = 'No previous regular expression';
      return;
    }
    const step = forward ? 1 : -1;
    for (let line = this.top + step; line >= 0 && line < this.lines.length; line += step) {
      this.pattern.lastIndex = 0;
      if (!this.pattern.test(this.lines[line]!)) continue;
      this.top = line;
      return;
    }
    this.message = 'Pattern not found  (press RETURN)';
  }

  /** F: shows what is appended until Ctrl-C. */
  private async follow(): Promise<void> {
    const [path] = this.it.operands;
    this.top = this.lastTop;
    if (path === undefined || path === '-') return;
    let interrupted = false;
    const stop = async (): Promise<void> => {
      for (let key = await this.keys.next(); key !== undefined; key = await this.keys.next())
        if (key === '\u0003' || key === 'q') break;
      interrupted = true;
    };
    const stopping = stop();
    while (!interrupted) {
      this.lines = this.proc.fs.readText(path).replace(/\n$/, '').split('\n');
      this.top = this.lastTop;
      this.message = 'Waiting for data... (interrupt to abort)';
      await this.draw();
      await Promise.race([stopping, this.proc.sleep(1000)]);
    }
  }
}
