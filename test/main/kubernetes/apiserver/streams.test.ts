// Logs, exec, attach and port-forward of a whole cluster's pods, as the real kubectl sees them.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { realpathSync, existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeCluster } from '../../../support/make-cluster.ts';
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

test.skipIf(kubectl === undefined)(
  `kubectl ${KUBECTL_VERSION} reads logs, runs commands and forwards ports of a pod`,
  { timeout: TIMEOUT_MS },
  async () => {
    using made = await makeCluster({ nodes: 2 });
    await using door = await serveLoopback(made.cluster.apiHandler!, ADMIN, (error) =>
      made.faults.push(error),
    );
    const pace = setInterval(() => void made.clock.advance({ ms: PACE_MS }), PACE_MS);
    using _pace = { [Symbol.dispose]: () => clearInterval(pace) };
    const flags = ['--server', door.url, '--kubeconfig', '/dev/null', '--cache-dir', '/dev/null'];
    const run = (args: readonly string[], input = ''): Promise<Ended> =>
      new Promise((resolve) => {
        const child = execFile(kubectl!, [...flags, ...args], (error, stdout, stderr) =>
          resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
        );
        child.stdin?.end(input);
      });

    expect(await run(['apply', '-f', '-'], POD)).toMatchObject({ status: 0, stdout: 'pod/web created\n' });
    expect(await run(['wait', '--for=condition=Ready', 'pod/web', '--timeout=60s'])).toMatchObject({
      status: 0,
      stdout: 'pod/web condition met\n',
    });

    expect(await run(['logs', 'web', '-c', 'side'])).toMatchObject({ stdout: 'from the side\n' });
    expect(await run(['exec', 'web', '-c', 'side', '--', 'echo', 'hello'])).toEqual({
      status: 0,
      stdout: 'hello\n',
      stderr: '',
    });
    expect(await run(['exec', 'web', '-c', 'side', '--', 'sh', '-c', 'echo no >&2; exit 3'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'no\ncommand terminated with exit code 3\n',
    });
    expect(await run(['exec', '-i', 'web', '-c', 'side', '--', 'cat'], 'one\ntwo\n')).toMatchObject({
      status: 0,
      stdout: 'one\ntwo\n',
    });

    const forward = spawn(kubectl!, [...flags, 'port-forward', 'pod/web', ':80']);
    try {
      const [web] = await forwardedPorts(forward.stdout);
      expect(await get(web!)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Welcome to nginx!/);
      expect(await get(web!)).toContain('Welcome to nginx!'); // Another connection over the same session.
    } finally {
      forward.kill();
    }
    expect(made.faults).toEqual([]);
  },
);

/** The local port that kubectl says it listens on. */
function forwardedPorts(stdout: NodeJS.ReadableStream): Promise<number[]> {
  let text = '';
  return new Promise((resolve) =>
    stdout.on('data', (data: Buffer) => {
      text += String(data);
      const ports = [...text.matchAll(/127\.0\.0\.1:(\d+) ->/g)].map((match) => Number(match[1]));
      if (ports.length === 1) resolve(ports);
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
