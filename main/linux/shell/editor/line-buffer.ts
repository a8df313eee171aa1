// The text being edited: point, mark, words and readline's undo list. Nothing here knows a terminal.
import { graphemes } from './width.ts';

/** Changes that undo can go back over. */
const UNDO_MAX = 10_000;
/** Bytes typed in a row that are undone together (readline, text.c). */
const TYPED_TOGETHER_MAX = 20;

/** One step of readline's undo list; begin and end enclose what is undone at once. */
export type Undo =
  | { readonly kind: 'insert'; readonly start: number; end: number; bytes: number }
  | { readonly kind: 'delete'; readonly start: number; readonly text: string }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

export class LineBuffer {
  /** Positions below are UTF-16 offsets into it. */
  text = '';
  point = 0;
  mark = 0;
  undoList: Undo[] = [];
  private undoing = false;
  private edgesOf = '';
  private edges: number[] | undefined;

  get end(): number {
    return this.text.length;
  }

  /** Text before point. */
  get before(): string {
    return this.text.slice(0, this.point);
  }

  // ── Positions ──

  /** Beginnings of characters and the end; undefined for plain ASCII, where each offset is one. */
  private boundaries(): number[] | undefined {
    if (this.edgesOf === this.text) return this.edges;
    this.edgesOf = this.text;
    this.edges = undefined;
    if (/[^\x00-\x7f]/.test(this.text)) {
      this.edges = [0];
      for (const each of graphemes(this.text)) this.edges.push(this.edges.at(-1)! + each.length);
    }
    return this.edges;
  }

  /** Where the character behind `at` begins. */
  next(at: number): number {
    if (at >= this.end) return this.end;
    const edges = this.boundaries();
    return edges === undefined ? at + 1 : edges[firstAbove(edges, at)]!;
  }

  /** Where the character before `at` begins. */
  previous(at: number): number {
    if (at <= 0) return 0;
    const edges = this.boundaries();
    return edges === undefined ? at - 1 : edges[firstAbove(edges, at - 1) - 1]!;
  }

  charAt(at: number): string {
    return this.text.slice(at, this.next(at));
  }

  isWord(at: number): boolean {
    return /^[\p{L}\p{N}]/u.test(this.charAt(at));
  }

  /** M-f: behind the word that is here or next. */
  wordEnd(from = this.point): number {
    let at = from;
    while (at < this.end && !this.isWord(at)) at = this.next(at);
    while (at < this.end && this.isWord(at)) at = this.next(at);
    return at;
  }

  /** M-b. */
  wordStart(from = this.point): number {
    let at = from;
    while (at > 0 && !this.isWord(this.previous(at))) at = this.previous(at);
    while (at > 0 && this.isWord(this.previous(at))) at = this.previous(at);
    return at;
  }

  /** C-w: to the blank before the word. */
  blankStart(from = this.point): number {
    let at = from;
    while (at > 0 && /[ \t]/.test(this.text[at - 1]!)) at--;
    while (at > 0 && !/[ \t]/.test(this.text[at - 1]!)) at--;
    return at;
  }

  // ── Changes ──

  /** Puts another line in place, with the changes that were made to it. */
  load(text: string, undoList: Undo[] = []): void {
    this.text = text;
    this.point = text.length;
    this.mark = 0;
    this.undoList = undoList;
  }

  private remember(undo: Undo): void {
    if (this.undoing) return;
    this.undoList.push(undo);
    if (this.undoList.length > UNDO_MAX) this.undoList.shift();
  }

  insert(text: string): void {
    if (text === '') return;
    const last = this.undoList.at(-1);
    if (
      !this.undoing &&
      text.length === 1 &&
      text < '\x80' &&
      last?.kind === 'insert' &&
      last.end === this.point &&
      last.bytes < TYPED_TOGETHER_MAX
    ) {
      last.end++;
      last.bytes++;
    } else {
      const end = this.point + text.length;
      this.remember({ kind: 'insert', start: this.point, end, bytes: Buffer.byteLength(text) });
    }
    this.text = this.text.slice(0, this.point) + text + this.text.slice(this.point);
    this.point += text.length;
    if (this.mark > this.end) this.mark = this.end;
  }

