// create, update and delete: prepare, validate, admit, commit (apiserver pkg/registry/rest and generic/registry/store.go).
import { StatusError, type Status } from '../../api/status.ts';
import { NAME_ALPHABET, rfc3339, type Clock, type Random } from '../../../simulation/index.ts';
import type { Catalogue, Served } from '../catalogue.ts';
import type { WriteContext } from '../kinds/kind.ts';
import type { ServiceAllocations } from '../kinds/service-allocations.ts';
import { cloneTree, equalTrees, metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  invalidValue,
  notFound,
  OPTIMISTIC_LOCK_MESSAGE,
  unknownError,
} from '../refusals.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Admission } from '../admission/admission.ts';
import {
  checkPreconditions,
  deletedStatus,
  gracePeriodOf,
  hasSpecFinalizers,
  isHeldNamespace,
  isPod,
  markDeleted,
  markFinalizers,
} from './deletion.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import type { DeleteRequestOptions, WriteRequest } from './request.ts';
import type { FieldTracker } from '../apply/field-tracker.ts';

/** Characters that generateName adds. */
const GENERATED_LENGTH = 5;
/** How often a name is drawn again when it's taken. */
const GENERATE_TRIES_MAX = 8;
/** Longest prefix that is kept whole (apiserver storage/names). */
const GENERATED_PREFIX_MAX = 63 - GENERATED_LENGTH;

export interface WriterParts {
  readonly objects: ObjectStore;
  readonly catalogue: Catalogue;
  readonly services: ServiceAllocations;
  readonly clock: Clock;
  readonly random: Random;
  readonly admission: Admission;
  readonly tracker: FieldTracker;
}

/** How a deletion was answered. */
export interface Deletion {
  /** The object as it now stands or last stood. */
  readonly object: StoredObject;
  /** Whether it's gone from storage. */
  readonly gone: boolean;
  /** The body of the answer. */
  readonly answer: StoredObject | Status;
}

/** Changes an object; called again with the latest state if somebody else wrote meanwhile. */
export type Change = (current: StoredObject) => ApiObject;

export class Writer {
  private readonly parts: WriterParts;

  constructor(parts: WriterParts) {
    this.parts = parts;
  }

  get nowMs(): number {
    return this.parts.clock.now();
  }

  get tracker(): FieldTracker {
    return this.parts.tracker;
  }

  get objects(): Catalogue {
    return this.parts.catalogue;
  }

  /** Notes a pod that is about to go in its disruption budget's status. */
  takeDisruption(request: WriteRequest, budget: StoredObject, pod: string): void {
    const served = this.parts.catalogue.find({
      group: 'policy',
      version: 'v1',
      plural: 'poddisruptionbudgets',
    })!;
    this.update(
      { ...request, served, subresource: 'status', webhookCalls: undefined },
      budget.metadata.name,
      (current) => {
        const copy = cloneTree(current) as ApiObject;
        const status = (copy['status'] ?? {}) as {
          disruptionsAllowed?: number;
          disruptedPods?: Record<string, string>;
        };
        status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
        status.disruptedPods = { ...status.disruptedPods, [pod]: rfc3339(this.nowMs) };
        copy['status'] = status;
        return copy;
      },
    );
  }

  /** Writes what a ResourceQuota's usage has become. */
  chargeQuota(quota: StoredObject, used: Readonly<Record<string, string>>): void {
    const { table } = this.parts.catalogue.find({ group: '', version: 'v1', plural: 'resourcequotas' })!;
    const { namespace = '', name } = quota.metadata;
    const before = table.get(namespace, name);
    if (before === undefined) return;
    const after = { ...before, status: { ...(before['status'] as Tree | undefined), used } };
    this.parts.objects.commit([{ table, after, before }]);
  }

  contextOf(request: WriteRequest): WriteContext {
    const { clock, random, catalogue, services } = this.parts;
    return {
      user: request.user,
      fieldManager: request.fieldManager,
      dryRun: request.dryRun,
      nowMs: request.webhookCalls?.startMs ?? clock.now(),
      random,
      objects: catalogue,
      services,
      subresource: request.subresource,
      webhookCalls: request.webhookCalls,
      warn: (text) => request.warn(text),
    };
  }

