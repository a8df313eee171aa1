// Values as Go's fmt prints them with %v: what some of the server's messages contain.
import { isTree } from '../object.ts';

/** `map[a:1 b:[x y]]`; keys sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (isTree(value)) {
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue(value[key])}`)
      .join(' ')}]`;
  }
  return String(value as string | number | boolean);
}
