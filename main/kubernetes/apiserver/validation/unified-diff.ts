// Unified diffs as the API server puts them into messages (apimachinery util/diff over go-difflib, which follows Python's difflib).

/** Texts of at least this many lines lose the lines that are everywhere as places to begin a match. */
const POPULAR_FROM_LINES = 200;
const CONTEXT_LINES = 3;

interface Block {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

type Edit = 'equal' | 'replace' | 'delete' | 'insert';

interface Opcode {
  readonly edit: Edit;
  readonly a0: number;
  readonly a1: number;
  readonly b0: number;
  readonly b1: number;
}

/** Where each line of the second text is, without the popular ones. */
function placesOf(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const known = places.get(line);
    if (known === undefined) places.set(line, [index]);
    else known.push(index);
  }
  if (lines.length >= POPULAR_FROM_LINES) {
    const often = Math.floor(lines.length / 100) + 1;
    for (const [line, indexes] of places) if (indexes.length > often) places.delete(line);
  }
  return places;
}

/** Finds what two texts have in common, longest piece first. */
class Matcher {
  private readonly a: readonly string[];
  private readonly b: readonly string[];
  private readonly places: ReadonlyMap<string, readonly number[]>;

  constructor(a: readonly string[], b: readonly string[]) {
    this.a = a;
    this.b = b;
    this.places = placesOf(b);
  }

  private longest(a0: number, a1: number, b0: number, b1: number): Block {
    let [bestA, bestB, size] = [a0, b0, 0];
    let lengths = new Map<number, number>();
    for (let i = a0; i < a1; i++) {
      const next = new Map<number, number>();
      for (const j of this.places.get(this.a[i]!) ?? []) {
        if (j < b0) continue;
        if (j >= b1) break;
        const length = (lengths.get(j - 1) ?? 0) + 1;
        next.set(j, length);
        if (length > size) [bestA, bestB, size] = [i - length + 1, j - length + 1, length];
      }
      lengths = next;
    }
    while (bestA > a0 && bestB > b0 && this.a[bestA - 1] === this.b[bestB - 1]) {
      bestA--;
      bestB--;
      size++;
    }
    while (bestA + size < a1 && bestB + size < b1 && this.a[bestA + size] === this.b[bestB + size]) size++;
    return { a: bestA, b: bestB, size };
  }

  /** The common pieces in order, neighbours joined, with an empty one at the end. */
  private blocks(): Block[] {
    const found: Block[] = [];
    const search = (a0: number, a1: number, b0: number, b1: number): void => {
      const match = this.longest(a0, a1, b0, b1);
      if (match.size === 0) return;
      if (a0 < match.a && b0 < match.b) search(a0, match.a, b0, match.b);
      found.push(match);
      if (match.a + match.size < a1 && match.b + match.size < b1)
        search(match.a + match.size, a1, match.b + match.size, b1);
    };
    search(0, this.a.length, 0, this.b.length);
    const joined: Block[] = [];
    for (const block of found) {
      const last = joined.at(-1);
      if (last !== undefined && last.a + last.size === block.a && last.b + last.size === block.b)
        joined[joined.length - 1] = { ...last, size: last.size + block.size };
      else joined.push(block);
    }
    return [...joined, { a: this.a.length, b: this.b.length, size: 0 }];
  }

  opcodes(): Opcode[] {
    const opcodes: Opcode[] = [];
    let [a, b] = [0, 0];
    for (const block of this.blocks()) {
      const edit = editOf(a < block.a, b < block.b);
      if (edit !== undefined) opcodes.push({ edit, a0: a, a1: block.a, b0: b, b1: block.b });
      [a, b] = [block.a + block.size, block.b + block.size];
      if (block.size > 0) opcodes.push({ edit: 'equal', a0: block.a, a1: a, b0: block.b, b1: b });
    }
    return opcodes;
  }
}

function editOf(hasOld: boolean, hasNew: boolean): Edit | undefined {
  if (hasOld && hasNew) return 'replace';
  if (hasOld) return 'delete';
  return hasNew ? 'insert' : undefined;
}

/** Opcodes in hunks, with a few equal lines around each. */
function hunksOf(opcodes: readonly Opcode[]): Opcode[][] {
  const codes = opcodes.map((code, index) => {
    if (code.edit !== 'equal') return code;
    const { a0, a1, b0, b1 } = code;
    const isFirst = index === 0;
    const isLast = index === opcodes.length - 1;
    return {
      ...code,
      a0: isFirst ? Math.max(a0, a1 - CONTEXT_LINES) : a0,
      b0: isFirst ? Math.max(b0, b1 - CONTEXT_LINES) : b0,
      a1: isLast ? Math.min(a1, a0 + CONTEXT_LINES) : a1,
      b1: isLast ? Math.min(b1, b0 + CONTEXT_LINES) : b1,
    };
  });
  const hunks: Opcode[][] = [];
  let hunk: Opcode[] = [];
  for (const code of codes) {
    const { edit, a0, a1, b0, b1 } = code;
    if (edit === 'equal' && a1 - a0 > 2 * CONTEXT_LINES) {
      hunk.push({ edit, a0, a1: Math.min(a1, a0 + CONTEXT_LINES), b0, b1: Math.min(b1, b0 + CONTEXT_LINES) });
      hunks.push(hunk);
      hunk = [{ edit, a0: Math.max(a0, a1 - CONTEXT_LINES), a1, b0: Math.max(b0, b1 - CONTEXT_LINES), b1 }];
    } else hunk.push(code);
  }
  if (hunk.some(({ edit }) => edit !== 'equal')) hunks.push(hunk);
  return hunks.filter((item) => item.some(({ edit }) => edit !== 'equal'));
}

function rangeText(start: number, stop: number): string {
  const length = stop - start;
  if (length === 1) return `${start + 1}`;
  return `${length === 0 ? start : start + 1},${length}`;
}

function hunkText(hunk: readonly Opcode[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [hunk[0]!, hunk.at(-1)!];
  const lines = [`@@ -${rangeText(first.a0, last.a1)} +${rangeText(first.b0, last.b1)} @@\n`];
  for (const { edit, a0, a1, b0, b1 } of hunk) {
    if (edit === 'equal') for (const line of a.slice(a0, a1)) lines.push(` ${line}\n`);
    else {
      for (const line of a.slice(a0, a1)) lines.push(`-${line}\n`);
      for (const line of b.slice(b0, b1)) lines.push(`+${line}\n`);
    }
  }
  return lines.join('');
}

/** The difference of two values written as JSON with one blank of indentation, without file names. */
export function diffOf(before: unknown, after: unknown): string {
  const [a, b] = [before, after].map((value) => JSON.stringify(value, undefined, 1).split('\n'));
  return hunksOf(new Matcher(a!, b!).opcodes())
    .map((hunk) => hunkText(hunk, a!, b!))
    .join('');
}
