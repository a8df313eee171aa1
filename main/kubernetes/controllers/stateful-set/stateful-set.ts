// The StatefulSet controller: pods with names of their own, made and replaced in order, each with its claims.
import {
  isStatus,
  keyOf,
  labelSelectorOf,
  resources,
  type ControllerRevision,
  type ObjectKey,
  type Pod,
  type StatefulSet,
  type Stored,
} from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import {
  makeController,
  type Controller,
  type ControllerContext,
  type ControllerRun,
} from '../controller.ts';
import { scaledValue } from '../deployment/rolling.ts';
import { constructHistory, hashOf, REVISION_HASH, truncateHistory } from '../history.ts';
import { claim, controllerKey, controllerOf, indexByOwner } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import { availableInMs, isPodAvailable, isPodFinished, isPodReady } from '../pod-state.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import { StatefulClaims } from './claims.ts';
import { ordinalOf, statefulPod } from './pod.ts';

/** Syncs at once (--concurrent-statefulset-syncs). */
const WORKERS = 5;

/** Makes the StatefulSet controller. */
export function makeStatefulSetController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'statefulset-controller',
    component: 'statefulset-controller',
    workers: WORKERS,
    setUp(run) {
      const sets = new StatefulSets(run);
      return (key) => sets.sync(key);
    },
  });
}

/** The two revisions a set may be between. */
interface Revisions {
  readonly current: Stored<ControllerRevision>;
  readonly update: Stored<ControllerRevision>;
}

class StatefulSets {
  private readonly run: ControllerRun;
  private readonly sets: Informer<StatefulSet>;
  private readonly pods: Informer<Pod>;
  private readonly setClaims: StatefulClaims;
  private readonly revisions: Informer<ControllerRevision>;

  constructor(run: ControllerRun) {
    this.run = run;
    this.sets = run.informer<StatefulSet>(resources.statefulsets);
    this.pods = run.informer<Pod>(resources.pods);
    this.setClaims = new StatefulClaims(run);
    this.revisions = run.informer<ControllerRevision>(resources.controllerrevisions);
    indexByOwner(this.pods);
    indexByOwner(this.revisions);
    run.enqueueOn(this.sets);
    const podChanged = (pod: Stored<Pod>): void => {
      const key = controllerKey(pod, 'StatefulSet');
      if (key !== undefined) return run.queue.add(key);
      if (controllerOf(pod) !== undefined || pod.metadata.labels === undefined) return;
      for (const set of this.sets.lister.list(pod.metadata.namespace)) {
        if (labelSelectorOf(set.spec?.selector).matches(pod.metadata.labels)) run.enqueue(set);
      }
    };
    run.on(this.pods, { add: podChanged, update: podChanged, delete: podChanged });
  }

  /** Brings one StatefulSet's pods nearer its spec, one step at a time unless it is parallel. */
  async sync(key: ObjectKey): Promise<void> {
    const set = this.sets.lister.get(key);
    if (set === undefined) return;
    const selector = labelSelectorOf(set.spec!.selector);
    const belongs = (pod: Stored<Pod>): boolean => ordinalOf(set, pod.metadata.name) !== undefined;
    const pods = (await claim(this.run.client, this.pods, set, selector, belongs)).filter(belongs);
    const collisions = set.status?.collisionCount ?? 0;
    const history = await constructHistory(this.run.client, this.revisions, set, {}, collisions);
    const named = history.old.find(({ metadata }) => metadata.name === set.status?.currentRevision);
    const revisions = { current: named ?? history.current, update: history.current };

    if (set.metadata.deletionTimestamp === undefined) await this.manage(set, pods, revisions);
    await this.writeStatus(key, set, revisions, history.collisionCount);
    await truncateHistory(this.run.client, set, history, pods, [hashOf(revisions.current)]);
  }

  // ── Pods ──

