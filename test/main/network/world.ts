// Builds small virtual networks for the tests of this room.
import { makeRandom, Simulation } from '../../../main/simulation/index.ts';
import {
  createNamespace,
  Trace,
  type NetworkNamespace,
  type TcpSocket,
} from '../../../main/network/index.ts';
import { hostLoop } from '../../support/host-loop.ts';

export interface World {
  readonly simulation: Simulation;
  readonly trace: Trace;
  readonly faults: unknown[];
  namespace(name: string): NetworkNamespace;
}

export function makeWorld(seed = 1): World {
  const faults: unknown[] = [];
  const simulation = new Simulation({
    startMs: Date.UTC(2026, 0, 1),
    host: hostLoop,
    onFault: (error) => faults.push(error),
  });
  const trace = new Trace();
  const random = makeRandom(seed);
  return {
    simulation,
    trace,
    faults,
    namespace(name) {
      const namespace = createNamespace({ name, clock: simulation, random: random.fork(name), trace });
      namespace.links.setUp(namespace.links.require('lo'));
      return namespace;
    },
  };
}

/** Joins two namespaces with a veth pair of these names, each up and with an address (`10.0.0.1/24`) if given. */
export function joinVeth(
  one: NetworkNamespace,
  oneName: string,
  oneAddress: string | undefined,
  two: NetworkNamespace,
  twoName: string,
  twoAddress: string | undefined,
): void {
  one.links.addVeth({ name: oneName, peer: { name: twoName, namespace: two } });
  up(one, oneName, oneAddress);
  up(two, twoName, twoAddress);
}

/** Sets a link up and gives it an address. */
export function up(namespace: NetworkNamespace, name: string, address?: string): void {
  const link = namespace.links.require(name);
  namespace.links.setUp(link);
  if (address === undefined) return;
  const [host = '', length = '32'] = address.split('/');
  namespace.addresses.add(link, { address: host, prefixLength: Number(length) });
}

export function addDefaultRoute(namespace: NetworkNamespace, gateway: string): void {
  namespace.routes.add({ destination: '0.0.0.0', prefixLength: 0, gateway });
}

/** Answers every connection with `text` and closes, and counts. */
export function serveText(
  namespace: NetworkNamespace,
  port: number,
  text: string,
  address = '0.0.0.0',
): { count: number } {
  const listener = namespace.sockets.listenTcp({ address, port });
  const served = { count: 0 };
  const loop = async (): Promise<void> => {
    for (;;) {
      const socket = await listener.accept();
      served.count++;
      void socket.write(Buffer.from(text)).then(() => socket.end());
    }
  };
  void loop().catch(() => undefined);
  return served;
}

/** Everything a stream says until its end. */
export async function readAll(socket: Pick<TcpSocket, 'read'>): Promise<string> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const bytes = await socket.read();
    if (bytes === undefined) return Buffer.concat(parts).toString();
    parts.push(bytes);
  }
}

/** Waits, in virtual time, until a promise settles. */
export async function settle<T>(world: World, promise: Promise<T>, seconds = 300): Promise<T> {
  let isSettled = false;
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  await world.simulation.advanceUntil(() => isSettled, { seconds });
  if (!isSettled) throw new Error(`nothing after ${seconds} virtual seconds`);
  return promise;
}

/** Connects, reads everything, closes. */
export async function fetchText(
  world: World,
  from: NetworkNamespace,
  address: string,
  port: number,
): Promise<string> {
  const run = async (): Promise<string> => {
    const socket = await from.sockets.connectTcp({ address, port });
    const text = await readAll(socket);
    socket.close();
    return text;
  };
  return settle(world, run());
}
