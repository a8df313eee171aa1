// nginx's phases: rewrite, choosing a location, access, and who makes the content; then error pages.
import { toText } from './bytes.ts';
import { checkAccess } from './access.ts';
import { Exchange, HangUp, HttpError, type Result } from './exchange.ts';
import { absolute, contentTypeOf, escapeUri, InternalRedirect, page, serveFile, tryFiles } from './files.ts';
import { statusPage } from './pages.ts';
import { passOn } from './proxy.ts';
import type { Condition, Location, RewriteStep, Settings } from './settings.ts';
import { fill } from './template.ts';
import { ErrnoError } from '../../network/index.ts';

/** How often a request may go back to choosing a location (NGX_HTTP_MAX_URI_CHANGES). */
const REDIRECTS_MAX = 10;
const EMPTY_GIF = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

/** Rewriting changed the URI: a location is chosen anew. */
class ChosenAgain extends Error {}

/** Answers one request up to, but not including, the output filters. Throws HangUp when there is to be no answer. */
export async function route(exchange: Exchange): Promise<Result> {
  try {
    return await phases(exchange);
  } catch (error) {
    return errorResult(exchange, error);
  }
}

async function phases(exchange: Exchange): Promise<Result> {
  let isRewritten = false;
  for (let turn = 0; ; turn++) {
    if (turn > REDIRECTS_MAX) {
      exchange.log('error', `rewrite or internal redirection cycle while processing "${exchange.uri}"`);
      throw new HttpError(500);
    }
    try {
      exchange.location = undefined;
      exchange.settings = exchange.server.settings;
      if (!isRewritten) rewrite(exchange, exchange.server.steps, 0);
      return await inLocation(exchange, turn);
    } catch (error) {
      isRewritten = error instanceof ChosenAgain;
      if (isRewritten) continue;
      if (!(error instanceof InternalRedirect)) throw error;
      exchange.isInternal = true;
      if (error.uri.startsWith('@')) return named(exchange, error.uri);
      setUri(exchange, error.uri);
    }
  }
}

/** Where an internal redirect leads: the arguments stay unless the target has its own. */
function setUri(exchange: Exchange, target: string): void {
  exchange.isUriChanged = true;
  const mark = target.indexOf('?');
  exchange.uri = mark < 0 ? target : target.slice(0, mark);
  if (mark >= 0) exchange.args = target.slice(mark + 1);
}

async function named(exchange: Exchange, name: string): Promise<Result> {
  const location = exchange.server.locations.find(({ kind, path }) => kind === 'named' && path === name);
  if (location === undefined) {
    exchange.log('error', `could not find named location "${name}"`);
    throw new HttpError(500);
  }
  exchange.isInternal = true;
  try {
    return await serve(exchange, location);
  } catch (error) {
    if (error instanceof ChosenAgain) return phases(exchange);
    if (!(error instanceof InternalRedirect)) throw error;
    if (error.uri.startsWith('@')) return named(exchange, error.uri);
    setUri(exchange, error.uri);
    return phases(exchange);
  }
}

async function inLocation(exchange: Exchange, turn: number): Promise<Result> {
  const location = pickLocation(exchange.server.locations, exchange);
  if (location === undefined) {
    exchange.settings = exchange.server.settings;
    return content(exchange);
  }
  if (location.settings.isInternal && !exchange.isInternal && turn === 0) {
    exchange.location = location;
    exchange.settings = location.settings;
    throw new HttpError(404);
  }
  return serve(exchange, location);
}

/** The longest prefix, unless a regular expression matches (and the prefix doesn't forbid that). */
function pickLocation(locations: readonly Location[], exchange: Exchange): Location | undefined {
  const { uri } = exchange;
  let best: Location | undefined;
  for (const location of locations) {
    if (location.kind === 'exact' && location.path === uri) return location;
    if (location.kind !== 'prefix' && location.kind !== 'prefix-final') continue;
    if (location.autoRedirects && location.path === `${uri}/`) {
      exchange.settings = location.settings;
      throw new HttpError(301, [], `${location.path}${exchange.args === '' ? '' : `?${exchange.args}`}`);
    }
    if (uri.startsWith(location.path) && location.path.length > (best?.path.length ?? -1)) best = location;
  }
  const inner = best === undefined ? undefined : pickLocation(best.locations, exchange);
  if (inner?.kind === 'exact' || inner?.kind === 'prefix-final' || inner?.kind === 'regex') return inner;
  const prefix = inner ?? best;
  if (prefix?.kind === 'prefix-final') return prefix;
  for (const location of locations) {
    if (location.kind !== 'regex') continue;
    const match = location.pattern!.exec(uri);
    if (match === null) continue;
    exchange.setCaptures(match);
    return pickLocation(location.locations, exchange) ?? location;
  }
  return prefix;
}

