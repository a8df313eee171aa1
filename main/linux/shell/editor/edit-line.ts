// Reads a line from the terminal with readline's Emacs editing.
import type { Shell } from '../shell.ts';
import { completeAt, type Completion } from '../completion/complete.ts';
import { listColumns } from '../completion/columns.ts';
import { readKey, type Key } from './keys.ts';
import { KillRing, LineBuffer } from './line-buffer.ts';
import { Screen } from './screen.ts';
import { TerminalInput } from './terminal-input.ts';
import { graphemes } from './width.ts';

/** Ctrl-C was typed: the line is given up. */
export class LineInterrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** More matches than this are listed only when asked for. */
const LIST_QUERY = 100;
const rings = new WeakMap<object, KillRing>();
/** After C-o: the history entry that the next line starts with. */
const followUps = new WeakMap<Shell, number>();

/** Edits one line; undefined at Ctrl-D on an empty one. Throws LineInterrupted on Ctrl-C. */
export async function editLine(shell: Shell, prompt: string): Promise<string | undefined> {
  const { tty } = shell.proc.fds.get(0)!;
  if (tty === undefined) return undefined;
  const saved = { ...tty.modes };
  tty.setModes({ canonical: false, echo: false, signals: false, inputNewline: false });
  const dumb = (shell.vars.get('TERM') ?? 'dumb') === 'dumb';
  const editor = new LineEditor(shell, () => tty.size.columns);
  try {
    if (!dumb) await shell.err('\x1b[?2004h');
    return await editor.run(prompt);
  } finally {
    tty.setModes(saved);
    if (!dumb) await shell.err('\x1b[?2004l');
    shell.proc.onSignal('SIGWINCH', 'default');
  }
}

class LineEditor {
  private readonly shell: Shell;
  private readonly buffer = new LineBuffer();
  private readonly screen: Screen;
  private readonly input: TerminalInput;
  private readonly kills: KillRing;
  private prompt = '';
  private lastCommand = '';
  private resizes = false;
  /** Position in the history; its length means the new line. */
  private historyAt: number;
  private readonly edits = new Map<number, string>();
  private lastArgumentDepth = 0;
  private lastArgumentStart = 0;
  private searchText = '';
  private argument: number | undefined;
  private done: { line: string | undefined } | undefined;

  constructor(shell: Shell, columns: () => number) {
    this.shell = shell;
    this.screen = new Screen((text) => shell.err(text), columns);
    this.input = new TerminalInput(shell, () => this.onSignal());
    const owner = shell.history ?? shell;
    this.kills = rings.get(owner) ?? new KillRing();
    rings.set(owner, this.kills);
    this.historyAt = this.entries.length;
    shell.proc.onSignal('SIGWINCH', () => void (this.resizes = true));
  }

  private get entries(): readonly { readonly text: string }[] {
    return this.shell.history?.entries ?? [];
  }

  async run(prompt: string): Promise<string | undefined> {
    this.prompt = prompt;
    await this.screen.begin(prompt);
    const followUp = followUps.get(this.shell);
    if (followUp !== undefined) {
      followUps.delete(this.shell);
      await this.showHistory(followUp);
    }
    while (this.done === undefined) {
      const key = await readKey(() => this.input.next());
      if (key === undefined) return undefined;
      await this.handle(key);
    }
    return this.done.line;
  }

  private async onSignal(): Promise<void> {
    if (this.resizes) {
      this.resizes = false;
      await this.screen.resized();
    }
    await this.shell.takeSignals();
  }

  private show(): Promise<void> {
    return this.screen.show(this.buffer.cells, this.buffer.cursor);
  }

  private async bell(): Promise<void> {
    await this.shell.err('\x07');
  }

  private async handle(key: Key): Promise<void> {
    if (key.kind === 'text') {
      this.buffer.mark(true);
      this.buffer.insert(key.text.repeat(this.takeArgument()));
      this.lastCommand = 'text';
      await this.show();
    } else if (key.kind === 'paste') {
      this.buffer.mark();
      this.buffer.insert(key.text);
      this.lastCommand = 'paste';
      await this.show();
    } else {
      this.buffer.endTyping();
      await this.command(key.name);
      if (!/^M-[-0-9]$/.test(key.name)) this.argument = undefined;
      this.lastCommand = key.name;
    }
  }

