// pods/proxy, services/proxy and nodes/proxy: a request goes on to a backend, its answer comes back (apimachinery util/proxy).
import { gunzipSync, gzipSync, inflateRawSync, deflateRawSync } from 'node:zlib';
import {
  headerOf,
  HttpProtocolError,
  httpRequest,
  type ClientResponse,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
} from '../../../network/http/index.ts';
import { ErrnoError, type ByteStream } from '../../../network/index.ts';
import type { Served } from '../catalogue.ts';
import type { Exchange } from '../http/door.ts';
import { failure, methodNotAllowed } from '../refusals.ts';
import { dial, DialError, type Target } from './dial.ts';
import { joinStreams } from './join-streams.ts';
import { rewriteHtml, rewriteUrl, type ProxyPlace } from './proxy-rewrite.ts';
import { proxyTarget } from './proxy-target.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Of one connection, not of the message (RFC 9110, 7.6.1); Go's ReverseProxy takes them off. */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What the API server's own authentication has used up. */
const CREDENTIALS = /^(authorization$|impersonate-|x-remote-|expect$)/;
const CORS = /^access-control-(allow-(credentials|headers|methods|origin)|expose-headers|max-age)$/;
/** A page larger than this is passed on as it is, in bytes. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

/** The path of the proxy itself, and what follows it. */
const PROXY_PATH = /^(\/api\/v1\/(?:namespaces\/[^/]+\/(?:pods|services)|nodes)\/[^/]+\/proxy)(\/.*)?$/;

/** Throws 400, 404 or 503 when there is nothing to lead to, 500 or 503 when that can't be reached. */
export async function proxyAnswer(exchange: Exchange, served: Served): Promise<HttpResponse> {
  const { core, request } = exchange;
  if (!METHODS.has(request.method)) throw methodNotAllowed();
  const target = proxyTarget(exchange, served);
  const [path = '', ...rest] = request.target.split('?');
  const search = rest.length === 0 ? '' : `?${rest.join('?')}`;
  const [, prefix = '', tail = ''] = PROXY_PATH.exec(path) ?? [];
  const isUpgrade = /\bupgrade\b/i.test(headerOf(request.headers, 'connection') ?? '');
  if (tail === '' && !isUpgrade && (request.method === 'GET' || request.method === 'HEAD'))
    return { status: 301, headers: [['location', `${path}/${search}`]] };

  const backendHost = `${target.address}:${target.port}`;
  const requestHost = headerOf(request.headers, 'host') ?? backendHost;
  const place: ProxyPlace = { prefix, backendHost, requestHost };
  let stream: ByteStream | undefined;
  try {
    stream = await dial(core, target, request.signal);
    const response = await httpRequest(stream, {
      method: request.method,
      target: `${tail === '' ? '/' : tail}${search}`,
      headers: forwardedHeaders(request, place, tail, isUpgrade),
      ...(hasBody(request) ? { body: request.body } : {}),
      signal: request.signal,
    });
    return await answerOf(response, stream, request, place);
  } catch (error) {
    stream?.close();
    request.signal.throwIfAborted();
    throw refusalOf(error, target, isUpgrade);
  }
}

function refusalOf(error: unknown, { address, port }: Target, isUpgrade: boolean): unknown {
  const why =
    error instanceof DialError
      ? error.message
      : error instanceof ErrnoError
        ? `read tcp ${address}:${port}: read: ${error.message.toLowerCase()}`
        : error instanceof HttpProtocolError
          ? protocolProblem(error)
          : undefined;
  if (why === undefined) return error;
  return isUpgrade
    ? failure(500, undefined, `error dialing backend: ${why}`)
    : failure(503, 'ServiceUnavailable', `error trying to reach service: ${why}`, undefined);
}

/** Go's words for an answer that isn't HTTP, or isn't there at all. */
function protocolProblem({ message }: HttpProtocolError): string {
  return message.startsWith('Empty reply')
    ? 'EOF'
    : `net/http: HTTP/1.x transport connection broken: ${message}`;
}

function hasBody({ headers }: HttpRequest): boolean {
  const length = headerOf(headers, 'content-length');
  return headerOf(headers, 'transfer-encoding') !== undefined || (length !== undefined && length !== '0');
}

