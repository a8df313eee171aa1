// grpc.health.v1.Health/Check: whether a server serves (the gRPC health checking protocol).
import { Buffer } from 'node:buffer';
import type { ByteStream } from '../socket/socket.ts';
import { callUnary, GRPC_STATUS, GrpcError, serveUnary } from './unary.ts';

/** HealthCheckResponse.ServingStatus, in the order of its numbers. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type HealthStatus = (typeof STATUSES)[number];

const CHECK = '/grpc.health.v1.Health/Check';
/** Both messages have one field, number 1: a text there, an enumeration here. */
const TEXT_TAG = (1 << 3) | 2;
const ENUM_TAG = 1 << 3;

/** Asks how a service is; the empty name is the server as a whole. Rejects with GrpcError, or the stream's ErrnoError. */
export async function checkHealth(
  stream: ByteStream,
  { authority, service, userAgent }: { authority: string; service: string; userAgent: string },
): Promise<HealthStatus> {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Uint8Array.of(TEXT_TAG, name.length), name]);
  const answer = await callUnary(stream, { authority, path: CHECK, userAgent, message });
  const status = answer[0] === ENUM_TAG ? (answer[1] ?? 0) : 0;
  return STATUSES[status] ?? 'UNKNOWN';
}

/** Answers checks on one connection until the client goes; a service without a status isn't known. */
export function serveHealth(
  stream: ByteStream,
  statusOf: (service: string) => HealthStatus | undefined,
): Promise<void> {
  const check = async (message: Uint8Array): Promise<Uint8Array> => {
    const service = message[0] === TEXT_TAG ? Buffer.from(message.subarray(2)).toString() : '';
    const status = statusOf(service);
    if (status === undefined) throw new GrpcError(GRPC_STATUS.notFound, 'unknown service');
    return status === 'UNKNOWN' ? new Uint8Array(0) : Uint8Array.of(ENUM_TAG, STATUSES.indexOf(status));
  };
  return serveUnary(stream, new Map([[CHECK, check]]));
}
