// The simple JSON paths of definitions: `.spec.replicas`, `.spec.ports[0].port`, `.metadata.labels['a\.b']`, `.items[*]`.
import { isTree, type Tree } from '../object.ts';

const STEP =
  /\.([A-Za-z0-9_$-]+)|\.?\[['"]([^'"\]]+)['"]\]|\[(\*|-?\d+)\]|\[\?\(@\.([\w.-]+)\s*==\s*['"]([^'"]*)['"]\)\]/y;

/** All values at a path. */
export function valuesAt(root: unknown, path: string): unknown[] {
  let values: unknown[] = [root];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path.replaceAll(String.raw`\.`, '\u0000'));
    if (match === null) return [];
    const [, plain, quoted, index, filterField, filterValue] = match;
    const field = (plain ?? quoted)?.replaceAll('\u0000', '.');
    values = values.flatMap((value) => {
      if (field !== undefined) return isTree(value) && value[field] !== undefined ? [value[field]] : [];
      if (!Array.isArray(value)) return [];
      if (index === '*') return value as unknown[];
      if (index !== undefined) {
        const item = (value as unknown[]).at(Number(index));
        return item === undefined ? [] : [item];
      }
      return (value as unknown[]).filter((item) => isTree(item) && item[filterField!] === filterValue);
    });
  }
  return values;
}

/** Sets a field by a path of plain members, making objects on the way. */
export function setAt(root: Tree, path: string, value: unknown): void {
  const fields = path.split('.').slice(1);
  let parent = root;
  for (const field of fields.slice(0, -1)) {
    const next = parent[field];
    if (isTree(next)) parent = next;
    else {
      const made: Tree = {};
      parent[field] = made;
      parent = made;
    }
  }
  parent[fields.at(-1)!] = value;
}
