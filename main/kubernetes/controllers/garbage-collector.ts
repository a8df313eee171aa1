// The garbage collector: follows ownerReferences and deletes, or orphans, what has lost its owners.
import {
  builtInResources,
  isStatus,
  resources,
  type KubernetesObject,
  type OwnerReference,
  type Resource,
  type Stored,
} from '../api/index.ts';
import type { WorkQueue } from '../client/index.ts';
import { makeController, type Controller, type ControllerContext, type ControllerRun } from './controller.ts';
import { customResource, type CustomResourceDefinition } from './custom-resources.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
/** Syncs at once (--concurrent-gc-syncs). */
const WORKERS = 20;
/** Owners known to be absent, remembered so that a thousand dependents cost one look. */
const ABSENT_OWNERS_MAX = 500;

/** Makes the garbage collector. */
export function makeGarbageCollector(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'garbage-collector-controller',
    component: 'garbage-collector-controller',
    workers: WORKERS,
    setUp(run) {
      const collector = new GarbageCollector(run);
      return (uid) => collector.attemptToDelete(uid);
    },
  });
}

/** One object in the graph; without `object` it is only known from a reference to it. */
interface GraphNode {
  readonly uid: string;
  resource: Resource | undefined;
  object: Stored<KubernetesObject> | undefined;
  /** What a reference says of an object nobody has seen. */
  claimed: { reference: OwnerReference; namespace: string | undefined } | undefined;
  dependents: Set<GraphNode> | undefined;
  /** It waits, with the foregroundDeletion finalizer, for its dependents to go. */
  deletingDependents: boolean;
}

class GarbageCollector {
  private readonly run: ControllerRun;
  private readonly toOrphan: WorkQueue;
  private readonly nodes = new Map<string, GraphNode>();
  private readonly resourcesByKind = new Map<string, Resource>();
  private readonly absent = new Set<string>();

  constructor(run: ControllerRun) {
    this.run = run;
    this.toOrphan = run.addQueue(WORKERS, (uid) => this.attemptToOrphan(uid));
    for (const resource of builtInResources) if (isCollected(resource)) this.monitor(resource);
    const definitions = run.informer<CustomResourceDefinition>(resources.customresourcedefinitions);
    const follow = (definition: Stored<CustomResourceDefinition>): void => {
      const resource = customResource(definition);
      if (resource !== undefined && !this.resourcesByKind.has(kindKey(resource.group, resource.kind)))
        this.monitor(resource);
    };
    run.on(definitions, { add: follow, update: follow });
  }

  private monitor(resource: Resource): void {
    this.resourcesByKind.set(kindKey(resource.group, resource.kind), resource);
    this.run.on(this.run.informer<KubernetesObject>(resource), {
      add: (object) => this.seen(resource, object, undefined),
      update: (object, old) => this.seen(resource, object, old),
      delete: (object) => this.gone(object),
    });
  }

  // ── The graph ──

  private seen(
    resource: Resource,
    object: Stored<KubernetesObject>,
    old: Stored<KubernetesObject> | undefined,
  ): void {
    const { uid } = object.metadata;
    if (old !== undefined && old.metadata.uid !== uid) this.gone(old);
    let node = this.nodes.get(uid);
    const former = node?.object?.metadata.ownerReferences;
    if (node === undefined) {
      node = { uid, resource, object, claimed: undefined, dependents: undefined, deletingDependents: false };
      this.nodes.set(uid, node);
    }
    node.resource = resource;
    node.object = object;
    node.claimed = undefined;
    this.absent.delete(uid);
    if (!sameOwners(former, object.metadata.ownerReferences)) this.relink(node, former);
    if (object.metadata.deletionTimestamp !== undefined) this.startedDeleting(node, old);
  }

