// Vi's normal-mode commands that are neither motion nor operator.
import { positionText } from './file-commands.ts';
import { typeText } from './insert.ts';
import { ESCAPE } from './keys.ts';
import { apply, change, linewiseIfBlank } from './operate.ts';
import { indentOf, join, put, type Range, remove, swapCase } from './operators.ts';
import { next, type Pending } from './pending.ts';
import { scrollCommand } from './scroll.ts';
import { type Session, ViError } from './state.ts';
import { lastColumn, nextColumn } from './text.ts';
import { travel } from './undo.ts';

/** Commands that are neither motion nor operator. */
export async function simpleCommand(pending: Pending, key: string): Promise<void> {
  const { session, host, register } = pending;
  const { text, cursor } = session;
  const { line, column } = cursor;
  const content = session.line;
  const count = Math.max(1, pending.count);
  /** `count` characters from a column on. */
  const reach = (from: number, characters: number): number => {
    let to = from;
    for (let i = 0; i < characters && to < content.length; i++) to = nextColumn(content, to);
    return Math.min(to, content.length);
  };
  const within = (a: number, b: number): Range => ({
    from: { line, column: a },
    to: { line, column: b },
    extent: 'exclusive',
  });
  switch (key) {
    case 'x':
    case '<Del>':
      if (content !== '') remove(session, within(column, reach(column, count)), register);
      return;
    case 'X':
      if (column > 0) {
        let from = column;
        for (let i = 0; i < count && from > 0; i++) from = lastColumn(content.slice(0, from));
        remove(session, within(from, column), register);
      }
      return;
    case 'D':
    case 'C': {
      const to = Math.min(line + count - 1, text.lines.length - 1);
      const range: Range = {
        from: cursor,
        to: { line: to, column: text.line(to).length },
        extent: 'exclusive',
      };
      if (key === 'C') await change(pending, range);
      else if (content !== '' || to > line) remove(session, linewiseIfBlank(session, range), register);
      return;
    }
    case 'Y':
      await apply(pending, 'y', {
        from: { line, column: 0 },
        to: { line: Math.min(line + count - 1, text.lines.length - 1), column: 0 },
        extent: 'linewise',
      });
      return;
    case 's':
      await change(pending, within(column, reach(column, count)));
      return;
    case 'S':
      await change(pending, {
        from: { line, column: 0 },
        to: { line: Math.min(line + count - 1, text.lines.length - 1), column: 0 },
        extent: 'linewise',
      });
      return;
    case 'r': {
      const by = await next(pending);
      session.pending = '';
      if (by === ESCAPE || reach(column, count) - column < count) return;
      if (by === '\r') {
        text.splice(line, 1, [content.slice(0, column), content.slice(reach(column, count))]);
        session.toFirstNonBlank(line + 1);
        return;
      }
      text.setLine(line, content.slice(0, column) + by.repeat(count) + content.slice(reach(column, count)));
      session.moveTo({ line, column: column + by.length * (count - 1) });
      return;
    }
    case 'R':
      await typeText(session, host, 'replace', count);
      return;
    case 'i':
    case '<Insert>':
      return insertAt(pending, column);
    case 'I':
      return insertAt(pending, /^[ \t]*/.exec(content)![0].length);
    case 'gI':
      return insertAt(pending, 0);
    case 'a':
      return insertAt(pending, content === '' ? 0 : nextColumn(content, column));
    case 'A':
      return insertAt(pending, content.length);
    case 'gi': {
      const mark = text.marks.get('^');
      if (mark !== undefined) session.moveTo({ line: mark.line, column: 0 });
      return insertAt(pending, mark?.column ?? column);
    }
    case 'o':
      return openLine(pending, line + 1);
    case 'O':
      return openLine(pending, line);
    case 'p':
    case 'P':
    case 'gp':
    case 'gP': {
      const held = session.registers.get(register);
      if (held === undefined) throw new ViError(`E353: Nothing in register ${register ?? '"'}`);
      put(session, held, key.endsWith('P'), count, key.startsWith('g'));
      return;
    }
    case 'J':
    case 'gJ':
      if (line + 1 < text.lines.length)
        join(session, line, Math.min(line + Math.max(2, count) - 1, text.lines.length - 1), key === 'J');
      return;
    case '~': {
      const to = reach(column, count);
      text.setLine(line, content.slice(0, column) + swapCase(content.slice(column, to)) + content.slice(to));
      session.moveTo({ line, column: to });
      return;
    }
    case 'u':
      return travel(session, 'undo', count);
    case '\u0012':
      return travel(session, 'redo', count);
    case '&':
      return host.command('s');
    case '\u0001':
    case '\u0018':
      return addToNumber(session, key === '\u0001' ? count : -count);
    case '\u0007':
      session.say(positionText(session));
      return;
    case 'ga': {
      const code = content.codePointAt(column);
      if (code === undefined) session.say('NUL');
      else
        session.say(
          `<${String.fromCodePoint(code)}>  ${code},  Hex ${code.toString(16).padStart(code > 255 ? 4 : 2, '0')},  ${code > 255 ? 'Oct' : 'Octal'} ${code.toString(8).padStart(3, '0')}`,
        );
      return;
    }
    case 'm': {
      const name = await next(pending);
      session.pending = '';
      if (/^[a-zA-Z'`]$/.test(name)) text.marks.set(name === '`' ? "'" : name, cursor);
      return;
    }
    case 'v':
    case 'V':
    case '\u0016':
      if (session.flavour === 'busybox')
        throw new ViError(`'${key === '\u0016' ? '^V' : key}' is not implemented`);
      session.anchor = cursor;
      session.mode = key === 'v' ? 'visual' : key === 'V' ? 'visual-line' : 'visual-block';
      session.say('');
      return;
    case 'gv': {
      const last = session.lastSelection;
      if (last === undefined) return;
      session.mode = last.mode;
      session.anchor = last.from;
      session.moveTo(last.to);
      return;
    }
    case ':': {
      const given = await host.prompt(
        ':',
        pending.count > 0 ? `.${pending.count > 1 ? `,.+${pending.count - 1}` : ''}` : '',
      );
      if (given !== undefined) await host.command(given);
      return;
    }
    case 'ZZ':
      return host.command('x');
    case 'ZQ':
      return host.command('q!');
    case '\u001a':
      return host.suspend();
    case '\u000c':
      return host.redraw();
    case 'Q':
    case 'K':
      return session.fail(`drydock: vim's ${key} isn't simulated`);
    default:
      scrollCommand(session, key, pending.count);
  }
}

/** Insert mode at a place of the line. */
async function insertAt(pending: Pending, column: number): Promise<void> {
  const { session, host, count } = pending;
  session.mode = 'insert';
  session.moveTo({ line: session.cursor.line, column });
  await typeText(session, host, 'insert', Math.max(1, count));
}

async function openLine(pending: Pending, line: number): Promise<void> {
  const { session, host, count } = pending;
  const { text, cursor, options } = session;
  const indent = options.autoindent ? indentOf(text.line(cursor.line)) : '';
  if (text.isEmpty) text.splice(0, 0, ['', '']);
  else text.splice(line, 0, [indent]);
  session.mode = 'insert';
  session.moveTo({ line, column: indent.length });
  const before = text.lines.length;
  await typeText(session, host, 'insert', 1);
  if (count < 2) return;
  const added = text.lines.slice(line, line + 1 + text.lines.length - before);
  for (let i = 1; i < count; i++) text.splice(line + added.length, 0, added);
  session.moveTo({ line: line + added.length * count - 1, column: session.cursor.column });
}

function addToNumber(session: Session, amount: number): void {
  const { line, column } = session.cursor;
  const content = session.line;
  const found = [...content.matchAll(/0[xX][0-9a-fA-F]+|-?\d+/g)].find(
    (match) => match.index + match[0].length > column,
  );
  if (found === undefined) return;
  const [old] = found;
  const isHex = /^0[xX]/.test(old);
  const value = BigInt(old) + BigInt(amount);
  const made = isHex ? old.slice(0, 2) + value.toString(16).padStart(old.length - 2, '0') : value.toString();
  session.text.setLine(line, content.slice(0, found.index) + made + content.slice(found.index + old.length));
  session.moveTo({ line, column: found.index + made.length - 1 });
}
