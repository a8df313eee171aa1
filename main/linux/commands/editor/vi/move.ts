// Vi's motion commands: from the keys to where they lead.
import {
  classOf,
  findCharacter,
  matchingBracket,
  type Motion,
  paragraph,
  textObject,
  toLine,
  wordBack,
  wordEnd,
  wordEndBack,
  wordForward,
} from './motions.ts';
import type { Pending } from './pending.ts';
import { type Session, ViError } from './state.ts';
import { firstNonBlank, lastColumn, nextColumn, type Position, previousColumn } from './text.ts';

/** Which operator the motion is for: text objects are only known then. */
interface ForOperator {
  readonly operator: string;
  /** `cw`, which stays where it is at the end of a word. */
  readonly isWord: boolean;
}

/** Motions that fail where they can't lead on. */
const MUST_MOVE = /^(?:[bBwWeE{}()]|g[eE]|<C-(?:Left|Right)>|<BS>)$/;

/** The motion of a key, as `motionOf`; throws ViError where there is no way to go. */
export async function readMotion(
  pending: Pending,
  key: string,
  target?: ForOperator,
): Promise<Motion | undefined> {
  const motion = await motionOf(pending, key, target);
  const { cursor } = pending.session;
  const isStill =
    motion !== undefined && motion.to.line === cursor.line && motion.to.column === cursor.column;
  return isStill && target?.isWord !== true && MUST_MOVE.test(key) ? pending.session.fail('') : motion;
}

