// Pods from the manifests folder: edits, bad files, and mirrors that somebody deletes.
import { expect, test } from 'vitest';
import { resources } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, sleeper, type TestNode } from '../../../support/make-node.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';

const slow: Program = async (proc) => {
  await new Promise<void>((resolve) => proc.onSignal('SIGTERM', resolve));
  await proc.sleep(3000);
  return 0;
};
const image = imageOf('docker.io/library/sleeper:1', { '/main': sleeper, '/slow': slow });
const FILE = '/etc/kubernetes/manifests/web.yaml';

const manifest = (label: string, command = '/slow'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {version: "${label}"}\nspec:\n  containers:\n  - {name: c, image: "sleeper:1", command: ["${command}"]}\n`;

async function mirror(node: TestNode): Promise<string | undefined> {
  try {
    const pod = await node.pod('web-worker1');
    return `${pod.metadata.labels?.['version']} ${pod.status?.phase}`;
  } catch {
    return undefined;
  }
}

test('an edited manifest is another pod, which begins when the one before it has ended', async () => {
  using node = await makeNode({ images: [image] });
  node.machine.kernel.files.writeFile(FILE, manifest('1'));
  await node.advance(2);
  expect(await mirror(node)).toBe('1 Running');
  node.machine.kernel.files.writeFile(FILE, manifest('2'));
  await node.advance(2);
  expect(node.containerd.listContainers()).toHaveLength(1);
  await node.advance(6);
  expect(await mirror(node)).toBe('2 Running');
  expect(node.containerd.listContainers().filter(({ state }) => state === 'running')).toHaveLength(1);
});

test('a mirror that is deleted comes back, and its containers do not notice', async () => {
  using node = await makeNode({ images: [image] });
  node.machine.kernel.files.writeFile(FILE, manifest('1', '/main'));
  await node.advance(2);
  const [before] = node.containerd.listContainers();
  await node.api.client.delete(resources.pods, 'web-worker1', {
    namespace: 'default',
    gracePeriodSeconds: 0,
  });
  await node.advance(3);
  expect(await mirror(node)).toBe('1 Running');
  expect(node.containerd.listContainers().map(({ id }) => id)).toEqual([before?.id]);
});

test('without its file the pod ends, and its mirror goes', async () => {
  using node = await makeNode({ images: [image] });
  node.machine.kernel.files.writeFile(FILE, manifest('1', '/main'));
  await node.advance(2);
  node.machine.kernel.files.unlink(FILE);
  await node.advance(5);
  expect(await mirror(node)).toBeUndefined();
  expect(node.containerd.listContainers()).toEqual([]);
});

test('a bad manifest is logged, and the others run all the same', async () => {
  using node = await makeNode({ images: [image] });
  const { files } = node.machine.kernel;
  files.writeFile('/etc/kubernetes/manifests/bad.yaml', 'metadata: {name: x}\n');
  files.writeFile(
    '/etc/kubernetes/manifests/other.yaml',
    'apiVersion: v1\nkind: Service\nmetadata: {name: x}\n',
  );
  files.writeFile(
    '/etc/kubernetes/manifests/empty.yaml',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n',
  );
  files.writeFile(FILE, manifest('1', '/main'));
  await node.advance(2);
  expect(await mirror(node)).toBe('1 Running');
  await node.stopKubelet();
  expect(node.log()).toContain("bad.yaml: couldn't parse as pod(Object 'Kind' is missing in");
  expect(node.log()).toContain('no kind \\"Service\\" is registered for version \\"v1\\"');
  expect(node.log()).toContain('empty.yaml: invalid pod: spec.containers: Required value');
});
