// Probes and hooks: what kills, what takes out of service, and what events say.
import { expect, test } from 'vitest';
import { agnhost } from '../../../../main/images/agnhost/program.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { resources } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, quitter, sleeper } from '../../../support/make-node.ts';

/** Fails until /ready exists. */
const check: Program = async (proc) => {
  if (proc.fs.exists('/ready')) return 0;
  await proc.stdout.write("cat: can't open '/ready': No such file or directory\n");
  return 1;
};
const image = imageOf('docker.io/library/probed:1', {
  '/main': sleeper,
  '/check': check,
  '/fail': quitter(1, 0),
  '/slow': quitter(0, 5000),
});
const noToken = { automountServiceAccountToken: false };

test('a readiness probe that fails keeps the pod out of service and says why', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'unready' },
    spec: {
      ...noToken,
      containers: [
        { name: 'c', image: 'probed:1', readinessProbe: { exec: { command: ['/check'] }, periodSeconds: 2 } },
      ],
    },
  });
  await node.advance(5);
  const pod = await node.pod('unready');
  expect(pod.status?.phase).toBe('Running');
  expect(pod.status?.containerStatuses?.[0]).toMatchObject({ ready: false, started: true });
  expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
    'containers with unready status: [c]',
  );
  expect(await node.events('unready')).toContain(
    "Warning Unhealthy Readiness probe failed: cat: can't open '/ready': No such file or directory\n",
  );
});

test('a liveness probe restarts the container after three failures', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'live' },
    spec: {
      ...noToken,
      containers: [
        { name: 'c', image: 'probed:1', livenessProbe: { exec: { command: ['/fail'] }, periodSeconds: 5 } },
      ],
    },
  });
  await node.advance(8);
  expect((await node.pod('live')).status?.containerStatuses?.[0]?.restartCount).toBe(0);
  await node.advance(6);
  expect((await node.pod('live')).status?.containerStatuses?.[0]?.restartCount).toBe(1);
  expect(await node.events('live')).toContain(
    'Normal Killing Container c failed liveness probe, will be restarted',
  );
});

test('a probe that takes too long fails with the time-out', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'slow' },
    spec: {
      ...noToken,
      containers: [{ name: 'c', image: 'probed:1', readinessProbe: { exec: { command: ['/slow'] } } }],
    },
  });
  await node.advance(5);
  expect(await node.events('slow')).toContain(
    'Warning Unhealthy Readiness probe failed: command timed out: "/slow" timed out after 1s',
  );
});

test('a TCP probe goes to the pod over the network', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'tcp' },
    spec: {
      ...noToken,
      containers: [{ name: 'c', image: 'probed:1', readinessProbe: { tcpSocket: { port: 8080 } } }],
    },
  });
  await node.advance(5);
  expect(await node.events('tcp')).toContain(
    'Warning Unhealthy Readiness probe failed: dial tcp 10.244.1.2:8080: connect: connection refused',
  );
});

test('a preStop hook that fails is told of, and the container is stopped all the same', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'hook' },
    spec: {
      ...noToken,
      containers: [
        { name: 'c', image: 'probed:1', lifecycle: { preStop: { exec: { command: ['/fail'] } } } },
      ],
    },
  });
  await node.advance(5);
  await node.api.client.delete(resources.pods, 'hook', { namespace: 'default' });
  await node.advance(5);
  expect(await node.events('hook')).toEqual(
    expect.arrayContaining([
      'Normal Killing Stopping container c',
      'Warning FailedPreStopHook PreStopHook failed',
    ]),
  );
  await expect(node.pod('hook')).rejects.toMatchObject({ reason: 'NotFound' });
});

const served = imageOf('docker.io/library/agnhost:2.40', { '/agnhost': agnhost, '/main': sleeper });

test('a gRPC probe asks the health service, and follows it', async () => {
  using node = await makeNode({ images: [served] });
  await node.createPod({
    metadata: { name: 'grpc' },
    spec: {
      ...noToken,
      containers: [
        {
          name: 'c',
          image: 'agnhost:2.40',
          args: ['grpc-health-checking', '--delay-unhealthy-sec', '9'],
          readinessProbe: { grpc: { port: 5000 }, periodSeconds: 2, failureThreshold: 1 },
        },
      ],
    },
  });
  await node.advance(4);
  expect((await node.pod('grpc')).status?.containerStatuses?.[0]?.ready).toBe(true);
  await node.advance(8);
  expect((await node.pod('grpc')).status?.containerStatuses?.[0]?.ready).toBe(false);
  expect(await node.events('grpc')).toContain(
    'Warning Unhealthy Readiness probe failed: service unhealthy (responded with "NOT_SERVING")',
  );
});

test('a gRPC probe says what is wrong with the server', async () => {
  using node = await makeNode({ images: [served] });
  const pod = (name: string, command: string[], grpc: { port: number; service?: string }): Promise<unknown> =>
    node.createPod({
      metadata: { name },
      spec: {
        ...noToken,
        containers: [{ name: 'c', image: 'agnhost:2.40', command, readinessProbe: { grpc } }],
      },
    });
  await pod('nobody', ['/main'], { port: 5000 });
  await pod('other', ['/agnhost', 'grpc-health-checking'], { port: 5000, service: 'db' });
  await pod('http', ['/agnhost', 'grpc-health-checking'], { port: 8080 });
  await node.advance(5);
  const address = (await node.pod('nobody')).status?.podIP;
  expect(await node.events('nobody')).toContain(
    `Warning Unhealthy Readiness probe failed: timeout: failed to connect service "${address}:5000" within 1s: context deadline exceeded`,
  );
  expect(await node.events('other')).toContain(
    'Warning Unhealthy Readiness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
  );
  expect((await node.events('http')).some((event) => event.includes('code = Unavailable'))).toBe(true);
});

test('the first probe of a container waits for the startup probe', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      containers: [
        {
          name: 'c',
          image: 'probed:1',
          startupProbe: { exec: { command: ['/check'] }, periodSeconds: 2, failureThreshold: 5 },
          livenessProbe: { exec: { command: ['/fail'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      ],
    },
  });
  await node.advance(5);
  const status = (await node.pod('p')).status?.containerStatuses?.[0];
  expect(status).toMatchObject({ started: false, ready: false, restartCount: 0 });
  expect((await node.events('p')).some((event) => event.includes('Liveness'))).toBe(false);
});
