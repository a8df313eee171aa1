// `!` expressions and ^a^b: events, words of them, modifiers, as histexpand.c of readline 8.2 has them.
import { splitWords } from './editor/words.ts';

/** What an expansion needs to know. */
export interface HistoryLines {
  readonly entries: readonly { readonly text: string }[];
  /** The entry of a number, as `history` shows it. */
  get(number: number): string | undefined;
  /** The last substitution and search, for :&, an empty :s// and %. */
  readonly expansion: ExpansionMemory;
}

export interface ExpansionMemory {
  from: string;
  to: string;
  search: string;
  match: string;
}

/** An expression that fails; `message` is bash's text. */
export class HistoryError extends Error {}

export interface Expanded {
  readonly text: string;
  /** :p was said: it's shown and kept, but not run. */
  readonly printOnly: boolean;
}

/** Characters that an event's beginning doesn't go over (history_search_delimiter_chars of bash). */
const EVENT_ENDS = ' \t\n:;&()|<>';
/** Word designators end it too, but for its first character. */
const DESIGNATORS = '^$*%-';

/** Expands a line; undefined if there was nothing to expand. Throws HistoryError. */
export function expandHistory(line: string, history: HistoryLines, extglob = false): Expanded | undefined {
  if (line.startsWith('^')) return new Expansion(`!!:s${line}`, history).run(0);
  if (!line.includes('!')) return undefined;
  let text = '';
  let changed = false;
  let printOnly = false;
  let quote = '';
  for (let i = 0; i < line.length;) {
    const c = line[i]!;
    if (c === '\\' && quote !== "'") {
      text += line.slice(i, i + 2);
      i += 2;
      continue;
    }
    if (c === '#' && quote === '' && (i === 0 || ' \t\n;&()|<>'.includes(line[i - 1]!))) {
      text += line.slice(i); // A comment.
      break;
    }
    if (c === "'" && quote !== '"') quote = quote === "'" ? '' : "'";
    else if (c === '"' && quote !== "'") quote = quote === '"' ? '' : '"';
    if (c !== '!' || quote === "'" || !isEvent(line, i, quote, extglob)) {
      text += c;
      i++;
      continue;
    }
    const expansion = new Expansion(line, history, text, quote);
    const found = expansion.run(i);
    text += found.text;
    i = expansion.end;
    printOnly ||= found.printOnly;
    changed = true;
  }
  return changed ? { text, printOnly } : undefined;
}

/** Where a `!` begins an expression. */
function isEvent(line: string, at: number, quote: string, extglob: boolean): boolean {
  const next = line[at + 1];
  if (next === undefined || ' \t\n\r='.includes(next)) return false;
  if (quote === '"' && next === '"') return false;
  const before = line[at - 1];
  if (before === '[' && line.includes(']', at)) return false;
  if (before === '$') return false;
  if (before === '{' && line[at - 2] === '$' && line.includes('}', at)) return false;
  return !(next === '(' && extglob && line.includes(')', at));
}

class Expansion {
  private readonly line: string;
  private readonly history: HistoryLines;
  private readonly soFar: string;
  private readonly quote: string;
  end = 0;

  constructor(line: string, history: HistoryLines, soFar = '', quote = '') {
    this.line = line;
    this.history = history;
    this.soFar = soFar;
    this.quote = quote;
  }

  /** Expands the expression at an offset; `end` is behind it then. */
  run(start: number): Expanded {
    const event = this.event(start);
    const from = this.end;
    const word = this.word(event, from);
    return this.modified(word ?? event, from);
  }

  private fail(from: number, to: number, message: string): never {
    throw new HistoryError(`${this.line.slice(from, to)}: ${message}`);
  }

  // ── The event ──

  private event(start: number): string {
    const { line, history } = this;
    const at = start + 1;
    const rest = line.slice(at);
    const last = history.entries.at(-1)?.text;
    let text: string | undefined;
    if (rest.startsWith('!')) {
      this.end = at + 1;
      text = last;
    } else if (rest.startsWith('#')) {
      this.end = at + 1;
      text = this.soFar;
    } else if (/^[:$*^%]/.test(rest)) {
      this.end = at;
      text = last;
    } else {
      const number = /^-?\d+/.exec(rest)?.[0];
      if (number !== undefined) {
        this.end = at + number.length;
        const value = Number(number);
        text = value < 0 ? history.entries.at(value)?.text : history.get(value);
      } else if (/^-(?!\d)/.test(rest)) {
        this.end = at;
        text = last;
      } else text = rest.startsWith('?') ? this.containing(at + 1) : this.beginning(at);
    }
    if (text === undefined) this.fail(start, this.end, 'event not found');
    return text;
  }

