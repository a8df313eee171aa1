// Strategic merge patch: merges lists by key as the schema says (apimachinery pkg/util/strategicpatch).
import { equalTrees, isTree, type Tree } from '../object.ts';
import { badRequest, unknownError } from '../refusals.ts';
import { fieldStrategyOf, listMergingOf } from '../schema/merge-keys.ts';
import { resolve, structures, type Structure } from '../schema/structures.ts';
import { goValue } from './go-text.ts';

const DIRECTIVE = '$patch';
const RETAIN = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/** What is known of the value being merged. */
interface Schema {
  readonly structure: Structure | undefined;
  /** Short name of the type, such as `PodSpec`. */
  readonly type: string;
}

const UNKNOWN: Schema = { structure: undefined, type: '' };

function schemaOf(structure: Structure | undefined): Schema {
  if (structure === undefined) return UNKNOWN;
  const { structure: target, name = '' } = resolve(structure);
  return { structure: target, type: name.slice(name.lastIndexOf('.') + 1) };
}

function memberOf({ structure }: Schema, field: string): Schema {
  return schemaOf(structure?.properties?.[field] ?? structure?.additionalProperties);
}

/** Merges a patch into an object of the named schema; neither is modified. Throws StatusError for a bad directive. */
export function applyStrategicMerge(document: Tree, patch: Tree, schemaName: string): Tree {
  return mergeMap(document, patch, {
    structure: structures.get(schemaName),
    type: schemaName.slice(schemaName.lastIndexOf('.') + 1),
  });
}

function mergeMap(original: Tree, given: Tree, schema: Schema): Tree {
  let patch = given;
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    const { [DIRECTIVE]: _directive, ...rest } = patch;
    if (directive === 'replace') return rest;
    if (directive === 'delete') return {};
    if (directive !== 'merge') throw unknownDirective(directive, patch);
    patch = rest;
  }
  let result: Tree = { ...original };
  if (patch[RETAIN] !== undefined) {
    result = retainKeys(result, patch);
    const { [RETAIN]: _retain, ...rest } = patch;
    patch = rest;
  }
  patch = mergeOrderedLists(result, patch, schema);

  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_PRIMITIVES)) {
      const field = key.slice(DELETE_PRIMITIVES.length);
      const list = result[field];
      if (Array.isArray(list) && Array.isArray(value)) {
        result[field] = list.filter((item) => !value.includes(item));
      }
      continue;
    }
    if (value === null) {
      delete result[key];
      continue;
    }
    result[key] = mergeValue(result[key], value, schema, key);
  }
  return result;
}

function unknownDirective(directive: unknown, patch: Tree): Error {
  return unknownError(`unknown patch type: ${goValue(directive)} in map: ${goValue(patch)}`);
}

function retainKeys(original: Tree, patch: Tree): Tree {
  const keys = patch[RETAIN];
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN || value === null || key.startsWith('$')) continue;
    if (!keys.includes(key)) throw badRequest('invalid patch format of retainKeys');
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)));
}

function mergeValue(original: unknown, value: unknown, schema: Schema, field: string): unknown {
  const member = memberOf(schema, field);
  if (isTree(value)) {
    if (fieldStrategyOf(schema.type, field) === 'replace') return stripDirectives(value);
    return mergeMap(isTree(original) ? original : {}, value, member);
  }
  if (Array.isArray(value)) {
    const merging = listMergingOf(schema.type, field);
    if (merging?.patchStrategy?.startsWith('merge') === true) {
      return mergeList(Array.isArray(original) ? original : [], value, merging.patchMergeKey, itemOf(member));
    }
    return stripDirectives(value);
  }
  return value;
}

function itemOf({ structure }: Schema): Schema {
  return schemaOf(structure?.items);
}

/** A value that is taken as it is, without the nulls and directives of the patch language. */
function stripDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripDirectives);
  if (!isTree(value)) return value;
  const result: Tree = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === DIRECTIVE || key === RETAIN || key.startsWith(ORDER) || key.startsWith(DELETE_PRIMITIVES))
      continue;
    if (member !== null) result[key] = stripDirectives(member);
  }
  return result;
}

