// Passes a request on to another server and its answer back (ngx_http_proxy_module, ngx_http_upstream.c).
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import {
  HttpClientConnection,
  HttpProtocolError,
  type ClientResponse,
  type HeaderList,
} from '../../network/http/index.ts';
import { connectTls, TlsError } from '../../network/tls/index.ts';
import { toBody, toBytes, toText } from './bytes.ts';
import { Choice, type Peer } from './balance.ts';
import { splitTarget } from './compile-proxy.ts';
import { ConfigError } from './config.ts';
import { HttpError, type Exchange, type Result, type UpstreamTry } from './exchange.ts';
import { absolute, errnoText, escapeUri } from './files.ts';
import type { ProxySettings } from './settings.ts';
import { fill, type Template } from './template.ts';

/** The request's body could not be taken: its own status goes back. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']);
/** Fields of the other server's answer that nginx keeps to itself. */
const HIDDEN = new Set([
  'date',
  'server',
  'x-pad',
  'x-accel-expires',
  'x-accel-redirect',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset',
]);
const HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-type',
  'status',
]);

/** Why a try failed, in the words of proxy_next_upstream. */
class TryFailed extends Error {
  readonly reason: string;
  readonly status: number;
  constructor(reason: string, status: number) {
    super(reason);
    this.reason = reason;
    this.status = status;
  }
}

type Target = ReturnType<typeof splitTarget>;

/** Answers with what the other server says. Throws HttpError 502, 504 and the like. */
export async function passOn(exchange: Exchange, proxy: ProxySettings): Promise<Result> {
  const { world } = exchange;
  const target = readTarget(exchange, proxy);
  exchange.proxyHost = target.authority;
  exchange.proxyPort = String(target.port);
  const body = proxy.passBody ? await exchange.readBody() : Buffer.alloc(0);
  const content = proxy.body === undefined ? body : toBody(fill(proxy.body, exchange));
  const uri = requestUri(exchange, proxy, target);
  const headers = requestHeaders(exchange, proxy, target, content);
  const choice = await chooser(exchange, proxy, target);
  const startMs = world.proc.clock.now();
  const triesMax = Math.min(proxy.nextTries, Math.max(1, choice.triesMax));
  let failure: TryFailed | undefined;
  for (let count = 1; ; count++) {
    const peer = choice.next();
    if (peer === undefined) {
      choice.forget();
      exchange.tries.push({
        address: target.host,
        status: 502,
        connectMs: undefined,
        headerMs: undefined,
        responseMs: 0,
        bytesReceived: 0,
      });
      exchange.log(
        'error',
        `no live upstreams while connecting to upstream, upstream: "${target.scheme}://${target.authority}${uri}"`,
      );
      throw new HttpError(502);
    }
    const attempt: UpstreamTry = {
      address: peer.name,
      status: undefined,
      connectMs: undefined,
      headerMs: undefined,
      responseMs: 0,
      bytesReceived: 0,
    };
    exchange.tries.push(attempt);
    const tryMs = world.proc.clock.now();
    try {
      return await tryPeer({
        exchange,
        proxy,
        target,
        peer,
        choice,
        uri,
        headers,
        content,
        attempt,
        isLast: count >= triesMax,
      });
    } catch (error) {
      if (!(error instanceof TryFailed)) throw error;
      failure = error;
      attempt.status ??= error.status;
      attempt.responseMs = world.proc.clock.now() - tryMs;
      choice.failed(peer);
      if (Choice.isOut(peer) && choice.peers.length > 1)
        exchange.log(
          'warn',
          `upstream server temporarily disabled while ${error.reason === 'http' ? 'reading response header from' : 'connecting to'} upstream, upstream: "${target.scheme}://${peer.name}${uri}"`,
        );
    }
    const isSafe =
      IDEMPOTENT.has(exchange.method) ||
      proxy.next.includes('non_idempotent') ||
      failure.reason === 'connect';
    const isLate = world.proc.clock.now() - startMs >= proxy.nextTimeoutMs;
    const word = failure.reason === 'connect' ? 'error' : failure.reason;
    if (!proxy.next.includes(word) || !isSafe || isLate || count >= triesMax)
      throw new HttpError(failure.status);
  }
}

