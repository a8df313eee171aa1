// Port-forward: pairs of an error and a data stream per connection, each pair joined to a port of the pod.
import type { ByteStream } from '../../../network/index.ts';
import { StatusError } from '../../api/status.ts';
import { SpdySession, type SpdyPipe, type SpdyStream } from './spdy-session.ts';

/** The protocol inside of SPDY (kubelet pkg/kubelet/server/portforward). */
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';

/** Connects to a port inside the pod. */
export type Connect = (port: number, signal: AbortSignal) => Promise<ByteStream>;

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
}

/** Serves one client until it goes away. */
export async function servePortForward(pipe: SpdyPipe, connect: Connect): Promise<void> {
  const controller = new AbortController();
  const pairs = new Map<string, Pair>();
  const running = new Set<Promise<void>>();
  const session = new SpdySession(pipe, (stream) => {
    const id = stream.headers['requestid'] ?? '';
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    if (stream.headers['streamtype'] === 'error') pair.error = stream;
    else pair.data = stream;
    if (pair.error === undefined || pair.data === undefined) return;
    pairs.delete(id);
    const work = join(pair.data, pair.error, connect, controller.signal);
    running.add(work);
    void work.finally(() => running.delete(work));
  });
  try {
    await session.run();
  } finally {
    controller.abort(new Error('the client went away'));
    await Promise.allSettled(running);
  }
}

/** Carries one connection; what goes wrong is told on the error stream. */
async function join(
  data: SpdyStream,
  error: SpdyStream,
  connect: Connect,
  signal: AbortSignal,
): Promise<void> {
  try {
    const connection = await connect(Number(data.headers['port']), signal);
    const stop = (): void => connection.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const upward = pumpUp(data, connection);
      for (;;) {
        const bytes = await connection.read();
        if (bytes === undefined) break;
        await data.write(bytes);
      }
      await data.end();
      // The client closes its half when its own connection ends; a server that is done doesn't wait for it.
      connection.end();
      void upward.catch(() => connection.close());
    } finally {
      signal.removeEventListener('abort', stop);
    }
  } catch (failure) {
    if (!signal.aborted) {
      const text = failure instanceof StatusError ? failure.status.message : String(failure);
      await error.write(Buffer.from(text ?? '', 'utf8'));
    }
  } finally {
    // The client may have reset the data stream already; it waits for the end of the error stream all the same.
    if (!signal.aborted) await Promise.allSettled([error.end(), data.end()]);
  }
}

async function pumpUp(data: SpdyStream, connection: ByteStream): Promise<void> {
  for (;;) {
    const bytes = await data.read();
    if (bytes === undefined) break;
    await connection.write(bytes);
  }
  connection.end();
}
