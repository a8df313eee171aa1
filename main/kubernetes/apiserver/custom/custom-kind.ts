// The Kind of one version of a custom resource: what its definition says, as strategies say it of built-in kinds.
import type { ResourceInfo, Subresource } from '../../api/resources.ts';
import { subdomainProblems } from '../kinds/names.ts';
import type { Cell, Column, Kind, Printer } from '../kinds/kind.ts';
import { isTree, textAt, type ApiObject, type StoredObject } from '../object.ts';
import type { FieldError } from '../refusals.ts';
import { ageOf } from '../table/duration.ts';
import { describe } from '../table/columns.ts';
import { DEFAULT_COLUMNS } from '../table/printers.ts';
import type { Definition, DefinitionVersion, Names, PrinterColumn, ScalePaths } from './definition.ts';
import { valuesAt } from './json-path.ts';
import { ratcheted } from './ratcheting.ts';
import { checkRules, hasRules } from './rules.ts';
import { structureOf, type JsonSchema } from './schema.ts';
import { fillDefaults } from './shaping.ts';
import { checkListTypes, validateValue } from './validate-value.ts';

/** The age of resources whose definition says nothing of columns. */
const AGE_COLUMN: Column = {
  name: 'Age',
  type: 'date',
  format: '',
  description: describe('@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.creationTimestamp'),
  priority: 0,
};

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];
const BLOCKING = new Set<FieldError['type']>([
  'Required',
  'NotSupported',
  'TooLong',
  'TooMany',
  'TypeInvalid',
]);
const NOT_CHECKED: FieldError = {
  type: 'Invalid',
  field: '<nil>',
  body: 'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

export function customKind(definition: Definition, version: DefinitionVersion): Kind {
  const { group, scope } = definition.spec;
  const names = definition.status?.acceptedNames as Names;
  const schema = version.schema?.openAPIV3Schema;
  const { status, scale } = version.subresources ?? {};
  const resource = resourceOf(definition, version, names);
  const structure = structureOf(schema);
  const fields = Object.fromEntries(
    (version.selectableFields ?? []).map(({ jsonPath }) => [
      jsonPath.slice(1),
      (object: StoredObject) => textAt(object, ...jsonPath.slice(1).split('.')),
    ]),
  );
  return {
    resource,
    prefix: `/registry/${group}/${names.plural}/`,
    schemaName: undefined,
    custom: { schema, structure, scale, deprecation: deprecationOf(definition, version) },
    nameProblems: subdomainProblems,
    counted: true,
    hasStatus: status !== undefined,
    fields,
    indexed: ['metadata.name'],
    createsOnUpdate: scope === 'Cluster' || scope === 'Namespaced',
    unconditionalUpdate: false,
    returnsDeleted: false,
    defaultPropagation: 'Background',
    defaults: (object) => fillDefaults(object, schema),
    prepareCreate(object) {
      if (status !== undefined) delete object['status'];
    },
    validate: (object) => problemsOf(object, undefined, schema, scale),
    validateUpdate: (object, old) => problemsOf(object, old, schema, scale),
    validateStatus: (object, old) => statusProblems(object, old, schema),
    printer: printerOf(version.additionalPrinterColumns ?? []),
  };
}

function resourceOf(definition: Definition, version: DefinitionVersion, names: Names): ResourceInfo {
  const { group, scope } = definition.spec;
  const { status, scale } = version.subresources ?? {};
  const subresources: Subresource[] = [];
  if (status !== undefined)
    subresources.push({ name: 'status', kind: names.kind, verbs: SUBRESOURCE_VERBS } as Subresource);
  if (scale !== undefined)
    subresources.push({
      name: 'scale',
      kind: 'Scale',
      groupVersion: 'autoscaling/v1',
      verbs: SUBRESOURCE_VERBS,
    } as Subresource);
  return {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? '',
    namespaced: scope === 'Namespaced',
    verbs: VERBS,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    subresources,
  } as ResourceInfo;
}

function deprecationOf({ spec }: Definition, version: DefinitionVersion): string | undefined {
  if (version.deprecated !== true) return undefined;
  return version.deprecationWarning ?? `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
}

function problemsOf(
  object: ApiObject,
  old: StoredObject | undefined,
  schema: JsonSchema | undefined,
  scale: ScalePaths | undefined,
): FieldError[] {
  const { metadata: _metadata, ...body } = object;
  const errors = validateValue(body, schema);
  if (scale !== undefined) errors.push(...scaleProblems(object, scale));
  checkListTypes(body, schema, '', errors);
  return withRules(ratcheted(errors, object, old, schema), object, old, schema, '');
}

function statusProblems(object: ApiObject, old: StoredObject, schema: JsonSchema | undefined): FieldError[] {
  const part = schema?.properties?.['status'];
  const errors = validateValue(object['status'], part, 'status', '');
  checkListTypes(object['status'], part, 'status', errors);
  return withRules(ratcheted(errors, object, old, schema), object, old, schema, '');
}

function withRules(
  errors: FieldError[],
  object: ApiObject,
  old: StoredObject | undefined,
  schema: JsonSchema | undefined,
  field: string,
): FieldError[] {
  if (!hasRules(schema)) return errors;
  if (errors.some(({ type }) => BLOCKING.has(type))) return [...errors, NOT_CHECKED];
  checkRules(object, old, schema, field, errors, true);
  return errors;
}

/** What the scale subresource couldn't read. */
function scaleProblems(object: ApiObject, { specReplicasPath }: ScalePaths): FieldError[] {
  let value: unknown = object;
  const fault = (why: string): FieldError[] => [
    {
      type: 'Invalid',
      field: specReplicasPath,
      body: `Invalid value: 0: ${specReplicasPath} accessor error: ${why}`,
    },
  ];
  for (const field of specReplicasPath.split('.').slice(1)) {
    if (value === undefined || value === null) return [];
    if (!isTree(value))
      return fault(
        `${JSON.stringify(value).replaceAll('"', '')} is of the type ${goType(value)}, expected map[string]interface{}`,
      );
    value = value[field];
  }
  if (value === undefined || value === null || Number.isInteger(value)) return [];
  return fault(`${String(value as string)} is of the type ${goType(value)}, expected int64`);
}

function goType(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : typeof value;
}

function printerOf(columns: readonly PrinterColumn[]): Printer {
  if (columns.length === 0) {
    return {
      columns: [DEFAULT_COLUMNS[0]!, AGE_COLUMN],
      row: (object, nowMs) => [object.metadata.name, ageOf(object.metadata.creationTimestamp, nowMs)],
    };
  }
  return {
    columns: [DEFAULT_COLUMNS[0]!, ...columns.map(columnOf)],
    row: (object, nowMs) => [
      object.metadata.name,
      ...columns.map((column) => cellOf(valuesAt(object, column.jsonPath)[0], column.type, nowMs)),
    ],
  };
}

function columnOf({ name, type, format, description, priority, jsonPath }: PrinterColumn): Column {
  return {
    name,
    type: type as Column['type'],
    format: format ?? '',
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
  };
}

function cellOf(value: unknown, type: string, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value))
        ? ageOf(value, nowMs)
        : '<invalid>';
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
  }
}