function readTarget(exchange: Exchange, proxy: ProxySettings): Target {
  const text = fill(proxy.target, exchange);
  try {
    return splitTarget(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exchange.log('error', `invalid URL prefix in "${text}"`);
    throw new HttpError(500);
  }
}

const hasVariables = (template: Template): boolean => template.some((part) => typeof part !== 'string');

function requestUri(exchange: Exchange, proxy: ProxySettings, target: Target): string {
  const args = exchange.args === '' ? '' : `?${exchange.args}`;
  if (hasVariables(proxy.target)) {
    if (target.uri !== undefined) return target.uri;
  } else if (
    target.uri !== undefined &&
    exchange.location !== undefined &&
    !exchange.location.path.startsWith('@')
  ) {
    return target.uri + escapeUri(exchange.uri.slice(exchange.location.path.length)) + args;
  }
  if (!exchange.isUriChanged)
    return exchange.head.target.startsWith('/')
      ? exchange.head.target
      : exchange.head.target.replace(/^\w+:\/\/[^/]*/, '') || '/';
  return escapeUri(exchange.uri) + args;
}

function requestHeaders(
  exchange: Exchange,
  proxy: ProxySettings,
  target: Target,
  content: Uint8Array,
): (readonly [string, string])[] {
  const hasBody =
    content.length > 0 ||
    exchange.header('Content-Length') !== undefined ||
    exchange.header('Transfer-Encoding') !== undefined;
  const defaults: (readonly [string, string])[] = [
    ['Host', hostField(target)],
    ['Connection', 'close'],
    ['Content-Length', hasBody && proxy.passBody ? String(content.length) : ''],
    ['Transfer-Encoding', ''],
    ['TE', ''],
    ['Keep-Alive', ''],
    ['Expect', ''],
    ['Upgrade', ''],
  ];
  const own = proxy.headers.map(([name, value]) => [name, fill(value, exchange)] as const);
  const ownNames = new Set(own.map(([name]) => name.toLowerCase()));
  const made = [...own, ...defaults.filter(([name]) => !ownNames.has(name.toLowerCase()))];
  const names = new Set(made.map(([name]) => name.toLowerCase()));
  const passed = proxy.passHeaders
    ? exchange.head.headers.filter(([name]) => !names.has(name.toLowerCase()))
    : [];
  return [...made.filter(([, value]) => value !== ''), ...passed];
}

/** $proxy_host: the port only where it isn't the scheme's own. */
function hostField({ scheme, authority, port, host }: Target): string {
  if (authority.startsWith('unix:')) return 'localhost';
  return port === (scheme === 'https' ? 443 : 80) ? authority.replace(/:\d+$/, '') || host : authority;
}

async function chooser(exchange: Exchange, proxy: ProxySettings, target: Target): Promise<Choice> {
  const { world, settings } = exchange;
  const upstream =
    world.settings.upstreams.get(target.authority) ?? world.settings.upstreams.get(target.host);
  let dynamic: readonly string[] | undefined;
  const isAddress = /^[\d.]+$|:|^unix/.test(target.host);
  if (upstream === undefined && !isAddress && !world.addresses.has(target.host)) {
    if (settings.resolver === undefined) {
      exchange.log('error', `no resolver defined to resolve ${target.host}`);
      throw new HttpError(502);
    }
    try {
      dynamic = await world.resolve(target.host, settings.resolver);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      exchange.log('error', error.message);
      throw new HttpError(502);
    }
  }
  void proxy;
  return world.balancer.choose({
    name:
      upstream?.name ??
      `${target.host}:${target.port}${dynamic === undefined ? '' : ` ${dynamic.join(' ')}`}`,
    upstream: upstream ?? single(target),
    addressesOf: (host) => dynamic ?? world.addresses.get(host) ?? [host],
    port: target.port,
    client: exchange.clientAddress,
    key: upstream?.hashKey === undefined ? '' : fill(upstream.hashKey, exchange),
  });
}

/** A host that no upstream block describes. */
function single(target: Target): Parameters<Exchange['world']['balancer']['choose']>[0]['upstream'] {
  return {
    name: target.host,
    servers: [
      {
        text: target.authority,
        host: target.host,
        port: target.port,
        weight: 1,
        maxFails: 1,
        failTimeoutMs: 10_000,
        maxConnections: 0,
        isDown: false,
        isBackup: false,
      },
    ],
    method: 'round-robin',
    hashKey: undefined,
    isConsistent: false,
    randomTwo: false,
    keepalive: 0,
    keepaliveTimeoutMs: 60_000,
    keepaliveRequests: 1000,
  };
}

interface Try {
  readonly exchange: Exchange;
  readonly proxy: ProxySettings;
  readonly target: Target;
  readonly peer: Peer;
  readonly choice: Choice;
  readonly uri: string;
  readonly headers: HeaderList;
  readonly content: Uint8Array;
  readonly attempt: UpstreamTry;
  readonly isLast: boolean;
}

async function tryPeer(options: Try): Promise<Result> {
  const { exchange, proxy, target, peer, choice, uri, headers, content, attempt } = options;
  const { clock } = exchange.world.proc;
  const place = `upstream: "${target.scheme}://${peer.name}${uri}"`;
  const startMs = clock.now();
  peer.connections++;
  const stream = await connect(options, place).catch((error: unknown) => {
    peer.connections--;
    throw error;
  });
  attempt.connectMs = clock.now() - startMs;
  let isOpen = true;
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    peer.connections--;
    attempt.responseMs = clock.now() - startMs;
  };
  const method = proxy.method === undefined ? exchange.method : fill(proxy.method, exchange);
  const client = new HttpClientConnection(stream);
  let response: ClientResponse;
  try {
    response = await withTimeout(
      exchange,
      client.request({
        method,
        target: uri,
        headers: headers.map(([name, value]) => [name, toText(value)] as const),
        version: proxy.httpVersion,
        ...(content.length === 0 ? {} : { body: content }),
      }),
      proxy.readTimeoutMs,
    );
  } catch (error) {
    leave();
    stream.close();
    throw headerFailure(exchange, error, place);
  }
  attempt.status = response.status;
  attempt.headerMs = clock.now() - startMs;
  exchange.upstreamHeaders = response.headers;
  const word = `http_${response.status}`;
  if (proxy.next.includes(word) && !options.isLast) {
    leave();
    stream.close();
    throw new TryFailed(word, response.status);
  }
  choice.succeeded(peer);
  if (response.status === 101 && response.upgraded !== undefined) {
    const upstream = response.upgraded;
    return {
      status: 101,
      headers: response.headers.filter(([name]) => !HIDDEN.has(name.toLowerCase())),
      body: Buffer.alloc(0),
      isProxied: true,
      upgrade: async (ownClient) => {
        await tunnel(ownClient, upstream, attempt);
        leave();
      },
    };
  }
  return answerOf(options, response, () => {
    leave();
    stream.close();
  });
}

