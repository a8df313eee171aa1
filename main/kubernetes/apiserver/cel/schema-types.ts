// The CEL types of structural schemas, and values as those types see them (apiserver pkg/cel/common/schemas.go).
import { evaluate, EvaluationError, type Environment } from '@marcbachmann/cel-js';
import { isTree, type Tree } from '../object.ts';
import { fieldOf, itemsOf, valuesOf, type JsonSchema } from '../custom/schema.ts';

/** Words that CEL keeps for itself; fields of these names are called `__in__` and so on. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** A field's name in an expression; undefined for one that no expression can name. */
function escapedName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** Registers a schema's type and those within it; returns the name. `isRoot` adds what every object has. */
export function registerSchema(
  environment: Environment,
  schema: JsonSchema | undefined,
  name: string,
  isRoot: boolean,
): string {
  if (schema === undefined || schema['x-kubernetes-int-or-string'] === true || schema.nullable === true)
    return 'dyn';
  switch (schema.type) {
    case 'array': {
      const items = registerSchema(environment, itemsOf(schema), `${name}.item`, false);
      return `list<${items}>`;
    }
    case 'object':
      return registerObject(environment, schema, name, isRoot);
    case 'string':
      return STRING_FORMATS[schema.format ?? ''] ?? 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    default:
      return 'dyn';
  }
}

const STRING_FORMATS: Readonly<Record<string, string>> = {
  byte: 'bytes',
  duration: 'google.protobuf.Duration',
  date: 'google.protobuf.Timestamp',
  'date-time': 'google.protobuf.Timestamp',
};

function registerObject(environment: Environment, schema: JsonSchema, name: string, isRoot: boolean): string {
  const values = valuesOf(schema);
  if (values !== undefined)
    return `map<string, ${registerSchema(environment, values, `${name}.value`, false)}>`;
  const hasMeta = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.properties === undefined && !hasMeta && (preserves || schema.additionalProperties === true))
    return 'dyn';
  const fields: Record<string, string> = {};
  for (const [property, each] of Object.entries(schema.properties ?? {})) {
    const field = escapedName(property);
    if (field === undefined || (hasMeta && property === 'metadata')) continue;
    fields[field] = registerSchema(environment, each, `${name}.${field}`, false);
  }
  if (hasMeta) {
    environment.registerType(`${name}.metadata`, { fields: { name: 'string', generateName: 'string' } });
    Object.assign(fields, { apiVersion: 'string', kind: 'string', metadata: `${name}.metadata` });
  }
  environment.registerType(name, { fields });
  environment.registerOperator(`${name} == ${name}: bool`, () => true);
  return name;
}

/** A value as CEL sees it: numbers, times and durations as the schema says; whole numbers are ints where it says nothing. */
export function celValue(value: unknown, schema: JsonSchema | undefined): unknown {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && schema?.type !== 'number' ? BigInt(value) : value;
  if (typeof value === 'string') return schema?.format === undefined ? value : formatted(value, schema);
  if (Array.isArray(value)) return value.map((item) => celValue(item, itemsOf(schema)));
  if (!isTree(value)) return value;
  const isMap = schema === undefined || valuesOf(schema) !== undefined;
  const result: Tree = {};
  for (const [field, member] of Object.entries(value)) {
    if (member === undefined || member === null) continue;
    const name = isMap ? field : (escapedName(field) ?? field);
    result[name] = celValue(member, fieldOf(schema, field));
  }
  return result;
}

function formatted(value: string, { type, format }: JsonSchema): unknown {
  if (type !== 'string') return value;
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'date':
    case 'date-time': {
      const ms = Date.parse(value);
      return Number.isNaN(ms) ? value : new Date(ms);
    }
    case 'duration':
      return durationOf(value) ?? value;
    default:
      return value;
  }
}

/** Go's durations, such as `1h30m`; undefined for what isn't one, which validation tells. */
function durationOf(text: string): unknown {
  try {
    return evaluate('duration(text)', { text }) as unknown;
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}
