import { expect, test } from 'vitest';
import { resources, type Node, type Pod } from '../../../main/kubernetes/api/index.ts';
import { makeCluster, type TestCluster } from '../../support/make-cluster.ts';

const READY = { minutes: 2 } as const;

async function podsReady(world: TestCluster, namespace?: string): Promise<boolean> {
  const { cluster, clock } = world;
  let ready = false;
  const look = async (): Promise<void> => {
    while (!ready) {
      const { items } = await cluster.admin.list<Pod>(
        resources.pods,
        namespace === undefined ? {} : { namespace },
      );
      ready =
        items.length > 0 &&
        items.every(({ status }) =>
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
        );
      if (!ready) await clock.sleep(500);
    }
  };
  await world.until(Promise.race([look(), clock.sleep(READY.minutes * 60_000)]));
  return ready;
}

async function isReady(world: TestCluster, name: string): Promise<boolean> {
  const node = await world.until(world.cluster.admin.get<Node>(resources.nodes, name));
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

test('a cluster boots to three Ready nodes whose system pods all become ready', async () => {
  using world = await makeCluster();
  expect(await podsReady(world)).toBe(true);
  const { stdout } = await world.run('kubectl get pods -A --no-headers | wc -l');
  expect(stdout.trim()).toBe('12');
  expect(world.faults).toEqual([]);
});

test('a Service answers on its cluster IP from every node, and by its name inside a pod', async () => {
  using world = await makeCluster();
  await podsReady(world);
  await world.run('kubectl apply -f - <<EOF\n' + WEB + '\nEOF');
  expect(await podsReady(world, 'default')).toBe(true);
  const address = (await world.run("kubectl get svc web -o jsonpath='{.spec.clusterIP}'")).stdout;
  for (const machine of ['master1', 'worker1', 'worker2']) {
    const { stdout, exitCode } = await world.run(`curl -s -m 5 ${address}`, machine);
    expect([machine, exitCode, stdout.includes('Welcome to nginx!')]).toEqual([machine, 0, true]);
  }
  await world.run('kubectl apply -f - <<EOF\n' + PROBE + '\nEOF');
  expect(await podsReady(world, 'default')).toBe(true);
  const named = await world.until(
    world.cluster.world.runInPod('default', 'probe', ['wget', '-qO-', '-T', '5', 'http://web']),
  );
  expect(named).toMatchObject({ exitCode: 0, stderr: '' });
  expect(named.stdout).toContain('Welcome to nginx!');
  expect(world.faults).toEqual([]);
});

test('a node whose kubelet is stopped goes NotReady, and comes back with it', async () => {
  using world = await makeCluster();
  const systemd = world.cluster.requireMachine('worker1').systemd;
  await world.until(systemd.stop('kubelet'));
  await world.clock.advance({ seconds: 60 });
  expect(await isReady(world, 'worker1')).toBe(false);
  await world.until(systemd.start('kubelet'));
  await world.clock.advance({ seconds: 20 });
  expect(await isReady(world, 'worker1')).toBe(true);
});

test('without its manifest the API server is gone, and with it again it is back', async () => {
  using world = await makeCluster();
  await world.run('mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/');
  await world.clock.advance({ seconds: 60 });
  const refused = await world.run('kubectl get nodes');
  expect(refused.stderr).toContain(
    'The connection to the server 192.168.10.10:6443 was refused - did you specify the right host or port?',
  );
  expect(refused.exitCode).toBe(1);
  await world.run('mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/');
  await world.clock.advance({ seconds: 60 });
  expect((await world.run('kubectl get nodes --no-headers | wc -l')).stdout.trim()).toBe('3');
});

test('reopened, it has the same objects, pod addresses, files and restart counts', async () => {
  const first = await makeCluster();
  await podsReady(first);
  await first.run('kubectl apply -f - <<EOF\n' + WEB + '\nEOF');
  await podsReady(first, 'default');
  await first.run('echo kept > /root/note; date > /etc/stamp');
  const list =
    'kubectl get pods -A --no-headers -o custom-columns=N:.metadata.name,IP:.status.podIP,R:.status.containerStatuses[0].restartCount';
  const before = (await first.run(list)).stdout;
  const [pod] = (await first.cluster.admin.list<Pod>(resources.pods, { namespace: 'default' })).items;
  const { name } = pod!.metadata;
  await first.until(
    first.cluster.world.runInPod('default', name, [
      'sh',
      '-c',
      'echo mine > /usr/share/nginx/html/index.html',
    ]),
  );

  using second = await first.reopen();
  await second.clock.advance({ seconds: 30 });
  expect((await second.run(list)).stdout).toBe(before);
  expect((await second.run('cat /root/note')).stdout).toBe('kept\n');
  const page = await second.until(second.cluster.world.httpGet('worker2', `http://${pod!.status!.podIP}/`));
  expect(page).toMatchObject({ ok: true, status: 200, body: 'mine\n' });
  expect(await podsReady(second)).toBe(true);
});

test('the same seed and the same inputs give the same history', async () => {
  const record = async (): Promise<string> => {
    using world = await makeCluster({ seed: 42 });
    await world.run('kubectl apply -f - <<EOF\n' + WEB + '\nEOF');
    await world.clock.advance({ seconds: 30 });
    return JSON.stringify(
      world.store.history('/registry/', 0).map(({ key, revision, value }) => [key, revision, String(value)]),
    );
  };
  expect(await record()).toBe(await record());
});

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: nginx, image: "nginx:1.20", ports: [{ containerPort: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
`;

const PROBE = `
apiVersion: v1
kind: Pod
metadata: { name: probe }
spec:
  containers: [{ name: busybox, image: "busybox:1.36", command: [sleep, "3600"] }]
`;
