// less on the terminal: what each key does.
import { ErrnoError } from '../../../network/index.ts';
import { runChild } from '../frame/child.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';
import type { LineSource } from './pager-source.ts';
import { plainText } from './pager-text.ts';
import { PagerWindow, RETURN } from './pager-window.ts';

const FOLLOW_MS = 1000;
/** Lines looked at before keys get a chance. */
const SEARCH_STEP = 20_000;

export class Pager extends PagerWindow {
  // ── Running ──

  /** Shows the files until the person leaves; `first` is what + on the command line asked for. */
  async run(source: LineSource, first: readonly string[]): Promise<number> {
    this.source = source;
    this.enter();
    this.proc.onSignal('SIGWINCH', () => void (this.resized = true));
    await this.write(`${this.options.initialize ? '\u001b[?1049h' : ''}\u001b[?1h\u001b=\r`);
    try {
      if (first.length > 0) {
        await this.write('\u001b[H\u001b[2J');
        for (const keys of first) this.keys.push(keys);
        await this.fill();
      } else await this.showFirst();
      for (;;) {
        const key = await this.next();
        if (key === undefined || !(await this.command(key))) return 0;
      }
    } finally {
      await this.leave();
    }
  }

  // ── Keys ──

  /** False to leave. */
  private async command(first: string, count?: number): Promise<boolean> {
    const { page, options } = this;
    const half = this.half > 0 ? this.half : Math.max(1, Math.floor(this.tty.size.rows / 2));
    const n = count ?? 1;
    switch (first) {
      case 'q':
      case 'Q':
        if (!this.help) return false;
        this.help = false;
        this.top = this.previous;
        this.isNew = true;
        await this.draw();
        return true;
      case 'Z':
        return (await this.next()) !== 'Z';
      case ' ':
      case 'f':
      case '\u0006':
      case '\u0016':
      case '\u001b[6~':
      case 'z': {
        await this.forward(count ?? page);
        if (options.quitAtEnd === 'no' || this.endings === 0) return true;
        return this.at + 1 < this.files.length ? this.colon('n', 1) : false;
      }
      case '\u001b ':
        await this.forward(page, true);
        return true;
      case 'b':
      case '\u0002':
      case '\u001bv':
      case '\u001b[5~':
      case 'w':
        await this.backward(count ?? page);
        return true;
      case 'd':
      case '\u0004':
        if (count !== undefined) this.half = count;
        await this.forward(count ?? half);
        return true;
      case 'u':
      case '\u0015':
        if (count !== undefined) this.half = count;
        await this.backward(count ?? half);
        return true;
      case 'e':
      case 'j':
      case '\r':
      case '\n':
      case '\u0005':
      case '\u000e':
      case '\u001b[B':
      case '\u001bOB':
        await this.forward(n);
        return true;
      case 'J':
        await this.forward(n, true);
        return true;
      case 'k':
      case 'y':
      case 'K':
      case 'Y':
      case '\u000b':
      case '\u0010':
      case '\u0019':
      case '\u001b[A':
      case '\u001bOA':
        await this.backward(n);
        return true;
      case '\u001b[C':
      case '\u001bOC':
      case '\u001b)':
        this.shift += count ?? Math.floor(this.tty.size.columns / 2);
        await this.draw();
        return true;
      case '\u001b[D':
      case '\u001bOD':
      case '\u001b(':
        this.shift = Math.max(0, this.shift - (count ?? Math.floor(this.tty.size.columns / 2)));
        await this.draw();
        return true;
      case 'g':
      case '<':
      case '\u001b<':
      case '\u001b[H':
      case '\u001bOH':
        await this.jump((count ?? 1) - 1);
        await this.draw();
        return true;
      case 'G':
      case '>':
      case '\u001b>':
      case '\u001b[F':
      case '\u001bOF':
        if (count !== undefined && count > 0) await this.jump(count - 1);
        else {
          this.previous = this.top;
          await this.readAll();
          this.toEnd();
        }
        await this.draw();
        return true;
      case 'p':
      case '%':
        await this.percent(Math.min(100, count ?? 0));
        return true;
      case 'r':
      case 'R':
      case '\u000c':
        await this.draw();
        return true;
      case 'h':
      case 'H':
        if (this.help) return true;
        this.previous = this.top;
        this.help = true;
        this.top = { line: 0, row: 0 };
        await this.draw();
        return true;
      case '=':
      case '\u0007':
        await this.tell(await this.status());
        return true;
      case 'F':
        await this.follow();
        return true;
      case 'V':
        await this.tell('less 590');
        return true;
      default:
        return this.otherCommand(first, count);
    }
  }

