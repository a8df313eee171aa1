// One editing session: the file, the text, and what commands share.
import { ErrnoError } from '../../../../network/index.ts';
import type { Process } from '../../../kernel/index.ts';
import type { Keys } from './keys.ts';
import { makeOptions, type Options } from './options.ts';
import { compilePattern, PatternError } from './pattern.ts';
import { Registers } from './registers.ts';
import { columnAt, displayColumn, type Screen } from './screen.ts';
import { firstNonBlank, lastColumn, Text, type Position } from './text.ts';

/** A command that can't be done; the message is shown, and keys that were to follow are dropped. */
export class ViError extends Error {}

export type Mode = 'normal' | 'insert' | 'replace' | 'visual' | 'visual-line' | 'visual-block';

/** The last search, for `n`, `N` and an empty pattern. */
export interface Search {
  readonly pattern: string;
  readonly forward: boolean;
  /** What follows the pattern: `e`, `+1`. */
  readonly offset: string;
}

export class Session {
  readonly proc: Process;
  readonly keys: Keys;
  /** Whose manners it has. */
  readonly flavour: 'vim' | 'busybox';
  /** Absent while commands run without one. */
  readonly screen: Screen | undefined;
  readonly text = new Text();
  readonly registers = new Registers();
  readonly options: Options = makeOptions();
  readonly commandHistory: string[] = [];
  readonly searchHistory: string[] = [];
  /** As it was given; undefined for a text without a file. */
  path: string | undefined;
  /** The other files of the command line. */
  files: readonly string[] = [];
  fileIndex = 0;
  mode: Mode = 'normal';
  cursor: Position = { line: 0, column: 0 };
  /** The column on the screen that moving up and down keeps; Infinity after `$`. */
  wantedColumn = 0;
  /** Where the selection began, and the last one. */
  anchor: Position = { line: 0, column: 0 };
  lastSelection: { readonly mode: Mode; readonly from: Position; readonly to: Position } | undefined;
  message = '';
  isError = false;
  pending = '';
  search: Search | undefined;
  /** `:noh` until the next search. */
  highlightOff = false;
  lastSubstitute: { readonly pattern: string; readonly replacement: string } | undefined;
  lastFind: { readonly kind: string; readonly character: string } | undefined;
  isIntro = false;
  /** Set when the session is over. */
  exitCode: number | undefined;

  constructor(proc: Process, keys: Keys, screen: Screen | undefined, flavour: 'vim' | 'busybox' = 'vim') {
    this.proc = proc;
    this.keys = keys;
    this.screen = screen;
    this.flavour = flavour;
    if (flavour === 'busybox') Object.assign(this.options, { ruler: false, showmode: false, scrolloff: 0 });
  }

  get line(): string {
    return this.text.line(this.cursor.line);
  }

  get nowMs(): number {
    return this.proc.clock.now();
  }

  say(message: string): void {
    this.message = message;
    this.isError = false;
  }

  fail(message: string): never {
    throw new ViError(message);
  }

  /** Puts the cursor somewhere in the text and remembers its column. */
  moveTo({ line, column }: Position, keepsColumn = false): void {
    const index = Math.max(0, Math.min(line, this.text.lines.length - 1));
    const content = this.text.line(index);
    // A selection may take the line's end along.
    const isFree = this.mode !== 'normal';
    const last = isFree ? content.length : lastColumn(content);
    this.cursor = { line: index, column: Math.max(0, Math.min(column, last)) };
    if (!keepsColumn) this.wantedColumn = displayColumn(content, this.cursor.column, this.options);
  }

  /** Up or down to a line, in the column wanted. */
  moveToLine(line: number): void {
    const index = Math.max(0, Math.min(line, this.text.lines.length - 1));
    const content = this.text.line(index);
    const column =
      this.wantedColumn === Infinity
        ? lastColumn(content)
        : columnAt(content, this.wantedColumn, this.options);
    this.moveTo({ line: index, column }, true);
  }

  toFirstNonBlank(line: number): void {
    const index = Math.max(0, Math.min(line, this.text.lines.length - 1));
    this.moveTo({ line: index, column: firstNonBlank(this.text.line(index)) });
  }

  /** Notes where the cursor was before a jump, for '' and ``. */
  markJump(): void {
    this.text.marks.set("'", this.cursor);
  }

  compile(pattern: string): RegExp {
    const { ignorecase, smartcase } = this.options;
    try {
      return compilePattern(pattern, { ignoreCase: ignorecase, smartCase: ignorecase && smartcase });
    } catch (error) {
      if (error instanceof PatternError) this.fail(error.message);
      throw error;
    }
  }

