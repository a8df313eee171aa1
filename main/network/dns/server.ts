// Answers DNS questions on UDP and TCP; what is too long for UDP is cut and marked (TC).
import { disposable } from '../../simulation/index.ts';
import { ErrnoError } from '../errno.ts';
import { StreamReader } from '../http/stream-reader.ts';
import type {
  Datagram,
  SocketAddress,
  SocketOwner,
  Sockets,
  TcpSocket,
  UdpSocket,
} from '../socket/socket.ts';
import {
  decodeDns,
  dnsResponse,
  encodeDns,
  UDP_BYTES_MAX,
  type DnsMessage,
  type DnsReply,
} from './message.ts';

/** Answers one question. A throw becomes SERVFAIL; undefined stays silent. */
export type DnsHandler = (
  query: DnsMessage,
  client: SocketAddress & { readonly transport: 'udp' | 'tcp' },
) => Promise<DnsReply | undefined>;

export interface DnsServerOptions {
  readonly local: SocketAddress;
  readonly owner?: SocketOwner;
  /** Told of what a handler threw. */
  readonly onError?: (error: unknown) => void;
}

/** Serves until disposed. Throws ErrnoError EADDRINUSE, EADDRNOTAVAIL. */
export function serveDns(sockets: Sockets, handler: DnsHandler, options: DnsServerOptions): Disposable {
  const { local, owner } = options;
  const udp = sockets.openUdp({ local, owner });
  let tcp;
  try {
    tcp = sockets.listenTcp(local, { owner });
  } catch (error) {
    udp[Symbol.dispose]();
    throw error;
  }
  const report = (error: unknown): void => {
    if (!(error instanceof ErrnoError)) options.onError?.(error);
  };
  const answer = async (
    bytes: Uint8Array,
    client: Parameters<DnsHandler>[1],
  ): Promise<DnsMessage | undefined> => {
    const query = decodeDns(bytes);
    if (query === undefined || query.isResponse) return undefined;
    if (query.questions.length !== 1) return dnsResponse(query, { code: 'FORMERR' });
    try {
      const reply = await handler(query, client);
      return reply === undefined ? undefined : dnsResponse(query, reply);
    } catch (error) {
      options.onError?.(error);
      return dnsResponse(query, { code: 'SERVFAIL' });
    }
  };
  const answerDatagram = async (datagram: Datagram): Promise<void> => {
    const response = await answer(datagram.bytes, { ...datagram.from, transport: 'udp' });
    if (response === undefined) return;
    const limit = Math.max(UDP_BYTES_MAX, decodeDns(datagram.bytes)?.udpPayloadBytes ?? 0);
    udp.send(fitted(response, limit), datagram.from, datagram.to.address);
  };
  const answerStream = async (socket: TcpSocket): Promise<void> => {
    const reader = new StreamReader(socket);
    try {
      for (let bytes = await readFramed(reader); bytes !== undefined; bytes = await readFramed(reader)) {
        const response = await answer(bytes, { ...socket.remote, transport: 'tcp' });
        if (response !== undefined) await socket.write(framed(encodeDns(response)));
      }
    } finally {
      socket.close();
    }
  };
  const listener = tcp;
  receiveAll(udp, (datagram) => void answerDatagram(datagram).catch(report)).catch(report);
  const acceptAll = async (): Promise<void> => {
    for (;;) void answerStream(await listener.accept()).catch(report);
  };
  acceptAll().catch(report);
  return disposable(() => {
    udp[Symbol.dispose]();
    listener[Symbol.dispose]();
  });
}

async function receiveAll(udp: UdpSocket, take: (datagram: Datagram) => void): Promise<void> {
  for (;;) take(await udp.receive());
}

/** The message within a limit: whole, or cut down to its question with TC set. */
function fitted(response: DnsMessage, bytesMax: number): Uint8Array {
  const whole = encodeDns(response);
  if (whole.length <= bytesMax) return whole;
  const kept = [...response.answers];
  while (kept.length > 0) {
    kept.pop();
    const cut = encodeDns({
      ...response,
      isTruncated: true,
      answers: kept,
      authorities: [],
      additionals: [],
    });
    if (cut.length <= bytesMax) return cut;
  }
  return encodeDns({ ...response, isTruncated: true, answers: [], authorities: [], additionals: [] });
}

/** RFC 1035, 4.2.2: two bytes of length go before. */
export function framed(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 2);
  frame[0] = bytes.length >> 8;
  frame[1] = bytes.length & 255;
  frame.set(bytes, 2);
  return frame;
}

/** The next message of a stream; undefined at its end. */
export async function readFramed(reader: StreamReader): Promise<Uint8Array | undefined> {
  const head = await reader.readExactly(2);
  return head === undefined ? undefined : reader.readExactly(head[0]! * 256 + head[1]!);
}
