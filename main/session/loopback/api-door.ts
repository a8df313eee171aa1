// The API server on a real loopback HTTPS port: each request enters the simulation as an input, answers leave once durable.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ByteStream } from '../../network/index.ts';
import type { Body, HeaderList, HttpHandler, HttpResponse, Peer } from '../../network/http/index.ts';
import type { Simulation } from '../../simulation/index.ts';
import type { HostCertificates } from './certificates.ts';
import { bytesOf } from './bytes.ts';

/** What may be on its way in either direction of an upgraded connection before the sender waits, in bytes. */
const WINDOW_BYTES = 1024 * 1024;

/** Largest request body, in bytes; kube-apiserver's limit is the same. */
const BODY_MAX_BYTES = 3 * 1024 * 1024;
const NO_BODY = Buffer.alloc(0);

export interface ApiDoorOptions {
  readonly simulation: Simulation;
  /** Settles once everything that happened so far is saved. */
  readonly durable: () => Promise<void>;
  readonly certificates: HostCertificates;
  /** 0 takes a free port. */
  readonly port: number;
  /** The API server's handler of the moment; undefined while there is no cluster. */
  readonly handler: () => HttpHandler | undefined;
  /** Told of what the handler throws: the client hears of it as of a panic. */
  readonly onFault: (error: unknown) => void;
  /** Whether the cluster itself has issued a client's certificate (DER), as `kubectl certificate approve` brings about. */
  readonly isIssuedByCluster?: (certificate: Buffer) => boolean;
}

export interface ApiDoor extends AsyncDisposable {
  /** Such as https://127.0.0.1:6443. */
  readonly url: string;
}

interface RequestPayload {
  readonly id: number;
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  /** base64 */
  readonly body: string;
  readonly peer: Peer;
}

