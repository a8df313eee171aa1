// Deletion: what it marks an object with, how long it takes, and what must hold (generic/registry/store.go, rest/delete.go).
import type { Status, StatusError } from '../../api/status.ts';
import { rfc3339 } from '../../../simulation/index.ts';
import type { Served } from '../catalogue.ts';
import { metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { failure } from '../refusals.ts';
import type { DeleteRequestOptions, WriteRequest } from './request.ts';

/** Sets the finalizers that a propagation policy stands for. */
export function markFinalizers(
  request: WriteRequest,
  object: ApiObject,
  options: DeleteRequestOptions,
): void {
  const meta = metaOf(object);
  let policy = options.propagationPolicy;
  if (policy === undefined && options.orphanDependents !== undefined)
    policy = options.orphanDependents ? 'Orphan' : 'Background';
  const finalizers = meta.finalizers ?? [];
  if (policy === undefined) {
    if (finalizers.includes('orphan') || finalizers.includes('foregroundDeletion')) return;
    policy = request.served.kind.defaultPropagation;
  }
  const kept = finalizers.filter((finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion');
  if (policy === 'Orphan') kept.push('orphan');
  if (policy === 'Foreground') kept.push('foregroundDeletion');
  if (kept.length > 0) meta.finalizers = kept;
  else delete meta.finalizers;
}

/** Seconds that a pod is given to end; 0 for everything else. */
export function gracePeriodOf(served: Served, before: StoredObject, options: DeleteRequestOptions): number {
  if (!isPod(served)) return 0;
  const pod = before as StoredObject & {
    readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number };
    readonly status?: { readonly phase?: string };
  };
  const asked = options.gracePeriodSeconds;
  let seconds =
    asked !== undefined && asked >= 0
      ? asked
      : asked !== undefined
        ? 1
        : (pod.spec?.terminationGracePeriodSeconds ?? 30);
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  if ((pod.spec?.nodeName ?? '') === '' || ended) seconds = 0;
  const current = before.metadata.deletionGracePeriodSeconds;
  if (before.metadata.deletionTimestamp === undefined || current === undefined) return seconds;
  // Deletion has begun: the period can only be shortened, and asking for none at all changes nothing.
  if (asked === undefined && seconds !== 0) return current;
  return Math.min(current, seconds);
}

/** Says in the metadata that the object is being deleted, or that its grace is shorter now. */
export function markDeleted(
  served: Served,
  object: ApiObject,
  before: StoredObject,
  graceSeconds: number,
  waits: boolean,
  nowMs: number,
): ApiObject {
  const meta = metaOf(object);
  const { deletionTimestamp, deletionGracePeriodSeconds } = before.metadata;
  if (deletionTimestamp === undefined) {
    meta.deletionTimestamp = rfc3339(nowMs + graceSeconds * 1000);
    meta.deletionGracePeriodSeconds = graceSeconds;
    if (served.kind.counted && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1;
  } else if (deletionGracePeriodSeconds !== undefined && graceSeconds < deletionGracePeriodSeconds) {
    meta.deletionTimestamp = rfc3339(
      Date.parse(deletionTimestamp) - (deletionGracePeriodSeconds - graceSeconds) * 1000,
    );
    meta.deletionGracePeriodSeconds = graceSeconds;
  }
  if (served.resource.plural === 'namespaces' && served.resource.group === '' && waits) {
    object['status'] = { ...(object['status'] as Tree | undefined), phase: 'Terminating' };
    delete meta.deletionGracePeriodSeconds;
  }
  return object;
}

/** Whether a resource is that of pods. */
export function isPod({ resource }: Served): boolean {
  return resource.plural === 'pods' && resource.group === '';
}

/** Whether it is a namespace that its finalizers still hold. */
export function isHeldNamespace(served: Served, object: ApiObject): boolean {
  return served.resource.plural === 'namespaces' && served.resource.group === '' && hasSpecFinalizers(object);
}

/** Throws 409 where the object isn't the one that the options mean. */
export function checkPreconditions(
  served: Served,
  name: string,
  current: StoredObject,
  options: DeleteRequestOptions,
): void {
  const { uid, resourceVersion } = options;
  const who = { group: served.resource.group, plural: served.resource.kind };
  const mismatch = (why: string): StatusError =>
    failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${who.plural}${who.group === '' ? '' : `.${who.group}`} "${name}": ${why}`,
      {
        name,
        ...(who.group === '' ? {} : { group: who.group }),
        kind: served.resource.kind,
      },
    );
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw mismatch(
      `the UID in the precondition (${uid}) does not match the UID in record (${current.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    throw mismatch(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** The answer to the deletion of an object that is gone at once. */
export function deletedStatus({ resource }: Served, { metadata }: StoredObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: metadata.name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      uid: metadata.uid,
    },
    code: undefined as never,
  };
}

/** Whether a namespace's spec has finalizers. */
export function hasSpecFinalizers(object: ApiObject): boolean {
  const spec = object['spec'] as { finalizers?: string[] } | undefined;
  return (spec?.finalizers?.length ?? 0) > 0;
}
