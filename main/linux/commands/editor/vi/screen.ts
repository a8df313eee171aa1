// Vi's screen: the window on the text, the status line below; only rows that changed are sent.
import type { OpenFile, Tty } from '../../../kernel/index.ts';
import { charWidth } from '../../frame/format.ts';
import type { Options } from './options.ts';
import { nextColumn, type Position, type Text } from './text.ts';

/** What is drawn besides the text. */
export interface View {
  readonly text: Text;
  readonly cursor: Position;
  readonly options: Options;
  /** In place of the status line's left part. */
  readonly message: string;
  readonly isError: boolean;
  readonly isMode: boolean;
  /** Keys of a command not yet complete, or how much is selected. */
  readonly pending: string;
  /** The command line and the cursor's place in it, while one is typed. */
  readonly prompt?: { readonly text: string; readonly at: number };
  /** Whether a character is selected. */
  readonly isSelected?: (line: number, column: number) => boolean;
  /** Matches that are shown. */
  readonly highlight?: RegExp | undefined;
  /** Shown in place of the lines below an empty text. */
  readonly intro?: readonly string[];
}

const RULER_COLUMNS = 18;
const PENDING_COLUMNS = 10;
const REVERSE = '\u001b[7m';
const MATCH = '\u001b[43m\u001b[30m';
const BLUE = '\u001b[1m\u001b[34m';
const NUMBER = '\u001b[33m';
const ERROR = '\u001b[37m\u001b[41m';
const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

interface Row {
  readonly text: string;
  /** Where the cursor is in it, in columns. */
  readonly cursor?: number;
}

export class Screen {
  private readonly out: OpenFile;
  private readonly tty: Tty;
  private drawn: string[] = [];
  /** First line shown. */
  top = 0;

  constructor(out: OpenFile, tty: Tty) {
    this.out = out;
    this.tty = tty;
  }

  get columns(): number {
    return Math.max(20, this.tty.size.columns);
  }

  /** Rows of text. */
  get height(): number {
    return Math.max(1, this.tty.size.rows - 1);
  }

  async enter(): Promise<void> {
    await this.out.write('\u001b[?1049h\u001b[?2004h\u001b[H\u001b[2J');
    this.drawn = [];
  }

  async leave(): Promise<void> {
    await this.out.write(`\u001b[${this.tty.size.rows};1H\u001b[K\u001b[?2004l\u001b[?1049l`);
  }

  /** Forgets what is on the screen: the next drawing is whole. */
  async clear(): Promise<void> {
    this.drawn = [];
    await this.out.write('\u001b[H\u001b[2J');
  }

  /** Writes below the text, as the output of commands. */
  async print(text: string): Promise<void> {
    await this.out.write(text.replaceAll('\n', '\r\n'));
  }

  /** Moves the window so that the cursor's line is in it. */
  scrollTo(text: Text, line: number, options: Options): void {
    const count = text.lines.length;
    const margin = Math.min(options.scrolloff, Math.floor((this.height - 1) / 2));
    const last = Math.max(0, count - 1);
    if (line < this.top + margin && this.top > 0) {
      const wanted = Math.max(0, line - margin);
      this.top = this.top - wanted >= this.height ? this.centred(text, line, options) : wanted;
    } else if (line < this.top) this.top = line;
    const bottom = Math.min(line + margin, last);
    if (this.rowsBetween(text, this.top, bottom, options) <= this.height) return;
    if (bottom - this.lastShown(text, options) > this.height) {
      this.top = this.centred(text, line, options);
      return;
    }
    while (this.top < line && this.rowsBetween(text, this.top, bottom, options) > this.height) this.top++;
  }

  /** The first line when this one is in the middle and the window is full. */
  centred(text: Text, line: number, options: Options): number {
    const lowest = Math.max(0, text.lines.length - this.height);
    let top = Math.max(0, line - Math.floor(this.height / 2));
    top = Math.min(top, Math.max(lowest, 0));
    while (top < line && this.rowsBetween(text, top, line, options) > this.height) top++;
    return top;
  }

  /** The last line that is shown whole. */
  lastShown(text: Text, options: Options): number {
    let rows = 0;
    for (let line = this.top; line < text.lines.length; line++) {
      rows += this.rowsOf(text.line(line), options);
      if (rows > this.height) return Math.max(this.top, line - 1);
    }
    return text.lines.length - 1;
  }