/** Opens the door on 127.0.0.1. Rejects with the host's error (EADDRINUSE …). */
export async function openApiDoor(options: ApiDoorOptions): Promise<ApiDoor> {
  const { simulation, durable, certificates, handler, onFault } = options;
  const running = new Map<number, AbortController>();
  /** Requests that have come in and aren't answered yet. */
  const beginning = new Set<number>();
  const streams = new Map<number, UpgradedStream>();
  let lastId = 0;

  using stack = new DisposableStack();
  stack.use(
    simulation.onInput<RequestPayload>('api.request', (payload) => {
      const handle = handler();
      if (handle === undefined) return Promise.resolve(unavailable());
      const controller = new AbortController();
      running.set(payload.id, controller);
      const body = Buffer.from(payload.body, 'base64');
      return handle({
        method: payload.method,
        target: payload.target,
        headers: payload.headers,
        peer: payload.peer,
        body: once(body),
        signal: controller.signal,
      });
    }),
  );
  stack.use(
    simulation.onInput<{ id: number }>('api.abort', ({ id }) => {
      running.get(id)?.abort(new Error('the client went away'));
      running.delete(id);
    }),
  );
  stack.use(
    simulation.onInput<{ id: number; bytes: string }>('api.bytes', ({ id, bytes }) => {
      streams.get(id)?.arrive(Buffer.from(bytes, 'base64'));
    }),
  );
  stack.use(simulation.onInput<{ id: number }>('api.end', ({ id }) => streams.get(id)?.arriveEnd()));
  stack.use(
    simulation.onInput<{ id: number; sizeBytes: number }>('api.taken', ({ id, sizeBytes }) => {
      streams.get(id)?.acknowledge(sizeBytes);
    }),
  );

  /** By connection: reading a certificate takes longer than most requests. */
  const peers = new WeakMap<TLSSocket, Peer>();
  const peerOf = (socket: TLSSocket): Peer => {
    let peer = peers.get(socket);
    if (peer === undefined) peers.set(socket, (peer = readPeer(socket, options.isIssuedByCluster)));
    return peer;
  };

  /** `far` closes when the client goes away, which may be before there is an answer. */
  const begin = async (
    request: IncomingMessage,
    body: Buffer,
    far: ServerResponse | Duplex,
  ): Promise<{ id: number; response: HttpResponse }> => {
    const id = ++lastId;
    beginning.add(id);
    far.once('close', () => finish(id));
    const payload: RequestPayload = {
      id,
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      headers: headerList(request.rawHeaders),
      body: body.toString('base64'),
      peer: peerOf(request.socket as TLSSocket),
    };
    // What only reads changes nothing, so a replay does without it.
    const isRecorded = !isPlainRead(payload);
    const response = await simulation
      .input<HttpResponse>('api.request', payload, { isRecorded })
      .catch((error: unknown) => {
        if (running.has(id)) onFault(error); // Else the client went away, and that ended it.
        return panicked();
      });
    if (far.closed) finish(id);
    beginning.delete(id);
    return { id, response };
  };

  let isClosed = false;
  const enter = (kind: string, payload: unknown): void => {
    if (!isClosed) void simulation.input(kind, payload);
  };
  const finish = (id: number): void => {
    if (running.has(id) || beginning.has(id)) enter('api.abort', { id });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (body === undefined) {
      response
        .writeHead(413, { 'Content-Type': 'text/plain', Connection: 'close' })
        .end('request body too large\n');
      return;
    }
    const { response: answer } = await begin(request, body, response);
    await durable();
    const { body: content } = answer;
    if (content === undefined || !isStream(content)) {
      sendWhole(request, response, answer, content ?? '');
      return;
    }
    response.writeHead(answer.status, wireFields(answer.headers));
    response.flushHeaders(); // Node would hold the head back until the first piece, for a watch a minute away.
    await sendBody(content, durable, response);
    response.end();
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { id, response: answer } = await begin(request, Buffer.alloc(0), socket);
    await durable();
    const reason = answer.status === 101 ? 'Switching Protocols' : 'Error';
    const lines = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(
      `HTTP/1.1 ${answer.status} ${reason}\r\n${lines}${answer.upgrade ? '' : 'Connection: close\r\n'}\r\n`,
    );
    if (answer.upgrade === undefined) {
      await sendBody(answer.body, durable, socket);
      socket.end();
      finish(id);
      return;
    }
    const stream = new UpgradedStream(socket, durable, (sizeBytes) => enter('api.taken', { id, sizeBytes }));
    streams.set(id, stream);
    socket.on('data', (chunk: Buffer) => enter('api.bytes', { id, bytes: chunk.toString('base64') }));
    socket.once('end', () => enter('api.end', { id }));
    socket.once('close', () => enter('api.end', { id }));
    if (socket.closed) enter('api.end', { id });
    if (head.length > 0) enter('api.bytes', { id, bytes: head.toString('base64') });
    try {
      await answer.upgrade(stream);
    } finally {
      streams.delete(id);
      socket.end();
    }
  };

  const server = createServer(
    {
      key: certificates.server.key,
      cert: certificates.server.certificate,
      ca: certificates.authority,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    },
    (request, response) => {
      serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    },
  );
  /** Connections that have left HTTP, which the server no longer counts as its own. */
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    upgrade(request, socket, head).catch((error: unknown) => socket.destroy(error as Error));
    socket.on('error', () => socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  await listen(server, options.port);
  const owned = stack.move();
  return {
    url: `https://127.0.0.1:${(server.address() as { port: number }).port}`,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const controller of running.values()) controller.abort(new Error('the server stops'));
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      owned.dispose();
    },
  };
}

/** The engine's end of an upgraded connection. */
class UpgradedStream implements ByteStream {
  private readonly socket: Duplex;
  private readonly durable: () => Promise<void>;
  /** Tells, as an input, that the host has taken so many bytes. */
  private readonly onTaken: (sizeBytes: number) => void;
  private readonly arrived: Uint8Array[] = [];
  private arrivedBytes = 0;
  private ended = false;
  private waiting: (() => void) | undefined;
  /** Written and not known to be taken, in bytes. */
  private untakenBytes = 0;
  /** Taken by the host and not yet told. */
  private untoldBytes = 0;
  private writers: (() => void)[] = [];

  constructor(socket: Duplex, durable: () => Promise<void>, onTaken: (sizeBytes: number) => void) {
    this.socket = socket;
    this.durable = durable;
    this.onTaken = onTaken;
  }

  arrive(bytes: Uint8Array): void {
    this.arrived.push(bytes);
    this.arrivedBytes += bytes.length;
    if (this.arrivedBytes > WINDOW_BYTES) this.socket.pause();
    this.wake();
  }

  arriveEnd(): void {
    this.ended = true;
    this.wake();
    this.wakeWriters();
  }

  acknowledge(sizeBytes: number): void {
    this.untakenBytes -= sizeBytes;
    if (this.untakenBytes <= WINDOW_BYTES) this.wakeWriters();
  }

