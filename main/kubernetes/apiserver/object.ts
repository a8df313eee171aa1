// Objects as the server handles them: kind-independent access, copying and freezing.
import type { KubernetesObject, ObjectMeta, StoredMeta } from '../api/meta.ts';

/** An object of any kind; fields other than type and metadata are unknown here. */
export interface ApiObject extends KubernetesObject {
  [field: string]: unknown;
}

/** An object that is in storage: frozen, complete metadata. */
export type StoredObject = Readonly<ApiObject> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<StoredMeta>;
};

/** A JSON object. */
export type Tree = { [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy without undefined members. */
export function cloneTree<T>(value: T): T {
  return cloneValue(value) as T;
}

function cloneValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneValue);
  const copy: Tree = {};
  for (const key in value) {
    const member = (value as Tree)[key];
    if (member !== undefined) copy[key] = typeof member === 'object' ? cloneValue(member) : member;
  }
  return copy;
}

/** Freezes a tree; what is frozen already is taken to be frozen throughout. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else for (const key in value) deepFreeze(value[key]);
  return value;
}

/** Whether two JSON values are equal; the order of members doesn't matter. */
export function equalTrees(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalTrees(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a as Tree, b as Tree];
  let count = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    count++;
    if (!equalTrees(left[key], right[key])) return false;
  }
  for (const key in right) if (right[key] !== undefined) count--;
  return count === 0;
}

/** The metadata of an object that surely has some; made if missing. */
export function metaOf(object: ApiObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

/** The value at a path of members, or undefined. */
function at(object: unknown, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const member of path) {
    if (!isTree(value)) return undefined;
    value = value[member];
  }
  return value;
}

/** The text at a path of members; empty when there is none. */
export function textAt(object: unknown, ...path: readonly string[]): string {
  const value = at(object, ...path);
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}
