// Values walked with their schema: which fields they have, how two differ, merging and pruning (structured-merge-diff typed).
import type { Served } from '../catalogue.ts';
import { equalTrees, isTree, type Tree } from '../object.ts';
import { isAtomicMap, isAtomicStruct, LIST_KEY_DEFAULTS, listMergingOf } from '../schema/merge-keys.ts';
import { resolve, structures, type Structure } from '../schema/structures.ts';
import { EMPTY, LEAF, setOf, type FieldSet } from './field-set.ts';

/** What is known of a value's type. */
export interface Type {
  /** Undefined for values without a schema: maps merge, lists are atomic. */
  readonly structure: Structure | undefined;
  readonly name: string;
  /** Where it is: type and field of the parent, for what tags say of the field. */
  readonly parent: string;
  readonly field: string;
}

/** The type of a served kind's objects. */
export function typeServed({ schemaName, kind }: Served): Type {
  return {
    structure: schemaName === undefined ? kind.custom?.structure : structures.get(schemaName),
    name: schemaName === undefined ? '' : short(schemaName),
    parent: '',
    field: '',
  };
}

function short(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function child(structure: Structure | undefined, parent: string, field: string): Type {
  if (structure === undefined) return { structure: undefined, name: '', parent, field };
  const { structure: target, name = '' } = resolve(structure);
  return { structure: target, name: short(name), parent, field };
}

export function memberType(type: Type, field: string): Type {
  return child(type.structure?.properties?.[field] ?? type.structure?.additionalProperties, type.name, field);
}

export function itemType(type: Type): Type {
  return child(type.structure?.items, type.name, '');
}

function isAtomicObject(type: Type): boolean {
  return (
    isAtomicStruct(type.name) ||
    isAtomicMap(type.parent, type.field) ||
    type.structure?.mapType === 'atomic' ||
    (type.structure?.any === true && type.structure.type === 'object')
  );
}

/** Keys of an associative list, `[]` for a set, undefined for an atomic list. */
export function listKeys(type: Type): readonly string[] | undefined {
  const merging =
    type.structure?.listType === undefined ? listMergingOf(type.parent, type.field) : type.structure;
  if (merging?.listType === 'map') return merging.listMapKeys ?? [];
  return merging?.listType === 'set' ? [] : undefined;
}

/** What an element that leaves a key out has for it: the schema's default, in built-in kinds Go's zero value. */
export function keyDefault(items: Type, key: string): unknown {
  const structure = items.structure?.properties?.[key];
  if (items.name === '') return structure?.default;
  return LIST_KEY_DEFAULTS[key] ?? (structure?.type === 'integer' ? 0 : '');
}

/** How fieldsV1 names an element of a list. */
export function elementKey(item: unknown, keys: readonly string[], items: Type): string {
  if (keys.length === 0) return `v:${JSON.stringify(item)}`;
  const values: Tree = {};
  for (const key of [...keys].sort()) {
    const value = isTree(item) ? (item[key] ?? keyDefault(items, key)) : undefined;
    if (value !== undefined) values[key] = value;
  }
  return `k:${JSON.stringify(values)}`;
}

const isEmptyTree = (value: unknown): boolean => isTree(value) && Object.keys(value).length === 0;

/** All fields that a value sets. */
export function fieldsOf(value: unknown, type: Type): FieldSet {
  if (Array.isArray(value)) {
    const keys = listKeys(type);
    if (keys === undefined) return LEAF;
    const items = itemType(type);
    return setOf(
      false,
      value.map((item) => {
        const below = fieldsOf(item, items);
        return [elementKey(item, keys, items), { self: true, children: below.children }] as const;
      }),
    );
  }
  if (!isTree(value)) return LEAF;
  if (isAtomicObject(type)) return LEAF;
  const isStruct = type.structure?.properties !== undefined;
  return setOf(
    false,
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([field, member]) => {
        const below = fieldsOf(member, memberType(type, field));
        const self = below.self || member === null || isEmptyTree(member) || (!isStruct && !isTree(member));
        return [`f:${field}`, { self, children: below.children }] as const;
      }),
  );
}

export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

