// cat(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { shownName, command, Failure } from '../frame/command.ts';

const CHUNK_BYTES = 65_536;

/** cat(1). Goes on after a file it cannot read. */
export const cat: Program = command(
  {
    short: 'AbeEnstTuv',
    long: [
      'show-all>A',
      'number-nonblank>b',
      'show-ends>E',
      'number>n',
      'squeeze-blank>s',
      'show-tabs>T',
      'show-nonprinting>v',
    ],
    usage: '[OPTION]... [FILE]...',
    summary: 'Concatenate FILE(s) to standard output.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options } = it;
    const format =
      options.list.length > 0 && !options.list.every((option) => option.name === 'u')
        ? new Formatter(options.has.bind(options))
        : undefined;
    for (const path of it.inputs) {
      try {
        const file = it.open(path);
        for (;;) {
          const chunk = await file.read(CHUNK_BYTES);
          if (chunk.length === 0) break;
          await it.out.put(format === undefined ? chunk : format.take(chunk));
          await it.out.flush();
        }
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.code === 'EPIPE' || error.code === 'ENOSPC')
          throw new Failure(`write error: ${error.message}`);
        await it.warn(
          it.dialect === 'busybox' && error.code !== 'EISDIR'
            ? `can't open '${path}': ${error.message}`
            : it.dialect === 'busybox'
              ? `read error: ${error.message}`
              : `${shownName(it, path)}: ${error.message}`,
        );
      }
    }
  },
);

/** What -n, -b, -s, -E, -T and -v do to the bytes that pass. */
class Formatter {
  private readonly number: boolean;
  private readonly nonBlank: boolean;
  private readonly squeeze: boolean;
  private readonly ends: boolean;
  private readonly tabs: boolean;
  private readonly controls: boolean;
  private line = 0;
  private atStart = true;
  private blanks = 0;

  constructor(has: (...names: string[]) => boolean) {
    this.nonBlank = has('b');
    this.number = has('n') && !this.nonBlank;
    this.squeeze = has('s');
    this.ends = has('A', 'E', 'e');
    this.tabs = has('A', 'T', 't');
    this.controls = has('A', 'e', 't', 'v');
  }

  take(chunk: Uint8Array): Uint8Array {
    const out: number[] = [];
    const text = (s: string): void => {
      for (let i = 0; i < s.length; i++) out.push(s.charCodeAt(i));
    };
    for (const byte of chunk) {
      if (this.atStart) {
        const blank = byte === 10;
        this.blanks = blank ? this.blanks + 1 : 0;
        if (blank && this.squeeze && this.blanks > 1) continue;
        if (this.number || (this.nonBlank && !blank)) text(`${String(++this.line).padStart(6)}\t`);
        this.atStart = false;
      }
      if (byte === 10) {
        if (this.ends) out.push(36);
        out.push(10);
        this.atStart = true;
      } else if (byte === 9) text(this.tabs ? '^I' : '\t');
      else if (this.controls) text(visible(byte));
      else out.push(byte);
    }
    return Uint8Array.from(out);
  }
}

function visible(byte: number): string {
  if (byte >= 128) return `M-${visible(byte - 128)}`;
  if (byte < 32) return `^${String.fromCharCode(byte + 64)}`;
  return byte === 127 ? '^?' : String.fromCharCode(byte);
}
