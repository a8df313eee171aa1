// The command history: in memory and in its file.
import { ErrnoError } from '../../network/index.ts';
import { bytesToText } from './bytes.ts';
import { matchesPattern } from './pattern.ts';
import type { ExpansionMemory } from './history-expansion.ts';
import type { Undo } from './editor/line-buffer.ts';
import type { Shell } from './shell.ts';

const SIZE_DEFAULT = 500;

interface HistoryEntry {
  text: string;
  /** When it was entered, in ms; undefined for lines read from a file without times. */
  readonly timeMs: number | undefined;
  /** Changes that a person has made to it and not entered: `history` marks it with a star. */
  undoList?: Undo[] | undefined;
  /** How it was before them. */
  original?: string;
}

/** The list that `history` shows. Numbers go on when old entries fall out. */
export class History {
  entries: HistoryEntry[] = [];
  readonly expansion: ExpansionMemory = { from: '', to: '', search: '', match: '' };
  private dropped = 0;
  private readonly shell: Shell;
  /** How many entries of the list are in the file already. */
  private saved = 0;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  /** Number of the first entry. */
  get base(): number {
    return this.dropped + 1;
  }

  get nextNumber(): number {
    return this.dropped + this.entries.length + 1;
  }

  private get limit(): number {
    const size = this.shell.vars.get('HISTSIZE');
    if (size === undefined || size === '') return SIZE_DEFAULT;
    const number = Number.parseInt(size, 10);
    return Number.isNaN(number) || number < 0 ? Infinity : number;
  }

  get path(): string | undefined {
    const path = this.shell.vars.get('HISTFILE');
    return path === '' ? undefined : path;
  }

  /** Adds a command unless HISTCONTROL or HISTIGNORE says no, and says whether it did; `append` puts it on disk. */
  add(text: string): boolean {
    const control = (this.shell.vars.get('HISTCONTROL') ?? '').split(':');
    const both = control.includes('ignoreboth');
    const previous = this.entries.at(-1)?.text;
    if (text === '') return false;
    if ((both || control.includes('ignorespace')) && text.startsWith(' ')) return false;
    if ((both || control.includes('ignoredups')) && previous === text) return false;
    if (this.isIgnored(text, previous)) return false;
    if (control.includes('erasedups')) this.erase(text);
    this.push(text, this.shell.proc.clock.now());
    return true;
  }

  /** HISTIGNORE: patterns between colons that a whole line may match; `&` is the line before. */
  private isIgnored(text: string, previous: string | undefined): boolean {
    const patterns = this.shell.vars.get('HISTIGNORE') ?? '';
    if (patterns === '') return false;
    return patterns.split(/(?<!\\):/).some((pattern) => {
      const whole = pattern.replace(/(?<!\\)&/g, () => (previous ?? '').replace(/[*?[\\]/g, '\\$&'));
      return matchesPattern(text, whole.replaceAll('\\&', '&'), { extglob: true });
    });
  }

  private erase(text: string): void {
    const kept = this.entries.filter((entry) => entry.text !== text);
    this.saved = Math.min(this.saved, kept.length);
    this.entries = kept;
  }

  /** The last command goes on: what was added for its first line becomes the whole of it. */
  amend(text: string): void {
    const last = this.entries.at(-1);
    if (last !== undefined) last.text = text;
  }

  push(text: string, timeMs: number | undefined): void {
    this.entries.push({ text, timeMs });
    while (this.entries.length > this.limit) {
      this.entries.shift();
      this.dropped++;
      this.saved = Math.max(0, this.saved - 1);
    }
  }

  /** Reads the file at the start of a session. Commands of more than one line come back as lines. */
  load(path = this.path): void {
    if (path === undefined) return;
    for (const { text, timeMs } of this.readFile(path)) this.push(text, timeMs);
    this.saved = this.entries.length;
  }

  private readFile(path: string): HistoryEntry[] {
    let content: string;
    try {
      content = bytesToText(this.shell.proc.fs.readFile(path));
    } catch (error) {
      if (error instanceof ErrnoError) return []; // A first session has no file.
      throw error;
    }
    const entries: HistoryEntry[] = [];
    let timeMs: number | undefined;
    for (const line of content.split('\n')) {
      const stamp = /^#([0-9]+)$/.exec(line);
      if (stamp !== null) timeMs = Number(stamp[1]) * 1000;
      else if (line !== '') {
        entries.push({ text: line, timeMs });
        timeMs = undefined;
      }
    }
    return entries;
  }

  /** Writes what isn't in the file yet. Differs: bash does it at exit; here each command is kept at once. */
  append(path = this.path): void {
    if (path === undefined) return;
    const fresh = this.entries.slice(this.saved);
    this.saved = this.entries.length;
    const text = fresh.map((entry) => this.lineOf(entry)).join('');
    if (text !== '') this.write(path, text, true);
  }

  /** Replaces the file by the list. */
  save(path = this.path): void {
    if (path === undefined) return;
    this.saved = this.entries.length;
    this.write(path, this.entries.map((entry) => this.lineOf(entry)).join(''), false);
  }

  private lineOf(entry: HistoryEntry): string {
    const stamp =
      this.shell.vars.get('HISTTIMEFORMAT') !== undefined && entry.timeMs !== undefined
        ? `#${Math.floor(entry.timeMs / 1000)}\n`
        : '';
    return `${stamp}${entry.text}\n`;
  }

  private write(path: string, text: string, append: boolean): void {
    try {
      this.shell.proc.fs.writeFile(path, text, { append, mode: 0o600 });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // A full or read-only disk loses history, as in bash, in silence.
    }
  }

  clear(): void {
    this.entries = [];
    this.saved = 0;
    this.dropped = 0;
  }

  remove(number: number): boolean {
    const index = number < 0 ? this.entries.length + number : number - this.base;
    if (this.entries[index] === undefined) return false;
    this.entries.splice(index, 1);
    this.saved = Math.min(this.saved, this.entries.length);
    return true;
  }

  /** Keeps what was changed in an entry that isn't entered, until it's reverted. */
  change(index: number, text: string, undoList: Undo[]): void {
    const entry = this.entries[index];
    if (entry === undefined) return;
    entry.original ??= entry.text;
    entry.text = text;
    entry.undoList = undoList;
  }

  /** Takes back what was changed in one entry, or in all. */
  revert(index: number | undefined): void {
    for (const [i, entry] of this.entries.entries()) {
      if ((index !== undefined && i !== index) || entry.original === undefined) continue;
      entry.text = entry.original;
      delete entry.original;
      entry.undoList = undefined;
    }
  }

  get(number: number): string | undefined {
    return this.entries[number - this.base]?.text;
  }
}
