// The cluster's DNS on a loopback UDP port: each query goes on as a datagram of a machine, the answer comes back as it is.
import { createSocket, type RemoteInfo } from 'node:dgram';
import type { Simulation } from '../../simulation/index.ts';

export interface DnsDoorOptions {
  readonly simulation: Simulation;
  /** Settles once everything that happened so far is saved. */
  readonly durable: () => Promise<void>;
  /** 0 takes a free port. */
  readonly port: number;
  /** Sends a DNS message inside and settles with the answer; undefined if none came in time. */
  readonly query: (message: Uint8Array) => Promise<Uint8Array | undefined>;
}

export interface DnsDoor extends AsyncDisposable {
  /** Such as 127.0.0.1:5353. */
  readonly address: string;
}

/** Opens the door on 127.0.0.1. Rejects with the host's error (EADDRINUSE …). */
export async function openDnsDoor({ simulation, durable, port, query }: DnsDoorOptions): Promise<DnsDoor> {
  const handler = simulation.onInput<{ message: string }>('dns.query', ({ message }) =>
    query(Buffer.from(message, 'base64')),
  );
  const socket = createSocket('udp4');
  const answer = async (message: Buffer, from: RemoteInfo): Promise<void> => {
    const reply = await simulation.input<Uint8Array | undefined>('dns.query', {
      message: message.toString('base64'),
    });
    await durable();
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  };
  socket.on('message', (message, from) => {
    // A query that can't be answered is one that gets no answer: that is UDP.
    answer(message, from).catch(() => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async [Symbol.asyncDispose]() {
      handler[Symbol.dispose]();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
