// Shows a prompt and the line being edited over as many rows as they need.
import type { WindowSize } from '../../kernel/index.ts';
import { layOut, promptCells, Walk, type Layout, type Piece, type Position } from './layout.ts';
import { cellWidth } from './width.ts';

const ORIGIN: Position = { row: 0, column: 0 };
const NOTHING: Layout = { pieces: [], end: ORIGIN, point: ORIGIN };

export interface Shown {
  readonly text: string;
  readonly point: number;
  /** What stands out. */
  readonly region?: readonly [number, number] | undefined;
}

export class Screen {
  private readonly output: (text: string) => Promise<void>;
  private readonly size: () => WindowSize;
  private prompt = '';
  private cells: string[] = [];
  /** Where the prompt ends. */
  private promptEnd: Position = ORIGIN;
  /** Where the cursor is now. */
  private cursor: Position = ORIGIN;
  private layout: Layout = NOTHING;
  private last: Shown = { text: '', point: 0 };
  /** The lowest row that has been written to; a line higher than the window has lost rows at the top. */
  private bottom = 0;

  constructor(output: (text: string) => Promise<void>, size: () => WindowSize) {
    this.output = output;
    this.size = size;
  }

  private get columns(): number {
    return Math.max(2, this.size().columns);
  }

  private get rows(): number {
    return Math.max(2, this.size().rows);
  }

  /** The first row that is still on the screen. */
  private get top(): number {
    return Math.max(0, this.bottom - this.rows + 1);
  }

  /** Writes a prompt on the present line; \x01 and \x02 enclose what takes no room. */
  async begin(prompt: string): Promise<void> {
    const at = prompt.lastIndexOf('\n');
    this.setPrompt(prompt.slice(at + 1));
    this.cursor = ORIGIN;
    this.bottom = 0;
    this.last = { text: '', point: 0 };
    await this.output(prompt.slice(0, at + 1).replace(/[\x01\x02]/g, '') + this.drawAll());
  }

  private setPrompt(prompt: string): void {
    this.prompt = prompt.replace(/[\x01\x02]/g, '');
    this.cells = promptCells(prompt);
    this.measurePrompt();
  }

  private measurePrompt(): void {
    const walk = new Walk(this.columns);
    for (const cell of this.cells) walk.take(cellWidth(cell));
    this.promptEnd = walk.position;
  }

  /** Shows the line, writing from the first character that differs. */
  async show(line: Shown): Promise<void> {
    const layout = this.lay(line);
    const old = this.layout.pieces;
    let same = 0;
    while (same < old.length && same < layout.pieces.length && isSame(old[same]!, layout.pieces[same]!))
      same++;
    const changed = same < old.length || same < layout.pieces.length;
    if (layout.point.row < this.top) return this.redrawFrom(layout, line);
    let text = '';
    if (changed) text += this.write(layout, same, this.layout.end);
    this.layout = layout;
    this.last = line;
    await this.output(text + this.travel(layout.point));
  }

  /** Shows the same line under another prompt, as searches do. */
  async reprompt(prompt: string, line: Shown = this.last): Promise<void> {
    this.setPrompt(prompt.slice(prompt.lastIndexOf('\n') + 1));
    this.last = line;
    await this.output(this.toOrigin() + this.drawAll());
  }

  /** The window has another width: terminals leave the line with the cursor as it was, and it's written anew. */
  async resized(): Promise<void> {
    const text = `${this.toOrigin()}\x1b[J`;
    this.measurePrompt();
    this.bottom = 0;
    await this.output(text + this.drawAll());
  }

  /** Goes to the line below the buffer; a mark may be left where the cursor is. */
  async finish(mark = ''): Promise<void> {
    const { end, pieces } = this.layout;
    // Behind a full row the cursor is on an empty one already.
    const isBelow = mark === '' && end.row > 0 && end.column === 0 && pieces.at(-1)?.text !== '\n';
    const { row, column } = this.cursor;
    this.cursor = { row, column: column + mark.length };
    await this.output(
      mark + this.travel(mark === '' || row < end.row ? end : this.cursor) + (isBelow ? '' : '\n'),
    );
    this.cursor = ORIGIN;
  }

  /** Clears the terminal, its lines above too if `all`, and begins at its top with the whole prompt. */
  async clear(prompt: string, all = false): Promise<void> {
    this.cursor = ORIGIN;
    this.bottom = 0;
    const head = prompt.slice(0, prompt.lastIndexOf('\n') + 1).replace(/[\x01\x02]/g, '');
    await this.output(`\x1b[H\x1b[2J${all ? '\x1b[3J' : ''}${head}${this.drawAll()}`);
  }

