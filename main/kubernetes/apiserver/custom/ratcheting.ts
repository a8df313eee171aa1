// What an update leaves as it was isn't refused for what its definition has come to forbid meanwhile (KEP-4008).
import { equalTrees, isTree, type StoredObject } from '../object.ts';
import type { FieldError } from '../refusals.ts';
import { counterpart } from './rules.ts';
import { fieldOf, itemsOf, type JsonSchema } from './schema.ts';

/** Errors of a value by itself. What is missing or doubled is refused always. */
const OF_VALUES = new Set<FieldError['type']>([
  'Invalid',
  'NotSupported',
  'TooLong',
  'TooMany',
  'TypeInvalid',
]);
/** So are combinations of schemas. */
const COMBINATION = /\((?:oneOf|anyOf|allOf)\)|must not validate the schema/;

/** The errors without those of unchanged values. */
export function ratcheted(
  errors: readonly FieldError[],
  object: unknown,
  old: StoredObject | undefined,
  schema: JsonSchema | undefined,
): FieldError[] {
  if (old === undefined) return [...errors];
  return errors.filter(
    ({ type, field, body }) =>
      !OF_VALUES.has(type) || COMBINATION.test(body) || !isUnchanged(field, object, old, schema),
  );
}

/** Whether a field, or something that it is part of, is as it was. */
function isUnchanged(field: string, object: unknown, old: unknown, schema: JsonSchema | undefined): boolean {
  let [now, before, part] = [object, old, schema];
  for (const [, name, bracketed] of field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (Array.isArray(now)) {
      // Elements are the same ones only by the keys of their list.
      const item: unknown = now[Number(bracketed)];
      before = counterpart(item, before, part?.['x-kubernetes-list-map-keys']);
      now = item;
      part = itemsOf(part);
    } else {
      const key = name ?? bracketed ?? '';
      now = isTree(now) ? now[key] : undefined;
      before = isTree(before) ? before[key] : undefined;
      part = fieldOf(part, key);
    }
    if (now === undefined || before === undefined) return false;
    if (equalTrees(now, before)) return true;
  }
  return false;
}
