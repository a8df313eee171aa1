// Keys as a pager gets them from the terminal, one at a time, with a look at what has come while it reads.
import { ErrnoError } from '../../../network/index.ts';
import type { OpenFile, Process } from '../../kernel/index.ts';

/** An escape sequence, or one character. */
const KEY = /^(?:\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z]|.)?|[^])/u;

export class PagerKeys {
  readonly file: OpenFile;
  private readonly proc: Process;
  private pending = '';
  private reading: Promise<void> | undefined;
  private ended = false;

  constructor(file: OpenFile, proc: Process) {
    this.file = file;
    this.proc = proc;
  }

  /** Keys to be read next. */
  push(keys: string): void {
    this.pending = keys + this.pending;
  }

  /** The next key; undefined once the terminal is gone. Throws EINTR when a signal came. */
  async next(): Promise<string | undefined> {
    while (this.pending === '' && !this.ended) await this.proc.interruptible(this.arrival());
    if (this.pending === '') return undefined;
    const key = KEY.exec(this.pending)![0];
    this.pending = this.pending.slice(key.length);
    return key;
  }

  /** Settles when something more has been typed. */
  arrival(): Promise<void> {
    if (this.reading === undefined) {
      this.reading = this.read();
      this.reading.catch(() => undefined); // Whoever waits for it is told; perhaps nobody does any more.
    }
    return this.reading;
  }

  private async read(): Promise<void> {
    try {
      const chunk = await this.file.read(64);
      if (chunk.length === 0) this.ended = true;
      this.pending += Buffer.from(chunk).toString();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.code !== 'EINTR') this.ended = true;
    } finally {
      this.reading = undefined;
    }
  }

  /** Whether Ctrl-C or q has been typed; it and what came before are gone. */
  takeInterrupt(): boolean {
    if (this.ended) return true;
    const at = this.pending.search(/[\u0003qQ]/);
    if (at < 0) return false;
    this.pending = this.pending[at] === '\u0003' ? this.pending.slice(at + 1) : this.pending.slice(at);
    return true;
  }

  /** Forgets what was typed. */
  drop(): void {
    this.pending = '';
  }
}
