// Sends the recorded cases' requests to an HttpHandler in process, in the shape that replay.mjs expects of a client.
import type { HeaderList, HttpHandler } from '../../../main/network/http/index.ts';

export interface GoldenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
  readonly auth?: string;
}

export interface GoldenResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

interface Stream {
  destroy(): void;
}

type OnStart = (
  head: { statusCode: number; headers: Readonly<Record<string, string>> },
  stream: Stream,
) => void;
type OnData = (chunk: Buffer, stream: Stream) => void;

/** Stands in for replay.mjs' Client: a cluster admin by certificate, or nobody with `auth: none`. */
export class GoldenClient {
  private readonly handler: HttpHandler;

  constructor(handler: HttpHandler) {
    this.handler = handler;
  }

  async send(request: GoldenRequest, onStart?: OnStart, onData?: OnData): Promise<GoldenResponse> {
    const controller = new AbortController();
    const stream: Stream = { destroy: () => controller.abort(new Error('enough seen')) };
    const body = bodyOf(request);
    const response = await this.handler({
      method: request.method,
      target: request.path,
      headers: headersOf(request, body),
      body: piecesOf(body),
      peer: {
        address: '127.0.0.1',
        port: 40_000,
        ...(request.auth === 'none' || request.headers?.['authorization'] !== undefined
          ? {}
          : { certificate: { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] } }),
      },
      signal: controller.signal,
    });
    const headers: Record<string, string> = {};
    for (const [name, value] of response.headers) {
      const key = name.toLowerCase();
      headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
    }
    onStart?.({ statusCode: response.status, headers }, stream);
    const chunks: Buffer[] = [];
    const take = (piece: Uint8Array | string): void => {
      const chunk = Buffer.from(piece as Uint8Array);
      chunks.push(chunk);
      onData?.(chunk, stream);
    };
    if (response.body !== undefined && request.method !== 'HEAD') {
      if (typeof response.body === 'string' || response.body instanceof Uint8Array) take(response.body);
      else for await (const piece of response.body) take(piece);
    }
    return { status: response.status, headers, text: Buffer.concat(chunks).toString('utf8') };
  }
}

function bodyOf({ body }: GoldenRequest): Buffer | undefined {
  if (body === undefined) return undefined;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

async function* piecesOf(body: Buffer | undefined): AsyncGenerator<Uint8Array> {
  if (body !== undefined && body.length > 0) yield body;
}

function headersOf(request: GoldenRequest, body: Buffer | undefined): HeaderList {
  const headers: Record<string, string> = { 'user-agent': 'golden-replay/1.0', accept: 'application/json' };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.length);
  }
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) delete headers[name.toLowerCase()];
    else headers[name.toLowerCase()] = value;
  }
  return Object.entries(headers);
}