  private rowsBetween(text: Text, from: number, to: number, options: Options): number {
    if (to - from > this.height * 2) return Infinity;
    let rows = 0;
    for (let line = from; line <= to; line++) rows += this.rowsOf(text.line(line), options);
    return rows;
  }

  private rowsOf(line: string, options: Options): number {
    if (!options.wrap) return 1;
    const width = this.columns - this.numberWidth(options);
    return Math.max(1, Math.ceil(displayColumn(line, line.length, options) / width));
  }

  private numberWidth(options: Options, count = 0): number {
    return options.number || options.relativenumber ? Math.max(4, String(count).length + 1) : 0;
  }

  async draw(view: View): Promise<void> {
    const rows = this.textRows(view);
    const cursorRow = rows.findIndex(({ cursor }) => cursor !== undefined);
    const cursor = rows[cursorRow]?.cursor ?? 0;
    const lines = rows.map(({ text }) => text);
    while (lines.length < this.height) {
      const intro = view.intro?.[lines.length];
      lines.push(`${BLUE}~${PLAIN}${intro === undefined || intro === '' ? '' : intro.slice(1)}`);
    }
    lines.push(this.statusLine(view));
    let output = '';
    for (const [index, line] of lines.entries())
      if (this.drawn[index] !== line) output += `\u001b[${index + 1};1H${line}\u001b[K`;
    this.drawn = lines;
    const place =
      view.prompt === undefined
        ? `\u001b[${Math.max(0, cursorRow) + 1};${cursor + 1}H`
        : `\u001b[${this.height + 1};${displayColumn(view.prompt.text, view.prompt.at, view.options) + 1}H`;
    await this.out.write(`\u001b[?25l${output}${place}\u001b[?25h`);
  }

  private textRows(view: View): Row[] {
    const { text, options, cursor } = view;
    const rows: Row[] = [];
    for (let line = this.top; line < text.lines.length && rows.length < this.height; line++) {
      if (text.isEmpty && line === 0) {
        rows.push({ text: '', cursor: 0 });
        continue;
      }
      const folded = this.foldLine(view, line);
      if (rows.length + folded.length > this.height && rows.length > 0) {
        while (rows.length < this.height) rows.push({ text: `${BLUE}@${PLAIN}` });
        break;
      }
      rows.push(...folded.slice(0, this.height - rows.length));
    }
    void options;
    void cursor;
    return rows;
  }

  /** One line of the text as rows of the screen. */
  private foldLine(view: View, line: number): Row[] {
    const { text, cursor, options, isSelected, highlight } = view;
    const content = text.line(line);
    const gutter = this.numberWidth(options, text.lines.length);
    const width = this.columns - gutter;
    const shown = options.relativenumber && line !== cursor.line ? Math.abs(line - cursor.line) : line + 1;
    const numbered = gutter === 0 ? '' : `${NUMBER}${`${shown} `.padStart(gutter)}${PLAIN}`;
    const matches = matchesIn(content, highlight);
    const rows: Row[] = [];
    let row = numbered;
    let used = 0;
    let column = 0;
    let place: number | undefined;
    let style = '';
    const restyle = (wanted: string): void => {
      if (wanted === style) return;
      row += style === '' ? wanted : `${PLAIN}${wanted}`;
      style = wanted;
    };
    const finish = (): void => {
      restyle('');
      rows.push(place === undefined ? { text: row } : { text: row, cursor: place });
      place = undefined;
      row = gutter === 0 ? '' : ' '.repeat(gutter);
      used = 0;
    };
    for (let i = 0; i < content.length;) {
      const next = nextColumn(content, i);
      const cells = cellsOf(content.slice(i, next), column, options);
      if (used + cells.width > width) {
        if (!options.wrap) break;
        finish();
      }
      restyle(
        isSelected?.(line, i) === true
          ? REVERSE
          : matches.some(([a, b]) => i >= a && i < b)
            ? MATCH
            : cells.isSpecial
              ? BLUE
              : '',
      );
      if (line === cursor.line && i === cursor.column)
        place =
          gutter +
          used +
          (content[i] === '\t' && view.prompt === undefined && !view.isMode ? cells.width - 1 : 0);
      row += cells.text;
      used += cells.width;
      column += cells.width;
      i = next;
    }
    if (line === cursor.line && cursor.column >= content.length && place === undefined) {
      if (used >= width && options.wrap) finish();
      place = gutter + used;
    }
    if (isSelected?.(line, content.length) === true && content === '') {
      restyle(REVERSE);
      row += ' ';
    }
    if (options.list) row += `${BLUE}$${PLAIN}`;
    finish();
    return rows;
  }

