// A whole cluster on a temporary workspace with a test clock, and what tests do to it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Cluster,
  NO_LATENCY,
  requireProfile,
  withNodes,
  type CommandResult,
  type Profile,
} from '../../main/cluster/index.ts';
import { makeRandom, Simulation, type Duration } from '../../main/simulation/index.ts';
import { SqliteStore } from '../../main/storage/index.ts';
import { hostLoop } from './host-loop.ts';

export interface TestCluster extends Disposable {
  readonly cluster: Cluster;
  readonly clock: Simulation;
  readonly store: SqliteStore;
  /** What was thrown where nothing may be. */
  readonly faults: unknown[];
  /** Runs a bash script on a machine (the control plane if none is named) and lets time run until it has ended. */
  run(script: string, machine?: string): Promise<CommandResult>;
  /** Lets time run flat out until the work is done. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Switches it off and on again: another process that opens the same workspace. */
  reopen(): Promise<TestCluster>;
}

export interface TestClusterOptions {
  readonly seed?: number;
  readonly nodes?: number;
  /** `current` if none is named. */
  readonly profile?: string;
  readonly startMs?: number;
  readonly cni?: Profile['cni'];
  /** An existing workspace. */
  readonly folder?: string;
}

const WITHIN: Duration = { minutes: 10 };
/** 2026-03-02T08:00:00Z, a Monday. */
const START_MS = Date.UTC(2026, 2, 2, 8);

/** Boots (or, of an existing workspace, resumes) a cluster without latencies. */
export async function makeCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'drydock-cluster-'));
  const store = new SqliteStore({ path: join(folder, 'workspace.drydock'), turns: hostLoop });
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const clock = new Simulation({ startMs: options.startMs ?? START_MS, host: hostLoop, onFault });
  const named = requireProfile(options.profile ?? 'current');
  const profile = {
    ...withNodes(named, options.nodes ?? 3),
    latencies: NO_LATENCY,
    ...(options.cni === undefined ? {} : { cni: options.cni }),
  };
  const controlPlane = profile.machines.find(({ role }) => role === 'control-plane')!.name;
  const cluster = new Cluster({
    simulation: clock,
    store,
    random: makeRandom(options.seed ?? 7),
    profile,
    onFault,
  });
  await cluster.start();

  const until = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    const done = work.finally(() => (settled = true));
    done.catch(() => undefined); // Told by the await below.
    if (!(await clock.advanceUntil(() => settled, WITHIN)))
      throw new Error('it did not end in ten virtual minutes');
    return done;
  };
  const close = (): void => {
    cluster[Symbol.dispose]();
    clock[Symbol.dispose]();
    store[Symbol.dispose]();
  };
  return {
    cluster,
    clock,
    store,
    faults,
    until,
    run: (script, machine = controlPlane) => until(cluster.world.runOnMachine(machine, script)),
    reopen() {
      const startMs = clock.now() + 1000;
      close();
      return makeCluster({ ...options, folder, startMs });
    },
    [Symbol.dispose]() {
      close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
