// A machine with dockerd and containerd, the whole catalogue, and a shell that has their commands.
import { makeCatalogue } from '../../main/images/index.ts';
import { machinePrograms } from '../../main/linux/commands/index.ts';
import { makeContainerd, type ContainerdDaemon } from '../../main/linux/containerd/index.ts';
import { makeEngine, nerdSocket, type EngineDaemon } from '../../main/linux/docker/index.ts';
import { makeMachine, type Machine } from '../../main/linux/machine/index.ts';
import { bash } from '../../main/linux/shell/index.ts';
import { makeRandom, type Simulation } from '../../main/simulation/index.ts';
import type { Store } from '../../main/storage/index.ts';
import { makeMemoryStore } from './memory-store.ts';
import { makeTestNet, makeTestSimulation, run, type RunResult } from './make-machine.ts';

export interface DockerMachine {
  readonly clock: Simulation;
  readonly machine: Machine;
  readonly engine: EngineDaemon;
  readonly containerd: ContainerdDaemon;
  /** Runs a script in bash. */
  sh(script: string, withinMs?: number): Promise<RunResult>;
}

export async function makeDockerMachine(
  options: { readonly store?: Store; readonly faults?: unknown[]; readonly clock?: Simulation } = {},
): Promise<DockerMachine> {
  const clock = options.clock ?? makeTestSimulation(options.faults);
  const store = options.store ?? makeMemoryStore();
  const net = makeTestNet(clock);
  const programs = new Map(
    [...machinePrograms(['docker-ce-cli', 'nerdctl', 'cri-tools', 'containerd.io', 'net-tools'])].map(
      ([path, { program }]) => [path, program] as const,
    ),
  );
  programs.set('/usr/bin/bash', bash);
  programs.set('/usr/bin/sh', bash);
  const onFault = (error: unknown): void => {
    if (options.faults === undefined) throw error;
    options.faults.push(error);
  };
  const machine = makeMachine({
    name: 'worker1',
    clock,
    random: makeRandom(1),
    store,
    net,
    programs,
    onFault,
  });
  const registry = makeCatalogue({
    client: () => {
      throw new Error('no cluster here');
    },
    programs: new Map(),
  });
  const makeNetworkNamespace = (name: string): ReturnType<typeof makeTestNet> => makeTestNet(clock, name);
  const common = { kernel: machine.kernel, clock, store, prefix: machine.prefix, makeNetworkNamespace };
  const containerd = makeContainerd({
    ...common,
    random: makeRandom(1),
    registry,
    cni: { add: () => Promise.resolve({ ips: ['10.244.1.5'] }), del: () => Promise.resolve() },
  });
  const engine = makeEngine({
    ...common,
    random: makeRandom(2),
    flavour: 'docker',
    version: '20.10.24',
    imagesOf: () => containerd.imagesOf('k8s.io'),
  });
  const nerd = makeEngine({
    ...common,
    random: makeRandom(3),
    flavour: 'nerdctl',
    version: containerd.version,
    imagesOf: (name) => containerd.imagesOf(name),
  });
  const unit = { description: '', enabledByDefault: true } as const;
  machine.systemd.define({
    ...unit,
    name: 'containerd.service',
    execStart: ['/usr/bin/containerd'],
    program: async (proc) => {
      using _nerd = proc.kernel.bindService(nerdSocket, nerd);
      return await containerd.program(proc);
    },
  });
  machine.systemd.define({
    ...unit,
    name: 'docker.service',
    execStart: ['/usr/bin/dockerd'],
    program: engine.program,
  });
  await engine.resume();
  await machine.boot();
  await clock.advance({ seconds: 1 });
  return {
    clock,
    machine,
    engine,
    containerd,
    sh: (script, withinMs = 120_000) =>
      run({ kernel: machine.kernel, clock, faults: options.faults ?? [] }, ['bash', '-c', script], {
        withinMs,
      }),
  };
}