  private async otherCommand(first: string, count: number | undefined): Promise<boolean> {
    switch (first) {
      case '/':
      case '?':
        await this.askSearch(first, count ?? 1);
        return true;
      case 'n':
      case 'N':
        await this.again(first === 'n', count ?? 1);
        return true;
      case '&':
        await this.askFilter();
        return true;
      case '\u001bu':
        this.highlighting = !this.highlighting;
        await this.draw();
        return true;
      case 'm':
      case 'M':
        await this.mark();
        return true;
      case "'":
      case '\u0018':
        await this.goToMark();
        return true;
      case ':':
        return this.askColon(count);
      case '-':
      case '_':
        await this.changeOption(first === '-');
        return true;
      case 'v':
        await this.edit();
        return true;
      case '!':
        await this.shell();
        return true;
      case '\u0003':
        await this.prompt();
        return true;
      default:
        if (/^\d$/.test(first)) return this.number(first);
        await this.write('\u0007');
        return true;
    }
  }

  /** A number before a command. */
  private async number(first: string): Promise<boolean> {
    let digits = first;
    for (;;) {
      await this.write(`\r\u001b[K:${digits}`);
      const key = await this.next();
      if (key === undefined) return false;
      if (/^[\d.]$/.test(key)) digits = digits.length > 9 ? digits : digits + key;
      else if (key === '\u007f' || key === '\b') {
        digits = digits.slice(0, -1);
        if (digits === '') break;
      } else if (key === '\u0007' || key === '\u0003' || key === '\u001b') break;
      else return this.command(key, Number(digits));
    }
    await (this.squeezed ? this.prompt() : this.draw());
    return true;
  }

  private async percent(percent: number): Promise<void> {
    await this.readAll();
    const { offsets, sizeBytes } = this.source;
    const wanted = Math.floor((sizeBytes * percent) / 100);
    if (percent >= 100) this.toEnd();
    else
      await this.jump(
        Math.max(
          0,
          offsets.findLastIndex((offset) => offset <= wanted),
        ),
      );
    await this.draw();
  }

  private async status(): Promise<string> {
    await this.readAll();
    const { rows, lastLine, after } = this.window();
    const { offsets, sizeBytes, lines } = this.source;
    const end = after === undefined ? sizeBytes : (offsets[lastLine + 1] ?? sizeBytes);
    const last = rows.length === 0 ? 0 : lastLine + 1;
    const name = this.source.name === '-' ? '' : `${this.nameText()} `;
    const next = this.at + 1 < this.files.length ? ` - Next: ${this.files[this.at + 1]}` : '';
    const where =
      after === undefined ? `(END)${next}` : `${Math.floor((100 * end) / Math.max(1, sizeBytes))}%`;
    return `${name}lines ${Math.min(last, this.top.line + 1)}-${last}/${lines.length} byte ${end}/${sizeBytes} ${where}`;
  }

  // ── Searching ──

  /** Reads a line at the bottom; undefined if it was given up. */
  private async ask(mark: string): Promise<string | undefined> {
    let text = '';
    for (;;) {
      await this.write(`\r\u001b[K${mark}${text}`);
      const key = await this.next();
      if (key === undefined || key === '\u0003' || key === '\u0007') return undefined;
      if (key === '\r' || key === '\n') return text;
      if (key === '\u007f' || key === '\b') {
        if (text === '') return undefined;
        text = [...text].slice(0, -1).join('');
      } else if (key === '\u0015') text = '';
      else if (key === '\u0017') text = text.replace(/\S*\s*$/, '');
      else if (!key.startsWith('\u001b')) text += key;
    }
  }

  private compile(text: string): RegExp | undefined {
    const { ignoreCase } = this.options;
    const ignore = ignoreCase === 'always' || (ignoreCase === 'smart' && !/\p{Lu}/u.test(text));
    try {
      return compileRegex(text, { syntax: 'extended', ignoreCase: ignore });
    } catch (error) {
      if (error instanceof RegexError) return undefined;
      throw error;
    }
  }

  private async askSearch(mark: string, count: number): Promise<void> {
    const typed = await this.ask(mark);
    if (typed === undefined) return this.squeezed ? this.prompt() : this.draw();
    const modifiers = /^[!*@\u000b\u0012\u000e]*/.exec(typed)![0];
    const text = typed.slice(modifiers.length);
    const forward = mark === '/';
    if (text !== '') {
      const pattern = this.compile(text);
      if (pattern === undefined) return this.tell('Invalid pattern');
      this.search = { pattern, forward, inverted: modifiers.includes('!') };
      this.highlighting = this.options.highlight;
    } else if (this.search === undefined) return this.tell('No previous regular expression');
    else this.search = { ...this.search, forward };
    const { lastLine } = this.window();
    const start = modifiers.includes('@')
      ? forward
        ? -1
        : Infinity
      : text === ''
        ? this.top.line
        : forward
          ? this.top.line - (this.top.row > 0 ? 0 : 1)
          : lastLine + 1;
    await this.find(forward, start, count);
  }

