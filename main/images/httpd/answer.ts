// Answers one request as Apache does: a redirect, another server, a file, a directory's index, or an error page.
import { ErrnoError } from '../../network/index.ts';
import { headerOf, httpRequest, type HttpRequest, type HttpResponse } from '../../network/http/index.ts';
import { Resolver, ResolveError } from '../../network/dns/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import type { Host, HttpdSettings, Scope } from './settings.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  json: 'application/json',
  txt: 'text/plain',
  xml: 'application/xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  ico: 'image/x-icon',
  pdf: 'application/pdf',
  gz: 'application/x-gzip',
  zip: 'application/zip',
};
const PAGES: Readonly<Record<number, readonly [title: string, text: string]>> = {
  301: ['Moved Permanently', '<p>The document has moved <a href="{location}">here</a>.</p>'],
  302: ['Found', '<p>The document has moved <a href="{location}">here</a>.</p>'],
  303: ['See Other', '<p>The answer to your request is located <a href="{location}">here</a>.</p>'],
  400: ['Bad Request', '<p>Your browser sent a request that this server could not understand.<br />\n</p>'],
  403: ['Forbidden', "<p>You don't have permission to access this resource.</p>"],
  404: ['Not Found', '<p>The requested URL was not found on this server.</p>'],
  405: ['Method Not Allowed', '<p>The requested method {method} is not allowed for this URL.</p>'],
  410: [
    'Gone',
    '<p>The requested resource is no longer available on this server and there is no forwarding address.\nPlease remove all references to this resource.</p>',
  ],
  503: [
    'Service Unavailable',
    '<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.</p>',
  ],
};

export interface HttpdWorld {
  readonly proc: Process;
  readonly settings: HttpdSettings;
  readonly version: string;
  readonly logError: (module: string, code: string, message: string, request: HttpRequest) => void;
}

class Refusal extends Error {
  readonly status: number;
  readonly location: string;
  constructor(status: number, location = '') {
    super(String(status));
    this.status = status;
    this.location = location;
  }
}

export async function answer(world: HttpdWorld, request: HttpRequest, port: number): Promise<HttpResponse> {
  const host = pickHost(world.settings, request, port);
  let response: HttpResponse;
  try {
    response = await route(world, host, request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    response = errorPage(world, host, request, error);
  }
  const own = host.headers.filter(
    ({ action }) => action === 'set' || action === 'add' || action === 'append',
  );
  const dropped = new Set(
    host.headers
      .filter(({ action }) => action === 'unset' || action === 'set')
      .map(({ name }) => name.toLowerCase()),
  );
  return {
    ...response,
    headers: [
      ['Date', new Date(Math.floor(world.proc.clock.now())).toUTCString()],
      ['Server', world.settings.showsVersion ? `Apache/${world.version} (Unix)` : 'Apache'],
      ...response.headers.filter(([name]) => !dropped.has(name.toLowerCase())),
      ...own.map(({ name, value }) => [name, value] as const),
    ],
  };
}

function pickHost({ main, virtualHosts }: HttpdSettings, request: HttpRequest, port: number): Host {
  const name = (headerOf(request.headers, 'Host') ?? '').replace(/:\d+$/, '').toLowerCase();
  const here = virtualHosts.filter((host) => host.port === undefined || host.port === port);
  const matches = (pattern: string): boolean =>
    pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1)));
  return here.find(({ names }) => names.some(matches)) ?? here[0] ?? main;
}

async function route(world: HttpdWorld, host: Host, request: HttpRequest): Promise<HttpResponse> {
  const [raw = '/', query] = request.target.split('?', 2);
  const path = normalize(raw);
  if (applies(host.locations, path).some(({ isDenied }) => isDenied === true)) {
    world.logError('authz_core', 'AH01630', `client denied by server configuration: ${path}`, request);
    throw new Refusal(403);
  }
  for (const { from, to, status } of host.redirects) {
    if (
      typeof from === 'string'
        ? path === from || path.startsWith(from.endsWith('/') ? from : `${from}/`)
        : from.test(path)
    ) {
      const rest = typeof from === 'string' ? to + path.slice(from.length) : path.replace(from, to);
      throw new Refusal(
        status,
        `${rest.startsWith('/') ? `http://${headerOf(request.headers, 'Host') ?? ''}` : ''}${rest}${query === undefined ? '' : `?${query}`}`,
      );
    }
  }
  const proxy = host.proxies.find(({ from, to }) => to !== '!' && path.startsWith(from));
  const isExcluded = host.proxies.some(({ from, to }) => to === '!' && path.startsWith(from));
  if (proxy !== undefined && !isExcluded)
    return pass(world, request, proxy.to + request.target.slice(proxy.from.length));
  if (request.method === 'OPTIONS')
    return {
      status: 200,
      headers: [
        ['Allow', 'POST,OPTIONS,HEAD,GET'],
        ['Content-Length', '0'],
        ['Content-Type', 'text/html'],
      ],
    };
  if (request.method === 'TRACE' || !['GET', 'HEAD', 'POST'].includes(request.method)) throw new Refusal(405);
  return file(world, host, request, path);
}

