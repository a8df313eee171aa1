// Vi's motions within the text: where each leads, and what an operator over it takes along.
import { firstNonBlank, lastColumn, nextColumn, previousColumn, type Position, type Text } from './text.ts';

/** What an operator takes: up to the target, the target's character too, or whole lines. */
export type Extent = 'exclusive' | 'inclusive' | 'linewise';

export interface Motion {
  readonly to: Position;
  readonly extent: Extent;
  /** Where it begins, if not at the cursor: a text object. */
  readonly from?: Position;
}

/** Blank, other, word, or one of the scripts whose words end where the script does (vim's utf_class). */
type CharacterClass = number;

const SCRIPTS: readonly (readonly [from: number, to: number, characterClass: CharacterClass])[] = [
  [0x3040, 0x309f, 0x3040],
  [0x30a0, 0x30ff, 0x30a0],
  [0x3300, 0x9fff, 0x4e00],
  [0xac00, 0xd7a3, 0xac00],
  [0xf900, 0xfaff, 0x4e00],
  [0x20000, 0x2fa1f, 0x4e00],
];

/** With `big` all that isn't blank is one class. */
export function classOf(character: string | undefined, big: boolean): CharacterClass {
  if (character === undefined || character === ' ' || character === '\t' || character === '') return 0;
  if (big) return 1;
  const code = character.codePointAt(0)!;
  if (code < 0x100) return /[\w\u00b5\u00c0-\u00ff]/.test(character) ? 2 : 1;
  if (
    (code >= 0x2000 && code <= 0x27ff) ||
    (code >= 0x3000 && code <= 0x3020) ||
    (code >= 0xff00 && code <= 0xff0f)
  )
    return 1;
  return SCRIPTS.find(([from, to]) => code >= from && code <= to)?.[2] ?? 2;
}

const at = (text: Text, { line, column }: Position): string | undefined => text.line(line)[column];

/** The next character's place, line ends between; undefined at the end of the text. */
function step(text: Text, { line, column }: Position): Position | undefined {
  const next = nextColumn(text.line(line), column);
  if (next < text.line(line).length) return { line, column: next };
  return line + 1 < text.lines.length ? { line: line + 1, column: 0 } : undefined;
}

function stepBack(text: Text, { line, column }: Position): Position | undefined {
  if (column > 0) return { line, column: previousColumn(text.line(line), column) };
  return line > 0 ? { line: line - 1, column: lastColumn(text.line(line - 1)) } : undefined;
}

/** `w`, `W`: the start of the next word; an empty line is one. */
export function wordForward(text: Text, from: Position, big: boolean): Position {
  let here = from;
  const own = classOf(at(text, here), big);
  let crossed = false;
  for (;;) {
    const next = step(text, here);
    if (next === undefined) return { line: here.line, column: text.line(here.line).length };
    if (next.line !== here.line) {
      crossed = true;
      if (text.line(next.line) === '') return next;
    }
    const kind = classOf(at(text, next), big);
    if (kind !== 0 && (kind !== own || crossed)) return next;
    if (kind === 0) crossed = true;
    here = next;
  }
}

/** `b`, `B`: the start of the word before. */
export function wordBack(text: Text, from: Position, big: boolean): Position {
  let here = stepBack(text, from);
  while (here !== undefined && classOf(at(text, here), big) === 0) {
    if (text.line(here.line) === '') return here;
    here = stepBack(text, here);
  }
  if (here === undefined) return { line: 0, column: 0 };
  const kind = classOf(at(text, here), big);
  for (;;) {
    const previous = stepBack(text, here);
    if (previous === undefined || previous.line !== here.line || classOf(at(text, previous), big) !== kind)
      return here;
    here = previous;
  }
}

/** `e`, `E`: the end of the word, this one's or the next. */
export function wordEnd(text: Text, from: Position, big: boolean): Position {
  let here = step(text, from);
  while (here !== undefined && classOf(at(text, here), big) === 0) here = step(text, here);
  if (here === undefined) {
    const line = text.lines.length - 1;
    return { line, column: lastColumn(text.line(line)) };
  }
  const kind = classOf(at(text, here), big);
  for (;;) {
    const next = step(text, here);
    if (next === undefined || next.line !== here.line || classOf(at(text, next), big) !== kind) return here;
    here = next;
  }
}

