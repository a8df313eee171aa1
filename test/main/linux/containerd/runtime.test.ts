// containerd: images, sandboxes, containers, exec, logs, and what a reopened workspace brings back.
import { expect, test } from 'vitest';
import {
  makeContainerd,
  RuntimeError,
  type Cni,
  type ContainerdDaemon,
  type ContainerImage,
  type ContainerSpec,
  type PodInfo,
  type SandboxSpec,
} from '../../../../main/linux/containerd/index.ts';
import { makeMachine, type Machine } from '../../../../main/linux/machine/index.ts';
import type { OpenFile, Program } from '../../../../main/linux/kernel/index.ts';
import { makeRandom, type Simulation } from '../../../../main/simulation/index.ts';
import type { Store } from '../../../../main/storage/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation } from '../../../support/make-machine.ts';

/** A server: runs until it is told to end. */
const serve: Program = async (proc) => {
  await proc.stdout.write(`serving as ${proc.pid} in ${proc.cwd} as ${proc.credentials.uid}\n`);
  proc.onSignal('SIGTERM', () => undefined);
  await proc.sleep(1e12).catch(() => undefined);
  await proc.stdout.write('bye\n');
  return 0;
};
const show: Program = async (proc) => {
  await proc.stdout.write(
    `${proc.argv.slice(1).join(',')} HOME=${proc.env.get('HOME')} A=${proc.env.get('A')} host=${proc.kernel.hostname}`,
  );
  return 3;
};
const write: Program = async (proc) => {
  proc.fs.writeFile(proc.argv[1]!, `${proc.argv[2]}\n`);
  return 0;
};
const cat: Program = async (proc) => {
  if (proc.argv.length === 1) await proc.stdout.copyFrom(proc.stdin);
  for (const path of proc.argv.slice(1)) await proc.stdout.write(proc.fs.readFile(path));
  return 0;
};
const hog: Program = async (proc) => {
  for (let size = 1; ; size *= 2) {
    proc.useMemory(size * 1024 ** 2);
    await proc.sleep(10);
  }
};

const WEB: ContainerImage = {
  name: 'docker.io/library/web:1.0',
  sizeBytes: 50_000_000,
  files: new Map([
    [
      '/etc/passwd',
      { type: 'file', content: 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:web:/var/www:/sbin/nologin\n' },
    ],
    ['/bin/serve', { type: 'program', program: serve, name: 'serve' }],
    ['/bin/show', { type: 'program', program: show, name: 'show' }],
    ['/bin/write', { type: 'program', program: write, name: 'write' }],
    ['/bin/cat', { type: 'program', program: cat, name: 'cat' }],
    ['/bin/hog', { type: 'program', program: hog, name: 'hog' }],
    ['/var/www/index.html', { type: 'file', content: 'default\n' }],
  ] as const),
  entrypoint: ['serve'],
  env: ['PATH=/bin', 'A=image'],
  workingDirectory: '/var/www',
};

interface World {
  readonly clock: Simulation;
  readonly store: Store;
  readonly machine: Machine;
  readonly containerd: ContainerdDaemon;
  readonly cniCalls: string[];
}

function boot(store: Store = makeMemoryStore(), clock: Simulation = makeTestSimulation()): World {
  const machine = makeMachine({
    name: 'worker1',
    clock,
    random: makeRandom(1),
    store,
    net: makeTestNet(clock),
    programs: new Map(),
    onFault: (error) => {
      throw error;
    },
  });
  const cniCalls: string[] = [];
  let last = 1;
  const cni: Cni = {
    add(_id, _net, pod: PodInfo) {
      cniCalls.push(`add ${pod.podName} ${pod.requestedIps?.join() ?? ''}`);
      return Promise.resolve({ ips: pod.requestedIps ?? [`10.244.1.${++last}`] });
    },
    del(_id, _net, pod) {
      cniCalls.push(`del ${pod.podName}`);
      return Promise.resolve();
    },
  };
  const containerd = makeContainerd({
    kernel: machine.kernel,
    clock,
    random: makeRandom(1),
    store,
    prefix: machine.prefix,
    registry: {
      lookup: (name) => (name === WEB.name || name === 'docker.io/library/web:latest' ? WEB : undefined),
    },
    cni,
    makeNetworkNamespace: (name) => makeTestNet(clock, name),
    latency: { sandboxMs: 5, createMs: 5, startMs: 5, pullMs: (image) => image.sizeBytes / 1e5 },
  });
  return { clock, store, machine, containerd, cniCalls };
}

function sandboxSpec(podName = 'web-1'): SandboxSpec {
  return {
    podName,
    podNamespace: 'default',
    podUid: `uid-${podName}`,
    attempt: 0,
    hostname: podName,
    hostNetwork: false,
    labels: {},
    annotations: {},
    cgroupParent: `/kubepods/pod-${podName}`,
  };
}

function containerSpec(spec: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'web',
    attempt: 0,
    image: 'web:1.0',
    env: [],
    mounts: [],
    tty: false,
    stdin: false,
    stdinOnce: false,
    labels: {},
    annotations: {},
    logPath: '/var/log/pods/web.log',
    ...spec,
  };
}