interface Side {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

const SAME: Side = { added: EMPTY, removed: EMPTY, modified: EMPTY };
const side = (kind: keyof Side): Side => ({ ...SAME, [kind]: LEAF });

/** What an update changes. */
export function compare(before: unknown, after: unknown, type: Type): Comparison {
  if (before === undefined && after === undefined) return SAME;
  if (equalTrees(before, after)) return SAME;
  const sample = after ?? before;
  if (Array.isArray(sample) && listKeys(type) !== undefined)
    return compareLists(before, after, type, listKeys(type)!);
  if (isTree(sample) && !isAtomicObject(type) && !(isEmpty(before) && isEmpty(after)))
    return compareMaps(before, after, type);
  if (before === undefined) return side('added');
  return after === undefined ? side('removed') : side('modified');
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || isEmptyTree(value);

function own(before: unknown, after: unknown): { added: boolean; removed: boolean } {
  return {
    added: before === undefined && after !== undefined,
    removed: after === undefined && before !== undefined,
  };
}

function gather(
  before: unknown,
  after: unknown,
  parts: readonly (readonly [string, Comparison])[],
): Comparison {
  const { added, removed } = own(before, after);
  return {
    added: setOf(
      added,
      parts.map(([key, part]) => [key, part.added] as const),
    ),
    removed: setOf(
      removed,
      parts.map(([key, part]) => [key, part.removed] as const),
    ),
    modified: setOf(
      false,
      parts.map(([key, part]) => [key, part.modified] as const),
    ),
  };
}

function compareMaps(before: unknown, after: unknown, type: Type): Comparison {
  const left = isTree(before) ? before : {};
  const right = isTree(after) ? after : {};
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  return gather(
    before,
    after,
    [...fields].map(
      (field) => [`f:${field}`, compare(left[field], right[field], memberType(type, field))] as const,
    ),
  );
}

function compareLists(before: unknown, after: unknown, type: Type, keys: readonly string[]): Comparison {
  const items = itemType(type);
  const left = byKey(before, keys, items);
  const right = byKey(after, keys, items);
  const all = new Set([...left.keys(), ...right.keys()]);
  const isNullBefore = before === null;
  return gather(
    isNullBefore ? null : before,
    after,
    [...all].map((key) => [key, compare(left.get(key), right.get(key), items)] as const),
  );
}

function byKey(list: unknown, keys: readonly string[], items: Type): Map<string, unknown> {
  const map = new Map<string, unknown>();
  if (Array.isArray(list)) for (const item of list) map.set(elementKey(item, keys, items), item);
  return map;
}

/** A container that merges has something in it: a null laid over it changes nothing. */
function isFilled(value: unknown, type: Type): boolean {
  if (Array.isArray(value)) return value.length > 0 && listKeys(type) !== undefined;
  return isTree(value) && !isEmptyTree(value) && !isAtomicObject(type);
}

/** The live value with the applied one laid over it. */
export function merge(live: unknown, applied: unknown, type: Type): unknown {
  if (applied === undefined) return live;
  if (Array.isArray(applied)) {
    const keys = listKeys(type);
    if (keys === undefined || !Array.isArray(live)) return applied;
    const items = itemType(type);
    const present = byKey(live, keys, items);
    const wanted = byKey(applied, keys, items);
    const result: unknown[] = [];
    const done = new Set<string>();
    const order = [...wanted.keys()];
    // Applied items keep their order; live ones stay where they were among them.
    let next = 0;
    for (const [key, item] of present) {
      if (!wanted.has(key)) {
        result.push(item);
        continue;
      }
      while (next < order.length && !done.has(key)) {
        const name = order[next++]!;
        if (done.has(name)) continue;
        result.push(merge(present.get(name), wanted.get(name), items));
        done.add(name);
      }
    }
    for (; next < order.length; next++) {
      const name = order[next]!;
      if (!done.has(name)) result.push(merge(present.get(name), wanted.get(name), items));
    }
    return result;
  }
  if (applied === null && isFilled(live, type)) return live;
  if (!isTree(applied) || !isTree(live) || isAtomicObject(type)) return applied;
  const result: Tree = { ...live };
  for (const [field, member] of Object.entries(applied)) {
    if (member !== undefined) result[field] = merge(live[field], member, memberType(type, field));
  }
  return result;
}

/** The value without the fields in a set, each with all below it; a container left with nothing goes too. */
export function remove(value: unknown, fields: FieldSet, type: Type): unknown {
  if (Array.isArray(value)) {
    const keys = listKeys(type);
    if (keys === undefined) return value;
    const items = itemType(type);
    const kept = value.flatMap((item) => {
      const left = without(item, fields.children.get(elementKey(item, keys, items)), items);
      return left === undefined ? [] : [left];
    });
    return kept.length === 0 ? undefined : kept;
  }
  if (!isTree(value)) return value;
  const result: Tree = {};
  for (const [field, member] of Object.entries(value)) {
    const left = without(member, fields.children.get(`f:${field}`), memberType(type, field));
    if (left !== undefined) result[field] = left;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function without(value: unknown, fields: FieldSet | undefined, type: Type): unknown {
  if (fields === undefined) return value;
  if (fields.self) return undefined;
  return fields.children.size === 0 ? value : remove(value, fields, type);
}

/** The set, and with each field the members of structs that lead to it: who owns `a.b` alone owns `a` as well. */
export function withStructs(fields: FieldSet, type: Type): FieldSet {
  return setOf(
    fields.self,
    [...fields.children].map(([key, below]) => {
      if (!key.startsWith('f:')) return [key, withStructs(below, itemType(type))] as const;
      const field = key.slice(2);
      const isMember = type.structure?.properties?.[field] !== undefined;
      const { children } = withStructs(below, memberType(type, field));
      return [key, { self: below.self || isMember, children }] as const;
    }),
  );
}