async function connect({ exchange, proxy, target, peer }: Try, place: string): Promise<ByteStream> {
  const { proc } = exchange.world;
  const stop = new AbortController();
  const timer = proc.clock.after(proxy.connectTimeoutMs, () => stop.abort(new ErrnoError('ETIMEDOUT')));
  let stream: ByteStream;
  try {
    if (peer.address.startsWith('unix:')) throw new ErrnoError('ENOENT');
    stream = await proc.net.sockets.connectTcp(
      { address: peer.address, port: peer.port },
      { owner: proc.socketOwner, signal: stop.signal },
    );
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (stop.signal.aborted || error.code === 'ETIMEDOUT') {
      exchange.log(
        'error',
        `upstream timed out (110: Connection timed out) while connecting to upstream, ${place}`,
      );
      throw new TryFailed('timeout', 504);
    }
    const to = peer.address.startsWith('unix:') ? ` to ${peer.address}` : '';
    exchange.log(
      'error',
      `connect()${to} failed (${errnoText(error)}) while connecting to upstream, ${place}`,
    );
    throw new TryFailed('connect', 502);
  } finally {
    timer[Symbol.dispose]();
  }
  return target.scheme === 'https' ? secure(exchange, proxy, target, stream, place) : stream;
}

async function secure(
  exchange: Exchange,
  proxy: ProxySettings,
  target: Target,
  stream: ByteStream,
  place: string,
): Promise<ByteStream> {
  const { proc } = exchange.world;
  const name = proxy.sslName === undefined ? target.host : fill(proxy.sslName, exchange);
  const read = (path: string | undefined): string => (path === undefined ? '' : proc.fs.readText(path));
  try {
    return await connectTls(stream, {
      serverName: proxy.sslServerName || proxy.sslVerify ? name : '0.0.0.0',
      authorities: read(proxy.sslTrusted),
      insecure: !proxy.sslVerify,
      nowMs: proc.clock.now(),
      random: proc.random,
      ...(proxy.sslCertificate === undefined
        ? {}
        : {
            identity: { certificate: read(proxy.sslCertificate), privateKey: read(proxy.sslCertificateKey) },
          }),
    });
  } catch (error) {
    if (!(error instanceof TlsError || error instanceof ErrnoError)) throw error;
    const what =
      error instanceof ErrnoError
        ? `SSL_do_handshake() failed (${errnoText(error)})`
        : error.code === 'not-tls'
          ? 'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)'
          : error.code === 'closed'
            ? 'peer closed connection in SSL handshake'
            : error.code === 'name-mismatch'
              ? 'upstream SSL certificate does not match "' + name + '"'
              : 'upstream SSL certificate verify error: ' + VERIFY_TEXTS[error.code];
    exchange.log('error', `${what} while SSL handshaking to upstream, ${place}`);
    throw new TryFailed('connect', 502);
  }
}

