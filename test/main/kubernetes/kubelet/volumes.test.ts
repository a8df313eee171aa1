// Environment and volumes as a container sees them.
import { expect, test } from 'vitest';
import type { ContainerImage } from '../../../../main/linux/containerd/index.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { resources, type ConfigMap } from '../../../../main/kubernetes/api/index.ts';
import { imageOf, makeNode, sleeper, type TestNode } from '../../../support/make-node.ts';

/** Prints its environment, then the files it was asked for. */
const show: Program = async (proc) => {
  for (const [name, value] of proc.env) await proc.stdout.write(`${name}=${value}\n`);
  for (const path of proc.argv.slice(1)) await proc.stdout.write(`${path}: ${proc.fs.readText(path)}\n`);
  return 0;
};
const image = imageOf('docker.io/library/show:1', { '/main': sleeper, '/show': show });
const scope = { namespace: 'default' };

async function run(node: TestNode, pod: string, ...files: string[]): Promise<string> {
  const { signal } = new AbortController();
  const options = {
    command: ['/show', ...files],
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
    signal,
  };
  const session = await node.kubelet.server!.exec(await node.pod(pod), 'c', options);
  let text = '';
  const reading = (async () => {
    for await (const piece of session.stdout) text += Buffer.from(piece).toString();
  })();
  await node.advance(1);
  await reading;
  expect(await session.exit).toEqual({ exitCode: 0 });
  return text;
}

function configMap(data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cfg' }, data };
}

test('env comes from literals, fields, resources, ConfigMaps and expansion', async () => {
  using node = await makeNode({ images: [image] });
  await node.api.client.create(resources.configmaps, configMap({ color: 'red' }), scope);
  await node.createPod({
    metadata: { name: 'env', labels: { tier: 'x' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'c',
          image: 'show:1',
          resources: { limits: { memory: '64Mi', cpu: '200m' } },
          envFrom: [{ configMapRef: { name: 'cfg' }, prefix: 'P_' }],
          env: [
            { name: 'A', value: 'in' },
            { name: 'B', value: '$(A)-$(MISSING)-$$(A)' },
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'TIER', valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
            { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'color' } } },
            { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          ],
        },
      ],
    },
  });
  await node.advance(5);
  const lines = (await run(node, 'env')).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'A=in',
      'B=in-$(MISSING)-$(A)',
      'NODE=worker1',
      'IP=10.244.1.2',
      'TIER=x',
      'COLOR=red',
      'MEM=64',
      'P_color=red',
      'HOSTNAME=env',
    ]),
  );
});

test('a missing ConfigMap in env keeps the container waiting with CreateContainerConfigError', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'missing' },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'show:1', envFrom: [{ configMapRef: { name: 'nope' } }] }],
    },
  });
  await node.advance(5);
  const waiting = (await node.pod('missing')).status?.containerStatuses?.[0]?.state?.waiting;
  expect(waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "nope" not found' });
  expect(await node.events('missing')).toContain('Warning Failed Error: configmap "nope" not found');
});

test('a ConfigMap volume follows its ConfigMap within about a minute', async () => {
  using node = await makeNode({ images: [image] });
  const made = await node.api.client.create(resources.configmaps, configMap({ color: 'red' }), scope);
  await node.createPod({
    metadata: { name: 'vol' },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'show:1', volumeMounts: [{ name: 'v', mountPath: '/cfg' }] }],
      volumes: [{ name: 'v', configMap: { name: 'cfg' } }],
    },
  });
  await node.advance(5);
  expect(await run(node, 'vol', '/cfg/color')).toContain('/cfg/color: red');

  await node.api.client.update(resources.configmaps, { ...made, data: { color: 'blue' } }, scope);
  await node.advance(90);
  expect(await run(node, 'vol', '/cfg/color')).toContain('/cfg/color: blue');
});

test('a missing volume source keeps the pod in ContainerCreating and says so', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'nomount' },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'show:1', volumeMounts: [{ name: 'v', mountPath: '/cfg' }] }],
      volumes: [{ name: 'v', configMap: { name: 'nope' } }],
    },
  });
  await node.advance(5);
  expect((await node.pod('nomount')).status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
    'ContainerCreating',
  );
  expect(await node.events('nomount')).toContain(
    'Warning FailedMount MountVolume.SetUp failed for volume "v" : configmap "nope" not found',
  );
});

