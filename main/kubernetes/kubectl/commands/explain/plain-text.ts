// The layout of explain's text (kubectl's explain/v2 plaintext template): headings, wrapped descriptions, fields.
import type { DiscoveredResource } from '../../rest/discovery.ts';
import type { Schema, SchemaSet } from '../../rest/open-api.ts';
import { wordWrapped } from './word-wrap.ts';

const COLUMNS = 76;
/** How many values of an enumeration stand beside a field. */
const ENUM_SHOWN = 4;

export interface Explained {
  readonly resource: DiscoveredResource;
  readonly fields: readonly string[];
  readonly schemas: SchemaSet;
  readonly schema: Schema;
  readonly recursive: boolean;
}

/** The text, and what is wrong with the path of fields if it leads nowhere. */
export function explanation({ resource, fields, schemas, schema, recursive }: Explained): {
  text: string;
  problem?: string;
} {
  const { group, kind, version } = resource;
  let text = `${group === '' ? '' : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\n`;
  let current = schema;
  for (const field of fields) {
    const next = propertiesOf(schemas, current)?.[field];
    if (next === undefined) return { text, problem: `field "${field}" does not exist` };
    current = next;
  }
  if (fields.length > 0) {
    const values = enumOf(schemas, current);
    text += `FIELD: ${fields.at(-1)!} <${typeName(schemas, current)}>\n`;
    text += values.length === 0 ? '\n\n' : `ENUM:\n${values.map((value) => `    ${value}\n`).join('')}\n`;
  }
  const described = descriptions(schemas, current);
  text += `DESCRIPTION:\n${indented(4, wordWrapped(described.length === 0 ? '<empty>' : described.map((each) => `${each}\n`).join(''), COLUMNS))}\n`;
  const members = structOf(schemas, current);
  if (members !== undefined) {
    text += 'FIELDS:\n';
    text += fieldList(schemas, members, recursive, 1, []);
  }
  return { text: `${text}\n` };
}

function fieldList(
  schemas: SchemaSet,
  { properties = {}, required = [] }: Schema,
  recursive: boolean,
  level: number,
  above: readonly string[],
): string {
  const pad = '  '.repeat(level);
  return Object.keys(properties)
    .sort()
    .map((name) => {
      const field = properties[name]!;
      const values = enumOf(schemas, field);
      const head = `${pad}${name}\t<${typeName(schemas, field)}>${required.includes(name) ? ' -required-' : ''}\n`;
      const choice = values.length === 0 ? '' : `${pad}enum: ${shortEnum(values)}\n`;
      if (!recursive) {
        const text = field.description || '<no description>';
        return `${head}${choice}${indented(4, wordWrapped(text, COLUMNS))}\n\n`;
      }
      const reference = innermostReference(field);
      const members = structOf(schemas, field);
      if (members === undefined || (reference !== undefined && above.includes(reference)))
        return head + choice;
      const path = reference === undefined ? above : [...above, reference];
      return head + choice + fieldList(schemas, members, true, level + 1, path);
    })
    .join('');
}

function shortEnum(values: readonly string[]): string {
  return values.length <= ENUM_SHOWN ? values.join(', ') : `${values.slice(0, ENUM_SHOWN).join(', ')}, ....`;
}

function enumOf(schemas: SchemaSet, schema: Schema): string[] {
  const { enum: values = [] } = schemas.resolve(schema) ?? {};
  return values.map((value) => (value === '' ? '""' : String(value))).sort();
}

/** What the field says of itself, then what its type, its items or its values say. */
function descriptions(schemas: SchemaSet, schema: Schema): string[] {
  const own = schema.description === undefined || schema.description === '' ? [] : [schema.description];
  const target = schemas.referred(schema);
  if (target !== undefined) return [...own, ...descriptions(schemas, target)];
  const inner = innerOf(schema);
  return inner === undefined ? own : [...own, ...descriptions(schemas, inner)];
}

/** The schema that has the fields: behind references, lists and maps. */
function structOf(schemas: SchemaSet, schema: Schema): Schema | undefined {
  if (schema.properties !== undefined) return schema;
  const target = schemas.referred(schema) ?? innerOf(schema);
  return target === undefined ? undefined : structOf(schemas, target);
}

function propertiesOf(schemas: SchemaSet, schema: Schema): Schema['properties'] {
  return structOf(schemas, schema)?.properties;
}

function innerOf({ items, additionalProperties }: Schema): Schema | undefined {
  if (items !== undefined) return items;
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function referenceOf({ $ref, allOf }: Schema): string | undefined {
  return $ref ?? (allOf?.length === 1 ? allOf[0]!.$ref : undefined);
}

function innermostReference(schema: Schema): string | undefined {
  const inner = innerOf(schema);
  return inner === undefined ? referenceOf(schema) : innermostReference(inner);
}

/** A reference goes by the name of the struct it leads to, or by its simple type if that is all there is. */
function typeName(schemas: SchemaSet, schema: Schema): string {
  if (schema.items !== undefined) return `[]${typeName(schemas, schema.items)}`;
  if (typeof schema.additionalProperties === 'object')
    return `map[string]${typeName(schemas, schema.additionalProperties)}`;
  const reference = referenceOf(schema);
  if (reference !== undefined) {
    const simple = schemas.referred(schema)?.type ?? 'object';
    return simple === 'object' ? reference.slice(reference.lastIndexOf('.') + 1) : simple;
  }
  return schema.type ?? 'Object';
}

function indented(columns: number, text: string): string {
  const pad = ' '.repeat(columns);
  return pad + text.replaceAll('\n', `\n${pad}`);
}
