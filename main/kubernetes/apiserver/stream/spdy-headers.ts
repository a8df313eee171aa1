// SPDY/3 header blocks: name-value pairs in one zlib stream per direction that starts with a dictionary everybody knows.
import { constants, inflateRawSync } from 'node:zlib';

/** The words that the dictionary lists with their lengths (SPDY protocol draft 3, 2.6.10.1). */
const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin';
const TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

/** What both directions' compression begins with. */
const SPDY_DICTIONARY: Buffer = Buffer.concat([
  ...WORDS.split(' ').map((word) => text(word.replace('_', ' '))),
  Buffer.from(TAIL, 'latin1'),
]);

/** zlib's head (RFC 1950) that names the dictionary by its Adler-32. */
const ZLIB_HEAD = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);
/** An empty stored block: readers give out what they have when it comes. */
const SYNC_FLUSH = Buffer.from([0, 0, 0, 0xff, 0xff]);
/** How far back deflate looks, in bytes. */
const WINDOW_BYTES = 32_768;
/** A block that inflates to more is refused. */
const HEADERS_BYTES_MAX = 64 * 1024;

/** What came isn't SPDY/3.1. */
export class SpdyError extends Error {}

export type SpdyHeaders = Readonly<Record<string, string>>;

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads one direction's header blocks, which refer back to earlier ones. */
export class HeaderReader {
  private window: Buffer = SPDY_DICTIONARY;
  private isFirst = true;

  /** Throws SpdyError for a block that can't be read. */
  read(block: Uint8Array): SpdyHeaders {
    try {
      return this.readPairs(block);
    } catch (error) {
      throw new SpdyError('a header block that cannot be read', { cause: error });
    }
  }

  private readPairs(block: Uint8Array): SpdyHeaders {
    // Blocks end in a sync flush, so each is whole deflate blocks, given what came before as the dictionary.
    const body = this.isFirst ? block.subarray(ZLIB_HEAD.length) : block;
    this.isFirst = false;
    const plain = inflateRawSync(body, {
      dictionary: this.window,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: HEADERS_BYTES_MAX,
    });
    this.window = Buffer.concat([this.window, plain]).subarray(-WINDOW_BYTES);
    return pairsOf(plain);
  }
}

function pairsOf(plain: Buffer): SpdyHeaders {
  const headers: Record<string, string> = {};
  let offset = 4;
  const next = (): string => {
    const length = plain.readUInt32BE(offset); // RangeError at the end of a block that promises more.
    if (offset + 4 + length > plain.length) throw new RangeError('a header that ends early');
    const value = plain.toString('utf8', offset + 4, offset + 4 + length);
    offset += 4 + length;
    return value;
  };
  for (let left = plain.readUInt32BE(0); left > 0; left--) {
    const name = next();
    headers[name.toLowerCase()] = next();
  }
  return headers;
}

/** Writes header blocks; stored, not compressed, which is a valid zlib stream all the same. */
export class HeaderWriter {
  private isFirst = true;

  write(headers: SpdyHeaders): Buffer {
    const pairs = Object.entries(headers);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(pairs.length);
    const plain = Buffer.concat([count, ...pairs.flatMap(([name, value]) => [text(name), text(value)])]);
    const head = Buffer.alloc(5); // A stored block that isn't the last (RFC 1951, 3.2.4).
    head.writeUInt16LE(plain.length, 1);
    head.writeUInt16LE(plain.length ^ 0xffff, 3);
    const block = Buffer.concat([this.isFirst ? ZLIB_HEAD : Buffer.alloc(0), head, plain, SYNC_FLUSH]);
    this.isFirst = false;
    return block;
  }
}
