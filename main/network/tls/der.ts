// DER, as much of it as certificates need: reading one value after the other, and writing (X.690).

/** One value: its tag's byte and its content. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content, as they stood. */
  readonly whole: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** What was to be read isn't DER, or isn't what it should be. */
export class DerError extends Error {}

/** The values that stand one after the other. Throws DerError. */
export function readAll(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    const value = readAt(bytes, at);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The values inside a constructed one. Throws DerError, also when the tag is another. */
export function inside(value: DerValue | undefined, tag: number = TAG.sequence): DerValue[] {
  if (value?.tag !== tag) throw new DerError(`tag ${value?.tag} where ${tag} should be`);
  return readAll(value.content);
}

function readAt(bytes: Buffer, at: number): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('the data ends too early');
  let length = first;
  let head = 2;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0 || size > 4 || at + 2 + size > bytes.length) throw new DerError('a length that cannot be');
    length = bytes.readUIntBE(at + 2, size);
    head += size;
  }
  const end = at + head + length;
  if (end > bytes.length) throw new DerError('the data ends too early');
  return { tag, content: bytes.subarray(at + head, end), whole: bytes.subarray(at, end) };
}

/** `1.2.840.113549.1.1.11`. */
export function oidText({ tag, content }: DerValue): string {
  if (tag !== TAG.oid || content.length === 0) throw new DerError('no object identifier');
  const parts = [
    Math.min(2, Math.floor(content[0]! / 40)),
    content[0]! - 40 * Math.min(2, Math.floor(content[0]! / 40)),
  ];
  let part = 0;
  for (const byte of content.subarray(1)) {
    part = part * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(part);
      part = 0;
    }
  }
  return parts.join('.');
}

export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const size: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length, ...size]), content]);
}

export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...contents);
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part % 128];
    for (let more = Math.floor(part / 128); more > 0; more = Math.floor(more / 128))
      groups.unshift(0x80 | (more % 128));
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

/** A positive number from its bytes, in as few as it takes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const short = bytes.subarray(start);
  const isNegative = short.length === 0 || short[0]! >= 0x80;
  return der(TAG.integer, isNegative ? Buffer.from([0]) : Buffer.alloc(0), short);
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return der(TAG.bitString, Buffer.from([unusedBits]), bytes);
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = new Date(Math.floor(ms / 1000) * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  const isLate = Number(digits.slice(0, 4)) >= 2050;
  return isLate
    ? der(TAG.generalizedTime, Buffer.from(digits))
    : der(TAG.utcTime, Buffer.from(digits.slice(2)));
}
