// The Huffman code of HPACK: a canonical code, so that the lengths of its words say it all. RFC 7541, appendix B.

/** Bits of the word for each octet 0 to 255, and for the end of a string (256). */
const LENGTHS: readonly number[] = [
  // Control characters.
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28,
  // Space to `?`.
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  // `@` to `_`.
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  // The grave accent to DEL.
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  // 128 to 255.
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22,
  23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22,
  23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
  21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  // The end of a string.
  30,
];
const END = 256;
const BITS_MAX = 30;

/** Octets by the length and value of their word: `LENGTH/VALUE`. */
const OCTETS = new Map<string, number>();
const CODES: number[] = [];
for (let length = 1, code = 0; length <= BITS_MAX; length++, code *= 2) {
  for (let octet = 0; octet < LENGTHS.length; octet++) {
    if (LENGTHS[octet] !== length) continue;
    OCTETS.set(`${length}/${code}`, octet);
    CODES[octet] = code++;
  }
}

/** Undefined for what isn't a word of the code, or is padded wrongly. */
export function decodeHuffman(bytes: Uint8Array): Uint8Array | undefined {
  const octets: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const octet = OCTETS.get(`${length}/${code}`);
      if (octet === undefined) {
        if (length >= BITS_MAX) return undefined;
        continue;
      }
      if (octet === END) return undefined;
      octets.push(octet);
      code = 0;
      length = 0;
    }
  }
  // What is left must be the beginning of the end: fewer than eight ones.
  return length < 8 && code === 2 ** length - 1 ? Uint8Array.from(octets) : undefined;
}

/** The shortest form, filled up with ones. */
export function encodeHuffman(bytes: Uint8Array): Uint8Array {
  const result: number[] = [];
  let pending = 0;
  let filled = 0;
  const push = (code: number, length: number): void => {
    for (let bit = length - 1; bit >= 0; bit--) {
      pending = pending * 2 + (Math.floor(code / 2 ** bit) % 2);
      if (++filled < 8) continue;
      result.push(pending);
      pending = 0;
      filled = 0;
    }
  };
  for (const octet of bytes) push(CODES[octet]!, LENGTHS[octet]!);
  if (filled > 0) push(2 ** (8 - filled) - 1, 8 - filled);
  return Uint8Array.from(result);
}