/** The motion of a key (`g…` and `z…` with their second), more keys being read as needed; undefined if it is none. */
async function motionOf(pending: Pending, key: string, target?: ForOperator): Promise<Motion | undefined> {
  const { session, host } = pending;
  const { text, cursor } = session;
  const { line, column } = cursor;
  const content = session.line;
  const count = Math.max(1, pending.count);
  const repeat = (move: (from: Position) => Position, extent: Motion['extent']): Motion => {
    let to = cursor;
    for (let i = 0; i < count; i++) to = move(to);
    return { to, extent };
  };
  const inLine = (to: number, extent: Motion['extent'] = 'exclusive'): Motion => ({
    to: { line, column: to },
    extent,
  });
  const more = async (): Promise<string> => {
    const next = (await host.key()) ?? '';
    session.pending = '';
    return next;
  };
  switch (key) {
    case 'h':
    case '<Left>':
      if (column === 0 && target !== undefined) throw new ViError('');
      return repeat(
        ({ column: at }) => ({ line, column: at === 0 ? 0 : previousColumn(content, at) }),
        'exclusive',
      );
    case '<BS>':
      return repeat(
        (from) =>
          from.column > 0
            ? { line: from.line, column: previousColumn(text.line(from.line), from.column) }
            : from.line > 0
              ? { line: from.line - 1, column: lastColumn(text.line(from.line - 1)) }
              : from,
        'exclusive',
      );
    case 'l':
    case '<Right>':
      return repeat(
        ({ column: at }) => ({ line, column: Math.min(nextColumn(content, at), content.length) }),
        'exclusive',
      );
    case ' ':
      return repeat((from) => {
        const own = text.line(from.line);
        const next = nextColumn(own, from.column);
        return next < own.length || from.line + 1 >= text.lines.length || target !== undefined
          ? { line: from.line, column: Math.min(next, own.length) }
          : { line: from.line + 1, column: 0 };
      }, 'exclusive');
    case 'j':
    case '<Down>':
    case '\u000e':
      if (line + 1 >= text.lines.length) throw new ViError('');
      return { to: { line: Math.min(line + count, text.lines.length - 1), column }, extent: 'linewise' };
    case 'k':
    case '<Up>':
    case '\u0010':
      if (line === 0) throw new ViError('');
      return { to: { line: Math.max(0, line - count), column }, extent: 'linewise' };
    case '+':
    case '\r':
      if (line + 1 >= text.lines.length) throw new ViError('');
      return toLine(text, line + count);
    case '-':
      if (line === 0) throw new ViError('');
      return toLine(text, line - count);
    case '_':
      return toLine(text, line + count - 1);
    case '0':
    case '<Home>':
      return inLine(0);
    case '^':
      return inLine(firstNonBlank(content));
    case '$':
    case '<End>': {
      const to = Math.min(line + count - 1, text.lines.length - 1);
      return {
        to: { line: to, column: lastColumn(text.line(to)) },
        extent: text.line(to) === '' ? 'exclusive' : 'inclusive',
      };
    }
    case 'g_': {
      const end = text.line(Math.min(line + count - 1, text.lines.length - 1)).trimEnd().length;
      return {
        to: { line: Math.min(line + count - 1, text.lines.length - 1), column: Math.max(0, end - 1) },
        extent: 'inclusive',
      };
    }
    case '|':
      return inLine(Math.min(count - 1, lastColumn(content)));
    case 'w':
    case 'W':
    case '<C-Right>': {
      const motion = repeat((from) => wordForward(text, from, key === 'W'), 'exclusive');
      return target === undefined &&
        motion.to.column >= text.line(motion.to.line).length &&
        text.line(motion.to.line) !== ''
        ? { ...motion, to: { line: motion.to.line, column: lastColumn(text.line(motion.to.line)) } }
        : motion;
    }
    case 'b':
    case 'B':
    case '<C-Left>':
      return repeat((from) => wordBack(text, from, key === 'B'), 'exclusive');
    case 'e':
    case 'E':
      if (target?.isWord === true) return changeWord(session, key === 'E', count);
      return repeat((from) => wordEnd(text, from, key === 'E'), 'inclusive');
    case 'ge':
    case 'gE':
      return repeat((from) => wordEndBack(text, from, key === 'gE'), 'inclusive');
    case '{':
    case '}': {
      const motion = repeat((from) => paragraph(text, from, key === '}'), 'exclusive');
      const isLast =
        key === '}' && motion.to.line === text.lines.length - 1 && text.line(motion.to.line) !== '';
      return isLast ? { ...motion, extent: 'inclusive' } : motion;
    }
    case '(':
    case ')':
      return repeat((from) => sentence(session, from, key === ')'), 'exclusive');
    case 'f':
    case 'F':
    case 't':
    case 'T': {
      const character = await more();
      session.lastFind = { kind: key, character };
      return findIn(session, key, character, count, false);
    }
    case ';':
    case ',': {
      const last = session.lastFind;
      if (last === undefined) return session.fail('');
      const other = last.kind === last.kind.toLowerCase() ? last.kind.toUpperCase() : last.kind.toLowerCase();
      return findIn(session, key === ';' ? last.kind : other, last.character, count, true);
    }
    case '%': {
      if (pending.count > 0) return toLine(text, Math.ceil((pending.count * text.lines.length) / 100) - 1);
      const to = matchingBracket(text, cursor);
      return to === undefined ? session.fail('') : { to, extent: 'inclusive' };
    }
    case 'G':
      return toLine(text, pending.count > 0 ? pending.count - 1 : text.lines.length - 1);
    case 'gg':
      return toLine(text, pending.count > 0 ? pending.count - 1 : 0);
    case 'gj':
      return { to: { line: Math.min(line + count, text.lines.length - 1), column }, extent: 'exclusive' };
    case 'gk':
      return { to: { line: Math.max(0, line - count), column }, extent: 'exclusive' };
    case 'H':
    case 'M':
    case 'L':
      return windowLine(session, key, count);
    case "'":
    case '`': {
      const name = await more();
      const mark =
        text.marks.get(name === '`' ? "'" : name) ??
        (name === '<' ? session.lastSelection?.from : name === '>' ? session.lastSelection?.to : undefined);
      if (mark === undefined) return session.fail('E20: Mark not set');
      return key === "'" ? toLine(text, mark.line) : { to: mark, extent: 'exclusive' };
    }
    case '/':
    case '?':
      return search(pending, key, count);
    case 'n':
    case 'N': {
      const last = session.search;
      if (last === undefined) return session.fail('E35: No previous regular expression');
      const forward = (key === 'n') === last.forward;
      session.highlightOff = false;
      session.say(
        `${forward ? '/' : '?'}${last.pattern}${last.offset === '' ? '' : (forward ? '/' : '?') + last.offset}`,
      );
      return { to: session.searchAgain({ ...last, forward }, cursor, count), extent: 'exclusive' };
    }
    case '*':
    case '#': {
      const word = wordAt(content, column);
      if (word === undefined) return session.fail('E348: No string under cursor');
      const isKeyword = classOf(word.text, false) !== 1;
      const pattern = isKeyword ? `\\<${word.text}\\>` : word.text.replaceAll(/[\\/.*$^~[\]]/g, '\\$&');
      session.search = { pattern, forward: key === '*', offset: '' };
      session.highlightOff = false;
      session.say(`${key === '*' ? '/' : '?'}${pattern}`);
      return {
        to: session.searchAgain(session.search, { line, column: word.index }, count),
        extent: 'exclusive',
      };
    }
    case 'i':
    case 'a': {
      if (target === undefined) return undefined;
      const object = textObject(text, cursor, await more(), key === 'a', count);
      return object ?? session.fail('');
    }
    default:
      return undefined;
  }
}

