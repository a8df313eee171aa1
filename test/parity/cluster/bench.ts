// One running cluster behind its HTTPS door, shaped as the recorded one: same machines, addresses and version.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, NO_LATENCY, requireProfile } from '../../../main/cluster/index.ts';
import { nodeHost } from '../../../main/session/index.ts';
import { openApiDoor } from '../../../main/session/loopback/api-door.ts';
import { hostCertificates } from '../../../main/session/loopback/certificates.ts';
import { hostKubeconfig } from '../../../main/session/loopback/kubeconfig.ts';
import { makeRandom, Simulation } from '../../../main/simulation/index.ts';
import { SqliteStore } from '../../../main/storage/index.ts';

/** How far behind the wall the cluster starts: kubectl computes ages by the wall, and a fast cluster gains on it. */
const BEHIND_MS = 90 * 60_000;
/** Virtual time that the cluster has to itself before the first command, so that its own pods are up. */
const SETTLING = { minutes: 2 } as const;

/** The recorded cluster's LAN and proxy mode. */
function recordedProfile(): ReturnType<typeof requireProfile> {
  const current = requireProfile('current');
  const host: Readonly<Record<string, number>> = { master1: 11, worker1: 12, worker2: 13, client: 100 };
  return {
    ...current,
    lan: { cidr: '172.30.0.0/24', router: '172.30.0.1' },
    machines: current.machines.map((machine) => ({
      ...machine,
      address: `172.30.0.${host[machine.name] ?? 200}`,
    })),
    proxyMode: 'iptables',
    latencies: NO_LATENCY,
  };
}

export interface Bench extends AsyncDisposable {
  /** Path of the administrator's kubeconfig, its entries named as in the recordings. */
  readonly kubeconfig: string;
  /** What was thrown where nothing may be. */
  readonly faults: readonly unknown[];
}

/** Boots a cluster that runs `speed` times as fast as the wall. */
export async function startBench(speed: number): Promise<Bench> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'drydock-recorded-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = stack.use(new SqliteStore({ path: join(folder, 'w.drydock'), turns: nodeHost }));
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const simulation = new Simulation({ startMs: Date.now() - BEHIND_MS, host: nodeHost, onFault });
  stack.defer(() => simulation.setSpeed(0));
  const cluster = stack.use(
    new Cluster({ simulation, store, random: makeRandom('recorded'), profile: recordedProfile(), onFault }),
  );
  await cluster.start();
  await simulation.advance(SETTLING);
  const certificates = await hostCertificates(store);
  const door = stack.use(
    await openApiDoor({
      simulation,
      durable: () => store.durable(),
      certificates,
      port: 0,
      handler: () => cluster.apiHandler,
      onFault,
    }),
  );
  const kubeconfig = join(folder, 'kubeconfig');
  const text = hostKubeconfig(door.url, certificates).replaceAll('kubernetes-admin', 'admin');
  writeFileSync(kubeconfig, text, { mode: 0o600 });
  simulation.setSpeed(speed);
  const owned = stack.move();
  return { kubeconfig, faults, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
