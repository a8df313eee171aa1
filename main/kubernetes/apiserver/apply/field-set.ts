// Sets of fields, as metadata.managedFields keeps them (structured-merge-diff fieldpath).
import { isTree, type Tree } from '../object.ts';

/** A node of the trie: whether the field itself is in the set, and what is below it. Keys are `f:…`, `k:…`, `v:…`. */
export interface FieldSet {
  readonly self: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const EMPTY: FieldSet = Object.freeze({ self: false, children: new Map() });
export const LEAF: FieldSet = Object.freeze({ self: true, children: new Map() });

export function isEmptySet(set: FieldSet): boolean {
  return !set.self && set.children.size === 0;
}

/** A set from children, leaving out the empty ones. */
export function setOf(self: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [key, child] of children) if (!isEmptySet(child)) kept.set(key, child);
  return { self, children: kept };
}

function combine(a: FieldSet, b: FieldSet, self: (a: boolean, b: boolean) => boolean): FieldSet {
  const keys = new Set([...a.children.keys(), ...b.children.keys()]);
  return setOf(
    self(a.self, b.self),
    [...keys].map(
      (key) => [key, combine(a.children.get(key) ?? EMPTY, b.children.get(key) ?? EMPTY, self)] as const,
    ),
  );
}

export const union = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (x, y) => x || y);
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (x, y) => x && y);
export const difference = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (x, y) => x && !y);

/** Without whole subtrees: every path in `b` takes what is below it along. */
export function withoutTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (b.self) return EMPTY;
  return setOf(
    a.self,
    [...a.children].map(([key, child]) => [key, withoutTrees(child, b.children.get(key) ?? EMPTY)] as const),
  );
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a.self !== b.self || a.children.size !== b.children.size) return false;
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (other === undefined || !equalSets(child, other)) return false;
  }
  return true;
}

/** The fieldsV1 form. */
export function toFieldsV1(set: FieldSet, root = true): Tree {
  const result: Tree = {};
  if (set.self && !root && set.children.size > 0) result['.'] = {};
  for (const key of [...set.children.keys()].sort()) result[key] = toFieldsV1(set.children.get(key)!, false);
  return result;
}

export function fromFieldsV1(fields: unknown, root = true): FieldSet {
  if (!isTree(fields)) return EMPTY;
  const keys = Object.keys(fields);
  if (keys.length === 0) return root ? EMPTY : LEAF;
  return setOf(
    '.' in fields,
    keys.filter((key) => key !== '.').map((key) => [key, fromFieldsV1(fields[key], false)] as const),
  );
}

/** The paths of a set as conflict messages show them, such as `.spec.ports[port=80,protocol="TCP"].name`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const paths = set.self && prefix !== '' ? [prefix] : [];
  for (const key of [...set.children.keys()].sort())
    paths.push(...pathsOf(set.children.get(key)!, prefix + elementText(key)));
  return paths;
}

/** One key of a set as paths show it. */
export function elementText(key: string): string {
  const body = key.slice(2);
  if (key.startsWith('f:')) return `.${body}`;
  if (key.startsWith('v:')) return `[=${body}]`;
  const keys = JSON.parse(body) as Record<string, unknown>;
  return `[${Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}]`;
}