/** The keyword under or after a column, else the other characters there. */
function wordAt(line: string, column: number): { text: string; index: number } | undefined {
  const stretch = (wants: (kind: number) => boolean): { text: string; index: number } | undefined => {
    let from = column;
    while (from < line.length && !wants(classOf(line[from], false))) from++;
    if (from >= line.length) return undefined;
    const kind = classOf(line[from], false);
    while (from > 0 && classOf(line[from - 1], false) === kind) from--;
    let to = from;
    while (to < line.length && classOf(line[to], false) === kind) to++;
    return { text: line.slice(from, to), index: from };
  };
  return stretch((kind) => kind > 1) ?? stretch((kind) => kind > 0);
}

/** `cw`: to the end of this word, though the cursor may stand on it already. */
function changeWord({ text, cursor }: Session, big: boolean, count: number): Motion {
  const { line, column } = cursor;
  const content = text.line(line);
  const kind = classOf(content[column], big);
  let end = column;
  while (end + 1 < content.length && classOf(content[end + 1], big) === kind) end++;
  let to: Position = { line, column: end };
  for (let i = 1; i < count; i++) to = wordEnd(text, to, big);
  return { to, extent: 'inclusive' };
}

function findIn(
  session: Session,
  kind: string,
  character: string,
  count: number,
  isRepeated: boolean,
): Motion {
  const { line, column } = session.cursor;
  const to = findCharacter(session.line, column, kind, character, count, isRepeated);
  if (to === undefined) return session.fail('');
  return { to: { line, column: to }, extent: kind === 'f' || kind === 't' ? 'inclusive' : 'exclusive' };
}

function windowLine(session: Session, key: string, count: number): Motion {
  const { screen, text, options } = session;
  const top = screen?.top ?? 0;
  const bottom = screen?.lastShown(text, options) ?? text.lines.length - 1;
  const last = text.lines.length - 1;
  const high = Math.max(top + (top === 0 ? 0 : options.scrolloff), top + count - 1);
  const low = Math.min(bottom - (bottom === last ? 0 : options.scrolloff), bottom - count + 1);
  return toLine(
    text,
    key === 'H' ? Math.min(high, bottom) : key === 'L' ? Math.max(low, top) : Math.floor((top + bottom) / 2),
  );
}

function sentence({ text }: Session, from: Position, forward: boolean): Position {
  const line = text.line(from.line);
  const ends = [...line.matchAll(/[.!?][)\]"']*(?:\s+|$)/g)].map((match) => match.index + match[0].length);
  if (forward) {
    const next = ends.find((end) => end > from.column && end < line.length);
    return next === undefined
      ? { line: Math.min(from.line + 1, text.lines.length - 1), column: 0 }
      : { line: from.line, column: next };
  }
  const previous = ends.findLast((end) => end < from.column);
  if (previous !== undefined) return { line: from.line, column: previous };
  return from.column > 0 ? { line: from.line, column: 0 } : { line: Math.max(0, from.line - 1), column: 0 };
}

/** `/` and `?`: a pattern, and after another delimiter where to go from the match. */
async function search(pending: Pending, key: string, count: number): Promise<Motion | undefined> {
  const { session, host } = pending;
  const given = await host.prompt(key);
  if (given === undefined) return undefined;
  const [, typed = '', offset = ''] =
    new RegExp(`^((?:\\\\[^]|[^\\\\${key}])*)(?:\\${key}(.*))?$`).exec(given) ?? [];
  const pattern = session.lastPattern(typed);
  const forward = key === '/';
  session.search = { pattern, forward, offset };
  session.highlightOff = false;
  session.say(key + pattern + (offset === '' ? '' : key + offset));
  const from =
    offset !== '' && !/^[esb]/.test(offset)
      ? { line: session.cursor.line, column: forward ? Infinity : 0 }
      : session.cursor;
  return {
    to: session.searchAgain(session.search, from, count),
    extent: /^[-+\d]/.test(offset) ? 'linewise' : offset.startsWith('e') ? 'inclusive' : 'exclusive',
  };
}
