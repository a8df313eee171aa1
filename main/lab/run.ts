// One learner's way through one lab: steps, checks, hints, score, all kept in the workspace as they change.
import type { LabState, StepState } from '../../preload/contract.ts';
import type { Store } from '../storage/index.ts';
import { runCheck } from './checks/index.ts';
import { pointsMaxOf, type Lab, type LabStep } from './lab.ts';
import {
  emptyProgress,
  pointsOf,
  readProgress,
  writeProgress,
  type LabProgress,
  type StepProgress,
} from './progress.ts';
import type { World as LabWorld } from '../cluster/index.ts';

export interface LabRunOptions {
  readonly lab: Lab;
  readonly store: Store;
  /** Called after every change of state. */
  readonly onChange: () => void;
}

/** A lab in progress. Reads what the workspace holds of it, or begins it. */
export class LabRun {
  readonly lab: Lab;
  private readonly store: Store;
  private readonly onChange: () => void;
  private progress: LabProgress;
  private busyWith: LabState['busy'];

  constructor({ lab, store, onChange }: LabRunOptions) {
    this.lab = lab;
    this.store = store;
    this.onChange = onChange;
    this.progress = readProgress(store, lab) ?? emptyProgress(lab);
    writeProgress(store, lab, this.progress);
  }

  get busy(): LabState['busy'] {
    return this.busyWith;
  }

  set busy(busy: LabState['busy']) {
    this.busyWith = busy;
    this.onChange();
  }

  /** The name of the snapshot from which a step begins. */
  snapshotName(step: number): string {
    return `lab/${this.lab.id}/${this.requireStep(step).name}`;
  }

  /** Shows another step. Throws RangeError if there is none of that number. */
  goTo(step: number): void {
    this.requireStep(step);
    this.save({ ...this.progress, currentStep: step });
  }

  takeHint(step: number, hint: number): void {
    if (this.requireStep(step).hints[hint] === undefined)
      throw new RangeError(`step ${step} has no hint ${hint}`);
    const { hints } = this.progress.steps[step]!;
    if (!hints.includes(hint)) this.saveStep(step, { hints: [...hints, hint].sort((a, b) => a - b) });
  }

  /** Runs a step's checks one after another. The step has passed once all hold; a pass is kept. */
  async check(step: number, world: LabWorld): Promise<boolean> {
    const { checks } = this.requireStep(step);
    let passed = true;
    for (const check of checks) {
      const verdict = await runCheck(world, check);
      passed &&= verdict.holds;
      const result = verdict.holds
        ? { status: 'passed' as const }
        : { status: 'failed' as const, message: verdict.message };
      this.saveStep(step, { checks: { ...this.progress.steps[step]!.checks, [check.id]: result } });
    }
    if (passed) this.saveStep(step, { passed: true });
    return passed;
  }

  /** Forgets what was reached in a step. */
  clear(step: number): void {
    this.requireStep(step);
    this.saveStep(step, { passed: false, checks: {} });
  }

  /** Forgets everything. */
  restart(): void {
    this.save(emptyProgress(this.lab));
  }

  state(): LabState {
    const { lab, progress } = this;
    return {
      id: lab.id,
      title: lab.title,
      aims: lab.aims,
      currentStep: progress.currentStep,
      steps: lab.steps.map((step, index) => stepState(step, progress.steps[index]!)),
      points: pointsOf(lab, progress),
      pointsMax: pointsMaxOf(lab),
      busy: this.busyWith,
    };
  }

  private requireStep(step: number): LabStep {
    const found = this.lab.steps[step];
    if (found === undefined) throw new RangeError(`the lab ${this.lab.id} has no step ${step}`);
    return found;
  }

  private saveStep(step: number, change: Partial<StepProgress>): void {
    const steps = this.progress.steps.map((each, index) => (index === step ? { ...each, ...change } : each));
    this.save({ ...this.progress, steps });
  }

  private save(progress: LabProgress): void {
    this.progress = progress;
    writeProgress(this.store, this.lab, progress);
    this.onChange();
  }
}

function stepState(step: LabStep, progress: StepProgress): StepState {
  return {
    title: step.title,
    text: step.text,
    passed: progress.passed,
    checks: step.checks.map(({ id, title, points }) => ({
      id,
      title,
      points,
      ...(progress.checks[id] ?? { status: 'pending' }),
    })),
    hints: step.hints.map(({ cost, text }, index) => ({
      cost,
      text: progress.hints.includes(index) ? text : undefined,
    })),
  };
}