const VERIFY_TEXTS: Readonly<Record<string, string>> = {
  'self-signed': '(18:self-signed certificate)',
  'self-signed-in-chain': '(19:self-signed certificate in certificate chain)',
  'unknown-authority': '(20:unable to get local issuer certificate)',
  expired: '(10:certificate has expired)',
  'not-yet-valid': '(9:certificate is not yet valid)',
};

class TimedOut extends Error {}

async function withTimeout<T>(exchange: Exchange, work: Promise<T>, ms: number): Promise<T> {
  let timer: Disposable | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = exchange.world.proc.clock.after(ms, () => reject(new TimedOut()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.[Symbol.dispose]();
    work.catch(() => undefined);
  }
}

function headerFailure(exchange: Exchange, error: unknown, place: string): unknown {
  const during = 'while reading response header from upstream';
  if (error instanceof TimedOut) {
    exchange.log('error', `upstream timed out (110: Connection timed out) ${during}, ${place}`);
    return new TryFailed('timeout', 504);
  }
  if (error instanceof ErrnoError) {
    exchange.log('error', `recv() failed (${errnoText(error)}) ${during}, ${place}`);
    return new TryFailed('error', 502);
  }
  if (error instanceof HttpProtocolError) {
    const isEmpty = error.message === 'Empty reply from server';
    exchange.log(
      'error',
      isEmpty
        ? `upstream prematurely closed connection ${during}, ${place}`
        : error.message.includes('too large')
          ? `upstream sent too big header ${during}, ${place}`
          : `upstream sent no valid HTTP/1.0 header ${during}, ${place}`,
    );
    return new TryFailed(isEmpty ? 'error' : 'invalid_header', 502);
  }
  return error;
}

/** The answer with its fields as nginx passes them on. */
function answerOf(
  { exchange, proxy, attempt, peer, target, uri }: Try,
  response: ClientResponse,
  leave: () => void,
): Result {
  const headers = response.headers.map(([name, value]) => [name, toBytes(value)] as const);
  const find = (name: string): string | undefined =>
    headers.find(([field]) => field.toLowerCase() === name)?.[1];
  if (
    proxy.interceptsErrors &&
    response.status >= 300 &&
    exchange.settings.errorPages.some(({ codes }) => codes.includes(response.status))
  ) {
    leave();
    const challenge = headers.filter(([name]) => name.toLowerCase() === 'www-authenticate');
    throw new HttpError(response.status, challenge);
  }
  const internal = find('x-accel-redirect');
  if (internal !== undefined) exchange.log('warn', `drydock: X-Accel-Redirect isn't simulated`);
  const length = find('content-length');
  const modified = find('last-modified');
  const contentType = find('content-type');
  const hidden = new Set([...HIDDEN, ...proxy.hidden].filter((name) => !proxy.passed.includes(name)));
  const given = find('location');
  const location = given === undefined ? undefined : rewriteLocation(exchange, proxy, given);
  // What was rewritten to a path of this server is completed as its own redirects are.
  const isOwn =
    location !== given && location?.startsWith('/') === true && exchange.settings.absoluteRedirect;
  const kept = headers
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP.has(lower) && !hidden.has(lower) && !(isOwn && lower === 'location');
    })
    .map(([name, value]) => {
      const lower = name.toLowerCase();
      if (lower === 'location') return [name, location ?? value] as const;
      return [name, lower === 'set-cookie' ? rewriteCookie(exchange, proxy, value) : value] as const;
    });
  const hasBody = exchange.method !== 'HEAD' && response.status !== 204 && response.status !== 304;
  return {
    status: response.status,
    statusLine: `${response.status} ${response.reason}`,
    ...(contentType === undefined ? {} : { contentType }),
    ...(length === undefined || !/^\d+$/.test(length) ? {} : { contentLength: Number(length) }),
    ...(modified === undefined ? {} : { givenLastModifiedMs: Date.parse(modified) || 0 }),
    ...(isOwn ? { location: absolute(exchange, location) } : {}),
    headers: kept,
    body: hasBody ? copied(response.body) : (leave(), Buffer.alloc(0)),
    isProxied: true,
  };

  async function* copied(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await withTimeout(exchange, iterator.next(), proxy.readTimeoutMs);
        if (piece.done === true) return;
        attempt.bytesReceived += piece.value.length;
        yield piece.value;
      }
    } catch (error) {
      const place = `upstream: "${target.scheme}://${peer.name}${uri}"`;
      if (error instanceof TimedOut)
        exchange.log(
          'error',
          `upstream timed out (110: Connection timed out) while reading upstream, ${place}`,
        );
      else if (error instanceof ErrnoError)
        exchange.log('error', `recv() failed (${errnoText(error)}) while reading upstream, ${place}`);
      else if (error instanceof HttpProtocolError)
        exchange.log('error', `upstream prematurely closed connection while reading upstream, ${place}`);
      throw new BodyBroken('the other server broke off', { cause: error });
    } finally {
      leave();
    }
  }
}

