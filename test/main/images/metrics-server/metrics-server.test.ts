import { expect, test } from 'vitest';
import type { CommandResult } from '../../../../main/cluster/index.ts';
import { makeCluster } from '../../../support/make-cluster.ts';

test('metrics-server, applied from its file, makes kubectl top work and shows a busy loop as one core', async () => {
  using cluster = await makeCluster();
  const run = (script: string): Promise<CommandResult> => cluster.run(script);
  const { clock } = cluster;
  expect((await run('kubectl get --raw /apis/metrics.k8s.io/v1beta1')).exitCode).not.toBe(0);

  const applied = await run('kubectl apply -f /root/metrics-server/components.yaml');
  expect(applied.stdout).toContain('apiservice.apiregistration.k8s.io/v1beta1.metrics.k8s.io created');
  await clock.advance({ minutes: 1 });
  await run('kubectl run burner --image=busybox:1.36 -- sh -c "while true; do :; done"');
  await run('kubectl run idler --image=nginx:1.20');
  await clock.advance({ seconds: 50 });

  const api = await run('kubectl get apiservice v1beta1.metrics.k8s.io');
  expect(api.stdout).toMatch(/v1beta1\.metrics\.k8s\.io +kube-system\/metrics-server +True/);
  const raw = await run('kubectl get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods');
  const { items } = JSON.parse(raw.stdout) as {
    items: { metadata: { name: string }; window: string; containers: { usage: { cpu: string } }[] }[];
  };
  const cpuOf = (name: string): number =>
    Number.parseInt(items.find(({ metadata }) => metadata.name === name)!.containers[0]!.usage.cpu, 10) / 1e9;
  expect(cpuOf('burner')).toBeGreaterThan(0.9);
  expect(cpuOf('burner')).toBeLessThan(1.1);
  expect(cpuOf('idler')).toBeLessThan(0.05);
  expect(items[0]!.window).toBe('15s');

  const top = await run('kubectl top pods');
  expect(top.stdout).toMatch(
    /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nburner +(9|10)\d\dm +\d+Mi *\nidler +\dm +\d+Mi *\n$/,
  );
  const nodes = await run('kubectl top nodes --sort-by=cpu');
  expect(nodes.stdout).toMatch(/^NAME +CPU\(cores\) +CPU\(%\) .*\nworker\d +(9|10)\d\dm +\d+% /);
  const denied = await run('kubectl top pods --as jane');
  expect(denied.stderr).toContain(
    'pods.metrics.k8s.io is forbidden: User "jane" cannot list resource "pods" in API group "metrics.k8s.io" in the namespace "default"',
  );
  expect(cluster.faults).toEqual([]);
});