test('resolv.conf and hosts are those of a pod', async () => {
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'dns' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'show:1' }] },
  });
  await node.advance(5);
  const text = await run(node, 'dns', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname');
  expect(text).toContain(
    'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
  expect(text).toContain('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n');
  expect(text).toContain('10.244.1.2\tdns\n');
  expect(text).toContain('/etc/hostname: dns\n');
});

test('an emptyDir in memory is a tmpfs of its limit, and goes with its pod', async () => {
  const filler: Program = async (proc) => {
    try {
      proc.fs.writeFile('/cache/file', new Uint8Array(2 * 1024 ** 2));
    } catch (error) {
      await proc.stdout.write(`${(error as Error).message}\n`);
    }
    await proc.sleep(3_600_000);
    return 0;
  };
  const image = imageOf('docker.io/library/filler:1', { '/fill': filler });
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'filler:1', volumeMounts: [{ name: 'cache', mountPath: '/cache' }] }],
      volumes: [{ name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
    },
  });
  await node.advance(1);
  const folder = `/var/lib/kubelet/pods/${pod.metadata.uid}/volumes/kubernetes.io~empty-dir/cache`;
  const mounted = (): (string | undefined)[] =>
    node.machine.kernel
      .listMounts()
      .filter(({ target }) => target === folder)
      .map(({ type }) => type);
  expect(mounted()).toEqual(['tmpfs']);
  const log = `/var/log/pods/default_p_${pod.metadata.uid}/c/0.log`;
  expect(node.machine.kernel.files.readText(log)).toContain('No space left on device');
  await node.api.client.delete(resources.pods, 'p', { namespace: 'default', gracePeriodSeconds: 0 });
  await node.advance(5);
  expect(mounted()).toEqual([]);
});

test('pull secrets that are missing are told of', async () => {
  const image = imageOf('docker.io/library/filler:1', { '/main': sleeper });
  using node = await makeNode({ images: [image] });
  await node.createPod({
    metadata: { name: 'p' },
    spec: {
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'regcred' }],
      containers: [{ name: 'c', image: 'filler:1' }],
    },
  });
  await node.advance(1);
  expect(await node.events('p')).toContain(
    'Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
  );
  expect((await node.pod('p')).status?.phase).toBe('Running');
});

test('a projected token is renewed when four fifths of its life are over', async () => {
  using node = await makeNode({ images: [image] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        { name: 'c', image: 'show:1', command: ['/main'], volumeMounts: [{ name: 't', mountPath: '/t' }] },
      ],
      volumes: [
        {
          name: 't',
          projected: {
            sources: [{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } }],
          },
        },
      ],
    },
  });
  await node.advance(1);
  const path = `/var/lib/kubelet/pods/${pod.metadata.uid}/volumes/kubernetes.io~projected/t/token`;
  const claims = (): { aud: string[]; exp: number } =>
    JSON.parse(
      Buffer.from(node.machine.kernel.files.readText(path).split('.')[1]!, 'base64url').toString(),
    ) as { aud: string[]; exp: number };
  const first = claims();
  expect(first.aud).toEqual(['vault']);
  await node.advance(470);
  expect(claims().exp).toBe(first.exp);
  await node.advance(30);
  expect(claims().exp).toBeGreaterThan(first.exp);
});

test('an image is a volume: its files can be read, and not written', async () => {
  const data: ContainerImage = {
    name: 'docker.io/library/data:1',
    sizeBytes: 10,
    files: new Map([['/dir/hello', { type: 'file', content: 'hi there' }]]),
  };
  const reader: Program = async (proc) => {
    await proc.stdout.write(`${proc.fs.readText('/data/dir/hello')}\n`);
    try {
      proc.fs.writeFile('/data/new', '');
    } catch (error) {
      await proc.stdout.write(`${(error as Error).message}\n`);
    }
    return 0;
  };
  const image = imageOf('docker.io/library/reader:1', { '/read': reader });
  using node = await makeNode({ images: [image, data] });
  const pod = await node.createPod({
    metadata: { name: 'p' },
    spec: {
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'reader:1', volumeMounts: [{ name: 'v', mountPath: '/data' }] }],
      volumes: [{ name: 'v', image: { reference: 'data:1', pullPolicy: 'IfNotPresent' } }],
    },
  });
  await node.advance(2);
  const log = node.machine.kernel.files.readText(`/var/log/pods/default_p_${pod.metadata.uid}/c/0.log`);
  expect(log).toContain('hi there');
  expect(log).toContain('Read-only file system');
  expect((await node.events('p')).filter((event) => event.includes('Pulling image "data:1"'))).toHaveLength(
    1,
  );
});
