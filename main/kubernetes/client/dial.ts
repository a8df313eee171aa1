// Opens streams to API servers from a process's network: names, TCP, TLS.
import { connectTls } from '../../network/tls/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import type { Dial } from './http-client.ts';
import type { RestConfig } from './kubeconfig.ts';

/** How `proc` reaches the server of a configuration. */
export function dialFrom(proc: Process, config: RestConfig): Dial {
  return async (host, port, signal) => {
    const socket = await proc.interruptible(
      proc.net.sockets.connectTcp(
        { address: host === 'localhost' ? '127.0.0.1' : host, port },
        {
          owner: proc.socketOwner,
          ...(signal === undefined ? {} : { signal }),
        },
      ),
    );
    if (!config.server.startsWith('https:')) return socket;
    const { clientCertificate, clientKey } = config;
    return connectTls(socket, {
      serverName: config.tlsServerName ?? host,
      authorities: config.certificateAuthority ?? '',
      insecure: config.insecureSkipTlsVerify,
      nowMs: proc.clock.now(),
      random: proc.random,
      ...(clientCertificate === undefined || clientKey === undefined
        ? {}
        : { identity: { certificate: clientCertificate, privateKey: clientKey } }),
    });
  };
}
