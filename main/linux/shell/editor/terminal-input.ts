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

  /** The next character; undefined at the end of input, and when a time limit passes first. */
  async next(limitMs?: number): Promise<string | undefined> {
    const first = await this.byte(limitMs);
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

  private async byte(limitMs?: number): Promise<number | undefined> {
    const { proc } = this.shell;
    for (;;) {
      const file = proc.fds.get(0);
      if (file === undefined) return undefined;
      try {
        const coming = this.shell.nextByte(file);
        const waits = limitMs === undefined ? coming : Promise.race([coming, proc.sleep(limitMs)]);
        const chunk = await proc.interruptible(waits);
        if (chunk === undefined) return undefined;
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
