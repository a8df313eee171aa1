// Patches applied on this side, for --local and --dry-run=client: RFC 6902, RFC 7386, strategic merge.
import { CommandError } from '../frame/command-error.ts';
import type { AnyObject } from './builder.ts';
import type { Schema, SchemaSet } from './open-api.ts';

type Tree = Record<string, unknown>;

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Merges lists by their keys as the schema says; where there is none, as `mergePatch`. */
export function strategicPatch(
  target: unknown,
  patch: unknown,
  schemas: SchemaSet | undefined,
  schema: Schema | undefined,
): unknown {
  if (!isTree(patch)) return patch;
  if (patch['$patch'] === 'replace') {
    const { $patch: _, ...rest } = patch;
    return rest;
  }
  const resolved = schemas?.resolve(schema);
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const member = schemas?.resolve(resolved?.properties?.[key]);
    if (value === null) delete result[key];
    else if (
      Array.isArray(value) &&
      (member?.['x-kubernetes-patch-strategy'] ?? '').split(',').includes('merge')
    ) {
      result[key] = mergeLists((result[key] as unknown[] | undefined) ?? [], value, schemas, member!);
    } else result[key] = strategicPatch(result[key], value, schemas, member);
  }
  return result;
}

function mergeLists(
  target: readonly unknown[],
  patch: readonly unknown[],
  schemas: SchemaSet | undefined,
  schema: Schema,
): unknown[] {
  const key = schema['x-kubernetes-patch-merge-key'];
  if (key === undefined) return [...target, ...patch.filter((item) => !target.includes(item))];
  let result = [...(target as readonly Tree[])];
  const fresh: Tree[] = [];
  for (const item of patch as readonly Tree[]) {
    const index = result.findIndex((each) => each[key] === item[key]);
    if (item['$patch'] === 'delete') result = result.filter((each) => each[key] !== item[key]);
    else if (index === -1) fresh.push(item);
    else result[index] = strategicPatch(result[index], item, schemas, schemas?.resolve(schema.items)) as Tree;
  }
  // What is new stands first, as the server orders it.
  return [...fresh, ...result];
}

/** RFC 6902: add, remove, replace, move, copy, test. Throws CommandError. */
export function jsonPatch(
  target: AnyObject,
  operations: readonly { op: string; path: string; from?: string; value?: unknown }[],
): AnyObject {
  const root = structuredClone(target) as unknown as Tree;
  for (const { op, path, from, value } of operations) {
    if (op === 'test') {
      if (JSON.stringify(read(root, path)) !== JSON.stringify(value))
        throw new CommandError(`testing value ${path} failed: test failed`);
    } else if (op === 'remove') write(root, path, 'remove', undefined);
    else if (op === 'move' || op === 'copy') {
      const moved = read(root, from ?? '');
      if (op === 'move') write(root, from ?? '', 'remove', undefined);
      write(root, path, 'add', moved);
    } else write(root, path, op === 'replace' ? 'replace' : 'add', value);
  }
  return root as unknown as AnyObject;
}

function tokens(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(root: unknown, path: string): unknown {
  return tokens(path).reduce<unknown>((value, token) => (value as Tree | undefined)?.[token], root);
}

function write(root: Tree, path: string, how: 'add' | 'remove' | 'replace', value: unknown): void {
  const steps = tokens(path);
  const last = steps.pop()!;
  const parent = steps.reduce<unknown>((each, token) => (each as Tree | undefined)?.[token], root);
  if (typeof parent !== 'object' || parent === null)
    throw new CommandError(`${how} operation does not apply: doc is missing path: "${path}": missing value`);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (how === 'replace') parent[index] = value;
    else parent.splice(index, how === 'remove' ? 1 : 0, ...(how === 'remove' ? [] : [value]));
  } else if (how === 'remove') {
    if (!(last in parent))
      throw new CommandError(
        `remove operation does not apply: doc is missing path: "${path}": missing value`,
      );
    delete (parent as Tree)[last];
  } else (parent as Tree)[last] = value;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
