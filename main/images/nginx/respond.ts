// nginx's output filters: what a result becomes on its way out, down to the bytes of its head.
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import type { HeaderList } from '../../network/http/index.ts';
import type { Exchange, Result } from './exchange.ts';
import { readExpiresTime } from './compile-settings.ts';
import { CLOSING, signature } from './route.ts';
import { STATUS_LINES } from './pages.ts';
import { fill } from './template.ts';

export interface Outgoing {
  readonly head: string;
  readonly headers: HeaderList;
  readonly status: number;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly isChunked: boolean;
  readonly keepsAlive: boolean;
}

type Field = readonly [string, string];

/** Statuses that add_header and expires count for without `always`. */
const HEADER_STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** Runs the filters. `mayKeep`: whether the connection may carry another request, as far as the client goes. */
export async function prepare(exchange: Exchange, given: Result, mayKeep: boolean): Promise<Outgoing> {
  let result = notModified(exchange, given);
  if (result.status !== 304) {
    result = await gathered(exchange, result);
  }
  result = addHeaders(exchange, result);
  result = substitute(exchange, result);
  result = withCharset(exchange, result);
  result = await compress(exchange, result);
  result = inRanges(exchange, result);
  return format(exchange, result, mayKeep);
}

/** If-Modified-Since, If-None-Match and their kin. */
function notModified(exchange: Exchange, result: Result): Result {
  const { settings } = exchange;
  if (result.status !== 200 || exchange.isSubrequest) return result;
  const etag = fieldOf(result.headers, 'etag');
  const modified = result.lastModifiedMs ?? result.givenLastModifiedMs;
  const unmodified = exchange.header('If-Unmodified-Since');
  if (unmodified !== undefined && modified !== undefined && !(modified <= (Date.parse(unmodified) || -1)))
    return failed(412, exchange);
  const match = exchange.header('If-Match');
  if (match !== undefined && !etagMatches(match, etag, false)) return failed(412, exchange);
  const since = exchange.header('If-Modified-Since');
  const none = exchange.header('If-None-Match');
  if (since === undefined && none === undefined) return result;
  if (since !== undefined && (modified === undefined || settings.ifModifiedSince === 'off')) return result;
  if (since !== undefined) {
    const asked = Date.parse(since);
    const isSame = asked === modified || (settings.ifModifiedSince === 'before' && asked > modified!);
    if (!isSame) return result;
  }
  if (none !== undefined && !etagMatches(none, etag, true)) return result;
  const { contentType, contentLength, ...rest } = result;
  void contentType;
  void contentLength;
  return {
    ...rest,
    status: 304,
    headers: result.headers.filter(
      ([name]) => !['content-encoding', 'accept-ranges'].includes(name.toLowerCase()),
    ),
    allowsRanges: false,
    body: Buffer.alloc(0),
  };
}

function failed(status: number, exchange: Exchange): Result {
  const text = `<html>\r\n<head><title>412 Precondition Failed</title></head>\r\n<body>\r\n<center><h1>412 Precondition Failed</h1></center>\r\n<hr><center>${signature(exchange, exchange.settings)}</center>\r\n</body>\r\n</html>\r\n`;
  const body = Buffer.from(text);
  return { status, contentType: 'text/html', contentLength: body.length, headers: [], body };
}

function etagMatches(list: string, etag: string | undefined, isWeak: boolean): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined) return false;
  const bare = (text: string): string => (isWeak ? text.replace(/^W\//, '') : text);
  return list.split(',').some((each) => bare(each.trim()) === bare(etag));
}

function fieldOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([field]) => field.toLowerCase() === name)?.[1];
}

