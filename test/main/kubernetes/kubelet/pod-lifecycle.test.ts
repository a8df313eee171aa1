// Pods from creation to end on one node, with a real API server, kernel and containerd under the kubelet.
import { expect, test } from 'vitest';
import { resources, type Node, type Pod } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, quitter, sleeper } from '../../../support/make-node.ts';

const images = [
  imageOf('docker.io/library/sleeper:1', { '/main': sleeper }),
  imageOf('docker.io/library/sleeper:latest', { '/main': sleeper }),
  imageOf('docker.io/library/done:1', { '/main': quitter(0) }),
  imageOf('docker.io/library/crash:1', { '/main': quitter(1) }),
];
const noToken = { automountServiceAccountToken: false };

test('the node registers and becomes Ready', async () => {
  using node = await makeNode({ images });
  const worker = await node.api.client.get<Node>(resources.nodes, 'worker1');
  expect(worker.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'True',
    reason: 'KubeletReady',
  });
  expect(worker.status?.nodeInfo?.containerRuntimeVersion).toBe('containerd://2.1.9');
  expect(worker.metadata.labels?.['kubernetes.io/hostname']).toBe('worker1');
});

test('a pod with one container runs and is Ready', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'web' },
    spec: { ...noToken, containers: [{ name: 'c1', image: 'sleeper:1' }] },
  });
  await node.advance(5);

  const pod = await node.pod('web');
  expect(pod.status?.phase).toBe('Running');
  expect(pod.status?.podIP).toBe('10.244.1.2');
  expect(pod.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ]);
  expect(await node.events('web')).toEqual([
    'Normal Pulling Pulling image "sleeper:1"',
    expect.stringMatching(
      /^Normal Pulled Successfully pulled image "sleeper:1" in \d+m?s \(\d+m?s including waiting\)\. Image size: 132 bytes\.$/,
    ),
    'Normal Created Container created',
    'Normal Started Container started',
  ]);
});

test('a container that ends well with restartPolicy Never makes the pod Succeeded', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'once' },
    spec: { ...noToken, restartPolicy: 'Never', containers: [{ name: 'c', image: 'done:1' }] },
  });
  await node.advance(5);

  const { status } = await node.pod('once');
  expect(status?.phase).toBe('Succeeded');
  expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
    exitCode: 0,
    reason: 'Completed',
  });
  expect(status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'PodCompleted',
  });
});

test('a container that keeps failing is restarted at once, then after 10, 20 and 40 seconds', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'crash' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'crash:1' }] },
  });
  await node.advance(5);
  expect((await node.pod('crash')).status?.containerStatuses?.[0]?.restartCount).toBe(1);
  const waiting = (await node.pod('crash')).status?.containerStatuses?.[0]?.state?.waiting;
  expect(waiting?.reason).toBe('CrashLoopBackOff');
  expect(waiting?.message).toMatch(/^back-off 10s restarting failed container=c pod=crash_default\(/);

  await node.advance(8);
  expect((await node.pod('crash')).status?.containerStatuses?.[0]?.restartCount).toBe(2);
  await node.advance(20);
  expect((await node.pod('crash')).status?.containerStatuses?.[0]?.restartCount).toBe(3);
  await node.advance(35);
  expect((await node.pod('crash')).status?.containerStatuses?.[0]?.restartCount).toBe(3);
  await node.advance(10);
  expect((await node.pod('crash')).status?.containerStatuses?.[0]?.restartCount).toBe(4);
  const backOff = (await node.events('crash')).filter((event) => event.includes('BackOff'));
  expect(backOff[0]).toMatch(
    /^Warning BackOff Back-off restarting failed container c in pod crash_default\(/,
  );
});

test('an image that nobody has gives ErrImagePull and then ImagePullBackOff', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'bad' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'sleeper:2' }] },
  });
  await node.advance(0.5);
  expect((await node.pod('bad')).status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ErrImagePull');
  await node.advance(1);
  expect((await node.pod('bad')).status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
    'ImagePullBackOff',
  );
  const reference = 'docker.io/library/sleeper:2';
  expect(await node.events('bad')).toEqual([
    'Normal Pulling Pulling image "sleeper:2"',
    `Warning Failed Failed to pull image "sleeper:2": rpc error: code = NotFound desc = failed to pull and unpack image "${reference}": failed to resolve image: ${reference}: not found`,
    'Warning Failed Error: ErrImagePull',
    'Normal BackOff Back-off pulling image "sleeper:2"',
    'Warning Failed Error: ImagePullBackOff',
  ]);
});

