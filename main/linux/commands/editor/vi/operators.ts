// Vi's operators: what is done to the text that a motion or a selection covers.
import type { Extent } from './motions.ts';
import type { Held } from './registers.ts';
import { columnAt, displayColumn } from './screen.ts';
import type { Session } from './state.ts';
import { deltaText, lastColumn, nextColumn, plural, type Position } from './text.ts';

/** Part of the text that an operator works on; `to` belongs to it where `extent` says so. */
export interface Range {
  readonly from: Position;
  readonly to: Position;
  readonly extent: Extent;
  /** A block of columns: those of the screen. */
  readonly columns?: { readonly from: number; readonly to: number };
}

/** More lines than this are told of. */
const REPORT_ABOVE = 2;

/** The range between two places, in order; exclusive motions that end in column 0 end at the line before (`:help o_v`). */
export function rangeOf(session: Session, a: Position, b: Position, extent: Extent): Range {
  const isOrdered = a.line < b.line || (a.line === b.line && a.column <= b.column);
  const [from, to] = isOrdered ? [a, b] : [b, a];
  if (extent !== 'exclusive' || to.column > 0 || to.line === from.line) return { from, to, extent };
  const line = to.line - 1;
  const isWhole = from.column <= /^\s*/.exec(session.text.line(from.line))![0].length;
  return isWhole && from.line < to.line
    ? { from, to: { line, column: 0 }, extent: 'linewise' }
    : { from, to: { line, column: session.text.line(line).length }, extent: 'exclusive' };
}

function endOf(session: Session, { to, extent }: Range): number {
  const content = session.text.line(to.line);
  return extent === 'inclusive'
    ? Math.min(nextColumn(content, to.column), content.length)
    : Math.min(to.column, content.length);
}

/** The columns that a block covers in a line. */
function blockPart(
  session: Session,
  line: string,
  { from, to }: { from: number; to: number },
): [number, number] {
  const start = columnAt(line, from, session.options);
  const end = to === Infinity ? line.length : columnAt(line, to, session.options);
  return [start, Math.min(line.length, end < line.length ? nextColumn(line, end) : end)];
}

/** The text of a range. */
function textOf(session: Session, range: Range): Held {
  const { text } = session;
  const { from, to, extent, columns } = range;
  const lines = text.lines.slice(from.line, to.line + 1);
  if (columns !== undefined)
    return { lines: lines.map((line) => line.slice(...blockPart(session, line, columns))), kind: 'block' };
  if (extent === 'linewise') return { lines, kind: 'lines' };
  const end = endOf(session, range);
  if (from.line === to.line) return { lines: [lines[0]!.slice(from.column, end)], kind: 'characters' };
  return {
    lines: [lines[0]!.slice(from.column), ...lines.slice(1, -1), lines.at(-1)!.slice(0, end)],
    kind: 'characters',
  };
}

/** `y` */
export function yank(session: Session, range: Range, register: string | undefined): void {
  const held = textOf(session, range);
  session.registers.keep(register, held, true);
  const { length } = held.lines;
  if (length > REPORT_ABOVE && held.kind !== 'characters')
    session.say(held.kind === 'block' ? `block of ${length} lines yanked` : `${length} lines yanked`);
  else if (length > REPORT_ABOVE) session.say(`${length} lines yanked`);
  if (range.extent === 'linewise')
    session.moveTo({ line: range.from.line, column: session.cursor.column }, true);
  else session.moveTo(range.from);
}

/** `d`: the cursor goes where the text was. */
export function remove(session: Session, range: Range, register: string | undefined): void {
  session.registers.keep(register, textOf(session, range), false);
  cut(session, range);
  const { from, to, extent } = range;
  if (extent === 'linewise') {
    session.toFirstNonBlank(from.line);
    report(session, from.line - to.line - 1);
  } else {
    session.moveTo(from);
    report(session, range.columns === undefined ? from.line - to.line : 0);
  }
}

function report(session: Session, delta: number): void {
  if (Math.abs(delta) > REPORT_ABOVE) session.say(deltaText(delta));
}

/** Takes a range out of the text. */
function cut(session: Session, range: Range): void {
  const { text } = session;
  const { from, to, extent, columns } = range;
  if (columns !== undefined) {
    for (let line = from.line; line <= to.line; line++) {
      const content = text.line(line);
      const [start, end] = blockPart(session, content, columns);
      text.setLine(line, content.slice(0, start) + content.slice(end));
    }
    return;
  }
  if (extent === 'linewise') {
    text.splice(from.line, to.line - from.line + 1);
    return;
  }
  const joined = text.line(from.line).slice(0, from.column) + text.line(to.line).slice(endOf(session, range));
  text.splice(from.line, to.line - from.line + 1, [joined]);
}

