import { expect, test } from 'vitest';
import { resources } from '../../../../../main/kubernetes/api/index.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const PATH = '/api/v1/namespaces/default/configmaps?watch=true';

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
}

interface Watch {
  /** What has been told so far. */
  readonly events: WatchEvent[];
  /** Settles when the server ends it. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Watches config maps until the server ends it, or the test does. */
async function watch(api: TestApi, query: string): Promise<Watch> {
  const controller = new AbortController();
  const response = await api.server.handler({
    method: 'GET',
    target: `${PATH}&${query}`,
    headers: [],
    body: (async function* () {})(),
    peer: {
      address: '127.0.0.1',
      port: 40_000,
      certificate: { commonName: 'admin', organizations: ['system:masters'] },
    },
    signal: controller.signal,
  });
  const events: WatchEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      for (const line of Buffer.from(piece).toString().split('\n'))
        if (line !== '') events.push(JSON.parse(line) as WatchEvent);
    }
  };
  return { events, ended: read(), stop: () => controller.abort() };
}

const told = ({ events }: Watch): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());

const make = (api: TestApi, name: string, labels?: Record<string, string>): Promise<unknown> =>
  api.client.create(resources.configmaps, {
    metadata: { name, namespace: 'default', ...(labels === undefined ? {} : { labels }) },
  });

test('a watch ends after its timeoutSeconds', async () => {
  using api = makeApi();
  const watching = await watch(api, 'timeoutSeconds=5');
  await make(api, 'a');
  await api.clock.advance({ seconds: 4 });
  await make(api, 'b');
  await api.clock.advance({ seconds: 2 });
  await watching.ended;
  await make(api, 'c');
  expect(told(watching)).toEqual(['ADDED a', 'ADDED b']);
});

test('bookmarks come once a minute to who wants them, with the latest revision', async () => {
  using api = makeApi();
  const marked = await watch(api, 'allowWatchBookmarks=true&timeoutSeconds=150');
  const plain = await watch(api, 'timeoutSeconds=150');
  await api.client.create(resources.secrets, { metadata: { name: 's', namespace: 'default' } });
  const revision = api.store.revision;
  await api.clock.advance({ seconds: 151 });
  await Promise.all([marked.ended, plain.ended]);
  expect(told(marked)).toEqual(['BOOKMARK', 'BOOKMARK']);
  const [first] = marked.events;
  expect(Number(first!.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(revision);
  expect(told(plain)).toEqual([]);
});

test('initial events end with a bookmark that says so', async () => {
  using api = makeApi();
  await make(api, 'a');
  await make(api, 'b');
  const watching = await watch(
    api,
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=2',
  );
  await make(api, 'c');
  await api.clock.advance({ seconds: 3 });
  await watching.ended;
  expect(told(watching)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK', 'ADDED c']);
  expect(watching.events[2]!.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
});

test('what comes to match a selector is added, and what ceases to is deleted', async () => {
  using api = makeApi();
  const watching = await watch(api, 'labelSelector=on&timeoutSeconds=2');
  await make(api, 'a');
  const object = await api.client.get(resources.configmaps, 'a', { namespace: 'default' });
  const labeled = { ...object, metadata: { ...object.metadata, labels: { on: '' } } };
  const { metadata } = await api.client.update(resources.configmaps, labeled);
  const { labels: _labels, ...rest } = metadata;
  await api.client.update(resources.configmaps, { ...object, metadata: rest });
  await api.clock.advance({ seconds: 3 });
  await watching.ended;
  expect(told(watching)).toEqual(['ADDED a', 'DELETED a']);
});

test('a client that goes away ends its watch', async () => {
  using api = makeApi();
  const watching = await watch(api, '');
  await api.clock.advance({ seconds: 1 });
  watching.stop();
  await watching.ended;
  expect(watching.events).toEqual([]);
});
