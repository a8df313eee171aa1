// A Deployment's status: counts, conditions, and whether it gets anywhere before its deadline.
import { rfc3339 } from '../../../simulation/index.ts';
import type { Deployment, ReplicaSet, Stored } from '../../api/index.ts';
import { instant } from '../pod-state.ts';
import { omitEmpty, withCondition, withoutCondition } from '../status.ts';
import { maxUnavailableOf } from './rolling.ts';
import { actualReplicas, desiredReplicas } from './sizes.ts';

export type DeploymentStatus = NonNullable<Deployment['status']>;
type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];

const NO_DEADLINE_SECONDS = 2_147_483_647;
const COMPLETE = 'NewReplicaSetAvailable';
const TIMED_OUT = 'ProgressDeadlineExceeded';

export function conditionOf(
  status: DeploymentStatus | undefined,
  type: string,
): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** A condition of this instant. */
export function deploymentCondition(
  nowMs: number,
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
): DeploymentCondition {
  const time = rfc3339(nowMs);
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message };
}

export function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_DEADLINE_SECONDS;
}

/** The counts and the Available condition, as they follow from the ReplicaSets. */
export function countedStatus(
  deployment: Stored<Deployment>,
  all: readonly Stored<ReplicaSet>[],
  newest: Stored<ReplicaSet> | undefined,
  nowMs: number,
): DeploymentStatus {
  const available = actualReplicas(all, 'availableReplicas');
  const enough = available >= (deployment.spec!.replicas ?? 1) - maxUnavailableOf(deployment);
  const condition = enough
    ? deploymentCondition(
        nowMs,
        'Available',
        'True',
        'MinimumReplicasAvailable',
        'Deployment has minimum availability.',
      )
    : deploymentCondition(
        nowMs,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
      );
  return tidy({
    observedGeneration: deployment.metadata.generation,
    replicas: actualReplicas(all, 'replicas'),
    updatedReplicas: actualReplicas([newest], 'replicas'),
    readyReplicas: actualReplicas(all, 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, desiredReplicas(all) - available),
    terminatingReplicas: actualReplicas(all, 'terminatingReplicas'),
    collisionCount: deployment.status?.collisionCount,
    conditions: withCondition(deployment.status?.conditions, condition),
  });
}

/** The status with the Progressing and ReplicaFailure conditions brought up to date (syncRolloutStatus). */
export function rolloutStatus(
  deployment: Stored<Deployment>,
  all: readonly Stored<ReplicaSet>[],
  newest: Stored<ReplicaSet> | undefined,
  nowMs: number,
): DeploymentStatus {
  const status = countedStatus(deployment, all, newest, nowMs);
  const subject =
    newest === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${newest.metadata.name}"`;
  const current = conditionOf(deployment.status, 'Progressing');
  const wasComplete = status.replicas === status.updatedReplicas && current?.reason === COMPLETE;
  let conditions = status.conditions ?? [];

  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  else if (!wasComplete) {
    const progressing = (state: 'True' | 'False', reason: string, message: string): DeploymentCondition =>
      deploymentCondition(nowMs, 'Progressing', state, reason, message);
    if (isComplete(deployment, status)) {
      const condition = progressing('True', COMPLETE, `${subject} has successfully progressed.`);
      conditions = withCondition(conditions, condition);
    } else if (hasProgressed(deployment, status)) {
      const condition = progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`);
      if (current?.status === 'True') condition.lastTransitionTime = current.lastTransitionTime;
      // Its update time must move even though nothing else does.
      conditions = [...withoutCondition(conditions, 'Progressing'), condition];
    } else if (isTimedOut(deployment, nowMs)) {
      conditions = withCondition(
        conditions,
        progressing('False', TIMED_OUT, `${subject} has timed out progressing.`),
      );
    }
  }

  const failed = [newest, ...all].find((set) =>
    set?.status?.conditions?.some(({ type }) => type === 'ReplicaFailure'),
  );
  const failure = failed?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure === undefined) conditions = withoutCondition(conditions, 'ReplicaFailure');
  else {
    const { reason = '', message = '' } = failure;
    const state = failure.status as 'True' | 'False' | 'Unknown';
    const condition = deploymentCondition(nowMs, 'ReplicaFailure', state, reason, message);
    condition.lastTransitionTime = failure.lastTransitionTime;
    conditions = withCondition(conditions, condition);
  }
  return tidy({ ...status, conditions });
}

/** When to look again whether the deadline has passed, in ms from now; undefined if it doesn't matter. */
export function deadlineInMs(
  deployment: Stored<Deployment>,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const current = conditionOf(deployment.status, 'Progressing');
  if (!hasDeadline(deployment) || current === undefined) return undefined;
  if (isComplete(deployment, status) || current.reason === TIMED_OUT) return undefined;
  const sinceMs = instant(current.lastUpdateTime ?? current.lastTransitionTime ?? rfc3339(nowMs));
  return sinceMs + deployment.spec!.progressDeadlineSeconds! * 1000 - nowMs + 1000;
}

/** Everything new, nothing old, all available. */
export function isComplete(deployment: Stored<Deployment>, status: DeploymentStatus): boolean {
  const replicas = deployment.spec!.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(deployment: Deployment, now: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const count = (
    status: DeploymentStatus,
    key: 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'replicas',
  ): number => status[key] ?? 0;
  return (
    count(now, 'updatedReplicas') > count(before, 'updatedReplicas') ||
    count(now, 'replicas') - count(now, 'updatedReplicas') <
      count(before, 'replicas') - count(before, 'updatedReplicas') ||
    count(now, 'readyReplicas') > count(before, 'readyReplicas') ||
    count(now, 'availableReplicas') > count(before, 'availableReplicas')
  );
}

function isTimedOut(deployment: Deployment, nowMs: number): boolean {
  const condition = conditionOf(deployment.status, 'Progressing');
  if (condition === undefined || condition.reason === COMPLETE) return false;
  if (condition.reason === TIMED_OUT) return true;
  const since = condition.lastUpdateTime ?? condition.lastTransitionTime;
  if (since == null) return false;
  return instant(since) + deployment.spec!.progressDeadlineSeconds! * 1000 < nowMs;
}

function tidy(status: DeploymentStatus): DeploymentStatus {
  return omitEmpty(status, [
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
  ]);
}
