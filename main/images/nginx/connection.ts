// One client's connection: reads request heads as nginx does, answers them in order, and keeps the connection or closes it.
import { ErrnoError, type ByteStream } from '../../network/index.ts';
import {
  HttpProtocolError,
  IncomingBody,
  LineTooLong,
  StreamReader,
  writeChunks,
} from '../../network/http/index.ts';
import { toBody } from './bytes.ts';
import { addressMatches } from './access.ts';
import {
  Exchange,
  HangUp,
  HttpError,
  type ConnectionFacts,
  type NginxWorld,
  type RequestHead,
  type Result,
} from './exchange.ts';
import { BodyBroken } from './proxy.ts';
import { prepare } from './respond.ts';
import { failWith, route } from './route.ts';
import type { Listen, Server } from './settings.ts';
import { wildcardMatches } from './variables.ts';

/** An unread request body up to this size is read and thrown away to keep the connection. */
const DRAIN_BYTES_MAX = 1_048_576;

/** A head that can't be taken: its status, and what the error log says. */
class BadHead extends Error {
  readonly status: number;
  readonly head: RequestHead;
  readonly level: 'info' | 'error';
  constructor(status: number, message: string, head: RequestHead, level: 'info' | 'error' = 'info') {
    super(message);
    this.status = status;
    this.head = head;
    this.level = level;
  }
}

const NO_HEAD: RequestHead = { method: '', target: '', version: '1.0', headers: [], line: '', sizeBytes: 0 };

/** Servers that may answer on an address: those that name it, else those of the wildcard. */
export function serversFor(
  servers: readonly Server[],
  local: { readonly address: string; readonly port: number },
  listen: Listen,
): readonly Server[] {
  const at = (address: string): Server[] =>
    servers.filter(({ listens }) =>
      listens.some((each) => each.address === address && each.port === listen.port),
    );
  const exact = at(local.address);
  return exact.length > 0 ? exact : at(listen.address);
}

/** The server of a host name, or the default of the address. */
export function pickServer(
  servers: readonly Server[],
  listen: Listen,
  host: string,
  exchange?: Exchange,
): Server {
  const exact = servers.find(({ names }) =>
    names.some(({ text, pattern }) => pattern === undefined && text === host && host !== ''),
  );
  if (exact !== undefined) return exact;
  const dotted = servers.find(({ names }) =>
    names.some(({ text }) => text.startsWith('.') && text.slice(1) === host),
  );
  if (dotted !== undefined) return dotted;
  const longest = (test: (name: string) => boolean): Server | undefined => {
    let best: { server: Server; length: number } | undefined;
    for (const server of servers)
      for (const { text } of server.names)
        if (test(text) && wildcardMatches(text, host) && text.length > (best?.length ?? 0))
          best = { server, length: text.length };
    return best?.server;
  };
  const wild =
    longest((name) => name.startsWith('*') || name.startsWith('.')) ?? longest((name) => name.endsWith('.*'));
  if (wild !== undefined) return wild;
  if (host !== '')
    for (const server of servers)
      for (const { pattern } of server.names) {
        const match = pattern?.exec(host);
        if (match === undefined || match === null) continue;
        exchange?.setCaptures(match);
        return server;
      }
  return (
    servers.find(({ listens }) => listens.some(({ isDefault, port }) => isDefault && port === listen.port)) ??
    servers[0]!
  );
}

export interface ConnectionOptions {
  readonly world: NginxWorld;
  readonly listen: Listen;
  readonly servers: readonly Server[];
  readonly stream: ByteStream;
  readonly facts: Omit<ConnectionFacts, 'requests'>;
  /** The client spoke plain HTTP where TLS is spoken. */
  readonly isPlainOnTls?: boolean;
}

