// The text being edited: readline's movements and changes, kill ring and undo. Nothing here knows a terminal.
import { graphemes } from './width.ts';

/** States that undo can go back to. */
const UNDO_MAX = 1000;
const KILLS_MAX = 60;

export class LineBuffer {
  cells: string[] = [];
  cursor = 0;
  private undoStates: { cells: string[]; cursor: number }[] = [];
  private typing = false;

  get text(): string {
    return this.cells.join('');
  }

  /** Text before the cursor. */
  get before(): string {
    return this.cells.slice(0, this.cursor).join('');
  }

  set(text: string, cursor?: number): void {
    this.cells = graphemes(text);
    this.cursor = Math.min(cursor ?? this.cells.length, this.cells.length);
  }

  /** Remembers the present state for undo; letters typed in a row are undone together. */
  mark(typing = false): void {
    if (typing && this.typing) return;
    this.typing = typing;
    this.undoStates.push({ cells: [...this.cells], cursor: this.cursor });
    if (this.undoStates.length > UNDO_MAX) this.undoStates.shift();
  }

  endTyping(): void {
    this.typing = false;
  }

  undo(): boolean {
    const state = this.undoStates.pop();
    if (state === undefined) return false;
    this.cells = state.cells;
    this.cursor = state.cursor;
    this.typing = false;
    return true;
  }

  revert(): void {
    const [first] = this.undoStates;
    if (first === undefined) return;
    this.cells = first.cells;
    this.cursor = first.cursor;
    this.undoStates = [];
  }

  insert(text: string): void {
    // A combining mark joins the character before it.
    const joined = graphemes(this.before + text);
    const tail = this.cells.slice(this.cursor);
    this.cells = [...joined, ...tail];
    this.cursor = joined.length;
  }

  /** Removes from `from` to `to` and returns it; the cursor goes to `from`. */
  remove(from: number, to: number): string {
    const removed = this.cells.splice(from, to - from).join('');
    this.cursor = from;
    return removed;
  }

  replace(from: number, to: number, text: string): void {
    const cells = graphemes(text);
    this.cells = [...this.cells.slice(0, from), ...cells, ...this.cells.slice(to)]; // A paste may be very long.
    this.cursor = from + cells.length;
  }

  private isWord(index: number): boolean {
    return /[\p{L}\p{N}]/u.test(this.cells[index] ?? '');
  }

  /** M-f: behind the word that is here or next. */
  wordEnd(from = this.cursor): number {
    let at = from;
    while (at < this.cells.length && !this.isWord(at)) at++;
    while (at < this.cells.length && this.isWord(at)) at++;
    return at;
  }

  /** M-b. */
  wordStart(from = this.cursor): number {
    let at = from;
    while (at > 0 && !this.isWord(at - 1)) at--;
    while (at > 0 && this.isWord(at - 1)) at--;
    return at;
  }

  /** C-w: to the blank before the word. */
  blankStart(): number {
    let at = this.cursor;
    while (at > 0 && /\s/.test(this.cells[at - 1]!)) at--;
    while (at > 0 && !/\s/.test(this.cells[at - 1]!)) at--;
    return at;
  }

  /** C-t. */
  transpose(): boolean {
    if (this.cells.length < 2 || this.cursor === 0) return false;
    const at = this.cursor === this.cells.length ? this.cursor - 1 : this.cursor;
    [this.cells[at - 1], this.cells[at]] = [this.cells[at]!, this.cells[at - 1]!];
    this.cursor = at + 1;
    return true;
  }

  /** M-t: exchanges the word before the cursor with the one behind. */
  transposeWords(): boolean {
    const secondEnd = this.wordEnd();
    const secondStart = this.wordStart(secondEnd);
    const firstStart = this.wordStart(secondStart);
    const firstEnd = this.wordEnd(firstStart);
    if (firstStart === secondStart || firstEnd > secondStart) return false;
    const first = this.cells.slice(firstStart, firstEnd);
    const second = this.cells.slice(secondStart, secondEnd);
    const between = this.cells.slice(firstEnd, secondStart);
    this.cells.splice(firstStart, secondEnd - firstStart, ...second, ...between, ...first);
    this.cursor = secondEnd;
    return true;
  }

  /** M-u, M-l, M-c. */
  changeCase(change: 'upper' | 'lower' | 'capital'): void {
    const end = this.wordEnd();
    let inWord = false;
    for (let i = this.cursor; i < end; i++) {
      const cell = this.cells[i]!;
      if (change === 'upper' || (change === 'capital' && this.isWord(i) && !inWord))
        this.cells[i] = cell.toUpperCase();
      else this.cells[i] = cell.toLowerCase();
      inWord = this.isWord(i);
    }
    this.cursor = end;
  }
}

/** What was killed, newest last; kills in a row become one. */
export class KillRing {
  private kills: string[] = [];
  private at = 0;

  add(text: string, direction: 'forward' | 'backward', joins: boolean): void {
    if (text === '') return;
    if (joins && this.kills.length > 0) {
      const last = this.kills.pop()!;
      this.kills.push(direction === 'forward' ? last + text : text + last);
    } else {
      this.kills.push(text);
      if (this.kills.length > KILLS_MAX) this.kills.shift();
    }
    this.at = this.kills.length - 1;
  }

  get current(): string | undefined {
    return this.kills[this.at];
  }

  /** M-y. */
  rotate(): string | undefined {
    if (this.kills.length === 0) return undefined;
    this.at = (this.at - 1 + this.kills.length) % this.kills.length;
    return this.kills[this.at];
  }
}