function normalize(raw: string): string {
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (error) {
    if (error instanceof URIError) throw new Refusal(400);
    throw error;
  }
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.pop() === undefined) throw new Refusal(400);
    if (part !== '..' && part !== '.' && part !== '') parts.push(part);
  }
  return `/${parts.join('/')}${path.endsWith('/') && parts.length > 0 ? '/' : ''}`;
}

function applies(scopes: readonly Scope[], path: string): readonly Scope[] {
  return scopes.filter(
    ({ prefix, pattern }) =>
      pattern?.test(path) ??
      (path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)),
  );
}

function file(world: HttpdWorld, host: Host, request: HttpRequest, path: string): HttpResponse {
  const { fs } = world.proc;
  const alias = host.aliases.find(
    ({ from }) => path === from || path.startsWith(from.endsWith('/') ? from : `${from}/`),
  );
  let full = alias === undefined ? `${host.root}${path}` : `${alias.to}${path.slice(alias.from.length)}`;
  try {
    if (fs.stat(full).type === 'directory') {
      if (!path.endsWith('/'))
        throw new Refusal(301, `http://${headerOf(request.headers, 'Host') ?? ''}${path}/`);
      const index = host.indexFiles.find((name) => fs.exists(`${full.replace(/\/$/, '')}/${name}`));
      if (index === undefined) return listing(world, host, request, full, path);
      full = `${full.replace(/\/$/, '')}/${index}`;
    }
    check(world, host, request, full);
    const stat = fs.stat(full);
    const since = Date.parse(headerOf(request.headers, 'If-Modified-Since') ?? '');
    const etag = `"${stat.sizeBytes.toString(16)}-${(Math.floor(stat.modifyMs / 1000) * 1_000_000).toString(16)}"`;
    const head: [string, string][] = [
      ['Last-Modified', new Date(Math.floor(stat.modifyMs)).toUTCString()],
      ['ETag', etag],
    ];
    if (
      headerOf(request.headers, 'If-None-Match') === etag ||
      since >= Math.floor(stat.modifyMs / 1000) * 1000
    )
      return { status: 304, headers: head };
    const type = TYPES[/\.(\w+)$/.exec(full)?.[1]?.toLowerCase() ?? ''];
    const whole = fs.readFile(full);
    const range = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request.headers, 'Range') ?? '');
    const typed: [string, string][] = type === undefined ? [] : [['Content-Type', type]];
    if (range !== null && whole.length > 0 && (range[1] !== '' || range[2] !== '')) {
      const from = range[1] === '' ? Math.max(0, whole.length - Number(range[2])) : Number(range[1]);
      const to =
        range[1] === '' || range[2] === '' ? whole.length - 1 : Math.min(Number(range[2]), whole.length - 1);
      if (from <= to && from < whole.length)
        return {
          status: 206,
          headers: [
            ...head,
            ['Accept-Ranges', 'bytes'],
            ['Content-Length', String(to - from + 1)],
            ['Content-Range', `bytes ${from}-${to}/${whole.length}`],
            ...typed,
          ],
          body: whole.subarray(from, to + 1),
        };
    }
    return {
      status: 200,
      headers: [...head, ['Accept-Ranges', 'bytes'], ['Content-Length', String(whole.length)], ...typed],
      body: whole,
    };
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'EACCES') {
      world.logError(
        'core',
        '(13)Permission denied: AH00132',
        `file permissions deny server access: ${full}`,
        request,
      );
      throw new Refusal(403);
    }
    throw new Refusal(404);
  }
}

function check(world: HttpdWorld, host: Host, request: HttpRequest, full: string): void {
  const rules = applies(host.directories, full).filter(({ isDenied }) => isDenied !== undefined);
  const last = rules.toSorted((a, b) => a.prefix.length - b.prefix.length).at(-1);
  const byPattern = rules.filter(({ pattern }) => pattern !== undefined).at(-1);
  if ((byPattern ?? last)?.isDenied !== true) return;
  world.logError('authz_core', 'AH01630', `client denied by server configuration: ${full}`, request);
  throw new Refusal(403);
}

