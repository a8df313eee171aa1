// Where a pager's lines come from: a file or a pipe, read no further than is looked at.
import type { OpenFile } from '../../kernel/index.ts';
import { bytesToText } from '../../shell/index.ts';

/** Lines kept of an endless input. */
const LINES_MAX = 2_000_000;
const BLOCK_BYTES = 65_536;

export class LineSource {
  readonly name: string;
  lines: string[] = [];
  /** Where each line begins, in bytes. */
  readonly offsets: number[] = [0];
  /** There is no more. */
  ended = false;
  private readonly file: OpenFile;
  private pending: Promise<Uint8Array> | undefined;
  private rest: Buffer = Buffer.alloc(0);
  private partial = false;

  constructor(name: string, file: OpenFile) {
    this.name = name;
    this.file = file;
  }

  get isRegular(): boolean {
    return this.file.kind === 'file';
  }

  get sizeBytes(): number {
    return this.offsets.at(-1)!;
  }

  /** Reads once more; false when nothing came because the input has ended. */
  async more(): Promise<boolean> {
    if (this.ended || this.lines.length >= LINES_MAX) return false;
    this.pending ??= this.file.read(BLOCK_BYTES);
    const chunk = await this.pending;
    this.pending = undefined;
    if (chunk.length === 0) {
      this.ended = true;
      if (this.rest.length > 0 && !this.partial) this.addPartial();
      return false;
    }
    this.take(chunk);
    return true;
  }

  /** Looks whether a file that had ended has grown. */
  async grown(): Promise<boolean> {
    const { ended } = this;
    this.ended = false;
    const more = await this.more();
    if (!more) this.ended = ended || this.ended;
    return more;
  }

  private take(chunk: Uint8Array): void {
    if (this.partial) {
      // The last line had no end yet: it goes on.
      this.lines.pop();
      this.offsets.pop();
      this.partial = false;
    }
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : Buffer.from(chunk);
    let from = 0;
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, from)) {
      this.lines.push(bytesToText(data.subarray(from, at)));
      this.offsets.push(this.offsets.at(-1)! + at + 1 - from);
      from = at + 1;
    }
    this.rest = data.subarray(from);
  }

  private addPartial(): void {
    this.lines.push(bytesToText(this.rest));
    this.offsets.push(this.offsets.at(-1)! + this.rest.length);
    this.partial = true;
  }
}
