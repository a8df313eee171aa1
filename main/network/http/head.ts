// Heads of HTTP/1.1 messages: start line and fields (RFC 9112).
import { headerOf, type Body, type HeaderList } from './message.ts';

/** Go's DefaultMaxHeaderBytes. */
export const HEAD_BYTES_MAX = 1_048_576;
const FIELDS_MAX = 1000;

/** The other side broke the protocol. `status` is what a server answers to it. */
export class HttpProtocolError extends Error {
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly headers: HeaderList;
}

export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Throws HttpProtocolError 400, 431, 505. */
export function parseRequestHead(text: string): RequestHead {
  const lines = text.split(/\r?\n/);
  const match = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/.exec(lines[0] ?? '');
  if (match === null) throw new HttpProtocolError(400, `malformed HTTP request "${lines[0] ?? ''}"`);
  const [, method = '', target = '', major, minor] = match;
  if (major !== '1') throw new HttpProtocolError(505, `unsupported protocol version HTTP/${major}.${minor}`);
  if (!TOKEN.test(method)) throw new HttpProtocolError(400, `invalid method "${method}"`);
  const headers = parseFields(lines);
  const version = minor === '0' ? '1.0' : '1.1';
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').length;
  if (version === '1.1' && hosts === 0) throw new HttpProtocolError(400, 'missing required Host header');
  if (hosts > 1) throw new HttpProtocolError(400, 'too many Host headers');
  return { method, target, version, headers };
}

/** Throws HttpProtocolError. */
export function parseResponseHead(text: string): ResponseHead {
  const lines = text.split(/\r?\n/);
  const match = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(lines[0] ?? '');
  if (match === null) throw new HttpProtocolError(502, `malformed HTTP response "${lines[0] ?? ''}"`);
  const [, version = '1.1', status, reason = ''] = match;
  return { version, status: Number(status), reason, headers: parseFields(lines) };
}

function parseFields(lines: readonly string[]): HeaderList {
  const headers: [string, string][] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon <= 0 || !TOKEN.test(name)) throw new HttpProtocolError(400, `malformed header line "${line}"`);
    if (headers.length >= FIELDS_MAX) throw new HttpProtocolError(431, 'too many header fields');
    headers.push([name, decodeUtf8(line.slice(colon + 1).trim())]);
  }
  return headers;
}

/** Field values are bytes; what is valid UTF-8 is read as such. */
function decodeUtf8(latin1Text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(latin1Text)) return latin1Text;
  const text = Buffer.from(latin1Text, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? latin1Text : text;
}

/** A head as bytes. */
export function formatHead(startLine: string, headers: HeaderList): Uint8Array {
  let text = `${startLine}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`;
  return Buffer.from(`${text}\r\n`, 'utf8');
}

/** Whether a comma-separated field holds a token. */
export function hasToken(headers: HeaderList, name: string, token: string): boolean {
  const wanted = name.toLowerCase();
  return headers.some(
    ([field, value]) =>
      field.toLowerCase() === wanted &&
      value
        .toLowerCase()
        .split(',')
        .some((part) => part.trim() === token),
  );
}

/** Whether the connection may carry another message after this one (RFC 9112, 9.3). */
export function keepsAlive(version: string, headers: HeaderList): boolean {
  if (hasToken(headers, 'connection', 'close')) return false;
  return version === '1.1' || hasToken(headers, 'connection', 'keep-alive');
}

/** How a message's body ends. Throws HttpProtocolError 400 for contradictory or bad lengths. */
export function bodyLength(headers: HeaderList): 'chunked' | number | undefined {
  const coding = headerOf(headers, 'transfer-encoding');
  const lengths = new Set(
    headers.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value),
  );
  if (coding !== undefined) {
    if (coding.toLowerCase().trim() !== 'chunked')
      throw new HttpProtocolError(501, `unsupported transfer encoding: "${coding}"`);
    if (lengths.size > 0) throw new HttpProtocolError(400, 'both Transfer-Encoding and Content-Length'); // Request smuggling.
    return 'chunked';
  }
  if (lengths.size === 0) return undefined;
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length))
    throw new HttpProtocolError(400, `bad Content-Length "${length}"`);
  return Number(length);
}

/** A body's bytes, if it's whole. */
export function wholeBody(body: Body | undefined): Uint8Array | undefined {
  if (body === undefined) return new Uint8Array(0);
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return body instanceof Uint8Array ? body : undefined;
}

export const STATUS_TEXTS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};
