// Vi's visual modes: what is selected, and the commands on it.
import { blockInsert } from './block-insert.ts';
import { follow } from './follow.ts';
import { typeText } from './insert.ts';
import { ESCAPE } from './keys.ts';
import { readMotion } from './move.ts';
import { apply } from './operate.ts';
import { join, type Range, rangeOf, remove, rewrite, shift } from './operators.ts';
import { next, type Pending } from './pending.ts';
import { columnAt, displayColumn } from './screen.ts';
import { scrollCommand } from './scroll.ts';
import { type Session, ViError } from './state.ts';
import { nextColumn } from './text.ts';

/** What is selected in visual mode. */
export function selection(session: Session): Range {
  const { anchor, cursor, mode, text, options } = session;
  if (mode === 'visual-line')
    return rangeOf(session, { line: anchor.line, column: 0 }, { line: cursor.line, column: 0 }, 'linewise');
  if (mode === 'visual') return charactersBetween(session, rangeOf(session, anchor, cursor, 'inclusive'));
  const place = (at: typeof cursor): number => displayColumn(text.line(at.line), at.column, options);
  const [a, b] = [place(anchor), place(cursor)];
  const columns = { from: Math.min(a, b), to: session.wantedColumn === Infinity ? Infinity : Math.max(a, b) };
  const [top, bottom] = [Math.min(anchor.line, cursor.line), Math.max(anchor.line, cursor.line)];
  const column = (line: number): number => columnAt(text.line(line), columns.from, options);
  return {
    from: { line: top, column: column(top) },
    to: { line: bottom, column: column(bottom) },
    extent: 'inclusive',
    columns,
  };
}

/** A selection of characters; one that goes to the end of a line has the line's end in it. */
function charactersBetween({ text }: Session, range: Range): Range {
  const { from, to } = range;
  if (to.column < text.line(to.line).length) return range;
  return to.line + 1 < text.lines.length
    ? { from, to: { line: to.line + 1, column: 0 }, extent: 'exclusive' }
    : { from, to: { line: to.line, column: text.line(to.line).length }, extent: 'exclusive' };
}

/** How much is selected, as vi shows it. */
export function selectionSize(session: Session): string {
  const { from, to, columns } = selection(session);
  const lines = to.line - from.line + 1;
  if (columns !== undefined)
    return `${lines}x${columns.to === Infinity ? '' : columns.to - columns.from + 1}`;
  if (session.mode === 'visual-line' || lines > 1) return String(lines);
  return String([...session.line.slice(from.column, nextColumn(session.line, to.column))].length);
}

/** Keys that select as much again from another place, for `.`. */
export function selectionKeys(session: Session): string[] {
  const { from, to, columns } = selection(session);
  const down = to.line > from.line ? [...String(to.line - from.line), 'j'] : [];
  const right = (count: number): string[] => (count > 0 ? [...String(count), 'l'] : []);
  if (session.mode === 'visual-line') return ['V', ...down];
  if (columns === undefined) {
    const start = to.line > from.line ? ['0'] : [];
    return ['v', ...down, ...start, ...right(to.line > from.line ? to.column : to.column - from.column)];
  }
  return ['\u0016', ...down, ...(columns.to === Infinity ? ['$'] : right(columns.to - columns.from))];
}

function leaveVisual(session: Session): void {
  const { from, to } = selection(session);
  session.lastSelection = {
    mode: session.mode,
    from: session.mode === 'visual-block' ? session.anchor : from,
    to: session.mode === 'visual-block' ? session.cursor : to,
  };
  session.mode = 'normal';
  session.moveTo(session.cursor, true);
}

