// One line being edited: reads keys, finds what they are bound to, runs it and shows the result.
import type { WindowSize } from '../../kernel/index.ts';
import type { Shell } from '../shell.ts';
import type { Binding, KeymapName } from './keymap.ts';
import { LineBuffer, type Undo } from './line-buffer.ts';
import type { Readline } from './readline.ts';
import { Screen } from './screen.ts';
import { TerminalInput } from './terminal-input.ts';

/** Ctrl-C was typed: the line is given up. */
export class LineInterrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** Does one thing to the line; `count` is the numeric argument, `keys` what was typed. */
export type EditCommand = (editor: LineEditor, count: number, keys: string) => Promise<void> | void;

/** What a sequence of keys asks for. */
export interface Asked {
  readonly binding: Binding;
  readonly keys: string;
}

/** An edited line as it stands, to be come back to. */
interface Kept {
  readonly text: string;
  readonly undoList: Undo[];
}

const PASTE_END = '\x1b[201~';
/** Pasted characters taken at once. */
const PASTE_MAX = 1_000_000;
/** Largest numeric argument. */
const ARGUMENT_MAX = 1_000_000;
const SELF_INSERT: Binding = { kind: 'function', name: 'self-insert' };
/** Longest escape sequence that is swallowed when nothing is bound to it. */
const SEQUENCE_MAX = 24;
/** Keys that macros may bring at once: one that calls itself ends here. */
const PUSHED_MAX = 100_000;

export class LineEditor {
  readonly shell: Shell;
  readonly readline: Readline;
  readonly buffer = new LineBuffer();
  readonly screen: Screen;
  private readonly input: TerminalInput;
  private promptText = '';
  keymap: KeymapName;
  /** The function that ran before this one. */
  lastCommand = '';
  /** Whether the last command killed text: the next kill joins it. */
  killed = false;
  /** The numeric argument as typed; undefined if none was. */
  argument: number | undefined;
  /** What stands out on the screen: a paste, a match. */
  region: readonly [number, number] | undefined;
  /** Typing replaces what is there. */
  overwrites = false;
  /** Position in the history; its length means the new line. */
  historyAt: number;
  private newLine: Kept = { text: '', undoList: [] };
  /** Keys that come before those of the terminal: macros, and keys put back. */
  private pushed: string[] = [];
  /** Keys of the macro being recorded. */
  recording: string[] | undefined;
  /** What commands keep between two runs of themselves. */
  readonly memory = new Map<string, unknown>();
  private resizes = false;
  private lastCharacter = '';
  done: { readonly line: string | undefined } | undefined;

  private readonly commandNamed: (name: string) => EditCommand | undefined;

  constructor(
    shell: Shell,
    readline: Readline,
    size: () => WindowSize,
    commandNamed: (name: string) => EditCommand | undefined,
  ) {
    this.commandNamed = commandNamed;
    this.shell = shell;
    this.readline = readline;
    this.keymap = readline.editingMode === 'vi' ? 'vi-insert' : 'emacs';
    this.screen = new Screen((text) => shell.err(text), size);
    this.input = new TerminalInput(shell, () => this.onSignal());
    this.historyAt = this.entries.length;
    shell.proc.onSignal('SIGWINCH', () => void (this.resizes = true));
  }

  get entries(): readonly { readonly text: string }[] {
    return this.shell.history?.entries ?? [];
  }

  /** The numeric argument, 1 unless given. */
  get count(): number {
    return this.argument ?? 1;
  }

  get prompt(): string {
    const { readline } = this;
    if (!readline.isOn('show-mode-in-prompt')) return this.promptText;
    const mode = readline.text(
      this.keymap === 'emacs'
        ? 'emacs-mode-string'
        : this.keymap === 'vi-insert'
          ? 'vi-ins-mode-string'
          : 'vi-cmd-mode-string',
    );
    const at = this.promptText.lastIndexOf('\n') + 1;
    return this.promptText.slice(0, at) + mode + this.promptText.slice(at);
  }