function listing(
  world: HttpdWorld,
  host: Host,
  request: HttpRequest,
  full: string,
  path: string,
): HttpResponse {
  check(world, host, request, full.replace(/\/$/, ''));
  const rules = applies(host.directories, full.replace(/\/$/, '')).filter(
    ({ indexes }) => indexes !== undefined,
  );
  if (rules.toSorted((a, b) => a.prefix.length - b.prefix.length).at(-1)?.indexes !== true) {
    world.logError(
      'autoindex',
      'AH01276',
      `Cannot serve directory ${full}: No matching DirectoryIndex (${host.indexFiles.join(',')}) found, and server-generated directory index forbidden by Options directive`,
      request,
    );
    throw new Refusal(403);
  }
  const rows = world.proc.fs
    .readdir(full)
    .filter(({ name }) => !name.startsWith('.'))
    .map(({ name, type }) => {
      const shown = type === 'directory' ? `${name}/` : name;
      return `<li><a href="${shown}"> ${shown}</a></li>\n`;
    });
  const parent =
    path === '/' ? '' : `<li><a href="${path.replace(/[^/]+\/$/, '')}"> Parent Directory</a></li>\n`;
  const body = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of ${path}</title>\n </head>\n <body>\n<h1>Index of ${path}</h1>\n<ul>${parent}${rows.join('')}</ul>\n</body></html>\n`;
  return {
    status: 200,
    headers: [
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Content-Type', 'text/html;charset=ISO-8859-1'],
    ],
    body,
  };
}

function errorPage(
  world: HttpdWorld,
  host: Host,
  request: HttpRequest,
  { status, location }: Refusal,
): HttpResponse {
  const more: [string, string][] = location === '' ? [] : [['Location', location]];
  const custom = host.errorPages.get(status);
  if (custom !== undefined && !custom.startsWith('/') && !/^https?:/.test(custom))
    return {
      status,
      headers: [
        ...more,
        ['Content-Length', String(Buffer.byteLength(custom))],
        ['Content-Type', 'text/html; charset=iso-8859-1'],
      ],
      body: custom,
    };
  if (custom?.startsWith('/') === true) {
    const full = `${host.root}${custom}`;
    if (world.proc.fs.exists(full)) {
      const body = world.proc.fs.readFile(full);
      return {
        status,
        headers: [...more, ['Content-Length', String(body.length)], ['Content-Type', 'text/html']],
        body,
      };
    }
  }
  const [title, text] = PAGES[status] ?? ['Error', '<p>The server could not answer.</p>'];
  const body = `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n${text.replace('{location}', location).replace('{method}', request.method)}\n</body></html>\n`;
  return {
    status,
    headers: [
      ...more,
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Content-Type', 'text/html; charset=iso-8859-1'],
    ],
    body,
  };
}

/** mod_proxy_http: one request on a connection of its own. */
async function pass(world: HttpdWorld, request: HttpRequest, url: string): Promise<HttpResponse> {
  const { proc } = world;
  const [, authority = '', target = '/'] = /^http:\/\/([^/]+)(\/.*)?$/.exec(url) ?? [];
  const [name = '', port = '80'] = authority.split(':');
  const read = (path: string): string | undefined =>
    proc.fs.exists(path) ? proc.fs.readText(path) : undefined;
  const resolver = new Resolver({
    sockets: proc.net.sockets,
    clock: proc.clock,
    random: proc.random.fork('httpd'),
    hosts: () => read('/etc/hosts'),
    resolvConf: () => read('/etc/resolv.conf'),
  });
  try {
    const [address = ''] = (await resolver.resolve(name)).addresses;
    const stream = await proc.net.sockets.connectTcp(
      { address, port: Number(port) },
      { owner: proc.socketOwner },
    );
    const dropped = new Set(['host', 'connection', 'keep-alive']);
    const parts: Uint8Array[] = [];
    for await (const part of request.body) parts.push(part);
    const response = await httpRequest(stream, {
      method: request.method,
      target,
      headers: [
        ['Host', authority],
        ...request.headers.filter(([field]) => !dropped.has(field.toLowerCase())),
        ['X-Forwarded-For', request.peer.address],
        ['X-Forwarded-Host', headerOf(request.headers, 'Host') ?? ''],
        ['Connection', 'close'],
      ],
      ...(parts.length > 0 ? { body: Buffer.concat(parts) } : {}),
    });
    const hidden = new Set(['date', 'server', 'connection', 'keep-alive']);
    return {
      status: response.status,
      headers: response.headers.filter(([field]) => !hidden.has(field.toLowerCase())),
      body: response.body,
    };
  } catch (error) {
    if (!(error instanceof ErrnoError) && !(error instanceof ResolveError)) throw error;
    world.logError(
      'proxy',
      'AH00957',
      `http: attempt to connect to ${authority} failed: ${error.message}`,
      request,
    );
    throw new Refusal(503);
  }
}
