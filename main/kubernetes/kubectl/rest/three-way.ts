// The patch of `kubectl apply`: from what was applied last, what is wanted now, and what there is (strategicpatch, jsonmergepatch).
import type { Schema, SchemaSet } from './open-api.ts';

type Tree = Record<string, unknown>;

/** A patch that brings `current` to `modified`, deleting what `original` had and `modified` hasn't. Empty: nothing to do. */
export function threeWayPatch(
  original: Tree,
  modified: Tree,
  current: Tree,
  schemas: SchemaSet | undefined,
  schema: Schema | undefined,
): Tree {
  const additions = diff(current, modified, schemas, schema, { deletions: false, changes: true });
  const deletions = diff(original, modified, schemas, schema, { deletions: true, changes: false });
  return mergePatches(deletions, additions);
}

interface Wanted {
  readonly deletions: boolean;
  readonly changes: boolean;
}

/** What leads from one object to another. */
function diff(
  from: Tree,
  to: Tree,
  schemas: SchemaSet | undefined,
  schema: Schema | undefined,
  wanted: Wanted,
): Tree {
  const patch: Tree = {};
  const resolved = schemas?.resolve(schema);
  for (const [key, value] of Object.entries(to)) {
    const member = schemas?.resolve(memberSchema(resolved, key));
    const before = from[key];
    if (before === undefined || before === null) {
      if (wanted.changes && value !== null && value !== undefined) patch[key] = value;
    } else if (isTree(value) && isTree(before)) {
      const inner = diff(before, value, schemas, member, wanted);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (Array.isArray(value) && Array.isArray(before))
      diffLists(patch, key, before, value, schemas, member, wanted);
    else if (wanted.changes && !equal(before, value)) patch[key] = value;
  }
  if (wanted.deletions) for (const key of Object.keys(from)) if (to[key] === undefined) patch[key] = null;
  return patch;
}

function diffLists(
  patch: Tree,
  key: string,
  from: readonly unknown[],
  to: readonly unknown[],
  schemas: SchemaSet | undefined,
  schema: Schema | undefined,
  wanted: Wanted,
): void {
  const strategy = schema?.['x-kubernetes-patch-strategy'] ?? '';
  const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
  if (!strategy.split(',').includes('merge')) {
    if (wanted.changes && !equal(from, to)) patch[key] = to;
    return;
  }
  if (mergeKey === undefined) {
    const added = to.filter((item) => !from.includes(item));
    const removed = from.filter((item) => !to.includes(item));
    if (wanted.changes && added.length > 0) patch[key] = added;
    if (wanted.deletions && removed.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = removed;
    return;
  }
  const item = schemas?.resolve(schema?.items);
  const of = (list: readonly unknown[], value: unknown): Tree | undefined =>
    (list as readonly Tree[]).find((each) => each[mergeKey] === value);
  const changes: Tree[] = [];
  for (const wantedItem of to as readonly Tree[]) {
    const before = of(from, wantedItem[mergeKey]);
    if (before === undefined) {
      if (wanted.changes) changes.push(wantedItem);
      continue;
    }
    const inner = diff(before, wantedItem, schemas, item, wanted);
    if (Object.keys(inner).length > 0) changes.push({ ...inner, [mergeKey]: wantedItem[mergeKey] });
  }
  if (wanted.deletions) {
    for (const before of from as readonly Tree[]) {
      if (of(to, before[mergeKey]) === undefined)
        changes.push({ $patch: 'delete', [mergeKey]: before[mergeKey] });
    }
  }
  if (changes.length === 0) return;
  patch[key] = changes;
  const order = (to as readonly Tree[]).map((each) => ({ [mergeKey]: each[mergeKey] }));
  if (order.length > 0) patch[`$setElementOrder/${key}`] = order;
}

/** Two patches as one; the second wins where both speak. */
function mergePatches(first: Tree, second: Tree): Tree {
  const merged: Tree = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = merged[key];
    if (isTree(before) && isTree(value)) merged[key] = mergePatches(before, value);
    else if (Array.isArray(before) && Array.isArray(value) && !key.startsWith('$'))
      merged[key] = mergeLists(before as Tree[], value as Tree[]);
    else merged[key] = value;
  }
  return merged;
}

function mergeLists(first: readonly Tree[], second: readonly Tree[]): unknown[] {
  const merged = [...first];
  for (const item of second) {
    const index = merged.findIndex(
      (each) => isTree(each) && isTree(item) && each['$patch'] === undefined && sharesKey(each, item),
    );
    if (index === -1) merged.push(item);
    else merged[index] = mergePatches(merged[index]!, item);
  }
  return merged;
}

const KEYS = ['name', 'containerPort', 'port', 'mountPath', 'devicePath', 'ip', 'type', 'topologyKey', 'uid'];

function sharesKey(a: Tree, b: Tree): boolean {
  const key = KEYS.find((each) => a[each] !== undefined && b[each] !== undefined);
  return key !== undefined && a[key] === b[key];
}

function memberSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const named = schema?.properties?.[key];
  if (named !== undefined) return named;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isTree(a) || !isTree(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key], b[key]));
}