  /** Creates an object given in the served version and already decoded and defaulted; the object becomes the server's. */
  create(request: WriteRequest, given: ApiObject, urlName?: string, keepsManagers = false): StoredObject {
    const { served } = request;
    const { kind, resource } = served;
    const context = this.contextOf(request);
    const meta = metaOf(given);
    this.placeInNamespace(request, given);
    if (urlName !== undefined && meta.name !== undefined && meta.name !== '' && meta.name !== urlName) {
      throw badRequest(
        `the name of the object (${meta.name}) does not match the name on the URL (${urlName})`,
      );
    }
    if ((meta.name ?? '') === '' && (meta.generateName ?? '') !== '')
      meta.name = this.generateName(request, meta.generateName!);
    if (meta.resourceVersion !== undefined && meta.resourceVersion !== '') {
      throw unknownError('resourceVersion should not be set on objects to be created');
    }
    delete meta.resourceVersion;

    meta.uid = request.webhookCalls?.uidFrom(context.random) ?? context.random.uuid();
    meta.creationTimestamp = rfc3339(context.nowMs);
    delete meta.deletionTimestamp;
    delete meta.deletionGracePeriodSeconds;
    delete (meta as Tree)['selfLink'];
    // Before admission: what plugins add is nobody's.
    if (request.tracked) this.parts.tracker.track(served, given, undefined, request, context.nowMs);
    else if (!keepsManagers) delete meta.managedFields;
    this.parts.admission.mutate({ operation: 'CREATE', served, object: given, old: undefined, context });

    if (kind.counted) meta.generation = 1;
    else delete meta.generation;
    kind.prepareCreate?.(given, context);
    const errors = [
      ...validateMetadata(given, resource.namespaced, (name, prefix) => kind.nameProblems(name, prefix)),
      ...(kind.validate?.(given, context) ?? []),
    ];
    if (errors.length > 0) throw invalid(resource.group, resource.kind, meta.name ?? '', errors);
    for (const text of kind.warnings?.(given, undefined) ?? []) request.warn(text);

    this.parts.admission.validate({ operation: 'CREATE', served, object: given, old: undefined, context });
    const existing = served.table.get(meta.namespace ?? '', meta.name ?? '');
    if (existing !== undefined) throw takenName(served, existing);
    kind.allocate?.(given, undefined, context);
    return this.write(request, given, undefined);
  }

  private placeInNamespace({ served, namespace }: WriteRequest, object: ApiObject): void {
    const meta = metaOf(object);
    if (!served.resource.namespaced) {
      if (meta.namespace === '') delete meta.namespace;
      if (meta.namespace !== undefined) {
        throw badRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        );
      }
      return;
    }
    if ((meta.namespace ?? '') === '') meta.namespace = namespace;
    else if (meta.namespace !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
  }

  /** A name that is free, if a few draws find one (KEP-4420). */
  private generateName({ served, namespace, webhookCalls }: WriteRequest, prefix: string): string {
    const draw = (): string => {
      const kept = prefix.slice(0, GENERATED_PREFIX_MAX);
      for (let tries = 1; ; tries++) {
        const name = kept + this.parts.random.string(GENERATED_LENGTH, NAME_ALPHABET);
        if (tries >= GENERATE_TRIES_MAX || served.table.get(namespace, name) === undefined) return name;
      }
    };
    return webhookCalls === undefined ? draw() : webhookCalls.nameFrom(prefix, draw);
  }

  /** Commits a new state, or only shapes it for a dry run. */
  private write(request: WriteRequest, object: ApiObject, before: StoredObject | undefined): StoredObject {
    const { served } = request;
    const stored = served.store(object);
    if (request.dryRun) return served.present(dryRunState(stored, before));
    return served.present(this.parts.objects.commit([{ table: served.table, after: stored, before }])[0]!);
  }

