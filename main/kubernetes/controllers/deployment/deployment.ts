// The Deployment controller: rolls ReplicaSets out, one revision after the other.
import {
  isStatus,
  labelSelectorOf,
  resources,
  type Deployment,
  type ObjectKey,
  type Pod,
  type ReplicaSet,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { claim, controllerKey, controllerOf, indexByOwner, ownedBy } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import { isPodFinished } from '../pod-state.ts';
import { hasEntries, replicaSetAnnotations, revisionOf, sizeAnnotations } from './annotations.ts';
import {
  divide,
  isSaturated,
  maxRevision,
  newReplicaSet,
  replaced,
  sameTemplate,
  withReplicas,
  type Generations,
  type Rollout,
} from './generations.ts';
import { isComplete } from './progress.ts';
import { isRolling, maxUnavailableOf } from './rolling.ts';
import { compareAge, desiredReplicas, knowsSize, newReplicaSetSize, proportionalSizes } from './sizes.ts';
import { DeploymentStatusWriter } from './status-writer.ts';

/** Syncs at once (--concurrent-deployment-syncs). */
const WORKERS = 5;
/** Changes of ReplicaSets' status gather for this long. */
const GATHER_MS = 10;

/** From these minor versions on events tell the size before too, first behind and then before the new one. */
const FORMER_SIZE_MINOR = 25;
const BOTH_SIZES_MINOR = 31;

/** Makes the Deployment controller. */
export function makeDeploymentController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'deployment-controller',
    component: 'deployment-controller',
    workers: WORKERS,
    setUp(run) {
      const deployments = new Deployments(run);
      return (key) => deployments.sync(key);
    },
  });
}

/** A change of size, as each release tells it. */
function sizesText(minor: number, from: number, to: number): string {
  if (minor >= BOTH_SIZES_MINOR) return `from ${from} to ${to}`;
  return minor < FORMER_SIZE_MINOR || from === 0 ? `to ${to}` : `to ${to} from ${from}`;
}

class Deployments {
  private readonly run: ControllerRun;
  private readonly deployments: Informer<Deployment>;
  private readonly replicaSets: Informer<ReplicaSet>;
  private readonly pods: Informer<Pod>;
  private readonly status: DeploymentStatusWriter;

  constructor(run: ControllerRun) {
    this.run = run;
    this.status = new DeploymentStatusWriter(run);
    this.deployments = run.informer<Deployment>(resources.deployments);
    this.replicaSets = run.informer<ReplicaSet>(resources.replicasets);
    this.pods = run.informer<Pod>(resources.pods);
    indexByOwner(this.replicaSets);
    indexByOwner(this.pods);
    run.enqueueOn(this.deployments);
    run.on(this.replicaSets, {
      add: (set) => this.enqueueOwner(set),
      update: (set, old) => {
        if (controllerOf(set)?.uid !== controllerOf(old)?.uid) this.enqueueOwner(old);
        this.enqueueOwner(set);
      },
      delete: (set) => this.enqueueOwner(set),
    });
    run.on(this.pods, { delete: (pod) => this.podDeleted(pod) });
  }

  /** Brings one Deployment's ReplicaSets nearer its spec. */
  async sync(key: ObjectKey): Promise<void> {
    const found = this.deployments.lister.get(key);
    if (found === undefined) return;
    if (Object.keys(found.spec!.selector ?? {}).length === 0) return this.status.refuseEmptySelector(found);

    const selector = labelSelectorOf(found.spec!.selector);
    const sets = await claim<ReplicaSet>(this.run.client, this.replicaSets, found, selector);
    if (found.metadata.deletionTimestamp !== undefined)
      return this.status.syncStatus(found, divide(found, sets));

    const deployment = await this.status.notePause(found);
    if (deployment.spec!.paused === true) return this.syncPausedOrResized(deployment, sets);
    const { newest, old } = divide(deployment, sets);
    const active = withReplicas([...old, ...(newest === undefined ? [] : [newest])]);
    if (active.some((set) => !knowsSize(set, deployment))) return this.syncPausedOrResized(deployment, sets);

    if (isRolling(deployment)) await this.roll(deployment, sets);
    else await this.recreate(deployment, sets);
  }

