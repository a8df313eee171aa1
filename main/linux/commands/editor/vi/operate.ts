// Vi's operators as commands: the motion that follows, and what is done to what it covers.
import { blockInsert } from './block-insert.ts';
import { filter } from './filters.ts';
import { typeText } from './insert.ts';
import { ESCAPE } from './keys.ts';
import { readMotion } from './move.ts';
import { indentOf, join, type Range, rangeOf, remove, rewrite, shift, swapCase, yank } from './operators.ts';
import { next, type Pending, readCounts } from './pending.ts';
import { type Session, ViError } from './state.ts';

export async function operate(pending: Pending, operator: string): Promise<void> {
  const { session } = pending;
  const own = pending.count;
  pending.count = 0;
  let key = (await readCounts(pending)) ?? ESCAPE;
  let forced: 'v' | 'V' | undefined;
  if (key === 'v' || key === 'V') {
    forced = key;
    key = await next(pending);
  }
  if (key === 'g' || key === 'z') key += await next(pending);
  session.pending = '';
  if (key === ESCAPE) return;
  const isSame = key === operator || (operator.length === 2 && (key === operator[1] || key === operator));
  if (own > 0) pending.count = own * Math.max(1, pending.count);
  if (isSame) {
    const last = session.cursor.line + Math.max(1, pending.count) - 1;
    // There is nothing below the last line to be counted.
    if (last > session.cursor.line && session.cursor.line === session.text.lines.length - 1) return;
    const to = Math.min(last, session.text.lines.length - 1);
    await apply(pending, operator, {
      from: { line: session.cursor.line, column: 0 },
      to: { line: to, column: 0 },
      extent: 'linewise',
    });
    return;
  }
  // cw is ce, but for blanks.
  const isWord =
    operator === 'c' &&
    (key === 'w' || key === 'W') &&
    !/^\s?$/.test(session.line[session.cursor.column] ?? '');
  const motion = await readMotion(pending, isWord ? (key === 'w' ? 'e' : 'E') : key, { operator, isWord });
  if (motion === undefined) return;
  let { to } = motion;
  const from = motion.from ?? session.cursor;
  // The last word of a line is deleted without the line's end.
  if (
    (key === 'w' || key === 'W') &&
    motion.extent === 'exclusive' &&
    to.line > from.line &&
    !(operator === 'c' && isWord)
  ) {
    const content = session.text.line(to.line).slice(0, to.column);
    if (/^\s*$/.test(content)) {
      let line = to.line - 1;
      while (line > from.line && session.text.line(line).trim() === '') line--;
      to = { line, column: session.text.line(line).length };
    }
  }
  const extent =
    forced === 'V'
      ? 'linewise'
      : forced === 'v'
        ? motion.extent === 'exclusive'
          ? 'inclusive'
          : 'exclusive'
        : motion.extent;
  const range = rangeOf(session, from, to, extent);
  await apply(
    pending,
    operator,
    operator === 'd' && forced === undefined ? linewiseIfBlank(session, range) : range,
  );
}

/** A deletion over several lines that would leave a blank one takes the lines whole (op_delete's "strange Vi behaviour"). */
export function linewiseIfBlank({ text }: Session, range: Range): Range {
  const { from, to, extent } = range;
  if (extent === 'linewise' || to.line === from.line) return range;
  const rest = text.line(to.line).slice(extent === 'inclusive' ? to.column + 1 : to.column);
  const isInIndent = /^[ \t]*$/.test(text.line(from.line).slice(0, from.column));
  return isInIndent && /^[ \t]*$/.test(rest) ? { from, to, extent: 'linewise' } : range;
}

/** Does what an operator does to a range. */
export async function apply(
  pending: Pending,
  operator: string,
  range: Range,
  isSelection = false,
): Promise<void> {
  const { session, host, register, count } = pending;
  const lines = { from: range.from.line, to: range.to.line };
  switch (operator) {
    case 'd':
      if (session.text.isEmpty) return;
      remove(session, range, register);
      return;
    case 'y':
      yank(session, range, register);
      return;
    case 'c':
      await change(pending, range);
      return;
    case '>':
    case '<':
      shift(
        session,
        lines.from,
        lines.to,
        operator,
        session.mode.startsWith('visual') ? Math.max(1, count) : 1,
      );
      return;
    case '=':
      throw new ViError("drydock: vim's = (indenting by the language) isn't simulated; use > and <");
    case '!': {
      const command = await host.prompt(`:.${lines.to > lines.from ? `,.+${lines.to - lines.from}` : ''}!`);
      if (command !== undefined) await filter(session, lines, command.replace(/^[^!]*!/, ''));
      return;
    }
    case 'gJ':
      join(session, lines.from, lines.to, false);
      return;
    default:
      rewrite(
        session,
        range,
        operator === 'g~'
          ? swapCase
          : (part) => (operator === 'gu' ? part.toLowerCase() : part.toUpperCase()),
      );
      session.moveTo(
        range.extent === 'linewise' && !isSelection
          ? { ...range.from, column: session.cursor.column }
          : range.from,
      );
  }
}

export async function change(pending: Pending, range: Range): Promise<void> {
  const { session, host, register } = pending;
  const { text } = session;
  const { from, to, extent, columns } = range;
  if (columns !== undefined) {
    remove(session, range, register);
    await blockInsert(pending, from.line, to.line, columns.from, false);
    return;
  }
  if (extent === 'linewise') {
    const indent = session.options.autoindent ? indentOf(text.line(from.line)) : '';
    session.registers.keep(
      register,
      { lines: text.lines.slice(from.line, to.line + 1), kind: 'lines' },
      false,
    );
    text.splice(from.line, to.line - from.line + 1, [indent]);
    session.mode = 'insert';
    session.moveTo({ line: from.line, column: indent.length });
  } else {
    session.mode = 'insert';
    remove(session, range, register);
  }
  await typeText(session, host, 'insert', 1);
}
