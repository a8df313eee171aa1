// A host-side stream that is really a TCP connection of a machine inside the simulation.
import { Duplex } from 'node:stream';
import type { TcpSocket } from '../../network/index.ts';
import { disposable, type Simulation } from '../../simulation/index.ts';

/** Opens a connection from a machine, resolving names as that machine does. */
export type Connect = (machine: string, host: string, port: number) => Promise<TcpSocket>;

interface OpenPayload {
  readonly id: number;
  readonly machine: string;
  readonly host: string;
  readonly port: number;
}

/** Makes streams into the simulation. Bytes enter as inputs; what comes out leaves once durable. */
export class VirtualConnections implements Disposable {
  private readonly simulation: Simulation;
  private readonly durable: () => Promise<void>;
  private readonly sockets = new Map<number, TcpSocket>();
  private readonly handlers: Disposable;
  private lastId = 0;

  constructor(simulation: Simulation, durable: () => Promise<void>, connect: Connect) {
    this.simulation = simulation;
    this.durable = durable;
    const stack = new DisposableStack();
    stack.use(
      simulation.onInput<OpenPayload>('connection.open', async ({ id, machine, host, port }) => {
        const socket = await connect(machine, host, port);
        this.sockets.set(id, socket);
        return socket;
      }),
    );
    stack.use(
      simulation.onInput<{ id: number; bytes: string }>('connection.bytes', async ({ id, bytes }) => {
        await this.sockets.get(id)?.write(Buffer.from(bytes, 'base64'));
      }),
    );
    stack.use(simulation.onInput<{ id: number }>('connection.end', ({ id }) => this.sockets.get(id)?.end()));
    stack.use(
      simulation.onInput<{ id: number }>('connection.close', ({ id }) => {
        this.sockets.get(id)?.close();
        this.sockets.delete(id);
      }),
    );
    this.handlers = disposable(() => stack.dispose());
  }

  /** Rejects with ErrnoError when the connection can't be had. */
  async open(machine: string, host: string, port: number): Promise<Duplex> {
    const id = ++this.lastId;
    const { simulation, durable } = this;
    const socket = await simulation.input<TcpSocket>('connection.open', { id, machine, host, port });
    const duplex = new Duplex({
      allowHalfOpen: true,
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        simulation
          .input('connection.bytes', { id, bytes: chunk.toString('base64') })
          .then(() => done(), done);
      },
      final: (done) => {
        simulation.input('connection.end', { id }).then(() => done(), done);
      },
      destroy: (error, done) => {
        simulation.input('connection.close', { id }).then(() => done(error), done);
      },
    });
    void this.pump(socket, duplex);
    await durable();
    return duplex;
  }

  [Symbol.dispose](): void {
    this.handlers[Symbol.dispose]();
    for (const socket of this.sockets.values()) socket.close();
  }

  private async pump(socket: TcpSocket, duplex: Duplex): Promise<void> {
    try {
      for (;;) {
        const bytes = await socket.read();
        await this.durable();
        duplex.push(bytes === undefined ? null : Buffer.from(bytes));
        if (bytes === undefined) return;
      }
    } catch (error) {
      duplex.destroy(error as Error);
    }
  }
}