/** `ge`, `gE`: the end of the word before. */
export function wordEndBack(text: Text, from: Position, big: boolean): Position {
  let here: Position | undefined = from;
  const kind = classOf(at(text, here), big);
  while (here !== undefined && here.line === from.line && classOf(at(text, here), big) === kind && kind !== 0)
    here = stepBack(text, here);
  while (here !== undefined && classOf(at(text, here), big) === 0) {
    if (text.line(here.line) === '' && here.line !== from.line) return here;
    here = stepBack(text, here);
  }
  return here ?? { line: 0, column: 0 };
}

/** `f`, `F`, `t`, `T` within the line; undefined if it isn't there. */
export function findCharacter(
  line: string,
  column: number,
  kind: string,
  character: string,
  count: number,
  isRepeated: boolean,
): number | undefined {
  const forward = kind === 'f' || kind === 't';
  const till = kind === 't' || kind === 'T';
  let here = column;
  if (till && isRepeated && count === 1) here += forward ? 1 : -1;
  for (let i = 0; i < count; i++) {
    here = forward
      ? line.indexOf(character, here + 1)
      : here <= 0
        ? -1
        : line.lastIndexOf(character, here - 1);
    if (here < 0) return undefined;
  }
  return till ? (forward ? previousColumn(line, here) : nextColumn(line, here)) : here;
}

/** `}` and `{`: the next blank line. */
export function paragraph(text: Text, from: Position, forward: boolean): Position {
  const by = forward ? 1 : -1;
  let line = from.line;
  while (text.lines[line] === '') line += by;
  while (line >= 0 && line < text.lines.length && text.line(line) !== '') line += by;
  if (line < 0) return { line: 0, column: 0 };
  if (line >= text.lines.length)
    return { line: text.lines.length - 1, column: lastColumn(text.line(text.lines.length - 1)) };
  return { line, column: 0 };
}

const PAIRS = '()[]{}';

/** `%`: the bracket that belongs to the one under or after the cursor. */
export function matchingBracket(text: Text, from: Position): Position | undefined {
  const line = text.line(from.line);
  let column = from.column;
  while (column < line.length && !PAIRS.includes(line[column]!)) column++;
  if (column >= line.length) return undefined;
  const bracket = line[column]!;
  const index = PAIRS.indexOf(bracket);
  const other = PAIRS[index ^ 1]!;
  return scan(text, { line: from.line, column }, index % 2 === 0, bracket, other);
}

function scan(
  text: Text,
  from: Position,
  forward: boolean,
  own: string,
  other: string,
): Position | undefined {
  let depth = 0;
  let here: Position | undefined = from;
  while (here !== undefined) {
    const c = at(text, here);
    if (c === own) depth++;
    else if (c === other && --depth === 0) return here;
    here = forward ? step(text, here) : stepBack(text, here);
  }
  return undefined;
}

/** The text object of a key after `i` or `a`: a word, quotes, brackets, a paragraph. */
export function textObject(
  text: Text,
  cursor: Position,
  key: string,
  around: boolean,
  count = 1,
): Motion | undefined {
  if (key === 'w' || key === 'W') {
    const first = wordObject(text, cursor, key === 'W', around);
    let { to } = first;
    for (let i = 1; i < count && nextColumn(text.line(to.line), to.column) < text.line(to.line).length; i++)
      to = wordObject(
        text,
        { line: to.line, column: nextColumn(text.line(to.line), to.column) },
        key === 'W',
        around,
      ).to;
    return { ...first, to };
  }
  if (key === '"' || key === "'" || key === '`') return quoteObject(text, cursor, key, around);
  if (key === 'p') return paragraphObject(text, cursor, around);
  const index = '()b[]{}B<>'.indexOf(key);
  if (index < 0) return undefined;
  const [open, close] = index < 3 ? '()' : index < 5 ? '[]' : index < 8 ? '{}' : '<>';
  return bracketObject(text, cursor, open!, close!, around);
}

