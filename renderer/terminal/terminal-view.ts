// One terminal's screen: an xterm that outlives the pane it is shown in, fed by the engine and feeding it keys.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { SerializeAddon } from '@xterm/addon-serialize';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';

import { hasHardwareWebgl } from './hardware-webgl.ts';
import { FIRST_SIZE } from './terminal-slice.ts';
import { MONOSPACE, TERMINAL_THEMES } from './terminal-theme.ts';

/** How all terminals look. */
export interface TerminalLook {
  readonly theme: 'light' | 'dark';
  readonly fontSize: number;
  readonly screenReader: boolean;
}

export interface TerminalViewOptions {
  readonly terminalId: string;
  readonly look: TerminalLook;
  readonly onInput: (data: string) => void;
  readonly onResize: (size: { columns: number; rows: number }) => void;
  /** Somebody clicked a link that a program printed. */
  readonly onLink: (link: string) => void;
  /** Ctrl+Shift+F. */
  readonly onFind: () => void;
}

/** Lines kept above the screen. */
const SCROLLBACK_MAX = 10_000;

export class TerminalView implements Disposable {
  readonly terminal: Terminal;
  private readonly options: TerminalViewOptions;
  private readonly element = document.createElement('div');
  private readonly fitter = new FitAddon();
  private readonly search = new SearchAddon();
  private readonly serializer = new SerializeAddon();
  private webgl: WebglAddon | undefined;
  private opened = false;
  private attached = false;
  /** Until the replay is written, output is part of it, and answers to what it asks were given long ago. */
  private live = false;

  constructor(options: TerminalViewOptions) {
    this.options = options;
    this.element.className = 'terminal-screen';
    const { look } = options;
    this.terminal = new Terminal({
      allowProposedApi: true, // The grapheme widths are.
      cols: FIRST_SIZE.columns,
      rows: FIRST_SIZE.rows,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      fontFamily: MONOSPACE,
      fontSize: look.fontSize,
      lineHeight: 1.2,
      scrollback: SCROLLBACK_MAX,
      screenReaderMode: look.screenReader,
      theme: TERMINAL_THEMES[look.theme],
      macOptionIsMeta: true,
      rightClickSelectsWord: false,
      linkHandler: { activate: (_event, link) => options.onLink(link), allowNonHttpProtocols: false },
    });
    for (const addon of [this.fitter, this.search, this.serializer, new UnicodeGraphemesAddon()]) {
      this.terminal.loadAddon(addon);
    }
    this.terminal.loadAddon(new WebLinksAddon((_event, link) => options.onLink(link)));
    this.terminal.unicode.activeVersion = '15-graphemes';
    this.terminal.attachCustomKeyEventHandler((event) => this.takesKey(event));
    this.terminal.onData((data) => {
      if (this.live) options.onInput(data);
    });
    this.terminal.onResize(({ cols, rows }) => options.onResize({ columns: cols, rows }));
    this.element.addEventListener('mouseup', () => void this.copySelection());
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.terminal.cols, rows: this.terminal.rows };
  }

  /** Takes the place of all that was shown: the screen has (re)connected. */
  replay(data: string): void {
    this.live = false;
    this.terminal.reset();
    this.terminal.write(data, () => (this.live = true));
    this.attached = true;
  }

  /** From here until `replay`, output is dropped: the replay will hold it. */
  awaitReplay(): void {
    this.attached = false;
  }

  write(data: string): void {
    if (this.attached) this.terminal.write(data);
  }

  /** Shows the terminal in `host`, and follows its size, until the result is disposed. */
  mount(host: HTMLElement): Disposable {
    host.append(this.element);
    if (!this.opened) {
      this.opened = true;
      this.terminal.open(this.element);
    }
    this.accelerate();
    const observer = new ResizeObserver(() => this.fit());
    observer.observe(host);
    this.fit();
    return {
      [Symbol.dispose]: () => {
        observer.disconnect();
        this.webgl?.dispose();
        this.webgl = undefined;
        if (this.element.parentElement === host) this.element.remove();
      },
    };
  }

  restyle(look: TerminalLook): void {
    this.terminal.options.theme = TERMINAL_THEMES[look.theme];
    this.terminal.options.screenReaderMode = look.screenReader;
    if (this.terminal.options.fontSize !== look.fontSize) {
      this.terminal.options.fontSize = look.fontSize;
      this.fit();
    }
  }

  focus(): void {
    this.terminal.focus();
  }

  find(text: string, direction: 'next' | 'previous'): void {
    if (direction === 'next') this.search.findNext(text);
    else this.search.findPrevious(text);
  }

  endFind(): void {
    this.search.clearDecorations();
    this.terminal.clearSelection();
    this.focus();
  }

  /** All that is on the screen and above it, without colours; wrapped lines are joined. */
  get text(): string {
    const buffer = this.terminal.buffer.active;
    let text = '';
    for (let row = 0; row < buffer.length; row++) {
      const line = buffer.getLine(row)!;
      const continues = buffer.getLine(row + 1)?.isWrapped === true;
      text += line.translateToString(!continues) + (continues ? '' : '\n');
    }
    return text.trimEnd();
  }

  /** The same with the escape sequences that colour it. */
  get serialized(): string {
    return this.serializer.serialize();
  }

  [Symbol.dispose](): void {
    this.element.remove();
    this.terminal.dispose();
  }

  private fit(): void {
    // A pane that is hidden or folded has no size to fit.
    if (this.element.clientWidth < 40 || this.element.clientHeight < 20) return;
    this.fitter.fit();
  }

  /** WebGL where the machine draws it in hardware; xterm's own renderer is quicker than an emulated one. */
  private accelerate(): void {
    if (this.webgl !== undefined || !hasHardwareWebgl()) return;
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => {
      webgl.dispose();
      this.webgl = undefined;
    });
    this.terminal.loadAddon(webgl);
    this.webgl = webgl;
  }

  /** False for keys that aren't the shell's. */
  private takesKey(event: KeyboardEvent): boolean {
    if (event.key === 'F6') return false;
    if (!(event.ctrlKey && event.shiftKey)) return true;
    switch (event.code) {
      case 'KeyC':
        event.preventDefault(); // Browsers open their tools.
        if (event.type === 'keydown') void this.copySelection();
        return false;
      case 'KeyV':
        return false; // The browser pastes, which needs no permission.
      case 'KeyF':
        event.preventDefault();
        if (event.type === 'keydown') this.options.onFind();
        return false;
      default:
        return true;
    }
  }

  private async copySelection(): Promise<void> {
    const selection = this.terminal.getSelection();
    if (selection === '') return;
    await navigator.clipboard.writeText(selection).catch(() => undefined); // Refused: the selection stays.
  }
}
