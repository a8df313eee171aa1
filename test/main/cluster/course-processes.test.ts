// What a learner sees of containers' processes from the machine, and does to them.
import { expect, test } from 'vitest';
import { makeCluster } from '../../support/make-cluster.ts';

test('ss -p and netstat -p name the process behind a container’s socket by its number on the machine', async () => {
  using world = await makeCluster();
  const { stdout: pid } = await world.run('pgrep -x etcd');
  expect(Number(pid)).toBeGreaterThan(100);
  expect((await world.run('ss -tlnp | grep :2381')).stdout).toContain(`users:(("etcd",pid=${pid.trim()},fd=`);
  expect((await world.run('netstat -tnlp | grep :2381')).stdout).toContain(` ${pid.trim()}/etcd`);
  expect((await world.run('netstat -tnlp | grep -c systemd')).stdout).toBe('0\n');
});

test('a container that reads without end is killed at its memory limit, and its pod says OOMKilled', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(`kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata: { name: greedy }
spec:
  restartPolicy: Never
  containers:
  - { name: c, image: "busybox:1.36", command: [tail, /dev/zero], resources: { limits: { memory: 32Mi } } }
X`);
  await world.clock.advance({ seconds: 20 });
  const { stdout } = await world.run(
    "kubectl get pod greedy -o jsonpath='{.status.phase} {.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode}'",
  );
  expect(stdout).toBe('Failed OOMKilled 137');
  expect(
    (await world.run('dmesg | grep -c "Memory cgroup out of memory: Killed process"', 'worker1')).stdout,
  ).toBe('1\n');
});

test('without a limit the machine’s OOM killer ends it; the shell goes on', async () => {
  using world = await makeCluster({ nodes: 1 });
  const { stdout } = await world.run('tail /dev/zero; echo "status $?"');
  expect(stdout).toContain('status 137\n');
  expect((await world.run('dmesg | grep "Out of memory: Killed process"')).stdout).toContain('(tail)');
});

test('a probe’s command that takes too long is killed', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(`kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata: { name: slow }
spec:
  containers:
  - name: c
    image: "busybox:1.36"
    command: [sleep, "3600"]
    readinessProbe: { exec: { command: [sleep, "100"] }, timeoutSeconds: 1, periodSeconds: 5 }
X`);
  await world.clock.advance({ seconds: 33.5 });
  const { stdout } = await world.run('ps -e -o args | grep -c "^sleep 100"', 'worker1');
  expect(Number(stdout)).toBeLessThanOrEqual(1);
});
