// Reading text as it comes: batches of lines, so that a filter prints what it has before it waits for more.
import type { OpenFile } from '../../kernel/index.ts';
import { bytesToText } from '../../shell/index.ts';
import { LosslessDecoder } from './text-decoder.ts';

const CHUNK_BYTES = 65_536;

export interface Line {
  readonly text: string;
  /** False for a last line without its separator. */
  readonly ended: boolean;
}

/** Batches of the lines at hand; between batches the reader may have waited. */
export async function* lineBatches(file: OpenFile, separator = '\n'): AsyncGenerator<Line[]> {
  const decoder = new LosslessDecoder();
  let rest = '';
  let kept = 0;
  for (;;) {
    const chunk = await file.read(CHUNK_BYTES);
    if (chunk.length === 0) break;
    const text = decoder.decode(chunk);
    if (separator.length === 1 && !text.includes(separator)) {
      file.keep((kept = (rest += text).length));
      continue;
    }
    if (kept > 0) file.keep((kept = 0));
    const pieces = (rest + text).split(separator);
    rest = pieces.pop()!;
    if (pieces.length > 0) yield pieces.map((text) => ({ text, ended: true }));
  }
  rest += decoder.end();
  if (rest !== '') yield [{ text: rest, ended: false }];
}

/** The rest of a file, as bytes. */
export async function readAll(file: OpenFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  for (;;) {
    const chunk = await file.read(CHUNK_BYTES);
    if (chunk.length === 0) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    chunks.push(chunk);
    file.keep((kept += chunk.length));
  }
}

/** The rest of a file, as text that keeps every byte. */
export async function readAllText(file: OpenFile): Promise<string> {
  return bytesToText(await readAll(file));
}

/** Reads one line at a time without taking more than it was asked for a second time. */
export class LineReader {
  private readonly file: OpenFile;
  private readonly separator: string;
  private readonly decoder = new LosslessDecoder();
  private buffer = '';
  private atEnd = false;

  constructor(file: OpenFile, separator = '\n') {
    this.file = file;
    this.separator = separator;
  }

  /** True when a whole line can be had without waiting. */
  get ready(): boolean {
    return this.atEnd || this.buffer.includes(this.separator);
  }

  /** What has been read beyond the lines taken. */
  get buffered(): string {
    return this.buffer;
  }

  async next(): Promise<Line | undefined> {
    let searched = 0;
    for (;;) {
      const at = this.buffer.indexOf(this.separator, searched);
      if (at >= 0) {
        const text = this.buffer.slice(0, at);
        this.buffer = this.buffer.slice(at + this.separator.length);
        return { text, ended: true };
      }
      if (this.atEnd) {
        if (this.buffer === '') return undefined;
        const text = this.buffer;
        this.buffer = '';
        return { text, ended: false };
      }
      searched = Math.max(0, this.buffer.length - this.separator.length + 1);
      this.file.keep(this.buffer.length);
      const chunk = await this.file.read(CHUNK_BYTES);
      if (chunk.length === 0) {
        this.atEnd = true;
        this.buffer += this.decoder.end();
      } else this.buffer += this.decoder.decode(chunk);
    }
  }
}
