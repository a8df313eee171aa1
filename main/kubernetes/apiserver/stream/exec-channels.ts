// The channel protocols of exec and attach over WebSocket: v4.channel.k8s.io and its elders, and v5, which can close stdin (KEP-4006).
import { ErrnoError } from '../../../network/index.ts';
import type { WebSocket } from '../../../network/http/index.ts';
import type { Status } from '../../api/status.ts';
import type { ExecSession } from '../kubelet-connector.ts';
import { wireOf, type ChannelWire } from './channel-wire.ts';
import { runCommand, terminalSizeOf, writeInput, type CommandStreams } from './remote-command.ts';

const V5 = 'v5.channel.k8s.io';
const V4 = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];
/** Subprotocols, preferred first; a client that names none speaks the plain one. */
export const EXEC_CHANNELS = [V5, ...V4, 'channel.k8s.io', 'base64.channel.k8s.io'];

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5: the byte after it names the channel that is closed. */
const CLOSE = 255;

/** Carries one session until its command has ended or the client goes away. */
export async function serveExecChannels(
  socket: WebSocket,
  session: ExecSession,
  streams: CommandStreams,
  controller: AbortController,
): Promise<void> {
  const wire = wireOf(socket.protocol);
  const send = async (channel: number, bytes: Uint8Array): Promise<void> => {
    if (socket.closed === undefined) await socket.send(wire.encode(channel, bytes));
  };
  // Upstream opens every channel with an empty message; kubectl complains of one that it didn't ask for.
  if (streams.stdout) await send(STDOUT, new Uint8Array());
  if (streams.stderr) await send(STDERR, new Uint8Array());
  await send(ERROR, new Uint8Array());
  const input = readInput(socket, wire, session, streams)
    .catch((error: unknown) => {
      if (!(error instanceof ErrnoError)) throw error; // The connection broke.
    })
    .finally(() => controller.abort(new Error('the client went away')));
  try {
    await runCommand(session, streams, {
      output: (stream, bytes) => send(stream === 'stdout' ? STDOUT : STDERR, bytes),
      async finish(status) {
        await send(ERROR, Buffer.from(ending(status, socket.protocol), 'utf8'));
        if (socket.closed === undefined) await socket.close(1000);
      },
    });
  } finally {
    // A command that has ended reads no more; nor does one whose client has gone.
    await input;
  }
}

/** How a session's end is told: v4 and later as a Status; before, an error's text, or nothing. */
function ending(status: Partial<Status>, protocol: string | undefined): string {
  if (protocol === V5 && status.reason === 'InternalError') {
    // The server translates v5 to the kubelet's protocol, and wraps the kubelet's error into its own (streamtranslator.go).
    return JSON.stringify({ ...status, message: `Internal error occurred: ${status.message}` });
  }
  if (protocol === V5 || (protocol !== undefined && V4.includes(protocol))) return JSON.stringify(status);
  return status.status === 'Success' ? '' : (status.message ?? '');
}

async function readInput(
  socket: WebSocket,
  wire: ChannelWire,
  session: ExecSession,
  { stdin }: CommandStreams,
): Promise<void> {
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) break;
    const { channel, payload } = wire.decode(message.bytes);
    if (channel === STDIN && stdin && payload.length > 0) await writeInput(session, payload);
    else if (channel === CLOSE && payload[0] === STDIN) session.stdin?.end();
    else if (channel === RESIZE) {
      const size = terminalSizeOf(Buffer.from(payload).toString('utf8'));
      if (size !== undefined) session.resize(size.columns, size.rows);
    }
  }
  session.stdin?.end();
}
