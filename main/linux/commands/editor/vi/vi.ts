// vi(1) on a plain terminal: the loop that draws, reads a command, and runs it.
import { ErrnoError } from '../../../../network/index.ts';
import { SANE_MODES, type Process, type Tty } from '../../../kernel/index.ts';
import { dialectOf } from '../../frame/command.ts';
import { busyboxStatus } from './busybox.ts';
import { isViError, runCommand } from './commands.ts';
import { ESCAPE, Keys, Resized } from './keys.ts';
import { normalCommand } from './normal.ts';
import { rangeOf } from './operators.ts';
import type { NormalHost } from './pending.ts';
import { readPrompt } from './prompt.ts';
import { Screen } from './screen.ts';
import { Session, ViError } from './state.ts';
import { nextColumn, type Position } from './text.ts';
import { recallPosition, rememberPosition } from './viminfo.ts';
import { selection, selectionKeys, selectionSize } from './visual.ts';

/** What vi was started with. */
export interface ViArguments {
  readonly files: readonly string[];
  /** `+N`; Infinity for `+`. */
  readonly line: number | undefined;
  /** `-R`, view. */
  readonly readOnly: boolean;
  /** `-c` and `+cmd`. */
  readonly commands: readonly string[];
}

const RAW = {
  canonical: false,
  echo: false,
  signals: false,
  inputNewline: false,
  flowControl: false,
} as const;
const MODE_TEXT: Readonly<Record<Session['mode'], string>> = {
  normal: '',
  insert: '-- INSERT --',
  replace: '-- REPLACE --',
  visual: '-- VISUAL --',
  'visual-line': '-- VISUAL LINE --',
  'visual-block': '-- VISUAL BLOCK --',
};
const HIT_ENTER = 'Press ENTER or type command to continue';

/** Edits until the person leaves; the exit status. */
export async function runVi(proc: Process, tty: Tty, args: ViArguments): Promise<number> {
  return new Vi(proc, tty, args).run();
}

class Vi implements NormalHost {
  private readonly proc: Process;
  private readonly tty: Tty;
  private readonly args: ViArguments;
  private readonly keys: Keys;
  private readonly screen: Screen;
  private readonly session: Session;
  /** The keys of the last change, for `.`. */
  private lastChange: readonly string[] = [];
  /** Recording with q: the register, and the keys so far. */
  private recording: { readonly register: string; readonly keys: string[] } | undefined;
  private lastMacro = '';
  private prompted: { readonly text: string; readonly at: number } | undefined;

  constructor(proc: Process, tty: Tty, args: ViArguments) {
    this.proc = proc;
    this.tty = tty;
    this.args = args;
    this.keys = new Keys(proc.stdin);
    this.screen = new Screen(proc.stdout, tty);
    this.session = new Session(
      proc,
      this.keys,
      this.screen,
      dialectOf(proc) === 'busybox' ? 'busybox' : 'vim',
    );
  }

  async run(): Promise<number> {
    const { session, args } = this;
    // The signal only has to end the wait for a key.
    this.proc.onSignal('SIGWINCH', () => undefined);
    this.tty.setModes(RAW);
    await this.screen.enter();
    try {
      session.files = args.files;
      session.open(args.files[0]);
      if (args.readOnly) session.options.readonly = true;
      const isVim = session.flavour === 'vim';
      const recalled =
        session.path === undefined || !isVim ? undefined : recallPosition(this.proc, session.path);
      if (recalled !== undefined) session.moveTo(recalled);
      if (args.line !== undefined)
        session.toFirstNonBlank(args.line === Infinity ? session.text.lines.length - 1 : args.line - 1);
      for (const command of args.commands) await this.guarded(() => this.command(command));
      while (session.exitCode === undefined) await this.round();
      if (session.path !== undefined && isVim) rememberPosition(this.proc, session.path, session.cursor);
      return session.exitCode;
    } finally {
      this.tty.setModes(SANE_MODES);
      await this.screen.leave();
    }
  }

