// Shows a prompt and the line being edited over as many rows as they need.
import { cellWidth, graphemes } from './width.ts';

/** Row and column, from where the prompt's last line begins. */
interface Position {
  readonly row: number;
  readonly column: number;
}

export class Screen {
  private readonly output: (text: string) => Promise<void>;
  private readonly columns: () => number;
  private prompt = '';
  private promptCells: string[] = [];
  /** Where the cursor is now. */
  private cursor: Position = { row: 0, column: 0 };
  private shown: readonly string[] = [];
  private shownCursor = 0;

  constructor(output: (text: string) => Promise<void>, columns: () => number) {
    this.output = output;
    this.columns = columns;
  }

  /** Writes a prompt on the present line; \x01 and \x02 enclose what takes no room. */
  async begin(prompt: string): Promise<void> {
    const at = prompt.lastIndexOf('\n');
    this.setPrompt(prompt.slice(at + 1));
    this.cursor = { row: 0, column: 0 };
    this.shown = [];
    this.shownCursor = 0;
    const head = prompt.slice(0, at + 1).replace(/[\x01\x02]/g, '');
    await this.output(head);
    await this.draw([], 0);
  }

  private setPrompt(prompt: string): void {
    this.prompt = prompt.replace(/[\x01\x02]/g, '');
    const visible = prompt
      .replace(/\x01[^\x02]*\x02/g, '')
      .replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])/g, '');
    this.promptCells = graphemes(visible);
  }

  /** Shows the buffer with the cursor before `cursor`. Typing at the end writes only what's new. */
  async show(buffer: readonly string[], cursor: number): Promise<void> {
    const appended = buffer.slice(this.shown.length);
    const isAppend =
      this.shownCursor === this.shown.length &&
      cursor === buffer.length &&
      appended.length > 0 &&
      this.shown.every((each, i) => each === buffer[i]);
    if (isAppend && !appended.includes('\n')) {
      const end = this.position(buffer, buffer.length);
      const wraps = end.column === 0 && end.row > this.cursor.row;
      await this.output(appended.map(visible).join('') + (wraps ? ' \r' : ''));
      this.cursor = end;
    } else if (buffer.length === this.shown.length && this.shown.every((each, i) => each === buffer[i])) {
      const target = this.position(buffer, cursor);
      await this.output(this.travel(this.cursor, target));
      this.cursor = target;
    } else {
      await this.draw(buffer, cursor);
    }
    this.shown = [...buffer];
    this.shownCursor = cursor;
  }

  /** Writes everything anew from the prompt's beginning. */
  private async draw(buffer: readonly string[], cursor: number): Promise<void> {
    const end = this.position(buffer, buffer.length);
    const target = this.position(buffer, cursor);
    const up = this.cursor.row > 0 ? `\x1b[${this.cursor.row}A` : '';
    const wrap = end.column === 0 && end.row > 0 && buffer.at(-1) !== '\n' ? ' \r' : '';
    const fresh = this.cursor.row === 0 && this.cursor.column === 0 && buffer.length === 0;
    const text = buffer.map((each) => (each === '\n' ? '\x1b[K\n' : visible(each))).join('');
    await this.output(
      fresh
        ? `${this.prompt}${wrap}`
        : `${up}\r${this.prompt}${text}${wrap}\x1b[J${this.travel(end, target)}`,
    );
    this.cursor = target;
  }

  /** Redraws under another prompt, as searches do. */
  async reprompt(prompt: string, buffer: readonly string[], cursor: number): Promise<void> {
    this.setPrompt(prompt.slice(prompt.lastIndexOf('\n') + 1));
    await this.draw(buffer, cursor);
    this.shown = [...buffer];
    this.shownCursor = cursor;
  }

  /** The window has another width: rows are counted anew, as the terminal has reflowed them. */
  async resized(): Promise<void> {
    this.cursor = this.position(this.shown, this.shownCursor);
    await this.draw(this.shown, this.shownCursor);
  }

  /** Goes to the line below the buffer. */
  async finish(): Promise<void> {
    const end = this.position(this.shown, this.shown.length);
    await this.output(`${this.travel(this.cursor, end)}\n`);
    this.cursor = { row: 0, column: 0 };
  }

  /** Clears the terminal and begins at its top. */
  async clear(): Promise<void> {
    await this.output('\x1b[H\x1b[2J');
    this.cursor = { row: 0, column: 0 };
    await this.draw(this.shown, this.shownCursor);
  }

  /** Starts over below what was printed meanwhile. */
  async restart(): Promise<void> {
    this.cursor = { row: 0, column: 0 };
    await this.draw(this.shown, this.shownCursor);
  }

  private travel(from: Position, to: Position): string {
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

  /** Where the character at `index` stands. */
  private position(buffer: readonly string[], index: number): Position {
    const columns = Math.max(2, this.columns());
    let row = 0;
    let column = 0;
    const advance = (cell: string): void => {
      if (cell === '\n') {
        row++;
        column = 0;
        return;
      }
      const width = cellWidth(cell);
      if (column + width > columns) {
        row++;
        column = 0;
      }
      column += width;
      if (column === columns) {
        row++;
        column = 0;
      }
    };
    for (const cell of this.promptCells) advance(cell);
    for (let i = 0; i < index; i++) advance(buffer[i]!);
    const next = buffer[index];
    if (next !== undefined && next !== '\n' && column + cellWidth(next) > columns)
      return { row: row + 1, column: 0 };
    return { row, column };
  }
}

function visible(cell: string): string {
  const code = cell.charCodeAt(0);
  if (code === 0x7f) return '^?';
  return code < 0x20 ? `^${String.fromCharCode(code + 0x40)}` : cell;
}
