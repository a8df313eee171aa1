// What a learner breaks on purpose, and what the cluster says of it.
import { expect, test } from 'vitest';
import { makeCluster } from '../../support/make-cluster.ts';

test('a node whose containerd is stopped goes NotReady while its containers run on, and comes back with it', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run('kubectl run web --image nginx:1.20');
  await world.clock.advance({ seconds: 20 });
  await world.run('systemctl stop containerd', 'worker1');
  await world.run('kubectl run late --image nginx:1.20');
  await world.clock.advance({ seconds: 50 });

  expect((await world.run('kubectl get node worker1 --no-headers')).stdout).toContain('NotReady');
  const ready = `kubectl get node worker1 -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}'`;
  expect((await world.run(ready)).stdout).toBe('container runtime is down');
  expect(
    (await world.run('curl -s $(kubectl get pod web -o jsonpath={.status.podIP}) | grep -c "<title>"'))
      .stdout,
  ).toBe('1\n');
  expect((await world.run('kubectl get pod late --no-headers')).stdout).toMatch(/Pending|ContainerCreating/);

  await world.run('systemctl start containerd', 'worker1');
  await world.clock.advance({ minutes: 2 });
  expect((await world.run('kubectl get node worker1 --no-headers')).stdout).toContain(' Ready');
  expect((await world.run('kubectl get pods --no-headers | grep -c Running')).stdout).toBe('2\n');
  expect(world.faults).toEqual([]);
});

test('kubectl exec of what isn’t there says so once', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run('kubectl run web --image nginx:1.20');
  await world.clock.advance({ seconds: 20 });
  const { stderr, exitCode } = await world.run('kubectl exec web -- nosuch');
  expect(exitCode).toBe(1);
  expect(stderr.match(/error executing command in container/g)).toHaveLength(1);
  expect(stderr).toContain('exec: "nosuch": executable file not found in $PATH');
});