  // ── The strategies ──

  private async roll(found: Stored<Deployment>, sets: Stored<ReplicaSet>[]): Promise<void> {
    const generations = await this.withNewest(found, sets);
    if (generations === undefined) return;
    const { deployment, newest, old } = generations;
    const size = newest.spec!.replicas ?? 1;
    const replicas = deployment.spec!.replicas ?? 1;
    const wanted = size > replicas ? replicas : newReplicaSetSize(deployment, [...old, newest], newest);
    if (wanted !== size) {
      generations.newest = await this.scale(newest, wanted, deployment);
      return this.status.syncRollout(deployment, generations);
    }
    if (await this.shrinkOld(deployment, generations))
      return this.status.syncRollout(deployment, generations);
    await this.finish(deployment, generations);
  }

  private async recreate(found: Stored<Deployment>, sets: Stored<ReplicaSet>[]): Promise<void> {
    // No new pod before the last old one is gone.
    const { newest, old } = divide(found, sets);
    const active = withReplicas(old);
    if (active.length > 0) {
      const scaled = await Promise.all(active.map((set) => this.scale(set, 0, found)));
      return this.status.syncRollout(found, { newest, old: replaced(old, scaled) });
    }
    if (old.some((set) => ownedBy(this.pods, set).some((pod) => !isPodFinished(pod)))) {
      return this.status.syncRollout(found, { newest, old });
    }
    const generations = await this.withNewest(found, sets);
    if (generations === undefined) return;
    const { deployment } = generations;
    const replicas = deployment.spec!.replicas ?? 1;
    if ((generations.newest.spec!.replicas ?? 1) !== replicas) {
      generations.newest = await this.scale(generations.newest, replicas, deployment);
      return this.status.syncRollout(deployment, generations);
    }
    await this.finish(deployment, generations);
  }

  private async finish(deployment: Stored<Deployment>, generations: Generations): Promise<void> {
    if (isComplete(deployment, deployment.status ?? {}))
      await this.forgetOldRevisions(deployment, generations.old);
    await this.status.syncRollout(deployment, generations);
  }

  /** Scales old ReplicaSets down as far as availability allows; unhealthy pods go first. */
  private async shrinkOld(deployment: Stored<Deployment>, generations: Rollout): Promise<boolean> {
    const { newest, old } = generations;
    if (desiredReplicas(old) === 0) return false;
    const minAvailable = (deployment.spec!.replicas ?? 1) - maxUnavailableOf(deployment);
    const newUnavailable = (newest.spec!.replicas ?? 1) - (newest.status?.availableReplicas ?? 0);
    let spare = desiredReplicas([...old, newest]) - minAvailable - newUnavailable;
    if (spare <= 0) return false;

    let sets = withReplicas(old).sort(compareAge);
    let scaledAny = false;
    const shrink = async (set: Stored<ReplicaSet>, by: number): Promise<void> => {
      const scaled = await this.scale(set, (set.spec!.replicas ?? 1) - by, deployment);
      sets = replaced(sets, [scaled]);
      generations.old = replaced(generations.old, [scaled]);
      scaledAny = true;
    };
    for (const set of sets) {
      const unhealthy = (set.spec!.replicas ?? 1) - (set.status?.availableReplicas ?? 0);
      const by = Math.min(spare, unhealthy);
      if (by <= 0) continue;
      await shrink(set, by);
      spare -= by;
    }
    const available = [...sets, newest].reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
    let healthySpare = available - minAvailable;
    for (const set of sets) {
      if (healthySpare <= 0) break;
      const by = Math.min(set.spec!.replicas ?? 1, healthySpare);
      if (by <= 0) continue;
      await shrink(set, by);
      healthySpare -= by;
    }
    return scaledAny;
  }

