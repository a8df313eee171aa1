// Typing in every line of a selected block at once (vi's visual block I and A).
import { typeText } from './insert.ts';
import type { Pending } from './pending.ts';
import { columnAt, displayColumn } from './screen.ts';

/** Typing in every line of a block: in the first at once, in the others when it is done. */
export async function blockInsert(
  pending: Pending,
  from: number,
  to: number,
  column: number,
  appends: boolean,
  left = column,
): Promise<void> {
  const { session, host } = pending;
  const { text, options } = session;
  const placeIn = (line: string): number =>
    column === Infinity ? line.length : columnAt(line, column, options);
  const missing = (line: string): string =>
    column === Infinity ? '' : ' '.repeat(Math.max(0, column - displayColumn(line, line.length, options)));
  const first = text.line(from);
  if (appends) text.setLine(from, first + missing(first));
  const before = text.line(from);
  const place = placeIn(before);
  session.mode = 'insert';
  session.moveTo({ line: from, column: place });
  const count = text.lines.length;
  await typeText(session, host, 'insert', 1);
  if (text.lines.length !== count) return;
  const after = text.line(from);
  const added = after.slice(place, after.length - (before.length - place));
  for (let line = from + 1; line <= to && added !== ''; line++) {
    const content = text.line(line);
    const gap = missing(content);
    if (gap !== '' && !appends) continue;
    const padded = content + gap;
    const at = placeIn(padded);
    text.setLine(line, padded.slice(0, at) + added + padded.slice(at));
  }
  session.moveTo({
    line: from,
    column: appends ? Math.min(columnAt(text.line(from), left, options), place) : place,
  });
}
