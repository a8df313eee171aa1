// Keys as vi reads them: from the terminal, or from what is being repeated.
import { ErrnoError } from '../../../../network/index.ts';
import type { OpenFile } from '../../../kernel/index.ts';

/** Named keys, by what terminals send for them; all others are one character. */
const SEQUENCES: Readonly<Record<string, string>> = {
  '[A': '<Up>',
  '[B': '<Down>',
  '[C': '<Right>',
  '[D': '<Left>',
  OA: '<Up>',
  OB: '<Down>',
  OC: '<Right>',
  OD: '<Left>',
  '[H': '<Home>',
  '[F': '<End>',
  OH: '<Home>',
  OF: '<End>',
  '[1~': '<Home>',
  '[4~': '<End>',
  '[7~': '<Home>',
  '[8~': '<End>',
  '[2~': '<Insert>',
  '[3~': '<Del>',
  '[5~': '<PageUp>',
  '[6~': '<PageDown>',
  '[1;5C': '<C-Right>',
  '[1;5D': '<C-Left>',
  '[200~': '<PasteStart>',
  '[201~': '<PasteEnd>',
  OP: '<F1>',
};

export const ESCAPE = '\u001b';

/** Thrown when the terminal's size has changed while a key was waited for. */
export class Resized extends Error {}

/** Where keys come from. */
export class Keys {
  private readonly file: OpenFile;
  private readonly decoder = new TextDecoder();
  private pending = '';
  private fed: string[] = [];
  /** Whether keys end where those that were fed do, as in :normal. */
  private isClosed = false;
  /** Everything that was read since `record`. */
  private recorded: string[] | undefined;

  constructor(file: OpenFile) {
    this.file = file;
  }

  /** Keys that come before what is typed. */
  feed(keys: readonly string[]): void {
    this.fed.unshift(...keys);
  }

  /** Runs something on these keys alone; where they end early, Escape follows. */
  async only<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const { fed, isClosed } = this;
    this.fed = [...keys];
    this.isClosed = true;
    try {
      return await work();
    } finally {
      this.fed = fed;
      this.isClosed = isClosed;
    }
  }

  /** Forgets what was fed: a command in it has failed. */
  dropFed(): void {
    this.fed = [];
  }

  /** Whether the next key is there already, so that the screen needn't be drawn before it. */
  get hasNext(): boolean {
    return this.fed.length > 0 || this.isClosed || this.pending !== '';
  }

  get isRepeating(): boolean {
    return this.fed.length > 0;
  }

  /** Begins to note keys; what was noted since the last time is forgotten. */
  record(): void {
    this.recorded = [];
  }

  get recording(): readonly string[] {
    return this.recorded ?? [];
  }

  /** The next key; undefined at the end of input. Throws Resized, ErrnoError. */
  async next(): Promise<string | undefined> {
    const key = this.fed.shift() ?? (this.isClosed ? ESCAPE : await this.typed());
    if (key !== undefined) this.recorded?.push(key);
    return key;
  }

  private async typed(): Promise<string | undefined> {
    while (this.pending === '') {
      let chunk: Uint8Array;
      try {
        chunk = await this.file.read(1024);
      } catch (error) {
        if (error instanceof ErrnoError && error.code === 'EINTR') throw new Resized();
        throw error;
      }
      if (chunk.length === 0) return undefined;
      this.pending = this.decoder.decode(chunk, { stream: true });
    }
    return this.take();
  }

  private take(): string {
    const sequence = /^\u001b(\[[0-9;]*[A-Za-z~]|O[A-Z])/.exec(this.pending);
    const name = sequence === null ? undefined : SEQUENCES[sequence[1]!];
    if (sequence !== null) {
      this.pending = this.pending.slice(sequence[0].length);
      return name ?? '<Ignore>';
    }
    const character = String.fromCodePoint(this.pending.codePointAt(0)!);
    this.pending = this.pending.slice(character.length);
    return character === '\u007f'
      ? '<BS>'
      : character === '\b'
        ? '<BS>'
        : character === '\n'
          ? '\r'
          : character;
  }
}