  private async syncPausedOrResized(found: Stored<Deployment>, sets: Stored<ReplicaSet>[]): Promise<void> {
    let deployment = found;
    let { newest, old } = divide(deployment, sets);
    if (newest !== undefined) ({ deployment, newest } = await this.withAnnotations(deployment, newest, old));
    const scaled = await this.resize(deployment, newest, old);
    old = replaced(old, scaled);
    newest = newest === undefined ? undefined : replaced([newest], scaled)[0];
    if (deployment.spec!.paused === true) await this.forgetOldRevisions(deployment, old);
    await this.status.syncStatus(deployment, { newest, old });
  }

  /** Carries a new size over to the ReplicaSets without starting a rollout. */
  private async resize(
    deployment: Stored<Deployment>,
    newest: Stored<ReplicaSet> | undefined,
    old: Stored<ReplicaSet>[],
  ): Promise<Stored<ReplicaSet>[]> {
    const replicas = deployment.spec!.replicas ?? 1;
    const all = newest === undefined ? old : [...old, newest];
    const active = withReplicas(all);
    const only =
      active.length === 0
        ? (newest ?? [...old].sort(compareAge).at(-1))
        : active.length === 1
          ? active[0]
          : undefined;
    if (only !== undefined) {
      if (
        (only.spec!.replicas ?? 1) === replicas &&
        hasEntries(only.metadata.annotations, sizeAnnotations(deployment))
      )
        return [];
      return [await this.scale(only, replicas, deployment)];
    }
    if (newest !== undefined && isSaturated(deployment, newest)) {
      return Promise.all(withReplicas(old).map((set) => this.scale(set, 0, deployment)));
    }
    if (!isRolling(deployment)) return [];
    const scaled: Stored<ReplicaSet>[] = [];
    for (const [set, size] of proportionalSizes(deployment, active))
      scaled.push(await this.scale(set, size, deployment));
    return scaled;
  }

  // ── ReplicaSets ──

  /** The generations with the newest ReplicaSet there, created if need be. Undefined: come back later. */
  private async withNewest(
    deployment: Stored<Deployment>,
    sets: readonly Stored<ReplicaSet>[],
  ): Promise<Rollout | undefined> {
    const { newest, old } = divide(deployment, sets);
    if (newest !== undefined) return { ...(await this.withAnnotations(deployment, newest, old)), old };
    const created = await this.createNewest(deployment, old);
    return created === undefined ? undefined : { ...created, old };
  }

  /** Gives the newest ReplicaSet the latest revision, and the Deployment's annotations and minReadySeconds. */
  private async withAnnotations(
    deployment: Stored<Deployment>,
    newest: Stored<ReplicaSet>,
    old: readonly Stored<ReplicaSet>[],
  ): Promise<{ deployment: Stored<Deployment>; newest: Stored<ReplicaSet> }> {
    const annotations = replicaSetAnnotations(deployment, newest, maxRevision(old) + 1, true);
    const { minReadySeconds } = deployment.spec!;
    let set = newest;
    if (
      annotations !== newest.metadata.annotations ||
      (newest.spec!.minReadySeconds ?? 0) !== (minReadySeconds ?? 0)
    ) {
      const spec = { ...newest.spec!, minReadySeconds };
      set = await this.updateSet({ ...newest, metadata: { ...newest.metadata, annotations }, spec });
    }
    return { deployment: await this.status.noteRevision(deployment, set, undefined), newest: set };
  }

