// How fast an autoscaler may go: stabilization of recommendations, and the policies of spec.behavior (KEP-853).
import type { HorizontalPodAutoscaler } from '../../api/index.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Behavior = NonNullable<Spec['behavior']>;
type ScalingRules = NonNullable<Behavior['scaleUp']>;

/** --horizontal-pod-autoscaler-downscale-stabilization. */
const DOWNSCALE_WINDOW_MS = 5 * 60_000;
/** Without spec.behavior a step up is at most to twice the size, or to four. */
const SCALE_UP_FACTOR = 2;
const SCALE_UP_MIN = 4;

/** What spec.behavior's policies are when it names none. */
const POLICIES_DEFAULT = {
  up: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
  down: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** What was once wanted, and what was done: kept per autoscaler in memory, as upstream does. */
export interface ScalingMemory {
  recommendations: { readonly replicas: number; readonly atMs: number }[];
  ups: ScaleEvent[];
  downs: ScaleEvent[];
}

interface ScaleEvent {
  readonly change: number;
  readonly atMs: number;
}

export interface ScalingInput {
  readonly behavior: Behavior | undefined;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly nowMs: number;
}

/** A condition's reason and message. */
interface Words {
  readonly reason: string;
  readonly message: string;
}

export interface ScalingDecision {
  readonly replicas: number;
  readonly ableToScale: Words;
  readonly scalingLimited: Words & { readonly status: 'True' | 'False' };
}

const READY: Words = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const UP_STABILIZED: Words = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const DOWN_STABILIZED: Words = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const WITHIN: Words = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_MANY: Words = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Words = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const UP_LIMIT: Words = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const DOWN_LIMIT: Words = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

export function newScalingMemory(): ScalingMemory {
  return { recommendations: [], ups: [], downs: [] };
}

/** The size to go to, of what the metrics ask for. Remembers the recommendation. */
export function decideScale(memory: ScalingMemory, input: ScalingInput): ScalingDecision {
  const { desiredReplicas, behavior } = input;
  const stabilized = stabilize(memory, input);
  const isChanged = stabilized !== desiredReplicas;
  const isUp = behavior !== undefined && desiredReplicas >= input.currentReplicas;
  const ableToScale = isChanged ? (isUp ? UP_STABILIZED : DOWN_STABILIZED) : READY;
  const wanted = { ...input, desiredReplicas: stabilized };
  const { replicas, words } = behavior === undefined ? limitSimply(wanted) : limitByRules(memory, wanted);
  return {
    replicas,
    ableToScale,
    scalingLimited: { ...words, status: replicas === stabilized ? 'False' : 'True' },
  };
}

/** Remembers a change of size, and forgets those that no policy looks back to. */
export function noteScaled(
  memory: ScalingMemory,
  behavior: Behavior | undefined,
  from: number,
  to: number,
  nowMs: number,
): void {
  if (behavior === undefined) return;
  const isUp = to > from;
  const rules = isUp ? behavior.scaleUp : behavior.scaleDown;
  const longestMs = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1000));
  const recent = (events: ScaleEvent[]): ScaleEvent[] =>
    events.filter(({ atMs }) => atMs > nowMs - longestMs);
  const event = { change: Math.abs(to - from), atMs: nowMs };
  if (isUp) memory.ups = [...recent(memory.ups), event];
  else memory.downs = [...recent(memory.downs), event];
}

function stabilize(memory: ScalingMemory, input: ScalingInput): number {
  const { behavior, currentReplicas, desiredReplicas, nowMs } = input;
  const downMs = (behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWNSCALE_WINDOW_MS / 1000) * 1000;
  const upMs = behavior === undefined ? 0 : (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  let up = desiredReplicas;
  let down = desiredReplicas;
  for (const { replicas, atMs } of memory.recommendations) {
    if (atMs > nowMs - upMs) up = Math.min(replicas, up);
    if (atMs > nowMs - downMs) down = Math.max(replicas, down);
  }
  const oldestMs = nowMs - Math.max(upMs, downMs);
  memory.recommendations = [
    ...memory.recommendations.filter(({ atMs }) => atMs > oldestMs),
    { replicas: desiredReplicas, atMs: nowMs },
  ];
  if (behavior === undefined) return down;
  return Math.min(Math.max(currentReplicas, up), down);
}

interface Limited {
  readonly replicas: number;
  readonly words: Words;
}

function limitSimply({ currentReplicas, desiredReplicas, minReplicas, maxReplicas }: ScalingInput): Limited {
  const upLimit = Math.max(SCALE_UP_FACTOR * currentReplicas, SCALE_UP_MIN);
  const max = Math.min(maxReplicas, upLimit);
  if (desiredReplicas < minReplicas) return { replicas: minReplicas, words: TOO_FEW };
  if (desiredReplicas > max) return { replicas: max, words: maxReplicas > upLimit ? UP_LIMIT : TOO_MANY };
  return { replicas: desiredReplicas, words: WITHIN };
}

function limitByRules(memory: ScalingMemory, input: ScalingInput): Limited {
  const { behavior, currentReplicas, desiredReplicas, minReplicas, maxReplicas } = input;
  if (desiredReplicas > currentReplicas) {
    const limit = Math.max(currentReplicas, limitOf(memory, behavior?.scaleUp, input, 'up'));
    const max = Math.min(maxReplicas, limit);
    if (desiredReplicas > max) return { replicas: max, words: maxReplicas > limit ? UP_LIMIT : TOO_MANY };
  } else if (desiredReplicas < currentReplicas) {
    const limit = Math.min(currentReplicas, limitOf(memory, behavior?.scaleDown, input, 'down'));
    const min = Math.max(minReplicas, limit);
    if (desiredReplicas < min) return { replicas: min, words: minReplicas < limit ? DOWN_LIMIT : TOO_FEW };
  }
  return { replicas: desiredReplicas, words: WITHIN };
}

/** How far the policies let the size go in one direction. */
function limitOf(
  { ups, downs }: ScalingMemory,
  rules: ScalingRules | undefined,
  { currentReplicas, nowMs }: ScalingInput,
  direction: 'up' | 'down',
): number {
  const selectPolicy = rules?.selectPolicy ?? 'Max';
  if (selectPolicy === 'Disabled') return currentReplicas;
  const changeSince = (events: readonly ScaleEvent[], periodMs: number): number =>
    events.reduce((sum, { change, atMs }) => (atMs > nowMs - periodMs ? sum + change : sum), 0);
  const limits = (rules?.policies ?? POLICIES_DEFAULT[direction]).map(({ type, value, periodSeconds }) => {
    const periodMs = periodSeconds * 1000;
    const before = currentReplicas - changeSince(ups, periodMs) + changeSince(downs, periodMs);
    if (direction === 'up') return type === 'Pods' ? before + value : Math.ceil(before * (1 + value / 100));
    return type === 'Pods' ? before - value : Math.trunc(before * (1 - value / 100));
  });
  // More change is further up, or further down.
  return (direction === 'up') === (selectPolicy === 'Max') ? Math.max(...limits) : Math.min(...limits);
}