async function serve(exchange: Exchange, location: Location): Promise<Result> {
  exchange.location = location;
  exchange.settings = location.settings;
  checkBodySize(exchange);
  rewrite(exchange, location.steps, 1);
  return content(exchange);
}

function checkBodySize(exchange: Exchange): void {
  const length = exchange.header('Content-Length');
  const { clientMaxBodyBytes } = exchange.settings;
  if (length !== undefined && Number(length) > clientMaxBodyBytes) {
    exchange.log('error', `client intended to send too large body: ${length} bytes`);
    throw new HttpError(413);
  }
}

async function content(exchange: Exchange): Promise<Result> {
  checkReferer(exchange);
  await checkAccess(exchange, subrequest);
  for (const uri of exchange.isSubrequest ? [] : exchange.settings.mirrors)
    subrequest(exchange, uri).catch(() => undefined); // Whatever becomes of the copy doesn't matter.
  tryFiles(exchange);
  const { settings } = exchange;
  if (settings.stubStatus) return stubStatus(exchange);
  if (settings.emptyGif)
    return {
      status: 200,
      contentType: 'image/gif',
      contentLength: EMPTY_GIF.length,
      headers: [],
      body: EMPTY_GIF,
    };
  if (settings.proxy !== undefined && settings.proxy.target.length > 0)
    return passOn(exchange, settings.proxy);
  return serveFile(exchange);
}

function stubStatus(exchange: Exchange): Result {
  const { accepted, handled, requests, active, reading, writing } = exchange.world.counters;
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw new HttpError(405);
  return page(
    200,
    'text/plain',
    `Active connections: ${active} \nserver accepts handled requests\n ${accepted} ${handled} ${requests} \nReading: ${reading} Writing: ${writing} Waiting: ${Math.max(0, active - reading - writing)} \n`,
  );
}

