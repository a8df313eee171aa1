// ReplicaSet and ReplicationController: as many pods as the spec says, from one template.
import { rfc3339 } from '../../simulation/index.ts';
import {
  keyOf,
  labelSelectorOf,
  labelsSelector,
  resources,
  type LabelSelector,
  type ObjectKey,
  type Pod,
  type PodTemplateSpec,
  type ReplicaSet,
  type ReplicationController,
  type Resource,
  type Stored,
} from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { Expectations } from './expectations.ts';
import { claim, controllerKey, controllerOf, indexByOwner, ownedBy } from './owner.ts';
import {
  isNamespaceTerminating,
  makePodControl,
  messageOf,
  podFromTemplate,
  type PodControl,
} from './pod-control.ts';
import {
  availableInMs,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  rankForDeletion,
} from './pod-state.ts';
import { slowStart } from './slow-start.ts';
import { omitEmpty, withCondition, withoutCondition, writeStatus } from './status.ts';

/** Pods created or deleted in one sync at most (burstReplicas). */
const PODS_PER_SYNC_MAX = 500;
/** Changes of pods' status gather for this long, so that a rollout costs one sync and not one per pod. */
const GATHER_MS = 10;
/** Syncs at once (--concurrent-replicaset-syncs). */
const WORKERS = 5;

type ReplicaKeeper = ReplicaSet | ReplicationController;

/** Where the two kinds differ. */
interface Flavour<T extends ReplicaKeeper> {
  readonly name: string;
  readonly component: string;
  readonly resource: Resource;
  readonly selectorOf: (object: T) => LabelSelector;
}

/** Makes the ReplicaSet controller. */
export function makeReplicaSetController(context: ControllerContext): Controller {
  return makeReplicaController<ReplicaSet>(context, {
    name: 'replicaset-controller',
    component: 'replicaset-controller',
    resource: resources.replicasets,
    selectorOf: (replicaSet) => labelSelectorOf(replicaSet.spec?.selector),
  });
}

/** Makes the ReplicationController controller. */
export function makeReplicationController(context: ControllerContext): Controller {
  return makeReplicaController<ReplicationController>(context, {
    name: 'replicationcontroller-controller',
    component: 'replication-controller',
    resource: resources.replicationcontrollers,
    selectorOf: (controller) => labelsSelector(controller.spec?.selector),
  });
}

function makeReplicaController<T extends ReplicaKeeper>(
  context: ControllerContext,
  flavour: Flavour<T>,
): Controller {
  return makeController(context, {
    name: flavour.name,
    component: flavour.component,
    workers: WORKERS,
    setUp(run) {
      const replicas = new Replicas<T>(run, flavour);
      return (key) => replicas.sync(key);
    },
  });
}

class Replicas<T extends ReplicaKeeper> {
  private readonly run: ControllerRun;
  private readonly flavour: Flavour<T>;
  private readonly keepers: Informer<T>;
  private readonly pods: Informer<Pod>;
  private readonly expectations: Expectations;
  private readonly podControl: PodControl;

  constructor(run: ControllerRun, flavour: Flavour<T>) {
    this.run = run;
    this.flavour = flavour;
    this.expectations = new Expectations(run.clock);
    this.podControl = makePodControl(run.client, run.recorder);
    this.keepers = run.informer<T>(flavour.resource);
    this.pods = run.informer<Pod>(resources.pods);
    indexByOwner(this.keepers);
    indexByOwner(this.pods);
    run.on(this.keepers, {
      add: run.enqueue,
      update: (keeper, old) => {
        if (keeper.metadata.uid !== old.metadata.uid) this.expectations.forget(keyOf(old));
        // A change of status is our own: what it led to can wait, or each rollout would be counted pod by pod.
        if (sameSpec(keeper, old)) run.queue.addAfter(keyOf(keeper), GATHER_MS);
        else run.enqueue(keeper);
      },
      delete: (keeper) => {
        this.expectations.forget(keyOf(keeper));
        run.enqueue(keeper);
      },
    });
    run.on(this.pods, {
      add: (pod) => this.podAdded(pod),
      update: (pod, old) => this.podUpdated(pod, old),
      delete: (pod) => this.podDeleted(pod),
    });
  }