  private async again(same: boolean, count: number): Promise<void> {
    if (this.search === undefined) return this.tell('No previous regular expression');
    this.highlighting = this.options.highlight;
    await this.find(this.search.forward === same, this.top.line, count);
  }

  private async find(forward: boolean, start: number, count: number): Promise<void> {
    const { pattern, inverted } = this.search!;
    let left = count;
    if (start === Infinity) await this.readAll();
    let line = start === Infinity ? this.lines.length : start;
    for (;;) {
      line += forward ? 1 : -1;
      if (line < 0) break;
      if (line >= this.lines.length) {
        if (!(await this.readMore())) break;
        line--;
        continue;
      }
      if (Math.abs(line - start) % SEARCH_STEP === SEARCH_STEP - 1 && (await this.interrupted()))
        return this.draw();
      pattern.lastIndex = 0;
      if (!this.isShown(line) || pattern.test(plainText(this.lines[line]!, this.options.colors)) === inverted)
        continue;
      if (--left > 0) continue;
      this.previous = this.top;
      this.top = { line, row: 0 };
      await this.fill();
      return this.draw();
    }
    await this.draw();
    await this.tell('Pattern not found');
  }

  private async interrupted(): Promise<boolean> {
    const wait = this.proc.cpu(1);
    if (wait !== undefined) await wait;
    return this.keys.takeInterrupt();
  }

  private async askFilter(): Promise<void> {
    const typed = await this.ask('&/');
    if (typed === undefined) return this.draw();
    const inverted = typed.startsWith('!');
    const text = inverted ? typed.slice(1) : typed;
    if (text === '') this.filter = undefined;
    else {
      const pattern = this.compile(text);
      if (pattern === undefined) return this.tell('Invalid pattern');
      this.filter = { pattern, forward: true, inverted };
    }
    await this.fill();
    if (this.window().rows.length === 0) {
      this.toEnd();
    }
    await this.draw();
  }

  // ── Marks, files, options ──

  private async mark(): Promise<void> {
    await this.write('\r\u001b[Kset mark: ');
    const letter = await this.next();
    if (letter !== undefined && /^[A-Za-z]$/.test(letter))
      this.marks.set(letter, { ...this.top, file: this.at });
    await (this.squeezed ? this.prompt() : this.draw());
  }

  private async goToMark(): Promise<void> {
    await this.write('\r\u001b[Kgoto mark: ');
    const letter = await this.next();
    const here = this.top;
    if (letter === "'" || letter === '\u0018') this.top = this.previous;
    else if (letter === '^') this.top = { line: 0, row: 0 };
    else if (letter === '$') {
      await this.readAll();
      this.toEnd();
    } else {
      const mark = this.marks.get(letter ?? '');
      if (mark === undefined)
        return this.tell(/^[A-Za-z]$/.test(letter ?? '') ? 'Mark not set' : 'Invalid mark letter');
      if (mark.file !== this.at) await this.switchTo(mark.file);
      this.top = mark;
    }
    this.previous = here;
    await this.fill();
    await this.draw();
  }

  private async askColon(count: number | undefined): Promise<boolean> {
    await this.write('\r\u001b[K :');
    const key = await this.next();
    return key === undefined ? false : this.colon(key, count ?? 1);
  }

  private async colon(key: string, count: number): Promise<boolean> {
    switch (key) {
      case 'n':
      case 'p': {
        const wanted = this.at + (key === 'n' ? count : -count);
        if (wanted >= this.files.length || wanted < 0)
          await this.tell(key === 'n' ? 'No next file' : 'No previous file');
        else await this.examine(wanted);
        return true;
      }
      case 'x':
        await this.examine(0);
        return true;
      case 'd':
        if (this.files.length > 1) {
          this.files.splice(this.at, 1);
          await this.examine(Math.min(this.at, this.files.length - 1));
        } else await this.write('\u0007');
        return true;
      case 'e': {
        const name = (await this.ask('Examine: '))?.trim();
        if (name === undefined || name === '') await this.draw();
        else {
          this.files.splice(this.at + 1, 0, name);
          await this.examine(this.at + 1);
        }
        return true;
      }
      case 'f':
        await this.tell(await this.status());
        return true;
      case 'q':
      case 'Q':
        return false;
      default:
        await this.write('\u0007');
        await this.draw();
        return true;
    }
  }