async function settle<T>(world: World, promise: Promise<T>, seconds = 60): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  promise.then(finish, finish);
  await world.clock.advanceUntil(() => done, { seconds });
  return promise;
}

async function start(world: World, spec: Partial<ContainerSpec> = {}): Promise<string> {
  await settle(world, world.containerd.pullImage('web:1.0'));
  const sandbox = await settle(world, world.containerd.runSandbox(sandboxSpec()));
  const container = await settle(world, world.containerd.createContainer(sandbox.id, containerSpec(spec)));
  await settle(world, world.containerd.startContainer(container.id));
  await world.clock.advance({ ms: 20 });
  return container.id;
}

async function exec(
  world: World,
  id: string,
  command: readonly string[],
  stdin?: OpenFile,
): Promise<{ status: unknown; output: string }> {
  const pipe = world.machine.kernel.pipe();
  const ended = world.containerd.exec(id, {
    command,
    stdio: [stdin ?? world.machine.kernel.nullFile(), pipe.writer, pipe.writer],
  });
  const status = await settle(world, ended);
  return { status, output: await settle(world, pipe.reader.readText()) };
}

test('a container runs its image entrypoint, in its directory, as pid 1, and its output is in the CRI log', async () => {
  const world = boot();
  const id = await start(world);
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(world.containerd.containerStatus(id)).toMatchObject({
    state: 'running',
    imageId: expect.stringMatching(/^sha256:/) as string,
  });
  expect(world.machine.kernel.files.readText('/var/log/pods/web.log')).toMatch(
    /^2024-03-01T00:00:00\.\d{9}Z stdout F serving as 1 in \/var\/www as 0\n$/,
  );
  expect(world.containerd.listSandboxes()[0]).toMatchObject({ state: 'ready', ips: ['10.244.1.2'] });
});

test('exec runs in the container: its files, environment, user, host name and pids', async () => {
  const world = boot();
  const id = await start(world, { user: 'web', env: [{ name: 'A', value: 'pod' }] });
  expect(await exec(world, id, ['show', 'x', 'y'])).toEqual({
    status: { kind: 'exited', exitCode: 3 },
    output: 'x,y HOME=/var/www A=pod host=web-1',
  });
  expect(world.machine.kernel.files.readText('/var/log/pods/web.log')).toContain('as 101\n');
  await expect(exec(world, id, ['nope'])).rejects.toThrow(
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
  );
});

test('what one container writes neither another nor the machine sees', async () => {
  const world = boot();
  const one = await start(world);
  const two = await start(world);
  await exec(world, one, ['write', '/var/www/index.html', 'web1']);
  expect((await exec(world, one, ['cat', '/var/www/index.html'])).output).toBe('web1\n');
  expect((await exec(world, two, ['cat', '/var/www/index.html'])).output).toBe('default\n');
  expect(world.machine.kernel.files.exists('/var/www/index.html')).toBe(false);
});

