// Searches in the history: C-r and C-s letter by letter, M-p and M-n for a string.
import { LineInterrupted, type EditCommand, type LineEditor } from './line-editor.ts';

/** Keys that end a search and mean nothing else, unless isearch-terminators says otherwise. */
const TERMINATORS = '\x1b\n';
/** How long the rest of an escape sequence may take. */
const ESCAPE_MS = 100;

/** An incremental search as it stands; see isearch.c of readline 8.2. */
class IncrementalSearch {
  private readonly editor: LineEditor;
  private readonly lines: readonly string[];
  private readonly start: { readonly at: number; readonly point: number };
  private text = '';
  private direction: 1 | -1;
  private at: number;
  private offset: number;
  private found: number;
  private lastFound: string | undefined;
  private failed = false;

  constructor(editor: LineEditor, direction: 1 | -1) {
    this.editor = editor;
    this.lines = editor.lines();
    this.direction = direction;
    this.at = editor.historyAt;
    this.found = this.at;
    this.offset = editor.buffer.point;
    this.start = { at: this.at, point: editor.buffer.point };
  }

  async run(): Promise<void> {
    const { editor } = this;
    const { readline } = editor;
    await this.show();
    const terminators = readline.text('isearch-terminators') || TERMINATORS;
    for (;;) {
      const first = await editor.readCharacter();
      if (first === undefined) return void (editor.done = { line: undefined });
      if (terminators.includes(first)) {
        if (first === '\x1b' && (await editor.hasKey(ESCAPE_MS))) editor.push(first);
        return this.finish();
      }
      editor.putBack(first);
      const asked = await editor.readAsked();
      if (asked === undefined) return void (editor.done = { line: undefined });
      const { keys } = asked;
      const name = asked.binding.kind === 'function' ? asked.binding.name : '';
      const backward = name === 'reverse-search-history';
      if (backward || name === 'forward-search-history') {
        if (this.direction < 0 !== backward) this.direction = backward ? -1 : 1;
        else if (!this.again()) continue;
      } else if (name === 'abort') {
        return this.abort();
      } else if (name === 'backward-delete-char') {
        if (this.text === '') await editor.bell();
        else this.text = this.text.slice(0, -[...this.text].at(-1)!.length);
      } else if (name === 'unix-word-rubout' || name === 'yank') {
        const more = this.ahead(name === 'yank');
        if (more === '') await editor.bell();
        this.text += more;
      } else if (name === 'bracketed-paste-begin') {
        this.text += await editor.readPaste();
      } else if (name === 'quoted-insert') {
        this.text += (await editor.readQuoted()) ?? '';
      } else if (name === 'self-insert') {
        this.text += keys;
      } else {
        editor.push(keys);
        return this.finish();
      }
      this.search();
      if (this.failed) await editor.bell();
      await this.show();
    }
  }

  /** The same key again: the next match, or the string of the last search. False if there's nothing to look for. */
  private again(): boolean {
    if (this.text === '') {
      const last = this.editor.readline.lastSearch;
      if (last === undefined) return false;
      this.text = last;
    } else if (this.direction < 0) this.offset--;
    else if (this.offset < this.lines[this.at]!.length) this.offset++;
    return true;
  }

  /** Text behind the match that C-w (a word) and C-y (the rest) take into the string. */
  private ahead(rest: boolean): string {
    const { buffer } = this.editor;
    const start = buffer.point + this.text.length;
    if (start >= buffer.end) return '';
    if (rest) return buffer.text.slice(start);
    if (!buffer.isWord(start)) return '';
    return buffer.text.slice(start, buffer.wordEnd(start));
  }

  private search(): void {
    const { text, lines, editor } = this;
    this.failed = text === '';
    while (!this.failed) {
      const line = lines[this.at]!;
      const where =
        this.direction < 0
          ? this.offset < 0
            ? -1
            : line.lastIndexOf(text, this.offset)
          : line.indexOf(text, Math.max(0, this.offset));
      if (where >= 0) {
        this.offset = where;
        break;
      }
      // A search that fails leaves its position behind: point is there once the search ends.
      this.offset = this.direction < 0 ? 0 : Math.max(this.offset, line.length - text.length + 1);
      do this.at += this.direction;
      while (
        lines[this.at] !== undefined &&
        (lines[this.at] === this.lastFound || lines[this.at]!.length < text.length)
      );
      const next = lines[this.at];
      if (next === undefined) this.failed = true;
      else this.offset = this.direction < 0 ? next.length - text.length : 0;
    }
    if (this.failed) {
      this.at = this.found;
      return;
    }
    this.lastFound = lines[this.at];
    this.found = this.at;
    editor.buffer.text = lines[this.at]!;
    editor.buffer.point = this.offset;
  }