function keyIn(item: unknown, mergeKey: string): unknown {
  if (!isTree(item) || item[mergeKey] === undefined) {
    throw unknownError(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return item[mergeKey];
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string | undefined,
  item: Schema,
): unknown[] {
  if (mergeKey === undefined) {
    const merged = [...new Set([...original, ...patch])];
    return inOrder(merged, patch, original, (value) => value);
  }
  const key = (value: unknown): unknown => keyIn(value, mergeKey);
  let base = [...original];
  const plain: unknown[] = [];
  let replace = false;
  for (const element of patch) {
    const directive = isTree(element) ? element[DIRECTIVE] : undefined;
    if (directive === undefined) plain.push(element);
    else if (directive === 'delete') {
      const value = key(element);
      base = base.filter((present) => !equalTrees(isTree(present) ? present[mergeKey] : undefined, value));
    } else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw unknownError('merging lists cannot yet be specified in the patch');
    else throw unknownDirective(directive, element as Tree);
  }
  if (replace) return plain.map(stripDirectives);
  const merged = [...base];
  for (const element of plain) {
    const value = key(element);
    const index = merged.findIndex((present) => isTree(present) && equalTrees(present[mergeKey], value));
    if (index < 0) merged.push(mergeMap({}, element as Tree, item));
    else merged[index] = mergeMap(merged[index] as Tree, element as Tree, item);
  }
  return inOrder(merged, plain, original, key);
}

/** Items named in `patchOrder` in that order, the others in the order they had, interleaved as upstream does. */
function inOrder(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  key: (value: unknown) => unknown,
): unknown[] {
  const indexIn = (list: readonly unknown[], item: unknown): number => {
    const wanted = key(item);
    return list.findIndex((candidate) => equalTrees(key(candidate), wanted));
  };
  const named = merged.filter((item) => indexIn(patchOrder, item) >= 0);
  const others = merged.filter((item) => indexIn(patchOrder, item) < 0);
  named.sort((a, b) => indexIn(patchOrder, a) - indexIn(patchOrder, b));
  others.sort((a, b) => indexIn(serverOrder, a) - indexIn(serverOrder, b));

  const result: unknown[] = [];
  let left = 0;
  let right = 0;
  while (left < others.length && right < named.length) {
    const leftIndex = indexIn(serverOrder, others[left]);
    const rightIndex = indexIn(serverOrder, named[right]);
    if (leftIndex >= 0 && rightIndex >= 0 && leftIndex < rightIndex) result.push(others[left++]);
    else result.push(named[right++]);
  }
  return [...result, ...others.slice(left), ...named.slice(right)];
}

/** Merges the lists whose order the patch sets; returns the patch without them. */
function mergeOrderedLists(result: Tree, patch: Tree, schema: Schema): Tree {
  let rest = patch;
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ORDER)) continue;
    const field = directive.slice(ORDER.length);
    const { [directive]: _order, [field]: list, ...others } = rest;
    rest = others;
    if (!Array.isArray(order)) throw badRequest(`invalid patch format of setElementOrder list`);
    const original = result[field];
    const merging = listMergingOf(schema.type, field);
    const mergeKey = merging?.patchMergeKey;
    const key = (value: unknown): unknown => (mergeKey === undefined ? value : keyIn(value, mergeKey));
    if (Array.isArray(list)) checkOrder(list, order, key);

    const deleted = rest[`${DELETE_PRIMITIVES}${field}`];
    const present = Array.isArray(original) ? original : [];
    const kept = Array.isArray(deleted) ? present.filter((item) => !deleted.includes(item)) : present;
    if (!Array.isArray(original) && !Array.isArray(list)) continue;
    const merged = Array.isArray(list)
      ? mergeList(kept, list, mergeKey, itemOf(memberOf(schema, field)))
      : kept;
    result[field] = inOrder(merged, order, kept, key);
  }
  return rest;
}

/** Every element of the patch must be in the order list, in that order. */
function checkOrder(
  list: readonly unknown[],
  order: readonly unknown[],
  key: (value: unknown) => unknown,
): void {
  const plain = list.filter((item) => !isTree(item) || item[DIRECTIVE] === undefined);
  let at = 0;
  for (const item of plain) {
    const wanted = key(item);
    while (at < order.length && !equalTrees(key(order[at]), wanted)) at++;
    if (at === order.length) {
      throw unknownError(
        `The order in patch list:\n${goValue(plain)}\n doesn't match ${ORDER.slice(0, -1)} list:\n${goValue(order)}\n`,
      );
    }
    at++;
  }
}