/** The answer can't be finished: the connection to the client is closed. */
export class BodyBroken extends Error {}

/** proxy_redirect. */
function rewriteLocation(exchange: Exchange, proxy: ProxySettings, location: string): string {
  if (proxy.redirects === 'off') return location;
  const rules = proxy.redirects === 'default' ? [{ from: [], to: [], isDefault: true }] : proxy.redirects;
  for (const { from, to, isDefault } of rules) {
    if (isDefault) {
      if (hasVariables(proxy.target) || exchange.location === undefined || exchange.location.kind === 'regex')
        continue;
      const target = /^https?:\/\/[^/]+\//.test(proxy.text) ? proxy.text : undefined;
      const prefix = target ?? `${proxy.text}/`;
      const own = target === undefined ? '/' : exchange.location.path;
      if (location.startsWith(prefix)) return own + location.slice(prefix.length);
    } else if (from instanceof RegExp) {
      const match = from.exec(location);
      if (match === null) continue;
      exchange.setCaptures(match);
      return (
        location.slice(0, match.index) + fill(to, exchange) + location.slice(match.index + match[0].length)
      );
    } else {
      const text = fill(from as Template, exchange);
      if (location.startsWith(text)) return fill(to, exchange) + location.slice(text.length);
    }
  }
  return location;
}

/** proxy_cookie_path and proxy_cookie_domain. */
function rewriteCookie(exchange: Exchange, proxy: ProxySettings, cookie: string): string {
  return cookie.replaceAll(/;\s*(path|domain)=([^;]*)/gi, (whole, key: string, value: string) => {
    const isPath = key.toLowerCase() === 'path';
    for (const { from, to } of isPath ? proxy.cookiePaths : proxy.cookieDomains) {
      if (from instanceof RegExp) {
        const match = from.exec(value);
        if (match === null) continue;
        exchange.setCaptures(match);
        return `; ${key}=${value.slice(0, match.index)}${fill(to, exchange)}${value.slice(match.index + match[0].length)}`;
      }
      if (isPath && value.startsWith(from))
        return `; ${key}=${fill(to, exchange)}${value.slice(from.length)}`;
      if (!isPath && value.replace(/^\./, '').toLowerCase() === from.replace(/^\./, '').toLowerCase())
        return `; ${key}=${fill(to, exchange)}`;
    }
    return whole;
  });
}

/** Carries bytes both ways until either side is done. */
export async function tunnel(
  client: ByteStream,
  upstream: ByteStream,
  counts?: { bytesReceived: number },
): Promise<{ sent: number; received: number }> {
  const total = { sent: 0, received: 0 };
  const pump = async (from: ByteStream, to: ByteStream, key: 'sent' | 'received'): Promise<void> => {
    try {
      for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) {
        total[key] += bytes.length;
        if (key === 'received' && counts !== undefined) counts.bytesReceived += bytes.length;
        await to.write(bytes);
      }
      to.end();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      from.close();
      to.close();
    }
  };
  await Promise.all([pump(client, upstream, 'sent'), pump(upstream, client, 'received')]);
  client.close();
  upstream.close();
  return total;
}
