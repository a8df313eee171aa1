// All of the host's ways into a session's cluster: API over HTTPS with a kubeconfig, HTTP proxy, DNS.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { HostDoors } from '../../../preload/contract.ts';
import type { Session } from '../session.ts';
import { openApiDoor } from './api-door.ts';
import { hostCertificates } from './certificates.ts';
import { openDnsDoor } from './dns-door.ts';
import { hostKubeconfig } from './kubeconfig.ts';
import { openProxyDoor } from './proxy-door.ts';
import { VirtualConnections } from './virtual-connection.ts';

export interface HostDoorsOptions {
  /** Where the kubeconfig is written, readable by its owner only. */
  readonly kubeconfig: string;
  /** Ports wished for; 0 or absent takes a free one. */
  readonly apiPort?: number;
  readonly proxyPort?: number;
  readonly dnsPort?: number;
}

/** The machine that the proxy's connections come from. */
const CLIENT = 'client';

/** Opens them all on 127.0.0.1, or none. Rejects with the host's error (EADDRINUSE …). */
export async function openHostDoors(
  session: Session,
  options: HostDoorsOptions,
): Promise<HostDoors & AsyncDisposable> {
  const { simulation, store, clusters } = session;
  const durable = (): Promise<void> => session.durable();
  const certificates = await hostCertificates(store);
  await using stack = new AsyncDisposableStack();
  const api = stack.use(
    await openApiDoor({
      simulation,
      durable,
      certificates,
      port: options.apiPort ?? 0,
      handler: () => clusters.cluster?.apiHandler,
      onFault: (error) => session.onFault(error),
      isIssuedByCluster: (certificate) => clusters.cluster?.hasIssued(certificate) === true,
    }),
  );
  const connections = stack.use(
    new VirtualConnections(simulation, durable, (machine, host, port) =>
      running(session).connect(machine, host, port),
    ),
  );
  const token = randomBytes(16).toString('hex');
  const proxy = stack.use(
    await openProxyDoor({ connections, machine: CLIENT, port: options.proxyPort ?? 0, token }),
  );
  const dns = stack.use(
    await openDnsDoor({
      simulation,
      durable,
      port: options.dnsPort ?? 0,
      query: async (message) => clusters.cluster?.queryDns(message),
    }),
  );
  writeFileSync(options.kubeconfig, hostKubeconfig(api.url, certificates), { mode: 0o600 });
  await durable();
  const doors = { kubeconfig: options.kubeconfig, api: api.url, proxy: proxy.url, dns: dns.address };
  session.hostDoors = doors;
  const owned = stack.move();
  return {
    ...doors,
    async [Symbol.asyncDispose]() {
      session.hostDoors = undefined;
      await owned.disposeAsync();
    },
  };
}

function running(session: Session): NonNullable<Session['clusters']['cluster']> {
  const { cluster } = session.clusters;
  if (cluster === undefined) throw new Error('no cluster is running');
  return cluster;
}