  private async createNewest(
    deployment: Stored<Deployment>,
    old: Stored<ReplicaSet>[],
  ): Promise<Omit<Rollout, 'old'> | undefined> {
    const set = newReplicaSet(deployment, old);
    const name = set.metadata!.name!;
    let created: Stored<ReplicaSet>;
    try {
      created = await this.run.client.create<ReplicaSet>(resources.replicasets, set, {
        namespace: deployment.metadata.namespace,
      });
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) return this.settleCollision(deployment, name, error);
      if (isNamespaceTerminating(error)) return undefined;
      const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
      await this.status.writeProgress(deployment, 'False', 'ReplicaSetCreateError', message);
      throw error;
    }
    const size = created.spec!.replicas ?? 0;
    if (size > 0) this.tellScaled(deployment, created, 0, size);
    const noted = await this.status.noteRevision(deployment, created, `Created new replica set "${name}"`);
    return { deployment: noted, newest: created };
  }

  /** The name is taken: by our own set, seen late, or by another template of the same hash. */
  private async settleCollision(
    deployment: Stored<Deployment>,
    name: string,
    error: unknown,
  ): Promise<Omit<Rollout, 'old'>> {
    const { namespace, uid } = deployment.metadata;
    const taken = await this.run.client.get<ReplicaSet>(resources.replicasets, name, { namespace });
    if (controllerOf(taken)?.uid === uid && sameTemplate(taken, deployment)) {
      return { deployment, newest: taken };
    }
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.status.writeStatus(deployment, { ...deployment.status, collisionCount });
    throw error;
  }

  private async scale(
    set: Stored<ReplicaSet>,
    size: number,
    deployment: Stored<Deployment>,
  ): Promise<Stored<ReplicaSet>> {
    const from = set.spec!.replicas ?? 1;
    const annotations = sizeAnnotations(deployment);
    if (from === size && hasEntries(set.metadata.annotations, annotations)) return set;
    const metadata = { ...set.metadata, annotations: { ...set.metadata.annotations, ...annotations } };
    const scaled = await this.updateSet({ ...set, metadata, spec: { ...set.spec!, replicas: size } });
    if (from !== size) this.tellScaled(deployment, set, from, size);
    return scaled;
  }

  private updateSet(set: Stored<ReplicaSet>): Promise<Stored<ReplicaSet>> {
    return this.run.client.update<ReplicaSet>(resources.replicasets, set, {
      namespace: set.metadata.namespace,
    });
  }

  private tellScaled(
    deployment: Stored<Deployment>,
    set: Stored<ReplicaSet>,
    from: number,
    to: number,
  ): void {
    const direction = to > from ? 'up' : 'down';
    const sizes = sizesText(this.run.minor, from, to);
    const message = `Scaled ${direction} replica set ${set.metadata.name} ${sizes}`;
    this.run.recorder.event(deployment, 'Normal', 'ScalingReplicaSet', message);
  }

  /** Deletes the oldest empty ReplicaSets beyond revisionHistoryLimit. */
  private async forgetOldRevisions(
    deployment: Stored<Deployment>,
    old: readonly Stored<ReplicaSet>[],
  ): Promise<void> {
    const limit = deployment.spec!.revisionHistoryLimit;
    if (limit === undefined) return;
    const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined);
    const surplus = alive.length - limit;
    if (surplus <= 0) return;
    const byRevision = [...alive].sort((a, b) => revisionOf(a) - revisionOf(b) || compareAge(a, b));
    for (const set of byRevision.slice(0, surplus)) {
      const settled = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
      if ((set.status?.replicas ?? 0) !== 0 || (set.spec!.replicas ?? 1) !== 0 || !settled) continue;
      const { name, namespace, uid } = set.metadata;
      try {
        await this.run.client.delete(resources.replicasets, name, {
          namespace,
          uid,
          propagationPolicy: 'Background',
        });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
  }

  // ── Events ──

  private enqueueOwner(set: Stored<ReplicaSet>): void {
    const key = controllerKey(set, 'Deployment');
    if (key !== undefined) return this.run.queue.addAfter(key, GATHER_MS);
    if (controllerOf(set) !== undefined || set.metadata.labels === undefined) return;
    for (const deployment of this.deployments.lister.list(set.metadata.namespace)) {
      if (labelSelectorOf(deployment.spec!.selector).matches(set.metadata.labels))
        this.run.enqueue(deployment);
    }
  }

  /** The last pod of a Deployment that is being recreated is gone: the new ones may come. */
  private podDeleted(pod: Stored<Pod>): void {
    const setKey = controllerKey(pod, 'ReplicaSet');
    const set = setKey === undefined ? undefined : this.replicaSets.lister.get(setKey);
    const key = set === undefined ? undefined : controllerKey(set, 'Deployment');
    const deployment = key === undefined ? undefined : this.deployments.lister.get(key);
    if (deployment === undefined || isRolling(deployment)) return;
    if (ownedBy(this.replicaSets, deployment).every((owned) => ownedBy(this.pods, owned).length === 0)) {
      this.run.enqueue(deployment);
    }
  }
}
