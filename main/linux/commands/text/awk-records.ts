// Records of awk(1): lines, paragraphs, or what a regular expression separates, read as they come.
import type { OpenFile } from '../../kernel/index.ts';
import { LosslessDecoder } from '../frame/text-decoder.ts';

const CHUNK_BYTES = 65_536;

export interface AwkRecord {
  readonly text: string;
  /** What ended it, RT. */
  readonly terminator: string;
}

/** Reads records by whatever RS is at the moment. */
export class RecordReader {
  private readonly file: OpenFile;
  private readonly decoder = new LosslessDecoder();
  private buffer = '';
  private atEnd = false;

  constructor(file: OpenFile) {
    this.file = file;
  }

  /** True when a record can be had without waiting. */
  get ready(): boolean {
    return this.atEnd || this.buffer.includes('\n');
  }

  /** The next record; `separator` is one character, '' for paragraphs, or a regular expression. */
  async next(separator: string | RegExp): Promise<AwkRecord | undefined> {
    if (separator === '') return this.paragraph();
    if (typeof separator === 'string') return this.upTo((from) => find(this.buffer, separator, from));
    return this.upTo((from) => {
      separator.lastIndex = 0;
      const found = matchNonEmpty(separator, this.buffer);
      // A match at the very end of what has come may go on in what hasn't.
      if (found === undefined || (!this.atEnd && found.to === this.buffer.length && from >= 0))
        return undefined;
      return found;
    });
  }

  private async paragraph(): Promise<AwkRecord | undefined> {
    for (;;) {
      const lead = /^\n+/.exec(this.buffer);
      if (lead !== null) this.buffer = this.buffer.slice(lead[0].length);
      if (this.buffer !== '' || this.atEnd) break;
      await this.fill();
    }
    const record = await this.upTo(() => {
      const found = /\n\n+/.exec(this.buffer);
      if (found === null || (!this.atEnd && found.index + found[0].length === this.buffer.length))
        return undefined;
      return { from: found.index, to: found.index + found[0].length };
    });
    if (record === undefined || record.terminator !== '' || !record.text.endsWith('\n')) return record;
    return { text: record.text.slice(0, -1), terminator: '\n' };
  }

  private async upTo(
    search: (from: number) => { from: number; to: number } | undefined,
  ): Promise<AwkRecord | undefined> {
    let searched = 0;
    for (;;) {
      const found = search(searched);
      if (found !== undefined) {
        const record = {
          text: this.buffer.slice(0, found.from),
          terminator: this.buffer.slice(found.from, found.to),
        };
        this.buffer = this.buffer.slice(found.to);
        return record;
      }
      if (this.atEnd) {
        if (this.buffer === '') return undefined;
        const text = this.buffer;
        this.buffer = '';
        return { text, terminator: '' };
      }
      searched = this.buffer.length;
      await this.fill();
    }
  }

  private async fill(): Promise<void> {
    this.file.keep(this.buffer.length);
    const chunk = await this.file.read(CHUNK_BYTES);
    this.atEnd = chunk.length === 0;
    this.buffer += this.atEnd ? this.decoder.end() : this.decoder.decode(chunk);
  }
}

function find(text: string, separator: string, from: number): { from: number; to: number } | undefined {
  const at = text.indexOf(separator, from);
  return at < 0 ? undefined : { from: at, to: at + separator.length };
}

function matchNonEmpty(regex: RegExp, text: string): { from: number; to: number } | undefined {
  for (const found of text.matchAll(regex))
    if (found[0] !== '') return { from: found.index, to: found.index + found[0].length };
  return undefined;
}