  /** Brings one object's pods nearer its spec. Throwing re-queues the key with back-off. */
  async sync(key: ObjectKey): Promise<void> {
    const keeper = this.keepers.lister.get(key);
    if (keeper === undefined) return this.expectations.forget(key);

    const mayAct = this.expectations.satisfied(key);
    const selector = this.flavour.selectorOf(keeper);
    // The whole set: what is terminating still counts in the status.
    const claimed = await claim(this.run.client, this.pods, keeper, selector, isPodActive);
    const active = claimed.filter(isPodActive);

    let failure: Error | undefined;
    if (mayAct && keeper.metadata.deletionTimestamp === undefined)
      failure = await this.manage(key, keeper, active);
    const status = this.statusOf(keeper, active, claimed.filter(isPodTerminating).length, failure);
    await writeStatus<T>(this.run.client, this.flavour.resource, keeper, status as T['status']);
    if (failure !== undefined) throw failure;
    this.awaitAvailability(key, keeper, active);
  }

  /** Creates what is missing or deletes what is too much. Answers the failure, if any, for the status to tell. */
  private async manage(key: ObjectKey, keeper: Stored<T>, active: Stored<Pod>[]): Promise<Error | undefined> {
    const missing = (keeper.spec?.replicas ?? 1) - active.length;
    if (missing > 0) return this.createPods(key, keeper, Math.min(missing, PODS_PER_SYNC_MAX));
    if (missing < 0) return this.deletePods(key, keeper, active, Math.min(-missing, PODS_PER_SYNC_MAX));
    return undefined;
  }

  private async createPods(key: ObjectKey, keeper: Stored<T>, count: number): Promise<Error | undefined> {
    this.expectations.expect(key, count);
    const pod = podFromTemplate(keeper.spec!.template as PodTemplateSpec, keeper);
    const { succeeded, error } = await slowStart(count, async () => {
      try {
        await this.podControl.create(pod, keeper);
      } catch (failure) {
        if (!isNamespaceTerminating(failure)) throw failure;
      }
    });
    this.expectations.created(key, count - succeeded);
    return error;
  }

  private async deletePods(
    key: ObjectKey,
    keeper: Stored<T>,
    active: Stored<Pod>[],
    count: number,
  ): Promise<Error | undefined> {
    const related = count < active.length ? this.relatedPods(keeper) : [];
    const doomed = rankForDeletion(active, related, this.run.clock.now()).slice(0, count);
    this.expectations.expect(key, 0, doomed.map(keyOf));
    const { error } = await slowStart(count, async (index) => {
      const pod = doomed[index]!;
      try {
        await this.podControl.delete(pod, keeper);
      } catch (failure) {
        this.expectations.deleted(key, keyOf(pod));
        throw failure;
      }
    });
    return error;
  }

  /** Pods of all ReplicaSets with the same owner: they tell how full a node is with this workload. */
  private relatedPods(keeper: Stored<T>): Stored<Pod>[] {
    const owner = controllerOf(keeper);
    const siblings = owner === undefined ? [keeper] : ownedBy(this.keepers, { metadata: { uid: owner.uid } });
    return siblings.flatMap((sibling) => ownedBy(this.pods, sibling));
  }

