// Exec and attach over SPDY/3.1: one stream each for input, output, errors, terminal sizes and the end (client-go remotecommand v1-v5).
import { ErrnoError } from '../../../network/index.ts';
import type { Status } from '../../api/status.ts';
import type { ExecSession } from '../kubelet-connector.ts';
import { runCommand, terminalSizeOf, writeInput, type CommandStreams } from './remote-command.ts';
import { SpdySession, type SpdyPipe, type SpdyStream } from './spdy-session.ts';

/** Protocols inside of SPDY, preferred first. */
export const EXEC_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];

type StreamType = 'stdin' | 'stdout' | 'stderr' | 'resize' | 'error';

/** Serves one client until it has gone, which it does when it knows how its command ended. */
export async function serveExecSpdy(
  pipe: SpdyPipe,
  protocol: string,
  streams: CommandStreams,
  session: ExecSession,
  controller: AbortController,
): Promise<void> {
  const wanted = wantedStreams(protocol, streams);
  const open = new Map<StreamType, SpdyStream>();
  let work: Promise<void> | undefined;
  const spdy = new SpdySession(pipe, (stream) => {
    const type = stream.headers['streamtype'] as StreamType;
    if (!wanted.has(type) || open.has(type)) {
      void stream.reset().catch(() => spdy.close());
      return;
    }
    open.set(type, stream);
    if (open.size < wanted.size) return;
    work = runOver(open, protocol, streams, session).catch((error: unknown) => {
      if (!(error instanceof ErrnoError)) throw error; // The connection broke.
    });
    work.catch(() => spdy.close()); // Told by the await below.
  });
  try {
    await spdy.run();
  } finally {
    controller.abort(new Error('the client went away'));
    await work;
  }
}

function wantedStreams(protocol: string, { stdin, stdout, stderr, tty }: CommandStreams): Set<StreamType> {
  const wanted = new Set<StreamType>(['error']);
  if (stdin) wanted.add('stdin');
  if (stdout) wanted.add('stdout');
  if (stderr) wanted.add('stderr');
  // v3 brought the resizing of terminals.
  if (tty && !['v2.channel.k8s.io', 'channel.k8s.io'].includes(protocol)) wanted.add('resize');
  return wanted;
}

async function runOver(
  open: ReadonlyMap<StreamType, SpdyStream>,
  protocol: string,
  streams: CommandStreams,
  session: ExecSession,
): Promise<void> {
  const stdin = open.get('stdin');
  const resize = open.get('resize');
  const input = stdin === undefined ? Promise.resolve() : feed(stdin, session);
  const sizes = resize === undefined ? Promise.resolve() : followSizes(resize, session);
  await runCommand(session, streams, {
    output: async (stream, bytes) => open.get(stream)?.write(bytes),
    async finish(status) {
      await open.get('stdout')?.end();
      await open.get('stderr')?.end();
      const text = ending(status, protocol);
      await open.get('error')?.write(Buffer.from(text, 'utf8'));
      await open.get('error')?.end();
      // What a command didn't read holds nobody up.
      for (const stream of open.values()) stream.discard();
    },
  });
  await Promise.all([input, sizes]);
}

/** v4 and later end with a Status; before, with an error's text, or nothing. */
function ending(status: Partial<Status>, protocol: string): string {
  if (protocol === 'v5.channel.k8s.io' || protocol === 'v4.channel.k8s.io') return JSON.stringify(status);
  return status.status === 'Success' ? '' : (status.message ?? '');
}

async function feed(stdin: SpdyStream, session: ExecSession): Promise<void> {
  for (let piece = await stdin.read(); piece !== undefined; piece = await stdin.read()) {
    if (!(await writeInput(session, piece))) stdin.discard();
  }
  session.stdin?.end();
}

/** Sizes come one after the other as JSON objects. */
async function followSizes(resize: SpdyStream, session: ExecSession): Promise<void> {
  let text = '';
  for (let piece = await resize.read(); piece !== undefined; piece = await resize.read()) {
    text += Buffer.from(piece).toString('utf8');
    const parts = text.split('}');
    text = parts.pop()!.slice(-SIZE_TEXT_MAX);
    for (const part of parts) {
      const size = terminalSizeOf(`${part}}`);
      if (size !== undefined) session.resize(size.columns, size.rows);
    }
  }
}

/** The longest unfinished size that is kept, in characters. */
const SIZE_TEXT_MAX = 1024;
