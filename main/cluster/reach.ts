// How somebody outside reaches into the network as a machine: names, connections, DNS messages.
import { ErrnoError, parseIpv4, type TcpSocket } from '../network/index.ts';
import type { Machine } from '../linux/machine/index.ts';

const DNS_PORT = 53;
/** As the resolver's own: five seconds a try. */
const DNS_TIMEOUT_MS = 5000;

/** A TCP connection from a machine to a name or address. Rejects with ErrnoError; an unknown name is EHOSTUNREACH. */
export async function connectFrom(machine: Machine, host: string, port: number): Promise<TcpSocket> {
  const address = parseIpv4(host) === undefined ? lookupHosts(machine, host) : host;
  if (address === undefined) throw new ErrnoError('EHOSTUNREACH', host);
  return machine.kernel.net.sockets.connectTcp({ address, port });
}

/** One DNS message over UDP from a machine to a server; undefined if nothing comes back in time. */
export async function queryDnsFrom(machine: Machine, server: string, message: Uint8Array): Promise<Uint8Array | undefined> {
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

function lookupHosts(machine: Machine, name: string): string | undefined {
  const { files } = machine.kernel;
  if (!files.exists('/etc/hosts')) return undefined;
  for (const line of files.readText('/etc/hosts').split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (names.includes(name)) return address;
  }
  return undefined;
}
