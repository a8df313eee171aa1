// bcrypt (Provos and Mazières 1999): Blowfish with an expensive key schedule. Its tables are the digits of pi, worked out here.

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const PI_WORDS = 18 + 4 * 256;

let tables: Uint32Array | undefined;

/** The fraction of pi in words of 32 bits, by Machin's formula. */
function piWords(): Uint32Array {
  if (tables !== undefined) return tables;
  const bits = BigInt(PI_WORDS * 32 + 64);
  const one = 1n << bits;
  const arctangent = (x: bigint): bigint => {
    let [term, sum, n, sign] = [one / x, 0n, 1n, 1n];
    for (const square = x * x; term > 0n; term /= square, n += 2n, sign = -sign) sum += (sign * term) / n;
    return sum;
  };
  const pi = 4n * (4n * arctangent(5n) - arctangent(239n));
  const hex = ((pi - 3n * one) >> 64n).toString(16).padStart(PI_WORDS * 8, '0');
  tables = Uint32Array.from({ length: PI_WORDS }, (_, at) =>
    Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16),
  );
  return tables;
}

class Blowfish {
  readonly p: Uint32Array;
  readonly s: Uint32Array;

  constructor() {
    const words = piWords();
    this.p = words.slice(0, 18);
    this.s = words.slice(18);
  }

  encrypt(block: Uint32Array, at: number): void {
    const { p, s } = this;
    let left = block[at]!;
    let right = block[at + 1]!;
    for (let round = 0; round < 16; round += 2) {
      left = (left ^ p[round]!) >>> 0;
      right =
        (right ^
          (((s[left >>> 24]! + s[256 + ((left >>> 16) & 255)]!) ^ s[512 + ((left >>> 8) & 255)]!) +
            s[768 + (left & 255)]!)) >>>
        0;
      right = (right ^ p[round + 1]!) >>> 0;
      left =
        (left ^
          (((s[right >>> 24]! + s[256 + ((right >>> 16) & 255)]!) ^ s[512 + ((right >>> 8) & 255)]!) +
            s[768 + (right & 255)]!)) >>>
        0;
    }
    block[at] = (right ^ p[17]!) >>> 0;
    block[at + 1] = (left ^ p[16]!) >>> 0;
  }

  /** Mixes a key in, with a salt of four words or none. */
  expand(key: Uint8Array, salt: Uint32Array): void {
    const { p, s } = this;
    for (let word = 0, at = 0; word < 18; word++) {
      let value = 0;
      for (let byte = 0; byte < 4; byte++, at = (at + 1) % key.length) value = (value << 8) | key[at]!;
      p[word] = (p[word]! ^ value) >>> 0;
    }
    const block = new Uint32Array(2);
    let turn = 0;
    for (const table of [p, s])
      for (let at = 0; at < table.length; at += 2) {
        block[0] = (block[0]! ^ salt[turn % salt.length]!) >>> 0;
        block[1] = (block[1]! ^ salt[(turn + 1) % salt.length]!) >>> 0;
        turn += 2;
        this.encrypt(block, 0);
        table[at] = block[0];
        table[at + 1] = block[1];
      }
  }
}

/** A hash with the cost and salt of another one, `$2y$05$…`; undefined if that is none. */
export function bcryptHash(password: string, like: string): string | undefined {
  const match = /^\$(2[abxy])\$(\d\d)\$([./A-Za-z0-9]{22})/.exec(like);
  if (match === null) return undefined;
  const [, kind = '', cost = '', saltText = ''] = match;
  if (Number(cost) < 4 || Number(cost) > 17) return undefined;
  const salt = decode64(saltText, 16);
  const words = Uint32Array.from({ length: 4 }, (_, at) => Buffer.from(salt).readUInt32BE(at * 4));
  const key = Buffer.concat([Buffer.from(password).subarray(0, 72), Buffer.of(0)]).subarray(0, 72);
  const none = new Uint32Array(2);
  const cipher = new Blowfish();
  cipher.expand(key, words);
  for (let left = 2 ** Number(cost); left > 0; left--) {
    cipher.expand(key, none);
    cipher.expand(salt, none);
  }
  const text = Buffer.from('OrpheanBeholderScryDoubt');
  const block = Uint32Array.from({ length: 6 }, (_, at) => text.readUInt32BE(at * 4));
  for (let round = 0; round < 64; round++) for (let at = 0; at < 6; at += 2) cipher.encrypt(block, at);
  const out = Buffer.alloc(24);
  for (const [at, word] of block.entries()) out.writeUInt32BE(word, at * 4);
  return `$${kind}$${cost}$${saltText}${encode64(out.subarray(0, 23))}`;
}

/** bcrypt's own base64 of a salt of 16 bytes. */
export function bcryptSalt(bytes: Uint8Array): string {
  return encode64(bytes);
}

function encode64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b, c] = bytes.subarray(at, at + 3);
    text += ALPHABET[a >> 2]! + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    if (b !== undefined) text += ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    if (c !== undefined) text += ALPHABET[c & 63]!;
  }
  return text;
}

function decode64(text: string, size: number): Uint8Array {
  const bytes: number[] = [];
  let [value, bits] = [0, 0];
  for (const char of text) {
    value = ((value << 6) | ALPHABET.indexOf(char)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 255);
    }
  }
  return Uint8Array.from(bytes.slice(0, size));
}