  /** One command, whatever it comes to. */
  private async round(): Promise<void> {
    const { session, keys } = this;
    keys.record();
    const { message } = session;
    const count = session.text.lines.length;
    try {
      await this.guarded(async () => {
        const first = await this.peekSpecial();
        if (first) return;
        session.text.begin(session.cursor);
        const selected = session.mode.startsWith('visual') ? selectionKeys(session) : [];
        const isChange = await normalCommand(session, this);
        if (isChange && !keys.isRepeating) this.lastChange = [...selected, ...keys.recording];
      });
    } catch (error) {
      if (!(error instanceof Resized)) throw error;
      await this.screen.clear();
    }
    session.pending = '';
    // Lines that come and go take an old message with them.
    if (session.text.lines.length !== count && session.message === message) session.say('');
    if (!session.mode.startsWith('visual')) session.text.commit(session.nowMs);
    if (session.text.isModified || session.text.lines.length > 1) session.isIntro = false;
  }

  /** Keys that belong to the loop: `.`, macros, Ctrl-C, Escape. */
  private async peekSpecial(): Promise<boolean> {
    const { session, keys } = this;
    if (session.mode !== 'normal') return false;
    let count = '';
    let key = await this.key();
    while (key !== undefined && /^\d$/.test(key) && (key !== '0' || count !== '')) {
      count += key;
      session.pending = count;
      key = await this.key();
    }
    const times = count === '' ? 1 : Number(count);
    switch (key) {
      case undefined:
        session.exitCode = 1;
        return true;
      case '.':
        session.pending = '';
        if (this.lastChange.length > 0) await this.replay(count);
        return true;
      case '@':
        await this.runMacro(times);
        return true;
      case 'q':
        await this.toggleRecording();
        return true;
      case '\u0003':
        session.say('Type  :qa  and press <Enter> to exit Vim');
        return true;
      case ESCAPE:
      case '<Ignore>':
      case '<PasteStart>':
      case '<PasteEnd>':
        return true;
      default:
        // Pushed back, and noted again when it is read.
        keys.record();
        keys.feed([...count, key]);
        return false;
    }
  }

  /** Makes the last change again; another count takes the place of its own. */
  private async replay(count: string): Promise<void> {
    const { session } = this;
    const own = this.lastChange.findIndex((key) => !/^\d$/.test(key));
    const keys = count === '' ? this.lastChange : [...count, ...this.lastChange.slice(own)];
    session.text.begin(session.cursor);
    await this.keys.only(keys, async () => {
      while (this.keys.isRepeating) await normalCommand(session, this);
    });
  }

  private async runMacro(times: number): Promise<void> {
    const { session, keys } = this;
    const name = (await this.key()) ?? '';
    const register = name === '@' ? this.lastMacro : name;
    if (register === ':') {
      const last = session.commandHistory.at(-1);
      if (last !== undefined) await this.command(last);
      return;
    }
    const held = session.registers.get(register);
    if (held === undefined) throw new ViError(name === '@' ? 'E748: No previously used register' : '');
    this.lastMacro = register;
    const text = held.lines.join('\r') + (held.kind === 'lines' ? '\r' : '');
    const once = [...text].map((key) => (key === '\n' ? '\r' : key));
    keys.feed(Array.from({ length: Math.min(times, 1000) }, () => once).flat());
  }

