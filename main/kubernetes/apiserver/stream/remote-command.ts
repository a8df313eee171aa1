// Exec and attach whatever the wire: what the command prints goes out, how it ended is told last.
import { ErrnoError } from '../../../network/index.ts';
import type { Status } from '../../api/status.ts';
import { StatusError } from '../../api/status.ts';
import type { ExecResult, ExecSession } from '../kubelet-connector.ts';

/** Which of a command's streams the client asked for. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client's end of a session. Writes to a client that has gone go nowhere. */
export interface CommandWire {
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  /** Says how the command ended, after all of its output. */
  finish(status: Partial<Status>): Promise<void>;
}

/** Carries one session's output until its command has ended. */
export async function runCommand(
  session: ExecSession,
  streams: CommandStreams,
  wire: CommandWire,
): Promise<void> {
  const output = [
    streams.stdout ? pump(wire, 'stdout', session.stdout) : Promise.resolve(),
    streams.stderr ? pump(wire, 'stderr', session.stderr) : Promise.resolve(),
  ];
  const result = await session.exit.catch((error: unknown): ExecResult | StatusError => {
    if (error instanceof StatusError) return error;
    return { exitCode: -1, error: error instanceof Error ? error.message : String(error) };
  });
  await Promise.all(output);
  await wire.finish(result instanceof StatusError ? result.status : exitStatus(result));
}

/** Hands input to the command. False once it reads no more, which is no fault: `head -1` doesn't read to the end. */
export async function writeInput({ stdin }: ExecSession, bytes: Uint8Array): Promise<boolean> {
  try {
    await stdin?.write(bytes);
    return true;
  } catch (error) {
    if (error instanceof ErrnoError) return false;
    throw error;
  }
}

async function pump(
  wire: CommandWire,
  stream: 'stdout' | 'stderr',
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of source) await wire.output(stream, piece);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error; // The client broke off; its signal ends the session.
  }
}

/** The Status that ends a session (kubelet's cri/streaming/remotecommand). */
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

/** A terminal's size as clients send it; undefined for what isn't one. */
export function terminalSizeOf(
  text: string,
): { readonly columns: number; readonly rows: number } | undefined {
  let size: unknown;
  try {
    size = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof size !== 'object' || size === null) return undefined;
  const { Width: columns, Height: rows } = size as { Width?: unknown; Height?: unknown };
  return isCells(columns) && isCells(rows) ? { columns, rows } : undefined;
}

function isCells(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65_535;
}
