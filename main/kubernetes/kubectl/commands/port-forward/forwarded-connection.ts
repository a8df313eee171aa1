// One connection carried into a pod: the two channels of a port over a WebSocket of its own (v4.channel.k8s.io).
import type { WebSocket } from '../../../../network/http/index.ts';
import { ErrnoError, type ByteStream } from '../../../../network/index.ts';
import type { Kubectl } from '../../kubectl.ts';
import type { PodObject } from '../../rest/pods.ts';

const DATA = 0;
const ERROR = 1;
const PORT_BYTES = 2;

function pathOf({ metadata }: PodObject): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/portforward`;
}

/**
 * The connection that port-forward holds open while it runs: it tells at once whether the user may.
 * Differs: kubectl carries all connections inside of it; here each has its own.
 * Throws StatusError when the server refuses.
 */
export async function openLifeline(
  { api }: Kubectl,
  pod: PodObject,
): Promise<{ closed: Promise<void>; close: () => void }> {
  const socket = await api.webSocket(pathOf(pod), '', ['SPDY/3.1+portforward.k8s.io']);
  const closed = drain(socket);
  return { closed, close: () => void socket.close().catch(() => undefined) };
}

async function drain(socket: WebSocket): Promise<void> {
  try {
    while ((await socket.receive()) !== undefined);
  } catch (error) {
    if (!(error instanceof Error)) throw error; // The connection broke, which is what the caller waits for.
  }
}

export class ForwardedConnection {
  private readonly kubectl: Kubectl;
  private readonly pod: PodObject;
  private readonly port: number;

  constructor(kubectl: Kubectl, pod: PodObject, port: number) {
    this.kubectl = kubectl;
    this.pod = pod;
    this.port = port;
  }

  /** Until both ends are done; settles with what the kubelet had to complain about. */
  async carry(stream: ByteStream): Promise<string | undefined> {
    const socket = await this.kubectl.api
      .webSocket(pathOf(this.pod), `ports=${this.port}`, ['v4.channel.k8s.io'])
      .catch((error: unknown) => {
        stream.close();
        throw error;
      });
    void this.send(stream, socket);
    return this.receive(stream, socket);
  }

  private async send(stream: ByteStream, socket: WebSocket): Promise<void> {
    try {
      for (;;) {
        const piece = await stream.read();
        if (piece === undefined) break;
        await socket.send(framed(piece));
      }
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // Either side has gone; `receive` ends it.
    }
    await socket.close().catch(() => undefined);
  }

  private async receive(stream: ByteStream, socket: WebSocket): Promise<string | undefined> {
    const greeted = [false, false];
    let problem = '';
    try {
      for (;;) {
        const message = await socket.receive();
        if (message === undefined) break;
        const channel = message.bytes[0]!;
        let data = message.bytes.subarray(1);
        if (greeted[channel] === false) {
          greeted[channel] = true;
          data = data.subarray(PORT_BYTES);
        }
        if (data.length === 0) continue;
        if (channel === DATA) await stream.write(data);
        else if (channel === ERROR) problem += Buffer.from(data).toString('utf8');
      }
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // The one who connected has hung up.
    } finally {
      stream.close();
    }
    return problem === '' ? undefined : problem;
  }
}

function framed(bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(bytes.length + 1);
  message[0] = DATA;
  message.set(bytes, 1);
  return message;
}
