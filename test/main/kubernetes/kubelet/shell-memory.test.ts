import { expect, test } from 'vitest';
import { busybox } from '../../../../main/images/bases.ts';
import type { ContainerImage } from '../../../../main/linux/containerd/index.ts';
import { makeNode } from '../../../support/make-node.ts';

const image: ContainerImage = {
  name: 'docker.io/library/busybox:1',
  sizeBytes: 1,
  files: busybox(),
  command: ['sh'],
};

test('a shell that grows beyond the limit of its container is killed by the kernel', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'c',
          image: 'busybox:1',
          command: ['sh', '-c', 'a=x; while true; do a=$a$a; done'],
          resources: { limits: { memory: '32Mi' } },
        },
      ],
    },
  });
  await node.advance(5);
  const [status] = (await node.pod('p')).status?.containerStatuses ?? [];
  expect(status?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
});
