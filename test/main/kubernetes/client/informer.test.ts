import { expect, test } from 'vitest';
import { keyOf, resources, StatusError, type ConfigMap } from '../../../../main/kubernetes/api/index.ts';
import {
  Informer,
  makeInformerFactory,
  type ApiClient,
  type WatchListener,
} from '../../../../main/kubernetes/client/index.ts';
import { makeApi, type TestApi } from '../../../support/make-api.ts';

function configMap(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels }, data };
}
const DEFAULT = { namespace: 'default' };

function record(informer: Informer<ConfigMap>): string[] {
  const seen: string[] = [];
  informer.handle({
    add: (object) => seen.push(`+${keyOf(object)}`),
    update: (object, old) => seen.push(`~${keyOf(object)} ${old.data?.['v']}>${object.data?.['v']}`),
    delete: (object) => seen.push(`-${keyOf(object)}`),
  });
  return seen;
}

async function create(
  api: TestApi,
  name: string,
  data?: Record<string, string>,
  labels?: Record<string, string>,
): Promise<void> {
  await api.client.create(resources.configmaps, configMap(name, data, labels), DEFAULT);
}

test('handlers hear of what is there, of changes with the old object, and of deletions', async () => {
  using api = makeApi();
  await create(api, 'a', { v: '1' });
  const informer = new Informer<ConfigMap>({
    client: api.client,
    clock: api.clock,
    resource: resources.configmaps,
    scope: DEFAULT,
  });
  const seen = record(informer);
  using _running = informer.start();
  await informer.waitForSync();
  expect(informer.hasSynced).toBe(true);
  await api.client.patch(
    resources.configmaps,
    'a',
    'application/merge-patch+json',
    { data: { v: '2' } },
    DEFAULT,
  );
  await create(api, 'b', { v: '1' });
  await api.client.delete(resources.configmaps, 'a', DEFAULT);
  await api.clock.advance({ ms: 10 });
  expect(seen.filter((text) => !text.includes('kube-root'))).toEqual([
    '+default/a',
    '~default/a 1>2',
    '+default/b',
    '-default/a',
  ]);
  expect(informer.lister.get('default/b')?.data).toEqual({ v: '1' });

  const late: string[] = [];
  informer.handle({ add: (object) => late.push(keyOf(object)) });
  expect(late).toContain('default/b');
});

test('a watch that ends is taken up again, and a lost one starts from a new list', async () => {
  using api = makeApi();
  await create(api, 'a');
  const cut = cuttable(api.client);
  const informer = new Informer<ConfigMap>({
    client: cut.client,
    clock: api.clock,
    resource: resources.configmaps,
    scope: DEFAULT,
  });
  const seen = record(informer);
  using _running = informer.start();
  await informer.waitForSync();
  expect(cut.lists).toBe(1);

  cut.end(undefined);
  await create(api, 'b');
  await api.clock.advance({ seconds: 2 });
  expect(cut.lists).toBe(1);
  expect(seen.at(-1)).toBe('+default/b');

  const gone = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Expired',
    code: 410,
  } as const;
  cut.end(new StatusError(gone));
  await create(api, 'c');
  await api.client.delete(resources.configmaps, 'a', DEFAULT);
  await api.clock.advance({ ms: 10 });
  expect(cut.lists).toBe(2);
  expect(seen.slice(-2).toSorted()).toEqual(['+default/c', '-default/a']);

  cut.end(new Error('connection reset'));
  await create(api, 'd');
  await api.clock.advance({ ms: 700 });
  expect(cut.lists).toBe(2);
  await api.clock.advance({ seconds: 1 });
  expect(cut.lists).toBe(3);
  expect(seen.at(-1)).toBe('+default/d');
});

test('indexes follow the objects', async () => {
  using api = makeApi();
  const informer = new Informer<ConfigMap>({
    client: api.client,
    clock: api.clock,
    resource: resources.configmaps,
    scope: DEFAULT,
  });
  informer.indexer.addIndex('tier', ({ metadata }) =>
    metadata.labels?.['tier'] === undefined ? [] : [metadata.labels['tier']],
  );
  using _running = informer.start();
  await create(api, 'a', {}, { tier: 'front' });
  await create(api, 'b', {}, { tier: 'front' });
  await api.client.patch(
    resources.configmaps,
    'a',
    'application/merge-patch+json',
    { metadata: { labels: { tier: 'back' } } },
    DEFAULT,
  );
  await api.clock.advance({ ms: 10 });
  const names = (tier: string): string[] =>
    informer.lister.byIndex('tier', tier).map(({ metadata }) => metadata.name);
  expect([names('front'), names('back')]).toEqual([['b'], ['a']]);
  expect(informer.lister.list('default').map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(['a', 'b']),
  );
  expect(informer.lister.list('elsewhere')).toEqual([]);
});

test('a factory has one informer per resource, and disposing it stops the watches', async () => {
  using api = makeApi();
  const factory = makeInformerFactory(api.client, api.clock);
  const informer = factory.informer<ConfigMap>(resources.configmaps);
  expect(factory.informer(resources.configmaps)).toBe(informer);
  const running = factory.start();
  await factory.waitForSync();
  running[Symbol.dispose]();
  const seen = record(informer);
  seen.length = 0;
  await create(api, 'later');
  await api.clock.advance({ seconds: 5 });
  expect(seen).toEqual([]);
});

/** A client whose watches a test can end. */
function cuttable(client: ApiClient): {
  readonly client: ApiClient;
  readonly lists: number;
  end(error: unknown): void;
} {
  let lists = 0;
  let cut: (error: unknown) => void = () => undefined;
  const wrapped = new Proxy(client, {
    get(target, name: keyof ApiClient) {
      if (name === 'list') {
        return (...parameters: Parameters<ApiClient['list']>) => {
          lists++;
          return target.list(...parameters);
        };
      }
      if (name === 'watch') {
        return (resource: never, options: never, listener: WatchListener<never>) => {
          const watching = target.watch(resource, options, listener);
          cut = (error) => {
            watching[Symbol.dispose]();
            listener.onEnd(error);
          };
          return watching;
        };
      }
      return target[name].bind(target);
    },
  });
  return {
    client: wrapped,
    get lists() {
      return lists;
    },
    end: (error) => cut(error),
  };
}
