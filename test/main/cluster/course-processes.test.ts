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
