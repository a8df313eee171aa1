// CEL rules of structural schemas (x-kubernetes-validations, KEP-2876).
import { isTree, type Tree } from '../object.ts';
import { compileCel, runCel, type CelProgram } from '../cel/cel.ts';
import { forbiddenField, invalidValue, required, type FieldError } from '../refusals.ts';
import { fieldOf, itemsOf, type JsonSchema, type ValidationRule } from './schema.ts';

/** Whether any rule is anywhere in a schema. */
export function hasRules(schema: JsonSchema | undefined): boolean {
  if (schema === undefined) return false;
  if ((schema['x-kubernetes-validations']?.length ?? 0) > 0) return true;
  if (Object.values(schema.properties ?? {}).some(hasRules)) return true;
  return (
    hasRules(itemsOf(schema)) ||
    (typeof schema.additionalProperties === 'object' && hasRules(schema.additionalProperties))
  );
}

/** A value as CEL sees it: whole numbers are ints where the schema says so, or says nothing. */
export function celValue(value: unknown, schema: JsonSchema | undefined): unknown {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && schema?.type !== 'number' ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => celValue(item, itemsOf(schema)));
  if (!isTree(value)) return value;
  const result: Tree = {};
  for (const [field, member] of Object.entries(value)) {
    if (member !== undefined && member !== null) result[field] = celValue(member, fieldOf(schema, field));
  }
  return result;
}

/** Runs all rules of a schema on a value, and on what it held before where a rule asks for it. */
export function checkRules(
  value: unknown,
  old: unknown,
  schema: JsonSchema | undefined,
  field: string,
  errors: FieldError[],
): void {
  if (schema === undefined || value === undefined || value === null || !hasRules(schema)) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    const error = failed(rule, value, old, schema, field);
    if (error !== undefined) errors.push(error);
  }
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    const keys = schema['x-kubernetes-list-map-keys'];
    for (const [index, item] of value.entries())
      checkRules(item, counterpart(item, old, keys), items, `${field}[${index}]`, errors);
  } else if (isTree(value)) {
    for (const [name, member] of Object.entries(value)) {
      const before = isTree(old) ? old[name] : undefined;
      checkRules(member, before, fieldOf(schema, name), field === '' ? name : `${field}.${name}`, errors);
    }
  }
}

/** The element of the old list that is the same by its keys; lists without keys have none. */
function counterpart(item: unknown, old: unknown, keys: readonly string[] | undefined): unknown {
  if (!Array.isArray(old) || keys === undefined || !isTree(item)) return undefined;
  return (old as unknown[]).find((each) => isTree(each) && keys.every((key) => each[key] === item[key]));
}

function failed(
  rule: ValidationRule,
  value: unknown,
  old: unknown,
  schema: JsonSchema,
  field: string,
): FieldError | undefined {
  const text = rule.rule ?? '';
  const isTransition = /\boldSelf\b/.test(text);
  if (isTransition && old === undefined && rule.optionalOldSelf !== true) return undefined;
  const variables = {
    self: celValue(value, schema),
    ...(isTransition ? { oldSelf: celValue(old, schema) } : {}),
  };
  const at = placeOf(rule.fieldPath, field);
  const compiled = compileCel(text);
  if (!('run' in compiled)) return refused(at, value, `rule compile error: ${compiled.error}`);
  const outcome = runCel(compiled, variables);
  if (outcome.value === true) return undefined;
  if (outcome.error !== undefined)
    return refused(at, value, `${outcome.error} evaluating rule: ${rule.message ?? text}`);
  return refusalOf(rule, at, value, messageOf(rule, variables));
}

/** An invalid value; objects and lists aren't shown. */
function refused(at: string, value: unknown, why: string): FieldError {
  if (Array.isArray(value) || isTree(value))
    return { type: 'Invalid', field: at, body: `Invalid value: ${why}` };
  return invalidValue(at, value, why);
}

function placeOf(fieldPath: string | undefined, field: string): string {
  if (fieldPath === undefined || fieldPath === '') return field;
  return field === '' ? fieldPath.replace(/^\./, '') : field + fieldPath;
}

function messageOf(rule: ValidationRule, variables: Readonly<Record<string, unknown>>): string {
  if ((rule.messageExpression ?? '') !== '') {
    const compiled: CelProgram | { error: string } = compileCel(rule.messageExpression!);
    const outcome = 'run' in compiled ? runCel(compiled, variables) : undefined;
    const text = outcome?.value;
    if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text;
  }
  if ((rule.message ?? '') !== '') return rule.message!.trim();
  return `failed rule: ${(rule.rule ?? '').trim()}`;
}

function refusalOf(rule: ValidationRule, at: string, value: unknown, message: string): FieldError {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbiddenField(at, message);
    case 'FieldValueRequired':
      return required(at, message);
    case 'FieldValueDuplicate':
      return { type: 'Duplicate', field: at, body: `Duplicate value: ${JSON.stringify(value)}` };
    default:
      return refused(at, value, message);
  }
}
