// exec and attach: standard streams over a WebSocket, v5.channel.k8s.io (KEP-4006), with a raw terminal when asked for.
import type { WebSocket } from '../../../network/http/index.ts';
import { StatusError, type Status } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Kubectl } from '../kubectl.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

export interface RemoteStreams {
  /** Of the subresource, such as `/api/v1/namespaces/default/pods/web/exec`. */
  readonly path: string;
  /** Without stdin, stdout, stderr and tty. */
  readonly query: readonly (readonly [string, string])[];
  readonly stdin: boolean;
  readonly tty: boolean;
  /** Where the output goes instead of to the command's own streams. */
  readonly onStdout?: (bytes: Uint8Array) => Promise<void>;
  readonly onStderr?: (bytes: Uint8Array) => Promise<void>;
  /** What is sent instead of the command's own input. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Runs to the end; settles with the exit status of what ran there. Throws StatusError, CommandError. */
export async function runRemote(kubectl: Kubectl, streams: RemoteStreams): Promise<number> {
  const { proc } = kubectl;
  const query = new URLSearchParams();
  for (const [name, value] of streams.query) query.append(name, value);
  if (streams.stdin) query.append('stdin', 'true');
  query.append('stdout', 'true');
  if (!streams.tty) query.append('stderr', 'true');
  if (streams.tty) query.append('tty', 'true');
  const socket = await kubectl.api
    .webSocket(streams.path, query.toString().replaceAll('+', '%20'), PROTOCOLS)
    .catch((error: unknown) => {
      // A refusal in the kubelet's plain words rather than a Status.
      if (error instanceof StatusError && error.status.reason === '' && error.status.code === 500)
        throw new CommandError(`unable to upgrade connection: ${error.status.message}`);
      throw error;
    });
  const terminal = streams.tty ? proc.stdin.tty : undefined;
  const saved = terminal === undefined ? undefined : { ...terminal.modes };
  const resize = (): void => {
    if (terminal !== undefined)
      void socket.send(
        channel(
          RESIZE,
          Buffer.from(JSON.stringify({ Width: terminal.size.columns, Height: terminal.size.rows })),
        ),
      );
  };
  if (terminal !== undefined) {
    terminal.setModes({
      canonical: false,
      echo: false,
      signals: false,
      outputNewline: false,
      inputNewline: false,
      flowControl: false,
    });
    proc.onSignal('SIGWINCH', resize);
    resize();
  }
  let over = false;
  try {
    if (streams.stdin) void sendInput(kubectl, socket, streams, () => over);
    return await receive(kubectl, socket, streams);
  } finally {
    over = true;
    if (terminal !== undefined) {
      terminal.setModes(saved!);
      proc.onSignal('SIGWINCH', 'default');
    }
  }
}

function channel(number: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(bytes.length + 1);
  message[0] = number;
  message.set(bytes, 1);
  return message;
}

async function sendInput(
  { proc }: Kubectl,
  socket: WebSocket,
  streams: RemoteStreams,
  isOver: () => boolean,
): Promise<void> {
  try {
    if (streams.input !== undefined)
      for await (const piece of streams.input) await socket.send(channel(STDIN, piece));
    else {
      for (;;) {
        const piece = await proc.stdin.read(32_768);
        if (isOver()) return;
        if (piece.length === 0) break;
        await socket.send(channel(STDIN, piece));
      }
    }
    if (!isOver() && socket.protocol === PROTOCOLS[0]) await socket.send(new Uint8Array([CLOSE, STDIN]));
  } catch (error) {
    // The other side has gone or this process is ending: `receive` tells how it ended.
    if (!isOver() && !(error instanceof Error)) throw error;
  }
}

async function receive({ proc }: Kubectl, socket: WebSocket, streams: RemoteStreams): Promise<number> {
  for (;;) {
    const message = await proc.interruptible(socket.receive());
    if (message === undefined) {
      if (socket.closed?.code === 1000) return 0;
      throw new CommandError(
        `error reading from error stream: websocket: close ${socket.closed?.code ?? 1006} (abnormal closure): unexpected EOF`,
      );
    }
    const data = message.bytes.subarray(1);
    if (data.length === 0) continue; // Servers open each channel with nothing.
    if (message.bytes[0] === STDOUT) await (streams.onStdout ?? ((bytes) => proc.stdout.write(bytes)))(data);
    else if (message.bytes[0] === STDERR)
      await (streams.onStderr ?? ((bytes) => proc.stderr.write(bytes)))(data);
    else if (message.bytes[0] === ERROR) {
      const status = exitStatus(Buffer.from(data).toString('utf8'));
      void socket.close().catch(() => undefined);
      return status;
    }
  }
}

/** 0, or the status of a command that failed. Throws CommandError for what kept it from running. */
function exitStatus(text: string): number {
  const status = JSON.parse(text) as Status;
  if (status.status === 'Success') return 0;
  if (status.reason === 'NonZeroExitCode') {
    const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
    if (code !== undefined) return Number(code);
  }
  throw new CommandError(status.message ?? text);
}
