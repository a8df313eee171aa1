// Pruning of unknown fields, of nulls, and filling in of defaults, by a structural schema.
import { cloneTree, isTree, type Tree } from '../object.ts';
import { fieldOf, itemsOf, valuesOf, type JsonSchema } from './schema.ts';

/** Fields that every object has, whatever its schema says. */
const TYPE_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/** The value without fields that the schema doesn't know; their paths are added to `unknown`. */
export function pruned(
  value: unknown,
  schema: JsonSchema | undefined,
  path: string,
  unknown: string[],
  isResource = false,
): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return value.map((item, index) => pruned(item, items, `${path}[${index}]`, unknown));
  }
  if (!isTree(value)) return value;
  const preserves = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  const result: Tree = {};
  for (const [field, member] of Object.entries(value)) {
    const known = fieldOf(schema, field);
    const at = path === '' ? field : `${path}.${field}`;
    const isType = isResource && TYPE_FIELDS.has(field);
    if (known === undefined || isType) {
      const isFree = preserves || isType || schema?.additionalProperties === true;
      if (isFree) result[field] = member;
      else unknown.push(at);
    } else {
      const isEmbedded = known['x-kubernetes-embedded-resource'] === true;
      result[field] = pruned(member, known, at, unknown, isEmbedded);
    }
  }
  return result;
}

/** Fills in defaults; a null where none may be is taken for absence. */
export function fillDefaults(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) fillDefaults(item, itemsOf(schema));
    return;
  }
  if (!isTree(value)) return;
  for (const [field, known] of Object.entries(schema.properties ?? {})) {
    if (value[field] === null && known.nullable !== true) {
      if (known['x-kubernetes-preserve-unknown-fields'] !== true || known.type !== undefined)
        delete value[field];
    }
    if (value[field] === undefined && known.default !== undefined) value[field] = cloneTree(known.default);
    fillDefaults(value[field], known);
  }
  const values = valuesOf(schema);
  if (values === undefined) return;
  for (const [field, member] of Object.entries(value)) {
    if (schema.properties?.[field] === undefined) fillDefaults(member, values);
  }
}