export async function visualCommand(pending: Pending, key: string): Promise<boolean> {
  const { session, host, register, count } = pending;
  const modes: Readonly<Record<string, Session['mode']>> = {
    v: 'visual',
    V: 'visual-line',
    '\u0016': 'visual-block',
  };
  const wanted = modes[key];
  if (key === ESCAPE || key === '\u0003' || wanted === session.mode) {
    leaveVisual(session);
    return false;
  }
  if (wanted !== undefined) {
    session.mode = wanted;
    return false;
  }
  if (key === 'o' || key === 'O') {
    const { anchor } = session;
    session.anchor = session.cursor;
    session.moveTo(anchor);
    return false;
  }
  if (key === 'i' || key === 'a') {
    const object = await readMotion(pending, key, { operator: 'v', isWord: false });
    if (object?.from === undefined) return false;
    session.anchor = object.from;
    if (object.extent === 'linewise') session.mode = 'visual-line';
    session.moveTo(
      object.extent === 'exclusive' && object.to.column > 0
        ? { ...object.to, column: object.to.column - 1 }
        : object.to,
    );
    return false;
  }
  const range = selection(session);
  const { mode } = session;
  const whole: Range = { from: { ...range.from, column: 0 }, to: range.to, extent: 'linewise' };
  if (key === ':') {
    leaveVisual(session);
    const given = await host.prompt(':', "'<,'>");
    if (given !== undefined) await host.command(given);
    return false;
  }
  if (mode === 'visual-block' && (key === 'I' || key === 'A')) {
    leaveVisual(session);
    const { columns } = range;
    await blockInsert(
      pending,
      range.from.line,
      range.to.line,
      key === 'I' ? columns!.from : columns!.to === Infinity ? Infinity : columns!.to + 1,
      key === 'A',
      columns!.from,
    );
    return true;
  }
  const operator = {
    d: 'd',
    x: 'd',
    '<Del>': 'd',
    D: 'd',
    X: 'd',
    c: 'c',
    s: 'c',
    C: 'c',
    S: 'c',
    R: 'c',
    y: 'y',
    Y: 'y',
    '>': '>',
    '<': '<',
    '!': '!',
    '=': '=',
    '~': 'g~',
    'g~': 'g~',
    u: 'gu',
    gu: 'gu',
    U: 'gU',
    gU: 'gU',
  }[key];
  if (operator !== undefined) {
    if (operator === '>' || operator === '<') pending.count = Math.max(1, count);
    const isWhole = ['D', 'X', 'C', 'S', 'R', 'Y', '>', '<'].includes(key) && mode !== 'visual-block';
    leaveVisual(session);
    if (operator === '>' || operator === '<') {
      shift(session, range.from.line, range.to.line, operator, Math.max(1, count));
      return true;
    }
    await apply(pending, operator, isWhole ? whole : range, true);
    return operator !== 'y';
  }
  if (key === 'J' || key === 'gJ') {
    leaveVisual(session);
    join(
      session,
      range.from.line,
      Math.min(Math.max(range.to.line, range.from.line + 1), session.text.lines.length - 1),
      key === 'J',
    );
    return true;
  }
  if (key === 'r') {
    const by = await next(pending);
    session.pending = '';
    leaveVisual(session);
    rewrite(session, range, (part) => by.repeat([...part].length));
    session.moveTo(range.from);
    return true;
  }
  if (key === 'p' || key === 'P') {
    const held = session.registers.get(register);
    if (held === undefined) throw new ViError(`E353: Nothing in register ${register ?? '"'}`);
    leaveVisual(session);
    replaceBy(session, range, held);
    return true;
  }
  if (key === 'I' || key === 'A') {
    leaveVisual(session);
    session.moveTo(key === 'I' ? range.from : range.to);
    session.mode = 'insert';
    session.moveTo(key === 'I' ? range.from : { line: range.to.line, column: range.to.column + 1 });
    await typeText(session, host, 'insert', 1);
    return true;
  }
  const motion = await readMotion(pending, key);
  if (motion !== undefined) follow(session, motion, key);
  else if (
    [
      'gv',
      '\u0005',
      '\u0019',
      '\u0004',
      '\u0015',
      '\u0006',
      '\u0002',
      '<PageUp>',
      '<PageDown>',
      'zz',
      'zt',
      'zb',
    ].includes(key)
  )
    scrollCommand(session, key, count);
  return false;
}

/** `p` over a selection: the register takes its place, and holds it afterwards. */
function replaceBy(
  session: Session,
  range: Range,
  held: NonNullable<ReturnType<Session['registers']['get']>>,
): void {
  const isAtEnd = range.extent === 'linewise' ? range.to.line === session.text.lines.length - 1 : false;
  remove(session, range, undefined);
  const { text } = session;
  if (range.extent === 'linewise') {
    const lines = held.kind === 'lines' ? held.lines : [...held.lines];
    text.splice(text.isEmpty ? 0 : isAtEnd ? text.lines.length : range.from.line, 0, lines);
    session.toFirstNonBlank(range.from.line);
    return;
  }
  const content = text.line(range.from.line);
  const before = content.slice(0, range.from.column);
  const after = content.slice(range.from.column);
  if (held.kind === 'lines') {
    text.splice(range.from.line, 1, [before, ...held.lines, after]);
    session.toFirstNonBlank(range.from.line + 1);
    return;
  }
  const lines = [...held.lines];
  lines[0] = before + lines[0]!;
  const end = { line: range.from.line + lines.length - 1, column: lines.at(-1)!.length - 1 };
  lines[lines.length - 1] += after;
  text.splice(range.from.line, 1, lines);
  session.moveTo(end);
}
