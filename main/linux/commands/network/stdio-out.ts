// A C program's stdout: whole lines on a terminal, blocks into anything else, and the rest when the program ends (setvbuf(3)).
import type { OpenFile } from '../../kernel/index.ts';

/** glibc's buffer for a pipe. */
const BLOCK_BYTES = 4096;

export class StdioOut {
  private readonly file: OpenFile;
  private readonly isUnbuffered: boolean;
  private pending: Buffer = Buffer.alloc(0);

  constructor(file: OpenFile, isUnbuffered: boolean) {
    this.file = file;
    this.isUnbuffered = isUnbuffered;
  }

  async put(data: string | Uint8Array): Promise<void> {
    this.pending = Buffer.concat([this.pending, Buffer.from(data as Uint8Array)]);
    const ready = this.isUnbuffered
      ? this.pending.length
      : this.file.tty === undefined
        ? this.pending.length - (this.pending.length % BLOCK_BYTES)
        : this.pending.lastIndexOf(10) + 1;
    if (ready > 0) await this.write(ready);
  }

  /** fflush(3), or exit(3). */
  async flush(): Promise<void> {
    if (this.pending.length > 0) await this.write(this.pending.length);
  }

  private async write(size: number): Promise<void> {
    const bytes = this.pending.subarray(0, size);
    this.pending = this.pending.subarray(size);
    await this.file.write(bytes);
  }
}
