// The channel protocols of exec and attach over WebSocket: v4.channel.k8s.io and v5, which can close stdin (KEP-4006).
import type { WebSocket } from '../../../network/http/index.ts';
import type { Status } from '../../api/status.ts';
import { StatusError } from '../../api/status.ts';
import type { ExecResult, ExecSession } from '../kubelet-connector.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5: the byte after it names the channel that is closed. */
const CLOSE = 255;

export interface ExecStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Carries one session until its command has ended or the client goes away. */
export async function serveExecChannels(
  socket: WebSocket,
  session: ExecSession,
  streams: ExecStreams,
  controller: AbortController,
): Promise<void> {
  // Upstream opens every channel with an empty message.
  for (const channel of [STDOUT, STDERR, ERROR]) await socket.send(Uint8Array.of(channel));
  const input = readInput(socket, session, streams).catch((error: unknown) => controller.abort(error));
  const gone = input.then(() => {
    if (socket.closed !== undefined) controller.abort(new Error('the client went away'));
  });
  const output = [
    streams.stdout ? pump(socket, STDOUT, session.stdout) : Promise.resolve(),
    streams.stderr ? pump(socket, STDERR, session.stderr) : Promise.resolve(),
  ];
  const result = await session.exit.catch((error: unknown): ExecResult | StatusError => {
    if (error instanceof StatusError) return error;
    return { exitCode: -1, error: error instanceof Error ? error.message : String(error) };
  });
  await Promise.all(output);
  const text = Buffer.from(
    JSON.stringify(result instanceof StatusError ? result.status : exitStatus(result)),
  );
  if (socket.closed === undefined) {
    await socket.send(Buffer.concat([Uint8Array.of(ERROR), text]));
    await socket.close(1000);
  }
  await gone;
}

/** The Status that ends a session. */
function exitStatus({ exitCode, error }: ExecResult): Partial<Status> {
  if (error !== undefined) {
    const message = `error executing command in container: ${error}`;
    return {
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    };
  }
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

async function pump(socket: WebSocket, channel: number, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of source) {
    if (socket.closed !== undefined) return;
    await socket.send(Buffer.concat([Uint8Array.of(channel), piece]));
  }
}

async function readInput(socket: WebSocket, session: ExecSession, { stdin }: ExecStreams): Promise<void> {
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) break;
    const [channel, ...rest] = message.bytes.length > 0 ? [message.bytes[0]!, message.bytes.subarray(1)] : [];
    const payload = (rest[0] as Uint8Array | undefined) ?? new Uint8Array();
    if (channel === STDIN && stdin && payload.length > 0) await session.stdin?.write(payload);
    else if (channel === CLOSE && payload[0] === STDIN) session.stdin?.end();
    else if (channel === RESIZE && payload.length > 0) {
      const { Width, Height } = JSON.parse(Buffer.from(payload).toString('utf8')) as {
        Width?: number;
        Height?: number;
      };
      if (Width !== undefined && Height !== undefined) session.resize(Width, Height);
    }
  }
  session.stdin?.end();
}
