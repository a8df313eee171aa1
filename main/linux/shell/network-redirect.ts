// Redirections to /dev/tcp/HOST/PORT and /dev/udp/HOST/PORT, which bash connects to itself (lib/sh/netopen.c).
import { ErrnoError, type ByteStream, type UdpSocket } from '../../network/index.ts';
import type { OpenFile, Process } from '../kernel/index.ts';
import { lookupHost, servicePort } from '../libc/index.ts';
import type { Shell } from './shell.ts';

/** Names that bash doesn't open but connect to. */
const NETWORK_PATH = /^\/dev\/(tcp|udp)\/([^/]+)\/([^/]+)$/;
const PORT_MAX = 65_535;

/** Why a connection can't be had: what the redirection's own error says; more has been told already. */
export class NetworkRedirectError extends Error {}

/** Connects to what a path names; undefined where it is an ordinary one. Rejects with NetworkRedirectError. */
export async function openNetworkPath(shell: Shell, path: string): Promise<OpenFile | undefined> {
  const match = NETWORK_PATH.exec(path);
  if (match === null || shell.dialect.name !== 'bash') return undefined;
  const [, protocol, host, service] = match as unknown as [string, 'tcp' | 'udp', string, string];
  const { proc } = shell;
  const port = /^\d+$/.test(service) ? Number(service) : servicePort(service);
  if (port === undefined || port > PORT_MAX)
    return giveUp(shell, `${service}: Servname not supported for ai_socktype`);
  const { addresses, failure } = await lookupHost(proc, host);
  const [address] = addresses;
  if (address === undefined)
    return giveUp(
      shell,
      `${host}: ${failure === 'temporary' ? 'Temporary failure in name resolution' : 'Name or service not known'}`,
    );
  try {
    return proc.kernel.socketFile(await connected(proc, protocol, { address, port }));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await shell.err(`${shell.name}: connect: ${error.message}\n`);
    throw new NetworkRedirectError(error.message, { cause: error });
  }
}

/** Tells what is wrong with the name; the path is then an invalid argument. */
async function giveUp(shell: Shell, why: string): Promise<never> {
  await shell.err(`${shell.name}: ${why}\n`);
  throw new NetworkRedirectError('Invalid argument');
}

async function connected(
  proc: Process,
  protocol: 'tcp' | 'udp',
  remote: { readonly address: string; readonly port: number },
): Promise<ByteStream> {
  const { sockets } = proc.net;
  const options = { owner: proc.socketOwner, signal: proc.signal };
  if (protocol === 'tcp') return proc.interruptible(sockets.connectTcp(remote, options));
  return datagrams(sockets.openUdp({ ...options, remote }), remote);
}

/** A connected UDP socket as what a descriptor reads and writes: each write is a datagram. */
function datagrams(
  socket: UdpSocket,
  remote: { readonly address: string; readonly port: number },
): ByteStream {
  return {
    read: async () => (await socket.receive()).bytes,
    write: async (bytes) => socket.send(bytes, remote),
    end: () => undefined,
    close: () => socket[Symbol.dispose](),
  };
}