  private async toggleRecording(): Promise<void> {
    const { session } = this;
    if (this.recording !== undefined) {
      const { register, keys } = this.recording;
      this.recording = undefined;
      session.registers.set(register, { lines: keys.slice(0, -1).join('').split('\r'), kind: 'characters' });
      session.say('');
      return;
    }
    const register = (await this.key()) ?? '';
    if (!/^[a-zA-Z0-9"]$/.test(register)) return;
    this.recording = { register, keys: [] };
    session.say(`recording @${register}`);
  }

  /** Runs something whose failures are told on the status line. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    const { session } = this;
    try {
      await work();
    } catch (error) {
      if (!isViError(error)) throw error;
      this.keys.dropFed();
      if (session.mode !== 'normal' && !session.mode.startsWith('visual')) session.mode = 'normal';
      session.message = error.message;
      session.isError = /^E\d+/.test(error.message) || error.message.startsWith('drydock:');
      if (error.message.includes('E212')) await this.show(error.message, `"${session.path ?? ''}"`);
    }
  }

  // What commands ask of the loop.

  async key(): Promise<string | undefined> {
    for (;;) {
      if (!this.keys.hasNext) await this.draw();
      const wasFed = this.keys.isRepeating;
      try {
        const key = await this.keys.next();
        if (key !== undefined && this.recording !== undefined && !wasFed) this.recording.keys.push(key);
        if (key === '<PasteStart>' || key === '<PasteEnd>') {
          if (this.session.mode === 'insert' || this.session.mode === 'replace') return key;
          continue;
        }
        return key;
      } catch (error) {
        if (!(error instanceof Resized)) throw error;
        await this.screen.clear();
      }
    }
  }

  async once(): Promise<void> {
    await this.guarded(() => normalCommand(this.session, this).then(() => undefined));
  }

  async prompt(first: string, initial = ''): Promise<string | undefined> {
    const history = first === ':' ? this.session.commandHistory : this.session.searchHistory;
    const text = await readPrompt({
      first,
      initial,
      history,
      key: () => this.key(),
      show: (prompted) => {
        this.prompted = prompted;
      },
    });
    this.prompted = undefined;
    this.session.say(text === undefined ? '' : first + text);
    return text;
  }

  async command(line: string): Promise<void> {
    const { session } = this;
    const { text, cursor } = session;
    text.begin(cursor);
    await runCommand(session, this, line);
    const { top } = this.screen;
    // A window that has moved takes the typed command with it.
    this.screen.scrollTo(text, session.cursor.line, session.options);
    if (top !== this.screen.top && session.message === `:${line}`) session.say('');
  }

  async type(keys: string): Promise<void> {
    const { session } = this;
    await this.keys.only([...keys], async () => {
      while (this.keys.isRepeating) await normalCommand(session, this);
    });
    if (session.mode.startsWith('visual')) session.mode = 'normal';
  }

  async show(text: string, echo = this.session.message): Promise<void> {
    const { session } = this;
    const lines = text.split('\n');
    if (lines.length === 1 && !/^E\d+|E212/.test(text)) {
      session.say(text);
      return;
    }
    await this.draw();
    await this.screen.print(
      `\u001b[${this.tty.size.rows};1H\u001b[K${echo === '' ? '' : `${echo}\n`}${lines.join('\n')}\n\u001b[32m${HIT_ENTER}\u001b[0m`,
    );
    await this.hitEnter();
  }

  private async hitEnter(): Promise<void> {
    const key = await this.keys.next();
    await this.screen.clear();
    this.session.say('');
    if (key !== undefined && !['\r', ' ', ESCAPE].includes(key)) this.keys.feed([key]);
  }

  async aside(run: () => Promise<string>): Promise<void> {
    const { session } = this;
    await this.screen.print('\u001b[?2004l\u001b[?1049l\n');
    this.tty.setModes(SANE_MODES);
    let text: string;
    try {
      text = await run();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      text = `\nCannot execute shell: ${error.message}\n`;
    }
    this.tty.setModes(RAW);
    await this.screen.print(`${text}\n\u001b[32m${HIT_ENTER}\u001b[0m`);
    const key = await this.keys.next();
    await this.screen.print('\n');
    await this.screen.enter();
    session.say('');
    if (key === ':') this.keys.feed([key]);
  }

  async redraw(): Promise<void> {
    await this.screen.clear();
  }

  async suspend(): Promise<void> {
    await this.screen.leave();
    this.tty.setModes(SANE_MODES);
    this.proc.kill(-this.proc.processGroup, 'SIGTSTP');
    await this.proc.sleep(0);
    this.tty.setModes(RAW);
    await this.screen.enter();
  }

  async confirm(
    line: number,
    column: number,
    _length: number,
    replacement: string,
  ): Promise<'y' | 'n' | 'a' | 'q' | 'l'> {
    const { session } = this;
    session.moveTo({ line, column });
    const text = `replace with ${replacement} (y/n/a/q/l/^E/^Y)?`;
    this.prompted = { text, at: text.length };
    try {
      for (;;) {
        const key = await this.key();
        if (key === undefined || key === ESCAPE || key === '\u0003') return 'q';
        if (key === 'y' || key === 'n' || key === 'a' || key === 'q' || key === 'l') return key;
      }
    } finally {
      this.prompted = undefined;
    }
  }

  private async draw(): Promise<void> {
    const { session, screen } = this;
    const { text, cursor, options, mode } = session;
    screen.scrollTo(text, cursor.line, options);
    const isVisual = mode.startsWith('visual');
    const modeText = options.showmode ? MODE_TEXT[mode] : '';
    const isMode =
      modeText !== '' && (isVisual || session.message === '' || mode === 'insert' || mode === 'replace');
    const pattern = session.search?.pattern;
    const highlight =
      options.hlsearch && !session.highlightOff && pattern !== undefined
        ? session.compile(pattern)
        : undefined;
    await screen.draw({
      text,
      cursor,
      options,
      message:
        session.flavour === 'busybox'
          ? busyboxStatus(session)
          : (isMode ? modeText : session.message) +
            (this.recording !== undefined && isMode ? `recording @${this.recording.register}` : ''),
      isError: session.isError && !isMode && session.flavour === 'vim',
      isMode: isMode && !isVisual,
      pending: isVisual && session.pending === '' ? selectionSize(session) : session.pending,
      highlight,
      ...(this.prompted === undefined ? {} : { prompt: this.prompted }),
      ...(isVisual ? { isSelected: selectedIn(session) } : {}),
      ...(session.isIntro && session.flavour === 'vim'
        ? { intro: introLines(screen.height, screen.columns) }
        : {}),
    });
  }
}

/** Whether a character is in the selection. */
function selectedIn(session: Session): (line: number, column: number) => boolean {
  const range = selection(session);
  const { from, to, columns, extent } = range;
  if (columns !== undefined)
    return (line, column) => {
      if (line < from.line || line > to.line) return false;
      const part = rangeOf(session, { line, column: from.column }, { line, column: to.column }, 'inclusive');
      return (
        column >= Math.min(part.from.column, part.to.column) &&
        (columns.to === Infinity ||
          column <= Math.max(part.from.column, part.to.column, session.cursor.column, session.anchor.column))
      );
    };
  if (extent === 'linewise') return (line) => line >= from.line && line <= to.line;
  const isAfter = (place: Position, line: number, column: number): boolean =>
    line > place.line || (line === place.line && column >= place.column);
  const end = { line: to.line, column: nextColumn(session.text.line(to.line), to.column) };
  return (line, column) => isAfter(from, line, column) && !isAfter(end, line, column);
}

/** What vim shows where there is no file: who it is, in the middle of the screen. */
function introLines(height: number, columns: number): string[] {
  const texts = [
    'VIM - Vi IMproved',
    '',
    'version 9.0',
    '',
    'drydock: a vi for the terminals of this cluster',
    '',
    'type  :q<Enter>               to exit',
  ];
  const lines = Array.from({ length: height }, () => '');
  const top = Math.max(1, Math.floor((height - texts.length) / 2));
  for (const [index, text] of texts.entries())
    if (top + index < height)
      lines[top + index] =
        text === '' ? '' : `~${' '.repeat(Math.max(1, Math.floor((columns - text.length) / 2) - 1))}${text}`;
  return lines;
}
