import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { ResourceUsage } from '../../../../main/kubernetes/kubelet/resource-usage.ts';
import { imageOf, makeNode, sleeper, type TestNode } from '../../../support/make-node.ts';

/** Uses the CPU half of the time. */
const halfBusy: Program = async (proc) => {
  for (;;) {
    await proc.cpu(500);
    await proc.sleep(500);
  }
};

const images = [
  imageOf('docker.io/library/busy:1', { '/main': halfBusy }),
  imageOf('docker.io/library/idle:1', { '/main': sleeper }),
];

async function withPod(): Promise<{ node: TestNode; usage: ResourceUsage }> {
  const node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'pair' },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        { name: 'busy', image: 'busy:1' },
        { name: 'idle', image: 'idle:1' },
      ],
    },
  });
  await node.advance(10);
  const { kernel } = node.machine;
  return { node, usage: new ResourceUsage({ kernel, containerd: node.containerd, nodeName: 'worker1' }) };
}

test('/metrics/resource counts CPU seconds and bytes of each container, pod and the node', async () => {
  const { node, usage } = await withPod();
  using _node = node;
  const value = (text: string, name: string): number =>
    Number(new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (\\S+)`, 'm').exec(text)![1]);
  const before = usage.metricsText();
  await node.advance(60);
  const after = usage.metricsText();
  const busy = 'container_cpu_usage_seconds_total{container="busy",namespace="default",pod="pair"}';
  expect(value(after, busy) - value(before, busy)).toBeCloseTo(30, 0);
  expect(value(after, busy.replace('busy', 'idle'))).toBeLessThan(0.1);
  expect(value(after, 'pod_cpu_usage_seconds_total{namespace="default",pod="pair"}')).toBeCloseTo(
    value(after, busy),
    1,
  );
  expect(value(after, 'node_cpu_usage_seconds_total')).toBeGreaterThanOrEqual(value(after, busy));
  expect(value(after, busy.replace('cpu_usage_seconds_total', 'memory_working_set_bytes'))).toBe(
    4 * 1024 ** 2,
  );
  expect(after).toContain(
    '# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\n',
  );
  expect(after.endsWith('resource_scrape_error 0\n')).toBe(true);
});

test('/stats/summary tells the rate since it was last asked', async () => {
  const { node, usage } = await withPod();
  using _node = node;
  interface Summary {
    pods: { podRef: { name: string }; containers: { name: string; cpu: { usageNanoCores?: number } }[] }[];
  }
  const rates = (): (number | undefined)[] =>
    (usage.summary() as Summary).pods[0]!.containers.map(({ cpu }) => cpu.usageNanoCores);
  expect(rates()).toEqual([undefined, undefined]);
  await node.advance(60);
  const [busy, idle] = rates();
  expect(busy! / 1e9).toBeCloseTo(0.5, 1);
  expect(idle).toBeLessThan(1e6);
});
