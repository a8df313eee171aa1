// Asks one DNS server one question: UDP, and TCP when the answer was cut.
import type { Clock } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import { StreamReader } from '../http/stream-reader.ts';
import type { SocketAddress, Sockets } from '../socket/socket.ts';
import { decodeDns, encodeDns, type DnsMessage } from './message.ts';
import { framed, readFramed } from './server.ts';

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** `always` as dig +tcp, `never` as dig +ignore; absent: after a cut answer. */
  readonly tcp?: 'always' | 'never';
  readonly signal?: AbortSignal;
  /** Bind the local end (dig -b). */
  readonly localAddress?: string;
}

/** An answer with how it came. */
export interface Exchanged {
  readonly message: DnsMessage;
  readonly sizeBytes: number;
  readonly transport: 'udp' | 'tcp';
  readonly roundTripMs: number;
}

/** Settles with the answer. Rejects with ErrnoError: ETIMEDOUT, ECONNREFUSED, ENETUNREACH, EHOSTUNREACH …, or the signal's reason. */
export async function exchangeDns(
  sockets: Sockets,
  server: SocketAddress,
  query: DnsMessage,
  options: ExchangeOptions,
): Promise<Exchanged> {
  const controller = new AbortController();
  const timer = options.clock.after(options.timeoutMs, () => controller.abort(new ErrnoError('ETIMEDOUT')));
  const onAbort = (): void => controller.abort(options.signal!.reason);
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const startMs = options.clock.now();
  try {
    const local = options.localAddress === undefined ? undefined : { address: options.localAddress };
    const ask = { sockets, server, query, local, signal: controller.signal };
    let transport: 'udp' | 'tcp' = options.tcp === 'always' ? 'tcp' : 'udp';
    let bytes = transport === 'tcp' ? await askTcp(ask) : await askUdp(ask);
    if (transport === 'udp' && decodeDns(bytes)?.isTruncated === true && options.tcp !== 'never') {
      transport = 'tcp';
      bytes = await askTcp(ask);
    }
    const roundTripMs = options.clock.now() - startMs;
    return { message: decodeDns(bytes)!, sizeBytes: bytes.length, transport, roundTripMs };
  } finally {
    timer[Symbol.dispose]();
    options.signal?.removeEventListener('abort', onAbort);
  }
}

interface Ask {
  readonly sockets: Sockets;
  readonly server: SocketAddress;
  readonly query: DnsMessage;
  readonly local: { readonly address: string } | undefined;
  readonly signal: AbortSignal;
}

function isAnswerTo(query: DnsMessage, bytes: Uint8Array): boolean {
  const message = decodeDns(bytes);
  return message?.isResponse === true && message.id === query.id;
}

async function askUdp({ sockets, server, query, local, signal }: Ask): Promise<Uint8Array> {
  using socket = sockets.openUdp({ remote: server, ...(local === undefined ? {} : { local }) });
  socket.send(encodeDns(query), server);
  for (;;) {
    const { bytes } = await socket.receive(signal);
    if (isAnswerTo(query, bytes)) return bytes;
  }
}

async function askTcp({ sockets, server, query, local, signal }: Ask): Promise<Uint8Array> {
  const socket = await sockets.connectTcp(server, { signal, ...(local === undefined ? {} : { local }) });
  const onAbort = (): void => socket.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await socket.write(framed(encodeDns(query)));
    const bytes = await readFramed(new StreamReader(socket));
    signal.throwIfAborted();
    if (bytes === undefined || !isAnswerTo(query, bytes)) throw new ErrnoError('ECONNRESET');
    return bytes;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}
