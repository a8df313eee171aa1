// A lab as its folder describes it: what lab.yaml, the step texts and the solution scripts hold.
import type { Localized } from '../../preload/contract.ts';
import type { OwnImage } from '../images/index.ts';

/** A lab folder, read and validated. */
export interface Lab {
  /** `course/lab`, from the folders' names. */
  readonly id: string;
  readonly course: string;
  /** Absolute path. */
  readonly folder: string;
  readonly title: Localized;
  readonly summary: Localized;
  readonly aims: readonly Localized[];
  readonly minutes: number;
  readonly level: 'beginner' | 'intermediate' | 'advanced';
  /** Version profile of the cluster. */
  readonly profile: string;
  /** Images that its machines can pull beside the catalogue's. */
  readonly images: readonly OwnImage[];
  readonly steps: readonly LabStep[];
}

export interface LabStep {
  /** Also the file names under steps/. */
  readonly name: string;
  readonly title: Localized;
  /** Markdown. */
  readonly text: Localized;
  readonly checks: readonly LabCheck[];
  readonly hints: readonly { readonly cost: number; readonly text: Localized }[];
  /** Typed into a shell on `solutionMachine`. */
  readonly solution: string;
  readonly solutionMachine: string;
}

/** One thing that must be true, worth some points. */
export interface LabCheck {
  /** Unique in its step. */
  readonly id: string;
  readonly title: Localized;
  readonly points: number;
  readonly condition: Condition;
  /** Virtual ms within which it has to become true; 0: now. */
  readonly withinMs: number;
}

/** What a check looks at. */
export type Condition =
  | { readonly kind: 'objects'; readonly objects: ObjectsCondition }
  | { readonly kind: 'command'; readonly command: CommandCondition }
  | { readonly kind: 'http'; readonly http: HttpCondition }
  | { readonly kind: 'history'; readonly history: HistoryCondition }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };

/** An API object, or a list, of which a CEL expression must hold (variables `object`, or `items` without a name). */
export interface ObjectsCondition {
  /** `plural` or `plural.group`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly selector?: string;
  readonly cel: string;
}

/** A command run aside, on a machine or in each pod that matches, and what it must give. */
export interface CommandCondition {
  readonly machine?: string;
  readonly pods?: { readonly namespace: string; readonly selector: string };
  /** A bash script on a machine, an sh script in a pod. */
  readonly run: string;
  readonly expect: {
    readonly exitCode?: number;
    /** A regular expression on standard output. */
    readonly stdout?: string;
    /** The outputs of all pods, trimmed, in any order. */
    readonly outputs?: readonly string[];
  };
}

/** HTTP requests, each on a connection of its own, and what their answers must be. */
export interface HttpCondition {
  /** The machine that asks. */
  readonly from: string;
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
    readonly path?: string;
  };
  readonly requests: number;
  readonly expect: {
    readonly status?: number;
    /** Bodies, trimmed, each of which must come at least once, and no other. */
    readonly bodies?: readonly string[];
    readonly sameBody?: boolean;
    /** How many different bodies there must be. */
    readonly distinct?: number;
  };
}

/** The learner typed it: a regular expression on the lines of a machine's shell history. */
export interface HistoryCondition {
  readonly machine: string;
  readonly matches: string;
}

/** Points that all checks of a lab are worth together. */
export function pointsMaxOf(lab: Lab): number {
  return lab.steps.reduce(
    (sum, step) => sum + step.checks.reduce((points, check) => points + check.points, 0),
    0,
  );
}
