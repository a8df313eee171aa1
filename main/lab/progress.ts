// What a learner has reached in a lab, as it is kept in the workspace.
import type { Store } from '../storage/index.ts';
import type { CheckState } from '../../preload/contract.ts';
import type { Lab } from './lab.ts';

export interface CheckProgress {
  readonly status: CheckState['status'];
  readonly message?: CheckState['message'];
}

export interface StepProgress {
  readonly passed: boolean;
  /** By check id. */
  readonly checks: Readonly<Record<string, CheckProgress>>;
  /** Indexes of the hints taken. */
  readonly hints: readonly number[];
}

export interface LabProgress {
  readonly currentStep: number;
  readonly steps: readonly StepProgress[];
}

/** Where a lab's progress stands in the workspace. */
function progressKey(labId: string): string {
  return `/lab/progress/${labId}`;
}

/** A lab that nobody has begun. */
export function emptyProgress(lab: Lab): LabProgress {
  return { currentStep: 0, steps: lab.steps.map(() => ({ passed: false, checks: {}, hints: [] })) };
}

/** The saved progress, fitted to the lab as it is now; undefined if it was never opened. */
export function readProgress(store: Store, lab: Lab): LabProgress | undefined {
  const record = store.get(progressKey(lab.id));
  if (record === undefined) return undefined;
  const saved = JSON.parse(String(record.value)) as LabProgress;
  const empty = emptyProgress(lab);
  return {
    currentStep: Math.min(saved.currentStep, lab.steps.length - 1),
    steps: empty.steps.map((step, index) => saved.steps[index] ?? step),
  };
}

export function writeProgress(store: Store, lab: Lab, progress: LabProgress): void {
  store.save([{ key: progressKey(lab.id), value: JSON.stringify(progress) }]);
}

/** Points for passed checks, less what hints cost; never below zero in a step. */
export function pointsOf(lab: Lab, progress: LabProgress): number {
  return lab.steps.reduce((sum, step, index) => {
    const { checks, hints } = progress.steps[index]!;
    const earned = step.checks.reduce(
      (points, check) => points + (checks[check.id]?.status === 'passed' ? check.points : 0),
      0,
    );
    const spent = hints.reduce((cost, hint) => cost + (step.hints[hint]?.cost ?? 0), 0);
    return sum + Math.max(0, earned - spent);
  }, 0);
}