  async run(prompt: string): Promise<string | undefined> {
    this.promptText = prompt;
    await this.screen.begin(this.prompt);
    const { followUp } = this.readline;
    if (followUp !== undefined) {
      this.readline.followUp = undefined;
      await this.goToHistory(followUp);
      await this.show();
    }
    while (this.done === undefined) {
      const asked = await this.readAsked();
      if (asked === undefined) return undefined;
      await this.perform(asked);
    }
    return this.done.line;
  }

  // ── Keys ──

  private async onSignal(): Promise<void> {
    if (this.resizes) {
      this.resizes = false;
      await this.screen.resized();
      const { tty } = this.shell.proc;
      if (tty !== undefined && this.shell.shopts.has('checkwinsize')) {
        this.shell.vars.set('COLUMNS', String(tty.size.columns));
        this.shell.vars.set('LINES', String(tty.size.rows));
      }
      const trap = this.shell.traps.get('SIGWINCH');
      if (trap !== undefined && trap !== '') await this.shell.settle(() => this.shell.runText(trap, 'trap'));
    }
    if (this.shell.interruptPending) await this.interrupt();
    await this.shell.takeSignals();
  }

  private async interrupt(): Promise<never> {
    await this.screen.finish(this.readline.isOn('echo-control-characters') ? '^C' : '');
    throw new LineInterrupted();
  }

  /** The next character; undefined at the end of input, and with a time limit once that has passed. */
  async readCharacter(limitMs?: number): Promise<string | undefined> {
    const c = this.pushed.shift() ?? (await this.input.next(limitMs));
    if (c !== undefined) this.recording?.push(c);
    return c;
  }

  /** Keys to be read next. */
  push(keys: string): void {
    if (this.pushed.length < PUSHED_MAX) this.pushed.unshift(...keys);
  }

  /** Takes back what was read last. */
  putBack(c: string): void {
    this.pushed.unshift(c);
    this.recording?.pop();
  }

  /** Whether a key is there already, or comes within the time. */
  async hasKey(limitMs: number): Promise<boolean> {
    if (this.pushed.length > 0) return true;
    const c = await this.input.next(limitMs);
    if (c !== undefined) this.pushed.unshift(c);
    return c !== undefined;
  }

  /** Reads keys until they mean something; undefined at the end of input. Unbound ones ring. */
  async readAsked(): Promise<Asked | undefined> {
    for (;;) {
      const first = await this.readCharacter();
      if (first === undefined) return undefined;
      const repeated = first === this.lastCharacter;
      this.lastCharacter = first;
      if (first === '\x04' && this.buffer.text === '' && !repeated && this.keymap === 'emacs')
        return undefined;
      const asked = await this.match(first);
      if (asked === 'end') return undefined;
      if (asked !== undefined) return asked;
      await this.bell();
    }
  }

  private async match(first: string): Promise<Asked | 'end' | undefined> {
    const map = this.readline.keymaps[this.keymap];
    let keys = first;
    let shorter: Asked | undefined;
    for (;;) {
      const binding = map.get(keys);
      if (!map.isPrefix(keys)) {
        if (binding !== undefined) return { binding, keys };
        break;
      }
      // In vi mode Escape is a key of its own unless the rest of a sequence follows soon.
      const waits = binding === undefined && !(keys === '\x1b' && this.keymap === 'vi-command');
      if (binding !== undefined) shorter = { binding, keys };
      const more = await this.readCharacter(waits ? undefined : this.readline.number('keyseq-timeout'));
      if (more === undefined) return waits ? 'end' : shorter;
      keys += more;
    }
    if (shorter !== undefined) {
      this.push(keys.slice(shorter.keys.length));
      return shorter;
    }
    if (keys === first && this.keymap !== 'vi-command' && first >= ' ' && first !== '\x7f')
      return { binding: SELF_INSERT, keys };
    if (/[A-Z]$/.test(keys) && /^[\x1b\x18].$/s.test(keys)) return this.lowered(keys);
    if (keys === '\t' && this.keymap !== 'vi-command') return { binding: SELF_INSERT, keys };
    await this.swallow(keys);
    return undefined;
  }

