// Figures of the API server in process, where controllers call it: writes, reads, and watches that fan out.
import { resources, type ConfigMap } from '../../kubernetes/api/index.ts';
import type { ApiClient } from '../../kubernetes/client/index.ts';
import { makeFolder, openWorld, perSecond, timed, type Row, type World } from './world.ts';

const NAMESPACE = 'default';
const WATCHERS = 100;

/** Creates, reads, patches and deletes `count` ConfigMaps, one after the other, then with watchers. */
export async function measureApi(count: number): Promise<Row[]> {
  using folder = makeFolder();
  using world = openWorld(folder.path, 1);
  await world.cluster.start();
  const { admin } = world.cluster;
  const rows: Row[] = [];
  const each = async (
    what: string,
    call: (index: number) => Promise<unknown>,
    perCall = 1,
  ): Promise<void> => {
    const { ms } = await timed(() => running(world, () => inTurn(count / perCall, call)));
    rows.push({ what: `  ${what}`, figure: perSecond(count / perCall, ms) });
  };
  await each('create', (index) =>
    admin.create(resources.configmaps, configMap(index), { namespace: NAMESPACE }),
  );
  await each('get', (index) =>
    admin.get<ConfigMap>(resources.configmaps, nameOf(index), { namespace: NAMESPACE }),
  );
  await each('merge patch', (index) => patch(admin, index, 'patched'));
  await each(
    `list of ${count.toLocaleString('en')}`,
    () => admin.list(resources.configmaps, { namespace: NAMESPACE }),
    100,
  );
  rows.push(await fanOut(world, count / 10));
  return [
    { what: 'API server in process, durable storage, one call at a time (ConfigMaps)', figure: '' },
    ...rows,
  ];
}

/** Patches while watchers listen: how many events arrive in a second. */
async function fanOut(world: World, count: number): Promise<Row> {
  const { admin } = world.cluster;
  let seen = 0;
  using stack = new DisposableStack();
  const { metadata } = await running(world, () => admin.list(resources.configmaps, { namespace: NAMESPACE }));
  for (let index = 0; index < WATCHERS; index++) {
    stack.use(
      admin.watch<ConfigMap>(
        resources.configmaps,
        { namespace: NAMESPACE, resourceVersion: metadata.resourceVersion },
        { onEvent: () => void seen++, onEnd: () => undefined },
      ),
    );
  }
  const { ms } = await timed(() =>
    running(world, async () => {
      await inTurn(count, (index) => patch(admin, index, 'watched'));
      while (seen < count * WATCHERS) await world.clock.sleep(1);
    }),
  );
  return { what: `  watch events to ${WATCHERS} watchers`, figure: perSecond(seen, ms) };
}

function patch(admin: ApiClient, index: number, value: string): Promise<unknown> {
  return admin.patch(
    resources.configmaps,
    nameOf(index),
    'application/merge-patch+json',
    { data: { value } },
    {
      namespace: NAMESPACE,
    },
  );
}

/** Runs the virtual world flat out until the work in it is done. */
async function running<T>({ clock, store }: World, work: () => Promise<T>): Promise<T> {
  let done = false;
  const result = work().finally(() => (done = true));
  await clock.advanceUntil(() => done, { hours: 1 });
  await store.durable();
  return result;
}

async function inTurn(count: number, call: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index++) await call(index);
}

function configMap(index: number): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: nameOf(index) }, data: { value: 'new' } };
}

function nameOf(index: number): string {
  return `bench-${index}`;
}
