// What happens between the keys typed at a terminal and the bytes a program reads: n_tty, termios(3).
import type { Signal } from './process.ts';
import type { TtyModes } from './tty.ts';

const INTR = 3;
const EOF = 4;
const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const START = 17;
const REPRINT = 18;
const STOP = 19;
const KILL = 21;
const LITERAL = 22;
const WORD_ERASE = 23;
const SUSPEND = 26;
const QUIT = 28;
const ERASE = 127;

/** Bytes that wait to be read; more are dropped, with a bell (N_TTY_BUF_SIZE). */
const INPUT_BYTES_MAX = 65_536;
const SIGNAL_KEYS: ReadonlyMap<number, Signal> = new Map([
  [INTR, 'SIGINT'],
  [QUIT, 'SIGQUIT'],
  [SUSPEND, 'SIGTSTP'],
]);

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
    const signal = modes.signals ? SIGNAL_KEYS.get(byte) : undefined;
    if (signal !== undefined) return this.interrupt(byte, signal);
    if (modes.canonical && (byte === STOP || byte === START)) return this.host.setStopped(byte === STOP);
    if (modes.canonical) this.edit(byte);
    else this.pass(byte);
  }

  private interrupt(byte: number, signal: Signal): void {
    this.line = [];
    this.ready = [];
    this.readyBytes = 0;
    this.host.setStopped(false);
    if (this.host.modes.echo) this.echoText(caret(byte));
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
    switch (byte) {
      case ERASE:
        return this.erase();
      case WORD_ERASE:
        return this.eraseWord();
      case KILL:
        while (this.line.length > 0) this.erase();
        return;
      case REPRINT:
        if (this.host.modes.echo) this.reprint();
        return;
      case LITERAL:
        this.literalNext = true;
        if (this.host.modes.echo) this.host.echo(Uint8Array.of(0x5e, BACKSPACE));
        return;
      case EOF:
        return this.finish();
      case NEWLINE:
        if (this.host.modes.echo) this.echoByte(NEWLINE);
        this.line.push(NEWLINE);
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

  /** Takes the last character (IUTF8) off the line and off the screen. */
  private erase(): void {
    let byte = this.line.pop();
    if (byte === undefined) return;
    const erased = byte;
    while (byte !== undefined && (byte & 0xc0) === 0x80) byte = this.line.pop();
    if (!this.host.modes.echo) return;
    const columns = erased < 0x20 && erased !== TAB ? 2 : erased === TAB ? this.tabColumns() : 1;
    this.echoText('\b \b'.repeat(columns));
  }

  private tabColumns(): number {
    const column = Array.from(Buffer.from(this.line).toString('utf8')).length;
    return 8 - (column % 8);
  }

  private eraseWord(): void {
    const isWord = (byte: number): boolean => byte !== 0x20 && byte !== TAB;
    while (this.line.length > 0 && !isWord(this.line.at(-1)!)) this.erase();
    while (this.line.length > 0 && isWord(this.line.at(-1)!)) this.erase();
  }

  private reprint(): void {
    this.echoText('^R');
    this.host.echo(Uint8Array.of(NEWLINE));
    this.host.echo(Uint8Array.from(this.line));
  }

  private finish(): void {
    const line = Uint8Array.from(this.line);
    this.line = [];
    this.ready.push(line);
    this.readyBytes += line.length;
    this.host.readable();
  }

  private echoByte(byte: number): void {
    const shownAsCaret = byte < 0x20 && byte !== TAB && byte !== NEWLINE;
    if (shownAsCaret) this.echoText(caret(byte));
    else this.host.echo(Uint8Array.of(byte));
  }

  private echoText(text: string): void {
    this.host.echo(Buffer.from(text, 'latin1'));
  }
}

function caret(byte: number): string {
  return `^${String.fromCharCode(byte ^ 0x40)}`;
}