function checkReferer(exchange: Exchange): void {
  const valid = exchange.settings.validReferers;
  if (valid === undefined) return;
  const referer = exchange.header('Referer');
  if (referer === undefined) exchange.invalidReferer = !valid.includes('none');
  else if (!/^https?:\/\//i.test(referer)) exchange.invalidReferer = !valid.includes('blocked');
  else {
    const host = referer
      .replace(/^https?:\/\//i, '')
      .replace(/[/:?].*$/, '')
      .toLowerCase();
    exchange.invalidReferer = !valid.some((name) =>
      name === 'server_names'
        ? exchange.server.names.some(({ text }) => text === host)
        : name.startsWith('~')
          ? new RegExp(name.slice(1), 'i').test(referer.replace(/^https?:\/\//i, ''))
          : name === host ||
            (name.startsWith('*.') && host.endsWith(name.slice(1))) ||
            (name.endsWith('.*') && host.startsWith(name.slice(0, -1))),
    );
  }
}

/** Asks a location of the same server on the side; its body is thrown away. */
async function subrequest(
  exchange: Exchange,
  uri: string,
): Promise<{ status: number; headers: readonly (readonly [string, string])[]; asked: Exchange }> {
  const asked = new Exchange({
    world: exchange.world,
    head: { ...exchange.head, method: 'GET' },
    connection: exchange.connection,
    server: exchange.server,
    readBody: exchange.readBody,
    host: exchange.host,
    isSubrequest: true,
  });
  asked.clientAddress = exchange.clientAddress;
  asked.isInternal = true;
  for (const [name, value] of exchange.assigned) asked.assigned.set(name, value);
  setUri(asked, uri);
  const result = await route(asked);
  if (!(result.body instanceof Uint8Array)) for await (const piece of result.body) void piece;
  asked.responseHeaders = result.headers;
  return { status: result.status, headers: result.headers, asked };
}

// ── The rewrite module ──

/** Runs the steps of a server or location. Throws HttpError for what they return, ChosenAgain when the URI changed. */
function rewrite(exchange: Exchange, steps: readonly RewriteStep[], turn: number): void {
  const outcome = { changed: false };
  runSteps(exchange, steps, outcome);
  if (outcome.changed && turn > 0) throw new ChosenAgain();
}

/** True if the rest of the steps is to be left out. */
function runSteps(exchange: Exchange, steps: readonly RewriteStep[], outcome: { changed: boolean }): boolean {
  for (const step of steps) {
    switch (step.kind) {
      case 'set':
        exchange.assigned.set(step.name, fill(step.value, exchange));
        break;
      case 'break':
        outcome.changed = false;
        return true;
      case 'return':
        returns(exchange, step.status, step.text === undefined ? undefined : fill(step.text, exchange));
        break;
      case 'rewrite':
        if (runRewrite(exchange, step, outcome)) return true;
        break;
      case 'if':
        if (holds(step.test, exchange)) {
          if (exchange.location !== undefined || step.settings !== exchange.settings)
            exchange.settings = step.settings;
          if (runSteps(exchange, step.steps, outcome)) return true;
        }
        break;
    }
  }
  return false;
}

function runRewrite(
  exchange: Exchange,
  step: RewriteStep & { kind: 'rewrite' },
  outcome: { changed: boolean },
): boolean {
  const match = step.pattern.exec(exchange.uri);
  if (match === null) return false;
  exchange.setCaptures(match);
  const isOut = step.flag === 'redirect' || step.flag === 'permanent';
  let target = fill(step.target, exchange);
  if (isOut) {
    const isAbsolute = /^[a-z]+:\/\//i.test(target);
    if (!isAbsolute) target = escapeUri(target.replace(/\?.*$/, '')) + (/\?.*$/.exec(target)?.[0] ?? '');
    const args =
      step.dropsArgs || exchange.args === '' ? '' : `${target.includes('?') ? '&' : '?'}${exchange.args}`;
    throw new HttpError(step.flag === 'permanent' ? 301 : 302, [], target + args);
  }
  const mark = target.indexOf('?');
  const own = mark < 0 ? undefined : target.slice(mark + 1);
  exchange.uri = mark < 0 ? target : target.slice(0, mark);
  exchange.isInternal = true;
  exchange.isUriChanged = true;
  if (exchange.uri === '') {
    exchange.log('error', 'the rewritten URI has a zero length');
    throw new HttpError(500);
  }
  if (step.dropsArgs) exchange.args = own ?? '';
  else if (own !== undefined) exchange.args = exchange.args === '' ? own : `${own}&${exchange.args}`;
  outcome.changed = step.flag !== 'break';
  return step.flag !== '';
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function returns(exchange: Exchange, status: number, text: string | undefined): never {
  if (status === 444) throw new HangUp();
  if (text === undefined) {
    if (status === 204) throw new Answer({ status, headers: [], body: Buffer.alloc(0) });
    if (status < 300) throw new Answer(page(status, contentTypeOf(exchange, exchange.uri), ''));
    throw new HttpError(status);
  }
  if (REDIRECTS.has(status)) throw new HttpError(status, [], text);
  const answer = page(status, contentTypeOf(exchange, exchange.uri), text);
  throw new Answer(status === 204 ? { ...answer, body: Buffer.alloc(0) } : answer);
}

/** What `return` gives at once. */
class Answer extends Error {
  readonly result: Result;
  constructor(result: Result) {
    super('an answer');
    this.result = result;
  }
}

function holds(test: Condition, exchange: Exchange): boolean {
  switch (test.kind) {
    case 'true': {
      const value = fill(test.variable, exchange);
      return value !== '' && value !== '0';
    }
    case 'equal':
      return (fill(test.left, exchange) === fill(test.right, exchange)) !== test.negated;
    case 'match': {
      const match = test.pattern.exec(fill(test.left, exchange));
      if (match !== null) exchange.setCaptures(match);
      return (match !== null) !== test.negated;
    }
    case 'file':
      return fileHolds(exchange, fill(test.path, exchange), test.test) !== test.negated;
  }
}

function fileHolds(exchange: Exchange, path: string, test: 'f' | 'd' | 'e' | 'x'): boolean {
  try {
    const { type, mode } = exchange.world.proc.fs.stat(toText(path));
    if (test === 'f') return type === 'file';
    if (test === 'd') return type === 'directory';
    return test === 'e' || (mode & 0o111) !== 0;
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

// ── Error pages ──

/** Statuses after which nginx closes the connection. */
export const CLOSING = new Set([400, 413, 414, 494, 495, 496, 497, 500, 501]);

/** The answer to a request that failed before it was routed. */
export function failWith(exchange: Exchange, error: HttpError): Promise<Result> {
  return errorResult(exchange, error);
}

/** What goes out instead: error_page's, or nginx's own page. */
async function errorResult(exchange: Exchange, error: unknown): Promise<Result> {
  if (error instanceof Answer) return error.result;
  if (error instanceof ChosenAgain || error instanceof InternalRedirect)
    return errorResult(exchange, new HttpError(500));
  if (!(error instanceof HttpError)) throw error;
  const { status } = error;
  const { settings } = exchange;
  const rule =
    exchange.hasErrorPage && !settings.recursiveErrorPages
      ? undefined
      : settings.errorPages.find(({ codes }) => codes.includes(status));
  if (rule !== undefined) return customPage(exchange, error, rule);
  return ownPage(exchange, error, settings);
}

async function customPage(
  exchange: Exchange,
  error: HttpError,
  rule: Settings['errorPages'][number],
): Promise<Result> {
  const target = fill(rule.uri, exchange);
  exchange.hasErrorPage = true;
  const status = rule.status === undefined ? shown(error.status) : rule.status;
  if (!target.startsWith('/') && !target.startsWith('@')) {
    const redirect = rule.status !== undefined && REDIRECTS.has(rule.status) ? rule.status : 302;
    return ownPage(exchange, new HttpError(redirect, error.headers, target), exchange.settings);
  }
  // The page is fetched as by GET.
  if (exchange.method !== 'HEAD') exchange.method = 'GET';
  exchange.isInternal = true;
  try {
    const result = target.startsWith('@')
      ? await named(exchange, target)
      : (setUri(exchange, target), await phases(exchange));
    const keeps = status === 0;
    const headers = [...error.headers, ...result.headers];
    const isWhole = result.status === 200 || !keeps;
    return {
      ...result,
      headers,
      ...(isWhole && !keeps
        ? { status, ...(result.statusLine === undefined ? {} : { statusLine: undefined as never }) }
        : {}),
    };
  } catch (inner) {
    if (inner instanceof Answer)
      return {
        ...inner.result,
        headers: [...error.headers, ...inner.result.headers],
        ...(status === 0 ? {} : { status }),
      };
    if (inner instanceof HttpError) {
      const next = await errorResult(exchange, inner);
      return next;
    }
    throw inner;
  }
}

/** 494 to 497 are nginx's own numbers: the client sees 400. */
function shown(status: number): number {
  return status >= 494 && status <= 497 ? 400 : status;
}

function ownPage(exchange: Exchange, error: HttpError, settings: Settings): Result {
  const { status, location } = error;
  const text = statusPage(status, signature(exchange, settings), isOldBrowser(exchange, settings));
  const isOwn = location?.startsWith('/') === true && settings.absoluteRedirect;
  const place = isOwn ? { location: absolute(exchange, location) } : {};
  const headers: Result['headers'] =
    location === undefined || isOwn ? error.headers : [['Location', location], ...error.headers];
  if (text === undefined)
    return { status: shown(status), headers, ...place, contentLength: 0, body: Buffer.alloc(0) };
  return { ...page(shown(status), 'text/html', text, headers), ...place };
}

/** `nginx/1.20.2`, or without the version where server_tokens is off. */
export function signature(exchange: Exchange, { serverTokens }: Settings): string {
  return serverTokens === 'off' ? 'nginx' : `nginx/${exchange.world.version}`;
}

function isOldBrowser(exchange: Exchange, { msiePadding }: Settings): boolean {
  return (
    msiePadding &&
    exchange.head.version !== '0.9' &&
    /MSIE |Chrome\//.test(exchange.header('User-Agent') ?? '')
  );
}
