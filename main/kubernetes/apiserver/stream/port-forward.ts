// Port-forward over SPDY: pairs of an error and a data stream per connection, each pair joined to a port of the pod.
import { ErrnoError, type ByteStream } from '../../../network/index.ts';
import { StatusError } from '../../api/status.ts';
import { SpdySession, type SpdyPipe, type SpdyStream } from './spdy-session.ts';

/** The protocol inside of SPDY (kubelet pkg/kubelet/server/portforward). */
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';

/** Connects to a port inside the pod. Rejects with StatusError, whose message is told to the client. */
export type Connect = (port: number, signal: AbortSignal) => Promise<ByteStream>;

/** The client's end of one forwarded connection. */
export interface ForwardedClient {
  /** False once the client wants no more. */
  readonly isWritable: boolean;
  /** What the client sends; undefined at its end. */
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
  /** Says what went wrong. */
  fail(message: string): Promise<void>;
  /** Nothing more is sent, neither data nor errors. */
  end(): Promise<void>;
  /** Nothing more is read. */
  discard(): void;
}

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
}

/** Serves one client until it goes away. Leaves no connection behind. */
export async function servePortForward(pipe: SpdyPipe, connect: Connect): Promise<void> {
  const controller = new AbortController();
  const pairs = new Map<string, Pair>();
  const running = new Set<Promise<void>>();
  const session = new SpdySession(pipe, (stream) => {
    const port = portOf(stream.headers['port'] ?? '');
    const type = stream.headers['streamtype'];
    if (port === undefined || (type !== 'error' && type !== 'data')) {
      track(running, stream.reset());
      return;
    }
    const id = stream.headers['requestid'] ?? '';
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    pair[type] = stream;
    const { data, error } = pair;
    if (error === undefined || data === undefined) return;
    pairs.delete(id);
    track(running, forwardConnection(clientOf(data, error), port, connect, controller.signal));
  });
  try {
    await session.run();
  } finally {
    controller.abort(new Error('the client went away'));
    await Promise.all(running);
  }
}

/** Remembers work until it is done; a client that broke off meanwhile is no fault. */
function track(running: Set<Promise<void>>, work: Promise<void>): void {
  const tracked = work
    .catch((error: unknown) => {
      if (!(error instanceof ErrnoError)) throw error;
    })
    .finally(() => running.delete(tracked));
  running.add(tracked);
  tracked.catch(() => undefined); // Told where `running` is awaited.
}

/** A port number in 1-65535, else undefined. */
export function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** kubelet closes the error stream first: kubectl resets the data stream at its end, then waits for the error stream. */
function clientOf(data: SpdyStream, error: SpdyStream): ForwardedClient {
  return {
    get isWritable() {
      return data.isWritable;
    },
    read: () => data.read(),
    write: (bytes) => data.write(bytes),
    fail: (message) => error.write(Buffer.from(message, 'utf8')),
    async end() {
      await error.end();
      await data.end();
    },
    discard() {
      data.discard();
      error.discard();
    },
  };
}

/** Carries one connection until both sides have ended, or one of them has broken off. Never leaves the pod's end open. */
export async function forwardConnection(
  client: ForwardedClient,
  port: number,
  connect: Connect,
  signal: AbortSignal,
): Promise<void> {
  try {
    const connection = await connect(port, signal);
    const stop = (): void => connection.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop(); // While it connected.
    try {
      await carry(client, connection);
    } finally {
      signal.removeEventListener('abort', stop);
      connection.close();
    }
  } catch (failure) {
    const text = messageOf(failure);
    if (!signal.aborted && text !== undefined) await client.fail(text);
    else if (!signal.aborted) throw failure;
  } finally {
    if (!signal.aborted) await client.end();
    client.discard();
  }
}

/** What a client is told; undefined for a fault of our own. */
function messageOf(failure: unknown): string | undefined {
  if (failure instanceof StatusError) return failure.status.message ?? '';
  return failure instanceof ErrnoError ? failure.message : undefined;
}

async function carry(client: ForwardedClient, connection: ByteStream): Promise<void> {
  const upward = pumpUp(client, connection);
  upward.catch(() => connection.close()); // The read below ends, and the reason is told by the await after it.
  for (;;) {
    const bytes = await connection.read();
    if (bytes === undefined) break;
    await client.write(bytes);
    if (!client.isWritable) return; // The client has reset it.
  }
  await client.end();
  await upward;
}

async function pumpUp(client: ForwardedClient, connection: ByteStream): Promise<void> {
  for (;;) {
    const bytes = await client.read();
    if (bytes === undefined) break;
    await connection.write(bytes);
  }
  connection.end();
}
