// In-place resize: limits that change while a container runs, and what is said when they can't.
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { resources, type Container, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, sleeper, type TestNode } from '../../../support/make-node.ts';

const MIB = 1024 ** 2;
const holder: Program = async (proc) => {
  proc.useMemory(40 * MIB);
  await proc.sleep(3_600_000);
  return 0;
};
/** Takes 60 MiB once it is told to. */
const grower: Program = async (proc) => {
  await new Promise<void>((resolve) => proc.onSignal('SIGUSR1', resolve));
  proc.useMemory(60 * MIB);
  await proc.sleep(3_600_000);
  return 0;
};
const image = imageOf('docker.io/library/busy:1', { '/main': sleeper, '/hold': holder, '/grow': grower });

type Resources = NonNullable<Container['resources']>;

const pod = (name: string, given: Resources, more: Partial<Container> = {}): Pod => ({
  metadata: { name },
  spec: {
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: 'busy:1', command: ['/hold'], resources: given, ...more }],
  },
});

const sized = (cpu: string, memory: string): Resources => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
});

async function resize(node: TestNode, name: string, given: Resources): Promise<void> {
  const patch = { spec: { containers: [{ name: 'c', resources: given }] } };
  await node.api.client.patch(resources.pods, name, 'application/strategic-merge-patch+json', patch, {
    namespace: 'default',
    subresource: 'resize',
  });
  await node.advance(1);
}

async function look(node: TestNode, name: string) {
  const { status } = await node.pod(name);
  const [container] = status?.containerStatuses ?? [];
  return {
    resources: container?.resources,
    restarts: container?.restartCount,
    exitReason: container?.lastState?.terminated?.reason,
    conditions: (status?.conditions ?? [])
      .filter(({ type }) => type.startsWith('PodResize'))
      .map(({ type, reason, message }) => [type, reason, message]),
  };
}

const json = (cpu: string, memory: string): string =>
  `{"containers":[{"name":"c","resources":{"limits":{"cpu":"${cpu}","memory":"${memory}"},"requests":{"cpu":"${cpu}","memory":"${memory}"}}}],"generation":2`;

test('a running container gets other limits without a restart', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('p', sized('100m', '64Mi')));
  await node.advance(1);
  await resize(node, 'p', sized('200m', '128Mi'));
  expect(await look(node, 'p')).toMatchObject({
    resources: sized('200m', '128Mi'),
    restarts: 0,
    conditions: [],
  });
  const events = await node.events('p');
  expect(events).toContain(`Normal ResizeStarted Pod resize started: ${json('200m', '128Mi')}}`);
  expect(events).toContain(`Normal ResizeCompleted Pod resize completed: ${json('200m', '128Mi')}}`);
  const [container] = node.containerd.listContainers();
  expect(container?.spec.memoryMaxBytes).toBe(128 * MIB);
});

test('the new limit is the one that kills', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('p', sized('100m', '64Mi'), { command: ['/grow'] }));
  await node.advance(1);
  await resize(node, 'p', sized('100m', '50Mi'));
  const [before] = node.containerd.listContainers();
  node.machine.kernel.kill(before?.pid ?? 0, 'SIGUSR1');
  await node.advance(1);
  expect(await look(node, 'p')).toMatchObject({ restarts: 1, exitReason: 'OOMKilled' });
});

test('a limit below what is in use waits', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('p', sized('100m', '64Mi')));
  await node.advance(1);
  await resize(node, 'p', sized('100m', '16Mi'));
  const { conditions, restarts } = await look(node, 'p');
  expect(restarts).toBe(0);
  expect(conditions).toEqual([
    [
      'PodResizeInProgress',
      'Error',
      `attempting to set container "c" memory limit (${16 * MIB}) below current usage (${40 * MIB})`,
    ],
  ]);
});

test('a policy that asks for it restarts the container', async () => {
  using node = await makeNode({ images: [image] });
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
  await node.createPod(pod('p', sized('100m', '64Mi'), { resizePolicy }));
  await node.advance(1);
  await resize(node, 'p', sized('200m', '64Mi'));
  expect((await look(node, 'p')).restarts).toBe(0);
  await resize(node, 'p', sized('200m', '128Mi'));
  await node.advance(35);
  expect(await look(node, 'p')).toMatchObject({ restarts: 1, resources: sized('200m', '128Mi') });
  expect(await node.events('p')).toContain('Normal Killing Container c resize requires restart');
});

test('what the node will never have is infeasible, what it lacks now is deferred until a pod ends', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(pod('other', sized('1500m', '64Mi')));
  await node.createPod(pod('p', sized('100m', '64Mi')));
  await node.advance(1);
  await resize(node, 'p', sized('64', '64Mi'));
  expect(await look(node, 'p')).toMatchObject({
    resources: sized('100m', '64Mi'),
    conditions: [
      [
        'PodResizePending',
        'Infeasible',
        "Node didn't have enough capacity: cpu, requested: 64000, capacity: 2000",
      ],
    ],
  });
  await resize(node, 'p', sized('1', '64Mi'));
  const message = "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000";
  expect((await look(node, 'p')).conditions).toEqual([['PodResizePending', 'Deferred', message]]);
  expect(
    (await node.events('p')).some((event) =>
      event.startsWith('Warning ResizeDeferred Pod resize OutOfcpu: '),
    ),
  ).toBe(true);
  await node.api.client.delete(resources.pods, 'other', { namespace: 'default' });
  await node.advance(40);
  expect(await look(node, 'p')).toMatchObject({ resources: sized('1', '64Mi'), restarts: 0, conditions: [] });
});