  /** The pattern to search for: an empty one is the last. */
  lastPattern(given: string): string {
    const pattern = given === '' ? this.search?.pattern : given;
    return pattern ?? this.fail('E35: No previous regular expression');
  }

  /** The place of a pattern's next match, around the ends of the text if the option says so. */
  find(pattern: string, from: Position, forward: boolean, includesStart = false): Position {
    const regex = this.compile(pattern);
    const count = this.text.lines.length;
    const places = (line: number): number[] => {
      const content = this.text.line(line);
      return [...content.matchAll(regex)]
        .map(({ index }) => index)
        .filter((index) => index < content.length || content === '');
    };
    for (let step = 0; step <= count; step++) {
      const offset = forward ? step : -step;
      const line = from.line + offset;
      const isWrapped = line < 0 || line >= count;
      if (isWrapped && !this.options.wrapscan)
        this.fail(
          forward
            ? `E385: Search hit BOTTOM without match for: ${pattern}`
            : `E384: Search hit TOP without match for: ${pattern}`,
        );
      const index = ((line % count) + count) % count;
      const all = places(index);
      const fits = (column: number): boolean => {
        if (step === 0)
          return forward
            ? includesStart
              ? column >= from.column
              : column > from.column
            : column < from.column;
        if (step === count) return forward ? column <= from.column : column >= from.column;
        return true;
      };
      const found = forward ? all.find(fits) : all.findLast(fits);
      if (found === undefined) continue;
      if (isWrapped || step === count)
        this.say(forward ? 'search hit BOTTOM, continuing at TOP' : 'search hit TOP, continuing at BOTTOM');
      return { line: index, column: found };
    }
    return this.fail(`E486: Pattern not found: ${pattern}`);
  }

  /** What `n` goes to; `pattern/offset` as last typed. */
  searchAgain(search: Search, from: Position, count: number): Position {
    let place = from;
    for (let i = 0; i < count; i++) place = this.find(search.pattern, place, search.forward);
    const offset = /^([esb]?)([-+]?\d*)/.exec(search.offset);
    if (offset === null || search.offset === '') return place;
    const amount =
      offset[2] === '+' || offset[2] === '-'
        ? Number(`${offset[2]}1`)
        : Number(offset[2] === '' ? 0 : offset[2]);
    if (offset[1] === 'e') {
      const regex = this.compile(search.pattern);
      regex.lastIndex = place.column;
      const length = regex.exec(this.text.line(place.line))?.[0].length ?? 1;
      return { line: place.line, column: place.column + Math.max(0, length - 1) + amount };
    }
    if (offset[1] !== '') return { line: place.line, column: place.column + amount };
    const line = Math.max(0, Math.min(place.line + amount, this.text.lines.length - 1));
    return { line, column: firstNonBlank(this.text.line(line)) };
  }

  /** Reads a file into the text. Says what it is, as vim does on opening. */
  open(path: string | undefined): void {
    this.path = path;
    this.cursor = { line: 0, column: 0 };
    this.wantedColumn = 0;
    if (this.screen !== undefined) this.screen.top = 0;
    if (path === undefined) {
      this.text.load('');
      this.isIntro = true;
      return;
    }
    this.readFile(path);
    this.toFirstNonBlank(0);
  }

  private readFile(path: string): void {
    const { fs } = this.proc;
    const target = fs.resolve(path);
    this.options.readonly = false;
    try {
      if (fs.exists(target) && fs.stat(target).type === 'directory') {
        this.text.load('');
        this.say(`"${path}" is a directory`);
        return;
      }
      if (!fs.exists(target)) {
        this.text.load('');
        this.say(
          fs.exists(target.replace(/\/[^/]*$/, '') || '/') ? `"${path}" [New]` : `"${path}" [New DIRECTORY]`,
        );
        return;
      }
      const content = fs.readText(target);
      this.text.load(content);
      this.options.readonly = !fs.access(target, { write: true });
      const flags = `${this.options.readonly ? '[readonly] ' : ''}${content !== '' && !content.endsWith('\n') ? '[noeol] ' : ''}`;
      this.say(`"${path}" ${flags}${sizeText(this.text.isEmpty ? 0 : this.text.lines.length, content)}`);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.text.load('');
      this.say(`"${path}" [${error.code === 'EACCES' ? 'Permission Denied' : error.message}]`);
    }
  }
}

/** `8L, 97B`. */
export function sizeText(lines: number, content: string): string {
  return `${lines}L, ${Buffer.byteLength(content)}B`;
}