export class Connection {
  private readonly options: ConnectionOptions;
  private readonly reader: StreamReader;
  private readonly facts: ConnectionFacts;
  private isIdle = true;
  private isLeaving = false;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.reader = new StreamReader(options.stream);
    this.facts = { ...options.facts, requests: 0 };
  }

  /** The worker is leaving: an idle connection ends now, another one after its request. */
  leave(): void {
    this.isLeaving = true;
    if (this.isIdle) this.options.stream.close();
  }

  /** Serves until the connection ends. */
  async run(): Promise<void> {
    const { stream, world } = this.options;
    world.counters.active++;
    try {
      while (await this.one());
    } catch (error) {
      if (
        !(
          error instanceof ErrnoError ||
          error instanceof HangUp ||
          error instanceof BodyBroken ||
          error instanceof HttpProtocolError
        )
      )
        throw error;
      stream.close();
    } finally {
      world.counters.active--;
    }
  }

  /** One request; false when it was the last. */
  private async one(): Promise<boolean> {
    const { servers, listen, stream, world } = this.options;
    const fallback = pickServer(servers, listen, '');
    this.isIdle = true;
    const timeout =
      this.facts.requests === 0 ? fallback.headerTimeoutMs : fallback.settings.keepaliveTimeoutMs;
    using timer = world.proc.clock.after(timeout, () => stream.close());
    void timer;
    if (this.options.isPlainOnTls !== true && !(await this.reader.waitForMore())) {
      stream.close();
      return false;
    }
    this.isIdle = false;
    this.facts.requests++;
    world.counters.requests++;
    world.counters.reading++;
    let head: RequestHead | undefined;
    let problem: BadHead | undefined;
    try {
      if (this.options.isPlainOnTls === true)
        problem = new BadHead(
          497,
          'client sent plain HTTP request to HTTPS port while reading client request headers',
          NO_HEAD,
        );
      else head = await this.readHead(fallback);
    } catch (error) {
      if (!(error instanceof BadHead)) throw error;
      problem = error;
    } finally {
      world.counters.reading--;
      timer[Symbol.dispose]();
    }
    if (problem !== undefined) return await this.refuse(problem, fallback);
    if (head === undefined) {
      stream.close();
      return false;
    }
    world.counters.writing++;
    try {
      return await this.answer(head);
    } finally {
      world.counters.writing--;
    }
  }

  // ── Heads ──

  private async readHead(server: Server): Promise<RequestHead | undefined> {
    const lineMax = server.headerBufferBytes;
    let line: string | undefined = '';
    while (line === '') {
      const first = this.reader.peek();
      if (first !== undefined && !/[A-Z_\r\n-]/.test(String.fromCharCode(first)))
        throw new BadHead(400, 'client sent invalid method while reading client request line', {
          ...NO_HEAD,
          line: this.reader.peekText().replace(/\r?\n[^]*$/, ''),
        });
      line = await this.readLine(
        lineMax,
        () =>
          new BadHead(414, 'client sent too long URI while reading client request line', {
            ...NO_HEAD,
            line: this.reader.peekText().slice(0, lineMax),
          }),
      );
      if (line === undefined) return undefined;
      if (line === '' && !(await this.reader.waitForMore())) return undefined;
    }
    const head = parseRequestLine(line);
    if (head.version === '0.9') return head;
    const headers: [string, string][] = [];
    let size = line.length + 2;
    for (;;) {
      const tooLarge = (): BadHead =>
        new BadHead(494, 'client sent too long header line: "" while reading client request headers', {
          ...head,
          headers,
        });
      const field = await this.readLine(lineMax, tooLarge);
      if (field === undefined) return undefined;
      size += field.length + 2;
      if (field === '') break;
      if (size > lineMax * server.headerBuffers)
        throw new BadHead(494, 'client sent too large request while reading client request headers', {
          ...head,
          headers,
        });
      const colon = field.indexOf(':');
      const name = field.slice(0, Math.max(0, colon));
      if (colon <= 0 || /[\u0000-\u0020\u007f]/.test(name) || field.includes('\u0000')) {
        const shown = field.replaceAll('\u0000', '\\x00');
        throw new BadHead(
          400,
          `client sent invalid header line: "${shown}" while reading client request headers`,
          { ...head, headers },
        );
      }
      if (!isFieldName(name, server) && server.ignoresInvalid) {
        this.options.world.log(
          'info',
          `client sent invalid header line: "${field}" while reading client request headers`,
          undefined,
          this.facts.number,
        );
        continue;
      }
      headers.push([name, field.slice(colon + 1).trim()]);
    }
    return { ...head, headers, sizeBytes: size };
  }

  private async readLine(sizeMax: number, tooLong: () => BadHead): Promise<string | undefined> {
    try {
      if (!(await this.reader.waitForMore())) return undefined;
      const waiting = this.reader.peekText();
      if (waiting.length > sizeMax && !waiting.slice(0, sizeMax).includes('\n')) throw tooLong();
      return await this.reader.readLine(sizeMax);
    } catch (error) {
      if (error instanceof LineTooLong) throw tooLong();
      throw error;
    }
  }

  /** What nginx finds wrong in a head's fields; the host it asks for otherwise. */
  private checkHead(head: RequestHead): { host: string } | BadHead {
    const bad = (message: string, status = 400): BadHead =>
      new BadHead(status, `${message} while reading client request headers`, head);
    const hosts = head.headers.filter(([name]) => name.toLowerCase() === 'host');
    const fromLine = /^https?:\/\/([^/?#]*)/i.exec(head.target)?.[1];
    if (hosts.length > 1)
      return bad(
        `client sent duplicate host header: "Host: ${hosts[1]![1]}", previous value: "Host: ${hosts[0]![1]}"`,
      );
    if (hosts.length === 0 && head.version === '1.1')
      return bad('client sent HTTP/1.1 request without "Host" header');
    if (hosts[0]?.[1] === '') return bad('client sent invalid host header');
    const host = validHost(fromLine ?? hosts[0]?.[1] ?? '');
    if (host === undefined || (fromLine !== undefined && validHost(hosts[0]?.[1] ?? '') === undefined))
      return bad('client sent invalid host header');
    const lengths = head.headers.filter(([name]) => name.toLowerCase() === 'content-length');
    if (lengths.length > 1)
      return bad(
        `client sent duplicate header line: "Content-Length: ${lengths[1]![1]}", previous value: "Content-Length: ${lengths[0]![1]}"`,
      );
    const codings = head.headers.filter(([name]) => name.toLowerCase() === 'transfer-encoding');
    if (codings.length > 0 && head.version !== '1.1' && head.version !== '2.0')
      return bad('client sent HTTP/1.0 request with "Transfer-Encoding" header');
    if (codings.length > 0 && lengths.length > 0)
      return bad('client sent "Content-Length" and "Transfer-Encoding" headers at the same time');
    if (lengths[0] !== undefined && !/^\d+$/.test(lengths[0][1]))
      return bad('client sent invalid "Content-Length" header');
    if (codings[0] !== undefined && codings[0][1].toLowerCase() !== 'chunked')
      return bad(`client sent unknown "Transfer-Encoding": "${codings[0][1]}"`, 501);
    if (head.method === 'CONNECT') return bad('client sent CONNECT method', 405);
    if (head.method === 'TRACE') return bad('client sent TRACE method', 405);
    return { host };
  }

  // ── Answers ──

  private async answer(given: RequestHead): Promise<boolean> {
    const { servers, listen, world } = this.options;
    const head: RequestHead =
      this.facts.tls?.protocol === 'h2' && given.version === '1.1'
        ? { ...given, version: '2.0', line: given.line.replace(/HTTP\/1\.1$/, 'HTTP/2.0') }
        : given;
    const checked = this.checkHead(head);
    if (checked instanceof BadHead) return this.refuse(checked, pickServer(servers, listen, ''));
    const { host } = checked;
    const { body, exchange } = this.start(head, pickServer(servers, listen, host), host);
    exchange.server = pickServer(servers, listen, host, exchange);
    exchange.settings = exchange.server.settings;
    const tlsProblem = this.tlsProblem(exchange.server);
    takeRealAddress(exchange);
    let result: Result;
    try {
      if (tlsProblem !== undefined) throw new HttpError(tlsProblem);
      exchange.uri = normalize(head.target, exchange.server.mergesSlashes);
      result = await route(exchange);
    } catch (error) {
      if (error instanceof HangUp) {
        exchange.status = 444;
        world.logAccess(exchange);
        throw error;
      }
      if (!(error instanceof HttpError)) throw error;
      result = await failWith(exchange, error);
    }
    return this.finish(exchange, result, body);
  }

  private tlsProblem(server: Server): number | undefined {
    const { tls } = this.facts;
    if (tls === undefined || server.tls.verifyClient === 'off') return undefined;
    if (tls.clientVerify.startsWith('FAILED') && server.tls.verifyClient !== 'optional_no_ca') return 495;
    return tls.clientVerify === 'NONE' && server.tls.verifyClient === 'on' ? 496 : undefined;
  }

  private start(head: RequestHead, server: Server, host: string): { exchange: Exchange; body: IncomingBody } {
    const find = (name: string): string | undefined =>
      head.headers.find(([field]) => field.toLowerCase() === name)?.[1];
    const length = find('transfer-encoding') === undefined ? Number(find('content-length') ?? 0) : 'chunked';
    const expects =
      find('expect')?.toLowerCase() === '100-continue' && head.version === '1.1' && length !== 0;
    const body = new IncomingBody(
      this.reader,
      length,
      expects ? () => this.sendContinue(exchange) : undefined,
    );
    let whole: Promise<Buffer> | undefined;
    const exchange: Exchange = new Exchange({
      world: this.options.world,
      head,
      connection: this.facts,
      server,
      host,
      readBody: () => (whole ??= this.readBody(body, exchange)),
    });
    return { exchange, body };
  }

  private async sendContinue(exchange: Exchange): Promise<void> {
    const bytes = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
    exchange.bodyBytesSent += bytes.length; // nginx takes what is sent besides the answer's head for its body.
    await this.options.stream.write(bytes);
  }

  private async readBody(body: IncomingBody, exchange: Exchange): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const { stream } = this.options;
    const { clock } = this.options.world.proc;
    if (body.isDone) return Buffer.alloc(0);
    let timer = clock.after(exchange.settings.clientBodyTimeoutMs, () => stream.close());
    try {
      for await (const piece of body) {
        timer[Symbol.dispose]();
        timer = clock.after(exchange.settings.clientBodyTimeoutMs, () => stream.close());
        size += piece.length;
        if (size > exchange.settings.clientMaxBodyBytes) {
          exchange.log(
            'error',
            `client intended to send too large chunked body: ${size - piece.length}+${piece.length} bytes`,
          );
          throw new HttpError(413);
        }
        pieces.push(piece);
      }
    } catch (error) {
      if (!(error instanceof HttpProtocolError)) throw error;
      if (error.message === 'unexpected EOF') {
        exchange.log('info', 'client prematurely closed connection');
        throw new HangUp('', { cause: error });
      }
      exchange.log('error', 'client sent invalid chunked body');
      throw new HttpError(400);
    } finally {
      timer[Symbol.dispose]();
    }
    return Buffer.concat(pieces);
  }

  /** Filters and writes an answer, logs it; whether the connection stays. */
  private async finish(exchange: Exchange, result: Result, body: IncomingBody): Promise<boolean> {
    const { stream, world } = this.options;
    const asked = exchange.header('Connection')?.toLowerCase() ?? '';
    const mayKeep =
      !this.isLeaving &&
      exchange.head.version !== '0.9' &&
      (exchange.head.version === '1.0' ? asked.includes('keep-alive') : !/\bclose\b/.test(asked));
    try {
      const outgoing = await prepare(exchange, result, mayKeep);
      const headBytes = toBody(outgoing.head);
      exchange.bytesSent = headBytes.length;
      if (result.upgrade !== undefined) {
        await stream.write(headBytes);
        await result.upgrade(this.reader.toStream());
        world.logAccess(exchange);
        return false;
      }
      await this.write(exchange, headBytes, outgoing.body, outgoing.isChunked);
      exchange.requestCompleted = 'OK';
      world.logAccess(exchange);
      if (!outgoing.keepsAlive || this.isLeaving) {
        stream.end();
        await body.drain(DRAIN_BYTES_MAX);
        return false;
      }
      return await body.drain(DRAIN_BYTES_MAX);
    } catch (error) {
      if (error instanceof BodyBroken || error instanceof ErrnoError) {
        if (error instanceof ErrnoError) exchange.status = exchange.status === 0 ? 499 : exchange.status;
        world.logAccess(exchange);
      }
      throw error;
    } finally {
      for (const release of exchange.atEnd.splice(0)) release();
    }
  }

  private async write(
    exchange: Exchange,
    head: Buffer,
    body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    isChunked: boolean,
  ): Promise<void> {
    const { stream } = this.options;
    const count = (bytes: number): void => {
      exchange.bodyBytesSent += bytes;
      exchange.bytesSent += bytes;
    };
    if (body === undefined) {
      await stream.write(head);
      return;
    }
    if (body instanceof Uint8Array && !isChunked) {
      count(body.length);
      await stream.write(body.length === 0 ? head : Buffer.concat([head, body]));
      return;
    }
    const pieces = body instanceof Uint8Array ? one(body) : body;
    await stream.write(head);
    if (!isChunked) {
      for await (const piece of pieces) {
        count(piece.length);
        await stream.write(piece);
      }
      return;
    }
    await writeChunks(
      {
        ...stream,
        write: (bytes) => {
          count(bytes.length);
          return stream.write(bytes);
        },
      },
      pieces,
    );
  }

  private async refuse(problem: BadHead, server: Server): Promise<boolean> {
    const { world: shared, stream } = this.options;
    const { exchange, body } = this.start(
      {
        ...problem.head,
        headers: problem.head.headers.filter(
          ([name]) => !/^(?:content-length|transfer-encoding|expect)$/i.test(name),
        ),
      },
      server,
      '',
    );
    exchange.status = problem.status;
    shared.log(problem.level, problem.message, exchange, this.facts.number);
    const result = await failWith(exchange, new HttpError(problem.status));
    const stays = await this.finish(exchange, result, body);
    if (!stays) stream.end();
    return problem.status === 405 && stays;
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function isFieldName(name: string, server: Server): boolean {
  return name !== '' && (server.underscores ? /^[A-Za-z0-9_-]+$/ : /^[A-Za-z0-9-]+$/).test(name);
}

/** Throws BadHead for what is no request line. */
function parseRequestLine(line: string): RequestHead {
  const base: RequestHead = { ...NO_HEAD, line, sizeBytes: line.length + 2 };
  const bad = (message: string): BadHead =>
    new BadHead(400, `${message} while reading client request line`, base);
  const simple = /^([A-Z_-]+) +(\/[^ ]*)$/.exec(line);
  if (simple !== null) {
    if (simple[1] !== 'GET') throw bad('client sent invalid request');
    return { ...base, method: 'GET', target: simple[2]!, version: '0.9' };
  }
  const method = /^([A-Z_-]+) /.exec(line)?.[1];
  if (method === undefined) throw bad('client sent invalid method');
  const match = /^([A-Z_-]+) +(\S+) +HTTP\/(\d)\.(\d{1,2}) *$/.exec(line);
  if (match === null) throw bad('client sent invalid request');
  const [, , target = '', major, minor] = match;
  if (major !== '1' && major !== '0')
    throw new BadHead(505, 'client sent invalid version while reading client request line', base);
  if (!target.startsWith('/') && !/^[a-z][a-z0-9+.-]*:\/\//i.test(target) && method !== 'CONNECT')
    throw bad('client sent invalid request');
  return { ...base, method, target, version: minor === '0' ? '1.0' : '1.1' };
}

/** A Host field's name in lower case without the port; undefined for what can't be one. */
function validHost(text: string): string | undefined {
  if (/[/\u0000-\u0020\u007f]|\.\./.test(text)) return undefined;
  const host = text.startsWith('[') ? text.replace(/\]:\d*$/, ']') : text.replace(/:.*$/, '');
  return host.toLowerCase().replace(/\.$/, '');
}

/** The path of a target, decoded, with `.`, `..` and doubled slashes resolved. Throws HttpError 400. */
function normalize(target: string, mergesSlashes: boolean): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '') || '/';
  if (/%(?![0-9a-fA-F]{2})|%00/.test(path)) throw new HttpError(400);
  const decoded = path.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const parts: string[] = [];
  const words = decoded.split('/').slice(1);
  for (const [index, word] of words.entries()) {
    const isLast = index === words.length - 1;
    if (word === '..') {
      if (parts.length === 0) throw new HttpError(400);
      parts.pop();
      if (isLast) parts.push('');
    } else if (word === '.') {
      if (isLast) parts.push('');
    } else if (word !== '' || isLast || !mergesSlashes) parts.push(word);
  }
  return `/${parts.join('/')}`;
}

/** real_ip_header: the client's address as a trusted proxy tells it. */
function takeRealAddress(exchange: Exchange): void {
  const { realIpFrom, realIpHeader, realIpRecursive } = exchange.server.settings;
  const isTrusted = (address: string): boolean => realIpFrom.some((what) => addressMatches(what, address));
  if (!isTrusted(exchange.clientAddress)) return;
  if (realIpHeader.toLowerCase() === 'proxy_protocol') {
    const told = exchange.connection.proxyProtocol;
    if (told === undefined) return;
    exchange.clientAddress = told.address;
    exchange.clientPort = told.port;
    return;
  }
  const list = (exchange.header(realIpHeader) ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const addresses = realIpHeader.toLowerCase() === 'x-forwarded-for' ? list : list.slice(0, 1);
  for (let at = addresses.length - 1; at >= 0; at--) {
    const [, address = '', port] = /^\[?([0-9a-fA-F.:]+?)\]?(?::(\d+))?$/.exec(addresses[at]!) ?? [];
    if (address === '') return;
    exchange.clientAddress = address;
    exchange.clientPort = Number(port ?? 0);
    if (!realIpRecursive || !isTrusted(address)) return;
  }
}
