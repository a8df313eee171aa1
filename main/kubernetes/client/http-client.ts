// Requests to an API server over the virtual network, as client-go's rest.Client makes them.
import {
  connectWebSocket,
  headerOf,
  httpRequest,
  WebSocketRefused,
  type ClientResponse,
  type HeaderList,
  type WebSocket,
} from '../../network/http/index.ts';
import { ErrnoError, type ByteStream, type Sockets } from '../../network/index.ts';
import type { Random } from '../../simulation/index.ts';
import { StatusError, type Status } from '../api/index.ts';
import type { RestConfig } from './kubeconfig.ts';

/** Opens a stream to the server of a configuration: name resolution, TCP, TLS. Rejects with ErrnoError or a TLS error. */
export type Dial = (host: string, port: number, signal?: AbortSignal) => Promise<ByteStream>;

export interface HttpApiOptions {
  readonly config: RestConfig;
  readonly sockets: Sockets;
  readonly random: Random;
  readonly dial: Dial;
  /** Sent as User-Agent. */
  readonly userAgent: string;
  /** Told of each `Warning` header's text. */
  readonly onWarning?: (text: string) => void;
}

export interface ApiRequest {
  readonly method: string;
  /** From the root, such as `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: HeaderList;
  /** JSON is sent as `contentType`, by default application/json. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** The server can't be reached; `url` is what was asked. */
export class UnreachableError extends Error {
  readonly url: string;
  readonly method: string;
  constructor(method: string, url: string, cause: unknown) {
    super(`${method} "${url}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.method = method;
    this.url = url;
  }
}

/** One server as one user. Keeps a connection for the next request. */
export class HttpApi implements Disposable {
  readonly config: RestConfig;
  private readonly options: HttpApiOptions;
  private idle: ByteStream | undefined;

  constructor(options: HttpApiOptions) {
    this.options = options;
    this.config = options.config;
  }

  /** The body as parsed JSON. Throws StatusError for a refusal, UnreachableError when nobody answers. */
  async json<T>(request: ApiRequest): Promise<T> {
    return JSON.parse(await this.text(request)) as T;
  }

  /** The body as text; errors as `json`. */
  async text(request: ApiRequest): Promise<string> {
    const { response, release } = await this.open(request);
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body) pieces.push(piece);
    release();
    const text = Buffer.concat(pieces).toString('utf8');
    if (response.status >= 400) throw refusal(response, text, request);
    return text;
  }

  /** The body as it comes; a refusal is thrown before the first piece. The connection is closed at the end. */
  async *stream(request: ApiRequest): AsyncGenerator<Uint8Array> {
    const { response, close } = await this.open(request);
    try {
      if (response.status >= 400) {
        const pieces: Uint8Array[] = [];
        for await (const piece of response.body) pieces.push(piece);
        throw refusal(response, Buffer.concat(pieces).toString('utf8'), request);
      }
      yield* response.body;
    } finally {
      close();
    }
  }

  /** Upgrades to a WebSocket. Rejects with StatusError if the server refuses. */
  async webSocket(path: string, query: string, protocols: readonly string[]): Promise<WebSocket> {
    const { random } = this.options;
    const stream = await this.connect('GET', path);
    try {
      return await connectWebSocket(stream, {
        target: query === '' ? path : `${path}?${query}`,
        headers: [
          ['Host', new URL(this.config.server).host],
          ['User-Agent', this.options.userAgent],
          ...this.authHeaders(),
        ],
        protocols,
        randomBytes: (sizeBytes) => random.bytes(sizeBytes),
      });
    } catch (error) {
      if (!(error instanceof WebSocketRefused)) throw error;
      const pieces: Uint8Array[] = [];
      for await (const piece of error.response.body) pieces.push(piece);
      stream.close();
      throw refusal(error.response, Buffer.concat(pieces).toString('utf8'), { method: 'GET', path });
    }
  }

  [Symbol.dispose](): void {
    this.idle?.close();
    this.idle = undefined;
  }

  private async open(
    request: ApiRequest,
  ): Promise<{ response: ClientResponse; release: () => void; close: () => void }> {
    const { method, signal } = request;
    const target = targetOf(request);
    const kept = this.idle;
    this.idle = undefined;
    const stream = kept ?? (await this.connect(method, target, signal));
    const url = this.config.server + target;
    let response: ClientResponse;
    try {
      response = await httpRequest(stream, {
        method,
        target,
        headers: this.headers(request),
        ...(request.body === undefined
          ? {}
          : { body: typeof request.body === 'string' ? request.body : JSON.stringify(request.body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      stream.close();
      if (kept !== undefined && signal?.aborted !== true) return this.open(request); // The server closed it meanwhile.
      throw new UnreachableError(goMethod(method), url, error);
    }
    for (const [name, value] of response.headers) {
      if (name.toLowerCase() === 'warning') this.options.onWarning?.(warningText(value));
    }
    return {
      response,
      release: () => {
        if (response.isReusable && this.idle === undefined) this.idle = stream;
        else stream.close();
      },
      close: () => stream.close(),
    };
  }

  private async connect(method: string, target: string, signal?: AbortSignal): Promise<ByteStream> {
    const url = new URL(this.config.server);
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    try {
      return await this.options.dial(url.hostname, port, signal);
    } catch (error) {
      throw new UnreachableError(goMethod(method), this.config.server + target, error);
    }
  }

  private headers(request: ApiRequest): HeaderList {
    return [
      ['Host', new URL(this.config.server).host],
      ['User-Agent', this.options.userAgent],
      ['Accept', request.accept ?? 'application/json'],
      ...(request.body === undefined
        ? []
        : ([['Content-Type', request.contentType ?? 'application/json']] as const)),
      ...this.authHeaders(),
      ...(request.headers ?? []),
    ];
  }

  /** Differs: client-go looks at a token's file once a minute; here each request does. */
  private token(): string | undefined {
    const { token, readToken } = this.config;
    try {
      return readToken?.() ?? token;
    } catch (error) {
      if (error instanceof ErrnoError) return token; // The file is gone; the old one may still do.
      throw error;
    }
  }

  private authHeaders(): [string, string][] {
    const { username, password, impersonate } = this.config;
    const token = this.token();
    const headers: [string, string][] = [];
    if (token !== undefined && token !== '') headers.push(['Authorization', `Bearer ${token}`]);
    else if (username !== undefined) {
      headers.push([
        'Authorization',
        `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`,
      ]);
    }
    if (impersonate !== undefined) {
      headers.push(['Impersonate-User', impersonate.user]);
      for (const group of impersonate.groups) headers.push(['Impersonate-Group', group]);
    }
    return headers;
  }
}

function targetOf({ path, query }: ApiRequest): string {
  const pairs = Object.entries(query ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined);
  if (pairs.length === 0) return path;
  return `${path}?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')}`;
}

/** net/http's client names the method `Get`, `Post` … in its errors. */
function goMethod(method: string): string {
  return method[0]! + method.slice(1).toLowerCase();
}

function refusal(response: ClientResponse, text: string, request: ApiRequest): StatusError {
  if ((headerOf(response.headers, 'Content-Type') ?? '').startsWith('application/json')) {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'Status') {
      return new StatusError(parsed as Status);
    }
  }
  const message =
    text.trim() === '' ? `the server responded with the status code ${response.status}` : text.trim();
  const reason = response.status === 404 ? 'NotFound' : response.status === 503 ? 'ServiceUnavailable' : '';
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: response.status === 404 ? 'the server could not find the requested resource' : message,
    reason,
    details: { kind: request.path.split('/').at(-1) ?? '' },
    code: response.status,
  });
}

/** `299 - "text"`, RFC 7234, 5.5. */
function warningText(value: string): string {
  const match = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(value);
  return match === null ? value : match[1]!.replace(/\\(.)/g, '$1');
}
