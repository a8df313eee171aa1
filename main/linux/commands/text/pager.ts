// less on the terminal: what is on the screen, and what each key does to it.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Process, Tty, TtyModes } from '../../kernel/index.ts';
import { runChild } from '../frame/child.ts';
import { compileRegex, RegexError } from '../frame/regex.ts';
import { PagerKeys } from './pager-keys.ts';
import type { LineSource } from './pager-source.ts';
import { plainText, rowsOf } from './pager-text.ts';

export interface PagerOptions {
  chop: boolean;
  numbers: boolean;
  /** -i: unless the pattern has capitals; -I: always. */
  ignoreCase: 'no' | 'smart' | 'always';
  colors: boolean;
  /** -e: leave at the second try to go beyond the end; -E: at the first. */
  quitAtEnd: 'no' | 'second' | 'first';
  highlight: boolean;
  tildes: boolean;
  readonly initialize: boolean;
}

/** A row of the text: of a line, counted from 0. */
interface Top {
  readonly line: number;
  readonly row: number;
}

interface Search {
  readonly pattern: RegExp;
  readonly forward: boolean;
  readonly inverted: boolean;
}

const NUMBER_COLUMNS = 8;
const FOLLOW_MS = 1000;
/** Lines looked at before keys get a chance. */
const SEARCH_STEP = 20_000;
const RETURN = '  (press RETURN)';
const SUMMARY = [
  'SUMMARY OF LESS COMMANDS',
  '',
  '  h  H            Display this help.          q  :q  ZZ    Exit.',
  '',
  'MOVING',
  '  e  j  RETURN    Forward one line (or N).    y  k         Backward one line.',
  '  f  ^F  SPACE    Forward one window.         b  ^B        Backward one window.',
  '  d  ^D           Forward half a window.      u  ^U        Backward half a window.',
  '  RightArrow      Right half a screen.        LeftArrow    Left half a screen.',
  '  g  <            First line (or line N).     G  >         Last line (or line N).',
  '  p  %            N percent into the file.    F            Forward forever; like "tail -f".',
  '  r  ^L           Repaint the screen.',
  '',
  'SEARCHING',
  '  /pattern        Search forward.             ?pattern     Search backward.',
  '  n               Repeat the last search.     N            The other way.',
  '  &pattern        Only matching lines.        ESC-u        Highlighting on or off.',
  '  A pattern may begin with ! (lines that do not match).',
  '',
  'JUMPING',
  "  m<letter>       Mark the top line.          '<letter>    Go to a marked position.",
  "  ''              Go to the previous position.",
  '',
  'CHANGING FILES',
  '  :e name         Examine a new file.         :n  :p       Next and previous file.',
  '  :x              First file.                 :d           Delete from the list.',
  '  =  ^G  :f       Name, lines and bytes.',
  '',
  'OTHER',
  '  -<flag>         Change an option (N S R i). v            Edit with $VISUAL or $EDITOR.',
  '  !command        Run a shell command.',
];

export class Pager {
  private readonly proc: Process;
  private readonly tty: Tty;
  private readonly keyTty: Tty;
  private readonly keys: PagerKeys;
  private readonly options: PagerOptions;
  private readonly open: (path: string) => LineSource;
  private files: string[];
  private at = 0;
  private source!: LineSource;
  private top: Top = { line: 0, row: 0 };
  private shift = 0;
  private search: Search | undefined;
  private highlighting = true;
  private filter: Search | undefined;
  private half = 0;
  private readonly marks = new Map<string, Top & { readonly file: number }>();
  private previous: Top = { line: 0, row: 0 };
  /** The next prompt names the file. */
  private isNew = true;
  /** Fewer lines than the window are shown where the cursor was. */
  private squeezed = false;
  private modes: TtyModes | undefined;
  private help = false;
  private endings = 0;
  private resized = false;

  constructor(
    proc: Process,
    tty: Tty,
    keyFile: OpenFile,
    files: readonly string[],
    open: (path: string) => LineSource,
    options: PagerOptions,
  ) {
    this.proc = proc;
    this.tty = tty;
    this.keyTty = keyFile.tty ?? tty;
    this.keys = new PagerKeys(keyFile, proc);
    this.files = [...files];
    this.open = open;
    this.options = options;
    this.highlighting = options.highlight;
  }

