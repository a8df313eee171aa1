// Text that can carry bytes which aren't UTF-8: such a byte b is the lone surrogate U+DC00+b.

const ESCAPED = /[\udc80-\udcff]/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that stands for one byte. */
export function byteToText(byte: number): string {
  return byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte);
}

/** UTF-8, with escaped bytes put back as they were. */
export function textToBytes(text: string): Uint8Array {
  if (!ESCAPED.test(text)) return Buffer.from(text, 'utf8');
  const chunks: Uint8Array[] = [];
  for (const piece of text.split(/([\udc80-\udcff]+)/)) {
    chunks.push(
      ESCAPED.test(piece)
        ? Uint8Array.from(piece, (c) => c.charCodeAt(0) & 0xff)
        : Buffer.from(piece, 'utf8'),
    );
  }
  return Buffer.concat(chunks);
}

/** Decodes UTF-8; bytes that aren't are escaped one by one. */
export function bytesToText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return decodeLoosely(bytes); // Not UTF-8 throughout.
  }
}

function decodeLoosely(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const size = lead < 0x80 ? 1 : sequenceSize(bytes, at);
    if (size <= 1) {
      units[length++] = lead < 0x80 ? lead : 0xdc00 + lead;
      at++;
      continue;
    }
    let code = lead & (0xff >> (size + 1));
    for (let i = 1; i < size; i++) code = (code << 6) | (bytes[at + i]! & 0x3f);
    at += size;
    if (code < 0x10000) units[length++] = code;
    else {
      units[length++] = 0xd800 + ((code - 0x10000) >> 10);
      units[length++] = 0xdc00 + (code & 0x3ff);
    }
  }
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
}

/** Bytes of the well-formed UTF-8 sequence at `at` with a lead byte above ASCII, or 0 (RFC 3629). */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  for (let i = 1; i < size; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  const wrong =
    (lead === 0xe0 && second < 0xa0) ||
    (lead === 0xed && second >= 0xa0) ||
    (lead === 0xf0 && second < 0x90) ||
    (lead === 0xf4 && second >= 0x90);
  return wrong ? 0 : size;
}

/** Joins escaped bytes that together are UTF-8. */
export function normalizeText(text: string): string {
  return ESCAPED.test(text) ? bytesToText(textToBytes(text)) : text;
}
