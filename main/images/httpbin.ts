// kennethreitz/httpbin: a web service that shows requests and answers as it is asked to.
import { createHash } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { headerOf, type HttpRequest, type HttpResponse } from '../network/http/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import { listenGo, readBody } from './go-http.ts';

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
};
const DELAY_SECONDS_MAX = 10;
const BYTES_MAX = 100 * 1024;
const STREAM_LINES_MAX = 100;
const TEAPOT =
  '\n    -=[ teapot ]=-\n\n       _...._\n     .\'  _ _ `.\n    | ."` ^ `". _,\n    \\_;`"---"`|//\n      |       ;/\n      \\_     _/\n        `"""`\n';
const SAMPLE = {
  slideshow: {
    author: 'Yours Truly',
    date: 'date of publication',
    slides: [
      { title: 'Wake up to WonderWidgets!', type: 'all' },
      {
        items: ['Why <em>WonderWidgets</em> are great', 'Who <em>buys</em> WonderWidgets'],
        title: 'Overview',
        type: 'all',
      },
    ],
    title: 'Sample Slide Show',
  },
};

interface Call {
  readonly proc: Process;
  readonly request: HttpRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

type Route = (call: Call, parts: readonly string[]) => HttpResponse | Promise<HttpResponse>;

/** gunicorn with httpbin, on the port of -b. */
export const httpbin: Program = async (proc) => {
  const bind =
    proc.argv[proc.argv.findIndex((word) => word === '-b' || word === '--bind') + 1] ?? '0.0.0.0:80';
  const port = Number(bind.slice(bind.lastIndexOf(':') + 1)) || 80;
  const log = (text: string): Promise<void> =>
    proc.stderr.write(
      `[${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19).replace('T', ' ')} +0000] [${proc.pid}] [INFO] ${text}\n`,
    );
  using server = await listenGo(proc, port, async ({ request, path, query }) => {
    const call = { proc, request, path, query, body: await readBody(request) };
    return answer(call);
  });
  if (server === undefined) return 1;
  await log('Starting gunicorn 19.9.0');
  await log(`Listening at: http://0.0.0.0:${port} (${proc.pid})`);
  await log('Using worker: gevent');
  return await untilStopped(proc);
};

async function answer(call: Call): Promise<HttpResponse> {
  const [name = '', ...parts] = call.path.split('/').slice(1);
  const route = ROUTES[name];
  if (route === undefined) return page(call, 404);
  const methods = METHODS[name] ?? ['GET'];
  const { method } = call.request;
  if (method === 'OPTIONS')
    return respond(call, 200, '', 'text/html; charset=utf-8', [
      ['Allow', [...methods, 'HEAD', 'OPTIONS'].join(', ')],
    ]);
  if (methods[0] !== '*' && !methods.includes(method) && !(method === 'HEAD' && methods.includes('GET')))
    return page(call, 405);
  return route(call, parts);
}

function respond(
  call: Call,
  status: number,
  body: string | Uint8Array,
  type: string,
  more: readonly (readonly [string, string])[] = [],
): HttpResponse {
  return {
    status,
    headers: [
      ['Server', 'gunicorn/19.9.0'],
      ['Date', new Date(Math.floor(call.proc.clock.now())).toUTCString()],
      ['Connection', 'keep-alive'],
      ...(type === '' ? [] : [['Content-Type', type] as const]),
      ['Content-Length', String(Buffer.byteLength(body))],
      ...more,
      ['Access-Control-Allow-Origin', headerOf(call.request.headers, 'Origin') ?? '*'],
      ['Access-Control-Allow-Credentials', 'true'],
    ],
    body,
  };
}

/** Flask's jsonify: keys sorted, two blanks, and a blank after each comma. */
function json(
  call: Call,
  value: unknown,
  status = 200,
  more: readonly (readonly [string, string])[] = [],
): HttpResponse {
  return respond(call, status, pretty(value), 'application/json', more);
}

function pretty(value: unknown): string {
  return `${JSON.stringify(sorted(value), undefined, 2).replaceAll(/,\n/g, ', \n')}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** werkzeug's error page. */
function page(call: Call, status: number): HttpResponse {
  const text = STATUS_TEXTS[status] ?? '';
  const why =
    status === 404
      ? 'The requested URL was not found on the server.  If you entered the URL manually please check your spelling and try again.'
      : 'The method is not allowed for the requested URL.';
  return respond(
    call,
    status,
    `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>${status} ${text}</title>\n<h1>${text}</h1>\n<p>${why}</p>\n`,
    'text/html',
  );
}

function valuesOf(pairs: URLSearchParams): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = {};
  for (const key of new Set(pairs.keys())) {
    const all = pairs.getAll(key);
    values[key] = all.length === 1 ? all[0]! : all;
  }
  return values;
}

function headersOf({ request }: Call): Record<string, string> {
  return Object.fromEntries(
    request.headers.map(([name, value]) => [
      name
        .toLowerCase()
        .split('-')
        .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
        .join('-'),
      value,
    ]),
  );
}

function urlOf({ request }: Call): string {
  return `${headerOf(request.headers, 'X-Forwarded-Proto') ?? 'http'}://${headerOf(request.headers, 'Host') ?? ''}${request.target}`;
}

function originOf({ request }: Call): string {
  return headerOf(request.headers, 'X-Forwarded-For') ?? request.peer.address;
}

function shownRequest(call: Call, withBody: boolean): Record<string, unknown> {
  const shown = {
    args: valuesOf(call.query),
    headers: headersOf(call),
    origin: originOf(call),
    url: urlOf(call),
  };
  if (!withBody) return shown;
  const isForm = (headerOf(call.request.headers, 'Content-Type') ?? '').startsWith(
    'application/x-www-form-urlencoded',
  );
  const text = call.body.toString('utf8');
  return {
    ...shown,
    data: isForm ? '' : text,
    files: {},
    form: isForm ? valuesOf(new URLSearchParams(text)) : {},
    json: parsed(text),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function cookiesOf({ request }: Call): Record<string, string> {
  const text = headerOf(request.headers, 'Cookie') ?? '';
  return Object.fromEntries(
    text
      .split(/;\s*/)
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** Flask's way out of one page into another. */
function redirect(
  call: Call,
  location: string,
  status = 302,
  more: readonly (readonly [string, string])[] = [],
): HttpResponse {
  const text = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to target URL: <a href="${location}">${location}</a>.  If not click the link.`;
  return respond(call, status, text, 'text/html; charset=utf-8', [['Location', location], ...more]);
}

function statusAnswer(call: Call, code: number): HttpResponse {
  if (code === 418)
    return respond(call, code, TEAPOT, 'text/html; charset=utf-8', [
      ['x-more-info', 'http://tools.ietf.org/html/rfc2324'],
    ]);
  if (code === 401)
    return respond(call, code, '', 'text/html; charset=utf-8', [
      ['WWW-Authenticate', 'Basic realm="Fake Realm"'],
    ]);
  const isRedirect = [301, 302, 303, 305, 307].includes(code);
  return respond(call, code, '', 'text/html; charset=utf-8', isRedirect ? [['Location', '/redirect/1']] : []);
}

function basicAuth(call: Call, [user = '', password = '']: readonly string[], hidden: boolean): HttpResponse {
  const given = /^Basic (.+)$/i.exec(headerOf(call.request.headers, 'Authorization') ?? '')?.[1] ?? '';
  if (Buffer.from(given, 'base64').toString() === `${user}:${password}`)
    return json(call, { authenticated: true, user });
  return hidden ? page(call, 404) : statusAnswer(call, 401);
}

function randomBytes(call: Call, count: number): Buffer {
  const seed = call.query.get('seed') ?? String(call.proc.random.integer(2 ** 31));
  const bytes = Buffer.alloc(Math.min(count, BYTES_MAX));
  for (let at = 0, block = 0; at < bytes.length; at += 64, block++)
    createHash('sha512').update(`${seed}/${block}`).digest().copy(bytes, at);
  return bytes;
}

async function delayed(call: Call, seconds: number, then: () => HttpResponse): Promise<HttpResponse> {
  await call.proc.clock.sleep(Math.min(Math.max(0, seconds), DELAY_SECONDS_MAX) * 1000);
  return then();
}

const anything: Route = (call) => json(call, { ...shownRequest(call, true), method: call.request.method });
const withBody: Route = (call) => json(call, shownRequest(call, true));
const ALL = ['*'];
const METHODS: Readonly<Record<string, readonly string[]>> = {
  anything: ALL,
  status: ALL,
  delay: ALL,
  post: ['POST'],
  put: ['PUT'],
  patch: ['PATCH'],
  delete: ['DELETE'],
  'redirect-to': ALL,
};

const ROUTES: Readonly<Record<string, Route>> = {
  '': (call) =>
    respond(
      call,
      200,
      '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="UTF-8"><title>httpbin.org</title></head>\n<body><h2>httpbin.org</h2><p>A simple HTTP Request &amp; Response Service.</p></body>\n</html>\n',
      'text/html; charset=utf-8',
    ),
  get: (call) => json(call, shownRequest(call, false)),
  post: withBody,
  put: withBody,
  patch: withBody,
  delete: withBody,
  anything,
  headers: (call) => json(call, { headers: headersOf(call) }),
  ip: (call) => json(call, { origin: originOf(call) }),
  'user-agent': (call) => json(call, { 'user-agent': headerOf(call.request.headers, 'User-Agent') ?? null }),
  uuid: (call) => {
    const hex = call.proc.random.string(30, '0123456789abcdef');
    return json(call, {
      uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18)}`,
    });
  },
  status: (call, [codes = '']) => {
    const list = codes.split(',').map((code) => Number(code.split(':')[0]));
    if (list.some((code) => !(code >= 100 && code < 1000)))
      return respond(call, 400, 'Invalid status code', 'text/html; charset=utf-8');
    return statusAnswer(call, list[call.proc.random.integer(list.length)]!);
  },
  delay: (call, [seconds = '0']) =>
    delayed(call, Number(seconds), () => json(call, shownRequest(call, true))),
  redirect: (call, [times = '1']) =>
    redirect(call, Number(times) <= 1 ? '/get' : `/relative-redirect/${Number(times) - 1}`),
  'relative-redirect': (call, [times = '1']) =>
    redirect(call, Number(times) <= 1 ? '/get' : `/relative-redirect/${Number(times) - 1}`),
  'absolute-redirect': (call, [times = '1']) => {
    const host = `http://${headerOf(call.request.headers, 'Host') ?? ''}`;
    return redirect(
      call,
      Number(times) <= 1 ? `${host}/get` : `${host}/absolute-redirect/${Number(times) - 1}`,
    );
  },
  'redirect-to': (call) =>
    respond(call, Number(call.query.get('status_code') ?? 302), '', 'text/html; charset=utf-8', [
      ['Location', call.query.get('url') ?? ''],
    ]),
  cookies: (call, [what, name = '', value = '']) => {
    const gone = (key: string): readonly [string, string] => [
      'Set-Cookie',
      `${key}=; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0; Path=/`,
    ];
    if (what === undefined || what === '') return json(call, { cookies: cookiesOf(call) });
    if (what === 'delete') return redirect(call, '/cookies', 302, [...call.query.keys()].map(gone));
    if (what !== 'set') return page(call, 404);
    const pairs = name === '' ? [...call.query] : [[name, value] as [string, string]];
    return redirect(
      call,
      '/cookies',
      302,
      pairs.map(([key, each]) => ['Set-Cookie', `${key}=${each}; Path=/`] as const),
    );
  },
  'basic-auth': (call, parts) => basicAuth(call, parts, false),
  'hidden-basic-auth': (call, parts) => basicAuth(call, parts, true),
  bearer: (call) => {
    const token = /^Bearer (.+)$/.exec(headerOf(call.request.headers, 'Authorization') ?? '')?.[1];
    return token === undefined
      ? respond(call, 401, '', 'text/html; charset=utf-8', [['WWW-Authenticate', 'Bearer']])
      : json(call, { authenticated: true, token });
  },
  json: (call) => json(call, SAMPLE),
  html: (call) =>
    respond(
      call,
      200,
      '<!DOCTYPE html>\n<html>\n  <head>\n  </head>\n  <body>\n      <h1>Herman Melville - Moby-Dick</h1>\n      <div>\n        <p>Availing himself of the mild, summer-cool weather that now reigned in these latitudes.</p>\n      </div>\n  </body>\n</html>\n',
      'text/html; charset=utf-8',
    ),
  xml: (call) =>
    respond(
      call,
      200,
      '<?xml version=\'1.0\' encoding=\'us-ascii\'?>\n\n<slideshow title="Sample Slide Show" date="Date of publication" author="Yours Truly">\n  <slide type="all">\n    <title>Wake up to WonderWidgets!</title>\n  </slide>\n</slideshow>\n',
      'application/xml',
    ),
  'robots.txt': (call) => respond(call, 200, 'User-agent: *\nDisallow: /deny\n', 'text/plain'),
  deny: (call) => respond(call, 200, "YOU SHOULDN'T BE HERE\n", 'text/plain'),
  base64: (call, [text = '']) => respond(call, 200, Buffer.from(text, 'base64'), 'text/html; charset=utf-8'),
  bytes: (call, [count = '0']) =>
    respond(call, 200, randomBytes(call, Number(count)), 'application/octet-stream'),
  'stream-bytes': (call, [count = '0']) =>
    respond(call, 200, randomBytes(call, Number(count)), 'application/octet-stream'),
  gzip: (call) =>
    respond(
      call,
      200,
      gzipSync(
        pretty({
          gzipped: true,
          headers: headersOf(call),
          method: call.request.method,
          origin: originOf(call),
        }),
      ),
      'application/json',
      [['Content-Encoding', 'gzip']],
    ),
  deflate: (call) =>
    respond(
      call,
      200,
      deflateSync(
        pretty({
          deflated: true,
          headers: headersOf(call),
          method: call.request.method,
          origin: originOf(call),
        }),
      ),
      'application/json',
      [['Content-Encoding', 'deflate']],
    ),
  stream: (call, [count = '1']) => {
    const lines = Array.from(
      { length: Math.min(Number(count), STREAM_LINES_MAX) },
      (_, id) =>
        `${JSON.stringify({ ...shownRequest(call, false), id })
          .replaceAll('":', '": ')
          .replaceAll(',"', ', "')}\n`,
    );
    const { headers, ...rest } = respond(call, 200, '', 'application/json');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const line of lines) yield await Promise.resolve(Buffer.from(line));
    }
    return {
      ...rest,
      headers: [...headers.filter(([name]) => name !== 'Content-Length'), ['Transfer-Encoding', 'chunked']],
      body: pieces(),
    };
  },
  drip: (call) =>
    delayed(call, Number(call.query.get('delay') ?? 0) + Number(call.query.get('duration') ?? 2), () =>
      respond(
        call,
        Number(call.query.get('code') ?? 200),
        '*'.repeat(Math.min(Number(call.query.get('numbytes') ?? 10), BYTES_MAX)),
        'application/octet-stream',
      ),
    ),
  'response-headers': (call) =>
    json(call, { ...valuesOf(call.query), 'Content-Type': 'application/json' }, 200, [...call.query]),
  cache: (call) =>
    (headerOf(call.request.headers, 'If-Modified-Since') ??
      headerOf(call.request.headers, 'If-None-Match')) === undefined
      ? json(call, shownRequest(call, false))
      : respond(call, 304, '', ''),
  etag: (call, [tag = '']) =>
    headerOf(call.request.headers, 'If-None-Match')?.includes(tag) === true
      ? respond(call, 304, '', '', [['ETag', tag]])
      : json(call, shownRequest(call, false), 200, [['ETag', tag]]),
  image: (call) => respond(call, 501, "drydock: httpbin's images aren't simulated\n", 'text/plain'),
};
