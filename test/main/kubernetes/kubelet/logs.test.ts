// Logs grow, are put aside, and are found: /var/log/pods, /var/log/containers, and what readers see of them.
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { imageOf, makeNode } from '../../../support/make-node.ts';

/** Writes a kilobyte a second. */
const talker: Program = async (proc) => {
  for (let line = 0; ; line++) {
    await proc.stdout.write(`${String(line).padStart(4, '0')}${'x'.repeat(1000)}\n`);
    await proc.sleep(1000);
  }
};
const image = imageOf('docker.io/library/talker:1', { '/talk': talker });

test('a log that has grown is put aside, compressed later, and thrown away at last', async () => {
  using node = await makeNode({
    images: [image],
    config: { containerLogMaxBytes: 10_000, containerLogMaxFiles: 4 },
  });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'talker:1' }] },
  });
  await node.advance(100);
  const folder = `/var/log/pods/default_p_${pod.metadata.uid}/c`;
  const { files } = node.machine.kernel;
  const names = files
    .readdir(folder)
    .map(({ name }) => name)
    .toSorted();
  expect(names).toHaveLength(4);
  expect(names[0]).toBe('0.log');
  expect(names.filter((name) => /^0\.log\.\d{8}-\d{6}\.gz$/.test(name))).toHaveLength(2);
  expect(names.filter((name) => /^0\.log\.\d{8}-\d{6}$/.test(name))).toHaveLength(1);
  const old = gunzipSync(files.readFile(`${folder}/${names[1]}`)).toString();
  expect(old.split('\n')[0]).toMatch(/^\S+ stdout F \d{4}x+$/);
});

test('who follows a log goes on when it is put aside', async () => {
  using node = await makeNode({ images: [image], config: { containerLogMaxBytes: 3000 } });
  await node.createPod({
    metadata: { name: 'p' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'talker:1' }] },
  });
  await node.advance(1);
  const pod = await node.pod('p');
  const ended = new AbortController();
  const log = await node.kubelet.server!.logs(pod, 'c', { follow: true, signal: ended.signal });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const piece of log) seen.push(Buffer.from(piece).toString());
  })();
  await node.advance(10);
  ended.abort();
  await node.advance(2);
  await reading;
  const lines = seen
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.slice(0, 4)));
  expect(lines.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('/var/log/containers links each log by names that collectors understand', async () => {
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'talker:1' }] },
  });
  await node.advance(1);
  const [container] = node.containerd.listContainers();
  const { files } = node.machine.kernel;
  expect(files.readdir('/var/log/containers').map(({ name }) => name)).toEqual([
    `p_default_c-${container?.id}.log`,
  ]);
  expect(files.readlink(`/var/log/containers/p_default_c-${container?.id}.log`)).toBe(
    `/var/log/pods/default_p_${pod.metadata.uid}/c/0.log`,
  );
});
