// Unary gRPC calls: one message there, one back, and a status in the trailers (PROTOCOL-HTTP2.md of gRPC).
import { Buffer } from 'node:buffer';
import type { ByteStream } from '../socket/socket.ts';
import { headerOf, type HeaderList } from '../http/index.ts';
import { Http2Error, requestHttp2, serveHttp2, type Http2Message } from '../http2/index.ts';

/** google.rpc.Code, as far as anyone here says them. */
export const GRPC_STATUS = { ok: 0, notFound: 5, unimplemented: 12, internal: 13, unavailable: 14 } as const;

/** A call that ended with a status other than OK. */
export class GrpcError extends Error {
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface UnaryCall {
  readonly authority: string;
  /** Such as `/grpc.health.v1.Health/Check`. */
  readonly path: string;
  readonly userAgent: string;
  readonly message: Uint8Array;
}

/** A method of a service. Throws GrpcError. */
export type UnaryMethod = (message: Uint8Array) => Promise<Uint8Array>;

const CONTENT_TYPE = 'application/grpc';
const PREFIX_BYTES = 5;

/** Rejects with GrpcError, or the stream's ErrnoError. */
export async function callUnary(stream: ByteStream, call: UnaryCall): Promise<Uint8Array> {
  const headers: HeaderList = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', call.path],
    [':authority', call.authority],
    ['content-type', CONTENT_TYPE],
    ['user-agent', call.userAgent],
    ['te', 'trailers'],
  ];
  let answer: Http2Message;
  try {
    answer = await requestHttp2(stream, headers, framed(call.message));
  } catch (error) {
    if (!(error instanceof Http2Error)) throw error;
    throw new GrpcError(GRPC_STATUS.unavailable, error.message, { cause: error });
  }
  // An answer without a body has its status among its only headers.
  const trailers = answer.trailers.length > 0 ? answer.trailers : answer.headers;
  const status = headerOf(trailers, 'grpc-status');
  if (status === undefined) {
    const code = headerOf(answer.headers, ':status') ?? '';
    throw new GrpcError(GRPC_STATUS.unavailable, `unexpected HTTP status code received from server: ${code}`);
  }
  if (status !== '0')
    throw new GrpcError(Number(status), decodeURIComponent(headerOf(trailers, 'grpc-message') ?? ''));
  return unframed(answer.body);
}

/** Answers calls on one connection until the client goes. */
export function serveUnary(stream: ByteStream, methods: ReadonlyMap<string, UnaryMethod>): Promise<void> {
  return serveHttp2(stream, async ({ headers, body }) => {
    if (headerOf(headers, 'content-type')?.startsWith(CONTENT_TYPE) !== true)
      return { headers: [[':status', '415']], body: new Uint8Array(0), trailers: [] };
    const path = headerOf(headers, ':path') ?? '';
    const head: HeaderList = [
      [':status', '200'],
      ['content-type', CONTENT_TYPE],
    ];
    try {
      const method = methods.get(path);
      if (method === undefined) throw unknownMethod(path, methods);
      const trailers: HeaderList = [
        ['grpc-status', '0'],
        ['grpc-message', ''],
      ];
      return { headers: head, body: framed(await method(unframed(body))), trailers };
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      const status: HeaderList = [
        ['grpc-status', String(error.status)],
        ['grpc-message', encodeURI(error.message)],
      ];
      return { headers: [...head, ...status], body: new Uint8Array(0), trailers: [] };
    }
  });
}

function unknownMethod(path: string, methods: ReadonlyMap<string, UnaryMethod>): GrpcError {
  const [, service = '', method = ''] = path.split('/');
  const isKnown = Array.from(methods.keys()).some((known) => known.startsWith(`/${service}/`));
  return new GrpcError(
    GRPC_STATUS.unimplemented,
    isKnown ? `unknown method ${method} for service ${service}` : `unknown service ${service}`,
  );
}

/** A message with its prefix: not compressed, and its length. */
function framed(message: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function unframed(body: Uint8Array): Uint8Array {
  if (body.length < PREFIX_BYTES) throw new GrpcError(GRPC_STATUS.internal, 'unexpected EOF');
  if (body[0] !== 0) throw new GrpcError(GRPC_STATUS.unimplemented, 'compressed messages are not understood');
  const length = Buffer.from(body).readUInt32BE(1);
  if (body.length !== PREFIX_BYTES + length) throw new GrpcError(GRPC_STATUS.internal, 'unexpected EOF');
  return body.subarray(PREFIX_BYTES);
}