  private statusLine(view: View): string {
    const { message, isError, isMode, pending, prompt, options } = view;
    if (prompt !== undefined) return prompt.text;
    const left = this.columns - RULER_COLUMNS;
    const room = message.length > left - PENDING_COLUMNS - 1 ? left - 1 : left - PENDING_COLUMNS;
    const cut = cutTo(message, options.ruler ? Math.max(room, 1) : this.columns - 1);
    const styled =
      cut === '' ? '' : isError ? `${ERROR}${cut}${PLAIN}` : isMode ? `${BOLD}${cut}${PLAIN}` : cut;
    let used = displayColumn(cut, cut.length, options);
    let line = styled;
    if (pending !== '' && used <= left - PENDING_COLUMNS) {
      line += ' '.repeat(left - PENDING_COLUMNS - used) + pending.slice(-PENDING_COLUMNS);
      used = left - PENDING_COLUMNS + Math.min(pending.length, PENDING_COLUMNS);
    }
    if (!options.ruler) return line;
    return line + ' '.repeat(Math.max(0, left - used)) + this.ruler(view);
  }

  private ruler({ text, cursor, options }: View): string {
    const line = text.line(cursor.line);
    const bytes = Buffer.byteLength(line.slice(0, cursor.column)) + (line === '' ? 0 : 1);
    const display = displayColumn(line, cursor.column, options) + 1;
    const shown = line === '' ? '0-1' : bytes === display ? String(bytes) : `${bytes}-${display}`;
    const where = `${text.isEmpty ? 0 : cursor.line + 1},${shown}`;
    return `${where.padEnd(13)} ${this.share(text, options)}`;
  }

  /** Where the window is in the text. */
  private share(text: Text, options: Options): string {
    const above = this.top;
    const below = text.lines.length - 1 - this.lastShown(text, options);
    if (above <= 0) return below <= 0 ? 'All' : 'Top';
    if (below <= 0) return 'Bot';
    return `${Math.floor((above * 100) / (above + below))}%`;
  }
}

function matchesIn(line: string, pattern: RegExp | undefined): [number, number][] {
  if (pattern === undefined) return [];
  return [...line.matchAll(pattern)]
    .filter(([text]) => text !== '')
    .map((match) => [match.index, match.index + match[0].length]);
}

/** How a character is shown at a column. */
function cellsOf(
  character: string,
  column: number,
  { tabstop, list }: Options,
): { text: string; width: number; isSpecial: boolean } {
  const code = character.codePointAt(0)!;
  if (code === 9 && !list) {
    const width = tabstop - (column % tabstop);
    return { text: ' '.repeat(width), width, isSpecial: false };
  }
  if (code < 32 || code === 127)
    return { text: `^${String.fromCharCode(code ^ 64)}`, width: 2, isSpecial: true };
  if (code >= 128 && code < 160) return { text: `<${code.toString(16)}>`, width: 4, isSpecial: true };
  let width = 0;
  for (const c of character) width += charWidth(c.codePointAt(0)!);
  return { text: character, width, isSpecial: false };
}

/** Columns on the screen before a place in a line. */
export function displayColumn(line: string, column: number, options: Options): number {
  let width = 0;
  for (let i = 0; i < column && i < line.length;) {
    const next = nextColumn(line, i);
    width += cellsOf(line.slice(i, next), width, options).width;
    i = next;
  }
  return width;
}

/** The place in a line whose column on the screen is this one, or the last before it. */
export function columnAt(line: string, wanted: number, options: Options): number {
  let width = 0;
  for (let i = 0; i < line.length;) {
    const next = nextColumn(line, i);
    width += cellsOf(line.slice(i, next), width, options).width;
    if (width > wanted) return i;
    i = next;
  }
  return line.length;
}

function cutTo(text: string, columns: number): string {
  let width = 0;
  let out = '';
  for (const c of text) {
    width += charWidth(c.codePointAt(0)!);
    if (width > columns) break;
    out += c;
  }
  return out;
}