  private statusOf(
    keeper: Stored<T>,
    active: Stored<Pod>[],
    terminating: number,
    failure: Error | undefined,
  ): object {
    const { minReadySeconds = 0, replicas = 1, template } = keeper.spec!;
    const nowMs = this.run.clock.now();
    const labels = Object.entries(template?.metadata?.labels ?? {});
    let fullyLabeled = 0;
    let ready = 0;
    let available = 0;
    for (const pod of active) {
      if (labels.every(([name, value]) => pod.metadata.labels?.[name] === value)) fullyLabeled++;
      if (!isPodReady(pod)) continue;
      ready++;
      if (isPodAvailable(pod, minReadySeconds, nowMs)) available++;
    }
    const old = keeper.status;
    let conditions = old?.conditions;
    const had = conditions?.some(({ type }) => type === 'ReplicaFailure') === true;
    if (failure !== undefined && !had) {
      conditions = withCondition(conditions, {
        type: 'ReplicaFailure',
        status: 'True',
        reason: replicas > active.length ? 'FailedCreate' : 'FailedDelete',
        message: messageOf(failure),
        lastTransitionTime: rfc3339(nowMs),
      });
    } else if (failure === undefined && had) conditions = withoutCondition(conditions, 'ReplicaFailure');
    return omitEmpty(
      {
        replicas: active.length,
        fullyLabeledReplicas: fullyLabeled,
        readyReplicas: ready,
        availableReplicas: available,
        // Only ReplicaSets tell what is terminating (KEP-3973).
        terminatingReplicas: this.flavour.resource === resources.replicasets ? terminating : undefined,
        observedGeneration: keeper.metadata.generation,
        conditions,
      },
      ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
    );
  }

  /** Comes back when a ready pod will have been ready for long enough. */
  private awaitAvailability(key: ObjectKey, keeper: Stored<T>, active: Stored<Pod>[]): void {
    const { minReadySeconds = 0 } = keeper.spec!;
    if (minReadySeconds === 0) return;
    const nowMs = this.run.clock.now();
    for (const pod of active) {
      const inMs = availableInMs(pod, minReadySeconds, nowMs);
      if (inMs !== undefined && inMs > 0) this.run.queue.addAfter(key, inMs);
    }
  }

  private podAdded(pod: Stored<Pod>): void {
    if (pod.metadata.deletionTimestamp !== undefined) return this.podDeleted(pod);
    const key = this.keyFor(pod);
    if (key === undefined) return this.enqueueMatching(pod);
    this.expectations.created(key);
    if (this.expectations.satisfied(key)) this.run.queue.add(key);
    else this.run.queue.addAfter(key, GATHER_MS);
  }

  private podUpdated(pod: Stored<Pod>, old: Stored<Pod>): void {
    if (pod.metadata.resourceVersion === old.metadata.resourceVersion) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.podDeleted(pod);
      if (pod.metadata.labels !== old.metadata.labels && this.keyFor(old) !== undefined) this.podDeleted(old);
      return;
    }
    const key = this.keyFor(pod);
    const oldKey = this.keyFor(old);
    if (oldKey !== undefined && oldKey !== key) this.run.queue.add(oldKey);
    if (key === undefined) {
      if (oldKey !== undefined || pod.metadata.labels !== old.metadata.labels) this.enqueueMatching(pod);
      return;
    }
    // Leaving the active pods calls for a replacement at once; anything else only changes the status.
    if (isPodActive(pod) === isPodActive(old)) this.run.queue.addAfter(key, GATHER_MS);
    else this.run.queue.add(key);
  }

  private podDeleted(pod: Stored<Pod>): void {
    const key = this.keyFor(pod);
    if (key === undefined) return;
    this.expectations.deleted(key, keyOf(pod));
    this.run.queue.add(key);
  }

  /** The key of the pod's owner, if that is one of ours and still the same object. */
  private keyFor(pod: Stored<Pod>): ObjectKey | undefined {
    const key = controllerKey(pod, this.flavour.resource.kind);
    if (key === undefined) return undefined;
    const keeper = this.keepers.lister.get(key);
    return keeper === undefined || keeper.metadata.uid === controllerOf(pod)!.uid ? key : undefined;
  }

  /** An orphan appeared: whoever selects it may adopt it. */
  private enqueueMatching(pod: Stored<Pod>): void {
    if (controllerOf(pod) !== undefined || pod.metadata.labels === undefined) return;
    for (const keeper of this.keepers.lister.list(pod.metadata.namespace)) {
      if (this.flavour.selectorOf(keeper).matches(pod.metadata.labels)) this.run.enqueue(keeper);
    }
  }
}

function sameSpec(keeper: Stored<ReplicaKeeper>, old: Stored<ReplicaKeeper>): boolean {
  return (
    keeper.metadata.generation !== undefined &&
    keeper.metadata.generation === old.metadata.generation &&
    keeper.metadata.deletionTimestamp === old.metadata.deletionTimestamp
  );
}
