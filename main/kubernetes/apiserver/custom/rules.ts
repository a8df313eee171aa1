// CEL rules of structural schemas (x-kubernetes-validations, KEP-2876).
import { Optional } from '@marcbachmann/cel-js';
import { equalTrees, isTree } from '../object.ts';
import { CelScope, runCel } from '../cel/cel.ts';
import { celValue, registerSchema } from '../cel/schema-types.ts';
import { forbiddenField, invalidValue, required, type FieldError } from '../refusals.ts';
import { fieldOf, itemsOf, valuesOf, type JsonSchema, type ValidationRule } from './schema.ts';

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

/** Whether a rule compares with what was before. */
export function isTransitionRule({ rule = '' }: ValidationRule): boolean {
  return /\boldSelf\b/.test(rule);
}

interface RuleScopes {
  readonly plain: CelScope;
  /** Where `oldSelf` may be absent. */
  readonly optional: CelScope;
}

const scopes = new WeakMap<JsonSchema, RuleScopes>();

/** What the rules of a schema may speak of: `self` and `oldSelf` of its type. */
export function scopeOf(schema: JsonSchema, isRoot: boolean, rule: ValidationRule): CelScope {
  let made = scopes.get(schema);
  if (made === undefined) {
    const scope = (wrap: (type: string) => string): CelScope =>
      new CelScope((environment) => {
        const type = registerSchema(environment, schema, 'object.self', isRoot);
        environment.registerVariable('self', type).registerVariable('oldSelf', wrap(type));
      });
    made = { plain: scope((type) => type), optional: scope((type) => `optional<${type}>`) };
    scopes.set(schema, made);
  }
  return rule.optionalOldSelf === true ? made.optional : made.plain;
}

/**
 * Runs all rules of a schema on a value, and on what it held before where a rule asks for it. What an update leaves as
 * it was isn't judged anew (KEP-4008, ratcheting), but by rules that compare.
 * Differs: rules have no cost; the limits of upstream keep a busy server responsive.
 */
export function checkRules(
  value: unknown,
  old: unknown,
  schema: JsonSchema | undefined,
  field: string,
  errors: FieldError[],
  isRoot = false,
): void {
  if (schema === undefined || value === undefined || value === null || !hasRules(schema)) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    const error = failed(rule, value, old, { schema, field, isRoot });
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
      checkRules(member, before, fieldOf(schema, name), memberPath(schema, field, name), errors);
    }
  }
}

/** Members of maps are shown with their keys in brackets, fields after a dot. */
function memberPath(schema: JsonSchema, field: string, name: string): string {
  if (schema.properties?.[name] === undefined && valuesOf(schema) !== undefined) return `${field}[${name}]`;
  return field === '' ? name : `${field}.${name}`;
}

/** The element of the old list that is the same by its keys; lists without keys have none. */
export function counterpart(item: unknown, old: unknown, keys: readonly string[] | undefined): unknown {
  if (!Array.isArray(old) || keys === undefined || !isTree(item)) return undefined;
  return (old as unknown[]).find((each) => isTree(each) && keys.every((key) => each[key] === item[key]));
}

interface RulePlace {
  readonly schema: JsonSchema;
  readonly field: string;
  readonly isRoot: boolean;
}

function failed(
  rule: ValidationRule,
  value: unknown,
  old: unknown,
  { schema, field, isRoot }: RulePlace,
): FieldError | undefined {
  const text = rule.rule ?? '';
  const isTransition = isTransitionRule(rule);
  const isOptional = rule.optionalOldSelf === true;
  if (isTransition && old === undefined && !isOptional) return undefined;
  if (!isTransition && old !== undefined && equalTrees(value, old)) return undefined;
  const variables = {
    self: celValue(value, schema),
    ...(isTransition ? { oldSelf: oldValue(celValue(old, schema), isOptional) } : {}),
  };
  const at = placeOf(rule.fieldPath, field);
  const scope = scopeOf(schema, isRoot, rule);
  const compiled = scope.compile(text);
  if (!('run' in compiled)) return refused(at, value, `rule compile error: ${compiled.error}`);
  const outcome = runCel(compiled, variables);
  if (outcome.value === true) return undefined;
  if (outcome.error === 'no such overload') {
    return refused(
      at,
      value,
      `'${outcome.error}': call arguments did not match a supported operator, function or macro signature for rule: ${rule.message ?? text.trim()}`,
    );
  }
  if (outcome.error !== undefined)
    return refused(at, value, `${outcome.error} evaluating rule: ${rule.message ?? text.trim()}`);
  return refusalOf(rule, at, value, messageOf(rule, scope, variables));
}

function oldValue(value: unknown, isOptional: boolean): unknown {
  if (!isOptional) return value;
  return value === undefined ? Optional.none() : Optional.of(value);
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

function messageOf(
  rule: ValidationRule,
  scope: CelScope,
  variables: Readonly<Record<string, unknown>>,
): string {
  if ((rule.messageExpression ?? '') !== '') {
    const compiled = scope.compile(rule.messageExpression!);
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
