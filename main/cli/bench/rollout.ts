// Figures of a rollout: from creating a Deployment to all pods Ready, what a pod costs, and what a reopen takes.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { resources, type Deployment, type Pod } from '../../kubernetes/api/index.ts';
import {
  benchDeployment,
  heapBytes,
  makeFolder,
  msText,
  openWorld,
  perSecond,
  timed,
  untilReady,
  type Row,
} from './world.ts';

const NANOS_PER_MS = 1e6;
const KIB_BYTES = 1024;

export interface Rollout {
  readonly nodes: number;
  readonly pods: number;
  readonly image: string;
}

/** Boots so many nodes and runs so many pods on them. */
export async function measureRollout({ nodes, pods, image }: Rollout): Promise<Row[]> {
  using folder = makeFolder();
  const rows: Row[] = [];
  const name = `${pods.toLocaleString('en')} pods (${image}) on ${nodes - 1} workers`;
  {
    using world = openWorld(folder.path, nodes);
    const { cluster, clock } = world;
    const boot = await timed(() => cluster.start());
    rows.push({ what: `cold start to ${nodes} Ready nodes`, figure: msText(boot.ms) });
    await clock.advance({ seconds: 60 });

    const baseBytes = heapBytes();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const rollout = await timed(async () => {
      await cluster.admin.create<Deployment>(resources.deployments, benchDeployment(pods, image), {
        namespace: 'default',
      });
      return untilReady(world, pods);
    });
    delay.disable();
    const ready = rollout.result;
    rows.push(
      {
        what: `${name}, from create to Ready`,
        figure: `${msText(rollout.ms)} (${perSecond(ready, rollout.ms)}${ready < pods ? `; only ${ready} fit` : ''})`,
      },
      {
        what: '  event loop delay meanwhile, p99 / max',
        figure: `${msText(delay.percentile(99) / NANOS_PER_MS)} / ${msText(delay.max / NANOS_PER_MS)}`,
      },
      {
        what: '  heap per pod',
        figure: `${Math.round((heapBytes() - baseBytes) / ready / KIB_BYTES)} KiB`,
      },
    );
    const list = await timed(() => cluster.admin.list<Pod>(resources.pods));
    rows.push({
      what: `  list of its ${list.result.items.length.toLocaleString('en')} pods in process`,
      figure: msText(list.ms),
    });
    const table = await timed(() => tableOfPods(world));
    rows.push({
      what: `  the same as a Table, ${Math.round(table.result / KIB_BYTES).toLocaleString('en')} KiB of JSON`,
      figure: msText(table.ms),
    });
    const skip = await timed(() => clock.advance({ hours: 1 }));
    rows.push({ what: '  one idle hour skipped', figure: msText(skip.ms) });
  }
  using again = openWorld(folder.path, nodes);
  const reopen = await timed(() => again.cluster.start());
  rows.push({ what: '  reopening the workspace, processes started anew', figure: msText(reopen.ms) });
  return rows;
}

/** `kubectl get pods -A` as the server answers it; settles with the bytes. */
async function tableOfPods({ cluster, clock }: ReturnType<typeof openWorld>): Promise<number> {
  const handler = cluster.apiHandler;
  if (handler === undefined) throw new Error('the API server is down');
  const answer = handler({
    method: 'GET',
    target: '/api/v1/pods?limit=500000',
    headers: [['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json']],
    peer: {
      address: '127.0.0.1',
      port: 0,
      certificate: { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] },
    },
    body: nothing(),
    signal: new AbortController().signal,
  });
  let done = false;
  void answer.finally(() => (done = true)).catch(() => undefined);
  await clock.advanceUntil(() => done, { seconds: 10 });
  const { status, body } = await answer;
  if (status !== 200 || typeof body !== 'string') throw new Error(`the list was answered with ${status}`);
  return Buffer.byteLength(body);
}

async function* nothing(): AsyncIterable<Uint8Array> {}
