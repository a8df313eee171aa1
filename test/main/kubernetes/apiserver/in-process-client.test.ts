// Tests of the API in process: create, read, update, delete, watch.
import { expect, test } from 'vitest';
import {
  isStatus,
  resources,
  type ConfigMap,
  type Deployment,
  type Pod,
} from '../../../../main/kubernetes/api/index.ts';
import { makeApi } from '../../../support/make-api.ts';

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

test('a created object comes back with the metadata that the server sets', async () => {
  using api = makeApi();
  const made = await api.client.create(resources.configmaps, configMap('a', { k: 'v' }));
  expect(made).toMatchObject({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a', namespace: 'default', creationTimestamp: '2026-01-05T08:00:00Z' },
    data: { k: 'v' },
  });
  expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect(await api.client.get(resources.configmaps, 'a', { namespace: 'default' })).toBe(made);
});

test('a name may be generated, and a taken one is refused', async () => {
  using api = makeApi();
  const made = await api.client.create(resources.configmaps, {
    metadata: { generateName: 'web-', namespace: 'default' },
  });
  expect(made.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  await api.client.create(resources.configmaps, configMap('a'));
  const refusal = await api.client
    .create(resources.configmaps, configMap('a'))
    .catch((error: unknown) => error);
  expect(isStatus(refusal, 'AlreadyExists')).toBe(true);
  expect((refusal as Error).message).toBe('configmaps "a" already exists');
});

test('an update from a stale read is a conflict, and one that changes nothing keeps the revision', async () => {
  using api = makeApi();
  const first = await api.client.create(resources.configmaps, configMap('a', { k: '1' }));
  const second = await api.client.update(resources.configmaps, { ...first, data: { k: '2' } });
  expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
  expect(await api.client.update(resources.configmaps, { ...second })).toBe(second);
  const refusal = await api.client
    .update(resources.configmaps, { ...first, data: { k: '3' } })
    .catch((error: unknown) => error);
  expect(isStatus(refusal, 'Conflict')).toBe(true);
});

test('a watch tells what follows its revision, in order', async () => {
  using api = makeApi();
  const { metadata } = await api.client.list(resources.configmaps, { namespace: 'default' });
  const seen: string[] = [];
  using _watch = api.client.watch(
    resources.configmaps,
    { namespace: 'default', resourceVersion: metadata.resourceVersion, labelSelector: 'app=web' },
    {
      onEvent: (event) => seen.push(`${event.type} ${(event.object as ConfigMap).metadata?.name}`),
      onEnd: (error) => seen.push(`end ${String(error)}`),
    },
  );
  const made = await api.client.create(resources.configmaps, {
    ...configMap('a'),
    metadata: { name: 'a', namespace: 'default', labels: { app: 'web' } },
  });
  await api.client.create(resources.configmaps, configMap('unlabelled'));
  await api.client.patch(
    resources.configmaps,
    'a',
    'application/merge-patch+json',
    { data: { x: '1' } },
    { namespace: 'default' },
  );
  await api.client.patch(
    resources.configmaps,
    'a',
    'application/merge-patch+json',
    { metadata: { labels: { app: null } } },
    { namespace: 'default' },
  );
  await api.client.delete(resources.configmaps, made.metadata.name, { namespace: 'default' });
  await api.clock.advance({ ms: 1 });
  expect(seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
  expect(api.faults).toEqual([]);
});

test('a finalizer keeps a deleted object until it is taken away', async () => {
  using api = makeApi();
  await api.client.create(resources.configmaps, {
    ...configMap('a'),
    metadata: { name: 'a', namespace: 'default', finalizers: ['a.b/c'] },
  });
  await api.client.delete(resources.configmaps, 'a', { namespace: 'default' });
  const held = await api.client.get(resources.configmaps, 'a', { namespace: 'default' });
  expect(held.metadata.deletionTimestamp).toBe('2026-01-05T08:00:00Z');
  await api.client.patch(
    resources.configmaps,
    'a',
    'application/merge-patch+json',
    { metadata: { finalizers: null } },
    { namespace: 'default' },
  );
  const gone = await api.client
    .get(resources.configmaps, 'a', { namespace: 'default' })
    .catch((error: unknown) => error);
  expect(isStatus(gone, 'NotFound')).toBe(true);
});

test('nothing is created in a namespace that does not exist', async () => {
  using api = makeApi();
  const refusal = await api.client
    .create(resources.configmaps, { metadata: { name: 'a', namespace: 'nowhere' } })
    .catch((error: unknown) => error);
  expect((refusal as Error).message).toBe('namespaces "nowhere" not found');
});

test('a scheduled pod is deleted in two steps, an unscheduled one at once', async () => {
  using api = makeApi();
  const pod = (name: string): Pod => ({
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  });
  await api.client.create(resources.pods, pod('a'));
  await api.client.create(resources.pods, pod('b'));
  await api.client.create(
    resources.pods,
    { metadata: { name: 'a' }, target: { kind: 'Node', name: 'worker1' } } as never,
    { namespace: 'default', name: 'a', subresource: 'binding' },
  );
  await api.client.delete(resources.pods, 'b', { namespace: 'default' });
  await api.client.delete(resources.pods, 'a', { namespace: 'default' });
  const left = await api.client.list<Pod>(resources.pods, { namespace: 'default' });
  expect(left.items.map(({ metadata }) => [metadata.name, metadata.deletionGracePeriodSeconds])).toEqual([
    ['a', 30],
  ]);
  expect(left.items[0]?.spec?.nodeName).toBe('worker1');
  await api.client.delete(resources.pods, 'a', { namespace: 'default', gracePeriodSeconds: 0 });
  expect((await api.client.list(resources.pods, { namespace: 'default' })).items).toEqual([]);
});

test('status is written apart from spec, and only spec counts generations', async () => {
  using api = makeApi();
  const labels = { app: 'web' };
  const made = await api.client.create<Deployment>(resources.deployments, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    },
  } as Deployment);
  const status = await api.client.update<Deployment>(
    resources.deployments,
    { ...made, spec: { ...made.spec!, replicas: 9 }, status: { replicas: 1, observedGeneration: 1 } },
    { subresource: 'status' },
  );
  expect(status.spec?.replicas).toBe(made.spec?.replicas);
  expect(status.status).toEqual({ replicas: 1, observedGeneration: 1 });
  expect(status.metadata.generation).toBe(1);
  const scaled = await api.client.patch<Deployment>(
    resources.deployments,
    'web',
    'application/strategic-merge-patch+json',
    { spec: { replicas: 3 } },
    { namespace: 'default' },
  );
  expect(scaled.metadata.generation).toBe(2);
  expect(scaled.status?.replicas).toBe(1);
});

test('a list is given in pieces that belong to one revision', async () => {
  using api = makeApi();
  for (const name of ['a', 'b', 'c']) await api.client.create(resources.configmaps, configMap(name));
  const first = await api.client.list(resources.configmaps, { namespace: 'default', limit: 2 });
  await api.client.create(resources.configmaps, configMap('d'));
  const rest = await api.client.list(resources.configmaps, {
    namespace: 'default',
    limit: 2,
    continue: first.metadata.continue,
  });
  expect([...first.items, ...rest.items].map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
  expect(first.metadata.remainingItemCount).toBe(1);
});
