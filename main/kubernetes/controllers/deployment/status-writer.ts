// Writes a Deployment's status: counts, conditions and the revision it is at.
import { keyOf, resources, type Deployment, type ReplicaSet, type Stored } from '../../api/index.ts';
import type { ControllerRun } from '../controller.ts';
import { omitEmpty, sameJson, withCondition, writeStatus } from '../status.ts';
import { REVISION } from './annotations.ts';
import type { Generations } from './generations.ts';
import {
  conditionOf,
  countedStatus,
  deadlineInMs,
  deploymentCondition,
  hasDeadline,
  rolloutStatus,
  type DeploymentStatus,
} from './progress.ts';

export class DeploymentStatusWriter {
  private readonly run: ControllerRun;

  constructor(run: ControllerRun) {
    this.run = run;
  }

  /** The status in the middle of a rollout, and when to look again for its deadline. */
  async syncRollout(deployment: Stored<Deployment>, { newest, old }: Generations): Promise<void> {
    const all = newest === undefined ? old : [...old, newest];
    const nowMs = this.run.clock.now();
    const status = rolloutStatus(deployment, all, newest, nowMs);
    await this.writeStatus(deployment, status);
    const inMs = deadlineInMs(deployment, status, nowMs);
    if (inMs !== undefined) this.run.queue.addAfter(keyOf(deployment), Math.max(1000, inMs));
  }

  /** The counts alone: a Deployment that is paused or was resized. */
  async syncStatus(deployment: Stored<Deployment>, { newest, old }: Generations): Promise<void> {
    const all = newest === undefined ? old : [...old, newest];
    await this.writeStatus(deployment, countedStatus(deployment, all, newest, this.run.clock.now()));
  }

  writeStatus(deployment: Stored<Deployment>, status: DeploymentStatus): Promise<Stored<Deployment>> {
    return writeStatus<Deployment>(this.run.client, resources.deployments, deployment, omitEmpty(status));
  }

  /** Copies the revision to the Deployment and says, once, that its ReplicaSet was created or found. */
  async noteRevision(
    deployment: Stored<Deployment>,
    set: Stored<ReplicaSet>,
    created: string | undefined,
  ): Promise<Stored<Deployment>> {
    const revision = set.metadata.annotations?.[REVISION];
    const annotations =
      deployment.metadata.annotations?.[REVISION] === revision
        ? deployment.metadata.annotations
        : { ...deployment.metadata.annotations, [REVISION]: revision! };
    let conditions = deployment.status?.conditions;
    const nowMs = this.run.clock.now();
    if (created !== undefined && hasDeadline(deployment)) {
      const condition = deploymentCondition(nowMs, 'Progressing', 'True', 'NewReplicaSetCreated', created);
      conditions = withCondition(conditions, condition);
    } else if (hasDeadline(deployment) && conditionOf(deployment.status, 'Progressing') === undefined) {
      const message = `Found new replica set "${set.metadata.name}"`;
      const condition = deploymentCondition(nowMs, 'Progressing', 'True', 'FoundNewReplicaSet', message);
      conditions = withCondition(conditions, condition);
    }
    if (
      annotations === deployment.metadata.annotations &&
      sameJson(conditions, deployment.status?.conditions)
    ) {
      return deployment;
    }
    // The status subresource takes annotations too; only spec and labels stay as they are.
    const object = {
      ...deployment,
      metadata: { ...deployment.metadata, annotations },
      status: { ...deployment.status, conditions },
    };
    return this.run.client.update<Deployment>(resources.deployments, object, {
      namespace: deployment.metadata.namespace,
      subresource: 'status',
    });
  }

  /** The time a Deployment spends paused doesn't count against its deadline. */
  async notePause(deployment: Stored<Deployment>): Promise<Stored<Deployment>> {
    if (!hasDeadline(deployment)) return deployment;
    const condition = conditionOf(deployment.status, 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') return deployment;
    const paused = deployment.spec!.paused === true;
    if (paused === (condition?.reason === 'DeploymentPaused')) return deployment;
    return paused
      ? this.writeProgress(deployment, 'Unknown', 'DeploymentPaused', 'Deployment is paused')
      : this.writeProgress(deployment, 'Unknown', 'DeploymentResumed', 'Deployment is resumed');
  }

  writeProgress(
    deployment: Stored<Deployment>,
    state: 'False' | 'Unknown',
    reason: string,
    message: string,
  ): Promise<Stored<Deployment>> {
    const condition = deploymentCondition(this.run.clock.now(), 'Progressing', state, reason, message);
    return this.writeStatus(deployment, {
      ...deployment.status,
      conditions: withCondition(deployment.status?.conditions, condition),
    });
  }

  async refuseEmptySelector(deployment: Stored<Deployment>): Promise<void> {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.';
    this.run.recorder.event(deployment, 'Warning', 'SelectingAll', message);
    await this.writeStatus(deployment, {
      ...deployment.status,
      observedGeneration: deployment.metadata.generation,
    });
  }
}