  private lay({ text, point, region }: Shown): Layout {
    return layOut(this.cells, text, point, this.columns, region);
  }

  private toOrigin(): string {
    return `${this.travel({ row: this.top, column: 0 })}\r`;
  }

  /** The prompt and all of the line, from where the cursor is. */
  private drawAll(): string {
    const layout = this.lay(this.last);
    const wraps = this.promptEnd.row > 0 && this.promptEnd.column === 0;
    let text = this.prompt + (wraps ? ' \r' : '');
    this.cursor = this.promptEnd;
    this.bottom = Math.max(this.bottom, this.cursor.row);
    text += this.write(layout, 0, undefined);
    this.layout = layout;
    return text + this.travel(layout.point);
  }

  /** A line higher than the window, whose point is above it: the rows from there on are shown instead. */
  private async redrawFrom(layout: Layout, line: Shown): Promise<void> {
    const first = layout.point.row;
    let text = `${this.travel({ row: this.top, column: 0 })}\x1b[J`;
    this.cursor = { row: first, column: 0 };
    this.bottom = first + this.rows - 1;
    if (first === 0) {
      this.last = line;
      this.bottom = 0;
      text += this.prompt;
    }
    this.cursor = first === 0 ? this.promptEnd : this.cursor;
    const last = first + this.rows - 1;
    const visible = layout.pieces.filter(({ at }) => at.row >= first && at.row <= last);
    const until = visible.length > 0 ? layout.pieces.indexOf(visible.at(-1)!) + 1 : 0;
    const from = visible.length > 0 ? layout.pieces.indexOf(visible[0]!) : 0;
    text += this.writePieces(layout, from, until);
    // What lies below the window isn't written: the rest counts as not shown.
    this.layout = { ...layout, pieces: layout.pieces.slice(0, until) };
    this.last = line;
    await this.output(text + this.travel(layout.point));
  }

  /** Writes the pieces from one on, and clears what the old line had behind them. */
  private write(layout: Layout, from: number, oldEnd: Position | undefined): string {
    let first = from;
    while (first < layout.pieces.length && layout.pieces[first]!.at.row < this.top) first++;
    const text = this.writePieces(layout, first, layout.pieces.length);
    const shorter = oldEnd === undefined || isBefore(layout.end, oldEnd);
    return text + (shorter ? '\x1b[J' : '');
  }

  private writePieces(layout: Layout, from: number, until: number): string {
    const start = this.endOf(layout, from);
    let text = this.travel(start);
    let standout = false;
    let pending = false;
    let { row } = start;
    for (const piece of layout.pieces.slice(from, until)) {
      if (piece.standout !== standout) text += piece.standout ? '\x1b[7m' : '\x1b[27m';
      standout = piece.standout;
      if (piece.text === '\n') {
        text += `${pending ? ' \r' : ''}\x1b[K\n`;
        pending = false;
        row = piece.at.row + 1;
        continue;
      }
      if (piece.at.row > row) text += '\x1b[K'; // A wide character leaves the last column empty.
      text += piece.text;
      pending = piece.fills;
      row = piece.at.row + (pending ? 1 : 0);
    }
    if (standout) text += '\x1b[27m';
    if (pending) text += ' \r';
    this.cursor = this.endOf(layout, until);
    this.bottom = Math.max(this.bottom, this.cursor.row);
    return text;
  }

  /** Where the cursor is once the pieces up to one have been written. */
  private endOf(layout: Layout, until: number): Position {
    const last = layout.pieces[until - 1];
    if (last === undefined) return this.promptEnd;
    if (last.fills || last.text === '\n') return { row: last.at.row + 1, column: 0 };
    return { row: last.at.row, column: last.at.column + cellWidth(last.text) };
  }

  /** Moves the cursor; the escapes that do it. */
  private travel(to: Position): string {
    const from = this.cursor;
    this.cursor = to;
    let text = '';
    if (to.row < from.row) text += `\x1b[${from.row - to.row}A`;
    if (to.row > from.row) text += `\x1b[${to.row - from.row}B`;
    if (to.column === from.column) return text;
    if (to.column === 0) return `${text}\r`;
    if (from.column === to.column + 1) return `${text}\b`;
    return to.column > from.column
      ? `${text}\x1b[${to.column - from.column}C`
      : `${text}\x1b[${from.column - to.column}D`;
  }
}

function isSame(a: Piece, b: Piece): boolean {
  return (
    a.text === b.text && a.standout === b.standout && a.at.row === b.at.row && a.at.column === b.at.column
  );
}

function isBefore(a: Position, b: Position): boolean {
  return a.row < b.row || (a.row === b.row && a.column < b.column);
}
