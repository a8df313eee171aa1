// The way in for `drydock exec`: commands on machines over a loopback WebSocket, for whoever holds the data folder's token.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { z } from 'zod';
import type { Cluster, MachineProcess } from '../../cluster/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { Simulation } from '../../simulation/index.ts';

/** Where the running one can be reached, kept in the data folder, readable by its owner only. */
export interface ControlAddress {
  readonly port: number;
  readonly token: string;
}

const FILE = 'control.json';

/** First byte of a binary message. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Text messages from the client. */
const clientMessage = z.union([
  z.strictObject({
    start: z.strictObject({
      machine: z.string(),
      argv: z.array(z.string()).min(1),
      tty: z.strictObject({ columns: z.number().int().min(1), rows: z.number().int().min(1) }).optional(),
    }),
  }),
  z.strictObject({ end: z.literal('stdin') }),
  z.strictObject({
    resize: z.strictObject({ columns: z.number().int().min(1), rows: z.number().int().min(1) }),
  }),
]);
type ClientMessage = z.infer<typeof clientMessage>;

/** Text messages to the client: the end of the command, or why it never began. */
export type ServerMessage = { readonly exitCode: number } | { readonly error: string };

/** A shell's statuses of a command that can't be started: bash(1), EXIT STATUS. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

export interface ControlDoorOptions {
  readonly simulation: Simulation;
  /** Settles once everything that happened so far is saved. */
  readonly durable: () => Promise<void>;
  readonly cluster: () => Cluster | undefined;
  /** The data folder. */
  readonly folder: string;
}

/** Opens the door on 127.0.0.1 and leaves its address in the folder; disposing takes both away. */
export async function openControlDoor(options: ControlDoorOptions): Promise<AsyncDisposable> {
  const { simulation, durable, cluster, folder } = options;
  const token = randomBytes(24).toString('hex');
  const processes = new Map<number, MachineProcess>();
  let lastId = 0;
  using stack = new DisposableStack();
  stack.use(
    simulation.onInput<{ id: number } & Extract<ClientMessage, { start: unknown }>['start']>(
      'exec.start',
      ({ id, machine, argv, tty }) => {
        const running = cluster() ?? fail('no cluster is running');
        const process = running.startProcess(machine, argv, tty);
        processes.set(id, process);
        return { process };
      },
    ),
  );
  stack.use(
    simulation.onInput<{ id: number; bytes: string }>('exec.stdin', ({ id, bytes }) =>
      processes.get(id)?.write(Buffer.from(bytes, 'base64')),
    ),
  );
  stack.use(simulation.onInput<{ id: number }>('exec.end', ({ id }) => processes.get(id)?.endInput()));
  stack.use(
    simulation.onInput<{ id: number; columns: number; rows: number }>(
      'exec.resize',
      ({ id, columns, rows }) => processes.get(id)?.resize({ columns, rows }),
    ),
  );
  stack.use(
    simulation.onInput<{ id: number }>('exec.hangUp', ({ id }) => {
      processes.get(id)?.hangUp();
      processes.delete(id);
    }),
  );

  const serve = (socket: WebSocket): void => {
    const id = ++lastId;
    const send = (message: ServerMessage): void => socket.send(JSON.stringify(message));
    const pump = async (source: AsyncIterable<Uint8Array>, channel: number): Promise<void> => {
      for await (const bytes of source) {
        await durable();
        socket.send(Buffer.concat([Buffer.of(channel), bytes]));
      }
    };
    const start = async (request: Extract<ClientMessage, { start: unknown }>['start']): Promise<void> => {
      const { process } = await simulation.input<{ process: MachineProcess }>('exec.start', {
        id,
        ...request,
      });
      await Promise.all([pump(process.stdout, CHANNEL.stdout), pump(process.stderr, CHANNEL.stderr)]);
      const exitCode = await process.exitCode;
      await durable();
      send({ exitCode });
      socket.close();
    };
    socket.on('message', (data: RawData, isBinary: boolean) => {
      const bytes = data as Buffer;
      if (isBinary) {
        void simulation.input('exec.stdin', { id, bytes: bytes.subarray(1).toString('base64') });
        return;
      }
      const parsed = parseMessage(bytes.toString());
      if (parsed === undefined) return socket.close(1008, 'bad message');
      if ('start' in parsed) {
        start(parsed.start).catch((error: unknown) => {
          if (error instanceof ErrnoError) {
            socket.send(
              Buffer.concat([
                Buffer.of(CHANNEL.stderr),
                Buffer.from(`drydock: ${parsed.start.argv[0]}: ${error.message}\n`),
              ]),
            );
            send({ exitCode: error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE });
          } else send({ error: error instanceof Error ? error.message : String(error) });
          socket.close();
        });
      } else if ('resize' in parsed) void simulation.input('exec.resize', { id, ...parsed.resize });
      else void simulation.input('exec.end', { id });
    });
    socket.on('close', () => void simulation.input('exec.hangUp', { id }));
    socket.on('error', () => socket.terminate());
  };

  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!authorized(request, token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, serve);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const path = join(folder, FILE);
  const address: ControlAddress = { port: (server.address() as { port: number }).port, token };
  writeFileSync(path, JSON.stringify(address), { mode: 0o600 });
  const owned = stack.move();
  return {
    async [Symbol.asyncDispose]() {
      rmSync(path, { force: true });
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
      owned.dispose();
    },
  };
}

/** Where the Drydock of a data folder can be reached; undefined when none runs there. */
export function readControlAddress(folder: string): ControlAddress | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as ControlAddress;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseMessage(text: string): ClientMessage | undefined {
  try {
    return clientMessage.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function authorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return (
    given.length === expected.length &&
    timingSafeEqual(given, expected) &&
    request.headers.origin === undefined
  );
}

function fail(message: string): never {
  throw new Error(message);
}
