// Vi's :s: replacing what a pattern matches, in its own language of replacements.
import type { CommandReader, Lines } from './addresses.ts';
import { type Session, ViError } from './state.ts';
import { plural } from './text.ts';

/** Substitutions are told of from this many on. */
const REPORT_FROM = 3;

/** What asks, for the flag `c`, whether a match is replaced. */
export type Confirm = (
  line: number,
  column: number,
  length: number,
  replacement: string,
) => Promise<'y' | 'n' | 'a' | 'q' | 'l'>;

/** `:s/pattern/replacement/flags count`. Throws ViError. */
export async function substitute(
  session: Session,
  reader: CommandReader,
  lines: Lines,
  confirm: Confirm | undefined,
): Promise<void> {
  const delimiter = reader.take(/[^\w\s"|\\]/)?.[0];
  let pattern: string;
  let replacement: string;
  if (delimiter === undefined) {
    const last = session.lastSubstitute;
    if (last === undefined) throw new ViError('E33: No previous substitute regular expression');
    ({ pattern, replacement } = last);
  } else {
    pattern = session.lastPattern(reader.pattern(delimiter));
    replacement = reader.pattern(delimiter);
    if (replacement === '~') replacement = session.lastSubstitute?.replacement ?? '';
  }
  const [, flags = '', count = ''] = reader.take(/\s*([&cegiInp#]*)\s*(\d*)/) ?? [];
  if (reader.rest.trim() !== '') throw new ViError(`E488: Trailing characters: ${reader.rest.trim()}`);
  const range =
    count === ''
      ? lines
      : { from: lines.to, to: Math.min(lines.to + Number(count) - 1, session.text.lines.length - 1) };
  session.lastSubstitute = { pattern, replacement };
  session.search = { pattern, forward: true, offset: '' };
  session.highlightOff = false;
  const source = flags.includes('i') ? `\\c${pattern}` : flags.includes('I') ? `\\C${pattern}` : pattern;
  const regex = session.compile(source);
  const { text } = session;
  let changed = 0;
  let matches = 0;
  let ask = flags.includes('c') ? confirm : undefined;
  let stop = false;
  let lastLine = session.cursor.line;
  let end = range.to;
  for (let line = range.from; line <= end && !stop; line++) {
    const content = text.line(line);
    let out = '';
    let at = 0;
    let hits = 0;
    for (const match of content.matchAll(regex)) {
      const made = replacementText(replacement, match);
      if (ask !== undefined) {
        const answer = await ask(line, match.index, match[0].length, made);
        if (answer === 'q') {
          stop = true;
          break;
        }
        if (answer === 'a') ask = undefined;
        if (answer === 'l') stop = true;
        if (answer === 'n') continue;
      }
      out += content.slice(at, match.index) + made;
      at = match.index + match[0].length;
      hits++;
      if (!flags.includes('g') || stop) break;
    }
    if (hits === 0) continue;
    matches += hits;
    changed++;
    lastLine = line;
    if (flags.includes('n')) continue;
    const pieces = (out + content.slice(at)).split('\r');
    text.splice(line, 1, pieces);
    line += pieces.length - 1;
    end += pieces.length - 1;
    lastLine = line;
  }
  if (changed === 0) {
    if (ask !== undefined || flags.includes('c') || flags.includes('e')) return;
    throw new ViError(`E486: Pattern not found: ${pattern}`);
  }
  if (flags.includes('n')) {
    session.say(`${plural(matches, 'match', 'matches')} on ${plural(changed, 'line', 'lines')}`);
    return;
  }
  session.toFirstNonBlank(lastLine);
  if (matches >= REPORT_FROM)
    session.say(`${plural(matches, 'substitution', 'substitutions')} on ${plural(changed, 'line', 'lines')}`);
}

/** The text for one match: `&`, `\0` to `\9`, `\n` and `\r` for a line's end, `\u \U \l \L \e \E` for case. */
function replacementText(replacement: string, match: RegExpExecArray): string {
  let out = '';
  let mode = '';
  let once = '';
  const add = (piece: string): void => {
    if (piece === '') return;
    let shown = mode === 'U' ? piece.toUpperCase() : mode === 'L' ? piece.toLowerCase() : piece;
    if (once !== '')
      shown = (once === 'u' ? shown[0]!.toUpperCase() : shown[0]!.toLowerCase()) + shown.slice(1);
    once = '';
    out += shown;
  };
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement[i]!;
    if (c === '&') add(match[0]);
    else if (c !== '\\') add(c);
    else {
      const next = replacement[++i] ?? '\\';
      if (/\d/.test(next)) add(match[Number(next)] ?? '');
      else if (next === 'n') add('\0');
      else if (next === 'r') add('\r');
      else if (next === 't') add('\t');
      else if (next === 'u' || next === 'l') once = next;
      else if (next === 'U' || next === 'L') mode = next;
      else if (next === 'e' || next === 'E') mode = '';
      else add(next);
    }
  }
  return out;
}
