// `drydock bench`: figures of this machine, as a table. They are for people; nothing is asserted.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Cluster, NO_LATENCY, requireProfile, withNodes } from '../cluster/index.ts';
import { resources, type Deployment, type Pod } from '../kubernetes/api/index.ts';
import { nodeHost, workspaceIn } from '../session/index.ts';
import { makeRandom, Simulation } from '../simulation/index.ts';
import { SqliteStore } from '../storage/index.ts';
import { readOptions, wholeNumber } from './usage.ts';

const MIB_BYTES = 1024 ** 2;
const NANOS_PER_MS = 1e6;

interface Row {
  readonly what: string;
  readonly figure: string;
}

/** Boots a cluster, runs pods in it, and prints what that took. */
export async function bench(args: string[]): Promise<number> {
  const { values } = readOptions({
    args,
    options: {
      nodes: { type: 'string', default: '3' },
      pods: { type: 'string', default: '100' },
    },
  });
  const nodes = wholeNumber('nodes', values.nodes, 2, 240);
  const pods = wholeNumber('pods', values.pods, 1, 20_000);
  const [cpu] = cpus();
  process.stdout.write(
    `${availableParallelism()} cores, ${cpu?.model ?? 'unknown'}, Node ${process.version}\n\n`,
  );
  for (const { what, figure } of await measure(nodes, pods))
    process.stdout.write(`${what.padEnd(58)}${figure}\n`);
  return 0;
}

async function measure(nodes: number, pods: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const rows: Row[] = [];
  try {
    const workspace = workspaceIn(folder);
    const coldMs = performance.now();
    let world = open(workspace, nodes);
    await world.cluster.start();
    rows.push({ what: `cold start to ${nodes} Ready nodes`, figure: ms(performance.now() - coldMs) });
    await settle(world);
    const baseBytes = heapBytes();

    delay.enable();
    const rolloutMs = performance.now();
    const startedMs = world.clock.now();
    await world.cluster.admin.create<Deployment>(resources.deployments, deployment(pods), {
      namespace: 'default',
    });
    const ready = await untilReady(world, pods);
    const tookMs = performance.now() - rolloutMs;
    delay.disable();
    rows.push({
      what: `${pods} pods from create to all Ready, no latencies`,
      figure: `${ms(tookMs)} (${Math.round((ready / tookMs) * 1000)} pods/s; ${ms(world.clock.now() - startedMs)} virtual)`,
    });
    rows.push({
      what: 'event loop delay meanwhile, p99 / max',
      figure: `${ms(delay.percentile(99) / NANOS_PER_MS)} / ${ms(delay.max / NANOS_PER_MS)}`,
    });
    rows.push({
      what: 'heap per pod',
      figure: `${Math.round((heapBytes() - baseBytes) / ready / 1024)} KiB`,
    });

    const listMs = performance.now();
    const { items } = await world.cluster.admin.list<Pod>(resources.pods);
    rows.push({ what: `list of ${items.length} pods in process`, figure: ms(performance.now() - listMs) });
    const skipMs = performance.now();
    await world.clock.advance({ hours: 1 });
    rows.push({ what: 'one idle hour skipped', figure: ms(performance.now() - skipMs) });
    close(world);

    const resumeMs = performance.now();
    world = open(workspace, nodes);
    await world.cluster.start();
    rows.push({
      what: `reopening the workspace with its ${ready} pods`,
      figure: ms(performance.now() - resumeMs),
    });
    rows.push({
      what: 'resident memory of the process',
      figure: `${Math.round(process.memoryUsage.rss() / MIB_BYTES)} MiB`,
    });
    close(world);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

interface World {
  readonly cluster: Cluster;
  readonly clock: Simulation;
  readonly store: SqliteStore;
}

function open(workspace: string, nodes: number): World {
  const onFault = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  const store = new SqliteStore({ path: workspace, turns: nodeHost });
  const clock = new Simulation({ startMs: nodeHost.wallNowMs(), host: nodeHost, onFault });
  const profile = { ...withNodes(requireProfile('current'), nodes), latencies: NO_LATENCY };
  return {
    store,
    clock,
    cluster: new Cluster({ simulation: clock, store, random: makeRandom('bench'), profile, onFault }),
  };
}

function close({ cluster, clock, store }: World): void {
  cluster[Symbol.dispose]();
  clock[Symbol.dispose]();
  store[Symbol.dispose]();
}

async function settle({ clock }: World): Promise<void> {
  await clock.advance({ seconds: 60 });
}

/** Settles with how many pods became ready; a node holds 110, so that fewer than asked may fit. */
async function untilReady({ cluster, clock }: World, pods: number): Promise<number> {
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

function deployment(replicas: number): Deployment {
  const labels = { app: 'bench' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bench', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: 'nginx:1.20' }] } },
    },
  };
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
