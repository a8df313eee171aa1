// Answers one request as nginx does: picks server and location, then a file, a redirect, another server or an error page.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import {
  headerOf,
  httpRequest,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
} from '../../network/http/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { statusPage } from './pages.ts';
import type { Listen, Location, NginxSettings, Server, Settings, Upstream } from './settings.ts';

export interface AnswerWorld {
  readonly proc: Process;
  readonly settings: NginxSettings;
  /** `1.20.2`. */
  readonly version: string;
  /** Counts requests on upstreams, for round robin. */
  readonly turns: Map<string, number>;
  readonly logError: (message: string, request: Context) => void;
  /** Addresses behind names that proxy_pass has, found when the configuration was read. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** What variables and log formats read. */
export interface Context {
  readonly request: HttpRequest;
  readonly server: Server;
  readonly local: { readonly address: string; readonly port: number };
  uri: string;
  args: string;
  settings: Settings;
  status: number;
  bodyBytes: number;
}

interface Result {
  readonly status: number;
  readonly headers: (readonly [string, string])[];
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** An answer that is an error page, unless error_page says otherwise. */
class HttpError extends Error {
  readonly status: number;
  readonly headers: (readonly [string, string])[];
  constructor(status: number, headers: (readonly [string, string])[] = []) {
    super(String(status));
    this.status = status;
    this.headers = headers;
  }
}

/** Goes back to choosing a location, with another URI. */
class Redirect extends Error {
  readonly uri: string;
  constructor(uri: string) {
    super(uri);
    this.uri = uri;
  }
}

const REDIRECTS_MAX = 10;

/** Picks the server block by address, port and host name. */
function pickServer(servers: readonly Server[], listen: Listen, host: string): Server {
  const here = servers.filter(({ listens }) =>
    listens.some(
      ({ address, port }) => port === listen.port && (address === listen.address || address === '0.0.0.0'),
    ),
  );
  const exact = here.find(({ names }) => names.some((name) => name.toLowerCase() === host));
  if (exact !== undefined) return exact;
  const wild = (test: (name: string) => boolean): Server | undefined =>
    here.find(({ names }) => names.some(test));
  return (
    wild(
      (name) =>
        (name.startsWith('*.') && host.endsWith(name.slice(1))) ||
        (name.startsWith('.') && `.${host}`.endsWith(name)),
    ) ??
    wild((name) => name.endsWith('.*') && host.startsWith(name.slice(0, -1))) ??
    wild((name) => name.startsWith('~') && new RegExp(name.slice(1)).test(host)) ??
    here.find(({ listens }) => listens.some(({ isDefault, port }) => isDefault && port === listen.port)) ??
    here[0] ??
    servers[0]!
  );
}

/** Answers a request; the context tells afterwards what to log. */
export async function answer(
  world: AnswerWorld,
  request: HttpRequest,
  listen: Listen,
): Promise<{ response: HttpResponse; context: Context }> {
  const hostHeader = headerOf(request.headers, 'Host') ?? '';
  const host = hostHeader.replace(/:\d+$/, '').toLowerCase();
  const server = pickServer(world.settings.servers, listen, host);
  const [rawPath = '/', ...query] = request.target.split('?');
  const context: Context = {
    request,
    server,
    local: listen,
    uri: '/',
    args: query.join('?'),
    settings: server.settings,
    status: 200,
    bodyBytes: 0,
  };
  let result: Result;
  try {
    context.uri = normalize(rawPath);
    result = await route(world, context);
  } catch (error) {
    result = await errorResult(world, context, error);
  }
  context.status = result.status;
  if (typeof result.body === 'string' || result.body instanceof Uint8Array)
    context.bodyBytes = Buffer.byteLength(result.body);
  return { response: respond(world, context, result), context };
}

function normalize(path: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.startsWith('/') ? path : `/${path.replace(/^\w+:\/\/[^/]*\/?/, '')}`);
  } catch {
    throw new HttpError(400);
  }
  const parts: string[] = [];
  const words = decoded.split('/');
  for (const part of words) {
    if (part === '..') {
      if (parts.length === 0) throw new HttpError(400);
      parts.pop();
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  const isFolder = /\/\.{0,2}$/.test(decoded);
  return `/${parts.join('/')}${isFolder && parts.length > 0 ? '/' : ''}`;
}

async function route(world: AnswerWorld, context: Context): Promise<Result> {
  for (let turn = 0; turn < REDIRECTS_MAX; turn++) {
    try {
      context.settings = context.server.settings;
      const early = applyRewrites(context, context.server.settings);
      if (early !== undefined) return early;
      const location = pickLocation(context.server.locations, context.uri);
      return await serve(world, context, location);
    } catch (error) {
      if (!(error instanceof Redirect)) throw error;
      if (error.uri.startsWith('@')) return serveNamed(world, context, error.uri);
      const [uri = '/', args] = error.uri.split('?');
      context.uri = uri;
      if (args !== undefined) context.args = args;
    }
  }
  world.logError(
    'rewrite or internal redirection cycle while internally redirecting to "' + context.uri + '"',
    context,
  );
  throw new HttpError(500);
}

function serveNamed(world: AnswerWorld, context: Context, name: string): Promise<Result> {
  const location = context.server.locations.find(({ kind, path }) => kind === 'named' && path === name);
  if (location === undefined) throw new HttpError(500);
  return serve(world, context, location);
}

/** The longest prefix, unless a regular expression matches (and the prefix doesn't forbid that). */
function pickLocation(locations: readonly Location[], uri: string): Location | undefined {
  const exact = locations.find(({ kind, path }) => kind === 'exact' && path === uri);
  if (exact !== undefined) return exact;
  let best: Location | undefined;
  for (const location of locations) {
    if (location.kind !== 'prefix' && location.kind !== 'prefix-final') continue;
    if (uri.startsWith(location.path) && location.path.length > (best?.path.length ?? -1)) best = location;
  }
  const inner = best === undefined ? undefined : pickLocation(best.locations, uri);
  if (inner !== undefined) return inner;
  if (best?.kind === 'prefix-final') return best;
  return locations.find(({ kind, pattern }) => kind === 'regex' && pattern!.test(uri)) ?? best;
}

async function serve(world: AnswerWorld, context: Context, location: Location | undefined): Promise<Result> {
  const settings = location?.settings ?? context.server.settings;
  context.settings = settings;
  if (location !== undefined) {
    const early = applyRewrites(context, settings);
    if (early !== undefined) return early;
  }
  checkAccess(world, context);
  if (settings.stubStatus)
    return page(
      200,
      'text/plain',
      'Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n',
    );
  if (settings.proxyPass !== undefined) return proxy(world, context, location, settings.proxyPass);
  if (settings.tryFiles !== undefined) return tryFiles(world, context, location, settings.tryFiles);
  return serveFile(world, context, fileOf(context, location, context.uri));
}

function applyRewrites(context: Context, settings: Settings): Result | undefined {
  for (const { pattern, replacement, flag } of settings.rewrites) {
    const match = pattern.exec(context.uri);
    if (match === null) continue;
    const target = expandVariables(
      replacement.replace(/\$(\d)/g, (_, digit: string) => match[Number(digit)] ?? ''),
      context,
    );
    if (flag === 'redirect' || flag === 'permanent' || /^https?:\/\//.test(target)) {
      throw new HttpError(flag === 'permanent' ? 301 : 302, [['Location', absolute(context, target)]]);
    }
    const [uri = '/', args] = target.split('?');
    if (flag === 'last') {
      if (uri === context.uri) continue;
      throw new Redirect(args === undefined && context.args !== '' ? `${uri}?${context.args}` : target);
    }
    context.uri = uri;
    if (args !== undefined) context.args = args;
    if (flag === 'break') break;
  }
  if (settings.returns === undefined) return undefined;
  const { status, text } = settings.returns;
  if (text === undefined) throw new HttpError(status);
  const value = expandVariables(text, context);
  if (status >= 300 && status < 400) throw new HttpError(status, [['Location', absolute(context, value)]]);
  return page(status, settings.defaultType, value);
}

function checkAccess(world: AnswerWorld, context: Context): void {
  for (const { allow, what } of context.settings.access) {
    const matches =
      what === 'all' ||
      what === context.request.peer.address ||
      (what.includes('/') && inRange(what, context.request.peer.address));
    if (!matches) continue;
    if (allow) return;
    world.logError('access forbidden by rule', context);
    throw new HttpError(403);
  }
}

function inRange(cidr: string, address: string): boolean {
  const [base = '', prefix = '32'] = cidr.split('/');
  const number = (text: string): number =>
    text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(number(base) / size) === Math.floor(number(address) / size);
}

// ── Files ──

function fileOf({ settings }: Context, location: Location | undefined, uri: string): string {
  if (settings.alias !== undefined && location !== undefined)
    return settings.alias + uri.slice(location.path.length);
  return settings.root.replace(/\/$/, '') + uri;
}

async function tryFiles(
  world: AnswerWorld,
  context: Context,
  location: Location | undefined,
  candidates: readonly string[],
): Promise<Result> {
  const { fs } = world.proc;
  for (const candidate of candidates.slice(0, -1)) {
    const uri = expandVariables(candidate, context);
    const file = fileOf(context, location, uri);
    const wantsFolder = uri.endsWith('/');
    const found = fs.exists(file.replace(/\/$/, '') || '/')
      ? fs.stat(file.replace(/\/$/, '') || '/').type
      : undefined;
    if (found === (wantsFolder ? 'directory' : 'file')) {
      context.uri = uri;
      return serveFile(world, context, file);
    }
  }
  const last = candidates.at(-1) ?? '=404';
  if (last.startsWith('=')) throw new HttpError(Number(last.slice(1)));
  throw new Redirect(expandVariables(last, context));
}

async function serveFile(world: AnswerWorld, context: Context, file: string): Promise<Result> {
  const { fs } = world.proc;
  const { request, settings } = context;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(405);
  if (file.endsWith('/')) return serveFolder(world, context, file);
  try {
    const stat = fs.stat(file);
    if (stat.type === 'directory') {
      throw new HttpError(301, [
        ['Location', absolute(context, `${context.uri}/${context.args === '' ? '' : `?${context.args}`}`)],
      ]);
    }
    if (stat.type !== 'file') throw new HttpError(404);
    const content = fs.readFile(file);
    const seconds = Math.floor(stat.modifyMs / 1000);
    const etag = `"${seconds.toString(16)}-${content.length.toString(16)}"`;
    const modified = new Date(seconds * 1000).toUTCString();
    const validators: (readonly [string, string])[] = [
      ['Last-Modified', modified],
      ['ETag', etag],
    ];
    const known = headerOf(request.headers, 'If-None-Match');
    const since = headerOf(request.headers, 'If-Modified-Since');
    if (known !== undefined ? known.split(/,\s*/).includes(etag) : since === modified)
      return { status: 304, headers: validators, body: '' };
    const extension = /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
    const type = settings.types.get(extension) ?? settings.defaultType;
    const charset =
      settings.charset !== undefined && type.startsWith('text/') ? `; charset=${settings.charset}` : '';
    return {
      status: 200,
      headers: [['Content-Type', type + charset], ...validators, ['Accept-Ranges', 'bytes']],
      body: content,
    };
  } catch (error) {
    throw fileError(world, context, error, `open() "${file}" failed`);
  }
}

async function serveFolder(world: AnswerWorld, context: Context, folder: string): Promise<Result> {
  const { fs } = world.proc;
  for (const name of context.settings.index) {
    if (name.startsWith('/')) throw new Redirect(name);
    if (fs.exists(folder + name) && fs.stat(folder + name).type === 'file')
      throw new Redirect(context.uri + name);
  }
  if (!fs.exists(folder)) {
    world.logError(
      `"${folder}${context.settings.index.at(-1) ?? 'index.html'}" is not found (2: No such file or directory)`,
      context,
    );
    throw new HttpError(404);
  }
  if (context.settings.autoindex) {
    const rows = fs.readdir(folder).map(({ name, type }) => {
      const shown = type === 'directory' ? `${name}/` : name;
      return `<a href="${encodeURI(shown)}">${shown}</a>\r\n`;
    });
    const title = `Index of ${context.uri}`;
    const text = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<h1>${title}</h1><hr><pre><a href="../">../</a>\r\n${rows.join('')}</pre><hr></body>\r\n</html>\r\n`;
    return page(200, 'text/html', text);
  }
  world.logError(`directory index of "${folder}" is forbidden`, context);
  throw new HttpError(403);
}

function fileError(world: AnswerWorld, context: Context, error: unknown, what: string): unknown {
  if (!(error instanceof ErrnoError)) return error;
  const [number, status] =
    error.code === 'EACCES' ? [13, 403] : error.code === 'ENOTDIR' ? [20, 404] : [2, 404];
  world.logError(`${what} (${number}: ${error.message})`, context);
  return new HttpError(status);
}

// ── Other servers ──

async function proxy(
  world: AnswerWorld,
  context: Context,
  location: Location | undefined,
  target: string,
): Promise<Result> {
  const match = /^(https?):\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(expandVariables(target, context));
  if (match === null) throw new HttpError(500);
  const [, scheme, host = '', port, path] = match;
  const upstream = world.settings.upstreams.get(host);
  const authority = port === undefined ? host : `${host}:${port}`;
  const candidates =
    upstream === undefined
      ? [`${world.addresses.get(host) ?? host}:${port ?? (scheme === 'https' ? '443' : '80')}`]
      : order(world, host, upstream, context);
  const uri =
    path === undefined || location === undefined
      ? context.request.target
      : path +
        encodeURI(context.uri.slice(location.path.length)) +
        (context.args === '' ? '' : `?${context.args}`);
  const headers = proxyHeaders(context, authority);
  for (const candidate of candidates) {
    const colon = candidate.lastIndexOf(':');
    const name = candidate.slice(0, colon);
    let stream: ByteStream;
    try {
      stream = await world.proc.net.sockets.connectTcp({
        address: world.addresses.get(name) ?? name,
        port: Number(candidate.slice(colon + 1)),
      });
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const number = error.code === 'ECONNREFUSED' ? 111 : error.code === 'EHOSTUNREACH' ? 113 : 110;
      world.logError(
        `connect() failed (${number}: ${error.message}) while connecting to upstream, upstream: "http://${candidate}${uri}"`,
        context,
      );
      if (error.code === 'ETIMEDOUT' && candidate === candidates.at(-1)) throw new HttpError(504);
      continue;
    }
    return forward(context, stream, uri, headers);
  }
  throw new HttpError(502);
}

async function forward(
  context: Context,
  stream: ByteStream,
  target: string,
  headers: HeaderList,
): Promise<Result> {
  const { request } = context;
  const hasBody =
    headerOf(request.headers, 'Content-Length') !== undefined ||
    headerOf(request.headers, 'Transfer-Encoding') !== undefined;
  const response = await httpRequest(stream, {
    method: request.method,
    target,
    headers,
    version: '1.0',
    ...(hasBody ? { body: request.body } : {}),
  });
  const dropped = new Set([
    'connection',
    'keep-alive',
    'transfer-encoding',
    'server',
    'date',
    'content-length',
  ]);
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body) pieces.push(piece);
  stream.close();
  return {
    status: response.status,
    headers: response.headers.filter(([name]) => !dropped.has(name.toLowerCase())),
    body: Buffer.concat(pieces),
  };
}

function proxyHeaders(context: Context, authority: string): HeaderList {
  const { settings, request } = context;
  const set = new Map(
    settings.proxyHeaders.map(([name, value]) => [
      name.toLowerCase(),
      [name, expandVariables(value, context)] as const,
    ]),
  );
  const own = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'expect', 'upgrade'];
  const passed = request.headers.filter(
    ([name]) => !own.includes(name.toLowerCase()) && !set.has(name.toLowerCase()),
  );
  const given = [...set.values()].filter(
    ([name, value]) => value !== '' && name.toLowerCase() !== 'host' && name.toLowerCase() !== 'connection',
  );
  return [['Host', set.get('host')?.[1] ?? authority], ['Connection', 'close'], ...given, ...passed];
}

/** The servers of an upstream in the order in which to try them. */
function order(
  world: AnswerWorld,
  name: string,
  { servers, byClient }: Upstream,
  context: Context,
): string[] {
  const up = servers.filter(({ isDown }) => !isDown);
  const main = up.filter(({ isBackup }) => !isBackup);
  const wheel = (main.length > 0 ? main : up).flatMap(({ address, weight }) =>
    Array.from({ length: weight }, () => address),
  );
  if (wheel.length === 0) return [];
  const turn = byClient
    ? context.request.peer.address
        .split('.')
        .slice(0, 3)
        .reduce((sum, octet) => sum * 113 + Number(octet), 89)
    : (world.turns.get(name) ?? 0);
  if (!byClient) world.turns.set(name, turn + 1);
  const start = turn % wheel.length;
  const ordered = [...wheel.slice(start), ...wheel.slice(0, start)];
  return [...new Set([...ordered, ...up.filter(({ isBackup }) => isBackup).map(({ address }) => address)])];
}

// ── Answers ──

function page(status: number, type: string, body: string): Result {
  return { status, headers: [['Content-Type', type]], body };
}

async function errorResult(world: AnswerWorld, context: Context, error: unknown): Promise<Result> {
  if (error instanceof Redirect) return errorResult(world, context, new HttpError(500));
  if (!(error instanceof HttpError)) throw error;
  const { status, headers } = error;
  const custom = context.settings.errorPages.find(({ codes }) => codes.includes(status));
  if (custom !== undefined) {
    try {
      context.uri = custom.uri;
      const location = custom.uri.startsWith('@')
        ? context.server.locations.find(({ path }) => path === custom.uri)
        : pickLocation(context.server.locations, custom.uri);
      const result = await serve(world, context, location);
      return { ...result, status: custom.status ?? status };
    } catch (inner) {
      if (!(inner instanceof HttpError || inner instanceof Redirect)) throw inner;
    }
  }
  const signature = context.settings.serverTokens ? `nginx/${world.version}` : 'nginx';
  const text = statusPage(status, signature);
  if (text === undefined) return { status, headers, body: '' };
  return { status, headers: [['Content-Type', 'text/html'], ...headers], body: text };
}

/** Puts the fields in nginx's order: its own first, then Location and Connection, then the rest. */
function respond(world: AnswerWorld, context: Context, { status, headers, body }: Result): HttpResponse {
  const { settings, request } = context;
  const find = (name: string): (readonly [string, string])[] =>
    headers.filter(([field]) => field.toLowerCase() === name);
  const isBodiless = status === 304 || status === 204;
  const first = ['content-type', 'last-modified', 'location'];
  const extra = settings.addHeaders
    .filter(({ always }) => always || [200, 201, 204, 206, 301, 302, 303, 304, 307, 308].includes(status))
    .map(({ name, value }) => [name, expandVariables(value, context)] as const);
  const closes = headerOf(request.headers, 'Connection')?.toLowerCase() === 'close';
  const length =
    typeof body === 'string' || body instanceof Uint8Array
      ? [['Content-Length', String(Buffer.byteLength(body))] as const]
      : [];
  return {
    status,
    headers: [
      ['Server', settings.serverTokens ? `nginx/${world.version}` : 'nginx'],
      ['Date', new Date(Math.floor(world.proc.clock.now())).toUTCString()],
      ...(isBodiless ? [] : find('content-type')),
      ...(isBodiless ? [] : length),
      ...find('last-modified'),
      ...find('location'),
      ['Connection', closes ? 'close' : 'keep-alive'],
      ...headers.filter(([name]) => !first.includes(name.toLowerCase())),
      ...extra,
    ],
    body,
  };
}

function absolute(context: Context, target: string): string {
  if (!target.startsWith('/')) return target;
  const host =
    headerOf(context.request.headers, 'Host')?.replace(/:\d+$/, '') ?? context.server.names[0] ?? 'localhost';
  return `http://${host}${context.local.port === 80 ? '' : `:${context.local.port}`}${target}`;
}

/** Replaces $name and ${name} by their values; unknown ones are empty. */
export function expandVariables(text: string, context: Context): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, plain: string | undefined) =>
    variable(braced ?? plain ?? '', context),
  );
}

