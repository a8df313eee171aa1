// The DaemonSet controller: one pod on every node that fits.
import {
  keyOf,
  labelSelectorOf,
  resources,
  type ControllerRevision,
  type DaemonSet,
  type Node,
  type ObjectKey,
  type Pod,
  type PodTemplateSpec,
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
import { Expectations } from '../expectations.ts';
import { constructHistory, hashOf, REVISION_HASH, truncateHistory } from '../history.ts';
import { claim, controllerKey, controllerOf, indexByOwner } from '../owner.ts';
import { isNamespaceTerminating, makePodControl, type PodControl } from '../pod-control.ts';
import { availableInMs, instant, isPodAvailable, isPodReady } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { omitEmpty, writeStatus } from '../status.ts';
import {
  daemonPod,
  fits,
  GENERATION_ANNOTATION,
  isStaying,
  targetNodeOf,
  templateGeneration,
} from './placement.ts';

/** Pods created or deleted in one sync at most (burstReplicas). */
const PODS_PER_SYNC_MAX = 250;
/** Changes of pods and nodes gather for this long, and longer where a sync has many nodes to look at. */
const GATHER_MS = 10;
const GATHER_MS_PER_NODE = 0.05;
/** A failed daemon pod is replaced at once, then after 1 s doubled up to 15 min. */
const FAILED_BASE_MS = 1_000;
const FAILED_MAX_MS = 15 * 60_000;
/** Syncs at once (--concurrent-daemonset-syncs). */
const WORKERS = 2;

/** Makes the DaemonSet controller. */
export function makeDaemonSetController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'daemonset-controller',
    component: 'daemonset-controller',
    workers: WORKERS,
    setUp(run) {
      const daemonSets = new DaemonSets(run);
      return (key) => daemonSets.sync(key);
    },
  });
}

class DaemonSets {
  private readonly run: ControllerRun;
  private readonly daemonSets: Informer<DaemonSet>;
  private readonly pods: Informer<Pod>;
  private readonly nodes: Informer<Node>;
  private readonly revisions: Informer<ControllerRevision>;
  private readonly expectations: Expectations;
  private readonly podControl: PodControl;
  private readonly failures = new Map<string, { count: number; untilMs: number }>();

  constructor(run: ControllerRun) {
    this.run = run;
    this.expectations = new Expectations(run.clock);
    this.podControl = makePodControl(run.client, run.recorder);
    this.daemonSets = run.informer<DaemonSet>(resources.daemonsets);
    this.pods = run.informer<Pod>(resources.pods);
    this.nodes = run.informer<Node>(resources.nodes);
    this.revisions = run.informer<ControllerRevision>(resources.controllerrevisions);
    indexByOwner(this.pods);
    indexByOwner(this.revisions);
    run.enqueueOn(this.daemonSets);
    run.on(this.daemonSets, { delete: (set) => this.expectations.forget(keyOf(set)) });
    const enqueueAll = (): void => {
      for (const set of this.daemonSets.lister.list()) run.queue.addAfter(keyOf(set), this.gatherMs());
    };
    run.on(this.nodes, {
      add: enqueueAll,
      delete: enqueueAll,
      update: (node, old) => {
        // Heartbeats don't matter; what predicates read does.
        if (node.spec !== old.spec && JSON.stringify(node.spec) !== JSON.stringify(old.spec)) enqueueAll();
        else if (JSON.stringify(node.metadata.labels) !== JSON.stringify(old.metadata.labels)) enqueueAll();
      },
    });
    run.on(this.pods, {
      add: (pod) => this.podAdded(pod),
      update: (pod, old) => this.podUpdated(pod, old),
      delete: (pod) => this.podDeleted(pod),
    });
  }

  /** Brings one DaemonSet's pods nearer its spec. */
  async sync(key: ObjectKey): Promise<void> {
    const set = this.daemonSets.lister.get(key);
    if (set === undefined) return this.expectations.forget(key);
    const { selector } = set.spec!;
    if (Object.keys(selector ?? {}).length === 0) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      this.run.recorder.event(set, 'Warning', 'SelectingAll', message);
      return;
    }
    if (set.metadata.deletionTimestamp !== undefined) return;

