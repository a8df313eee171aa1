// The addresses of vi's colon commands: line numbers, marks, patterns, and what is added to them.
import { type Session, ViError } from './state.ts';

/** Reads a command line from its start. */
export class CommandReader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get rest(): string {
    return this.text.slice(this.at);
  }

  /** Takes what matches here. */
  take(pattern: RegExp): RegExpExecArray | null {
    const match = new RegExp(`^(?:${pattern.source})`, pattern.flags).exec(this.rest);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  /** A pattern up to its delimiter, which is taken too; `\/` stands for the delimiter. */
  pattern(delimiter: string): string {
    let out = '';
    while (this.at < this.text.length) {
      const c = this.text[this.at++]!;
      if (c === delimiter) return out;
      if (c === '\\' && this.text[this.at] === delimiter && delimiter !== '\\') out += this.text[this.at++]!;
      else if (c === '\\') out += c + (this.text[this.at++] ?? '');
      else out += c;
    }
    return out;
  }
}

/** The lines that a command is for, counted from 0. */
export interface Lines {
  readonly from: number;
  readonly to: number;
  /** How many addresses were given. */
  readonly given: number;
}

/** Reads addresses; without any it is the cursor's line. Throws ViError. */
export function readLines(session: Session, reader: CommandReader): Lines {
  const { cursor, text } = session;
  if (reader.take(/\s*%/) !== null) return { from: 0, to: text.lines.length - 1, given: 2 };
  const all: number[] = [];
  let here = cursor.line;
  for (;;) {
    const address = readAddress(session, reader, here);
    const separator = reader.take(/\s*([,;])/);
    if (address !== undefined) all.push(address);
    else if (separator !== null || all.length > 0) all.push(here);
    if (separator === null) break;
    if (separator[1] === ';') here = all.at(-1)!;
  }
  if (all.length === 0) return { from: cursor.line, to: cursor.line, given: 0 };
  const to = all.at(-1)!;
  const from = all.length > 1 ? all.at(-2)! : to;
  if (to >= text.lines.length || from < -1 || to < -1) throw new ViError('E16: Invalid range');
  return from <= to ? { from, to, given: all.length } : { from: to, to: from, given: all.length };
}

function readAddress(session: Session, reader: CommandReader, here: number): number | undefined {
  const { text } = session;
  const match = reader.take(/\s*(?:(\d+)|([.$])|'(.)|([/?])|\\([/?&])|(?=[-+]))/);
  if (match === null) return undefined;
  const [, number, symbol, mark, search] = match;
  let line = here;
  if (number !== undefined) line = Number(number) - 1;
  else if (symbol === '$') line = text.lines.length - 1;
  else if (mark !== undefined) {
    const place = markOf(session, mark);
    if (place === undefined) throw new ViError('E20: Mark not set');
    else line = place;
  } else if (search !== undefined) {
    const pattern = session.lastPattern(reader.pattern(search));
    const forward = search === '/';
    session.search = { pattern, forward, offset: '' };
    line = session.find(pattern, { line: here, column: forward ? Infinity : 0 }, forward).line;
  }
  for (let add = reader.take(/\s*([-+])(\d*)/); add !== null; add = reader.take(/\s*([-+])(\d*)/))
    line += (add[1] === '-' ? -1 : 1) * Number(add[2] === '' ? 1 : add[2]);
  return line;
}

function markOf(session: Session, mark: string): number | undefined {
  if (mark === '<') return session.lastSelection?.from.line;
  if (mark === '>') return session.lastSelection?.to.line;
  return session.text.marks.get(mark === '`' ? "'" : mark)?.line;
}
