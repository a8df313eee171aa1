// Where each character of a prompt and a line stands on a screen of some width.
import { cellWidth, graphemes } from './width.ts';

/** Row and column, from where the prompt's last line begins. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/** A piece of the line that stays together on a row. */
export interface Piece {
  readonly text: string;
  /** Shown in reverse: the active region. */
  readonly standout: boolean;
  readonly at: Position;
  /** It is the last of a row that it fills. */
  readonly fills: boolean;
}

/** A line as laid out. */
export interface Layout {
  readonly pieces: readonly Piece[];
  readonly end: Position;
  readonly point: Position;
}

const TAB_COLUMNS = 8;

/** Counts rows and columns as a terminal with automatic margins does. */
export class Walk {
  row = 0;
  column = 0;
  private readonly columns: number;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** Takes one piece's room and returns where it stands; a wide character that doesn't fit goes to the next row. */
  take(width: number): Position {
    if (this.column + width > this.columns) this.newRow();
    const at = this.position;
    this.column += width;
    if (this.column >= this.columns) this.newRow();
    return at;
  }

  newRow(): void {
    this.row++;
    this.column = 0;
  }

  get position(): Position {
    return { row: this.row, column: this.column };
  }
}

/** The prompt's visible characters, one by one; \x01 and \x02 enclose what takes no room. */
export function promptCells(prompt: string): string[] {
  const visible = prompt
    .replace(/\x01[^\x02]*\x02?/g, '')
    .replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])/g, '');
  return graphemes(visible);
}

/** Lays out a line behind a prompt; `region` is what stands out, from and to in UTF-16 offsets. */
export function layOut(
  prompt: readonly string[],
  text: string,
  point: number,
  columns: number,
  region: readonly [number, number] | undefined,
): Layout {
  const walk = new Walk(columns);
  for (const cell of prompt) walk.take(cellWidth(cell));
  const pieces: Piece[] = [];
  let offset = 0;
  let pointAt: Position | undefined;
  for (const character of graphemes(text)) {
    const standout = region !== undefined && offset >= region[0] && offset < region[1];
    for (const piece of piecesOf(character, walk.column)) {
      const at = piece === '\n' ? walk.position : walk.take(cellWidth(piece));
      if (piece === '\n') walk.newRow();
      pieces.push({ text: piece, standout, at, fills: piece !== '\n' && walk.row > at.row });
      if (offset === point) pointAt ??= at;
    }
    offset += character.length;
    if (offset > point) pointAt ??= walk.position;
  }
  return { pieces, end: walk.position, point: pointAt ?? walk.position };
}

/** How one character of the line is shown. */
function piecesOf(character: string, column: number): string[] {
  const code = character.charCodeAt(0);
  if (character === '\n') return ['\n'];
  if (character === '\t') return Array.from({ length: TAB_COLUMNS - (column % TAB_COLUMNS) }, () => ' ');
  if (code < 0x20) return ['^', String.fromCharCode(code + 0x40)];
  if (code === 0x7f) return ['^', '?'];
  if (code >= 0xdc80 && code <= 0xdcff && character.length === 1)
    return [...`\\${(code & 0xff).toString(8).padStart(3, '0')}`];
  return [character];
}