function variable(name: string, context: Context): string {
  const { request, uri, args, settings, server, local } = context;
  const header = (field: string): string => headerOf(request.headers, field) ?? '';
  if (name.startsWith('http_')) return header(name.slice(5).replaceAll('_', '-'));
  if (name.startsWith('arg_')) return new URLSearchParams(args).get(name.slice(4)) ?? '';
  const values: Record<string, () => string> = {
    uri: () => uri,
    document_uri: () => uri,
    request_uri: () => request.target,
    args: () => args,
    query_string: () => args,
    is_args: () => (args === '' ? '' : '?'),
    host: () => header('Host').replace(/:\d+$/, '').toLowerCase() || (server.names[0] ?? ''),
    remote_addr: () => request.peer.address,
    remote_port: () => String(request.peer.port),
    server_addr: () => local.address,
    server_port: () => String(local.port),
    server_name: () => server.names[0] ?? '',
    scheme: () => 'http',
    request_method: () => request.method,
    request: () => `${request.method} ${request.target} HTTP/1.1`,
    document_root: () => settings.root,
    status: () => String(context.status),
    body_bytes_sent: () => String(request.method === 'HEAD' ? 0 : context.bodyBytes),
    content_type: () => header('Content-Type'),
    server_protocol: () => 'HTTP/1.1',
    remote_user: () => '',
    proxy_add_x_forwarded_for: () =>
      [header('X-Forwarded-For'), request.peer.address].filter((part) => part !== '').join(', '),
    proxy_host: () => header('Host'),
  };
  return values[name]?.() ?? '';
}