  private async switchTo(index: number): Promise<void> {
    const source = this.open(this.files[index]!);
    this.at = index;
    this.source = source;
    this.top = { line: 0, row: 0 };
    this.filter = undefined;
    await this.fill();
  }

  private async examine(index: number): Promise<void> {
    try {
      this.isNew = index !== this.at;
      await this.switchTo(index);
      await this.draw();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const [name] = this.files.splice(index, 1);
      await this.tell(`${name}: ${error.message}`);
    }
  }

  private async changeOption(change: boolean): Promise<void> {
    const { options } = this;
    await this.write(`\r\u001b[K${change ? '-' : '_'}`);
    const letter = await this.next();
    switch (letter) {
      case 'S':
        if (change) options.chop = !options.chop;
        return this.told(options.chop ? 'Chop long lines' : 'Fold long lines');
      case 'N':
        if (change) options.numbers = !options.numbers;
        return this.told(options.numbers ? 'Constantly display line numbers' : 'Use line numbers');
      case 'R':
      case 'r':
        if (change) options.colors = !options.colors;
        return this.told(
          options.colors
            ? 'Display ANSI sequences directly, other control characters as ^X'
            : 'Display control characters as ^X',
        );
      case 'i':
      case 'I': {
        const other = letter === 'i' ? 'smart' : 'always';
        if (change) options.ignoreCase = options.ignoreCase === other ? 'no' : other;
        return this.told(
          options.ignoreCase === 'no'
            ? 'Case is significant in searches'
            : options.ignoreCase === 'smart'
              ? 'Ignore case in searches'
              : 'Ignore case in searches and in patterns',
        );
      }
      case 'G':
        options.highlight = !options.highlight;
        this.highlighting = options.highlight;
        return this.told(options.highlight ? 'Highlight matches' : "Don't highlight search matches");
      default:
        if (letter === undefined || letter === '\u0003' || letter === '\u001b') return this.draw();
        return this.tell(`There is no ${letter} option ("less --help" for help)`);
    }
  }

  private async told(text: string): Promise<void> {
    await this.prompt(text + RETURN);
    const key = await this.next();
    if (key !== undefined && !/^[\r\n ]$/.test(key)) this.keys.push(key);
    await this.draw();
  }

  // ── Following, other programs ──

  /** F: shows what is appended until Ctrl-C. */
  private async follow(): Promise<void> {
    await this.readAll();
    for (;;) {
      this.toEnd();
      await this.draw('Waiting for data... (interrupt to abort)');
      const wait = this.source.isRegular ? this.proc.sleep(FOLLOW_MS) : this.source.more();
      await Promise.race([wait, this.keys.arrival()]);
      if (this.keys.takeInterrupt()) break;
      this.keys.drop();
      if (this.source.isRegular) while (await this.source.grown());
      else if (this.source.ended) break;
      if (this.resized) this.resized = false;
    }
    await this.draw();
  }

  private async aside(body: () => Promise<void>): Promise<void> {
    await this.leave();
    try {
      await body();
    } finally {
      this.enter();
      await this.write(`${this.options.initialize ? '\u001b[?1049h' : ''}\u001b[?1h\u001b=\r`);
    }
  }

  private async edit(): Promise<void> {
    const { env } = this.proc;
    if (this.source.name === '-') return this.tell('Cannot edit standard input');
    const editor = (env.get('VISUAL') || env.get('EDITOR') || 'vi').split(/\s+/);
    const middle = this.top.line + 1;
    await this.runProgram([...editor, ...(/vim?$/.test(editor[0]!) ? [`+${middle}`] : []), this.source.name]);
    const { top } = this;
    await this.switchTo(this.at);
    this.top = top.line < this.lines.length ? top : { line: 0, row: 0 };
    await this.draw();
  }

  private async shell(): Promise<void> {
    const text = await this.ask('!');
    if (text === undefined) return this.draw();
    const shell = this.proc.env.get('SHELL') ?? '/bin/sh';
    await this.runProgram(text === '' ? [shell] : [shell, '-c', text], '!done');
    await this.draw();
  }

  private async runProgram(argv: readonly string[], done?: string): Promise<void> {
    await this.aside(async () => {
      try {
        await runChild(this.proc, {
          argv,
          ...(this.proc.stdin.tty === undefined ? { stdin: this.keys.file } : {}),
        });
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        await this.write(`${argv[0]}: command not found\r\n`);
      }
      if (done === undefined) return;
      await this.write(`${done}${RETURN}`);
      await this.keys.next();
    });
  }
}
