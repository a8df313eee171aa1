// Knocks at the API server's real door, and says whether what comes back is an answer such as a real server gives.
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { parse } from 'yaml';

/** Wall time within which an answer has to come. */
const ANSWER_MS = 10_000;
/** How long a raw connection may stay silent before we end it ourselves. */
const SILENCE_MS = 150;

export interface Knock {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Identity {
  readonly url: string;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

export class DoorClient implements Disposable {
  private readonly identity: Identity;
  private readonly agent: Agent;

  constructor(identity: Identity) {
    this.identity = identity;
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: 16,
      cert: identity.certificate,
      key: identity.key,
      ca: identity.authority,
    });
  }

  /** Sends a request that Node's own client is willing to send. Rejects if no answer comes in time, or a broken one. */
  knock({ method, path, headers, body }: Knock): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        new URL(this.identity.url),
        {
          method,
          path,
          agent: this.agent,
          headers: { ...(headers as Record<string, string | string[]>), ...lengthOf(body) },
        },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('error', fail);
          response.on('end', () => {
            clearTimeout(timer);
            resolve({
              status: response.statusCode ?? 0,
              contentType: response.headers['content-type'] ?? '',
              body: Buffer.concat(pieces).toString('utf8'),
            });
          });
        },
      );
      const fail = (error: NodeJS.ErrnoException): void => {
        clearTimeout(timer);
        // The server may close an idle connection in the moment that it is used again.
        if (error.code === 'ECONNRESET' && call.reusedSocket)
          return resolve(this.knock({ method, path, headers, body }));
        reject(new Error(`${method} ${path.slice(0, 300)}: ${error.message}`, { cause: error }));
      };
      const timer = setTimeout(() => {
        call.destroy(new Error(`no answer in ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      call.on('error', fail);
      call.on('upgrade', (response, socket) => {
        clearTimeout(timer);
        socket.destroy();
        resolve({ status: response.statusCode ?? 0, contentType: '', body: '' });
      });
      call.end(body);
    });
  }

  /**
   * Writes bytes on a connection of its own and reads until the server closes, or says nothing more.
   * Rejects only if the server neither answers nor lets go of the connection.
   */
  raw(pieces: readonly (Uint8Array | string)[], { plain = false } = {}): Promise<string> {
    const { hostname, port } = new URL(this.identity.url);
    const { certificate: cert, key, authority: ca } = this.identity;
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: hostname,
        port: Number(port),
        cert,
        key,
        ca,
        ALPNProtocols: ['http/1.1'],
      });
      let text = '';
      let silence: NodeJS.Timeout | undefined;
      const hush = (): void => {
        clearTimeout(silence);
        silence = setTimeout(() => socket.destroy(), SILENCE_MS);
      };
      const limit = setTimeout(() => {
        reject(new Error('the connection was neither answered nor closed'));
        socket.destroy();
      }, ANSWER_MS);
      const write = (to: TLSSocket): void => {
        for (const piece of pieces) to.write(piece);
        hush();
      };
      // What goes past TLS's own records can only be done on the socket beneath.
      if (plain) socket.once('secureConnect', () => rawBeneath(socket, pieces, hush));
      else socket.once('secureConnect', () => write(socket));
      socket.on('data', (piece: Buffer) => {
        text += piece.toString('latin1');
        hush();
      });
      socket.on('error', () => undefined); // A reset is a close.
      socket.once('close', () => {
        clearTimeout(silence);
        clearTimeout(limit);
        resolve(text);
      });
    });
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}

function rawBeneath(socket: TLSSocket, pieces: readonly (Uint8Array | string)[], done: () => void): void {
  const beneath = (socket as unknown as { _parent?: { write(bytes: Uint8Array | string): void } })._parent;
  for (const piece of pieces) (beneath ?? socket).write(piece);
  done();
}

/** Node's client says no length for a DELETE, whose body would then be taken for another request. */
function lengthOf(body: Knock['body']): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

/** Paths whose refusals are plain text, as upstream's are. */
const TEXT_ANSWERS: ReadonlyMap<number, RegExp> = new Map([
  [400, /^/],
  [404, /^404 page not found\n$|^$/],
  [405, /^/],
  [406, /^/],
  [413, /^request body too large\n$/],
  [415, /^/],
  [431, /^/],
]);

/** What is wrong with an answer; undefined if it is one that a real server could have given. */
export function faultOf({ status, contentType, body }: Answer): string | undefined {
  const isYaml = contentType.startsWith('application/yaml');
  if (!contentType.startsWith('application/json') && !isYaml) {
    if (status < 400) return undefined;
    const allowed = TEXT_ANSWERS.get(status);
    return allowed?.test(body) ? undefined : `${status} with ${contentType}: ${body.slice(0, 300)}`;
  }
  if (status < 400 && body === '') return undefined; // A watch that saw nothing.
  let document: unknown;
  try {
    document = isYaml ? parse(body) : body.startsWith('{"type":') ? watchEvents(body) : JSON.parse(body);
  } catch (error) {
    return `${status} with a broken document (${String(error)}): ${body.slice(0, 300)}`;
  }
  if (status < 400) return undefined;
  const { kind, apiVersion, status: outcome, code, message } = (document ?? {}) as Record<string, unknown>;
  const isStatus = kind === 'Status' && apiVersion === 'v1' && outcome === 'Failure' && code === status;
  return isStatus && typeof message === 'string'
    ? undefined
    : `${status} isn't a Status: ${body.slice(0, 300)}`;
}

/** A watch's answer: one document in each line. */
function watchEvents(body: string): unknown[] {
  return body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
