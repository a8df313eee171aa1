// What happens between the keys typed at a terminal and the bytes a program reads: n_tty, termios(3).
import type { Signal } from './process.ts';
import type { TtyModes } from './tty.ts';

const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const TAB_COLUMNS = 8;

/** Bytes that wait to be read; more are dropped, with a bell (N_TTY_BUF_SIZE). */
const INPUT_BYTES_MAX = 65_536;
export interface LineDisciplineHost {
  readonly modes: TtyModes;
  echo(text: Uint8Array): void;
  signal(signal: Signal): void;
  /** Ctrl-S and Ctrl-Q. */
  setStopped(stopped: boolean): void;
  readable(): void;
}

/** Turns typed bytes into lines (canonical) or passes them on (raw), echoing and signalling on the way. */
export class LineDiscipline {
  private readonly host: LineDisciplineHost;
  /** Finished lines, or raw input. An empty one stands for an end of file. */
  private ready: Uint8Array[] = [];
  private readyBytes = 0;
  private line: number[] = [];
  private literalNext = false;

  constructor(host: LineDisciplineHost) {
    this.host = host;
  }

  input(data: Uint8Array): void {
    for (const byte of data) this.key(byte);
  }

  /** undefined: nothing yet; empty: end of file. */
  read(sizeMax: number): Uint8Array | undefined {
    const first = this.ready[0];
    if (first === undefined) return undefined;
    if (!this.host.modes.canonical && first.length < sizeMax && this.ready.length > 1) {
      const all = Buffer.concat(this.ready);
      this.ready = [all];
      return this.takeFirst(all, sizeMax);
    }
    return this.takeFirst(first, sizeMax);
  }

  /** Raw reads see what was typed of an unfinished line. */
  modesChanged(): void {
    if (!this.host.modes.canonical && this.line.length > 0) this.finish();
  }

  private takeFirst(first: Uint8Array, sizeMax: number): Uint8Array {
    const taken = first.slice(0, sizeMax);
    this.readyBytes -= taken.length;
    if (taken.length < first.length) this.ready[0] = first.subarray(taken.length);
    else this.ready.shift();
    return taken;
  }

  private key(typed: number): void {
    const { modes } = this.host;
    if (this.literalNext) {
      this.literalNext = false;
      return this.insert(typed);
    }
    const byte = modes.inputNewline && typed === RETURN ? NEWLINE : typed;
    const { characters } = modes;
    if (byte !== 0) {
      const signal = modes.signals ? signalOf(byte, modes) : undefined;
      if (signal !== undefined) return this.interrupt(byte, signal);
      if (modes.flowControl && byte === characters.stop) return this.host.setStopped(true);
      if (modes.flowControl && byte === characters.start) return this.host.setStopped(false);
    }
    if (modes.anyKeyStarts) this.host.setStopped(false);
    if (modes.canonical) this.edit(byte);
    else this.pass(byte);
  }

  private interrupt(byte: number, signal: Signal): void {
    if (!this.host.modes.keepsInput) {
      this.line = [];
      this.ready = [];
      this.readyBytes = 0;
    }
    this.host.setStopped(false);
    if (this.host.modes.echo) this.echoByte(byte);
    this.host.signal(signal);
  }

  private pass(byte: number): void {
    if (this.readyBytes >= INPUT_BYTES_MAX) return;
    const last = this.ready.at(-1);
    if (last !== undefined && last.length < 256 && last.length > 0)
      this.ready[this.ready.length - 1] = Buffer.concat([last, Uint8Array.of(byte)]);
    else this.ready.push(Uint8Array.of(byte));
    this.readyBytes++;
    if (this.host.modes.echo) this.echoByte(byte);
    this.host.readable();
  }

  private edit(byte: number): void {
    const { modes } = this.host;
    const { characters } = modes;
    switch (byte) {
      case 0:
        return this.insert(byte);
      case characters.erase:
        return this.erase();
      case characters.werase:
        return this.eraseWord();
      case characters.kill:
        return this.eraseLine();
      case characters.rprnt:
        if (modes.echo) this.reprint();
        return;
      case characters.lnext:
        this.literalNext = true;
        if (modes.echo) this.host.echo(Uint8Array.of(0x5e, BACKSPACE));
        return;
      case characters.eof:
        return this.finish();
      case characters.eol:
      case characters.eol2:
      case NEWLINE:
        if (modes.echo) this.echoByte(byte);
        else if (modes.echoNewline && byte === NEWLINE) this.host.echo(Uint8Array.of(NEWLINE));
        this.line.push(byte);
        return this.finish();
      default:
        return this.insert(byte);
    }
  }

