// What a version of a kind knows: the fields of its schema, and no others.
import { isTree, type Tree } from '../object.ts';
import { resolve, structures, type Structure } from '../schema/structures.ts';

/** The object without the fields that the schema doesn't have; the same object if there are none. */
export function knownFields<T extends Tree>(schemaName: string, object: T): T {
  const structure = structures.get(schemaName);
  return structure === undefined ? object : (prune(structure, object) as T);
}

function prune(given: Structure, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { structure } = resolve(given);
  if (Array.isArray(value)) {
    const { items } = structure;
    if (items === undefined) return value;
    const pruned = value.map((item) => prune(items, item));
    return pruned.every((item, index) => item === value[index]) ? value : pruned;
  }
  if (!isTree(value)) return value;
  const { properties, additionalProperties } = structure;
  if (properties === undefined && additionalProperties === undefined) return value;
  let changed = false;
  const kept: Tree = {};
  for (const [member, content] of Object.entries(value)) {
    const known = properties === undefined ? additionalProperties : properties[member];
    if (known === undefined) {
      changed = true;
      continue;
    }
    kept[member] = prune(known, content);
    changed ||= kept[member] !== content;
  }
  return changed ? kept : value;
}
