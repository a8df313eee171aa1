// A machine with containerd and the whole catalogue, on whose network containers run: for tests of what images hold.
import { makeCatalogue, type OwnImage } from '../../main/images/index.ts';
import {
  makeContainerd,
  type ContainerdDaemon,
  type ContainerSpec,
  type ImageRegistry,
} from '../../main/linux/containerd/index.ts';
import { makeMachine, type Machine } from '../../main/linux/machine/index.ts';
import { makeRandom, type Simulation } from '../../main/simulation/index.ts';
import type { Store } from '../../main/storage/index.ts';
import { makeMemoryStore } from './memory-store.ts';
import { makeTestNet, makeTestSimulation } from './make-machine.ts';

export interface ImageMachine {
  readonly clock: Simulation;
  readonly machine: Machine;
  readonly containerd: ContainerdDaemon;
  readonly registry: ImageRegistry;
  /** Pulls the image and starts a container of it; settles with its id at once after the start. */
  start(image: string, spec?: Partial<ContainerSpec>): Promise<string>;
  /** Runs a command in a container to its end. */
  exec(id: string, ...command: readonly string[]): Promise<Output>;
  /** Starts a container, waits for its end and gives what it printed. */
  run(image: string, spec?: Partial<ContainerSpec>): Promise<Output>;
  /** What the container has printed so far, both streams in order, without times. */
  log(id: string): string;
  advance(seconds: number): Promise<void>;
  settle<T>(promise: Promise<T>, seconds?: number): Promise<T>;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export function makeImageMachine(
  options: { readonly store?: Store; readonly faults?: unknown[]; readonly own?: readonly OwnImage[] } = {},
): ImageMachine {
  const clock = makeTestSimulation(options.faults);
  const store = options.store ?? makeMemoryStore();
  const net = makeTestNet(clock);
  const machine = makeMachine({
    name: 'worker1',
    clock,
    random: makeRandom(1),
    store,
    net,
    programs: new Map(),
    onFault: (error) => {
      throw error;
    },
  });
  const registry = makeCatalogue({
    client: () => {
      throw new Error('no cluster here');
    },
    programs: new Map(),
    own: options.own,
  });
  const containerd = makeContainerd({
    kernel: machine.kernel,
    clock,
    random: makeRandom(1),
    store,
    prefix: machine.prefix,
    registry,
    cni: { add: () => Promise.resolve({ ips: [] }), del: () => Promise.resolve() },
    makeNetworkNamespace: (name) => makeTestNet(clock, name),
  });
  let count = 0;

  const settle = async <T>(promise: Promise<T>, seconds = 60): Promise<T> => {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    promise.then(mark, mark);
    await clock.advanceUntil(() => done, { ms: seconds * 1000 });
    if (!done) throw new Error(`not settled within ${seconds} s`);
    return promise;
  };
  const start = async (image: string, spec: Partial<ContainerSpec> = {}): Promise<string> => {
    const name = `c${++count}`;
    const sandbox = await settle(
      containerd.runSandbox({
        podName: name,
        podNamespace: 'default',
        podUid: `uid-${name}`,
        attempt: 0,
        hostname: name,
        hostNetwork: true,
        labels: {},
        annotations: {},
        cgroupParent: `/kubepods/${name}`,
      }),
    );
    await settle(containerd.pullImage(image));
    const { id } = await settle(
      containerd.createContainer(sandbox.id, {
        name,
        attempt: 0,
        image,
        env: [],
        mounts: [],
        tty: false,
        stdin: false,
        stdinOnce: false,
        labels: {},
        annotations: {},
        logPath: `/var/log/${name}.log`,
        ...spec,
      }),
    );
    await settle(containerd.startContainer(id));
    await clock.advance({ ms: 100 });
    return id;
  };
  const lines = (id: string): { stream: string; text: string }[] => {
    const path = containerd.containerStatus(id)?.spec.logPath ?? '';
    const { files } = machine.kernel;
    if (!files.exists(path)) return [];
    return files
      .readText(path)
      .split('\n')
      .flatMap((line) => {
        const match = /^\S+ (stdout|stderr) ([FP]) (.*)$/s.exec(line);
        return match === null
          ? []
          : [{ stream: match[1]!, text: match[3]! + (match[2] === 'F' ? '\n' : '') }];
      });
  };
  const printed = (id: string, stream?: string): string =>
    lines(id)
      .filter((line) => stream === undefined || line.stream === stream)
      .map(({ text }) => text)
      .join('');

  return {
    clock,
    machine,
    containerd,
    registry,
    start,
    settle,
    log: (id) => printed(id),
    advance: (seconds) => clock.advance({ seconds }),
    async exec(id, ...command) {
      const { kernel } = machine;
      const [output, errors] = [kernel.pipe(), kernel.pipe()];
      const texts = Promise.all([output.reader.readText(), errors.reader.readText()]);
      const status = await settle(
        containerd.exec(id, { command, stdio: [kernel.nullFile(), output.writer, errors.writer] }),
      );
      const [stdout, stderr] = await settle(texts);
      return { stdout, stderr, status: status.kind === 'exited' ? status.exitCode : 128 };
    },
    async run(image, spec) {
      const id = await start(image, spec);
      await clock.advanceUntil(() => containerd.containerStatus(id)?.state === 'exited', { ms: 60_000 });
      return {
        stdout: printed(id, 'stdout'),
        stderr: printed(id, 'stderr'),
        status: containerd.containerStatus(id)?.exitCode ?? -1,
      };
    },
  };
}