function forwardedHeaders(
  { headers, peer }: HttpRequest,
  place: ProxyPlace,
  tail: string,
  isUpgrade: boolean,
): HeaderList {
  const named = connectionTokens(headers);
  const kept = headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (isUpgrade && (lower === 'upgrade' || lower === 'connection')) return true;
    return !HOP_BY_HOP.has(lower) && !named.has(lower) && !CREDENTIALS.test(lower) && !OWN.has(lower);
  });
  const before = headerOf(headers, 'x-forwarded-for');
  return [
    ['Host', place.requestHost],
    ...kept,
    ['X-Forwarded-For', before === undefined ? peer.address : `${before}, ${peer.address}`],
    ['X-Forwarded-Uri', `${place.prefix}${tail === '' ? '/' : tail}`],
  ];
}

/** Headers that are set anew. */
const OWN = new Set(['host', 'x-forwarded-for', 'x-forwarded-uri']);

function connectionTokens(headers: HeaderList): Set<string> {
  return new Set(
    (headerOf(headers, 'connection') ?? '').split(',').map((token) => token.trim().toLowerCase()),
  );
}

async function answerOf(
  response: ClientResponse,
  stream: ByteStream,
  request: HttpRequest,
  place: ProxyPlace,
): Promise<HttpResponse> {
  const { status } = response;
  if (response.upgraded !== undefined) {
    const { upgraded } = response;
    return { status, headers: response.headers, upgrade: (client) => joinStreams(client, upgraded) };
  }
  const headers = answerHeaders(response.headers, place);
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    stream.close();
    return { status, headers };
  }
  const type = (headerOf(headers, 'content-type') ?? '').split(';')[0]!.trim();
  const isRedirect = headerOf(headers, 'location') !== undefined;
  if (type !== 'text/html' || isRedirect) {
    request.signal.addEventListener('abort', () => stream.close(), { once: true });
    return { status, headers, body: closingAtEnd(response.body, stream) };
  }
  return pageAnswer(status, headers, response.body, stream, place);
}

function answerHeaders(headers: HeaderList, place: ProxyPlace): HeaderList {
  const named = connectionTokens(headers);
  const kept = headers
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && !named.has(lower) && !CORS.test(lower);
    })
    .map(([name, value]): readonly [string, string] =>
      name.toLowerCase() === 'location' ? [name, rewriteUrl(value, place)] : [name, value],
    );
  return [['Cache-Control', 'no-cache, private'], ...kept];
}

async function* closingAtEnd(
  body: AsyncIterable<Uint8Array>,
  stream: ByteStream,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    stream.close();
  }
}

/** A page, whole, with its links rewritten; one in an unknown encoding stays as it is. */
async function pageAnswer(
  status: number,
  headers: HeaderList,
  body: AsyncIterable<Uint8Array>,
  stream: ByteStream,
  place: ProxyPlace,
): Promise<HttpResponse> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of body) {
      pieces.push(piece);
      sizeBytes += piece.length;
      if (sizeBytes > PAGE_BYTES_MAX) throw failure(502, undefined, 'drydock: a page too large to rewrite');
    }
  } finally {
    stream.close();
  }
  const page = Buffer.concat(pieces);
  const encoding = headerOf(headers, 'content-encoding') ?? '';
  const coding = CODINGS[encoding];
  if (coding === undefined) return { status, headers, body: page };
  const rewritten = coding.encode(
    Buffer.from(rewriteHtml(coding.decode(page).toString('utf8'), place), 'utf8'),
  );
  return {
    status,
    headers: [
      ...headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
      ['Content-Length', String(rewritten.length)],
    ],
    body: rewritten,
  };
}

interface Coding {
  decode(bytes: Buffer): Buffer;
  encode(bytes: Buffer): Buffer;
}

const CODINGS: Readonly<Record<string, Coding>> = {
  '': { decode: (bytes) => bytes, encode: (bytes) => bytes },
  gzip: { decode: (bytes) => gunzipSync(bytes), encode: (bytes) => gzipSync(bytes) },
  deflate: { decode: (bytes) => inflateRawSync(bytes), encode: (bytes) => deflateRawSync(bytes) },
};