  /**
   * Updates an object: `change` gets the state in the served version and returns the wanted one. With a
   * resourceVersion in the result the update is conditional.
   */
  update(
    request: WriteRequest,
    name: string,
    change: Change,
    createFrom?: () => ApiObject,
    keepsManagers = false,
  ): { object: StoredObject; created: boolean } {
    const { served, namespace } = request;
    const { kind, resource } = served;
    const before = served.table.get(namespace, name);
    if (before === undefined) {
      if (createFrom === undefined || !kind.createsOnUpdate) throw notFound(resource, name);
      return { object: this.create({ ...request }, createFrom(), name), created: true };
    }
    const old = served.present(before);
    const object = change(old);
    const meta = metaOf(object);
    this.checkIdentity(request, name, object, old);
    const context = this.contextOf(request);

    meta.resourceVersion = old.metadata.resourceVersion;
    if ((meta.namespace ?? '') === '' && resource.namespaced) meta.namespace = namespace;
    meta.name ??= name;
    keepSystemMetadata(object, old);
    const part = kind.subresources?.[request.subresource];
    if (request.subresource === 'status') this.prepareStatus(served, object, old);
    else if (part !== undefined) part.prepare(object, old);
    else {
      if (kind.hasStatus && request.subresource === '') keepStatus(object, old);
      kind.prepareUpdate?.(object, old, context);
    }
    // The scheduler's binding isn't anyone's field (registry/core/pod's assignPod keeps no manager).
    const isTracked = request.tracked || old.metadata.managedFields !== undefined;
    if (!keepsManagers && isTracked && request.subresource !== 'binding') {
      this.parts.tracker.track(served, object, old, request, context.nowMs);
    }
    this.parts.admission.mutate({ operation: 'UPDATE', served, object, old, context });
    // A binding fills in what the pod asked for; it isn't a change of that.
    if (request.subresource !== 'binding') countGeneration(served, object, old);

    const whole = request.subresource === 'status' ? '' : resource.plural; // A status is looked at alone.
    const errors = validateMetadataUpdate(object, old, whole, (text, prefix) =>
      kind.nameProblems(text, prefix),
    );
    if (request.subresource === 'status') errors.push(...(kind.validateStatus?.(object, old) ?? []));
    else if (part !== undefined) errors.push(...part.validate(object, old));
    else errors.push(...(kind.validateUpdate?.(object, old, context) ?? []));
    if (errors.length > 0) throw invalid(resource.group, resource.kind, name, errors);
    if (request.subresource === '') for (const text of kind.warnings?.(object, old) ?? []) request.warn(text);

    this.parts.admission.validate({ operation: 'UPDATE', served, object, old, context });
    if (request.subresource === '') kind.allocate?.(object, old, context);
    if (sameState(object, old)) return { object: old, created: false };
    if (finished(object)) return { object: this.remove(request, object, before), created: false };
    return { object: this.write(request, object, before), created: false };
  }

  private checkIdentity(
    { served, namespace }: WriteRequest,
    name: string,
    object: ApiObject,
    old: StoredObject,
  ): void {
    const meta = metaOf(object);
    if (meta.name !== undefined && meta.name !== '' && meta.name !== name) {
      throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${name})`);
    }
    if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    const { resourceVersion = '', uid = '' } = meta;
    if (uid !== '' && uid !== old.metadata.uid) {
      throw conflict(
        served.resource,
        name,
        `StorageError: invalid object, Code: 4, Key: ${served.kind.prefix}${served.table.keyOf(old)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      );
    }
    if (resourceVersion === '' || resourceVersion === '0') {
      if (!served.kind.unconditionalUpdate) {
        const { group, kind, plural } = served.resource;
        throw invalid(group, served.schemaName === undefined ? plural : kind, name, [
          invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
        ]);
      }
      return;
    }
    if (!/^\d+$/.test(resourceVersion)) {
      throw unknownError(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
    }
    if (resourceVersion !== old.metadata.resourceVersion)
      throw conflict(served.resource, name, OPTIMISTIC_LOCK_MESSAGE);
  }

  private prepareStatus(served: Served, object: ApiObject, old: StoredObject): void {
    for (const field of Object.keys(object)) {
      if (field !== 'status' && field !== 'metadata' && field !== 'apiVersion' && field !== 'kind')
        delete object[field];
    }
    for (const [field, value] of Object.entries(old))
      if (field !== 'status' && field !== 'metadata') object[field] = value;
    const meta = metaOf(object);
    restore(meta, old.metadata, 'ownerReferences');
    if (served.resource.group !== '') restore(meta, old.metadata, 'labels');
    served.kind.prepareStatus?.(object, old);
  }

  /** Deletes an object, or begins its graceful deletion. Throws 404, and 409 when a precondition fails. */
  delete(request: WriteRequest, name: string, options: DeleteRequestOptions): Deletion {
    const { served, namespace } = request;
    const before = served.table.get(namespace, name);
    if (before === undefined) throw notFound(served.resource, name);
    checkPreconditions(served, name, before, options);
    const context = this.contextOf(request);
    this.parts.admission.validate({
      operation: 'DELETE',
      served,
      object: undefined,
      old: served.present(before),
      context,
    });

    const object = cloneTree(before) as ApiObject;
    const meta = metaOf(object);
    markFinalizers(request, object, options);
    if (before.metadata.deletionTimestamp === undefined) served.kind.prepareDelete?.(object);
    const graceSeconds = gracePeriodOf(served, before, options);
    const waits = (meta.finalizers?.length ?? 0) > 0 || isHeldNamespace(served, object);
    if (graceSeconds > 0 || waits) {
      const marked = markDeleted(served, object, before, graceSeconds, waits, context.nowMs);
      const state = sameState(marked, before)
        ? before
        : this.write(request, served.present(marked as StoredObject), before);
      return { object: state, gone: false, answer: served.present(state) };
    }
    const last = markDeleted(served, object, before, 0, false, context.nowMs);
    // Pods go gracefully even in no time; other objects are answered as they were.
    const shown = isPod(served) ? last : (cloneTree(before) as ApiObject);
    const state = this.remove(request, shown, this.tellEndOfGrace(request, last, before));
    const answer = served.kind.returnsDeleted ? state : deletedStatus(served, before);
    return { object: state, gone: true, answer };
  }