  private containing(at: number): string | undefined {
    const { line, history } = this;
    const stop = /[?\n]/.exec(line.slice(at));
    const end = stop === null ? line.length : at + stop.index;
    const wanted = line.slice(at, end) || history.expansion.search;
    this.end = stop?.[0] === '?' ? end + 1 : end;
    const found = history.entries.findLast(({ text }) => text.includes(wanted))?.text;
    if (found === undefined) return undefined;
    history.expansion.search = wanted;
    history.expansion.match = splitWords(found).find((word) => word.includes(wanted)) ?? '';
    return found;
  }

  private beginning(at: number): string | undefined {
    const { line, history } = this;
    let end = at;
    while (
      end < line.length &&
      !EVENT_ENDS.includes(line[end]!) &&
      !(end > at && DESIGNATORS.includes(line[end]!)) &&
      !(this.quote !== '' && line[end] === this.quote)
    )
      end++;
    this.end = end;
    const wanted = line.slice(at, end);
    return history.entries.findLast(({ text }) => text.startsWith(wanted))?.text;
  }

  // ── Words of it ──

  /** The words asked for; undefined if none were. */
  private word(event: string, start: number): string | undefined {
    const { line } = this;
    const words = splitWords(event);
    const colon = line[start] === ':';
    const spec = line.slice(colon ? start + 1 : start);
    const offset = start + (colon ? 1 : 0);
    if (spec.startsWith('%')) {
      this.end = offset + 1;
      return this.history.expansion.match;
    }
    if (spec.startsWith('*')) {
      this.end = offset + 1;
      return words.slice(1).join(' ');
    }
    if (spec.startsWith('$')) {
      this.end = offset + 1;
      return words.at(-1) ?? '';
    }
    const range = /^(?:(\^)|(\d+)|(?=-))(?:(\*)|(\^)|(-)(?:(\d+)|(\$)|(\^))?)?/.exec(spec);
    if (range === null || (range[2] !== undefined && !colon)) return undefined;
    const [all, caret, digits, star, toFirst, dash, lastDigits, toEnd, dashCaret] = range;
    this.end = offset + all.length;
    const first = caret !== undefined ? 1 : Number(digits ?? 0);
    let last = first;
    if (star !== undefined || toEnd !== undefined) last = words.length - 1;
    else if (toFirst !== undefined || dashCaret !== undefined) last = 1;
    else if (lastDigits !== undefined) last = Number(lastDigits);
    else if (dash !== undefined) last = words.length - 2;
    if (first >= words.length || last >= words.length || last < first)
      this.fail(start, this.end, 'bad word specifier');
    return words.slice(first, last + 1).join(' ');
  }

  // ── Modifiers ──

  private modified(text: string, start: number): Expanded {
    const { line } = this;
    let result = text;
    let quoted = '';
    let printOnly = false;
    while (line[this.end] === ':') {
      let at = this.end + 1;
      const spread = /^[gaG]/.exec(line.slice(at))?.[0] ?? '';
      at += spread.length;
      const kind = line[at];
      this.end = at + 1;
      if (kind === 'h') result = result.replace(/\/[^/]*$/s, '');
      else if (kind === 't') result = result.replace(/^.*\//s, '');
      else if (kind === 'r') result = result.replace(/\.[^.]*$/s, '');
      else if (kind === 'e') result = /\.[^.]*$/s.exec(result)?.[0] ?? result;
      else if (kind === 'p') printOnly = true;
      else if (kind === 'q' || kind === 'x') quoted = kind;
      else if (kind === 's' || kind === '&') result = this.substituted(result, kind, spread, start);
      else this.fail(at, at + 1, 'unrecognized history modifier');
    }
    if (quoted === 'q') result = `'${result.replaceAll("'", "'\\''")}'`;
    if (quoted === 'x') result = `'${result.replaceAll("'", "'\\''").replace(/[ \t\n]/g, (c) => `'${c}'`)}'`;
    return { text: result, printOnly };
  }

  private substituted(text: string, kind: string, spread: string, start: number): string {
    const { line } = this;
    const memory = this.history.expansion;
    if (kind === 's') {
      const delimiter = line[this.end] ?? '';
      this.end++;
      const from = this.pattern(delimiter);
      const to = this.pattern(delimiter);
      memory.from = from || memory.from || memory.search;
      memory.to = to.replace(/\\&|&/g, (c) => (c === '&' ? memory.from : '&'));
    }
    const { from, to } = memory;
    if (from === '' || !text.includes(from))
      this.fail(start, Math.min(this.end, line.length), 'substitution failed');
    if (spread === 'G')
      return splitWords(text)
        .map((word) => word.replace(from, () => to))
        .join(' ');
    return spread === '' ? text.replace(from, () => to) : text.replaceAll(from, () => to);
  }

  /** One side of a substitution, up to its delimiter or the end. */
  private pattern(delimiter: string): string {
    const { line } = this;
    let text = '';
    while (this.end < line.length && line[this.end] !== delimiter && line[this.end] !== '\n') {
      if (line[this.end] === '\\' && line[this.end + 1] === delimiter) this.end++;
      text += line[this.end++];
    }
    if (line[this.end] === delimiter) this.end++;
    return text;
  }
}
