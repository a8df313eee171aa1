// JSON Merge Patch, RFC 7386.
import { isTree } from '../object.ts';
import { sorted } from './json-patch.ts';

/** The document with the patch merged in; neither is modified. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const result: Record<string, unknown> = isTree(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = isTree(value) ? applyMergePatch(result[key], value) : value;
  }
  return sorted(result);
}