  /** do-lowercase-version. */
  private lowered(keys: string): Asked | undefined {
    const lower = keys.toLowerCase();
    const binding = this.readline.keymaps[this.keymap].get(lower);
    return binding === undefined ? undefined : { binding, keys: lower };
  }

  /** Differs: readline takes the rest of an unknown escape sequence for typed text; here it goes. */
  private async swallow(start: string): Promise<void> {
    let keys = start;
    if (!/^\x1b[[O]/.test(keys)) return;
    while (keys.length < SEQUENCE_MAX && !/^\x1b(?:\[[0-9;?]*[@-~]|O[ -~])$/.test(keys)) {
      const more = await this.readCharacter();
      if (more === undefined) return;
      keys += more;
    }
  }

  /** Does what keys ask for, and shows the line as it is then. */
  async perform(asked: Asked, argument?: number): Promise<void> {
    const { binding, keys } = asked;
    this.region = undefined;
    if (binding.kind === 'macro') return this.push(binding.keys);
    this.argument = argument;
    const kills = this.killed;
    this.killed = false;
    if (binding.kind === 'command') {
      await this.runBound(binding.text);
      this.lastCommand = '';
      return;
    }
    const command = this.commandNamed(binding.name);
    this.joinsKill = kills;
    if (command === undefined) await this.bell();
    else await command(this, this.count, keys);
    this.lastCommand = binding.name;
    this.argument = undefined;
    if (this.done === undefined) {
      if (this.keymap === 'vi-command' && this.buffer.point === this.buffer.end && this.buffer.end > 0)
        this.buffer.point = this.buffer.previous(this.buffer.end);
      await this.show();
    }
  }

  /** Whether a kill by the present command joins the last one. */
  private joinsKill = false;

  /** Puts a part of the line on the kill ring. */
  kill(from: number, to: number): void {
    this.killed = true;
    if (from === to) return;
    this.readline.kills.add(this.buffer.remove(from, to), from < to ? 'forward' : 'backward', this.joinsKill);
  }

  /** Keeps a part of the line on the kill ring without removing it. */
  copy(from: number, to: number): void {
    const [start, end] = from < to ? [from, to] : [to, from];
    this.readline.kills.add(this.buffer.text.slice(start, end), 'forward', false);
  }

  /** After M-5: reads further digits, and does the next command that often. */
  async readArgument(keys: string): Promise<void> {
    let sign = 1;
    let digits = '';
    const take = (c: string): void => {
      if (c === '-' && digits === '') sign = -1;
      else digits = digits.length > 7 ? digits : digits + c;
    };
    take(keys.at(-1)!);
    const value = (): number => sign * Math.min(ARGUMENT_MAX, digits === '' ? 1 : Number(digits));
    for (;;) {
      await this.screen.reprompt(`(arg: ${value()}) `, this.shown);
      const asked = await this.readAsked();
      if (asked === undefined) return void (this.done = { line: undefined });
      const last = asked.keys.at(-1)!;
      const digit = /^(?:\x1b)?[0-9]$/.test(asked.keys) || (last === '-' && digits === '');
      if (digit && /^(?:digit-argument|self-insert|vi-arg-digit)$/.test(nameOf(asked.binding))) take(last);
      else if (last === '0' && this.keymap === 'vi-command') take(last);
      else {
        await this.restorePrompt();
        return this.perform(asked, value());
      }
    }
  }

  /** The text of a bracketed paste. */
  async readPaste(): Promise<string> {
    let text = '';
    while (text.length < PASTE_MAX) {
      const c = await this.readCharacter();
      if (c === undefined) break;
      text += c;
      if (c === '~' && text.endsWith(PASTE_END))
        return text.slice(0, -PASTE_END.length).replace(/\r\n?/g, '\n');
    }
    return text.replace(/\r\n?/g, '\n');
  }

  /** The next character as it is, even if it would send a signal. */
  async readQuoted(): Promise<string | undefined> {
    const { tty } = this.shell.proc;
    const signals = tty?.modes.signals ?? false;
    tty?.setModes({ signals: false });
    try {
      return await this.readCharacter();
    } finally {
      tty?.setModes({ signals });
    }
  }

  // ── The screen ──

  private get shown(): { text: string; point: number; region: readonly [number, number] | undefined } {
    const region = this.readline.isOn('enable-active-region') ? this.region : undefined;
    return { text: this.buffer.text, point: this.buffer.point, region };
  }

  show(): Promise<void> {
    return this.screen.show(this.shown);
  }

  /** Shows a message in the prompt's place. */
  message(text: string): Promise<void> {
    return this.screen.reprompt(text, this.shown);
  }

  restorePrompt(): Promise<void> {
    return this.screen.reprompt(this.prompt, this.shown);
  }

  /** Shows the line below what has been printed meanwhile. */
  async showAgain(): Promise<void> {
    await this.screen.begin(this.prompt);
    await this.show();
  }

  async bell(): Promise<void> {
    if (this.readline.text('bell-style') !== 'none') await this.shell.err('\x07');
  }

  async accept(): Promise<void> {
    this.region = undefined;
    this.buffer.point = this.buffer.end;
    await this.show();
    await this.screen.finish();
    this.done = { line: this.buffer.text };
    this.shell.history?.revert(this.readline.isOn('revert-all-at-newline') ? undefined : this.historyAt);
  }

  // ── History ──

  /** Shows another line of the history; what was changed in this one stays there. */
  async goToHistory(index: number): Promise<boolean> {
    if (index < 0 || index > this.entries.length || index === this.historyAt) {
      await this.bell();
      return false;
    }
    const { buffer } = this;
    const { history } = this.shell;
    if (this.historyAt === this.entries.length)
      this.newLine = { text: buffer.text, undoList: buffer.undoList };
    else if (buffer.undoList.length > 0) history?.change(this.historyAt, buffer.text, buffer.undoList);
    const entry = history?.entries[index];
    const kept = entry === undefined ? this.newLine : { text: entry.text, undoList: entry.undoList ?? [] };
    this.historyAt = index;
    const { point } = buffer;
    buffer.load(kept.text, kept.undoList);
    if (this.readline.isOn('history-preserve-point')) buffer.point = Math.min(point, buffer.end);
    else if (this.keymap === 'vi-command') buffer.point = 0;
    return true;
  }

  /** Every line that can be searched: the history and the line being typed. */
  lines(): string[] {
    const lines = this.entries.map(({ text }) => text);
    if (this.historyAt < lines.length) lines[this.historyAt] = this.buffer.text;
    lines.push(this.historyAt === this.entries.length ? this.buffer.text : this.newLine.text);
    return lines;
  }

  // ── Other programs ──

  /** Runs shell commands with the terminal as commands have it, on a line of their own. */
  async runAside(body: () => Promise<void>): Promise<void> {
    const { tty } = this.shell.proc;
    const modes = tty === undefined ? undefined : { ...tty.modes };
    tty?.setModes({ canonical: true, echo: true, inputNewline: true, flowControl: true });
    try {
      await body();
    } finally {
      if (modes !== undefined) tty!.setModes(modes);
    }
  }

  /** `bind -x`: a command that may change the line through READLINE_LINE and READLINE_POINT. */
  private async runBound(text: string): Promise<void> {
    const { shell, buffer } = this;
    await shell.err('\r\x1b[K');
    shell.vars.set('READLINE_LINE', buffer.text);
    shell.vars.set('READLINE_POINT', String(Buffer.byteLength(buffer.before)));
    await this.runAside(async () => {
      await shell.settle(() => shell.runText(text, 'eval'));
    });
    const line = shell.vars.get('READLINE_LINE') ?? '';
    const point = Number.parseInt(shell.vars.get('READLINE_POINT') ?? '', 10);
    if (line !== buffer.text) buffer.replace(0, buffer.end, line);
    if (!Number.isNaN(point))
      buffer.point = Buffer.from(line).subarray(0, Math.max(0, point)).toString().length;
    for (const name of ['READLINE_LINE', 'READLINE_POINT']) shell.vars.unset(name);
    await this.showAgain();
  }
}

function nameOf(binding: Binding): string {
  return binding.kind === 'function' ? binding.name : '';
}