  /** A pod's period of grace is seen to become 0 before the pod goes (store.go, updateForGracefulDeletionAndFinalizers). */
  private tellEndOfGrace(request: WriteRequest, last: ApiObject, before: StoredObject): StoredObject {
    const { served, dryRun } = request;
    if (!isPod(served) || dryRun || before.metadata.deletionGracePeriodSeconds === 0) return before;
    return this.parts.objects.commit([{ table: served.table, after: cloneTree(last), before }])[0]!;
  }

  private remove(request: WriteRequest, last: ApiObject, before: StoredObject): StoredObject {
    const { served } = request;
    if (request.dryRun) return served.present(dryRunState(served.store(last), before));
    const [state] = this.parts.objects.commit([{ table: served.table, after: undefined, before }]);
    const { resourceVersion } = before.metadata;
    void state;
    return served.present(
      dryRunState(last, { ...before, metadata: { ...before.metadata, resourceVersion } }),
    );
  }
}

function dryRunState(object: ApiObject, before: StoredObject | undefined): StoredObject {
  const { name, generateName, namespace, uid, resourceVersion: _given, ...rest } = metaOf(object);
  const resourceVersion = before?.metadata.resourceVersion;
  return {
    ...object,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(generateName === undefined ? {} : { generateName }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...rest,
    },
  } as StoredObject;
}

function takenName(served: Served, existing: StoredObject): StatusError {
  const error = alreadyExists(served.resource, existing.metadata.name);
  if (existing.metadata.deletionTimestamp === undefined) return error;
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.message}` });
}

/** Takes from the old object what only the server sets. */
function keepSystemMetadata(object: ApiObject, old: StoredObject): void {
  const meta = metaOf(object);
  delete (meta as Tree)['selfLink'];
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
  ] as const) {
    if (field === 'generateName' && meta.generateName !== undefined) continue;
    restore(meta, old.metadata, field);
  }
}

function restore<T extends object>(target: T, source: Readonly<T>, field: keyof T): void {
  if (source[field] === undefined) delete target[field];
  else target[field] = source[field];
}

function keepStatus(object: ApiObject, old: StoredObject): void {
  if (old['status'] === undefined) delete object['status'];
  else object['status'] = old['status'];
}

/** Generation counts changes of everything but metadata and status. */
function countGeneration(served: Served, object: ApiObject, old: StoredObject): void {
  if (!served.kind.counted) return;
  const fields = new Set([...Object.keys(object), ...Object.keys(old)]);
  for (const field of fields) {
    if (field === 'metadata' || field === 'status' || field === 'apiVersion' || field === 'kind') continue;
    if (!equalTrees(object[field], old[field])) {
      metaOf(object).generation = (old.metadata.generation ?? 0) + 1;
      return;
    }
  }
}

/** Whether an update changes nothing; times in managedFields don't count. */
function sameState(object: ApiObject, old: StoredObject): boolean {
  return equalTrees(withoutTimes(object), withoutTimes(old));
}

function withoutTimes(object: ApiObject): unknown {
  const { managedFields, ...meta } = object.metadata ?? {};
  if (managedFields === undefined) return object;
  return {
    ...object,
    metadata: { ...meta, managedFields: managedFields.map(({ time: _time, ...entry }) => entry) },
  };
}

/** Being deleted, nothing waits for it any more. */
function finished(object: ApiObject): boolean {
  const meta = metaOf(object);
  if (meta.deletionTimestamp === undefined || (meta.finalizers?.length ?? 0) > 0) return false;
  if (object.kind === 'Namespace' && object.apiVersion === 'v1') return !hasSpecFinalizers(object);
  return (meta.deletionGracePeriodSeconds ?? 0) === 0;
}
