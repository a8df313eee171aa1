// Logs, exec, attach and port-forward of a whole cluster's pods, as the real kubectl sees them.
import { execFile, execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { realpathSync, existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeCluster, type TestCluster } from '../../../support/make-cluster.ts';
import { serveLoopback } from '../../../support/serve-loopback.ts';

const KUBECTL_VERSION = '1.32';
const TIMEOUT_MS = 90_000;
const PACE_MS = 10;
const ADMIN = { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] };

/** The kubectl of the version that these facts were measured with, if there is one. */
const kubectl = findKubectl();

function findKubectl(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const plain = folders.map((folder) => path.join(folder, 'kubectl')).find((file) => existsSync(file));
  if (plain === undefined) return undefined;
  const beside = path.join(path.dirname(realpathSync(plain)), `kubectl.${KUBECTL_VERSION}`);
  if (existsSync(beside)) return beside;
  const version = execFileSync(plain, ['version', '--client'], { encoding: 'utf8' });
  return version.includes(`v${KUBECTL_VERSION}.`) ? plain : undefined;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const POD = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: web, image: "nginx:1.25"}
  - {name: side, image: "busybox:1.36", command: [sh, -c, "echo from the side; sleep 3600"]}
`;

/** A cluster with that pod, and kubectl in front of it. */
interface Stage extends AsyncDisposable {
  readonly made: TestCluster;
  readonly run: (args: readonly string[], input?: string, env?: Record<string, string>) => Promise<Ended>;
  readonly start: (args: readonly string[], env?: Record<string, string>) => ChildProcessWithoutNullStreams;
}

async function makeStage(): Promise<Stage> {
  const made = await makeCluster({ nodes: 2 });
  const door = await serveLoopback(made.cluster.apiHandler!, ADMIN, (error) => made.faults.push(error));
  let isBusy = false;
  const pace = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void made.clock.advance({ ms: PACE_MS }).finally(() => (isBusy = false));
  }, PACE_MS);
  const flags = ['--server', door.url, '--kubeconfig', '/dev/null', '--cache-dir', '/dev/null'];
  const run: Stage['run'] = (args, input = '', env = {}) =>
    new Promise((resolve) => {
      const options = { env: { ...process.env, ...env }, maxBuffer: 32 * 1024 * 1024 };
      const child = execFile(kubectl!, [...flags, ...args], options, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      );
      child.stdin?.on('error', () => undefined); // A command may end before it has read everything.
      child.stdin?.end(input);
    });
  expect(await run(['apply', '-f', '-'], POD)).toMatchObject({ status: 0, stdout: 'pod/web created\n' });
  expect(await run(['wait', '--for=condition=Ready', 'pod/web', '--timeout=60s'])).toMatchObject({
    status: 0,
    stdout: 'pod/web condition met\n',
  });
  return {
    made,
    run,
    start: (args, env = {}) => spawn(kubectl!, [...flags, ...args], { env: { ...process.env, ...env } }),
    async [Symbol.asyncDispose]() {
      clearInterval(pace);
      await door[Symbol.asyncDispose]();
      made[Symbol.dispose]();
    },
  };
}

/** What a kubectl that speaks SPDY alone does. */
const SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

test.skipIf(kubectl === undefined)(
  `kubectl ${KUBECTL_VERSION} reads logs and runs commands over WebSocket and over SPDY`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    const { run, made } = stage;
    expect(await run(['logs', 'web', '-c', 'side'])).toMatchObject({ stdout: 'from the side\n' });
    for (const env of [{}, SPDY]) {
      const exec = (args: readonly string[], input = ''): Promise<Ended> =>
        run(['exec', 'web', '-i', '-c', 'side', '--', ...args], input, env);
      expect(await exec(['echo', 'hello'])).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
      expect(await exec(['sh', '-c', 'echo no >&2; exit 3'])).toEqual({
        status: 3,
        stdout: '',
        stderr: 'no\ncommand terminated with exit code 3\n',
      });
      expect(await exec(['cat'], 'one\ntwo\n')).toMatchObject({ status: 0, stdout: 'one\ntwo\n' });
      expect(await exec(['head', '-c', '3'], 'x'.repeat(3_000_000))).toMatchObject({
        status: 0,
        stdout: 'xxx',
      });
      expect((await exec(['head', '-c', '3000000', '/dev/zero'])).stdout).toHaveLength(3_000_000);
      expect((await exec(['nosuch'])).stderr).toMatch(
        /^error: Internal error occurred: .*exec: "nosuch": executable file not found in \$PATH\n$/,
      );
      expect((await exec(['tar', 'xf', '-', '-C', '/no/dir'])).stderr).toBe(
        "tar: can't change directory to '/no/dir': No such file or directory\ncommand terminated with exit code 1\n",
      );
      expect((await exec(['tar', 'cf', '-', '/etc/passwd'])).stderr).toBe(
        "tar: removing leading '/' from member names\n",
      );
      expect((await run(['exec', 'web', '-c', 'nope', '--', 'ls'], '', env)).stderr).toBe(
        'Error from server (BadRequest): container nope is not valid for pod web\n',
      );
    }
    expect(made.faults).toEqual([]);
  },
);

test.skipIf(kubectl === undefined)(
  `kubectl ${KUBECTL_VERSION} attaches: input ends, output comes, the end is heard`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    const { run, made } = stage;
    for (const [index, env] of [{}, SPDY].entries()) {
      const ended = await run(
        ['run', `once${index}`, '--rm', '-i', '--restart=Never', '--image=busybox:1.36', '--', 'sh'],
        'echo typed; exit 4\n',
        env,
      );
      expect(ended).toMatchObject({ status: 4 });
      expect(ended.stdout).toContain('typed\n');
    }
    expect((await run(['attach', 'web', '-c', 'nope'])).stderr).toContain(
      'container nope not found in pod web',
    );
    expect(made.faults).toEqual([]);
  },
);

test.skipIf(kubectl === undefined)(
  `kubectl ${KUBECTL_VERSION} forwards ports, says so when one refuses, and gives up as the real one does`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    const { made } = stage;
    for (const env of [{}, SPDY]) {
      const forward = stage.start(['port-forward', 'pod/web', ':80', ':81'], env);
      let said = '';
      forward.stderr.on('data', (data: Buffer) => (said += String(data)));
      const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
      try {
        const [web, closed] = await forwardedPorts(forward.stdout, 2);
        expect(await get(web!)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Welcome to nginx!/);
        const many = await Promise.all(Array.from({ length: 20 }, () => get(web!)));
        expect(many.filter((answer) => answer.includes('Welcome to nginx!'))).toHaveLength(20);
        expect(await get(closed!)).toBe('');
        expect(await ended).toBe(1);
        expect(said).toMatch(
          /an error occurred forwarding \d+ -> 81: .*connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "\nerror: lost connection to pod\n$/,
        );
      } finally {
        forward.kill();
      }
    }
    expect(made.faults).toEqual([]);
  },
);

test.skipIf(kubectl === undefined)(
  'a refused port is heard of fifty times in fifty',
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    for (let round = 0; round < 50; round++) {
      const forward = stage.start(['port-forward', 'pod/web', ':81'], round % 2 === 0 ? {} : SPDY);
      const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
      const [closed] = await forwardedPorts(forward.stdout, 1);
      expect(await get(closed!)).toBe('');
      expect(await ended).toBe(1);
    }
  },
);

test.skipIf(kubectl === undefined)(
  'clients that are killed in the middle leave no process, socket or stream behind',
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    const { run, made } = stage;
    const sockets = async (machine: string): Promise<string> =>
      (await made.cluster.world.runOnMachine(machine, 'ss -tan | grep -c ESTAB')).stdout;
    const processes = async (): Promise<string> =>
      (await run(['exec', 'web', '-c', 'side', '--', 'sh', '-c', 'ps | grep -c "sleep\\|yes\\|cat"'])).stdout;
    expect(
      await run([
        'exec',
        'web',
        '-c',
        'web',
        '--',
        'sh',
        '-c',
        'head -c 5000000 /dev/zero > /usr/share/nginx/html/big',
      ]),
    ).toMatchObject({ status: 0 });
    const before = {
      processes: await processes(),
      worker: await sockets('worker1'),
      master: await sockets('master1'),
    };
    for (const env of [{}, SPDY]) {
      const children = [
        stage.start(['exec', 'web', '-c', 'side', '--', 'sleep', '1000'], env),
        stage.start(['exec', '-i', 'web', '-c', 'side', '--', 'cat'], env),
        stage.start(['exec', 'web', '-c', 'side', '--', 'yes'], env),
        stage.start(['attach', 'web', '-c', 'side'], env),
        stage.start(['logs', '-f', 'web', '-c', 'side'], env),
      ];
      const forward = stage.start(['port-forward', 'pod/web', ':80'], env);
      children.push(forward);
      const [port] = await forwardedPorts(forward.stdout, 1);
      const idle = createConnection(port!, '127.0.0.1');
      const busy = createConnection(port!, '127.0.0.1', () => {
        busy.write('GET /big HTTP/1.1\r\nHost: web\r\n\r\n');
        busy.once('data', () => busy.pause());
      });
      for (const socket of [idle, busy]) socket.on('error', () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(Number(await processes())).toBeGreaterThan(Number(before.processes));
      const gone = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(gone);
      for (const socket of [idle, busy]) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    expect({
      processes: await processes(),
      worker: await sockets('worker1'),
      master: await sockets('master1'),
    }).toEqual(before);
    expect(made.faults).toEqual([]);
  },
);

test.skipIf(kubectl === undefined)(
  'requests to a kubelet go over the network: one that is stopped, or cut off, is heard of in the real words',
  { timeout: TIMEOUT_MS },
  async () => {
    await using stage = await makeStage();
    const { run, made } = stage;
    const follow = stage.start(['logs', '-f', 'web', '-c', 'side']);
    const followed = new Promise((resolve) => follow.once('exit', resolve));
    await new Promise((resolve) => follow.stdout.once('data', resolve));
    await made.cluster.world.runOnMachine('worker1', 'systemctl stop kubelet');
    await followed;
    const address = (await run(['get', 'node', 'worker1', '-o', 'jsonpath={.status.addresses[0].address}']))
      .stdout;
    expect(await run(['logs', 'web', '-c', 'side', '--tail=1'])).toMatchObject({
      status: 1,
      stderr: `Error from server: Get "https://${address}:10250/containerLogs/default/web/side?tailLines=1": dial tcp ${address}:10250: connect: connection refused\n`,
    });
    expect((await run(['exec', 'web', '-c', 'side', '--', 'ls'])).stderr).toBe(
      `Error from server: error dialing backend: dial tcp ${address}:10250: connect: connection refused\n`,
    );
    expect((await run(['get', '--raw', '/api/v1/nodes/worker1/proxy/healthz'])).stderr).toBe(
      `Error from server (ServiceUnavailable): error trying to reach service: dial tcp ${address}:10250: connect: connection refused\n`,
    );
    await made.cluster.world.runOnMachine(
      'worker1',
      'systemctl start kubelet; iptables -I INPUT -p tcp --dport 10250 -j REJECT --reject-with icmp-host-unreachable',
    );
    expect((await run(['logs', 'web', '-c', 'side'])).stderr).toContain(
      `dial tcp ${address}:10250: connect: no route to host`,
    );
    await made.cluster.world.runOnMachine('worker1', 'iptables -D INPUT 1');
    expect((await run(['logs', 'web', '-c', 'side'])).stdout).toBe('from the side\n');
    expect(made.faults).toEqual([]);
  },
);

/** The local ports that kubectl says it listens on. */
function forwardedPorts(stdout: NodeJS.ReadableStream, count: number): Promise<number[]> {
  let text = '';
  return new Promise((resolve) =>
    stdout.on('data', (data: Buffer) => {
      text += String(data);
      const ports = [...text.matchAll(/127\.0\.0\.1:(\d+) ->/g)].map((match) => Number(match[1]));
      if (ports.length === count) resolve(ports);
    }),
  );
}

/** What a plain HTTP request is answered; empty when the connection is closed at once. */
function get(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', (data: Buffer) => (text += String(data)));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}