  private relink(node: GraphNode, former: readonly OwnerReference[] | undefined): void {
    const current = node.object!.metadata.ownerReferences ?? [];
    for (const { uid } of former ?? []) {
      if (current.some((reference) => reference.uid === uid)) continue;
      const owner = this.nodes.get(uid);
      owner?.dependents?.delete(node);
      if (owner?.deletingDependents === true) this.run.queue.add(uid);
    }
    for (const reference of current) {
      let owner = this.nodes.get(reference.uid);
      if (owner === undefined) {
        // Perhaps not seen yet, perhaps gone: look.
        const claimed = { reference, namespace: node.object!.metadata.namespace };
        owner = {
          uid: reference.uid,
          resource: undefined,
          object: undefined,
          claimed,
          dependents: undefined,
          deletingDependents: false,
        };
        this.nodes.set(reference.uid, owner);
        this.run.queue.add(reference.uid);
      }
      (owner.dependents ??= new Set()).add(node);
    }
    // References that were taken away, or point to owners that are gone, are settled when it is looked at.
    if (former !== undefined || current.some(({ uid }) => this.absent.has(uid))) this.run.queue.add(node.uid);
  }

  private startedDeleting(node: GraphNode, old: Stored<KubernetesObject> | undefined): void {
    const { finalizers = [] } = node.object!.metadata;
    const wasDeleting = old?.metadata.deletionTimestamp !== undefined;
    if (finalizers.includes(ORPHAN)) {
      if (!wasDeleting || !(old.metadata.finalizers ?? []).includes(ORPHAN)) this.toOrphan.add(node.uid);
      return;
    }
    if (!finalizers.includes(FOREGROUND) || node.deletingDependents) return;
    node.deletingDependents = true;
    for (const dependent of node.dependents ?? []) this.run.queue.add(dependent.uid);
    this.run.queue.add(node.uid);
  }

  private gone({
    metadata,
  }: {
    readonly metadata: { readonly uid: string; readonly ownerReferences?: OwnerReference[] };
  }): void {
    const node = this.nodes.get(metadata.uid);
    if (node === undefined) return;
    this.nodes.delete(metadata.uid);
    for (const { uid } of node.object?.metadata.ownerReferences ?? []) {
      const owner = this.nodes.get(uid);
      owner?.dependents?.delete(node);
      if (owner?.deletingDependents === true) this.run.queue.add(uid);
      else if (owner?.object === undefined && owner?.dependents?.size === 0) this.nodes.delete(uid);
    }
    if (node.dependents === undefined || node.dependents.size === 0) return;
    this.rememberAbsent(metadata.uid);
    for (const dependent of node.dependents) this.run.queue.add(dependent.uid);
  }

  private rememberAbsent(uid: string): void {
    this.absent.add(uid);
    if (this.absent.size <= ABSENT_OWNERS_MAX) return;
    for (const oldest of this.absent) {
      this.absent.delete(oldest);
      return;
    }
  }

  // ── Work ──