  private async show(): Promise<void> {
    const { editor } = this;
    const { point } = editor.buffer;
    editor.region = this.failed || this.text === '' ? undefined : [point, point + this.text.length];
    const label = `(${this.failed ? 'failed ' : ''}${this.direction < 0 ? 'reverse-' : ''}i-search)\`${this.text}': `;
    await editor.message(label);
  }

  /** Stays at the line that was found. */
  private async finish(): Promise<void> {
    const { editor } = this;
    editor.readline.lastSearch = this.text;
    editor.region = undefined;
    editor.buffer.text = this.lines[this.start.at]!;
    if (this.found !== this.start.at) await editor.goToHistory(this.found);
    editor.buffer.point = Math.min(this.offset < 0 ? this.start.point : this.offset, editor.buffer.end);
    await editor.restorePrompt();
  }

  private async abort(): Promise<void> {
    const { editor } = this;
    editor.region = undefined;
    editor.buffer.text = this.lines[this.start.at]!;
    editor.buffer.point = this.start.point;
    await editor.restorePrompt();
    await editor.bell();
  }
}

/** Asks for a string behind the prompt; undefined if it was given up. */
export async function askString(editor: LineEditor, key: string): Promise<string | undefined> {
  const mark = editor.prompt + key;
  let text = '';
  for (;;) {
    await editor.screen.reprompt(mark, { text, point: text.length });
    const c = await editor.readCharacter();
    if (c === undefined || c === '\x07' || (c === '\x1b' && editor.keymap !== 'emacs')) return undefined;
    if (c === '\r' || c === '\n') return text;
    if (c === '\x7f' || c === '\b') {
      if (text === '') return undefined;
      text = [...text].slice(0, -1).join('');
    } else if (c === '\x15') text = '';
    else if (c === '\x17') text = text.replace(/[^ \t]*[ \t]*$/, '');
    else text += c;
  }
}

/** Finds a string in the lines before or behind; `^` holds it to the beginning. */
export async function searchString(editor: LineEditor, text: string, direction: 1 | -1): Promise<void> {
  const lines = editor.lines();
  const anchored = text.startsWith('^');
  const wanted = anchored ? text.slice(1) : text;
  for (let i = editor.historyAt + direction; i >= 0 && i < editor.entries.length; i += direction) {
    if (!(anchored ? lines[i]!.startsWith(wanted) : lines[i]!.includes(wanted))) continue;
    const { buffer } = editor;
    if (editor.keymap === 'emacs') buffer.replace(0, buffer.end, lines[i]!);
    else await editor.goToHistory(i);
    buffer.point = editor.keymap === 'emacs' ? buffer.end : 0;
    return;
  }
  await editor.bell();
}

function askAndSearch(direction: 1 | -1): EditCommand {
  return async (editor) => {
    const text = await askString(editor, ':');
    await editor.restorePrompt();
    if (text === undefined) return;
    if (text !== '') editor.readline.lastPattern = text;
    if (editor.readline.lastPattern === '') return editor.bell();
    await searchString(editor, editor.readline.lastPattern, direction);
  };
}

function incremental(direction: 1 | -1): EditCommand {
  return async (editor) => {
    const search = new IncrementalSearch(editor, direction);
    try {
      await search.run();
    } catch (error) {
      if (error instanceof LineInterrupted) editor.region = undefined;
      throw error;
    }
  };
}

export const searching: Readonly<Record<string, EditCommand>> = {
  'reverse-search-history': incremental(-1),
  'forward-search-history': incremental(1),
  'non-incremental-reverse-search-history': askAndSearch(-1),
  'non-incremental-forward-search-history': askAndSearch(1),
};
