// What every measurement stands on: a cluster in a workspace of its own, without latencies, as fast as it goes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Cluster, NO_LATENCY, requireProfile, withNodes, type Profile } from '../../cluster/index.ts';
import { resources, type Deployment } from '../../kubernetes/api/index.ts';
import { nodeHost, workspaceIn } from '../../session/index.ts';
import { makeRandom, Simulation } from '../../simulation/index.ts';
import { SqliteStore } from '../../storage/index.ts';

/** A line of the result. */
export interface Row {
  readonly what: string;
  readonly figure: string;
}

export interface World extends Disposable {
  readonly cluster: Cluster;
  readonly clock: Simulation;
  readonly store: SqliteStore;
}

/** A folder that is gone when the measurement is over. */
export function makeFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Opens the workspace in a folder with so many nodes; the cluster isn't started. */
export function openWorld(folder: string, nodes: number, cni: Profile['cni'] = 'flannel'): World {
  const onFault = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  const store = new SqliteStore({ path: workspaceIn(folder), turns: nodeHost });
  const clock = new Simulation({ startMs: nodeHost.wallNowMs(), host: nodeHost, onFault });
  const profile = { ...withNodes(requireProfile('current'), nodes), latencies: NO_LATENCY, cni };
  const cluster = new Cluster({ simulation: clock, store, random: makeRandom('bench'), profile, onFault });
  return {
    store,
    clock,
    cluster,
    [Symbol.dispose]() {
      cluster[Symbol.dispose]();
      clock[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
}

/** A Deployment called `bench` of one container. */
export function benchDeployment(replicas: number, image: string): Deployment {
  const labels = { app: 'bench' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bench', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

/** Settles with how many pods of the Deployment became ready; a node holds 110, so fewer than asked may fit. */
export async function untilReady({ cluster, clock }: World, pods: number): Promise<number> {
  let ready = 0;
  let done = false;
  const look = async (): Promise<void> => {
    while (!done) {
      const { status } = await cluster.admin.get<Deployment>(resources.deployments, 'bench', {
        namespace: 'default',
      });
      ready = status?.readyReplicas ?? 0;
      done = ready >= pods;
      if (!done) await clock.sleep(100);
    }
  };
  const looking = look();
  await clock.advanceUntil(() => done, { minutes: 2 });
  done = true;
  await looking;
  return ready;
}

/** Heap in use; exact only when node was started with --expose-gc. */
export function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Wall time of a call, in ms, with its result. */
export async function timed<T>(call: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const start = performance.now();
  const result = await call();
  return { ms: performance.now() - start, result };
}

export function msText(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function perSecond(count: number, ms: number): string {
  return `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`;
}
