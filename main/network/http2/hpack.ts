// Header compression for HTTP/2. RFC 7541.
import { Buffer } from 'node:buffer';
import type { HeaderList } from '../http/index.ts';
import { decodeHuffman, encodeHuffman } from './huffman.ts';

/** The static table, appendix A: names, with a value after `=` where there is one. */
const STATIC: readonly (readonly [name: string, value: string])[] = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|' +
  ':status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|' +
  'accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|' +
  'content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|' +
  'cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|' +
  'last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|' +
  'server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((entry) => {
    const at = entry.indexOf('=');
    return at < 0 ? ([entry, ''] as const) : ([entry.slice(0, at), entry.slice(at + 1)] as const);
  });

/** SETTINGS_HEADER_TABLE_SIZE as both ends have it, in octets; an entry costs 32 more than its texts. */
const TABLE_BYTES_MAX = 4096;
const ENTRY_BYTES = 32;

/** A header block that can't be decoded ends the connection (COMPRESSION_ERROR). */
export class CompressionError extends Error {}

/** The decoding end of one connection, with its dynamic table. */
export class HpackDecoder {
  /** Newest first. */
  private readonly table: (readonly [string, string])[] = [];
  private tableBytes = 0;
  private tableBytesMax = TABLE_BYTES_MAX;

  /** Throws CompressionError. */
  decode(block: Uint8Array): HeaderList {
    const headers: [string, string][] = [];
    const reader = new BlockReader(block);
    while (!reader.isDone) {
      const first = reader.peek();
      if (first & 0x80) headers.push([...this.entry(reader.integer(7))]);
      else if (first & 0x40) {
        const header = this.literal(reader, 6);
        this.remember(header);
        headers.push([...header]);
      } else if (first & 0x20) this.resize(reader.integer(5));
      else headers.push([...this.literal(reader, 4)]);
    }
    return headers;
  }

  private literal(reader: BlockReader, prefixBits: number): readonly [string, string] {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? reader.text() : this.entry(index)[0];
    return [name, reader.text()];
  }

  private entry(index: number): readonly [string, string] {
    const found = index <= STATIC.length ? STATIC[index - 1] : this.table[index - STATIC.length - 1];
    if (found === undefined) throw new CompressionError(`no header field ${index}`);
    return found;
  }

  private remember(header: readonly [string, string]): void {
    this.table.unshift(header);
    this.tableBytes += sizeOf(header);
    this.evict();
  }

  private resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new CompressionError(`table size ${bytes} is beyond the limit`);
    this.tableBytesMax = bytes;
    this.evict();
  }

  private evict(): void {
    while (this.tableBytes > this.tableBytesMax) this.tableBytes -= sizeOf(this.table.pop()!);
  }
}

function sizeOf([name, value]: readonly [string, string]): number {
  return Buffer.byteLength(name) + Buffer.byteLength(value) + ENTRY_BYTES;
}

class BlockReader {
  private readonly bytes: Uint8Array;
  private at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isDone(): boolean {
    return this.at >= this.bytes.length;
  }

  peek(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new CompressionError('header block ends early');
    return byte;
  }

  /** An integer with an N-bit prefix, section 5.1. */
  integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.peek() & most;
    this.at++;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.peek();
      this.at++;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > 2 ** 31) throw new CompressionError('integer too large');
      if ((byte & 0x80) === 0) return value;
    }
  }

  text(): string {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const raw = this.bytes.subarray(this.at, this.at + length);
    if (raw.length < length) throw new CompressionError('header block ends early');
    this.at += length;
    const bytes = isHuffman ? decodeHuffman(raw) : raw;
    if (bytes === undefined) throw new CompressionError('not a Huffman-coded text');
    return Buffer.from(bytes).toString('latin1');
  }
}

/** A header block that needs no dynamic table: indexed where the static table has it all, else literals. */
export function encodeHeaders(headers: HeaderList): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of headers) {
    const whole = STATIC.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (whole >= 0) {
      parts.push(integer(whole + 1, 7, 0x80));
      continue;
    }
    const known = STATIC.findIndex((entry) => entry[0] === name);
    parts.push(integer(known + 1, 4, 0));
    if (known < 0) parts.push(...text(name));
    parts.push(...text(value));
  }
  return Buffer.concat(parts);
}

function text(value: string): Uint8Array[] {
  const plain = Buffer.from(value, 'latin1');
  const coded = encodeHuffman(plain);
  return coded.length < plain.length
    ? [integer(coded.length, 7, 0x80), coded]
    : [integer(plain.length, 7, 0), plain];
}

function integer(value: number, prefixBits: number, flags: number): Uint8Array {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Uint8Array.of(flags | value);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
