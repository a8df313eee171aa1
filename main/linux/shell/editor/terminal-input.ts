// Characters from the terminal, one at a time; what isn't read stays for the next program.
import { ErrnoError } from '../../../network/index.ts';
import { bytesToText } from '../bytes.ts';
import type { Shell } from '../shell.ts';

export class TerminalInput {
  private readonly shell: Shell;
  private readonly onSignal: () => Promise<void>;

  /** `onSignal` runs when a signal came while waiting. */
  constructor(shell: Shell, onSignal: () => Promise<void>) {
    this.shell = shell;
    this.onSignal = onSignal;
  }

  /** The next character; undefined at the end of input. */
  async next(): Promise<string | undefined> {
    const first = await this.byte();
    if (first === undefined) return undefined;
    const size = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const bytes = [first];
    while (bytes.length < size) {
      const byte = await this.byte();
      if (byte === undefined) break;
      bytes.push(byte);
    }
    return bytesToText(Uint8Array.from(bytes));
  }

  private async byte(): Promise<number | undefined> {
    for (;;) {
      const file = this.shell.proc.fds.get(0);
      if (file === undefined) return undefined;
      try {
        const chunk = await this.shell.proc.interruptible(this.shell.nextByte(file));
        this.shell.readDone(file);
        return chunk[0];
      } catch (error) {
        if (error instanceof ErrnoError && error.code === 'EINTR') await this.onSignal();
        else if (error instanceof ErrnoError && error.code === 'EIO') return undefined; // The terminal is gone.
        else throw error;
      }
    }
  }
}