  private insert(byte: number): void {
    if (this.line.length + this.readyBytes >= INPUT_BYTES_MAX) return this.echoText('\x07');
    if (!this.host.modes.canonical) return this.pass(byte);
    this.line.push(byte);
    if (this.host.modes.echo) this.echoByte(byte);
  }

  /**
   * Takes the last character (IUTF8) off the line and off the screen. Differs: Linux clears one column, and half of a
   * wide character stays.
   */
  private erase(): void {
    const erased: number[] = [];
    for (let byte = this.line.pop(); byte !== undefined; byte = this.line.pop()) {
      erased.unshift(byte);
      if ((byte & 0xc0) !== 0x80) break;
    }
    const [first] = erased;
    const { modes } = this.host;
    if (first === undefined || !modes.echo) return;
    if (!modes.echoErase) return this.echoByte(modes.characters.erase);
    const columns =
      first === TAB
        ? this.tabColumns()
        : first < 0x20 || first === 0x7f
          ? modes.echoControl
            ? 2
            : 0
          : columnsOf(Buffer.from(erased).toString('utf8'));
    this.echoText(first === TAB ? '\b'.repeat(columns) : '\b \b'.repeat(columns));
  }

  /** Columns back to where a tab that has just been erased began; what the prompt took isn't known. */
  private tabColumns(): number {
    let column = 0;
    for (const c of Buffer.from(this.line).toString('utf8'))
      column += c === '\t' ? TAB_COLUMNS - (column % TAB_COLUMNS) : c < ' ' ? 2 : columnsOf(c);
    return TAB_COLUMNS - (column % TAB_COLUMNS);
  }

  /** By letters, digits and underscores, as n_tty has it. */
  private eraseWord(): void {
    const isWord = (byte: number): boolean => byte >= 0x80 || /\w/.test(String.fromCharCode(byte));
    while (this.line.length > 0 && !isWord(this.line.at(-1)!)) this.erase();
    while (this.line.length > 0 && isWord(this.line.at(-1)!)) this.erase();
  }

  private eraseLine(): void {
    const { modes } = this.host;
    if (modes.echoKill && modes.echoErase) {
      while (this.line.length > 0) this.erase();
      return;
    }
    this.line = [];
    if (modes.echo) this.echoByte(modes.characters.kill);
    if (modes.echo && modes.echoKill) this.host.echo(Uint8Array.of(NEWLINE));
  }

  private reprint(): void {
    this.echoByte(this.host.modes.characters.rprnt);
    this.host.echo(Uint8Array.of(NEWLINE));
    for (const byte of this.line) this.echoByte(byte);
  }

  private finish(): void {
    const line = Uint8Array.from(this.line);
    this.line = [];
    this.ready.push(line);
    this.readyBytes += line.length;
    this.host.readable();
  }

  private echoByte(byte: number): void {
    const control = (byte < 0x20 && byte !== TAB && byte !== NEWLINE) || byte === 0x7f;
    if (control && this.host.modes.echoControl) this.echoText(caret(byte));
    else this.host.echo(Uint8Array.of(byte));
  }

  private echoText(text: string): void {
    this.host.echo(Buffer.from(text, 'latin1'));
  }
}

function caret(byte: number): string {
  return `^${String.fromCharCode(byte ^ 0x40)}`;
}

function signalOf(byte: number, { characters }: TtyModes): Signal | undefined {
  if (byte === characters.intr) return 'SIGINT';
  if (byte === characters.quit) return 'SIGQUIT';
  return byte === characters.susp ? 'SIGTSTP' : undefined;
}

/** Columns of one character on a screen: none for combining marks, two for East Asian wide ones. */
function columnsOf(c: string): number {
  if (/^\p{M}/u.test(c)) return 0;
  return /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
    c,
  )
    ? 2
    : 1;
}