/** `>` and `<`, `count` times. */
export function shift(
  session: Session,
  fromLine: number,
  toLine: number,
  direction: '>' | '<',
  count: number,
): void {
  const { text, options } = session;
  const width = options.shiftwidth === 0 ? options.tabstop : options.shiftwidth;
  for (let line = fromLine; line <= toLine; line++) {
    const content = text.line(line);
    if (content === '') continue;
    const blanks = /^[ \t]*/.exec(content)![0];
    const before = displayColumn(blanks, blanks.length, options);
    const after = Math.max(0, before + (direction === '>' ? width : -width) * count);
    text.setLine(line, indentText(session, after) + content.slice(blanks.length));
  }
  session.toFirstNonBlank(fromLine);
  const lines = toLine - fromLine + 1;
  if (lines > REPORT_ABOVE) session.say(`${lines} lines ${direction}ed ${plural(count, 'time', 'times')}`);
}

/** Blanks of a width, with tabs unless `expandtab` is set. */
export function indentText(session: Session, columns: number): string {
  const { expandtab, tabstop } = session.options;
  return expandtab
    ? ' '.repeat(columns)
    : '\t'.repeat(Math.floor(columns / tabstop)) + ' '.repeat(columns % tabstop);
}

/** Applies a function to each stretch of characters in a range (`~`, `gu`, `gU`, `r` of a selection). */
export function rewrite(session: Session, range: Range, change: (part: string) => string): void {
  const { text } = session;
  const { from, to, extent, columns } = range;
  for (let line = from.line; line <= to.line; line++) {
    const content = text.line(line);
    const start = extent === 'linewise' || line > from.line ? 0 : from.column;
    const end = extent === 'linewise' || line < to.line ? content.length : endOf(session, range);
    const [a, b] = columns === undefined ? [start, end] : blockPart(session, content, columns);
    if (b > a) text.setLine(line, content.slice(0, a) + change(content.slice(a, b)) + content.slice(b));
  }
}

export function swapCase(part: string): string {
  return [...part].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('');
}

/** `J` and `gJ`: joins lines, with one blank between unless there is one. */
export function join(session: Session, fromLine: number, toLine: number, spaced: boolean): void {
  const { text } = session;
  let joined = text.line(fromLine);
  let column = lastColumn(joined);
  for (let line = fromLine + 1; line <= toLine; line++) {
    const next = spaced ? text.line(line).replace(/^[ \t]+/, '') : text.line(line);
    const gap =
      !spaced || joined === '' || /[ \t]$/.test(joined) || next.startsWith(')') || next === '' ? '' : ' ';
    column = gap === '' && next !== '' ? joined.length : Math.max(0, joined.length - (gap === '' ? 1 : 0));
    joined += gap + next;
  }
  text.splice(fromLine, toLine - fromLine + 1, [joined]);
  session.moveTo({ line: fromLine, column });
  report(session, fromLine - toLine);
}

/** `p` and `P`: puts a register's text after or before the cursor. */
export function put(
  session: Session,
  held: Held,
  before: boolean,
  count: number,
  cursorAfter: boolean,
): void {
  const { text, cursor } = session;
  const { line, column } = cursor;
  if (held.kind === 'lines') {
    const all = Array.from({ length: count }, () => held.lines).flat();
    const at = before ? line : line + 1;
    if (text.isEmpty) text.splice(0, 0, ['']);
    text.splice(at, 0, all);
    if (cursorAfter) session.moveTo({ line: at + all.length, column: 0 });
    else session.toFirstNonBlank(at);
    report(session, all.length);
    return;
  }
  const content = text.line(line);
  const place = before || content === '' ? column : nextColumn(content, column);
  if (held.kind === 'block') {
    putBlock(session, held, place, count);
    return;
  }
  if (held.lines.length === 1) {
    const added = held.lines[0]!.repeat(count);
    text.setLine(line, content.slice(0, place) + added + content.slice(place));
    session.moveTo({ line, column: cursorAfter ? place + added.length : place + lastColumn(added) });
    return;
  }
  const pieces: string[] = [];
  for (let i = 0; i < count; i++) {
    const first = pieces.pop() ?? '';
    pieces.push(first + held.lines[0]!, ...held.lines.slice(1));
  }
  const last = pieces.length - 1;
  const end = pieces[last]!.length;
  pieces[0] = content.slice(0, place) + pieces[0]!;
  pieces[last] += content.slice(place);
  text.splice(line, 1, pieces);
  session.moveTo(cursorAfter ? { line: line + last, column: end } : { line, column: place });
  report(session, last);
}

function putBlock(session: Session, { lines }: Held, place: number, count: number): void {
  const { text, cursor, options } = session;
  const column = displayColumn(text.line(cursor.line), place, options);
  const width = Math.max(...lines.map((line) => displayColumn(line, line.length, options)));
  for (const [index, part] of lines.entries()) {
    const line = cursor.line + index;
    if (line >= text.lines.length) text.splice(text.lines.length, 0, ['']);
    const content = text.line(line);
    const at = columnAt(content, column, options);
    const missing = ' '.repeat(Math.max(0, column - displayColumn(content, content.length, options)));
    const rest = content.slice(at);
    const padded = part + ' '.repeat(width - displayColumn(part, part.length, options));
    const added = padded.repeat(count - 1) + (rest === '' ? part : padded);
    text.setLine(line, content.slice(0, at) + missing + added + rest);
  }
  session.moveTo({ line: cursor.line, column: place });
}

/** Leading blanks of a line, for new lines below with `autoindent`. */
export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)![0];
}
