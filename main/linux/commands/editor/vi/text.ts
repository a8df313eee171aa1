// The text that vi edits: lines, marks that move with them, and the history of changes.

/** A place in the text; both count from 0, `column` in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

interface State {
  readonly lines: readonly string[];
  readonly isEmpty: boolean;
  readonly cursor: Position;
  /** When the change was made, in virtual ms, and its number. */
  readonly timeMs: number;
  readonly number: number;
}

/** What undo or redo did, as vi tells it. */
export interface Travel {
  readonly cursor: Position;
  /** Such as `1 line less; before #2  1 second ago`. */
  readonly message: string;
}

export class Text {
  /** At least one, which stands for none while `isEmpty`. */
  private content: string[] = [''];
  private hasNone = true;
  private isShared = false;
  private before:
    | { readonly lines: string[]; readonly isEmpty: boolean; readonly cursor: Position }
    | undefined;
  private past: State[] = [];
  private future: State[] = [];
  private changes = 0;
  readonly marks = new Map<string, Position>();
  /** Whether it differs from the file. */
  isModified = false;

  get lines(): readonly string[] {
    return this.content;
  }

  get isEmpty(): boolean {
    return this.hasNone;
  }

  /** The bytes of a file with these lines. */
  get contents(): string {
    return this.hasNone ? '' : `${this.content.join('\n')}\n`;
  }

  /** Takes in a file's text; the history is forgotten. */
  load(text: string): void {
    this.hasNone = text === '';
    this.content = text.replace(/\n$/, '').split('\n');
    this.isModified = false;
    this.past = [];
    this.future = [];
    this.marks.clear();
  }

  line(index: number): string {
    return this.content[index] ?? '';
  }

  /** Replaces `count` lines by others. */
  splice(at: number, count: number, replacement: readonly string[] = []): void {
    this.touch();
    if (this.hasNone) {
      if (replacement.length === 0) return;
      this.content = [...replacement];
      this.hasNone = false;
      return;
    }
    this.content.splice(at, count, ...replacement);
    if (this.content.length === 0) {
      this.content = [''];
      this.hasNone = true;
    }
    const delta = replacement.length - count;
    if (delta === 0) return;
    for (const [name, mark] of this.marks) {
      if (mark.line >= at + count) this.marks.set(name, { ...mark, line: mark.line + delta });
      else if (mark.line >= at + replacement.length) this.marks.delete(name);
    }
  }

  setLine(index: number, text: string): void {
    if (this.content[index] === text && !this.hasNone) return;
    this.touch();
    this.hasNone = false;
    this.content[index] = text;
  }

  private touch(): void {
    this.isModified = true;
    if (!this.isShared) return;
    this.content = [...this.content];
    this.isShared = false;
  }

  /** What changes from here on is one change, begun with the cursor here. */
  begin(cursor: Position): void {
    if (this.before !== undefined) return;
    this.before = { lines: this.content, isEmpty: this.hasNone, cursor };
    this.isShared = true;
  }

  /** The change is complete; undo takes it back as a whole. */
  commit(nowMs: number): void {
    const { before } = this;
    this.before = undefined;
    this.isShared = false;
    if (before === undefined || before.lines === this.content) return;
    this.past.push({ ...before, timeMs: nowMs, number: ++this.changes });
    this.future = [];
  }

  undo(nowMs: number): Travel | undefined {
    return this.travel(this.past, this.future, 'before', nowMs);
  }

  redo(nowMs: number): Travel | undefined {
    return this.travel(this.future, this.past, 'after', nowMs);
  }

  private travel(from: State[], to: State[], side: string, nowMs: number): Travel | undefined {
    const state = from.pop();
    if (state === undefined) return undefined;
    const present = this.content;
    to.push({ ...state, lines: present, isEmpty: this.hasNone });
    this.content = [...state.lines];
    this.hasNone = state.isEmpty;
    this.isModified = true;
    const { first, changed } = differenceOf(present, state.lines);
    const delta = state.lines.length - present.length;
    const line = Math.min(first, this.content.length - 1);
    const column =
      line === state.cursor.line && side === 'before' ? state.cursor.column : firstNonBlank(this.line(line));
    const what = delta === 0 ? plural(changed, 'change', 'changes') : deltaText(delta, 'line less');
    return {
      cursor: { line, column },
      message: `${what}; ${side} #${state.number}  ${agoText(state.timeMs, nowMs)}`,
    };
  }
}

/** The first line that differs, and of how many of the lines between what is alike at both ends. */
function differenceOf(a: readonly string[], b: readonly string[]): { first: number; changed: number } {
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first++;
  let changed = 0;
  for (let i = first; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) changed++;
  return { first, changed };
}

function agoText(thenMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - thenMs) / 1000);
  return seconds < 100
    ? `${plural(seconds, 'second', 'seconds')} ago`
    : new Date(thenMs).toISOString().slice(11, 19);
}

/** `1 line`, `2 lines`. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** How vi tells that there are more or fewer lines than before. */
export function deltaText(delta: number, oneLess = 'line less'): string {
  return delta > 0 ? plural(delta, 'more line', 'more lines') : plural(-delta, oneLess, 'fewer lines');
}

/** The column of a line's first character that isn't a blank. */
export function firstNonBlank(line: string): number {
  const index = /^\s*/.exec(line)![0].length;
  return index < line.length ? index : Math.max(0, line.length - 1);
}

/** The column one character on: surrogates and combining marks stay with what they belong to. */
export function nextColumn(line: string, column: number): number {
  const code = line.codePointAt(column);
  if (code === undefined) return column + 1;
  let next = column + (code > 0xffff ? 2 : 1);
  while (next < line.length && /^\p{M}/u.test(line.slice(next, next + 2))) next++;
  return next;
}

/** The column one character back. */
export function previousColumn(line: string, column: number): number {
  let at = 0;
  for (;;) {
    const next = nextColumn(line, at);
    if (next >= column) return at;
    at = next;
  }
}

/** The last column that the cursor may stand on. */
export function lastColumn(line: string): number {
  return line === '' ? 0 : previousColumn(line, line.length);
}
