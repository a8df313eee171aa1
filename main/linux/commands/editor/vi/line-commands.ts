// Vi's colon commands on lines of the text: copying, moving, joining, shifting, putting.
import { type Lines, readLines } from './addresses.ts';
import { type Call, type Following, type Handler, linesOf, registerIn } from './call.ts';
import { join, put, shift } from './operators.ts';
import { type Session, ViError } from './state.ts';
import { deltaText, plural } from './text.ts';

export function addLines(offset: 0 | 1): Handler {
  return ({ session, lines, following }) => {
    const added = takeUntilDot(following);
    session.text.splice(Math.max(0, lines.to + offset), 0, added);
    session.toFirstNonBlank(lines.to + offset + added.length - 1);
  };
}

export function changeLines({ session, lines, following }: Call): void {
  const added = takeUntilDot(following);
  session.text.splice(lines.from, lines.to - lines.from + 1, added);
  session.toFirstNonBlank(lines.from + added.length - 1);
}

function takeUntilDot(following: Following): string[] {
  const end = following.indexOf('.');
  const taken = following.splice(0, end < 0 ? following.length : end + 1);
  return end < 0 ? taken : taken.slice(0, -1);
}

/** The line a :copy or :move goes after; -1 for the top. */
function targetOf({ session, reader }: Call): number {
  if (reader.rest.trim() === '') throw new ViError('E14: Invalid address');
  return readLines(session, reader).to;
}

export function copyLines(call: Call): void {
  const { session, lines } = call;
  const target = targetOf(call);
  const copied = linesOf(session, lines);
  session.text.splice(target + 1, 0, copied);
  session.toFirstNonBlank(target + copied.length);
  if (copied.length > 2) session.say(deltaText(copied.length));
}

export function moveLines(call: Call): void {
  const { session, lines } = call;
  const target = targetOf(call);
  if (target >= lines.from && target < lines.to)
    throw new ViError('E134: Cannot move a range of lines into itself');
  const moved = linesOf(session, lines);
  session.text.splice(lines.from, moved.length);
  const at = target >= lines.to ? target - moved.length + 1 : target + 1;
  session.text.splice(at, 0, moved);
  session.toFirstNonBlank(at + moved.length - 1);
  if (moved.length > 2) session.say(plural(moved.length, 'line moved', 'lines moved'));
}

export function joinLines({ session, lines, argument, forced }: Call): void {
  const count = argument === '' ? undefined : Number(argument);
  const from = count === undefined ? lines.from : lines.to;
  const to = count === undefined ? (lines.given > 1 ? lines.to : lines.to + 1) : from + count - 1;
  join(session, from, Math.min(Math.max(to, from), session.text.lines.length - 1), !forced);
  session.toFirstNonBlank(from);
}

export function shiftLines(session: Session, { from, to }: Lines, direction: '>' | '<', count: number): void {
  shift(session, from, to, direction, count);
  session.toFirstNonBlank(to);
}

export function setMark({ session, argument, lines }: Call): void {
  if (!/^[a-zA-Z]$/.test(argument))
    throw new ViError(
      argument === ''
        ? 'E471: Argument required'
        : 'E191: Argument must be a letter or forward/backward quote',
    );
  session.text.marks.set(argument, { line: lines.to, column: 0 });
}

export async function numberLines({ session, host, lines }: Call): Promise<void> {
  const width = Math.max(3, String(session.text.lines.length).length);
  await host.show(
    linesOf(session, lines)
      .map((line, index) => `${String(lines.from + index + 1).padStart(width)} ${line}`)
      .join('\n'),
  );
  session.toFirstNonBlank(lines.to);
}

export function putRegister({ session, argument, lines, forced }: Call): void {
  const held = session.registers.get(registerIn(argument));
  if (held === undefined) throw new ViError('E353: Nothing in register "');
  session.moveTo({ line: lines.to, column: 0 });
  put(session, { ...held, kind: 'lines' }, forced || lines.to < 0, 1, true);
  session.toFirstNonBlank(session.cursor.line - 1);
}

export function registerList({ registers }: Session): string {
  const rows = registers.list().map(([name, { lines, kind }]) => {
    const letter = { characters: 'c', lines: 'l', block: 'b' }[kind];
    return `  ${letter}  "${name}   ${lines.join('^J')}${kind === 'lines' ? '^J' : ''}`;
  });
  return ['Type Name Content', ...rows].join('\n');
}

export function keepCursor(session: Session, work: () => void): void {
  const { cursor } = session;
  work();
  session.moveTo(cursor);
}
