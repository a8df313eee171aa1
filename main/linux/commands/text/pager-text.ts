// How a pager shows a line: tabs, control characters, colours, rows of the window's width.
import { displayWidth } from '../frame/format.ts';

export interface RowOptions {
  readonly columns: number;
  /** -S: one row a line, the rest cut off. */
  readonly chop: boolean;
  /** Columns scrolled to the right. */
  readonly shift: number;
  /** -R or -r: colours act. */
  readonly colors: boolean;
}

const TAB_COLUMNS = 8;
const STANDOUT = '\u001b[7m';
const PLAIN = '\u001b[27m';
const SGR = /^\u001b\[[0-9;:]*m/;
/** What -R lets through besides colours: erasing, and links. */
const SILENT = /^\u001b(?:\[[0-9;]*K|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/;

/** One piece of a line: what is written, what it takes, and where it stands in the plain text. */
interface Piece {
  readonly text: string;
  readonly width: number;
  readonly at: number;
}

/** The text that searches look at: without colours under -R, without backspaces. */
export function plainText(line: string, colors: boolean): string {
  const bare = line.replace(/.\u0008/gu, '').replace(/\r$/, '');
  return colors ? bare.replace(/\u001b(?:\[[0-9;:]*[mK]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g, '') : bare;
}

/** The rows of one line; `matches` are parts of its plain text that stand out, from and to. */
export function rowsOf(
  line: string,
  matches: readonly (readonly [number, number])[],
  { columns, chop, shift, colors }: RowOptions,
): string[] {
  const rows: string[] = [];
  let row = '';
  let width = 0;
  let skipped = 0;
  let standout = false;
  let colored = '';
  const turn = (on: boolean): void => {
    if (on !== standout) row += on ? STANDOUT : PLAIN + colored;
    standout = on;
  };
  const endRow = (): void => {
    turn(false);
    rows.push(colored === '' ? row : `${row}\u001b[m`);
    row = colored;
    width = 0;
  };
  const limit = columns;
  let full = false;
  for (const piece of piecesOf(line, colors)) {
    if (piece.width === 0 && piece.text.startsWith('\u001b')) {
      if (SGR.test(piece.text)) colored = /^\u001b\[0*m$/.test(piece.text) ? '' : colored + piece.text;
      if (!full) row += piece.text;
      continue;
    }
    if (full) continue;
    if (skipped < shift) {
      skipped += piece.width;
      continue;
    }
    if (width + piece.width > limit) {
      if (chop) {
        full = true;
        continue;
      }
      endRow();
    }
    turn(matches.some(([from, to]) => piece.at >= from && piece.at < to));
    row += piece.text;
    width += piece.width;
  }
  endRow();
  if (chop && full) return [markChopped(line, matches, { columns, chop, shift, colors })];
  return rows;
}

/** A row that is cut off ends in a `>` that stands out. */
function markChopped(
  line: string,
  matches: readonly (readonly [number, number])[],
  options: RowOptions,
): string {
  const shorter = { ...options, columns: options.columns - 1 };
  let row = '';
  let width = 0;
  let skipped = 0;
  for (const piece of piecesOf(line, options.colors)) {
    if (piece.width > 0 && skipped < options.shift) {
      skipped += piece.width;
      continue;
    }
    if (width + piece.width > shorter.columns) break;
    const found = piece.width > 0 && matches.some(([from, to]) => piece.at >= from && piece.at < to);
    row += found ? STANDOUT + piece.text + PLAIN : piece.text;
    width += piece.width;
  }
  const colors = options.colors && row.includes('\u001b[') ? '\u001b[m' : '';
  return `${row}${colors}${' '.repeat(shorter.columns - width)}${STANDOUT}>${PLAIN}`;
}

function piecesOf(line: string, colors: boolean): Piece[] {
  const pieces: Piece[] = [];
  let column = 0;
  let at = 0;
  const text = line.replace(/\r$/, '');
  for (let i = 0; i < text.length;) {
    const rest = text.slice(i, i + 256);
    const escape = colors ? (SGR.exec(rest) ?? SILENT.exec(rest)) : null;
    if (escape !== null) {
      pieces.push({ text: escape[0], width: 0, at });
      i += escape[0].length;
      continue;
    }
    const overstruck = /^(.)\u0008(.)/u.exec(rest);
    if (overstruck !== null) {
      const [all, first, second] = overstruck;
      const bold = first === second;
      const shown = bold
        ? `\u001b[1m${second}\u001b[22m`
        : `\u001b[4m${second === '_' ? first : second}\u001b[24m`;
      pieces.push({ text: shown, width: displayWidth(second!), at });
      column += displayWidth(second!);
      at += second!.length;
      i += all.length;
      continue;
    }
    const c = String.fromCodePoint(text.codePointAt(i)!);
    const piece = shownCharacter(c, column);
    pieces.push({ ...piece, at });
    column += piece.width;
    at += c.length;
    i += c.length;
  }
  return pieces;
}

function shownCharacter(c: string, column: number): { text: string; width: number } {
  const code = c.charCodeAt(0);
  if (c === '\t') {
    const width = TAB_COLUMNS - (column % TAB_COLUMNS);
    return { text: ' '.repeat(width), width };
  }
  if (c === '\u001b') return { text: `${STANDOUT}ESC${PLAIN}`, width: 3 };
  if (code < 0x20 || code === 0x7f)
    return { text: `${STANDOUT}^${String.fromCharCode(code ^ 0x40)}${PLAIN}`, width: 2 };
  return { text: c, width: displayWidth(c) };
}