function wordObject(text: Text, { line, column }: Position, big: boolean, around: boolean): Motion {
  const content = text.line(line);
  const kind = classOf(content[column], big);
  const isOwn = (index: number, wanted: CharacterClass): boolean =>
    index >= 0 && index < content.length && classOf(content[index], big) === wanted;
  let from = column;
  while (isOwn(from - 1, kind)) from--;
  let to = column;
  while (isOwn(to + 1, kind)) to++;
  if (around && kind === 0) {
    const next = classOf(content[to + 1], big);
    while (isOwn(to + 1, next) && next !== 0) to++;
  } else if (around) {
    if (isOwn(to + 1, 0)) while (isOwn(to + 1, 0)) to++;
    else while (isOwn(from - 1, 0) && from - 1 > /^\s*/.exec(content)![0].length - 1) from--;
  }
  return { from: { line, column: from }, to: { line, column: to }, extent: 'inclusive' };
}

function quoteObject(
  text: Text,
  { line, column }: Position,
  quote: string,
  around: boolean,
): Motion | undefined {
  const content = text.line(line);
  const places = [...content.matchAll(/\\.|["'`]/g)].filter(([c]) => c === quote).map(({ index }) => index);
  for (let i = 0; i + 1 < places.length; i += 2) {
    const [open, close] = [places[i]!, places[i + 1]!];
    if (close < column) continue;
    let end = close;
    if (around) while (/[ \t]/.test(content[end + 1] ?? '')) end++;
    if (around) return { from: { line, column: open }, to: { line, column: end }, extent: 'inclusive' };
    return { from: { line, column: open + 1 }, to: { line, column: close }, extent: 'exclusive' };
  }
  return undefined;
}

function bracketObject(
  text: Text,
  cursor: Position,
  open: string,
  close: string,
  around: boolean,
): Motion | undefined {
  const here = at(text, cursor);
  let start =
    here === open
      ? cursor
      : here === close
        ? scan(text, cursor, false, close, open)
        : enclosing(text, cursor, open, close);
  // Outside of all brackets it is the next ones.
  for (
    let next: Position | undefined = cursor;
    start === undefined && next !== undefined;
    next = step(text, next)
  )
    if (at(text, next) === open) start = next;
  if (start === undefined) return undefined;
  const end = scan(text, start, true, open, close);
  if (end === undefined) return undefined;
  if (around) return { from: start, to: end, extent: 'inclusive' };
  const first = { line: start.line, column: start.column + 1 };
  // Brackets on lines of their own: the lines between.
  if (
    first.column >= text.line(start.line).length &&
    /^\s*$/.test(text.line(end.line).slice(0, end.column)) &&
    end.line > start.line + 1
  )
    return {
      from: { line: start.line + 1, column: 0 },
      to: { line: end.line - 1, column: 0 },
      extent: 'linewise',
    };
  return { from: first, to: end, extent: 'exclusive' };
}

/** The opening bracket around a place. */
function enclosing(text: Text, cursor: Position, open: string, close: string): Position | undefined {
  let depth = 0;
  for (let here = stepBack(text, cursor); here !== undefined; here = stepBack(text, here)) {
    const c = at(text, here);
    if (c === close) depth++;
    else if (c === open && depth-- === 0) return here;
  }
  return undefined;
}

function paragraphObject(text: Text, { line }: Position, around: boolean): Motion {
  const isBlank = (index: number): boolean => /^\s*$/.test(text.line(index));
  const own = isBlank(line);
  let from = line;
  while (from > 0 && isBlank(from - 1) === own) from--;
  let to = line;
  while (to + 1 < text.lines.length && isBlank(to + 1) === own) to++;
  if (around) while (to + 1 < text.lines.length && isBlank(to + 1) !== own) to++;
  return { from: { line: from, column: 0 }, to: { line: to, column: 0 }, extent: 'linewise' };
}

/** A line's first non-blank, as linewise motions go there. */
export function toLine(text: Text, line: number): Motion {
  const index = Math.max(0, Math.min(line, text.lines.length - 1));
  return { to: { line: index, column: firstNonBlank(text.line(index)) }, extent: 'linewise' };
}
