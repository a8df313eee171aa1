// A pseudo-terminal: the line discipline between a terminal emulator (master) and a process (slave).

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** The characters of c_cc that the line discipline heeds; 0 is none (_POSIX_VDISABLE). */
export interface TtyCharacters {
  readonly intr: number;
  readonly quit: number;
  readonly erase: number;
  readonly kill: number;
  readonly eof: number;
  readonly eol: number;
  readonly eol2: number;
  readonly start: number;
  readonly stop: number;
  readonly susp: number;
  readonly rprnt: number;
  readonly werase: number;
  readonly lnext: number;
  readonly discard: number;
}

/** termios(3), as far as programs here set it. */
export interface TtyModes {
  /** ICANON: lines with editing of the line discipline. */
  canonical: boolean;
  /** ECHO. */
  echo: boolean;
  /** ISIG: Ctrl-C, Ctrl-Z, Ctrl-\ send signals. */
  signals: boolean;
  /** OPOST|ONLCR: newline goes out as CR LF. */
  outputNewline: boolean;
  /** ICRNL: CR comes in as newline. */
  inputNewline: boolean;
  /** IXON: Ctrl-S stops the output, Ctrl-Q lets it go on. */
  flowControl: boolean;
  /** IXANY: any key lets it go on. */
  anyKeyStarts: boolean;
  /** ECHOE: an erased character goes from the screen; otherwise the erase character shows. */
  echoErase: boolean;
  /** ECHOK and ECHOKE: a killed line goes from the screen. */
  echoKill: boolean;
  /** ECHOCTL: control characters show as ^X. */
  echoControl: boolean;
  /** ECHONL: a newline shows even without echo. */
  echoNewline: boolean;
  /** NOFLSH: signals don't discard what was typed. */
  keepsInput: boolean;
  /** TOSTOP: background processes that write get SIGTTOU. */
  stopsWriters: boolean;
  characters: TtyCharacters;
  /** Settings that change nothing here and aren't as `stty sane` has them: `brkint`, `min=5`. */
  inert: ReadonlySet<string>;
}

/** Modes of a new terminal: `stty sane`. */
export const SANE_MODES: Readonly<TtyModes> = {
  canonical: true,
  echo: true,
  signals: true,
  outputNewline: true,
  inputNewline: true,
  flowControl: true,
  anyKeyStarts: false,
  echoErase: true,
  echoKill: true,
  echoControl: true,
  echoNewline: false,
  keepsInput: false,
  stopsWriters: false,
  characters: {
    intr: 3,
    quit: 28,
    erase: 127,
    kill: 21,
    eof: 4,
    eol: 0,
    eol2: 0,
    start: 17,
    stop: 19,
    susp: 26,
    rprnt: 18,
    werase: 23,
    lnext: 22,
    discard: 15,
  },
  inert: new Set(),
};

/** The slave side as programs use it; reads and writes go through the OpenFile. */
export interface Tty {
  /** Such as /dev/pts/0. */
  readonly path: string;
  readonly size: WindowSize;
  readonly modes: TtyModes;
  setModes(modes: Partial<TtyModes>): void;
  /** TIOCSWINSZ: SIGWINCH goes to the foreground group if the size is another. */
  setSize(size: WindowSize): void;
  /** Foreground process group (tcsetpgrp). */
  foreground: number;
  readonly session: number;
}

/** The master side: a terminal pane, an ssh daemon, a `kubectl exec -t` server. */
export interface TtyMaster extends Disposable {
  readonly tty: Tty;
  /** Keys typed. */
  input(data: Uint8Array | string): void;
  /** What the terminal shows, as it comes; undefined once all slave descriptors are closed. */
  output(): Promise<Uint8Array | undefined>;
  /** Sets the size and sends SIGWINCH to the foreground group. */
  resize(size: WindowSize): void;
}
