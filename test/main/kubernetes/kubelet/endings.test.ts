// How containers end, and what their status keeps of it.
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { resources, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, quitter, sleeper, type TestNode } from '../../../support/make-node.ts';

const eater: Program = async (proc) => {
  for (let megabytes = 8; ; megabytes += 8) {
    proc.useMemory(megabytes * 1024 ** 2);
    await proc.sleep(100);
  }
};
const writer: Program = async (proc) => {
  proc.fs.writeFile('/dev/termination-log', 'no database');
  return 4;
};
const talker: Program = async (proc) => {
  for (let line = 1; line <= 100; line++) await proc.stdout.write(`line ${line}\n`);
  return 1;
};
const stubborn: Program = async (proc) => {
  proc.onSignal('SIGTERM', 'ignore');
  await proc.sleep(3_600_000);
  return 0;
};
const image = imageOf('docker.io/library/ends:1', {
  '/main': sleeper,
  '/eat': eater,
  '/write': writer,
  '/talk': talker,
  '/fine': quitter(0, 0),
  '/stubborn': stubborn,
});

const once = (name: string, command: string, more: object = {}): Pod => ({
  metadata: { name },
  spec: {
    automountServiceAccountToken: false,
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: 'ends:1', command: [command], ...more }],
  },
});

async function ended(node: TestNode, name: string) {
  return (await node.pod(name)).status?.containerStatuses?.[0]?.state?.terminated;
}

test('a program that takes more than its limit is killed by the kernel', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(once('p', '/eat', { resources: { limits: { memory: '64Mi' } } }));
  await node.advance(2);
  expect(await ended(node, 'p')).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  expect((await node.pod('p')).status?.phase).toBe('Failed');
});

test('what a container writes to its termination log is its message', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(once('p', '/write'));
  await node.advance(1);
  expect(await ended(node, 'p')).toMatchObject({ exitCode: 4, reason: 'Error', message: 'no database' });
});

test('the end of the log stands in for a message where that is asked for, but only after an error', async () => {
  using node = await makeNode({ images: [image] });
  const policy = { terminationMessagePolicy: 'FallbackToLogsOnError' };
  await node.createPod(once('bad', '/talk', policy));
  await node.createPod(once('plain', '/talk'));
  await node.createPod(once('fine', '/fine', policy));
  await node.advance(1);
  const { message = '' } = (await ended(node, 'bad')) ?? {};
  expect(message.split('\n').slice(-3)).toEqual(['line 99', 'line 100', '']);
  expect(message.split('\n')).toHaveLength(81);
  expect((await ended(node, 'plain'))?.message).toBeUndefined();
  expect((await ended(node, 'fine'))?.message).toBeUndefined();
});

test('a pod that does not mind its signal is killed when its grace is over', async () => {
  using node = await makeNode({ images: [image] });
  const pod = once('p', '/stubborn');
  await node.createPod({ ...pod, spec: { ...pod.spec!, terminationGracePeriodSeconds: 7 } });
  await node.advance(1);
  await node.api.client.delete(resources.pods, 'p', { namespace: 'default' });
  await node.advance(6);
  expect((await node.pod('p')).metadata.deletionTimestamp).toBeDefined();
  await node.advance(2);
  await expect(node.pod('p')).rejects.toThrow('not found');
});

test('a grace that has begun may be shortened', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(once('p', '/stubborn'));
  await node.advance(1);
  const inNamespace = { namespace: 'default' };
  await node.api.client.delete(resources.pods, 'p', { ...inNamespace, gracePeriodSeconds: 600 });
  await node.advance(5);
  await node.api.client.delete(resources.pods, 'p', { ...inNamespace, gracePeriodSeconds: 3 });
  await node.advance(2);
  expect((await node.pod('p')).metadata.deletionGracePeriodSeconds).toBe(3);
  await node.advance(2);
  await expect(node.pod('p')).rejects.toThrow('not found');
});

test('a pod deleted by force leaves nothing running', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod(once('p', '/stubborn'));
  await node.advance(1);
  await node.api.client.delete(resources.pods, 'p', { namespace: 'default', gracePeriodSeconds: 0 });
  await expect(node.pod('p')).rejects.toThrow('not found');
  await node.advance(35);
  expect(node.containerd.listContainers()).toEqual([]);
  expect(node.containerd.listSandboxes()).toEqual([]);
});

test('a pod that is deleted while it waits for its image goes at once', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'nobody:1' }] },
  });
  await node.advance(1);
  await node.api.client.delete(resources.pods, 'p', { namespace: 'default' });
  await node.advance(1);
  await expect(node.pod('p')).rejects.toThrow('not found');
});
