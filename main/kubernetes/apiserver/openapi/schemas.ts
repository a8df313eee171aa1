// Schemas as OpenAPI writes them, with descriptions and the x-kubernetes extensions that clients merge by.
import { descriptionsText } from '../../api/generated/descriptions.js';
import { isAtomicMap, isAtomicStruct, listMergingOf, fieldStrategyOf } from '../schema/merge-keys.ts';
import { structures, type Structure } from '../schema/structures.ts';

let parsed: Record<string, Record<string, string>> | undefined;

function descriptionsOf(name: string): Record<string, string> {
  parsed ??= JSON.parse(descriptionsText) as Record<string, Record<string, string>>;
  return parsed[name] ?? {};
}

export interface OpenApiStyle {
  readonly version: 2 | 3;
  /** What references begin with. */
  readonly refPrefix: string;
}

type Json = Record<string, unknown>;

const GVK_EVERYWHERE = new Set([
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent',
]);

/** The definition of a named type. `groupVersions` are listed for DeleteOptions and WatchEvent, which are of every group. */
export function definitionOf(
  name: string,
  style: OpenApiStyle,
  groupVersions: readonly (readonly [string, string])[],
): Json {
  const structure = structures.get(name);
  if (structure === undefined) throw new Error(`no schema is called ${name}`);
  const descriptions = descriptionsOf(name);
  const type = name.slice(name.lastIndexOf('.') + 1);
  const definition: Json = {
    ...(descriptions[''] === undefined ? {} : { description: descriptions[''] }),
    ...bodyOf(structure, type, descriptions, style),
  };
  if (structure.gvk !== undefined) {
    const [group, version, kind] = structure.gvk;
    definition['x-kubernetes-group-version-kind'] = [{ group, kind, version }];
  } else if (GVK_EVERYWHERE.has(name)) {
    definition['x-kubernetes-group-version-kind'] = groupVersions.map(([group, version]) => ({
      group,
      kind: type,
      version,
    }));
  }
  if (isAtomicStruct(type)) definition['x-kubernetes-map-type'] = 'atomic';
  return definition;
}

function bodyOf(
  structure: Structure,
  type: string,
  descriptions: Record<string, string>,
  style: OpenApiStyle,
): Json {
  switch (structure.special) {
    case 'Quantity':
      return style.version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] };
    case 'IntOrString':
      return style.version === 2
        ? { type: 'string', format: 'int-or-string' }
        : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'Time':
    case 'MicroTime':
      return { type: 'string', format: 'date-time' };
    default:
  }
  if (structure.any === true) return structure.type === 'object' ? { type: 'object' } : {};
  if (structure.properties === undefined) return valueOf(structure, style);
  const required = structure.required ?? [];
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required: [...required].sort() }),
    properties: Object.fromEntries(
      Object.entries(structure.properties)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([field, property]) => [
          field,
          propertyOf(type, field, property, descriptions[field], required.includes(field), style),
        ]),
    ),
  };
}

const TYPE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  apiVersion:
    'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
  kind: 'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
};

function propertyOf(
  type: string,
  field: string,
  property: Structure,
  description: string | undefined,
  isRequired: boolean,
  style: OpenApiStyle,
): Json {
  const text = description ?? TYPE_DESCRIPTIONS[field];
  const result: Json = text === undefined ? {} : { description: text };
  const value = valueOf(property, style);
  if (value['$ref'] !== undefined && style.version === 3) {
    const target = structures.get(property.$ref ?? '');
    if (target?.properties !== undefined && isRequired) result['default'] = {};
    result['allOf'] = [value];
  } else Object.assign(result, value);
  if (style.version === 3 && isRequired && property.type === 'string') result['default'] = '';
  if (style.version === 3 && isRequired && property.type === 'integer') result['default'] = 0;
  Object.assign(result, extensionsOf(type, field, property));
  return result;
}

function extensionsOf(type: string, field: string, property: Structure): Json {
  const extensions: Json = {};
  const merging = listMergingOf(type, field);
  if (merging !== undefined) {
    if (merging.listType === 'map') extensions['x-kubernetes-list-map-keys'] = merging.listMapKeys;
    if (merging.listType !== undefined) extensions['x-kubernetes-list-type'] = merging.listType;
    if (merging.patchMergeKey !== undefined)
      extensions['x-kubernetes-patch-merge-key'] = merging.patchMergeKey;
    if (merging.patchStrategy !== undefined)
      extensions['x-kubernetes-patch-strategy'] = merging.patchStrategy;
  } else if (property.type === 'array') extensions['x-kubernetes-list-type'] = 'atomic';
  const strategy = fieldStrategyOf(type, field);
  if (strategy !== undefined) extensions['x-kubernetes-patch-strategy'] = strategy;
  if (isAtomicMap(type, field)) extensions['x-kubernetes-map-type'] = 'atomic';
  return extensions;
}

const CLAIM = 'io.k8s.api.core.v1.PersistentVolumeClaim';

/** The published types write claim templates out; upstream refers to the kind. */
function referring(structure: Structure): Structure {
  return structure.$ref === undefined && structure.properties?.['spec']?.$ref === `${CLAIM}Spec`
    ? { $ref: CLAIM }
    : structure;
}

function valueOf(inner: Structure, style: OpenApiStyle): Json {
  const structure = referring(inner);
  if (structure.$ref !== undefined) return { $ref: `${style.refPrefix}${structure.$ref}` };
  if (structure.any === true) return structure.type === 'object' ? { type: 'object' } : {};
  switch (structure.type) {
    case 'array':
      return { type: 'array', items: itemOf(structure.items ?? {}, style) };
    case 'object':
      return structure.properties === undefined
        ? {
            type: 'object',
            ...(structure.additionalProperties === undefined
              ? {}
              : { additionalProperties: itemOf(structure.additionalProperties, style) }),
          }
        : bodyOf(structure, '', {}, style);
    default:
      return {
        type: structure.type,
        ...(structure.format === undefined ? {} : { format: structure.format }),
        ...(structure.enum === undefined ? {} : { enum: structure.enum }),
      };
  }
}

/** Elements of lists and maps carry Go's zero value as default in v3. */
function itemOf(inner: Structure, style: OpenApiStyle): Json {
  const structure = referring(inner);
  const value = valueOf(structure, style);
  if (style.version === 2) return value;
  if (value['$ref'] !== undefined) {
    const target = structures.get(structure.$ref ?? '');
    return target?.properties === undefined ? { allOf: [value] } : { allOf: [value], default: {} };
  }
  if (structure.type === 'string' && structure.format !== 'byte') return { ...value, default: '' };
  if (structure.type === 'integer') return { ...value, default: 0 };
  return value;
}

/** Every schema that these refer to, themselves included. */
export function closureOf(names: Iterable<string>): string[] {
  const found = new Set<string>();
  const visit = (structure: Structure): void => {
    if (structure.$ref !== undefined) add(structure.$ref);
    for (const property of Object.values(structure.properties ?? {})) visit(property);
    if (structure.items !== undefined) visit(referring(structure.items));
    if (structure.additionalProperties !== undefined) visit(structure.additionalProperties);
  };
  const add = (name: string): void => {
    if (found.has(name)) return;
    const structure = structures.get(name);
    if (structure === undefined) return;
    found.add(name);
    visit(structure);
  };
  for (const name of names) add(name);
  return [...found].sort();
}