/** add_before_body and add_after_body need the pieces together, as gunzip and sub_filter do. */
async function gathered(exchange: Exchange, result: Result): Promise<Result> {
  const { settings } = exchange;
  const needs = !(result.body instanceof Uint8Array) && (settings.subFilters.length > 0 || settings.gunzip);
  if (!needs) return result;
  const body = await collect(result.body as AsyncIterable<Uint8Array>);
  const encoding = fieldOf(result.headers, 'content-encoding');
  if (settings.gunzip && encoding === 'gzip' && !acceptsGzip(exchange)) {
    const plain = gunzipSync(body);
    const { contentLength, ...rest } = result;
    void contentLength;
    return {
      ...rest,
      headers: result.headers.filter(([name]) => name.toLowerCase() !== 'content-encoding'),
      body: onePiece(plain),
    };
  }
  return { ...result, body };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** A body whose length isn't told beforehand. */
async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** expires and add_header. */
function addHeaders(exchange: Exchange, result: Result): Result {
  const { settings } = exchange;
  exchange.responseHeaders = fieldsOf(result);
  const isGood = HEADER_STATUSES.has(result.status);
  const expires = isGood ? expiresFields(exchange, result) : [];
  const added = settings.addHeaders
    .filter(({ always }) => always || isGood)
    .map(({ name, value }): Field => [name, fill(value, exchange)])
    .filter(([, value]) => value !== '');
  const replaced = new Set(expires.map(([name]) => name.toLowerCase()));
  let { lastModifiedMs } = result;
  let headers = result.headers.filter(([name]) => !replaced.has(name.toLowerCase()));
  const plain: Field[] = [];
  for (const field of added) {
    const lower = field[0].toLowerCase();
    if (lower === 'last-modified') {
      // It stands where other added fields do.
      lastModifiedMs = undefined;
      plain.push(field);
    } else if (lower === 'etag')
      headers = [...headers.filter(([name]) => name.toLowerCase() !== 'etag'), field];
    else plain.push(field);
  }
  return {
    ...result,
    lastModifiedMs,
    headers: [...headers, ...expires, ...plain],
  };
}

function expiresFields(exchange: Exchange, result: Result): Field[] {
  const { expires } = exchange.settings;
  const now = exchange.world.proc.clock.now();
  const http = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toUTCString();
  if (expires === undefined || expires.kind === 'off') return [];
  let { kind, ms } = expires;
  if (kind === 'variable') {
    const text = fill(expires.template, exchange);
    if (text === 'epoch' || text === 'max') kind = text;
    else {
      const value = readExpiresTime(text);
      if (value === undefined) return [];
      ({ kind, ms } = value);
    }
  }
  if (kind === 'epoch')
    return [
      ['Expires', 'Thu, 01 Jan 1970 00:00:01 GMT'],
      ['Cache-Control', 'no-cache'],
    ];
  if (kind === 'max')
    return [
      ['Expires', 'Thu, 31 Dec 2037 23:55:55 GMT'],
      ['Cache-Control', 'max-age=315360000'],
    ];
  if (kind === 'daily') {
    const day = 86_400_000;
    const today = Math.floor(now / day) * day + ms;
    ms = (today > now ? today : today + day) - now;
  } else if (kind === 'modified') {
    if (result.lastModifiedMs === undefined) return [];
    ms += result.lastModifiedMs - now;
  }
  if (ms < 0)
    return [
      ['Expires', http(now + ms)],
      ['Cache-Control', 'no-cache'],
    ];
  return [
    ['Expires', http(now + ms)],
    ['Cache-Control', `max-age=${Math.floor(ms / 1000)}`],
  ];
}

function typeMatches(types: readonly string[], contentType: string | undefined): boolean {
  const bare = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  return types.includes('*') || types.includes(bare);
}

function substitute(exchange: Exchange, result: Result): Result {
  const { settings } = exchange;
  if (settings.subFilters.length === 0 || result.contentLength === 0 || result.status === 304) return result;
  if (!typeMatches(settings.subFilterTypes, result.contentType) || !(result.body instanceof Uint8Array))
    return result;
  if (fieldOf(result.headers, 'content-encoding') !== undefined) return result;
  let text = Buffer.from(result.body).toString('latin1');
  const rules = settings.subFilters.map(({ from, to }) => ({
    from: fill(from, exchange),
    to: fill(to, exchange),
    done: false,
  }));
  let out = '';
  while (text !== '') {
    let best: { at: number; rule: (typeof rules)[number] } | undefined;
    for (const rule of rules) {
      if (rule.done || rule.from === '') continue;
      const at = text.toLowerCase().indexOf(rule.from.toLowerCase());
      if (at >= 0 && (best === undefined || at < best.at)) best = { at, rule };
    }
    if (best === undefined) break;
    out += text.slice(0, best.at) + best.rule.to;
    text = text.slice(best.at + best.rule.from.length);
    if (settings.subFilterOnce) best.rule.done = true;
  }
  const { contentLength, lastModifiedMs, ...rest } = result;
  void contentLength;
  const etag = weakened(result.headers);
  return {
    ...rest,
    ...(settings.subFilterLastModified && lastModifiedMs !== undefined ? { lastModifiedMs } : {}),
    headers: settings.subFilterLastModified ? etag : etag.filter(([name]) => name.toLowerCase() !== 'etag'),
    allowsRanges: false,
    body: onePiece(Buffer.from(out + text, 'latin1')),
  };
}

/** An ETag that may stand for other bytes with the same meaning. */
function weakened(headers: HeaderList): Field[] {
  return headers.map(([name, value]): Field =>
    name.toLowerCase() === 'etag' && !value.startsWith('W/') ? [name, `W/${value}`] : [name, value],
  );
}

function withCharset(exchange: Exchange, result: Result): Result {
  const { charset, charsetTypes } = exchange.settings;
  const { contentType } = result;
  if (charset === undefined || contentType === undefined || /charset=/i.test(contentType)) return result;
  return typeMatches(charsetTypes, contentType)
    ? { ...result, contentType: `${contentType}; charset=${charset}` }
    : result;
}

/** Whether the client takes gzip (ngx_http_gzip_accept_encoding). */
function acceptsGzip(exchange: Exchange): boolean {
  const accept = exchange.header('Accept-Encoding') ?? '';
  const match = /(?:^|[\s,])gzip(?:\s*;\s*q=([\d.]+))?/i.exec(accept);
  return match !== null && match[1] !== '0' && !/^0(?:\.0*)?$/.test(match[1] ?? '1');
}

async function compress(exchange: Exchange, result: Result): Promise<Result> {
  const { settings, head } = exchange;
  const isFit =
    settings.gzip &&
    [200, 403, 404].includes(result.status) &&
    fieldOf(result.headers, 'content-encoding') === undefined &&
    (result.contentLength === undefined || result.contentLength >= settings.gzipMinLength) &&
    typeMatches(settings.gzipTypes, result.contentType);
  if (!isFit) return result;
  const withVary = settings.gzipVary
    ? { ...result, headers: [...result.headers, ['\u0000vary', ''] as const] }
    : result;
  const isOld = head.version === '1.0' || head.version === '0.9';
  if (!acceptsGzip(exchange) || (isOld && !settings.gzipHttp10)) return withVary;
  if (exchange.header('Via') !== undefined && !viaAllows(exchange, result)) return withVary;
  const whole = result.body instanceof Uint8Array ? result.body : await collect(result.body);
  const packed = gzipSync(whole, { level: settings.gzipLevel, strategy: constants.Z_DEFAULT_STRATEGY });
  packed[9] = 3; // Unix, as nginx's own header says.
  exchange.gzipRatio = packed.length === 0 ? undefined : (whole.length / packed.length).toFixed(2);
  const { contentLength, ...rest } = withVary;
  void contentLength;
  return {
    ...rest,
    headers: [...weakened(withVary.headers), ['Content-Encoding', 'gzip']],
    allowsRanges: false,
    body: onePiece(packed),
  };
}

function viaAllows(exchange: Exchange, result: Result): boolean {
  const words = exchange.settings.gzipProxied;
  if (words.includes('any')) return true;
  if (words.includes('off')) return false;
  const cache = fieldOf(result.headers, 'cache-control') ?? '';
  return (
    (words.includes('expired') && fieldOf(result.headers, 'expires') !== undefined) ||
    (words.includes('no-cache') && cache.includes('no-cache')) ||
    (words.includes('no-store') && cache.includes('no-store')) ||
    (words.includes('private') && cache.includes('private')) ||
    (words.includes('no_last_modified') && result.lastModifiedMs === undefined) ||
    (words.includes('no_etag') && fieldOf(result.headers, 'etag') === undefined) ||
    (words.includes('auth') && exchange.header('Authorization') !== undefined)
  );
}

/** Range requests (RFC 9110, 14). */
function inRanges(exchange: Exchange, result: Result): Result {
  const { settings, head } = exchange;
  if (
    result.allowsRanges !== true ||
    result.status !== 200 ||
    !(result.body instanceof Uint8Array) ||
    settings.maxRanges === 0
  )
    return result;
  const accepting: Result = { ...result, headers: [...result.headers, ['Accept-Ranges', 'bytes']] };
  const asked = exchange.header('Range');
  if (head.version === '0.9' || asked === undefined || !/^bytes=/i.test(asked)) return accepting;
  const condition = exchange.header('If-Range');
  if (condition !== undefined) {
    const holds = condition.startsWith('"')
      ? condition === fieldOf(result.headers, 'etag')
      : Date.parse(condition) === result.lastModifiedMs;
    if (!holds) return accepting;
  }
  const size = result.body.length;
  const ranges = parseRanges(asked.slice(6), size, settings.maxRanges);
  if (ranges === 'ignore') return accepting;
  if (ranges === 'bad') {
    const body = Buffer.from(
      `<html>\r\n<head><title>416 Requested Range Not Satisfiable</title></head>\r\n<body>\r\n<center><h1>416 Requested Range Not Satisfiable</h1></center>\r\n<hr><center>${signature(exchange, settings)}</center>\r\n</body>\r\n</html>\r\n`,
    );
    return {
      status: 416,
      contentType: 'text/html',
      contentLength: body.length,
      headers: [['Content-Range', `bytes */${size}`]],
      body,
    };
  }
  if (ranges.length === 1) {
    const [{ start, end }] = ranges as [{ start: number; end: number }];
    return {
      ...result,
      status: 206,
      headers: [...result.headers, ['Content-Range', `bytes ${start}-${end - 1}/${size}`]],
      contentLength: end - start,
      body: result.body.subarray(start, end),
    };
  }
  const boundary = String(exchange.world.proc.random.integer(99_999_999)).padStart(20, '0');
  const parts: Uint8Array[] = [];
  for (const { start, end } of ranges) {
    parts.push(
      Buffer.from(
        `\r\n--${boundary}\r\n${result.contentType === undefined ? '' : `Content-Type: ${result.contentType}\r\n`}Content-Range: bytes ${start}-${end - 1}/${size}\r\n\r\n`,
      ),
      result.body.subarray(start, end),
    );
  }
  parts.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  const body = Buffer.concat(parts);
  return {
    ...result,
    status: 206,
    contentType: `multipart/byteranges; boundary=${boundary}`,
    contentLength: body.length,
    body,
  };
}

function parseRanges(
  text: string,
  size: number,
  rangesMax: number,
): { start: number; end: number }[] | 'ignore' | 'bad' {
  const ranges: { start: number; end: number }[] = [];
  for (const word of text.split(',')) {
    const match = /^\s*(\d*)\s*-\s*(\d*)\s*$/.exec(word);
    if (match === null || (match[1] === '' && match[2] === '')) return 'bad';
    const [, first = '', last = ''] = match;
    const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
    if (start < end) ranges.push({ start, end });
    if (ranges.length > rangesMax) return 'ignore';
  }
  if (ranges.length === 0) return 'bad';
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return total > size ? 'ignore' : ranges;
}

/** All fields of an answer that has been decided on, for $sent_http_*. */
function fieldsOf(result: Result): Field[] {
  return [
    ...(result.contentType === undefined ? [] : [['Content-Type', result.contentType] as const]),
    ...(result.contentLength === undefined
      ? []
      : [['Content-Length', String(result.contentLength)] as const]),
    ...(result.location === undefined ? [] : [['Location', result.location] as const]),
    ...result.headers,
  ];
}

function statusLine({ status, statusLine: given }: Result): string {
  if (given !== undefined && given.startsWith(String(status))) return given;
  return STATUS_LINES[status] ?? `${String(status).padStart(3, '0')} `;
}

function format(exchange: Exchange, result: Result, mayKeep: boolean): Outgoing {
  const { head, settings, connection } = exchange;
  const { status } = result;
  const isBodiless = status === 204 || status === 304 || status < 200;
  const isHead = exchange.head.method === 'HEAD';
  const hasLength = result.contentLength !== undefined && !isBodiless;
  const isModern = head.version === '1.1' || head.version === '2.0';
  const isChunked =
    !hasLength && !isBodiless && !isHead && isModern && settings.chunked && result.upgrade === undefined;
  const lasts =
    mayKeep &&
    !CLOSING.has(status) &&
    settings.keepaliveTimeoutMs > 0 &&
    connection.requests < settings.keepaliveRequests &&
    (hasLength || isChunked || isBodiless || isHead);
  const vary = result.headers.some(([name]) => name === '\u0000vary');
  const hasServer = fieldOf(result.headers, 'server') !== undefined;
  const hasDate = fieldOf(result.headers, 'date') !== undefined;
  const isUpgrade = result.upgrade !== undefined;
  const headers: Field[] = [
    ...(hasServer ? [] : [['Server', signature(exchange, settings)] as const]),
    ...(hasDate
      ? []
      : [['Date', new Date(Math.floor(exchange.world.proc.clock.now())).toUTCString()] as const]),
    ...(result.contentType === undefined || result.contentType === '' || status === 304 || status === 204
      ? []
      : [['Content-Type', result.contentType] as const]),
    ...(hasLength ? [['Content-Length', String(result.contentLength)] as const] : []),
    ...(result.lastModifiedMs === undefined || ![200, 206, 304].includes(status)
      ? []
      : [['Last-Modified', new Date(result.lastModifiedMs).toUTCString()] as const]),
    ...(result.location === undefined ? [] : [['Location', result.location] as const]),
    ...(isChunked ? [['Transfer-Encoding', 'chunked'] as const] : []),
    ['Connection', isUpgrade ? 'upgrade' : lasts ? 'keep-alive' : 'close'],
    ...(lasts && settings.keepaliveHeaderSeconds > 0 && !isUpgrade
      ? [['Keep-Alive', `timeout=${settings.keepaliveHeaderSeconds}`] as const]
      : []),
    ...(vary ? [['Vary', 'Accept-Encoding'] as const] : []),
    ...result.headers.filter(([name]) => name !== '\u0000vary'),
  ];
  const isOverH2 = head.version === '2.0';
  const shown = isOverH2
    ? headers.filter(
        ([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name.toLowerCase()),
      )
    : headers;
  const text = `HTTP/1.1 ${statusLine(result)}\r\n${(isOverH2 ? headers : shown).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  exchange.status = status;
  exchange.responseHeaders = shown;
  return {
    head: head.version === '0.9' ? '' : text,
    headers: shown,
    status,
    body: isHead || isBodiless ? undefined : result.body,
    isChunked: isChunked && !isHead,
    keepsAlive: lasts,
  };
}