  async read(sizeMax = Infinity): Promise<Uint8Array | undefined> {
    while (this.arrived.length === 0) {
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => (this.waiting = resolve));
    }
    const whole = this.arrived.shift()!;
    const bytes = whole.subarray(0, sizeMax);
    if (bytes.length < whole.length) this.arrived.unshift(whole.subarray(bytes.length));
    this.arrivedBytes -= bytes.length;
    if (this.arrivedBytes <= WINDOW_BYTES && this.socket.isPaused()) this.socket.resume();
    return bytes;
  }

  /**
   * Leaves when what caused it is durable. Settles at once while little is on its way, else when the host has taken enough;
   * that is an input too, so the host's speed doesn't reach the simulation in any other way.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.untakenBytes += bytes.length;
    void this.durable().then(
      () => this.socket.writable && this.socket.write(bytes, () => this.take(bytes.length)),
      () => this.socket.destroy(),
    );
    while (this.untakenBytes > WINDOW_BYTES && !this.ended)
      await new Promise<void>((resolve) => this.writers.push(resolve));
  }

  /** Many small writes are told of together. */
  private take(sizeBytes: number): void {
    this.untoldBytes += sizeBytes;
    if (this.untoldBytes < WINDOW_BYTES / 4) return;
    this.onTaken(this.untoldBytes);
    this.untoldBytes = 0;
  }

  private wakeWriters(): void {
    for (const resolve of this.writers.splice(0)) resolve();
  }

  end(): void {
    void this.durable().then(
      () => this.socket.end(),
      () => this.socket.destroy(),
    );
  }

  close(): void {
    this.end();
    this.arriveEnd();
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = undefined;
  }
}

async function sendBody(
  body: Body | undefined,
  durable: () => Promise<void>,
  sink: NodeJS.WritableStream,
): Promise<void> {
  if (body === undefined) return;
  for await (const piece of bytesOf(body)) {
    await durable();
    if (!sink.writable) return;
    if (!sink.write(piece)) {
      await new Promise<void>((resolve) => {
        sink.once('drain', resolve);
        sink.once('close', resolve);
      });
    }
  }
}

function isStream(body: Body): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

/** Head and body in one go. */
function sendWhole(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers }: HttpResponse,
  content: Uint8Array | string,
): void {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const isCounted = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const fields = wireFields(headers);
  if (!isCounted && status >= 200 && status !== 204 && status !== 304)
    fields.push('content-length', String(bytes.length));
  response.writeHead(status, fields);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if ((length === undefined || length === '0') && coding === undefined) return NO_BODY;
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > BODY_MAX_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function headerList(rawHeaders: readonly string[]): HeaderList {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return headers;
}

/** Paths of the server's own objects; other groups may be an extension server's, which lives in the cluster. */
const OWN_OBJECTS =
  /^\/(api|apis\/(apps|batch|autoscaling|policy|(rbac\.authorization|networking|storage)\.k8s\.io))\/v/;
const STREAMS = /[?&](watch|follow)=|\/(watch|exec|attach|portforward|proxy|log)(\/|\?|$)/;

/** Whether a request only asks for objects as they stand. */
function isPlainRead({ method, target }: RequestPayload): boolean {
  return method === 'GET' && OWN_OBJECTS.test(target) && !STREAMS.test(target);
}

function readPeer(socket: TLSSocket, isIssuedByCluster: ApiDoorOptions['isIssuedByCluster']): Peer {
  const base = { address: '127.0.0.1', port: socket.remotePort ?? 0 };
  const shown = socket.getPeerCertificate();
  if (Object.keys(shown).length === 0) return base;
  if (!socket.authorized && isIssuedByCluster?.(shown.raw) !== true) return { ...base, isDistrusted: true };
  const { subject, fingerprint256 } = shown;
  const organizations = subject.O === undefined ? [] : [subject.O].flat();
  const sha256 = fingerprint256.replaceAll(':', '').toLowerCase();
  return { ...base, certificate: { commonName: String(subject.CN), organizations, sha256 } };
}

/** Header fields as Node writes them: one character for each byte of UTF-8. */
function wireFields(headers: HeaderList): string[] {
  return headers.flat().map((field) => Buffer.from(field, 'utf8').toString('latin1'));
}

/** What a handler that throws looks like from outside (apiserver's WithPanicRecovery). */
function panicked(): HttpResponse {
  return {
    status: 500,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: 'This request caused apiserver to panic. Look in the logs for details.\n',
  };
}

function unavailable(): HttpResponse {
  return { status: 503, headers: [['Content-Type', 'text/plain']], body: 'drydock: no cluster is running\n' };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