  /** Removes from `from` to `to`, in either order, and returns it; point goes to the start. */
  remove(from: number, to: number): string {
    const start = Math.max(0, Math.min(from, to));
    const end = Math.min(this.end, Math.max(from, to));
    const removed = this.text.slice(start, end);
    if (removed !== '') this.remember({ kind: 'delete', start, text: removed });
    this.text = this.text.slice(0, start) + this.text.slice(end);
    this.point = start;
    if (this.mark > this.end) this.mark = this.end;
    return removed;
  }

  /** Replaces a part; one step for undo. */
  replace(from: number, to: number, text: string): void {
    this.together(() => {
      this.remove(from, to);
      this.insert(text);
    });
  }

  /** What `change` does is undone at once. */
  together(change: () => void): void {
    this.remember({ kind: 'begin' });
    change();
    this.remember({ kind: 'end' });
  }

  /** Takes the last change back; false if there is none. */
  undo(): boolean {
    let depth = 0;
    if (this.undoList.length === 0) return false;
    this.undoing = true;
    do {
      const step = this.undoList.pop();
      if (step === undefined) break;
      if (step.kind === 'end') depth++;
      else if (step.kind === 'begin') depth--;
      else if (step.kind === 'insert') this.remove(step.start, step.end);
      else if (step.kind === 'delete') {
        this.point = step.start;
        this.insert(step.text);
      }
    } while (depth > 0);
    this.undoing = false;
    return true;
  }

  // ── Readline's larger changes; false where they can't be done ──

  /** C-t. */
  transpose(count: number): boolean {
    if (this.point === 0 || this.next(0) >= this.end) return false;
    let times = count;
    this.together(() => {
      if (this.point === this.end) {
        this.point = this.previous(this.point);
        times = 1;
      }
      const moved = this.remove(this.previous(this.point), this.point);
      for (let i = 0; i < Math.abs(times); i++)
        this.point = times < 0 ? this.previous(this.point) : this.next(this.point);
      this.insert(moved);
    });
    return true;
  }

  /** M-t: exchanges the word before point, `count` back, with the one behind, by the given idea of a word. */
  transposeWords(
    count: number,
    wordEnd: (from: number) => number,
    wordStart: (from: number) => number,
  ): boolean {
    let secondEnd = this.point;
    for (let i = 0; i < count; i++) secondEnd = wordEnd(secondEnd);
    const secondStart = wordStart(secondEnd);
    let firstStart = secondStart;
    for (let i = 0; i < count; i++) firstStart = wordStart(firstStart);
    const firstEnd = wordEnd(firstStart);
    if (firstStart === secondStart || secondStart < firstEnd) return false;
    const first = this.text.slice(firstStart, firstEnd);
    const second = this.text.slice(secondStart, secondEnd);
    this.together(() => {
      this.remove(secondStart, secondEnd);
      this.insert(first);
      this.remove(firstStart, firstEnd);
      this.insert(second);
    });
    this.point = secondEnd;
    return true;
  }

  /** M-u, M-l, M-c over the letters between point and `end`. */
  changeCase(change: 'upper' | 'lower' | 'capital', end: number): void {
    const [from, to] = this.point <= end ? [this.point, end] : [end, this.point];
    const old = this.text.slice(from, to);
    let inWord = false;
    const changed = Array.from(old, (c) => {
      if (!/[\p{L}\p{N}]/u.test(c)) {
        inWord = false;
        return c;
      }
      const upper = change === 'upper' || (change === 'capital' && !inWord);
      inWord = true;
      const other = upper ? c.toUpperCase() : c.toLowerCase();
      return other.length === c.length ? other : c;
    }).join('');
    if (old !== '') this.replace(from, to, changed);
    this.point = end;
  }
}

function firstAbove(edges: readonly number[], at: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
