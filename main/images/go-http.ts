// HTTP servers as programs in Go are: how they listen, what they log, and the header fields net/http adds.
import { ErrnoError } from '../network/index.ts';
import { serveHttp, type HeaderList, type HttpRequest, type HttpResponse } from '../network/http/index.ts';
import type { Process } from '../linux/kernel/index.ts';

/** One request, with what handlers ask of it. */
export interface GoRequest {
  readonly proc: Process;
  readonly request: HttpRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The address it was sent to. */
  readonly localPort: number;
}

export type GoHandler = (it: GoRequest) => HttpResponse | Promise<HttpResponse>;

/** `2024/03/01 00:00:00 `: package log's default prefix. */
export function logStamp(proc: Process): string {
  return `${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')} `;
}

/** Starts a server on a port of every address; undefined once it has said on stderr why it can't. */
export async function listenGo(
  proc: Process,
  port: number,
  handler: GoHandler,
): Promise<Disposable | undefined> {
  const stack = new DisposableStack();
  try {
    const listener = stack.use(
      proc.net.sockets.listenTcp({ address: '0.0.0.0', port }, { owner: proc.socketOwner }),
    );
    const serve = (request: HttpRequest): Promise<HttpResponse> => {
      const [path = '/', ...rest] = request.target.split('?');
      return Promise.resolve(
        handler({
          proc,
          request,
          path: decodePath(path),
          query: new URLSearchParams(rest.join('?')),
          localPort: port,
        }),
      );
    };
    stack.use(serveHttp(listener, serve));
    return stack;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    stack.dispose();
    await proc.stderr.write(`${logStamp(proc)}listen tcp :${port}: bind: ${error.message.toLowerCase()}\n`);
    return undefined;
  }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

/** An answer with the fields net/http adds: the handler's own sorted, then Date, Content-Length and a sniffed Content-Type. */
export function goResponse(
  proc: Process,
  body: string | Uint8Array,
  options: { readonly status?: number; readonly headers?: HeaderList } = {},
): HttpResponse {
  const own = [...(options.headers ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const hasType = own.some(([name]) => name === 'Content-Type');
  return {
    status: options.status ?? 200,
    headers: [
      ...own,
      ['Date', new Date(Math.floor(proc.clock.now())).toUTCString()],
      ['Content-Length', String(length)],
      ...(hasType || length === 0 ? [] : [['Content-Type', sniff(body)] as const]),
    ],
    body,
  };
}

/** http.Error. */
export function goError(proc: Process, status: number, text: string): HttpResponse {
  return goResponse(proc, `${text}\n`, {
    status,
    headers: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
  });
}

/** http.NotFound. */
export function goNotFound(proc: Process): HttpResponse {
  return goError(proc, 404, '404 page not found');
}

/** http.DetectContentType, as far as texts and unknown bytes go. */
function sniff(body: string | Uint8Array): string {
  const text = typeof body === 'string' ? body : Buffer.from(body.subarray(0, 512)).toString('latin1');
  const start = text.trimStart().slice(0, 16).toLowerCase();
  if (/^<(!doctype html|html|head|script|body|h1|div|p|br|table|title|!--)[\s>]/.test(start))
    return 'text/html; charset=utf-8';
  // eslint-disable-next-line no-control-regex -- net/http's own list of binary bytes.
  return /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text.slice(0, 512))
    ? 'application/octet-stream'
    : 'text/plain; charset=utf-8';
}

/** The rest of a request's body. */
export async function readBody(request: HttpRequest): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of request.body) parts.push(part);
  return Buffer.concat(parts);
}

/** A Go flag set's words: `-text=x`, `-text x`, `--text x`, `-quiet`. What follows the flags is the rest. */
export function goFlags(
  args: readonly string[],
  booleans: readonly string[] = [],
): { readonly flags: ReadonlyMap<string, string>; readonly rest: readonly string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word);
    if (word === '--') {
      rest.push(...args.slice(index + 1));
      break;
    }
    if (match === null) rest.push(word);
    else if (match[2] !== undefined) flags.set(match[1]!, match[2]);
    else if (booleans.includes(match[1]!)) flags.set(match[1]!, 'true');
    else flags.set(match[1]!, args[++index] ?? '');
  }
  return { flags, rest };
}

/** time.ParseDuration in ms; undefined for what isn't one. */
export function goDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^[+-]?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
  };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * units[unit!]!;
  return text.startsWith('-') ? -total : total;
}