  private takeArgument(): number {
    const count = Math.min(1000, Math.max(0, this.argument ?? 1));
    this.argument = undefined;
    return count;
  }

  private async command(name: string): Promise<void> {
    if (/^M-[0-9]$/.test(name)) {
      this.argument = Math.min(100_000, (this.argument ?? 0) * 10 + Number(name.slice(2)));
      return;
    }
    if (this.move(name) || this.change(name)) return this.show();
    if (this.kill(name)) return this.show();
    switch (name) {
      case 'enter':
        return this.accept();
      case 'C-c':
        this.buffer.cursor = this.buffer.cells.length;
        await this.show();
        await this.shell.err('^C');
        await this.screen.finish();
        throw new LineInterrupted();
      case 'C-d':
        if (this.buffer.cells.length === 0) this.done = { line: undefined };
        else if (this.buffer.cursor < this.buffer.cells.length) {
          this.buffer.mark();
          this.buffer.remove(this.buffer.cursor, this.buffer.cursor + 1);
          await this.show();
        } else await this.complete(true);
        return;
      case 'C-l':
        return this.screen.clear();
      case 'tab':
        return this.complete(false);
      case 'M-?':
      case 'M-=':
        return this.complete(true);
      case 'M-*':
        return this.insertCompletions();
      case 'up':
      case 'C-p':
        return this.showHistory(this.historyAt - 1);
      case 'down':
      case 'C-n':
        return this.showHistory(this.historyAt + 1);
      case 'M-<':
        return this.showHistory(0);
      case 'M->':
        return this.showHistory(this.entries.length);
      case 'page-up':
      case 'page-down':
        return this.searchPrefix(name === 'page-up' ? -1 : 1);
      case 'C-r':
        return this.search(-1);
      case 'C-s':
        return this.search(1);
      case 'M-.':
      case 'M-_':
        return this.insertLastArgument();
      case 'C-v':
      case 'C-q': {
        const c = await this.input.next();
        if (c === undefined) return;
        this.buffer.mark();
        this.buffer.insert(c);
        return this.show();
      }
      case 'C-o':
        followUps.set(this.shell, this.historyAt + 1);
        return this.accept();
      case 'C-x':
        return this.extended();
      case 'M-#':
        this.buffer.set(`#${this.buffer.text}`);
        await this.show();
        return this.accept();
      case 'C-]': {
        const c = await this.input.next();
        const at = c === undefined ? -1 : this.buffer.cells.indexOf(c, this.buffer.cursor + 1);
        if (at < 0) return this.bell();
        this.buffer.cursor = at;
        return this.show();
      }
      default:
        return name === 'C-g' || name === 'unknown' ? this.bell() : undefined;
    }
  }

  private async accept(): Promise<void> {
    this.buffer.cursor = this.buffer.cells.length;
    await this.show();
    await this.screen.finish();
    this.done = { line: this.buffer.text };
  }

  private async extended(): Promise<void> {
    const key = await readKey(() => this.input.next());
    if (key?.kind === 'key' && key.name === 'C-u' && this.buffer.undo()) return this.show();
    if (key?.kind === 'key' && key.name === 'C-e') {
      await this.shell.err("\r\ndrydock: editing the command line in $EDITOR isn't simulated\r\n");
      return this.screen.restart();
    }
    return this.bell();
  }

  // ── Movement and change ──

  private move(name: string): boolean {
    const { buffer } = this;
    const count = this.argument ?? 1;
    const size = buffer.cells.length;
    switch (name) {
      case 'C-a':
      case 'home':
        buffer.cursor = 0;
        return true;
      case 'C-e':
      case 'end':
        buffer.cursor = size;
        return true;
      case 'C-b':
      case 'left':
        buffer.cursor = Math.max(0, buffer.cursor - count);
        return true;
      case 'C-f':
      case 'right':
        buffer.cursor = Math.min(size, buffer.cursor + count);
        return true;
      case 'M-b':
        for (let i = 0; i < count; i++) buffer.cursor = buffer.wordStart();
        return true;
      case 'M-f':
        for (let i = 0; i < count; i++) buffer.cursor = buffer.wordEnd();
        return true;
      default:
        return false;
    }
  }