test('a deleted pod is stopped and then gone', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'web' },
    spec: { ...noToken, containers: [{ name: 'c1', image: 'sleeper:1' }] },
  });
  await node.advance(5);
  await node.api.client.delete(resources.pods, 'web', { namespace: 'default' });
  await node.advance(3);

  await expect(node.pod('web')).rejects.toMatchObject({ reason: 'NotFound' });
  expect(node.containerd.listContainers()).toEqual([]);
  expect(node.containerd.listSandboxes()).toEqual([]);
  expect(await node.events('web')).toContain('Normal Killing Stopping container c1');
});

test('init containers run in order before the main ones', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'init' },
    spec: {
      ...noToken,
      initContainers: [
        { name: 'one', image: 'done:1' },
        { name: 'two', image: 'done:1' },
      ],
      containers: [{ name: 'c', image: 'sleeper:1' }],
    },
  });
  await node.advance(5);
  const { status } = await node.pod('init');
  expect(status?.phase).toBe('Running');
  expect(status?.initContainerStatuses?.map(({ state }) => state?.terminated?.reason)).toEqual([
    'Completed',
    'Completed',
  ]);
  expect(status?.containerStatuses?.[0]?.ready).toBe(true);
});

test('a kubelet that comes back adopts what runs, without restarts', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'web' },
    spec: { ...noToken, containers: [{ name: 'c1', image: 'sleeper:1' }] },
  });
  await node.advance(5);
  const [before] = node.containerd.listContainers();
  await node.stopKubelet();
  expect(node.kubelet.server === undefined).toBe(true);
  node.startKubelet();
  await node.advance(5);

  const [after] = node.containerd.listContainers();
  expect(after?.id).toBe(before?.id);
  expect((await node.pod('web')).status?.containerStatuses?.[0]).toMatchObject({
    restartCount: 0,
    ready: true,
  });
});

test('a static pod runs and has a mirror on the API server', async () => {
  const manifest =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: etcd, namespace: kube-system}\nspec: {hostNetwork: true, containers: [{name: etcd, image: "sleeper:1"}]}\n';
  using node = await makeNode({ images, files: { '/etc/kubernetes/manifests/etcd.yaml': manifest } });
  await node.advance(10);
  const { items } = await node.api.client.list<Pod>(resources.pods, {
    namespace: 'kube-system',
  });
  expect(items.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`)).toEqual([
    'etcd-worker1 Running',
  ]);
});

test('logs are read from the container log, with tail and time stamps', async () => {
  using node = await makeNode({
    images: [imageOf('docker.io/library/talk:1', { '/main': quitter(0, 1e9, 'one\ntwo\nthree\n') })],
  });
  await node.createPod({
    metadata: { name: 'talk' },
    spec: { ...noToken, containers: [{ name: 'c', image: 'talk:1' }] },
  });
  await node.advance(5);
  const pod = await node.pod('talk');
  const { signal } = new AbortController();
  const read = async (options: object): Promise<string> => {
    let text = '';
    for await (const piece of await node.kubelet.server!.logs(pod, 'c', { signal, ...options }))
      text += Buffer.from(piece).toString();
    return text;
  };
  expect(await read({})).toBe('one\ntwo\nthree\n');
  expect(await read({ tailLines: 1 })).toBe('three\n');
  expect(await read({ tailLines: 1, timestamps: true })).toMatch(/^2026-01-05T\S+Z three\n$/);
  await expect(read({ previous: true })).rejects.toThrow(
    'previous terminated container "c" in pod "talk" not found',
  );
});

test('a pod past its deadline fails, and keeps the address it had', async () => {
  using node = await makeNode({ images });
  await node.createPod({
    metadata: { name: 'late' },
    spec: { ...noToken, activeDeadlineSeconds: 3, containers: [{ name: 'c', image: 'sleeper:1' }] },
  });
  await node.advance(8);
  const { status } = await node.pod('late');
  expect(status).toMatchObject({
    phase: 'Failed',
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
    podIP: '10.244.1.2',
  });
  expect(await node.events('late')).toContain(
    'Normal DeadlineExceeded Pod was active on the node longer than the specified deadline',
  );
});
