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

test('a Service whose pods are all gone is described without endpoints, and refuses', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(
    'kubectl create deployment web --image nginx:1.20; kubectl expose deployment web --port 80',
  );
  await world.clock.advance({ seconds: 20 });
  await world.run('kubectl scale deployment web --replicas 0');
  await world.clock.advance({ seconds: 20 });
  const described = await world.run('kubectl describe svc web');
  expect(described).toMatchObject({ exitCode: 0, stderr: '' });
  expect(described.stdout).toMatch(/\nEndpoints: +\n/);
  const curl = await world.run('curl -sS -m 3 $(kubectl get svc web -o jsonpath={.spec.clusterIP})');
  expect(curl.stderr).toContain('Failed to connect');
  expect(world.faults).toEqual([]);
});

test('kubectl run -it of an image that can’t be had gives up in words', async () => {
  using world = await makeCluster({ nodes: 2 });
  const { stderr, exitCode } = await world.run(
    'kubectl run -i --rm x --image=nosuch:1 --restart=Never --pod-running-timeout=10s',
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('timed out waiting for the condition');
  expect(world.faults).toEqual([]);
});
