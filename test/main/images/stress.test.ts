// Programs that use CPU and memory: what is used is what the machine's cgroups show, and too much is killed.
import { expect, test } from 'vitest';
import { makeImageMachine } from '../../support/image-machine.ts';

const MIB = 1024 ** 2;

test('stress --vm uses what it is told to; beyond the limit its worker is killed and it ends with 1', async () => {
  const m = makeImageMachine();
  const id = await m.start('polinux/stress', {
    command: ['stress'],
    args: ['--vm', '1', '--vm-bytes', '150M', '--vm-hang', '1'],
    memoryMaxBytes: 200 * MIB,
  });
  await m.advance(2);
  expect(m.containerd.containerStatus(id)?.state).toBe('running');
  const cgroup = `/kubepods/c1/${id}`;
  expect(m.machine.kernel.cgroupUsage(cgroup)!.memoryBytes).toBeGreaterThan(149 * MIB);
  const big = await m.run('polinux/stress', {
    command: ['stress'],
    args: ['--vm', '1', '--vm-bytes', '250M'],
    memoryMaxBytes: 100 * MIB,
  });
  expect(big.stdout).toContain('stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n');
  expect(big.stderr).toMatch(/stress: FAIL: \[1\] \(415\) <-- worker \d+ got signal 9\n/);
  expect(big.status).toBe(1);
});

test('stress --cpu with a timeout ends well', async () => {
  const { stdout, status } = await makeImageMachine().run('polinux/stress', {
    command: ['stress', '--cpu', '1', '--timeout', '5s'],
  });
  expect(stdout).toContain('successful run completed in 5s');
  expect(status).toBe(0);
});

test('vish/stress takes its memory step by step', async () => {
  const m = makeImageMachine();
  const id = await m.start('vish/stress', {
    args: ['-mem-total', '100Mi', '-mem-alloc-size', '10Mi', '-mem-alloc-sleep', '1s'],
  });
  await m.advance(5);
  const half = m.machine.kernel.cgroupUsage(`/kubepods/c1/${id}`)!.memoryBytes;
  await m.advance(10);
  expect(half).toBeLessThan(90 * MIB);
  expect(m.machine.kernel.cgroupUsage(`/kubepods/c1/${id}`)!.memoryBytes).toBeGreaterThan(99 * MIB);
  expect(m.log(id)).toContain('Allocated "100Mi" memory');
});

test('resource-consumer uses what it is asked to, as long as it is asked to', async () => {
  const m = makeImageMachine();
  const curl = await m.start('curlimages/curl', { command: ['sleep', '1d'] });
  const id = await m.start('registry.k8s.io/e2e-test-images/resource-consumer:1.13');
  const { stdout } = await m.exec(
    curl,
    'curl',
    '-s',
    '--data',
    'megabytes=50&durationSec=10',
    'http://localhost:8080/ConsumeMem',
  );
  expect(stdout).toBe('ConsumeMem\n50 megabytes\n10 durationSec\n');
  await m.advance(1);
  expect(m.machine.kernel.cgroupUsage(`/kubepods/c2/${id}`)!.memoryBytes).toBeGreaterThan(49 * MIB);
  await m.advance(12);
  expect(m.machine.kernel.cgroupUsage(`/kubepods/c2/${id}`)!.memoryBytes).toBeLessThan(49 * MIB);
});
