// What a pod's containers share and in which order they come and go: sidecars, ephemeral containers, rules, users.
import { expect, test } from 'vitest';
import type { Process, Program } from '../../../../main/linux/kernel/index.ts';
import { resources, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, quitter, sleeper, type TestNode } from '../../../support/make-node.ts';

const noToken = { automountServiceAccountToken: false };

/** Takes two seconds to end after SIGTERM, and tells its log when it was told to. */
const slow: Program = async (proc) => {
  await untilSignal(proc, 'SIGTERM');
  await proc.sleep(2000);
  return 0;
};

/** Ends with 3 on SIGUSR1, and with 0 on SIGTERM. */
const onUser: Program = async (proc) => {
  const code = await Promise.race([
    untilSignal(proc, 'SIGUSR1').then(() => 3),
    untilSignal(proc, 'SIGTERM').then(() => 0),
  ]);
  return code;
};

/** Doesn't mind SIGTERM. */
const stubborn: Program = async (proc) => {
  proc.onSignal('SIGTERM', 'ignore');
  await proc.sleep(3_600_000);
  return 0;
};

function untilSignal(proc: Process, signal: 'SIGTERM' | 'SIGUSR1'): Promise<void> {
  return new Promise((resolve) => proc.onSignal(signal, resolve));
}

const image = imageOf('docker.io/library/many:1', {
  '/sleep': sleeper,
  '/slow': slow,
  '/user': onUser,
  '/stubborn': stubborn,
  '/fail': quitter(1, 0),
  '/three': quitter(3, 1000),
  '/four': quitter(4, 1000),
  '/done': quitter(0, 0),
});

async function deletePod(node: TestNode, name: string): Promise<void> {
  await node.api.client.delete(resources.pods, name, { namespace: 'default' });
}

function ending(node: TestNode, uid: string): { name: string; state: string }[] {
  return node.containerd
    .listContainers()
    .filter(({ spec }) => spec.labels['io.kubernetes.pod.uid'] === uid)
    .map(({ spec, state }) => ({ name: spec.name, state }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

test('sidecars end after the main containers, the last one first', async () => {
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      initContainers: [
        { name: 'side1', image: 'many:1', command: ['/slow'], restartPolicy: 'Always' },
        { name: 'side2', image: 'many:1', command: ['/slow'], restartPolicy: 'Always' },
      ],
      containers: [{ name: 'main', image: 'many:1', command: ['/slow'] }],
    },
  });
  await node.advance(1);
  expect((await node.pod('p')).status?.phase).toBe('Running');
  await deletePod(node, 'p');
  const { uid } = pod.metadata;
  await node.advance(3);
  expect(ending(node, uid)).toEqual([
    { name: 'main', state: 'exited' },
    { name: 'side1', state: 'running' },
    { name: 'side2', state: 'running' },
  ]);
  await node.advance(2);
  expect(ending(node, uid)).toEqual([
    { name: 'main', state: 'exited' },
    { name: 'side1', state: 'running' },
    { name: 'side2', state: 'exited' },
  ]);
  await node.advance(2);
  await expect(node.pod('p')).rejects.toThrow('not found');
  const stopped = (await node.events('p')).filter((event) => event.includes('Stopping'));
  expect(stopped.toSorted()).toEqual([
    'Normal Killing Stopping container main',
    'Normal Killing Stopping container side1',
    'Normal Killing Stopping container side2',
  ]);
});

test('a sidecar is restarted whatever the pod says, and does not keep a pod from ending', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'job' },
    spec: {
      ...noToken,
      restartPolicy: 'Never',
      initContainers: [{ name: 'side', image: 'many:1', command: ['/fail'], restartPolicy: 'Always' }],
      containers: [{ name: 'main', image: 'many:1', command: ['/four'] }],
    },
  });
  await node.advance(3);
  const { status } = await node.pod('job');
  expect(status?.initContainerStatuses?.[0]?.restartCount).toBeGreaterThan(0);
  expect(status?.phase).toBe('Failed');
});

test('a stop signal of its own reaches the container', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      os: { name: 'linux' },
      activeDeadlineSeconds: 5,
      containers: [{ name: 'c', image: 'many:1', command: ['/user'], lifecycle: { stopSignal: 'SIGUSR1' } }],
    },
  });
  await node.advance(8);
  expect((await node.pod('p')).status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
});

test("a probe's own grace period counts instead of the pod's", async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      terminationGracePeriodSeconds: 100,
      containers: [
        {
          name: 'c',
          image: 'many:1',
          command: ['/stubborn'],
          livenessProbe: {
            exec: { command: ['/fail'] },
            periodSeconds: 1,
            failureThreshold: 1,
            terminationGracePeriodSeconds: 4,
          },
        },
      ],
    },
  });
  await node.advance(3);
  expect((await node.pod('p')).status?.containerStatuses?.[0]?.restartCount).toBe(0);
  await node.advance(4);
  expect((await node.pod('p')).status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137);
});

test('rules restart a container for some exit codes only', async () => {
  using node = await makeNode({ images: [image] });
  const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [3] } }];
  const pod = (name: string, command: string): Pod => ({
    metadata: { name },
    spec: {
      ...noToken,
      restartPolicy: 'Never',
      containers: [
        { name: 'c', image: 'many:1', command: [command], restartPolicy: 'Never', restartPolicyRules: rules },
      ],
    },
  });
  await node.createPod(pod('again', '/three'));
  await node.createPod(pod('once', '/four'));
  await node.advance(5);
  const again = (await node.pod('again')).status;
  expect(again?.phase).toBe('Running');
  expect(again?.containerStatuses?.[0]?.restartCount).toBe(1);
  const once = (await node.pod('once')).status;
  expect(once?.phase).toBe('Failed');
  expect(once?.containerStatuses?.[0]?.restartCount).toBe(0);
});