  private get page(): number {
    return Math.max(1, this.tty.size.rows - 1);
  }

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

  private enter(): void {
    this.modes = { ...this.keyTty.modes };
    this.keyTty.setModes({ canonical: false, echo: false, signals: false });
  }

  private async leave(): Promise<void> {
    if (this.modes !== undefined) this.keyTty.setModes(this.modes);
    await this.write(`\r\u001b[K\u001b[?1l\u001b>${this.options.initialize ? '\u001b[?1049l' : ''}`);
  }

  private async write(text: string): Promise<void> {
    await this.proc.stdout.write(text);
  }

  /** The next key; a window of another size is drawn anew meanwhile. */
  private async next(): Promise<string | undefined> {
    for (;;) {
      try {
        return await this.keys.next();
      } catch (error) {
        if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
        if (!this.resized) continue;
        this.resized = false;
        await this.fill();
        await this.draw();
      }
    }
  }

  // ── Text ──

  private isShown(line: number): boolean {
    const { filter } = this;
    if (filter === undefined || this.help) return true;
    filter.pattern.lastIndex = 0;
    return filter.pattern.test(plainText(this.lines[line]!, this.options.colors)) !== filter.inverted;
  }

  private get lines(): readonly string[] {
    return this.help ? SUMMARY : this.source.lines;
  }

  private get ended(): boolean {
    return this.help || this.source.ended;
  }

  private rows(line: number): string[] {
    const { options } = this;
    const prefix = options.numbers ? NUMBER_COLUMNS : 0;
    const columns = Math.max(1, this.tty.size.columns - prefix);
    const rows = rowsOf(this.lines[line]!, this.matches(line), { ...options, columns, shift: this.shift });
    if (prefix === 0) return rows;
    return rows.map((row, i) => (i === 0 ? `${String(line + 1).padStart(7)} ` : ' '.repeat(prefix)) + row);
  }

  private matches(line: number): [number, number][] {
    const { search } = this;
    if (search === undefined || search.inverted || !this.highlighting || this.help) return [];
    const found: [number, number][] = [];
    search.pattern.lastIndex = 0;
    for (const match of plainText(this.lines[line]!, this.options.colors).matchAll(search.pattern))
      if (match[0] !== '') found.push([match.index, match.index + match[0].length]);
    return found;
  }

  private nextLine(line: number): number | undefined {
    for (let at = line + 1; at < this.lines.length; at++) if (this.isShown(at)) return at;
    return undefined;
  }

  private previousLine(line: number): number | undefined {
    for (let at = line - 1; at >= 0; at--) if (this.isShown(at)) return at;
    return undefined;
  }

  /** Rows from the top on, at most a window; and the first row behind them. */
  private window(): { rows: string[]; lastLine: number; after: Top | undefined } {
    const { line: first, row: firstRow } = this.top;
    if (firstRow > 0 && (first >= this.lines.length || firstRow >= this.rows(first).length))
      this.top = { line: first, row: 0 }; // The line has fewer rows than it had.
    const shown: string[] = [];
    let lastLine = this.top.line;
    let line: number | undefined = this.lines.length > 0 ? this.top.line : undefined;
    if (line !== undefined && (line >= this.lines.length || !this.isShown(line))) line = this.nextLine(line);
    let from = line === this.top.line ? this.top.row : 0;
    while (line !== undefined) {
      const rows = this.rows(line);
      for (let row = from; row < rows.length; row++) {
        if (shown.length >= this.page) return { rows: shown, lastLine, after: { line, row } };
        shown.push(rows[row]!);
        lastLine = line;
      }
      from = 0;
      line = this.nextLine(line);
    }
    return { rows: shown, lastLine, after: undefined };
  }

  /** Reads until the window is full. */
  private async fill(): Promise<void> {
    while (!this.help && this.window().after === undefined && (await this.readMore()));
  }

  /** Reads a piece of the input; a key that comes first is kept, and Ctrl-C or q end the wait. */
  private async readMore(): Promise<boolean> {
    const reading = this.source.more();
    for (;;) {
      const first = await Promise.race([reading, this.keys.arrival()]);
      if (typeof first === 'boolean') return first;
      if (this.keys.takeInterrupt()) return false;
    }
  }

  private async readAll(): Promise<void> {
    while (!this.help && (await this.readMore()));
  }

  // ── Showing ──

