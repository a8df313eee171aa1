// Vi's insert and replace modes: typing text until Escape.
import { ESCAPE, Resized } from './keys.ts';
import { indentOf, indentText } from './operators.ts';
import { displayColumn } from './screen.ts';
import type { Session } from './state.ts';
import { nextColumn, previousColumn, type Position } from './text.ts';

/** What typing needs of the loop: the screen drawn before each key, and one command of normal mode (Ctrl-O). */
export interface InsertHost {
  key(): Promise<string | undefined>;
  once(): Promise<void>;
}

/** What has been typed since insert mode began, to be typed again for a count. */
interface Typed {
  readonly session: Session;
  /** In replace mode: what stood where something was typed over. */
  readonly replaced: (string | undefined)[];
  isPasting: boolean;
  /** Where typing began; Ctrl-W and Ctrl-U stop there once. */
  start: Position;
}

/** Runs the mode until Escape or Ctrl-C; the cursor goes back by one. `count` types the text again. */
export async function typeText(
  session: Session,
  host: InsertHost,
  mode: 'insert' | 'replace',
  count: number,
): Promise<void> {
  session.mode = mode;
  session.say('');
  const typed: Typed = { session, replaced: [], isPasting: false, start: session.cursor };
  const keys: string[] = [];
  for (;;) {
    let key: string | undefined;
    try {
      key = await host.key();
    } catch (error) {
      if (error instanceof Resized) continue;
      throw error;
    }
    if (key === undefined || key === ESCAPE || key === '\u0003') break;
    if (key === '\u000f') {
      session.mode = 'normal';
      await host.once();
      session.mode = mode;
      continue;
    }
    keys.push(key);
    if (key === '\u0016' || key === '\u0012') keys.push((await host.key()) ?? '');
    await press(typed, keys, keys.length - (key === '\u0016' || key === '\u0012' ? 2 : 1));
  }
  for (let again = 1; again < count; again++)
    for (let i = 0; i < keys.length; i += keys[i] === '\u0016' || keys[i] === '\u0012' ? 2 : 1)
      await press(typed, keys, i);
  const { line, column } = session.cursor;
  // A line of nothing but its automatic indent is left empty.
  if (session.options.autoindent && /^[ \t]+$/.test(session.line) && keys.at(-1) === '\r')
    session.text.setLine(line, '');
  session.mode = 'normal';
  session.text.marks.set('^', { line, column });
  session.moveTo({ line, column: column === 0 ? 0 : previousColumn(session.line, column) });
}

/** One key of insert or replace mode. */
async function press(typed: Typed, keys: readonly string[], index: number): Promise<void> {
  const { session } = typed;
  const { text, cursor, options } = session;
  const { line, column } = cursor;
  const content = session.line;
  const key = keys[index]!;
  switch (key) {
    case '<PasteStart>':
      typed.isPasting = true;
      return;
    case '<PasteEnd>':
      typed.isPasting = false;
      return;
    case '\r': {
      const indent = options.autoindent && !options.paste && !typed.isPasting ? indentOf(content) : '';
      const rest = indent === '' ? content.slice(column) : content.slice(column).replace(/^[ \t]+/, '');
      text.splice(line, 1, [
        /^[ \t]+$/.test(content.slice(0, column)) && indent !== '' ? '' : content.slice(0, column),
        indent + rest,
      ]);
      session.moveTo({ line: line + 1, column: indent.length });
      return;
    }
    case '<BS>':
      backspace(typed);
      return;
    case '<Del>':
      if (column < content.length)
        text.setLine(line, content.slice(0, column) + content.slice(nextColumn(content, column)));
      else if (line + 1 < text.lines.length) text.splice(line, 2, [content + text.line(line + 1)]);
      return;
    case '\u0017':
      eraseTo(typed, wordStart(content, column));
      return;
    case '\u0015':
      eraseTo(typed, options.autoindent && column > indentOf(content).length ? indentOf(content).length : 0);
      return;
    case '\t':
      insertTab(typed);
      return;
    case '\u0014':
    case '\u0004': {
      const width = options.shiftwidth === 0 ? options.tabstop : options.shiftwidth;
      const blanks = indentOf(content);
      const before = displayColumn(blanks, blanks.length, options);
      const after =
        key === '\u0014'
          ? before + width - (before % width)
          : Math.max(0, before - (before % width || width));
      const indent = indentText(session, after);
      text.setLine(line, indent + content.slice(blanks.length));
      session.moveTo({ line, column: Math.max(0, column + indent.length - blanks.length) });
      return;
    }
    case '\u0012': {
      const held = session.registers.get(keys[index + 1]);
      for (const [at, part] of (held?.lines ?? []).entries()) {
        if (at > 0) newLine(session);
        for (const c of part) insertCharacter(typed, c);
      }
      if (held?.kind === 'lines') newLine(session);
      return;
    }
    case '\u0016':
      insertCharacter(typed, keys[index + 1] ?? '');
      return;
    case '<Left>':
      if (column > 0) session.moveTo({ line, column: previousColumn(content, column) });
      return;
    case '<Right>':
      if (column < content.length) session.moveTo({ line, column: nextColumn(content, column) });
      return;
    case '<Up>':
      if (line > 0) session.moveToLine(line - 1);
      return;
    case '<Down>':
      if (line + 1 < text.lines.length) session.moveToLine(line + 1);
      return;
    case '<Home>':
      session.moveTo({ line, column: 0 });
      return;
    case '<End>':
      session.moveTo({ line, column: content.length });
      return;
    default:
      if (!/^<[A-Z]\S+>$/.test(key)) insertCharacter(typed, key);
  }
}