test('a rule may restart all containers of the pod, init containers too', async () => {
  using node = await makeNode({ images: [image] });
  const rules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [3] } }];
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      restartPolicy: 'Never',
      initContainers: [{ name: 'setup', image: 'many:1', command: ['/done'] }],
      containers: [
        { name: 'main', image: 'many:1', command: ['/slow'] },
        {
          name: 'watch',
          image: 'many:1',
          command: ['/three'],
          restartPolicy: 'Never',
          restartPolicyRules: rules,
        },
      ],
    },
  });
  await node.advance(2);
  const between = (await node.pod('p')).status;
  expect(between?.conditions?.find(({ type }) => String(type) === 'AllContainersRestarting')?.status).toBe(
    'True',
  );
  await node.advance(1.5);
  const { status } = await node.pod('p');
  expect(status?.conditions?.some(({ type }) => String(type) === 'AllContainersRestarting')).toBe(false);
  expect(status?.containerStatuses?.map(({ name, restartCount }) => [name, restartCount])).toEqual([
    ['main', 1],
    ['watch', 1],
  ]);
  expect(status?.initContainerStatuses?.[0]?.restartCount).toBe(1);
  expect(status?.phase).toBe('Running');
});

test('an ended container shows how it ended before it shows its back-off', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'many:1', command: ['/three'] }] },
  });
  await node.advance(2.5); // Ended twice.
  expect((await node.pod('p')).status?.containerStatuses?.[0]?.state?.terminated?.reason).toBe('Error');
  await node.advance(1);
  expect((await node.pod('p')).status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
    'CrashLoopBackOff',
  );
});

test('a container that cannot start keeps saying so while it waits', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'many:1', command: ['/no/such/program'] }] },
  });
  await node.advance(5);
  const [status] = (await node.pod('p')).status?.containerStatuses ?? [];
  expect(status?.state?.waiting).toEqual({
    reason: 'RunContainerError',
    message:
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such/program": stat /no/such/program: no such file or directory',
  });
  expect(status?.lastState?.terminated).toMatchObject({ reason: 'StartError', exitCode: 128 });
});

const processes = async (node: TestNode, uid: string, name: string): Promise<string[]> => {
  const container = node.containerd
    .listContainers()
    .find(({ spec }) => spec.name === name && spec.labels['io.kubernetes.pod.uid'] === uid);
  const process = node.machine.kernel.process(container?.pid ?? 0);
  if (process === undefined) return [];
  return node.machine.kernel.listProcesses(process).map(({ argv }) => argv.join(' '));
};

test('containers see only themselves, unless the pod shares its processes', async () => {
  using node = await makeNode({ images: [image] });
  const containers = [
    { name: 'a', image: 'many:1', command: ['/sleep'] },
    { name: 'b', image: 'many:1', command: ['/slow'] },
  ];
  const alone = await node.createPod({ metadata: { name: 'alone' }, spec: { ...noToken, containers } });
  const shared = await node.createPod({
    metadata: { name: 'shared' },
    spec: { ...noToken, shareProcessNamespace: true, containers },
  });
  await node.advance(1);
  expect(await processes(node, alone.metadata.uid, 'a')).toEqual(['/sleep']);
  expect(await processes(node, shared.metadata.uid, 'a')).toEqual(['/pause', '/sleep', '/slow']);
});

test('an ephemeral container sees the processes of its target', async () => {
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'many:1', command: ['/sleep'] }] },
  });
  await node.advance(1);
  const current = await node.pod('p');
  const ephemeralContainers = [
    { name: 'dbg', image: 'many:1', command: ['/slow'], targetContainerName: 'c' },
  ];
  await node.api.client.update(
    resources.pods,
    { ...current, spec: { ...current.spec!, ephemeralContainers } },
    { namespace: 'default', subresource: 'ephemeralcontainers' },
  );
  await node.advance(1);
  expect(await processes(node, pod.metadata.uid, 'dbg')).toEqual(['/sleep', '/slow']);
  expect((await node.pod('p')).status?.ephemeralContainerStatuses?.[0]?.state?.running).toBeDefined();
});

test('a container runs with the groups that the pod asks for', async () => {
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: {
      ...noToken,
      securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] },
      containers: [{ name: 'c', image: 'many:1', command: ['/sleep'] }],
    },
  });
  await node.advance(1);
  const [container] = node.containerd
    .listContainers()
    .filter(({ spec }) => spec.labels['io.kubernetes.pod.uid'] === pod.metadata.uid);
  expect(node.machine.kernel.process(container?.pid ?? 0)?.credentials).toEqual({
    uid: 1000,
    gid: 3000,
    groups: [2000, 3000, 4000],
  });
});

test('the host name is the short one, or the whole one where that is asked for', async () => {
  using node = await makeNode({ images: [image] });
  const containers = [{ name: 'c', image: 'many:1', command: ['/sleep'] }];
  const spec = { ...noToken, hostname: 'web', subdomain: 'sub', containers };
  const short = await node.createPod({ metadata: { name: 'short' }, spec });
  const whole = await node.createPod({
    metadata: { name: 'whole' },
    spec: { ...spec, setHostnameAsFQDN: true },
  });
  await node.advance(1);
  const hostname = (uid: string): string | undefined => {
    const found = node.containerd
      .listContainers()
      .find(({ spec: { labels } }) => labels['io.kubernetes.pod.uid'] === uid);
    return found?.pid === undefined ? undefined : node.machine.kernel.hostnameOf(found.pid);
  };
  expect(hostname(short.metadata.uid)).toBe('web');
  expect(hostname(whole.metadata.uid)).toBe('web.sub.default.svc.cluster.local');
});
