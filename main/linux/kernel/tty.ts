// A pseudo-terminal: the line discipline between a terminal emulator (master) and a process (slave).

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
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
}

/** The slave side as programs use it; reads and writes go through the OpenFile. */
export interface Tty {
  /** Such as /dev/pts/0. */
  readonly path: string;
  readonly size: WindowSize;
  readonly modes: TtyModes;
  setModes(modes: Partial<TtyModes>): void;
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
