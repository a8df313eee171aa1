// Answers with files: index, autoindex, try_files, and what a file's answer says of it.
import { ErrnoError } from '../../network/index.ts';
import { toBody, toBytes, toText } from './bytes.ts';
import { HttpError, type Exchange, type Result } from './exchange.ts';
import { fill } from './template.ts';
import { fileName } from './variables.ts';

/** Goes back to choosing a location, with another URI. */
export class InternalRedirect extends Error {
  readonly uri: string;
  constructor(uri: string) {
    super(uri);
    this.uri = uri;
  }
}

/** The numbers of errno that nginx prints. */
const ERRNO_NUMBERS: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EACCES: 13,
  ENOTDIR: 20,
  EISDIR: 21,
  ENAMETOOLONG: 36,
  ELOOP: 40,
  EADDRINUSE: 98,
  ECONNREFUSED: 111,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  EHOSTUNREACH: 113,
  ENETUNREACH: 101,
  EADDRNOTAVAIL: 99,
};

/** `2: No such file or directory`. */
export function errnoText(error: ErrnoError): string {
  return `${ERRNO_NUMBERS[error.code] ?? 5}: ${error.message}`;
}

function typeOf(exchange: Exchange, path: string): 'file' | 'directory' | 'other' | undefined {
  const { fs } = exchange.world.proc;
  try {
    const { type } = fs.stat(path === '' ? '/' : toText(path));
    return type === 'file' || type === 'directory' ? type : 'other';
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

/** try_files: the first that exists becomes the URI; else the last one's redirect, or its status. */
export function tryFiles(exchange: Exchange): void {
  const candidates = exchange.settings.tryFiles;
  if (candidates === undefined) return;
  for (const candidate of candidates.slice(0, -1)) {
    const name = fill(candidate, exchange);
    const isFolder = name.endsWith('/');
    // With `alias` the location's part of the name is taken off.
    const prefix = exchange.location?.path ?? '';
    const uri =
      exchange.settings.alias !== undefined && exchange.location?.kind !== 'regex' && !name.startsWith(prefix)
        ? prefix + name
        : name;
    const path = fileName(exchange, uri);
    if (typeOf(exchange, isFolder ? path.replace(/\/+$/, '') : path) === (isFolder ? 'directory' : 'file')) {
      exchange.uri = isFolder ? uri.slice(0, -1) : uri;
      return;
    }
  }
  const last = fill(candidates.at(-1)!, exchange);
  if (last.startsWith('=')) throw new HttpError(Number(last.slice(1)));
  throw new InternalRedirect(last);
}

/** The index, autoindex and static handlers. */
export async function serveFile(exchange: Exchange): Promise<Result> {
  const { settings } = exchange;
  if (exchange.uri.endsWith('/')) return serveFolder(exchange);
  const isRead = exchange.method === 'GET' || exchange.method === 'HEAD';
  if (!isRead && exchange.method !== 'POST') throw new HttpError(405);
  const path = fileName(exchange);
  const { fs } = exchange.world.proc;
  try {
    const stat = fs.stat(toText(path));
    if (stat.type === 'directory') {
      const target = `${escapeUri(`${exchange.uri}/`)}${exchange.args === '' ? '' : `?${exchange.args}`}`;
      throw new HttpError(301, [], target);
    }
    if (stat.type !== 'file') {
      exchange.log('crit', `"${path}" is not a regular file`);
      throw new HttpError(404);
    }
    if (!isRead && !settings.methodAllowsPost) throw new HttpError(405);
    const precompressed = exchange.settings.gzipStatic === 'off' ? undefined : gzipTwin(exchange, path);
    const content = fs.readFile(toText(precompressed ?? path));
    const modifiedMs = Math.floor(stat.modifyMs / 1000) * 1000;
    const etag = `"${(modifiedMs / 1000).toString(16)}-${content.length.toString(16)}"`;
    return {
      status: 200,
      contentType: contentTypeOf(exchange, path),
      contentLength: content.length,
      lastModifiedMs: modifiedMs,
      headers: [
        ...(settings.etag ? [['ETag', etag] as const] : []),
        ...(precompressed === undefined ? [] : [['Content-Encoding', 'gzip'] as const]),
      ],
      body: content,
      allowsRanges: true,
    };
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const [level, status] = error.code === 'EACCES' ? (['error', 403] as const) : (['error', 404] as const);
    if (status !== 404 || settings.logNotFound)
      exchange.log(level, `open() "${path}" failed (${errnoText(error)})`);
    throw new HttpError(status);
  }
}

function gzipTwin(exchange: Exchange, path: string): string | undefined {
  if (exchange.settings.gzipStatic === 'on' && !/\bgzip\b/.test(exchange.header('Accept-Encoding') ?? ''))
    return undefined;
  return typeOf(exchange, `${path}.gz`) === 'file' ? `${path}.gz` : undefined;
}

/** By the extension, of what is asked for rather than of the file's own name. */
export function contentTypeOf(exchange: Exchange, path: string): string {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return exchange.settings.types.get(extension) ?? exchange.settings.defaultType;
}

function serveFolder(exchange: Exchange): Promise<Result> {
  const { settings, method } = exchange;
  if (!['GET', 'HEAD', 'POST'].includes(method)) throw new HttpError(405);
  const folder = fileName(exchange);
  let name = 'index.html';
  for (const template of settings.index) {
    name = fill(template, exchange);
    if (name.startsWith('/')) throw new InternalRedirect(name);
    if (typeOf(exchange, folder + name) === 'file') throw new InternalRedirect(exchange.uri + name);
  }
  const type = typeOf(exchange, folder.replace(/\/+$/, ''));
  if (type !== 'directory') {
    if (settings.logNotFound)
      exchange.log(
        'error',
        `"${folder}${name}" is not found (${type === undefined ? '2: No such file or directory' : '20: Not a directory'})`,
      );
    throw new HttpError(404);
  }
  if (settings.autoindex && method !== 'POST') return Promise.resolve(listFolder(exchange, folder));
  exchange.log('error', `directory index of "${folder}" is forbidden`);
  throw new HttpError(403);
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const NAME_WIDTH = 50;

function listFolder(exchange: Exchange, folder: string): Result {
  const { fs } = exchange.world.proc;
  const { autoindexFormat, autoindexExactSize } = exchange.settings;
  const entries = fs
    .readdir(toText(folder))
    .filter(({ name }) => !name.startsWith('.'))
    .flatMap(({ name }) => {
      try {
        const { type, sizeBytes: size, modifyMs } = fs.stat(toText(folder) + name);
        return [{ name: toBytes(name), isFolder: type === 'directory', size, modifyMs }];
      } catch (error) {
        if (error instanceof ErrnoError) return []; // A dangling link.
        throw error;
      }
    })
    .toSorted((a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.name < b.name ? -1 : 1));
  if (autoindexFormat === 'json' || autoindexFormat === 'jsonp') {
    const rows = entries.map(({ name, isFolder, size, modifyMs }) => {
      const text = `{ "name":${JSON.stringify(name)}, "type":"${isFolder ? 'directory' : 'file'}", "mtime":"${new Date(Math.floor(modifyMs)).toUTCString()}"${isFolder ? '' : `, "size":${size}`} }`;
      return text;
    });
    const body = rows.length === 0 ? '[\r\n]' : `[\r\n${rows.join(',\r\n')}\r\n]`;
    return unsized(page(200, 'application/json', body));
  }
  const title = `Index of ${escapeHtml(exchange.uri)}`;
  let text = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<h1>${title}</h1><hr><pre><a href="../">../</a>\r\n`;
  for (const { name, isFolder, size, modifyMs } of entries) {
    const shown = isFolder ? `${name}/` : name;
    const length = [...toText(shown)].length;
    const cut =
      length > NAME_WIDTH
        ? `${toBytes([...toText(shown)].slice(0, NAME_WIDTH - 3).join(''))}..&gt;`
        : escapeHtml(shown);
    const fill = length > NAME_WIDTH ? '' : ' '.repeat(NAME_WIDTH - length);
    const date = new Date(Math.floor(modifyMs));
    const two = (value: number): string => String(value).padStart(2, '0');
    const stamp = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    const bytes = isFolder
      ? '-'.padStart(autoindexExactSize ? 19 : 7)
      : autoindexExactSize
        ? String(size).padStart(19)
        : roundSize(size).padStart(7);
    text += `<a href="${escapeHref(name)}${isFolder ? '/' : ''}">${cut}</a>${fill} ${stamp} ${bytes}\r\n`;
  }
  return unsized(page(200, 'text/html', `${text}</pre><hr></body>\r\n</html>\r\n`));
}

/** A listing's length isn't told beforehand. */
function unsized({ contentLength, ...rest }: Result): Result {
  void contentLength;
  return rest;
}

function roundSize(size: number): string {
  if (size < 1024 * 9.7) return String(size);
  const [amount, unit] =
    size < 1024 * 1024
      ? [size / 1024, 'K']
      : size < 1024 ** 3
        ? [size / 1024 ** 2, 'M']
        : [size / 1024 ** 3, 'G'];
  return `${Math.round(amount)}${unit}`;
}

/** An answer made here. */
export function page(
  status: number,
  contentType: string,
  text: string,
  headers: readonly (readonly [string, string])[] = [],
): Result {
  const body = toBody(text);
  return { status, contentType, contentLength: body.length, headers, body };
}

function escapeHtml(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!,
  );
}

function escapeHref(name: string): string {
  return escapeWith(name, /[^A-Za-z0-9\-._~]/g);
}

/** A URI with what must not stand in one as %XX (ngx_escape_uri, NGX_ESCAPE_URI). */
export function escapeUri(uri: string): string {
  return escapeWith(uri, /[^\u0021-\u007e]|[%?#"<>\\^`{|}]/g);
}

function escapeWith(text: string, pattern: RegExp): string {
  return text.replaceAll(
    new RegExp(pattern.source, 'gu'),
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A Location field as nginx completes it. */
export function absolute(exchange: Exchange, target: string): string {
  const { settings, connection, server } = exchange;
  if (!target.startsWith('/') || !settings.absoluteRedirect) return target;
  const scheme = connection.tls === undefined ? 'http' : 'https';
  const { port } = connection.local;
  const host = settings.serverNameInRedirect
    ? server.names[0]!.text
    : exchange.host === ''
      ? connection.local.address
      : exchange.host;
  const isOwn = port === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${host}${settings.portInRedirect && !isOwn && port !== 0 ? `:${port}` : ''}${target}`;
}