    const annotations = { [GENERATION_ANNOTATION]: templateGeneration(set) };
    const { collisionCount = 0 } = set.status ?? {};
    const history = await constructHistory(this.run.client, this.revisions, set, annotations, collisionCount);
    const hash = hashOf(history.current);
    const nodes = this.nodes.lister.list();
    let pods = await this.claimed(set);
    if (this.expectations.satisfied(key)) {
      await this.manage(key, set, nodes, pods, hash);
      if (this.expectations.satisfied(key)) {
        pods = await this.claimed(set);
        if ((set.spec!.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate')
          await this.roll(key, set, nodes, pods, hash);
      }
    }
    await truncateHistory(this.run.client, set, history, pods);
    await this.writeStatus(set, nodes, await this.claimed(set), hash, history.collisionCount);
    this.awaitAvailability(key, set, pods);
  }

  private claimed(set: Stored<DaemonSet>): Promise<Stored<Pod>[]> {
    return claim(this.run.client, this.pods, set, labelSelectorOf(set.spec!.selector));
  }

  // ── Which pods should there be ──

  private async manage(
    key: ObjectKey,
    set: Stored<DaemonSet>,
    nodes: readonly Stored<Node>[],
    pods: readonly Stored<Pod>[],
    hash: string,
  ): Promise<void> {
    const byNode = Map.groupBy(pods, targetNodeOf);
    const missing: string[] = [];
    const surplus: Stored<Pod>[] = [];
    const template = set.spec!.template as PodTemplateSpec;
    for (const node of nodes) {
      const { run: shouldRun, stay } = fits(template.spec!, node);
      const present = byNode.get(node.metadata.name) ?? [];
      if (shouldRun && present.length === 0) missing.push(node.metadata.name);
      else if (!stay) surplus.push(...present.filter(isStaying));
      else this.judge(set, node.metadata.name, present, surplus, hash);
    }
    // Pods bound to nodes that no longer exist and still wait are nobody's; pod GC takes the bound ones.
    const known = new Set(nodes.map(({ metadata }) => metadata.name));
    for (const [name, waiting] of byNode) {
      if (!known.has(name)) surplus.push(...waiting.filter((pod) => !pod.spec?.nodeName && isStaying(pod)));
    }
    await this.apply(key, set, missing, surplus, hash);
  }

  /** Failed pods are replaced, with back-off; of several on one node the oldest stays, unless one is a surge. */
  private judge(
    set: Stored<DaemonSet>,
    node: string,
    present: readonly Stored<Pod>[],
    surplus: Stored<Pod>[],
    hash: string,
  ): void {
    const running: Stored<Pod>[] = [];
    for (const pod of present) {
      if (!isStaying(pod)) continue;
      if (pod.status?.phase === 'Failed') {
        if (!this.mayReplaceFailed(set, node)) continue;
        const message = `Found failed daemon pod ${keyOf(pod)} on node ${node}, will try to kill it`;
        this.run.recorder.event(set, 'Warning', 'FailedDaemonPod', message);
        surplus.push(pod);
      } else if (pod.status?.phase === 'Succeeded') {
        const message = `Found succeeded daemon pod ${keyOf(pod)} on node ${node}, will try to delete it`;
        this.run.recorder.event(set, 'Normal', 'SucceededDaemonPod', message);
        surplus.push(pod);
      } else running.push(pod);
    }
    if (running.length < 2) return;
    running.sort((a, b) => instant(a.metadata.creationTimestamp) - instant(b.metadata.creationTimestamp));
    if (surgeOf(set) === 0) {
      surplus.push(...running.slice(1));
      return;
    }
    // While surging, one old and one new pod may share a node until the new one is available.
    const old = running.filter((pod) => pod.metadata.labels?.[REVISION_HASH] !== hash);
    const current = running.filter((pod) => pod.metadata.labels?.[REVISION_HASH] === hash);
    surplus.push(...old.slice(1), ...current.slice(1));
    const available = current.some((pod) =>
      isPodAvailable(pod, set.spec!.minReadySeconds ?? 0, this.run.clock.now()),
    );
    if (available || (old[0] !== undefined && current.length > 0 && !isPodReady(old[0])))
      surplus.push(...old.slice(0, 1));
  }

  private mayReplaceFailed(set: Stored<DaemonSet>, node: string): boolean {
    const id = `${set.metadata.uid}/${set.metadata.generation}/${node}`;
    const nowMs = this.run.clock.now();
    const failure = this.failures.get(id) ?? { count: 0, untilMs: 0 };
    if (nowMs < failure.untilMs) {
      this.run.queue.addAfter(keyOf(set), failure.untilMs - nowMs);
      return false;
    }
    const delayMs = Math.min(FAILED_MAX_MS, FAILED_BASE_MS * 2 ** failure.count);
    this.failures.set(id, { count: failure.count + 1, untilMs: nowMs + delayMs });
    return true;
  }

  private async apply(
    key: ObjectKey,
    set: Stored<DaemonSet>,
    missing: readonly string[],
    surplus: readonly Stored<Pod>[],
    hash: string,
  ): Promise<void> {
    const creations = missing.slice(0, PODS_PER_SYNC_MAX);
    const deletions = surplus.slice(0, PODS_PER_SYNC_MAX);
    if (creations.length === 0 && deletions.length === 0) return;
    this.expectations.expect(key, creations.length, deletions.map(keyOf));
    const created = await slowStart(creations.length, async (index) => {
      try {
        await this.podControl.create(daemonPod(set, creations[index]!, hash), set);
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
    });
    this.expectations.created(key, creations.length - created.succeeded);
    const deleted = await slowStart(deletions.length, async (index) => {
      try {
        await this.podControl.delete(deletions[index]!, set);
      } catch (error) {
        this.expectations.deleted(key, keyOf(deletions[index]!));
        throw error;
      }
    });
    const error = created.error ?? deleted.error;
    if (error !== undefined) throw error;
  }

  // ── Rolling update ──

  private async roll(
    key: ObjectKey,
    set: Stored<DaemonSet>,
    nodes: readonly Stored<Node>[],
    pods: readonly Stored<Pod>[],
    hash: string,
  ): Promise<void> {
    const template = set.spec!.template as PodTemplateSpec;
    const targets = nodes.filter((node) => fits(template.spec!, node).run);
    const byNode = Map.groupBy(pods, targetNodeOf);
    const surge = surgeOf(set, targets.length);
    const maxUnavailable = unavailableOf(set, targets.length);
    const nowMs = this.run.clock.now();
    let unavailable = 0;
    const replaceable: Stored<Pod>[] = [];
    const idle: Stored<Pod>[] = [];
    const surgeNodes: string[] = [];
    let surging = 0;
    for (const { metadata } of targets) {
      const present = (byNode.get(metadata.name) ?? []).filter(isStaying);
      const old = present.find((pod) => pod.metadata.labels?.[REVISION_HASH] !== hash);
      const current = present.find((pod) => pod.metadata.labels?.[REVISION_HASH] === hash);
      const available = present.some((pod) => isPodAvailable(pod, set.spec!.minReadySeconds ?? 0, nowMs));
      if (!available) unavailable++;
      if (old === undefined) continue;
      if (surge > 0) {
        if (current !== undefined) surging++;
        else if (isPodAvailable(old, set.spec!.minReadySeconds ?? 0, nowMs)) surgeNodes.push(metadata.name);
        else idle.push(old);
      } else if (available) replaceable.push(old);
      else idle.push(old);
    }
    // What isn't available anyway can go at once; the others only within the limit.
    const room = Math.max(0, maxUnavailable - unavailable);
    const doomed = [...idle, ...replaceable.slice(0, room)];
    const fresh = surgeNodes.slice(0, Math.max(0, surge - surging));
    await this.apply(key, set, fresh, doomed, hash);
  }

  // ── Status ──

  private async writeStatus(
    set: Stored<DaemonSet>,
    nodes: readonly Stored<Node>[],
    pods: readonly Stored<Pod>[],
    hash: string,
    collisionCount: number,
  ): Promise<void> {
    const byNode = Map.groupBy(pods, targetNodeOf);
    const spec = (set.spec!.template as PodTemplateSpec).spec!;
    const nowMs = this.run.clock.now();
    let desired = 0;
    let current = 0;
    let misscheduled = 0;
    let ready = 0;
    let updated = 0;
    let available = 0;
    for (const node of nodes) {
      const present = byNode.get(node.metadata.name) ?? [];
      if (!fits(spec, node).run) {
        if (present.length > 0) misscheduled++;
        continue;
      }
      desired++;
      if (present.length === 0) continue;
      current++;
      const [pod] = [...present].sort((a, b) => Number(isPodReady(b)) - Number(isPodReady(a)));
      if (isPodReady(pod!)) {
        ready++;
        if (isPodAvailable(pod!, set.spec!.minReadySeconds ?? 0, nowMs)) available++;
      }
      if (present.some((other) => other.metadata.labels?.[REVISION_HASH] === hash)) updated++;
    }
    const status = omitEmpty(
      {
        currentNumberScheduled: current,
        desiredNumberScheduled: desired,
        numberAvailable: available,
        numberMisscheduled: misscheduled,
        numberReady: ready,
        numberUnavailable: desired - available,
        observedGeneration: set.metadata.generation,
        updatedNumberScheduled: updated,
        collisionCount: collisionCount === 0 ? undefined : collisionCount,
        conditions: set.status?.conditions,
      },
      ['numberAvailable', 'numberUnavailable', 'updatedNumberScheduled'],
    );
    await writeStatus<DaemonSet>(this.run.client, resources.daemonsets, set, status);
  }

  private awaitAvailability(key: ObjectKey, set: Stored<DaemonSet>, pods: readonly Stored<Pod>[]): void {
    const { minReadySeconds = 0 } = set.spec!;
    if (minReadySeconds === 0) return;
    for (const pod of pods) {
      const inMs = availableInMs(pod, minReadySeconds, this.run.clock.now());
      if (inMs !== undefined && inMs > 0) this.run.queue.addAfter(key, inMs);
    }
  }

  // ── Events ──

  private gatherMs(): number {
    return Math.max(GATHER_MS, this.nodes.indexer.size * GATHER_MS_PER_NODE);
  }

  private podAdded(pod: Stored<Pod>): void {
    if (pod.metadata.deletionTimestamp !== undefined) return this.podDeleted(pod);
    const key = controllerKey(pod, 'DaemonSet');
    if (key === undefined) return this.enqueueMatching(pod);
    this.expectations.created(key);
    this.run.queue.addAfter(key, this.gatherMs());
  }

  private podUpdated(pod: Stored<Pod>, old: Stored<Pod>): void {
    if (pod.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined)
      return this.podDeleted(pod);
    const key = controllerKey(pod, 'DaemonSet');
    const oldKey = controllerKey(old, 'DaemonSet');
    if (oldKey !== undefined && oldKey !== key) this.run.queue.add(oldKey);
    if (key !== undefined) this.run.queue.addAfter(key, this.gatherMs());
    else if (pod.metadata.labels !== old.metadata.labels) this.enqueueMatching(pod);
  }

  private podDeleted(pod: Stored<Pod>): void {
    const key = controllerKey(pod, 'DaemonSet');
    if (key === undefined) return;
    this.expectations.deleted(key, keyOf(pod));
    this.run.queue.addAfter(key, this.gatherMs());
  }

  private enqueueMatching(pod: Stored<Pod>): void {
    if (controllerOf(pod) !== undefined || pod.metadata.labels === undefined) return;
    for (const set of this.daemonSets.lister.list(pod.metadata.namespace)) {
      if (labelSelectorOf(set.spec!.selector).matches(pod.metadata.labels)) this.run.enqueue(set);
    }
  }
}

function surgeOf(set: DaemonSet, desired = 1): number {
  return scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxSurge, desired, 'up');
}

function unavailableOf(set: DaemonSet, desired: number): number {
  if (surgeOf(set, desired) > 0)
    return scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable, desired, 'up');
  return Math.max(
    1,
    scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, desired, 'up'),
  );
}
