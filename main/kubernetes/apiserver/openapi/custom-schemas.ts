// Definitions of custom resources' kinds, as their structural schemas say them.
import { apiVersionOf } from '../../api/meta.ts';
import type { ResourceInfo } from '../../api/resources.ts';
import type { ServerCore } from '../core.ts';
import type { JsonSchema } from '../custom/schema.ts';
import type { OpenApiStyle } from './schemas.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const VERSION_TEXT =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const KIND_TEXT =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';

const MORE = 'More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const METADATA_TEXT = `Standard object's metadata. ${MORE}#metadata`;
const LIST_METADATA_TEXT = `Standard list metadata. ${MORE}#types-kinds`;

type Json = Record<string, unknown>;

/** The definitions that custom resources among these add: `com.example.stable.v1.CronTab` and its list. */
export function customDefinitions(
  core: ServerCore,
  resources: readonly ResourceInfo[],
  style: OpenApiStyle,
): Json {
  const definitions: Json = {};
  for (const resource of resources) {
    const custom = core.catalogue.find(resource)?.kind.custom;
    if (custom === undefined) continue;
    const { group, version, kind, listKind } = resource;
    const prefix = `${group.split('.').toReversed().join('.')}.${version}`;
    definitions[`${prefix}.${kind}`] = objectOf(custom.schema, resource, style);
    definitions[`${prefix}.${listKind}`] = listOf(`${prefix}.${kind}`, resource, style);
  }
  return definitions;
}

function typeFields(style: OpenApiStyle, metaKind: string): Json {
  const ref = { $ref: `${style.refPrefix}${META}.${metaKind}` };
  const description = metaKind === 'ObjectMeta' ? METADATA_TEXT : LIST_METADATA_TEXT;
  return {
    apiVersion: { description: VERSION_TEXT, type: 'string' },
    kind: { description: KIND_TEXT, type: 'string' },
    metadata: style.version === 3 ? { description, allOf: [ref] } : { description, ...ref },
  };
}

function objectOf(
  schema: JsonSchema | undefined,
  { group, version, kind }: ResourceInfo,
  style: OpenApiStyle,
): Json {
  return {
    ...schema,
    type: 'object',
    properties: { ...schema?.properties, ...typeFields(style, 'ObjectMeta') },
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
  };
}

function listOf(item: string, resource: ResourceInfo, style: OpenApiStyle): Json {
  const { group, version, kind, listKind, plural } = resource;
  return {
    description: `${listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeFields(style, 'ListMeta'),
      items: {
        description: `List of ${plural} of ${apiVersionOf(resource)}`,
        type: 'array',
        items: { $ref: `${style.refPrefix}${item}` },
      },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  };
}