function newLine(session: Session): void {
  const { line, column } = session.cursor;
  const content = session.line;
  session.text.splice(line, 1, [content.slice(0, column), content.slice(column)]);
  session.moveTo({ line: line + 1, column: 0 });
}

function insertCharacter({ session, replaced }: Typed, character: string): void {
  const { line, column } = session.cursor;
  const content = session.line;
  const end = session.mode === 'replace' && column < content.length ? nextColumn(content, column) : column;
  if (session.mode === 'replace') replaced.push(end > column ? content.slice(column, end) : undefined);
  session.text.setLine(line, content.slice(0, column) + character + content.slice(end));
  session.moveTo({ line, column: column + character.length });
}

function insertTab(typed: Typed): void {
  const { session } = typed;
  const { expandtab, tabstop, softtabstop } = session.options;
  if (!expandtab && softtabstop === 0) {
    insertCharacter(typed, '\t');
    return;
  }
  const width = softtabstop > 0 ? softtabstop : tabstop;
  const at = displayColumn(session.line, session.cursor.column, session.options);
  for (let i = width - (at % width); i > 0; i--) insertCharacter(typed, ' ');
}

function backspace({ session, replaced }: Typed): void {
  const { text, cursor, options } = session;
  const { line, column } = cursor;
  const content = session.line;
  if (session.mode === 'replace') {
    if (column === 0) return;
    const start = previousColumn(content, column);
    if (replaced.length > 0) {
      const original = replaced.pop();
      text.setLine(line, content.slice(0, start) + (original ?? '') + content.slice(column));
    }
    session.moveTo({ line, column: start });
    return;
  }
  if (column > 0) {
    const blanks = content.slice(0, column);
    const isIndent = options.softtabstop > 0 && /^ +$/.test(blanks);
    erase(
      session,
      isIndent
        ? column - (column % options.softtabstop || options.softtabstop)
        : previousColumn(content, column),
    );
    return;
  }
  if (line === 0) return;
  const above = text.line(line - 1);
  text.splice(line - 1, 2, [above + content]);
  session.moveTo({ line: line - 1, column: above.length });
}

/** Erases back to a column, but what was there before typing began only when nothing typed is left. */
function eraseTo(typed: Typed, from: number): void {
  const { session, start } = typed;
  const { line, column } = session.cursor;
  if (session.mode === 'replace') {
    while (session.cursor.column > Math.max(from, start.column)) backspace(typed);
    return;
  }
  if (column === 0) {
    backspace(typed);
    return;
  }
  const isTyped = line === start.line && column > start.column;
  erase(session, isTyped ? Math.max(from, start.column) : from);
  if (line === start.line && session.cursor.column < start.column) typed.start = session.cursor;
}

function erase(session: Session, from: number): void {
  const { line, column } = session.cursor;
  const content = session.line;
  session.text.setLine(line, content.slice(0, from) + content.slice(column));
  session.moveTo({ line, column: from });
}

function wordStart(line: string, column: number): number {
  const before = line.slice(0, column).replace(/[ \t]+$/, '');
  const word = /(\w+|[^\w\s]+)$/.exec(before)?.[0] ?? '';
  return before.length - word.length;
}
