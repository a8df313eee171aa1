// JSON Patch, RFC 6902, as the API server applies it.
import { equalTrees, isTree } from '../object.ts';
import { badRequest, failure } from '../refusals.ts';

export interface JsonPatchOperation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** Operations that one patch may hold (apiserver's maxJSONPatchOperations). */
const OPERATIONS_MAX = 10_000;

/** Upstream's answer to any operation that can't be done. */
function rejected(): Error {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** Applies a patch to a value, which isn't modified. Throws 400 for what isn't a patch and 422 for what can't be done. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    const kind = patch === null ? 'null' : typeof patch === 'boolean' ? 'bool' : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (patch.length > OPERATIONS_MAX) {
    throw failure(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`,
    );
  }
  let result = document;
  for (const operation of patch.map(operationOf)) result = applyOne(result, operation);
  return result;
}

/** One operation as encoding/json reads it: null is an empty one. */
function operationOf(operation: unknown): JsonPatchOperation {
  if (operation === null) return {};
  if (!isTree(operation)) {
    const kind = Array.isArray(operation)
      ? 'array'
      : typeof operation === 'boolean'
        ? 'bool'
        : typeof operation;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type handlers.jsonPatchOp`,
    );
  }
  return operation;
}

function applyOne(document: unknown, { op, path, from, value }: JsonPatchOperation): unknown {
  if (typeof path !== 'string') throw rejected();
  const target = pointer(path);
  switch (op) {
    case 'add':
      return edit(
        document,
        target,
        (container, key) => add(container, key, value === undefined ? null : value),
        value,
      );
    case 'remove':
      return edit(document, target, remove, undefined);
    case 'replace': // Upstream's library replaces what isn't there, too.
      return edit(
        document,
        target,
        (container, key) => set(container, key, value === undefined ? null : value),
        value,
      );
    case 'test':
      if (!equalTrees(lookUp(document, target, true) ?? null, value ?? null)) throw rejected();
      return document;
    case 'move':
    case 'copy': {
      if (typeof from !== 'string') throw rejected();
      const source = pointer(from);
      // Upstream's library copies what isn't there as null, but moves only what is.
      const moved = lookUp(document, source, op === 'copy') ?? null;
      const base = op === 'move' ? edit(document, source, remove, undefined) : document;
      return edit(base, target, (container, key) => add(container, key, moved), moved);
    }
    default:
      throw rejected();
  }
}

function pointer(text: string): string[] {
  if (text === '') return [];
  // Upstream's library drops whatever comes before the first slash.
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookUp(document: unknown, path: readonly string[], lenient: boolean): unknown {
  let value = document;
  for (const [depth, key] of path.entries()) {
    if (lenient && depth === path.length - 1 && isTree(value) && !Object.hasOwn(value, key)) return undefined;
    requireKey(value, key);
    value = Array.isArray(value)
      ? value[indexOf(value, key, false)]
      : (value as Record<string, unknown>)[key];
  }
  return value;
}

function requireKey(container: unknown, key: string): void {
  if (Array.isArray(container)) indexOf(container, key, false);
  else if (!isTree(container) || !Object.hasOwn(container, key)) throw rejected();
}

/** Rebuilds the path to the container of the last key, and edits that. */
function edit(
  document: unknown,
  path: readonly string[],
  change: (container: unknown, key: string) => unknown,
  whole: unknown,
): unknown {
  if (path.length === 0) {
    if (whole === undefined) throw rejected();
    return whole;
  }
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) return change(document, key);
  requireKey(document, key);
  if (Array.isArray(document)) {
    const index = indexOf(document, key, false);
    return document.with(index, edit(document[index], rest, change, whole));
  }
  const tree = document as Record<string, unknown>;
  return sorted({ ...tree, [key]: edit(tree[key], rest, change, whole) });
}

function indexOf(list: readonly unknown[], key: string, end: boolean): number {
  if (end && key === '-') return list.length;
  if (!/^-?(0|[1-9]\d*)$/.test(key)) throw rejected();
  let index = Number(key);
  if (index < 0) index += list.length + (end ? 1 : 0);
  if (index < 0 || index > list.length - (end ? 0 : 1)) throw rejected();
  return index;
}

function add(container: unknown, key: string, value: unknown): unknown {
  if (Array.isArray(container)) return container.toSpliced(indexOf(container, key, true), 0, value);
  if (!isTree(container)) throw rejected();
  return set(container, key, value);
}

function remove(container: unknown, key: string): unknown {
  requireKey(container, key);
  if (Array.isArray(container)) return container.toSpliced(indexOf(container, key, false), 1);
  const { [key]: _removed, ...rest } = container as Record<string, unknown>;
  return sorted(rest);
}

function set(container: unknown, key: string, value: unknown): unknown {
  if (Array.isArray(container)) return container.with(indexOf(container, key, false), value);
  return sorted({ ...(container as Record<string, unknown>), [key]: value });
}

/** Go writes the members of a patched map in order of their names. */
export function sorted(tree: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
}
