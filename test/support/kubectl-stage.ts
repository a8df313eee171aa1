// A whole cluster with a pod, and the real kubectl in front of it: for tests of streams.
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { findKubectl } from './host-kubectl.ts';
import { makeCluster, type TestCluster } from './make-cluster.ts';
import { serveLoopback } from './serve-loopback.ts';

const TIMEOUT_MS = 90_000;
const PACE_MS = 10;
const ADMIN = { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] };

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of the pod `web`: nginx, and a shell beside it. */
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
export interface Stage extends AsyncDisposable {
  readonly made: TestCluster;
  readonly run: (args: readonly string[], input?: string, env?: Record<string, string>) => Promise<Ended>;
  readonly start: (args: readonly string[], env?: Record<string, string>) => ChildProcessWithoutNullStreams;
}

async function makeStage(kubectl: string): Promise<Stage> {
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
      const child = execFile(kubectl, [...flags, ...args], options, (error, stdout, stderr) =>
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
    start: (args, env = {}) => spawn(kubectl, [...flags, ...args], { env: { ...process.env, ...env } }),
    async [Symbol.asyncDispose]() {
      clearInterval(pace);
      await door[Symbol.asyncDispose]();
      made[Symbol.dispose]();
    },
  };
}

/** Like vitest's `test`, with a stage; skipped, with the reason, on a machine without that kubectl. */
export function stageTest(minor: string, name: string, body: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: TIMEOUT_MS }, async (context) => {
    const kubectl = findKubectl(minor);
    if (kubectl === undefined) return context.skip(`no kubectl ${minor} on this machine`);
    await using stage = await makeStage(kubectl);
    await body(stage);
  });
}

/** The local ports that kubectl says it listens on. */
export function forwardedPorts(stdout: NodeJS.ReadableStream, count: number): Promise<number[]> {
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
export function get(port: number): Promise<string> {
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