  private change(name: string): boolean {
    const { buffer } = this;
    const count = this.argument ?? 1;
    const state = (): void => buffer.mark();
    switch (name) {
      case 'backspace':
        state();
        buffer.remove(Math.max(0, buffer.cursor - count), buffer.cursor);
        return true;
      case 'delete':
        state();
        buffer.remove(buffer.cursor, Math.min(buffer.cells.length, buffer.cursor + count));
        return true;
      case 'C-t':
        state();
        return buffer.transpose();
      case 'M-t':
        state();
        return buffer.transposeWords();
      case 'M-u':
        state();
        buffer.changeCase('upper');
        return true;
      case 'M-l':
        state();
        buffer.changeCase('lower');
        return true;
      case 'M-c':
        state();
        buffer.changeCase('capital');
        return true;
      case 'C-_':
        return buffer.undo();
      case 'M-r':
        buffer.revert();
        return true;
      case 'M-\\': {
        state();
        let from = buffer.cursor;
        let to = buffer.cursor;
        while (from > 0 && /[ \t]/.test(buffer.cells[from - 1]!)) from--;
        while (to < buffer.cells.length && /[ \t]/.test(buffer.cells[to]!)) to++;
        buffer.remove(from, to);
        return true;
      }
      case 'C-y':
        if (this.kills.current === undefined) return false;
        state();
        buffer.insert(this.kills.current);
        return true;
      case 'M-y': {
        if (this.lastCommand !== 'C-y' && this.lastCommand !== 'M-y') return false;
        const previous = graphemes(this.kills.current ?? '').length;
        const next = this.kills.rotate();
        if (next === undefined) return false;
        state();
        buffer.replace(buffer.cursor - previous, buffer.cursor, next);
        return true;
      }
      default:
        return false;
    }
  }

  private kill(name: string): boolean {
    const { buffer } = this;
    const ranges: Record<string, () => [number, number, 'forward' | 'backward']> = {
      'C-k': () => [buffer.cursor, buffer.cells.length, 'forward'],
      'C-u': () => [0, buffer.cursor, 'backward'],
      'C-w': () => [buffer.blankStart(), buffer.cursor, 'backward'],
      'M-d': () => [buffer.cursor, buffer.wordEnd(), 'forward'],
      'M-backspace': () => [buffer.wordStart(), buffer.cursor, 'backward'],
    };
    const range = ranges[name]?.();
    if (range === undefined) return false;
    buffer.mark();
    this.kills.add(buffer.remove(range[0], range[1]), range[2], this.lastCommand in ranges);
    return true;
  }

  // ── History ──

  private async showHistory(index: number): Promise<void> {
    if (index < 0 || index > this.entries.length || index === this.historyAt) return this.bell();
    this.edits.set(this.historyAt, this.buffer.text);
    this.historyAt = index;
    this.buffer.mark();
    this.buffer.set(this.edits.get(index) ?? this.entries[index]?.text ?? '');
    await this.show();
  }

  private async searchPrefix(step: -1 | 1): Promise<void> {
    const prefix = this.buffer.before;
    for (let i = this.historyAt + step; i >= 0 && i < this.entries.length; i += step) {
      if (!this.entries[i]!.text.startsWith(prefix)) continue;
      const cursor = this.buffer.cursor;
      await this.showHistory(i);
      this.buffer.cursor = Math.min(cursor, this.buffer.cells.length);
      return this.show();
    }
    return this.bell();
  }

  /** Ctrl-R and Ctrl-S: each letter typed narrows the search; any other command takes the line found. */
  private async search(step: -1 | 1): Promise<void> {
    const original = { text: this.buffer.text, cursor: this.buffer.cursor, at: this.historyAt };
    let direction = step;
    let text = '';
    let at = this.historyAt;
    let failed = false;
    const find = (from: number): void => {
      for (let i = from; i >= 0 && i < this.entries.length; i += direction) {
        if (!this.entries[i]!.text.includes(text)) continue;
        at = i;
        failed = false;
        this.buffer.set(this.entries[i]!.text);
        this.buffer.cursor = graphemes(this.buffer.text.slice(0, this.buffer.text.lastIndexOf(text))).length;
        return;
      }
      failed = true;
    };
    const label = (): string =>
      `(${failed ? 'failed ' : ''}${direction < 0 ? 'reverse-' : ''}i-search)\`${text}': `;
    for (;;) {
      await this.screen.reprompt(label(), this.buffer.cells, this.buffer.cursor);
      const key = await readKey(() => this.input.next());
      if (key === undefined) return;
      if (key.kind !== 'key') {
        text += key.text;
        find(Math.min(at, this.entries.length - 1));
      } else if (key.name === 'C-r' || key.name === 'C-s') {
        const repeated = direction === (key.name === 'C-r' ? -1 : 1);
        direction = key.name === 'C-r' ? -1 : 1;
        if (text === '') text = this.searchText;
        if (text !== '')
          find(repeated || at < this.entries.length ? at + direction : this.entries.length - 1);
      } else if (key.name === 'backspace') {
        text = [...text].slice(0, -1).join('');
        failed = false;
        if (text !== '') find(Math.min(this.entries.length - 1, Math.max(at, 0)));
      } else {
        if (text !== '') this.searchText = text;
        this.historyAt = at;
        const cancelled = key.name === 'C-g' || key.name === 'C-c';
        if (cancelled) {
          this.buffer.set(original.text, original.cursor);
          this.historyAt = original.at;
        }
        await this.screen.reprompt(this.prompt, this.buffer.cells, this.buffer.cursor);
        if (key.name === 'C-g') return this.bell();
        return key.name === 'escape' ? undefined : this.command(key.name);
      }
    }
  }