  /** Deletes the object if no owner holds it any more. */
  async attemptToDelete(uid: string): Promise<void> {
    const node = this.nodes.get(uid);
    if (node === undefined) return;
    if (node.object === undefined) return this.lookForClaimed(node);
    const { object } = node;
    if (node.deletingDependents) return this.waitForDependents(node);
    if (object.metadata.deletionTimestamp !== undefined) return;

    const references = object.metadata.ownerReferences ?? [];
    if (references.length === 0) return;
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const reference of references) {
      if (await this.isAbsent(reference, object.metadata.namespace)) dangling.push(reference);
      else if (this.nodes.get(reference.uid)?.deletingDependents === true) waiting.push(reference);
      else solid.push(reference);
    }
    if (solid.length > 0) return this.dropReferences(node, [...dangling, ...waiting]);
    if (waiting.length > 0 && (node.dependents?.size ?? 0) > 0) return this.deleteObject(node, 'Foreground');
    const { finalizers = [] } = object.metadata;
    const policy = finalizers.includes(ORPHAN)
      ? 'Orphan'
      : finalizers.includes(FOREGROUND)
        ? 'Foreground'
        : 'Background';
    await this.deleteObject(node, policy);
  }

  /** Takes the object's dependents' references to it away, then its orphan finalizer. */
  private async attemptToOrphan(uid: string): Promise<void> {
    const node = this.nodes.get(uid);
    if (node?.object === undefined) return;
    for (const dependent of [...(node.dependents ?? [])]) await this.patchOwners(dependent, [uid]);
    await this.removeFinalizer(node, ORPHAN);
  }

  private async waitForDependents(node: GraphNode): Promise<void> {
    const blocking = [...(node.dependents ?? [])].filter((dependent) =>
      dependent.object?.metadata.ownerReferences?.some(
        (reference) => reference.uid === node.uid && reference.blockOwnerDeletion === true,
      ),
    );
    if (blocking.length === 0) return this.removeFinalizer(node, FOREGROUND);
    for (const dependent of blocking) if (!dependent.deletingDependents) this.run.queue.add(dependent.uid);
  }

  /** An owner known from references only: if it doesn't exist, its dependents have to be looked at. */
  private async lookForClaimed(node: GraphNode): Promise<void> {
    const { reference, namespace } = node.claimed!;
    if (!(await this.isAbsent(reference, namespace))) return;
    if (this.nodes.get(node.uid) !== node || node.object !== undefined) return;
    this.gone({ metadata: { uid: node.uid } });
  }

  private async isAbsent(reference: OwnerReference, namespace: string | undefined): Promise<boolean> {
    if (this.nodes.get(reference.uid)?.object !== undefined) return false;
    if (this.absent.has(reference.uid)) return true;
    const resource = this.resourcesByKind.get(kindKey(groupOf(reference.apiVersion), reference.kind));
    if (resource === undefined)
      throw new Error(`no resource is known for ${reference.apiVersion} ${reference.kind}`);
    try {
      const scope = resource.namespaced ? { namespace } : {};
      const owner = await this.run.client.get<KubernetesObject>(resource, reference.name, scope);
      if (owner.metadata.uid === reference.uid) return false;
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    this.rememberAbsent(reference.uid);
    return true;
  }

  private async dropReferences(node: GraphNode, references: readonly OwnerReference[]): Promise<void> {
    if (references.length > 0)
      await this.patchOwners(
        node,
        references.map(({ uid }) => uid),
      );
  }

  private async patchOwners(node: GraphNode, uids: readonly string[]): Promise<void> {
    if (node.object === undefined) return;
    const left = (node.object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid));
    const { uid, resourceVersion } = node.object.metadata;
    await this.patch(node, {
      metadata: { uid, resourceVersion, ownerReferences: left.length === 0 ? null : left },
    });
  }

  private async removeFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    const { finalizers = [], uid, resourceVersion } = node.object!.metadata;
    if (!finalizers.includes(finalizer)) return;
    const left = finalizers.filter((name) => name !== finalizer);
    await this.patch(node, {
      metadata: { uid, resourceVersion, finalizers: left.length === 0 ? null : left },
    });
  }

  private async patch(node: GraphNode, patch: unknown): Promise<void> {
    const { name, namespace } = node.object!.metadata;
    try {
      await this.run.client.patch(node.resource!, name, 'application/merge-patch+json', patch, { namespace });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  private async deleteObject(
    node: GraphNode,
    propagationPolicy: 'Orphan' | 'Background' | 'Foreground',
  ): Promise<void> {
    const { name, namespace, uid } = node.object!.metadata;
    try {
      await this.run.client.delete(node.resource!, name, { namespace, uid, propagationPolicy });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  }
}

/** Events come and go without owners; what is asked and never stored can't be owned. */
function isCollected(resource: Resource & { readonly verbs: readonly string[] }): boolean {
  if (resource.plural === 'events') return false;
  if (resource.group === 'autoscaling' && resource.version === 'v1') return false; // The same objects as in v2.
  return ['delete', 'list', 'watch'].every((verb) => resource.verbs.includes(verb));
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function sameOwners(
  a: readonly OwnerReference[] | undefined,
  b: readonly OwnerReference[] | undefined,
): boolean {
  if (a === b) return true;
  if ((a?.length ?? 0) !== (b?.length ?? 0)) return false;
  return (a ?? []).every((reference, i) => reference.uid === b![i]!.uid);
}
