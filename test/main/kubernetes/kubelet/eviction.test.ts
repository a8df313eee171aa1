// When a node runs out: conditions, who has to go first, and what it is told.
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { resources, type Event, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, sleeper, type TestNode } from '../../../support/make-node.ts';

const MIB = 1024 ** 2;

/** Holds 64 MiB. */
const holder: Program = async (proc) => {
  proc.useMemory(64 * MIB);
  await proc.sleep(3_600_000);
  return 0;
};
/** Writes 3 MiB to a path. */
const writer: Program = async (proc) => {
  proc.fs.writeFile(proc.argv[1] ?? '/file', new Uint8Array(3 * MIB));
  await proc.sleep(3_600_000);
  return 0;
};
const image = imageOf('docker.io/library/busy:1', { '/main': sleeper, '/hold': holder, '/write': writer });

const pod = (name: string, command: string[], spec: object = {}, resourcesOf: object = {}): Pod => ({
  metadata: { name },
  spec: {
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: 'busy:1', command, resources: resourcesOf }],
    ...spec,
  },
});

async function condition(node: TestNode, type: string): Promise<string | undefined> {
  const found = await node.api.client.get<{
    status?: { conditions?: { type: string; status: string; reason: string }[] };
    metadata: object;
  }>(resources.nodes, 'worker1');
  const { status, reason } = found.status?.conditions?.find((each) => each.type === type) ?? {};
  return `${status} ${reason}`;
}

/** Of the machine's memory, all but so much counts as too little. */
const lowMemory = (leftBytes: number) => ({
  config: { evictionHard: { 'memory.available': String(leftBytes) }, evictionPressureTransitionMs: 60_000 },
});

test('short of memory, the pod that uses more than it asked for is evicted and told why', async () => {
  const memory = 4 * 1024 * MIB;
  using node = await makeNode({ images: [image], ...lowMemory(memory - 100 * MIB) });
  await node.createPod(pod('modest', ['/hold'], {}, { requests: { memory: '100Mi' } }));
  await node.createPod(pod('greedy', ['/hold']));
  await node.advance(12);
  const { status } = await node.pod('greedy');
  expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
  expect(status?.message).toMatch(
    /^The node was low on resource: memory\. Threshold quantity: \w+, available: \w+\. Container c was using \w+, request is 0, has larger consumption of memory\. $/,
  );
  expect(status?.conditions?.[0]).toMatchObject({
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'TerminationByKubelet',
  });
  expect((await node.pod('modest')).status?.phase).toBe('Running');
  expect(await condition(node, 'MemoryPressure')).toBe('True KubeletHasInsufficientMemory');
  expect(
    (await node.events('greedy')).some((event) => event.startsWith('Warning Evicted The node was low')),
  ).toBe(true);
  const { items } = await node.api.client.list<Event>(resources.events, { namespace: 'default' });
  expect(items.find(({ reason }) => reason === 'EvictionThresholdMet')?.message).toBe(
    'Attempting to reclaim memory',
  );
  await node.advance(90);
  expect(await condition(node, 'MemoryPressure')).toBe('False KubeletHasSufficientMemory');
});

test('under memory pressure pods that ask for nothing are kept out', async () => {
  using node = await makeNode({ images: [image], ...lowMemory(4 * 1024 * MIB) });
  await node.advance(11);
  await node.createPod(pod('nothing', ['/main']));
  await node.createPod(pod('something', ['/main'], {}, { requests: { memory: '1Mi' } }));
  await node.advance(0.5);
  expect((await node.pod('nothing')).status).toMatchObject({
    reason: 'Evicted',
    message: 'Pod was rejected: The node had condition: [MemoryPressure]. ',
  });
  expect((await node.pod('something')).status?.phase).toBe('Running');
});

test('an emptyDir that outgrows its limit ends its pod', async () => {
  using node = await makeNode({ images: [image] });
  const containers = [
    {
      name: 'c',
      image: 'busy:1',
      command: ['/write', '/data/file'],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
  ];
  const volumes = [{ name: 'data', emptyDir: { sizeLimit: '2Mi' } }];
  await node.createPod(pod('p', [], { containers, volumes }));
  await node.advance(12);
  expect((await node.pod('p')).status).toMatchObject({
    reason: 'Evicted',
    message: 'Usage of EmptyDir volume "data" exceeds the limit "2Mi". ',
  });
});

test('a container that outgrows its local storage limit ends its pod', async () => {
  using node = await makeNode({ images: [image] });
  const limit = { limits: { 'ephemeral-storage': '1Mi' } };
  await node.createPod(
    pod('p', [], {
      containers: [
        { name: 'a', image: 'busy:1', command: ['/write', '/file'], resources: limit },
        { name: 'b', image: 'busy:1', command: ['/main'] },
      ],
    }),
  );
  await node.advance(12);
  expect((await node.pod('p')).status?.message).toBe(
    'Container a exceeded its local ephemeral storage limit "1Mi". ',
  );
});

test('unused images go when the disk is full', async () => {
  const big = { ...imageOf('docker.io/library/big:1', { '/main': sleeper }), sizeBytes: 38 * 1024 ** 3 };
  using node = await makeNode({ images: [image, big] });
  await node.createPod(
    pod('p', ['/main'], { activeDeadlineSeconds: 60, containers: [{ name: 'c', image: 'big:1' }] }),
  );
  await node.createPod(pod('stays', ['/main']));
  await node.advance(5);
  expect(node.containerd.listImages()).toHaveLength(2);
  await node.api.client.delete(resources.pods, 'p', { namespace: 'default' });
  await node.advance(30);
  expect(node.containerd.listImages().map(({ repoTags }) => repoTags[0])).toEqual([
    'docker.io/library/busy:1',
  ]);
});
