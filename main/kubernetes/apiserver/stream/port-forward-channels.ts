// Port-forward over WebSocket channels (v4.channel.k8s.io): two channels per port, one for data and one for errors.
import type { WebSocket } from '../../../network/http/index.ts';
import { wireOf, type ChannelWire } from './channel-wire.ts';
import { forwardConnection, portOf, type Connect, type ForwardedClient } from './port-forward.ts';

/** Subprotocols; no name at all means the plain one (kubelet pkg/kubelet/server/portforward/websocket.go). */
export const PORT_FORWARD_CHANNELS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];

/** What may wait for a port before the socket is read no further, in bytes. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** The ports that a query asks for, in order; or in words what is wrong with them. */
export function portsOf(query: URLSearchParams): readonly number[] | string {
  const texts = [...query.getAll('ports'), ...query.getAll('port')];
  if (texts.length === 0) return 'query parameter "port" is required';
  const ports: number[] = [];
  for (const text of texts) {
    if (text === '') return 'query parameter "port" cannot be empty';
    for (const part of text.split(',')) {
      const port = portOf(part);
      if (port === undefined) return `unable to parse ${JSON.stringify(text)} as a port`;
      ports.push(port);
    }
  }
  return ports;
}

/** Serves one client until every port's connection has ended or the client goes away. */
export async function servePortForwardChannels(
  socket: WebSocket,
  ports: readonly number[],
  connect: Connect,
): Promise<void> {
  const controller = new AbortController();
  const wire = wireOf(socket.protocol);
  const clients = ports.map((_, index) => new ChannelClient(socket, index * 2, wire));
  const work = ports.map(async (port, index) => {
    const client = clients[index]!;
    await client.greet(port);
    await forwardConnection(client, port, connect, controller.signal);
  });
  const all = Promise.allSettled(work).then(() => closeSocket(socket));
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) break;
    const { channel, payload } = wire.decode(message.bytes);
    if (channel % 2 === 1) continue; // Nobody sends errors to a server.
    const client = clients[channel / 2];
    client?.take(payload);
    await client?.room();
  }
  controller.abort(new Error('the client went away'));
  for (const client of clients) client.discard();
  await all;
}

async function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.closed === undefined) await socket.close(1000);
}

/** One port's two channels. */
class ChannelClient implements ForwardedClient {
  isWritable = true;
  private readonly socket: WebSocket;
  private readonly channel: number;
  private readonly wire: ChannelWire;
  private readonly pieces: Uint8Array[] = [];
  private queuedBytes = 0;
  private isEnded = false;
  private wakeReader: (() => void) | undefined;
  private wakeSocket: (() => void) | undefined;

  constructor(socket: WebSocket, channel: number, wire: ChannelWire) {
    this.socket = socket;
    this.channel = channel;
    this.wire = wire;
  }

  /** Both channels begin with the port, in little-endian. */
  async greet(port: number): Promise<void> {
    const bytes = Uint8Array.of(port & 255, port >> 8);
    await this.send(this.channel, bytes);
    await this.send(this.channel + 1, bytes);
  }

  take(bytes: Uint8Array): void {
    if (this.isEnded || bytes.length === 0) return;
    this.pieces.push(bytes);
    this.queuedBytes += bytes.length;
    this.wakeReader?.();
  }

  async room(): Promise<void> {
    while (this.queuedBytes > QUEUE_BYTES_MAX)
      await new Promise<void>((resolve) => (this.wakeSocket = resolve));
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.pieces.length === 0 && !this.isEnded)
      await new Promise<void>((resolve) => (this.wakeReader = resolve));
    const piece = this.pieces.shift();
    this.queuedBytes -= piece?.length ?? 0;
    this.wakeSocket?.();
    return piece;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.send(this.channel, bytes);
  }

  async fail(message: string): Promise<void> {
    await this.send(this.channel + 1, Buffer.from(message, 'utf8'));
  }

  /** Channels can't be closed one by one; the socket is, after the last. A client can't say that it sends no more. */
  end(): Promise<void> {
    this.discard();
    return Promise.resolve();
  }

  discard(): void {
    this.isEnded = true;
    this.isWritable = false;
    this.pieces.length = 0;
    this.queuedBytes = 0;
    this.wakeReader?.();
    this.wakeSocket?.();
  }

  private async send(channel: number, bytes: Uint8Array): Promise<void> {
    if (this.socket.closed === undefined) await this.socket.send(this.wire.encode(channel, bytes));
  }
}