test('a host path is mounted, both ways, or read-only; a single file too', async () => {
  const world = boot();
  world.machine.kernel.files.writeFile('/etc/pod-hosts', '10.0.0.1 x\n');
  const id = await start(world, {
    mounts: [
      { containerPath: '/data/deep', hostPath: '/srv/volume' },
      { containerPath: '/etc/hosts', hostPath: '/etc/pod-hosts', readOnly: true },
    ],
  });
  await exec(world, id, ['write', '/data/deep/f', 'shared']);
  expect(world.machine.kernel.files.readText('/srv/volume/f')).toBe('shared\n');
  expect((await exec(world, id, ['cat', '/etc/hosts', '/data/deep/f'])).output).toBe('10.0.0.1 x\nshared\n');
  const view = world.machine.kernel.process(world.containerd.containerStatus(id)!.pid!)!.fs;
  expect(() => view.writeFile('/etc/hosts', 'no')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  expect(view.readdir('/etc').map(({ name }) => name)).toEqual(['hosts', 'passwd']);
});

test('stopping sends the stop signal and waits; a process that ignores it is killed after the grace period', async () => {
  const world = boot();
  const polite = await start(world);
  await settle(world, world.containerd.stopContainer(polite, 30_000));
  expect(world.containerd.containerStatus(polite)).toMatchObject({
    state: 'exited',
    exitCode: 0,
    reason: 'Completed',
  });
  expect(world.machine.kernel.files.readText('/var/log/pods/web.log')).toContain('stdout F bye\n');

  const stubborn = await start(world, { command: ['cat'], stdin: true });
  const before = world.clock.now();
  await settle(world, world.containerd.stopContainer(stubborn, 30_000));
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(30_000);
  expect(world.containerd.containerStatus(stubborn)).toMatchObject({
    state: 'exited',
    exitCode: 137,
    reason: 'Error',
  });
});

test('a command that is not there is a StartError with exit code 128, in the words of runc', async () => {
  const world = boot();
  await expect(start(world, { command: ['foo'] })).rejects.toThrow(
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "foo": executable file not found in $PATH: unknown',
  );
  expect(world.containerd.listContainers()[0]).toMatchObject({
    state: 'exited',
    exitCode: 128,
    reason: 'StartError',
    startedMs: undefined,
  });
});

test('a container over its memory limit is OOMKilled', async () => {
  const world = boot();
  const id = await start(world, { command: ['hog'], memoryMaxBytes: 64 * 1024 ** 2 });
  await world.clock.advance({ seconds: 5 });
  expect(world.containerd.containerStatus(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  expect(world.machine.kernel.messages.at(-1)?.text).toMatch(
    /^Memory cgroup out of memory: Killed process \d+ \(hog\)/,
  );
});

test('an image that no registry has cannot be pulled, and says so as containerd does', async () => {
  const world = boot();
  await expect(settle(world, world.containerd.pullImage('web:9'))).rejects.toThrow(
    new RuntimeError(
      'NotFound',
      'failed to pull and unpack image "docker.io/library/web:9": failed to resolve reference "docker.io/library/web:9": docker.io/library/web:9: not found',
    ),
  );
  await expect(settle(world, world.containerd.pullImage('quay.io/x/y:1'))).rejects.toThrow(
    'quay.io/x/y:1: not found',
  );
  await expect(settle(world, world.containerd.pullImage('nope'))).rejects.toThrow(
    'pull access denied, repository does not exist or may require authorization',
  );
  const before = world.clock.now();
  const [one, two] = await settle(
    world,
    Promise.all([world.containerd.pullImage('web:1.0'), world.containerd.pullImage('web:1.0')]),
  );
  expect(world.clock.now() - before).toBeCloseTo(500, 0);
  expect(one).toBe(two);
  expect(world.containerd.listImages()).toMatchObject([
    {
      repoTags: ['docker.io/library/web:1.0'],
      repoDigests: [expect.stringMatching(/^docker.io\/library\/web@sha256:/) as string],
    },
  ]);
});

test('an image can be tagged, saved to a tar file and loaded on another machine', async () => {
  const [one, two] = [boot(), boot()];
  await settle(one, one.containerd.pullImage('web:1.0'));
  one.containerd.tagImage('web:1.0', 'registry.local:5000/team/web:v2');
  const archive = one.containerd.exportImages(['web:1.0']);
  expect(two.containerd.importArchive(archive)).toMatchObject([
    { repoTags: ['docker.io/library/web:1.0'], image: WEB },
  ]);
  expect(one.containerd.imageStatus('registry.local:5000/team/web:v2')?.id).toBe(
    two.containerd.listImages()[0]!.id,
  );
  expect(() => two.containerd.importArchive(Buffer.from('not a tar'))).toThrow('unrecognized image format');
  expect(() => two.containerd.exportImages(['nothing'])).toThrow('image "nothing": not found');
  expect(boot(one.store, one.clock).containerd.listImages()).toEqual(one.containerd.listImages());
});

test('attach joins the input and output of the first process', async () => {
  const world = boot();
  const id = await start(world, { command: ['cat'], stdin: true, stdinOnce: true });
  const [input, output] = [world.machine.kernel.pipe(), world.machine.kernel.pipe()];
  const attached = world.containerd.attach(id, {
    command: [],
    stdio: [input.reader, output.writer, output.writer],
  });
  await input.writer.write('hello\n');
  await world.clock.advance({ ms: 5 });
  expect(Buffer.from(await output.reader.read()).toString()).toBe('hello\n');
  world.machine.kernel.closeFile(input.writer);
  expect(await settle(world, attached)).toEqual({ kind: 'exited', exitCode: 0 });
});

test('a client that attaches without input leaves it open for another', async () => {
  const world = boot();
  const id = await start(world, { command: ['cat'], stdin: true, stdinOnce: true });
  const { kernel } = world.machine;
  const output = kernel.pipe();
  const client = new AbortController();
  void world.containerd.attach(id, {
    command: [],
    signal: client.signal,
    hasInput: false,
    stdio: [kernel.nullFile(), output.writer, output.writer],
  });
  await world.clock.advance({ ms: 5 });
  expect(world.containerd.containerStatus(id)?.state).toBe('running');
});

test('removing a sandbox ends its containers, gives the address back and leaves no record', async () => {
  const world = boot();
  await start(world);
  const [sandbox] = world.containerd.listSandboxes();
  const events: string[] = [];
  world.containerd.onEvent(({ kind }) => events.push(kind));
  await settle(world, world.containerd.removeSandbox(sandbox!.id));
  expect(world.containerd.listContainers()).toEqual([]);
  expect(world.cniCalls).toEqual(['add web-1 ', 'del web-1']);
  expect(events).toEqual(['stopped', 'stopped', 'deleted', 'deleted']);
  expect(world.store.list('/machines/worker1/containers/')).toEqual([]);
  expect(world.store.list('/machines/worker1/containerd/container')).toEqual([]);
  expect(world.machine.kernel.listProcesses().map(({ pid }) => pid)).toEqual([1]);
});

test('after a reopen a running container runs again: same id, address, start and files, and its log goes on', async () => {
  const before = boot();
  const id = await start(before);
  await exec(before, id, ['write', '/var/www/index.html', 'web1']);
  const was = before.containerd.containerStatus(id)!;
  await before.clock.advance({ seconds: 1 });

  const after = boot(before.store, before.clock);
  expect(after.containerd.containerStatus(id)).toMatchObject({ state: 'running', pid: undefined });
  await settle(after, after.containerd.resume());
  await after.clock.advance({ ms: 10 });
  expect(after.cniCalls).toEqual(['add web-1 10.244.1.2']);
  expect(after.containerd.containerStatus(id)).toMatchObject({
    state: 'running',
    startedMs: was.startedMs,
    spec: was.spec,
    imageId: was.imageId,
  });
  expect((await exec(after, id, ['cat', '/var/www/index.html'])).output).toBe('web1\n');
  expect(after.machine.kernel.files.readText('/var/log/pods/web.log').match(/serving as 1/g)).toHaveLength(2);
  expect(await start(after)).not.toBe(id);
});

test("the sandbox image is the configuration's; one that can not be had keeps pods from starting", async () => {
  const world = boot();
  const { files } = world.machine.kernel;
  files.mkdir('/etc/containerd', { recursive: true });
  files.writeFile(
    '/etc/containerd/config.toml',
    'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "web:1.0"\n',
  );
  await settle(world, world.containerd.runSandbox(sandboxSpec('one')));
  expect(world.containerd.listImages().flatMap(({ repoTags }) => repoTags)).toEqual([
    'docker.io/library/web:1.0',
  ]);
  files.writeFile('/etc/containerd/config.toml', '[plugins]\n  sandbox_image = "nope:1"\n');
  await expect(settle(world, world.containerd.runSandbox(sandboxSpec('two')))).rejects.toThrow(
    'failed to get sandbox image "nope:1": failed to pull image "nope:1": failed to pull and unpack image "docker.io/library/nope:1"',
  );
});
