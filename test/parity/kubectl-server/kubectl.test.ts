// The host's own kubectl against `drydock up`: what it prints has a real cluster's shape.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { makeTemporaryFolder, RunningUp, type Ready, type TemporaryFolder } from '../../support/drydock.ts';
import { HAS_KUBECTL, KUBECTL, kubectlTest } from '../../support/host-kubectl.ts';

const HAS_CURL = spawnSync('curl', ['--version']).status === 0;

const MANIFEST = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: c1
          image: nginx:1.20
          ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 80, nodePort: 30080}]
`;

let folder: TemporaryFolder;
let up: RunningUp;
let ready: Ready;
beforeAll(async () => {
  if (!HAS_KUBECTL) return;
  folder = makeTemporaryFolder();
  up = new RunningUp(path.join(folder.path, 'data'));
  ready = await up.ready();
  writeFileSync(path.join(folder.path, 'web.yaml'), MANIFEST);
}, 60_000);
afterAll(async () => {
  if (!HAS_KUBECTL) return;
  await up[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], input?: string): Promise<Result> {
  const child = spawn(command, args, {
    cwd: folder.path,
    env: { ...process.env, KUBECONFIG: ready.kubeconfig, HOME: folder.path },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
  });
}

/** Runs kubectl, which has to succeed without a word on stderr. */
async function kubectl(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(KUBECTL, args);
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
}

/** A table's lines as cells, split at two or more blanks. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/\s{2,}/));
}

kubectlTest('get nodes -o wide', async () => {
  const [head, ...rows] = cells(await kubectl('get', 'nodes', '-o', 'wide'));
  expect(head).toEqual([
    'NAME',
    'STATUS',
    'ROLES',
    'AGE',
    'VERSION',
    'INTERNAL-IP',
    'EXTERNAL-IP',
    'OS-IMAGE',
    'KERNEL-VERSION',
    'CONTAINER-RUNTIME',
  ]);
  expect(rows.map(([name, status, roles]) => [name, status, roles])).toEqual([
    ['master1', 'Ready', 'control-plane'],
    ['worker1', 'Ready', '<none>'],
    ['worker2', 'Ready', '<none>'],
  ]);
  expect(rows.map((row) => row[5])).toEqual(['192.168.10.10', '192.168.10.11', '192.168.10.12']);
  for (const row of rows) {
    expect(row[4]).toMatch(/^v1\.\d+\.\d+$/);
    expect(row[9]).toMatch(/^containerd:\/\//);
  }
});

kubectlTest('apply -f, rollout status, and apply again', async () => {
  expect(await kubectl('apply', '-f', 'web.yaml')).toBe('deployment.apps/web created\nservice/web created\n');
  expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s')).toMatch(
    /deployment "web" successfully rolled out\n$/,
  );
  expect(await kubectl('apply', '-f', 'web.yaml')).toBe(
    'deployment.apps/web unchanged\nservice/web unchanged\n',
  );
});

kubectlTest('get deploy,rs,po,svc,ep -o wide', async () => {
  const { status, stdout } = await run(KUBECTL, ['get', 'deploy,rs,po,svc,ep', '-o', 'wide']);
  expect(status).toBe(0);
  const [deployments, replicaSets, pods, services, endpoints] = stdout.trimEnd().split('\n\n').map(cells);
  expect(deployments![0]).toEqual([
    'NAME',
    'READY',
    'UP-TO-DATE',
    'AVAILABLE',
    'AGE',
    'CONTAINERS',
    'IMAGES',
    'SELECTOR',
  ]);
  expect(deployments![1]).toMatchObject([
    'deployment.apps/web',
    '2/2',
    '2',
    '2',
    expect.any(String),
    'c1',
    'nginx:1.20',
    'app=web',
  ]);
  expect(replicaSets![0]).toEqual([
    'NAME',
    'DESIRED',
    'CURRENT',
    'READY',
    'AGE',
    'CONTAINERS',
    'IMAGES',
    'SELECTOR',
  ]);
  expect(replicaSets![1]![0]).toMatch(/^replicaset\.apps\/web-[a-z0-9]{8,10}$/);
  expect(pods![0]).toEqual([
    'NAME',
    'READY',
    'STATUS',
    'RESTARTS',
    'AGE',
    'IP',
    'NODE',
    'NOMINATED NODE',
    'READINESS GATES',
  ]);
  expect(pods).toHaveLength(3);
  for (const pod of pods!.slice(1)) {
    expect(pod[0]).toMatch(/^pod\/web-[a-z0-9]+-[a-z0-9]{5}$/);
    expect(pod.slice(1, 4)).toEqual(['1/1', 'Running', '0']);
    expect(pod[5]).toMatch(/^10\.244\.\d+\.\d+$/);
    expect(pod.slice(7)).toEqual(['<none>', '<none>']);
  }
  expect(services![0]).toEqual(['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE', 'SELECTOR']);
  const web = services!.find(([name]) => name === 'service/web')!;
  expect(web).toMatchObject([
    'service/web',
    'NodePort',
    expect.stringMatching(/^10\./),
    '<none>',
    '80:30080/TCP',
    expect.any(String),
    'app=web',
  ]);
  const addresses = pods!
    .slice(1)
    .map((pod) => `${pod[5]}:80`)
    .sort();
  const backends = endpoints!.find(([name]) => name === 'endpoints/web')!;
  expect(backends[1]!.split(',').sort()).toEqual(addresses);
});

kubectlTest('describe svc', async () => {
  const { stdout } = await run(KUBECTL, ['describe', 'svc', 'web']);
  const fields = new Map(
    stdout.split('\n').map((line) => [line.split(':')[0]!, line.slice(line.indexOf(':') + 1).trim()]),
  );
  expect(fields.get('Name')).toBe('web');
  expect(fields.get('Type')).toBe('NodePort');
  expect(fields.get('Selector')).toBe('app=web');
  expect(fields.get('IP Family Policy')).toBe('SingleStack');
  expect(fields.get('TargetPort')).toBe('80/TCP');
  expect(fields.get('NodePort')).toMatch(/30080\/TCP$/);
  expect(fields.get('Endpoints')!.split(',')).toHaveLength(2);
  expect(fields.get('Session Affinity')).toBe('None');
});

kubectlTest('patch, and patch without a change', async () => {
  const patch = '{"spec":{"sessionAffinity":"ClientIP"}}';
  expect(await kubectl('patch', 'svc', 'web', '-p', patch)).toBe('service/web patched\n');
  expect(await kubectl('patch', 'svc', 'web', '-p', patch)).toBe('service/web patched (no change)\n');
  expect(
    await kubectl(
      'get',
      'svc',
      'web',
      '-o',
      'jsonpath={.spec.sessionAffinityConfig.clientIP.timeoutSeconds}',
    ),
  ).toBe('10800');
});

kubectlTest('scale, and a rollout waits for it', async () => {
  expect(await kubectl('scale', 'deploy', 'web', '--replicas=3')).toBe('deployment.apps/web scaled\n');
  expect(await kubectl('rollout', 'status', 'deploy/web', '--timeout=30s')).toContain(
    'successfully rolled out',
  );
  expect(cells(await kubectl('get', 'pods', '--no-headers'))).toHaveLength(3);
});

kubectlTest('exec with streams and a status, and logs', async () => {
  const [pod] = (await kubectl('get', 'pods', '-o', 'name')).split('\n');
  expect(await kubectl('exec', pod!, '--', 'hostname')).toBe(`${pod!.slice('pod/'.length)}\n`);
  const written = await run(
    KUBECTL,
    ['exec', '-i', pod!, '--', 'sh', '-c', 'cat > /tmp/in; wc -c < /tmp/in; echo bad >&2; exit 3'],
    'twelve bytes',
  );
  expect([written.status, written.stdout.trim()]).toEqual([3, '12']);
  expect(written.stderr).toBe('bad\ncommand terminated with exit code 3\n');
  await kubectl('exec', pod!, '--', 'sh', '-c', 'echo logged > /proc/1/fd/1');
  expect(await kubectl('logs', pod!)).toMatch(/\nlogged\n$/);
});

kubectlTest('curl -x through the proxy reaches a NodePort', async (context) => {
  if (!HAS_CURL) context.skip('no curl on this machine');
  const answer = await run('curl', ['-s', '-x', ready.proxy, 'http://192.168.10.11:30080/']);
  expect(answer.status).toBe(0);
  expect(answer.stdout).toContain('<title>Welcome to nginx!</title>');
  const refused = await run('curl', [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-x',
    ready.proxy.replace(/drydock:\w+@/, ''),
    'http://192.168.10.11:30080/',
  ]);
  expect(refused.stdout).toBe('407');
});

kubectlTest('get pods -w tells what happens, and delete takes everything away', async () => {
  const watch = spawn(KUBECTL, ['get', 'pods', '-w', '-l', 'app=web'], {
    env: { ...process.env, KUBECONFIG: ready.kubeconfig },
  });
  let seen = '';
  watch.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  await expect.poll(() => seen.trimEnd().split('\n').length, { timeout: 10_000 }).toBe(4);
  expect(cells(seen)[0]).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
  expect(await kubectl('delete', '-f', 'web.yaml')).toBe(
    'deployment.apps "web" deleted\nservice "web" deleted\n',
  );
  await expect
    .poll(() => seen.match(/Terminating/g)?.length ?? 0, { timeout: 30_000 })
    .toBeGreaterThanOrEqual(3);
  watch.kill();
  await kubectl('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=40s');
  const gone = await run(KUBECTL, ['get', 'pods']);
  expect([gone.status, gone.stdout, gone.stderr]).toEqual([
    0,
    '',
    'No resources found in default namespace.\n',
  ]);
});

kubectlTest('mistakes are answered in the words of a real cluster', async () => {
  expect(await run(KUBECTL, ['get', 'pod', 'nobody'])).toEqual({
    status: 1,
    stdout: '',
    stderr: 'Error from server (NotFound): pods "nobody" not found\n',
  });
  const unknown = await run(
    KUBECTL,
    ['create', '-f', '-'],
    'apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {prots: []}\n',
  );
  expect(unknown.status).toBe(1);
  expect(unknown.stderr).toContain('strict decoding error: unknown field "spec.prots"');
  const invalid = await run(KUBECTL, ['create', 'service', 'nodeport', 'x', '--tcp=80', '--node-port=99']);
  expect(invalid.stderr).toBe(
    'error: failed to create NodePort service: Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767\n',
  );
});
