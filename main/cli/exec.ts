// `drydock exec`: a command on a machine of the running cluster, with this process's own streams and the command's status.
import { WebSocket, type RawData } from 'ws';
import {
  CHANNEL,
  defaultDataFolder,
  readControlAddress,
  SessionError,
  type ServerMessage,
} from '../session/index.ts';
import { readOptions, UsageError } from './usage.ts';

const NOT_RUNNING = 'No Drydock runs on this data folder; start one with drydock up.';

export async function exec(args: string[]): Promise<number> {
  const separator = args.indexOf('--');
  if (separator === -1) throw new UsageError('exec wants MACHINE -- COMMAND...');
  const { values, positionals } = readOptions({
    args: args.slice(0, separator),
    allowPositionals: true,
    options: { data: { type: 'string' }, tty: { type: 'boolean', short: 't', default: false } },
  });
  const argv = args.slice(separator + 1);
  const [machine, ...others] = positionals;
  if (machine === undefined || others.length > 0 || argv.length === 0)
    throw new UsageError('exec wants MACHINE -- COMMAND...');
  const address = readControlAddress(values.data ?? defaultDataFolder());
  if (address === undefined) throw new SessionError('no-cluster', NOT_RUNNING);

  const socket = new WebSocket(`ws://127.0.0.1:${address.port}`, {
    headers: { Authorization: `Bearer ${address.token}` },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', () => reject(new SessionError('no-cluster', NOT_RUNNING)));
  });
  return values.tty
    ? withRawTerminal(() => run(socket, machine, argv, true))
    : run(socket, machine, argv, false);
}

function run(socket: WebSocket, machine: string, argv: string[], tty: boolean): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const size = { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
  const onInput = (data: Buffer): void => socket.send(Buffer.concat([Buffer.of(CHANNEL.stdin), data]));
  const onEnd = (): void => socket.send(JSON.stringify({ end: 'stdin' }));
  const onResize = (): void =>
    socket.send(JSON.stringify({ resize: { columns: stdout.columns, rows: stdout.rows } }));
  return new Promise<number>((resolve, reject) => {
    socket.on('message', (data: RawData, isBinary: boolean) => {
      const bytes = data as Buffer;
      if (isBinary) {
        (bytes[0] === CHANNEL.stderr ? stderr : stdout).write(bytes.subarray(1));
        return;
      }
      const message = JSON.parse(bytes.toString()) as ServerMessage;
      if ('error' in message) reject(new SessionError('failed', message.error));
      else resolve(message.exitCode);
    });
    socket.on('close', () => reject(new SessionError('failed', 'The connection to Drydock was lost.')));
    socket.send(JSON.stringify({ start: { machine, argv, ...(tty ? { tty: size } : {}) } }));
    stdin.on('data', onInput);
    stdin.on('end', onEnd);
    if (tty) stdout.on('resize', onResize);
  }).finally(() => {
    stdin.off('data', onInput);
    stdin.off('end', onEnd);
    stdout.off('resize', onResize);
    stdin.pause();
    socket.terminate();
  });
}

async function withRawTerminal(work: () => Promise<number>): Promise<number> {
  const { stdin } = process;
  if (!stdin.isTTY) return work();
  stdin.setRawMode(true);
  try {
    return await work();
  } finally {
    stdin.setRawMode(false);
  }
}
