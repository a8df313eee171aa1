// How somebody outside reaches into the network as a machine: names, connections, DNS messages.
import { Resolver } from '../network/dns/index.ts';
import { ErrnoError, type TcpSocket } from '../network/index.ts';
import type { Machine } from '../linux/machine/index.ts';

const DNS_PORT = 53;
/** As the resolver's own: five seconds a try. */
const DNS_TIMEOUT_MS = 5000;

/** A TCP connection from a machine to a name or address. Rejects with ErrnoError, or ResolveError for a name that has none. */
export async function connectFrom({ kernel }: Machine, host: string, port: number): Promise<TcpSocket> {
  const { net, clock, random, files } = kernel;
  const text = (path: string): string | undefined => (files.exists(path) ? files.readText(path) : undefined);
  const resolver = new Resolver({
    sockets: net.sockets,
    clock,
    random,
    resolvConf: () => text('/etc/resolv.conf'),
    hosts: () => text('/etc/hosts'),
  });
  const { addresses } = await resolver.resolve(host);
  return net.sockets.connectTcp({ address: addresses[0]!, port });
}

/** One DNS message over UDP from a machine to a server; undefined if nothing comes back in time. */
export async function queryDnsFrom(
  machine: Machine,
  server: string,
  message: Uint8Array,
): Promise<Uint8Array | undefined> {
  const { net, clock } = machine.kernel;
  using socket = net.sockets.openUdp();
  const timeout = new AbortController();
  using _timer = clock.after(DNS_TIMEOUT_MS, () => timeout.abort(new ErrnoError('ETIMEDOUT')));
  socket.send(message, { address: server, port: DNS_PORT });
  try {
    return (await socket.receive(timeout.signal)).bytes;
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}
