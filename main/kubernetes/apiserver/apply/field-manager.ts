// Keeps metadata.managedFields: who set which fields last (apimachinery pkg/util/managedfields).
import { rfc3339 } from '../../../simulation/index.ts';
import { apiVersionOf, type ManagedFieldsEntry } from '../../api/meta.ts';
import type { Served } from '../catalogue.ts';
import { equalTrees, metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { failure } from '../refusals.ts';
import { decodeAs, DecodeNotes } from '../schema/decode.ts';
import type { WriteRequest } from '../verbs/request.ts';
import {
  difference,
  EMPTY,
  equalSets,
  fromFieldsV1,
  intersection,
  isEmptySet,
  LEAF,
  pathsOf,
  setOf,
  toFieldsV1,
  union,
  withoutTrees,
  type FieldSet,
} from './field-set.ts';
import type { FieldTracker } from './field-tracker.ts';
import { compare, fieldsOf, merge, remove, typeServed, withStructs, type Type } from './typed.ts';

/** Managers by Update beyond this many are folded together, oldest first. */
const UPDATE_MANAGERS_MAX = 10;

interface Manager {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

const leaf = (...names: string[]): FieldSet =>
  setOf(
    false,
    names.map((name) => [`f:${name}`, LEAF] as const),
  );

/** Fields that nobody manages. */
const UNMANAGED: FieldSet = union(
  leaf('apiVersion', 'kind'),
  setOf(false, [
    [
      'f:metadata',
      {
        self: true,
        children: leaf(
          'name',
          'namespace',
          'creationTimestamp',
          'selfLink',
          'uid',
          'clusterName',
          'generation',
          'managedFields',
          'resourceVersion',
          'deletionTimestamp',
          'deletionGracePeriodSeconds',
          'generateName',
        ).children,
      },
    ],
  ]),
);

/** Takes out what nobody manages; `metadata` itself only as a whole leaf. */
function managed(fields: FieldSet): FieldSet {
  const meta = fields.children.get('f:metadata');
  const children = [...fields.children].filter(
    ([key]) => key !== 'f:apiVersion' && key !== 'f:kind' && key !== 'f:metadata',
  );
  const unmanagedMeta = UNMANAGED.children.get('f:metadata')!;
  const kept =
    meta === undefined
      ? EMPTY
      : withoutTrees(
          { self: false, children: meta.children },
          { self: false, children: unmanagedMeta.children },
        );
  return setOf(false, [...children, ['f:metadata', kept]]);
}

export class FieldManager implements FieldTracker {
  track(
    served: Served,
    object: ApiObject,
    old: StoredObject | undefined,
    request: WriteRequest,
    nowMs: number,
  ): void {
    const meta = metaOf(object);
    if (isReset(meta.managedFields) && old !== undefined) {
      delete meta.managedFields;
      return;
    }
    const type = typeServed(served);
    const before = stripped(old ?? blank(served), request, served);
    const after = stripped(object, request, served);
    const { added, removed, modified } = compare(before, after, type);
    const changed = managed(union(added, modified));
    const gone = managed(removed);
    const entry: ManagedFieldsEntry = {
      manager: request.fieldManager,
      operation: 'Update',
      apiVersion: apiVersionOf(served.resource),
      ...(request.subresource === '' ? {} : { subresource: request.subresource }),
    };
    let managers = managersOf(old?.metadata.managedFields);
    let own = managers.find((manager) => sameManager(manager.entry, entry));
    managers = managers.map((manager) =>
      manager === own
        ? manager
        : { ...manager, fields: difference(difference(manager.fields, changed), gone) },
    );
    const fields = union(difference(own?.fields ?? EMPTY, gone), changed);
    const time = rfc3339(nowMs);
    const updated =
      own !== undefined && equalSets(own.fields, fields) ? own : { entry: { ...entry, time }, fields };
    managers =
      own === undefined
        ? [...managers, updated]
        : managers.map((manager) => (manager === own ? updated : manager));
    own = updated;
    write(object, foldUpdates(managers));
  }

  /** Merges an applied configuration into the live object, recording its manager. Throws 409 for conflicts unless forced. */
  apply(
    served: Served,
    live: StoredObject | undefined,
    applied: ApiObject,
    request: WriteRequest,
    force: boolean,
    nowMs: number,
  ): { object: ApiObject; managers: ManagedFieldsEntry[] } {
    const type = typeServed(served);
    const configuration = applied as unknown as Tree;
    const wanted = managed(resetFor(fieldsOf(configuration, type), request, served));
    let managers = managersOf(live?.metadata.managedFields);
    if (live !== undefined && managers.length === 0) managers = [beforeFirstApply(served, live, type, nowMs)];
    const entry: ManagedFieldsEntry = {
      manager: request.fieldManager,
      operation: 'Apply',
      apiVersion: apiVersionOf(served.resource),
      ...(request.subresource === '' ? {} : { subresource: request.subresource }),
    };
    const own = managers.find((manager) => sameManager(manager.entry, entry));
    const applying: Manager = { entry: { ...entry, time: own?.entry.time }, fields: wanted };
    managers =
      own === undefined
        ? [...managers, applying]
        : managers.map((manager) => (manager === own ? applying : manager));
    const merged = live === undefined ? configuration : (merge(live, configuration, type) as Tree);
    const object = own === undefined ? merged : pruned(merged, own.fields, managers, type);
    if (live !== undefined) {
      const { added, modified, removed } = compare(
        stripped(live, request, served),
        stripped(object as ApiObject, request, served),
        type,
      );
      const changed = managed(union(added, modified));
      managers = settleConflicts(managers, applying, changed, managed(removed), force);
    }
    // The time is that of the last apply which changed the object, not of one that only took shares in it.
    if (live === undefined || !equalTrees(live, object)) {
      const stamped = { ...applying, entry: { ...entry, time: rfc3339(nowMs) } };
      managers = managers.map((manager) => (manager === applying ? stamped : manager));
    }
    return { object: object as ApiObject, managers: entriesOf(managers) };
  }
}

/** The merged object without what its manager applied last time, no longer does, and nobody else owns (structured-merge-diff merge/update.go, prune). */
function pruned(merged: Tree, last: FieldSet, managers: readonly Manager[], type: Type): Tree {
  if (isEmptySet(last)) return merged;
  const lastOwned = withStructs(last, type);
  const owned = managers.reduce<FieldSet>((all, { fields }) => union(all, fields), EMPTY);
  const present = withStructs(fieldsOf(merged, type), type);
  const survivors = withStructs(fieldsOf(remove(merged, lastOwned, type) ?? {}, type), type);
  const unowned = difference(present, union(survivors, withStructs(owned, type)));
  const kept = withStructs(fieldsOf(remove(merged, unowned, type) ?? {}, type), type);
  return (remove(merged, intersection(difference(present, kept), lastOwned), type) ?? {}) as Tree;
}

/** Takes what an apply changes from its other owners: by force, else it throws 409. */
function settleConflicts(
  managers: readonly Manager[],
  own: Manager,
  changed: FieldSet,
  removed: FieldSet,
  force: boolean,
): Manager[] {
  const conflicts: { entry: ManagedFieldsEntry; path: string }[] = [];
  for (const manager of managers) {
    if (manager === own) continue;
    for (const path of pathsOf(intersection(manager.fields, changed)))
      conflicts.push({ entry: manager.entry, path });
  }
  if (conflicts.length > 0 && !force) throw conflictStatus(conflicts);
  return managers.map((manager) =>
    manager === own
      ? manager
      : { ...manager, fields: difference(difference(manager.fields, changed), removed) },
  );
}

function conflictStatus(conflicts: readonly { entry: ManagedFieldsEntry; path: string }[]): Error {
  const who = ({ manager = '', operation, apiVersion, subresource }: ManagedFieldsEntry): string => {
    if (operation === 'Apply') return JSON.stringify(manager);
    const sub = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
    return `${JSON.stringify(manager)}${sub} using ${apiVersion}`;
  };
  const count = conflicts.length;
  const lines =
    count === 1
      ? `conflict with ${who(conflicts[0]!.entry)}: ${conflicts[0]!.path}`
      : groupConflicts(conflicts, who);
  return failure(409, 'Conflict', `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${lines}`, {
    causes: conflicts.map(({ entry, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${who(entry)}`,
      field: path,
    })),
  });
}

function groupConflicts(
  conflicts: readonly { entry: ManagedFieldsEntry; path: string }[],
  who: (entry: ManagedFieldsEntry) => string,
): string {
  const groups = new Map<string, string[]>();
  for (const { entry, path } of conflicts) groups.set(who(entry), [...(groups.get(who(entry)) ?? []), path]);
  const texts = [...groups].map(
    ([name, paths]) => `conflicts with ${name}:\n${paths.map((path) => `- ${path}`).join('\n')}`,
  );
  return texts.length === 1 ? texts[0]! : texts.join('\n');
}

/** An explicit `managedFields: [{}]` or `[]` forgets them. */
function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries !== undefined && entries.length === 1 && Object.keys(entries[0]!).length === 0;
}

const blanks = new WeakMap<Served, ApiObject>();

/** An object of the kind with nothing set: what Go's zero value marshals to. */
function blank(served: Served): ApiObject {
  let object = blanks.get(served);
  if (object === undefined) {
    object =
      served.schemaName === undefined
        ? {}
        : (decodeAs(served.schemaName, {}, new DecodeNotes()) as ApiObject);
    blanks.set(served, object);
  }
  return object;
}

/** Without what this request can't set: status for the object itself, all else for its status. */
function stripped(object: ApiObject, { subresource }: WriteRequest, served: Served): Tree {
  const { status, ...rest } = object as Tree;
  if (subresource === 'status')
    return { metadata: rest['metadata'], ...(status === undefined ? {} : { status }) };
  return served.kind.hasStatus ? rest : (object as Tree);
}

function resetFor(fields: FieldSet, { subresource }: WriteRequest, served: Served): FieldSet {
  const children = [...fields.children].filter(([key]) =>
    subresource === 'status'
      ? key === 'f:status' || key === 'f:metadata'
      : key !== 'f:status' || !served.kind.hasStatus,
  );
  return setOf(false, children);
}

function beforeFirstApply(served: Served, live: StoredObject, type: Type, nowMs: number): Manager {
  return {
    entry: {
      manager: 'before-first-apply',
      operation: 'Update',
      apiVersion: apiVersionOf(served.resource),
      time: rfc3339(nowMs),
    },
    fields: managed(fieldsOf(live, type)),
  };
}

function sameManager(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    (a.subresource ?? '') === (b.subresource ?? '') &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

function managersOf(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map(({ fieldsV1, fieldsType: _type, ...entry }) => ({
    entry,
    fields: fromFieldsV1(fieldsV1),
  }));
}

function entriesOf(managers: readonly Manager[]): ManagedFieldsEntry[] {
  return managers
    .filter(({ fields }) => !isEmptySet(fields))
    .sort((a, b) => order(a.entry, b.entry))
    .map(({ entry, fields }) => {
      const { manager, operation, apiVersion, time, subresource } = entry;
      return {
        manager,
        operation,
        apiVersion,
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: toFieldsV1(fields),
        ...(subresource === undefined ? {} : { subresource }),
      };
    });
}

function order(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const compareTexts = (x = '', y = ''): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    compareTexts(a.operation, b.operation) ||
    compareTexts(a.time, b.time) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion)
  );
}

function foldUpdates(managers: readonly Manager[]): Manager[] {
  const updates = managers.filter(({ entry, fields }) => entry.operation === 'Update' && !isEmptySet(fields));
  if (updates.length <= UPDATE_MANAGERS_MAX) return [...managers];
  const oldest = [...updates]
    .sort((a, b) => order(a.entry, b.entry))
    .slice(0, updates.length - UPDATE_MANAGERS_MAX + 1);
  const fields = oldest.reduce<FieldSet>((all, manager) => union(all, manager.fields), EMPTY);
  const last = oldest.at(-1)!.entry;
  return [
    ...managers.filter((manager) => !oldest.includes(manager)),
    { entry: { ...last, manager: 'ancient-changes' }, fields },
  ];
}

function write(object: ApiObject, managers: readonly Manager[]): void {
  const meta = metaOf(object);
  delete meta.managedFields;
  const entries = entriesOf(managers);
  if (entries.length > 0) meta.managedFields = entries;
}