  private async manage(
    set: Stored<StatefulSet>,
    pods: readonly Stored<Pod>[],
    revisions: Revisions,
  ): Promise<void> {
    const ordered = (set.spec!.podManagementPolicy ?? 'OrderedReady') === 'OrderedReady';
    const start = set.spec!.ordinals?.start ?? 0;
    const replicas = set.spec!.replicas ?? 1;
    const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod.metadata.name)!, pod]));

    for (let ordinal = start; ordinal < start + replicas; ordinal++) {
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined) {
        if (!(await this.createPod(set, ordinal, this.revisionFor(set, ordinal, revisions, pods)))) return;
        if (ordered) return;
        continue;
      }
      if (isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined) {
        const verb = pod.status?.phase === 'Failed' ? 'failed' : 'succeeded';
        this.run.recorder.event(
          set,
          'Warning',
          'RecreatingFailedPod',
          `StatefulSet ${keyOf(set)} is recreating ${verb} Pod ${pod.metadata.name}`,
        );
        await this.deletePod(set, pod);
        if (ordered) return;
        continue;
      }
      if (ordered && (pod.metadata.deletionTimestamp !== undefined || !this.isAvailable(set, pod))) return;
      await this.setClaims.ensure(set, ordinal, pod);
    }

    const condemned = pods
      .filter((pod) => {
        const ordinal = ordinalOf(set, pod.metadata.name)!;
        return ordinal < start || ordinal >= start + replicas;
      })
      .sort((a, b) => ordinalOf(set, b.metadata.name)! - ordinalOf(set, a.metadata.name)!);
    for (const pod of condemned) {
      if (pod.metadata.deletionTimestamp === undefined) {
        await this.setClaims.ensure(set, ordinalOf(set, pod.metadata.name)!, pod);
        await this.deletePod(set, pod);
      }
      if (ordered) return; // The next one goes when this one is gone.
    }
    if (condemned.length === 0) await this.update(set, byOrdinal, revisions);
  }

  /** Replaces pods of another revision, from the highest ordinal down to the partition. */
  private async update(
    set: Stored<StatefulSet>,
    byOrdinal: ReadonlyMap<number, Stored<Pod>>,
    { update }: Revisions,
  ): Promise<void> {
    const { updateStrategy, replicas = 1, ordinals } = set.spec!;
    if (updateStrategy?.type === 'OnDelete') return;
    const start = ordinals?.start ?? 0;
    const { partition = 0, maxUnavailable } = updateStrategy?.rollingUpdate ?? {};
    const limit = maxUnavailable === undefined ? 1 : Math.max(1, scaledValue(maxUnavailable, replicas, 'up'));
    const present = [...byOrdinal.values()];
    let unavailable = present.filter(
      (pod) => pod.metadata.deletionTimestamp !== undefined || !this.isAvailable(set, pod),
    ).length;
    for (let ordinal = start + replicas - 1; ordinal >= Math.max(start, partition); ordinal--) {
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined) return;
      const isCurrent = pod.metadata.labels?.[REVISION_HASH] === update.metadata.name;
      if (!isCurrent && pod.metadata.deletionTimestamp === undefined) {
        // A pod that is broken anyway may go though others are broken too, as in a rollback of a bad template.
        if (unavailable >= limit && this.isAvailable(set, pod)) return;
        await this.deletePod(set, pod);
        if (this.isAvailable(set, pod)) unavailable++;
        if (unavailable >= limit) return;
      } else if (!this.isAvailable(set, pod) && unavailable >= limit) return;
    }
  }

  private revisionFor(
    set: Stored<StatefulSet>,
    ordinal: number,
    { current, update }: Revisions,
    pods: readonly Stored<Pod>[],
  ): Stored<ControllerRevision> {
    const { updateStrategy, ordinals } = set.spec!;
    if (current.metadata.name === update.metadata.name || updateStrategy?.type === 'OnDelete') return update;
    const start = ordinals?.start ?? 0;
    const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
    // Counted here and not read from the status, which is behind when a pod has just been replaced.
    const old = pods.filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined &&
        metadata.labels?.[REVISION_HASH] === current.metadata.name,
    ).length;
    const isOld = ordinal < start + (partition === 0 ? old : partition);
    return isOld ? current : update;
  }

  /** False when the namespace is on its way out. */
  private async createPod(
    set: Stored<StatefulSet>,
    ordinal: number,
    revision: Stored<ControllerRevision>,
  ): Promise<boolean> {
    const name = `${set.metadata.name}-${ordinal}`;
    const { namespace } = set.metadata;
    try {
      // The claims of a pod that was scaled away are on their way; the new one gets new ones.
      if (this.setClaims.areStale(set, ordinal)) return true;
      await this.setClaims.ensure(set, ordinal, undefined);
      await this.run.client.create<Pod>(resources.pods, statefulPod(set, ordinal, revision), { namespace });
    } catch (error) {
      if (isNamespaceTerminating(error)) return false;
      if (isStatus(error, 'AlreadyExists')) return true;
      const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`;
      this.run.recorder.event(set, 'Warning', 'FailedCreate', message);
      throw error;
    }
    const message = `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
    this.run.recorder.event(set, 'Normal', 'SuccessfulCreate', message);
    return true;
  }

  private async deletePod(set: Stored<StatefulSet>, pod: Stored<Pod>): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    try {
      await this.run.client.delete(resources.pods, name, { namespace, uid });
    } catch (error) {
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return;
      const failed = `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`;
      this.run.recorder.event(set, 'Warning', 'FailedDelete', failed);
      throw error;
    }
    const message = `Delete Pod ${name} in StatefulSet ${set.metadata.name} successful`;
    this.run.recorder.event(set, 'Normal', 'SuccessfulDelete', message);
  }

  private isAvailable(set: Stored<StatefulSet>, pod: Stored<Pod>): boolean {
    return isPodAvailable(pod, set.spec!.minReadySeconds ?? 0, this.run.clock.now());
  }

  // ── Status ──

  private async writeStatus(
    key: ObjectKey,
    set: Stored<StatefulSet>,
    { current, update }: Revisions,
    collisionCount: number,
  ): Promise<void> {
    const owned = this.pods.indexer.byIndex('controller', set.metadata.uid);
    const pods = owned.filter((pod) => ordinalOf(set, pod.metadata.name) !== undefined);
    const inPlace = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const ofRevision = (revision: Stored<ControllerRevision>): number =>
      inPlace.filter((pod) => pod.metadata.labels?.[REVISION_HASH] === revision.metadata.name).length;
    const ready = pods.filter(isPodReady);
    const updated = ofRevision(update);
    const replicas = set.spec!.replicas ?? 1;
    const isDone =
      current === update ||
      (updated === pods.length &&
        ready.length === pods.length &&
        pods.length === replicas &&
        set.spec!.updateStrategy?.type !== 'OnDelete');
    const currentRevision = isDone ? update : current;
    const status = omitEmpty(
      {
        replicas: pods.length,
        readyReplicas: ready.length,
        availableReplicas: ready.filter((pod) => this.isAvailable(set, pod)).length,
        currentReplicas: isDone ? updated : ofRevision(currentRevision),
        updatedReplicas: updated,
        currentRevision: currentRevision.metadata.name,
        updateRevision: update.metadata.name,
        observedGeneration: set.metadata.generation,
        collisionCount,
        conditions: set.status?.conditions,
      },
      ['readyReplicas', 'currentReplicas', 'updatedReplicas'],
    );
    await writeStatus<StatefulSet>(this.run.client, resources.statefulsets, set, status);
    const { minReadySeconds = 0 } = set.spec!;
    if (minReadySeconds === 0) return;
    for (const pod of ready) {
      const inMs = availableInMs(pod, minReadySeconds, this.run.clock.now());
      if (inMs !== undefined && inMs > 0) this.run.queue.addAfter(key, inMs);
    }
  }
}