  private async showFirst(): Promise<void> {
    this.isNew = true;
    await this.fill();
    const { rows, after } = this.window();
    this.squeezed = after === undefined && rows.length < this.page;
    await this.write(rows.map((row) => `${row}\u001b[K\r\n`).join(''));
    await this.prompt();
    if (after === undefined && this.options.quitAtEnd === 'first') this.keys.push('q');
  }

  private async draw(message?: string): Promise<void> {
    const { rows } = this.window();
    const body = rows.map((row) => `${row}\u001b[K`);
    while (body.length < this.page)
      body.push(this.options.tildes ? '\u001b[1m~\u001b[0m\u001b[K' : '\u001b[K');
    this.squeezed = false;
    await this.write(`\u001b[H${body.join('\r\n')}\r\n`);
    await this.prompt(message);
  }

  private async prompt(message?: string): Promise<void> {
    const text = message ?? this.promptText();
    this.isNew = false;
    const shown = text.endsWith(':') && message === undefined ? text : `\u001b[7m${text}\u001b[27m`;
    await this.write(`\r\u001b[K${shown}\u001b[K`);
  }

  private promptText(): string {
    const atEnd = this.ended && this.window().after === undefined;
    if (this.help)
      return atEnd
        ? 'HELP -- END -- Press g to see it again, or q when done'
        : 'HELP -- Press RETURN for more, or q when done';
    const filtered = this.filter === undefined ? '' : '& ';
    const parts: string[] = [];
    if (this.isNew && this.source.name !== '-') parts.push(this.nameText());
    if (atEnd)
      parts.push(`(END)${this.at + 1 < this.files.length ? ` - Next: ${this.files[this.at + 1]}` : ''}`);
    return filtered + (parts.length > 0 ? parts.join(' ') : ':');
  }

  private nameText(): string {
    const many = this.files.length > 1 ? ` (file ${this.at + 1} of ${this.files.length})` : '';
    return this.source.name + many;
  }

  /** Says something in the prompt's place until a key is pressed. */
  private async tell(text: string): Promise<void> {
    await this.prompt(text + RETURN);
    const key = await this.next();
    if (key !== undefined && !/^[\r\n ]$/.test(key)) this.keys.push(key);
    await (this.squeezed ? this.prompt() : this.draw());
  }

  // ── Moving ──

  private async forward(count: number, force = false): Promise<void> {
    await this.fill();
    let moved = 0;
    for (; moved < count; moved++) {
      if (this.window().after === undefined) {
        if (!force && !(await this.readMore())) break;
        if (force && !this.stepTop()) break;
        if (force) continue;
      }
      if (!this.stepTop()) break;
      await this.fill();
    }
    if (moved === 0) {
      await this.write('\u0007');
      this.endings++;
    } else this.endings = 0;
    await (this.squeezed && moved === 0 ? this.prompt() : this.draw());
  }

  private stepTop(): boolean {
    const rows = this.rows(this.top.line).length;
    if (this.top.row + 1 < rows) {
      this.top = { line: this.top.line, row: this.top.row + 1 };
      return true;
    }
    const next = this.nextLine(this.top.line);
    if (next === undefined) return false;
    this.top = { line: next, row: 0 };
    return true;
  }

  private async backward(count: number): Promise<void> {
    this.endings = 0;
    let moved = 0;
    for (; moved < count; moved++) {
      if (this.top.row > 0) this.top = { line: this.top.line, row: this.top.row - 1 };
      else {
        const line = this.previousLine(this.top.line);
        if (line === undefined) break;
        this.top = { line, row: this.rows(line).length - 1 };
      }
    }
    if (moved === 0) await this.write('\u0007');
    await this.draw();
  }

  /** So that the last row of the text is the window's last. */
  private toEnd(): void {
    let left = this.page;
    let line: number | undefined = this.lines.length;
    let top: Top = { line: 0, row: 0 };
    while (left > 0) {
      line = this.previousLine(line);
      if (line === undefined) break;
      const rows = this.rows(line).length;
      top = { line, row: Math.max(0, rows - left) };
      left -= rows;
    }
    this.top = top;
  }

  private async jump(line: number): Promise<void> {
    this.previous = this.top;
    while (!this.help && this.lines.length <= line && (await this.readMore()));
    this.top = { line: Math.max(0, Math.min(line, this.lines.length - 1)), row: 0 };
    await this.fill();
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
