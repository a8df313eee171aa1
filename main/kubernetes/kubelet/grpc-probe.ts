// A gRPC probe: asks grpc.health.v1 in the pod, and words failures as pkg/probe/grpc does.
import type { Clock } from '../../simulation/index.ts';
import { ErrnoError, type ByteStream, type NetworkNamespace } from '../../network/index.ts';
import { checkHealth, GRPC_STATUS, GrpcError } from '../../network/grpc/index.ts';

export interface GrpcTarget {
  readonly address: string;
  readonly port: number;
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** How long a client waits before it dials again, in ms (gRPC's back-off, at its beginning). */
const REDIAL_MS = 1000;

/** Undefined when the service serves; otherwise what the probe says of it. Never rejects for what the other side does. */
export async function grpcProbe(
  net: NetworkNamespace,
  clock: Clock,
  { address, port, service }: GrpcTarget,
  timeoutMs: number,
  userAgent: string,
): Promise<string | undefined> {
  const authority = `${address}:${port}`;
  const seconds = `${timeoutMs / 1000}s`;
  const aborter = new AbortController();
  const alarm = clock.after(timeoutMs, () => aborter.abort(new Error('timeout')));
  try {
    const stream = await dial(net, clock, { address, port }, aborter.signal);
    if (stream === undefined)
      return `timeout: failed to connect service ${JSON.stringify(authority)} within ${seconds}: context deadline exceeded`;
    aborter.signal.addEventListener('abort', () => stream.close(), { once: true });
    try {
      const status = await checkHealth(stream, { authority, service, userAgent });
      return status === 'SERVING' ? undefined : `service unhealthy (responded with "${status}")`;
    } catch (error) {
      if (aborter.signal.aborted) return `timeout: health rpc did not complete within ${seconds}`;
      if (error instanceof ErrnoError)
        return `error: health rpc probe failed: rpc error: code = Unavailable desc = ${error.message.toLowerCase()}`;
      if (!(error instanceof GrpcError)) throw error;
      if (error.status === GRPC_STATUS.unimplemented)
        return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.message}`;
      return `error: health rpc probe failed: rpc error: code = ${codeName(error.status)} desc = ${error.message}`;
    } finally {
      stream.close();
    }
  } finally {
    alarm[Symbol.dispose]();
  }
}

/** A gRPC client that waits for its connection dials again and again; undefined when time is over. */
async function dial(
  net: NetworkNamespace,
  clock: Clock,
  to: { address: string; port: number },
  signal: AbortSignal,
): Promise<ByteStream | undefined> {
  for (;;) {
    try {
      return await net.sockets.connectTcp(to, { signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ErrnoError)) throw error;
    }
    try {
      await clock.sleep(REDIAL_MS, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }
}

function codeName(status: number): string {
  if (status === GRPC_STATUS.notFound) return 'NotFound';
  if (status === GRPC_STATUS.internal) return 'Internal';
  return status === GRPC_STATUS.unavailable ? 'Unavailable' : `Code(${status})`;
}
