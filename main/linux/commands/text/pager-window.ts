// What less has on the screen: lines from their source, laid out in rows, the prompt under them, and moving about.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Process, Tty, TtyModes } from '../../kernel/index.ts';
import { SUMMARY } from './pager-help.ts';
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
export interface Top {
  readonly line: number;
  readonly row: number;
}

export interface Search {
  readonly pattern: RegExp;
  readonly forward: boolean;
  readonly inverted: boolean;
}

const NUMBER_COLUMNS = 8;
/** Behind a message that waits for a key. */
export const RETURN = '  (press RETURN)';

export class PagerWindow {
  protected readonly proc: Process;
  protected readonly tty: Tty;
  protected readonly keyTty: Tty;
  protected readonly keys: PagerKeys;
  protected readonly options: PagerOptions;
  protected readonly open: (path: string) => LineSource;
  protected files: string[];
  protected at = 0;
  protected source!: LineSource;
  protected top: Top = { line: 0, row: 0 };
  protected shift = 0;
  protected search: Search | undefined;
  protected highlighting = true;
  protected filter: Search | undefined;
  protected half = 0;
  protected readonly marks = new Map<string, Top & { readonly file: number }>();
  protected previous: Top = { line: 0, row: 0 };
  /** The next prompt names the file. */
  protected isNew = true;
  /** Fewer lines than the window are shown where the cursor was. */
  protected squeezed = false;
  protected modes: TtyModes | undefined;
  protected help = false;
  protected endings = 0;
  protected resized = false;

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

  protected get page(): number {
    return Math.max(1, this.tty.size.rows - 1);
  }

  // ── The terminal ──

  protected enter(): void {
    this.modes = { ...this.keyTty.modes };
    this.keyTty.setModes({ canonical: false, echo: false, signals: false });
  }

  protected async leave(): Promise<void> {
    if (this.modes !== undefined) this.keyTty.setModes(this.modes);
    await this.write(`\r\u001b[K\u001b[?1l\u001b>${this.options.initialize ? '\u001b[?1049l' : ''}`);
  }

  protected async write(text: string): Promise<void> {
    await this.proc.stdout.write(text);
  }

  /** The next key; a window of another size is drawn anew meanwhile. */
  protected async next(): Promise<string | undefined> {
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

  protected isShown(line: number): boolean {
    const { filter } = this;
    if (filter === undefined || this.help) return true;
    filter.pattern.lastIndex = 0;
    return filter.pattern.test(plainText(this.lines[line]!, this.options.colors)) !== filter.inverted;
  }

  protected get lines(): readonly string[] {
    return this.help ? SUMMARY : this.source.lines;
  }

  protected get ended(): boolean {
    return this.help || this.source.ended;
  }

  protected rows(line: number): string[] {
    const { options } = this;
    const prefix = options.numbers ? NUMBER_COLUMNS : 0;
    const columns = Math.max(1, this.tty.size.columns - prefix);
    const rows = rowsOf(this.lines[line]!, this.matches(line), { ...options, columns, shift: this.shift });
    if (prefix === 0) return rows;
    return rows.map((row, i) => (i === 0 ? `${String(line + 1).padStart(7)} ` : ' '.repeat(prefix)) + row);
  }

  protected matches(line: number): [number, number][] {
    const { search } = this;
    if (search === undefined || search.inverted || !this.highlighting || this.help) return [];
    const found: [number, number][] = [];
    search.pattern.lastIndex = 0;
    for (const match of plainText(this.lines[line]!, this.options.colors).matchAll(search.pattern))
      if (match[0] !== '') found.push([match.index, match.index + match[0].length]);
    return found;
  }

  protected nextLine(line: number): number | undefined {
    for (let at = line + 1; at < this.lines.length; at++) if (this.isShown(at)) return at;
    return undefined;
  }

  protected previousLine(line: number): number | undefined {
    for (let at = line - 1; at >= 0; at--) if (this.isShown(at)) return at;
    return undefined;
  }

  /** Rows from the top on, at most a window; and the first row behind them. */
  protected window(): { rows: string[]; lastLine: number; after: Top | undefined } {
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
  protected async fill(): Promise<void> {
    while (!this.help && this.window().after === undefined && (await this.readMore()));
  }

  /** Reads a piece of the input; a key that comes first is kept, and Ctrl-C or q end the wait. */
  protected async readMore(): Promise<boolean> {
    const reading = this.source.more();
    for (;;) {
      const first = await Promise.race([reading, this.keys.arrival()]);
      if (typeof first === 'boolean') return first;
      if (this.keys.takeInterrupt()) return false;
    }
  }

  protected async readAll(): Promise<void> {
    while (!this.help && (await this.readMore()));
  }

  // ── Showing ──

  protected async showFirst(): Promise<void> {
    this.isNew = true;
    await this.fill();
    const { rows, after } = this.window();
    this.squeezed = after === undefined && rows.length < this.page;
    await this.write(rows.map((row) => `${row}\u001b[K\r\n`).join(''));
    await this.prompt();
    if (after === undefined && this.options.quitAtEnd === 'first') this.keys.push('q');
  }

  protected async draw(message?: string): Promise<void> {
    const { rows } = this.window();
    const body = rows.map((row) => `${row}\u001b[K`);
    while (body.length < this.page)
      body.push(this.options.tildes ? '\u001b[1m~\u001b[0m\u001b[K' : '\u001b[K');
    this.squeezed = false;
    await this.write(`\u001b[H${body.join('\r\n')}\r\n`);
    await this.prompt(message);
  }

  protected async prompt(message?: string): Promise<void> {
    const text = message ?? this.promptText();
    this.isNew = false;
    const shown = text.endsWith(':') && message === undefined ? text : `\u001b[7m${text}\u001b[27m`;
    await this.write(`\r\u001b[K${shown}\u001b[K`);
  }

  protected promptText(): string {
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

  protected nameText(): string {
    const many = this.files.length > 1 ? ` (file ${this.at + 1} of ${this.files.length})` : '';
    return this.source.name + many;
  }

  /** Says something in the prompt's place until a key is pressed. */
  protected async tell(text: string): Promise<void> {
    await this.prompt(text + RETURN);
    const key = await this.next();
    if (key !== undefined && !/^[\r\n ]$/.test(key)) this.keys.push(key);
    await (this.squeezed ? this.prompt() : this.draw());
  }

  // ── Moving ──

  protected async forward(count: number, force = false): Promise<void> {
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

  protected stepTop(): boolean {
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

  protected async backward(count: number): Promise<void> {
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
  protected toEnd(): void {
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

  protected async jump(line: number): Promise<void> {
    this.previous = this.top;
    while (!this.help && this.lines.length <= line && (await this.readMore()));
    this.top = { line: Math.max(0, Math.min(line, this.lines.length - 1)), row: 0 };
    await this.fill();
  }
}
