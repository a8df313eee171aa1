// The lab that is open: its run, its cluster, and the snapshots its steps begin from.
import type { Course, LabState } from '../../preload/contract.ts';
import {
  listCourses,
  loadLab,
  LabRun,
  pointsMaxOf,
  pointsOf,
  readProgress,
  type LabWorld,
} from '../lab/index.ts';
import type { Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import type { ClusterDesk } from './cluster-desk.ts';
import { SessionError } from './session-error.ts';

export interface LabDeskOptions {
  readonly labsFolder: string;
  readonly simulation: Simulation;
  readonly store: Store;
  readonly clusters: ClusterDesk;
  /** Makes a seed for a new cluster. */
  readonly newSeed: () => string;
  readonly onChange: (state: LabState) => void;
  /** Called around a change of cluster. */
  readonly terminals: {
    suspend(): void;
    resume(): Promise<void>;
    restore(machines: readonly string[]): Promise<void>;
    play(machine: string, script: string): Promise<void>;
  };
  /** True while a person looks on and time runs. */
  readonly watched: () => boolean;
}

const OPEN_KEY = '/lab/open';
/** Virtual time after which a check or a solution is given up: something in it never ends. */
const GIVE_UP = { minutes: 30 } as const;

export class LabDesk {
  private readonly options: LabDeskOptions;
  private run: LabRun | undefined;

  constructor(options: LabDeskOptions) {
    this.options = options;
  }

  courses(): Course[] {
    const { labsFolder, store } = this.options;
    return listCourses(labsFolder).map(({ id, title, labIds }) => ({
      id,
      title,
      labs: labIds.map((labId) => {
        const lab = loadLab(labsFolder, labId);
        const progress = readProgress(store, lab);
        return {
          id: labId,
          course: id,
          title: lab.title,
          summary: lab.summary,
          minutes: lab.minutes,
          level: lab.level,
          stepCount: lab.steps.length,
          pointsMax: pointsMaxOf(lab),
          progress: {
            started: progress !== undefined,
            stepsPassed: progress?.steps.filter((step) => step.passed).length ?? 0,
            points: progress === undefined ? 0 : pointsOf(lab, progress),
          },
        };
      }),
    }));
  }

  get state(): LabState | undefined {
    return this.run?.state();
  }

  /** Opens again what the workspace had open. */
  resume(): void {
    const record = this.options.store.get(OPEN_KEY);
    if (record !== undefined) this.begin(String(record.value));
  }

  async open(labId: string): Promise<LabState> {
    const { store, clusters, newSeed } = this.options;
    const lab = loadLab(this.options.labsFolder, labId);
    await this.withTerminals(() =>
      clusters.switchTo({ owner: labId, profile: lab.profile, seed: newSeed(), images: lab.images }),
    );
    const run = this.begin(labId);
    store.save([{ key: OPEN_KEY, value: labId }]);
    this.snapshotStep(run, run.state().currentStep);
    return this.changed(run);
  }

  close(): void {
    this.run = undefined;
    this.options.store.save([{ key: OPEN_KEY, value: undefined }]);
  }

  goTo(step: number): LabState {
    const run = this.require();
    run.goTo(step);
    this.snapshotStep(run, step);
    return run.state();
  }

  takeHint(step: number, hint: number): LabState {
    const run = this.require();
    run.takeHint(step, hint);
    return run.state();
  }

  check(step: number): Promise<LabState> {
    return this.busy('checking', async (run, world) => {
      const passed = await this.flatOut(run.check(step, world));
      if (passed && step + 1 < run.lab.steps.length) this.snapshotStep(run, step + 1, true);
    });
  }

  solve(step: number): Promise<LabState> {
    return this.busy('solving', async (run) => {
      const { solution, solutionMachine } = run.lab.steps[step] ?? fail(`The lab has no step ${step + 1}.`);
      const { terminals, watched } = this.options;
      const playing = terminals.play(solutionMachine, solution);
      // Somebody who watches sees it typed; otherwise nobody is kept waiting.
      await (watched() ? playing : this.flatOut(playing));
    });
  }

  reset(step: number): Promise<LabState> {
    return this.busy('resetting', async (run) => {
      const name = run.snapshotName(step);
      if (!this.options.clusters.hasSnapshot(name))
        fail('This step was never begun, so there is nothing to go back to.');
      await this.withTerminals(() => this.options.clusters.restoreSnapshot(name));
      run.clear(step);
    });
  }

  async restart(): Promise<LabState> {
    return this.busy('resetting', async (run) => {
      const { clusters, newSeed } = this.options;
      await this.withTerminals(() =>
        clusters.replace({
          owner: run.lab.id,
          profile: run.lab.profile,
          seed: newSeed(),
          images: run.lab.images,
        }),
      );
      run.restart();
      this.snapshotStep(run, 0, true);
    });
  }

  private begin(labId: string): LabRun {
    const { labsFolder, store } = this.options;
    const run: LabRun = new LabRun({
      lab: loadLab(labsFolder, labId),
      store,
      onChange: () => this.changed(run),
    });
    this.run = run;
    return run;
  }

  private changed(run: LabRun): LabState {
    const state = run.state();
    if (this.run === run) this.options.onChange(state);
    return state;
  }

  /** A step begins from the state in which it was first shown. */
  private snapshotStep(run: LabRun, step: number, again = false): void {
    const name = run.snapshotName(step);
    if (again || !this.options.clusters.hasSnapshot(name)) this.options.clusters.takeSnapshot(name);
  }

  private async withTerminals(change: () => Promise<void>): Promise<void> {
    const { terminals, clusters } = this.options;
    const before = clusters.cluster;
    terminals.suspend();
    await change();
    if (before === undefined) await terminals.restore(nodesOf(clusters));
    else await terminals.resume();
  }

  private async busy(
    what: NonNullable<LabState['busy']>,
    work: (run: LabRun, world: LabWorld) => Promise<void>,
  ): Promise<LabState> {
    const run = this.require();
    if (run.busy !== undefined) throw new SessionError('busy', 'The lab is still busy; wait a moment.');
    const world =
      this.options.clusters.cluster?.world ?? fail('The cluster of this lab is not running.', 'no-cluster');
    run.busy = what;
    try {
      await work(run, world);
    } finally {
      run.busy = undefined;
    }
    return run.state();
  }

  /** Lets the clock run as fast as it can until the work is done. */
  private async flatOut<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => (settled = true));
    done.catch(() => undefined); // Told by the await below.
    if (!(await this.options.simulation.advanceUntil(() => settled, GIVE_UP))) {
      fail('It did not come to an end within half an hour of virtual time.');
    }
    return done;
  }

  private require(): LabRun {
    return this.run ?? fail('No lab is open.', 'no-lab');
  }
}

function nodesOf(clusters: ClusterDesk): string[] {
  return clusters
    .state()
    .machines.filter(({ role }) => role !== 'client')
    .map(({ name }) => name);
}

function fail(message: string, reason: 'failed' | 'no-lab' | 'no-cluster' = 'failed'): never {
  throw new SessionError(reason, message);
}
