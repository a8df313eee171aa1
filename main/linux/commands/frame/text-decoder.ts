// Bytes that come in pieces, as text that loses none of them: a byte that isn't UTF-8 is the lone surrogate U+DC00+b.
import { bytesToText } from '../../shell/index.ts';

/** Decodes UTF-8 piece by piece; a sequence cut in two waits for its rest. */
export class LosslessDecoder {
  private rest: Uint8Array = new Uint8Array(0);

  decode(chunk: Uint8Array): string {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const whole = bytes.length - unfinished(bytes);
    this.rest = whole === bytes.length ? new Uint8Array(0) : bytes.slice(whole);
    return bytesToText(whole === bytes.length ? bytes : bytes.subarray(0, whole));
  }

  /** What is left at the end of the input. */
  end(): string {
    const rest = bytesToText(this.rest);
    this.rest = new Uint8Array(0);
    return rest;
  }
}

/** How many bytes at the end may be the beginning of a longer sequence. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return size > back ? back : 0;
  }
  return 0;
}