  /** M-. : the last word of the previous command, further back each time. */
  private async insertLastArgument(): Promise<void> {
    const again = this.lastCommand === 'M-.' || this.lastCommand === 'M-_';
    this.lastArgumentDepth = again ? this.lastArgumentDepth + 1 : 1;
    const entry = this.entries[this.entries.length - this.lastArgumentDepth];
    if (entry === undefined) return this.bell();
    const words = entry.text.match(/(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
    if (!again) {
      this.lastArgumentStart = this.buffer.cursor;
      this.buffer.mark();
    }
    this.buffer.replace(this.lastArgumentStart, this.buffer.cursor, words.at(-1) ?? '');
    await this.show();
  }

  // ── Completion ──

  private async complete(listAtOnce: boolean): Promise<void> {
    const { buffer } = this;
    const completion = await this.completion();
    if (completion.candidates.length === 0) return this.bell();
    const from = graphemes(buffer.text.slice(0, completion.start)).length;
    if (!listAtOnce && completion.insertion !== buffer.text.slice(completion.start, buffer.before.length)) {
      buffer.mark();
      buffer.replace(from, buffer.cursor, completion.insertion);
      await this.show();
      if (completion.candidates.length > 1) await this.bell();
      return;
    }
    if (completion.candidates.length === 1 && !listAtOnce) return;
    if (!listAtOnce && this.lastCommand !== 'tab') return this.bell();
    await this.list(completion);
  }

  /** What could follow. A completion function that fails or exits offers nothing, and the line stays. */
  private async completion(): Promise<Completion> {
    let found: Completion = { start: this.buffer.before.length, candidates: [], displays: [], insertion: '' };
    await this.shell.settle(async () => {
      found = await completeAt(this.shell, this.buffer.text, this.buffer.before.length);
      return 0;
    });
    return found;
  }

  private async list(completion: Completion): Promise<void> {
    const items = completion.displays;
    const end = this.buffer.cursor;
    this.buffer.cursor = this.buffer.cells.length;
    await this.show();
    this.buffer.cursor = end;
    await this.shell.err('\n');
    if (items.length > LIST_QUERY) {
      await this.shell.err(`Display all ${items.length} possibilities? (y or n)`);
      const yes = await this.answer();
      await this.shell.err('\n');
      if (!yes) return this.redraw();
    }
    await this.shell.err(listColumns(items, this.shell.proc.tty?.size.columns ?? 80));
    await this.redraw();
  }

  private async redraw(): Promise<void> {
    await this.screen.begin(this.prompt.slice(this.prompt.lastIndexOf('\n') + 1));
    await this.show();
  }

  private async answer(): Promise<boolean> {
    for (;;) {
      const c = await this.input.next();
      if (c === undefined || c === 'n' || c === 'N' || c === '\x7f' || c === '\x03') return false;
      if (c === 'y' || c === 'Y' || c === ' ') return true;
    }
  }

  private async insertCompletions(): Promise<void> {
    const completion = await this.completion();
    if (completion.candidates.length === 0) return this.bell();
    const from = graphemes(this.buffer.text.slice(0, completion.start)).length;
    this.buffer.mark();
    this.buffer.replace(from, this.buffer.cursor, `${completion.candidates.join(' ')} `);
    await this.show();
  }
}
